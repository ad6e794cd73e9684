"""Runs of a program, and what they took: wall time, CPU time and peak memory of its whole process tree."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY = 0.02
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Taken:
    """One run.

    Attributes:
        wall: seconds from its start to its end.
        cpu: seconds of processor time, user and system, of it and of the processes it waited for.
        peak: bytes; the greatest sum, over its process tree, of resident memory, sampled fifty times a second. What forked
            processes share counts once for each. 0 where nobody asked.
        status: as it exited.
        output: what it wrote to the standard output.
        errors: what it wrote to the standard error.
    """

    wall: float
    cpu: float
    peak: int
    status: int
    output: bytes
    errors: bytes


def run(
    command: Sequence[str | Path],
    directory: Path,
    scratch: Path,
    *,
    environment: Mapping[str, str] | None = None,
    with_memory: bool = False,
    timeout: float = 1800,
) -> Taken:
    """Run a program to its end, alone.

    Args:
        command: the program and its arguments.
        directory: where it runs.
        scratch: where its output is kept meanwhile; it is not read while the clock runs.
        environment: on top of this process's.
        with_memory: sample its memory, which makes it a little slower: not for what is timed.
        timeout: seconds.
    """
    output, errors = scratch / "output", scratch / "errors"
    with output.open("wb") as to, errors.open("wb") as also:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=directory, env={**os.environ, **(environment or {})}, stdout=to, stderr=also
        )
        guard = threading.Timer(timeout, process.kill)
        guard.start()
        peak = _sampled(process) if with_memory else 0
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        guard.cancel()
    code = process.returncode = os.waitstatus_to_exitcode(status)
    return Taken(wall, usage.ru_utime + usage.ru_stime, peak, code, output.read_bytes(), errors.read_bytes())


def _sampled(process: subprocess.Popen[bytes]) -> int:
    peak = 0
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        peak = max(peak, sum(_resident(pid) for pid in _tree(process.pid)))
        time.sleep(_EVERY)
    return peak


def _tree(root: int) -> list[int]:
    """A process and all below it."""
    found = [root]
    for pid in found:
        for listed in Path(f"/proc/{pid}/task").glob("*/children"):
            found += map(int, _text(listed).split())
    return found


def _resident(pid: int) -> int:
    fields = _text(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * _PAGE if fields else 0


def _text(path: Path) -> str:
    """What `/proc` says; nothing where the process is gone."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def machine() -> str:
    """The processors and the memory, for a report: no name of the host."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        "processor unknown",
    )
    memory = os.sysconf("SC_PHYS_PAGES") * _PAGE
    return f"{len(os.sched_getaffinity(0))} processors ({model}), {memory / 2**30:.0f} GiB"
