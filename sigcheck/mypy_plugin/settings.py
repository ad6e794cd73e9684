"""What the user asked for: `[tool.sigcheck]` beside mypy's configuration. Imported when a module has a class, or there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mypy.options import Options

from sigcheck.core.dataclass import dataclass
from sigcheck.core.decorators import Decorators
from sigcheck.core.demands import Demands
from sigcheck.core.rules import RULES, Severity
from sigcheck.mypy_plugin.fingerprint import starts
from sigcheck.mypy_plugin.suspicion import Demand

_NOT_TOLD = frozenset({"syntax-error", "unresolved-base", "inconsistent-hierarchy", "unused-suppression"})
"""mypy tells the first three itself. A comment may free an override in a module that is not looked at with this one."""

_BEYOND = frozenset({"default-changed", "positional-forwarding"})
"""What breaks no promise: names and kinds of parameters say nothing of it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is asked for.

    Attributes:
        demands: what `core` is asked for.
        decorators: what the configuration says of them.
        is_ignored: it switches a rule off for the file of a path.
        repeats_mypy: what mypy tells is told again.
        fails_on_warnings: a warning is an error to mypy.
        problem: why the configuration cannot be read; None where it can.
        is_beyond: something is asked for of which names and kinds of parameters say nothing.
        is_complete: every rule about overrides is an error or a warning.
    """

    demands: Demands
    decorators: Decorators = Decorators()
    is_ignored: Callable[[str, str], bool] = lambda _rule, _path: False
    repeats_mypy: bool = False
    fails_on_warnings: bool = True
    problem: str | None = None
    is_beyond: bool = False
    is_complete: bool = False

    def demand(self, options: Options) -> Demand:
        """What is asked of the classes of a module."""
        contracts = self.demands.contracts
        return Demand(
            options,
            None
            if self.is_beyond
            else lambda info: any(entry.names_base(base.fullname) for entry in contracts for base in info.mro),
            self.is_complete,
            self.repeats_mypy,
        )

    def fails(self, severity: Severity) -> bool:
        """A diagnostic of that severity is an error to mypy, else a note."""
        return severity is Severity.ERROR or (severity is Severity.WARNING and self.fails_on_warnings)


def read_settings(*, is_configured: bool) -> Settings:
    """The settings for a run of mypy: those nearest to its configuration file, or else to the working directory.

    Args:
        is_configured: there may be some.
    """
    if not is_configured:
        on = {name: rule.severity for name, rule in RULES.items() if rule.severity is not Severity.OFF}
        return Settings(Demands(_told(on)), is_complete=True)
    # Where nothing is configured, nothing of this is needed.
    from sigcheck.config import Configuration, find_configuration, read_configuration  # noqa: PLC0415
    from sigcheck.errors import SigcheckError  # noqa: PLC0415

    try:
        source = next((found for start in starts() if (found := find_configuration(Path(start))) is not None), None)
        configuration = read_configuration(source) if source is not None else Configuration()
        severities = _told(configuration.severities())
    except SigcheckError as error:
        return Settings(Demands({}), problem=str(error))
    demands = Demands(
        severities,
        configuration.contracts,
        configuration.only_contracts,
        configuration.respect_type_ignores,
    )
    return Settings(
        demands,
        Decorators(frozenset(configuration.opaque_decorators), configuration.injects),
        configuration.is_ignored,
        configuration.repeat_mypy,
        configuration.fail_on is Severity.WARNING,
        is_beyond=bool(configuration.opaque_decorators or configuration.injects or _BEYOND & severities.keys()),
        is_complete=all(
            name in severities
            for name, rule in RULES.items()
            if rule.group == "override" and rule.severity is not Severity.OFF
        ),
    )


def _told(severities: Mapping[str, Severity]) -> dict[str, Severity]:
    """Those of the rules of which the plugin has something to say."""
    return {name: severity for name, severity in severities.items() if name not in _NOT_TOLD}
