"""`--changed-since` and `--staged`, with real git: the whole hierarchy is known, and what touches a change is told."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.running import environment, lines, refusal, run, write

BASE = "class Base:\n    def run(self, x{}): ...\n"
KID = "from pkg.base import Base\n\n\nclass Kid(Base):\n    def run(self, x): ...\n"
FAMILY = {
    "pkg/__init__.py": "",
    "pkg/base.py": BASE.format(", scale"),
    "pkg/kid.py": KID,
    "pkg/other.py": KID.replace("Kid", "Other"),
    "note.txt": "",
}
BROKEN_KID = "pkg/kid.py:5:9: error: Kid.run cannot receive scale [missing-parameter]"
BROKEN_OTHER = "pkg/other.py:5:9: error: Other.run cannot receive scale [missing-parameter]"
BOTH = [BROKEN_KID, BROKEN_OTHER]


@pytest.fixture(autouse=True)
def _own_git(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("GIT_", "PRE_COMMIT"))]:
        monkeypatch.delenv(name)
    for name, value in {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@b.c",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@b.c",
    }.items():
        monkeypatch.setenv(name, value)


def git(directory: Path, *arguments: str) -> str:
    return subprocess.run(("git", *arguments), cwd=directory, capture_output=True, text=True, check=True).stdout


def committed(directory: Path, files: dict[str, str]) -> Path:
    write(directory, dict(files))
    git(directory, "init", "-q", "-b", "main")
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", "one")
    return directory


@pytest.fixture
def family(tmp_path: Path) -> Path:
    return committed(tmp_path / "family", FAMILY)


def test_an_unchanged_tree_reports_nothing_of_what_is_wrong_in_it(family: Path) -> None:
    assert lines("pkg", cwd=family, status=1) == BOTH
    assert lines("pkg", "--changed-since", "HEAD", cwd=family, status=0) == []
    assert lines("pkg", "--staged", cwd=family, status=0) == []
    done = run("check", "pkg", "--no-cache", "--staged", cwd=family)
    assert done.stdout == "2 overrides in 4 files: no diagnostics in what changed\n"


@pytest.mark.parametrize("state", ["worktree", "index", "commit"])
def test_a_changed_override_is_told_and_a_changed_base_tells_of_all(family: Path, state: str) -> None:
    def change(path: str) -> None:
        write(family, {path: FAMILY[path] + "\n"})
        if state != "worktree":
            git(family, "add", "-A")
        if state == "commit":
            git(family, "commit", "-q", "-m", "two")

    start = git(family, "rev-parse", "HEAD").strip()
    change("pkg/kid.py")
    assert lines("pkg", "--changed-since", start, cwd=family, status=1) == [BROKEN_KID]
    assert lines("pkg", "--staged", cwd=family, status=int(state == "index")) == [BROKEN_KID] * (state == "index")
    change("pkg/base.py")
    assert lines("pkg", "--changed-since", start, cwd=family, status=1) == BOTH
    assert lines(".", "--changed-since", start, cwd=family / "pkg", status=1) == [line[4:] for line in BOTH]


THIRD = {
    "an __init__ that re-exports another base": (
        {"pkg/__init__.py": "from pkg.old import Base\n", "pkg/old.py": BASE.format("")},
        {"pkg/__init__.py": "from pkg.base import Base\n"},
        {"pkg/kid.py": KID.replace("pkg.base", "pkg"), "pkg/other.py": ""},
    ),
    "a star": (
        {"pkg/names.py": "from pkg.old import *\n", "pkg/old.py": BASE.format("")},
        {"pkg/names.py": "from pkg.base import *\n"},
        {"pkg/kid.py": KID.replace("pkg.base", "pkg.names"), "pkg/other.py": ""},
    ),
    "a class between": (
        {"pkg/mid.py": "class Mid:\n    pass\n"},
        {"pkg/mid.py": "from pkg.base import Base\nclass Mid(Base):\n    pass\n"},
        {"pkg/kid.py": KID.replace("pkg.base", "pkg.mid").replace("Base", "Mid"), "pkg/other.py": ""},
    ),
    "a name of a class between": (
        {"pkg/mid.py": "class Mid: ...\n", "pkg/far.py": "from pkg.base import Base\nclass Mid(Base): ...\n"},
        {"pkg/mid.py": "from pkg.far import Mid\n"},
        {"pkg/kid.py": KID.replace("pkg.base", "pkg.mid").replace("Base", "Mid"), "pkg/other.py": ""},
    ),
    "what the override is an alias of": (
        {"pkg/mid.py": "def run(self, x, scale): ...\n"},
        {"pkg/mid.py": "def run(self, x): ...\n"},
        {
            "pkg/kid.py": "from pkg.base import Base\nfrom pkg import mid\n\n\nclass Kid(Base):\n    run = mid.run\n",
            "pkg/other.py": "",
        },
    ),
    "what decorates the override": (
        {"pkg/mid.py": "def given(function):\n    def inner(self, x, scale): ...\n    return inner\n"},
        {"pkg/mid.py": "def given(function):\n    def inner(self, x): ...\n    return inner\n"},
        {
            "pkg/kid.py": "from pkg.base import Base\nfrom pkg import mid\n\n\nclass Kid(Base):\n"
            "    @mid.given\n    def run(self): ...\n",
            "pkg/other.py": "",
        },
    ),
}


@pytest.mark.parametrize("third", THIRD)
def test_a_break_through_a_third_file_is_told(third: str, tmp_path: Path) -> None:
    before, after, rest = THIRD[third]
    family = committed(tmp_path / "family", {**FAMILY, **rest, **before})
    assert lines("pkg", cwd=family, status=0) == []
    write(family, {"note.txt": "changed", "pkg/lone.py": "class Lone: ...\n", **after})
    [told] = lines("pkg", "--changed-since", "HEAD", cwd=family, status=1)
    assert "Kid.run cannot receive scale" in told
    git(family, "add", "-A")
    assert lines("pkg", "--staged", cwd=family, status=1) == [told]
    git(family, "commit", "-q", "-m", "two")
    assert lines("pkg", cwd=family, status=1) == [told]
    write(family, {"pkg/lone.py": "class Lone:\n    pass\n"})
    git(family, "add", "-A")
    assert lines("pkg", "--staged", cwd=family, status=0) == [], "that file has nothing to do with it"


def test_what_lies_beside_the_way_from_an_override_to_its_base_has_no_part_in_it(tmp_path: Path) -> None:
    mixin = "class Mixin:\n    def other(self): ...\n"
    kid = "from pkg.base import Base\nfrom pkg.mixin import Mixin\n\n\nclass Kid(Base, Mixin):\n    def run(self, x): ...\n"
    family = committed(tmp_path / "family", {**FAMILY, "pkg/mixin.py": mixin, "pkg/kid.py": kid, "pkg/other.py": ""})
    [told] = lines("pkg", cwd=family, status=1)
    write(family, {"pkg/mixin.py": mixin + "\n"})
    assert lines("pkg", "--changed-since", "HEAD", cwd=family, status=0) == []
    write(family, {"pkg/base.py": FAMILY["pkg/base.py"] + "\n"})
    assert lines("pkg", "--changed-since", "HEAD", cwd=family, status=1) == [told]


def test_an_untracked_file_counts_and_an_ignored_one_does_not(family: Path) -> None:
    write(family, {"pkg/new.py": KID.replace("Kid", "New"), ".gitignore": ""})
    [new] = lines("pkg", "--changed-since", "HEAD", cwd=family, status=1)
    assert new.startswith("pkg/new.py:5:9: ")
    write(family, {".gitignore": "new.py\n"})
    assert lines("pkg", "--changed-since", "HEAD", cwd=family, status=0) == []


def test_a_renamed_file_is_a_changed_one(family: Path) -> None:
    git(family, "mv", "pkg/kid.py", "pkg/child.py")
    told = [BROKEN_KID.replace("kid.py", "child.py")]
    assert lines("pkg", "--staged", cwd=family, status=1) == told
    assert lines("pkg", "--changed-since", "HEAD", cwd=family, status=1) == told


def test_a_deleted_base_leaves_its_dependants_without_one(family: Path) -> None:
    write(family, {"pkg/more.py": "from gone import Base\n\n\nclass More(Base):\n    pass\n"})
    git(family, "add", "-A")
    git(family, "commit", "-q", "-m", "two")
    (family / "pkg/base.py").unlink()
    options = ("pkg", "--show-unresolved", "--changed-since", "HEAD")
    told = lines(*options, cwd=family, status=0)
    assert [line.split(":")[0] for line in told] == ["pkg/kid.py", "pkg/other.py"], "more.py lacked its base before"
    strict = run("check", "--no-cache", "-q", "--strict-resolve", "--changed-since", "HEAD", "pkg", cwd=family)
    assert strict.returncode == 2
    assert "2 bases have no source" in strict.stderr


def test_what_only_the_other_branch_changed_is_not_this_ones(family: Path) -> None:
    git(family, "checkout", "-q", "-b", "feature")
    git(family, "checkout", "-q", "main")
    write(family, {"pkg/kid.py": KID + "\n"})
    git(family, "commit", "-q", "-a", "-m", "on main")
    git(family, "checkout", "-q", "feature")
    write(family, {"pkg/other.py": FAMILY["pkg/other.py"] + "\n"})
    assert lines("pkg", "--changed-since", "main", cwd=family, status=1) == [BROKEN_OTHER]


def test_a_worktree_and_a_shallow_clone(family: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    git(family, "worktree", "add", "-q", str(tree))
    write(tree, {"pkg/kid.py": KID + "\n"})
    assert lines("pkg", "--changed-since", "main", cwd=tree, status=1) == [BROKEN_KID]
    start = git(family, "rev-parse", "HEAD").strip()
    write(family, {"pkg/kid.py": KID + "\n"})
    git(family, "commit", "-q", "-a", "-m", "two")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "1", family.as_uri(), str(clone))
    assert "git knows no commit" in refusal("check", "pkg", "--changed-since", start, cwd=clone)
    git(clone, "fetch", "-q", "--depth", "1", "origin", f"{start}:refs/heads/start")
    assert lines("pkg", "--changed-since", "start", cwd=clone, status=1) == [BROKEN_KID]


def test_a_submodule_is_looked_into(family: Path, tmp_path: Path) -> None:
    outer = committed(tmp_path / "outer", {"readme.txt": ""})
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(family), "inner")
    inner = [f"inner/{line}" for line in BOTH]
    assert lines("inner", "--staged", cwd=outer, status=1) == inner, "all of a new one is new"
    git(outer, "commit", "-q", "-m", "two")
    assert lines("inner", "--changed-since", "HEAD", cwd=outer, status=0) == []
    write(outer, {"inner/pkg/kid.py": KID + "\n"})
    assert lines("inner", "--changed-since", "HEAD", cwd=outer, status=1) == inner[:1]
    git(outer / "inner", "commit", "-q", "-a", "-m", "in it")
    assert lines("inner", "--changed-since", "HEAD", cwd=outer, status=1) == inner[:1]


def test_names_that_git_would_quote(family: Path) -> None:
    write(family, {"pkg/é\n.py": KID.replace("Kid", "Odd")})
    [odd] = lines("pkg", "--changed-since", "HEAD", cwd=family, status=1)
    assert "Odd.run" in odd


def test_a_name_that_is_no_text_counts_from_a_directory_below_too(family: Path) -> None:
    write(family, {"sub/a.py": "", "pkg/x\udcff.py": KID.replace("Kid", "Odd")})
    for path in ("../pkg", str(family / "pkg")):
        [odd] = lines(path, "--changed-since", "HEAD", cwd=family / "sub", status=1)
        assert "Odd.run" in odd


def test_a_repository_that_is_not_tracked_is_new(family: Path, tmp_path: Path) -> None:
    git(family, "worktree", "add", "-q", "tree")
    git(tmp_path, "clone", "-q", str(family), str(family / "clone"))
    for inner in ("tree", "clone"):
        found = lines(inner, "--changed-since", "HEAD", cwd=family, status=1)
        assert found == [f"{inner}/{line}" for line in BOTH]


def test_a_link_to_another_directory_changes_what_is_in_it(tmp_path: Path) -> None:
    files = {f"{version}/base.py": BASE.format(more) for version, more in (("v1", ""), ("v2", ", scale"))}
    kid = "from now.base import Base\n\n\nclass Kid(Base):\n    def run(self, x): ...\n"
    project = write(tmp_path, {**files, "kid.py": kid})
    os.symlink("v1", project / "now")
    committed(project, {})
    for option in (("--changed-since", "HEAD"), ("--staged",)):
        assert lines(*option, cwd=project, status=0) == []
    os.remove(project / "now")
    os.symlink("v2", project / "now")
    git(project, "add", "-A")
    for option in (("--changed-since", "HEAD"), ("--staged",)):
        [line] = lines(*option, cwd=project, status=1)
        assert line.startswith("kid.py:5:9: error: Kid.run cannot receive scale")


def test_what_git_cannot_answer_is_one_line(family: Path, tmp_path: Path) -> None:
    plain = write(tmp_path / "plain", FAMILY)
    for option in (("--changed-since", "HEAD"), ("--staged",)):
        assert "is in no working tree of git" in refusal("check", "pkg", *option, cwd=plain)
        assert "is not in the repository" in refusal("check", str(plain), *option, cwd=family)
        there = shutil.which("git")
        assert there is not None
        line = refusal("check", "pkg", *option, cwd=family, env=environment(PATH=str(plain)))
        assert "git is not installed" in line
    for revision in ("nowhere", "--all", ""):
        assert "git knows no commit" in refusal("check", "pkg", f"--changed-since={revision}", cwd=family)
    assert "not allowed with" in refusal("check", "--staged", "--changed-since", "HEAD", cwd=family)
    assert "- is none" in refusal("check", "-", "--stdin-filename", "pkg/a.py", "--staged", cwd=family, given="x = 1\n")


def test_under_pre_commit_everything_is_told_where_everything_is_meant(
    family: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = git(family, "rev-parse", "HEAD").strip()
    monkeypatch.setenv("PRE_COMMIT", "1")
    assert lines("pkg", "--staged", cwd=family, status=1) == BOTH, "--all-files: nothing is staged"
    write(family, {"pkg/kid.py": KID + "\n"})
    git(family, "add", "-A")
    assert lines("pkg", "--staged", cwd=family, status=1) == [BROKEN_KID]
    git(family, "commit", "-q", "-m", "two")
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", start)
    assert lines("pkg", "--staged", cwd=family, status=1) == [BROKEN_KID], "--from-ref"
