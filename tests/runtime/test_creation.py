"""Classes that are held against their base when they are created."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import subprocess
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sigcheck.core.signature import Kind, Parameter, Signature
from sigcheck.errors import SigcheckError
from sigcheck.runtime import (
    Guarded,
    GuardUsageError,
    IncompatibleOverrideError,
    IncompatibleOverrideWarning,
    guard,
    unguard,
)
from tests import shapes

Run = Callable[[str], dict[str, Any]]


@pytest.fixture(autouse=True)
def _no_override(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIGCHECK", raising=False)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Executes source as the module `family`, in which `Guarded` and `guard` are known."""
    module = types.ModuleType("family")

    def execute(source: str) -> dict[str, Any]:
        path = tmp_path / "family.py"
        path.write_text(source)
        sys.modules["family"] = module
        module.__dict__.update(Guarded=Guarded, guard=guard)
        exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
        return module.__dict__

    yield execute
    sys.modules.pop("family", None)


def told(run: Run, source: str) -> list[str]:
    """The lines and rules of what the last class of some source is told."""
    try:
        run(source)
    except IncompatibleOverrideError as error:
        return [
            " ".join(found) for found in re.findall(r":(\d+):\d+: error: .* \[([\w-]+)\]$", str(error), re.MULTILINE)
        ]
    return []


def test_a_class_that_keeps_the_promise_is_created(run: Run) -> None:
    names = run("""
class Base(Guarded):
    def run(self, x, gate): ...
class Good(Base):
    def run(self, x, gate, more=0): ...
""")
    assert names["Good"].__mro__[1] is names["Base"]
    assert "run" in vars(names["Good"])


MISBOUND = """
class Base(Guarded):
    def run(self, x, gate, fc1=None): ...
class Bad(Base):
    def run(self, x, shared=None, gate=None, fc1=None): ...
"""


def test_the_error_is_what_the_check_would_print(run: Run, tmp_path: Path) -> None:
    with pytest.raises(IncompatibleOverrideError) as caught:
        run(MISBOUND)
    path = f"{tmp_path}/family.py"
    first, *details = str(caught.value).splitlines()
    column = 5 if sys.version_info >= (3, 11) else 1
    assert first == f"{path}:5:{column}: error: gate lands in `shared` of Bad.run [misbound-parameter]"
    assert details == [
        f"  base:    Base.run(x, gate, fc1)   {path}:3",
        "  witness: run(x, gate)   base binds gate, override binds shared",
        f"  before:  `shared` stands in front of gate and fc1   {path}:5",
    ]
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, SigcheckError)


def test_every_break_of_a_class_is_in_one_error(run: Run) -> None:
    source = """
class Base(Guarded):
    def run(self, x): ...
    def stop(self, now=False): ...
class Bad(Base):
    def run(self): ...
    @staticmethod
    def stop(now): ...
"""
    assert told(run, source) == ["6 missing-parameter", "8 default-removed"]


def test_a_class_that_is_refused_is_gone(run: Run) -> None:
    with pytest.raises(IncompatibleOverrideError):
        run(MISBOUND)
    assert "Bad" not in sys.modules["family"].__dict__


def test_a_base_that_exists_is_guarded_and_warned_of_at_the_class_statement(run: Run, tmp_path: Path) -> None:
    with pytest.warns(IncompatibleOverrideWarning, match=r"Bad\.run cannot receive x") as caught:
        run("""
class Meta(type):
    def __new__(mcs, name, bases, namespace):
        return super().__new__(mcs, name, bases, namespace)
class Base(metaclass=Meta):
    def run(self, x): ...
assert guard(Base, mode="warn") is Base
class Middle(Base):
    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
def make():
    class Bad(Middle):
        def run(self): ...
    return Bad
make()
""")
    assert [(entry.filename, entry.lineno) for entry in caught] == [(str(tmp_path / "family.py"), 12)]


