"""The seam to the kernels: six functions with FastDeploy's names and argument order.

Each call is computed by FastDeploy's own GPU operator where that can be imported, the data are on a GPU, and it has a kernel for
their dtype; else by Paddle. `FASTDEPLOY_MOE_OPS=auto|paddle|fastdeploy` decides otherwise, and is read at each call.

T tokens, E experts, K experts a token, L the width the experts see, I their inner width.
"""

from __future__ import annotations

from typing import Any

import paddle

from fastdeploy_moe.ops import collective, experts, permutation, routing
from fastdeploy_moe.ops.precision import DTYPES, HALF_DTYPES
from fastdeploy_moe.ops.selection import find_operator

__all__ = [
    "eight_outputs",
    "get_moe_scores",
    "moe_expert_dispatch",
    "moe_expert_ffn",
    "moe_expert_reduce",
    "moe_topk_select",
    "tensor_model_parallel_all_reduce",
]

_FP32 = (paddle.float32,)


def get_moe_scores(
    gating_output: Any,
    n_group: int,
    topk_group: int,
    top_k: int,
    routed_scaling_factor: float,
    e_score_correction_bias: Any,
    renormalize: bool = False,
) -> tuple[Any, Any, Any]:
    """Route by `noaux_tc`: scores fp32 `[T, E]`, weights fp32 `[T, K]`, ids int32 `[T, K]`. See `ops.routing`."""
    operator = find_operator("get_moe_scores", gating_output, _FP32)
    compute = routing.get_moe_scores if operator is None else operator
    scores, weights, ids = compute(
        gating_output, n_group, topk_group, top_k, routed_scaling_factor, e_score_correction_bias, renormalize
    )
    return scores, weights, ids


def moe_topk_select(
    gating_output: Any,
    bias: Any,
    top_k: int,
    apply_norm_weight: bool = True,
    enable_softmax_top_k_fused: bool = False,
) -> tuple[Any, Any]:
    """Route by softmax: ids int64 `[T, K]`, weights fp32 `[T, K]`. See `ops.routing`."""
    operator = find_operator("moe_topk_select", gating_output, _FP32)
    compute = routing.moe_topk_select if operator is None else operator
    ids, weights = compute(gating_output, bias, top_k, apply_norm_weight, enable_softmax_top_k_fused)
    return ids, weights


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
    """Sort the T*K routed rows by expert; eight values, see `ops.permutation`.

    `topk_ids` and `topk_weights`, which FastDeploy's operator does not take, are what an earlier call selected; Paddle's path
    selects nothing again then. FastDeploy's does, from the same scores; what counts afterwards are the ids and weights that
    come back. Its number of outputs grew from 6 to 7 and 8: the missing ones are None.
    """
    arguments = (
        x,
        gating_output,
        gating_correction_bias,
        w4a8_in_scale,
        moe_topk,
        group_moe,
        moe_quant_type,
    )
    operator = find_operator("moe_expert_dispatch", x, HALF_DTYPES)
    if operator is not None:
        return eight_outputs(operator(*arguments, topk_only_mode=topk_only_mode))
    return permutation.moe_expert_dispatch(
        *arguments, topk_only_mode=topk_only_mode, topk_ids=topk_ids, topk_weights=topk_weights
    )


def eight_outputs(outputs: Any) -> tuple[Any, ...]:
    """Return what a dispatch gave as eight values, None for the dequantisation scale and the most rows where it lacks them.

    Raises:
        ValueError: it is not of 6, 7 or 8 values.
    """
    given = tuple(outputs)
    if len(given) not in (6, 7, 8):
        raise ValueError(
            f"moe_expert_dispatch gave {len(given)} values; known are 6, 7 and 8: this FastDeploy is another one"
        )
    return (*given, *(None,) * (8 - len(given)))


def moe_expert_ffn(
    permute_input: Any,
    tokens_expert_prefix_sum: Any,
    up_gate_proj_weight: Any,
    down_proj_weight: Any,
    up_gate_proj_bias: Any = None,
    up_gate_proj_scale: Any = None,
    down_proj_scale: Any = None,
    down_proj_in_scale: Any = None,
    expert_idx_per_token: Any = None,
    quant_method: str = "w16a16",
    used_in_ep_low_latency: bool = False,
    estimate_total_token_nums: int = -1,
    hadamard_block_size: int = 128,
    activation: str = "swiglu",
) -> Any:
    """Run each expert on its rows, `[T*K, L]` to `[T*K, L]`. See `ops.experts`.

    FastDeploy's operator is given swiglu only: it runs that whatever else is asked for.
    """
    lacks = "" if activation == "swiglu" else f"activation {activation!r}"
    operator = find_operator("moe_expert_ffn", permute_input, HALF_DTYPES, lacks)
    compute = experts.moe_expert_ffn if operator is None else operator
    return compute(
        permute_input,
        tokens_expert_prefix_sum,
        up_gate_proj_weight,
        down_proj_weight,
        up_gate_proj_bias,
        up_gate_proj_scale,
        down_proj_scale,
        down_proj_in_scale,
        expert_idx_per_token,
        quant_method,
        used_in_ep_low_latency,
        estimate_total_token_nums,
        hadamard_block_size,
        activation,
    )


def moe_expert_reduce(
    ffn_out: Any,
    top_k_weight: Any,
    permute_indices_per_token: Any,
    top_k_indices: Any,
    down_proj_bias: Any = None,
    norm_topk_prob: bool = False,
    routed_scaling_factor: float = 1.0,
) -> Any:
    """Bring the rows back to their tokens, weighted: `[T, L]`. See `ops.permutation`."""
    operator = find_operator("moe_expert_reduce", ffn_out, HALF_DTYPES)
    compute = permutation.moe_expert_reduce if operator is None else operator
    return compute(
        ffn_out,
        top_k_weight,
        permute_indices_per_token,
        top_k_indices,
        down_proj_bias,
        norm_topk_prob,
        routed_scaling_factor,
    )


def tensor_model_parallel_all_reduce(input_: Any, group_: Any = None) -> Any:
    """Return the sum of a tensor over the tensor-parallel ranks. See `ops.collective`."""
    operator = find_operator("tensor_model_parallel_all_reduce", input_, DTYPES)
    compute = collective.tensor_model_parallel_all_reduce if operator is None else operator
    return compute(input_) if group_ is None else compute(input_, group_)
