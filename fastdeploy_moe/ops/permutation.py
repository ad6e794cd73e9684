"""Rows in the order of their experts, and back. Index work is done on the host, in NumPy.

Imports `host`, `precision` and `routing`. T tokens, E experts, K experts a token, L the width the experts see.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle

from fastdeploy_moe.ops.host import take, tensor_of, view
from fastdeploy_moe.ops.precision import round_to, widen
from fastdeploy_moe.ops.routing import moe_topk_select


def moe_expert_dispatch(
    x: Any,
    gating_output: Any,
    gating_correction_bias: Any = None,
    w4a8_in_scale: Any = None,
    moe_topk: int = 1,
    group_moe: bool = False,
    moe_quant_type: str = "w16a16",
    topk_only_mode: bool = False,
    *,
    topk_ids: Any = None,
    topk_weights: Any = None,
) -> tuple[Any, ...]:
    """Sort the T*K routed rows by expert, stably: within an expert they stand in the order of tokens.

    Args:
        x: `[T, L]`.
        gating_output: `[T, E]`: logits, or in `topk_only_mode` scores that are weights already.
        gating_correction_bias: helps to choose the experts; E values or None.
        w4a8_in_scale: the scale of quantised rows: refused here.
        moe_topk: K.
        group_moe: top-1 in each of K groups: refused here.
        moe_quant_type: as in FastDeploy; only "w16a16" here.
        topk_only_mode: select from `gating_output` as it is, without a softmax.
        topk_ids: `[T, K]`, of an earlier selection. With both of these nothing is selected again.
        topk_weights: `[T, K]`, fp32.

    Returns:
        As FastDeploy's operator in its present form, of arity 8: rows `[T*K, L]`; inclusive prefix sums of the rows of each
        expert, int64 `[E]`; for each token and choice the place of its row, int32 `[K, T]`; weights, fp32 `[T, K]`; ids, int32
        `[T, K]`; for each row its expert, int32 `[T*K]`, ascending; None (no dequantisation scale); the most rows of an
        expert, int32 `[1]`.

    Raises:
        NotImplementedError: quantised rows or grouped experts.
    """
    if w4a8_in_scale is not None or moe_quant_type != "w16a16" or group_moe:
        raise NotImplementedError(
            f"moe_expert_dispatch in Paddle: w4a8_in_scale, group_moe and moe_quant_type={moe_quant_type!r} need FastDeploy's "
            "operators on a GPU"
        )
    experts = gating_output.shape[1]
    if topk_ids is None or topk_weights is None:
        topk_ids, topk_weights = _select(gating_output, gating_correction_bias, moe_topk, topk_only_mode)
    ids = topk_ids.numpy()
    order, places, counts = sort_by_expert(ids, experts)
    place = x.place
    return (
        round_to(take(widen(x), order // ids.shape[1]), x.dtype),  # exact
        tensor_of(counts.cumsum(dtype=np.int64), place),
        tensor_of(places.T, place),
        topk_weights,
        topk_ids if topk_ids.dtype == paddle.int32 else topk_ids.cast(paddle.int32),
        tensor_of(ids.reshape(-1)[order].astype(np.int32), place),
        None,
        tensor_of(counts.max(initial=0, keepdims=True).astype(np.int32), place),
    )


def sort_by_expert(ids: Any, experts: int) -> tuple[Any, Any, Any]:
    """Return where each sorted row comes from `[T*K]`, where each of `ids` goes, int32 `[T, K]`, and the rows of each expert `[E]`."""
    flat = ids.reshape(-1)
    # NumPy sorts 16-bit integers by radix, and stably.
    order = (flat.astype(np.uint16) if experts <= 1 << 16 else flat).argsort(kind="stable")
    places: Any = np.empty(len(flat), dtype=np.int32)
    places[order] = np.arange(len(flat), dtype=np.int32)
    return order, places.reshape(ids.shape), np.bincount(flat, minlength=experts)


def _select(gating_output: Any, bias: Any, top_k: int, topk_only_mode: bool) -> tuple[Any, Any]:
    """Return ids and weights `[T, K]`, as the operator selects them by itself."""
    if not topk_only_mode:
        return moe_topk_select(gating_output, bias, top_k, apply_norm_weight=False)
    scores = gating_output.numpy()
    biased = scores if bias is None else scores + bias.numpy().reshape(1, -1)
    ids = np.argsort(-biased, axis=1, kind="stable")[:, :top_k]
    place = gating_output.place
    return tensor_of(ids, place), tensor_of(np.take_along_axis(scores, ids, axis=1), place)


def moe_expert_reduce(
    ffn_out: Any,
    top_k_weight: Any,
    permute_indices_per_token: Any,
    top_k_indices: Any,
    down_proj_bias: Any = None,
    norm_topk_prob: bool = False,
    routed_scaling_factor: float = 1.0,
) -> Any:
    """Bring the rows back to their tokens: the sum over K of weight * (row + bias of its expert), in fp32.

    Args:
        ffn_out: `[T*K, L]`, in the order of `moe_expert_dispatch`.
        top_k_weight: fp32 `[T, K]`.
        permute_indices_per_token: `[K, T]`.
        top_k_indices: `[T, K]`; read only with a bias.
        down_proj_bias: `[E, L]` or None.
        norm_topk_prob: divide the weights by their sum, without an epsilon.
        routed_scaling_factor: multiplies the sum.

    Returns:
        `[T, L]`, in the dtype of `ffn_out`.
    """
    top_k, tokens = permute_indices_per_token.shape
    if tokens == 0:
        return paddle.zeros([0, ffn_out.shape[-1]], dtype=ffn_out.dtype)
    if ffn_out.place.is_cpu_place():
        out = sum_by_token(
            view(widen(ffn_out)),
            top_k_weight.numpy(),
            permute_indices_per_token.numpy().T,
            top_k_indices.numpy(),
            down_proj_bias,
            norm_topk_prob,
            routed_scaling_factor,
        )
        return round_to(tensor_of(out, ffn_out.place), ffn_out.dtype)
    weights = top_k_weight
    if norm_topk_prob:
        weights = weights / weights.sum(axis=1, keepdim=True)
    if routed_scaling_factor != 1.0:
        weights = weights * routed_scaling_factor
    rows = paddle.gather(ffn_out, permute_indices_per_token.transpose([1, 0]).reshape([-1])).cast(paddle.float32)
    if down_proj_bias is not None:
        rows = rows + paddle.gather(down_proj_bias, top_k_indices.reshape([-1])).cast(paddle.float32)
    out = paddle.bmm(weights.reshape([tokens, 1, top_k]), rows.reshape([tokens, top_k, -1]))
    return out.reshape([tokens, -1]).cast(ffn_out.dtype)


@np.errstate(all="ignore")
def sum_by_token(
    rows: Any, weights: Any, places: Any, ids: Any, down_proj_bias: Any, norm_topk_prob: bool, scale: float
) -> Any:
    """As `moe_expert_reduce`, of arrays but for the bias, and of some tokens; `places` is `[T, K]`."""
    if norm_topk_prob:
        weights = weights / weights.sum(axis=1, keepdims=True)
    if scale != 1.0:
        weights = weights * np.float32(scale)
    rows = rows.take(places, axis=0)
    if down_proj_bias is not None:
        rows += view(widen(down_proj_bias)).take(ids, axis=0)
    return np.matmul(weights[:, None], rows)[:, 0]
