"""What a layer may be configured to, and what each refusal names. Needs no Paddle, but for the last tests."""

from __future__ import annotations

import dataclasses
import re
from types import SimpleNamespace
from typing import Any

import pytest

from fastdeploy_moe.configuration import Array, MoEConfiguration


def layer(**changes: Any) -> Any:
    """Return a layer of 8 experts; its tensors are shapes and dtypes only."""
    attributes: dict[str, Any] = {
        "num_experts": 8,
        "top_k": 2,
        "hidden_size": 16,
        "moe_intermediate_size": 12,
        "topk_method": "noaux_tc",
        "n_group": 4,
        "topk_group": 2,
        "routed_scaling_factor": 2.5,
        "gate_correction_bias": array(8),
        "up_gate_proj_weight": array(8, 16, 24),
        "down_proj_weight": array(8, 12, 16),
    }
    return SimpleNamespace(**(attributes | changes))


def array(*shape: int, dtype: str = "paddle.float32") -> Any:
    return SimpleNamespace(shape=list(shape), dtype=dtype)


def test_a_layer_is_read() -> None:
    configuration = MoEConfiguration.from_layer(layer())
    assert configuration == MoEConfiguration(
        num_experts=8,
        top_k=2,
        hidden_size=16,
        moe_intermediate_size=12,
        topk_method="noaux_tc",
        n_group=4,
        topk_group=2,
        routed_scaling_factor=2.5,
        gate_correction_bias=Array((8,), "float32"),
        up_gate_proj_weight=Array((8, 16, 24), "float32"),
        down_proj_weight=Array((8, 12, 16), "float32"),
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        configuration.top_k = 3  # type: ignore[misc]


def test_equal_layers_are_checked_once() -> None:
    assert MoEConfiguration.from_layer(layer()) is MoEConfiguration.from_layer(layer())


def test_a_change_of_the_layer_is_seen() -> None:
    changing = layer()
    MoEConfiguration.from_layer(changing)
    changing.top_k = 9
    with pytest.raises(ValueError, match="top_k"):
        MoEConfiguration.from_layer(changing)


def test_sizes_are_those_of_the_weights_where_the_layer_has_none() -> None:
    configuration = MoEConfiguration.from_layer(layer(hidden_size=None, moe_intermediate_size=None))
    assert (configuration.hidden_size, configuration.moe_intermediate_size) == (16, 12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_experts": None}, "num_experts is missing"),
        ({"top_k": 0}, "top_k is 0"),
        ({"top_k": 9}, "top_k is 9, of num_experts = 8"),
        ({"top_k": 2.0}, "top_k is 2.0; it must be a whole number from 1 on"),
        ({"top_k": "2"}, "top_k is '2'; it must be a whole number from 1 on"),
        ({"top_k": [2]}, "top_k is [2]; it must be a single value"),
        ({"n_group": "4"}, "n_group is '4'; it must be a whole number from 1 on"),
        ({"topk_group": 0}, "topk_group is 0; it must be a whole number from 1 on"),
        ({"tp_size": 2, "tp_rank": 0.5}, "tp_rank is 0.5"),
        ({"routed_scaling_factor": "2"}, "routed_scaling_factor is '2'; it must be a finite number"),
        ({"routed_scaling_factor": float("nan")}, "routed_scaling_factor is nan; it must be a finite number"),
        ({"gate_correction_bias": [0.0] * 8}, "gate_correction_bias is a list; it must be a tensor of Paddle"),
        (
            {"gate_correction_bias": array(8, dtype="float32")},
            "gate_correction_bias is of float32, which is no dtype of Paddle",
        ),
        ({"n_group": 3, "topk_group": 1}, "n_group is 3, which does not divide num_experts = 8"),
        ({"topk_group": 5}, "topk_group is 5, of n_group = 4"),
        ({"topk_group": 0}, "topk_group is 0"),
        (
            {"top_k": 5},
            "topk_group is 2: 4 experts can be reached in so many of n_group = 4 groups of 2, and top_k is 5",
        ),
        ({"activation": "gelu"}, "activation is 'gelu'; known are swiglu, relu2"),
        ({"topk_method": "noaux"}, "topk_method is 'noaux'; known are 'noaux_tc', 'greedy', 'softmax', ''"),
        ({"up_gate_proj_weight": array(8, 16, 12)}, "up_gate_proj_weight has the shape [8, 16, 12], not [8, 16, 24]"),
        ({"activation": "relu2"}, "up_gate_proj_weight has the shape [8, 16, 24], not [8, 16, 12]"),
        ({"down_proj_weight": array(8, 16, 12)}, "down_proj_weight has the shape [8, 16, 12], not [8, 12, 16]"),
        ({"hidden_size": 32}, "up_gate_proj_weight has the shape"),
        ({"up_gate_proj_bias": array(8, 12)}, "up_gate_proj_bias has the shape [8, 12], not [8, 24]"),
        ({"down_proj_bias": array(8, 12)}, "down_proj_bias has the shape [8, 12], not [8, 16]"),
        ({"up_gate_proj_weight": array(8, 16, 24, dtype="paddle.int8")}, "up_gate_proj_weight is int8"),
        (
            {"up_gate_proj_weight": array(8, 16, 24, dtype="paddle.bfloat16")},
            "down_proj_weight is float32, but up_gate_proj_weight is bfloat16",
        ),
        ({"gate_correction_bias": array(7)}, "gate_correction_bias has the shape [7]"),
        ({"gate_correction_bias": array(8, dtype="paddle.bfloat16")}, "gate_correction_bias is bfloat16, not float32"),
        ({"tp_size": 0}, "tp_size is 0"),
        ({"tp_size": 2, "tp_rank": 2}, "tp_rank is 2"),
        ({"tp_size": 2, "down_proj_bias": array(8, 16)}, "tp_rank is missing"),
    ],
)
def test_a_refusal_begins_with_the_field(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        MoEConfiguration.from_layer(layer(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"gate_correction_bias": array(1, 8)},
        {"gate_correction_bias": None},
        {"n_group": None, "topk_group": None},
        {"n_group": 0},
        {"n_group": -1, "topk_group": -1, "top_k": 8},
        {"topk_method": None},
        {"activation": "relu2", "up_gate_proj_weight": array(8, 16, 12), "up_gate_proj_bias": array(8, 12)},
        {"up_gate_proj_weight": None, "down_proj_weight": None},
        {"tp_size": 2},
        {"tp_size": 2, "tp_rank": 1, "down_proj_bias": array(8, 16)},
        {"top_k": 4},
        {"n_group": 8, "topk_group": 2},
    ],
)
def test_what_is_allowed(changes: dict[str, Any]) -> None:
    MoEConfiguration.from_layer(layer(**changes))


