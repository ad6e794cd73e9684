"""Values of dataclasses as columns of numbers and back: small, quick to read, and of the right types whatever the bytes say.

Every distinct value of a type is a row in the table of that type; a field is a column of row numbers. The tables follow from
the types alone, so no bytes can make anything but such values: no code is stored and none is run. Imports nothing of sigcheck.
"""

from __future__ import annotations

import itertools
import json
import sys
import types
import typing
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeVar, cast

from sigcheck.core import dataclass as dataclasses

T = TypeVar("T")

_NONE = -(1 << 31)
"""Stands for None among numbers."""


def encode(kind: type[T], value: T) -> bytes:
    """A value of that type, and all it holds.

    Raises:
        TypeError: something in it has not the type that its field says.
        OverflowError: a number in it takes more than 32 bits.
    """
    schema = _schema_of(kind)
    writer = _Writer([{} for _ in schema.tables], [{} for _ in schema.tables])
    root = schema.root.number(value, writer)
    filled = [table.columns(list(rows)) for table, rows in zip(schema.tables, writer.rows, strict=True)]
    sizes = [[len(rows), *map(len, columns)] for rows, columns in zip(writer.rows, filled, strict=True)]
    head = json.dumps([root, sizes, list(writer.texts)], separators=(",", ":")).encode("ascii")
    body = (array("i", column).tobytes() for columns in filled for column in columns)
    return len(head).to_bytes(4, sys.byteorder) + head + b"".join(body)


def decode(kind: type[T], data: bytes) -> T:
    """The value that `encode` wrote.

    Raises:
        ValueError: the data is anything else.
    """
    try:
        value: T = _decoded(_schema_of(kind), data)
    except (RecursionError, TypeError, KeyError, IndexError, OverflowError, MemoryError) as error:
        raise ValueError(str(error)) from None
    return value


def _decoded(schema: _Schema, data: bytes) -> Any:
    start = 4 + int.from_bytes(data[:4], sys.byteorder)
    root, sizes, texts = json.loads(data[4:start])
    if set(map(type, texts)) - {str} or len(sizes) != len(schema.tables):
        raise ValueError("other tables")
    reader = _Reader(texts, [])
    numbers = array("i")
    numbers.frombytes(data[start:])
    first = 0
    for table, (count, *lengths) in zip(schema.tables, sizes, strict=True):
        if count == 0 and not any(lengths):
            reader.values.append([])  # Most of a small value.
            continue
        columns = []
        for length in lengths:
            behind = first + length
            if length < 0 or behind > len(numbers):
                raise ValueError("it ends too early")
            columns.append(numbers[first:behind])
            first = behind
        reader.values.append(table.values(count, columns, reader))
    if first != len(numbers):
        raise ValueError("it goes on")
    [value] = schema.root.read(array("i", [root]), reader)
    return value


@dataclasses.dataclass(slots=True)
class _Writer:
    """The rows of each table so far, in order, and the texts."""

    rows: list[dict[Any, int]]
    seen: list[dict[int, int]]
    """For each table the row of each object that has one: what is written holds them all, so that no identity comes back."""
    texts: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(slots=True)
class _Reader:
    """The values of each table, in the order of the tables, and the texts."""

    texts: list[str]
    values: list[list[Any]]


class _Kind(Protocol):
    """How a type stands in a column."""

    def number(self, value: Any, writer: _Writer) -> int:
        """What stands for a value."""

    def read(self, column: Sequence[int], reader: _Reader) -> Iterable[Any]:
        """The values that a column stands for, one for each number."""


class _Table(_Kind, Protocol):
    """A type that has rows."""

    def columns(self, rows: list[Any]) -> list[list[int]]:
        """The numbers of all rows, laid out."""

    def values(self, count: int, columns: list[array[int]], reader: _Reader) -> list[Any]:
        """The values of `count` rows."""


@dataclasses.dataclass(slots=True)
class _Schema:
    """The tables of a type and of all that it holds, a table behind those that it refers to."""

    root: _Kind
    tables: list[_Table]


class _Whole:
    """An int, as it is."""

    def number(self, value: Any, _: _Writer) -> int:
        if type(value) is not int:
            raise TypeError(f"int expected, not {type(value).__name__}")
        return value

    def read(self, column: Sequence[int], _: _Reader) -> Iterable[Any]:
        return column


