"""Cutlass against the float64 reference, over everything a layer can be."""

from __future__ import annotations

import threading
from typing import Any

import pytest

pytest.importorskip("paddle")

import numpy as np
import paddle
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fastdeploy_moe import ops
from fastdeploy_moe.layers.moe import fused_moe_cutlass_backend as backend
from fastdeploy_moe.ops import routing
from fastdeploy_moe.ops.precision import call_widened, round_to
from tests.moe import reference
from tests.moe.building import TOLERANCE, Case, array, linear, random_case, tensor, with_model

SETTINGS = settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])


def error_of(case: Case) -> float:
    """Return the error over the largest |reference|, after checking shapes and ids."""
    out, ids = case.run()
    assert not reference.wrong_tokens(case.model, case.x @ case.model.gate, ids)
    expected = reference.forward(case.model, case.x, ids)
    assert out.shape == expected.shape
    if expected.size == 0:
        return 0.0
    return float(np.abs(out - expected).max() / max(np.abs(expected).max(), 1e-30))


@st.composite
def cases(draw: Any) -> Case:
    groups = draw(st.sampled_from([1, 2, 3, 4]))
    group_size = draw(st.integers(1, 6))
    topk_group = draw(st.integers(1, groups))
    return random_case(
        draw(st.integers(0, 2**32 - 1)),
        tokens=draw(st.sampled_from([0, 1, 2, 3, 17])),
        groups=groups,
        group_size=group_size,
        topk_group=topk_group,
        top_k=draw(st.integers(1, min(topk_group * group_size, 6))),
        width=draw(st.integers(8, 40)),
        latent=draw(st.integers(8, 24)),
        inner=draw(
            st.integers(16, 40)
        ),  # of fewer all could be near zero, and then no tolerance over the largest holds
        topk_method=draw(st.sampled_from(["noaux_tc", "softmax", "greedy", ""])),
        activation=draw(st.sampled_from(["swiglu", "relu2"])),
        dtype=draw(st.sampled_from(["float32", "bfloat16", "float16"])),
        projections=draw(st.sampled_from(["both", "fc1", "fc2", "none"])),
        biases=draw(st.booleans()),
        skew=draw(st.sampled_from(["none", "one", "empty"])),
        scale=draw(st.sampled_from([1.0, 2.5])),
        renormalize=draw(st.booleans()),
    )


@SETTINGS
@given(cases())
def test_every_layer_is_as_the_reference(case: Case) -> None:
    assert error_of(case) <= TOLERANCE[case.dtype]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize(("topk_method", "activation"), [("noaux_tc", "relu2"), ("softmax", "swiglu")])
@pytest.mark.parametrize("tokens", [0, 1, 1024])
def test_tokens(tokens: int, topk_method: str, activation: str, dtype: str) -> None:
    case = random_case(
        tokens, tokens=tokens, groups=4, group_size=8, topk_group=2, top_k=6, width=64, latent=32, inner=48, dtype=dtype,
        topk_method=topk_method, activation=activation, biases=True,
    )  # fmt: skip
    assert error_of(case) <= TOLERANCE[dtype]


@pytest.mark.parametrize("topk_method", ["noaux_tc", "softmax"])
def test_five_hundred_experts(topk_method: str) -> None:
    """As many as Nemotron's largest has; more than a byte numbers."""
    case = random_case(
        9, tokens=33, groups=1, group_size=512, top_k=22, latent=8, inner=4, activation="relu2", topk_method=topk_method
    )
    assert error_of(case) <= TOLERANCE["float32"]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("activation", ["swiglu", "relu2"])
@pytest.mark.parametrize(("latent", "inner"), [(1, 1), (1, 5), (3, 2)])
def test_small_widths(latent: int, inner: int, activation: str, dtype: str) -> None:
    case = random_case(6, tokens=64, latent=latent, inner=inner, activation=activation, dtype=dtype, biases=True)
    assert error_of(case) <= TOLERANCE[dtype]


