"""What the guard costs, as ratios within one run: `python -m benchmarks.runtime [--rounds N]`.

A method of six parameters is called plainly, on a family that was guarded when its classes were created, in a scope of
`guarding` (from outside, and from another guarded method of the same object), and through the peers: `typeguard.typechecked`,
`beartype` and a wrapper that binds each call with `inspect.Signature.bind`. The rows take turns in every round, so that a
busy machine slows all of them; the median over the rounds counts.
"""

from __future__ import annotations

import argparse
import functools
import inspect
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from beartype import beartype
from typeguard import typechecked

from sigcheck.runtime import Guarded, guard, guarding

CALLS = 400
"""Calls in one measurement of one row."""

Row = tuple[str, Callable[[int], None]]


class Layer:
    """What the parameters are annotated with."""


ARGUMENTS: tuple[Any, ...] = tuple(Layer() for _ in range(6))


def bound(function: Callable[..., Any]) -> Callable[..., Any]:
    """What somebody would write by hand."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        signature.bind(*args, **kwargs)
        return function(*args, **kwargs)

    return wrapper


def family(decorate: Callable[[Any], Any] = lambda function: function, base: type = object) -> Any:
    """A new class: the guard of one is none of another."""

    class Family(base):  # type: ignore[misc]
        @decorate
        def run(
            self,
            layer: Layer,
            x: Layer,
            gate: Layer,
            hook: Layer | None = None,
            fc1: Layer | None = None,
            fc2: Layer | None = None,
        ) -> Layer:
            return x

        def apply(self, layer: Any, x: Any, gate: Any, hook: Any, fc1: Any, fc2: Any, *, times: int) -> None:
            for _ in range(times):
                self.run(layer, x, gate, hook, fc1, fc2)

        def walk(self, layer: Any, x: Any, gate: Any, hook: Any, fc1: Any, fc2: Any, *, times: int) -> None:
            for _ in range(times):
                self.run(layer, ARGUMENTS, x, hook, fc1, fc2)

    return Family


def outside(owner: Any) -> Callable[[int], None]:
    """Calls from a function."""
    method = owner.run

    def calls(count: int) -> None:
        for _ in range(count):
            method(*ARGUMENTS)

    return calls


def inside(owner: Any, name: str = "apply") -> Callable[[int], None]:
    """Calls from another method of the object."""
    method = getattr(owner, name)
    return lambda count: method(*ARGUMENTS, times=count)


@contextmanager
def rows() -> Iterator[list[Row]]:
    """What is measured, while its scopes are open."""
    created = family(base=guard(family()))
    scoped = family()
    with guarding(scoped):
        yield [
            ("plain", outside(family()())),
            ("plain, from a method", inside(family()())),
            ("class guarded at creation", outside(created())),
            ("class guarded at creation, from a method", inside(created())),
            ("guarding, from outside", outside(scoped())),
            ("guarding, from a guarded method", inside(scoped())),
            ("guarding, from one that changes names on purpose", inside(scoped(), "walk")),
            ("beartype", outside(family(beartype)())),
            ("Signature.bind by hand", outside(family(bound)())),
            ("typeguard", outside(family(typechecked)())),
        ]


def measured(rounds: int) -> dict[str, float]:
    """Nanoseconds of one call for each row: the median over the rounds."""
    taken: dict[str, list[float]] = {}
    with rows() as measures:
        for _ in range(rounds):
            for name, calls in measures:
                count = CALLS // 8 if name == "typeguard" else CALLS
                calls(10)
                start = time.perf_counter_ns()
                calls(count)
                taken.setdefault(name, []).append((time.perf_counter_ns() - start) / count)
    return {name: statistics.median(values) for name, values in taken.items()}


def creation(rounds: int) -> tuple[float, float]:
    """Microseconds to create a class with ten overrides: without a guard, and what the guard adds for each override."""
    names = [f"m{index}" for index in range(10)]
    source = "\n".join(f"def {name}(self, layer, x, gate, hook=None, fc1=None, fc2=None): return x" for name in names)

    def methods() -> dict[str, Any]:
        made: dict[str, Any] = {}
        exec(source, made)
        return {name: made[name] for name in names}

    free, guarded = type("Free", (), methods()), type("Held", (Guarded,), methods())
    taken: dict[type, list[float]] = {free: [], guarded: []}
    for _ in range(rounds):
        for base, values in taken.items():
            members = methods()
            start = time.perf_counter_ns()
            type("Kid", (base,), members)
            values.append((time.perf_counter_ns() - start) / 1_000)
    plain = statistics.median(taken[free])
    return plain, (statistics.median(taken[guarded]) - plain) / len(names)


def main() -> int:
    """Print the table; status 1 where a bound is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200, help="how often each row is measured")
    rounds = parser.parse_args().rounds
    found = measured(rounds)
    plain, typeguard = found["plain"], found["typeguard"]
    print(f"{'a call of six parameters':<50} {'ns':>8} {'÷ plain':>8} {'typeguard ÷':>12}")
    for name, value in found.items():
        print(f"{name:<50} {value:>8.0f} {value / plain:>8.2f} {typeguard / value:>12.1f}")
    free, added = creation(rounds * 2)
    print(f"\na class with ten overrides: {free:.0f} µs; a guard adds {added:.1f} µs for each override")
    guards = [value for name, value in found.items() if name.startswith("guarding")]
    slow = max(guards) > typeguard / 10
    print(
        f"\nthe dearest guarded call is {typeguard / max(guards):.1f} times cheaper than typeguard's; it must be 10 times"
    )
    return int(slow or added > 30)


if __name__ == "__main__":
    raise SystemExit(main())
