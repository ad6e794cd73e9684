"""What the guard raises and warns of. Imports no typeguard: the guard of classes works without it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sigcheck.errors import SigcheckError

if TYPE_CHECKING:
    from sigcheck.core.diagnostic import Diagnostic


class GuardUsageError(SigcheckError):
    """A guard that cannot be put up as asked: a mode, a base or a method that is none."""


class IncompatibleOverrideError(TypeError, SigcheckError):
    """A class that does not keep the promise of a guarded base. The message is what `sigcheck check` would report.

    Attributes:
        diagnostics: what was found, as `sigcheck.check` gives it; none where a metaclass raised the message anew (`enum` does).
    """

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic] = ()) -> None:
        # Both are `args`: `enum` and `pickle` make the exception anew from them.
        super().__init__(message, tuple(diagnostics))
        self.diagnostics = tuple(diagnostics)

    def __str__(self) -> str:
        return str(self.args[0])


class SigcheckWarning(UserWarning):
    """What a guard in mode `warn` warns of: the root of its categories."""


class IncompatibleOverrideWarning(SigcheckWarning):
    """`IncompatibleOverrideError`, as a warning at the class statement."""
