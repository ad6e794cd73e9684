"""What every back end of the mixture-of-experts layer offers, and what none may do: take a projection and ignore it.

T tokens, H the width of the tokens, L the width that the experts see (`layer.hidden_size`; L = H without projections), I the
experts' inner width, E experts, K of which see each token.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NoReturn

import paddle
from paddle import nn

from fastdeploy_moe.configuration import ACTIVATIONS, read_activation
from fastdeploy_moe.ops.precision import call_on_tokens, round_to, widen
from fastdeploy_moe.roles import Fc1LatentProj, Fc2LatentProj, Gate, SharedExperts, TopkIdsHook

PHASES = ("prefill", "decode")


class MoEMethodBase(ABC):
    """One way to compute a mixture of experts: a kernel library, a device, a quantisation.

    The order, whichever way the layer is spread over ranks: `gate` sees the tokens x, `fc1_latent_proj` takes x to the
    experts, `fc2_latent_proj` takes what they return back, and `shared_experts`, which see x, are added last.
    """

    supports_latent: ClassVar[bool] = False
    """Whether `fc1_latent_proj` and `fc2_latent_proj` are applied. Where they are not, they are refused."""

    supports_quant_config: ClassVar[bool] = False
    """Whether a `quant_config` other than None means something to the back end. Where it does not, it is refused."""

    dtypes: ClassVar[tuple[str, ...]] = ()
    """Of the tokens, in and out, by Paddle's names."""

    devices: ClassVar[tuple[str, ...]] = ()
    """On which it runs, by Paddle's names."""

    missing: ClassVar[str | None] = None
    """What keeps the back end from computing; None where it computes."""

    added_weight_attrs: ClassVar[tuple[str, ...]] = ("up_gate_proj_weight", "down_proj_weight")
    """The attributes of the layer that `create_weights` adds, in upstream's order."""

    added_bias_attrs: ClassVar[tuple[str, ...]] = ("up_gate_proj_bias", "down_proj_bias")
    """The same for a layer that is `with_bias`."""

    def __init__(self, quant_config: object = None) -> None:
        """Keep `quant_config`.

        Raises:
            NotImplementedError: the back end does not support one.
        """
        if quant_config is not None and not self.supports_quant_config:
            self._refuse("quantised weights are not supported; leave quant_config out")
        self.quant_config = quant_config
        self.moe_quant_type = "w16a16"

    def create_weights(self, layer: nn.Layer, **extra_weight_attrs: Any) -> None:
        """Declare the experts' weights on the layer, all zero, in `layer.weight_dtype`.

        `up_gate_proj_weight` is [E, L, 2I] (swiglu: the gate's half first) or [E, L, I] (activations without a gate),
        `down_proj_weight` [E, I, L]; where `layer.with_bias`, `up_gate_proj_bias` is [E, 2I] or [E, I] and
        `down_proj_bias` [E, L].

        Args:
            layer: Has `num_experts`, `hidden_size`, `moe_intermediate_size`, and, where it is not as usual, `weight_dtype`
                (Paddle's default), `activation` ("swiglu") and `with_bias` (False).
            extra_weight_attrs: Become attributes of each parameter. Upstream's `num_experts`, `hidden_size` and
                `moe_intermediate_size`, if given, come before those of the layer.

        Raises:
            ValueError: The activation is not known.
        """
        experts, width, inner = (
            extra_weight_attrs.pop(name) if name in extra_weight_attrs else getattr(layer, name)
            for name in ("num_experts", "hidden_size", "moe_intermediate_size")
        )
        activation = read_activation(layer)
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation is {activation!r}; known are {', '.join(ACTIVATIONS)}")
        first = 2 * inner if activation == "swiglu" else inner
        shapes = dict(zip(self.added_weight_attrs, ([experts, width, first], [experts, inner, width]), strict=True))
        if getattr(layer, "with_bias", False):
            shapes.update(zip(self.added_bias_attrs, ([experts, first], [experts, width]), strict=True))
        dtype = getattr(layer, "weight_dtype", None)
        for name, shape in shapes.items():
            parameter = layer.create_parameter(shape, dtype=dtype, default_initializer=nn.initializer.Constant(0.0))
            for key, value in extra_weight_attrs.items():
                setattr(parameter, key, value)
            setattr(layer, name, parameter)

    def process_loaded_weights(self, layer: nn.Layer, state_dict: Mapping[str, Any]) -> None:
        """Fill the weights that `create_weights` declared.

        Args:
            layer: Has been through `create_weights`.
            state_dict: For each of them, by name, one tensor or NumPy array for all experts, or a sequence of one for
                each expert. Values are rounded to the dtype of the weight, to nearest.

        Raises:
            ValueError: A weight is missing, unknown, of another shape or no tensor; nothing has been loaded then.
        """
        expected = {name: getattr(layer, name) for name in self.added_weight_attrs}
        if getattr(layer, "with_bias", False):
            expected |= {name: getattr(layer, name) for name in self.added_bias_attrs}
        for name in state_dict:
            if name not in expected:
                raise ValueError(f"{name} is not a weight of this layer{_nearest(name, expected)}")
        loaded = {}
        for name, parameter in expected.items():
            if name not in state_dict:
                raise ValueError(f"{name} is not in the state dict, of {sorted(state_dict)}")
            loaded[name] = value = _joined(name, state_dict[name])
            if list(value.shape) != list(parameter.shape):
                raise ValueError(f"{name} has shape {list(value.shape)}; the layer takes {list(parameter.shape)}")
        for name, value in loaded.items():
            expected[name].set_value(round_to(value, expected[name].dtype))

    @abstractmethod
    def apply_tp(
        self,
        layer: nn.Layer,
        x: paddle.Tensor,
        gate: Gate,
        topk_ids_hookfunc: TopkIdsHook | None = None,
        fc1_latent_proj: Fc1LatentProj | None = None,
        fc2_latent_proj: Fc2LatentProj | None = None,
    ) -> paddle.Tensor:
        """Run the routed experts, all of which are on this rank: x [T, H] to [T, H]. `apply` adds the shared ones."""

    def apply_ep_prefill(
        self,
        layer: nn.Layer,
        x: paddle.Tensor,
        gate: Gate,
        topk_ids_hookfunc: TopkIdsHook | None = None,
        shared_experts: SharedExperts | None = None,
        fc1_latent_proj: Fc1LatentProj | None = None,
        fc2_latent_proj: Fc2LatentProj | None = None,
    ) -> paddle.Tensor:
        """Run experts that are spread over ranks, on whole prompts; refused where a back end does not override it."""
        self._refuse("expert parallelism is not supported (prefill); use ep_size 1")

    def apply_ep_decode(
        self,
        layer: nn.Layer,
        x: paddle.Tensor,
        gate: Gate,
        topk_ids_hookfunc: TopkIdsHook | None = None,
        shared_experts: SharedExperts | None = None,
        fc1_latent_proj: Fc1LatentProj | None = None,
        fc2_latent_proj: Fc2LatentProj | None = None,
    ) -> paddle.Tensor:
        """Run experts that are spread over ranks, on one token a sequence; refused as the prefill is."""
        self._refuse("expert parallelism is not supported (decode); use ep_size 1")

    def apply(
        self,
        layer: nn.Layer,
        x: paddle.Tensor,
        gate: Gate,
        topk_ids_hookfunc: TopkIdsHook | None = None,
        shared_experts: SharedExperts | None = None,
        fc1_latent_proj: Fc1LatentProj | None = None,
        fc2_latent_proj: Fc2LatentProj | None = None,
    ) -> paddle.Tensor:
        """Run the experts on the tokens x [T, H], in the way that the layer is spread over ranks; returns [T, H].

        For inference: no gradients. With tensor parallelism, what `shared_experts` returns is not summed over the ranks here.

        Raises:
            NotImplementedError: The back end cannot do what is asked; nothing has been computed then.
            ValueError: `shared_experts` does not give what can be added.
        """
        self.refuse_unsupported(fc1_latent_proj=fc1_latent_proj, fc2_latent_proj=fc2_latent_proj)
        if (getattr(layer, "ep_size", None) or 1) > 1:
            if read_phase(layer) == "prefill":
                return self.apply_ep_prefill(
                    layer,
                    x,
                    gate,
                    topk_ids_hookfunc=topk_ids_hookfunc,
                    shared_experts=shared_experts,
                    fc1_latent_proj=fc1_latent_proj,
                    fc2_latent_proj=fc2_latent_proj,
                )
            return self.apply_ep_decode(
                layer,
                x,
                gate,
                topk_ids_hookfunc=topk_ids_hookfunc,
                shared_experts=shared_experts,
                fc1_latent_proj=fc1_latent_proj,
                fc2_latent_proj=fc2_latent_proj,
            )
        out = self.apply_tp(
            layer,
            x,
            gate,
            topk_ids_hookfunc=topk_ids_hookfunc,
            fc1_latent_proj=fc1_latent_proj,
            fc2_latent_proj=fc2_latent_proj,
        )
        if shared_experts is not None and x.shape[0] > 0:  # Of no tokens, `Linear` of Paddle 2.6 raises.
            with paddle.no_grad():  # a gradient of this part alone would be a wrong one
                shared = call_on_tokens("shared_experts", shared_experts, x)
                if shared.shape[1] != out.shape[1]:
                    raise ValueError(
                        f"shared_experts gives rows of width {shared.shape[1]}, but the routed experts' have {out.shape[1]}"
                    )
                out = round_to(widen(out) + widen(shared), out.dtype)
        return out

    def refuse_unsupported(
        self, *, fc1_latent_proj: Fc1LatentProj | None = None, fc2_latent_proj: Fc2LatentProj | None = None
    ) -> None:
        """Refuse the projections that were given, unless the back end supports them.

        Raises:
            NotImplementedError: One is not None, and `supports_latent` is False.
        """
        if self.supports_latent:
            return
        if fc1_latent_proj is not None:
            self._refuse("latent projections are not supported; fc1_latent_proj was given")
        if fc2_latent_proj is not None:
            self._refuse("latent projections are not supported; fc2_latent_proj was given")

    def _refuse(self, reason: str) -> NoReturn:
        raise NotImplementedError(f"{type(self).__name__}: {reason}")


