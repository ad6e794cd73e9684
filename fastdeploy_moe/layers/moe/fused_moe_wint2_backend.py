"""The back end for 2-bit weights."""

from __future__ import annotations

from fastdeploy_moe.layers.moe.unimplemented import UnimplementedMoEMethod


class CutlassWint2FusedMoeMethod(UnimplementedMoEMethod):
    """Weights in 2-bit integers, unpacked inside of the grouped GEMM."""

    missing = "the kernel that unpacks 2-bit weights is not in this package"
    supports_quant_config = True
    dtypes = ("bfloat16",)
    devices = ("gpu",)
