"""What is suspected is enough: where every class is read, mypy says the same, byte for byte."""

from __future__ import annotations

import ast
import os
import re
import sys
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigcheck.core.decorators import Decorators
from sigcheck.core.module import Class
from sigcheck.mypy_plugin.excerpts import excerpt
from sigcheck.mypy_plugin.suspicion import Suspect, Suspicion
from sigcheck.mypy_plugin.written_calls import (
    Arguments,
    WrittenCall,
    bare_functions,
    glance,
    look,
    names_called,
    names_for_certain,
    read_arguments,
    read_body,
    shape_of,
)
from sigcheck.readers.source.scan import scan_text
from tests.mypy_plugin.programs import CONFIGURATION, QUIET, REMARKED, is_program, same_in_both
from tests.running import write
from tests.test_scan import corpus_of, families

pytestmark = REMARKED


@contextmanager
def everything_suspected(read: list[int]) -> Iterator[None]:
    """Every class of every module is read; how many there are, and how many would have been, is noted."""
    suspects = Suspicion.suspects

    def all_of_them(self: Suspicion) -> list[Suspect]:
        everything = [Suspect(entry.definition) for entry in self._noted]
        read[0] += len(everything)
        read[1] += len(suspects(self))
        return everything

    Suspicion.suspects = all_of_them  # type: ignore[method-assign]
    try:
        yield
    finally:
        Suspicion.suspects = suspects  # type: ignore[method-assign]


class Held(NamedTuple):
    """Two runs of mypy, held against each other: what both say, how many classes there are, and how many are suspected."""

    told: str
    classes: int
    suspected: int


def hold(directory: Path, *targets: str) -> Held:
    """Hold two runs of mypy against each other."""
    read = [0, 0]
    told = same_in_both(directory, targets, everything_suspected(read))
    return Held(told, *read)


def typed(program: str) -> str:
    """The same, with annotations: mypy looks into its functions."""
    return re.sub(r"(def [^\n]*\)):\n", r"\1 -> object:\n", program)


