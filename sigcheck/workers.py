"""Other processes that work for this one: how many there are, and that they end with it. Imports nothing of sigcheck.

Where there are several, the standard library keeps them. To load that takes longer than many a check after an edit, which has one
question to one process: see `one_working`.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, NoReturn, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

T = TypeVar("T")


class WorkerDiedError(Exception):
    """A process is no more, and what it was asked has no answer."""


class Promise(Generic[T]):
    """What a process will answer."""

    def __init__(self, future: Future[T] | None) -> None:
        """Args: future: of the pool; None where that has lost a process."""
        self._future = future

    def result(self) -> T:
        """The answer, when it is there.

        Raises:
            WorkerDiedError: there will be none.
        """
        from concurrent.futures.process import BrokenProcessPool

        if self._future is None:
            raise WorkerDiedError
        try:
            return self._future.result()
        except BrokenProcessPool:
            raise WorkerDiedError from None


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

    def submit(self, function: Callable[..., T], *arguments: Any) -> Promise[T]:
        """Have one of them call a function."""
        from concurrent.futures.process import BrokenProcessPool

        if self._pool is None:
            self._pool = self._stack.enter_context(_pool(self.processors))
        try:
            return Promise(self._pool.submit(function, *arguments))
        except BrokenProcessPool:
            return Promise(None)


@contextmanager
def working(amount: int) -> Iterator[Workers | None]:
    """Other processes for work on so many bytes of sources; None where there can be none, or they would not pay for their start."""
    processors = min(os.cpu_count() or 1, 8) if amount >= _PARALLEL_FROM and can_fork() else 1
    with ExitStack() as stack:
        yield None if processors == 1 else Workers(processors, stack)


class Worker:
    """One other process, which was forked from this one."""

    def __init__(self, questions: BinaryIO, answers: BinaryIO) -> None:
        """Args: questions, answers: the pipes to it and from it."""
        self._questions = questions
        self._answers = answers

    def ask(self, function: Callable[..., T], *arguments: Any) -> T:
        """Have it call a function, and wait for what that returns.

        Raises:
            WorkerDiedError: the process is no more, or the function raised something there.
        """
        try:
            pickle.dump((function, arguments), self._questions, pickle.HIGHEST_PROTOCOL)
            self._questions.flush()
            found: T = pickle.load(self._answers)  # noqa: S301 - from a fork of this very process
        except (OSError, EOFError, pickle.UnpicklingError):
            raise WorkerDiedError from None
        return found


@contextmanager
def one_working(prepare: Callable[[], object]) -> Iterator[Worker | None]:
    """One other process, which begins by calling a function; None where there can be none."""
    if not can_fork():
        yield None
        return
    theirs, asking = os.pipe()
    told, mine = os.pipe()
    number = os.fork()
    if number == 0:
        _work(prepare, theirs, mine, (asking, told))
    os.close(theirs)
    os.close(mine)
    questions, answers = open(asking, "wb"), open(told, "rb")  # noqa: SIM115 - closed below
    try:
        yield Worker(questions, answers)
    finally:
        # It has answered all that it was asked, or nobody wants to know any more.
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(number, 0)
        answers.close()
        with suppress(OSError):
            questions.close()


def _work(prepare: Callable[[], object], theirs: int, mine: int, others: Iterable[int]) -> NoReturn:
    """Answer questions until nobody is there any more to ask them. What waits in the streams of the other process is not written."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # As in `_begin`.
        for descriptor in others:
            os.close(descriptor)
        prepare()
        with open(theirs, "rb") as questions, open(mine, "wb") as answers:
            while True:
                function, arguments = pickle.load(questions)  # noqa: S301 - from the process that forked
                pickle.dump(function(*arguments), answers, pickle.HIGHEST_PROTOCOL)
                answers.flush()
    finally:
        os._exit(1)


def can_fork() -> bool:
    """A process can be forked: other ways of starting one run the caller's main module again, which may be any program."""
    threading = sys.modules.get("threading")
    return hasattr(os, "fork") and (threading is None or threading.active_count() == 1)


@contextmanager
def _pool(processors: int) -> Iterator[ProcessPoolExecutor]:
    """Processes to read in. After Ctrl-C they are ended, and nobody waits: what one of them held when it was hit, it holds for good."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

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
    import threading

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
