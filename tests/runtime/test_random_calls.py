# mypy: disable-error-code="unused-ignore"
"""Random families really run: the guard speaks exactly when an independent record of who received what says so.

The record is made by bodies that log what they received, in classes that nothing guards. It is judged here, naively and with
`inspect.Signature.bind`: no code is shared with the guard.
"""

from __future__ import annotations

import contextlib
import inspect
import warnings
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sigcheck.core.signature import Kind, Parameter, Signature
from sigcheck.runtime import MisboundArgumentError, MisboundArgumentWarning, alias, guarding
from tests.shapes import assemble

NAMES = ("a", "b", "c", "a_b")
VALUES = {"None": None, "zero": 0}


@dataclass(frozen=True)
class Call:
    """`self.m(...)` or `super().m(...)` with names, by position and by keyword."""

    route: str
    method: str
    positional: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...]

    def source(self) -> str:
        words = [*self.positional, *(f"{keyword}={text}" for keyword, text in self.keywords)]
        return f"{self.route}.{self.method}({', '.join(words)})"


@dataclass(frozen=True)
class Method:
    name: str
    signature: Signature
    calls: tuple[Call, ...]

    def source(self) -> list[str]:
        kind = Kind(min([Kind.POSITIONAL_OR_KEYWORD, *(p.kind for p in self.signature.parameters)]))
        header = Signature.of([Parameter("self", kind, required=True), *self.signature.parameters])
        lines = [f"    def {self.name}{header}:", f"        this = log(self, __class__, {self.name!r}, dict(locals()))"]
        for call in self.calls:
            keywords = tuple(keyword for keyword, _ in call.keywords)
            values = ", ".join([*call.positional, *(f"{text}" for _, text in call.keywords)])
            lines += [
                f"        made(this, {call.route!r}, {call.method!r}, {len(call.positional)}, {keywords!r}, [{values}])",
                "        try:",
                f"            {call.source()}",
                "        except Exception:",
                "            pass",
                "        done(this)",
            ]
        return lines


@dataclass(frozen=True)
class Family:
    classes: tuple[tuple[int | None, tuple[Method, ...]], ...]

    def source(self) -> str:
        lines = []
        for index, (parent, methods) in enumerate(self.classes):
            lines += [f"class C{index}{f'(C{parent})' if parent is not None else ''}:", "    x = 1"]
            for method in methods:
                lines += method.source()
        return "\n".join(lines)


@st.composite
def signatures(draw: st.DrawFn, *, template: bool) -> Signature:
    names = draw(st.permutations(NAMES))[: draw(st.integers(2 if template else 1, 4 if template else 3))]
    kinds = sorted(draw(st.lists(st.sampled_from([0, 1, 1, 1, 1, 1, 3]), min_size=len(names), max_size=len(names))))
    optional = False
    parameters = []
    for name, kind in zip(names, kinds, strict=True):
        optional = (draw(st.integers(0, 3)) > 0 and (optional or draw(st.booleans()))) or (
            optional and kind != Kind.KEYWORD_ONLY
        )
        parameters.append(Parameter(name, Kind(kind), not optional, default="None" if optional else None))
    return assemble(
        parameters, rest=draw(st.integers(0, 5)) == 0, keywords=draw(st.integers(0, 5)) == 0, annotation=None
    )


@st.composite
def methods(draw: st.DrawFn, name: str, *, is_override: bool) -> Method:
    signature = draw(signatures(template=name != "leaf"))
    texts = st.sampled_from([p.name for p in signature.named] * 4 + ["new()", "None", "zero"])
    onward = {"top": ["mid", "leaf"], "mid": ["leaf"], "leaf": []}[name]
    routes = [("self", target) for target in onward] + ([("super()", name)] if is_override else [])
    calls = []
    if routes:
        for _ in range(draw(st.integers(1, 2))):
            route, target = draw(st.sampled_from(routes))
            keywords = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=2))
            positional = tuple(draw(st.lists(texts, max_size=4)))
            calls.append(Call(route, target, positional, tuple((keyword, draw(texts)) for keyword in keywords)))
    return Method(name, signature, tuple(calls))


