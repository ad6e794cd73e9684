"""The scan decides only what libcst gets to see: a check with it reports, byte for byte, what libcst alone would."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigcheck import conviction, reading, workers
from sigcheck.checking import run_check
from sigcheck.config import Configuration
from sigcheck.core.callsite import CallSite, Route
from sigcheck.core.contract import Contract
from sigcheck.core.dataclass import replace
from sigcheck.core.family import Family
from sigcheck.core.member import Member
from sigcheck.core.module import Module
from sigcheck.core.place import Place
from sigcheck.core.signature import Signature
from sigcheck.readers import source
from sigcheck.readers.comments import read_suppressions
from sigcheck.readers.source import Decorators, Scan, narrowed
from sigcheck.report.machine import render_json
from sigcheck.transfer import pack, plain, unpack
from tests.running import BROKEN, CHECKOUT, environment, write
from tests.spec_pages import PAGES, SPEC, Case, cases


def report(directory: Path, *paths: str, by_libcst: bool = False, **settings: Any) -> str:
    """The JSON report of a check without a cache."""
    configuration = dataclasses.replace(Configuration(root=directory), cache_dir=None, **settings)
    return render_json(run_check(configuration, [str(directory / path) for path in paths], by_libcst=by_libcst), "0")


EVERYTHING = ("default-changed", "positional-forwarding")


@pytest.mark.parametrize("case", [*cases(SPEC), *cases(PAGES)], ids=lambda case: case.id)
def test_specification(case: Case, tmp_path: Path) -> None:
    write(tmp_path, case.files)
    assert report(tmp_path, ".", extend_select=EVERYTHING) == report(
        tmp_path, ".", extend_select=EVERYTHING, by_libcst=True
    )


# A random family: what it is made of is what the scan must tell as libcst does.

NAMES = st.sampled_from(["a", "b", "scale", "x"])
DEFAULTS = st.sampled_from(["", "=1", " = (None)", "=f(1,  2)", ": int", ": (int) = 0"])
HEADS = st.lists(st.tuples(NAMES, DEFAULTS), max_size=4, unique_by=lambda entry: entry[0]).map(
    lambda entries: "".join(
        f", {name}{default}" for name, default in sorted(entries, key=lambda entry: "=" in entry[1])
    )
)
TAILS = st.sampled_from(
    ["", ", *args", ", **kwargs", ", *, key=(2)", ", *args, key, **kw", ",\n          *,\n          last"]
)
BODIES = st.sampled_from(
    [
        "...",
        "return self.run(1)",
        "return (self.run(\n            a for a in self.x\n        ))",
        "return super().run(*args, a=(1))",
        "self.run, self.y = 1, 2",
        "yield from self.run((yield), key=2)",
        "raise NotImplementedError",
        "return self.run(1) if self.x else type(self).run(self, x=2)",
        "def inner(self): return self.run(3)\n        return inner",
        "for self in a: self.run()",
        "try: self.run(4)\n        except TypeError: pass",
        "if not self.x: return\n        Base.run(self, b, scale)",
        "print(kwargs, args)",
    ]
)
DECORATORS = st.sampled_from(["", "@staticmethod\n    ", "@classmethod\n    ", "@property\n    ", "@(a.b)(1)\n    "])


@st.composite
def families(draw: st.DrawFn) -> str:
    """Some classes, one below the other."""
    lines = ["class Base:", "    pass"]
    for number in range(draw(st.integers(1, 4))):
        base = draw(st.sampled_from(["Base", *(f"C{other}" for other in range(number))]))
        lines.append(f"class C{number}({base}):")
        for name in draw(st.lists(st.sampled_from(["run", "go"]), min_size=1, max_size=2)):
            word = draw(st.sampled_from(["def", "async def"]))
            head = f"{word} {name}(self{draw(HEADS)}{draw(TAILS)}):\n        {draw(BODIES)}"
            lines.append(f"    {draw(DECORATORS)}{head}")
    return "\n".join(lines) + "\n"


@given(families())
@settings(max_examples=150, deadline=None)
def test_random_families(text: str) -> None:
    words: Mapping[str, Any] = {"name": "m", "path": "m.py", "is_package": False, "decorators": Decorators()}
    read = source.read_module(text.encode(), **words)
    if read.problems:
        return
    scan = source.scan_module(text.encode(), **words)
    assert scan is not None
    assert plain(Module, scan.module) == plain(Module, read), text


def test_values_survive_the_way_between_processes() -> None:
    text = (CHECKOUT / "sigcheck" / "core" / "forwarding.py").read_bytes()
    scan = source.scan_module(text, name="m", path="m.py", is_package=False, decorators=Decorators())
    assert scan is not None
    again = unpack(Module, pack(Module, scan.module))
    assert again == scan.module
    assert plain(Module, again) == plain(Module, scan.module)


def test_narrowing_keeps_every_line_in_its_place() -> None:
    text = "import a\n@a\ndef f():\n    x = 1\nclass A:\n    def g(self):\n        return 1\n    def h(self): ...\n"
    assert narrowed(text, (2, 4, 6, 7, 8, 8), {8}) == (
        "import a\npass\n\n\nclass A:\n    pass\n\n    def h(self): ...\n"
    )


COMMENTED = """\
import a  # type: ignore
x = '''# type: ignore
# sigcheck: ignore[renamed-parameter]
'''; y = 1  # type: ignore[override]
class A:  # type: ignore
    @a  # type: ignore
    def f(self,  # type: ignore
          x="# type: ignore"):
        '''# type: ignore
# type: ignore'''
        def g(): return 1  # sigcheck: ignores[x]
        # type: ignore
    z = f"{x}# type: ignore"  # sigcheck: ignore[missing-parameter]
    async def h(self): return "# type: ignore"  # type: ignore[misc]
