"""What the formats of a matrix say: names of rows, heads of columns, a sentence for each cell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from sigcheck.core.binding import Rejection
from sigcheck.core.callsite import Route
from sigcheck.core.dataclass import dataclass
from sigcheck.core.matrix import Argument, CallRow, CallTable, Cell, Column, Matrix, Row, State, Verdict
from sigcheck.core.module import Class
from sigcheck.core.place import Branch
from sigcheck.core.signature import Kind
from sigcheck.report import words

_LINE_BREAK = re.compile(r"\s*[\r\n]\s*")
_REPEATED = re.compile(r"#\d+$")

MEANINGS: dict[State, str] = {
    State.SAME: "the parameter of that name, in its place",
    State.FREE: "another name, which no caller can say",
    State.MOVED: "moved: the base has it in another place",
    State.OTHER: "other: the base does not know it",
    State.MISSING: "missing: nothing can receive it",
    State.CATCH_ALL: "catch-all",
    State.NOT_POSITIONAL: "by keyword only",
    State.NOT_KEYWORD: "by position only",
    State.REQUIRED: "required: calls of the base need not pass it",
    State.EXTRA: "optional, and not in the base",
    State.REFUSED: "refused: TypeError",
    State.UNKNOWN: "not known",
}
"""What the legend says of each state."""

IGNORED = "ignored: accepted and never read"
"""What the legend says of a parameter that is struck through."""

VERDICTS: dict[Verdict, str] = {
    Verdict.BASE: "base",
    Verdict.KEPT: "ok",
    Verdict.REJECTED: "TypeError",
    Verdict.MISBOUND: "silently wrong",
    Verdict.MISMATCHED: "another kind",
    Verdict.IGNORING: "ignores",
    Verdict.NOT_COMPARED: "not compared",
}


@dataclass(frozen=True, slots=True)
class Label:
    """What stands in front of a row.

    Attributes:
        name: the class.
        note: which of its definitions, or where it meets the base; often empty.
    """

    name: str
    note: str

    def __str__(self) -> str:
        return f"{self.name} ({self.note})" if self.note else self.name


def labels(rows: Iterable[Row]) -> dict[Row, Label]:
    """A name for each row that no other row has, as short as can be."""
    rows = tuple(rows)
    names = class_names(row.owner for row in rows)
    found = {row: Label(names[row.owner.key], _note(row)) for row in rows}
    counts = Counter(found.values())
    return {
        row: label if counts[label] == 1 else Label(label.name, _joined(f"line {row.member.place.line}", label.note))
        for row, label in found.items()
    }


def class_names(owners: Iterable[Class]) -> dict[str, str]:
    """A name for each class by its key: without the module where that is enough, with the place where nothing less is."""
    pending = {owner.key: owner for owner in owners}
    names: dict[str, str] = {}
    for write in (_short, _dotted, _in_file, _in_path):
        written = {key: one_line(write(owner)) for key, owner in pending.items()}
        counts = Counter(written.values())
        names |= {key: name for key, name in written.items() if counts[name] == 1 or write is _in_path}
        pending = {key: owner for key, owner in pending.items() if key not in names}
    return names


def _short(owner: Class) -> str:
    return _REPEATED.sub("", owner.id.partition(":")[2])


def _dotted(owner: Class) -> str:
    return owner.name


def _in_file(owner: Class) -> str:
    return f"{_short(owner)}, {owner.place.path.rpartition('/')[2]}:{owner.place.line}"


def _in_path(owner: Class) -> str:
    return f"{_short(owner)}, {owner.place.path}:{owner.place.line}"


def _note(row: Row) -> str:
    parts = [branch_text(row.owner.branch + row.member.branch)]
    if row.through is not None:
        parts.append(f"in {one_line(_short(row.through))}")
    if not row.member.flavour.is_method:
        parts.append(row.member.flavour.value)
    elif row.signature is None:
        parts.append("no receiver")
    return _joined(*parts)


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def branch_text(branch: Branch) -> str:
    """The tests that a definition stands under; empty for none."""
    tests = (condition.test if condition.holds else f"not {condition.test}" for condition in branch)
    return one_line(" and ".join(tests))


def title(matrix: Matrix) -> str:
    """`Base.method`."""
    [name] = class_names([matrix.owner]).values()
    return f"{name}.{matrix.member.name}"


def place(row: Row) -> str:
    """Where a definition stands."""
    return one_line(f"{row.member.place.path}:{row.member.place.line}")


def counts(matrix: Matrix) -> list[tuple[Verdict, int]]:
    """How many overrides there are of each verdict; the worst first."""
    found = Counter(row.verdict for row in matrix.overrides)
    order = (
        Verdict.MISBOUND,
        Verdict.REJECTED,
        Verdict.MISMATCHED,
        Verdict.IGNORING,
        Verdict.NOT_COMPARED,
        Verdict.KEPT,
    )
    return [(verdict, found[verdict]) for verdict in order if found[verdict]]


def summary(matrix: Matrix) -> str:
    """`6 overrides: 1 silently wrong, 2 TypeError, 3 ok`."""
    number = len(matrix.overrides)
    if not number:
        return "no overrides"
    told = ", ".join(f"{count:,} {VERDICTS[verdict]}" for verdict, count in counts(matrix))
    return f"{number:,} override{'' if number == 1 else 's'}: {told}"


def head(column: Column) -> str:
    """Above a column: the position, or how else its argument comes."""
    if column.slot is not None:
        return str(column.slot)
    return {Kind.VAR_POSITIONAL: "*", Kind.VAR_KEYWORD: "**"}.get(column.parameter.kind, "by keyword")


def written(argument: Argument) -> str:
    """An argument as the call has it."""
    if argument.is_unpacking:
        return f"{argument.keyword}..."
    return one_line(argument.text if argument.keyword is None else f"{argument.keyword}={argument.text}")


def marked(cell: Cell) -> str:
    """A cell in ASCII: what sits there, with a mark for what is wrong with it."""
    if cell.parameter is None:
        return {State.MISSING: "-", State.REFUSED: "refused"}.get(cell.state, "?")
    name = cell.parameter.starred()
    if cell.is_ignored:
        name = f"~{name}~"
    before = {State.MOVED: ">", State.OTHER: "!", State.REQUIRED: "+"}.get(cell.state, "")
    behind = {State.NOT_POSITIONAL: "=", State.NOT_KEYWORD: "/"}.get(cell.state, "")
    return f"{before}{name}{behind}"


SAMPLES: dict[State, str] = {
    State.MOVED: ">name",
    State.OTHER: "!name",
    State.MISSING: "-",
    State.CATCH_ALL: "*name",
    State.NOT_POSITIONAL: "name=",
    State.NOT_KEYWORD: "name/",
    State.REQUIRED: "+name",
}
"""How `marked` shows the states that need a legend."""


def symbol(cell: Cell) -> str:
    """The mark in front of a name, where there are more letters than ASCII."""
    return {State.MOVED: "\u2194", State.OTHER: "\u2260", State.REQUIRED: "!"}.get(cell.state, "")


def shown(cell: Cell) -> str:
    """A cell where strokes and symbols are drawn: the name, with `=` or `/` for what is not taken both ways."""
    if cell.parameter is None:
        return {State.MISSING: "", State.REFUSED: "refused"}.get(cell.state, "?")
    behind = {State.NOT_POSITIONAL: "=", State.NOT_KEYWORD: " /"}.get(cell.state, "")
    return f"{cell.parameter.starred()}{behind}"


def abbreviated(cells: Sequence[Cell], letters: int) -> tuple[Sequence[Cell], Sequence[Cell]]:
    """The first of some cells that have room in so many letters, at least one, and the rest. What is wrong comes first."""
    ordered = sorted(cells, key=lambda cell: cell.state is State.EXTRA)
    count = used = 0
    for cell in ordered:
        used += len(marked(cell)) + 1
        if count and used > letters:
            break
        count += 1
    return ordered[:count], ordered[count:]


def sentence(cell: Cell, base: str | None) -> str:
    """What a cell says in words.

    Args:
        cell: the cell.
        base: the parameter of the base, or the argument; None for a cell behind the columns.
    """
    name = "" if cell.parameter is None else cell.parameter.starred()
    ignored = "; it is accepted and never read" if cell.is_ignored else ""
    return (_extra(cell, name) if base is None else _received(cell, name, base)) + ignored


def _extra(cell: Cell, name: str) -> str:
    match cell.state:
        case State.MOVED:
            return f"{name} has another place than in the base"
        case State.REQUIRED:
            return f"{name} is required, and the base never passes it"
        case State.CATCH_ALL:
            return f"{name} collects what no other parameter takes"
        case _:
            return f"{name} is optional, and the base does not have it"


def _received(cell: Cell, name: str, base: str) -> str:
    match cell.state:
        case State.SAME:
            return f"{base}: in its place" if base == name else f"{base} lands in {name}"
        case State.FREE:
            return f"{base} is called {name} here, a name that no caller says"
        case State.MOVED | State.OTHER:
            return f"{base} lands in {name}{_other_way(cell, base)}"
        case State.MISSING:
            return f"nothing can receive {base}"
        case State.CATCH_ALL:
            return f"{base} lands in {name}"
        case State.NOT_POSITIONAL:
            where = f", in {name}" if name.startswith("*") else ""
            return f"{base} is received by keyword only{where}"
        case State.NOT_KEYWORD:
            where = f", in {name}" if name.startswith("*") else ""
            return f"{base} is received by position only{where}"
        case State.REQUIRED:
            return f"{base} is optional in the base and required here"
        case State.REFUSED:
            return f"{base} is refused: TypeError"
        case _:
            return f"what becomes of {base} is not known"


def _other_way(cell: Cell, base: str) -> str:
    if cell.by_position is None or base.startswith("*"):
        return ""
    if cell.by_keyword is None:
        return " by position"
    return f" by position, and in {cell.by_keyword.starred()} by keyword"


def outcome(entry: CallRow) -> str:
    """What a call does in one definition."""
    if entry.rejection is not None:
        return f"TypeError: {refusal(entry.rejection)}"
    if entry.verdict is Verdict.NOT_COMPARED:
        return "not certain"
    return VERDICTS[entry.verdict]


def refusal(rejection: Rejection) -> str:
    """Why a call raises."""
    return words.refusal(rejection, ", ".join(rejection.names))


def call_title(table: CallTable) -> str:
    """Who calls what: `MoEMethodBase.apply calls self.apply_tp`."""
    [name] = class_names([table.owner]).values()
    receivers = {Route.INSTANCE: "self", Route.SUPER: "super()", Route.TYPE: "type(self)"}
    receiver = receivers.get(table.site.route) or re.split(r"[.:]", table.site.named[0])[-1]
    return f"{name}.{table.caller.name} calls {receiver}.{table.site.method}"


def call_place(table: CallTable) -> str:
    """Where a call stands."""
    return one_line(f"{table.site.place.path}:{table.site.place.line}")


def states(matrix: Matrix) -> list[State]:
    """The states that occur, in the order of `State`."""
    cells = [cell for row in matrix.rows for cell in (*row.cells, *row.extra)]
    cells += [cell for table in matrix.calls for entry in table.rows for cell in entry.cells]
    found = {cell.state for cell in cells}
    return [state for state in State if state in found]


def has_ignored(matrix: Matrix) -> bool:
    """Some parameter is struck through."""
    cells = [cell for row in matrix.rows for cell in (*row.cells, *row.extra)]
    cells += [cell for table in matrix.calls for entry in table.rows for cell in entry.cells]
    return any(cell.is_ignored for cell in cells)


def one_line(text: str) -> str:
    """Text that is quoted from a source, without line breaks and without what a terminal or a page would obey."""
    joined = _LINE_BREAK.sub(" ", text).replace("\t", " ")
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in joined)
