"""A backend for MetaX GPUs, kept by others in a package of its own."""

from .fused_moe_metax_backend import MetaxMoEMethod

__all__ = ["MetaxMoEMethod"]
