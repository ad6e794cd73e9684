"""A call on the receiver that cannot bind is told once: by mypy where it looks, by the plugin where it does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import pytest

from tests.mypy_plugin.programs import TAKES_CODES
from tests.mypy_runs import run_mypy
from tests.running import write

PARAMETERS = [
    "",
    ", a",
    ", a, b",
    ", a, b=1",
    ", a, *, b",
    ", *, b=1",
    ", a, *args",
    ", a, **kwargs",
    ", *args, b",
    ", a, /",
    ", a, /, b=1",
    ", __a, b",
]
ARGUMENTS = [
    "",
    "1",
    "1, 2",
    "1, 2, 3",
    "a=1",
    "b=1",
    "1, a=1",
    "1, b=1, c=1",
    "*x",
    "1, *x",
    "1, 2, 3, *x",
    "*x, a=1",
    "**y",
    "1, 2, **y",
    "*x, b=1, **y",
    "c=1, **y",
]


def lines_of(directory: Path, code: str, files: Mapping[str, str], *options: str, repeats: bool = False) -> set[str]:
    """The places of the errors under these codes."""
    settings = f"repeat-mypy = {str(repeats).lower()}\n"
    write(directory, {"mypy.ini": "[mypy]\nplugins = sigcheck.mypy_plugin\n", "sigcheck.toml": settings})
    paths = [directory / f"{name}.py" for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    told, problems, _ = run_mypy(
        ["--config-file", str(directory / "mypy.ini"), "--cache-dir", str(directory / ".cache"), *options]
        + [str(path) for path in paths]
    )
    assert not problems
    assert "sigcheck failed" not in told
    found = re.findall(rf"([^/\n]+\.py:\d+): error: .*\[(?:{code})\]", told)
    return set(found)


def test_mypy_refuses_every_call_that_is_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every header with every call: what the plugin does not repeat, mypy tells; and what mypy does not tell, it does."""
    monkeypatch.chdir(tmp_path)
    text = "x: list[int] = []\ny: dict[str, int] = {}\n"
    nameless = set()
    for number, header in enumerate(PARAMETERS):
        text += f"class A{number}:\n    def m(self{header}): ...\n    def s(self{header}): ...\nclass B{number}(A{number}):\n"
        for index, (route, arguments) in enumerate(product(("self.m", "super().s"), ARGUMENTS)):
            text += f"    def go{index}(self) -> None:\n        {route}({arguments})\n"
            if "/" in header or "__" in header:
                nameless.add(
                    f"m.py:{text.count(chr(10))}"
                )  # Of these mypy keeps no names: it is not worked out what it tells.
    all_of_them = lines_of(tmp_path, "call-binding", {"m": text}, repeats=True)
    told = lines_of(tmp_path, "call-arg|misc", {"m": text})
    assert len(all_of_them) > 150
    assert all_of_them <= told
    assert lines_of(tmp_path, "call-binding", {"m": text}) == all_of_them & nameless


