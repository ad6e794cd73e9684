"""The back end for Kunlunxin XPUs."""

from __future__ import annotations

from fastdeploy_moe.layers.moe.unimplemented import UnimplementedMoEMethod


class XPUMoEMethod(UnimplementedMoEMethod):
    """One fused operator for routing, experts and reduction."""

    missing = "the fused operator for Kunlunxin XPUs is not in this package"
    dtypes = ("bfloat16",)
    devices = ("xpu",)
