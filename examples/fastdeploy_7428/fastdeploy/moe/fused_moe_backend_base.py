"""What every backend of the mixture-of-experts layer offers.

Pull request #7428 added `fc1_latent_proj` and `fc2_latent_proj` here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastdeploy import nn, ops


class MoEMethodBase(ABC):
    """One way to compute a mixture of experts: a kernel library, a device, a quantisation.

    A latent layer passes `fc1_latent_proj`, applied to what the experts read, and `fc2_latent_proj`, applied to what
    they return. The gate and the shared experts see the tokens themselves.
    """

    weight_dtype = "bfloat16"
    added_weight_attrs = ("up_gate_proj_weight", "down_proj_weight")

    def create_weights(self, layer: nn.Layer, **extra_weight_attrs: Any) -> None:
        """Declare the experts' weights on the layer."""
        experts, width, inner = layer.num_experts, layer.hidden_size, layer.moe_intermediate_size
        shapes = ((experts, width, 2 * inner), (experts, inner, width))
        for name, shape in zip(self.added_weight_attrs, shapes, strict=True):
            layer.add_parameter(name, nn.Parameter(shape, self.weight_dtype, dict(extra_weight_attrs)))

    def process_loaded_weights(self, layer: nn.Layer, state_dict: Mapping[str, Sequence[nn.Tensor]]) -> None:
        """Bring the loaded weights into the form the kernels read."""
        for name in self.added_weight_attrs:
            getattr(layer, name).data = list(state_dict[name])

    @abstractmethod
    def apply_tp(
        self,
        layer: nn.Layer,
        x: nn.Tensor,
        gate: nn.Layer,
        topk_ids_hookfunc: Callable[..., None] | None = None,
        fc1_latent_proj: nn.Layer | None = None,
        fc2_latent_proj: nn.Layer | None = None,
    ) -> nn.Tensor:
        """Run the routed experts, all of which are on this rank; `apply` adds the shared ones."""
        raise NotImplementedError

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
        """Run experts that are spread over ranks, on whole prompts."""
        raise NotImplementedError(f"{type(self).__name__} does not prefill with expert parallelism")

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
        """Run experts that are spread over ranks, on one token a sequence."""
        raise NotImplementedError(f"{type(self).__name__} does not decode with expert parallelism")

    def apply(
        self,
        layer: nn.Layer,
        x: nn.Tensor,
        gate: nn.Layer,
        topk_ids_hookfunc: Callable[..., None] | None = None,
        shared_experts: nn.Layer | None = None,
        fc1_latent_proj: nn.Layer | None = None,
        fc2_latent_proj: nn.Layer | None = None,
    ) -> nn.Tensor:
        """Run the experts on the tokens x, in the way the layer is spread over ranks."""
        if layer.ep_size > 1:
            if layer.moe_phase == "prefill":
                return self.apply_ep_prefill(
                    layer, x, gate, topk_ids_hookfunc, shared_experts, fc1_latent_proj, fc2_latent_proj
                )
            return self.apply_ep_decode(
                layer, x, gate, topk_ids_hookfunc, shared_experts, fc1_latent_proj, fc2_latent_proj
            )
        out = self.apply_tp(layer, x, gate, topk_ids_hookfunc, fc1_latent_proj, fc2_latent_proj)
        if shared_experts is not None:
            out = ops.add(out, shared_experts(x))
        return out
