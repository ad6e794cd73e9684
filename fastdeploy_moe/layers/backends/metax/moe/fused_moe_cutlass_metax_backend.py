"""The back end for MetaX GPUs."""

from __future__ import annotations

from fastdeploy_moe.layers.moe.unimplemented import UnimplementedMoEMethod


class MetaxCutlassMoEMethod(UnimplementedMoEMethod):
    """Grouped GEMMs of mcTlass."""

    missing = "the operators for MetaX GPUs are not in this package"
    dtypes = ("bfloat16",)
    devices = ("metax_gpu",)
