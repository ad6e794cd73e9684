"""`--watch` with a real process and real saves: each is told, a broken configuration ends nothing, Ctrl-C is clean."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.running import BROKEN, BROKEN_LINE, command, environment, refusal, write

PATIENCE = 60
WAITING = "sigcheck: waiting for changes; Ctrl-C ends"
FINE = BROKEN.replace("(self, x):", "(self, x, scale):")


@contextmanager
def watched(*arguments: str, cwd: Path) -> Iterator[tuple[subprocess.Popen[str], queue.Queue[str]]]:
    process = subprocess.Popen(
        command("check", "--output-format", "concise", "--watch", *arguments),
        cwd=cwd,
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    told: queue.Queue[str] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            told.put(line.rstrip("\n"))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield process, told
    finally:
        process.kill()
        process.wait()
        reader.join(PATIENCE)
        assert process.stdout is not None
        process.stdout.close()


def turn(told: queue.Queue[str]) -> list[str]:
    """What is told until it waits again."""
    found: list[str] = []
    while (line := told.get(timeout=PATIENCE)) != WAITING:
        found.append(line)
    return found


def test_each_save_is_told_and_ctrl_c_is_clean(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles")
    write(tmp_path, {"src/bad.py": BROKEN, "sigcheck.toml": 'paths = ["src"]\n'})
    line = f"src/{BROKEN_LINE}"
    with watched(cwd=tmp_path) as (process, told):
        assert turn(told) == [line, "1 override in 1 file: 1 diagnostic"]
        write(tmp_path, {"src/bad.py": FINE})
        assert turn(told)[-1] == "1 override in 1 file: no diagnostics"
        write(tmp_path, {"src/new": BROKEN})
        os.replace(tmp_path / "src/new", tmp_path / "src/bad.py")
        assert turn(told)[0] == line, "a save by a rename"
        (tmp_path / "sigcheck.toml").write_text("paths = 3\n")
        while "sigcheck.toml" not in (said := turn(told))[-1]:
            assert said, "a turn says something"
        (tmp_path / "new.toml").write_text('paths = ["src"]\nignore = ["missing-parameter"]\n')
        os.replace(tmp_path / "new.toml", tmp_path / "sigcheck.toml")
        assert turn(told) == ["1 override in 1 file: no diagnostics"]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert told.empty(), "nothing is said of the end"


def test_a_directory_that_is_moved_is_a_save_of_what_is_in_it(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles")
    write(tmp_path, {"src/pkg/bad.py": BROKEN, "src/notes": ""})
    with watched("src", cwd=tmp_path) as (_, told):
        assert turn(told)[0] == f"src/pkg/{BROKEN_LINE}"
        os.rename(tmp_path / "src/pkg", tmp_path / "src/other")
        assert turn(told)[0] == f"src/other/{BROKEN_LINE}"
        os.rename(tmp_path / "src/other", tmp_path / "away")
        assert turn(told) == ["0 overrides in 0 files: no diagnostics"]
        os.rename(tmp_path / "away", tmp_path / "src/pkg")
        assert turn(told)[0] == f"src/pkg/{BROKEN_LINE}"


def test_what_is_watched_is_what_the_configuration_says_now(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles")
    files = {"one/bad.py": BROKEN, "two/bad.py": FINE, "own.toml": 'paths = ["one"]\n'}
    write(tmp_path, files)
    with watched("--config", "own.toml", cwd=tmp_path) as (_, told):
        assert turn(told)[0] == f"one/{BROKEN_LINE}"
        write(tmp_path, {"own.toml": 'paths = ["two"]\n'})
        assert turn(told) == ["1 override in 1 file: no diagnostics"]
        write(tmp_path, {"two/bad.py": BROKEN})
        assert turn(told)[0] == f"two/{BROKEN_LINE}"


def test_what_cannot_be_watched_is_one_line(tmp_path: Path) -> None:
    write(tmp_path, {"bad.py": BROKEN, "hidden/watchfiles.py": "raise ImportError\n"})
    hidden = os.pathsep.join((str(tmp_path / "hidden"), environment()["PYTHONPATH"]))
    line = refusal("check", "bad.py", "--watch", cwd=tmp_path, env=environment(PYTHONPATH=hidden))
    assert 'pip install "sigcheck[watch]"' in line
    assert "- is none" in refusal("check", "-", "--stdin-filename", "bad.py", "--watch", cwd=tmp_path, given="x = 1\n")
    if "watchfiles" in sys.modules:
        assert "no such file" in refusal("check", "nowhere.py", "--watch", cwd=tmp_path)
