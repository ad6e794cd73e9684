"""sigcheck: does every override keep the promise of its base?

    Every call that the base accepts, the override accepts, and it binds each argument to the parameter of the same name.

As a library:

    import sigcheck

    report = sigcheck.check(paths=["src"])
    for diagnostic in report.diagnostics:
        print(diagnostic.place, diagnostic.rule, sigcheck.message(diagnostic))

    for reason in sigcheck.incompatibilities(override, base):   # two signatures, or two `inspect.Signature`
        print(reason.rule, reason.witness)

`check` reads source and never imports or runs it. Everything returned is a frozen value; the names below are the public
ones. Importing this package loads neither libcst nor mypy, typeguard or Paddle.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from sigcheck.version import __version__

if TYPE_CHECKING:
    from sigcheck.api import check, incompatibilities
    from sigcheck.config import Configuration
    from sigcheck.core.contract import Contract
    from sigcheck.core.diagnostic import Diagnostic
    from sigcheck.core.family import Family
    from sigcheck.core.incompatibility import Reason, Witness
    from sigcheck.core.rules import RULES, Severity
    from sigcheck.core.signature import Kind, Parameter, Signature
    from sigcheck.errors import SigcheckError
    from sigcheck.outcome import Report
    from sigcheck.report.words import message

_HOMES = {
    "check": "sigcheck.api",
    "incompatibilities": "sigcheck.api",
    "Report": "sigcheck.outcome",
    "Configuration": "sigcheck.config",
    "Contract": "sigcheck.core.contract",
    "Diagnostic": "sigcheck.core.diagnostic",
    "Family": "sigcheck.core.family",
    "Reason": "sigcheck.core.incompatibility",
    "Witness": "sigcheck.core.incompatibility",
    "RULES": "sigcheck.core.rules",
    "Severity": "sigcheck.core.rules",
    "Kind": "sigcheck.core.signature",
    "Parameter": "sigcheck.core.signature",
    "Signature": "sigcheck.core.signature",
    "SigcheckError": "sigcheck.errors",
    "message": "sigcheck.report.words",
}

__all__ = [
    "RULES",
    "Configuration",
    "Contract",
    "Diagnostic",
    "Family",
    "Kind",
    "Parameter",
    "Reason",
    "Report",
    "Severity",
    "SigcheckError",
    "Signature",
    "Witness",
    "__version__",
    "check",
    "incompatibilities",
    "message",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: `import sigcheck` itself stays cheap."""
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
