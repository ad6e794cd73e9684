"""The CUTLASS backend, which pull request #7428 taught latent layers."""

from __future__ import annotations

from collections.abc import Callable

from fastdeploy import nn, ops

from .fused_moe_backend_base import MoEMethodBase


class CutlassMoEMethod(MoEMethodBase):
    """Grouped GEMMs in bfloat16."""

    def compute_ffn(
        self, layer: nn.Layer, permute_input: nn.Tensor, token_nums_per_expert: list[int], first_expert: int = 0
    ) -> nn.Tensor:
        """Run the experts from `first_expert` on, one for each token count."""
        experts = slice(first_expert, first_expert + len(token_nums_per_expert))
        return ops.moe_expert_ffn(
            permute_input,
            token_nums_per_expert,
            layer.up_gate_proj_weight.data[experts],
            layer.down_proj_weight.data[experts],
        )

    def apply_tp(
        self,
        layer: nn.Layer,
        x: nn.Tensor,
        gate: nn.Layer,
        topk_ids_hookfunc: Callable[..., None] | None = None,
        fc1_latent_proj: nn.Layer | None = None,
        fc2_latent_proj: nn.Layer | None = None,
    ) -> nn.Tensor:
        """Run the routed experts, all of which are on this rank."""
        gate_out = gate(x)
        if layer.topk_method == "noaux_tc":
            weights, topk_ids = ops.get_moe_scores(
                gate_out, layer.top_k, layer.gate_correction_bias, layer.routed_scaling_factor
            )
            if fc1_latent_proj is not None:
                x = fc1_latent_proj(x)
        else:
            weights, topk_ids = ops.moe_topk_select(gate_out, layer.top_k)
        if topk_ids_hookfunc is not None:
            topk_ids_hookfunc(topk_ids=topk_ids)

        permute_input, token_nums_per_expert, permute_indices = ops.moe_expert_dispatch(x, topk_ids, layer.num_experts)
        ffn_out = self.compute_ffn(layer, permute_input, token_nums_per_expert)
        out = ops.moe_expert_reduce(ffn_out, weights, permute_indices)
        if fc2_latent_proj is not None:
            out = fc2_latent_proj(out)
        return out

    def apply_ep_prefill(
        self,
        layer: nn.Layer,
        x: nn.Tensor,
        gate: nn.Layer,
        topk_ids_hookfunc: Callable[..., None] | None = None,
        shared_experts: nn.Layer | None = None,
        fc1_latent_proj: nn.Layer | None = None,
        fc2_latent_proj: nn.Layer | None = None,
    ) -> nn.Tensor:
        """Send each rank the rows of its own experts, and combine what comes back."""
        weights, topk_ids = ops.select_experts(layer, gate(x))
        if topk_ids_hookfunc is not None:
            topk_ids_hookfunc(topk_ids=topk_ids)

        latent = x if fc1_latent_proj is None else fc1_latent_proj(x)
        permute_input, token_nums_per_expert, permute_indices = ops.moe_expert_dispatch(
            latent, topk_ids, layer.num_experts
        )
        ffn_out: nn.Tensor = []
        experts_per_rank = layer.num_experts // layer.ep_size
        for first in range(0, layer.num_experts, experts_per_rank):
            counts = token_nums_per_expert[first : first + experts_per_rank]
            rows = permute_input[len(ffn_out) : len(ffn_out) + sum(counts)]
            ffn_out += self.compute_ffn(layer, rows, counts, first)
        out = ops.moe_expert_reduce(ffn_out, weights, permute_indices)
        if fc2_latent_proj is not None:
            out = fc2_latent_proj(out)
        if shared_experts is not None:
            out = ops.add(out, shared_experts(x))
        return out

    def apply_ep_decode(
        self,
        layer: nn.Layer,
        x: nn.Tensor,
        gate: nn.Layer,
        topk_ids_hookfunc: Callable[..., None] | None = None,
        shared_experts: nn.Layer | None = None,
        fc1_latent_proj: nn.Layer | None = None,
        fc2_latent_proj: nn.Layer | None = None,
    ) -> nn.Tensor:
        """Run few rows without sorting them by rank: the low-latency buffers hold every expert's rows."""
        if fc1_latent_proj is not None or fc2_latent_proj is not None:
            raise NotImplementedError("the low-latency buffers are as wide as the tokens: no latent projections")
        weights, topk_ids = ops.select_experts(layer, gate(x))
        if topk_ids_hookfunc is not None:
            topk_ids_hookfunc(topk_ids=topk_ids)

        permute_input, token_nums_per_expert, permute_indices = ops.moe_expert_dispatch(x, topk_ids, layer.num_experts)
        ffn_out = self.compute_ffn(layer, permute_input, token_nums_per_expert)
        out = ops.moe_expert_reduce(ffn_out, weights, permute_indices)
        if shared_experts is not None:
            out = ops.add(out, shared_experts(x))
        return out
