"""The backend for Blackwell GPUs. Pull request #7428 left it as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fastdeploy import nn, ops

from .fused_moe_backend_base import MoEMethodBase


class BlackwellGemmFusedMoeMethod(MoEMethodBase):
    """Grouped GEMMs in float8 over blocks of rows, padded to the height of a tile."""

    weight_dtype = "float8_e4m3fn"
    tile_height = 4

    def process_loaded_weights(self, layer: nn.Layer, state_dict: Mapping[str, Sequence[nn.Tensor]]) -> None:
        """Load the weights, then quantise them."""
        super().process_loaded_weights(layer, state_dict)
        for name in self.added_weight_attrs:
            ops.quantize(getattr(layer, name))

    def compute_ffn(self, layer: nn.Layer, permute_input: nn.Tensor, token_nums_per_expert: list[int]) -> nn.Tensor:
        """Run each expert on its block of rows, padded with zeros, and drop the padding."""
        padded: nn.Tensor = []
        kept: list[int] = []
        for count in token_nums_per_expert:
            rows = permute_input[len(kept) : len(kept) + count]
            kept += range(len(padded), len(padded) + count)
            padded += rows + [[0.0] * layer.hidden_size] * (-count % self.tile_height)
        ffn_out = ops.moe_expert_ffn(
            padded,
            [count + -count % self.tile_height for count in token_nums_per_expert],
            ops.dequantize(layer.up_gate_proj_weight),
            ops.dequantize(layer.down_proj_weight),
        )
        return [ffn_out[row] for row in kept]

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
