"""The Triton back end."""

from __future__ import annotations

from fastdeploy_moe.layers.moe.unimplemented import UnimplementedMoEMethod


class TritonWeightOnlyMoEMethod(UnimplementedMoEMethod):
    """Weights in 8-bit integers, tokens in bfloat16."""

    missing = "the Triton kernel for weights in 8-bit integers is not in this package"
    supports_quant_config = True
    dtypes = ("bfloat16",)
    devices = ("gpu",)