@pytest.mark.parametrize("topk_method", ["noaux_tc", "softmax"])
@pytest.mark.parametrize("skew", ["one", "empty"])
def test_all_tokens_to_one_expert_and_experts_without_tokens(skew: str, topk_method: str) -> None:
    case = random_case(5, tokens=64, skew=skew, topk_method=topk_method, topk_group=2, top_k=1)
    _, ids = case.run()
    assert len(set(ids[:, 0].tolist())) == 1 if skew == "one" else (ids % 4 < 2).all()
    assert error_of(case) <= TOLERANCE["float32"]


@pytest.mark.parametrize("method", ["noaux_tc", "softmax"])
@pytest.mark.parametrize("tokens", [1, 1024])
def test_weights(tokens: int, method: str) -> None:
    case = random_case(11, tokens=tokens, groups=4, group_size=8, topk_group=3, top_k=6, topk_method=method)
    model = case.model
    logits = np.random.default_rng(1).normal(scale=4, size=(tokens, 32)).astype(np.float32)
    correction = tensor(model.correction)
    if method == "noaux_tc":
        scores, weights, ids = ops.get_moe_scores(tensor(logits), 4, 3, 6, model.scale, correction, True)
        assert ids.dtype == paddle.int32
        np.testing.assert_array_equal(
            np.take_along_axis(scores.numpy(), ids.numpy().astype(np.int64), 1), weights.numpy()
        )
        assert np.count_nonzero(scores.numpy()) == tokens * 6
    else:
        ids, weights = ops.moe_topk_select(tensor(logits), correction, 6, True)
        assert ids.dtype == paddle.int64
    assert weights.dtype == paddle.float32
    exact = logits.astype(np.float64)
    chosen = ids.numpy().astype(np.int64)
    assert not reference.wrong_tokens(model, exact, chosen)
    np.testing.assert_allclose(weights.numpy(), reference.weigh(model, exact, chosen), rtol=1e-5)


def test_a_sigmoid_of_large_logits_neither_overflows_nor_loses_small_values() -> None:
    logits = np.array([[-100.0, -80.0, -1e30, 80.0]], dtype=np.float32)
    _, weights, ids = ops.get_moe_scores(tensor(logits), 1, 1, 4, 1.0, None, False)
    assert ids.numpy().tolist() == [[3, 1, 0, 2]]
    np.testing.assert_allclose(weights.numpy()[0], [1.0, np.exp(-80.0), np.exp(-100.0), 0.0], rtol=1e-5, atol=2e-45)


def test_no_groups_may_be_said_in_any_way() -> None:
    case = random_case(3, groups=1, group_size=8, topk_group=1)
    expected, _ = case.run()
    for n_group, topk_group in ((0, 0), (-1, -1), (None, None), (1, 1)):
        out, _ = case.run(case.layer(n_group=n_group, topk_group=topk_group))
        np.testing.assert_array_equal(out, expected)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 4]), st.sampled_from(["noaux_tc", "softmax"]), st.booleans())
@settings(deadline=None, max_examples=60)
def test_ties_go_to_the_lowest_id(seed: int, groups: int, method: str, negative: bool) -> None:
    """Few distinct logits: nearly everything is a tie, exactly."""
    random = np.random.default_rng(seed)
    logits = random.choice([-1.0, 0.0, 0.5], size=(16, 24)).astype(np.float32)
    correction = np.full(24, -2.0 if negative else 0.0)
    model = with_model(
        random_case(
            0, groups=groups, group_size=24 // groups, topk_group=max(1, groups // 2), top_k=5, topk_method=method
        ),
        correction=correction,
    ).model
    if method == "noaux_tc":
        ids = ops.get_moe_scores(tensor(logits), groups, model.topk_group, 5, 1.0, tensor(correction), True)[2]
    else:
        ids = ops.moe_topk_select(tensor(logits), tensor(correction), 5, True)[0]
    np.testing.assert_array_equal(ids.numpy(), reference.choose(model, logits.astype(np.float64)))


def test_experts_that_score_nothing_get_no_weight() -> None:
    """0 / (0 + 1e-20) is 0, and not a NaN."""
    _, weights, ids = ops.get_moe_scores(tensor([[-1e30] * 4]), 1, 1, 2, 2.5, None, True)
    assert ids.numpy().tolist() == [[0, 1]]
    assert weights.numpy().tolist() == [[0.0, 0.0]]


