"""Runs the real program on files that a test writes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from sigcheck.cli import main

CHECKOUT = Path(__file__).resolve().parent.parent

BROKEN = """\
class Base:
    def run(self, x, scale): ...


class Kid(Base):
    def run(self, x): ...
"""
"""One family with one broken override, in line 6."""

BROKEN_LINE = "bad.py:6:9: error: Kid.run cannot receive scale [missing-parameter]"


def write(directory: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a directory; return it."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return directory


def environment(**changes: str) -> dict[str, str]:
    """This process's environment with this checkout's sigcheck, and nothing that speaks of colour."""
    kept = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "PYTHONWARNINGS")}
    return {**kept, "PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1", "TERM": "xterm", **changes}


def command(*arguments: str) -> list[str]:
    """The command line of `python -m sigcheck`."""
    return [sys.executable, "-m", "sigcheck", *arguments]


def run(
    *arguments: str, cwd: Path, given: str | bytes | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program: in a process of its own where it gets an input or an environment, else in this one."""
    data = given.encode() if isinstance(given, str) else given
    done = _in_process(arguments, cwd) if data is None and env is None else _alone(arguments, cwd, data or b"", env)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def _alone(
    arguments: Sequence[str], cwd: Path, data: bytes, env: Mapping[str, str] | None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command(*arguments), cwd=cwd, input=data, capture_output=True, env=env or environment(), timeout=60, check=False
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8", "backslashreplace")
    )


def _in_process(arguments: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    before = os.getcwd()
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace")
    with mock.patch.dict(os.environ), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        for name in ("NO_COLOR", "FORCE_COLOR"):
            os.environ.pop(name, None)
        os.chdir(cwd)
        try:
            status = main(list(arguments))
        finally:
            os.chdir(before)
    return subprocess.CompletedProcess(arguments, status, _written(out), _written(err))


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    content = stream.buffer
    assert isinstance(content, io.BytesIO)
    return content.getvalue().decode("utf-8")


def check(*arguments: str, cwd: Path, **settings: Any) -> subprocess.CompletedProcess[str]:
    """`sigcheck check --no-cache --output-format concise`."""
    return run("check", "--no-cache", "--output-format", "concise", *arguments, cwd=cwd, **settings)


def lines(*arguments: str, cwd: Path, status: int, **settings: Any) -> list[str]:
    """The diagnostics of a check, a line each, after the exit status was held against `status`."""
    done = check("--quiet", *arguments, cwd=cwd, **settings)
    assert (done.returncode, done.stderr) == (status, ""), (done.stdout, done.stderr)
    return done.stdout.splitlines()


def refusal(*arguments: str, cwd: Path, **settings: Any) -> str:
    """The one line on standard error of a run that ends with status 2 and reports nothing."""
    done = run(*arguments, cwd=cwd, **settings)
    assert (done.returncode, done.stdout) == (2, ""), (done.stdout, done.stderr)
    [line] = done.stderr.splitlines()
    assert line.startswith("sigcheck: ")
    return line.removeprefix("sigcheck: ")


def report(*arguments: str, cwd: Path, status: int | None = None) -> Any:
    """The JSON report of a check."""
    done = run("check", "--no-cache", "--output-format", "json", *arguments, cwd=cwd)
    assert not done.stderr, done.stderr
    assert status is None or done.returncode == status
    return json.loads(done.stdout)


def rules(found: Sequence[str]) -> list[str]:
    """The rule at the end of each line."""
    return [line.rpartition("[")[2].rstrip("]") for line in found]
