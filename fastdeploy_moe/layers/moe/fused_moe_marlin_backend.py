"""The Marlin back end."""

from __future__ import annotations

from fastdeploy_moe.layers.moe.unimplemented import UnimplementedMoEMethod


class MarlinWeightOnlyMoEMethod(UnimplementedMoEMethod):
    """Weights in 4-bit integers, in the order of the Marlin kernel."""

    missing = "the Marlin kernel and its order of 4-bit weights are not in this package"
    supports_quant_config = True
    dtypes = ("bfloat16", "float16")
    devices = ("gpu",)
