"""The words that make something else of a function, where mypy's symbols do not tell it. Imports nothing."""

from __future__ import annotations

ACCESSORS = frozenset({"setter", "getter", "deleter"})
MAKERS = frozenset(
    {"staticmethod", "classmethod", "partialmethod", "singledispatchmethod", "property", "cached_property"}
)
"""What makes a method of a value that is assigned."""
_STRANGE = frozenset(
    {"overload", "register", "singledispatchmethod", "cache_readonly", "reify", "classonlymethod", *ACCESSORS}
)


def is_strange(word: str) -> bool:
    """Of what has this decorator, by the last part of its name, mypy's symbols do not tell the whole."""
    return "property" in word or "Property" in word or "patch" in word or word in _STRANGE