@st.composite
def families(draw: st.DrawFn) -> Family:
    classes: list[tuple[int | None, tuple[Method, ...]]] = []
    for index in range(draw(st.integers(1, 3))):
        own = [name for name in ("top", "mid", "leaf") if index == 0 or draw(st.booleans())]
        parent = draw(st.integers(0, index - 1)) if index else None
        classes.append((parent, tuple(draw(methods(name, is_override=index > 0)) for name in own)))
    return Family(tuple(classes))


# The record


@dataclass(eq=False)
class Run:
    """One call: the class that defines what ran, its name, and what its parameters held."""

    owner: type
    method: str
    received: dict[str, Any]
    caller: Run | None
    call: tuple[str, str, int, tuple[str, ...], list[Any]] | None
    pending: tuple[str, str, int, tuple[str, ...], list[Any]] | None = None


@dataclass(eq=False)
class Record:
    runs: list[Run] = field(default_factory=list)
    stack: list[Run] = field(default_factory=list)

    def log(self, _self: object, owner: type, method: str, received: dict[str, Any]) -> Run:
        held = {name: value for name, value in received.items() if name not in ("self", "__class__")}
        caller = self.stack[-1] if self.stack else None
        run = Run(owner, method, held, caller, caller.pending if caller else None)
        self.runs.append(run)
        self.stack.append(run)
        return run

    def made(self, run: Run, *call: Any) -> None:
        run.pending = call  # type: ignore[assignment]

    def done(self, run: Run) -> None:
        del self.stack[self.stack.index(run) + 1 :]


class Thing:
    def __eq__(self, other: object) -> bool:
        raise AssertionError

    __hash__ = object.__hash__


def build(family: Family) -> tuple[dict[str, Any], Record]:
    record = Record()
    pool = [Thing() for _ in range(64)]
    fresh = iter(pool * 4)
    namespace: dict[str, Any] = {
        "log": record.log, "made": record.made, "done": record.done, "new": lambda: next(fresh), **VALUES,
    }  # fmt: skip
    exec(family.source(), namespace)
    return namespace, record


# The naive judge


def held(run: Run) -> list[tuple[str | None, Any]]:
    """Every object that a call received, with the name of its parameter; None in a catch-all. Defaults count as received."""
    found: list[tuple[str | None, Any]] = []
    for name, value in run.received.items():
        if name == "args":
            found += [(None, item) for item in value]
        elif name == "kwargs":
            found += [(None, item) for item in value.values()]
        else:
            found.append((name, value))
    return found


def judged(run: Run) -> list[tuple[str, str]]:
    """What is misbound in this call: (name in the caller, parameter)."""
    caller = run.caller
    if caller is None or run.call is None:
        return []
    before, after = held(caller), held(run)
    names = {
        name: value
        for name, value in before
        if isinstance(value, Thing) and name and sum(1 for _, other in before if other is value) == 1
    }
    moves = {}
    for name, value in names.items():
        slots = [slot for slot, other in after if other is value]
        if len(slots) == 1 and slots[0] is not None and slots[0] != name:
            moves[name] = slots[0]
    return [(name, slot) for name, slot in moves.items() if _is_wrong(run, caller, names, moves, name)]


