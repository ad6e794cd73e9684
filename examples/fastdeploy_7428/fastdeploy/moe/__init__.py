"""The mixture-of-experts layer and the base of its backends."""

from .fused_moe_backend_base import MoEMethodBase
from .moe import FusedMoE

__all__ = ["FusedMoE", "MoEMethodBase"]
