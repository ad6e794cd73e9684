"""Tensors of the CPU as arrays on the same memory, arrays as tensors, and whose products are fast there.

On the CPU NumPy computes what Paddle would take longer for: a call of it costs a fraction of one of Paddle's, and its BLAS does without
MKL, which runs at 40 % on AMD.

Imports Paddle and NumPy, and nothing of this package.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle
from paddle.utils import dlpack


class _Exported:
    """What `numpy.from_dlpack` asks for; Paddle 2.6 gives a capsule only, and without the strides."""

    __slots__ = ("_tensor",)

    def __init__(self, tensor: Any) -> None:
        self._tensor = tensor

    def __dlpack__(self, **_: Any) -> Any:
        return dlpack.to_dlpack(self._tensor.contiguous())

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)  # kDLCPU


def view(tensor: Any) -> Any:
    """Return the values of a tensor on the CPU as an array, which is its own memory and cannot be written to.

    Args:
        tensor: of any dtype that NumPy has, so not bfloat16.
    """
    return np.from_dlpack(_Exported(tensor))


def tensor_of(array: Any, place: Any) -> Any:
    """Return an array, which nobody else writes to, as a tensor on that place; on the CPU it is the array's own memory."""
    if place.is_cpu_place():
        return dlpack.from_dlpack(np.ascontiguousarray(array).__dlpack__())
    return paddle.to_tensor(array, place=place)


def take(tensor: Any, indices: Any) -> Any:
    """Return the rows of a tensor that an array of indices names, where the tensor is."""
    place = tensor.place
    if place.is_cpu_place():
        return tensor_of(np.take(view(tensor), indices, axis=0), place)
    return paddle.gather(tensor, tensor_of(indices, place))


def numpy_multiplies() -> bool:
    """Are products on the CPU NumPy's? Not those of NumPy 1, all that Paddle 2.6 takes: its BLAS does not know the processors of 2023,
    where it falls back to a fraction of its speed.
    """
    return _IS_NUMPY_2


_IS_NUMPY_2 = int(np.__version__.partition(".")[0]) >= 2
