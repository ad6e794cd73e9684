"""Signatures: from a code object, or from an `inspect.Signature`. Annotations and defaults are not evaluated."""

from __future__ import annotations

import inspect
from types import FunctionType

from sigcheck.core.signature import Kind, Parameter, Signature


def read_signature(signature: inspect.Signature) -> Signature:
    """An `inspect.Signature` as a value.

    Annotations and defaults become their `repr`, or the source text of a string annotation.
    """
    return Signature.of(_parameter(parameter) for parameter in signature.parameters.values())


def _parameter(parameter: inspect.Parameter) -> Parameter:
    kind = Kind(int(parameter.kind))
    empty = inspect.Parameter.empty
    variadic = kind in (Kind.VAR_POSITIONAL, Kind.VAR_KEYWORD)
    return Parameter(
        parameter.name,
        kind,
        required=parameter.default is empty and not variadic,
        annotation=None if parameter.annotation is empty else annotation_text(parameter.annotation),
        default=None if parameter.default is empty else repr(parameter.default),
    )


def annotation_text(annotation: object) -> str:
    """An annotation as it may have been written; `?` for one that cannot even be shown."""
    try:
        return inspect.formatannotation(annotation)
    except Exception:  # noqa: BLE001 - the `repr` of anybody's object
        return "?"


def written_signature(function: FunctionType) -> Signature:
    """The parameters of a `def` or `lambda`, the receiver included, as its code object has them.

    What was mangled has its written name again, and leading `__names` are positional-only, as in PEP 484. Annotations are
    kept of catch-alls alone, where they can mean that nothing is promised; of defaults, only that they are there.
    """
    code = function.__code__
    prefix = _mangling(function)
    names = code.co_varnames
    positional, only = code.co_argcount, code.co_posonlyargcount
    first_optional = positional - len(function.__defaults__ or ())
    written = [_unmangled(name, prefix) for name in names[: positional + code.co_kwonlyargcount]]
    if not only:
        only = _legacy_positional(written[:positional])
    found = [
        Parameter(name, Kind.POSITIONAL_ONLY if index < only else Kind.POSITIONAL_OR_KEYWORD, index < first_optional)
        for index, name in enumerate(written[:positional])
    ]
    index = positional + code.co_kwonlyargcount
    if code.co_flags & inspect.CO_VARARGS:
        found.append(_catch_all(function, names[index], Kind.VAR_POSITIONAL, prefix))
        index += 1
    optional = function.__kwdefaults__ or {}
    found += [
        Parameter(written[place], Kind.KEYWORD_ONLY, names[place] not in optional)
        for place in range(positional, positional + code.co_kwonlyargcount)
    ]
    if code.co_flags & inspect.CO_VARKEYWORDS:
        found.append(_catch_all(function, names[index], Kind.VAR_KEYWORD, prefix))
    return Signature(tuple(found))


def _catch_all(function: FunctionType, name: str, kind: Kind, prefix: str) -> Parameter:
    annotation = annotations_of(function).get(name)
    return Parameter(_unmangled(name, prefix), kind, False, None if annotation is None else annotation_text(annotation))


def annotations_of(function: FunctionType) -> dict[str, object]:
    """The annotations as they are; none where they are evaluated on demand and fail."""
    try:
        return function.__annotations__
    except Exception:  # noqa: BLE001 - Python 3.14 runs the expressions now
        return {}


def _mangling(function: FunctionType) -> str:
    """What the compiler puts in front of `__name` in the class in which the function stands; empty outside of classes."""
    owner = function.__qualname__.rpartition(".")[0].rpartition(".")[2].lstrip("_")
    return f"_{owner}__" if owner and owner != "<locals>" else ""


def _unmangled(name: str, prefix: str) -> str:
    return name[len(prefix) - 2 :] if prefix and name.startswith(prefix) and not name.endswith("__") else name


def _legacy_positional(names: list[str]) -> int:
    """How many parameters the spelling `__name` makes positional-only: those in front, with the receiver before them."""
    start = 1 if names and not _is_legacy(names[0]) else 0
    end = start
    while end < len(names) and _is_legacy(names[end]):
        end += 1
    return end if end > start else 0


def _is_legacy(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")


_EXECUTION = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR | inspect.CO_ITERABLE_COROUTINE


def extends(function: FunctionType, other: FunctionType) -> bool:
    """Behind the receiver, a function has the parameters of another in their places, and at most optional ones more.

    Then it accepts every call that the other accepts, and binds it alike. This is quick, and settles most overrides without a
    `Signature`: it looks at the two code objects. False says nothing.
    """
    mine, theirs = function.__code__, other.__code__
    slots, their_slots = mine.co_argcount, theirs.co_argcount
    names, their_names = mine.co_varnames, theirs.co_varnames
    required = slots - len(function.__defaults__ or ())
    if (
        mine.co_posonlyargcount != theirs.co_posonlyargcount
        or slots < their_slots
        or names[1:their_slots] != their_names[1:their_slots]
        or required > their_slots - len(other.__defaults__ or ())
        or (mine.co_flags ^ theirs.co_flags) & _EXECUTION
    ):
        return False
    if theirs.co_flags & inspect.CO_VARARGS and not (mine.co_flags & inspect.CO_VARARGS and slots == their_slots):
        return False  # What is left for `*args` must not fall into a slot that a keyword names as well.
    if theirs.co_flags & inspect.CO_VARKEYWORDS and not mine.co_flags & inspect.CO_VARKEYWORDS:
        return False
    if not mine.co_kwonlyargcount and not theirs.co_kwonlyargcount:
        return True
    keywords = names[slots : slots + mine.co_kwonlyargcount]
    their_keywords = their_names[their_slots : their_slots + theirs.co_kwonlyargcount]
    optional, their_optional = function.__kwdefaults__ or {}, other.__kwdefaults__ or {}
    return {*their_keywords} <= {*keywords, *names[their_slots:slots]} and all(
        name in optional or (name in their_keywords and name not in their_optional) for name in keywords
    )