def _is_wrong(run: Run, caller: Run, names: dict[str, Any], moves: dict[str, str], name: str) -> bool:
    slot = moves[name]
    assert run.call is not None
    route, method, positional, keywords, values = run.call
    value = names[name]
    mro = caller.owner.__mro__ if route == "self" else caller.owner.__mro__[1:]
    seen_owner = next((entry for entry in mro if method in vars(entry)), None)
    callee = inspect.signature(vars(run.owner)[method])
    argument = next(index for index, other in enumerate(values) if other is value)
    is_by_position = argument < positional
    collected = seen_owner is None
    if seen_owner is not None and seen_owner is not run.owner:
        seen = inspect.signature(vars(seen_owner)[method])
        try:
            bound = seen.bind(object(), *values[:positional], **dict(zip(keywords, values[positional:], strict=True)))
        except TypeError:
            bound = None
        for parameter in seen.parameters.values() if bound is not None else ():
            got = bound.arguments.get(parameter.name)  # type: ignore[union-attr]
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                inside = got.values() if isinstance(got, dict) else got or ()
                collected = collected or any(other is value for other in inside)
            elif got is value and parameter.name != slot:
                if parameter.kind is not parameter.POSITIONAL_ONLY:
                    return True
                mine, theirs = [
                    {p.name for p in signature.parameters.values() if p.kind <= p.POSITIONAL_OR_KEYWORD}
                    for signature in (callee, seen)
                ]
                if slot in theirs and parameter.name in mine:
                    return True
    if route == "self" and caller.method == run.method:
        return False
    if _in_a_ring(run, caller, moves, name):
        return True
    hands_on = seen_owner is run.owner and route != "self" and caller.method == run.method
    if not is_by_position or not (collected or hands_on):
        return False
    if name not in callee.parameters or f"_{name}_" in f"_{slot}_":
        return False
    given = _given(run)
    if name not in given:
        return True
    instead = next((other for other, item in names.items() if item is given[name]), None)
    return instead is not None and instead != name and instead in callee.parameters


def _given(run: Run) -> dict[str, Any]:
    """What was passed for each named parameter, without defaults."""
    assert run.call is not None
    _, method, positional, keywords, values = run.call
    signature = inspect.signature(vars(run.owner)[method])
    bound = signature.bind(object(), *values[:positional], **dict(zip(keywords, values[positional:], strict=True)))
    return {
        name: value
        for name, value in bound.arguments.items()
        if name != "self"
        and signature.parameters[name].kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    }


def _in_a_ring(run: Run, caller: Run, moves: dict[str, str], name: str) -> bool:
    slot, given = moves[name], _given(run)
    passed = dict(caller.received) if caller.caller is None or caller.call is None else _given(caller)
    if name in given and slot in passed and not isinstance(given[name], Thing) and given[name] is passed[slot]:
        return True
    for _ in range(len(moves)):
        if slot == name:
            return True
        slot = moves.get(slot, "")
    return False


Told = list[tuple[str, str, str]]


def guarded(family: Family, number: int, count: int, aliases: Any = frozenset()) -> Told:
    namespace, _ = build(family)
    found: Told = []

    def note(error: MisboundArgumentError) -> None:
        assert error.misbinding is not None
        found.append((error.misbinding.callee.owner, error.misbinding.parameter or "", error.misbinding.lands_in))

    things = [Thing() for _ in range(count)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MisboundArgumentWarning)
        with guarding(namespace["C0"], mode="warn", report=note, aliases=aliases), contextlib.suppress(TypeError):
            namespace[f"C{number}"]().top(*things)
    return found


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(families(), st.integers(0, 2), st.integers(2, 4))
def test_the_guard_says_what_the_record_says(family: Family, number: int, count: int) -> None:
    number = min(number, len(family.classes) - 1)
    namespace, record = build(family)
    with contextlib.suppress(TypeError):
        namespace[f"C{number}"]().top(*[Thing() for _ in range(count)])
    expected = [(run.owner.__name__, *move) for run in record.runs for move in judged(run)]
    assert sorted(guarded(family, number, count)) == sorted(expected)
    if expected:
        _, name, slot = expected[0]
        left = [told for told in expected if told[1:] != (name, slot)]
        assert sorted(guarded(family, number, count, alias(**{slot: name}))) == sorted(left)


def test_the_strategy_is_not_idle() -> None:
    """Enough of the families misbind, in each of the ways."""
    seen: set[bool] = set()

    @settings(
        deadline=None, max_examples=200, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(families())
    def draw(family: Family) -> None:
        namespace, record = build(family)
        try:
            namespace[f"C{len(family.classes) - 1}"]().top(*[Thing() for _ in range(3)])
        except TypeError:
            return
        seen.add(any(judged(run) for run in record.runs))

    draw()
    assert seen == {True, False}
    with pytest.raises(AssertionError):
        assert Thing() == Thing()
