"""The dataclasses of `sigcheck.core.dataclass` against the standard ones."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import operator
import pickle
import pkgutil
import subprocess
import sys
from importlib import import_module
from typing import Any, ClassVar

import pytest

import sigcheck
from sigcheck.core import dataclass as ours
from tests.running import environment

# mypy sees the standard ones here too.


@ours.dataclass(frozen=True, slots=True, order=True)
class Mine:
    """With everything that a field can be."""

    rule: ClassVar[str] = "not a field"
    first: int
    second: str = "b"
    third: tuple[int, ...] = ours.field(default=(), compare=False)
    fourth: dict[str, int] = ours.field(default_factory=dict)

    @property
    def doubled(self) -> int:
        """Twice the first."""
        return 2 * self.first


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Theirs:
    """The same."""

    rule: ClassVar[str] = "not a field"
    first: int
    second: str = "b"
    third: tuple[int, ...] = dataclasses.field(default=(), compare=False)
    fourth: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def doubled(self) -> int:
        """Twice the first."""
        return 2 * self.first


@ours.dataclass(slots=True)
class Draft:
    """One that changes."""

    name: str
    seen: list[int] = ours.field(default_factory=list)
    count: int = ours.field(default=0, init=False)


@ours.dataclass(frozen=True, slots=True, eq=False)
class Marker:
    """Equal to nothing else."""

    name: str


@ours.dataclass(frozen=True, slots=True)
class Keyed:
    """Hashed in a way of its own."""

    name: str
    number: int

    def __hash__(self) -> int:
        return 7


@ours.dataclass(frozen=True, slots=True)
class Likened:
    """Compared in a way of its own."""

    name: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Likened)

    __hash__ = None  # type: ignore[assignment]


@ours.dataclass(frozen=True, slots=True)
class Nothing:
    """Without fields."""


CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, "a"), {}),
    ((2, "a", (3,)), {"fourth": {"x": 1}}),
    ((2, "a", (3,), {"x": 1}), {}),
    ((), {"first": 1, "third": (4,)}),
    ((), {}),
    ((1, "b", (), {}, 5), {}),
    ((1,), {"first": 2}),
    ((1,), {"fifth": 2}),
]


def _done(function: Any, *arguments: Any, **keywords: Any) -> tuple[str, str]:
    """What a call gives or raises, as text that names no class."""
    try:
        return "", str(function(*arguments, **keywords)).replace("Theirs", "Mine")
    except Exception as error:  # noqa: BLE001 - of both the same is expected
        return type(error).__name__, str(error).replace("Theirs", "Mine")


@pytest.mark.parametrize(("arguments", "keywords"), CALLS)
def test_it_is_made_as_the_standard_one(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    assert _done(Mine, *arguments, **keywords) == _done(Theirs, *arguments, **keywords)


@pytest.mark.parametrize(("arguments", "keywords"), CALLS)
@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("has_more", [True, False])
def test_the_first_are_made_as_all_others(
    arguments: tuple[Any, ...], keywords: dict[str, Any], *, frozen: bool, has_more: bool
) -> None:
    class Fresh:
        first: int
        second: str = "b"
        third: tuple[int, ...] = ours.field(default=(), compare=False)
        fourth: dict[str, int] = ours.field(default_factory=dict)
        if has_more:
            fifth: int = ours.field(default=0, init=False)

    Fresh.__qualname__ = "Mine"
    made = ours.dataclass(frozen=frozen, slots=True)(Fresh)
    expected = _done(Theirs, *arguments, **keywords)
    if has_more and not expected[0]:
        expected = "", f"{expected[1][:-1]}, fifth=0)"
    assert [_done(made, *arguments, **keywords) for _ in range(200)] == [expected] * 200
    compiled = vars(made)["__init__"]
    assert _done(made, *arguments, **keywords) == expected
    assert vars(made)["__init__"] is compiled


@pytest.mark.parametrize("name", ["eq", "ne", "lt", "le", "gt", "ge"])
def test_it_compares_as_the_standard_one(name: str) -> None:
    compare = getattr(operator, name)
    rows: list[tuple[Any, ...]] = [(1,), (1, "b", (7,)), (1, "a"), (2,), (1, "b", (), {"x": 1})]
    for one in rows:
        for other in rows:
            assert _done(compare, Mine(*one), Mine(*other)) == _done(compare, Theirs(*one), Theirs(*other))
        assert _done(compare, Mine(*one), 1)[0] == _done(compare, Theirs(*one), 1)[0]
        assert not operator.eq(Mine(*one), Theirs(*one))


def test_it_is_hashed_as_the_standard_one() -> None:
    assert hash(Mine(1, "a", (3,), ())) == hash(Theirs(1, "a", (3,), ()))  # type: ignore[arg-type]
    assert _done(hash, Mine(1)) == _done(hash, Theirs(1))
    assert _done(hash, Draft("a"))[0] == "TypeError"
    assert Draft("a", [1]) == Draft("a", [1])
    assert Draft("a") != Draft("b")
    assert Marker("a") != Marker("a")
    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(())


def test_what_a_class_says_itself_stays() -> None:
    for _ in range(2):
        assert Keyed("a", 1) == Keyed("a", 1) != Keyed("a", 2)
        assert hash(Keyed("a", 1)) == 7
        assert Likened("a") == Likened("b")
        assert _done(hash, Likened("a"))[0] == "TypeError"


def test_it_is_inherited() -> None:
    class Below(Mine):
        """A class that is none itself."""

    for _ in range(2):
        assert Below(1) == Below(1) != Below(2)
        assert Below(1) != Mine(1)
        assert hash(Below(1, "a", (3,), ())) == hash(Theirs(1, "a", (3,), ()))  # type: ignore[arg-type]
        assert Below(1) < Below(2)
        assert str(inspect.signature(Below)) == str(inspect.signature(Mine))
        assert Below(1, "x").second == "x"
        assert dataclasses.replace(Below(1), first=2) == Below(2)


@pytest.mark.parametrize("name", ["first", "second"])
def test_it_is_frozen_as_the_standard_one(name: str) -> None:
    mine, theirs = Mine(1), Theirs(1)
    assert _done(setattr, mine, name, 2) == _done(setattr, theirs, name, 2)
    assert _done(delattr, mine, name) == _done(delattr, theirs, name)
    assert mine == Mine(1)
    draft = Draft("a")
    draft.count += 1
    assert (draft.name, draft.count, draft.seen) == ("a", 1, [])
    assert not hasattr(draft, "__dict__")


def test_everybody_takes_it_for_a_dataclass() -> None:
    value = Mine(1, "a", (3,), {"x": 1})
    assert dataclasses.is_dataclass(Mine)
    assert dataclasses.is_dataclass(value)
    assert getattr(Mine, "__dataclass_fields__") is getattr(value, "__dataclass_fields__")  # noqa: B009 - nobody's business
    assert dataclasses.asdict(value) == dataclasses.asdict(Theirs(1, "a", (3,), {"x": 1}))
    assert dataclasses.replace(value, second="c") == ours.replace(value, second="c") == Mine(1, "c", (3,), {"x": 1})
    assert _done(ours.replace, value, fifth=1) == _done(dataclasses.replace, Theirs(1), fifth=1)
    told = [(field.name, field.type, field.compare, field.init) for field in dataclasses.fields(Mine)]
    assert told == [(field.name, field.type, field.compare, field.init) for field in dataclasses.fields(Theirs)]
    assert [field.name for field in ours.fields(value)] == [field.name for field in dataclasses.fields(value)]
    assert [field.name for field in ours.fields(Draft)] == ["name", "seen", "count"]
    for made in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value)):
        assert made == value
        assert made.third == (3,)
    match value:
        case Mine(1, second, third):
            assert (second, third) == ("a", (3,))
        case _:
            pytest.fail("it has no positions")
    assert (Mine.rule, Mine.__doc__, value.doubled) == ("not a field", "With everything that a field can be.", 2)
    assert Mine.__qualname__ == "Mine"


def test_it_has_the_signature_of_the_standard_one_before_it_is_first_made() -> None:
    script = (
        "import inspect; from sigcheck.core.signature import Parameter; before = inspect.signature(Parameter);"
        "Parameter('a', 1, True); print(before); print(before == inspect.signature(Parameter))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(), check=True
    ).stdout.splitlines()
    assert done[0].startswith("(name: 'str', kind: 'Kind', required: 'bool', annotation: 'str | None' = None")
    assert done[1] == "True"
    assert str(inspect.signature(Mine)) == str(inspect.signature(Theirs)).replace("Theirs", "Mine")


def test_no_class_of_sigcheck_asks_for_what_it_does_not_have() -> None:
    """Slots, no `__post_init__`, no base with fields of its own."""
    for module in pkgutil.walk_packages(sigcheck.__path__, "sigcheck."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    plans = vars(ours)["_PLANS"]
    assert len(plans) > 100
    for made in plans:
        assert "__slots__" in vars(made)
        assert not hasattr(made, "__post_init__")
        assert not any(dataclasses.is_dataclass(base) for base in made.__bases__)