WHERE = {
    "typed": "def go(self) -> None:\n    self.m(1, 2)",
    "a typed argument": "def go(self, x: int):\n    self.m(1, 2)",
    "no types": "def go(self):\n    self.m(1, 2)",
    "typed, and a function without types in it": "def go(self) -> None:\n    def inner():\n        self.m(1, 2)",
    "one with types in that": (
        "def go(self) -> None:\n    def inner():\n        def inmost() -> None:\n            self.m(1, 2)"
    ),
    "a typed function in one without types": "def go(self):\n    def inner() -> None:\n        self.m(1, 2)",
    "typed, with a function without types before": (
        "def go(self) -> None:\n    def inner():\n        pass\n    self.m(1, 2)"
    ),
    "a header over several lines": (
        "def go(self) -> None:\n    def inner(\n        a,\n    ):\n        self.m(1, 2)\n    inner(1)"
    ),
    "a tabulator behind the word": "def\tgo(self) -> None:\n    def inner():\n        self.m(1, 2)",
    "a coroutine in it": "def go(self) -> None:\n    async def inner():\n        self.m(1, 2)",
    "a function on the line of another": "def go(self) -> None:\n    if self.x: pass\n    def a(): self.m(1, 2)",
    "behind a decorator": "def go(self) -> None:\n    @staticmethod\n    def inner():\n        self.m(1, 2)",
    "a lambda": "def go(self) -> None:\n    sorted([1], key=lambda _: self.m(1, 2))",
    "a lambda of which nothing is known": "def go(self, f) -> None:\n    f(lambda: self.m(1, 2))",
    "a comprehension": "def go(self) -> None:\n    [self.m(1, 2) for _ in range(3)]",
    "the receiver has a type": "def go(self: Any) -> None:\n    self.m(1, 2)",
    "no type check": "@no_type_check\ndef go(self) -> None:\n    self.m(1, 2)",
    "no type check, by its module": "@typing.no_type_check\ndef go(self) -> None:\n    self.m(1, 2)",
    "no type check of a function in it": (
        "def go(self) -> None:\n    @no_type_check\n    def inner() -> None:\n        self.m(1, 2)"
    ),
    "no type check by another name": "@unchecked\ndef go(self) -> None:\n    self.m(1, 2)",
    "no type check by another name of a function in it": (
        "def go(self) -> None:\n    @unchecked\n    def inner() -> None:\n        self.m(1, 2)"
    ),
    "what is called is not checked": "def go(self) -> None:\n    self.exempt(1, 2)",
    "one whose decorator is made for another type": "def go(self) -> None:\n    self.made(1, 2)",
    "one defined twice": "def go(self) -> None:\n    self.twice(1, 2)",
    "a second definition, which mypy may not know": "def m(self, a):\n    pass\ndef m(self, a) -> None:\n    self.m(1, 2)",
    "a definition of two, in a function": (
        "def go(self) -> None:\n    @keep\n    def inner() -> None:\n        self.m(1, 2)\n    def inner() -> None: ..."
    ),
    "a method that is decorated": "def go(self) -> None:\n    self.decorated(1, 2)",
    "one with types that is": "def go(self) -> None:\n    self.typed(1, 2)",
    "one with values of a type that is": "def go(self) -> None:\n    self.valued(1, 2)",
    "one whose decorator gives another": "def go(self) -> None:\n    self.other(1, 2)",
    "one with two decorators": "def go(self) -> None:\n    self.two(1, 2)",
    "a method of the class": "def go(self) -> None:\n    self.of_class(1, 2)",
    "a static method": "def go(self) -> None:\n    self.static(1, 2)",
    "a property calls it": "@property\ndef go(self) -> int:\n    self.m(1, 2)\n    return 1",
    "a class method": "@classmethod\ndef go(cls) -> None:\n    cls.of_class(1, 2)",
    "on its type": "def go(self) -> None:\n    type(self).of_class(1, 2)",
    "on its class": "def go(self) -> None:\n    self.__class__.static(1, 2)",
    "on its type, the receiver written out": "def go(self) -> None:\n    type(self).nothing(1, 2)",
    "on the class, the receiver written out": "@classmethod\ndef go(cls) -> None:\n    cls.nothing(1, 2)",
    "above it": "def go(self) -> None:\n    super().above(1, 2)",
    "above it, without types": "def go(self):\n    super().above(1, 2)",
    "inherited": "def go(self) -> None:\n    self.above(1, 2)",
    "inherited and decorated": "def go(self) -> None:\n    self.decorated_above(1, 2)",
    "written with a blank": "def go(self) -> None:\n    self.m (1, 2)",
    "in brackets": "def go(self) -> None:\n    (self.m)(1, 2)",
    "another name for the receiver": "def go(this) -> None:\n    this.m(1, 2)",
    "in a class in a function": "def go(self):\n    class C:\n        def m(self, a): ...\n"
    "        def go(self) -> None:\n            self.m(1, 2)",
}
TOLD_TWICE = {
    "one with types that is",
    "one with values of a type that is",
    "one with two decorators",
    "a property calls it",
    "in a class in a function",
    "a second definition, which mypy may not know",
    "a typed function in one without types",
    "one with types in that",
    "behind a decorator",
}
"""Of these it is not worked out whether mypy looks."""
CLASS = """\
import functools, typing
from typing import Any, Callable, TypeVar, cast, no_type_check
from typing import no_type_check as unchecked
import unknown

T = TypeVar("T", bound=Callable[..., Any])

def keep(f: T) -> T:
    return f

V = TypeVar("V", Callable[..., int], Callable[..., None])

def values(f: V) -> V:
    return f

def other(f: T) -> Any:
    return f

def like(source: T) -> Callable[[T], T]:
    return lambda f: f

def same(*names: str) -> Callable[[T], T]:
    return lambda f: f

class Above:
    def above(self, a): ...
    @unknown.decorator
    def decorated_above(self, a): ...

class {name}(Above):
    x = 1
    def m(self, a): ...
    @unknown.decorator
    def decorated(self, a): ...
    @no_type_check
    def exempt(self, a) -> None: ...
    @like(cast(Any, 0))
    def made(self, a) -> None: ...
    def twice(self, a, __b): ...
    def twice(self, a): ...
    @same("x")
    def typed(self, a): ...
    @values
    def valued(self, a) -> None: ...
    @other
    def other(self, a): ...
    @keep
    @same()
    def two(self, a): ...
    @classmethod
    def of_class(cls, a): ...
    @staticmethod
    def static(a): ...
    def nothing(self): ...
"""