def test_a_break_is_told_once_at_the_parent_that_made_it(run: Run) -> None:
    with pytest.warns(IncompatibleOverrideWarning) as caught:
        run("""
class Base:
    def run(self, x, y): ...
guard(Base, mode="warn")
class Parent(Base):
    def run(self, x): ...
class Child(Parent):
    def run(self, x): ...
class Mended(Parent):
    def run(self, x, y): ...
""")
    assert [str(entry.message).split()[2] for entry in caught] == ["Parent.run"]


def test_a_mixin_from_outside_that_shadows_is_told_at_the_class_that_joins(run: Run) -> None:
    source = """
class Base(Guarded):
    def run(self, x, y): ...
class Mixin:
    def run(self, x): ...
class Joined(Mixin, Base):
    pass
"""
    assert told(run, source) == ["6 missing-parameter"]


def test_what_the_base_inherits_from_elsewhere_is_no_promise(run: Run) -> None:
    source = """
class Layer:
    def forward(self, x, mask=None): ...
class Base(Guarded, Layer):
    def run(self, x): ...
class Good(Base):
    def forward(self, x): ...
    def run(self, x): ...
"""
    assert told(run, source) == []


def test_classes_between_promise_too(run: Run) -> None:
    source = """
class Base(Guarded): pass
class Middle(Base):
    def run(self, x): ...
class Bad(Middle):
    def run(self): ...
"""
    assert told(run, source) == ["6 missing-parameter"]


@pytest.mark.parametrize(
    ("methods", "lines"),
    [('["*"]', [7, 8]), ('["run"]', [7]), ('["r*", "_*"]', [7]), ('["__init__"]', [6]), ('["__*"]', [])],
)
def test_methods(run: Run, methods: str, lines: list[int]) -> None:
    source = f"""
class Base:
    def __init__(self, x): ...
    def run(self, x, stop=None): ...
guard(Base, methods={methods})
class Bad(Base):
    def __init__(self): ...
    def run(self, stop=None): ...
    def stop(self): ...
"""
    lines = {'["*"]': [8], '["run"]': [8], '["r*", "_*"]': [8], '["__init__"]': [7], '["__*"]': []}[methods]
    assert [int(line.split()[0]) for line in told(run, source)] == lines


def test_the_nearest_guard_above_decides(run: Run) -> None:
    names = run("""
class Base(Guarded):
    def run(self, x): ...
@guard
class Middle(Base):
    def walk(self, x): ...
guard(Middle, mode="off")
class Bad(Middle):
    def walk(self): ...
""")
    assert "Bad" in names
    assert told(run, "class Worse(Middle):\n    def run(self): ...\n") == ["2 missing-parameter"]


def test_of_two_guards_one_speaks_for_a_class(run: Run) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        source = """
class Family(Guarded):
    pass
class Other:
    pass
guard(Other, mode="warn")
class Joined(Family, Other):
    def run(self, x): ...
class Bad(Joined):
    def run(self): ...
"""
        assert told(run, source) == ["10 missing-parameter"]
    assert caught == []


def test_a_second_guard_replaces_the_first_and_unguard_leaves_nothing() -> None:
    class Base:
        seen: ClassVar[list[type]] = []

        def __init_subclass__(cls, **kwargs: Any) -> None:
            super().__init_subclass__(**kwargs)
            Base.seen.append(cls)

    before = dict(vars(Base))
    guard(Base)
    once = vars(Base)["__init_subclass__"]
    guard(Base, mode="off")
    assert vars(Base)["__init_subclass__"] is once
    child = type("Child", (Base,), {})
    assert Base.seen == [child]
    unguard(Base)
    assert dict(vars(Base)) == before
    assert all(vars(Base)[name] is value for name, value in before.items())
    unguard(Base)

    class Bare:
        pass

    plain = dict(vars(Bare))
    guard(Bare)
    unguard(Bare)
    assert dict(vars(Bare)) == plain


def test_arguments_of_the_class_statement_go_on(run: Run) -> None:
    names = run("""
class Base:
    def __init_subclass__(cls, *, tag, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.tag = tag
    def run(self, x): ...
guard(Base)
class Other(Guarded, Base, tag=1): ...
class Child(Base, tag="child"):
    def run(self, x): ...
""")
    assert names["Child"].tag == "child"