def programs(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Each pair as two modules, the second of which inherits from the first; every second pair has annotations."""
    files = {}
    for number, (above, below) in enumerate(pairs):
        if number % 2:
            above, below = typed(above), typed(below)  # noqa: PLW2901
        if not all(map(is_program, (above, below))):
            continue
        files[f"above{number}.py"] = above
        _, _, rest = below.partition("    pass\n")
        files[f"below{number}.py"] = f"from above{number} import C0 as Base\n{rest}"
    return files


@settings(max_examples=6, deadline=None, suppress_health_check=QUIET)
@given(pairs=st.lists(st.tuples(families(), families()), min_size=8, max_size=8), repeats=st.booleans())
def test_random_families(pairs: list[tuple[str, str]], repeats: bool, tmp_path: Path) -> None:
    files = programs(pairs)
    setting = f"repeat-mypy = {str(repeats).lower()}\n"
    write(tmp_path, {"mypy.ini": CONFIGURATION, "sigcheck.toml": setting, **files})
    if files:
        hold(tmp_path, *sorted(files))


@pytest.mark.long
@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(pairs=st.lists(st.tuples(families(), families()), min_size=12, max_size=12), repeats=st.booleans())
def test_many_random_families(pairs: list[tuple[str, str]], repeats: bool, tmp_path: Path) -> None:
    files = programs(pairs)
    setting = f"repeat-mypy = {str(repeats).lower()}\n"
    write(tmp_path, {"mypy.ini": CONFIGURATION, "sigcheck.toml": setting, **files})
    if files:
        hold(tmp_path, *sorted(files))


@pytest.mark.long
@pytest.mark.parametrize(
    ("corpus", "package"),
    [("fsspec", "."), ("sglang", "srt/layers/quantization"), ("sglang", "srt/layers/attention")],
)
@pytest.mark.parametrize("repeats", ["true", "false"])
def test_corpora(corpus: str, package: str, repeats: str, tmp_path: Path) -> None:
    directory = corpus_of(corpus) / package
    write(tmp_path, {"mypy.ini": CONFIGURATION, "sigcheck.toml": f"repeat-mypy = {repeats}\n"})
    _, classes, suspected = hold(tmp_path, str(directory))
    assert suspected < classes / 2


def test_most_classes_are_above_suspicion(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parent.parent.parent
    write(tmp_path, {"mypy.ini": CONFIGURATION})
    _, classes, suspected = hold(tmp_path, str(root / "sigcheck" / "core"), str(root / "sigcheck" / "readers"))
    assert classes > 100
    assert suspected < classes / 10


BASE = """\
class Base:
    def run(self, layer, **kwargs): ...

    def step(self, a: int, b: int) -> int: ...

    def go(self) -> int:
        return self.step(1, 2)
"""
IN_ORDER = {
    "a keyword beside the catch-all": "class Sub(Base):\n    def run(self, layer, *, more=None, **kwargs): ...\n",
    "a call, and mypy tells of the override": (
        "class Sub(Base):\n    def step(self, a: int) -> int:  # type: ignore[override]\n        return a\n"
    ),
    "a catch-all that is handed on": (
        "class Sub(Base):\n    def step(self, a: int, **rest: int) -> int:  # type: ignore[override]\n        return sum(rest.values())\n"
    ),
    "the receiver, handed to a parameter": (
        "class Sub(Base):\n    def __init__(self, base):\n        self.base = base\n        base.step(self, 1, 2, 3)\n"
    ),
    "what only looks like a call over two lines": (
        "class Sub(Base):\n    def other(self) -> None: ...  # Note.\n\n    def more(self):\n"
        "        # 1. # (one)\n        # 2. # (two)\n        return 1\n"
    ),
    "calls in documentation and comments": (
        "class Sub(Base):\n"
        "    def other(self):\n"
        '        """Like self.step()."""\n'
        "        # self.step()\n"
        "        return self.step(1, 2)  # not self.step(), nor super(Sub\n"
    ),
    "a constructor by the name of a class": (
        "class Sub(Base):\n"
        "    def __init__(self, owner):\n"
        "        Part.__init__(self, self)\n\n\n"
        "class Part:\n"
        "    def __init__(self, owner): ...\n"
    ),
    "a class in a class": "class Outer:\n    class Sub(Base):\n        def step(self, a: int, b: int) -> int: ...\n",
    "a call that found no method, and finds one that takes it": (
        "class Mixin:\n    def go(self):\n        self.stop(1, why=2)\n\n\n"
        "class Sub(Mixin):\n    def stop(self, code, *, why): ...\n"
    ),
    "a mixin's call that finds another name of a method": (
        "class Mixin:\n    def go(self):\n        self.stop(1)\n\n\n"
        "class Other:\n    def halt(self, code): ...\n\n    stop = halt\n\n\n"
        "class Sub(Mixin, Other):\n    pass\n"
    ),
    "a catch-all that can take nothing of the base": (
        "class Sub(Base):\n"
        "    def step(self, more: int, a: int, **rest: int) -> int:  # type: ignore[override]\n"
        "        return more\n"
    ),
    "a method of another class that is the base's": (
        "class Other:\n    def step(self, a: int, b: int) -> int: ...\n\n\nclass Sub(Base):\n    step = Other.step\n"
    ),
    "another name of a method of its own": (
        "class Sub(Base):\n    def walk(self, a: int, b: int) -> int: ...\n\n    step = walk\n"
    ),
    "a method that is defined again with the same parameters": (
        "class Sub(Base):\n"
        "    def step(self, a: int, b: int) -> int: ...\n\n"
        "    def step(self, a, b):  # type: ignore[no-redef]\n"
        "        return self.step(a, b)\n\n\n"
        "class Lower(Sub):\n"
        "    def step(self, a: int, b: int, c: int = 0) -> int: ...\n"
    ),
    "a value of another class, for a property": (
        "class Kind:\n    ONE = 1\n\n\n"
        "class Upper:\n    @property\n    def kind(self) -> int: ...\n\n\n"
        "class Sub(Upper):\n    kind = Kind.ONE  # type: ignore[assignment]\n"
    ),
    "a method of a class of which nobody knows, where no base has it": "class Sub(Base):\n    __hash__ = object.__hash__\n",
    "a value of a module that is not there": (
        "import nowhere\n\n\nclass Upper:\n    kind = nowhere.A\n\n\nclass Sub(Upper):\n    kind = nowhere.B\n"
    ),
    "a name that is read under a test": "if Base:\n    print(Base)\n\n\nclass Sub(Base):\n    pass\n",
}


@pytest.mark.parametrize("kind", IN_ORDER)
def test_above_suspicion(kind: str, tmp_path: Path) -> None:
    write(
        tmp_path, {"mypy.ini": CONFIGURATION, "base.py": BASE, "sub.py": f"from base import Base\n\n\n{IN_ORDER[kind]}"}
    )
    _, classes, suspected = hold(tmp_path, "base.py", "sub.py")
    assert (classes > 1, suspected) == (True, 0)


SUSPECTS = {
    "a catch-all that nothing reads": (
        "class Sub(Base):\n"
        "    def step(self, a: int, **rest: int) -> int:  # type: ignore[override]\n"
        '        return len("rest")  # rest\n'
    ),
    "a catch-all of another function": (
        "class Sub(Base):\n"
        "    def step(self, a: int, **rest: int) -> int:  # type: ignore[override]\n"
        "        def inner(*rest): ...\n"
        "        return 1\n"
    ),
    "a method of a class that it does not inherit": (
        "class Other:\n    def step(self, x): ...\n\n\nclass Sub(Base):\n    step = Other.step\n"
    ),
    "another name of a method of its own that does not serve": (
        "class Sub(Base):\n    def walk(self, a): ...\n\n    step = walk\n"
    ),
    "a function that another class has for a value": (
        "def plain(self, x): ...\n\n\n"
        "class Kind:\n    ONE: int = plain  # type: ignore[assignment]\n\n\n"
        "class Sub(Base):\n    step = Kind.ONE  # type: ignore[assignment]\n"
    ),
    "a value of another class, where a method is": (
        "class Kind:\n    ONE = None\n\n\nclass Sub(Base):\n    step = Kind.ONE  # type: ignore[assignment]\n"
    ),
    "a name that is another's of two methods": (
        "class Sub(Base):\n"
        "    def walk(self, a: int, b: int) -> int: ...\n\n"
        "    def halt(self, x: int, y: int) -> int: ...\n\n"
        "    step = walk\n"
        "    step = halt\n"
    ),
    "a method that is defined again with other parameters": (
        "class Sub(Base):\n"
        "    def step(self, a: int, b: int) -> int: ...\n\n"
        "    def step(self, x: int, y: int) -> int: ...\n"
    ),
    "a method that is defined again alike, and mypy tells of the first": (
        "class Sub(Base):\n    def step(self, a: int) -> int: ...\n\n    def step(self, a: int) -> int: ...\n"
    ),
    "a call of a method that is defined again alike": (
        "class Sub(Base):\n"
        "    def stop(self, a): ...\n\n"
        "    def stop(self, a): ...\n\n"
        "    def halt(self):\n"
        "        self.stop()\n"
    ),
    "a catch-all that only the first of two definitions reads": (
        "class Sub(Base):\n"
        "    def step(self, a: int, **rest: int) -> int:  # type: ignore[override]\n"
        "        return sum(rest.values())\n\n"
        "    def step(self, a: int, **rest: int) -> int:\n"
        "        return a\n"
    ),
    "a method with a receiver, for an open one of the class": (
        "class Open:\n    @classmethod\n    def run(cls, *args, **kwargs): ...\n\n\n"
        "class Sub(Open):\n    def run(self, layer): ...\n"
    ),
    "a call of a method that only the subclass has": (
        "class Mixin:\n    def go(self):\n        self.stop(1)\n\n\nclass Sub(Mixin):\n    def stop(self): ...\n"
    ),
    "one of two calls of such a method": (
        "class Mixin:\n"
        "    def go(self):\n"
        "        self.stop(1)\n\n"
        "    def come(self):\n"
        "        self.stop(code=1)\n\n\n"
        "class Sub(Mixin):\n"
        "    def stop(self, reason): ...\n"
    ),
    "such a call on the class of the receiver": (
        "class Mixin:\n    def go(self):\n        type(self).stop(self, 1)\n\n\n"
        "class Sub(Mixin):\n    def stop(self): ...\n"
    ),
    "a mixin's call that another name of a method refuses": (
        "class Mixin:\n    def go(self):\n        self.stop(1)\n\n\n"
        "class Other:\n    def halt(self): ...\n\n    stop = halt\n\n\n"
        "class Sub(Mixin, Other):\n    pass\n"
    ),
    "a call of a method of another class": (
        "class Other:\n    def halt(self): ...\n\n\n"
        "class Sub(Base):\n    halt = Other.halt\n\n    def stop(self):\n        self.halt(1)\n"
    ),
    "a call that finds no method, but a function": (
        "class Mixin:\n    def go(self):\n        self.stop(1)\n\n\nclass Sub(Mixin):\n    stop = lambda self: 1\n"
    ),
    "a name that is bound under a test": (
        "try:\n    import nowhere\nexcept ImportError:\n    class Base:\n        def step(self, q): ...\n\n\n"
        "class Sub(Base):\n    def step(self, a, b): ...\n"
    ),
    "a class around that binds the name": (
        "class Outer:\n"
        "    class Base:\n"
        "        def step(self, q): ...\n\n"
        "    class Sub(Base):\n"
        "        def step(self, r): ...\n"
    ),
    "a class that mypy takes for unreachable": (
        "import sys\n\n\n"
        "class Other: ...\n\n\n"
        "if sys.version_info < (3, 0):\n"
        "    class Sub(Base):\n"
        "        def step(self, q): ...\n"
    ),
    "such a class in a class": (
        "import sys\n\n\n"
        "class Outer:\n"
        "    if sys.version_info < (3, 0):\n"
        "        class Sub(Base):\n"
        "            def step(self, q): ...\n"
    ),
    "a class that mypy shows to nobody": (
        "from typing import NamedTuple\n\n\n"
        "class Outer:\n"
        "    class Pair(NamedTuple):\n"
        "        a: int\n\n"
        "        def go(self):\n"
        "            self.stop(1)\n\n\n"
        "class Sub(Outer.Pair):\n"
        "    def stop(self): ...\n"
    ),
    "a form feed before the call": (
        "\f\n" * 9 + "class Sub(Base):\n    def other(self):\n        self.step()\n\n\nclass Part(Sub):\n    pass\n"
    ),
}


@pytest.mark.parametrize("kind", SUSPECTS)
def test_suspected_and_told(kind: str, tmp_path: Path) -> None:
    text = f"from base import Base\n\n\n{SUSPECTS[kind]}"
    write(tmp_path, {"mypy.ini": CONFIGURATION, "base.py": BASE, "sub.py": text})
    told, classes, suspected = hold(tmp_path, "base.py", "sub.py")
    assert 0 < suspected < classes
    assert "-binding]" in told


ODDLY_WRITTEN = [
    "self.step(a for a, b in x)",
    "self.step('for' for a, b in x)",
    "self.step(str(a) for a, b in zip(x, [1, 2]))",
    "self.step(1, \\\n            c=2)",
    "self.step(1, c  # Note.\n            =2)",
    "self \\\n            .step(1)",
    "self.step \\\n            (1)",
    "self. \\\n            step(1)",
    "(self  # Note.\n            .step(1))",
    "(self.step  # Note.\n            # More.\n            (1))",
    "(self.  # Note.\n            step(1))",
    "(self).step(1)",
    "((self)).step(1)",
    "(\n            self  # Note.\n        ).step(1)",
    "(self.step)(1)",
    "return(self).step(1)",
    "(self.__class__).step(self, 1)",
    "self.__class__ \\\n            .step(self, 1)",
    "self . __class__ . step(self, 1)",
    "(type(self)).step(self, 1)",
    "type(self).step \\\n            (self, 1)",
    "type( self ).step(self, 1)",
    "(super()).step(1)",
    "return(super()).step(1)",
    "return(super().step)(1)",
    "(super().step)(1)",
    "super() \\\n            .step(1)",
    "super().step \\\n            (1)",
    "(super()  # Note.\n            .step(1))",
    "(super().step  # Note.\n            (1))",
    "(Base).step(self, 1)",
    "(Base.step)(self, 1)",
    "Base.step((self), 1)",
    "Base.step \\\n            (self, 1)",
    "Base.step(\\\n            self, 1)",
    "Base.step(  # Note.\n            self, 1)",
    "Base.step(\n            self,\n            1,\n        )",
    "(Base  # Note.\n            .step(self, 1))",
    "Base.stép(self, 1)",
    "x = '''\n# It''', self.step(1)",
    "x = '''\n# It''', super().step(1)",
    "f'{self.step(1)} {x}'",
    "f'{x:{super().step(1)}}'",
    "f'{x}' f\"{f'{Base.step(self, 1)}'}\"",
    "f'''\n# It\"s {x} {self.step('a')}'''",
]
if sys.version_info >= (3, 12):
    ODDLY_WRITTEN += [
        "f'{x['#']} # {self.step('a')}'",
        "f'{x} {self.step(f'{x['a']}')}'",
        "f'{  # It\"s\nself.step('a')}'",
    ]
ODD_HEADERS = ["(  # Note.\n        self, x", "(\n        # Note.\n        self, x", "(\\\n        self, x"]


def test_calls_that_are_written_oddly(tmp_path: Path) -> None:
    """Each stands in a class of its own, and is told."""
    bodies = [f"    def go(self, x):\n        {call}\n" for call in ODDLY_WRITTEN]
    bodies += [f"    def go(this, x):\n        {call.replace('self', 'this')}\n" for call in ODDLY_WRITTEN[5:17]]
    bodies += [f"    def go{header}):\n        Base.step(self, 1)\n" for header in ODD_HEADERS]
    bodies += ["    def go(self): return Base.step(self, 1)\n", "    def go(self): return type(self).step(self, 1)\n"]
    bodies += [f"    def go{header}):\n        type(self).step(self, 1)\n" for header in ODD_HEADERS]
    classes = [f"\n\nclass C{number}(Base):\n{body}" for number, body in enumerate(bodies)]
    text = "class Base:\n    def step(self, a, b): ...\n    def stép(self, a, b): ...\n" + "".join(classes)
    write(tmp_path, {"mypy.ini": CONFIGURATION, "m.py": text})
    told = hold(tmp_path, "m.py").told
    lines = [int(line.split(":")[1]) for line in told.splitlines() if "error:" in line and "[call-binding]" in line]
    starts = [number for number, line in enumerate(text.split("\n"), 1) if line.startswith("class C")]
    assert {bisect_right(starts, line) - 1 for line in lines} == set(range(len(bodies)))


def test_calls_of_a_base_that_are_written_oddly(tmp_path: Path) -> None:
    """What others are told of its calls is not all: whoever inherits them is read."""
    oddly = [call.replace("step(1", "stop(1") for call in ODDLY_WRITTEN[5:15]]
    files = {}
    for number, call in enumerate(oddly):
        files[f"above{number}.py"] = f"class Mixin:\n    def go(self):\n        {call}\n"
        files[f"below{number}.py"] = (
            f"from above{number} import Mixin\n\n\nclass Sub(Mixin):\n    def stop(self): ...\n    def step(self): ...\n"
        )
    write(tmp_path, {"mypy.ini": CONFIGURATION, **files})
    hold(tmp_path, *sorted(files))
    # Of the classes above, nobody sees the errors here.
    hold(tmp_path, *sorted(name for name in files if name.startswith("below")))


EVERYTHING = [
    'opaque-decorators = ["nowhere.deco"]\n',
    '[injects]\n"nowhere.deco" = ["a"]\n',
    'severity = { default-changed = "error" }\n',
    'severity = { positional-forwarding = "error" }\n',
]


@pytest.mark.parametrize("setting", EVERYTHING)
def test_every_class_is_read_where_only_bodies_tell(setting: str, tmp_path: Path) -> None:
    write(tmp_path, {"mypy.ini": CONFIGURATION, "sigcheck.toml": setting, "base.py": BASE})
    _, classes, suspected = hold(tmp_path, "base.py")
    assert (classes, suspected) == (1, 1)


def test_an_excerpt_tells_the_same_of_a_class() -> None:
    found = 0
    for path in sorted((Path(__file__).resolve().parent.parent.parent / "sigcheck").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        whole = classes_of(text)
        for name in {entry.id.partition(":")[2].partition(".")[0] for entry in whole}:
            mine = [entry for entry in whole if is_of(entry, name)]
            assert mine == [entry for entry in classes_of("".join(excerpt(text, name))) if is_of(entry, name)]
            found += len(mine)
    assert found > 100


def test_an_excerpt_knows_strings_from_statements() -> None:
    text = (
        '"""\nclass A:\n"""\nimport base  # """\n\n@deco("\'")\ndef f(\n    a,\n):\n    """\ndef g(): \'\'\'\n"""\n'
        "class A(base.B):\n    x = '''\nclass C:\n'''\n\nclass D: pass\nif f:\n    class A: ...\n"
    )
    left = "".join(excerpt(text, "A"))
    assert left.count("\n") == text.count("\n")
    assert classes_of(left)[:1] == classes_of(text)[:1]
    assert "def f(): pass" in left
    assert "class D: pass" in left
    assert "def g" not in left


