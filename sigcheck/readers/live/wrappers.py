"""What a callable really accepts: a wrapper that hands on exactly what it got accepts what it wraps, any other what it says.

That a wrapper hands on exactly is shown from its instructions, or it is not believed. `functools.wraps` proves nothing: it
copies a name, and sets `__wrapped__` also where arguments are added or dropped on the way.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Iterator, Sequence
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any

from sigcheck.core.signature import Kind, Parameter, Signature
from sigcheck.readers.live.instructions import Step, steps_of
from sigcheck.readers.live.namespaces import members_of, order_of
from sigcheck.readers.live.signatures import read_signature, written_signature


class StandIn:
    """A callable that takes the place of a function and hands everything on to it.

    Attributes:
        function: what it stands for.
    """

    function: Any  # a `FunctionType` here would be taken for a method


_STAND_INS: dict[CodeType, str] = {}


def is_stand_in(code: CodeType, variable: str) -> None:
    """Functions with this code hand on exactly what they got to that variable of theirs, whatever else they do."""
    _STAND_INS[code] = variable


_CACHE = type(functools.lru_cache(lambda: None))
_MOST_WRAPPERS = 32
"""Wrappers around wrappers; what is deeper down, or in a circle, is not followed."""


def accepted_signature(value: object) -> Signature | None:
    """The parameters with which a callable can really be called, the receiver included; None where nothing is known.

    A `__signature__` is taken at its word, as `inspect.signature` takes it. C functions, classes and objects whose class does
    not define `__call__` in Python are unknown.
    """
    value = _innermost(value)
    match value:
        case FunctionType():
            declared = value.__dict__.get("__signature__")
            return read_signature(declared) if isinstance(declared, inspect.Signature) else written_signature(value)
        case MethodType():
            inner = accepted_signature(value.__func__)
            return inner.without_receiver() if inner is not None else None
        case functools.partial():
            return _partial_signature(value)
        case type():
            return None
        case _:
            call = _call_of(value)
            return accepted_signature(MethodType(call, value)) if call is not None else None


def _call_of(value: object) -> FunctionType | None:
    """`__call__` of an object, where its class has one that is written in Python."""
    for entry in order_of(type(value)):
        found = members_of(entry).get("__call__")
        if found is not None:
            return found if isinstance(found, FunctionType) else None
    return None


def is_as_written(function: FunctionType) -> bool:
    """What the function's own parameters say is what it accepts: it hands on nothing that it collects unseen."""
    return not _collects_all(function.__code__) and "__signature__" not in function.__dict__


def is_cache(value: object) -> bool:
    """`functools.cache` or `lru_cache` made it: it is bound as a function is."""
    return type(value) is _CACHE


def unwrapped(value: object) -> FunctionType | None:
    """The function whose parameters count: behind caches, bound methods, partial applications and exact wrappers."""
    for _ in range(_MOST_WRAPPERS):
        value = _innermost(value)
        match value:
            case FunctionType():
                return value
            case MethodType():
                value = value.__func__
            case functools.partial():
                value = value.func
            case _:
                return None
    return None


def _innermost(value: object) -> object:
    for _ in range(_MOST_WRAPPERS):
        onward = _handed_on_to(value)
        if onward is None:
            return value
        value = onward
    return None


def _handed_on_to(value: object) -> object | None:
    """What gets exactly the arguments that `value` is called with; None where it takes them itself, or nobody can tell."""
    if is_cache(value):
        return getattr(value, "__wrapped__", None)
    if isinstance(value, StandIn):
        function: FunctionType = value.function
        return function
    if isinstance(value, FunctionType) and value.__code__ in _STAND_INS:
        return _contents(value).get(_STAND_INS[value.__code__])
    if not isinstance(value, FunctionType) or "__signature__" in value.__dict__ or not _collects_all(value.__code__):
        return None
    if value.__code__ in _context_managers():
        return _contents(value).get("func")
    cells = _contents(value)
    name = _exact_callee(value.__code__)
    return cells.get(name) if name is not None else None


def _collects_all(code: CodeType) -> bool:
    """It takes `*args, **kwargs`, or these behind a receiver."""
    both = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
    return code.co_flags & both == both and code.co_argcount <= 1 and not code.co_kwonlyargcount


def _contents(function: FunctionType) -> dict[str, object]:
    """The variables that the function has from around it."""
    cells: tuple[CellType, ...] = function.__closure__ or ()
    found: dict[str, object] = {}
    for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
        with contextlib.suppress(ValueError):  # empty: not bound yet
            found[name] = cell.cell_contents
    return found


