"""After an edit of each kind, a warm run and the daemon say what a cold run says."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.mypy_plugin.programs import CONFIGURATION, TAKES_CODES, Project, ours
from tests.mypy_runs import run_mypy

BASE = """\
class Base:
    def run(self, x, y=None):
        return self.step(x, y)

    def step(self, a, b): ...
"""
MID = "from base import Base\n\n\nclass Mid(Base):\n    tag = 1\n"
SUB = """\
from mid import Mid


class Sub(Mid):
    def run(self, x, y=None): ...

    def step(self, b, a): ...
"""
WRAPPING = """\
def given(function):
    def inner(self, a, b):
        return function(self, a, b)
    return inner


class Base:
    @given
    def step(self, more): ...

    @given
    def run(self, x, y=None): ...
"""
WRAPPED = WRAPPING.replace("class Base", "from mid import Mid\n\n\nclass Sub(Mid)")
KEEPING = """\
from typing import Any, Callable, ParamSpec, TypeVar, overload
from typing_extensions import Concatenate
P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F")
def logged(function: Callable[P, R]) -> Callable[P, list[R]]: ...
def named(name: str) -> Callable[[F], F]: ...
def kept(function: F) -> F: ...
@overload
def both(function: F) -> F: ...
@overload
def both(*, name: str) -> Callable[[F], F]: ...
def both(function: Any = None, *, name: str = "") -> Any: ...
def given(function: Callable[Concatenate[Any, int, P], R]) -> Callable[Concatenate[Any, P], R]: ...
def plain(function): ...
"""
KEPT = """\
import sub
from keeping import both, logged, named


class Base:
    @staticmethod
    def step(a: int, b: int) -> None: ...

    @logged
    def run(self, x: int, y: int) -> None: ...

    @named("stop")
    def stop(self, x: int, y: int) -> None: ...

    @both
    def wait(self, x: int) -> None: ...

    @both(name="go")
    def go(self, x: int) -> None: ...
"""
KEPT_BELOW = """\
from base import Base
from keeping import kept, logged
from mid import VALUE


class Sub(Base):
    @kept
    def step(self, a: int) -> None: ...

    def run(self, z: int) -> None: ...

    @logged
    def stop(self, z: int) -> None: ...

    def wait(self, x: str) -> None: ...

    def go(self) -> None: ...
"""
LENDING = """\
from typing import Any
import sub
from keeping import given, kept, logged


@given
def run(self: Any, x: int, y: int) -> None: ...


@logged
def step(self: Any, z: int) -> None: ...
"""
LENT = """\
import lending


class Base:
    def run(self, y: int): ...

    def step(self, a: int): ...


class Sub(Base):
    run = lending.run
    step = lending.step
