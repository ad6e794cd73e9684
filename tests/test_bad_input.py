"""What a hostile file system holds: one clear line with its place, everything else checked, and never a traceback."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sigcheck.cache import ModuleCache
from sigcheck.checking import surveyed
from sigcheck.config import Configuration
from sigcheck.core.module import Problem
from sigcheck.files import LARGEST, FileFinder, read_bytes
from sigcheck.project import Project
from tests.running import BROKEN, check, command, environment, lines, run, write

GOOD = BROKEN.replace("Base", "Root").replace("Kid", "Leaf")
GOOD_LINE = "zz_good.py:6:9: error: Leaf.run cannot receive scale [missing-parameter]"
"""Another file beside the bad one: it is checked whatever happens."""


def told(directory: Path, files: dict[str, str | bytes]) -> list[str]:
    """What is said of some files, after what must be said of the good one beside them was held against it."""
    write(directory, {**files, "zz_good.py": GOOD})
    found = lines(cwd=directory, status=1)
    assert GOOD_LINE in found, found
    return [line for line in found if line != GOOD_LINE]


# What is no Python source.

UNREADABLE: dict[str, tuple[str | bytes, str]] = {
    "a missing bracket": ("class A(B:\n    pass\n", "1:10: error: cannot be parsed: "),
    "an unfinished string": ("x = 1\nclass A(B):\n    x = '\n", "3:9: error: cannot be parsed: "),
    "bad indentation": ("class A(B):\n        x = 1\n    y = 2\n", "error: cannot be parsed: "),
    "syntax without a class": ("x = = 1\n", "1:5: error: cannot be parsed: "),
    "a merge conflict": ("class A(B):\n<<<<<<< HEAD\n    x = 1\n", "error: cannot be parsed: "),
    "print of Python 2": ("class A(B):\n    pass\nprint 'x'\n", "is no Python 3 source; exclude it, or port it"),
    "raise of Python 2": ("def f():\n    raise E, 'x'\n", "2:12: error: is no Python 3 source; exclude it, or port it"),
    "wrong encoding": (
        b"# one\r# two\r\nx = '\xff'\nclass A(B): pass\n",
        "3:1: error: byte 0xff is not utf-8; save the file as UTF-8, or name its encoding in a coding comment",
    ),
    "wrong encoding behind a mark": (b"\xef\xbb\xbf\n\xff\n", "2:1: error: byte 0xff is not utf-8; "),
    "unknown encoding": (
        "# -*- coding: klingon -*-\n",
        "1:1: error: unknown encoding klingon; mend the coding comment",
    ),
    "an encoding that is none": ("# coding: rot13\n", "1:1: error: unknown encoding rot13; mend the coding comment"),
    "undefined encoding": ("# coding: undefined\n", "1:1: error: cannot be decoded as undefined: "),
    "UTF-16": ("class A(B): pass\n".encode("utf-16"), "1:1: error: the file holds a NUL byte; it is no Python source"),
    "NUL": (
        b"x = 1\nclass A(B):\n\0 pass\n",
        "3:1: error: the file holds a NUL byte; it is no Python source; exclude it",
    ),
    "NUL without a class": (
        b"x = 1\n\0\n",
        "2:1: error: the file holds a NUL byte; it is no Python source; exclude it",
    ),
    "random bytes": (bytes(range(1, 256)) * 8, "error: byte 0x80 is not utf-8"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_an_unreadable_file_is_one_line(tmp_path: Path, case: str) -> None:
    content, expected = UNREADABLE[case]
    [line] = told(tmp_path, {"bad.py": content})
    assert line.startswith("bad.py:")
    assert expected in line
    assert line.endswith(" [syntax-error]")


READABLE: dict[str, bytes] = {
    "CRLF": BROKEN.replace("\n", "\r\n").encode(),
    "CR": BROKEN.replace("\n", "\r").encode(),
    "byte order mark": b"\xef\xbb\xbf" + BROKEN.encode(),
    "byte order mark and CR": b"\xef\xbb\xbf" + BROKEN.replace("\n", "\r").encode(),
    "no newline at the end": BROKEN.rstrip().encode(),
    "tabs": BROKEN.replace("    ", "\t").encode(),
    "form feed": BROKEN.replace("\nclass Kid", "\n\x0cclass Kid").encode(),
    "form feed in an indent": BROKEN.replace("\nclass Kid", "\n  \x0cclass Kid").encode(),
    "form feed between words": BROKEN.replace("class Kid", "class\x0cKid").encode(),
    "continued line": BROKEN.replace("class Kid", "class \\\n Kid").encode(),
    "another continued line": BROKEN.replace("class Kid(", "class Kid \\\n(").encode(),
    "latin-1": b"# coding: latin-1\n# \xe9\n" + BROKEN.encode(),
    "coding in line 2": b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n# \x80\n" + BROKEN.encode(),
    "name beyond ASCII": BROKEN.replace("Kid", "Größe").encode(),
    "warnings of newer interpreters": b"x = '\\d'\ny = 1 if x is 1 else 0\n" + BROKEN.encode(),
}


@pytest.mark.parametrize("case", READABLE)
def test_an_unusual_file_is_read_as_any_other(tmp_path: Path, case: str) -> None:
    [line] = told(tmp_path, {"bad.py": READABLE[case]})
    assert line.endswith("run cannot receive scale [missing-parameter]")


def test_a_subclass_is_seen_however_its_line_begins(tmp_path: Path) -> None:
    """A file without a subclass is only skimmed: this decides which has none."""
    base = "class Base:\n    def run(self, x, scale): ...\n"
    for number, start in enumerate(("import base as b\r", "\x0c", "\x0cimport base as b\n \x0c")):
        imported = "" if "import" in start else "import base as b\n"
        kid = f"{imported}{start}class Größe(b.Base):\n    def run(self, x): ..."
        directory = tmp_path / str(number)
        [line] = told(directory, {"base.py": base, "kid.py": kid.replace("\n", "\r") if "\r" in start else kid})
        assert line.endswith("Größe.run cannot receive scale [missing-parameter]"), repr(start)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b"# only a comment", b"\r\r\r", b"   "])
def test_an_empty_file_is_fine(tmp_path: Path, content: bytes) -> None:
    assert told(tmp_path, {"empty.py": content, "empty.pyi": content, "pack/__init__.py": content}) == []


# Too deep, too long, too many.

DEEP = {
    "1000 parentheses": "x = " + "(" * 1000 + ")" * 1000,
    "5000 parentheses": "x = " + "(" * 5000 + ")" * 5000,
    "5000 brackets in a class": "class A(object):\n    x = " + "[" * 5000 + "]" * 5000,
    "5000 parentheses, never closed": "class A(object):\n    x = " + "(" * 5000,
    "1000 nested classes": "".join(f"{' ' * i}class C{i}(object):\n" for i in range(1000)) + " " * 1000 + "pass",
    "1000 attributes": "class A(object):\n    x = a" + ".b" * 1000,
    "1000 attributes as a base": "class A(a" + ".b" * 1000 + "):\n    pass",
    "20000 operators": "class A(object):\n    x = 1" + " + 1" * 20_000,
    "1000 operators": "class A(object):\n    x = 1" + " + 1" * 1000,
    "1000 operators in a default": "class A(object):\n    def f(self, x=1" + " + 1" * 1000 + "): ...",
    "1000 operators in an annotation": "class A(object):\n    def f(self, x: a" + " | a" * 1000 + "): ...",
    "1000 unary operators": "class A(object):\n    x = " + "-" * 1000 + "1",
    "100000 unary operators": "class A(object):\n    x = " + "-" * 100_000 + "1",
    "1000 times not": "class A(object):\n    x = " + "not " * 1000 + "1",
    "1000 lambdas": "class A(object):\n    x = " + "lambda: " * 1000 + "1",
    "1000 conditions": "class A(object):\n    x = " + "1 if 1 else " * 1000 + "1",
    "1000 calls": "class A(object):\n    x = f" + "()" * 1000,
    "1000 comparisons": "class A(object):\n    x = a" + " < a" * 1000,
    "1000 times and": "class A(object):\n    x = a" + " and a" * 1000,
    "3000 elif": "class A(object):\n    if a: pass\n" + "    elif a: pass\n" * 3000,
    "1000 subscripts": "class A(B" + "[B" * 1000 + "]" * 1000 + "):\n    pass",
}


@pytest.mark.parametrize("case", DEEP)
def test_what_is_too_deep_is_one_line_or_none(tmp_path: Path, case: str) -> None:
    """Some of it Python itself accepts, and then it may be read; nothing of it ends the check or its process."""
    found = told(tmp_path, {"deep.py": DEEP[case] + "\n"})
    assert len(found) <= 1
    for line in found:
        assert line.startswith("deep.py:")
        assert "is nested too deeply" in line
        assert line.endswith("[syntax-error]")


def test_2000_classes_in_a_chain(tmp_path: Path) -> None:
    chain = "".join(f"class C{i}(C{i - 1}):\n    pass\n" for i in range(1, 2000))
    source = f"class C0:\n    def run(self, x): ...\n{chain}class Last(C1999):\n    def run(self): ...\n"
    [line] = told(tmp_path, {"chain.py": source})
    assert line == "chain.py:4002:9: error: Last.run cannot receive x [missing-parameter]"


def test_5_megabytes_of_data_in_one_line(tmp_path: Path) -> None:
    assert told(tmp_path, {"data.py": "class A(object): pass\nX = '" + "a" * 5_000_000 + "'\n"}) == []


@pytest.mark.long
@pytest.mark.parametrize("separator", [", ", ",\n"])
def test_5_megabytes_of_literals(tmp_path: Path, separator: str) -> None:
    assert told(tmp_path, {"data.py": f"{BROKEN}X = [" + f"1234567{separator}" * 550_000 + "]\n"}) == [
        "data.py:6:9: error: Kid.run cannot receive scale [missing-parameter]"
    ]


@pytest.mark.long
def test_5_megabytes_of_classes(tmp_path: Path) -> None:
    body = "        x = [y for y in x if y.name or y.call(1, 2, 3)]\n" * 50
    classes = "".join(f"class C{i}(Base):\n    def run(self, x, scale):\n{body}        return x\n" for i in range(1900))
    found = told(tmp_path, {"huge.py": f"{BROKEN}{classes}"})
    assert (tmp_path / "huge.py").stat().st_size > 5_000_000
    assert found == ["huge.py:6:9: error: Kid.run cannot receive scale [missing-parameter]"]


def test_a_file_that_is_no_file_for_its_size(tmp_path: Path) -> None:
    with open(tmp_path / "sparse.py", "wb") as file:
        file.truncate(LARGEST + 1)
    assert told(tmp_path, {}) == ["sparse.py:1:1: error: is larger than 64 MiB; exclude it [syntax-error]"]


# Classes that cannot be.


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("class A(B): ...\nclass B(A): ...\n", "the bases form a cycle: m.A -> m.B -> m.A"),
        ("class A(A): ...\n", "m.py:1:7: error: A cannot be created: the bases form a cycle: m.A -> m.A"),
        (
            "class A: ...\nclass B(A): ...\nclass C(A, B): ...\n",
            "no method resolution order exists for the bases m.A, m.B",
        ),
        ("class A: ...\nclass B(A, A): ...\n", "m.py:2:7: error: B cannot be created: "),
    ],
)
def test_classes_that_cannot_be_are_one_line(tmp_path: Path, source: str, expected: str) -> None:
    [line] = told(tmp_path, {"m.py": source})
    assert expected in line
    assert line.endswith("[inconsistent-hierarchy]")


def test_relative_imports_below_a_directory_whose_name_no_import_can_say(tmp_path: Path) -> None:
    kid = "from .base import Base\n\n\nclass Kid(Base):\n    def run(self, x): ...\n"
    base = "class Base:\n    def run(self, x, scale): ...\n"
    [line] = told(tmp_path, {"v1.2/base.py": base, "v1.2/kid.py": kid})
    assert line == "v1.2/kid.py:5:9: error: Kid.run cannot receive scale [missing-parameter]"


def test_names_in_a_circle(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a.py": "from b import X as Y\nfrom b import *\nclass A(Y): ...\nclass B(Z): ...\n",
        "b.py": "from a import Y as X\nfrom a import *\nP = Q\nQ = P\nclass C(P): ...\n",
    }
    assert told(tmp_path, files) == []


# Files that are not what they seem.


def test_symbolic_links_in_circles(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "up").symlink_to(tmp_path)
    (tmp_path / "pack" / "self").symlink_to(tmp_path / "pack" / "self")
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere")
    (tmp_path / "twice.py").symlink_to(tmp_path / "zz_good.py")
    (tmp_path / "zz_good.py").write_text(GOOD)
    found = lines(cwd=tmp_path, status=1)
    assert [line.partition(":")[0] for line in found] == ["gone.py", "loop.py", "twice.py"], "each file once"
    assert "gone.py:1:1: error: cannot be read: No such file or directory; " in found[0]
    assert "loop.py:1:1: error: cannot be read: Too many levels of symbolic links; " in found[1]
    named = lines("loop.py", "gone.py", "zz_good.py", cwd=tmp_path, status=1)
    assert len(named) == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(tmp_path: Path) -> None:
    write(tmp_path, {"closed/m.py": GOOD, "closed.py": GOOD})
    (tmp_path / "closed").chmod(0)
    (tmp_path / "closed.py").chmod(0)
    try:
        found = told(tmp_path, {})
    finally:
        (tmp_path / "closed").chmod(stat.S_IRWXU)
    assert [line.split("; ")[0] for line in found] == [
        "closed:1:1: error: cannot be read: Permission denied",
        "closed.py:1:1: error: cannot be read: Permission denied [syntax-error]",
    ]


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root, to be somebody else")
def test_what_may_not_be_read_by_somebody_else() -> None:
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    able = [*nobody, sys.executable, "-c", "import sigcheck.cli, libcst"]  # The whole of what the check needs.
    if subprocess.run(able, env=environment(), cwd="/", capture_output=True, check=False).returncode:
        pytest.skip("nobody else may run this checkout")
    with tempfile.TemporaryDirectory() as name:  # Pytest's own directories are closed to others.
        directory = write(Path(name), {"closed/m.py": GOOD, "closed.py": GOOD, "zz_good.py": GOOD})
        directory.chmod(0o755)
        (directory / "closed").chmod(0)
        (directory / "closed.py").chmod(0)
        done = subprocess.run(
            [*nobody, *command("check", "--output-format", "concise", "-q")],
            cwd=directory,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "")
    closed, file, good = done.stdout.splitlines()
    assert closed.startswith("closed:1:1: error: cannot be read: Permission denied; ")
    assert file.startswith("closed.py:1:1: error: cannot be read: Permission denied")
    assert good == GOOD_LINE


def test_a_directory_that_vanishes_or_is_a_broken_device(tmp_path: Path) -> None:
    finder = FileFinder(tmp_path, ())
    write(tmp_path, {"a/m.py": GOOD, "b/m.py": GOOD, "c/m.py": GOOD})
    walk = finder.files([str(tmp_path)], {})
    assert next(walk).path.endswith("a/m.py")
    shutil.rmtree(tmp_path / "b")
    assert [file.path for file in walk] == [str(tmp_path / "c/m.py")]
    [problem] = finder.problems
    assert problem.cause == "cannot be read: No such file or directory"
    assert problem.place.path.endswith("/b")


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A directory with a pipe that nobody writes to, and a module that imports it."""
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "null.py").symlink_to("/dev/zero")
    write(tmp_path, {"uses.py": "from pipe import Base\nfrom null import Other\nclass Kid(Base, Other): ...\n"})
    return tmp_path


