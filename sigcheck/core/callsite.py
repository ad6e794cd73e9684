"""A call to a sibling method, as it is written. Imports `place`."""

from __future__ import annotations

from dataclasses import dataclass

from sigcheck.core.place import Place


@dataclass(frozen=True, slots=True)
class CallSite:
    """`self.m(...)`, `cls.m(...)`, `super().m(...)`.

    Attributes:
        method: the name that is looked up.
        receiver: `self`, `cls` or `super`.
        positional: source text of each argument by position, in order; a `*seq` ends what is certain.
        keywords: keyword and source text of each argument by name.
        has_star: there is a `*seq`.
        has_double_star: there is a `**mapping`.
        place: the call's name.
    """

    method: str
    receiver: str
    positional: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...]
    has_star: bool
    has_double_star: bool
    place: Place