class _Text:
    """A str: its place among the texts."""

    def number(self, value: Any, writer: _Writer) -> int:
        found = writer.texts.get(value)
        if found is None:
            if type(value) is not str:
                raise TypeError(f"str expected, not {type(value).__name__}")
            found = writer.texts[value] = len(writer.texts)
        return found

    def read(self, column: Sequence[int], reader: _Reader) -> Iterable[Any]:
        return map(reader.texts.__getitem__, column)


class _OneOf:
    """One of a few values: a bool, or a member of an enumeration."""

    def __init__(self, values: Iterable[Any]) -> None:
        self.values = tuple(values)
        self.numbers = {value: number for number, value in enumerate(self.values)}

    def number(self, value: Any, _: _Writer) -> int:
        return self.numbers[value]

    def read(self, column: Sequence[int], _: _Reader) -> Iterable[Any]:
        return map(self.values.__getitem__, column)


class _Optional:
    """A value or None."""

    def __init__(self, inner: _Kind) -> None:
        self.inner = inner

    def number(self, value: Any, writer: _Writer) -> int:
        return _NONE if value is None else self.inner.number(value, writer)

    def read(self, column: Sequence[int], reader: _Reader) -> Iterable[Any]:
        if _NONE not in column:
            return self.inner.read(column, reader)
        present = iter(self.inner.read([number for number in column if number != _NONE], reader))
        return [None if number == _NONE else next(present) for number in column]


class _Rows(Generic[T]):
    """What tables share: the rows are numbered in the order in which they are met."""

    def __init__(self) -> None:
        self.index = 0

    def row(self, value: Any, writer: _Writer) -> Any:
        """The numbers that make up a value."""
        raise NotImplementedError

    def number(self, value: Any, writer: _Writer) -> int:
        seen = writer.seen[self.index]
        found = seen.get(id(value))
        if found is None:
            row = self.row(value, writer)
            rows = writer.rows[self.index]
            found = seen[id(value)] = rows.setdefault(row, len(rows))
        return found

    def read(self, column: Sequence[int], reader: _Reader) -> Iterable[Any]:
        return map(reader.values[self.index].__getitem__, column)


class _Record(_Rows[Any]):
    """A dataclass, or a tuple of fixed length."""

    def __init__(self, make: Any, names: Sequence[str], parts: Sequence[_Kind]) -> None:
        super().__init__()
        self.make = make
        self.names = names
        self.parts = parts
        self._numbers = [part.number for part in parts]
        self._values = attrgetter(*names) if len(names) > 1 else None
        self._setters = [getattr(make, name).__set__ for name in names]

    def row(self, value: Any, writer: _Writer) -> Any:
        if self.names:
            if type(value) is not self.make:
                raise TypeError(f"{self.make.__name__} expected, not {type(value).__name__}")
            value = (getattr(value, self.names[0]),) if self._values is None else self._values(value)
        return tuple([number(entry, writer) for number, entry in zip(self._numbers, value, strict=True)])

    def columns(self, rows: list[Any]) -> list[list[int]]:
        return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in self.parts]

    def values(self, count: int, columns: list[array[int]], reader: _Reader) -> list[Any]:
        if set(map(len, columns)) - {count}:
            raise ValueError("columns of different lengths")
        read = [part.read(column, reader) for part, column in zip(self.parts, columns, strict=True)]
        if not self.names:
            return list(zip(*read, strict=True))
        # As `__init__` of a frozen dataclass does it, for all rows at once: three times as fast.
        made = list(map(object.__new__, itertools.repeat(self.make, count)))
        for setter, column in zip(self._setters, read, strict=True):
            deque(map(setter, made, column), maxlen=0)
        return made


class _Sequence(_Rows[Any]):
    """A tuple or a set of any length."""

    def __init__(self, make: type[tuple[Any, ...] | frozenset[Any]], part: _Kind) -> None:
        super().__init__()
        self.make = make
        self.part = part

    def row(self, value: Any, writer: _Writer) -> Any:
        if not isinstance(value, self.make):
            raise TypeError(f"{self.make.__name__} expected, not {type(value).__name__}")
        number = self.part.number
        return tuple([number(entry, writer) for entry in value])

    def columns(self, rows: list[Any]) -> list[list[int]]:
        return [[len(row) for row in rows], [number for row in rows for number in row]]

    def values(self, count: int, columns: list[array[int]], reader: _Reader) -> list[Any]:
        lengths, numbers = columns
        if len(lengths) != count or sum(lengths) != len(numbers):
            raise ValueError("sequences of other lengths")
        entries = iter(self.part.read(numbers, reader))
        return [self.make(itertools.islice(entries, length)) for length in lengths]


