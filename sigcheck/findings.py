"""What a check learnt of a project, file by file, as a later check can start from it. Imports `core` and `outcome`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sigcheck.core.contract import Contract
from sigcheck.core.dataclass import dataclass
from sigcheck.core.diagnostic import Diagnostic, Finding
from sigcheck.core.place import Place
from sigcheck.core.rules import Severity
from sigcheck.core.verdict import Found, Remarks, Verdict
from sigcheck.outcome import Report


@dataclass(frozen=True, slots=True)
class Identity:
    """A file of the project as a module: as reports show it, the root it is imported from, and its dotted name there."""

    path: str
    root: str
    name: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """A module that was looked for.

    Attributes:
        near: the file, or the namespace package, in which its name stands.
        name: dotted.
        real: the file, or the directory, that was found; empty for nothing.
        path: the same as reports show it, and as `near` of further lookups.
    """

    near: str
    name: str
    real: str
    path: str


@dataclass(frozen=True, slots=True)
class Findings:
    """The verdicts of a check, on those files that have classes, in order."""

    verdicts: tuple[Verdict, ...]

    def told(self) -> list[Found]:
        """Everything that was found of classes and members, numbered by its place in this list."""
        return [found for verdict in self.verdicts for found in verdict.told()]


@dataclass(frozen=True, slots=True)
class Ground:
    """What the verdicts of a check stand on.

    Attributes:
        identities: of the files of the project, in order.
        remarks: on the same, and on what could not be walked.
        lookups: every module that was looked for.
        names: what classes of the contracts' families may be called, where nothing else was read; sorted.
        family: the files that were read because of that; sorted.
    """

    identities: tuple[Identity, ...]
    remarks: tuple[Remarks, ...]
    lookups: tuple[Lookup, ...]
    names: tuple[str, ...] = ()
    family: tuple[str, ...] = ()

    def used_by(self, paths: Iterable[str]) -> set[str]:
        """The files that were looked up from some files, over however many others; those files too."""
        found: dict[str, list[str]] = {}
        for lookup in self.lookups:
            found.setdefault(lookup.near, []).append(lookup.path)
        return _closure(paths, found)

    def reached_by(self, changed: Iterable[str]) -> set[str]:
        """The files, namespace packages among them, whose verdicts may depend on others: those others too."""
        looked: dict[str, list[str]] = {}
        for lookup in self.lookups:
            looked.setdefault(lookup.path, []).append(lookup.near)
        return _closure(changed, looked)


def _closure(paths: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    """The files, and those to which edges lead from them."""
    reached = set(paths)
    pending = list(reached)
    while pending:
        for path in edges.get(pending.pop(), ()):
            if path not in reached:
                reached.add(path)
                pending.append(path)
    return reached


@dataclass(frozen=True, slots=True)
class Telling:
    """A report, but for what the findings of the same check say already.

    Attributes:
        judged: the files that have verdicts, in order.
        order: for each diagnostic its number among the findings, or, below zero, the number from the end of `others`.
        others: the diagnostics that are of no verdict.
        severities: of each rule.
        files, classes, overrides, call_sites, contracts, fail_on: see `outcome.Report`.
    """

    judged: tuple[str, ...]
    order: tuple[int, ...]
    others: tuple[Diagnostic, ...]
    severities: Mapping[str, Severity]
    files: int
    classes: int
    overrides: int
    call_sites: int
    contracts: Mapping[Contract, int]
    fail_on: Severity

    @classmethod
    def of(cls, report: Report, findings: Findings) -> Telling:
        """How to tell a report that was made of these findings."""
        numbers = {id(finding): number for number, (_, _, finding) in enumerate(findings.told())}
        others = tuple(entry for entry in report.diagnostics if id(entry.finding) not in numbers)
        below = {id(entry): index - len(others) for index, entry in enumerate(others)}
        return cls(
            tuple(verdict.path for verdict in findings.verdicts),
            tuple(numbers.get(id(entry.finding), below.get(id(entry), 0)) for entry in report.diagnostics),
            others,
            {entry.rule: entry.severity for entry in report.diagnostics},
            report.files,
            report.classes,
            report.overrides,
            report.call_sites,
            report.contracts,
            report.fail_on,
        )

    def report(self, findings: Findings) -> Report:
        """The report.

        Raises:
            ValueError: these are other findings.
        """
        told = findings.told()
        try:
            diagnostics = tuple(
                self._told(*told[number]) if number >= 0 else self.others[number] for number in self.order
            )
        except (IndexError, KeyError):
            raise ValueError("the telling of other findings") from None
        return Report(
            diagnostics,
            self.files,
            self.classes,
            self.overrides,
            self.call_sites,
            tuple(entry for verdict in findings.verdicts for entry in verdict.unresolved),
            self.contracts,
            self.fail_on,
        )

    def _told(self, rule: str, place: Place, finding: Finding) -> Diagnostic:
        return Diagnostic(rule, self.severities[rule], place, finding)
