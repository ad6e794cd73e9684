"""The guard of classes on Paddle's layers, and on the family of `fastdeploy_moe`."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import pytest

pytest.importorskip("paddle")

import paddle
from paddle import nn

from fastdeploy_moe.layers.moe.fused_moe_backend_base import MoEMethodBase
from fastdeploy_moe.registry import get_moe_method, list_moe_methods
from sigcheck.runtime import Guarded, IncompatibleOverrideError
from sigcheck.runtime.creation import Policy, broken_promises


class Experts(Guarded, nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(2, 3)

    def forward(self, x: Any, fc1_latent_proj: Any = None) -> Any:
        return self.fc1(x) if fc1_latent_proj is None else self.fc1(fc1_latent_proj(x))


def test_layers_that_keep_the_promise_work_as_layers() -> None:
    class Kept(Experts):
        def forward(self, x: Any, fc1_latent_proj: Any = None, scale: float = 1.0) -> Any:
            return scale * super().forward(x, fc1_latent_proj)

        @paddle.no_grad()
        def extra_repr(self) -> str:
            return "kept"

    layer = Kept()
    again = copy.deepcopy(layer)
    again.set_state_dict(layer.state_dict())
    x = paddle.ones([4, 2])
    assert (layer(x, scale=2.0).numpy() == 2 * again(x).numpy()).all()
    assert [name for name, _ in layer.named_parameters()] == ["fc1.weight", "fc1.bias"]


def test_a_layer_that_breaks_it_is_not_made() -> None:
    def forward(self: Any, x: Any, shared_experts: Any = None, fc1_latent_proj: Any = None) -> None: ...

    with pytest.raises(IncompatibleOverrideError, match=r"fc1_latent_proj lands in `shared_experts` of Bad\.forward"):
        type("Bad", (Experts,), {"forward": forward})


def test_what_the_framework_promises_is_not_asked_for() -> None:
    """`Layer.forward` takes `*inputs, **kwargs`, and `state_dict` has changed its parameters over the years."""

    class Free(Experts):
        def state_dict(self) -> dict[str, Any]:
            return {}

    assert Free().state_dict() == {}


def test_the_family_keeps_the_promise_of_its_base() -> None:
    back_ends = [type(get_moe_method(entry.name)) for entry in list_moe_methods()]
    assert len(back_ends) > 3
    for back_end in back_ends:
        promising = [entry for entry in back_end.__mro__[1:] if issubclass(entry, MoEMethodBase)]
        assert broken_promises(back_end, promising, Policy().names, inspect.stack()[0].frame)[1] == ()