class _Pairs(_Rows[Any]):
    """A mapping."""

    def __init__(self, key: _Kind, value: _Kind) -> None:
        super().__init__()
        self.parts = (key, value)

    def row(self, value: Any, writer: _Writer) -> Any:
        first, second = self.parts
        return tuple([(first.number(key, writer), second.number(entry, writer)) for key, entry in value.items()])

    def columns(self, rows: list[Any]) -> list[list[int]]:
        pairs = [pair for row in rows for pair in row]
        return [[len(row) for row in rows], [key for key, _ in pairs], [value for _, value in pairs]]

    def values(self, count: int, columns: list[array[int]], reader: _Reader) -> list[Any]:
        lengths, keys, values = columns
        if len(lengths) != count or sum(lengths) != len(keys) or len(keys) != len(values):
            raise ValueError("mappings of other lengths")
        first, second = self.parts
        pairs = zip(first.read(keys, reader), second.read(values, reader), strict=True)
        return [dict(itertools.islice(pairs, length)) for length in lengths]


class _Choice(_Rows[Any]):
    """One of several types."""

    def __init__(self, kinds: Sequence[type], parts: Sequence[_Kind]) -> None:
        super().__init__()
        self.parts = parts
        self.numbers = {kind: number for number, kind in enumerate(kinds)}

    def row(self, value: Any, writer: _Writer) -> Any:
        which = self.numbers[type(value)]
        return which, self.parts[which].number(value, writer)

    def columns(self, rows: list[Any]) -> list[list[int]]:
        return [[which for which, _ in rows], [number for _, number in rows]]

    def values(self, count: int, columns: list[array[int]], reader: _Reader) -> list[Any]:
        which, numbers = columns
        if not len(which) == len(numbers) == count:
            raise ValueError("columns of different lengths")
        read: list[Iterator[Any]] = []
        for chosen, part in enumerate(self.parts):
            mine = [number for choice, number in zip(which, numbers, strict=True) if choice == chosen]
            read.append(iter(part.read(mine, reader)))
        return [next(read[choice]) for choice in which]


def _schema_of(kind: Any) -> _Schema:
    return _schema(kind)


@cache
def _schema(kind: Any) -> _Schema:
    tables: list[_Table] = []
    root = _kind(kind, {}, tables)
    return _Schema(root, tables)


def _kind(kind: Any, known: dict[Any, _Kind], tables: list[_Table]) -> _Kind:
    found = known.get(kind)
    if found is None:
        found = known[kind] = _made(kind, known, tables)
        if isinstance(found, _Rows):
            found.index = len(tables)
            tables.append(cast("_Table", found))
    return found


@cache
def _fields_of(kind: type[Any]) -> dict[str, Any]:
    """The fields of a dataclass and their types: the same in every type that holds it."""
    return {field.name: _meant(kind.__annotations__[field.name], kind.__module__) for field in dataclasses.fields(kind)}


@cache
def _meant(annotation: str, module: str) -> Any:
    """The type that an annotation of this program means; `typing.get_type_hints` takes three times as long."""
    return eval(annotation, vars(sys.modules[module]))  # noqa: S307 - it stands in a source file of sigcheck


def _made(kind: Any, known: dict[Any, _Kind], tables: list[_Table]) -> _Kind:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is int:
        return _Whole()
    if kind is str:
        return _Text()
    if kind is bool:
        return _OneOf((False, True))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _OneOf(list(kind))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = _fields_of(kind)
        return _Record(kind, list(hints), [_kind(hint, known, tables) for hint in hints.values()])
    if origin in (typing.Union, types.UnionType):
        others = tuple(argument for argument in arguments if argument is not type(None))
        if len(others) < len(arguments):
            return _Optional(_kind(typing.Union[others], known, tables))  # noqa: UP007 - of a variable number of types
        return _Choice(
            [typing.get_origin(other) or other for other in others], [_kind(other, known, tables) for other in others]
        )
    if origin is tuple and arguments[-1] is not ...:
        return _Record(tuple, (), [_kind(argument, known, tables) for argument in arguments])
    if origin is tuple:
        return _Sequence(tuple, _kind(arguments[0], known, tables))
    if origin is not None and issubclass(origin, Mapping):
        return _Pairs(*[_kind(argument, known, tables) for argument in arguments])
    if origin is not None and issubclass(origin, AbstractSet):
        return _Sequence(frozenset, _kind(arguments[0], known, tables))
    raise TypeError(f"{kind} has no columns")
