"""Core values on their way between two processes of one run: as nested tuples, which `marshal` writes and reads fastest.

Nothing of this is kept: what is stored between runs is `serialization`'s, which believes nothing. Imports nothing of sigcheck.
"""

from __future__ import annotations

import marshal
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

from sigcheck.core import dataclass as dataclasses

T = TypeVar("T")
_Coder = Callable[[Any], Any]


def pack(kind: Any, value: Any) -> bytes:
    """A value of a type (`list[Module]`), as bytes for this very interpreter."""
    return marshal.dumps(plain(kind, value))


def plain(kind: Any, value: Any) -> Any:
    """A value of a type as nested tuples, in which nothing is left out that equality of the value leaves out."""
    coder = _packer(kind)
    return value if coder is None else coder(value)


def unpack(kind: Any, data: bytes) -> Any:
    """The value that `pack` made."""
    coder = _unpacker(kind)
    content = marshal.loads(data)  # noqa: S302 - from a process that this one has started
    return content if coder is None else coder(content)


@cache
def _packer(kind: Any) -> _Coder | None:
    """How to make plain tuples of a value; None where it is plain already."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        names, coders = _fields(kind, _packer)
        read = attrgetter(*names) if len(names) > 1 else _single(names[0])
        return _packing(read, coders) if coders else read
    if isinstance(kind, type) and issubclass(kind, Enum):
        return attrgetter("value")
    if origin in (typing.Union, types.UnionType):
        return _optional(_packer(_inner(arguments)))
    if origin is list or (origin is tuple and arguments[-1] is ...):
        return _sequence(_packer(arguments[0]))
    if origin is tuple:
        return _row([_packer(argument) for argument in arguments])
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(_packer(arguments[1]))
    return None


@cache
def _unpacker(kind: Any) -> _Coder | None:
    """How to make a value of plain tuples; None where they are it."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        _, coders = _fields(kind, _unpacker)
        make = typing.cast("Callable[..., Any]", kind)
        return _unpacking(make, coders) if coders else lambda row: make(*row)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {member.value: member for member in kind}.__getitem__
    if origin in (typing.Union, types.UnionType):
        return _optional(_unpacker(_inner(arguments)))
    if origin is list or (origin is tuple and arguments[-1] is ...):
        return _sequence(_unpacker(arguments[0]))
    if origin is tuple:
        return _row([_unpacker(argument) for argument in arguments])
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(_unpacker(arguments[1]))
    return None


def _fields(kind: Any, coder: Callable[[Any], _Coder | None]) -> tuple[list[str], list[tuple[int, _Coder]]]:
    """The names of the fields, and how to turn those that are not plain."""
    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    coders = [(index, coder(hints[name])) for index, name in enumerate(names)]
    return names, [(index, found) for index, found in coders if found is not None]


def _packing(read: _Coder, coders: list[tuple[int, _Coder]]) -> _Coder:
    def turn(value: Any) -> Any:
        row = list(read(value))
        for index, coder in coders:
            part = row[index]
            if part != ():
                row[index] = coder(part)
        return tuple(row)

    return turn


def _unpacking(make: Callable[..., Any], coders: list[tuple[int, _Coder]]) -> _Coder:
    def turn(row: Any) -> Any:
        parts = list(row)
        for index, coder in coders:
            part = parts[index]
            if part != ():
                parts[index] = coder(part)
        return make(*parts)

    return turn


def _single(name: str) -> _Coder:
    return lambda value: (getattr(value, name),)


def _inner(arguments: tuple[Any, ...]) -> Any:
    (inner,) = (argument for argument in arguments if argument is not type(None))
    return inner


def _row(coders: list[_Coder | None]) -> _Coder | None:
    if not any(coders):
        return None
    return lambda row: tuple([part if coder is None else coder(part) for coder, part in zip(coders, row, strict=True)])


def _optional(coder: _Coder | None) -> _Coder | None:
    return None if coder is None else lambda value: None if value is None else coder(value)


def _sequence(coder: _Coder | None) -> _Coder | None:
    return None if coder is None else lambda values: tuple(map(coder, values))


def _mapping(coder: _Coder | None) -> _Coder | None:
    return None if coder is None else lambda values: {key: coder(value) for key, value in values.items()}
