"""Runs mypy and dmypy over a project that a test writes and edits: cold, warm, and in a daemon.

What is not the project's own (typeshed) stays in a cache that the cold runs share: a cold run knows nothing of the project.
"""

from __future__ import annotations

import functools
import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from mypy.version import __version__

from tests.mypy_pages import STANDARD, copy_cache
from tests.mypy_runs import run_mypy
from tests.running import environment, write

CONFIGURATION = "[mypy]\nplugins = sigcheck.mypy_plugin\n"
OPTIONS = ["--no-error-summary", "--ignore-missing-imports", "--follow-imports=silent", "--no-site-packages"]
QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
REMARKED = pytest.mark.filterwarnings(
    "ignore:The recursion limit will not be reset:hypothesis.errors.HypothesisWarning"
)
"""mypy raises the limit of recursion in this process, which hypothesis remarks on."""
TIMEOUT = 120
MYPY = tuple(int(part) for part in __version__.split(".")[:2])
TAKES_CODES = MYPY >= (1, 19)
"""A plugin's codes can stand in mypy's options: older ones read those before they load a plugin."""

_TOLD_COLD: dict[tuple[object, ...], list[str]] = {}


@dataclass
class Project:
    """A directory with the files of one project.

    Attributes:
        directory: it.
        files: what is in it, by name; None in `edit` takes one away.
        options: for mypy, in every run.
        targets: what mypy is asked to check; every module where it is empty.
        typeshed: the cache that cold runs share.
    """

    directory: Path
    files: dict[str, str] = field(default_factory=dict)
    options: Sequence[str] = ()
    targets: Sequence[str] = ()
    typeshed: Path = Path(".cold")
    _seen: set[str] = field(default_factory=set)
    _clock: int = 0

    def edit(self, files: Mapping[str, str | None]) -> None:
        """Change files; mypy sees a change by its time or its size."""
        self._seen.update(files)
        for name, text in files.items():
            path = self.directory / name
            if text is None:
                self.files.pop(name, None)
                path.unlink(missing_ok=True)
            elif self.files.get(name) != text:
                self.files[name] = text
                write(self.directory, {name: text})
                self._clock += 1
                moment = 1_700_000_000 + self._clock
                os.utime(path, (moment, moment))

    def _arguments(self) -> list[str]:
        own = [name for name in self.files if name.endswith((".py", ".pyi")) and "/" not in name]
        return ["--no-error-summary", "--no-color-output", *self.options, *(self.targets or sorted(own))]

    def mypy(self, *options: str, cache: str = ".warm") -> list[str]:
        """What mypy says, sorted: `dmypy` has another order of files."""
        before = Path.cwd()
        os.chdir(self.directory)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ResourceWarning)
                output, problem, status = run_mypy(["--cache-dir", cache, *options, *self._arguments()])
                if "--sqlite-cache" in options and MYPY < (2, 0):
                    gc.collect()  # It leaves its database open, which Python remarks on in some later test.
        finally:
            os.chdir(before)
        return _told(output, problem, status)

    def cold(self, *options: str) -> list[str]:
        """What mypy says that has never seen the project: of the same files the same, whatever a warm run does with its cache."""
        asked = tuple(option for option in options if "cache" not in option)
        state = (asked, tuple(self.options), tuple(self.targets), tuple(sorted(self.files.items())))
        if state not in _TOLD_COLD:
            self._forget()
            _TOLD_COLD[state] = self.mypy(*asked, "--no-sqlite-cache", cache=str(self.typeshed))
        return list(_TOLD_COLD[state])

    def _forget(self) -> None:
        own = {Path(name).parts[0].partition(".")[0] for name in self._seen}
        for entry in (self.directory / self.typeshed).glob("3.*/*"):
            if entry.name.partition(".")[0] in own:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def dmypy(self, *options: str) -> list[str]:
        """What the daemon says, which starts where there is none."""
        done = self._daemon("run", "--timeout", "600", "--", *options, *self._arguments())
        lines = [line for line in done.stdout.splitlines() if not line.startswith(("Daemon st", "Restarting: "))]
        return _told("\n".join(lines), _REMARK.sub("", done.stderr), done.returncode)

    def stop(self) -> None:
        """End the daemon."""
        self._daemon("stop")

    def _daemon(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mypy.dmypy", "--status-file", "daemon.json", command, *arguments],
            cwd=self.directory,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )


_REMARK = re.compile(
    r'Exception ignored in PyObject_HasAttr.*\nTraceback .*\n  File "mypy/nodes.py", .* in setter\nAssertionError: *\n'
)
"""Of Python 3.13, whenever the daemon of mypy 1.16 merges an overloaded function, with or without a plugin."""


def _told(output: str, problem: str, status: int) -> list[str]:
    lines = output.splitlines()
    assert "Traceback" not in output + problem, output + problem
    assert "sigcheck failed" not in output, output
    assert status in {0, 1}, output + problem
    assert status == (1 if any(": error:" in line or '"severity": "error"' in line for line in lines) else 0), output
    return sorted(lines)


def ours(lines: Sequence[str]) -> list[str]:
    """The errors of the plugin: place, message, code."""
    return [line for line in lines if line.endswith(("[override-binding]", "[call-binding]", "[use-binding]"))]


def same_in_both(directory: Path, targets: Sequence[str], other: AbstractContextManager[None]) -> str:
    """Run mypy as it is, and in the other way, and hold the two against each other; what both say."""
    before = Path.cwd()
    os.chdir(directory)
    try:
        some = _run_cold(targets, "some")
        with other:
            every = _run_cold(targets, "every")
    finally:
        os.chdir(before)
    assert some == every
    assert some[2] in {0, 1}, some
    assert "sigcheck failed" not in some[0]
    return some[0]


def _run_cold(targets: Sequence[str], cache: str) -> tuple[str, str, int]:
    """What mypy prints that has seen what every program imports, and nothing of these."""
    shutil.rmtree(cache, ignore_errors=True)
    copy_cache(Path(_imported_by_all().name), Path(cache))
    return run_mypy(["--config-file", "mypy.ini", "--cache-dir", cache, "--sqlite-cache", *OPTIONS, *targets])


@functools.cache
def _imported_by_all() -> tempfile.TemporaryDirectory[str]:
    """A cache of mypy for it, made once in a process."""
    cache = tempfile.TemporaryDirectory()
    configuration = Path(cache.name, "mypy.ini")
    configuration.write_text(CONFIGURATION, encoding="utf-8")
    arguments = ["--config-file", str(configuration), "--cache-dir", cache.name, "--sqlite-cache", *OPTIONS]
    output, problem, _ = run_mypy([*arguments, "-c", f"import {', '.join(STANDARD)}"])
    assert not output + problem, output + problem
    return cache


def is_program(text: str) -> bool:
    """Python can compile it: else mypy says nothing else."""
    try:
        compile(text, "text", "exec")
    except SyntaxError:
        return False
    return True
