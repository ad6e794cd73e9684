"""Who computes an operator. No GPU is here: FastDeploy's operators are stand-ins, and a tensor says that it is on one."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("paddle")

import paddle

from fastdeploy_moe import ops
from fastdeploy_moe.ops.selection import MODULES, VARIABLE
from tests.moe.building import random_case, tensor


def on_gpu(dtype: Any) -> Any:
    """Return something that is on a GPU, as far as the choice asks."""
    place = SimpleNamespace(is_gpu_place=lambda: True, is_cpu_place=lambda: False)
    return SimpleNamespace(dtype=dtype, place=place)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Put a FastDeploy in place whose operators note their name and the number of their arguments."""
    calls: list[tuple[str, int]] = []
    results = {"get_moe_scores": (1, 2, 3), "moe_topk_select": (1, 2), "moe_expert_dispatch": (1, 2, 3, 4, 5, 6)}

    def stand_in(name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            calls.append((name, len(args) + len(kwargs)))
            return results.get(name, name)

        return call

    for module in set(MODULES.values()):
        made = ModuleType(module)
        for name, home in MODULES.items():
            if home == module:
                setattr(made, name, stand_in(name))
        monkeypatch.setitem(sys.modules, module, made)
    return calls


def call_all(x: Any, logits: Any) -> list[Any]:
    return [
        ops.get_moe_scores(logits, 1, 1, 2, 1.0, None, True),
        ops.moe_topk_select(logits, None, 2),
        ops.moe_expert_dispatch(x, logits, None, None, 2, topk_ids=1, topk_weights=2),
        ops.moe_expert_ffn(x, None, None, None),
        ops.moe_expert_reduce(x, None, None, None),
        ops.tensor_model_parallel_all_reduce(x),
    ]


@pytest.mark.parametrize("choice", [None, "auto", "fastdeploy"])
def test_fastdeploys_operators_are_called_on_a_gpu(
    called: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch, choice: str | None
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if choice is not None:
        monkeypatch.setenv(VARIABLE, choice)
    results = call_all(on_gpu(paddle.bfloat16), on_gpu(paddle.float32))
    assert results[2] == (1, 2, 3, 4, 5, 6, None, None)
    assert called == [
        ("get_moe_scores", 7),
        ("moe_topk_select", 5),
        ("moe_expert_dispatch", 8),
        ("moe_expert_ffn", 14),
        ("moe_expert_reduce", 7),
        ("tensor_model_parallel_all_reduce", 1),
    ]


def test_paddle_computes_on_the_cpu_and_where_it_is_asked_to(
    called: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = random_case(0)
    case.run()
    monkeypatch.setenv(VARIABLE, "paddle")
    case.run()
    assert called == []


def test_an_activation_that_fastdeploy_does_not_know_is_never_given_to_it(
    called: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would run swiglu instead."""
    monkeypatch.setenv(VARIABLE, "fastdeploy")
    with pytest.raises(RuntimeError, match="activation 'relu2'"):
        ops.moe_expert_ffn(on_gpu(paddle.bfloat16), None, None, None, activation="relu2")
    assert called == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_of_fp32_are_not_given_to_it(
    called: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    monkeypatch.setenv(VARIABLE, "fastdeploy")
    with pytest.raises(RuntimeError, match=f"no kernel for .*{dtype}"):
        ops.moe_expert_reduce(on_gpu(getattr(paddle, dtype)), None, None, None)
    assert called == []


def test_fastdeploy_that_is_not_there_is_an_error_only_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case(0)
    monkeypatch.setenv(VARIABLE, "fastdeploy")
    with pytest.raises(
        RuntimeError, match=r"FASTDEPLOY_MOE_OPS=fastdeploy, but FastDeploy's get_moe_scores cannot run: .*cpu"
    ):
        case.run()
    with pytest.raises(RuntimeError, match="cannot be imported"):
        ops.get_moe_scores(on_gpu(paddle.float32), 1, 1, 2, 1.0, None)


def test_a_choice_that_is_not_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "cuda")
    with pytest.raises(ValueError, match="FASTDEPLOY_MOE_OPS='cuda': choose one of auto, paddle, fastdeploy"):
        random_case(0).run()


@pytest.mark.parametrize("count", [5, 9])
def test_a_dispatch_of_another_arity_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"gave {count} values"):
        ops.eight_outputs(range(count))


def test_a_reduction_without_a_parallel_environment_is_refused() -> None:
    with pytest.raises(RuntimeError, match="init_parallel_env"):
        ops.tensor_model_parallel_all_reduce(tensor([[1.0]]))


def test_what_paddle_cannot_do_is_refused() -> None:
    x, logits = tensor([[1.0]]), tensor([[1.0]])
    for keywords in ({"w4a8_in_scale": x}, {"group_moe": True}, {"moe_quant_type": "w4a8"}):
        with pytest.raises(NotImplementedError, match="moe_expert_dispatch"):
            ops.moe_expert_dispatch(x, logits, **keywords)
    for keywords in ({"quant_method": "w4a8"}, {"used_in_ep_low_latency": True}, {"up_gate_proj_scale": x}):
        with pytest.raises(NotImplementedError, match="moe_expert_ffn"):
            ops.moe_expert_ffn(x, None, x, x, **keywords)
