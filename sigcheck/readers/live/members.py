"""What a class binds a name to, read from its `__dict__`: never by a lookup, which would run descriptors."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Mapping
from types import CodeType, FunctionType, MethodType

from sigcheck.core.annotation import is_async_iterator, is_callable, may_be_awaitable
from sigcheck.core.member import Alias, Flavour, Member
from sigcheck.core.module import TypedField
from sigcheck.core.place import Place
from sigcheck.readers.live.bodies import read_body
from sigcheck.readers.live.dictionaries import unpacked_fields
from sigcheck.readers.live.namespaces import defines
from sigcheck.readers.live.signatures import annotation_text, annotations_of
from sigcheck.readers.live.wrappers import accepted_signature, is_cache, unwrapped


def read_member(name: str, value: object, place: Place, *, bodies: bool = True) -> Member:
    """What `value` is under a name of a class.

    Args:
        name: as looked up.
        value: from the `__dict__` of the class.
        place: where the class is; used for what has no code of its own.
        bodies: look into bodies to tell a plain function from one that may give something to await; it takes its time.

    Returns:
        The member. That `**kwargs` unpacks a `TypedDict` is all that its `unpacks` tells: `member_fields` has the keys.
    """
    match value:
        case None:
            return Member(name, Flavour.NONE, place, place.line)
        case staticmethod() | classmethod():
            flavour = Flavour.STATIC if isinstance(value, staticmethod) else Flavour.CLASS
            return _callable(name, value.__func__, flavour, place, bodies=bodies)
        case property():
            return _property(name, value, place)
        case functools.cached_property():
            return Member(name, Flavour.CACHED_PROPERTY, _place(value.func, place), place.line)
        case functools.partialmethod():
            inner = read_member(name, value.func, place, bodies=bodies)
            alias = Alias((), len(value.args), tuple(value.keywords))
            return inner.called_as(name, inner.place, inner.last_line, (), alias)
        case functools.singledispatchmethod():
            return read_member(name, value.func, place, bodies=bodies)
        case FunctionType():
            return _callable(name, value, Flavour.INSTANCE, place, bodies=bodies)
        case functools.partial() if sys.version_info < (3, 14):
            return _callable(name, value, Flavour.FUNCTION, place, bodies=bodies)
        case _ if is_cache(value):
            return _callable(name, value, Flavour.INSTANCE, place, bodies=bodies)
        case _ if defines(type(value), "__get__") and not isinstance(value, MethodType):
            return Member(name, Flavour.OPAQUE, place, place.line)
        case _:
            # An object that can be called gets no receiver, whatever it is looked up on.
            return _callable(name, value, Flavour.FUNCTION, place, bodies=bodies)


def is_synthesised(namespace: Mapping[str, object], value: object) -> bool:
    """`dataclass` or `attrs` wrote the method, of text of their own, for the class of that `__dict__`."""
    if "__dataclass_fields__" not in namespace and "__attrs_attrs__" not in namespace:
        return False
    return isinstance(value, FunctionType) and value.__code__.co_filename.startswith("<")


def member_fields(value: object) -> tuple[TypedField, ...] | None:
    """The keys of the `TypedDict` that `**kwargs` of a method unpacks; `value` is from the `__dict__` of its class."""
    function = unwrapped(value.__func__ if isinstance(value, (staticmethod, classmethod)) else value)
    return unpacked_fields(function) if function is not None else None


def _callable(name: str, value: object, flavour: Flavour, place: Place, *, bodies: bool) -> Member:
    signature = accepted_signature(value)
    where = _place(value, place)
    if signature is None:
        return Member(name, Flavour.OPAQUE, where, where.line)
    function = unwrapped(value)
    unpacks = ("?",) if function is not None and unpacked_fields(function) is not None else ()
    return Member(
        name, flavour, where, where.line, signature, is_coroutine=_is_coroutine(value, bodies=bodies), unpacks=unpacks
    )


def _property(name: str, value: property, place: Place) -> Member:
    where = _place(value.fget, place)
    returns = _returns_callable(value.fget)
    has_setter = value.fset is not None
    return Member(name, Flavour.PROPERTY, where, where.line, returns_callable=returns, has_setter=has_setter)


def _place(value: object, otherwise: Place) -> Place:
    """Where the code of a function begins: its first decorator, or its `def`."""
    function = unwrapped(value)
    return otherwise if function is None else place_of(function.__code__)


def place_of(code: CodeType) -> Place:
    """The first line of a code object, without a column: it keeps none."""
    line = max(code.co_firstlineno, 1)
    return Place(code.co_filename, line, 1, line, 1)


def _is_coroutine(value: object, *, bodies: bool) -> bool | None:
    """Whether a call gives a coroutine; None where the code leaves it open."""
    function = value.__func__ if isinstance(value, MethodType) else value
    if not isinstance(function, FunctionType):
        return None
    flags = function.__code__.co_flags
    annotation = _return_annotation(function)
    if flags & inspect.CO_COROUTINE:
        return None if annotation is not None and is_async_iterator(annotation) else True
    if flags & inspect.CO_ITERABLE_COROUTINE:
        return None
    if flags & inspect.CO_ASYNC_GENERATOR:
        return False
    if annotation is not None:
        return None if may_be_awaitable(annotation) else False
    if flags & inspect.CO_GENERATOR:
        return False
    if not bodies:
        return None
    body = read_body(function.__code__)
    return None if body.is_stub or body.returns_unknown_value else False


def _returns_callable(getter: object) -> bool | None:
    if not isinstance(getter, FunctionType):
        return None
    annotation = _return_annotation(getter)
    if annotation is not None:
        return is_callable(annotation)
    return False if read_body(getter.__code__).returns_plain_value else None


def _return_annotation(function: FunctionType) -> str | None:
    annotations = annotations_of(function)
    return annotation_text(annotations["return"]) if "return" in annotations else None
