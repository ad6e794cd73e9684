"""The test of the change that this follows (FastDeploy #7428), with its mocks: reduction gives 5, fc2 adds 10."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("paddle")

import numpy as np
import paddle
from paddle import nn

from fastdeploy_moe.layers.moe import fused_moe_cutlass_backend as backend


def fake_get_moe_scores(*_args: Any, **_kwargs: Any) -> tuple[Any, ...]:
    return paddle.to_tensor([[0.4, 0.6]]), paddle.to_tensor([[0.6]]), paddle.to_tensor([[1]], dtype="int64")


@pytest.mark.parametrize("arity", [6, 7, 8])
def test_apply_tp_with_both_latent_projs(monkeypatch: pytest.MonkeyPatch, arity: int) -> None:
    called = {"fc1": 0, "fc2": 0}
    dispatched = []

    class FC1Proj(nn.Layer):
        def forward(self, x: Any) -> Any:
            called["fc1"] += 1
            return x * 2

    class FC2Proj(nn.Layer):
        def forward(self, x: Any) -> Any:
            called["fc2"] += 1
            return x + 10

    def fake_dispatch(x: Any, *_args: Any, **_kwargs: Any) -> tuple[Any, ...]:
        dispatched.append(x.numpy())
        outputs = (
            paddle.ones([1, 2]),
            paddle.to_tensor([0, 1]),
            paddle.to_tensor([[0]], dtype="int32"),
            paddle.to_tensor([[1.0]]),
            paddle.to_tensor([[0]]),
            paddle.to_tensor([0]),
            None,
            None,
        )
        return outputs[:arity]

    monkeypatch.setattr(backend, "get_moe_scores", fake_get_moe_scores)
    monkeypatch.setattr(backend, "moe_expert_dispatch", fake_dispatch)
    monkeypatch.setattr(backend, "moe_expert_reduce", lambda *_args, **_kwargs: paddle.ones([1, 2]) * 5)
    layer = SimpleNamespace(
        num_experts=2,
        top_k=1,
        hidden_size=2,
        moe_intermediate_size=1,
        topk_method="noaux_tc",
        n_group=1,
        topk_group=1,
        routed_scaling_factor=1.0,
        gate_correction_bias=paddle.zeros([2]),
    )
    method = backend.CutlassMoEMethod(None)
    monkeypatch.setattr(method, "compute_ffn", lambda *_args, **_kwargs: paddle.ones([1, 2]) * 4)
    out = method.apply_tp(
        layer,
        paddle.ones([1, 2]),
        lambda _x: paddle.to_tensor([[0.1, 0.9]]),
        fc1_latent_proj=FC1Proj(),
        fc2_latent_proj=FC2Proj(),
    )
    np.testing.assert_allclose(out.numpy(), np.full((1, 2), 15.0))
    assert called == {"fc1": 1, "fc2": 1}
    np.testing.assert_allclose(dispatched, [np.full((1, 2), 2.0)])
