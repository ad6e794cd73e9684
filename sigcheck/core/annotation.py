"""What the text of a return annotation says of the value that comes back. Imports `regex`."""

from __future__ import annotations

import re

from sigcheck.core.regex import regex

_AWAITABLE = regex(r"\b(Awaitable|Coroutine|Future|Task|Deferred)\b")
_ASYNC_ITERATOR = regex(r"\bAsync(Iterator|Generator|Iterable)\b")
_CALLABLE = regex(r"\b(Callable|Protocol|partial|Any|object|type|Type)\b")
_PLAIN_VALUES = frozenset(
    {"int", "str", "bool", "float", "complex", "bytes", "bytearray", "None", "list", "dict", "set"}
)
_PLAIN_GENERICS = regex(
    r"(list|dict|set|frozenset|tuple|List|Dict|Set|FrozenSet|Tuple|Sequence|Mapping)\[.*\]", re.DOTALL
)


def may_be_awaitable(annotation: str) -> bool:
    """A function that is annotated so may give something to await without being `async def`."""
    return _AWAITABLE.search(annotation) is not None or annotation.strip("\"'") in ("Any", "typing.Any")


def is_async_iterator(annotation: str) -> bool:
    """An `async def` without a body that is annotated so stands for an asynchronous generator."""
    return _ASYNC_ITERATOR.search(annotation) is not None


def is_callable(annotation: str) -> bool | None:
    """Whether the value can be called; None where the annotation leaves it open."""
    text = annotation.strip("\"'")
    if text in _PLAIN_VALUES or _PLAIN_GENERICS.fullmatch(text.removeprefix("typing.")):
        return False
    return True if _CALLABLE.search(text) else None
