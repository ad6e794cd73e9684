"""Roles in guarded calls: whoever calls, and without typeguard's checks."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import pytest

from sigcheck.runtime import MisboundArgumentError, MisboundArgumentWarning, Role, alias, guarding, with_role


class Layer: ...


Fc1 = Annotated[Layer, Role("fc1")]
Shared = Annotated[Layer, Role("shared")]


class Base:
    def apply(self, x: object, fc1: Fc1 | None = None, shared: Shared | None = None) -> object:
        return "base"

    def template(self, x: object, fc1: Layer | None = None) -> object:
        return self.apply(x, None, fc1)

    @classmethod
    def of_class(cls, fc1: Fc1) -> object:
        return "class"

    @staticmethod
    def static(fc1: Fc1) -> object:
        return "static"

    def many(self, *layers: Fc1, **named: Shared) -> object:
        return "many"

    async def later(self, fc1: Fc1) -> object:
        return "later"

    def steps(self, fc1: Fc1) -> Iterator[object]:
        yield "step"

    async def async_steps(self, fc1: Fc1) -> AsyncIterator[object]:
        yield "step"


class Untyped(Base):
    def apply(self, x, fc1=None, shared: Layer | None = None) -> object:  # type: ignore[no-untyped-def] # noqa: ANN001
        return "untyped"


class Below(Untyped):
    def apply(self, x: object, fc1=None, shared=None) -> object:  # type: ignore[no-untyped-def] # noqa: ANN001
        return "below"


FC1, SHARED, FREE = with_role(Layer(), "fc1"), with_role(Layer(), "shared"), Layer()

Call = Callable[[Any], object]


def _awaited(found: Any) -> object:
    async def first() -> object:
        return await (anext(found) if inspect.isasyncgen(found) else found)

    return asyncio.run(first())


RIGHT: list[Call] = [
    lambda base: base().apply(1, FC1, SHARED),
    lambda base: base().apply(1, FREE, FREE),
    lambda base: base().apply(1, None, shared=FREE),
    lambda base: base().apply(FC1),
    lambda base: base.of_class(FC1),
    lambda base: base.static(FREE),
    lambda base: base().many(FC1, FREE, a=SHARED),
    lambda base: _awaited(base().later(FC1)),
    lambda base: list(base().steps(FC1)),
    lambda base: _awaited(base().async_steps(FC1)),
]

WRONG: list[tuple[str, Call]] = [
    ("what is for shared lands in `fc1` of Base.apply", lambda base: base().apply(1, SHARED)),
    ("what is for fc1 lands in `shared` of Base.apply", lambda base: base().apply(1, shared=FC1)),
    ("what is for shared lands in `fc1` of Base.apply", lambda base: base.apply(base(), 1, SHARED)),
    ("what is for shared lands in `fc1` of Base.of_class", lambda base: base.of_class(SHARED)),
    ("what is for shared lands in `fc1` of Base.of_class", lambda base: base().of_class(SHARED)),
    ("what is for shared lands in `fc1` of Base.static", lambda base: base.static(SHARED)),
    ("what is for shared lands in `fc1` of Base.static", lambda base: base().static(SHARED)),
    ("what is for shared lands in `layers` of Base.many", lambda base: base().many(FC1, SHARED)),
    ("what is for fc1 lands in `named` of Base.many", lambda base: base().many(a=FC1)),
    ("what is for shared lands in `fc1` of Base.later", lambda base: _awaited(base().later(SHARED))),
    ("what is for shared lands in `fc1` of Base.steps", lambda base: list(base().steps(SHARED))),
    ("what is for shared lands in `fc1` of Base.async_steps", lambda base: _awaited(base().async_steps(SHARED))),
]


@pytest.mark.parametrize("call", RIGHT)
def test_what_fits_is_let_through(call: Call) -> None:
    with guarding(Base):
        call(Base)


@pytest.mark.parametrize(("told", "call"), WRONG)
def test_what_does_not_is_told_whoever_calls(told: str, call: Call) -> None:
    call(Base)
    with guarding(Base), pytest.raises(MisboundArgumentError) as error:
        call(Base)
    assert str(error.value).startswith(f"{told} ({__file__}:")
    call(Base)


def test_the_message() -> None:
    with guarding(Base), pytest.raises(MisboundArgumentError) as error:
        Base().apply(1, SHARED)
    first, takes, because, called, mend = str(error.value).splitlines()
    assert first.startswith("what is for shared lands in `fc1` of Base.apply (")
    assert takes == "  takes:   Base.apply(x, fc1, shared)"
    assert because == "  because: it is for shared, and `fc1` takes what is for fc1"
    assert called == f"  called:  {__file__}:{error.traceback[0].lineno + 1} passes it as argument 2"
    assert mend == "  mend:    pass it where shared belongs"


def test_an_override_that_says_nothing_demands_what_its_base_does() -> None:
    with guarding(Base):
        for kind in (Untyped, Below):
            with pytest.raises(MisboundArgumentError, match=f"lands in `fc1` of {kind.__name__}.apply"):
                kind().apply(1, SHARED)
            assert kind().apply(1, None, FC1) == kind.__name__.lower(), "an annotation of its own takes any layer"


def test_the_guarded_method_that_passes_it_is_said_and_an_alias_frees_names_not_roles() -> None:
    with guarding(Base, aliases=alias(shared="fc1")), pytest.raises(MisboundArgumentError) as error:
        Base().template(1, FC1)
    assert str(error.value).startswith("what is for fc1 lands in `shared` of Base.apply")
    assert "in Base.template passes it as argument 3" in str(error.value)


def test_a_warning_stands_at_the_call_once_a_line() -> None:
    with guarding(Base, mode="warn"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            assert Base().apply(1, SHARED) == "base"
        assert Base.static(SHARED) == "static"
    assert [(each.category, each.filename) for each in caught] == [(MisboundArgumentWarning, __file__)] * 2
    lines = inspect.getsource(test_a_warning_stands_at_the_call_once_a_line).splitlines()
    begin = test_a_warning_stands_at_the_call_once_a_line.__code__.co_firstlineno
    assert ["SHARED" in lines[each.lineno - begin] for each in caught] == [True, True]


def test_each_misbinding_is_reported() -> None:
    reported: list[MisboundArgumentError] = []
    with guarding(Base, mode="warn", report=reported.append), pytest.warns(MisboundArgumentWarning):
        Base().apply(1, SHARED, FC1)
    assert [error.misbinding.lands_in for error in reported if error.misbinding] == ["fc1", "shared"]
