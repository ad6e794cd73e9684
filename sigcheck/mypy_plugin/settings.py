"""What the user asked for: `[tool.sigcheck]` beside mypy's configuration, and a fingerprint of all that results depend on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mypy import nodes
from mypy.options import Options

import sigcheck.errors
from sigcheck.config import Configuration, find_configuration, read_configuration
from sigcheck.core.decorators import Decorators
from sigcheck.core.demands import Demands
from sigcheck.core.rules import RULES, Severity
from sigcheck.version import __version__

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
    """

    configuration: Configuration
    demands: Demands
    problem: str | None = None

    @property
    def decorators(self) -> Decorators:
        """What the configuration says of decorators."""
        return Decorators(frozenset(self.configuration.opaque_decorators), self.configuration.injects)

    @property
    def wants(self) -> Callable[[nodes.TypeInfo], bool] | None:
        """Whether more is asked of a class than whether it breaks a promise; None where it is of every class."""
        configuration = self.configuration
        if configuration.opaque_decorators or configuration.injects or _BEYOND & self.demands.severities.keys():
            return None
        contracts = self.demands.contracts
        return lambda info: any(entry.names_base(base.fullname) for entry in contracts for base in info.mro)

    @property
    def is_complete(self) -> bool:
        """Every rule about overrides that is on by default runs."""
        return all(
            name in self.demands.severities
            for name, rule in RULES.items()
            if rule.group == "override" and rule.severity is not Severity.OFF
        )

    def fails(self, severity: Severity) -> bool:
        """A diagnostic of that severity is an error to mypy, else a note."""
        return severity is Severity.ERROR or (
            severity is Severity.WARNING and self.configuration.fail_on is Severity.WARNING
        )


_beside: Path | None = None


def read_settings(options: Options) -> Settings:
    """The settings for a run of mypy: those nearest to its configuration file, or else to the working directory."""
    global _beside  # noqa: PLW0603 - mypy asks for the fingerprint without saying for which run
    _beside = Path(os.path.abspath(options.config_file)).parent if options.config_file else None
    source = _source()
    try:
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
    return Settings(configuration, demands)


def _source() -> Path | None:
    found = find_configuration(_beside) if _beside is not None else None
    return found or find_configuration(Path.cwd())


def fingerprint() -> str:
    """Changes with whatever can change a result: the version, sigcheck's own source, the configuration."""
    digest = hashlib.sha256(repr(list(RULES)).encode())
    for path in _files():
        try:
            content = path.read_bytes()
        except OSError:
            content = b""
        digest.update(b"%d\n" % len(content) + content)
    return f"{__version__}+{digest.hexdigest()[:16]}"


def _files() -> Iterator[Path]:
    yield from sorted(Path(sigcheck.errors.__file__).parent.rglob("*.py"))
    try:
        source = _source()
    except sigcheck.errors.SigcheckError:
        source = None  # Said when the settings are read.
    if source is not None:
        yield source
