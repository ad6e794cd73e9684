"""ModelOpt's NVFP4 checkpoints."""

from __future__ import annotations

from fastdeploy_moe.layers.moe.unimplemented import UnimplementedMoEMethod


class ModelOptNvFp4FusedMoE(UnimplementedMoEMethod):
    """Weights and tokens in 4-bit floats, with one scale for 16 values."""

    missing = "the NVFP4 kernels, which need a Blackwell GPU, are not in this package"
    supports_quant_config = True
    dtypes = ("bfloat16",)
    devices = ("gpu",)
