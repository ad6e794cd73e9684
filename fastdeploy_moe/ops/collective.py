"""The sum over the ranks of a tensor-parallel group.

Imports Paddle, and nothing of this package.
"""

from __future__ import annotations

from typing import Any

import paddle
import paddle.distributed


def tensor_model_parallel_all_reduce(input_: Any, group_: Any = None) -> Any:
    """Return the sum of a tensor over the ranks of a group, in place.

    Args:
        input_: of the same shape on each rank.
        group_: of `paddle.distributed`; None for all ranks.

    Raises:
        RuntimeError: Paddle's parallel environment is not set up.
    """
    if not paddle.distributed.is_initialized():
        raise RuntimeError(
            "tensor_model_parallel_all_reduce: layer.tp_size is above 1, but Paddle's parallel environment is not set up: "
            "call paddle.distributed.init_parallel_env() first"
        )
    paddle.distributed.all_reduce(input_, group=group_)
    return input_
