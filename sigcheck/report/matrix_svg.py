"""A matrix as a picture that stands alone: for a README, light and dark.

Names are set in a typeface of one width, so that their length is known without measuring: the picture has room for every
letter, whatever typeface the reader's machine puts in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from sigcheck.core.dataclass import dataclass
from sigcheck.core.matrix import CallRow, CallTable, Cell, Matrix, Row, State, Verdict
from sigcheck.report import matrix_words as words
from sigcheck.report.terminal import cells, shortened

_LETTER = 7.25
"""Width of a letter, with a little to spare: 0.6 em of 12 px, and the widest of the typefaces named below."""
_MARGIN, _LINE, _PAD, _GAP, _BETWEEN = 20, 30, 9, 6, 10
_LONGEST = 40
_MOST_EXTRA = 36
"""Letters of the parameters behind the slots; of more, the number is told."""

_STYLE = """\
svg { color-scheme: light dark }
text { font: 12px ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace; fill: #1f2328 }
.page { fill: #ffffff; stroke: #d1d9e0 }
.title { font-size: 15px; font-weight: 600 }
.quiet, .head { fill: #59636e }
.strong { font-weight: 600 }
.line { stroke: #d1d9e0; stroke-width: 1 }
.box { fill: none; stroke: none }
.same { fill: #59636e }
.moved-box { fill: #fbefff; stroke: #8250df } .moved { fill: #6639ba }
.other-box, .refused-box, .required-box { fill: #ffebe9; stroke: #cf222e } .other, .refused, .required { fill: #a40e26 }
.missing-box { fill: none; stroke: #818b98; stroke-dasharray: 3 3 }
.catch-all-box { fill: #ddf4ff; stroke: #0969da } .catch-all { fill: #0550ae }
.not-positional-box, .not-keyword-box { fill: #fff8c5; stroke: #9a6700 } .not-positional, .not-keyword { fill: #7d4e00 }
.gone { text-decoration: line-through }
.ok { fill: #1a7f37 } .type-error { fill: #a40e26 } .silently-wrong { fill: #6639ba } .mismatch, .ignores { fill: #7d4e00 }
.not-compared, .base { fill: #59636e; font-weight: 400 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
.page { fill: #0d1117; stroke: #3d444d }
.quiet, .head, .same, .not-compared, .base { fill: #9198a1 }
.line { stroke: #3d444d }
.moved-box { fill: #271052; stroke: #ab7df8 } .moved { fill: #d2a8ff }
.other-box, .refused-box, .required-box { fill: #3c0c12; stroke: #f85149 } .other, .refused, .required { fill: #ffa198 }
.missing-box { stroke: #656c76 }
.catch-all-box { fill: #0c2d6b; stroke: #4493f8 } .catch-all { fill: #a5d6ff }
.not-positional-box, .not-keyword-box { fill: #341a00; stroke: #d29922 } .not-positional, .not-keyword { fill: #e3b341 }
.ok { fill: #3fb950 } .type-error { fill: #ffa198 } .silently-wrong { fill: #d2a8ff } .mismatch, .ignores { fill: #e3b341 }
}
"""

_BOXED = frozenset(
    {
        State.MOVED, State.OTHER, State.MISSING, State.CATCH_ALL, State.NOT_POSITIONAL, State.NOT_KEYWORD,
        State.REQUIRED, State.REFUSED,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Mark:
    """What is drawn in one row and column: a text, in a box where that is worth one."""

    text: str
    look: str
    is_boxed: bool = False
    is_inset: bool = False
    is_gone: bool = False
    title: str = ""

    @property
    def width(self) -> float:
        return cells(self.text) * _LETTER + 2 * self.inset

    @property
    def inset(self) -> float:
        """Names stand in line, with a box around them or without."""
        return _PAD if self.is_boxed or self.is_inset else 0


_Line = Sequence[Sequence[_Mark]]


def render_svg(matrix: Matrix) -> str:
    """One `<svg>` element: the slots; of each call the definitions in which something is wrong; the legend."""
    canvas = _Canvas()
    canvas.text(words.title(matrix), "title", canvas.y + 16)
    canvas.text(words.summary(matrix), "quiet", canvas.y + 38)
    canvas.y += 54
    names = words.labels(matrix.rows)
    canvas.table(list(_slots(matrix, names)))
    for table in matrix.calls:
        canvas.y += 26
        canvas.text(words.call_title(table), "strong", canvas.y + 12)
        canvas.text(words.call_place(table), "quiet", canvas.y + 30)
        canvas.y += 42
        troubled = [entry for entry in table.rows if _is_troubled(entry)]
        if troubled:
            canvas.table(list(_call(table, troubled, names)))
        fine = len(table.rows) - len(troubled)
        if fine:
            others = f"{fine:,} {'other' if troubled else 'definition'}{'' if fine == 1 else 's'}"
            is_certain = not (table.site.has_star or table.site.has_double_star)
            outcome = "ok" if is_certain else "ok, as far as the call tells"
            canvas.text(f"{others}: {outcome}", "quiet", canvas.y + 18)
            canvas.y += 24
    canvas.legend(list(_legend(matrix)))
    described = f"{words.title(matrix)}: {words.summary(matrix)}"
    return canvas.picture(described)


def _is_troubled(entry: CallRow) -> bool:
    if entry.verdict is Verdict.NOT_COMPARED:
        return any(cell.is_ignored or cell.state in _BOXED for cell in entry.cells)
    return entry.verdict is not Verdict.KEPT


class _Canvas:
    """What is drawn so far, and how far down and to the right it reaches."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.y = float(_MARGIN)
        self.right = 480.0

    def picture(self, described: str) -> str:
        width, height = round(self.right + _MARGIN), round(self.y + _MARGIN)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="title">\n'
            f'<title id="title">{escape(described)}</title>\n<style>\n{_STYLE}</style>\n'
            f'<rect class="page" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>\n'
            + "".join(self.parts)
            + "</svg>\n"
        )

    def text(self, text: str, look: str, y: float, x: float = _MARGIN) -> None:
        letter = 9.2 if look == "title" else _LETTER
        self.right = max(self.right, x + cells(text) * letter)
        self.parts.append(f'<text class="{look}" x="{_number(x)}" y="{_number(y)}" xml:space="preserve">')
        self.parts.append(f"{escape(text)}</text>\n")

    def table(self, lines: Sequence[_Line]) -> None:
        """Draw rows whose columns are as wide as their widest mark."""
        widths = [max(_width(line[index]) for line in lines) for index in range(len(lines[0]))]
        for number, line in enumerate(lines):
            x = float(_MARGIN)
            for field, width in zip(line, widths, strict=True):
                self._field(field, x, width)
                x += width + _BETWEEN
            self.y += _LINE
            self.right = max(self.right, x)
            if number == 0:
                self.parts.append(f'<path class="line" d="M{_MARGIN} {_number(self.y - 4)}H{_number(x)}"/>\n')

    def _field(self, field: Sequence[_Mark], x: float, width: float) -> None:
        for mark in field:
            self._mark(mark, x, width if len(field) == 1 else mark.width)
            x += mark.width + _GAP

    def _mark(self, mark: _Mark, x: float, width: float) -> None:
        self.parts.append("<g>")
        if mark.title:
            self.parts.append(f"<title>{escape(mark.title)}</title>")
        if mark.is_boxed:
            self.parts.append(
                f'<rect class="{mark.look}-box" x="{_number(x)}" y="{_number(self.y + 1.5)}" '
                f'width="{_number(max(width, 24))}" height="{_LINE - 7}" rx="5"/>'
            )
        if mark.text:
            look = f"{mark.look} gone" if mark.is_gone else mark.look
            self.text(mark.text, look, self.y + 17, x + mark.inset)
        self.parts.append("</g>\n")

    def legend(self, marks: Sequence[tuple[_Mark, str]]) -> None:
        if not marks:
            return
        self.y += 18
        x = float(_MARGIN)
        limit = max(self.right, 720)
        for mark, meaning in marks:
            room = max(mark.width, 24) + 8 + cells(meaning) * _LETTER + 24
            if x > _MARGIN and x + room > limit:
                x = float(_MARGIN)
                self.y += _LINE
            self._mark(mark, x, mark.width)
            self.text(meaning, "quiet", self.y + 17, x + max(mark.width, 24) + 8)
            x += room
        self.y += _LINE


def _slots(matrix: Matrix, names: Mapping[Row, words.Label]) -> Iterator[_Line]:
    has_extra = any(row.extra for row in matrix.rows)
    heads = ["slot", *map(words.head, matrix.columns), *(["also"] if has_extra else []), ""]
    yield [[_Mark(head, "head", is_inset=index > 0)] for index, head in enumerate(heads)]
    for row in matrix.rows:
        pairs = zip(matrix.columns, row.cells, strict=True)
        look = "strong" if row.verdict is Verdict.BASE else ""
        fields = [[_cell(cell, column.parameter.starred(), look)] for column, cell in pairs]
        if has_extra:
            shown, hidden = words.abbreviated(row.extra, _MOST_EXTRA)
            fields.append([_cell(cell, None) for cell in shown])
            if hidden:
                told = ", ".join(words.shown(cell) for cell in hidden)
                fields[-1].append(_Mark(f"+{len(hidden)}", "quiet", is_inset=True, title=told))
        verdict = _Mark(words.VERDICTS[row.verdict], f"strong {row.verdict.value}", title=", ".join(row.rules))
        yield [_label(row, names), *fields, [verdict]]


def _call(table: CallTable, entries: Sequence[CallRow], names: Mapping[Row, words.Label]) -> Iterator[_Line]:
    texts = [shortened(words.written(entry), _LONGEST) for entry in table.arguments]
    yield [[_Mark("argument", "head")], *([_Mark(text, "head", is_inset=True)] for text in texts), [_Mark("", "head")]]
    for entry in entries:
        fields = [[_cell(cell, text)] for cell, text in zip(entry.cells, texts, strict=True)]
        verdict = "not certain" if entry.verdict is Verdict.NOT_COMPARED else words.VERDICTS[entry.verdict]
        told = words.outcome(entry)
        yield [_label(entry.row, names), *fields, [_Mark(verdict, f"strong {entry.verdict.value}", title=told)]]


def _label(row: Row, names: Mapping[Row, words.Label]) -> Sequence[_Mark]:
    indent = "\u00a0\u00a0" * max(row.depth - 1, 0)
    text = indent + shortened(str(names[row]), _LONGEST)
    return [_Mark(text, "strong" if row.verdict is Verdict.BASE else "name", title=words.place(row))]


def _cell(cell: Cell, base: str | None, look: str = "") -> _Mark:
    symbol = words.symbol(cell)
    text = f"{symbol} {words.shown(cell)}" if symbol else words.shown(cell)
    is_boxed = cell.state in _BOXED
    plain = look or ("same" if cell.state in (State.SAME, State.FREE, State.EXTRA, State.UNKNOWN) else "")
    told = words.sentence(cell, base)
    return _Mark(text, plain or cell.state.value, is_boxed, is_inset=True, is_gone=cell.is_ignored, title=told)


def _legend(matrix: Matrix) -> Iterator[tuple[_Mark, str]]:
    samples = {
        State.MOVED: "\u2194 name",
        State.OTHER: "\u2260 name",
        State.MISSING: "",
        State.CATCH_ALL: "*name",
        State.NOT_POSITIONAL: "name=",
        State.NOT_KEYWORD: "name /",
        State.REQUIRED: "! name",
    }
    for state in words.states(matrix):
        if state in samples:
            yield _Mark(samples[state], state.value, is_boxed=True), words.MEANINGS[state]
    if words.has_ignored(matrix):
        yield _Mark("name", "same", is_gone=True), words.IGNORED


def _width(field: Sequence[_Mark]) -> float:
    return sum(mark.width for mark in field) + _GAP * max(len(field) - 1, 0)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
