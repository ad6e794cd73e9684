"""The error codes of the plugin. mypy must know them before it reads its options: they are made when this is imported.

Those of the groups `override` and `call` are sub-codes of mypy's own: `# type: ignore[override]` covers `override-binding` too.
"""

from __future__ import annotations

from mypy import errorcodes
from mypy.errorcodes import ErrorCode

OVERRIDE_BINDING = ErrorCode(
    "override-binding",
    "Check that an override accepts every call that the base accepts, and binds it alike",
    "Sigcheck",
    sub_code_of=errorcodes.OVERRIDE,
)
CALL_BINDING = ErrorCode(
    "call-binding",
    "Check that a call to a sibling method binds in every class as its author saw it bind",
    "Sigcheck",
    sub_code_of=errorcodes.CALL_ARG,
)
USE_BINDING = ErrorCode("use-binding", "Check that a method uses what it accepts", "Sigcheck")
FAMILY_BINDING = ErrorCode("family-binding", "Check that sibling methods order their parameters alike", "Sigcheck")
SIGCHECK = ErrorCode("sigcheck", "Check the comments that speak to sigcheck", "Sigcheck")

BY_GROUP = {
    "override": OVERRIDE_BINDING,
    "call": CALL_BINDING,
    "use": USE_BINDING,
    "family": FAMILY_BINDING,
    "meta": SIGCHECK,
}
"""The code of each group of rules."""
