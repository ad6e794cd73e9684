# mypy: disable-error-code="unused-ignore"
"""Random families really run: the guard speaks exactly when an independent record of who received what says so.

The record is made by bodies that log what they received, in classes that nothing guards. It is judged here, naively and with
`inspect.Signature.bind`: no code is shared with the guard.
"""

from __future__ import annotations

import collections
import contextlib
import inspect
import warnings
from dataclasses import dataclass, field
from typing import Any

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
def signatures(draw: st.DrawFn, *, least: int) -> Signature:
    names = draw(st.permutations(NAMES))[: draw(st.integers(least, 4))]
    kinds = sorted(draw(st.sampled_from([1, 1, 1, 1, 1, 1, 0, 3])) for _ in names)
    optional = draw(st.integers(0, 4))
    parameters = [
        Parameter(name, Kind(kind), is_required, default=None if is_required else "None")
        for index, (name, kind) in enumerate(zip(names, kinds, strict=True))
        for is_required in [index < optional]
    ]
    rest, keywords = draw(st.integers(0, 7)) == 0, draw(st.integers(0, 7)) == 0
    return assemble(parameters, rest=rest, keywords=keywords, annotation=None)


@st.composite
def calls(draw: st.DrawFn, caller: Signature, callee: Signature, route: str, method: str) -> Call:
    """A call that the definition its author sees mostly accepts."""
    slots = callee.positional
    texts = st.sampled_from([p.name for p in caller.named] * 5 + ["new()", "None", "zero"])
    mine = draw(st.permutations([p.name for p in caller.named]))
    count = draw(st.integers(sum(1 for slot in slots if slot.required), len(slots)))
    keywords = [p.name for p in callee.named if not p.is_positional and (p.required or draw(st.booleans()))]
    if count and slots[count - 1].is_keyword and draw(st.integers(0, 3)) == 0:
        count -= 1
        keywords.append(slots[count].name)
    if callee.var_positional is not None or draw(st.integers(0, 9)) == 0:
        count += draw(st.integers(0, 2))
    values = [*mine, *(draw(texts) for _ in range(count + len(keywords)))]
    if draw(st.integers(0, 1)):
        values = [draw(texts) for _ in values]
    positional = tuple(values[:count])
    return Call(route, method, positional, tuple(zip(keywords, values[count:], strict=False)))


@st.composite
def families(draw: st.DrawFn) -> Family:
    classes: list[tuple[int | None, dict[str, Signature]]] = []
    seen: list[dict[str, Signature]] = []
    for index in range(draw(st.integers(1, 3))):
        parent = draw(st.integers(0, index - 1)) if index else None
        names = [name for name in ("top", "mid", "leaf") if index == 0 or draw(st.booleans())]
        own = {name: draw(signatures(least=1 if name == "leaf" else 2)) for name in names}
        classes.append((parent, own))
        seen.append({**(seen[parent] if parent is not None else {}), **own})
    return Family(
        tuple(
            (
                parent,
                tuple(
                    draw(methods(name, signature, seen[index], None if parent is None else seen[parent]))
                    for name, signature in own.items()
                ),
            )
            for index, (parent, own) in enumerate(classes)
        )
    )


@st.composite
def methods(
    draw: st.DrawFn, name: str, signature: Signature, seen: dict[str, Signature], above: dict[str, Signature] | None
) -> Method:
    # `top` calls `mid` and `leaf`, `mid` calls `leaf`, and each what it overrides: every run ends.
    targets = {"top": ["mid", "leaf"], "mid": ["leaf"], "leaf": []}[name]
    routes = [("self", target, seen[target]) for target in targets]
    if above is not None:
        routes.append(("super()", name, above[name]))
    made = []
    for _ in range(draw(st.integers(1, 2)) if routes else 0):
        route, target, callee = draw(st.sampled_from(routes))
        made.append(draw(calls(signature, callee, route, target)))
    return Method(name, signature, tuple(made))


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


def start(owner: type, things: list[Thing]) -> None:
    """Call `top` with an object for each parameter."""
    parameters = list(inspect.signature(vars(owner).get("top") or owner.top).parameters.values())[1:]  # type: ignore[attr-defined]
    left = iter(things)
    args = [next(left) for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD]
    kwargs = {p.name: next(left) for p in parameters if p.kind == p.KEYWORD_ONLY}
    owner().top(*args, **kwargs)  # type: ignore[attr-defined]


Told = list[tuple[str, str, str]]


def guarded(family: Family, number: int, aliases: Any = frozenset(), *, causes: bool = False) -> Told:
    namespace, _ = build(family)
    found: Told = []

    def note(error: MisboundArgumentError) -> None:
        assert error.misbinding is not None
        where = type(error.misbinding.cause).__name__ if causes else error.misbinding.callee.owner
        found.append((where, error.misbinding.parameter or "", error.misbinding.lands_in))

    things = [Thing() for _ in range(4)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MisboundArgumentWarning)
        with guarding(namespace["C0"], mode="warn", report=note, aliases=aliases), contextlib.suppress(TypeError):
            start(namespace[f"C{number}"], things)
    return found


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(families(), st.integers(0, 2))
def test_the_guard_says_what_the_record_says(family: Family, number: int) -> None:
    number = min(number, len(family.classes) - 1)
    namespace, record = build(family)
    with contextlib.suppress(TypeError):
        start(namespace[f"C{number}"], [Thing() for _ in range(4)])
    expected = [(run.owner.__name__, *move) for run in record.runs for move in judged(run)]
    assert sorted(guarded(family, number)) == sorted(expected)
    if expected:
        _, name, slot = expected[0]
        left = [told for told in expected if told[1:] != (name, slot)]
        assert sorted(guarded(family, number, alias(**{slot: name}))) == sorted(left)


def test_the_families_are_no_idle_ones() -> None:
    """Calls are made, and of these enough misbind, in each of the ways, and enough do not."""
    seen: collections.Counter[str] = collections.Counter()

    @settings(
        deadline=None, max_examples=150, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(families())
    def draw(family: Family) -> None:
        namespace, record = build(family)
        with contextlib.suppress(TypeError):
            start(namespace[f"C{len(family.classes) - 1}"], [Thing() for _ in range(4)])
        seen["calls"] += sum(run.caller is not None for run in record.runs)
        for told in guarded(family, len(family.classes) - 1, causes=True):
            seen[told[0]] += 1

    draw()
    assert seen["calls"] > 150
    assert min(seen[cause] for cause in ("Strayed", "Exchanged", "Displaced")) >= 3, seen