@pytest.mark.parametrize(("variable", "mode", "outcome"), [
    ("off", "raise", None), ("off", "warn", None), ("warn", "raise", "warning"), ("raise", "off", "error"),
    ("raise", "warn", "error"), ("", "raise", "error"), ("", "off", None),
])  # fmt: skip
def test_the_environment_overrides(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, mode: str, outcome: str | None
) -> None:
    monkeypatch.setenv("SIGCHECK", variable)
    source = f"""
class Base:
    def run(self, x): ...
guard(Base, mode={mode!r})
class Bad(Base):
    def run(self): ...
"""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        is_error = bool(told(run, source))
    assert (is_error, bool(caught)) == (outcome == "error", outcome == "warning")


def test_what_is_asked_for_wrongly_is_told_in_a_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Base:
        def apply(self, x: int) -> None: ...

    wrong: Any
    for wrong, message in [
        (lambda: guard(3), "a class is guarded, this is int"),  # type: ignore[type-var]
        (lambda: guard(dict), r"guard\(dict\): a class of the interpreter cannot be guarded; guard a subclass"),
        (lambda: guard(Base, mode="loud"), "mode='loud': a guard's mode is one of raise, warn, off"),  # type: ignore[arg-type]
        (lambda: guard(Base, methods="apply"), r"a list of globs, \['apply'\]"),
        (lambda: guard(Base, methods=["aply"]), "it has no method aply; did you mean apply?"),
        (lambda: guard(Base, methods=["walk*"]), r"it has no method walk\*$"),
    ]:
        with pytest.raises(GuardUsageError, match=message) as caught:
            wrong()
        assert "\n" not in str(caught.value)
    assert "__init_subclass__" not in vars(Base)
    monkeypatch.setenv("SIGCHECK", "loud")
    with pytest.raises(GuardUsageError, match="SIGCHECK=loud: it is one of raise, warn, off, or not set"):
        run(MISBOUND)


def test_a_report_is_told_before_the_error_is_raised(run: Run) -> None:
    seen: list[IncompatibleOverrideError] = []

    class Base:
        def run(self, x: int) -> None: ...

    guard(Base, report=seen.append)
    with pytest.raises(IncompatibleOverrideError) as caught:
        type("Bad", (Base,), {"run": lambda self: None})
    assert seen == [caught.value]
    unguard(Base)


def test_a_class_without_a_statement_is_placed_where_it_is_made() -> None:
    class Base(Guarded):
        def run(self, x: int) -> None: ...

    line = inspect.stack()[0].lineno
    makers: list[Callable[[], type]] = [
        lambda: type("Bad", (Base,), {"run": None}),
        lambda: types.new_class("Bad", (Base,), {}, lambda namespace: namespace.update(run=None)),
    ]
    for number, make in enumerate(makers, start=2):
        with pytest.raises(IncompatibleOverrideError) as caught:
            make()
        [diagnostic] = caught.value.diagnostics
        assert (diagnostic.rule, diagnostic.place.path, diagnostic.place.line) == (
            "receiver-mismatch",
            __file__,
            line + number,
        )