@functools.cache
def _context_managers() -> frozenset[CodeType]:
    """The wrappers that `contextmanager` and `asynccontextmanager` make: they keep the arguments for the generator."""
    makers = (contextlib.contextmanager, contextlib.asynccontextmanager)
    return frozenset(
        constant for maker in makers for constant in maker.__code__.co_consts if isinstance(constant, CodeType)
    )


@functools.lru_cache(maxsize=4096)
def _exact_callee(code: CodeType) -> str | None:
    """The free variable that is called with exactly the arguments of this code; None where that is not certain.

    Certain it is only if nothing else is done with the catch-alls, but to show them or to look at one of `args`: what is
    bound again, captured, counted or handed to another may have been changed, or may decide on another way to go.
    """
    receiver = code.co_varnames[: code.co_argcount]
    args, kwargs = code.co_varnames[code.co_argcount : code.co_argcount + 2]
    own = {*receiver, args, kwargs}
    steps = list(steps_of(code))
    if any(step.name.startswith(("STORE_", "DELETE_")) and step.value in own for step in steps):
        return None
    shape = _exact_call(receiver, args, kwargs)
    callees: set[str] = set()
    explained: set[int] = set()
    for index, step in enumerate(steps):
        window = range(index + 1, index + 1 + len(shape))
        if step.name == "LOAD_DEREF" and _is_window(steps, window, shape):
            callees.add(step.value)
            explained |= {index, *window}
    for index, step in enumerate(steps):
        if index in explained:
            continue
        if (step.name, step.value) == ("LOAD_GLOBAL", "TypeError"):
            return None  # What does not fit is perhaps tried in another way.
        if step.name == "STORE_DEREF" and step.value in callees:
            return None
        if step.name == "LOAD_FAST" and step.value in (args, kwargs) and not _is_shown(steps, index, args):
            return None
        if step.name == "LOAD_DEREF" and step.value in callees and _name(steps, index + 1) != "LOAD_ATTR":
            return None
    return callees.pop() if len(callees) == 1 else None


def _is_window(steps: Sequence[Step], window: range, shape: Sequence[tuple[str, object]]) -> bool:
    if window.stop > len(steps):
        return False
    return all(
        steps[index].name == name and (value is _ANY or steps[index].value == value)
        for index, (name, value) in zip(window, shape, strict=True)
    )


def _is_shown(steps: Sequence[Step], index: int, args: str) -> bool:
    """The catch-all goes into a string; or one positional argument is looked at."""
    if _name(steps, index + 1) in ("FORMAT_VALUE", "FORMAT_SIMPLE", "CONVERT_VALUE"):
        return True
    if steps[index].value != args or index + 2 >= len(steps):
        return False
    item, look = steps[index + 1 : index + 3]
    return item.name == "LOAD_CONST" and type(item.value) is int and look.name == "BINARY_SUBSCR"


def _name(steps: Sequence[Step], index: int) -> str:
    return steps[index].name if index < len(steps) else ""


_ANY = object()


def _exact_call(receiver: Sequence[str], args: str, kwargs: str) -> list[tuple[str, object]]:
    """The instructions between `function` and the result of `function(receiver, *args, **kwargs)`."""
    positional: list[tuple[str, object]] = [("LOAD_FAST", args)]
    if receiver:
        positional = [
            ("LOAD_FAST", receiver[0]),
            ("BUILD_LIST", 1),
            ("LOAD_FAST", args),
            ("LIST_EXTEND", 1),
            ("LIST_TO_TUPLE", _ANY),
        ]
    keywords: list[tuple[str, object]] = [("BUILD_MAP", 0), ("LOAD_FAST", kwargs), ("DICT_MERGE", 1)]
    return [*positional, *keywords, ("CALL_FUNCTION_EX", _ANY)]


def _partial_signature(value: functools.partial[object]) -> Signature | None:
    """What is left to be given; None where what is supplied does not fit, or what it is supplied to is unknown."""
    inner = accepted_signature(value.func)
    if inner is None:
        return None
    return Signature.of(sorted(_left(inner, len(value.args), value.keywords), key=lambda parameter: parameter.kind))


def _left(inner: Signature, positional: int, keywords: dict[str, object]) -> Iterator[Parameter]:
    only_keyword = False
    for parameter in inner.parameters:
        if positional and parameter.is_positional:
            positional -= 1
        elif parameter.name in keywords and parameter.is_keyword:
            # It may still be given, by keyword; so may everything behind it, and only so.
            only_keyword = True
            yield Parameter(parameter.name, Kind.KEYWORD_ONLY, False)
        elif only_keyword and parameter.kind is Kind.POSITIONAL_OR_KEYWORD:
            yield Parameter(parameter.name, Kind.KEYWORD_ONLY, parameter.required)
        elif not (only_keyword and parameter.kind is Kind.VAR_POSITIONAL):
            yield parameter