def classes_of(text: str) -> tuple[Class, ...]:
    """The classes of a module's text."""
    module = scan_text(text, name="m", path="m", is_package=False, decorators=Decorators(), with_comments=False)
    assert module is not None
    return module.classes


def is_of(entry: Class, name: str) -> bool:
    """The class, or one that stands in it."""
    return entry.id.partition(":")[2].partition(".")[0] == name


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("return f(*rest)", True),
        ("x = [rest]", True),
        ("rest", True),
        ("# rest", False),
        ("'rest'", False),
        ("x = 'a', rest", False),
        ("f(rest=1)", False),
        ("x.rest", False),
        ("arrest, resting", False),
        ("x.rest\nrest", True),
    ],
)
def test_a_name_that_is_certain_to_be_read(text: str, is_named: bool) -> None:
    assert names_for_certain(text, "rest") is is_named


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        (")", Arguments((), (), False, False)),
        ("a, b=1, *c, **d)", Arguments(("a",), ("b",), True, True)),
        ("f(1, 2), {3: 4}, [5, 6][0],)", Arguments(("f(1, 2)", "{3: 4}", "[5, 6][0]"), (), False, False)),
        ("'a, b', \"c)\", '''d, ''')", Arguments(("'a, b'", '"c)"', "'''d, '''"), (), False, False)),
        ("a == b, c=d == e)", Arguments(("a == b",), ("c",), False, False)),
        ("  # one, two\n    a,  # three)\n    b)", Arguments(("a", "b"), (), False, False)),
        ("a, *b, c)", Arguments(("a",), (), True, False)),
        ("lambda a, b: a, c)", None),
        ('f"{a["b, c"]}")', None),
        ('f"{", ".join(a)}")', None),
        ('f"{{", a)', Arguments(('f"{{"', "a"), (), False, False)),
        ('"{", a)', Arguments(('"{"', "a"), (), False, False)),
        ("a, b", None),
    ],
)
def test_arguments_are_told_apart(text: str, arguments: Arguments | None) -> None:
    assert read_arguments(text, 0) == arguments


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        (")", (0, ())),
        ("\n    a,\n    b,\n)", (2, ())),
        ("a, b=1, c = f(2, d=3))", (1, ("b", "c"))),
        ("'a, b=c', f(1, 2), [3, 4], {5: 6, 7: 8})", (4, ())),
        ("a == b, c <= d)", (2, ())),
        ("lambda a, b: a, c)", None),
        ("'lambda', (lambda a, b: a))", (2, ())),
    ],
)
def test_arguments_are_counted(arguments: str, shape: tuple[int, tuple[str, ...]] | None) -> None:
    assert glance(f"self.m({arguments}") == {("m", arguments)}
    assert shape_of(arguments) == shape


