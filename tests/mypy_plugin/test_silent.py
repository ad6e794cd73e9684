"""Modules whose errors nobody sees: of what others inherit from them is told what is told where they are checked too."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from mypy import api

from sigcheck.mypy_plugin.look import Look
from sigcheck.mypy_plugin.skim import Skimmed, skim
from tests.mypy_plugin.programs import CONFIGURATION, Project, ours
from tests.running import write

FAMILIES = {
    "a call above": (
        "class Base:\n    def go(self):\n        self.step(1, 2)\n\n    def step(self, a, b): ...\n",
        "class Sub(Base):\n    def step(self, a): ...\n",
    ),
    "a call above of what only the subclass has": (
        "class Base:\n    def go(self):\n        self.step(1, 2)\n",
        "class Sub(Base):\n    def step(self, a): ...\n",
    ),
    "a call that super() takes": (
        "class Base:\n    def step(self, a): ...\n\n\nclass Mixin(Base):\n    def step(self, a):\n        super().step(a)\n",
        "from base import Mixin\n\n\nclass Other(Base):\n    def step(self): ...\n\n\nclass Sub(Mixin, Other): ...\n",
    ),
    "a method that is assigned": (
        "def function(self, a): ...\n\n\nclass Base:\n    step = function\n",
        "class Sub(Base):\n    def step(self, b): ...\n",
    ),
    "two definitions of a method": (
        (
            "import sys\n\n\nclass Base:\n    if sys.platform == 'nowhere':\n        def step(self, a): ...\n"
            "    else:\n        def step(self, b): ...\n"
        ),
        "class Sub(Base):\n    def step(self, b): ...\n",
    ),
    "two definitions of the class": (
        (
            "import sys\n\nif sys.platform == 'nowhere':\n    class Base:\n        def step(self, a): ...\n"
            "else:\n    class Base:\n        def step(self, b): ...\n"
        ),
        "class Sub(Base):\n    def step(self, a): ...\n",
    ),
    "a decorator": (
        "from functools import partialmethod as part\n\n\nclass Base:\n    def step(self, a): ...\n    walk = part(step, 1)\n",
        "class Sub(Base):\n    def walk(self, a): ...\n",
    ),
    "a decorator that puts another function there": (
        (
            "def given(function):\n    def inner(self, a):\n        return function(self)\n    return inner\n\n\n"
            "class Base:\n    @given\n    def step(self): ...\n"
        ),
        "class Sub(Base):\n    def step(self): ...\n",
    ),
    "a property": (
        "class Base:\n    @property\n    def step(self): ...\n\n    @step.setter\n    def step(self, value): ...\n",
        "class Sub(Base):\n    def step(self, b): ...\n",
    ),
    "a class in a class": (
        "class Outer:\n    class Inner:\n        def go(self):\n            self.step(1)\n\n\nclass Base: ...\n",
        "from base import Outer\n\n\nclass Sub(Outer.Inner):\n    def step(self): ...\n",
    ),
    "an alias above": (
        "class First:\n    def step(self, a): ...\n\n\nAlias = First\n\n\nclass Base(Alias): ...\n",
        "class Sub(Base):\n    def step(self, b): ...\n",
    ),
    "a named tuple": (
        "from typing import NamedTuple\n\n\nclass Base(NamedTuple):\n    x: int\n\n    def step(self, a): ...\n\n\nclass Other: ...\n",
        "class Sub(Base):\n    def step(self, b): ...\n",
    ),
    "a comment": (
        "class Base:\n    def step(self, a): ...  # sigcheck: ignore[misbound-parameter]\n",
        "class Sub(Base):\n    def step(self, b): ...\n",
    ),
    "in order": (
        "class Base:\n    def step(self, a): ...\n",
        "class Sub(Base):\n    def step(self, a): ...\n",
    ),
}
SILENT = ("--follow-imports=silent",)


@pytest.mark.parametrize("kind", FAMILIES)
def test_the_same_is_told_as_where_the_base_is_checked_too(kind: str, project: Project) -> None:
    above, below = FAMILIES[kind]
    project.edit({"base.py": above, "sub.py": f"from base import Base\n\n\n{below}"})
    everything = [line for line in ours(project.cold(*SILENT)) if line.startswith("sub.py")]
    project.targets = ["sub.py"]
    assert ours(project.cold(*SILENT)) == everything
    assert bool(everything) == (kind not in {"in order", "a decorator"}), everything


def test_the_daemon_sees_edits_of_what_it_is_silent_about(project: Project) -> None:
    project.edit({"mypy.ini": f"{CONFIGURATION}[mypy-base]\nignore_errors = True\n"})
    seen = set()
    for kind in ("in order", "a call above", "a named tuple", "two definitions of a method", "a class in a class"):
        above, below = FAMILIES[kind]
        for text in (above, above.replace("a)", "a, more)").replace("(1", "(0, 1"), above):
            project.edit({"base.py": text, "sub.py": f"from base import Base\n\n\n{below}"})
            cold = project.cold()
            assert (project.dmypy(), project.mypy()) == (cold, cold)
            seen.add(tuple(cold))
    assert len(seen) > 6


def test_for_a_build_system_the_cache_depends_on_nothing_but_contents(project: Project) -> None:
    project.edit({"base.py": "class Base: ...\n", "sub.py": "from base import Base\n\n\nclass Sub(Base): ...\n"})
    project.targets = ["sub.py"]
    kept = []
    for moment in (1_600_000_000, 1_650_000_000):
        os.utime(project.directory / "base.py", (moment, moment))
        project.mypy(*SILENT, "--bazel", "--no-sqlite-cache")
        kept += [path.read_bytes() for path in project.directory.glob("base.data.*")]
        for path in project.directory.glob("*.*.*"):
            path.unlink()
    assert len(kept) == 2
    assert kept[0] == kept[1]


ODD = {
    "bound twice": "class A: ...\nA = A\n",
    "under a test": "if x:\n    class A: ...\n",
    "imported too": "class A: ...\ntry:\n    from b import A\nexcept ImportError:\n    pass\n",
    "deleted": "class A: ...\ndel A\n",
    "changed from outside": "class A: ...\nA.m = f\n",
    "changed under a test": "class A: ...\nif x:\n    A.m = f\n",
    "a pattern": "class A: ...\nmatch x:\n    case [*A]: ...\n",
    "a base that is called": "class A(f()): ...\n",
    "a base that is uncertain": "B = f\nclass A(B): ...\n",
    "a base of the class around": "class O:\n    B = int\n    class A(B): ...\n",
    "a method twice": "class A:\n    def m(self): ...\n    def n(self): ...\n    def m(self): ...\n",
    "a method and a value": "class A:\n    def m(self): ...\n    m = 1\n",
    "overloads": "class A:\n    @overload\n    def m(self): ...\n    def m(self, x=1): ...\n",
    "a loop": "class A:\n    for i in x: ...\n",
    "a changed value": "class A:\n    x = 1\n    x += 1\n",
    "its own property": "class A:\n    property = f\n",
    "a function of that name": "class A: ...\ndef f(): ...\ndef A(): ...\n",
    "a value of a function's last line": "class A: ...\ndef f():\n    return 1 + \\\n2\nA = 1\n",
    "no Python": "class A:\n    def\n",
}
STRANGE = {
    "a setter of another": "class A:\n    @B.m.setter\n    def m(self): ...\n",
    "a cached property": "from functools import cached_property as c\nclass A:\n    @c\n    def m(self): ...\n",
    "a decorator of that name": "def property(f): ...\nclass A:\n    @property\n    def m(self): ...\n",
    "a star": "from b import *\nclass A:\n    @staticmethod\n    def m(self): ...\n",
    "a subscript": "class A:\n    @d[0]\n    def m(self): ...\n",
    "an accessor with more": "class A:\n    @property\n    @d\n    def m(self): ...\n    @m.setter\n    def m(self, x): ...\n",
    "a function": "class A:\n    m = f\n",
    "a function of another": "class A:\n    m = B.f\n",
    "a lambda": "class A:\n    m: object = lambda: 0\n",
    "a maker": "class A:\n    m = staticmethod(f)\n",
    "the name of a method": "n = 1\nclass A:\n    def n(self): ...\n    m = n\n",
    "the name of nothing": "class A:\n    n = None\n    m = n\n",
    "a function behind a bracket": "class A:\n    x = [\n1]\n    m = f\n",
    "a function behind a line that goes on": "class A:\n    x = 1 + \\\n2\n    m = f\n",
    "one of two": "class A:\n    m, o = f\n",
}
PLAIN = {
    "nothing": "class A: ...\n",
    "a generic": "from t import Generic, T\nclass A(Generic[T], list): ...\n",
    "a base in a module": "import a.b\nimport a.c\nclass A(a.b.B, metaclass=M): ...\n",
    "values": "n = 1\nclass A:\n    '''x'''\n    x: int\n    y = n\n    z = f()\n    s = 'm'\n    u = s\n    t = [f]\n    v = None\n",
    "decorators": "class A:\n    @staticmethod\n    def m(self): ...\n    @d.e(1)\n    def n(self): ...\n",
    "a property": "class A:\n    @property\n    def m(self): ...\n    @m.setter\n    def m(self, x): ...\n    @m.deleter\n    def m(self): ...\n",
    "a class in a class": "class O:\n    class B: ...\n    class A: ...\n",
    "a bracket at the margin": "def f(\na,\n): ...\nx = [\nf,\n]\nclass A: ...\n",
    "names in a function": "class A: ...\ndef f():\n    A = 1\n",
}


def skimmed(text: str) -> Skimmed:
    """What is told of the class A of a text."""
    lines = text.split("\n")
    first = next(number for number, line in enumerate(lines, 1) if line.strip().startswith("class A"))
    return skim(text, first, len(lines))


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_class(kind: str) -> None:
    assert skimmed(ODD[kind]).is_odd


@pytest.mark.parametrize("kind", STRANGE)
def test_names_of_which_symbols_do_not_tell_the_whole(kind: str) -> None:
    found = skimmed(STRANGE[kind])
    assert (found.is_odd, "m" in found.names) == (False, True)


@pytest.mark.parametrize("kind", PLAIN)
def test_a_plain_class(kind: str) -> None:
    found = skimmed(PLAIN[kind])
    assert (found.is_odd, found.names) == (False, frozenset())


def test_calls_and_bases() -> None:
    text = (
        "from b import B as C\nimport p\n\n\nclass A(C, p.D[int]):\n    def m(self):\n        self.a()\n        super().b()\n"
        "        super(x()).c()\n        d()\n\n\nclass E:\n    def f(self):\n        self.g()\n"
    )
    found = skim(text, 5, 10)
    assert found.bases == {"B", "D"}
    assert "a" in found.calls
    assert "b" not in found.calls
    assert {"b", "c"} <= found.above
    assert not {"d", "g"} & (found.calls | found.above)


@contextlib.contextmanager
def told_by_both(told: list[tuple[str, bool, bool, set[str], Skimmed]]) -> Iterator[None]:
    """Of each class is noted what mypy's nodes tell, and what its text tells."""
    traits = Look.traits

    def noting(self: Look, **options: bool) -> dict[str, object]:
        definition = self.definition
        found = skim(self.survey.text, definition.line, definition.end_line or definition.line)
        is_named = definition.info.fallback_to_any or found.bases <= {base.name for base in definition.info.mro}
        told.append((definition.fullname, is_named, self.is_odd, self.odd_names, found))
        return traits(self, **options)

    Look.traits = noting  # type: ignore[method-assign]
    try:
        yield
    finally:
        Look.traits = traits  # type: ignore[method-assign]


