"""The ten defects that FastDeploy's later source has in this family: one test each that would catch it."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("paddle")

import numpy as np
import paddle
from paddle import nn

from fastdeploy_moe.layers.moe import fused_moe_cutlass_backend as backend
from fastdeploy_moe.layers.moe.fused_moe_backend_base import MoEMethodBase
from tests.moe import reference
from tests.moe.building import TOLERANCE, Case, array, linear, random_case, tensor

METHODS = ["noaux_tc", "softmax", "greedy", ""]
PROJECTIONS = ["both", "fc1", "fc2", "none"]


class Recorder(nn.Layer):
    """A linear projection that keeps what it is given; falsy, as an empty container is."""

    def __init__(self, pair: Any) -> None:
        super().__init__()
        self.inner = linear(*pair)
        self.given: list[Any] = []

    def __len__(self) -> int:
        return 0

    def forward(self, x: Any) -> Any:
        self.given.append(array(x))
        return self.inner(x)


def assert_close(out: Any, expected: Any) -> None:
    assert out.shape == expected.shape
    assert np.abs(out - expected).max() <= TOLERANCE["float32"] * np.abs(expected).max()


def expected_of(case: Case) -> Any:
    logits = case.x @ case.model.gate
    return reference.forward(case.model, case.x, reference.choose(case.model, logits))


@pytest.mark.parametrize("method", METHODS)
def test_1_no_projection_is_called_where_there_is_none(method: str) -> None:
    """`if not use_fused: x = fc1_latent_proj(x)`, with None."""
    case = random_case(1, projections="none", topk_method=method)
    assert_close(case.run(fc1_latent_proj=None, fc2_latent_proj=None)[0], expected_of(case))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("which", PROJECTIONS)
def test_2_3_every_branch_applies_each_projection_that_is_given_once(which: str, method: str) -> None:
    """One branch returned before fc2; others dropped fc1 and kept fc2."""
    case = random_case(2, projections=which, topk_method=method, biases=True)
    recorders = {
        f"{name}_latent_proj": Recorder(pair)
        for name, pair in (("fc1", case.model.fc1), ("fc2", case.model.fc2))
        if pair is not None
    }
    out, _ = case.run(**recorders)
    assert_close(out, expected_of(case))
    assert [len(recorder.given) for recorder in recorders.values()] == [1] * len(recorders)


@pytest.mark.parametrize("name", ["apply_ep_prefill", "apply_ep_decode"])
def test_4_expert_parallelism_is_refused_and_does_not_ignore_the_projections(name: str) -> None:
    case = random_case(3)
    recorders = {"fc1_latent_proj": Recorder(case.model.fc1), "fc2_latent_proj": Recorder(case.model.fc2)}
    with pytest.raises(NotImplementedError, match=r"^CutlassMoEMethod: [^\n]+$"):
        getattr(backend.CutlassMoEMethod(), name)(case.layer(), tensor(case.x), case.gate(), **recorders)
    assert not any(recorder.given for recorder in recorders.values())


def test_5_apply_passes_both_projections_on() -> None:
    """The chunked, all-gather and non-CUDA forwards dropped both."""
    case = random_case(4)
    method = backend.CutlassMoEMethod()
    outs = [method.apply(case.layer(), tensor(rows), case.gate(), **case.projections()) for rows in np.split(case.x, 7)]
    assert_close(np.concatenate([array(out) for out in outs]), expected_of(case))


def test_6_shared_experts_see_the_tokens_themselves_and_are_added_after_fc2() -> None:
    case = random_case(5)
    weight = np.random.default_rng(0).standard_normal((16, 16)).astype(np.float32).astype(np.float64)
    shared = Recorder((weight,))
    out = backend.CutlassMoEMethod().apply(
        case.layer(), tensor(case.x), case.gate(), shared_experts=shared, **case.projections()
    )
    (given,) = shared.given
    np.testing.assert_array_equal(given, case.x)
    assert_close(array(out), expected_of(case) + case.x @ weight)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("method", METHODS)
def test_7_zero_tokens_have_the_width_of_the_tokens(method: str, dtype: str) -> None:
    case = random_case(6, tokens=0, topk_method=method, dtype=dtype, width=16, latent=8)
    out, ids = case.run()
    assert out.shape == (0, 16)
    assert ids.shape == (0, 3)
    for which, width in (("none", 8), ("fc1", 8), ("fc2", 16)):  # what one token would give
        assert random_case(6, tokens=0, topk_method=method, dtype=dtype, projections=which).run()[0].shape == (0, width)
    with pytest.raises(ValueError, match=r"^x has rows of width 16"):
        case.run(fc1_latent_proj=None)


@pytest.mark.parametrize("method", METHODS)
def test_8_a_layer_that_is_falsy_is_applied(method: str) -> None:
    """`not fc1_latent_proj` is true of a container without sublayers."""
    case = random_case(7, topk_method=method)
    fc1, fc2 = Recorder(case.model.fc1), Recorder(case.model.fc2)
    assert not fc1
    out, _ = case.run(fc1_latent_proj=fc1, fc2_latent_proj=fc2)
    assert_close(out, expected_of(case))


def test_9_apply_forwards_by_keyword() -> None:
    """A back end whose fifth parameter is `shared_experts` got fc1 there."""
    seen: dict[str, Any] = {}

    class Other(MoEMethodBase):
        supports_latent = True

        def apply_tp(  # type: ignore[override]  # sigcheck: ignore[misbound-parameter]
            self,
            layer: Any,
            x: Any,
            gate: Any,
            topk_ids_hookfunc: Any = None,
            shared_experts: Any = None,
            fc2_latent_proj: Any = None,
            fc1_latent_proj: Any = None,
        ) -> Any:
            seen.update(shared=shared_experts, fc1=fc1_latent_proj, fc2=fc2_latent_proj, hook=topk_ids_hookfunc)
            return x

    fc1, fc2, x = nn.Linear(2, 2), nn.Linear(2, 2), paddle.ones([1, 2])

    def hook(**_: Any) -> None: ...

    Other().apply(SimpleNamespace(ep_size=1), x, fc1, hook, fc1_latent_proj=fc1, fc2_latent_proj=fc2)
    assert seen == {"shared": None, "fc1": fc1, "fc2": fc2, "hook": hook}


@pytest.mark.parametrize("method", METHODS)
def test_10_the_ranks_are_reduced_before_fc2(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """Two ranks of half the inner width each; the bias of fc2, and that of the experts, count once."""
    case = random_case(8, topk_method=method, activation="relu2", biases=True, inner=12)
    up, down, up_bias = case.model.up_gate, case.model.down, case.model.up_gate_bias
    assert case.model.fc2 is not None
    parts: list[Any] = []

    def run(rank: int) -> Any:
        half = slice(6 * rank, 6 * rank + 6)
        layer = case.layer(
            tp_size=2,
            tp_rank=rank,
            moe_intermediate_size=6,
            up_gate_proj_weight=tensor(up[..., half]),
            down_proj_weight=tensor(down[:, half]),
            up_gate_proj_bias=tensor(up_bias[:, half]),
        )
        return case.run(layer)[0]

    def keep(part: Any) -> Any:
        parts.append(part)
        return part

    monkeypatch.setattr(backend, "tensor_model_parallel_all_reduce", keep)
    run(0)
    run(1)
    assert [part.shape[-1] for part in parts] == [8, 8]
    monkeypatch.setattr(backend, "tensor_model_parallel_all_reduce", lambda _part: parts[0] + parts[1])
    for rank in (0, 1):
        assert_close(run(rank), expected_of(case))


def test_10_a_reduction_left_to_the_caller_is_refused_where_fc2_has_a_bias() -> None:
    case = random_case(9, biases=True)
    layer = case.layer(tp_size=2, tp_rank=0, reduce_results=False)
    with pytest.raises(ValueError, match="reduce_results"):
        case.run(layer)
    with pytest.raises(ValueError, match="reduce_results"):
        case.run(layer, fc2_latent_proj=nn.Sequential(linear(*case.model.fc2), nn.Identity()))  # type: ignore[misc]
    assert_close(
        case.run(layer, fc2_latent_proj=None)[0] @ case.model.fc2[0] + case.model.fc2[1],  # type: ignore[index]
        expected_of(case),
    )


def test_the_hook_is_called_once_before_the_experts_with_the_keyword() -> None:
    order: list[str] = []
    case = random_case(10)

    class Watched(backend.CutlassMoEMethod):
        def compute_ffn(self, *args: Any, **kwargs: Any) -> Any:
            order.append("experts")
            return super().compute_ffn(*args, **kwargs)

    def gate(x: Any) -> Any:
        order.append("gate")
        np.testing.assert_array_equal(array(x), case.x)
        return case.gate()(x)

    def projection(name: str, pair: Any) -> Any:
        inner = linear(*pair)

        def call(x: Any) -> Any:
            order.append(name)
            return inner(x)

        return call

    Watched().apply_tp(
        case.layer(),
        tensor(case.x),
        gate,
        lambda *, topk_ids: order.append(f"hook {topk_ids.shape[1]}"),
        projection("fc1", case.model.fc1),
        projection("fc2", case.model.fc2),
    )
    assert order == ["gate", "hook 3", "fc1", "experts", "fc2"]


def test_the_order_of_parameters_is_upstreams() -> None:
    assert list(inspect.signature(backend.CutlassMoEMethod.apply_tp).parameters) == [
        "self", "layer", "x", "gate", "topk_ids_hookfunc", "fc1_latent_proj", "fc2_latent_proj",
    ]  # fmt: skip
