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


# The same hook without an environment of its own: quick.


class Repository:
    """A family under git, with the hook in its configuration, and pre-commit to run it."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.directory = directory
        self.home = directory.parent / "home"
        hook = (CHECKOUT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
        entry = f"{sys.executable} -m sigcheck check --staged --output-format concise"
        hook = hook.replace("language: python", "language: system").replace("sigcheck check --staged", entry)
        assert entry in hook
        assert "language: system" in hook
        listed = "".join(f"    {line}\n" for line in (*hook.splitlines(), f"  args: [{', '.join(arguments)}]"))
        files = {
            "base.py": BASE.format(""),
            "kid.py": KID,
            "other.py": KID.replace("Kid", "Other"),
            "lone.py": "x = 1\n",
        }
        config = f"repos:\n- repo: local\n  hooks:\n{listed}"
        write(
            directory, {**files, "note.txt": "", ".pre-commit-config.yaml": config, ".gitignore": ".sigcheck_cache\n"}
        )
        _git(directory, "init", "-q", "-b", "main")
        self.commit()

    def write(self, **files: str) -> None:
        write(self.directory, {f"{name}.py": text for name, text in files.items()})

    def git(self, *arguments: str) -> str:
        return _git(self.directory, *arguments)

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--no-verify", "-m", "step")
        return self.git("rev-parse", "HEAD").strip()

    def told(self, *arguments: str, status: int) -> list[str]:
        """What the hook says of the overrides; the status is pre-commit's."""
        done = _pre_commit("run", "--verbose", *arguments, cwd=self.directory, home=self.home)
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return [line.partition(" error: ")[2] for line in done.stdout.splitlines() if " error: " in line]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    return Repository(tmp_path / "family")


KID_BROKEN = "Kid.run cannot receive scale [missing-parameter]"
OTHER_BROKEN = "Other.run cannot receive scale [missing-parameter]"


def test_what_is_staged_is_told_of_and_nothing_else(repository: Repository) -> None:
    repository.write(lone="x = 2\n")
    repository.git("add", "-A")
    assert repository.told(status=0) == []
    repository.write(base=BASE.format(", scale"))
    repository.git("add", "-A")
    assert repository.told(status=1) == [KID_BROKEN, OTHER_BROKEN]
    repository.commit()
    repository.write(lone="x = 3\n")
    repository.git("add", "-A")
    assert repository.told(status=0) == [], "what was broken before is not this commit's"
    repository.write(kid=KID + "\n")
    repository.git("add", "kid.py")
    assert repository.told(status=1) == [KID_BROKEN]


def test_a_run_on_all_files_tells_all(repository: Repository) -> None:
    assert repository.told("--all-files", status=0) == []
    repository.write(base=BASE.format(", scale"))
    repository.commit()
    assert repository.told("--all-files", status=1) == [KID_BROKEN, OTHER_BROKEN]
    assert repository.told("--files", "lone.py", status=1) == [KID_BROKEN, OTHER_BROKEN]


def test_a_range_of_commits_tells_of_what_it_changed(repository: Repository) -> None:
    repository.write(base=BASE.format(", scale"))
    start = repository.commit()
    repository.write(kid=KID + "\n")
    middle = repository.commit()
    repository.write(lone="x = 2\n")
    end = repository.commit()
    assert repository.told("--from-ref", start, "--to-ref", end, status=1) == [KID_BROKEN]
    assert repository.told("--from-ref", middle, "--to-ref", end, status=0) == []
    assert repository.told("--from-ref", f"{start}~1", "--to-ref", end, status=1) == [KID_BROKEN, OTHER_BROKEN]


def test_what_is_not_staged_has_no_say(repository: Repository) -> None:
    mended = KID.replace("x)", "x, scale)")
    repository.write(base=BASE.format(", scale"))
    repository.git("add", "base.py")
    repository.write(kid=mended, other=mended)
    assert repository.told(status=1) == [KID_BROKEN, OTHER_BROKEN]
    assert (repository.directory / "kid.py").read_text() == mended, "pre-commit gave it back"
    repository.git("add", "-A")
    assert repository.told(status=0) == []
    repository.commit()
    repository.write(kid=KID)
    repository.write(lone="x = 2\n")
    repository.git("add", "lone.py")
    assert repository.told(status=0) == [], "the break is not part of the commit"


def test_a_renamed_file_and_a_deleted_one(repository: Repository) -> None:
    repository.write(base=BASE.format(", scale"))
    start = repository.commit()
    repository.git("mv", "kid.py", "child.py")
    assert repository.told(status=1) == [KID_BROKEN]
    repository.commit()
    repository.git("rm", "-q", "child.py")
    repository.write(lone="x = 2\n")
    repository.git("add", "-A")
    assert repository.told(status=0) == []
    end = repository.commit()
    assert repository.told("--from-ref", start, "--to-ref", end, status=0) == []


def test_who_inherited_from_a_deleted_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    repository = Repository(tmp_path / "family", "--strict-resolve")
    repository.git("rm", "-q", "base.py")
    repository.write(lone="x = 2\n")
    repository.git("add", "-A")
    done = _pre_commit("run", cwd=repository.directory, home=repository.home)
    assert done.returncode == 1
    assert "- exit code: 2" in done.stdout
    assert "kid.py:4:7: error: " in done.stdout
    assert "sigcheck: 2 bases have no source" in done.stdout


def test_a_break_through_a_third_file(repository: Repository) -> None:
    repository.write(
        new=BASE.format(", scale"), names="from base import Base\n", kid=KID.replace("from base", "from names")
    )
    repository.commit()
    repository.write(names="from new import Base\n")
    repository.git("add", "-A")
    assert repository.told(status=1) == [KID_BROKEN]


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
