"""A text without the functions of which nothing is asked. Imports no parser but `ast`.

`scan` notes from which line to which each function goes; all but those that are wanted become `pass`, and everything that is left
stays in its line. Names, classes and tests stay: a decorator means what it meant.
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator

Extents = tuple[int, ...]
"""The first and the last line of each function that stands in no other, in order: `(3, 7, 9, 20)` for two."""


def extents_of(statements: Iterable[ast.stmt]) -> Extents:
    """The extents of the functions of a module, decorators included."""
    return tuple(line for pair in sorted(_extents(statements)) for line in pair)


def _extents(statements: Iterable[ast.stmt]) -> Iterator[tuple[int, int]]:
    pending = [statements]
    while pending:
        for statement in pending.pop():
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = min([statement.lineno, *(decorator.lineno for decorator in statement.decorator_list)])
                yield first, statement.end_lineno or statement.lineno
            elif not isinstance(statement, (ast.Expr, ast.Assign, ast.ImportFrom)):
                pending += [
                    block for name in ("body", "orelse", "finalbody") if (block := getattr(statement, name, None))
                ]
                parts = (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ()))
                pending += [part.body for part in parts]


def extent_at(extents: Extents, line: int) -> tuple[int, int] | None:
    """The first and the last line of the function in which a line stands."""
    index = (bisect_right(extents[::2], line) - 1) * 2
    return extents[index : index + 2] if index >= 0 and line <= extents[index + 1] else None  # type: ignore[return-value]


def narrowed(text: str, extents: Extents, wanted: Collection[int]) -> str:
    """The text with only those functions in which one of the wanted lines stands."""
    lines = text.split("\n")
    for first, last in zip(extents[::2], extents[1::2], strict=True):
        if not any(first <= line <= last for line in wanted):
            line = lines[first - 1]
            indent = line[: len(line) - len(line.lstrip())]
            lines[first - 1 : last] = [f"{indent}pass", *[""] * (last - first)]
    return "\n".join(lines)
