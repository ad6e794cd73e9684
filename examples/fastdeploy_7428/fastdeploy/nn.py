"""The little of `paddle.nn` that the family needs: a callable layer, a weight, and a tensor of nested lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

Tensor: TypeAlias = list[list[float]]
"""A matrix by rows: one row a token for activations, one row an input feature for weights."""


@dataclass
class Parameter:
    """The weights of all experts: declared first, filled when the checkpoint is loaded."""

    shape: tuple[int, int, int]
    dtype: str
    attrs: dict[str, Any]
    data: list[Tensor] = field(default_factory=list)
    scale: list[float] = field(default_factory=list)


class Layer:
    """A module: calling it runs `forward`."""

    def __getattr__(self, name: str) -> Any:
        """Say that `name` was never set; as in Paddle, a layer's attributes are of any type."""
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __call__(self, *inputs: Any, **kwargs: Any) -> Any:
        """Run the layer."""
        return self.forward(*inputs, **kwargs)

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Compute the output; subclasses say from what."""
        raise NotImplementedError

    def add_parameter(self, name: str, parameter: Parameter) -> None:
        """Make `parameter` the attribute `name`."""
        setattr(self, name, parameter)
