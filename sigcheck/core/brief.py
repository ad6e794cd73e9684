"""Findings as a report needs them: classes and members by name and place. Imports `diagnostic`, `member` and `module`.

A finding of a check leads to the whole tree of classes. Who keeps a report need not keep that.
"""

from __future__ import annotations

from typing import Any, TypeVar

from sigcheck.core.callsite import CallSite
from sigcheck.core.dataclass import fields, is_dataclass, replace
from sigcheck.core.member import Member
from sigcheck.core.module import Class, Problem, Suppression
from sigcheck.core.place import Place
from sigcheck.core.signature import Signature

T = TypeVar("T")

_SHORT = frozenset({str, int, bool, type(None), CallSite, Place, Problem, Signature, Suppression})
"""Types of which no value holds a class or a member."""


def brief(value: T) -> T:
    """A diagnostic, a finding or a part of one: the same, with classes that have no members, and members that have no calls.

    What was one object in it stays one.
    """
    return _brief(value, {})


def _brief(value: T, known: dict[int, Any]) -> T:
    if type(value) in _SHORT:
        return value
    short: Any = known.get(id(value))
    if short is not None:
        return short  # type: ignore[no-any-return]
    short = value
    if isinstance(value, Class):
        short = Class(value.id, value.name, value.place, value.last_line, (), ())
    elif isinstance(value, Member):
        short = replace(value, calls=(), assigns=(), probes=(), wrappers=(), decorations=())
    elif isinstance(value, tuple):
        short = tuple([_brief(part, known) for part in value])
    elif is_dataclass(value) and not isinstance(value, type):
        changes = {}
        for field in fields(value):
            part = getattr(value, field.name)
            new = _brief(part, known)
            if new is not part and new != part:
                changes[field.name] = new
        short = replace(value, **changes) if changes else value
    known[id(value)] = short
    return short  # type: ignore[no-any-return]
