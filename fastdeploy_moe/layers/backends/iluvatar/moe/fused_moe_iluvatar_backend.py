"""The back end for Iluvatar GPUs."""

from __future__ import annotations

from fastdeploy_moe.layers.moe.unimplemented import UnimplementedMoEMethod


class IluvatarCutlassMoEMethod(UnimplementedMoEMethod):
    """Grouped GEMMs of ixformer."""

    missing = "the grouped GEMMs for Iluvatar GPUs are not in this package"
    dtypes = ("bfloat16",)
    devices = ("iluvatar_gpu",)