GOOD = {
    "no receiver anywhere": """
class Base(Guarded):
    def run(): ...
class Good(Base):
    def run(): ...
""",
    "abstract classes": """
import abc
class Base(Guarded, abc.ABC):
    @abc.abstractmethod
    def run(self, x): ...
    @property
    @abc.abstractmethod
    def size(self): ...
class Good(Base):
    def run(self, x, more=None): ...
    size = 3
assert Good().size == 3
""",
    "data classes": """
from dataclasses import dataclass
@dataclass(order=True)
class Base(Guarded):
    x: int
    def run(self, x): ...
@dataclass(slots=True, eq=True)
class Good(Base):
    y: int = 0
    def run(self, x): ...
    def __lt__(self, other, strict): ...
assert Good(1).y == 0
""",
    "generics": """
from typing import Generic, TypeVar
T = TypeVar("T")
class Base(Guarded, Generic[T]):
    def run(self, x: T) -> T: ...
class Good(Base[int]):
    def run(self, x: int) -> int: ...
""",
    "protocols": """
from typing import Protocol, runtime_checkable
@guard
@runtime_checkable
class Base(Protocol):
    def run(self, x): ...
class Good(Base):
    def run(self, x): ...
class Structural:
    def run(self, x): ...
assert isinstance(Structural(), Base) and isinstance(Good(), Base)
""",
    "enumerations": """
import enum
class Base(Guarded):
    def run(self, x): ...
class Good(Base, enum.Enum):
    RED = 1
    GREEN = "two"
    def run(self, x): ...
assert Good(1) is Good.RED
""",
    "named tuples": """
from typing import NamedTuple
class Point(NamedTuple):
    x: int
    def run(self, x): ...
class Base(Guarded):
    def run(self, x): ...
class Good(Point, Base): ...
assert Good(1).x == 1
""",
    "slots": """
class Base(Guarded):
    __slots__ = ("x",)
    def run(self, x): ...
class Good(Base):
    __slots__ = ("y",)
    def run(self, x): ...
assert not hasattr(Good(), "__dict__")
""",
    "descriptors that raise": """
class Hostile:
    def __get__(self, instance, owner=None): raise RuntimeError("looked up")
    def __call__(self, *args): raise RuntimeError("called")
    def __eq__(self, other): raise RuntimeError("compared")
    __hash__ = None
    def __bool__(self): raise RuntimeError("tested")
    def __getattr__(self, name): raise RuntimeError(name)
class Base(Guarded):
    run = Hostile()
    def walk(self, x): ...
class Good(Base):
    def run(self): ...
    walk = Hostile()
""",
    "metaclasses that are hostile": """
class Meta(type):
    def __getattribute__(cls, name): raise RuntimeError(name)
    def __eq__(cls, other): raise RuntimeError("compared")
    __hash__ = None
    def __instancecheck__(cls, other): raise RuntimeError("checked")
    def __subclasscheck__(cls, other): raise RuntimeError("checked")
    def __dir__(cls): raise RuntimeError("listed")
class Base(Guarded, metaclass=Meta):
    def run(self, x): ...
class Good(Base):
    def run(self, x, *args, y=None, **kwargs): ...
""",
    "a namespace that is no dict": """
import collections
class Meta(type):
    @classmethod
    def __prepare__(mcs, name, bases): return collections.ChainMap({}, {"extra": 1})
    def __new__(mcs, name, bases, namespace): return super().__new__(mcs, name, bases, dict(namespace))
class Base(Guarded, metaclass=Meta):
    def run(self, x): ...
class Good(Base):
    def run(self, x, y=None): ...
""",
    "an order of resolution of one's own": """
class Meta(type):
    def mro(cls): return [entry for entry in super().mro() if entry.__name__ != "Left"]
class Base(Guarded):
    def run(self, x): ...
class Left(Base):
    def run(self, x, y=None): ...
class Good(Left, metaclass=Meta):
    def run(self, x): ...
""",
    "C methods": """
class Base(Guarded, dict):
    def get(self, key, default=None): ...
class Good(Base):
    get = dict.get
    update = Base.get
class Failure(Guarded, Exception):
    def with_traceback(self, tb): ...
class Other(Failure):
    with_traceback = Exception.with_traceback
""",
    "partial applications and objects that are called": """
import functools
class Tool:
    def __call__(self, x): ...
class Base(Guarded):
    def run(self, x): ...
    walk = Tool()
def both(y, x): ...
class Good(Base):
    run = functools.partial(both, 1)
    def walk(self, x): ...
"""
    if sys.version_info < (3, 13)
    else "",
    "objects in attributes of the base": """
class Tool:
    def __call__(self, x): ...
class Base(Guarded):
    walk = Tool()
    stop = Tool()
    def run(self, x): ...
class Good(Base):
    walk = None
    def stop(self, a, b): ...
    def run(self, x): ...
""",
    "a wrapper that gives what callers leave out": """
import functools
def session(function):
    @functools.wraps(function)
    def wrapper(self, *args, **kwargs):
        return function(self, *args, session=1, **kwargs)
    return wrapper
class Base(Guarded):
    def run(self, x): ...
class Good(Base):
    @session
    def run(self, x, session): ...
""",
    "names that the metaclass holds back": """
class Base(Guarded):
    def __private(self, x): ...
    def __init__(self, x): ...
    def __new__(cls, *args): return super().__new__(cls)
    def __class_getitem__(cls, item): ...
class Good(Base):
    def __private(self): ...
    def __init__(self): ...
    def __new__(cls): ...
    def __class_getitem__(cls): ...
""",
    "annotations that lead nowhere": """
class Base(Guarded):
    def run(self, x: "Nowhere", **kwargs: "Unpack[Nowhere]") -> "Nowhere": ...
class Good(Base):
    def run(self, x: "Elsewhere", **kwargs: "Any") -> "Elsewhere": ...
""",
}

