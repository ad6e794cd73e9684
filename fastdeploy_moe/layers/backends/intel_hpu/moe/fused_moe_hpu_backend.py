"""The back end for Intel Gaudi."""

from __future__ import annotations

from fastdeploy_moe.layers.moe.unimplemented import UnimplementedMoEMethod


class HpuMoEMethod(UnimplementedMoEMethod):
    """One fused operator for all experts of a rank."""

    missing = "the fused operator for Intel Gaudi is not in this package"
    dtypes = ("bfloat16",)
    devices = ("intel_hpu",)
