"""The layer a model holds: shapes, weights, routing, and the backend that computes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fastdeploy import nn

from .fused_moe_backend_base import MoEMethodBase


class FusedMoE(nn.Layer):
    """A layer of `num_experts` experts of width `hidden_size`, of which `top_k` see each token.

    In a latent layer `hidden_size` is the latent width; fc1 leads to it, fc2 back from it.
    """

    def __init__(
        self,
        quant_method: MoEMethodBase,
        *,
        num_experts: int,
        top_k: int,
        hidden_size: int,
        moe_intermediate_size: int,
        topk_method: str = "noaux_tc",
        gate_correction_bias: Sequence[float] | None = None,
        routed_scaling_factor: float = 1.0,
        ep_size: int = 1,
        moe_phase: str = "prefill",
    ) -> None:
        """Declare the weights through `quant_method`; `load_state_dict` fills them."""
        self.quant_method = quant_method
        self.num_experts = num_experts
        self.top_k = top_k
        self.hidden_size = hidden_size
        self.moe_intermediate_size = moe_intermediate_size
        self.topk_method = topk_method
        self.gate_correction_bias = list(gate_correction_bias or [0.0] * num_experts)
        self.routed_scaling_factor = routed_scaling_factor
        self.ep_size = ep_size
        self.moe_phase = moe_phase
        quant_method.create_weights(self, model_format="paddle")

    def load_state_dict(self, state_dict: Mapping[str, Sequence[nn.Tensor]]) -> None:
        """Fill `up_gate_proj_weight` and `down_proj_weight`: one matrix an expert, [H, 2I] and [I, H]."""
        self.quant_method.process_loaded_weights(self, state_dict)

    def forward(
        self,
        x: nn.Tensor,
        gate: nn.Layer,
        topk_ids_hookfunc: Callable[..., None] | None = None,
        shared_experts: nn.Layer | None = None,
        fc1_latent_proj: nn.Layer | None = None,
        fc2_latent_proj: nn.Layer | None = None,
    ) -> nn.Tensor:
        """Run the experts on the tokens x."""
        return self.quant_method.apply(
            self,
            x,
            gate,
            topk_ids_hookfunc=topk_ids_hookfunc,
            shared_experts=shared_experts,
            fc1_latent_proj=fc1_latent_proj,
            fc2_latent_proj=fc2_latent_proj,
        )
