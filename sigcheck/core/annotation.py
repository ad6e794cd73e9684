"""What the text of an annotation says of the value: what comes back, or what a name stands for. Imports `regex`."""

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


def takes_anything(annotation: str) -> bool:
    """A name that is annotated so may be called in any way, whatever it is bound to: `Callable[..., X]`, `Any`."""
    text = annotation.strip("\"'")
    while (around := _AROUND.match(text)) is not None:
        text = text[around.end() :]
    return _OPEN.match(text) is not None


_AROUND = regex(r"\s*(?:\w+\.)*(?:Annotated|ClassVar|Final|Optional|Union)\s*\[\s*")
_OPEN = regex(r"(?:\w+\.)*(?:Any|Callable(?:\s*\[\s*\.\.\.\s*,)?)(?![\w.\[]|\s+\[)")
"""`Callable` alone, and with `...` for its arguments; no `Callable[[int], str]`."""


def _names_one(annotation: str, words: frozenset[str]) -> bool:
    return not words.isdisjoint(_WORD.findall(annotation))
