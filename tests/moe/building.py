"""Layers, gates and projections of Paddle, out of a reference's model; and the numbers of a random one.

Imports Paddle: a test module asks for it with `pytest.importorskip` first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import paddle

from fastdeploy_moe.layers.moe.fused_moe_cutlass_backend import CutlassMoEMethod
from tests.moe.reference import Model

TOLERANCE = {"float32": 3e-6, "bfloat16": 2e-2, "float16": 3e-3}
"""The error that is allowed, over the largest absolute value of the reference."""


def representable(values: Any, dtype: str) -> Any:
    """Return the float64 nearest to the values of which that dtype has one."""
    narrow = np.asarray(values, dtype=np.float32)
    if dtype == "float16":
        narrow = narrow.astype(np.float16)
    if dtype == "bfloat16":
        narrow = (narrow.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    return narrow.astype(np.float64)


def tensor(values: Any, dtype: str = "float32") -> Any:
    """Return a tensor of values that the dtype can represent."""
    return paddle.to_tensor(np.asarray(values, dtype=np.float32)).cast(dtype)


def array(given: Any) -> Any:
    """Return a tensor of any dtype as float64."""
    return given.cast("float32").numpy().astype(np.float64)


def linear(weight: Any, bias: Any = None, dtype: str = "float32") -> Any:
    """Return an `nn.Linear` with that weight, `[in, out]`, and bias."""
    made = paddle.nn.Linear(*weight.shape, bias_attr=None if bias is not None else False)
    made.weight.set_value(weight.astype(np.float32))
    if bias is not None:
        made.bias.set_value(bias.astype(np.float32))
    return made.to(dtype=dtype)


@dataclass(frozen=True)
class Case:
    """A model, tokens, and what Paddle needs to compute them."""

    model: Model
    x: Any
    dtype: str

    def layer(self, **changes: Any) -> Any:
        """Return an object with a FastDeploy layer's attributes."""
        model = self.model
        experts, width, _ = model.up_gate.shape
        attributes: dict[str, Any] = {
            "num_experts": experts,
            "top_k": model.top_k,
            "hidden_size": width,
            "moe_intermediate_size": model.down.shape[1],
            "n_group": model.n_group,
            "topk_group": model.topk_group,
            "routed_scaling_factor": model.scale,
            "topk_method": model.topk_method,
            "renormalize": model.renormalize,
            "activation": model.activation,
            "gate_correction_bias": None if model.correction is None else tensor(model.correction),
            "up_gate_proj_weight": tensor(model.up_gate, self.dtype),
            "down_proj_weight": tensor(model.down, self.dtype),
            "up_gate_proj_bias": None if model.up_gate_bias is None else tensor(model.up_gate_bias, self.dtype),
            "down_proj_bias": None if model.down_bias is None else tensor(model.down_bias, self.dtype),
        }
        return SimpleNamespace(**(attributes | changes))

    def gate(self) -> Any:
        return linear(self.model.gate, dtype=self.dtype)

    def projections(self) -> dict[str, Any]:
        """Return the keywords `fc1_latent_proj` and `fc2_latent_proj`."""
        return {
            f"{name}_latent_proj": None if pair is None else linear(*pair, dtype=self.dtype)
            for name, pair in (("fc1", self.model.fc1), ("fc2", self.model.fc2))
        }

    def run(self, layer: Any = None, **arguments: Any) -> tuple[Any, Any]:
        """Return the result, float64 `[T, H]`, and the ids that the hook was given, `[T, K]`."""
        seen: list[Any] = []
        out = CutlassMoEMethod().apply_tp(
            self.layer() if layer is None else layer,
            tensor(self.x, self.dtype),
            self.gate(),
            topk_ids_hookfunc=lambda *, topk_ids: seen.append(topk_ids.numpy()),
            **(self.projections() | arguments),
        )
        assert str(out.dtype) == f"paddle.{self.dtype}"
        (ids,) = seen
        return array(out), ids.astype(np.int64)


def random_case(
    seed: int,
    *,
    tokens: int = 7,
    groups: int = 2,
    group_size: int = 4,
    topk_group: int = 1,
    top_k: int = 3,
    width: int = 16,
    latent: int = 8,
    inner: int = 12,
    topk_method: str = "noaux_tc",
    activation: str = "swiglu",
    dtype: str = "float32",
    projections: str = "both",
    biases: bool = False,
    skew: str = "none",
    scale: float = 2.5,
    renormalize: bool = True,
) -> Case:
    """Return a case of random numbers.

    `projections` is "both", "fc1", "fc2" or "none": a width that no projection changes is `latent`. `skew` sends all tokens to
    one expert ("one"; the K - 1 others stay free) or none to the experts of the upper half of each group ("empty").
    """
    random = np.random.default_rng(seed)
    experts = groups * group_size

    def draw(*shape: int, fan: int = 1) -> Any:
        return representable(random.standard_normal(shape) / np.sqrt(fan), dtype)

    has_fc1, has_fc2 = projections in ("both", "fc1"), projections in ("both", "fc2")
    tokens_width = width if has_fc1 else latent
    correction = random.standard_normal(experts).astype(np.float32).astype(np.float64) * 0.25
    if skew == "one":
        correction[random.integers(experts)] += 16
    elif skew == "empty":
        correction[np.arange(experts) % group_size >= (group_size + 1) // 2] -= 16
    first = 2 * inner if activation == "swiglu" else inner
    model = Model(
        gate=draw(tokens_width, experts, fan=tokens_width),
        up_gate=draw(experts, latent, first, fan=latent),
        down=draw(experts, inner, latent, fan=inner),
        top_k=top_k,
        topk_method=topk_method,
        activation=activation,
        correction=representable(correction, "float32"),
        n_group=groups,
        topk_group=topk_group,
        scale=scale,
        renormalize=renormalize,
        up_gate_bias=draw(experts, first) if biases else None,
        down_bias=draw(experts, latent) if biases else None,
        fc1=(draw(width, latent, fan=width), draw(latent) * float(biases)) if has_fc1 else None,
        fc2=(draw(latent, width, fan=latent), draw(width) * float(biases)) if has_fc2 else None,
    )
    return Case(model, draw(tokens, tokens_width), dtype)


def with_model(case: Case, **changes: Any) -> Case:
    """Return the case with another model."""
    return replace(case, model=replace(case.model, **changes))
