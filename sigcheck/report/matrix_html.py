"""A matrix as one page that stands alone: no request leaves it, the arrow keys walk through it, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from importlib import resources

from sigcheck.core.matrix import CallTable, Cell, Matrix, Row, State, Verdict
from sigcheck.report import matrix_words as words

_VERDICT_SYMBOLS = {
    Verdict.KEPT: "\u2713",
    Verdict.REJECTED: "\u2715",
    Verdict.MISBOUND: "\u25b2",
    Verdict.MISMATCHED: "\u25c6",
    Verdict.IGNORING: "\u25cb",
    Verdict.NOT_COMPARED: "\u2013",
}

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
"""Nothing is fetched, whatever a name in the page looks like."""

_KEYS = " ".join(f"<kbd>{key}</kbd>" for key in ("\u2190", "\u2191", "\u2192", "\u2193", "Home", "End"))


def render_html(matrix: Matrix, version: str) -> str:
    """The page: the slots, a table for each call, the legend."""
    names = words.labels(matrix.rows)
    title = escape(words.title(matrix))
    page = [
        "<!DOCTYPE html>\n",
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
        '<meta name="color-scheme" content="light dark">\n',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n',
        '<link rel="icon" href="data:,">\n',
        f"<title>{title} · sigcheck matrix</title>\n",
        f"<style>\n{_asset('matrix.css')}</style>\n</head>\n<body>\n",
        f'<header>\n<h1><code>{title}</code></h1>\n<p class="place">{escape(words.place(matrix.rows[0]))}</p>\n',
        f'<ul class="counts" aria-label="{escape(words.summary(matrix))}">\n',
        *_counts(matrix),
        "</ul>\n</header>\n<main>\n",
        *_slots(matrix, names),
        *(part for number, table in enumerate(matrix.calls) for part in _call(table, number, names)),
        "</main>\n",
        *_legend(matrix),
        f"<footer><p>{_KEYS} walk through a table. sigcheck {escape(version)}</p></footer>\n",
        '<p id="detail" role="status" aria-live="polite"></p>\n',
        f"<script>\n{_asset('matrix.js')}</script>\n</body>\n</html>\n",
    ]
    return "".join(page)


def _asset(name: str) -> str:
    return (resources.files("sigcheck.report") / name).read_text(encoding="utf-8")


def _counts(matrix: Matrix) -> Iterator[str]:
    number = len(matrix.overrides)
    yield f"<li>{number:,} override{'' if number == 1 else 's'}</li>\n"
    for verdict, count in words.counts(matrix):
        symbol = _VERDICT_SYMBOLS[verdict]
        yield f'<li class="{verdict.value}"><span aria-hidden="true">{symbol}</span> {count:,} {words.VERDICTS[verdict]}</li>\n'


def _slots(matrix: Matrix, names: Mapping[Row, words.Label]) -> Iterator[str]:
    has_extra = any(row.extra for row in matrix.rows)
    columns = [column.parameter.starred() for column in matrix.columns]
    heads = [
        f'<th scope="col" aria-label="{escape(_head_words(words.head(column), name))}">{escape(words.head(column))}</th>'
        for column, name in zip(matrix.columns, columns, strict=True)
    ]
    if has_extra:
        heads.append('<th scope="col" title="parameters that have no slot in the base">also</th>')
    caption = "What each override has in the slots of the base"
    yield from _open("slots", caption, "", "slot", heads)
    for row in matrix.rows:
        yield _row_head(row, names[row])
        for cell, name in zip(row.cells, columns, strict=True):
            yield _cell(cell, name)
        if has_extra:
            yield _extra(row.extra)
        rules = f' <span class="rules">{escape(", ".join(row.rules))}</span>' if row.rules else ""
        yield _verdict(row.verdict, words.VERDICTS[row.verdict], rules)
    yield "</tbody>\n</table>\n</div>\n</section>\n"


def _head_words(head: str, name: str) -> str:
    return f"slot {head}: {name}" if head.isdecimal() else f"{head}: {name}" if head == "by keyword" else name


def _call(table: CallTable, number: int, names: Mapping[Row, words.Label]) -> Iterator[str]:
    texts = [words.written(argument) for argument in table.arguments]
    heads = [
        f'<th scope="col" class="argument" title="{escape(text)}"><code>{escape(text)}</code></th>' for text in texts
    ]
    title = words.call_title(table)
    yield from _open(f"call-{number + 1}", title, words.call_place(table), "argument", heads)
    for entry in table.rows:
        yield _row_head(entry.row, names[entry.row])
        for cell, text in zip(entry.cells, texts, strict=True):
            yield _cell(cell, text)
        yield _verdict(entry.verdict, words.outcome(entry), "")
    yield "</tbody>\n</table>\n</div>\n</section>\n"


def _open(name: str, caption: str, place: str, first: str, heads: Iterable[str]) -> Iterator[str]:
    where = f' <span class="place">{escape(place)}</span>' if place else ""
    yield f'<section>\n<div class="scroll">\n<table id="{name}">\n<caption><span class="title">{escape(caption)}</span>'
    yield f'{where}</caption>\n<thead>\n<tr><th scope="col">{first}</th>{"".join(heads)}<th scope="col">verdict</th></tr>\n'
    yield "</thead>\n<tbody>\n"


def _row_head(row: Row, label: words.Label) -> str:
    note = f' <span class="note">{escape(label.note)}</span>' if label.note else ""
    kind = ' class="base-row"' if row.verdict is Verdict.BASE else ""
    return (
        f'<tr{kind}><th scope="row" title="{escape(words.place(row))}" style="--depth:{max(row.depth - 1, 0)}">'
        f"<code>{escape(label.name)}</code>{note}</th>"
    )


def _cell(cell: Cell, base: str) -> str:
    told = escape(words.sentence(cell, base))
    return f'<td data-state="{cell.state.value}" tabindex="-1" title="{told}">{_chip(cell)}</td>'


def _chip(cell: Cell) -> str:
    """What sits in a cell; its state is written out for those who do not see the box around it."""
    symbol = words.symbol(cell)
    mark = f'<span class="symbol" aria-hidden="true">{symbol}</span>' if symbol else ""
    name = escape(words.shown(cell))
    shown = f"<s>{name}</s>" if cell.is_ignored else name
    state = {State.SAME: "", State.FREE: "", State.REFUSED: "", State.UNKNOWN: ""}.get(
        cell.state, cell.state.value.replace("-", " ")
    )
    told = (
        f'<span class="told"> {state}{", ignored" if cell.is_ignored else ""}</span>'
        if state or cell.is_ignored
        else ""
    )
    return f'<code class="chip {cell.state.value}">{mark}{shown}</code>{told}'


def _extra(cells: Iterable[Cell]) -> str:
    found = tuple(cells)
    told = escape("; ".join(words.sentence(cell, None) for cell in found))
    chips = " ".join(_chip(cell) for cell in found)
    return f'<td data-state="{" ".join(cell.state.value for cell in found)}" class="extra-cell" tabindex="-1" title="{told}">{chips}</td>'


def _verdict(verdict: Verdict, text: str, rules: str) -> str:
    symbol = _VERDICT_SYMBOLS.get(verdict, "")
    mark = f'<span aria-hidden="true">{symbol}</span> ' if symbol else ""
    return f'<td class="verdict {verdict.value}" tabindex="-1">{mark}{escape(text)}{rules}</td></tr>\n'


def _legend(matrix: Matrix) -> Iterator[str]:
    samples = {
        State.MOVED: '<span class="symbol">\u2194</span>name',
        State.OTHER: '<span class="symbol">\u2260</span>name',
        State.MISSING: "",
        State.CATCH_ALL: "*name",
        State.NOT_POSITIONAL: "name=",
        State.NOT_KEYWORD: "name /",
        State.REQUIRED: '<span class="symbol">!</span>name',
        State.EXTRA: "name",
    }
    shown = [state for state in words.states(matrix) if state in samples]
    if not shown and not words.has_ignored(matrix):
        return
    yield '<section class="legend" aria-label="legend">\n<dl>\n'
    for state in shown:
        yield f'<div><dt><code class="chip {state.value}">{samples[state]}</code></dt><dd>{words.MEANINGS[state]}</dd></div>\n'
    if words.has_ignored(matrix):
        yield f'<div><dt><code class="chip"><s>name</s></code></dt><dd>{words.IGNORED}</dd></div>\n'
    yield "</dl>\n</section>\n"