@pytest.mark.parametrize(
    "text",
    [
        "super().m()",
        "f(A.m(self))",
        "self.m(*a)",
        "self.m(f'{a}')",
        "self.m(f(g()))",
        "self.m(a # b)\n)",
        "self.m (a)",
        "self\n.m(a)",
        "A.m(self)",
        "A.m(\n    self, a)",
        "A.m(  # a, (\n    self)",
        "type(self).m()",
        "self.__class__.m()",
        "self . __class__.m()",
    ],
)
def test_what_a_glance_is_not_enough_for(text: str) -> None:
    assert is_seen_by_both(text, 0) == 0


def is_seen_by_both(text: str, methods: int) -> int:
    """A glance with a look finds the calls in a text that stand there; how many a glance was enough for."""
    calls = glance(text)
    plain = {call for call in calls if shape_of(call[1]) is not None}
    others, is_odd = look(text, calls - plain, is_handed_on=True)
    _, times = names_called(text)
    if times == methods:
        fewer, is_odd_too = look(text, calls - plain, is_handed_on=False)
        assert (set(map(way, fewer)), is_odd_too) == (set(map(way, others)), is_odd), text
    written, is_odder = read_body(text, "self")
    assert is_odd == is_odder, text
    assert {("self", "", name) for name, _ in plain} | set(map(way, others)) == set(map(way, written)), text
    for name, arguments in plain:
        shape = shape_of(arguments)
        looked = [call for call in look(text, {(name, arguments)}, is_handed_on=True)[0] if call.method == name]
        known = [call.arguments for call in looked if call.route == "self" and text.startswith(arguments, call.opened)]
        assert known, text
        assert {(len(it.positional), *it[1:]) for it in known if it} == {(*(shape or ()), False, False)}, text
    return len(plain)


