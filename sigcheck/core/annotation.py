"""What the text of a return annotation says of the value that comes back. Imports `regex`."""

from __future__ import annotations

from sigcheck.core.regex import regex

_WORD = regex(r"\w+")
_AWAITABLE = frozenset({"Awaitable", "Coroutine", "Future", "Task", "Deferred"})
_ASYNC_ITERATOR = frozenset({"AsyncIterator", "AsyncGenerator", "AsyncIterable"})
_CALLABLE = frozenset({"Callable", "Protocol", "partial", "Any", "object", "type", "Type"})
_PLAIN_VALUES = frozenset(
    {"int", "str", "bool", "float", "complex", "bytes", "bytearray", "None", "list", "dict", "set"}
)
_PLAIN_GENERICS = frozenset(
    {"list", "dict", "set", "frozenset", "tuple", "List", "Dict", "Set", "FrozenSet", "Tuple", "Sequence", "Mapping"}
)


def may_be_awaitable(annotation: str) -> bool:
    """A function that is annotated so may give something to await without being `async def`."""
    return _names_one(annotation, _AWAITABLE) or annotation.strip("\"'") in ("Any", "typing.Any")


def is_async_iterator(annotation: str) -> bool:
    """An `async def` without a body that is annotated so stands for an asynchronous generator."""
    return _names_one(annotation, _ASYNC_ITERATOR)


def is_callable(annotation: str) -> bool | None:
    """Whether the value can be called; None where the annotation leaves it open."""
    text = annotation.strip("\"'")
    generic, _, inner = text.removeprefix("typing.").partition("[")
    if text in _PLAIN_VALUES or (generic in _PLAIN_GENERICS and inner.endswith("]")):
        return False
    return True if _names_one(text, _CALLABLE) else None


def _names_one(annotation: str, words: frozenset[str]) -> bool:
    return not words.isdisjoint(_WORD.findall(annotation))