def test_a_softmax_is_normalised_without_an_epsilon() -> None:
    """The two that the bias chooses share all of the weight, however little they have of the probability."""
    logits, bias = tensor([[0.0, -69.0, -69.0, 0.0]]), tensor([0.0, 1.0, 1.0, 0.0])
    ids, weights = ops.moe_topk_select(logits, bias, 2, True)
    assert ids.numpy().tolist() == [[1, 2]]
    np.testing.assert_allclose(weights.numpy(), [[0.5, 0.5]], rtol=1e-6)
    case = random_case(3, tokens=1, topk_method="softmax", top_k=2, groups=1, projections="none")
    layer = case.layer(num_experts=4, gate_correction_bias=bias)
    out = backend.CutlassMoEMethod().apply_tp(layer, tensor(case.x), lambda _x: logits)
    expected = sum(0.5 * reference.expert(case.model, index, case.x[0]) for index in (1, 2))
    assert np.abs(array(out) - expected).max() <= TOLERANCE["float32"] * np.abs(expected).max()


def test_a_softmax_of_large_logits_does_not_overflow() -> None:
    ids, weights = ops.moe_topk_select(tensor([[1000.0, 999.0, -1000.0]]), None, 2, False)
    assert ids.numpy().tolist() == [[0, 1]]
    np.testing.assert_allclose(weights.numpy(), [[1 / (1 + np.exp(-1.0)), 1 / (1 + np.exp(1.0))]], rtol=1e-6)


