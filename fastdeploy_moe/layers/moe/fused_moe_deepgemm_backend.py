"""The DeepGEMM back end."""

from __future__ import annotations

from fastdeploy_moe.layers.moe.unimplemented import UnimplementedMoEMethod


class DeepGemmFusedMoeMethod(UnimplementedMoEMethod):
    """Grouped GEMMs in float8, with one scale for a block of 128 by 128 weights."""

    missing = "DeepGEMM's grouped float8 GEMMs, which need a Hopper GPU, are not in this package"
    supports_quant_config = True
    dtypes = ("bfloat16",)
    devices = ("gpu",)
