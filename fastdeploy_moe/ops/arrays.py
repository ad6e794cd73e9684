"""A whole layer on the CPU, from the gate to fc2: the operators' arrays, without the tensors between them.

After the weights of a few experts have been through the cache, a tensor costs as much as a product of one token, and the operators make
a dozen of them.

Imports `host`, `experts`, `permutation`, `routing`, `precision` and `selection`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import paddle

from fastdeploy_moe.configuration import MoEConfiguration
from fastdeploy_moe.ops import experts, permutation, routing
from fastdeploy_moe.ops.host import numpy_multiplies, tensor_of, view
from fastdeploy_moe.ops.precision import call_on_tokens, is_plain_linear, multiply, round_to, widen
from fastdeploy_moe.ops.selection import find_operator


def are_enough(x: Any, configuration: MoEConfiguration) -> bool:
    """Are the tokens on the CPU, products NumPy's there, and no other ranks to be asked?

    Raises:
        RuntimeError: as `find_operator`, as do the operators.
        ValueError: see there.
    """
    is_alone = configuration.tp_size == 1 or not configuration.reduce_results
    return is_alone and x.place.is_cpu_place() and find_operator("get_moe_scores", x, ()) is None and numpy_multiplies()


def run(
    layer: Any,
    configuration: MoEConfiguration,
    x: Any,
    gate: Any,
    topk_ids_hookfunc: Callable[..., Any] | None,
    fc1_latent_proj: Any,
    fc2_latent_proj: Any,
    up_gate_proj_weight: Any,
    down_proj_weight: Any,
) -> Any:
    """Return what the operators give, bit for bit: `[T, H]`, fp32.

    Args:
        layer: has the biases, see `MoEConfiguration.from_layer`.
        configuration: of the layer.
        x: `[T, H]`, at least one token.
        gate: see `CutlassMoEMethod.apply_tp`, as the next three.
        topk_ids_hookfunc: see there.
        fc1_latent_proj: see there.
        fc2_latent_proj: see there.
        up_gate_proj_weight: of the layer, see `ops.experts`, as the next.
        down_proj_weight: see there.

    Raises:
        ValueError: the gate or `fc1_latent_proj` gives another width.
    """
    place, x = x.place, widen(x)
    values = view(x)
    logits = _apply("gate", gate, x, values)
    configuration.check_logits(logits.shape, len(values))
    weights, ids = _choose(logits, configuration, getattr(layer, "gate_correction_bias", None))
    if topk_ids_hookfunc is not None:
        shown = tensor_of(ids, place)
        topk_ids_hookfunc(topk_ids=shown)
        ids = shown.numpy()
    if fc1_latent_proj is not None:
        values = _apply("fc1_latent_proj", fc1_latent_proj, x, values)
    configuration.check_width(values.shape[-1], projected=fc1_latent_proj is not None)
    order, places, counts = permutation.sort_by_expert(ids, configuration.num_experts)
    rows = experts.run_in_numpy(
        values.take(order // configuration.top_k, axis=0),
        counts,
        up_gate_proj_weight,
        down_proj_weight,
        getattr(layer, "up_gate_proj_bias", None),
        configuration.activation,
    )
    bias = getattr(layer, "down_proj_bias", None) if configuration.tp_rank == 0 else None
    norm = configuration.topk_method != "noaux_tc"
    values = permutation.sum_by_token(rows, weights, places, ids, bias, norm, 1.0)
    product = multiply(fc2_latent_proj, values) if is_plain_linear(fc2_latent_proj) else None
    if product is not None:
        return tensor_of(product, place)
    out = tensor_of(values, place)
    return out if fc2_latent_proj is None else call_on_tokens("fc2_latent_proj", fc2_latent_proj, out)


def _apply(name: str, module: Any, x: Any, values: Any) -> Any:
    """Return `module(x)` as an fp32 array; `values` are those of `x`, `name` is what the module is."""
    product = multiply(module, values) if is_plain_linear(module) else None
    return view(round_to(widen(call_on_tokens(name, module, x)), paddle.float32)) if product is None else product


def _choose(logits: Any, configuration: MoEConfiguration, bias: Any) -> tuple[Any, Any]:
    """Return weights, fp32 `[T, K]`, and ids, int32 or int64 `[T, K]`: what the operators of the routing choose."""
    correction = None if bias is None else bias.numpy()
    if configuration.topk_method == "noaux_tc":
        return routing.choose_noaux_tc(
            logits,
            configuration.n_group,
            configuration.topk_group,
            configuration.top_k,
            configuration.routed_scaling_factor,
            correction,
            configuration.renormalize,
        )
    ids, weights = routing.choose_softmax(logits, correction, configuration.top_k, apply_norm_weight=False)
    return weights, ids
