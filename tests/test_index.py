"""The warm path: what an index remembers is what a check from nothing says, after every edit, and whatever is done to the index."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import pytest

from sigcheck import cachedir, conviction, footprint, index, inspection, lineage, reading, record, revision, workers
from sigcheck.checking import run_check
from sigcheck.config import Configuration
from sigcheck.core import check
from sigcheck.core.contract import Contract
from sigcheck.core.module import Problem
from sigcheck.errors import SigcheckError
from sigcheck.files import read_bytes
from sigcheck.outcome import Report
from sigcheck.report.machine import render_json
from sigcheck.serialization import decode, encode
from tests.running import BROKEN, BROKEN_LINE, command, environment, run, write


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

    def counting_inspect(*arguments: object, **settings: object) -> object:
        found.inspected += 1
        return inspect(*arguments, **settings)  # type: ignore[arg-type]

    def counting_revise(*arguments: object, **settings: object) -> object:
        done = revise(*arguments, **settings)  # type: ignore[arg-type]
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
GUARDED: tuple[dict[str, object], ...] = (
    {"contracts": (Contract("A"),)},
    {"contracts": (Contract("A"),), "respect_type_ignores": True},
    {"contracts": (Contract("A", ("run", "__init__")), Contract("D", honour=("*",))), "scope": "all"},
    {"contracts": (Contract("A", honour=("x",)), Contract("A", ("l*",), siblings=(("run", "load", "go"),)))},
    {"contracts": (Contract("a.A"),), "extend_select": ("ALL",), "search_paths": ("lib",), "exclude": ("lib",)},
    {"contracts": (Contract("A"),), "strict_resolve": True},
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
    monkeypatch.setattr(footprint, "_TICK", 20_000_000)
    for _ in range(25):
        steps.append(edit(random, project))
        if random.random() < 0.5:
            time.sleep(0.03)  # So that stamps are believed.
        if random.random() < 0.15:
            settings = random.choice(SETTINGS)
            (project / "lib").mkdir(exist_ok=True)
        assert warm(project, **settings) == cold(project, **settings), (seed, steps)
    assert counted.revised > 3, "the revision was hardly tried"


@pytest.mark.parametrize("settings", GUARDED, ids=str)
def test_so_it_does_with_contracts(
    settings: dict[str, object], tmp_path: Path, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(footprint, "_TICK", 20_000_000)
    first = "class A:\n    def run(self, x): ...\n    def load(self, x, y): ...\n    def go(self, y, x): ...\n"
    kid = "from a import A as B\nclass D(B):\n    def run(self, x): ...\n    def load(self, y): ...\n"
    kid += "class C(D):\n    def run(self, x):\n        return 1\n"
    told_of: set[str] = set()
    monkeypatch.setattr(lineage, "WORTH", 9)
    for seed in range(4):
        random = Random(seed)
        project = tmp_path / f"project{seed}"
        (project / "lib").mkdir(parents=True)
        write(project, {f"{name}.py": file_source(random, name) for name in random.sample(NAMES, k=seed)})
        write(project, {"a.py": first, "first.py": first, "kid.py": kid, "pkg/kid.py": kid})
        write(project, {f"rest{number}.py": f"class R{number}: ...\n" for number in range(12)})
        steps: list[str] = []
        for _ in range(9):
            steps.append(edit(random, project))
            time.sleep(0.03)
            answer = warm(project, **settings)
            assert answer == cold(project, **settings), (seed, steps)
            told_of.add(answer)
    assert counted.revised > 5, "the revision was hardly tried"
    assert len(told_of) > 5


def test_an_edit_of_a_decorator_alone(family: Path, counted: Counted) -> None:
    given = "def given(function):\n    def inner({0}):\n        return function(self, 1)\n    return inner\n\n\n"
    base = "class Base:\n    @given\n    def run(self, more): ...\n"
    seen = []
    for parameters in ("self, x", "self, y", "self, *args, **kwargs", "self, x"):
        write(family, {"base.py": given.format(parameters) + base})
        time.sleep(0.03)
        seen.append(warm(family))
        assert seen[-1] == cold(family)
    assert len(set(seen)) == 3
    assert counted.revised >= 3


@pytest.mark.parametrize("decorator", ["@given", "@given(1)"])
def test_an_edit_of_a_decorator_in_another_module(decorator: str, family: Path, counted: Counted) -> None:
    function = "def given(function):\n    def inner({0}):\n        return function(self, 1)\n    return inner\n"
    made = "class given:\n    def __call__(self, function):\n        def inner({0}):\n            pass\n        return inner\n"
    base = f"from given import given\nclass Base:\n    {decorator}\n    def run(self, more): ...\n"
    write(family, {f"more{number}.py": f"class M{number}: ...\n" for number in range(4)})
    seen = []
    for parameters in ("self, x", "self, y", "self, *args, **kwargs", "self, x"):
        given = (function if decorator == "@given" else made).format(parameters)
        write(family, {"base.py": base, "deep.py": given, "given.py": "from deep import given\n"})
        time.sleep(0.03)
        seen.append(warm(family))
        assert seen[-1] == cold(family)
    assert len(set(seen)) == 3
    assert counted.revised >= 3
    (family / "deep.py").unlink()
    assert warm(family) == cold(family) != seen[-1]


# What is done for an answer.


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A base, three overrides of it in files of their own, and files that have nothing to do with them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(footprint, "_TICK", 0)
    kid = "from base import Base\nclass {0}(Base):\n    def run(self, x): ...\n"
    files = {f"{name}.py": kid.format(name.title()) for name in ("kid", "cub", "pup")}
    base = "class Base:\n    def run(self, x): ...\n"
    rest = {f"rest{number}.py": f"class R{number}: ...\n" for number in range(4)}
    write(tmp_path, {**files, **rest, "base.py": base, "other.py": BROKEN})
    time.sleep(0.03)
    return tmp_path


def test_an_unchanged_tree_is_not_read(family: Path, counted: Counted) -> None:
    first = warm(family)
    assert (counted.inspected, len(counted.read)) == (1, 9)
    assert warm(family) == first
    assert (counted.inspected, counted.revised, len(counted.read)) == (1, 0, 9)


def test_a_touched_file_is_not_parsed(family: Path, counted: Counted) -> None:
    first = warm(family)
    os.utime(family / "base.py")
    assert warm(family) == first
    assert (counted.inspected, counted.revised, len(counted.read)) == (1, 0, 9)


def test_an_edit_costs_what_depends_on_it(family: Path, counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    warm(family)
    judged: list[list[str]] = []
    judge = check.judge

    def counting(hierarchy: object, *rest: object) -> object:
        judged.append(sorted(entry.name for entry in hierarchy.classes))  # type: ignore[attr-defined]
        return judge(hierarchy, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("sigcheck.revision.judge", counting)
    counted.read.clear()
    write(family, {"base.py": "class Base:\n    def run(self, x, y): ...\n"})
    assert warm(family) == cold(family)
    assert (counted.inspected, counted.revised, judged) == (2, 1, [["base.Base", "cub.Cub", "kid.Kid", "pup.Pup"]])
    assert counted.read[0] == "base.py"  # The others come from the cache; the rest is the cold check.
    assert len(counted.read) == 1 + 9


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("can_fork", [True, False])
def test_what_libcst_reads_otherwise_than_the_scan_is_checked_from_nothing(
    can_fork: bool, family: Path, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "can_fork", lambda: can_fork)
    warm(family)
    write(family, {"other.py": BROKEN.replace("scale", "first")})
    assert "cannot receive first" in warm(family)
    assert (counted.inspected, counted.revised) == (1, 1)
    monkeypatch.setattr(conviction, "_is_confirmed", lambda *_: False)
    write(family, {"other.py": BROKEN.replace("scale", "second")})
    assert "cannot receive second" in warm(family)
    assert (counted.inspected, counted.revised) == (2, 1)
    assert warm(family) == cold(family)


AUDITED = """
import json, os, sys
from sigcheck import footprint
from sigcheck.cli import main
footprint._TICK = 0
here, opened, parsed = os.getcwd(), set(), []
texts = {open(name, "rb").read(): name for name in os.listdir() if name.endswith(".py")}

