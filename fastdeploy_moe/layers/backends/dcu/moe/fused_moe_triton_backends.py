"""The back end for Hygon DCUs."""

from __future__ import annotations

from fastdeploy_moe.layers.moe.unimplemented import UnimplementedMoEMethod


class DCUTritonWeightOnlyMoEMethod(UnimplementedMoEMethod):
    """Weights in 8-bit integers, with a Triton kernel for the DCU."""

    missing = "the Triton kernel for Hygon DCUs is not in this package"
    supports_quant_config = True
    dtypes = ("bfloat16",)
    devices = ("dcu",)
