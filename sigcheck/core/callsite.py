"""A call to a method of the same class, as it is written. Imports `place`."""

from __future__ import annotations

from enum import Enum

from sigcheck.core.binding import CallShape
from sigcheck.core.dataclass import dataclass
from sigcheck.core.place import Place


class Route(Enum):
    """Where a call looks its method up."""

    INSTANCE = "self"
    """`self.m(...)`, or `cls.m(...)` in a class method: on the receiver."""
    SUPER = "super"
    """`super().m(...)`: behind the class, in the method resolution order of the receiver."""
    TYPE = "type"
    """`type(self).m(self, ...)`: on the class of the receiver."""
    CLASS = "class"
    """`Base.m(self, ...)`: on a class that is named."""


@dataclass(frozen=True, slots=True)
class CallSite:
    """`self.m(...)`, `super().m(...)`, `type(self).m(self, ...)`, `Base.m(self, ...)`.

    Attributes:
        method: the name that is looked up.
        route: where it is looked up.
        positional: source text of each argument by position, in order, a receiver that is written out included; a
            `*seq` ends what is certain.
        keywords: keyword and source text of each argument by name.
        has_star: there is a `*seq`.
        has_double_star: there is a `**mapping`.
        place: the method's name.
        last_line: where it ends.
        is_guarded: it stands under a test that asks something of the receiver, and is made on some receivers only.
        is_tried: a `TypeError` of it is expected, or it cannot run, or runs on an object of a class that a test names: it is
            not followed.
        named: what the class in `Base.m(self)` or in `super(Base, self)` may mean, as references.
    """

    method: str
    route: Route
    positional: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...]
    has_star: bool
    has_double_star: bool
    place: Place
    last_line: int
    is_guarded: bool = False
    is_tried: bool = False
    named: tuple[str, ...] = ()

    @property
    def shape(self) -> CallShape:
        """What is certain of it: the arguments before any `*seq`, and the keywords."""
        return CallShape(len(self.positional), tuple(keyword for keyword, _ in self.keywords))