def k(): pass; x = 2  # type: ignore
# sigcheck: ignore[syntax-error]
def unasked():
    return uninteresting
"""


@pytest.mark.parametrize("skim", [False, True])
def test_comments_are_found_without_reading_all(skim: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    tokens = tokenize.generate_tokens

    def counting(readline: Callable[[], str]) -> Iterator[tokenize.TokenInfo]:
        for token in tokens(readline):
            shown.append(token.string)
            yield token

    monkeypatch.setattr(tokenize, "generate_tokens", counting)
    words: Mapping[str, Any] = {"name": "m", "path": "m.py", "is_package": False, "decorators": Decorators()}
    scan = source.scan_module(COMMENTED.encode(), **words, skim=skim)
    assert scan is not None
    assert "return" in shown
    assert "uninteresting" not in shown
    assert scan.module.suppressions == read_suppressions(COMMENTED, "m.py")
    assert {entry.place.line for entry in scan.module.suppressions} == {1, 4, 5, 6, 7, 11, 12, 13, 15, 16}
    assert "uninteresting" in shown


# What is told, libcst has read.


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other processes read and confirm, however little there is."""
    if not workers.can_fork():
        pytest.skip("no process can be forked here")
    monkeypatch.setattr(workers, "_PARALLEL_FROM", 0)
    monkeypatch.setattr(reading, "_SHARED_FROM", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.fixture(params=["in one process", "in several"])
def ways(request: pytest.FixtureRequest) -> None:
    """Both ways."""
    if request.param == "in several":
        request.getfixturevalue("several")


@pytest.mark.usefixtures("ways")
def test_a_scan_that_is_wrong_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"bad.py": BROKEN})
    told = report(tmp_path, "bad.py")
    honest = source.scan_module

    def lying(data: bytes, **words: Any) -> Scan | None:
        """A scan that misreads the base: another parameter, and so another diagnostic."""
        return honest(data.replace(b"scale", b"sacle"), **words)

    monkeypatch.setattr(source, "scan_module", lying)
    assert report(tmp_path, "bad.py") == told
    assert "scale" in told


OVERRIDE = "class A:\n    {0}\n        x = 1\n        return x\nclass B(A):\n    {1}\n        x = 2\n        return x\n"

