"""Plain-Python stand-ins for the operators: routing, dispatch, experts, reduction, weight quantisation.

T tokens, H the width the experts see, I the intermediate width, E experts, K experts a token.
"""

from __future__ import annotations

import math

from . import nn


def add(x: nn.Tensor, y: nn.Tensor) -> nn.Tensor:
    """Return x + y, of one shape."""
    return [[a + b for a, b in zip(left, right, strict=True)] for left, right in zip(x, y, strict=True)]


def matmul(x: nn.Tensor, weight: nn.Tensor) -> nn.Tensor:
    """Return x @ weight."""
    columns = list(zip(*weight, strict=True))
    return [[sum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in x]


def _largest(scores: list[float], count: int) -> list[int]:
    """Return the indices of the `count` largest scores, the lower index first among equals."""
    return sorted(range(len(scores)), key=lambda expert: -scores[expert])[:count]


def get_moe_scores(
    gate_out: nn.Tensor, top_k: int, bias: list[float], routed_scaling_factor: float
) -> tuple[nn.Tensor, list[list[int]]]:
    """Route by sigmoid; the bias helps to choose the experts, and is no part of the weights.

    Returns the weights and the expert ids, both [T, K].
    """
    weights, topk_ids = [], []
    for logits in gate_out:
        scores = [1.0 / (1.0 + math.exp(-logit)) for logit in logits]
        chosen = _largest([score + b for score, b in zip(scores, bias, strict=True)], top_k)
        total = sum(scores[expert] for expert in chosen)
        weights.append([scores[expert] / total * routed_scaling_factor for expert in chosen])
        topk_ids.append(chosen)
    return weights, topk_ids


def moe_topk_select(gate_out: nn.Tensor, top_k: int) -> tuple[nn.Tensor, list[list[int]]]:
    """Route by softmax over the chosen experts. Returns the weights and the expert ids, both [T, K]."""
    weights, topk_ids = [], []
    for logits in gate_out:
        chosen = _largest(logits, top_k)
        powers = [math.exp(logits[expert] - logits[chosen[0]]) for expert in chosen]
        weights.append([power / sum(powers) for power in powers])
        topk_ids.append(chosen)
    return weights, topk_ids


def select_experts(layer: nn.Layer, gate_out: nn.Tensor) -> tuple[nn.Tensor, list[list[int]]]:
    """Route as `layer.topk_method` says."""
    if layer.topk_method == "noaux_tc":
        return get_moe_scores(gate_out, layer.top_k, layer.gate_correction_bias, layer.routed_scaling_factor)
    return moe_topk_select(gate_out, layer.top_k)


def moe_expert_dispatch(
    x: nn.Tensor, topk_ids: list[list[int]], num_experts: int
) -> tuple[nn.Tensor, list[int], list[list[int]]]:
    """Sort the T*K routed rows by expert.

    Returns the rows [T*K, H], how many of them each expert has [E], and where each row went [T, K].
    """
    routed = [(expert, token, k) for token, ids in enumerate(topk_ids) for k, expert in enumerate(ids)]
    permuted: nn.Tensor = []
    token_nums_per_expert = [0] * num_experts
    permute_indices = [[0] * len(ids) for ids in topk_ids]
    for position, (expert, token, k) in enumerate(sorted(routed)):
        permuted.append(x[token])
        token_nums_per_expert[expert] += 1
        permute_indices[token][k] = position
    return permuted, token_nums_per_expert, permute_indices


def _swiglu(row: list[float]) -> list[float]:
    """Return silu(gate) * up, the gate in the first half of the row."""
    half = len(row) // 2
    return [gate / (1.0 + math.exp(-gate)) * up for gate, up in zip(row[:half], row[half:], strict=True)]


def moe_expert_ffn(
    permute_input: nn.Tensor,
    token_nums_per_expert: list[int],
    up_gate_proj_weight: list[nn.Tensor],
    down_proj_weight: list[nn.Tensor],
) -> nn.Tensor:
    """Run each expert on its block of rows: down(swiglu(up_gate(rows))), weights [H, 2I] and [I, H]."""
    out: nn.Tensor = []
    for count, up_gate, down in zip(token_nums_per_expert, up_gate_proj_weight, down_proj_weight, strict=True):
        rows = permute_input[len(out) : len(out) + count]
        out += matmul([_swiglu(row) for row in matmul(rows, up_gate)], down)
    return out


def moe_expert_reduce(ffn_out: nn.Tensor, weights: nn.Tensor, permute_indices: list[list[int]]) -> nn.Tensor:
    """Bring the rows back to their tokens: the sum over K of weight * row."""
    out: nn.Tensor = []
    for token_weights, positions in zip(weights, permute_indices, strict=True):
        rows = [ffn_out[position] for position in positions]
        out += matmul([token_weights], rows)
    return out


def quantize(parameter: nn.Parameter) -> None:
    """Divide each expert's weight by a power of two of its own.

    Real kernels also round; this does not, so that every backend computes the same numbers.
    """
    largest = [max(abs(value) for row in weight for value in row) for weight in parameter.data]
    parameter.scale = [math.ldexp(1.0, math.frexp(value)[1]) for value in largest]
    parameter.data = _scaled(parameter.data, [1.0 / scale for scale in parameter.scale])


def dequantize(parameter: nn.Parameter) -> list[nn.Tensor]:
    """Return the weights that `quantize` was given."""
    return _scaled(parameter.data, parameter.scale)


def _scaled(weights: list[nn.Tensor], scales: list[float]) -> list[nn.Tensor]:
    """Return each weight times its scale."""
    return [[[value * scale for value in row] for row in weight] for weight, scale in zip(weights, scales, strict=True)]