def read_phase(layer: nn.Layer) -> str:
    """In which phase the layer runs, "prefill" or "decode".

    Upstream's place is `layer.fd_config.model_config.moe_phase.phase`; a layer without `fd_config` has `moe_phase`.

    Raises:
        ValueError: It is neither, or there is none.
    """
    if hasattr(layer, "fd_config"):
        phase = layer.fd_config.model_config.moe_phase.phase
    else:
        phase = getattr(layer, "moe_phase", None)
    if phase not in PHASES:
        raise ValueError(f'moe_phase is {phase!r}; it must be "prefill" or "decode"')
    return str(phase)


def _joined(name: str, value: Any) -> paddle.Tensor:
    """One tensor for all experts, of one or of a sequence of one each."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        parts = [_joined(f"{name}[{index}]", one) for index, one in enumerate(value)]
        for index, part in enumerate(parts):
            if part.shape != parts[0].shape:
                raise ValueError(f"{name}[{index}] has shape {list(part.shape)}, {name}[0] {list(parts[0].shape)}")
        if not parts:
            raise ValueError(f"{name} is empty")
        return paddle.stack(parts)
    tensor = value
    if not isinstance(value, paddle.Tensor):
        try:
            tensor = paddle.to_tensor(value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"{name} is a {type(value).__name__}, of which Paddle makes no tensor") from error
    if paddle.is_complex(tensor):
        raise ValueError(f"{name} is {tensor.dtype}; weights are real")
    return tensor


def _nearest(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; it has {', '.join(known)}"