NO_FILES = [f"{name}:1:1: error: is no regular file; exclude it [syntax-error]" for name in ("null.py", "pipe.py")]


def test_a_pipe_or_a_device_is_one_line_and_never_waited_for(fifo: Path) -> None:
    assert told(fifo, {}) == NO_FILES


def test_a_pipe_or_a_device_that_is_named_is_one_line(fifo: Path) -> None:
    for name in ("pipe.py", "null.py"):
        assert lines(name, cwd=fifo, status=1) == [f"{name}:1:1: error: is no regular file; exclude it [syntax-error]"]


def test_a_pipe_as_configuration_is_none(fifo: Path) -> None:
    os.mkfifo(fifo / "sigcheck.toml")
    os.mkfifo(fifo / "pyproject.toml")
    assert told(fifo, {}) == NO_FILES


def test_a_file_that_becomes_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    problems: list[Problem] = []
    assert read_bytes(str(tmp_path / "pipe.py"), problems.append) is None
    assert read_bytes(str(tmp_path), problems.append) is None
    assert [problem.cause for problem in problems] == ["is no regular file", "is no regular file"]


NAMES = [
    b"with space.py",
    b"new\nline.py",
    b"not\xff utf-8.py",
    b"esc\x1b[31m.py",
    b"co:lon.py",
    b"v1.2.py",
    b"-dash.py",
    b"quote'\".py",
    b"..dots.py",
    "größe.py".encode(),
]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_are_no_identifiers(tmp_path: Path, name: bytes) -> None:
    for where in (os.fsencode(tmp_path) + b"/" + name, os.fsencode(tmp_path) + b"/dir " + name + b"/m.py"):
        os.makedirs(os.path.dirname(where), exist_ok=True)
        with open(where, "wb") as file:
            file.write(BROKEN.encode())
    found = told(tmp_path, {})
    assert len(found) == 2, found
    assert all(line.endswith(":6:9: error: Kid.run cannot receive scale [missing-parameter]") for line in found)
    assert all(line.isprintable() for line in found)
    for form in ("full", "json", "github", "sarif"):
        done = run("check", "--no-cache", "--output-format", form, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (1, "")
        assert done.stdout.count("Kid.run cannot receive scale") == 2


def test_a_cache_of_names_that_are_no_text(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/not\xff.py", "wb") as file:
        file.write(BROKEN.encode())
    for _ in range(2):
        done = run("check", "-q", "--output-format", "concise", cwd=tmp_path)
        assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (1, "", 1)


def test_directories_called_like_files(tmp_path: Path) -> None:
    write(tmp_path, {"m.py/n.py": BROKEN, "__init__.py/x.py": "from m import Base\nclass A(Base): ...\n"})
    assert len(told(tmp_path, {})) == 1


# What changes under way.


def test_files_that_vanish_or_change_between_the_listing_and_the_reading(tmp_path: Path) -> None:
    write(tmp_path, {f"m{index}.py": BROKEN for index in range(5)} | {"zz_good.py": GOOD})
    configuration = Configuration(root=tmp_path, cache_dir=None)
    project = Project(configuration, surveyed(configuration, [str(tmp_path)]), ModuleCache(None, []))
    (tmp_path / "m0.py").unlink()
    (tmp_path / "m1.py").unlink()
    (tmp_path / "m1.py").mkdir()
    (tmp_path / "m2.py").unlink()
    os.mkfifo(tmp_path / "m2.py")
    (tmp_path / "m3.py").write_bytes(b"")
    (tmp_path / "m4.py").write_text("class A(B:\n")
    modules = project.read()
    causes = [[problem.cause for problem in module.problems] for module in modules]
    assert causes[0] == ["cannot be read: No such file or directory"]
    assert causes[1] == causes[2] == ["is no regular file"]
    assert causes[3] == []
    assert causes[4][0].startswith("cannot be parsed: ")
    assert len(modules[5].classes) == 2


@pytest.fixture
def shifting(tmp_path: Path) -> Iterator[Path]:
    """A tree that another process keeps deleting and making anew."""
    write(tmp_path, {f"{where}/m{index}.py": BROKEN for where in ("steady", "other") for index in range(3)})
    script = (
        "while :; do mkdir -p shifty/deep; cp steady/*.py shifty/; cp steady/*.py shifty/deep/; "
        "rm -rf shifty; ln -s other shifty; rm -f shifty; done"
    )
    process = subprocess.Popen(["sh", "-c", script], cwd=tmp_path, stderr=subprocess.DEVNULL)
    yield tmp_path
    process.kill()
    process.wait()


def test_a_tree_that_another_process_changes(shifting: Path) -> None:
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline:
        done = check("-q", ".", cwd=shifting)
        found = done.stdout.splitlines()
        assert (done.returncode, done.stderr) == (1, "")
        assert sum(line.startswith("steady/") for line in found) == 3
        for line in found:
            assert line.endswith(("Kid.run cannot receive scale [missing-parameter]", "[syntax-error]")), line


# The code under check is never run.


@pytest.mark.parametrize("form", ["concise", "full", "json"])
def test_nothing_that_is_checked_is_run(tmp_path: Path, form: str) -> None:
    marker = tmp_path / "executed"
    trap = f"open({str(marker)!r}, 'w').close()\n"
    deadly = f"{trap}import os\nos._exit(99)\n"
    names = (
        "conftest",
        "sitecustomize",
        "usercustomize",
        "setup",
        "libcst",
        "argparse",
        "json",
        "ast",
        "tokenize",
        "os",
    )
    write(
        tmp_path,
        {
            **{f"{name}.py": deadly for name in names},
            "pack/__init__.py": f"{trap}raise SystemExit(98)\n",
            "pack/base.py": f"{trap}{BROKEN}\nclass Meta(type):\n    {trap}\nraise RuntimeError\n",
            "kid.py": f"{trap}from pack.base import Base\n@{trap.strip()}\nclass Kid(Base, metaclass=Meta): x = {trap}",
            "deco.py": f"@{trap.strip()}\nclass A(object):\n    def f(self, x={trap.strip()}, y: {trap.strip()} = 1): ...\n",
            "trap.pth": f"import os; {trap}",
            "coding.py": "# coding: conftest\n",
            "pyproject.toml": "[tool.sigcheck]\nsearch-paths = ['.']\n[tool.pytest.ini_options]\n",
        },
    )
    # As a console script runs, with its own directory first on the path, not this one.
    script = tmp_path.parent / f"{tmp_path.name}.script.py"
    script.write_text("import sys\nfrom sigcheck.cli import main\nsys.exit(main())\n")
    done = subprocess.run(
        [command()[0], script, "check", "--no-cache", "--output-format", form],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "Kid.run cannot receive scale" in done.stdout
    assert "unknown encoding conftest" in done.stdout
    assert not marker.exists()
