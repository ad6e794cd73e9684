"""The layer that a model holds: sizes, routing, weights, and the back end that computes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import paddle
from paddle import nn

from fastdeploy_moe.configuration import MoEConfiguration
from fastdeploy_moe.layers.moe.fused_moe_backend_base import MoEMethodBase
from fastdeploy_moe.roles import Fc1LatentProj, Fc2LatentProj, Gate, SharedExperts, TopkIdsHook


class FusedMoE(nn.Layer):
    """E experts, K of which see each token; the attributes that back ends read are named as in FastDeploy.

    Args:
        quant_method: The back end; `get_moe_method` makes one.
        num_experts: E.
        top_k: K.
        hidden_size: L, the width that the experts see; in a latent layer the latent width.
        moe_intermediate_size: I, their inner width.
        topk_method: "noaux_tc" for sigmoid scores with groups; "softmax", "greedy" and "" are a softmax.
        n_group: Groups of experts, for "noaux_tc"; 0 means one.
        topk_group: Groups that remain for a token.
        routed_scaling_factor: Of the weights of "noaux_tc"; a softmax does not apply it, as upstream.
        renormalize: Whether the K weights of "noaux_tc" are divided by their sum; those of a softmax always are.
        gate_correction_bias: fp32 [E] or [1, E], for the choice of experts only.
        activation: "swiglu" or "relu2".
        with_bias: Whether the experts have biases.
        weight_dtype: "float32", "bfloat16" or "float16".
        ep_size: Ranks over which the experts are spread.
        tp_size: Ranks over which each expert is spread; `moe_intermediate_size` is what is on one.
        tp_rank: This one.
        reduce_results: Whether the ranks' parts are added up; they are before `fc2_latent_proj`.
        moe_phase: "prefill" or "decode", for experts that are spread over ranks.

    Raises:
        ValueError: As `MoEConfiguration`, or `ep_size` does not divide `num_experts`; the message begins with the name.
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
        n_group: int = 1,
        topk_group: int = 1,
        routed_scaling_factor: float = 1.0,
        renormalize: bool = True,
        gate_correction_bias: paddle.Tensor | None = None,
        activation: str = "swiglu",
        with_bias: bool = False,
        weight_dtype: str = "float32",
        ep_size: int = 1,
        tp_size: int = 1,
        tp_rank: int = 0,
        reduce_results: bool = True,
        moe_phase: str = "prefill",
    ) -> None:
        super().__init__()
        self.quant_method = quant_method
        self.num_experts = num_experts
        self.top_k = top_k
        self.hidden_size = hidden_size
        self.moe_intermediate_size = moe_intermediate_size
        self.topk_method = topk_method
        self.n_group = n_group
        self.topk_group = topk_group
        self.routed_scaling_factor = routed_scaling_factor
        self.renormalize = renormalize
        self.gate_correction_bias = gate_correction_bias
        self.activation = activation
        self.with_bias = with_bias
        self.weight_dtype = weight_dtype
        self.ep_size = ep_size
        self.tp_size = tp_size
        self.tp_rank = tp_rank
        self.reduce_results = reduce_results
        self.moe_phase = moe_phase
        MoEConfiguration.from_layer(self)
        if ep_size < 1 or num_experts % ep_size:
            raise ValueError(f"ep_size is {ep_size}, which does not divide num_experts = {num_experts}")
        self.num_local_experts = num_experts // ep_size
        quant_method.create_weights(
            self,
            num_experts=self.num_local_experts,
            hidden_size=hidden_size,
            moe_intermediate_size=moe_intermediate_size,
        )

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Fill the experts' weights; `MoEMethodBase.process_loaded_weights` says from what, and what it raises."""
        self.quant_method.process_loaded_weights(self, state_dict)

    def forward(
        self,
        x: paddle.Tensor,
        gate: Gate,
        topk_ids_hookfunc: TopkIdsHook | None = None,
        shared_experts: SharedExperts | None = None,
        fc1_latent_proj: Fc1LatentProj | None = None,
        fc2_latent_proj: Fc2LatentProj | None = None,
    ) -> paddle.Tensor:
        """Run the experts on the tokens x [T, H]; returns [T, H]. Raises what the back end raises."""
        return self.quant_method.apply(
            self,
            x,
            gate,
            topk_ids_hookfunc=topk_ids_hookfunc,
            shared_experts=shared_experts,
            fc1_latent_proj=fc1_latent_proj,
            fc2_latent_proj=fc2_latent_proj,
        )
