"""What a mixture-of-experts layer is configured to, and whether it can be computed. Imports nothing of Paddle.

E experts, K experts a token, L the width the experts see, I their inner width.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Hashable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

ACTIVATIONS = ("swiglu", "relu2")
"""swiglu has a gate, in the first half of the first product; relu2 has none."""

TOPK_METHODS = ("noaux_tc", "greedy", "softmax", "")
"""noaux_tc is sigmoid with groups and a correction bias. The other three are softmax; the empty one is FastDeploy's default."""

DTYPES = ("float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class Array:
    """The shape and dtype of a tensor.

    Attributes:
        shape: of at least one axis.
        dtype: as NumPy names it.
    """

    shape: tuple[int, ...]
    dtype: str

    @classmethod
    def of(cls, field: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """Return those that a Paddle tensor has, or anything with `shape` and `dtype`.

        Raises:
            ValueError: the dtype is not one of Paddle's; the message names the field.
        """
        library, _, name = str(dtype).rpartition(".")
        if library != "paddle":
            raise ValueError(f"{field} is of {dtype}, which is no dtype of Paddle; it must be a tensor of Paddle")
        return cls(shape, name)

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoEConfiguration:
    """A mixture-of-experts layer, checked: every number of it can be computed.

    Attributes:
        num_experts: E.
        top_k: K, not above E, nor above the experts of `topk_group` groups.
        hidden_size: L; the latent width in a latent layer.
        moe_intermediate_size: I, on this rank.
        topk_method: one of `TOPK_METHODS`.
        n_group: groups of experts; divides E. `from_layer` reads 0, less and None as 1.
        topk_group: groups that a token may choose from.
        routed_scaling_factor: the scale of `noaux_tc`'s weights; softmax does not apply it, as in FastDeploy.
        renormalize: divide `noaux_tc`'s weights by their sum; softmax always does, as in FastDeploy.
        activation: one of `ACTIVATIONS`.
        gate_correction_bias: of E values, or None.
        up_gate_proj_weight: `[E, L, 2I]` with swiglu, `[E, L, I]` with relu2; None while there is none.
        down_proj_weight: `[E, I, L]`; None while there is none.
        up_gate_proj_bias: `[E, 2I]` or `[E, I]`; or None.
        down_proj_bias: `[E, L]` or None.
        tp_size: ranks of the tensor-parallel group, which share I.
        tp_rank: of this process.
        reduce_results: sum over the ranks, within `apply_tp`.

    Raises:
        ValueError: the message begins with the name of the field that cannot be.
    """

    num_experts: int
    top_k: int
    hidden_size: int
    moe_intermediate_size: int
    topk_method: str = "noaux_tc"
    n_group: int = 1
    topk_group: int = 1
    routed_scaling_factor: float = 1.0
    renormalize: bool = True
    activation: str = "swiglu"
    gate_correction_bias: Array | None = None
    up_gate_proj_weight: Array | None = None
    down_proj_weight: Array | None = None
    up_gate_proj_bias: Array | None = None
    down_proj_bias: Array | None = None
    tp_size: int = 1
    tp_rank: int = 0
    reduce_results: bool = True

    def __post_init__(self) -> None:
        for name in (
            "num_experts",
            "top_k",
            "hidden_size",
            "moe_intermediate_size",
            "n_group",
            "topk_group",
            "tp_size",
        ):
            value: Any = getattr(self, name)
            _require(name, _is_whole(value) and value >= 1, f"is {value!r}; it must be a whole number from 1 on")
        scale: Any = self.routed_scaling_factor
        is_finite = isinstance(scale, Real) and math.isfinite(scale)
        _require("routed_scaling_factor", is_finite, f"is {scale!r}; it must be a finite number")
        _require(
            "activation", self.activation in ACTIVATIONS, f"is {self.activation!r}; known are {', '.join(ACTIVATIONS)}"
        )
        _require(
            "topk_method",
            self.topk_method in TOPK_METHODS,
            f"is {self.topk_method!r}; known are {', '.join(map(repr, TOPK_METHODS))}",
        )
        rank: Any = self.tp_rank
        is_rank = _is_whole(rank) and 0 <= rank < self.tp_size
        _require("tp_rank", is_rank, f"is {rank!r}; it must be one of tp_size = {self.tp_size} ranks")
        self._check_choice()
        self._check_arrays()

    def _check_choice(self) -> None:
        """Refuse a `top_k` that cannot be chosen."""
        experts = self.num_experts
        _require("top_k", self.top_k <= experts, f"is {self.top_k}, of num_experts = {experts}")
        _require(
            "n_group", experts % self.n_group == 0, f"is {self.n_group}, which does not divide num_experts = {experts}"
        )
        _require("topk_group", self.topk_group <= self.n_group, f"is {self.topk_group}, of n_group = {self.n_group}")
        reachable = self.topk_group * (experts // self.n_group)
        _require(
            "topk_group",
            self.top_k <= reachable,
            f"is {self.topk_group}: {reachable} experts can be reached in so many of n_group = {self.n_group} groups of "
            f"{experts // self.n_group}, and top_k is {self.top_k}",
        )

    def _check_arrays(self) -> None:
        """Refuse a weight or bias of another shape or dtype."""
        experts, width, inner = self.num_experts, self.hidden_size, self.moe_intermediate_size
        first = inner * 2 if self.activation == "swiglu" else inner
        meaning = "[E, L, 2I]" if self.activation == "swiglu" else "[E, L, I]"
        expected = (
            ("up_gate_proj_weight", (experts, width, first), f"{meaning} for {self.activation}"),
            ("down_proj_weight", (experts, inner, width), "[E, I, L]"),
            ("up_gate_proj_bias", (experts, first), meaning.replace(" L,", "")),
            ("down_proj_bias", (experts, width), "[E, L]"),
        )
        for name, shape, says in expected:
            array: Array | None = getattr(self, name)
            if array is None:
                continue
            _require(
                name,
                array.shape == shape,
                f"has the shape {list(array.shape)}, not {list(shape)}: {says}, with num_experts = {experts}, "
                f"hidden_size = {width}, moe_intermediate_size = {inner}",
            )
            _require(name, array.dtype in DTYPES, f"is {array.dtype}; known are {', '.join(DTYPES)}")
        if self.up_gate_proj_weight is not None and self.down_proj_weight is not None:
            _require(
                "down_proj_weight",
                self.down_proj_weight.dtype == self.up_gate_proj_weight.dtype,
                f"is {self.down_proj_weight.dtype}, but up_gate_proj_weight is {self.up_gate_proj_weight.dtype}",
            )
        bias = self.gate_correction_bias
        if bias is not None:
            is_row = bias.shape in ((experts,), (1, experts))
            _require("gate_correction_bias", is_row, f"has the shape {list(bias.shape)}, not [num_experts = {experts}]")
            _require("gate_correction_bias", bias.dtype == "float32", f"is {bias.dtype}, not float32")

    @classmethod
    def from_layer(cls, layer: Any) -> MoEConfiguration:
        """Return the configuration of a FastDeploy layer, or of any object with these attributes.

        Needed: `num_experts`, `top_k`. Read where they are there, and else as in FastDeploy: `hidden_size` and
        `moe_intermediate_size` (else from the weights), `topk_method` (""), `n_group`, `topk_group` (1; 0, less and None mean
        one group), `routed_scaling_factor` (1.0), `renormalize` (True), `activation` ("swiglu"), `gate_correction_bias`,
        `up_gate_proj_weight`, `down_proj_weight`, `up_gate_proj_bias`, `down_proj_bias` (None), `tp_size` (1), `tp_rank` (0),
        `reduce_results` (True).

        Raises:
            ValueError: as the class, or an attribute that is needed is missing.
        """
        found = [getattr(layer, name, None) for name in _SCALARS]
        for name in _ARRAYS:
            tensor = getattr(layer, name, None)
            try:
                found.append(None if tensor is None else (tuple(tensor.shape), tensor.dtype))
            except AttributeError:
                _require(name, holds=False, problem=f"is a {type(tensor).__name__}; it must be a tensor of Paddle")
        try:
            return _checked(*found)
        except TypeError:  # of no other cause: what is compared has been looked at
            for name, value in zip(_SCALARS, found, strict=False):
                _require(name, isinstance(value, Hashable), f"is {value!r}; it must be a single value")
            raise

    def check_logits(self, shape: tuple[int, ...], tokens: int) -> None:
        """Refuse logits that are not `[tokens, E]`.

        Raises:
            ValueError: the message names `gate`.
        """
        expected = (tokens, self.num_experts)
        _require(
            "gate", shape == expected, f"gives logits of shape {list(shape)}, not {list(expected)}: [T, num_experts]"
        )

    def check_width(self, width: int, projected: bool) -> None:
        """Refuse rows that the experts cannot read.

        Args:
            width: of the rows.
            projected: whether `fc1_latent_proj` gave them.

        Raises:
            ValueError: the message names `fc1_latent_proj` or `x`.
        """
        reads = f"but the experts read layer.hidden_size = {self.hidden_size}"
        if projected:
            _require("fc1_latent_proj", width == self.hidden_size, f"gives rows of width {width}, {reads}")
        _require("x", width == self.hidden_size, f"has rows of width {width}, {reads}: is fc1_latent_proj missing?")


def read_activation(layer: Any) -> str:
    """Return the activation of a layer; that of one which has none, or None, is swiglu."""
    activation: str | None = getattr(layer, "activation", None)
    return "swiglu" if activation is None else activation


_ARRAYS = ("gate_correction_bias", "up_gate_proj_weight", "down_proj_weight", "up_gate_proj_bias", "down_proj_bias")
_SCALARS = tuple(name for name in MoEConfiguration.__dataclass_fields__ if name not in _ARRAYS)


@functools.lru_cache(maxsize=256, typed=True)
def _checked(*found: Any) -> MoEConfiguration:
    """Return the configuration of what a layer has, in the order of `_SCALARS` and `_ARRAYS`: None stands for what it lacks.

    Equal layers of a model are checked once; what is asked for at each call is therefore as plain as can be.
    """
    given = {name: value for name, value in zip((*_SCALARS, *_ARRAYS), found, strict=True) if value is not None}
    given |= {name: Array.of(name, *given[name]) for name in _ARRAYS if name in given}
    for name, source, axis in (
        ("hidden_size", "down_proj_weight", 2),
        ("moe_intermediate_size", "down_proj_weight", 1),
    ):
        weight = given.get(source)
        if name not in given and weight is not None and len(weight.shape) == 3:
            given[name] = weight.shape[axis]
    for name in ("num_experts", "top_k", "hidden_size", "moe_intermediate_size"):
        _require(name, name in given, "is missing: the layer has no such attribute")
    given.setdefault("topk_method", "")
    n_group: Any = given.get("n_group", 0)
    if _is_whole(n_group) and n_group <= 0:
        given["n_group"] = given["topk_group"] = 1
    _require(
        "tp_rank",
        given.get("tp_size", 1) == 1 or "tp_rank" in given or "down_proj_bias" not in given,
        "is missing: with tp_size above 1 the first rank alone adds down_proj_bias",
    )
    return MoEConfiguration(**given)


def _is_whole(value: object) -> bool:
    """Is it a whole number, of Python or of NumPy?"""
    return isinstance(value, Integral)


def _require(name: str, holds: bool, problem: str) -> None:
    """Raise `ValueError` about a field unless its condition holds."""
    if not holds:
        raise ValueError(f"{name} {problem}")
