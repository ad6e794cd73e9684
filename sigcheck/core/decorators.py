"""What the configuration says of decorators, and which there are. Imports nothing of sigcheck."""

from __future__ import annotations

from collections.abc import Mapping

from sigcheck.core.dataclass import dataclass, field
from sigcheck.core.regex import regex


@dataclass(frozen=True, slots=True)
class Decorators:
    """What the configuration says of decorators, by name, dotted name, or last part of it.

    Attributes:
        opaque: make a callable of unknown signature.
        injects: supply these parameters, so that callers need not.
    """

    opaque: frozenset[str] = frozenset()
    injects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def names_above(text: str) -> frozenset[str]:
    """The names with which the decorators in a text begin, and perhaps others."""
    return frozenset(_NAME.findall(text)) if "@" in text else frozenset()


_NAME = regex(r"@[ \t]*(\w+)")
