# mypy: disable-error-code="override, misc, truthy-bool, call-arg, unused-ignore"
"""What a scope puts on classes, for how long, and in which threads, tasks and generators it speaks."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import copy
import dataclasses
import functools
import gc
import inspect
import pickle
import sys
import threading
import tracemalloc
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Generic, TypeVar
from unittest import mock

import pytest

from sigcheck.runtime import (
    Guarded,
    GuardUsageError,
    IncompatibleOverrideError,
    MisboundArgumentError,
    alias,
    guard,
    guarding,
)


class Base(abc.ABC):
    """A family."""

    def apply(self, x: Any, y: Any) -> Any:
        """Run it."""
        return self.run(x, y)

    @abc.abstractmethod
    def run(self, x: Any, y: Any) -> Any:
        """Do it."""

    @classmethod
    def build(cls, x: Any, y: Any) -> Any:
        """Make it."""
        return cls.fold(x, y)

    @staticmethod
    def fold(x: Any, y: Any) -> Any:
        """Fold it."""
        return x, y

    async def wait(self, x: Any, y: Any) -> Any:
        """Wait for it."""
        await asyncio.sleep(0)
        return await self.later(x, y)

    async def later(self, x: Any, y: Any) -> Any:
        return x, y

    def stream(self, x: Any, y: Any) -> Iterator[Any]:
        yield x
        yield self.run(x, y)

    async def flow(self, x: Any, y: Any) -> AsyncIterator[Any]:
        yield x
        yield await self.later(x, y)

    @property
    def size(self) -> int:
        return 3

    @functools.lru_cache  # noqa: B019
    def cached(self, x: Any, y: Any) -> Any:
        return x, y


class Good(Base):
    def run(self, x: Any, y: Any) -> Any:
        return x, y


class Crossed(Good):
    def run(self, y: Any, x: Any) -> Any:
        return x, y

    async def later(self, y: Any, x: Any) -> Any:
        return x, y

    @staticmethod
    def fold(y: Any, x: Any) -> Any:
        return x, y


CLASSES = (Base, Good, Crossed)


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before = [dict(vars(entry)) for entry in CLASSES]
    yield
    for entry, members in zip(CLASSES, before, strict=True):
        now = {name: value for name, value in vars(entry).items() if name != "_abc_impl"}
        assert list(now) == [name for name in members if name != "_abc_impl"]
        assert all(now[name] is members[name] for name in now), entry


def is_guarded(call: Callable[[], object]) -> bool:
    try:
        call()
    except MisboundArgumentError:
        return True
    return False


def crossed() -> bool:
    """Whether a misbinding is told now."""
    return is_guarded(lambda: Crossed().apply(object(), object()))


def test_nested_and_interleaved_scopes() -> None:
    first, second = guarding(Base), guarding(Good, methods=["run"])
    first.__enter__()
    second.__enter__()
    wrapped = vars(Crossed)["run"]
    first.__exit__(None, None, None)
    assert vars(Crossed)["run"] is wrapped
    assert not crossed()  # Base.apply is no method of what is still guarded.
    second.__exit__(None, None, None)
    assert not crossed()
    with guarding(Base) as scope, scope:
        assert crossed()
    assert not crossed()


def test_an_exception_ends_the_scope() -> None:
    def fail() -> None:
        with guarding(Base):
            assert crossed()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not crossed()


def test_an_exception_in_a_method_ends_its_call() -> None:
    class Failing(Base):
        def apply(self, x: Any, y: Any) -> Any:
            with contextlib.suppress(ZeroDivisionError):
                self.run(x, y)
            return self.run(x, y)

        def run(self, x: Any, y: Any) -> Any:
            raise ZeroDivisionError

    class Kid(Failing):
        def run(self, y: Any, x: Any) -> Any:
            raise ZeroDivisionError

    with guarding(Base):
        with pytest.raises(ZeroDivisionError):
            Failing().apply(object(), object())
        kid = Kid()
        with pytest.raises(ZeroDivisionError):
            kid.run(object(), object())  # Nothing of the failed call is left: this is called from outside.
        assert is_guarded(lambda: kid.apply(object(), object()))


def test_classes_that_are_created_in_the_scope() -> None:
    class Early(Base):
        def __init_subclass__(cls, **kwargs: Any) -> None:
            """Tells nobody."""

    with guarding(Base):

        class Late(Good):
            def run(self, y: Any, x: Any) -> Any: ...

        class Deaf(Early):
            def run(self, y: Any, x: Any) -> Any: ...

        made = type("Made", (Good,), {"run": Crossed.__dict__["run"]})
        for entry in (Late, Deaf, made):
            assert is_guarded(lambda entry=entry: entry().apply(object(), object()))  # type: ignore[misc]
    for entry in (Late, Deaf, made):
        assert not is_guarded(lambda entry=entry: entry().apply(object(), object()))  # type: ignore[misc]
        assert not hasattr(vars(entry)["run"], "__wrapped__")
    assert vars(made)["run"] is vars(Crossed)["run"]
    assert list(vars(Early)) == [*dict.fromkeys(vars(Early))]


def test_a_class_takes_over_a_wrapper() -> None:
    with guarding(Base):

        @dataclasses.dataclass(slots=True)
        class Point(Good):
            x: int = 0

            def run(self, y: Any, x: Any) -> Any: ...

        class Alias(Good):
            other = Good.run

        assert is_guarded(lambda: Point().apply(object(), object()))
    assert not hasattr(vars(Point)["run"], "__wrapped__")
    assert vars(Alias)["other"] is vars(Good)["run"]


def test_a_class_that_dies_in_the_scope() -> None:
    with guarding(Base):

        class Gone(Base):
            def run(self, x: Any, y: Any) -> Any:
                return super().run(x, y)  # type: ignore[safe-super]

        reference = weakref.ref(Gone)
        del Gone
        gc.collect()
        assert reference() is None


def test_a_patch_on_top_of_a_wrapper() -> None:
    own = vars(Good)["run"]
    with guarding(Base):
        patch = mock.patch.object(Good, "run", return_value="patched")
        patch.start()
        assert Good().apply(1, 2) == "patched"
    assert Good().apply(1, 2) == "patched"
    patch.stop()  # It puts the wrapper back, which goes when it is next called.
    assert Good().apply(1, 2) == (1, 2)
    assert vars(Good)["run"] is own
    with guarding(Base):
        with mock.patch.object(Good, "run", return_value="patched"):
            assert Good().apply(1, 2) == "patched"
        assert crossed()


def test_with_the_guard_of_classes() -> None:
    class Family(Guarded):
        def apply(self, x: Any, y: Any) -> Any:
            return self.run(x, y)

        def run(self, x: Any, y: Any) -> Any: ...

    class Other:
        def run(self, x: Any, y: Any) -> Any: ...

    guard(Other)
    with guarding(Family, Other):
        for base in (Family, Other):
            with pytest.raises(IncompatibleOverrideError, match=r"x lands in `y` of Wrong\.run and y in `x`"):
                type("Wrong", (base,), {"run": lambda self, y, x: None})
            assert issubclass(type("Right", (base,), {"run": lambda self, x, y, z=0: None}), base)
        guard(Other, mode="off")
        assert type("Wrong", (Other,), {"run": lambda self, y, x: None})
    assert type("Wrong", (Other,), {"run": lambda self, y, x: None})


def test_what_is_said_of_a_method_stays_the_same() -> None:
    questions: list[Callable[[Any], object]] = [
        inspect.iscoroutinefunction,
        inspect.isgeneratorfunction,
        inspect.isasyncgenfunction,
        inspect.signature,
        inspect.getdoc,
        inspect.isabstract,
        lambda function: (function.__name__, function.__qualname__, function.__module__, function.__doc__),
        lambda function: getattr(function, "__isabstractmethod__", False),
        lambda function: pickle.loads(pickle.dumps(function)) is function,
        lambda function: copy.deepcopy(function) is function,
    ]
    names = ["apply", "run", "fold", "wait", "later", "stream", "flow", "cached"]

    def answers() -> list[object]:
        return [
            *(question(getattr(Base, name)) for name in names for question in questions),
            *(question(getattr(Good(), name)) for name in names for question in questions[:-2]),
            sorted(Base.__abstractmethods__),
            Good().size,
        ]

    plain = answers()
    with guarding(Base):
        assert answers() == plain
        assert Base.apply.__wrapped__ is not None  # type: ignore[attr-defined]
        with pytest.raises(TypeError, match="abstract"):
            Base()  # type: ignore[abstract]


def test_results_and_refusals_are_those_of_the_method() -> None:
    with guarding(Base):
        assert Good().apply(1, y=2) == (1, 2)
        assert Base.apply(Good(), 1, 2) == (1, 2)
        assert Base.apply(self=Good(), x=1, y=2) == (1, 2)
        assert Good.build(1, 2) == (1, 2)
        assert list(Good().stream(1, 2)) == [1, (1, 2)]
        assert asyncio.run(Good().wait(1, 2)) == (1, 2)
        for refused in (Good().apply, Good().wait, Good().stream, Good.build, Good.fold, Base.apply):
            with pytest.raises(TypeError, match="argument"):
                refused()


def test_coroutines_and_asynchronous_generators() -> None:
    async def collected(owner: Base) -> list[Any]:
        return [item async for item in owner.flow(object(), object())]

    def sync(owner: Base) -> Any:
        return asyncio.run(owner.wait(object(), object()))

    with guarding(Base):
        assert is_guarded(lambda: sync(Crossed()))
        assert is_guarded(lambda: asyncio.run(collected(Crossed())))
        assert len(asyncio.run(collected(Good()))) == 2
        assert not is_guarded(lambda: sync(Good()))


def test_tasks_do_not_meet() -> None:
    """Two tasks on one receiver take turns: each call is held against the call that makes it."""

    class Shared:
        async def main(self, a: Any, b: Any, first: bool) -> None:
            for _ in range(3):
                await asyncio.sleep(0)
                self.leaf(a, b) if first else self.other(b, a)
                await self.step(a, b) if first else self.other(b, a)

        async def step(self, a: Any, b: Any) -> None:
            await asyncio.sleep(0)
            self.leaf(a, b)

        def leaf(self, a: Any, b: Any) -> None: ...

        def other(self, y: Any, x: Any) -> None: ...

    async def both(owner: Shared, a: Any, b: Any) -> None:
        await asyncio.gather(*(owner.main(*((a, b) if n % 2 else (b, a)), n % 2 == 0) for n in range(6)))

    with guarding(Shared):
        asyncio.run(both(Shared(), object(), object()))


def test_a_generator_is_in_its_call_only_while_it_runs() -> None:
    with guarding(Base):
        one, other = object(), object()
        good = Good()
        generator = good.stream(one, other)
        assert next(generator) is one
        assert good.run(other, one) == (other, one)  # from outside: what is suspended calls nothing
        assert is_guarded(lambda: list(Crossed().stream(one, other)))
        assert next(generator) == (one, other)


def test_generators_take_what_is_sent_and_thrown() -> None:
    class Talks:
        def talk(self, log: list[Any]) -> Any:
            try:
                log.append((yield 1))
                try:
                    yield 2
                except KeyError as error:
                    log.append(error)
                    yield 3
                return 4
            finally:
                log.append("closed")

    def conversation() -> list[Any]:
        log: list[Any] = []
        generator = Talks().talk(log)
        log += [next(generator), generator.send("a"), type(generator.throw(KeyError("k"))).__name__]
        try:
            next(generator)
        except StopIteration as stop:
            log.append(stop.value)
        closed = Talks().talk(log)
        next(closed)
        closed.close()
        return [str(entry) for entry in log]

    plain = conversation()
    with guarding(Talks):
        assert conversation() == plain
        generator = Talks().talk([])
        assert (generator.__name__, inspect.isgenerator(generator)) == ("talk", True)


def test_asynchronous_generators_take_what_is_sent_and_thrown() -> None:
    class Talks:
        async def talk(self, log: list[Any]) -> Any:
            try:
                log.append((yield 1))
                try:
                    yield 2
                except KeyError:
                    await asyncio.sleep(0)
                    yield 3
            finally:
                await asyncio.sleep(0)
                log.append("closed")

    async def conversation() -> list[Any]:
        log: list[Any] = []
        generator = Talks().talk(log)
        log += [await anext(generator), await generator.asend("a"), await generator.athrow(KeyError("k"))]
        log += [item async for item in generator]
        closed = Talks().talk(log)
        await anext(closed)
        await closed.aclose()
        return log

    plain = asyncio.run(conversation())
    with guarding(Talks):
        assert asyncio.run(conversation()) == plain


def test_threads() -> None:
    right = Good()
    errors: list[BaseException] = []
    told: list[MisboundArgumentError] = []
    barrier = threading.Barrier(6)

    def work(owner: Base) -> None:
        barrier.wait()
        for _ in range(300):
            x, y = object(), object()
            try:
                owner.apply(x, y)
                right.run(y, x)
                right.fold(y, x)
            except MisboundArgumentError as error:
                told.append(error)
            except BaseException as error:  # noqa: BLE001
                errors.append(error)

    with guarding(Base):
        threads = [
            threading.Thread(target=work, args=(owner,)) for owner in (right, right, right, right, Crossed(), Crossed())
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert len(told) == 600


class Deep:
    def down(self, depth: int, x: Any, y: Any) -> int:
        return self.step(depth, x, y) if depth else 0

    def step(self, depth: int, x: Any, y: Any) -> int:
        return 1 + self.down(depth - 1, x, y)


class DeepNode(Deep):
    def step(self, depth: int, x: Any, y: Any) -> int:
        return 1 + DeepNode().down(depth - 1, x, y)


@pytest.mark.parametrize("owner", [Deep, DeepNode])
def test_ten_thousand_nested_calls(owner: type[Deep]) -> None:
    results: list[object] = []

    def work() -> None:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(100_000)
        try:
            with guarding(Deep):
                results.append(owner().down(5_000, object(), object()))
        except BaseException as error:  # noqa: BLE001
            results.append(error)
        finally:
            sys.setrecursionlimit(limit)

    previous = threading.stack_size(512 * 1024 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(previous)
    assert results == [5_000]


def test_memory_does_not_grow() -> None:
    class Keyed(Good):
        def keyed(self, **options: Any) -> None: ...

    class Renames(Good):
        def apply(self, x: Any, y: Any) -> Any:
            return self.run(object(), x)

    def rounds(count: int) -> None:
        good, renames = Good(), Renames()
        for index in range(count):
            good.apply(object(), object())
            renames.apply(object(), object())
            if index % 10 == 0:
                good.keyed(**{f"option{index}": 1})  # type: ignore[attr-defined]

    Good.keyed = Keyed.keyed  # type: ignore[attr-defined]
    try:
        with guarding(Good, methods=["keyed", "run"]), guarding(Base):
            rounds(6_000)
            gc.collect()
            tracemalloc.start()
            before = tracemalloc.get_traced_memory()[0]
            rounds(6_000)
            gc.collect()
            after = tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
        assert after - before < 20_000
    finally:
        del Good.keyed  # type: ignore[attr-defined]


@pytest.mark.long
def test_memory_does_not_grow_over_a_million_calls() -> None:
    with guarding(Base):
        good = Good()
        for _ in range(10_000):
            good.apply(object(), object())
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(500_000):  # two guarded calls each
            good.apply(object(), object())
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
    assert after - before < 10_000


def test_as_a_decorator() -> None:
    scope = guarding(Base)

    @scope
    def plain() -> bool:
        return crossed()

    @scope
    def again(depth: int) -> bool:
        return again(depth - 1) if depth else crossed()

    @scope
    async def coroutine() -> bool:
        await asyncio.sleep(0)
        return crossed()

    @scope
    def generator() -> Iterator[bool]:
        yield crossed()

    @scope
    async def flow() -> AsyncIterator[bool]:
        yield crossed()

    async def first() -> bool:
        return await anext(flow())

    assert plain()
    assert again(3)
    assert asyncio.run(coroutine())
    assert list(generator()) == [True]
    assert asyncio.run(first())
    assert inspect.iscoroutinefunction(coroutine)
    assert inspect.isgeneratorfunction(generator)
    assert inspect.isasyncgenfunction(flow)
    assert not crossed()


def test_slots_generics_metaclasses_and_classes_that_cannot_be_changed() -> None:
    T = TypeVar("T")

    class Strict(type):
        def __setattr__(cls, name: str, value: object) -> None:
            if name in {"apply", "run"}:
                raise AttributeError(name)
            super().__setattr__(name, value)

        def __getattribute__(cls, name: str) -> Any:
            if name in {"apply", "run"}:
                raise RuntimeError(name)
            return super().__getattribute__(name)

    class Box(Generic[T], metaclass=Strict):
        __slots__ = ("item",)

        def apply(self, x: T, y: T) -> Any:
            return self.run(x, y)

        def run(self, x: T, y: T) -> Any: ...

    class Tight(Box[int]):
        __slots__ = ()

        def run(self, y: Any, x: Any) -> Any: ...

    own = dict(vars(Box))
    with guarding(Box):
        assert is_guarded(lambda: Tight().apply(object(), object()))  # type: ignore[arg-type]
    assert dict(vars(Box)) == own
    with pytest.raises(GuardUsageError, match=r"guarding\(.*\): "), guarding(int, methods=["__*"]):
        pass


def test_equal_is_not_the_same() -> None:
    class Same:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    class Swaps(Good):
        def apply(self, x: Any, y: Any) -> Any:
            return self.run(Same(), x)

    with guarding(Base):
        Swaps().apply(Same(), Same())
        assert is_guarded(lambda: Crossed().apply(Same(), Same()))


@pytest.mark.parametrize("given", [3, None, ["x", 3]])
def test_an_alias_is_of_names(given: Any) -> None:
    with pytest.raises(GuardUsageError, match=r"alias\(residual=.*\): it is a name, or a list of names"):
        alias(residual=given)
