"""The mixture of experts in NumPy and float64, one token and one expert at a time: written from the formulas, not from the code.

T tokens, H their width, L the width the experts see, I the experts' inner width, E experts, K experts a token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Model:
    """A layer; every array is float64.

    Attributes:
        gate: `[H, E]`.
        up_gate: `[E, L, 2I]` for swiglu, `[E, L, I]` for relu2.
        down: `[E, I, L]`.
        top_k: K.
        topk_method: "noaux_tc", or else softmax.
        correction: `[E]`, for the choice only.
        fc1: `[H, L]` and its bias.
        fc2: `[L, H]` and its bias.
    """

    gate: Any
    up_gate: Any
    down: Any
    top_k: int
    topk_method: str
    activation: str
    correction: Any = None
    n_group: int = 1
    topk_group: int = 1
    scale: float = 1.0
    renormalize: bool = True
    up_gate_bias: Any = None
    down_bias: Any = None
    fc1: tuple[Any, Any] | None = None
    fc2: tuple[Any, Any] | None = None


def scores(model: Model, logits: Any) -> Any:
    """Return s, `[T, E]`."""
    if model.topk_method == "noaux_tc":
        return 1.0 / (1.0 + np.exp(-logits))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def biased_scores(model: Model, logits: Any) -> Any:
    """Return b = s + bias, `[T, E]`."""
    return scores(model, logits) + (0.0 if model.correction is None else model.correction)


def group_scores(model: Model, biased: Any) -> Any:
    """Return the sum of the two best of each group, `[T, n_group]`."""
    tokens, experts = biased.shape
    grouped = np.sort(biased.reshape(tokens, model.n_group, experts // model.n_group), axis=-1)
    return grouped[..., -2:].sum(axis=-1)


def choose(model: Model, logits: Any) -> Any:
    """Return ids `[T, K]`, best first, the lowest id first among equals."""
    biased = biased_scores(model, logits)
    tokens, experts = biased.shape
    allowed = np.ones((tokens, experts), dtype=bool)
    if model.topk_method == "noaux_tc" and model.n_group > 1:
        best = np.argsort(-group_scores(model, biased), axis=1, kind="stable")[:, : model.topk_group]
        size = experts // model.n_group
        for token in range(tokens):
            allowed[token] = [expert // size in best[token] for expert in range(experts)]
    return np.argsort(np.where(allowed, -biased, np.inf), axis=1, kind="stable")[:, : model.top_k]


def weigh(model: Model, logits: Any, ids: Any) -> Any:
    """Return the weights of those experts, `[T, K]`."""
    weights = np.take_along_axis(scores(model, logits), ids, axis=1)
    if model.topk_method != "noaux_tc":
        return weights / weights.sum(axis=1, keepdims=True)
    if model.renormalize:
        weights = weights / (weights.sum(axis=1, keepdims=True) + 1e-20)
    return weights * model.scale


def expert(model: Model, index: int, row: Any) -> Any:
    """Return what one expert makes of one row, `[L]` to `[L]`."""
    hidden = row @ model.up_gate[index]
    if model.up_gate_bias is not None:
        hidden = hidden + model.up_gate_bias[index]
    if model.activation == "swiglu":
        inner = len(hidden) // 2
        gate, up = hidden[:inner], hidden[inner:]
        hidden = gate / (1.0 + np.exp(-gate)) * up
    else:
        hidden = np.maximum(hidden, 0.0) ** 2
    out = hidden @ model.down[index]
    return out if model.down_bias is None else out + model.down_bias[index]


def forward(model: Model, x: Any, ids: Any) -> Any:
    """Return the layer's result for tokens `[T, H]` that go to the experts `ids`, `[T, K]`."""
    weights = weigh(model, x @ model.gate, ids)
    rows = x if model.fc1 is None else x @ model.fc1[0] + model.fc1[1]
    out = np.zeros((len(x), model.down.shape[2]))
    for token in range(len(x)):
        for index, weight in zip(ids[token], weights[token], strict=True):
            out[token] += weight * expert(model, index, rows[token])
    return out if model.fc2 is None else out @ model.fc2[0] + model.fc2[1]


def wrong_tokens(model: Model, logits: Any, ids: Any, gap: float = 1e-6) -> list[int]:
    """Return the tokens whose ids are others than the reference's, near-ties excepted.

    A difference is a near-tie if swapping scores less than `gap` apart, of experts or of groups, explains it.
    """
    expected = choose(model, logits)
    biased = biased_scores(model, logits)
    groups = group_scores(model, biased)
    size = biased.shape[1] // model.n_group
    wrong = []
    for token in range(len(ids)):
        got, wanted = set(ids[token].tolist()), set(expected[token].tolist())
        if got == wanted:
            continue
        if len(got) != model.top_k:
            wrong.append(token)
            continue
        pairs = zip(sorted(biased[token][list(got - wanted)]), sorted(biased[token][list(wanted - got)]), strict=True)
        if all(abs(a - b) < gap for a, b in pairs):
            continue
        ranked = np.sort(groups[token])[::-1]
        is_group_tie = 0 < model.topk_group < model.n_group and (
            ranked[model.topk_group - 1] - ranked[model.topk_group] < gap
        )
        chosen_groups = {index // size for index in got}
        if not (is_group_tie and len(chosen_groups) <= model.topk_group):
            wrong.append(token)
    return wrong
