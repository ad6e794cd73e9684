"""The hook, with the real pre-commit in a temporary repository: a changed base reports files that were not touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import CHECKOUT, write

BASE = "class Base:\n    def run(self, x{}): ...\n"
KID = "from base import Base\n\n\nclass Kid(Base):\n    def run(self, x): ...\n"


def _environment(home: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PRE_COMMIT"))}
    author = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "A"), ("EMAIL", "a@b.c"))
    }
    return {
        **kept,
        **author,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "PRE_COMMIT_HOME": str(home),
        "PRE_COMMIT_COLOR": "never",
    }


def _git(directory: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=directory, env=_environment(directory), capture_output=True, text=True, check=True
    )
    return done.stdout


def _pre_commit(*arguments: str, cwd: Path, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", *arguments],
        cwd=cwd,
        env=_environment(home),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with this working tree as it is, committed or not."""
    copy = tmp_path / "sigcheck"
    copy.mkdir()
    listed = _git(CHECKOUT, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "sigcheck", ":/*.*")
    for name in filter(None, listed.split("\0")):
        source = CHECKOUT / name
        if source.is_file():
            write(copy, {name: source.read_bytes()})
    _git(copy, "init", "-q")
    _git(copy, "add", "-A", "-f")
    _git(copy, "commit", "-q", "-m", "as it is")
    return copy


@pytest.mark.long
def test_a_changed_base_reports_files_that_were_not_touched(checkout: Path, tmp_path: Path) -> None:
    family = write(tmp_path / "family", {"base.py": BASE.format(""), "kid.py": KID, "note.txt": ""})
    _git(family, "init", "-q")
    _git(family, "add", "-A")
    _git(family, "commit", "-q", "-m", "clean")
    home = tmp_path / "home"

    def hook(*arguments: str) -> subprocess.CompletedProcess[str]:
        return _pre_commit("try-repo", str(checkout), "sigcheck", "--verbose", *arguments, cwd=family, home=home)

    clean = hook("--all-files")
    assert clean.returncode == 0, clean.stdout + clean.stderr
    assert "1 override in 2 files: no diagnostics" in clean.stdout

    write(family, {"base.py": BASE.format(", scale=1")})
    _git(family, "add", "base.py")
    assert _git(family, "diff", "--cached", "--name-only").split() == ["base.py"]
    broken = hook()
    assert broken.returncode == 1, broken.stdout + broken.stderr
    assert "kid.py:5:9: error: Kid.run cannot receive scale [missing-parameter]" in broken.stdout
    assert broken.stdout.count("override in 2 files") == 1, "the hierarchy is checked once, in one process"

    _git(family, "reset", "-q", "--hard")
    write(family, {"note.txt": "changed"})
    _git(family, "add", "note.txt")
    assert "no files to check" in hook().stdout


def test_the_hook_and_the_projects_own_configuration_are_valid(tmp_path: Path) -> None:
    for command, name in (
        ("validate-manifest", ".pre-commit-hooks.yaml"),
        ("validate-config", ".pre-commit-config.yaml"),
    ):
        done = _pre_commit(command, name, cwd=CHECKOUT, home=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        write(tmp_path, {name: (CHECKOUT / name).read_text().replace("id:", "di:")})
        assert _pre_commit(command, name, cwd=tmp_path, home=tmp_path).returncode == 1, "or it validates nothing"


def test_the_hook_takes_the_whole_hierarchy_at_once() -> None:
    text = (CHECKOUT / ".pre-commit-hooks.yaml").read_text()
    for line in ("- id: sigcheck", "pass_filenames: false", "require_serial: true", "types_or: [python, pyi]"):
        assert line in text