def bad_line(text: str) -> int:
    """Where the call stands that cannot bind."""
    return next(number for number, line in enumerate(text.split("\n"), 1) if "(1, 2)" in line)


CODE_OFF = pytest.param(
    "--disable-error-code=call-arg",
    marks=pytest.mark.skipif(not TAKES_CODES, reason="this mypy cannot be asked for a sub-code alone"),
)


@pytest.mark.parametrize("option", ["", "--check-untyped-defs", CODE_OFF, "--disable-error-code=misc"])
def test_somebody_tells_of_it_wherever_it_stands(option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether mypy looks or not, and whatever it is asked for; once, but for what mypy may or may not see."""
    monkeypatch.chdir(tmp_path)
    files, expected = {}, {}
    for number, (what, method) in enumerate(WHERE.items()):
        body = "".join(f"    {line}\n" for line in method.split("\n"))
        files[f"m{number}"] = text = CLASS.format(name=f"C{number}") + body
        expected[f"m{number}.py:{bad_line(text)}"] = what
    options = ["--ignore-missing-imports", *([option] if option else [])]
    if option.endswith("call-arg"):
        options.append("--enable-error-code=call-binding")
    ours = lines_of(tmp_path, "call-binding", files, *options)
    theirs = lines_of(tmp_path, "call-arg|misc", files, *options)
    repeated = lines_of(tmp_path, "call-binding", files, *options, repeats=True)
    assert repeated == expected.keys()
    assert sorted(expected[place] for place in expected.keys() - ours - theirs) == []
    if not option.startswith("--disable"):
        twice = {expected[place] for place in ours & theirs}
        assert twice <= TOLD_TWICE


AMONG = {
    "typed methods": ["def a(self) -> None: ...", "def b(self) -> None: ...", "def c(self) -> None: ..."],
    "static methods": ["@staticmethod\ndef a() -> None: ...", "@staticmethod\ndef b() -> None: ..."],
    "classes": [f"class {name}:\n    def m(self) -> None: ..." for name in "DEF"],
    "properties": ["@property\ndef p(self) -> int: return 1\n@p.setter\ndef p(self, value: int) -> None: ..."],
    "overloads of another": ["@property\ndef p(self) -> int:\n    def inner(): ...\n    return 1", "x = 1"],
}
INNER = [
    "def inner():\n    self.m(1, 2)",
    "async def inner(a,\n    b):\n    self.m(1, 2)",
    "@keep\ndef inner() -> None:\n    self.m(1, 2)",
]


def test_a_function_that_mypy_passes_over_is_looked_into_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among methods that mypy checks, in a class of which nothing else is suspected."""
    monkeypatch.chdir(tmp_path)
    files, expected = {}, set()
    for number, (others, inner) in enumerate(product(AMONG.values(), INNER)):
        for place in range(len(others) + 1):
            method = "\n    ".join(["def go(self) -> None:", *inner.split("\n")])
            body = "\n".join(["def m(self, a: int) -> None: ...", *others[:place], method, *others[place:]])
            text = "def keep(f): return f\n\nclass A:\n" + "".join(f"    {line}\n" for line in body.split("\n"))
            files[f"m{number}_{place}"] = text
            expected.add(f"m{number}_{place}.py:{bad_line(text)}")
    theirs = lines_of(tmp_path, "call-arg|misc", files)
    assert len(expected - theirs) > len(expected) / 2
    assert lines_of(tmp_path, "call-binding", files) | theirs == expected


LENT = """\
from contextlib import contextmanager
from typing import Callable, Iterator, TypeVar, no_type_check

T = TypeVar("T", bound=Callable[..., object])

def keep(f: T) -> T:
    return f

class Base:
    @contextmanager
    def managed(self, a: int) -> Iterator[int]: yield a
    @keep
    def kept(self, a: int) -> int: return a
    @no_type_check
    def exempt(self, a): ...
    @staticmethod
    def static(a): ...
    @property
    def property(self) -> Callable[[int, int], None]: return print
    def plain(self, a): ...
"""


def test_what_is_left_to_mypy_is_the_same_where_it_has_the_base_in_its_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a method in its cache, mypy does not know by what it was decorated."""
    monkeypatch.chdir(tmp_path)
    names = re.findall(r"def (\w+)\(self|def (static)", LENT)
    calls = "".join(f"        self.{one or other}(1, 2)\n" for one, other in names)
    files = {"base": LENT, "sub": f"from base import Base\nclass Sub(Base):\n    def go(self) -> None:\n{calls}"}
    cold = lines_of(tmp_path, "call-binding", files)
    assert len(cold) == len(names) - 2  # The property takes it, and mypy tells of the plain method.
    assert lines_of(tmp_path, "call-binding", {**files, "sub": files["sub"] + "# changed\n"}) == cold
