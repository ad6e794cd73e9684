"""The CUTLASS back end: the routed experts of one rank, with both, one or none of the latent projections.

The operators are names of this module, looked up at each call, so that a test can replace them here. On the CPU, while they are what
they were, `ops.arrays` computes the same without the tensors between them.
"""

from __future__ import annotations

from typing import Any, ClassVar

import paddle
from paddle import nn

from fastdeploy_moe.configuration import MoEConfiguration, read_activation
from fastdeploy_moe.layers.moe.fused_moe_backend_base import MoEMethodBase
from fastdeploy_moe.ops import (
    arrays,
    eight_outputs,
    get_moe_scores,
    moe_expert_dispatch,
    moe_expert_ffn,
    moe_expert_reduce,
    moe_topk_select,
    tensor_model_parallel_all_reduce,
)
from fastdeploy_moe.ops.precision import DTYPES, call_on_tokens, round_to, widen
from fastdeploy_moe.roles import Fc1LatentProj, Fc2LatentProj, Gate, TopkIdsHook


class CutlassMoEMethod(MoEMethodBase):
    """Experts of fp32, bf16 or fp16, unquantised ("w16a16"). For inference: no gradients."""

    supports_latent: ClassVar[bool] = True
    dtypes: ClassVar[tuple[str, ...]] = ("float32", "bfloat16", "float16")
    devices: ClassVar[tuple[str, ...]] = ("cpu", "gpu")

    def compute_ffn(
        self,
        layer: nn.Layer,
        permute_input: paddle.Tensor,
        token_nums_per_expert: paddle.Tensor,
        expert_idx_per_token: paddle.Tensor | None = None,
        used_in_ep_low_latency: bool = False,
        estimate_total_token_nums: int = -1,
        dequant_scale: paddle.Tensor | None = None,
        max_tokens_per_expert: paddle.Tensor | None = None,  # noqa: ARG002  a hint of FastDeploy's, for quantised experts
    ) -> paddle.Tensor:
        """Run the experts on rows that are sorted by expert.

        Args:
            layer: has `up_gate_proj_weight`, `down_proj_weight`, `activation` ("swiglu" or "relu2"; swiglu if it has none) and,
                optionally, `up_gate_proj_bias`.
            permute_input: `[N, L]`.
            token_nums_per_expert: inclusive prefix sums of the rows of each expert, int64 `[E]`.
            expert_idx_per_token: each row's expert.
            used_in_ep_low_latency: rows in padded blocks, which no path here makes.
            estimate_total_token_nums: a hint.
            dequant_scale: of quantised rows, which no path here makes.
            max_tokens_per_expert: a hint.

        Returns:
            `[N, L]`, without `down_proj_bias`, which the reduction adds.

        Raises:
            ValueError: the layer has no weights yet.
            NotImplementedError: quantised rows.
        """
        if dequant_scale is not None:
            raise NotImplementedError("CutlassMoEMethod: rows are not quantised here, so there is no dequant_scale")
        return moe_expert_ffn(
            permute_input,
            token_nums_per_expert,
            _weight(layer, "up_gate_proj_weight"),
            _weight(layer, "down_proj_weight"),
            getattr(layer, "up_gate_proj_bias", None),
            None,
            None,
            None,
            expert_idx_per_token,
            self.moe_quant_type,
            used_in_ep_low_latency,
            estimate_total_token_nums,
            activation=read_activation(layer),
        )

    def apply_tp(
        self,
        layer: nn.Layer,
        x: paddle.Tensor,
        gate: Gate,
        topk_ids_hookfunc: TopkIdsHook | None = None,
        fc1_latent_proj: Fc1LatentProj | None = None,
        fc2_latent_proj: Fc2LatentProj | None = None,
    ) -> paddle.Tensor:
        """Run the routed experts, all of which are on this rank: gate, routing, hook, fc1, experts, reduction, fc2.

        With `layer.tp_size` above 1 and `layer.reduce_results` the sum over the ranks is taken here, before `fc2_latent_proj`,
        whose bias then counts once. The caller must not reduce again.

        On the CPU a layer of half precision is computed in fp32, its projections and gate included, and rounded once.

        Args:
            layer: see `MoEConfiguration.from_layer`.
            x: `[T, H]`, fp32, bf16 or fp16; H is L unless `fc1_latent_proj` maps the one to the other.
            gate: maps x to the logits, `[T, E]`.
            topk_ids_hookfunc: called once, before the experts, with the keyword `topk_ids`: `[T, K]`.
            fc1_latent_proj: maps x to what the experts read, `[T, L]`.
            fc2_latent_proj: maps what they give, `[T, L]`, to the result.

        Returns:
            `[T, H]` in the dtype of x: the width of what `fc2_latent_proj` gives, or L without one.

        Raises:
            ValueError: a configuration, width or dtype that cannot be computed; the message names it.
        """
        configuration = MoEConfiguration.from_layer(layer)
        _check(x, configuration, fc2_latent_proj)
        with paddle.no_grad():
            if x.shape[0] == 0:
                return _nothing(x, configuration, topk_ids_hookfunc, fc1_latent_proj, fc2_latent_proj)
            arguments = (layer, configuration, x, gate, topk_ids_hookfunc, fc1_latent_proj, fc2_latent_proj)
            if self._is_unobserved() and arrays.are_enough(x, configuration):
                weights = _weight(layer, "up_gate_proj_weight"), _weight(layer, "down_proj_weight")
                out = arrays.run(*arguments, *weights)
            else:
                out = self._run_operators(*arguments)
            return round_to(out, x.dtype)

    def _is_unobserved(self) -> bool:
        """Is each operator, and `compute_ffn`, what it was? Then nobody sees what goes from one to the next."""
        is_own = type(self).compute_ffn is CutlassMoEMethod.compute_ffn and "compute_ffn" not in vars(self)
        return is_own and self.moe_quant_type == "w16a16" and _operators() == _OPERATORS

    def _run_operators(
        self,
        layer: nn.Layer,
        configuration: MoEConfiguration,
        x: paddle.Tensor,
        gate: Gate,
        topk_ids_hookfunc: TopkIdsHook | None,
        fc1_latent_proj: Fc1LatentProj | None,
        fc2_latent_proj: Fc2LatentProj | None,
    ) -> paddle.Tensor:
        """Compute a layer of at least one token, operator by operator."""
        logits = round_to(call_on_tokens("gate", gate, x), paddle.float32)
        configuration.check_logits(tuple(logits.shape), x.shape[0])
        scores, weights, ids = _route(layer, configuration, logits)
        if topk_ids_hookfunc is not None:
            topk_ids_hookfunc(topk_ids=ids)

        hidden = widen(x if fc1_latent_proj is None else call_on_tokens("fc1_latent_proj", fc1_latent_proj, x))
        configuration.check_width(hidden.shape[-1], projected=fc1_latent_proj is not None)
        is_noaux = configuration.topk_method == "noaux_tc"
        # get_moe_scores has used the correction bias already; a softmax that FastDeploy's operator repeats needs it.
        permuted, ends, places, weights, ids, expert_of_row, dequant_scale, most_rows = eight_outputs(
            moe_expert_dispatch(
                hidden,
                scores,
                None if is_noaux else getattr(layer, "gate_correction_bias", None),
                None,
                configuration.top_k,
                False,
                self.moe_quant_type,
                topk_only_mode=is_noaux,
                topk_ids=ids,
                topk_weights=weights,
            )
        )
        ffn_out = self.compute_ffn(layer, permuted, ends, expert_of_row, False, -1, dequant_scale, most_rows)
        out = moe_expert_reduce(
            ffn_out,
            weights,
            places,
            ids,
            getattr(layer, "down_proj_bias", None) if configuration.tp_rank == 0 else None,
            norm_topk_prob=not is_noaux,
            routed_scaling_factor=1.0,
        )
        if configuration.tp_size > 1 and configuration.reduce_results:
            out = tensor_model_parallel_all_reduce(out)
        return out if fc2_latent_proj is None else call_on_tokens("fc2_latent_proj", fc2_latent_proj, out)


