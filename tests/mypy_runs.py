"""Runs mypy in this process, many times."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Sequence

from mypy import api

_RUNS = itertools.count(1)
_TOGETHER = 16


def run_mypy(arguments: Sequence[str]) -> tuple[str, str, int]:
    """What mypy prints, what it complains of, and its status.

    mypy puts what it loads where Python's collector hardly looks again: without a hand each run keeps its megabytes.
    """
    told = api.run(list(arguments))
    if next(_RUNS) % _TOGETHER == 0:
        gc.collect()
    return told