BAD = {
    "a wrapper with parameters of its own": """
import functools
def narrow(function):
    @functools.wraps(function)
    def wrapper(self):
        return function(self, 1)
    return wrapper
class Base(Guarded):
    def run(self, x): ...
class Bad(Base):
    @narrow
    def run(self, x): ...  # missing-parameter
""",
    "wrappers alike that wrap what differs": """
def wrapped(function):
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper
class Base(Guarded):
    @wrapped
    def run(self, x): ...
class Bad(Base):
    @wrapped
    def run(self): ...  # missing-parameter
""",
    "wrappers alike behind a receiver": """
def wrapped(function):
    def wrapper(self, *args, **kwargs):
        return function(self, *args, **kwargs)
    return wrapper
class Base(Guarded):
    @wrapped
    def run(self, x): ...
class Bad(Base):
    @wrapped
    def run(self): ...  # missing-parameter
""",
    "beside an object in an attribute": """
class Tool:
    def __call__(self, x): ...
class Base(Guarded):
    tool = Tool()
    def run(self, x): ...
class Bad(Base):
    tool = None
    def run(self): ...  # missing-parameter
""",
    "a first statement of a name that comes again": """
class Base(Guarded):
    def run(self, x): ...
class Bad(Base):
    def run(self): ...  # missing-parameter
class Bad(Base):
    def run(self, x): ...
""",
    "protocols": """
from typing import Protocol
@guard
class Base(Protocol):
    def run(self, x): ...
class Bad(Base):
    def run(self): ...  # missing-parameter
""",
    "enumerations": """
import enum
class Base(Guarded):
    def run(self, x): ...
class Bad(Base, enum.Enum):
    RED = 1
    def run(self): ...  # missing-parameter
""",
    "data classes": """
from dataclasses import dataclass
class Base(Guarded):
    def run(self, x): ...
@dataclass
class Bad(Base):
    y: int = 0
    def run(self): ...  # missing-parameter
""",
    "a metaclass and keywords": """
import abc
class Base(Guarded, metaclass=abc.ABCMeta):
    def __init_subclass__(cls, tag=None, **kwargs):
        super().__init_subclass__(**kwargs)
    def run(self, x): ...
class Bad(Base, tag=3):
    async def run(self, x): return 1
    def run(self): ...  # missing-parameter
""",
    "an object that is called": """
class Tool:
    def __call__(self): ...
class Base(Guarded):
    def run(self, x): ...
class Bad(Base):
    run = Tool()  # missing-parameter
""",
    "a second statement of one name": """
class Base(Guarded):
    def run(self, x): ...
class Bad(Base):
    def run(self, x): ...
class Bad(Base):


    def run(self): ...  # missing-parameter
""",
    "a coroutine": """
class Base(Guarded):
    def run(self, x): return 1
class Bad(Base):
    async def run(self, x): return 1  # async-mismatch
""",
    "a static method and what it takes first": """
class Base(Guarded):
    @staticmethod
    def run(text, strict=None): ...
class Bad(Base):
    @staticmethod
    def run(name, strict=None): ...  # renamed-parameter
""",
    "a receiver that is forgotten": """
class Base(Guarded):
    def run(self): ...
class Bad(Base):
    def run(): ...  # receiver-mismatch
""",
}