def _operators() -> tuple[Any, ...]:
    """Return what the names of the operators stand for now. (`arrays` leaves other ranks to them.)"""
    return get_moe_scores, moe_topk_select, moe_expert_dispatch, moe_expert_ffn, moe_expert_reduce, eight_outputs


_OPERATORS = _operators()


def _weight(layer: nn.Layer, name: str) -> paddle.Tensor:
    """Return a weight of the layer, which must have it by now."""
    weight = getattr(layer, name, None)
    if weight is None:
        raise ValueError(f"{name} is missing: call create_weights and process_loaded_weights first")
    return weight


def _check(x: Any, configuration: MoEConfiguration, fc2_latent_proj: Any) -> None:
    """Refuse what is wrong before anything is computed."""
    if not isinstance(x, paddle.Tensor):
        raise ValueError(f"x is a {type(x).__name__}, not a tensor")  # noqa: TRY004  one kind of error for what x may not be
    if len(x.shape) != 2:
        raise ValueError(f"x has the shape {list(x.shape)}; it must be [T, H]: flatten batch and sequence first")
    if x.dtype not in DTYPES:
        raise ValueError(f"x is {x.dtype}; it must be float32, bfloat16 or float16")
    is_partial = configuration.tp_size > 1 and not configuration.reduce_results
    if is_partial and _has_bias(fc2_latent_proj):
        raise ValueError(
            "reduce_results is False: with tp_size above 1 a reduction after fc2_latent_proj would add its bias once for each rank"
        )


