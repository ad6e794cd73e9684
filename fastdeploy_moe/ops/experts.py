"""The experts themselves: two products with the activation between, for each expert that has rows.

Imports `precision`. E experts, L the width they see, I their inner width, N rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import paddle
import paddle.nn.functional as F  # noqa: N812  the name everyone knows

from fastdeploy_moe.configuration import ACTIVATIONS
from fastdeploy_moe.ops.precision import round_to, widen


def _swiglu(hidden: Any) -> Any:
    """Return silu(gate) * up, `[N, I]`, of `[N, 2I]` with the gate in the first half."""
    gate, up = paddle.split(hidden, 2, axis=-1)
    return F.silu(gate) * up


def _relu2(hidden: Any) -> Any:
    """Return relu(hidden) ** 2, `[N, I]` (Nemotron's LatentMoE: no gate)."""
    positive = F.relu(hidden)
    return positive * positive


_MANY_EXPERTS = 16
"""From so many hit experts on their weights are not in the processor's cache from the last call."""

_FEW_ROWS = 16
"""Up to so many rows a CPU's product waits for the weight, which MKL reads in strides: copied first, in order, it takes 10 to 20 %
less for both together."""

_FUNCTIONS: dict[str, Callable[[Any], Any]] = {"swiglu": _swiglu, "relu2": _relu2}


def moe_expert_ffn(
    permute_input: Any,
    tokens_expert_prefix_sum: Any,
    up_gate_proj_weight: Any,
    down_proj_weight: Any,
    up_gate_proj_bias: Any = None,
    up_gate_proj_scale: Any = None,
    down_proj_scale: Any = None,
    down_proj_in_scale: Any = None,
    expert_idx_per_token: Any = None,  # noqa: ARG001  the prefix sums tell the same
    quant_method: str = "w16a16",
    used_in_ep_low_latency: bool = False,
    estimate_total_token_nums: int = -1,  # noqa: ARG001  a hint for choosing a GEMM configuration
    hadamard_block_size: int = 128,  # noqa: ARG001  read with w4a8 only
    activation: str = "swiglu",
) -> Any:
    """Run each expert on its rows: `act(rows @ W1[e] + b1[e]) @ W2[e]`.

    On the CPU everything is computed in fp32, elsewhere in the dtype of the rows.

    Args:
        permute_input: `[N, L]`, the rows of expert 0 first.
        tokens_expert_prefix_sum: inclusive prefix sums of the rows of each expert, int64 `[E]`.
        up_gate_proj_weight: `[E, L, 2I]` for swiglu, the gate in the first half; `[E, L, I]` for relu2.
        down_proj_weight: `[E, I, L]`.
        up_gate_proj_bias: `[E, 2I]` or `[E, I]`; or None.
        up_gate_proj_scale: of quantised weights: refused here, as the next two.
        down_proj_scale: see there.
        down_proj_in_scale: see there.
        expert_idx_per_token: each row's expert; not needed here.
        quant_method: only "w16a16" here.
        used_in_ep_low_latency: rows in padded blocks: refused here.
        estimate_total_token_nums: a hint, without effect here.
        hadamard_block_size: of w4a8, without effect here.
        activation: "swiglu" or "relu2".

    Returns:
        `[N, L]` in the dtype of the rows.

    Raises:
        ValueError: an activation that is not known. (FastDeploy's operator runs swiglu instead.)
        NotImplementedError: quantised weights, or low-latency expert parallelism.
    """
    if activation not in _FUNCTIONS:
        raise ValueError(f"activation: {activation!r} is not known; known are {', '.join(ACTIVATIONS)}")
    scales = (up_gate_proj_scale, down_proj_scale, down_proj_in_scale)
    if quant_method != "w16a16" or used_in_ep_low_latency or any(scale is not None for scale in scales):
        raise NotImplementedError(
            f"moe_expert_ffn in Paddle: quant_method={quant_method!r}, scales and used_in_ep_low_latency need FastDeploy's "
            "operators on a GPU"
        )
    act = _FUNCTIONS[activation]
    dtype = permute_input.dtype
    width = down_proj_weight.shape[-1]
    ends = tokens_expert_prefix_sum.numpy().tolist()
    hit = [
        (expert, end - start)
        for expert, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True))
        if end > start
    ]
    if not hit:
        return paddle.zeros([0, width], dtype=dtype)
    working = paddle.float32 if permute_input.place.is_cpu_place() else dtype
    rows = widen(permute_input)
    is_wide = up_gate_proj_weight.dtype == working and down_proj_weight.dtype == working
    are_many = len(hit) >= _MANY_EXPERTS
    ups, downs = (  # views: all at once cost less than one by one, from a few on
        paddle.unbind(stacked) if are_many else stacked for stacked in (up_gate_proj_weight, down_proj_weight)
    )
    is_cold = is_wide and are_many and permute_input.place.is_cpu_place()

    def weight_of(weights: Any, expert: int, count: int) -> Any:
        weight = weights[expert]
        if is_cold and count <= _FEW_ROWS:
            return weight.clone()
        return weight if is_wide else widen(weight).cast(working)

    blocks = paddle.split(rows, [count for _, count in hit]) if len(hit) > 1 else [rows]
    out = []
    for (expert, count), block in zip(hit, blocks, strict=True):
        hidden = paddle.matmul(block, weight_of(ups, expert, count))
        if up_gate_proj_bias is not None:
            hidden = hidden + widen(up_gate_proj_bias[expert]).cast(working)
        out.append(paddle.matmul(act(hidden), weight_of(downs, expert, count)))
    return round_to(paddle.concat(out) if len(out) > 1 else out[0], dtype)
