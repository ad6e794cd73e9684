"""Runs Cutlass on small random layers and holds it against `reference`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import paddle
from paddle import nn

from fastdeploy_moe.layers.moe.moe import FusedMoE
from fastdeploy_moe.reference import Experts, Routing, run_latent_moe
from fastdeploy_moe.registry import get_moe_method

TOLERANCES = {"float32": 3e-6, "bfloat16": 2e-2, "float16": 3e-3}
"""By dtype, of the largest error over the largest |reference|."""

TOKENS, WIDTH, LATENT, INNER, NUM_EXPERTS = 9, 24, 8, 12, 8


@dataclass(frozen=True, slots=True)
class Case:
    """One layer to check. `latent` is "both", "fc1", "fc2" or "none": the projections that are applied."""

    topk_method: str
    activation: str
    dtype: str
    latent: str

    def __str__(self) -> str:
        """In words, for a line of the report."""
        latent = {"both": "both projections", "none": "no projection"}.get(
            self.latent, f"{self.latent}_latent_proj only"
        )
        return f"{self.topk_method}, {self.activation}, {self.dtype}, {latent}"


CASES = tuple(
    Case(topk_method, activation, dtype, latent)
    for dtype, choices in (("float32", ("both", "fc1", "fc2", "none")), ("bfloat16", ("both",)), ("float16", ("both",)))
    for latent in choices
    for topk_method in ("noaux_tc", "softmax")
    for activation in ("swiglu", "relu2")
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a case came to: `error` is the largest error over the largest |reference|, `raised` what it raised instead."""

    case: Case
    error: float
    tolerance: float
    raised: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the error is within the tolerance; one that is not a number is not."""
        return self.error <= self.tolerance


def check(case: Case) -> Outcome:
    """Run one case; the numbers are random, and the same in every run."""
    random = np.random.default_rng(7428)
    enters, leaves = case.latent in ("both", "fc1"), case.latent in ("both", "fc2")
    width = WIDTH if enters else LATENT
    logits = random.normal(size=(TOKENS, NUM_EXPERTS)).astype(np.float32)
    bias = random.normal(size=NUM_EXPERTS).astype(np.float32)
    first = 2 * INNER if case.activation == "swiglu" else INNER
    x = _values(random, (TOKENS, width), case.dtype)
    up_gate = _values(random, (NUM_EXPERTS, LATENT, first), case.dtype)
    down = _values(random, (NUM_EXPERTS, INNER, LATENT), case.dtype)
    fc1 = _projection(_values(random, (WIDTH, LATENT), case.dtype)) if enters else None
    fc2 = _projection(_values(random, (LATENT, WIDTH), case.dtype)) if leaves else None

    layer = FusedMoE(
        get_moe_method("cutlass"),
        num_experts=NUM_EXPERTS,
        top_k=3,
        hidden_size=LATENT,
        moe_intermediate_size=INNER,
        topk_method=case.topk_method,
        n_group=4,
        topk_group=2,
        routed_scaling_factor=2.5,
        gate_correction_bias=paddle.to_tensor(bias),
        activation=case.activation,
        weight_dtype=case.dtype,
    )
    layer.load_state_dict({"up_gate_proj_weight": up_gate, "down_proj_weight": down})
    got = _array(layer(x, lambda _: paddle.to_tensor(logits), fc1_latent_proj=fc1, fc2_latent_proj=fc2))

    routing = Routing(
        top_k=3,
        topk_method=case.topk_method,
        n_group=4,
        topk_group=2,
        routed_scaling_factor=2.5,
        gate_correction_bias=bias.astype(np.float64),
    )
    expected = run_latent_moe(
        _array(x),
        logits.astype(np.float64),
        routing,
        Experts(_array(up_gate), _array(down), case.activation),
        fc1=None if fc1 is None else _array(fc1.weight),
        fc2=None if fc2 is None else _array(fc2.weight),
    )
    error = float("inf")
    if got.shape == expected.shape:
        error = float(np.abs(got - expected).max() / np.abs(expected).max())
    return Outcome(case, error, TOLERANCES[case.dtype])


def checks() -> Iterator[Outcome]:
    """The outcomes of all cases, one by one; a case that raises has failed."""
    for case in CASES:
        try:
            yield check(case)
        except Exception as error:  # noqa: BLE001, PERF203  whatever it is, it is this case's outcome
            raised = f"{type(error).__name__}: {' '.join(str(error).split())}"
            yield Outcome(case, float("inf"), TOLERANCES[case.dtype], raised)


def _values(random: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Any:
    """Random numbers as a tensor; scaled so that a matrix keeps the size of what it is applied to."""
    scale = 1.0 if len(shape) == 2 and shape[0] == TOKENS else shape[-2] ** -0.5
    return paddle.to_tensor((random.normal(size=shape) * scale).astype(np.float32)).astype(dtype)


def _projection(weight: Any) -> nn.Layer:
    """A layer that multiplies by a weight, in its dtype."""
    layer = nn.Linear(weight.shape[0], weight.shape[1], bias_attr=False)
    layer.weight = layer.create_parameter(weight.shape, dtype=weight.dtype)
    layer.weight.set_value(weight)
    return layer


def _array(tensor: Any) -> Any:
    """The values of a tensor of any dtype, in float64."""
    return tensor.astype("float32").numpy().astype(np.float64)
