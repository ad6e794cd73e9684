"""The warm path: what an index remembers is what a check from nothing says, after every edit, and whatever is done to the index."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from sigcheck import inspection, reading, revision
from sigcheck.checking import run_check
from sigcheck.config import Configuration
from sigcheck.errors import SigcheckError
from sigcheck.report.machine import render_json
from tests.running import write

LONG_AGO = 1_600_000_000


def age(directory: Path) -> None:
    """Make everything old: of what was written this very moment, only the bytes tell that it is the same."""
    for path in (directory, *directory.rglob("*")):
        if not path.is_symlink() and ".cache" not in path.parts:
            os.utime(path, (LONG_AGO, LONG_AGO))


def cold(directory: Path, **settings: object) -> str:
    return told(Configuration(root=directory, cache_dir=None, **settings))  # type: ignore[arg-type]


def warm(directory: Path, **settings: object) -> str:
    return told(Configuration(root=directory, cache_dir=".cache", **settings))  # type: ignore[arg-type]


def told(configuration: Configuration) -> str:
    """Everything that a check says: the report, as JSON and as values, or the complaint."""
    try:
        report = run_check(configuration)
    except SigcheckError as error:
        return f"{type(error).__name__}: {error}"
    return render_json(report, "") + repr(report)


class Counted:
    """How a run got its answer."""

    def __init__(self) -> None:
        self.inspected = 0
        self.revised = 0
        self.read: list[str] = []


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    found = Counted()
    inspect, revise, read = inspection.inspect, revision.revise, reading._Reader.read

    def counting_inspect(*arguments: object) -> object:
        found.inspected += 1
        return inspect(*arguments)  # type: ignore[arg-type]

    def counting_revise(*arguments: object) -> object:
        done = revise(*arguments)  # type: ignore[arg-type]
        found.revised += done is not None
        return done

    def counting_read(self: object, request: reading.ReadRequest) -> object:
        found.read.append(request.shown)
        return read(self, request)  # type: ignore[arg-type]

    monkeypatch.setattr(inspection, "inspect", counting_inspect)
    monkeypatch.setattr(revision, "revise", counting_revise)
    monkeypatch.setattr(reading._Reader, "read", counting_read)
    return found


# Random projects, randomly edited.

NAMES = ("a", "b", "c", "pkg/__init__", "pkg/d", "pkg/e", "pkg/sub/f", "lib/far", "g")
SETTINGS: tuple[dict[str, object], ...] = (
    {},
    {"search_paths": ("lib",), "exclude": ("lib",)},
    {"extend_select": ("ALL",), "respect_type_ignores": True},
    {"per_file_ignores": {"pkg/*": ("override",)}},
)
METHODS = ("run", "load", "go")
PARAMETERS = ("x", "y", "scale", "*args", "**kwargs", "z=1", "*, k=2", "y, x")


def module_name(path: str) -> str:
    return path.removeprefix("lib/").replace("/", ".").removesuffix(".__init__")


def class_source(random: Random, name: str, bases: list[str]) -> str:
    chosen = random.sample(bases, k=min(len(bases), random.choice((0, 1, 1, 1, 2))))
    lines = [f"class {name}({', '.join(chosen)}):{random.choice(('', '', '  # sigcheck: ignore[missing-parameter]'))}"]
    for method in random.sample(METHODS, k=random.randint(1, 3)):
        parameters = random.choice(PARAMETERS)
        comment = random.choice(("", "", "", "  # sigcheck: ignore[renamed-parameter]", "  # type: ignore[override]"))
        lines.append(f"    def {method}(self, {parameters}):{comment}")
        calls = random.choice(
            ("pass", f"self.{random.choice(METHODS)}(1, 2)", f"return super().{method}(1)", "self.x = 1")
        )
        lines.append(f"        {calls}")
    if random.random() < 0.15:
        lines.append(f"    {random.choice(METHODS)} = {random.choice(METHODS)}")
    return "\n".join(lines) + "\n"


def file_source(random: Random, own: str) -> str:
    others = [module_name(name) for name in NAMES if name != own]
    lines = ["import abc, enum"]
    bases = ["abc.ABC", "enum.Enum", "Nowhere", "object"]
    for _ in range(random.randint(0, 3)):
        other = random.choice(others)
        kind = random.random()
        if kind < 0.5:
            name = random.choice("ABCD")
            alias = random.choice(("", f" as {random.choice('ABCD')}"))
            lines.append(f"from {other} import {name}{alias}")
            bases.append(alias.removeprefix(" as ") or name)
        elif kind < 0.7:
            lines.append(f"import {other}")
            bases.append(f"{other}.{random.choice('ABCD')}")
        elif kind < 0.85:
            lines.append(f"from {other} import *")
            bases.append(random.choice("ABCD"))
        elif own.startswith("pkg"):
            lines.append(f"from . import {random.choice(('d', 'e', 'sub'))}")
            bases.append(f"d.{random.choice('ABCD')}")
    for _ in range(random.randint(0, 3)):
        name = random.choice("ABCD")
        lines.append(class_source(random, name, bases))
        bases.append(name)
    if random.random() < 0.1:
        lines.append("try:\n    from c import D\nexcept ImportError:\n    class D: ...\n")
    if random.random() < 0.03:
        lines.append("class A(:")
    return "\n".join(lines) + "\n"


def edit(random: Random, directory: Path) -> str:
    """Change something; say what."""
    name = random.choice(NAMES)
    suffix = ".pyi" if random.random() < 0.1 else ".py"
    path = directory / f"{name}{suffix}"
    what = random.choice(("write", "write", "write", "write", "delete", "touch", "line", "same", "rename", "link"))
    if what == "write" or not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(file_source(random, name))
    elif what == "delete":
        path.unlink()
    elif what == "touch":
        os.utime(path)
    elif what == "line":
        path.write_text("\n" + path.read_text())
    elif what == "same":
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    elif what == "rename":
        path.rename(directory / random.choice(("h.py", "pkg/h.py", "unseen.txt")))
    elif what == "link":
        path.unlink()
        path.symlink_to(directory / random.choice(("a.py", "b.py", "g.py", "pkg")))
    return f"{what} {path.name}"


@pytest.mark.parametrize("seed", range(12))
def test_after_every_edit_a_warm_check_says_what_a_cold_one_says(
    seed: int, tmp_path: Path, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    random = Random(seed)
    project = tmp_path / "project"
    for name in random.sample(NAMES, k=6):
        write(project, {f"{name}.py": file_source(random, name)})
    steps: list[str] = []
    settings: dict[str, object] = {}
    for _ in range(25):
        steps.append(edit(random, project))
        if random.random() < 0.5:
            age(project)
        if random.random() < 0.15:
            settings = random.choice(SETTINGS)
            (project / "lib").mkdir(exist_ok=True)
        assert warm(project, **settings) == cold(project, **settings), (seed, steps)
    assert counted.revised > 3, "the revision was hardly tried"
