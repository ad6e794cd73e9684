"""A quick look at a new class: most keep every promise, and are let go at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import CO_VARARGS
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType

from sigcheck.core.member import Flavour
from sigcheck.core.place import Place
from sigcheck.readers.live import bases_of, is_synthesised, members_of, order_of, read_member
from sigcheck.readers.live.signatures import extends
from sigcheck.readers.live.wrappers import is_as_written


def is_doubtful(owner: type, promising: Sequence[type], names: Callable[[str], bool]) -> bool:
    """Some member of a class, or one that it inherits, may break a promise. False is certain.

    Args:
        owner: the class.
        promising: the classes above whose promises count.
        names: whether methods of a name count.
    """
    promises = [members_of(entry) for entry in promising]
    own = members_of(owner)
    for name, override in own.items():
        for theirs in promises:
            base = theirs.get(name, _ABSENT)
            if base is override or type(base) in _INERT or not names(name):
                continue
            if _may_break(name, override, base) and not (is_synthesised(own, override) or is_synthesised(theirs, base)):
                return True
    return len(bases_of(owner)) > 1 and _may_shadow(owner, promising, names)


def _may_shadow(owner: type, promising: Sequence[type], names: Callable[[str], bool]) -> bool:
    """What a class inherits from one base may break the promise of another."""
    order = order_of(owner)
    namespaces = [members_of(entry) for entry in order]
    own = namespaces[0]
    for index, entry in enumerate(order):
        if not any(entry is known for known in promising):
            continue
        for name, base in namespaces[index].items():
            if name in own or not names(name):
                continue
            runs = next(space for space in namespaces if name in space)
            override = runs[name]
            if override is base or type(base) in _INERT or is_synthesised(runs, override):
                continue
            if _may_break(name, override, base) and not is_synthesised(namespaces[index], base):
                return True
    return False


class _Absent:
    """The class has no such name."""


_ABSENT = _Absent()
_NOWHERE = Place("", 1, 1, 1, 1)
_INERT = frozenset(
    {_Absent, str, int, bool, float, tuple, list, dict, set, type(None), GetSetDescriptorType, MemberDescriptorType}
)
"""Types of values that promise nothing to callers."""


def _may_break(name: str, override: object, base: object) -> bool:
    mine, theirs = override, base
    if type(mine) is type(theirs) and isinstance(mine, (staticmethod, classmethod)):
        mine, theirs = mine.__func__, theirs.__func__  # type: ignore[attr-defined]
    if type(mine) is FunctionType and type(theirs) is FunctionType and _keeps_plainly(mine, theirs, type(override)):
        return False
    promised = read_member(name, base, _NOWHERE, bodies=False)
    if promised.flavour is Flavour.FUNCTION:
        return False  # An object in an attribute. Where it overrides a method it is held to that; it promises nothing itself.
    from sigcheck.core.overriding import breaks  # noqa: PLC0415 - half of what importing the guard would take

    received = read_member(name, override, _NOWHERE, bodies=False)
    if promised.unpacks:
        return True
    if promised.is_coroutine or received.is_coroutine:
        promised, received = read_member(name, base, _NOWHERE), read_member(name, override, _NOWHERE)
    return bool(breaks(received, promised, base_signatures=promised.bound_signatures()))


def _keeps_plainly(function: FunctionType, other: FunctionType, binding: type) -> bool:
    """Two functions that accept what they say, and the one extends the other."""
    if not (is_as_written(function) and is_as_written(other) and extends(function, other)):
        return False
    code = function.__code__
    if binding is staticmethod:  # The first parameter is one like the others.
        return code.co_varnames[: code.co_argcount][:1] == other.__code__.co_varnames[: other.__code__.co_argcount][:1]
    return bool(code.co_argcount or code.co_flags & CO_VARARGS) and other.__code__.co_argcount > 0