def test_the_text_suspects_whatever_the_nodes_suspect(tmp_path: Path) -> None:
    kinds = {**ODD, **STRANGE, **PLAIN, **{kind: above for kind, (above, _) in FAMILIES.items()}}
    del kinds["no Python"]
    texts = {f"m{number}.py": text for number, text in enumerate(kinds.values())}
    write(tmp_path, {"mypy.ini": CONFIGURATION, **texts})
    root = Path(__file__).resolve().parent.parent.parent
    options = ["--config-file", str(tmp_path / "mypy.ini"), "--cache-dir", os.devnull, "--ignore-missing-imports"]
    told: list[tuple[str, bool, bool, set[str], Skimmed]] = []
    with told_by_both(told):
        api.run([*options, *(str(tmp_path / name) for name in texts), str(root / "sigcheck")])
    assert len(told) > 300
    assert sum(is_odd for _, _, is_odd, _, _ in told) > 10
    for name, is_named, is_odd, names, found in told:
        if is_odd:
            assert found.is_odd or not is_named, name
        elif not found.is_odd:
            assert names <= found.names, name
    plain = [found for name, _, is_odd, names, found in told if name.startswith("sigcheck.") and not (is_odd or names)]
    assert sum(found.is_odd or bool(found.names) for found in plain) < len(plain) / 20
