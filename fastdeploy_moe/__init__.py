"""FastDeploy's family of mixture-of-experts back ends on Paddle, with latent projections that are applied or refused.

    import paddle
    from fastdeploy_moe import FusedMoE, get_moe_method

    moe = FusedMoE(get_moe_method("cutlass"), num_experts=8, top_k=2, hidden_size=16, moe_intermediate_size=32)
    moe.load_state_dict({"up_gate_proj_weight": up_gate, "down_proj_weight": down})   # [8, 16, 64] and [8, 32, 16]
    out = moe(x, gate, fc1_latent_proj=fc1, fc2_latent_proj=fc2)                      # [T, H] to [T, H]

`get_moe_method` makes a back end by name; `list_moe_methods` says what each supports. `MoEMethodBase` is what they have in
common, and what a back end of your own derives from. Whoever has FastDeploy's layer object can hand it to
`CutlassMoEMethod.apply` as it is: the attributes that are read have upstream's names.

Cutlass computes, on every way of routing, with both, one or none of the projections. Every other back end takes weights and
raises `NotImplementedError` with what is missing. A projection that a back end does not support is refused before anything
is computed.

Importing this package does not import Paddle; the first use of a name that needs it does. `python -m fastdeploy_moe` says
what is installed, and holds Cutlass against NumPy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from fastdeploy_moe.errors import FastdeployMoeError, PaddleUnavailableError, UnknownBackEndError
from fastdeploy_moe.installation import import_paddle
from fastdeploy_moe.registry import Support, get_moe_method, list_moe_methods

if TYPE_CHECKING:
    from fastdeploy_moe.layers.moe.fused_moe_backend_base import MoEMethodBase
    from fastdeploy_moe.layers.moe.fused_moe_cutlass_backend import CutlassMoEMethod
    from fastdeploy_moe.layers.moe.moe import FusedMoE
    from fastdeploy_moe.roles import Role

_NEEDS_PADDLE = {
    "CutlassMoEMethod": "fastdeploy_moe.layers.moe.fused_moe_cutlass_backend",
    "FusedMoE": "fastdeploy_moe.layers.moe.moe",
    "MoEMethodBase": "fastdeploy_moe.layers.moe.fused_moe_backend_base",
    "Role": "fastdeploy_moe.roles",
}

__all__ = [
    "CutlassMoEMethod",
    "FastdeployMoeError",
    "FusedMoE",
    "MoEMethodBase",
    "PaddleUnavailableError",
    "Role",
    "Support",
    "UnknownBackEndError",
    "get_moe_method",
    "list_moe_methods",
]


def __getattr__(name: str) -> object:
    """Import what needs Paddle when it is first used."""
    home = _NEEDS_PADDLE.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_paddle()
    value: object = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
