"""The words that make something else of a function, where mypy's symbols do not tell it. Imports nothing."""

from __future__ import annotations

ACCESSORS = frozenset({"setter", "getter", "deleter"})
MAKERS = frozenset(
    {"staticmethod", "classmethod", "partialmethod", "singledispatchmethod", "property", "cached_property"}
)
"""What makes a method of a value that is assigned."""
STRANGE = frozenset({"overload", "register", "singledispatchmethod", "cache_readonly", "reify", *ACCESSORS})
"""Decorators of which mypy's symbols do not tell the whole."""
