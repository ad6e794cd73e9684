"""One decision on a path through a body, as a report tells it. Imports `place`."""

from __future__ import annotations

from enum import Enum

from sigcheck.core.dataclass import dataclass
from sigcheck.core.place import Condition


class TurnKind(Enum):
    """What decides where control goes."""

    TEST = "test"
    LOOP = "loop"
    EXCEPTION = "exception"


@dataclass(frozen=True, slots=True)
class Turn:
    """One decision on a path.

    Attributes:
        kind: what decides.
        condition: the test, whether it held, and the line of the branch that control went into: of the `else` or `elif`, if there
            is one, where the test failed. A `for` that found nothing is a test that failed; so is a `try` that was left.
        line: the line of the test itself: of the `if`, `elif`, `case`, `for`, `while` or `try`.
    """

    kind: TurnKind
    condition: Condition
    line: int
