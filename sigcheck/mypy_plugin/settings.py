"""What the user asked for: `[tool.sigcheck]` beside mypy's configuration. Imported when a module has a class, or there is one."""

from __future__ import annotations

from pathlib import Path

from mypy.options import Options

import sigcheck.errors
from sigcheck.config import Configuration, find_configuration, read_configuration
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
        configuration: as the command line has it.
        demands: what `core` is asked for.
        problem: why the configuration cannot be read; None where it can.
        is_beyond: something is asked for of which names and kinds of parameters say nothing.
        is_complete: every rule about overrides is an error or a warning.
    """

    configuration: Configuration
    demands: Demands
    problem: str | None = None
    is_beyond: bool = False
    is_complete: bool = False

    @property
    def decorators(self) -> Decorators:
        """What the configuration says of decorators."""
        return Decorators(frozenset(self.configuration.opaque_decorators), self.configuration.injects)

    def demand(self, options: Options) -> Demand:
        """What is asked of the classes of a module."""
        contracts = self.demands.contracts
        return Demand(
            options,
            None
            if self.is_beyond
            else lambda info: any(entry.names_base(base.fullname) for entry in contracts for base in info.mro),
            self.is_complete,
            self.configuration.repeat_mypy,
        )

    def fails(self, severity: Severity) -> bool:
        """A diagnostic of that severity is an error to mypy, else a note."""
        return severity is Severity.ERROR or (
            severity is Severity.WARNING and self.configuration.fail_on is Severity.WARNING
        )


def read_settings() -> Settings:
    """The settings for a run of mypy: those nearest to its configuration file, or else to the working directory."""
    try:
        source = next((found for start in starts() if (found := find_configuration(Path(start))) is not None), None)
        configuration = read_configuration(source) if source is not None else Configuration()
        severities = {name: level for name, level in configuration.severities().items() if name not in _NOT_TOLD}
    except sigcheck.errors.SigcheckError as error:
        return Settings(Configuration(), Demands({}), str(error))
    demands = Demands(
        severities,
        configuration.contracts,
        configuration.only_contracts,
        configuration.respect_type_ignores,
    )
    return Settings(
        configuration,
        demands,
        is_beyond=bool(configuration.opaque_decorators or configuration.injects or _BEYOND & severities.keys()),
        is_complete=all(
            name in severities
            for name, rule in RULES.items()
            if rule.group == "override" and rule.severity is not Severity.OFF
        ),
    )
