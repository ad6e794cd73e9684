"""What a guard does with what it finds, and who says so: its author, or `SIGCHECK` in the environment."""

from __future__ import annotations

import os
from typing import Literal, get_args

from sigcheck.runtime.errors import GuardUsageError

Mode = Literal["raise", "warn", "off"]
"""`raise`: an error; `warn`: a warning; `off`: nothing is looked at."""

MODES: tuple[Mode, ...] = get_args(Mode)

VARIABLE = "SIGCHECK"
"""The environment variable that overrides every guard's mode."""


def checked_mode(mode: str) -> Mode:
    """The mode of that name.

    Raises:
        GuardUsageError: there is none.
    """
    for known in MODES:
        if mode == known:
            return known
    raise GuardUsageError(f"mode={mode!r}: a guard's mode is one of {', '.join(MODES)}")


def effective_mode(mode: Mode) -> Mode:
    """The mode that counts now: the environment is asked at each class that is created and each scope that is entered.

    Raises:
        GuardUsageError: `SIGCHECK` names none.
    """
    override = os.environ.get(VARIABLE, "")
    if not override:
        return mode
    for known in MODES:
        if override == known:
            return known
    raise GuardUsageError(f"{VARIABLE}={override}: it is one of {', '.join(MODES)}, or not set")
