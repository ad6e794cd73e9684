"""Where something stands in a file. Imports nothing of sigcheck."""

from __future__ import annotations

from sigcheck.core.dataclass import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A range in a file.

    Attributes:
        path: as the report shows it, with `/`.
        line, column: 1-based, in characters.
        end_line, end_column: 1-based; the end column is the first behind the range.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Condition:
    """One test that a definition stands under.

    Attributes:
        test: source text of the test, `try at line 12`, or `case ...`.
        holds: the definition stands where the test is true.
        line: the line of the branch in which it stands; 0 where only its test is known.
        path: the file, where the test means something only there; empty for a test that reads the same everywhere.
    """

    test: str
    holds: bool
    line: int
    path: str = ""


Branch = tuple[Condition, ...]
"""The tests that a definition stands under, outermost first; empty for an unconditional one."""


def can_coexist(first: Branch, second: Branch) -> bool:
    """No test is true for one and false for the other."""
    if not first or not second:
        return True
    return not any(
        (mine.test, mine.path) == (other.test, other.path) and mine.holds is not other.holds
        for mine in first
        for other in second
    )
