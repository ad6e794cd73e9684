"""What a defect of the plugin is told as: one note. Needs nothing else of sigcheck, for that may be what is broken."""

from __future__ import annotations

import os
import traceback

from mypy.errors import Errors

from sigcheck.mypy_plugin.codes import SIGCHECK


def describe(error: Exception, where: str) -> str:
    """The defect in a few words; the traceback goes to standard error where SIGCHECK_DEBUG asks for it.

    Args:
        error: what was raised.
        where: what was looked at.
    """
    if os.environ.get("SIGCHECK_DEBUG"):
        traceback.print_exception(error)
    return f"{type(error).__name__} in {where}: {error}"


def apologise(errors: Errors, defect: str) -> None:
    """Ask for a report, in the file that mypy's errors are about."""
    text = (
        f"sigcheck failed ({defect}); what it found elsewhere is told, and mypy is not affected. "
        "Please report it, with the output under SIGCHECK_DEBUG=1"
    )
    errors.report(1, 0, text, SIGCHECK, severity="note")
