"""Other processes that work for this one: how many there are, and that they end with it. Imports nothing of sigcheck."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

_PARALLEL_FROM = 2_000_000
"""Bytes of sources from which a second process pays for its start."""


class Workers:
    """Other processes, which are there while a context lasts, from when there is first something to do.

    Attributes:
        processors: how many there are to be.
    """

    def __init__(self, processors: int, stack: ExitStack) -> None:
        """Args: processors: how many there are to be; stack: ends them."""
        self.processors = processors
        self._stack = stack
        self._pool: ProcessPoolExecutor | None = None

    @property
    def are_there(self) -> bool:
        """They have been started: what is learnt from now on they do not know."""
        return self._pool is not None

    def prepare(self, function: Callable[[], object]) -> None:
        """Have each of them call a function, in which time this process does something else."""
        for _ in range(self.processors):
            self.submit(function)

    def submit(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Have one of them call a function; where one has died, what the future gives is a `BrokenProcessPool`."""
        if self._pool is None:
            self._pool = self._stack.enter_context(_pool(self.processors))
        try:
            return self._pool.submit(function, *arguments)
        except BrokenProcessPool as error:
            failed: Future[T] = Future()
            failed.set_exception(error)
            return failed


@contextmanager
def working(amount: int) -> Iterator[Workers | None]:
    """Other processes for work on so many bytes of sources; None where there can be none, or they would not pay for their start."""
    processors = min(os.cpu_count() or 1, 8) if amount >= _PARALLEL_FROM and can_fork() else 1
    with ExitStack() as stack:
        yield None if processors == 1 else Workers(processors, stack)


@contextmanager
def one_working() -> Iterator[Workers | None]:
    """One other process, whatever it is for; None where there can be none."""
    with ExitStack() as stack:
        yield Workers(1, stack) if can_fork() else None


def can_fork() -> bool:
    """A process can be forked: other ways of starting one run the caller's main module again, which may be any program."""
    return "fork" in multiprocessing.get_all_start_methods() and threading.active_count() == 1


@contextmanager
def _pool(processors: int) -> Iterator[ProcessPoolExecutor]:
    """Processes to read in. After Ctrl-C they are ended, and nobody waits: what one of them held when it was hit, it holds for good."""
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(processors, multiprocessing.get_context("fork"), initializer=_begin)
    try:
        yield pool
    except BaseException as error:
        for child in set(multiprocessing.active_children()) - others:
            child.kill()
        pool.shutdown(wait=isinstance(error, Exception), cancel_futures=True)
        raise
    pool.shutdown()


def _begin() -> None:
    """Ctrl-C reaches every process of the terminal: one speaks, the others end without a word. None outlives the one that asked."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
