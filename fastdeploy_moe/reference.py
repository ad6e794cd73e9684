"""A mixture of experts in NumPy and float64, token by token: slow, short, and made from the formulas alone.

Sigmoid routing with groups is DeepSeek-V3's (arXiv 2412.19437, section 2.1.2) as FastDeploy's `get_moe_scores` computes it;
softmax routing is its `moe_topk_select`; relu2 is max(x, 0)², of Nemotron's latent experts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Ids: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Routing:
    """How a token chooses K of E experts; the fields are named as in `FusedMoE`.

    `gate_correction_bias` is [E], and counts for the choice only.
    """

    top_k: int
    topk_method: str = "noaux_tc"
    n_group: int = 1
    topk_group: int = 1
    routed_scaling_factor: float = 1.0
    renormalize: bool = True
    gate_correction_bias: Array | None = None


@dataclass(frozen=True, slots=True)
class Experts:
    """The weights of E experts: `up_gate` [E, L, 2I] (swiglu) or [E, L, I] (relu2), `down` [E, I, L], biases [E, …] or None."""

    up_gate: Array
    down: Array
    activation: str = "swiglu"
    up_gate_bias: Array | None = None
    down_bias: Array | None = None


def route(logits: Array, routing: Routing) -> tuple[Ids, Array]:
    """The experts of each token and their weights, both [T, K], for logits [T, E]; of equal experts the lowest id."""
    ids = np.zeros((len(logits), routing.top_k), dtype=np.int64)
    weights = np.zeros((len(logits), routing.top_k))
    bias = np.zeros(logits.shape[1]) if routing.gate_correction_bias is None else routing.gate_correction_bias
    for token, row in enumerate(logits):
        sigmoid = routing.topk_method == "noaux_tc"
        scores = 1.0 / (1.0 + np.exp(-row)) if sigmoid else np.exp(row - row.max()) / np.exp(row - row.max()).sum()
        chosen_by = scores + bias
        if sigmoid and routing.n_group > 1:
            groups = chosen_by.reshape(routing.n_group, -1)
            of_group = np.sort(groups, axis=1)[:, -2:].sum(axis=1)
            kept = np.argsort(-of_group, kind="stable")[: routing.topk_group]
            chosen_by = np.where(np.isin(np.arange(routing.n_group), kept)[:, None], groups, -np.inf).reshape(-1)
        best = np.argsort(-chosen_by, kind="stable")[: routing.top_k]
        weight = scores[best]
        if not sigmoid:
            weight = weight / weight.sum()
        else:
            if routing.renormalize:
                weight = weight / (weight.sum() + 1e-20)
            weight = weight * routing.routed_scaling_factor
        ids[token], weights[token] = best, weight
    return ids, weights


def run_experts(h: Array, ids: Ids, weights: Array, experts: Experts) -> Array:
    """The weighted sum of what K experts return for each row of h [T, L]; returns [T, L]."""
    out = np.zeros_like(h)
    for token, (row, its_experts, its_weights) in enumerate(zip(h, ids, weights, strict=True)):
        for expert, weight in zip(its_experts, its_weights, strict=True):
            inner = row @ experts.up_gate[expert]
            if experts.up_gate_bias is not None:
                inner = inner + experts.up_gate_bias[expert]
            if experts.activation == "swiglu":
                gate, up = np.split(inner, 2)
                inner = gate / (1.0 + np.exp(-gate)) * up
            else:
                inner = np.maximum(inner, 0.0) ** 2
            result = inner @ experts.down[expert]
            if experts.down_bias is not None:
                result = result + experts.down_bias[expert]
            out[token] += weight * result
    return out


def run_latent_moe(
    x: Array, logits: Array, routing: Routing, experts: Experts, fc1: Array | None = None, fc2: Array | None = None
) -> Array:
    """The routed experts between two projections: x [T, H], logits [T, E], fc1 [H, L], fc2 [L, H]; returns [T, H]."""
    ids, weights = route(logits, routing)
    out = run_experts(x if fc1 is None else x @ fc1, ids, weights, experts)
    return out if fc2 is None else out @ fc2
