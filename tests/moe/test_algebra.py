"""What must hold of a latent layer whatever its numbers are."""

from __future__ import annotations

import pytest

pytest.importorskip("paddle")

import numpy as np

from tests.moe import reference
from tests.moe.building import TOLERANCE, Case, linear, random_case, with_model

METHODS = ["noaux_tc", "softmax"]
ACTIVATIONS = ["swiglu", "relu2"]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("which", ["both", "fc1", "fc2"])
def test_identity_projections_change_nothing(which: str, method: str, dtype: str) -> None:
    case = random_case(1, projections="none", topk_method=method, dtype=dtype, biases=True)
    plain, _ = case.run()
    identity = np.eye(8)
    projections = {
        f"{name}_latent_proj": linear(identity, dtype=dtype) for name in ("fc1", "fc2") if which in (name, "both")
    }
    projected, _ = case.run(**projections)
    np.testing.assert_array_equal(projected, plain)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_fc1_folded_into_the_first_weight_is_the_same(activation: str, method: str) -> None:
    case = random_case(2, projections="fc1", topk_method=method, activation=activation, width=16, latent=8)
    assert case.model.fc1 is not None
    # A layer that reads H gives H: the second weight gets columns of zeros.
    wide = with_model(
        case,
        up_gate=case.model.fc1[0] @ case.model.up_gate,
        down=np.concatenate([case.model.down, np.zeros_like(case.model.down)], axis=-1),
        fc1=None,
    )
    (latent, latent_ids), (folded, folded_ids) = case.run(), wide.run()
    np.testing.assert_array_equal(latent_ids, folded_ids)
    assert np.abs(folded[:, :8] - latent).max() <= TOLERANCE["float32"] * np.abs(latent).max()
    assert not folded[:, 8:].any()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_fc2_folded_into_the_second_weight_is_the_same(activation: str, method: str) -> None:
    case = random_case(3, projections="both", topk_method=method, activation=activation, width=8, latent=8)
    assert case.model.fc2 is not None
    folded, _ = with_model(case, down=case.model.down @ case.model.fc2[0], fc2=None).run()
    out, _ = case.run()
    assert np.abs(folded - out).max() <= TOLERANCE["float32"] * np.abs(out).max()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("method", METHODS)
def test_permuting_tokens_permutes_rows(method: str, dtype: str) -> None:
    case = random_case(4, tokens=200, topk_method=method, dtype=dtype, biases=True)
    order = np.random.default_rng(0).permutation(200)
    (out, ids), (permuted, permuted_ids) = case.run(), Case(case.model, case.x[order], dtype).run()
    np.testing.assert_array_equal(permuted_ids, ids[order])
    assert np.abs(permuted - out[order]).max() <= TOLERANCE[dtype] * np.abs(out).max()


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_is_its_chunks(method: str) -> None:
    case = random_case(5, tokens=50, topk_method=method, biases=True)
    out, _ = case.run()
    chunks = [Case(case.model, case.x[start : start + 7], "float32").run()[0] for start in range(0, 50, 7)]
    assert np.abs(np.concatenate(chunks) - out).max() <= TOLERANCE["float32"] * np.abs(out).max()


@pytest.mark.parametrize("method", METHODS)
def test_renamed_experts_are_the_same_layer(method: str) -> None:
    """Experts of one group change places, and so do their columns of the gate."""
    case = random_case(6, groups=1, group_size=8, topk_method=method, biases=True)
    order = np.random.default_rng(1).permutation(8)
    model = case.model
    assert model.up_gate_bias is not None
    renamed = with_model(
        case,
        gate=model.gate[:, order],
        correction=model.correction[order],
        up_gate=model.up_gate[order],
        down=model.down[order],
        up_gate_bias=model.up_gate_bias[order],
        down_bias=model.down_bias[order],
    )
    out, _ = case.run()
    assert np.abs(renamed.run()[0] - out).max() <= TOLERANCE["float32"] * np.abs(out).max()


def test_the_scale_is_noaux_tcs_alone() -> None:
    """As in FastDeploy: its callers give the reduction 1.0, so softmax never applies `routed_scaling_factor`."""
    for method, factor in (("noaux_tc", 4.0), ("softmax", 1.0)):
        case = random_case(7, topk_method=method, scale=0.5, projections="fc1")
        once, _ = case.run()
        four, _ = case.run(case.layer(routed_scaling_factor=2.0))
        np.testing.assert_array_equal(four, factor * once)


def test_the_reference_knows_a_near_tie_from_a_wrong_choice() -> None:
    model = random_case(0, groups=1, group_size=4, top_k=2, topk_method="noaux_tc").model
    model = with_model(Case(model, None, "float32"), correction=None).model
    logits = np.array([[2.0, 1.0, 1.0 + 1e-7, 0.0]])
    assert reference.choose(model, logits).tolist() == [[0, 2]]
    assert not reference.wrong_tokens(model, logits, np.array([[1, 0]]))
    assert reference.wrong_tokens(model, logits, np.array([[3, 0]])) == [0]
    assert reference.wrong_tokens(model, logits, np.array([[0, 0]])) == [0]
