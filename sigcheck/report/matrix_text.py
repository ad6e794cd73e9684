"""A matrix for terminals: columns in line, colours where they are wanted, marks in any case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sigcheck.core.dataclass import dataclass
from sigcheck.core.matrix import CallTable, Cell, Matrix, Row, State, Verdict
from sigcheck.report import matrix_words as words
from sigcheck.report.terminal import cells, paint, shortened

_COLOURS = {
    State.MOVED: "35",
    State.OTHER: "31",
    State.REFUSED: "31",
    State.REQUIRED: "31",
    State.CATCH_ALL: "36",
    State.NOT_POSITIONAL: "33",
    State.NOT_KEYWORD: "33",
    State.MISSING: "2",
    State.EXTRA: "2",
    State.UNKNOWN: "2",
}
_VERDICTS = {
    Verdict.KEPT: "32",
    Verdict.REJECTED: "31",
    Verdict.MISBOUND: "35",
    Verdict.MISMATCHED: "33",
    Verdict.IGNORING: "33",
}
_LONGEST = 48
"""Cells of a terminal that a label or an argument may take."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A text and its rendition (SGR)."""

    text: str
    code: str = ""


_Field = tuple[_Text, ...]
"""What stands in one row and column: texts with a space between."""


def render_text(matrix: Matrix, *, colour: bool = False) -> Iterator[str]:
    """The slots, the calls, the legend."""
    yield f"{paint(words.title(matrix), '1', colour)}   {words.place(matrix.rows[0])}\n"
    yield f"{words.summary(matrix)}\n\n"
    names = words.labels(matrix.rows)
    yield from _slots(matrix, names, colour)
    for table in matrix.calls:
        yield f"\n{paint(words.call_title(table), '1', colour)}   {words.call_place(table)}\n\n"
        yield from _call(table, names, colour)
    yield from _legend(matrix, colour)


def _slots(matrix: Matrix, names: Mapping[Row, words.Label], colour: bool) -> Iterator[str]:
    has_extra = any(row.extra for row in matrix.rows)
    lines = [_head("slot", map(words.head, matrix.columns), "also" if has_extra else None)]
    for row in matrix.rows:
        line: list[_Field] = [_label(row, names), *((_cell(cell),) for cell in row.cells)]
        if has_extra:
            shown, hidden = words.abbreviated(row.extra, _LONGEST)
            more = (_Text(f"+{len(hidden)} more", "2"),) if hidden else ()
            line.append((*map(_cell, shown), *more))
        verdict = _Text(words.VERDICTS[row.verdict], _VERDICTS.get(row.verdict, "2"))
        rules = _Text(f"[{', '.join(row.rules)}]", "2")
        lines.append([*line, (verdict, rules) if row.rules else (verdict,)])
    yield from _laid_out(lines, colour)


def _call(table: CallTable, names: Mapping[Row, words.Label], colour: bool) -> Iterator[str]:
    lines = [_head("argument", (shortened(words.written(entry), _LONGEST) for entry in table.arguments), None)]
    for entry in table.rows:
        outcome = _Text(words.outcome(entry), _VERDICTS.get(entry.verdict, "2"))
        lines.append([_label(entry.row, names), *((_cell(cell),) for cell in entry.cells), (outcome,)])
    yield from _laid_out(lines, colour)


def _head(first: str, heads: Iterable[str], last: str | None) -> list[_Field]:
    texts = [first, *heads, *([] if last is None else [last]), ""]
    return [(_Text(text, "2"),) for text in texts]


def _label(row: Row, names: Mapping[Row, words.Label]) -> _Field:
    return (_Text("  " * max(row.depth - 1, 0) + shortened(str(names[row]), _LONGEST)),)


def _cell(cell: Cell) -> _Text:
    code = _COLOURS.get(cell.state, "")
    if cell.is_ignored:
        code = f"{code};9" if code else "9"
    return _Text(words.marked(cell), code)


def _laid_out(lines: Sequence[Sequence[_Field]], colour: bool) -> Iterator[str]:
    widths = [max(_width(line[index]) for line in lines) for index in range(len(lines[0]))]
    for line in lines:
        fields = [
            " ".join(paint(part.text, part.code, colour and bool(part.code and part.text)) for part in field)
            + " " * (room - _width(field))
            for field, room in zip(line, widths, strict=True)
        ]
        yield "  ".join(fields).rstrip() + "\n"


def _width(field: _Field) -> int:
    return sum(cells(part.text) for part in field) + max(len(field) - 1, 0)


def _legend(matrix: Matrix, colour: bool) -> Iterator[str]:
    found = [(words.SAMPLES[state], words.MEANINGS[state]) for state in words.states(matrix) if state in words.SAMPLES]
    if words.has_ignored(matrix):
        found.append(("~name~", words.IGNORED))
    if found:
        room = max(len(sample) for sample, _ in found)
        yield "\n"
        for sample, meaning in found:
            yield paint(f"{sample:<{room}}  {meaning}", "2", colour) + "\n"
