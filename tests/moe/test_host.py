"""Tensors as arrays and arrays as tensors; and that nobody can tell whose products they are, but by their speed."""

from __future__ import annotations

import gc
from typing import Any

import pytest

pytest.importorskip("paddle")

import numpy as np
import paddle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paddle import nn

from fastdeploy_moe.layers.moe import fused_moe_cutlass_backend as backend
from fastdeploy_moe.layers.moe.fused_moe_cutlass_backend import CutlassMoEMethod
from fastdeploy_moe.ops import arrays, experts, precision, routing
from fastdeploy_moe.ops.host import numpy_multiplies, take, tensor_of, view
from tests.moe import reference
from tests.moe.building import TOLERANCE, Case, array, linear, random_case, tensor
from tests.moe.test_numerics import cases


@pytest.fixture(params=["numpy", "paddle"])
def products(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whose products they are, whatever is faster here."""
    for module in (arrays, experts, precision):
        monkeypatch.setattr(module, "numpy_multiplies", lambda: request.param == "numpy")
    return str(request.param)


def error_of(case: Case, layer: Any = None, **arguments: Any) -> float:
    out, ids = case.run(layer, **arguments)
    expected = reference.forward(case.model, case.x, ids)
    return float(np.abs(out - expected).max() / np.abs(expected).max())


def layouts() -> dict[str, Any]:
    """Tensors whose values are not in one piece, or not at the beginning of their memory."""
    return {
        "whole": paddle.rand([4, 6]),
        "transposed": paddle.rand([6, 4]).transpose([1, 0]),
        "every other column": paddle.rand([4, 12])[:, ::2],
        "expanded": paddle.rand([1, 6]).expand([4, 6]),
        "one of many": paddle.rand([3, 4, 6])[2],
        "parameter": paddle.create_parameter([4, 6], "float32"),
        "float16": paddle.rand([4, 6]).cast("float16"),
        "int64": paddle.arange(24).reshape([4, 6]),
        "none": paddle.zeros([0, 6]),
    }


@pytest.mark.parametrize("layout", layouts())
def test_a_view_has_the_values_of_the_tensor(layout: str) -> None:
    made = layouts()[layout]
    seen = view(made)
    assert str(made.dtype) == f"paddle.{seen.dtype}"
    np.testing.assert_array_equal(seen, made.numpy())


def test_a_view_copies_nothing_and_cannot_be_written_to() -> None:
    weight = paddle.create_parameter([2, 2], "float32")
    seen = view(weight)
    assert np.shares_memory(seen, view(weight))
    with pytest.raises(ValueError, match="read-only"):
        seen[0, 0] = 1


def test_a_view_and_a_tensor_outlive_what_they_were_made_of() -> None:
    seen = view(paddle.full([1000], 3.0))
    made = tensor_of(np.full(1000, 5, dtype=np.int64), paddle.zeros([1]).place)
    gc.collect()
    paddle.full([1000], 7.0)
    np.full(1000, 9)
    assert (seen == 3).all()
    assert (made.numpy() == 5).all()


@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
def test_an_array_becomes_a_tensor(dtype: str) -> None:
    values = np.arange(6, dtype=dtype).reshape(2, 3).T
    made = tensor_of(values, paddle.zeros([1]).place)
    assert str(made.dtype) == f"paddle.{dtype}"
    assert made.place.is_cpu_place()
    assert made.stop_gradient
    np.testing.assert_array_equal(made.numpy(), values)


def test_rows_are_taken_where_the_tensor_is() -> None:
    x = paddle.rand([3, 2])
    np.testing.assert_array_equal(take(x, np.array([2, 0, 2])).numpy(), x.numpy()[[2, 0, 2]])


def test_the_version_of_numpy_decides_who_multiplies() -> None:
    assert numpy_multiplies() == (not np.__version__.startswith("1."))


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize(("topk_method", "activation"), [("noaux_tc", "relu2"), ("softmax", "swiglu")])
@pytest.mark.parametrize("tokens", [1, 70])
def test_each_computes_every_layer(tokens: int, topk_method: str, activation: str, dtype: str) -> None:
    for biases in (True, False):
        case = random_case(
            tokens, tokens=tokens, width=40, latent=24, inner=32, dtype=dtype, topk_method=topk_method,
            activation=activation, biases=biases,
        )  # fmt: skip
        assert error_of(case) <= TOLERANCE[dtype]


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_token_alone_is_as_among_others(dtype: str) -> None:
    case = random_case(8, tokens=9, width=40, latent=24, inner=32, dtype=dtype, biases=True)
    together, ids = case.run()
    for index, row in enumerate(case.x):
        alone, chosen = Case(case.model, row[None], dtype).run()
        np.testing.assert_array_equal(chosen[0], ids[index])
        assert np.abs(alone[0] - together[index]).max() <= TOLERANCE[dtype] * np.abs(together).max()


@given(
    st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 4]), st.sampled_from(["noaux_tc", "softmax"]), st.integers(1, 6)
)
@settings(deadline=None, max_examples=100)
def test_a_token_alone_is_routed_as_among_others(seed: int, groups: int, method: str, top_k: int) -> None:
    """Exactly, where nearly everything is a tie, and the scores are zeros of both signs."""
    random = np.random.default_rng(seed)
    logits = random.choice([-1.0, -0.0, 0.0, 0.5], size=(8, 24)).astype(np.float32)
    correction = random.choice([-0.5, -0.0, 0.0, 0.25], size=24).astype(np.float32)

    def choose(values: Any) -> tuple[Any, Any]:
        if method == "softmax":
            return routing.choose_softmax(values, correction, top_k, apply_norm_weight=True)
        weights, ids = routing.choose_noaux_tc(values, groups, max(1, groups // 2), top_k, 2.5, correction, True)
        return ids, weights

    ids, weights = choose(logits)
    for index in range(len(logits)):
        alone, with_weights = choose(logits[index : index + 1])
        np.testing.assert_array_equal(alone[0], ids[index])
        np.testing.assert_array_equal(with_weights[0], weights[index])


@given(cases())
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_in_one_piece_it_is_as_operator_by_operator(case: Case) -> None:
    """Bit for bit; and the hook, which changes the ids, is heard by both."""

    def run() -> Any:
        def hook(*, topk_ids: Any) -> None:
            kinds.append(topk_ids.dtype)
            topk_ids.set_value(topk_ids.flip([1]))

        layer = case.layer()
        x = tensor(case.x, case.dtype)
        return array(CutlassMoEMethod().apply_tp(layer, x, gate, topk_ids_hookfunc=hook, **projections))

    kinds: list[Any] = []
    gate, projections = case.gate(), case.projections()
    with pytest.MonkeyPatch.context() as patch:
        for module in (arrays, experts, precision):
            patch.setattr(module, "numpy_multiplies", lambda: True)
        in_one_piece = run()
        patch.setattr(arrays, "are_enough", lambda *_: False)
        np.testing.assert_array_equal(in_one_piece, run())
    assert kinds[0] == kinds[1]


def test_whoever_replaces_a_step_is_called() -> None:
    """A subclass's or an instance's `compute_ffn`; for the names of the module there is the test of the seed."""

    class Tripled(CutlassMoEMethod):
        def compute_ffn(self, *arguments: Any, **keywords: Any) -> Any:
            return super().compute_ffn(*arguments, **keywords) * 3

    case = random_case(2, projections="none")
    expected, _ = case.run()
    own = CutlassMoEMethod()
    compute = own.compute_ffn
    own.compute_ffn = lambda *arguments: compute(*arguments) * 3  # type: ignore[method-assign]
    for method in (Tripled(), own):
        out = method.apply_tp(case.layer(), tensor(case.x), case.gate())
        np.testing.assert_allclose(array(out), expected * 3, rtol=1e-6)
    own = CutlassMoEMethod()
    own.moe_quant_type = "w4a8"
    with pytest.raises(NotImplementedError, match="moe_quant_type='w4a8'"):
        own.apply_tp(case.layer(), tensor(case.x), case.gate())


@pytest.mark.parametrize(
    "name", ["get_moe_scores", "moe_topk_select", "moe_expert_dispatch", "moe_expert_ffn", "moe_expert_reduce"]
)
def test_an_operator_that_is_replaced_is_called(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case(2, topk_method="softmax" if name == "moe_topk_select" else "noaux_tc")
    called = []
    operator = getattr(backend, name)

    def replaced(*arguments: Any, **keywords: Any) -> Any:
        called.append(name)
        return operator(*arguments, **keywords)

    monkeypatch.setattr(backend, name, replaced)
    assert error_of(case) <= TOLERANCE["float32"]
    assert called == [name]


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_weights_are_read_at_each_call(dtype: str) -> None:
    """Whether they are written to or replaced: those of the layer, and those of the projections."""
    case, other = (random_case(seed, tokens=3, dtype=dtype, biases=True) for seed in (1, 2))
    other = Case(other.model, case.x, dtype)
    layer, projections = case.layer(), case.projections()
    assert error_of(case, layer, **projections) <= TOLERANCE[dtype]
    for name in ("up_gate_proj_weight", "down_proj_weight", "up_gate_proj_bias"):
        getattr(layer, name).set_value(getattr(other.layer(), name))
    layer.down_proj_bias, layer.gate_correction_bias = other.layer().down_proj_bias, other.layer().gate_correction_bias
    for name, projection in projections.items():
        projection.weight.set_value(other.projections()[name].weight)
        projection.bias = other.projections()[name].bias
    assert error_of(other, layer, **projections) <= TOLERANCE[dtype]


@pytest.mark.usefixtures("products")
def test_weights_need_not_be_in_one_piece() -> None:
    case = random_case(4)
    layer = case.layer()
    for name in ("up_gate_proj_weight", "down_proj_weight"):
        turned = paddle.to_tensor(np.ascontiguousarray(np.swapaxes(getattr(layer, name).numpy(), 1, 2)))
        setattr(layer, name, turned.transpose([0, 2, 1]))
        assert not getattr(layer, name).is_contiguous()
    assert error_of(case, layer) <= TOLERANCE["float32"]


@pytest.mark.usefixtures("products")
def test_what_is_not_finite_passes_through_without_a_warning() -> None:
    case = random_case(4, tokens=3, projections="none")
    x = case.x.copy()
    x[1] = 1e30
    assert not np.isfinite(Case(case.model, x, "float32").run()[0][1]).all()


class Doubled(nn.Linear):
    """Not what its base computes."""

    def forward(self, input: Any) -> Any:  # noqa: A002  Paddle's name
        return super().forward(input) * 2


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_linear_layer_that_is_more_than_that_is_called(dtype: str) -> None:
    random = np.random.default_rng(0)
    weight = np.round(random.standard_normal((5, 3)) * 8) / 8
    x = tensor(np.round(random.standard_normal((2, 5)) * 8) / 8, dtype)
    product = array(x) @ weight

    def run(module: Any) -> Any:
        return array(precision.call_widened(module, x))

    plain = linear(weight, np.ones(3), dtype=dtype)
    np.testing.assert_allclose(run(plain), product + 1, rtol=1e-6)
    before = linear(weight, dtype=dtype)
    before.register_forward_pre_hook(lambda _, given: given[0] * 2)
    after = linear(weight, dtype=dtype)
    after.register_forward_post_hook(lambda _, __, out: out * 2)
    replaced = linear(weight, dtype=dtype)
    forward = replaced.forward
    replaced.forward = lambda given: forward(given) * 2
    subclass = Doubled(5, 3, bias_attr=False)
    subclass.weight.set_value(weight.astype(np.float32))
    for module in (before, after, replaced, subclass.to(dtype=dtype)):
        np.testing.assert_allclose(run(module), product * 2, rtol=1e-6)


@pytest.mark.usefixtures("products")
def test_a_width_that_a_linear_layer_cannot_read_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\b5\b"):
        precision.call_widened(linear(np.ones((5, 3))), tensor(np.ones((2, 4))))
