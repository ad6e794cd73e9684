"""The roles of the family's annotations, with real layers of Paddle: what typeguard tells of them."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("paddle")

from paddle import nn
from typeguard import check_type, typechecked

from fastdeploy_moe import CutlassMoEMethod, FusedMoE, MoEMethodBase, Role
from fastdeploy_moe.roles import Fc1LatentProj, SharedExperts
from sigcheck.runtime import MisboundArgumentError, role_of, with_role
from sigcheck.runtime.roles import parameter_roles

ROLES = ("fc1_latent_proj", "fc2_latent_proj", "shared_experts")


@pytest.mark.parametrize(
    "method", [MoEMethodBase.apply, CutlassMoEMethod.apply, CutlassMoEMethod.apply_tp, FusedMoE.forward]
)
def test_each_parameter_demands_the_role_of_its_name(method: Any) -> None:
    demanded = parameter_roles(method)
    assert {name: {name} for name in demanded} == demanded
    assert {"fc1_latent_proj", "fc2_latent_proj"} <= set(demanded) <= set(ROLES)
    assert role_of(Role("fc1_latent_proj")) == "fc1_latent_proj"


def test_a_layer_carries_its_role_and_is_what_it_was() -> None:
    layer = nn.Linear(2, 3)
    before = set(layer.state_dict())
    assert with_role(layer, "fc1_latent_proj") is layer
    assert role_of(layer) == "fc1_latent_proj"
    assert set(layer.state_dict()) == before
    assert role_of(nn.Linear(2, 3)) is None
    check_type(layer, Fc1LatentProj | None)
    with pytest.raises(
        MisboundArgumentError, match=r"Linear is for `fc1_latent_proj`, and stands where `shared_experts`"
    ):
        check_type(layer, SharedExperts | None)


def test_the_slot_of_nvfp4_is_told_by_typeguard() -> None:
    """Pull request #7428: the base hands fc1 over by position, and the back end has shared experts in that slot."""

    @typechecked
    def apply_tp(
        self: MoEMethodBase,
        layer: Any,
        x: Any,
        gate: Any,
        topk_ids_hookfunc: Any = None,
        shared_experts: SharedExperts | None = None,
        fc1_latent_proj: Fc1LatentProj | None = None,
    ) -> Any:
        return shared_experts

    fc1, plain = with_role(nn.Linear(2, 3), "fc1_latent_proj"), nn.Linear(2, 3)
    method = type("ModelOptNvFp4", (CutlassMoEMethod,), {"apply_tp": apply_tp})()
    assert method.apply_tp(None, None, None, None, plain) is plain
    assert method.apply_tp(None, None, None, fc1_latent_proj=fc1) is None
    with pytest.raises(
        MisboundArgumentError, match=r'^argument "shared_experts" \(.*Linear\) is for `fc1_latent_proj`'
    ):
        method.apply_tp(None, None, None, None, fc1)
