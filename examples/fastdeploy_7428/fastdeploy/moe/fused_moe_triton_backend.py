"""The Triton backend with weight-only quantisation: the one that gets latent layers right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fastdeploy import nn, ops

from .fused_moe_backend_base import MoEMethodBase


class TritonWeightOnlyMoEMethod(MoEMethodBase):
    """Weights in int8, restored on the fly; activations as they come."""

    weight_dtype = "int8"

    def process_loaded_weights(self, layer: nn.Layer, state_dict: Mapping[str, Sequence[nn.Tensor]]) -> None:
        """Load the weights, then quantise them."""
        super().process_loaded_weights(layer, state_dict)
        for name in self.added_weight_attrs:
            ops.quantize(getattr(layer, name))

    def compute_ffn(self, layer: nn.Layer, permute_input: nn.Tensor, token_nums_per_expert: list[int]) -> nn.Tensor:
        """Run each expert on its block of rows."""
        return ops.moe_expert_ffn(
            permute_input,
            token_nums_per_expert,
            ops.dequantize(layer.up_gate_proj_weight),
            ops.dequantize(layer.down_proj_weight),
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
        weights, topk_ids = ops.select_experts(layer, gate(x))
        if topk_ids_hookfunc is not None:
            topk_ids_hookfunc(topk_ids=topk_ids)

        if fc1_latent_proj is not None:
            x = fc1_latent_proj(x)
        permute_input, token_nums_per_expert, permute_indices = ops.moe_expert_dispatch(x, topk_ids, layer.num_experts)
        ffn_out = self.compute_ffn(layer, permute_input, token_nums_per_expert)
        out = ops.moe_expert_reduce(ffn_out, weights, permute_indices)
        if fc2_latent_proj is not None:
            out = fc2_latent_proj(out)
        return out