def test_a_gate_of_another_width_is_refused() -> None:
    configuration = MoEConfiguration.from_layer(layer())
    configuration.check_logits((3, 8), 3)
    with pytest.raises(ValueError, match=re.escape("gate gives logits of shape [3, 7], not [3, 8]: [T, num_experts]")):
        configuration.check_logits((3, 7), 3)


def test_a_width_that_the_experts_cannot_read_is_refused() -> None:
    pytest.importorskip("paddle")
    from fastdeploy_moe.layers.moe.fused_moe_cutlass_backend import CutlassMoEMethod
    from tests.moe.building import linear, random_case, tensor

    case = random_case(0, width=16, latent=8)
    with pytest.raises(
        ValueError, match=r"^fc1_latent_proj gives rows of width 5, but the experts read layer\.hidden_size = 8"
    ):
        case.run(fc1_latent_proj=linear(case.x[:, :5].repeat(3, axis=0)[:16]))
    with pytest.raises(ValueError, match=r"^gate gives logits of shape \[7, 9\], not \[7, 8\]"):
        CutlassMoEMethod().apply_tp(case.layer(), tensor(case.x), lambda x: x[:, :9], **case.projections())
    with pytest.raises(ValueError, match=r"^x has rows of width 16, .*: is fc1_latent_proj missing"):
        case.run(fc1_latent_proj=None)
    with pytest.raises(ValueError, match=r"^x has the shape"):
        type(case)(case.model, case.x[None], "float32").run()
    method = CutlassMoEMethod()
    with pytest.raises(ValueError, match=r"^x is .*float64; it must be"):
        method.apply_tp(case.layer(), tensor(case.x).cast("float64"), case.gate())
    with pytest.raises(ValueError, match=r"^up_gate_proj_weight is missing: call create_weights"):
        case.run(case.layer(up_gate_proj_weight=None))


