"""The experts themselves: two products with the activation between, for each expert that has rows.

Imports `host` and `precision`. E experts, L the width they see, I their inner width, N rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import paddle
import paddle.nn.functional as F  # noqa: N812  the name everyone knows

from fastdeploy_moe.configuration import ACTIVATIONS
from fastdeploy_moe.ops.host import numpy_multiplies, tensor_of, view
from fastdeploy_moe.ops.precision import is_bridged, round_to, widen


def _swiglu(hidden: Any) -> Any:
    """Return silu(gate) * up, `[N, I]`, of `[N, 2I]` with the gate in the first half."""
    gate, up = paddle.split(hidden, 2, axis=-1)
    return F.silu(gate) * up


def _relu2(hidden: Any) -> Any:
    """Return relu(hidden) ** 2, `[N, I]` (Nemotron's LatentMoE: no gate)."""
    positive = F.relu(hidden)
    return positive * positive


def _swiglu_of_array(hidden: Any) -> Any:
    """As `_swiglu`, of an array, which it overwrites."""
    gate, up = np.split(hidden, 2, axis=-1)
    up *= gate / (np.float32(1) + np.exp(-gate))  # where exp(-gate) is infinite, silu is zero
    return up


def _relu2_of_array(hidden: Any) -> Any:
    """As `_relu2`, of an array, which it overwrites."""
    np.maximum(hidden, 0, out=hidden)
    return np.square(hidden, out=hidden)


_FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "swiglu": (_swiglu, _swiglu_of_array),
    "relu2": (_relu2, _relu2_of_array),
}
"""Each activation, of a tensor and of an array."""


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
    counts = np.diff(tokens_expert_prefix_sum.numpy(), prepend=0)
    weights = (up_gate_proj_weight, down_proj_weight, up_gate_proj_bias)
    if permute_input.place.is_cpu_place() and numpy_multiplies():
        out = tensor_of(run_in_numpy(view(widen(permute_input)), counts, *weights, activation), permute_input.place)
        return round_to(out, permute_input.dtype)
    return _run_in_paddle(permute_input, counts, *weights, activation)


def _blocks(counts: Any) -> list[tuple[int, int, int]]:
    """Return the experts that have rows, the first row of each and the one after its last."""
    (experts,) = counts.nonzero()
    stops = counts[experts].cumsum().tolist()
    return list(zip(experts.tolist(), (0, *stops), stops, strict=False))


@np.errstate(all="ignore")
def run_in_numpy(rows: Any, counts: Any, up_gate: Any, down: Any, bias: Any, activation: str) -> Any:
    """As `moe_expert_ffn`, of fp32 rows in an array and the number of those of each expert; the weights are tensors on the CPU.

    Weights of fp32 are not copied, others are widened one expert at a time.
    """
    _, act = _FUNCTIONS[activation]
    up_gate_of, down_of = _matrices(up_gate), _matrices(down)
    bias_of = None if bias is None else _matrices(bias)
    out = np.empty((len(rows), down.shape[-1]), dtype=np.float32)
    for expert, start, end in _blocks(counts):
        hidden = np.matmul(rows[start:end], up_gate_of(expert))
        if bias_of is not None:
            hidden += bias_of(expert)
        np.matmul(act(hidden), down_of(expert), out=out[start:end])
    return out


def _matrices(stacked: Any) -> Callable[[int], Any]:
    """Return what gives an expert's part of a stacked tensor on the CPU, as an array of fp32."""
    if is_bridged(stacked):
        return lambda expert: view(widen(stacked[expert]))
    values = view(stacked)
    return lambda expert: values[expert]


def _run_in_paddle(rows: Any, counts: Any, up_gate: Any, down: Any, bias: Any, activation: str) -> Any:
    """As `moe_expert_ffn`, on tensors: in the dtype of the rows, and on the CPU in fp32."""
    act, _ = _FUNCTIONS[activation]
    values, hit = widen(rows), _blocks(counts)
    dtype = values.dtype
    if not hit:
        return paddle.zeros([0, down.shape[-1]], dtype=rows.dtype)
    blocks = paddle.split(values, [end - start for _, start, end in hit]) if len(hit) > 1 else [values]
    out = []
    for (expert, _, _), block in zip(hit, blocks, strict=True):
        hidden = paddle.matmul(block, widen(up_gate[expert]).cast(dtype))
        if bias is not None:
            hidden = hidden + widen(bias[expert]).cast(dtype)
        out.append(paddle.matmul(act(hidden), widen(down[expert]).cast(dtype)))
    return round_to(paddle.concat(out) if len(out) > 1 else out[0], rows.dtype)
