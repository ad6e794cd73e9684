"""The back ends by name: where each one is, and what it supports. A back end is imported when it is asked for."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastdeploy_moe.errors import UnknownBackEndError
from fastdeploy_moe.installation import import_paddle

if TYPE_CHECKING:  # at run time it would import Paddle
    from fastdeploy_moe.layers.moe.fused_moe_backend_base import MoEMethodBase


@dataclass(frozen=True, slots=True)
class BackEnd:
    """Where a back end is. `module` is below `fastdeploy_moe.layers`."""

    name: str
    module: str
    class_name: str


@dataclass(frozen=True, slots=True)
class Support:
    """What a back end supports, as its class says.

    Where `missing` is not None, the back end computes nothing here, and `dtypes` and `devices` are those of the kernels that
    are missing. `here` says whether it computes on the devices of the Paddle that is installed.
    """

    name: str
    class_name: str
    supports_latent: bool
    dtypes: tuple[str, ...]
    devices: tuple[str, ...]
    missing: str | None
    here: bool


BACK_ENDS: dict[str, BackEnd] = {
    back_end.name: back_end
    for back_end in (
        BackEnd("cutlass", "moe.fused_moe_cutlass_backend", "CutlassMoEMethod"),
        BackEnd("deepgemm", "moe.fused_moe_deepgemm_backend", "DeepGemmFusedMoeMethod"),
        BackEnd("blackwell", "moe.fused_moe_blackwell_backend", "BlackwellGemmFusedMoeMethod"),
        BackEnd("triton", "moe.fused_moe_triton_backend", "TritonWeightOnlyMoEMethod"),
        BackEnd("marlin", "moe.fused_moe_marlin_backend", "MarlinWeightOnlyMoEMethod"),
        BackEnd("wint2", "moe.fused_moe_wint2_backend", "CutlassWint2FusedMoeMethod"),
        BackEnd("nvfp4", "quantization.nvfp4", "ModelOptNvFp4FusedMoE"),
        BackEnd("metax", "backends.metax.moe.fused_moe_cutlass_metax_backend", "MetaxCutlassMoEMethod"),
        BackEnd("xpu", "backends.xpu.moe.fused_moe", "XPUMoEMethod"),
        BackEnd("gcu", "backends.gcu.moe.fused_moe_method_gcu_backend", "GCUFusedMoeMethod"),
        BackEnd("dcu", "backends.dcu.moe.fused_moe_triton_backends", "DCUTritonWeightOnlyMoEMethod"),
        BackEnd("iluvatar", "backends.iluvatar.moe.fused_moe_iluvatar_backend", "IluvatarCutlassMoEMethod"),
        BackEnd("intel_hpu", "backends.intel_hpu.moe.fused_moe_hpu_backend", "HpuMoEMethod"),
    )
}
"""By the name that `get_moe_method` takes."""


def get_moe_method(name: str, quant_config: object = None) -> MoEMethodBase:
    """A back end by its name or by the name of its class: `get_moe_method("cutlass")`.

    Raises:
        UnknownBackEndError: No back end has that name; the message names the nearest.
        PaddleUnavailableError: Paddle cannot be imported.
        NotImplementedError: `quant_config` is not None, and the back end does not support one.
    """
    return _load(_find(name))(quant_config)


def list_moe_methods() -> tuple[Support, ...]:
    """What each back end supports, in the order of `BACK_ENDS`; imports them all.

    Raises:
        PaddleUnavailableError: Paddle cannot be imported.
    """
    return tuple(read_support(name) for name in BACK_ENDS)


def read_support(name: str) -> Support:
    """What one back end supports; raises as `get_moe_method` does."""
    back_end = _find(name)
    method = _load(back_end)
    return Support(
        name=back_end.name,
        class_name=back_end.class_name,
        supports_latent=method.supports_latent,
        dtypes=method.dtypes,
        devices=method.devices,
        missing=method.missing,
        here=method.missing is None and _device() in method.devices,
    )


def _find(name: object) -> BackEnd:
    by_class = {back_end.class_name: back_end for back_end in BACK_ENDS.values()}
    known = BACK_ENDS | by_class
    if not isinstance(name, str):
        raise UnknownBackEndError(f"a back end is named by a string, not by {name!r}; there are {', '.join(BACK_ENDS)}")
    if name in known:
        return known[name]
    folded = {known_name.casefold(): known_name for known_name in known}
    close = difflib.get_close_matches(name.casefold(), folded, n=1)
    hint = f"; did you mean {folded[close[0]]!r}? There are" if close else "; there are"
    raise UnknownBackEndError(f"no back end is named {name!r}{hint} {', '.join(BACK_ENDS)}")


def _load(back_end: BackEnd) -> type[MoEMethodBase]:
    import_paddle()
    module = importlib.import_module(f"fastdeploy_moe.layers.{back_end.module}")
    method: type[MoEMethodBase] = getattr(module, back_end.class_name)
    return method


def _device() -> str:
    """The kind of device that Paddle computes on, such as "cpu"; "gpu:0" is a "gpu"."""
    paddle = importlib.import_module("paddle")
    return str(paddle.device.get_device()).partition(":")[0]