ROLES = ["gate", "fc1_latent_proj", "fc2_latent_proj", "shared_experts"]


@pytest.mark.parametrize(
    ("gives", "message"),
    [
        (lambda out: None, "gives NoneType, not a tensor"),
        (lambda out: (out, None), "gives tuple, not a tensor"),
        (lambda out: out[:1], r"gives the shape \[1, \d+\], not \[7, width\]: one row for each token"),
        (lambda out: out[:-1], r"gives the shape \[6, \d+\], not \[7, width\]"),
        (lambda out: out.tile([2, 1]), r"gives the shape \[14, \d+\], not \[7, width\]"),
        (lambda out: out.unsqueeze(1), r"gives the shape \[7, 1, \d+\], not \[7, width\]"),
        (lambda out: out.cast("int32"), r"gives .*int32; it must be float32, bfloat16 or float16"),
    ],
)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("method", ["noaux_tc", "softmax"])
def test_what_a_module_must_give_for_each_token(role: str, gives: Any, message: str, method: str) -> None:
    """Paddle 2.6 gathers rows that are not there from whatever is behind them in memory."""
    run, modules = _modules(method)
    honest = modules[role]
    modules[role] = lambda x: gives(honest(x))
    with pytest.raises(ValueError, match=f"^{role} {message}"):
        run()


@pytest.mark.parametrize("role", ROLES)
def test_a_module_may_give_float64(role: str) -> None:
    run, modules = _modules("noaux_tc")
    honest = modules[role]

    def giving(dtype: str) -> Any:
        # A function both times: a plain `nn.Linear` is computed by NumPy, which may round otherwise than Paddle.
        modules[role] = lambda x: honest(x).cast(dtype)
        return run()

    expected = giving("float32")
    assert (giving("float64") == expected).all()


def test_shared_experts_of_another_width_are_refused() -> None:
    """A width of 1 would be added to every column."""
    run, modules = _modules("noaux_tc")
    modules["shared_experts"] = lambda x: x[:, :1]
    with pytest.raises(ValueError, match=r"^shared_experts gives rows of width 1, but the routed experts' have 16$"):
        run()


def _modules(method: str) -> tuple[Any, dict[str, Any]]:
    """Return what runs `apply` with the modules of a dictionary, by role; and that dictionary."""
    pytest.importorskip("paddle")
    from fastdeploy_moe.layers.moe.fused_moe_cutlass_backend import CutlassMoEMethod
    from tests.moe.building import array, random_case, tensor

    case = random_case(0, topk_method=method)
    modules = {"gate": case.gate(), "shared_experts": lambda x: x * 2, **case.projections()}

    def run() -> Any:
        out = CutlassMoEMethod().apply(case.layer(), tensor(case.x), **modules)
        assert out.stop_gradient
        return array(out)

    return run, modules


def test_tokens_that_are_no_tensor_are_refused() -> None:
    pytest.importorskip("paddle")
    from fastdeploy_moe.layers.moe.fused_moe_cutlass_backend import CutlassMoEMethod
    from tests.moe.building import random_case

    case = random_case(0)
    with pytest.raises(ValueError, match=r"^x is a ndarray, not a tensor$"):
        CutlassMoEMethod().apply(case.layer(), case.x, case.gate())
