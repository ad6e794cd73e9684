"""What the configuration says of decorators. Imports nothing of sigcheck."""

from __future__ import annotations

from collections.abc import Mapping

from sigcheck.core.dataclass import dataclass, field


@dataclass(frozen=True, slots=True)
class Decorators:
    """What the configuration says of decorators, by name, dotted name, or last part of it.

    Attributes:
        opaque: make a callable of unknown signature.
        injects: supply these parameters, so that callers need not.
    """

    opaque: frozenset[str] = frozenset()
    injects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
