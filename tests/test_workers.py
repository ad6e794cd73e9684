"""Other processes: what they are asked is answered, what happens to them is told, and none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from sigcheck import workers
from sigcheck.workers import WorkerDiedError, one_working, working
from tests.running import environment

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no process can be forked")

prepared: list[int] = []


def _prepare() -> None:
    prepared.append(os.getpid())


def _prepared(text: str) -> tuple[list[int], int, str]:
    return prepared, os.getpid(), text


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _fail() -> None:
    raise ZeroDivisionError


@pytest.fixture(autouse=True)
def _no_child_is_left() -> Iterator[None]:
    yield
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.fixture(autouse=True)
def _can_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "can_fork", lambda: True)  # Whoever runs the tests may have threads.


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_one_is_prepared_and_answers() -> None:
    with one_working(_prepare) as worker:
        assert worker is not None
        for text in ("", "a" * 1_000_000):
            [number], same, told = worker.ask(_prepared, text)
            assert (same, told) == (number, text)
            assert number != os.getpid()
    assert not prepared


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("end", [_end, _fail])
def test_one_that_dies_is_told_of(end: object, capfd: pytest.CaptureFixture[str]) -> None:
    with one_working(_prepare) as worker:
        assert worker is not None
        for _ in range(2):
            with pytest.raises(WorkerDiedError):
                worker.ask(end)  # type: ignore[arg-type]
    with one_working(_end) as worker:
        assert worker is not None
        time.sleep(0.05)
        with pytest.raises(WorkerDiedError):
            worker.ask(_prepared, "a" * 1_000_000)
    assert capfd.readouterr() == ("", "")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, ValueError])
def test_what_goes_wrong_meanwhile_is_not_hidden(error: type[BaseException]) -> None:
    with pytest.raises(error), one_working(lambda: time.sleep(60)):
        raise error


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_one_of_several_that_dies_is_told_of() -> None:
    with working(1 << 40) as several:
        if several is None:
            pytest.skip("one processor")
        assert several.submit(_prepared, "x").result()[2] == "x"
        with pytest.raises(WorkerDiedError):
            several.submit(_end).result()
        with pytest.raises(WorkerDiedError):
            several.submit(_prepared, "x").result()


def test_one_does_not_outlive_the_process_that_forked_it() -> None:
    program = (
        "import os, sys, time\n"
        "from sigcheck.workers import one_working\n"
        "with one_working(lambda: print(os.getpid(), flush=True)) as worker:\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], env=environment(), stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        number = int(parent.stdout.readline())
        parent.kill()
        # It holds the other end of the pipe: that it is closed says that it has ended.
        assert parent.stdout.read() == b""
    assert number != parent.pid
