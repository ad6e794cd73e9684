"""The back end for Blackwell GPUs."""

from __future__ import annotations

from fastdeploy_moe.layers.moe.unimplemented import UnimplementedMoEMethod


class BlackwellGemmFusedMoeMethod(UnimplementedMoEMethod):
    """Grouped GEMMs in float8 on tensor memory."""

    missing = "the grouped float8 GEMMs for Blackwell GPUs are not in this package"
    supports_quant_config = True
    dtypes = ("bfloat16",)
    devices = ("gpu",)
