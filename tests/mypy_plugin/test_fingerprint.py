"""mypy drops its cache when sigcheck or its configuration is another, and only then."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import sigcheck.version
from sigcheck.mypy_plugin.fingerprint import fingerprint
from sigcheck.version import __version__
from tests.running import write


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a sigcheck of three files lies; the working directory is another."""
    write(tmp_path, {"lib/sigcheck/version.py": "", "lib/sigcheck/core/a.py": "1\n", "work/x.py": ""})
    monkeypatch.setattr(sigcheck.version, "__file__", str(tmp_path / "lib" / "sigcheck" / "version.py"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def test_a_changed_file_of_sigcheck_is_seen(installed: Path) -> None:
    first = fingerprint()
    assert fingerprint() == first
    write(installed, {"lib/sigcheck/core/a.py": "12\n"})
    second = fingerprint()
    os.utime(installed / "lib" / "sigcheck" / "core" / "a.py", (1, 1))
    third = fingerprint()
    write(installed, {"lib/sigcheck/b.py": ""})
    assert len({first, second, third, fingerprint()}) == 4


def test_a_file_that_is_gone_when_it_is_looked_at_counts_for_nothing(installed: Path) -> None:
    first = fingerprint()
    (installed / "lib" / "sigcheck" / "b.py").symlink_to("gone.py")
    assert fingerprint() == first


def test_what_is_installed_is_told_by_its_record_and_not_by_when(installed: Path) -> None:
    record = f"lib/sigcheck-{__version__}.dist-info/RECORD"
    line = "sigcheck/core/a.py,sha256=abc,2\n"
    write(installed, {record: line + "sigcheck/core/__pycache__/a.pyc,,\n"})
    first = fingerprint()
    os.utime(installed / "lib" / "sigcheck" / "core" / "a.py", (1, 1))
    write(installed, {record: line})
    assert fingerprint() == first
    write(installed, {record: line.replace("abc", "abd")})
    assert fingerprint() != first


def test_a_configuration_above_is_seen_and_another_tool_s_is_not(installed: Path) -> None:
    write(installed, {"pyproject.toml": "[tool.other]\nx = 1\n"})
    first = fingerprint()
    write(installed, {"pyproject.toml": "[tool.other]\nx = 2\n"})
    assert fingerprint() == first
    write(installed, {"pyproject.toml": '[tool.sigcheck]\nignore = ["override"]\n'})
    second = fingerprint()
    write(installed, {"work/sigcheck.toml": ""})
    assert len({first, second, fingerprint()}) == 3