LIES: dict[str, tuple[str, str, Mapping[str, Any]]] = {
    "a parameter": (OVERRIDE.format("def f(self, y):", "def f(self, y):"), "renamed-parameter", {"signature": None}),
    "who awaits": (
        OVERRIDE.format("def f(self) -> int:", "def f(self) -> int:"),
        "async-mismatch",
        {"is_coroutine": True},
    ),
    "what is called": (
        OVERRIDE.format("def f(self):", "@property\n    def f(self):"),
        "receiver-mismatch",
        {"returns_callable": False},
    ),
    "what nobody reads": (
        OVERRIDE.format("def f(self, y):", "def f(self, *a, **k):").replace("x = 2", "x = a, k"),
        "swallowed-argument",
        {"unread": ("a", "k")},
    ),
    "a call": (
        OVERRIDE.format("def f(self, y):", "def g(self):"),
        "rejected-argument",
        {
            "calls": (
                CallSite(
                    "f",
                    Route.INSTANCE,
                    (),
                    (),
                    has_star=False,
                    has_double_star=False,
                    place=Place("m.py", 7, 13, 7, 14),
                    last_line=7,
                ),
            )
        },
    ),
}


@pytest.mark.usefixtures("ways")
@pytest.mark.parametrize("lie", LIES)
def test_a_scan_that_is_wrong_about_what_counts_is_found_out(
    lie: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, rule, lies = LIES[lie]
    write(tmp_path, {"m.py": text})
    told = report(tmp_path, "m.py")
    assert rule not in told
    honest = source.scan_module

    def lying(data: bytes, **words: Any) -> Scan | None:
        scan = honest(data, **words)
        if scan is None or not scan.module.classes:
            return scan
        *others, last = scan.module.classes
        [member] = last.members
        told = {**lies}
        if "signature" in told:
            first, second = member.signature.parameters
            told["signature"] = Signature((first, replace(second, name="z")))
        liar = replace(last, members=(replace(member, **told),))
        return replace(scan, module=replace(scan.module, classes=(*others, liar)))

    monkeypatch.setattr(source, "scan_module", lying)
    assert report(tmp_path, "m.py") == told
    monkeypatch.setattr(conviction, "_is_confirmed", lambda *_: True)
    assert rule in report(tmp_path, "m.py")


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("together", [1, 100])
def test_what_is_told_while_a_confirming_process_dies(
    together: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {f"bad_{number}.py": BROKEN for number in range(9)})
    told = report(tmp_path, ".")
    assert json.loads(told)["summary"]["diagnostics"] == 9
    mine, honest = os.getpid(), source.read_definition

    def dying(*arguments: Any, **words: Any) -> Member | None:
        if os.getpid() != mine:
            os._exit(3)
        return honest(*arguments, **words)

    monkeypatch.setattr(source, "read_definition", dying, raising=False)
    monkeypatch.setattr(conviction, "_TOGETHER", together)
    assert report(tmp_path, ".") == told


@pytest.mark.usefixtures("several")
def test_what_is_told_is_confirmed_while_more_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left for this process to do: neither of the files, nor of the library in which a base lies."""
    library = "import enum\nclass A(enum.Enum):\n    def _generate_next_value_(name): ...\n"
    write(tmp_path, {**{f"bad_{number}.py": BROKEN for number in range(3)}, "library.py": library})
    told = report(tmp_path, ".", by_libcst=True)
    assert "_generate_next_value_" in told
    monkeypatch.setattr("sigcheck.project.unconfirmed", None)
    assert report(tmp_path, ".") == told


HONOURING = """\
class Base:
    def run(self, x, p=None):
        raise NotImplementedError
class Honours(Base):
    def run(self, x, p=None):
        if x:
            return p
        return self.go(p)
class Forgets(Base):
    def run(self, x, p=None):
        if x:
            return p
        return x
class Renames(Base):
    def run(self, y, p=None):
        return y, p
"""
FAMILY: Mapping[str, Any] = {"contracts": (Contract("Base", ("*",), ("*",)),)}


def family(directory: Path) -> str:
    """The report on a family in some files, by libcst alone."""
    write(directory, {"base.py": HONOURING, "else.py": "class Else: ..."})
    for number in range(3):
        kid = HONOURING[HONOURING.index("class Honours") :].replace("(Base)", f"(B{number})")
        write(directory, {f"kid_{number}.py": f"from base import Base as B{number}\n{kid}"})
    told = report(directory, ".", by_libcst=True, **FAMILY)
    rules = [entry["rule"] for entry in json.loads(told)["diagnostics"]]
    assert {rule: rules.count(rule) for rule in rules} == {"renamed-parameter": 4, "partly-honoured-parameter": 4}
    return told


@pytest.mark.usefixtures("several")
def test_a_family_is_read_confirmed_and_followed_by_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = family(tmp_path)
    monkeypatch.setattr("sigcheck.project.unconfirmed", None)
    mine = os.getpid()
    for name in ("scan_module", "read_flow", "read_definition"):
        monkeypatch.setattr(source, name, _elsewhere(getattr(source, name), mine), raising=False)
    assert report(tmp_path, ".", **FAMILY) == told


def _elsewhere(function: Any, mine: int) -> Any:
    def called(*arguments: Any, **words: Any) -> Any:
        assert os.getpid() != mine
        return function(*arguments, **words)

    return called


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("name", ["scan_module", "read_flow", "read_definition", "reads_all"])
def test_a_process_that_dies_changes_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = family(tmp_path)
    mine, honest, died = os.getpid(), getattr(source, name), tmp_path / "died"

    def dying(*arguments: Any, **words: Any) -> Any:
        if os.getpid() != mine and not died.exists():
            died.touch()
            os._exit(3)
        return honest(*arguments, **words)

    monkeypatch.setattr(source, name, dying, raising=False)
    assert report(tmp_path, ".", **FAMILY) == told
    assert died.exists()


def _heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines of definitions that libcst is shown from now on."""
    seen: list[str] = []
    honest = source.read_definition

    def listening(lines: list[str], first: int, **words: Any) -> Member | None:
        seen.extend(line.strip() for line in lines)
        return honest(lines, first, **words)

    monkeypatch.setattr(source, "read_definition", listening, raising=False)
    return seen


def test_only_what_is_told_is_shown_to_libcst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = "class A:\n    def f(self, x): ...\nclass B(A):\n    def f(self, x): ...\n"
    other = "\n    def other(self, x): return x"
    write(tmp_path, {"bad.py": BROKEN + other, "good.py": good})
    seen = _heard(monkeypatch)
    monkeypatch.setattr(source, "read_module", None, raising=False)
    monkeypatch.setattr(source, "read_source", None, raising=False)
    report(tmp_path, ".")
    assert sorted(seen) == ["def run(self, x): ...", "def run(self, x, scale): ..."]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (OVERRIDE.format("def f(self, y):", "def f(self, x):"), ["def f(self, x):", "def f(self, y):"]),
        (
            OVERRIDE.format(
                "async def f(self):", "@final\n    def f(self,\n          x=(1,\n             2)) -> int: # x"
            ),
            [
                "@final",
                "def f(self,",
                "x=(1,",
                "2)) -> int: # x",
                "x = 2",
                "return x",
                "async def f(self):",
                "x = 1",
                "return x",
            ],
        ),
    ],
    ids=["headers", "bodies"],
)
def test_where_headers_decide_bodies_are_not_shown_to_libcst(
    text: str, shown: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"m.py": text})
    seen = _heard(monkeypatch)
    monkeypatch.setattr(source, "read_source", None, raising=False)
    assert json.loads(report(tmp_path, "m.py"))["diagnostics"]
    assert sorted(seen) == sorted(shown)


