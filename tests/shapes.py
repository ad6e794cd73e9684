"""Every signature and every call over a few names, and what the interpreter says of them: the oracle of the law tests."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from sigcheck.core.binding import CallShape
from sigcheck.core.signature import Kind, Parameter, Signature

ARGS = Parameter("args", Kind.VAR_POSITIONAL, required=False)
KWARGS = Parameter("kwargs", Kind.VAR_KEYWORD, required=False)


def signatures(names: tuple[str, ...], *, annotation: str | None = "int") -> Iterator[Signature]:
    """Every legal signature on some of `names`: all kinds, defaults, orders, with and without catch-alls."""
    kinds = (Kind.POSITIONAL_ONLY, Kind.POSITIONAL_OR_KEYWORD, Kind.KEYWORD_ONLY)
    for size in range(len(names) + 1):
        for chosen in itertools.permutations(names, size):
            for assigned in itertools.product(kinds, repeat=size):
                if list(assigned) != sorted(assigned):
                    continue
                for required in itertools.product((True, False), repeat=size):
                    slots = [r for r, kind in zip(required, assigned, strict=True) if kind is not Kind.KEYWORD_ONLY]
                    if slots != sorted(slots, reverse=True):
                        continue
                    named = [Parameter(*parts) for parts in zip(chosen, assigned, required, strict=True)]
                    for rest, keywords in itertools.product((False, True), repeat=2):
                        yield assemble(named, rest=rest, keywords=keywords, annotation=annotation)


def assemble(named: list[Parameter], *, rest: bool, keywords: bool, annotation: str | None = "int") -> Signature:
    """Named parameters in order of kind, with annotated catch-alls in their places."""
    head = [p for p in named if p.is_positional]
    tail = [p for p in named if not p.is_positional]
    middle = [Parameter("args", Kind.VAR_POSITIONAL, required=False, annotation=annotation)] if rest else []
    end = [Parameter("kwargs", Kind.VAR_KEYWORD, required=False, annotation=annotation)] if keywords else []
    return Signature.of([*head, *middle, *tail, *end])


def calls(positional: int, keywords: tuple[str, ...]) -> Iterator[CallShape]:
    """Every call with up to so many positional arguments and any of the keywords."""
    for count in range(positional + 1):
        for size in range(len(keywords) + 1):
            for chosen in itertools.combinations(keywords, size):
                yield CallShape(count, chosen)


@cache
def interpreted(signature: Signature) -> inspect.Signature:
    """The same as an `inspect.Signature`."""
    return inspect.Signature(
        [
            inspect.Parameter(
                p.name,
                inspect._ParameterKind(int(p.kind)),
                default=inspect.Parameter.empty if p.required or p.is_variadic else None,
            )
            for p in signature.parameters
        ]
    )


@cache
def really_called(signature: Signature, shape: CallShape) -> dict[int | str, str] | None:
    """Define the function, call it, and see which parameter holds each argument.

    Returns:
        For each argument the parameter's name (`*` and `**` for the catch-alls), or None for a `TypeError`.
    """
    function = _compiled(signature)
    try:
        received = function(*range(shape.positional), **{name: name for name in shape.keywords})
    except TypeError:
        return None
    landed: dict[int | str, str] = {}
    for name, value in received.items():
        if name == "args":
            landed.update(dict.fromkeys(value, "*"))
        elif name == "kwargs":
            landed.update(dict.fromkeys(value, "**"))
        elif value is not None:
            landed[value] = name
    return landed


@cache
def _compiled(signature: Signature) -> Callable[..., dict[str, Any]]:
    namespace: dict[str, Any] = {}
    exec(f"def function{_text(signature)}: return locals()", namespace)
    function: Callable[..., dict[str, Any]] = namespace["function"]
    return function


def _text(signature: Signature) -> str:
    plain = Signature.of(
        Parameter(p.name, p.kind, p.required, None, None if p.required or p.is_variadic else "None")
        for p in signature.parameters
    )
    return str(plain)


def keeps_promise(override: Signature, base: Signature, shape: CallShape) -> bool:
    """The promise of the package's docstring, word for word, on what the interpreter did with one call."""
    promised = really_called(base, shape)
    if promised is None:
        return True
    received = really_called(override, shape)
    if received is None:
        return False
    free = {p.name for p in base.parameters if p.kind is Kind.POSITIONAL_ONLY}
    slots = {p.name for p in base.parameters if p.is_positional}
    override_slots = {p.name for p in override.parameters if p.is_positional}
    for argument, name in promised.items():
        lands_in = received[argument]
        if name.startswith("*") or lands_in.startswith("*") or name == lands_in:
            continue
        if name in free and not (lands_in in slots and name in override_slots):
            continue
        return False
    return True