def _has_bias(projection: Any) -> bool:
    """Has a projection a bias, in itself or in one of its sublayers?"""
    parameters = projection.named_parameters() if isinstance(projection, nn.Layer) else ()
    return getattr(projection, "bias", None) is not None or any(
        name.rpartition(".")[2] == "bias" for name, _ in parameters
    )


def _route(layer: Any, configuration: MoEConfiguration, logits: Any) -> tuple[Any, Any, Any]:
    """Return what dispatch may select from, `[T, E]`, and the weights and ids that are chosen, `[T, K]`.

    The weights of softmax are divided by their sum in the reduction, as in FastDeploy.
    """
    bias = getattr(layer, "gate_correction_bias", None)
    if configuration.topk_method == "noaux_tc":
        scores, weights, ids = get_moe_scores(
            logits,
            configuration.n_group,
            configuration.topk_group,
            configuration.top_k,
            configuration.routed_scaling_factor,
            bias,
            configuration.renormalize,
        )
        return scores, weights, ids
    ids, weights = moe_topk_select(logits, bias, configuration.top_k, False, False)
    return logits, weights, ids


def _nothing(
    x: Any,
    configuration: MoEConfiguration,
    topk_ids_hookfunc: TopkIdsHook | None,
    fc1_latent_proj: Fc1LatentProj | None,
    fc2_latent_proj: Fc2LatentProj | None,
) -> Any:
    """Return what zero tokens give, `[0, H]`; with one projection only, `[0, width]` of what that gives."""
    if topk_ids_hookfunc is not None:
        topk_ids_hookfunc(topk_ids=paddle.zeros([0, configuration.top_k], dtype=paddle.int32))
    width = x.shape[1]
    if fc1_latent_proj is None:
        configuration.check_width(width, projected=False)
        if fc2_latent_proj is not None:  # Paddle 2.6 has no products of zero rows
            width = call_on_tokens("fc2_latent_proj", fc2_latent_proj, paddle.zeros([1, width], dtype=x.dtype)).shape[1]
    elif fc2_latent_proj is None:
        width = configuration.hidden_size
    return paddle.zeros([0, width], dtype=x.dtype)
