"""`re.compile` for a program that is started often: a regular expression is compiled when it is first asked. Imports nothing of sigcheck.

To compile one takes as long as to load a small module, and most runs ask few of those that they load.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr


class _Deferred:
    """One that is not compiled yet. What is asked of it once, such as `search`, is the compiled one's own from then on."""

    def __init__(self, expression: Any, flags: int) -> None:
        self._given = expression, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._given), name)
        setattr(self, name, found)
        return found


def regex(expression: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """See `re.compile`; an error in the expression is raised by the first question."""
    made: Any = _Deferred(expression, flags)
    return made  # type: ignore[no-any-return]
