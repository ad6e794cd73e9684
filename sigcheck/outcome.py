"""What a check ends with: a report of values. Imports `core` only."""

from __future__ import annotations

from collections.abc import Mapping

from sigcheck.core.contract import Contract
from sigcheck.core.dataclass import dataclass
from sigcheck.core.diagnostic import BaseWithoutSource, Diagnostic
from sigcheck.core.rules import Severity


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found, and what it looked at.

    Attributes:
        diagnostics: sorted by place; what they say of classes and members is brief (see `core.brief`).
        files: source files that were read.
        classes: class statements in them.
        overrides: definitions that were held against at least one base.
        call_sites: calls that were followed.
        unresolved: bases of which no source was found.
        contracts: the number of overrides that each contract matched.
        fail_on: the least severity that makes a run fail.
    """

    diagnostics: tuple[Diagnostic, ...]
    files: int
    classes: int
    overrides: int
    call_sites: int
    unresolved: tuple[BaseWithoutSource, ...]
    contracts: Mapping[Contract, int]
    fail_on: Severity = Severity.WARNING

    @property
    def exit_status(self) -> int:
        """1 where a diagnostic is as severe as `fail_on`, else 0."""
        failing = (Severity.ERROR,) if self.fail_on is Severity.ERROR else (Severity.ERROR, Severity.WARNING)
        return int(any(diagnostic.severity in failing for diagnostic in self.diagnostics))