@pytest.mark.parametrize("name", GOOD)
def test_nobody_is_told(run: Run, name: str) -> None:
    run(GOOD[name])


@pytest.mark.parametrize("name", BAD)
def test_somebody_is_told(run: Run, name: str) -> None:
    wanted = [
        f"{number} {line.partition('  # ')[2]}"
        for number, line in enumerate(BAD[name].splitlines(), start=1)
        if "  # " in line
    ]
    assert told(run, BAD[name]) == wanted


def test_a_protocol_cannot_have_it_as_a_base(run: Run) -> None:
    with pytest.raises(TypeError, match="Protocols can only inherit from other protocols"):
        run("from typing import Protocol\nclass Base(Guarded, Protocol): ...")


class Kept(Guarded):
    def __init__(self, x: int) -> None:
        self.x = x

    def run(self, x: int) -> int:
        return x + self.x


class KeptToo(Kept):
    def run(self, x: int, y: int = 0) -> int:
        return x + self.x + y


def test_nothing_is_left_at_call_time() -> None:
    assert vars(KeptToo)["run"].__code__.co_filename == __file__
    assert vars(Guarded).keys() & {"run", "__call__", "__getattribute__"} == set()
    assert not hasattr(Guarded(), "__dict__")


def test_instances_and_classes_are_copied_and_pickled() -> None:
    thing = KeptToo(3)
    for copied in (copy.copy(thing), copy.deepcopy(thing), *(pickle.loads(pickle.dumps(thing, n)) for n in range(6))):
        assert type(copied) is KeptToo
        assert copied.run(1, 1) == 5
    assert pickle.loads(pickle.dumps(KeptToo)) is KeptToo
    error = IncompatibleOverrideError("what", ())
    assert str(pickle.loads(pickle.dumps(error))) == "what"


TWO_NAMES = tuple(shapes.signatures(("a", "b"), annotation=None))
SHAPES = tuple(shapes.calls(3, ("a", "b", "c")))


@pytest.mark.parametrize("number", range(20))
def test_a_class_is_refused_exactly_where_a_call_goes_wrong(number: int) -> None:
    """Every base with a seventh of the overrides, some 7,000 pairs in all: the guard against what calls really do."""
    for base in TWO_NAMES[number::20]:
        parent = type("Base", (Guarded,), {"run": _method(base)})
        for override in TWO_NAMES[number % 7 :: 7]:
            try:
                type("Child", (parent,), {"run": _method(override)})
            except IncompatibleOverrideError:
                is_kept = False
            else:
                is_kept = True
            is_open = [parameter.kind for parameter in base.parameters] == [Kind.VAR_POSITIONAL, Kind.VAR_KEYWORD]
            really = is_open or all(shapes.keeps_promise(override, base, shape) for shape in SHAPES)
            assert is_kept is really, f"{override} for {base}"


def _method(signature: Signature) -> Any:
    positional_only = any(p.kind is Kind.POSITIONAL_ONLY for p in signature.parameters)
    kind = Kind.POSITIONAL_ONLY if positional_only else Kind.POSITIONAL_OR_KEYWORD
    names: dict[str, Any] = {}
    written = Signature.of([Parameter("self", kind, required=True), *signature.parameters])
    exec(f"def run{shapes._text(written)}: pass", names)
    return names["run"]


def test_the_guard_of_classes_loads_nothing_that_it_does_not_need() -> None:
    source = """
import sys
from sigcheck.runtime import Guarded
class Base(Guarded):
    def run(self, x): ...
class Good(Base):
    def run(self, x): ...
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & {"libcst", "mypy", "typeguard", "paddle", "numpy"}, loaded
assert "sigcheck.core.comparison" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", source], check=True, timeout=60)