def listen(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and arguments[0].endswith(".py"):
        path = os.path.abspath(arguments[0])
        if os.path.dirname(path) == here:
            opened.add(os.path.basename(path))
    elif event == "compile" and isinstance(arguments[0], (str, bytes)):
        text = arguments[0].encode() if isinstance(arguments[0], str) else arguments[0]
        parsed.extend([texts[text]] if text in texts else [])

sys.addaudithook(listen)
main(["check", "--output-format", "json"])
print(json.dumps([sorted(opened), sorted(parsed)]))
"""
"""Checks the directory, and tells which of its files the interpreter was asked to open, and which to parse."""


def audited() -> list[list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", AUDITED], env=environment(), capture_output=True, text=True, check=True
    )
    opened_and_parsed: list[list[str]] = json.loads(done.stdout.splitlines()[-1])
    return opened_and_parsed


def test_what_is_opened_and_what_is_parsed(family: Path) -> None:
    everything = sorted(path.name for path in family.glob("*.py"))
    assert audited() == [everything, everything]
    assert audited() == [[], []]
    os.utime(family / "base.py")
    assert audited() == [["base.py"], []], "a changed time costs a hash"
    write(family, {"base.py": "class Base:\n    def run(self, x, y): ...\n"})
    time.sleep(0.03)
    opened, parsed = audited()
    assert parsed == ["base.py"]
    assert opened == ["base.py"], "the overrides are known by their digests; the rest is not asked for"
    write(family, {"base.py": "class Base:\n    def run(self, x, y, z): ...\n"})
    (family / ".sigcheck_cache" / "modules.sqlite3").unlink()
    time.sleep(0.03)
    of_the_family = ["base.py", "cub.py", "kid.py", "pup.py"]
    assert audited() == [of_the_family, of_the_family], "their digests lead nowhere any more"


def test_a_change_within_one_tick_of_the_clock_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"bad.py": BROKEN})
    assert "Kid.run" in warm(tmp_path)
    before = os.stat(tmp_path / "bad.py")
    with open(tmp_path / "bad.py", "r+b") as file:
        file.write(BROKEN.replace("Kid", "Cub").encode())
    os.utime(tmp_path / "bad.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "Cub.run" in warm(tmp_path)


class Editor:
    """Somebody who saves a file while a check runs: just before its bytes are read for the n-th time."""

    def __init__(self, path: Path, saves: Mapping[int, str]) -> None:
        self.path = path
        self.saves = saves
        self.reads = 0

    def read_bytes(self, path: str, on_problem: Callable[[Problem], None]) -> bytes | None:
        if os.path.basename(path) == self.path.name:
            self.reads += 1
            if self.reads in self.saves:
                self.path.write_text(self.saves[self.reads])
        return read_bytes(path, on_problem)

    def sits_at(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (footprint, reading, conviction):
            monkeypatch.setattr(module, "read_bytes", self.read_bytes)


DURING: dict[str, tuple[str, dict[str, object]]] = {
    "definitions": ("    def run(self): ...\n    run = run\n    def more(self): ...\n", {}),
    "bodies": ("    def run(self, x):\n        return x\n", {"contracts": (Contract("Base", ("*",), ("*",)),)}),
}


@pytest.mark.parametrize(("methods", "settings"), DURING.values(), ids=DURING)
@pytest.mark.parametrize("at", range(1, 4))
def test_a_file_that_is_shortened_during_a_check_is_no_defect(
    at: int, methods: str, settings: dict[str, object], family: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(family, {"kid.py": f"from base import Base\nclass Kid(Base):\n{methods}"})
    with monkeypatch.context() as context:
        Editor(family / "kid.py", {at: "x = 1\n"}).sits_at(context)
        told(Configuration(root=family, cache_dir=None, **settings))  # type: ignore[arg-type]
    assert warm(family, **settings) == cold(family, **settings)


@pytest.mark.parametrize("at", range(2, 5))
def test_a_file_that_is_saved_and_saved_back_during_a_check_leaves_nothing_of_it(
    at: int, family: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"contracts": (Contract("Base", ("*",), ("*",)),)}
    kid = "from base import Base\nclass Kid(Base):\n    def run(self, x):\n        return x\n"
    with monkeypatch.context() as context:
        context.setattr(footprint, "_TICK", 2_000_000_000)  # The file is young.
        write(family, {"kid.py": kid})
        Editor(family / "kid.py", {at: kid.replace("return x", "return 0"), at + 1: kid}).sits_at(context)
        warm(family, **settings)
    write(family, {"kid.py": kid})
    assert warm(family, **settings) == cold(family, **settings)


def test_what_a_known_answer_loads(family: Path) -> None:
    code = (
        "import sys; from sigcheck.cli import main; main(['check', '-q']); "
        "print(*sorted(name for name in sys.modules if name in ('libcst', 'sqlite3', 'multiprocessing', 'sigcheck.core.check')))"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code], cwd=family, env=environment(), capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for _ in range(2)
    ]
    assert told[0][:-1] == told[1][:-1]
    assert "libcst" in told[0][-1]
    assert told[1][-1] == ""


# The same words, whatever is asked.

ASKED: tuple[tuple[str, ...], ...] = (
    (),
    ("--output-format", "concise", "--statistics"),
    ("--output-format", "json"),
    ("--output-format", "github"),
    ("--output-format", "sarif", "--show-unresolved"),
    ("--show-unresolved", "--color", "always"),
    ("-q", "--exit-zero"),
    ("--select", "call,use", "--extend-select", "default-changed"),
    ("--strict-resolve",),
    ("--config", "contract.toml"),
    ("--config", "unmatched.toml"),
    ("--config", "family.toml"),
    ("no-such-file.py",),
    ("other.py", "kid.py"),
)


@pytest.mark.parametrize("arguments", ASKED, ids=" ".join)
def test_every_format_says_the_same_warm_and_cold(arguments: tuple[str, ...], family: Path) -> None:
    write(
        family,
        {
            "kid.py": "from base import Base\nimport nowhere\nclass Kid(Base, nowhere.Far):\n    def run(self): ...\n",
            "pup.py": "class A(B): ...\nclass B(A): ...\n",
            "contract.toml": '[[contracts]]\nbase = "Base"\nhonour = "all"\n',
            "unmatched.toml": '[[contracts]]\nbase = "Nobody"\n',
            "family.toml": '[[families]]\nlike = "base:Base.run"\nmembers = ["cub.*"]\n',
        },
    )
    told = [run("check", *arguments, *more, cwd=family) for more in (("--no-cache",), (), (), ())]
    assert len({(done.returncode, done.stdout, done.stderr) for done in told}) == 1
    (family / "other.py").write_text(BROKEN.replace("scale", "gain"))
    assert run("check", *arguments, cwd=family).stdout == run("check", "--no-cache", *arguments, cwd=family).stdout


def test_standard_input_stands_in_for_a_file(family: Path) -> None:
    asked = ("check", "-q", "--output-format", "concise", "-", "--stdin-filename", "other.py")
    for given in (BROKEN, BROKEN.replace("Kid", "Cub"), BROKEN, "", BROKEN):
        fresh, kept = run(*asked, "--no-cache", cwd=family, given=given), run(*asked, cwd=family, given=given)
        assert (kept.returncode, kept.stdout, kept.stderr) == (fresh.returncode, fresh.stdout, fresh.stderr)


# Hostile caches.


def entries(directory: Path) -> list[Path]:
    return sorted((directory / ".cache" / "runs").iterdir())


def test_every_flipped_byte_and_every_lost_end_is_a_miss(family: Path) -> None:
    expected = warm(family)
    [entry] = entries(family)
    whole = entry.read_bytes()
    random = Random(7)
    for _ in range(60):
        at = random.randrange(len(whole))
        broken = random.choice((whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], whole + b"x"))
        entry.write_bytes(broken)
        (family / "pup.py").touch()
        assert warm(family) == expected
        assert entry.read_bytes() != broken, "it was believed"


def test_an_entry_in_the_place_of_another_is_a_miss(family: Path) -> None:
    warm(family)
    [first] = entries(family)
    expected = warm(family, ignore=("missing-parameter",))
    [second] = (entry for entry in entries(family) if entry != first)
    assert expected != cold(family)
    shutil.copyfile(first, second)
    assert warm(family, ignore=("missing-parameter",)) == expected
    assert second.read_bytes() != first.read_bytes(), "it was believed"


def modules_in(directory: Path) -> dict[bytes, bytes]:
    with contextlib.closing(sqlite3.connect(directory / ".cache" / "modules.sqlite3")) as database:
        return dict(database.execute("SELECT key, content FROM modules"))


def replace_modules(directory: Path, contents: dict[bytes, bytes]) -> None:
    """Put other contents in the database, and forget the runs, so that it is asked."""
    with contextlib.closing(sqlite3.connect(directory / ".cache" / "modules.sqlite3")) as database, database:
        rows = [(content, key) for key, content in contents.items()]
        database.executemany("UPDATE modules SET content = ? WHERE key = ?", rows)
    for entry in entries(directory):
        entry.unlink()


def test_every_changed_byte_of_a_module_is_a_miss(family: Path) -> None:
    expected = warm(family)
    whole = modules_in(family)
    random = Random(11)
    for _ in range(20):
        broken = {}
        for key, content in whole.items():
            at = random.randrange(len(content))
            flipped = content[:at] + bytes([content[at] ^ random.randrange(1, 256)]) + content[at + 1 :]
            broken[key] = random.choice((flipped, content[:at], content + b"x"))
        replace_modules(family, broken)
        assert warm(family) == expected
        assert modules_in(family) == whole, "it was believed"


def test_a_module_in_the_place_of_another_is_a_miss(family: Path) -> None:
    expected = warm(family)
    whole = modules_in(family)
    keys = list(whole)
    replace_modules(family, dict(zip(keys, [whole[keys[-1]], *list(whole.values())[:-1]], strict=True)))
    assert warm(family) == expected
    assert modules_in(family) == whole, "it was believed"


def test_a_database_whose_own_names_are_no_text_is_a_miss(family: Path) -> None:
    expected = warm(family)
    path = family / ".cache" / "modules.sqlite3"
    whole = path.read_bytes()
    assert b"sqlite_autoindex_modules_1" in whole
    replace_modules(family, {})
    path.write_bytes(whole.replace(b"sqlite_autoindex_modules_1", b"sqlite_autoindex_mod\xb6les_1"))
    assert warm(family) == expected
    assert modules_in(family), "it was left as it was"


def test_no_bytes_make_anything_but_values_of_the_type(family: Path) -> None:
    report = run_check(Configuration(root=family, cache_dir=None))
    data = encode(Report, report)
    assert decode(Report, data) == report
    random = Random(3)
    for _ in range(300):
        broken = bytearray(data)
        for _ in range(random.randint(1, 4)):
            broken[random.randrange(len(broken))] = random.randrange(256)
        try:
            found = decode(Report, bytes(broken))
        except ValueError:
            continue
        assert isinstance(found, Report)
        encode(Report, found)  # Raises where a field has another type.


@pytest.mark.parametrize("obstacle", ["file", "directory", "fifo", "link to nowhere", "link to a device", "nonsense"])
def test_something_else_in_the_place_of_an_entry(obstacle: str, family: Path) -> None:
    expected = warm(family)
    [entry] = entries(family)
    entry.unlink()
    if obstacle == "directory":
        entry.mkdir()
    elif obstacle == "fifo":
        os.mkfifo(entry)
    elif obstacle == "link to nowhere":
        entry.symlink_to(family / "nowhere")
    elif obstacle == "link to a device":
        entry.symlink_to("/dev/zero")
    else:
        entry.write_bytes(b"" if obstacle == "file" else b"sigcheck\n" + b"n" * 5000)
    for _ in range(2):
        assert warm(family) == expected
    assert not (family / "nowhere").exists()


@pytest.mark.parametrize("name", ["modules.sqlite3", "modules.sqlite3-journal"])
def test_a_pipe_in_the_place_of_the_database_is_not_waited_for(name: str, family: Path) -> None:
    asked = command("check", "-q", "--output-format", "concise", "other.py")
    database = family / ".sigcheck_cache" / name
    for _ in range(2):
        done = subprocess.run(
            asked, cwd=family, env=environment(), capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (1, "")
        database.unlink(missing_ok=True)
        os.mkfifo(database)
        write(family, {"other.py": BROKEN.replace("Kid", "Cub")})


def test_an_entry_of_another_sigcheck_is_not_believed(
    family: Path, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm(family)
    monkeypatch.setattr(cachedir, "__version__", "0.0.0")
    warm(family)
    assert counted.inspected == 2


def test_an_entry_of_another_file_system_or_user_is_another(family: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warm(family)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    warm(family)
    assert len(entries(family)) == 2


def test_a_full_disk_changes_nothing(family: Path) -> None:
    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    for _ in range(2):
        done = subprocess.run(
            command("check", "-q", "--output-format", "concise", "other.py"),
            cwd=family, env=environment(), preexec_fn=small, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (1, "")
        assert done.stdout == BROKEN_LINE.replace("bad.py", "other.py") + "\n"
    assert not list((family / ".sigcheck_cache" / "runs").glob("*.new"))


def test_a_cache_that_cannot_be_written_is_still_read(
    family: Path, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = warm(family)

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "replace", refuse)
    assert warm(family) == expected
    assert counted.inspected == 1
    write(family, {"base.py": "class Base:\n    def run(self, x, y): ...\n"})
    assert warm(family) == cold(family) != expected


def test_runs_that_are_killed_and_runs_side_by_side(family: Path) -> None:
    random = Random(5)
    asked = command("check", "-q", "--output-format", "json")
    for _ in range(6):
        name = random.choice(("base", "kid", "other"))
        content = (family / f"{name}.py").read_text()
        (family / f"{name}.py").write_text(
            content.replace("x)", "x, more)") if "more" not in content else content + "\n"
        )
        runs = [
            subprocess.Popen(asked, cwd=family, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(3)
        ]
        time.sleep(random.random() * 0.8)
        runs[0].send_signal(signal.SIGKILL)
        told = [process.communicate(timeout=60) for process in runs][1:]
        fresh = run("check", "--no-cache", "-q", "--output-format", "json", cwd=family).stdout
        assert [(out.decode(), err) for out, err in told] == [(fresh, b"")] * 2
        assert run("check", "-q", "--output-format", "json", cwd=family).stdout == fresh


# The directory, and `sigcheck clean`.


def test_the_directory_is_ignored_by_git_and_by_backups(family: Path) -> None:
    warm(family)
    assert (family / ".cache" / ".gitignore").read_text() == "*\n"
    assert (family / ".cache" / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55")


def test_a_directory_of_somebody_else_is_not_hidden_from_git(family: Path) -> None:
    write(family, {".cache/theirs": "x"})
    warm(family)
    assert not (family / ".cache" / ".gitignore").exists()


def test_clean_deletes_the_cache_and_nothing_else(family: Path) -> None:
    assert run("clean", cwd=family).stdout == "no cache\n"
    run("check", cwd=family)
    done = run("clean", cwd=family)
    assert (done.returncode, done.stdout) == (0, ".sigcheck_cache: 4 files deleted\n")
    assert not (family / ".sigcheck_cache").exists()
    run("check", cwd=family)
    write(family, {".sigcheck_cache/mine": "x", ".sigcheck_cache/runs/mine": "x", ".sigcheck_cache/.gitignore": "mine"})
    run("clean", cwd=family)
    kept = sorted(str(path.relative_to(family)) for path in (family / ".sigcheck_cache").rglob("*") if path.is_file())
    assert kept == [".sigcheck_cache/.gitignore", ".sigcheck_cache/mine", ".sigcheck_cache/runs/mine"]


def test_clean_finds_the_directory_in_the_configuration(family: Path) -> None:
    write(family, {"sigcheck.toml": 'cache-dir = "kept"'})
    run("check", cwd=family)
    assert run("clean", cwd=family).stdout == "kept: 4 files deleted\n"


def test_entries_do_not_pile_up(family: Path) -> None:
    for number in range(20):
        write(family, {"sigcheck.toml": f'exclude = ["none{number}"]'})
        run("check", cwd=family)
    assert len(list((family / ".sigcheck_cache" / "runs").iterdir())) == 16


def test_what_no_version_used_for_a_month_is_forgotten(family: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows() -> int:
        with contextlib.closing(sqlite3.connect(family / ".cache" / "modules.sqlite3")) as database:
            return int(database.execute("SELECT count(*) FROM modules").fetchone()[0])

    now = time.time()
    warm(family)
    one = rows()
    for days, version, expected in (
        (10, "0.0.1", 2 * one),
        (20, "0.0.2", 3 * one),
        (39, "0.0.2", 2 * one),
        (41, "0.0.2", one),
    ):
        monkeypatch.setattr(cachedir, "__version__", version)
        monkeypatch.setattr(time, "time", lambda days=days: now + days * 86_400)
        write(family, {"other.py": BROKEN.replace("Kid", f"Kid{days}")})
        shutil.rmtree(family / ".cache" / "runs")
        warm(family)
        assert expected <= rows() <= expected + 4, days


def test_many_edits_are_kept_in_few_parts(family: Path, counted: Counted) -> None:
    def edited(name: str, number: int) -> int:
        write(family, {name: BROKEN.replace("scale", f"scale{number}")})
        assert f"scale{number}" in warm(family)
        assert warm(family) == cold(family)
        [entry] = entries(family)
        return len(index._parts_in(entry.read_bytes(), entry.name))

    files = {f"other{number}.py": BROKEN for number in range(14)}
    write(family, files)
    time.sleep(0.03)
    warm(family)
    inspected = counted.inspected
    # A trace, how to tell it, the ground, all verdicts: and those on one file, which count until there are others.
    assert [edited("other.py", number) for number in range(4)] == [5, 5, 5, 5]
    assert [edited(name, 9) for name in files] == [6, 7, 8, 9, 10, 11, 4, 5, 6, 7, 8, 9, 10, 11]
    assert counted.inspected - inspected == 18, "the cold ones"
    assert warm(family) == cold(family)


def test_what_did_not_change_is_not_written_anew(family: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warm(family)
    kinds: list[str] = []

    def counting(kind: type[object], value: object) -> bytes:
        kinds.append(kind.__name__)
        return encode(kind, value)

    monkeypatch.setattr(index, "encode", counting)
    monkeypatch.setattr(record, "encode", counting)
    write(family, {"other.py": BROKEN.replace("scale", "ratio")})
    assert "ratio" in warm(family)
    assert kinds == ["Telling", "Findings", "Trace"]
    kinds.clear()
    write(family, {"other.py": f"import base\n{BROKEN}\nclass Cub(base.Base): ...\n"})
    assert "cannot receive scale" in warm(family)
    assert kinds == ["Telling", "Ground", "Findings", "Trace"], "another module is looked for"
    assert warm(family) == cold(family)
