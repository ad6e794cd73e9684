"""The formats for people: `concise`, a line for each diagnostic, and `full`, with the base, the witness and the source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sigcheck.core.dataclass import dataclass, field
from sigcheck.core.diagnostic import BrokenOverride, Diagnostic, SiblingDrift
from sigcheck.core.place import Place
from sigcheck.core.rules import Severity
from sigcheck.report import words
from sigcheck.report.terminal import cells, in_cells, paint

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36", Severity.OFF: "0"}
_LONGEST = 140
"""Source lines are cut behind so many characters."""


@dataclass(slots=True)
class Sources:
    """Source lines, read when they are shown. A file that has vanished has none.

    Attributes:
        read: the text of a file, by its path in the report; every line ends in a bare newline.
    """

    read: Callable[[str], str]
    _lines: dict[str, list[str]] = field(default_factory=dict)

    def line(self, path: str, number: int) -> str | None:
        """One line of a file, or None."""
        lines = self._lines.get(path)
        if lines is None:
            lines = self._lines[path] = self.read(path).split("\n")
        return lines[number - 1] if 0 < number <= len(lines) else None


def render_concise(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> Iterator[str]:
    """`path:line:column: severity: message [rule]`, a line each."""
    for diagnostic in diagnostics:
        yield _first_line(diagnostic, colour) + "\n"


def render_full(diagnostics: Iterable[Diagnostic], sources: Sources, *, colour: bool = False) -> Iterator[str]:
    """The first line, the details, and the source lines with carets."""
    for diagnostic in diagnostics:
        yield _first_line(diagnostic, colour) + "\n"
        for detail in words.details(diagnostic):
            label = f"{detail.label}:"
            yield f"  {paint(label, '1', colour)}{' ' * (9 - len(label))}{_placed(detail)}\n"
        excerpt = list(_excerpts(diagnostic, sources, colour))
        if excerpt:
            yield "".join(excerpt)
        yield "\n"


def _first_line(diagnostic: Diagnostic, colour: bool) -> str:
    place = paint(str(diagnostic.place), "1", colour)
    severity = paint(diagnostic.severity.value, _COLOURS[diagnostic.severity], colour)
    rule = paint(f"[{diagnostic.rule}]", "2", colour)
    return f"{place}: {severity}: {words.message(diagnostic)} {rule}"


def _placed(detail: words.Detail) -> str:
    if detail.place is None:
        return detail.text
    where = f"{detail.place.path}:{detail.place.line}"
    return f"{where} {detail.text}" if detail.label == "called" else f"{detail.text}   {where}"


def _excerpts(diagnostic: Diagnostic, sources: Sources, colour: bool) -> Iterator[str]:
    yield from _excerpt(diagnostic.place, sources, colour)
    finding = diagnostic.finding
    if isinstance(finding, SiblingDrift):
        yield from _excerpt(finding.sibling.place, sources, colour)
    if not isinstance(finding, BrokenOverride):
        return
    _, lands_in = words.parameters(finding.reason)
    parameter = finding.override.signature.get(lands_in) if lands_in else None
    if parameter is not None and parameter.line not in (None, diagnostic.place.line) and not finding.is_shadowing:
        yield from _word(finding.override.place.path, parameter.line or 0, parameter.name, sources, colour)
    yield from _excerpt(finding.base.place, sources, colour)


def _word(path: str, number: int, word: str, sources: Sources, colour: bool) -> Iterator[str]:
    line = sources.line(path, number) or ""
    column = line.find(word) + 1
    if column:
        yield from _excerpt(Place(path, number, column, number, column + len(word)), sources, colour, bare=True)


def _excerpt(place: Place, sources: Sources, colour: bool, *, bare: bool = False) -> Iterator[str]:
    line = sources.line(place.path, place.line)
    if not line or not line.strip() or place.column > _LONGEST:
        return
    before, marked = line[: place.column - 1], line[place.column - 1 : place.end_column - 1]
    shown = in_cells(line[:_LONGEST])
    room = max(cells(line[:_LONGEST]) - cells(before), 1)
    margin = f"{place.line:>6} | "
    if not bare:
        yield f"  {paint('-->', '34', colour)} {place}\n"
    carets = "^" * min(max(cells(marked), 1), room)
    yield f"{margin}{shown}\n{' ' * 6} | {' ' * cells(before)}{paint(carets, '31', colour)}\n"