def test_a_clean_project_does_not_load_libcst(tmp_path: Path) -> None:
    write(tmp_path, {"good.py": "import enum\nclass A(enum.Enum):\n    def f(self, x): ...\n"})
    program = "import sys; from sigcheck.cli import main; main(['check', '--no-cache', 'good.py']); print('libcst' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == "False", done.stdout + done.stderr


def test_what_a_decorator_gives_is_confirmed_with_the_definition_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = "{0}def given(function):\n{0}    def inner(self):\n{0}        return function\n{0}    return inner\n"
    method = "    @given\n    def f(self, x): ...\n"
    text = f"{given.format('')}class A:\n    def f(self, x): ...\nclass B(A):\n{method}class C(A):\n{given.format('    ')}{method}"
    write(tmp_path, {"m.py": text})
    told = report(tmp_path, "m.py", by_libcst=True)
    assert len(json.loads(told)["diagnostics"]) == 2
    monkeypatch.setattr(source, "read_source", lambda *_, **__: pytest.fail("more than the definition was read"))
    assert report(tmp_path, "m.py") == told


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n    @property\n    def p(self): return 1\n    @p.setter\n    def p(self, v): ...\nclass B(A):\n    @property\n    def p(self): return 2\n",
        "class A:\n    f = lambda self, x: x\nclass B(A):\n    def f(self): ...\n",
        "class A:\n    def f(self, x): ...\ndef g(self): ...\nclass B(A):\n    f = g\n",
        "class A:\n    @overload\n    def f(self, x: int): ...\n    @overload\n    def f(self, x: str): ...\nclass B(A):\n    def f(self): ...\n",
        "def make():\n    class A:\n        def f(self, x): ...\n    class B(A):\n        def f(self): ...\n",
        "class A:\n    if x:\n        def f(self, x): ...\n    else:\n        def f(self, y): ...\nclass B(A):\n    def f(self): ...\n",
        'class A:\n    def f(self, x): """Text.\n\n        More."""\nclass B(A):\n    def f(self): return [\n  1]\n',
        "class A:\n\tdef f(self, x):\n\t\treturn x\nclass B(A):\n\tdef f(self): return 1; \\\n\t\t2\n",
        "# -*- coding: latin-1 -*-\nclass A:\n    def f(self, x='\u00e9'): ...\nclass B(A):\n    def f(self): ...\n",
    ],
    ids=["property", "lambda", "alias", "overloads", "local", "tests", "bodies", "tabs", "encoding"],
)
def test_what_cannot_be_read_alone(text: str, tmp_path: Path) -> None:
    write(tmp_path, {"m.py": text.encode("latin-1")})
    told = report(tmp_path, "m.py", extend_select=EVERYTHING)
    assert json.loads(told)["diagnostics"]
    assert told == report(tmp_path, "m.py", extend_select=EVERYTHING, by_libcst=True)


