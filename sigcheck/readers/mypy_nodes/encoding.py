"""Core values as JSON and back, checked on the way in: what a file says is believed only where the types fit.

No code is stored and none is run: a cache that someone tampered with is at worst refused. Imports nothing of sigcheck.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")
_Coder = Callable[[Any], Any]


def encode(value: object) -> bytes:
    """A dataclass, and all it holds, as JSON: each dataclass a list of its fields, in order."""
    return json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def decode(kind: type[T], data: bytes) -> T:
    """The value that `encode` wrote.

    Raises:
        ValueError: the data is no JSON, or does not fit the types of `kind`.
    """
    try:
        content = json.loads(data.decode("utf-8", "surrogatepass"))
        value: T = _decoder(typing.cast("Any", kind))(content)
    except (RecursionError, TypeError, KeyError, OverflowError) as error:
        raise ValueError(str(error)) from None
    return value


_ATOMS = frozenset({str, int, float, bool, type(None)})


def _plain(value: Any) -> object:
    kind: Any = type(value)
    return value if kind in _ATOMS else _encoder(kind)(value)


@cache
def _encoder(kind: Any) -> _Coder:
    """How to write a value of a type. Most values are atoms: they are not even asked."""
    if issubclass(kind, Enum):
        return lambda value: value.value
    if issubclass(kind, tuple):
        return lambda value: [entry if type(entry) in _ATOMS else _plain(entry) for entry in value]
    if issubclass(kind, Mapping):
        return lambda value: {key: _plain(entry) for key, entry in value.items()}
    if dataclasses.is_dataclass(kind):
        names = _fields(typing.cast("Any", kind))
        if len(names) == 1:
            return lambda value: [_plain(getattr(value, names[0]))]
        fields = attrgetter(*names)
        return lambda value: [entry if type(entry) in _ATOMS else _plain(entry) for entry in fields(value)]
    return lambda value: value


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


@cache
def _decoder(kind: Any) -> _Coder:
    """How to read a value of a type back."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _dataclass_decoder(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if origin in (typing.Union, types.UnionType):
        (inner,) = (argument for argument in arguments if argument is not type(None))
        optional = _decoder(inner)
        return lambda content: None if content is None else optional(content)
    if origin is tuple:
        if arguments[-1] is ...:
            entry = _decoder(arguments[0])
            return lambda content: tuple([entry(part) for part in _checked(content, list)])
        coders = [_decoder(argument) for argument in arguments]
        return lambda content: tuple([coder(part) for coder, part in zip(coders, content, strict=True)])
    if origin is not None and issubclass(origin, Mapping):
        part = _decoder(arguments[1])
        return lambda content: {key: part(entry) for key, entry in _checked(content, dict).items()}
    return lambda content: _checked(content, kind)


def _dataclass_decoder(kind: Any) -> _Coder:
    hints = typing.get_type_hints(kind)
    coders = [_decoder(hints[name]) for name in _fields(kind)]

    def decode_dataclass(content: Any) -> Any:
        parts = _checked(content, list)
        return kind(*[coder(part) for coder, part in zip(coders, parts, strict=True)])

    return decode_dataclass


def _checked(content: Any, kind: type) -> Any:
    if type(content) is not kind:
        message = f"{kind.__name__} expected, not {type(content).__name__}"
        raise ValueError(message)
    return content
