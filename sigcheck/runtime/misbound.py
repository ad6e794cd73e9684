"""The error of a call that binds an argument to a parameter that is another thing. Needs typeguard, whose error it also is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sigcheck.errors import SigcheckError
from sigcheck.runtime.errors import GuardUsageError, SigcheckWarning

if TYPE_CHECKING:
    from sigcheck.core.misbinding import Misbinding

try:
    from typeguard import TypeCheckError
except ModuleNotFoundError as missing:
    if missing.name != "typeguard":
        raise
    raise GuardUsageError("the guard of calls needs typeguard; pip install 'sigcheck[runtime]'") from None


class MisboundArgumentError(TypeError, TypeCheckError, SigcheckError):
    """An argument lands in a parameter that is another thing. Raised before the body of the method that is called.

    Where typeguard found it, by a role, it has put in front which argument it was.

    Attributes:
        misbinding: what was found; None where a message is all there is.
    """

    def __init__(self, message: str, misbinding: Misbinding | None = None) -> None:
        TypeCheckError.__init__(self, message)
        self.misbinding = misbinding

    __str__ = TypeCheckError.__str__

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.args[0], self.misbinding)


class MisboundArgumentWarning(SigcheckWarning):
    """`MisboundArgumentError`, as a warning at the call."""