def way(call: WrittenCall) -> tuple[str, str, str]:
    """How a call finds what it calls."""
    return call.route, call.owner, call.method


def test_a_glance_with_a_look_sees_every_call() -> None:
    classes = calls = 0
    for path in sorted(Path(os.__file__).parent.glob("*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.ClassDef):
                text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
                heads = [it.args.args[:1] for it in node.body if isinstance(it, ast.FunctionDef)]
                calls += is_seen_by_both(text, sum(bool(head) and head[0].arg == "self" for head in heads))
                classes += 1
    assert classes > 500
    assert calls > 1000


@pytest.mark.parametrize(
    ("column", "body", "count"),
    [
        (4, "pass", 0),
        (4, "def g(): pass", 1),
        (4, "async  def g(): pass", 1),
        (4, "def g() -> None: pass", 0),
        (4, "@a\n        def g() -> None: pass", 1),
        (2, "def g(): pass", 1),
        (2, "pass", 0),
    ],
)
def test_functions_in_a_method(column: int, body: str, count: int) -> None:
    indent = column * " "
    text = f"class A:\n{indent}def f(self) -> None:\n{2 * indent}{body}"
    assert len(bare_functions(text, column)) == count


def test_calls_are_found_by_every_way_there_is() -> None:
    text = (
        "def m(self, x):\n"
        "    self.a(1)\n"
        "    self . b (x)\n"
        "    super().c(x)\n"
        "    super(A, self).d(x)\n"
        "    type(self).e(self, x)\n"
        "    self.__class__.f(self)\n"
        "    Base.g(self, x)\n"
        "    pkg.Base.h(self)\n"
        "    self.i = self.j\n"
        "    self.k, y = 1, 2\n"
        "    other.self.l(1)\n"
    )
    calls, is_odd = read_body(text, "self")
    assert sorted(map(way, calls)) == [
        ("class", "Base", "g"),
        ("class", "pkg.Base", "h"),
        ("class", "self.__class__", "f"),
        ("class", "type", "e"),
        ("class", "type", "f"),
        ("self", "", "a"),
        ("self", "", "b"),
        ("super", "", "c"),
        ("super", "A", "d"),
    ]
    assert not is_odd
    assert read_body("def m(self):\n    return super(f(A), self).m()\n", "self")[1]