@pytest.mark.parametrize(("method", "is_given"), [("noaux_tc", False), ("softmax", True)])
def test_the_bias_is_not_added_a_second_time(method: str, is_given: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """FastDeploy's dispatch adds the bias it is given to scores that, of noaux_tc, have been chosen with it already."""
    given: list[Any] = []
    honest = ops.moe_expert_dispatch

    def dispatch(x: Any, scores: Any, bias: Any, *args: Any, **keywords: Any) -> Any:
        given.append(bias)
        return honest(x, scores, bias, *args, **keywords)

    monkeypatch.setattr(backend, "moe_expert_dispatch", dispatch)
    case = random_case(4, topk_method=method)
    layer = case.layer()
    case.run(layer)
    assert given == [layer.gate_correction_bias if is_given else None]


def test_the_two_zeros_are_equals() -> None:
    """A group of experts whose bias is minus their score is 0, from either side."""
    scores = np.array([[0.0, -0.0, 0.0, -0.0]], dtype=np.float32)
    keys = routing._keys(scores)
    assert routing._best(keys, 4, 4).tolist() == [[0, 1, 2, 3]]


@given(st.lists(st.floats(width=32), min_size=1, max_size=20))
@settings(deadline=None)
def test_keys_order_as_numbers_do(values: list[float]) -> None:
    scores = np.array([[value for value in values if value == value]], dtype=np.float32)  # noqa: PLR0124  not NaN
    if scores.size:
        best = routing._best(routing._keys(scores), scores.size, scores.size)[0]
        np.testing.assert_array_equal(best, np.argsort(-scores[0].astype(np.float64), kind="stable"))


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=50))
@example([0x3F808000, 0x3F818000, 0xBF808000, 0xBF818000, 0x3F808001, 0x7F7F8000])  # ties, which chance does not find
@settings(deadline=None, max_examples=200)
def test_rounding_is_to_nearest_even(bits: list[int]) -> None:
    """Every fp32 there is, in bfloat16 and float16, against NumPy and the definition."""
    values = np.array(bits, dtype=np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        half = values.astype(np.float16)
        got = round_to(paddle.to_tensor(values), paddle.float16).numpy()
        np.testing.assert_array_equal(got, half)
        low = (np.array(bits, dtype=np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
        finite = np.isfinite(values)
        up = (np.array(bits, dtype=np.uint64)[finite] & np.uint64(0xFFFF0000)) + np.uint64(0x10000)
        above = up.astype(np.uint32).view(np.float32).astype(np.float64)
        above = np.where(np.isinf(above), np.copysign(2.0**128, above), above)
        exact, below = values[finite].astype(np.float64), low[finite].astype(np.float64)
        is_odd = (np.array(bits, dtype=np.uint32)[finite] >> np.uint32(16)) & np.uint32(1)
        is_up = (np.abs(exact - below) > np.abs(above - exact)) | (
            (np.abs(exact - below) == np.abs(above - exact)) & (is_odd == 1)
        )
        wanted = np.where(is_up, above, below).astype(np.float32)
        rounded = array(round_to(paddle.to_tensor(values), paddle.bfloat16))
        np.testing.assert_array_equal(rounded[finite].astype(np.float32), wanted)
        np.testing.assert_array_equal(np.isnan(rounded), np.isnan(values))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_the_parameters_of_a_projection_are_the_same_objects_afterwards(dtype: str) -> None:
    case = random_case(1, dtype=dtype, biases=True)
    projections = case.projections()
    before = [(id(p), str(p.dtype)) for layer in projections.values() for p in layer.parameters()]
    case.run(**projections)
    assert before == [(id(p), str(p.dtype)) for layer in projections.values() for p in layer.parameters()]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_buffers_of_half_precision_are_widened_too(dtype: str) -> None:
    class Buffered(paddle.nn.Layer):
        def __init__(self, weight: Any) -> None:
            super().__init__()
            self.register_buffer("matrix", tensor(weight, dtype))

        def forward(self, x: Any) -> Any:
            return paddle.matmul(x, self.matrix)

    case = random_case(1, dtype=dtype)
    assert case.model.fc1 is not None
    projection = Buffered(case.model.fc1[0])
    expected, _ = case.run()
    out, _ = case.run(fc1_latent_proj=paddle.nn.Sequential(paddle.nn.Identity(), projection))
    np.testing.assert_array_equal(out, expected)
    assert str(projection.matrix.dtype) == f"paddle.{dtype}"


@pytest.mark.parametrize("method", ["noaux_tc", "softmax"])
@pytest.mark.parametrize("projections", ["both", "none"])
def test_half_precision_is_rounded_once(method: str, projections: str) -> None:
    """The result of a bf16 layer is the nearest bf16 to the fp32 layer's of the same values."""
    case = random_case(2, tokens=33, dtype="bfloat16", topk_method=method, projections=projections)
    wide, _ = Case(case.model, case.x, "float32").run()
    out, _ = case.run()
    np.testing.assert_array_equal(out, array(round_to(tensor(wide), paddle.bfloat16)))


@pytest.mark.parametrize("topk_ids", [np.array([[1, 0], [1, 3], [0, 1]])])
def test_dispatch_sorts_stably_and_carries_the_routing_through(topk_ids: Any) -> None:
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    weights = tensor(np.arange(6).reshape(3, 2))
    outputs = ops.moe_expert_dispatch(
        tensor(x), tensor(np.zeros((3, 4))), None, None, 2, topk_ids=paddle.to_tensor(topk_ids), topk_weights=weights
    )
    rows, ends, places, same_weights, ids, expert_of_row, scale, most = outputs
    assert rows.numpy().tolist() == [
        x[0].tolist(),
        x[2].tolist(),
        x[0].tolist(),
        x[1].tolist(),
        x[2].tolist(),
        x[1].tolist(),
    ]
    assert ends.numpy().tolist() == [2, 5, 5, 6]
    assert ends.dtype == paddle.int64
    assert places.numpy().tolist() == [[2, 3, 1], [0, 5, 4]]
    assert places.dtype == paddle.int32
    assert same_weights is weights
    assert ids.numpy().tolist() == topk_ids.tolist()
    assert expert_of_row.numpy().tolist() == [0, 0, 1, 1, 1, 3]
    assert scale is None
    assert most.numpy().tolist() == [3]


@pytest.mark.parametrize("is_sparse", [True, False])
def test_dispatch_selects_by_itself_as_the_operator_does(is_sparse: bool) -> None:
    logits = tensor(np.random.default_rng(0).normal(size=(5, 8)))
    x = tensor(np.zeros((5, 4)))
    if is_sparse:
        scores, weights, ids = ops.get_moe_scores(logits, 2, 1, 2, 1.0, None, True)
        outputs = ops.moe_expert_dispatch(x, scores, None, None, 2, topk_only_mode=True)
    else:
        ids, weights = ops.moe_topk_select(logits, None, 2, False)
        outputs = ops.moe_expert_dispatch(x, logits, None, None, 2)
    np.testing.assert_array_equal(outputs[4].numpy(), ids.numpy())
    np.testing.assert_array_equal(outputs[3].numpy(), weights.numpy())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_operators_round_when_they_are_called_alone(dtype: str) -> None:
    case = random_case(4, dtype=dtype, projections="none", top_k=2, biases=True)
    model, layer = case.model, case.layer()
    ids = np.array([[0, 3], [1, 3], [7, 0], [3, 2], [1, 2], [5, 4], [6, 7]])
    weights = np.full((7, 2), 0.5)
    rows, ends, places, *_ = ops.moe_expert_dispatch(
        tensor(case.x, dtype), tensor(np.zeros((7, 8))), topk_ids=paddle.to_tensor(ids), topk_weights=tensor(weights)
    )
    out = ops.moe_expert_ffn(rows, ends, layer.up_gate_proj_weight, layer.down_proj_weight, layer.up_gate_proj_bias)
    out = ops.moe_expert_reduce(out, tensor(weights), places, paddle.to_tensor(ids), layer.down_proj_bias, True, 3.0)
    assert str(out.dtype) == f"paddle.{dtype}"
    expected = np.stack(
        [sum(1.5 * reference.expert(model, index, row) for index in of) for row, of in zip(case.x, ids, strict=True)]
    )
    assert np.abs(array(out) - expected).max() <= TOLERANCE[dtype] * np.abs(expected).max()


def test_an_unknown_activation_is_refused() -> None:
    case = random_case(0)
    with pytest.raises(ValueError, match="activation"):
        case.run(case.layer(activation="gelu"))
    layer = case.layer()
    with pytest.raises(ValueError, match="activation"):
        ops.moe_expert_ffn(
            tensor(case.x),
            paddle.zeros([8], dtype="int64"),
            layer.up_gate_proj_weight,
            layer.down_proj_weight,
            activation="gelu",
        )


@pytest.mark.parametrize("method", ["noaux_tc", "softmax"])
def test_nothing_is_selected_again_after_the_routing(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids and weights that no selection from the scores would give reach the experts as they are."""
    case = random_case(12, topk_method=method, top_k=2, projections="none")
    ids = np.array([[7, 0], [1, 1], [3, 2], [6, 5], [0, 4], [2, 7], [5, 3]])
    weights = np.full((7, 2), [0.25, 0.75])
    zeros, chosen = tensor(np.zeros((7, 8))), paddle.to_tensor(ids)
    monkeypatch.setattr(backend, "get_moe_scores", lambda *_: (zeros, tensor(weights), chosen))
    monkeypatch.setattr(backend, "moe_topk_select", lambda *_: (chosen, tensor(weights)))
    out, seen = case.run()
    np.testing.assert_array_equal(seen, ids)
    expected = np.stack(
        [
            sum(
                weight * reference.expert(case.model, index, row)
                for index, weight in zip(of, with_weights, strict=True)
            )
            for row, of, with_weights in zip(case.x, ids, weights, strict=True)
        ]
    )
    assert np.abs(out - expected).max() <= TOLERANCE["float32"] * np.abs(expected).max()


def test_two_threads_share_a_half_precision_projection() -> None:
    """One has its parameters widened while the other begins: they must not turn back in the middle of the other's call."""
    inside, begun = threading.Event(), threading.Event()

    class Projection(paddle.nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = linear(np.eye(3), dtype="bfloat16")

        def forward(self, x: Any) -> Any:
            if threading.current_thread() is first:
                inside.set()
                begun.wait(0.5)  # the second one is kept out: this passes
            else:
                begun.set()
                first.join()
            return self.inner(x)

    projection, x = Projection(), paddle.ones([2, 3])
    first = threading.Thread(target=call_widened, args=(projection, x))
    first.start()
    assert inside.wait(60)
    np.testing.assert_array_equal(array(call_widened(projection, x)), np.ones((2, 3)))
    first.join()