# Real packages: minutes of libcst.


CORPUS_DIRECTORY = Path(os.environ.get("SIGCHECK_CORPORA", CHECKOUT / ".corpora"))
WAYS: dict[str, Mapping[str, Any]] = {
    "default": {},
    "everything": {"extend_select": EVERYTHING},
}
CONTRACTS: Mapping[str, Contract] = {
    "fsspec": Contract("AbstractFileSystem", ("*",), ("*",), (("_cat_file", "cat_file", "_get_file", "get_file"),)),
    "sglang": Contract("AttentionBackend", ("*",), ("*",), (("forward", "forward_decode", "forward_extend"),)),
    "transformers": Contract("PreTrainedModel", ("forward",), None, (("save_pretrained", "from_pretrained"),)),
}
FAMILIES: Mapping[str, Family] = {
    "fsspec": Family("fsspec.asyn:sync", ("fsspec.utils.*",)),
    "sglang": Family(
        "sglang.srt.layers.activation:SiluAndMul.forward_cuda", ("sglang.srt.layers.activation.*.forward_*",)
    ),
    "transformers": Family(
        "transformers.activations:NewGELUActivation.forward", ("transformers.activations.*.forward",)
    ),
}


def corpus_of(name: str) -> Path:
    """The sources of a corpus, fetched if they are not there."""
    script = CHECKOUT / "benchmarks" / "corpora.py"
    subprocess.run([sys.executable, script, name, "--into", CORPUS_DIRECTORY], check=True, timeout=600)
    return CORPUS_DIRECTORY / name / name


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "way"),
    [("fsspec", "default"), ("fsspec", "everything"), ("sglang", "everything"), ("transformers", "everything")],
)
def test_corpora(name: str, way: str) -> None:
    directory = corpus_of(name)
    assert report(directory, ".", **WAYS[way]) == report(directory, ".", by_libcst=True, **WAYS[way])


@pytest.mark.long
@pytest.mark.parametrize("name", ["fsspec", "sglang"])
def test_contracts_and_families_on_corpora(name: str) -> None:
    directory = corpus_of(name)
    asked: Mapping[str, Any] = {"contracts": (CONTRACTS[name],), "families": (FAMILIES[name],)}
    assert report(directory, ".", **asked) == report(directory, ".", by_libcst=True, **asked)
