"""Half precision on the CPU, where Paddle has no GEMM and few other kernels for it: widen, compute in fp32, round once.

Imports `host`.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import paddle

from fastdeploy_moe.ops.host import numpy_multiplies, tensor_of, view

HALF_DTYPES = (paddle.bfloat16, paddle.float16)
DTYPES = (paddle.float32, *HALF_DTYPES)

_widening = threading.RLock()


def is_bridged(tensor: Any) -> bool:
    """Is the tensor bfloat16 or float16, and on the CPU?"""
    return tensor.dtype in HALF_DTYPES and tensor.place.is_cpu_place()


def widen(tensor: Any) -> Any:
    """Return a half-precision tensor on the CPU as fp32 (exact); any other tensor as it is.

    Paddle 2.6 takes five times as long for it as NumPy.
    """
    if not is_bridged(tensor):
        return tensor
    if _cast_rounds_to_nearest():
        return tensor.cast(paddle.float32)
    values = tensor.clone().numpy()  # of a view, `numpy` would copy all that the view is of
    if tensor.dtype == paddle.bfloat16:  # of which NumPy has the bits, as uint16
        values = (values.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return paddle.to_tensor(values.astype(np.float32), place=tensor.place)


def round_to(tensor: Any, dtype: Any) -> Any:
    """Return the tensor in that dtype, rounded to nearest, ties to even.

    On a CPU not every `Tensor.cast` does that. Paddle 2.6 truncates; 3.3 makes the least float16 of values far below it. There
    the rounding is NumPy's, or that of `_bfloat16_bits`.
    """
    if tensor.dtype == dtype:
        return tensor
    if dtype not in HALF_DTYPES or not tensor.place.is_cpu_place():
        return tensor.cast(dtype)
    if dtype == paddle.bfloat16 and _cast_rounds_to_nearest():
        return tensor.cast(dtype)
    values = tensor.cast(paddle.float32).numpy()
    if dtype == paddle.float16:
        with np.errstate(over="ignore", under="ignore"):
            return paddle.to_tensor(values.astype(np.float16), place=tensor.place)
    return paddle.to_tensor(_bfloat16_bits(values), place=tensor.place)  # Paddle reads uint16 as bfloat16


@functools.lru_cache(maxsize=1)
def _cast_rounds_to_nearest() -> bool:
    """Does a cast to bfloat16 on the CPU round? 1 + 3/4 ulp goes up, or is truncated to 1."""
    probe = paddle.to_tensor([1.0 + 3 * 2.0**-9], dtype="float32", place=paddle.CPUPlace())
    return bool(probe.cast(paddle.bfloat16).cast(paddle.float32).numpy()[0] > 1.0)


def _bfloat16_bits(values: Any) -> Any:
    """Return the upper halves (uint16) of fp32 values, rounded to nearest even; a NaN stays one."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    # Half an ulp less one, and one more where the last bit kept is odd; a carry into the exponent is right, up to infinity.
    rounded = (bits + (np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1)))) >> np.uint32(16)
    quiet = (bits >> np.uint32(16)) | np.uint32(0x40)
    return np.where(np.isnan(values), quiet, rounded).astype(np.uint16)


def call_widened(module: Any, x: Any) -> Any:
    """Return `module(x)`, where a half-precision `x` on the CPU and the module's parameters and buffers are widened first.

    A plain `nn.Linear` on the CPU is its product, which NumPy computes. Of any other layer of half precision the parameters are
    exchanged while the call lasts, one call at a time in a process, and are the same objects afterwards. The result stays fp32
    then: it is rounded once, at the end of the layer.

    Args:
        module: an `nn.Layer`, or any other callable, which has no parameters to widen.
        x: `[T, width]`. A module of half precision gets fp32 here too: its product has no kernel on the CPU.
    """
    if not x.place.is_cpu_place():
        return module(x)
    x = widen(x)
    product = multiply(module, view(x)) if numpy_multiplies() and is_plain_linear(module) else None
    if product is not None:
        return tensor_of(product, x.place)
    if isinstance(module, paddle.nn.Layer):
        with _widening:  # while another thread has it widened, a module looks as if there were nothing to widen
            if any(is_bridged(value) for value in _tensors(module)):
                with _widened(module):
                    return module(x)
    return module(x)


def call_on_tokens(name: str, module: Any, x: Any) -> Any:
    """Return `module(x)`, `[T, width]`, for x `[T, H]`; on the CPU in fp32, see `call_widened`. Of float64 it becomes fp32.

    Args:
        name: of the parameter, for the message.
        module: the gate, a projection or the shared experts.
        x: `[T, H]`.

    Raises:
        ValueError: what it gives is not one row for each token, or not of floating point.
    """
    out = call_widened(module, x)
    if not isinstance(out, paddle.Tensor):
        raise ValueError(f"{name} gives {type(out).__name__}, not a tensor")  # noqa: TRY004  of the caller's module
    if len(out.shape) != 2 or out.shape[0] != x.shape[0]:
        raise ValueError(f"{name} gives the shape {list(out.shape)}, not [{x.shape[0]}, width]: one row for each token")
    if out.dtype == paddle.float64:
        return out.cast(paddle.float32)
    if out.dtype not in DTYPES:
        raise ValueError(f"{name} gives {out.dtype}; it must be float32, bfloat16 or float16")
    return out


def is_plain_linear(module: Any) -> bool:
    """Is it an `nn.Linear` and nothing else: no subclass, no hooks, no other `forward`? Then its product is known."""
    return (
        type(module) is paddle.nn.Linear
        and "forward" not in vars(module)
        and not module._forward_pre_hooks  # noqa: SLF001
        and not module._forward_post_hooks  # noqa: SLF001
    )


@np.errstate(all="ignore")
def multiply(linear: Any, x: Any) -> Any:
    """Return what a plain `nn.Linear` gives of fp32 rows in an array, as an array; None where Paddle has to say what is wrong."""
    weight = view(widen(linear.weight))
    if weight.dtype != np.float32 or len(weight) != x.shape[-1]:
        return None
    out = np.matmul(x, weight)
    bias = linear.bias
    if bias is not None:
        out += view(widen(bias))
    return out


def _tensors(module: Any) -> list[Any]:
    """Return the parameters and buffers of a layer and its sublayers."""
    return [
        tensor
        for layer in module.sublayers(include_self=True)
        for store in (layer._parameters, layer._buffers)  # noqa: SLF001
        for tensor in store.values()
        if tensor is not None
    ]


@contextlib.contextmanager
def _widened(module: Any) -> Iterator[None]:
    """Have fp32 copies in the place of the half-precision parameters and buffers of a layer; the caller holds `_widening`."""
    exchanged = []
    try:
        for layer in module.sublayers(include_self=True):
            for store in (layer._parameters, layer._buffers):  # noqa: SLF001
                for name, tensor in store.items():
                    if tensor is not None and is_bridged(tensor):
                        exchanged.append((store, name, tensor))
                        store[name] = widen(tensor)
        yield
    finally:
        for store, name, tensor in exchanged:
            store[name] = tensor
