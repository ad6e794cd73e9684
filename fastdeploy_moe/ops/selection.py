"""Who computes an operator: FastDeploy's own on a GPU, or Paddle.

Imports `precision`.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

VARIABLE = "FASTDEPLOY_MOE_OPS"
"""The environment variable that decides: `auto` (the default), `paddle` or `fastdeploy`. Read at each call."""

_CHOICES = ("auto", "paddle", "fastdeploy")

MODULES = {
    "get_moe_scores": "fastdeploy.model_executor.layers.moe.moe",
    "moe_topk_select": "fastdeploy.model_executor.ops.gpu",
    "moe_expert_dispatch": "fastdeploy.model_executor.ops.gpu",
    "moe_expert_ffn": "fastdeploy.model_executor.ops.gpu",
    "moe_expert_reduce": "fastdeploy.model_executor.ops.gpu",
    "tensor_model_parallel_all_reduce": "fastdeploy.distributed.communication",
}
"""Where FastDeploy keeps each operator."""


def find_operator(name: str, tensor: Any, dtypes: tuple[Any, ...], lacks: str = "") -> Callable[..., Any] | None:
    """Return FastDeploy's operator if it is to compute this call, else None: Paddle is.

    Args:
        name: of the operator.
        tensor: the call's data.
        dtypes: of `tensor` for which the operator has a kernel.
        lacks: what of this call the operator cannot do; empty if it can do it all.

    Raises:
        ValueError: `FASTDEPLOY_MOE_OPS` is none of its three values.
        RuntimeError: it is `fastdeploy`, and that cannot be; the message says why.
    """
    choice = os.environ.get(VARIABLE, "auto")
    if choice not in _CHOICES:
        raise ValueError(f"{VARIABLE}={choice!r}: choose one of {', '.join(_CHOICES)}")
    if choice == "paddle":
        return None
    can = not lacks and tensor.place.is_gpu_place() and tensor.dtype in dtypes
    operator = _imported(name) if can else None
    if operator is None and choice == "fastdeploy":
        raise RuntimeError(
            f"{VARIABLE}=fastdeploy, but FastDeploy's {name} cannot run: {_reason(name, tensor, dtypes, lacks)}. "
            "Set it to auto or paddle."
        )
    return operator


def _reason(name: str, tensor: Any, dtypes: tuple[Any, ...], lacks: str) -> str:
    """Return why FastDeploy's operator cannot compute a call."""
    if lacks:
        return f"it has no {lacks}"
    if not tensor.place.is_gpu_place():
        return f"the tensor is on {tensor.place}"
    if tensor.dtype not in dtypes:
        return f"it has no kernel for {tensor.dtype}"
    return f"{MODULES[name]} cannot be imported, or does not have it"


def _imported(name: str) -> Callable[..., Any] | None:
    """Return an operator of FastDeploy, or None where FastDeploy is not installed or does not have it."""
    module = sys.modules.get(MODULES[name]) or _import(MODULES[name])
    return getattr(module, name, None)


@functools.cache
def _import(module: str) -> Any:
    """Return a module, or None: a failed import is slow, and is not tried again."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None
