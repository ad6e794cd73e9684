"""The backend for MetaX GPUs. Nobody told its authors of pull request #7428."""

from __future__ import annotations

from collections.abc import Callable

from fastdeploy import nn, ops
from fastdeploy.moe import MoEMethodBase


class MetaxMoEMethod(MoEMethodBase):
    """Grouped GEMMs in bfloat16 on MetaX GPUs."""

    def compute_ffn(self, layer: nn.Layer, permute_input: nn.Tensor, token_nums_per_expert: list[int]) -> nn.Tensor:
        """Run each expert on its block of rows."""
        return ops.moe_expert_ffn(
            permute_input,
            token_nums_per_expert,
            layer.up_gate_proj_weight.data,
            layer.down_proj_weight.data,
        )

    def apply_tp(
        self,
        layer: nn.Layer,
        x: nn.Tensor,
        gate: nn.Layer,
        topk_ids_hookfunc: Callable[..., None] | None = None,
    ) -> nn.Tensor:
        """Run the routed experts, all of which are on this rank."""
        weights, topk_ids = ops.select_experts(layer, gate(x))
        if topk_ids_hookfunc is not None:
            topk_ids_hookfunc(topk_ids=topk_ids)

        permute_input, token_nums_per_expert, permute_indices = ops.moe_expert_dispatch(x, topk_ids, layer.num_experts)
        ffn_out = self.compute_ffn(layer, permute_input, token_nums_per_expert)
        return ops.moe_expert_reduce(ffn_out, weights, permute_indices)
