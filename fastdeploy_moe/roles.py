"""What a layer that is handed to a back end is for: three optional parameters that are all of one type.

Type checkers cannot tell `fc1_latent_proj` from `shared_experts`: both are an optional `nn.Layer`. The annotations below
carry a `Role`. `sigcheck.runtime`, and typeguard where sigcheck is installed, hold it against the role that a layer itself
carries: `sigcheck.runtime.with_role(layer, "fc1_latent_proj")`, or an attribute `__sigcheck_role__` of the layer or its class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import paddle
from paddle import nn


@dataclass(frozen=True, slots=True)
class Role:
    """What a parameter is for; its name is the parameter's name in the base."""

    name: str

    @property
    def __sigcheck_role__(self) -> str:
        return self.name


Fc1LatentProj: TypeAlias = Annotated[nn.Layer, Role("fc1_latent_proj")]
"""Takes the tokens [T, H] to the width of the experts [T, L]."""

Fc2LatentProj: TypeAlias = Annotated[nn.Layer, Role("fc2_latent_proj")]
"""Takes what the experts return [T, L] back to the width of the tokens [T, H]."""

SharedExperts: TypeAlias = Annotated[nn.Layer, Role("shared_experts")]
"""Sees every token, un-projected: [T, H] to [T, H]."""

TopkIdsHook: TypeAlias = Callable[..., None]
"""Called once with the keyword `topk_ids`, [T, K]: the experts that each token goes to. It only looks: what it returns is not used,
and it must not write to them."""

Gate: TypeAlias = Callable[[paddle.Tensor], paddle.Tensor]
"""Takes the tokens, un-projected, [T, H] to the logits of the experts [T, E]; mostly an `nn.Layer`.

On the CPU the tokens come as fp32, and an `nn.Layer` of half precision is widened for the call; a plain function that holds one is not."""