"""
FAMILY = {"base.py": BASE, "mid.py": MID, "sub.py": SUB}

EDITS: dict[str, list[Mapping[str, str | None]]] = {
    "a decorator of the base": [
        {"base.py": WRAPPING},
        {"base.py": WRAPPING.replace("inner(self, a, b)", "inner(self, b, a)")},
        {"base.py": WRAPPING.replace("inner(self, a, b)", "inner(self, *args, **kwargs)")},
        {"base.py": WRAPPING.replace("    return inner", "    return function")},
        {"base.py": WRAPPING},
    ],
    "a decorator of the subclass": [
        {"sub.py": WRAPPED},
        {"sub.py": WRAPPED.replace("inner(self, a, b)", "inner(self, b, a)")},
        {"sub.py": WRAPPED.replace("inner(self, a, b)", "inner(self, *args, **kwargs)")},
        {"sub.py": WRAPPED},
    ],
    "nothing": [{}, {}],
    "base, direct": [
        {"sub.py": SUB.replace("from mid import Mid", "from base import Base as Mid")},
        {"base.py": BASE.replace("y=None):", "y=None, z=0):")},
        {"base.py": BASE},
    ],
    "base, two modules away": [
        {"base.py": BASE.replace("y=None):", "y=None, z=0):")},
        {"base.py": BASE.replace("run(self, x, y=None)", "run(self, w, y=None)")},
        {"base.py": BASE},
    ],
    "subclass": [
        {"sub.py": SUB.replace("x, y=None", "z, y=None")},
        {"sub.py": SUB.replace("def run(self, x, y=None)", "async def run(self, x, y=None)")},
        {"sub.py": SUB},
    ],
    "call site in the base": [
        {"base.py": BASE.replace("self.step(x, y)", "self.step(a=x, b=y)")},
        {"base.py": BASE.replace("self.step(x, y)", "self.step(x)")},
        {"base.py": BASE.replace("return self.step(x, y)", "return None")},
        {"base.py": BASE},
    ],
    "a class between": [
        {"mid.py": MID + "\n    def step(self, a, b, c): ...\n"},
        {"mid.py": MID.replace("class Mid(Base)", "class Mid")},
        {"mid.py": MID},
    ],
    "lines move": [{"base.py": "\n\n" + BASE}, {"sub.py": "\n" + SUB}, {"base.py": BASE}],
    "a comment at the base": [
        {
            "base.py": BASE.replace(
                "step(self, a, b): ...", "step(self, a, b): ...  # sigcheck: ignore[misbound-parameter]"
            )
        },
        {"base.py": BASE},
    ],
    "a module comes and goes": [
        {"more.py": "from sub import Sub\n\n\nclass More(Sub):\n    def run(self, q): ...\n"},
        {"base.py": BASE.replace("y=None):", "y=None, z=0):")},
        {"more.py": None},
    ],
}


@pytest.mark.parametrize("kind", EDITS)
def test_warm(kind: str, project: Project) -> None:
    project.edit(FAMILY)
    assert ours(project.mypy()) == ours(project.cold())
    seen = set()
    for edit in EDITS[kind]:
        project.edit(edit)
        cold = project.cold()
        assert project.mypy() == cold
        assert project.mypy() == cold, "replayed"
        seen.add(tuple(ours(cold)))
    assert any(seen)
    assert len(seen) > 1 or kind == "nothing", "an edit that changes nothing shows nothing"


@pytest.mark.parametrize("kind", EDITS)
def test_dmypy(kind: str, project: Project) -> None:
    project.edit(FAMILY)
    assert project.dmypy() == project.cold()
    for edit in EDITS[kind]:
        project.edit(edit)
        cold = project.cold()
        assert project.dmypy() == cold
        assert project.dmypy() == cold, "again"


SEEN_THROUGH: list[Mapping[str, str | None]] = [
    {"keeping.py": KEEPING, "base.py": KEPT, "sub.py": KEPT_BELOW, "mid.py": "VALUE = 1\n"},
    {"mid.py": "VALUE = 'a'\n"},
    {"sub.py": KEPT_BELOW + "\n    other = VALUE\n"},
    {"base.py": KEPT.replace("logged", "plain")},
]


def test_what_mypy_tells_of_decorated_methods_is_not_told_again(project: Project) -> None:
    """Of the decorators that it sees through: not in a cold run, in which it checks them later, nor in `dmypy`."""
    seen = []
    for edit in SEEN_THROUGH:
        project.edit(edit)
        told = ours(project.cold())
        assert ours(project.mypy()) == told
        assert ours(project.dmypy()) == told
        seen.append(bool(told))
    assert seen == [False, False, False, True]


def test_what_a_decorator_of_another_module_gives_is_known_or_not_told(project: Project) -> None:
    """In a cycle of imports mypy has not checked it yet; in `dmypy` it has."""
    project.edit({"keeping.py": KEEPING, "lending.py": LENDING, "sub.py": LENT})
    told = ours(project.cold())
    assert [line.partition(": error: ")[2] for line in told] == [
        "a is called `z` in Sub.step (renamed-parameter)  [override-binding]"
    ]
    assert ours(project.dmypy()) == told
    project.edit({"sub.py": f"{LENT}\n\nclass Other(Base): ...\n"})
    assert ours(project.dmypy()) == ours(project.cold()) == told


CACHES = {
    "sqlite": ["--sqlite-cache"],
    "files": ["--no-sqlite-cache"],
    "fine-grained": ["--cache-fine-grained"],
    "fine-grained, files": ["--cache-fine-grained", "--no-sqlite-cache"],
    "silent": ["--follow-imports=silent"],
    "skip": ["--follow-imports=skip"],
}


@pytest.mark.parametrize("options", CACHES.values(), ids=CACHES)
def test_every_cache_and_every_way_to_follow_imports(options: list[str], project: Project) -> None:
    project.targets = ["sub.py"] if "follow" in options[0] else []
    project.edit(FAMILY)
    for kind in ("base, two modules away", "subclass", "call site in the base"):
        for edit in EDITS[kind]:
            project.edit(edit)
            cold = project.cold(*options)
            assert project.mypy(*options) == cold
            assert project.mypy(*options) == cold
    assert bool(ours(cold)) == ("skip" not in options[0])


@pytest.mark.parametrize("option", ["--num-workers=2", "--no-native-parser"])
def test_in_several_processes_and_with_either_parser(option: str, project: Project) -> None:
    if option.partition("=")[0] not in run_mypy(["--help"])[0]:
        pytest.skip("this mypy knows no other way")
    project.edit(FAMILY)
    for kind in ("base, two modules away", "call site in the base"):
        for edit in EDITS[kind]:
            project.edit(edit)
            cold = project.cold()
            assert project.mypy(option) == cold
            assert project.mypy(option) == cold, "replayed"
    assert ours(cold)


def test_the_daemon_starts_from_a_fine_grained_cache(project: Project) -> None:
    project.edit(FAMILY)
    project.mypy("--cache-fine-grained", cache=".mypy_cache")
    project.edit({"base.py": BASE.replace("self.step(x, y)", "self.step(x)")})
    assert project.dmypy("--use-fine-grained-cache") == project.cold()
    project.edit({"base.py": BASE.replace("y=None):", "y=None, z=0):")})
    assert project.dmypy("--use-fine-grained-cache") == project.cold()


SETTINGS = [
    'fail-on = "error"\nseverity = { misbound-parameter = "warning" }\n',
    'ignore = ["misbound-parameter"]\n',
    'paths = ["."]\n[[contracts]]\nbase = "base.Base"\nmethods = ["run"]\n',
    "",
]


@pytest.mark.parametrize("program", ["mypy", "dmypy"])
def test_a_changed_configuration(program: str, project: Project) -> None:
    project.edit({**FAMILY, "sigcheck.toml": ""})
    run = project.mypy if program == "mypy" else project.dmypy
    seen = {tuple(run())}
    for text in SETTINGS:
        project.edit({"sigcheck.toml": text})
        told = run()
        assert told == project.cold()
        seen.add(tuple(told))
    assert len(seen) >= 3
    code = "override-binding" if TAKES_CODES else "override"
    project.edit({"mypy.ini": f"{CONFIGURATION}[mypy-sub]\ndisable_error_code = {code}\n"})
    told = run()
    assert told == project.cold()
    assert not any("[override-binding]" in line for line in told)
