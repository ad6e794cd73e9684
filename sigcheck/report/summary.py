"""The last line: what was checked, so that a silent run says how much it saw."""

from __future__ import annotations

from sigcheck.outcome import Report


def render_summary(report: Report, *, is_partial: bool = False) -> str:
    """`12 overrides of 2 contracts in 9 files: 3 diagnostics`; ` in what changed`, where a part of the report is told."""
    scope = f" of {_count(len(report.contracts), 'contract')}" if report.contracts else ""
    found = _count(len(report.diagnostics), "diagnostic") if report.diagnostics else "no diagnostics"
    where = " in what changed" if is_partial else ""
    unresolved = f", {_count(len(report.unresolved), 'base')} without source" if report.unresolved else ""
    return (
        f"{_count(report.overrides, 'override')}{scope} in {_count(report.files, 'file')}: {found}{where}{unresolved}"
    )


def render_statistics(report: Report) -> str:
    """The rules that were broken, the most frequent first."""
    counts: dict[str, int] = {}
    for diagnostic in report.diagnostics:
        counts[diagnostic.rule] = counts.get(diagnostic.rule, 0) + 1
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    width = max((len(str(count)) for count in counts.values()), default=0)
    return "".join(f"{count:>{width}}  {rule}\n" for rule, count in ordered)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
