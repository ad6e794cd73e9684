"""Which experts a token goes to, and with what weights. The work is done on the host, in NumPy.

Imports `host`.
T tokens, E experts, K experts a token.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle

from fastdeploy_moe.ops.host import tensor_of

_SUM_EPSILON = np.float32(1e-20)


def get_moe_scores(
    gating_output: Any,
    n_group: int,
    topk_group: int,
    top_k: int,
    routed_scaling_factor: float,
    e_score_correction_bias: Any,
    renormalize: bool = False,
) -> tuple[Any, Any, Any]:
    """Route by `noaux_tc`: sigmoid scores, a bias that helps to choose only, groups (DeepSeek-V3, equations 12 to 16).

    With s = sigmoid(logits) and b = s + bias, the score of a group is the sum of its two best b (of its only one in groups of
    one). Among the experts of the `topk_group` best groups those of the K best b are chosen; among equals, here as among
    groups, the lowest id. The weight is s, divided by (the sum of the K + 1e-20) if renormalised, times the scale.

    Args:
        gating_output: logits, `[T, E]`.
        n_group: groups of equal size; 0 and less mean 1.
        topk_group: groups that may be chosen from.
        top_k: K.
        routed_scaling_factor: the scale of the weights.
        e_score_correction_bias: fp32, E values; None for zeros.
        renormalize: divide by the sum.

    Returns:
        Scores, fp32 `[T, E]`, the weight of a chosen expert and zero elsewhere (what FastDeploy's dispatch selects from);
        weights, fp32 `[T, K]`; ids, int32 `[T, K]`, best first.
    """
    place = gating_output.place
    weights, ids = choose_noaux_tc(
        _host(gating_output),
        n_group,
        topk_group,
        top_k,
        routed_scaling_factor,
        _host(e_score_correction_bias),
        renormalize,
    )
    sparse = np.zeros(gating_output.shape, dtype=np.float32)
    sparse[np.arange(len(ids))[:, None], ids] = weights
    return tensor_of(sparse, place), tensor_of(weights, place), tensor_of(ids, place)


def choose_noaux_tc(
    logits: Any, n_group: int, topk_group: int, top_k: int, routed_scaling_factor: float, bias: Any, renormalize: bool
) -> tuple[Any, Any]:
    """As `get_moe_scores`, of fp32 arrays: weights, fp32 `[T, K]`, and ids, int32 `[T, K]`."""
    tokens, experts = logits.shape
    scores = _sigmoid(logits)
    biased = scores if bias is None else scores + bias.reshape(1, experts)
    if n_group > 1 and topk_group < n_group:
        size = experts // n_group
        grouped = biased.reshape(tokens, n_group, size)
        best = grouped if size <= 2 else np.partition(grouped, size - 2, axis=-1)[..., -2:]
        groups = _largest(best.sum(axis=-1, dtype=np.float32), topk_group)
        excluded = np.ones((tokens, n_group), dtype=bool)
        np.put_along_axis(excluded, groups, values=False, axis=1)
        keys = _keys(biased)
        keys.reshape(tokens, n_group, size)[excluded] = np.iinfo(np.int64).min
        ids = _best(keys, top_k, experts)
    else:
        ids = _largest(biased, top_k)
    weights = scores[np.arange(tokens)[:, None], ids]
    if renormalize:
        weights = weights / (weights.sum(axis=1, keepdims=True, dtype=np.float32) + _SUM_EPSILON)
    return weights * np.float32(routed_scaling_factor), ids.astype(np.int32)


def moe_topk_select(
    gating_output: Any,
    bias: Any,
    top_k: int,
    apply_norm_weight: bool = True,
    enable_softmax_top_k_fused: bool = False,  # noqa: ARG001  both ways of FastDeploy's kernel give the same values
) -> tuple[Any, Any]:
    """Route by softmax over all experts: the K best of p + bias, weighted with p.

    Args:
        gating_output: logits, `[T, E]`.
        bias: fp32, E values; None for zeros.
        top_k: K.
        apply_norm_weight: divide the weights by their sum, without an epsilon.
        enable_softmax_top_k_fused: how FastDeploy's kernel computes it; without effect here.

    Returns:
        Ids, int64 `[T, K]`, best first, the lowest id first among equals; weights, fp32 `[T, K]`.
    """
    ids, weights = choose_softmax(_host(gating_output), _host(bias), top_k, apply_norm_weight)
    return tensor_of(ids, gating_output.place), tensor_of(weights, gating_output.place)


def choose_softmax(logits: Any, bias: Any, top_k: int, apply_norm_weight: bool) -> tuple[Any, Any]:
    """As `moe_topk_select`, of fp32 arrays: ids, int64 `[T, K]`, and weights, fp32 `[T, K]`."""
    experts = logits.shape[1]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = powers / powers.sum(axis=1, keepdims=True, dtype=np.float32)
    biased = probabilities if bias is None else probabilities + bias.reshape(1, experts)
    ids = _largest(biased, top_k)
    weights = probabilities[np.arange(len(ids))[:, None], ids]
    if apply_norm_weight:
        with np.errstate(invalid="ignore"):  # where the bias chooses experts of probability 0 only
            weights = weights / weights.sum(axis=1, keepdims=True, dtype=np.float32)
    return ids, weights


def _host(tensor: Any) -> Any:
    """Return a tensor as an fp32 array, and None as None."""
    if tensor is None:
        return None
    return (tensor if tensor.dtype == paddle.float32 else tensor.cast(paddle.float32)).numpy()


def _sigmoid(logits: Any) -> Any:
    """Return the sigmoid of fp32 logits, which neither overflows nor loses a small value."""
    powers = np.exp(-np.abs(logits))
    return np.where(logits >= 0, np.float32(1), powers) / (np.float32(1) + powers)


def _largest(scores: Any, count: int) -> Any:
    """Return the ids `[T, count]`, int64, of the largest scores, the largest first and the lowest id first among equals."""
    experts = scores.shape[1]
    if len(scores) == 1:  # a stable sort, backwards: slower for many rows, but a fraction of the calls
        return experts - 1 - scores[:, ::-1].argsort(axis=1, kind="stable")[:, : -count - 1 : -1]
    return _best(_keys(scores), count, experts)


def _keys(scores: Any) -> Any:
    """Return int64 keys `[T, E]` that order as the fp32 scores do and, among equals, the lower id above the higher.

    The bits of an fp32 number, read as an int32, order as the numbers do once those of a negative number, but for its sign,
    are flipped. `bits * E + (E - 1 - id)` then tells equals apart.
    """
    bits = np.ascontiguousarray(scores + np.float32(0)).view(np.int32)  # -0 + 0 is 0: the zeros are equals
    ordered = bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))
    experts = scores.shape[1]
    return ordered.astype(np.int64) * experts + np.arange(experts - 1, -1, -1)


def _best(keys: Any, count: int, experts: int) -> Any:
    """Return the ids `[T, count]`, int64, of the largest keys, the largest first."""
    largest = np.sort(keys, axis=1)[:, : -count - 1 : -1]
    return experts - 1 - largest % experts
