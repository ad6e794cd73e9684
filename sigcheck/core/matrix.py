"""The slots of a family side by side: what each override has where the base has a slot, and where the arguments of each call
land. Imports `hierarchy`, `forwarding`, `overriding`, `binding` and `comparison`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from enum import Enum

from sigcheck.core.assignability import judge
from sigcheck.core.binding import CallShape, Rejection, bind, is_misbinding, smallest_call
from sigcheck.core.callsite import CallSite, Route
from sigcheck.core.comparison import all_breaks, declared
from sigcheck.core.dataclass import dataclass, replace
from sigcheck.core.forwarding import Forwarding
from sigcheck.core.hierarchy import Hierarchy, Linearization
from sigcheck.core.incompatibility import Reason, Witness
from sigcheck.core.member import Flavour, Member
from sigcheck.core.module import Class
from sigcheck.core.names import is_called_by_syntax
from sigcheck.core.place import Place, can_coexist
from sigcheck.core.signature import Kind, Parameter, Signature

IsIgnored = Callable[[Member, str], bool]
"""Does a definition accept that parameter and never read it?"""


class State(Enum):
    """What became of a slot of the base, or of an argument at a call."""

    SAME = "same"
    """The parameter of that name, in its place."""
    FREE = "free"
    """Another name, in a slot whose name no caller can say."""
    MOVED = "moved"
    """A parameter that the base has in another place."""
    OTHER = "other"
    """A parameter that the base does not know."""
    MISSING = "missing"
    """Nothing can receive it."""
    CATCH_ALL = "catch-all"
    """It lands in `*args` or `**kwargs`."""
    NOT_POSITIONAL = "not-positional"
    """Received by keyword only."""
    NOT_KEYWORD = "not-keyword"
    """Received by position only."""
    REQUIRED = "required"
    """A call of the base need not pass it; here it must."""
    EXTRA = "extra"
    """An optional parameter that the base does not have, where it has no slot."""
    REFUSED = "refused"
    """The argument raises `TypeError`."""
    UNKNOWN = "unknown"
    """The source does not tell."""


class Verdict(Enum):
    """What an override does with the calls of the base; the worst where there are several."""

    BASE = "base"
    KEPT = "ok"
    REJECTED = "type-error"
    MISBOUND = "silently-wrong"
    MISMATCHED = "mismatch"
    """Another receiver, or a coroutine function where the base has none."""
    IGNORING = "ignores"
    """It accepts every call, and never reads some of what it is given."""
    NOT_COMPARED = "not-compared"


_WORST_FIRST = (Verdict.MISBOUND, Verdict.REJECTED, Verdict.MISMATCHED)
_OF_A_CALL = (Verdict.MISBOUND, Verdict.REJECTED)


@dataclass(frozen=True, slots=True)
class Column:
    """One parameter of the base.

    Attributes:
        parameter: of the base.
        slot: its position, from 1; None for keyword-only ones and catch-alls.
    """

    parameter: Parameter
    slot: int | None


@dataclass(frozen=True, slots=True)
class Cell:
    """What a definition has for a column, or for an argument of a call.

    Attributes:
        state: what became of it.
        parameter: what sits there; None where there is nothing.
        by_position: what an argument in that position lands in; None if it is refused, or has no position.
        by_keyword: what the keyword lands in; None if it is refused, or the base takes none.
        is_ignored: the parameter is accepted and never read.
    """

    state: State
    parameter: Parameter | None = None
    by_position: Parameter | None = None
    by_keyword: Parameter | None = None
    is_ignored: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One definition of the method.

    Attributes:
        owner, member: the definition.
        through: the class in which a mixin's definition meets the base; None for a class that inherits from the base.
        depth: how many of the rows above are between it and the base: 0 for the base, 1 for what overrides it directly.
        signature: as it is called; None for what is not called, or cannot receive its receiver.
        cells: one for each column.
        extra: the parameters that stand in no cell, in their order.
        verdict: what it does with the calls of the base.
        reasons: why.
    """

    owner: Class
    member: Member
    through: Class | None
    depth: int
    signature: Signature | None
    cells: tuple[Cell, ...]
    extra: tuple[Cell, ...]
    verdict: Verdict
    reasons: tuple[Reason, ...] = ()

    def __hash__(self) -> int:
        return hash((self.owner.key, self.member.place))

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that it breaks."""
        return tuple(dict.fromkeys(reason.rule for reason in self.reasons))


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument as a call writes it.

    Attributes:
        text: its source, without the keyword; empty for what `*` or `**` passes.
        keyword: its name; None for one by position; `*` or `**` for an unpacking.
    """

    text: str
    keyword: str | None = None

    @property
    def is_unpacking(self) -> bool:
        """It stands for any number of arguments."""
        return self.keyword in ("*", "**")


@dataclass(frozen=True, slots=True)
class CallRow:
    """What a call does in one definition that it can reach.

    Attributes:
        row: the definition.
        cells: where each argument lands.
        verdict: what the call does there.
        rejection: the `TypeError`, if it raises one.
    """

    row: Row
    cells: tuple[Cell, ...]
    verdict: Verdict
    rejection: Rejection | None = None


@dataclass(frozen=True, slots=True)
class CallTable:
    """One call of the method in the code of the family.

    Attributes:
        owner, caller: the definition in whose body it stands.
        site: the call.
        arguments: by position, then by keyword.
        rows: the definitions that it can reach, in the order of the matrix.
    """

    owner: Class
    caller: Member
    site: CallSite
    arguments: tuple[Argument, ...]
    rows: tuple[CallRow, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The slots of a base and what each override has there.

    Attributes:
        owner, member: the definition in the base.
        columns: its positional parameters, then those by keyword only, then its catch-alls.
        rows: the base, then its overrides: each class behind the one it inherits from, siblings by place.
        calls: the calls of the method in the code of the family, by place.
    """

    owner: Class
    member: Member
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    calls: tuple[CallTable, ...]

    @property
    def overrides(self) -> tuple[Row, ...]:
        """The rows but the base's first definition."""
        return self.rows[1:]


def build_matrix(
    hierarchy: Hierarchy, owner: Class, name: str, *, is_ignored: IsIgnored = lambda _member, _name: False
) -> Matrix:
    """Lay out a family.

    Args:
        hierarchy: every class of it.
        owner: the base: a class that defines the method.
        name: the method; at least one of its definitions there can be called.
        is_ignored: what is known of the bodies. Placeholders are not asked about.
    """
    return _Builder(hierarchy, owner, name, is_ignored).matrix()


@dataclass(frozen=True, slots=True)
class _Definition:
    owner: Class
    through: Class | None
    depth: int


class _Builder:
    """One matrix in the making."""

    def __init__(self, hierarchy: Hierarchy, owner: Class, name: str, is_ignored: IsIgnored) -> None:
        self.hierarchy = hierarchy
        self.owner = owner
        self.name = name
        self.is_ignored = is_ignored
        self.bases = hierarchy.definitions(owner, name)
        self.base = next(member for member in self.bases if called(member) is not None)
        self.signature = next(_as_called(name, declared(hierarchy, self.base)), Signature())
        self.columns = tuple(_columns(self.signature))
        self.forwarding = Forwarding(hierarchy)
        for entry in hierarchy.classes:
            hierarchy.linearizations(entry)
        self.family = [entry for entry in hierarchy.known() if self._inherits(entry)]

    def matrix(self) -> Matrix:
        rows = [self._row(_Definition(self.owner, None, 0), self.base)]
        for found in self._definitions():
            members = self.hierarchy.definitions(found.owner, self.name)
            rows += [self._row(found, member) for member in members if member is not self.base]
        return Matrix(self.owner, self.base, self.columns, tuple(rows), tuple(self._calls(rows)))

    def _inherits(self, entry: Class) -> bool:
        return any(self.owner in order for order in self.hierarchy.linearizations(entry))

    def _definitions(self) -> Iterator[_Definition]:
        """The classes that define the method: the base, its heirs from the top down, then the mixins that shadow it."""
        kids: dict[str, list[Class]] = {}
        keys = {entry.key for entry in self.family}
        for entry in self.family:
            if entry != self.owner:
                parents = (base for alternatives in self.hierarchy.bases(entry) for base in alternatives)
                parent = next((base for base in parents if base.key in keys), self.owner)
                kids.setdefault(parent.key, []).append(entry)
        pending = [(self.owner, 0)]
        while pending:
            entry, depth = pending.pop()
            defines = bool(self.hierarchy.definitions(entry, self.name))
            if defines:
                yield _Definition(entry, None, depth)
            below = sorted(kids.get(entry.key, ()), key=lambda kid: (kid.place, kid.id), reverse=True)
            pending += [(kid, depth + defines) for kid in below]
        mixins: dict[str, _Definition] = {}
        for entry in sorted(self.family, key=lambda kid: (kid.place, kid.id)):
            for order in self.hierarchy.linearizations(entry):
                runs = self._first(order)
                if runs is not None and runs.key not in keys and runs in order[: _index(order, self.owner)]:
                    mixins.setdefault(runs.key, _Definition(runs, entry, 1))
        yield from mixins.values()

    def _first(self, order: Iterable[Class], name: str = "") -> Class | None:
        """The class whose definition a lookup finds."""
        return next((entry for entry in order if self.hierarchy.definitions(entry, name or self.name)), None)

    # Rows.

    def _row(self, found: _Definition, member: Member) -> Row:
        signature, reasons, verdict = self._judged(found.owner, member)
        cells: tuple[Cell, ...] = tuple(Cell(State.UNKNOWN) for _ in self.columns)
        extra: tuple[Cell, ...] = ()
        if signature is not None:
            cells = tuple(_cell(column, signature, self.signature) for column in self.columns)
            extra = tuple(_extra(signature, cells, self.signature))
        cells = tuple(self._read(cell, member) for cell in cells)
        return Row(
            found.owner,
            member,
            found.through,
            found.depth,
            signature,
            cells,
            tuple(self._read(cell, member) for cell in extra),
            _unless_ignored(verdict, cells),
            reasons,
        )

    def _read(self, cell: Cell, member: Member) -> Cell:
        if (
            cell.parameter is None
            or member.is_stub
            or member.is_replaced
            or not self.is_ignored(member, cell.parameter.name)
        ):
            return cell
        return replace(cell, is_ignored=True)

    def _judged(self, owner: Class, member: Member) -> tuple[Signature | None, tuple[Reason, ...], Verdict]:
        """The signature to show, and what the relation says: of several overloads, the one that serves the base best."""
        signature = called(member)
        if member is self.base:
            return signature, (), Verdict.BASE
        if owner == self.owner:
            return signature, (), Verdict.NOT_COMPARED  # The base again, under another test.
        bases = [base for base in self.bases if can_coexist(member.branch, base.branch)]
        found = [entry for base in bases for entry in all_breaks(self.hierarchy, member, self.owner, base)]
        if found and member.overloads and found[0].override in _signatures(member):
            signature = found[0].override
        reasons = tuple(dict.fromkeys(entry.reason for entry in found))
        if not reasons and (not bases or signature is None or self.signature.is_open):
            return signature, (), Verdict.NOT_COMPARED
        verdicts = {_verdict(reason) for reason in reasons}
        if any(_is_silent(entry.override, entry.base) for entry in found if _verdict(entry.reason) in _OF_A_CALL):
            verdicts.add(Verdict.MISBOUND)
        return signature, reasons, next((entry for entry in _WORST_FIRST if entry in verdicts), Verdict.KEPT)

    # Calls.

    def _calls(self, rows: list[Row]) -> Iterator[CallTable]:
        reached: dict[tuple[str, Place], set[str]] = {}
        found: dict[tuple[str, Place], tuple[Class, Member, CallSite]] = {}
        for receiver in self.family:
            for order in self.hierarchy.linearizations(receiver):
                for owner, caller, site, runs in self.forwarding.followed_calls(order, self.name):
                    key = (owner.key, site.place)
                    found[key] = (owner, caller, site)
                    reached.setdefault(key, set()).update(entry.key for entry in runs)
        for key, (owner, caller, site) in sorted(found.items(), key=lambda item: item[1][2].place):
            targets = [row for row in rows if row.owner.key in reached.get(key, ()) and row.signature is not None]
            targets = [row for row in targets if can_coexist(row.member.branch, caller.branch)]
            if targets:
                arguments = tuple(_arguments(site))
                meant = self._meant(owner, caller, site)
                entries = tuple(self._call_row(row, caller, site, arguments, meant) for row in targets)
                yield CallTable(owner, caller, site, arguments, entries)

    def _meant(self, owner: Class, caller: Member, site: CallSite) -> Signature:
        """The signature that the author of a call had before him: what the class of the caller itself would reach."""
        for _, member, _ in self.forwarding.callees(owner, caller, site):
            signature = _at_call(member, caller, site)
            if signature is not None:
                return signature
        return _at_call(self.base, caller, site) or self.signature

    def _call_row(
        self, row: Row, caller: Member, site: CallSite, arguments: tuple[Argument, ...], meant: Signature
    ) -> CallRow:
        signature = _at_call(row.member, caller, site)
        if signature is None:
            return CallRow(row, tuple(Cell(State.UNKNOWN) for _ in arguments), Verdict.NOT_COMPARED)
        cells = tuple(
            self._read(_landing(argument, index, signature, meant, len(site.positional)), row.member)
            for index, argument in enumerate(arguments)
        )
        states = {cell.state for cell in cells}
        is_certain = not (site.has_star or site.has_double_star)
        rejection: Rejection | None = None
        if is_certain:
            outcome = bind(signature, CallShape(len(site.positional), tuple(name for name, _ in site.keywords)))
            rejection = outcome if isinstance(outcome, Rejection) else None
        if rejection is not None or State.REFUSED in states:
            verdict = Verdict.REJECTED
        elif states & {State.MOVED, State.OTHER}:
            verdict = Verdict.MISBOUND
        else:
            verdict = Verdict.KEPT if is_certain else Verdict.NOT_COMPARED
        return CallRow(row, cells, _unless_ignored(verdict, cells), rejection)


def called(member: Member) -> Signature | None:
    """The signature of a definition as callers use it: bound, and without keywords where syntax makes the call."""
    return next(iter(_signatures(member)), None)


def _signatures(member: Member) -> tuple[Signature, ...]:
    return tuple(_as_called(member.name, member.bound_signatures())) if member.flavour.is_method else ()


def _as_called(name: str, signatures: Iterable[Signature | None]) -> Iterator[Signature]:
    by_syntax = is_called_by_syntax(name)
    for signature in signatures:
        if signature is not None:
            yield signature.positional_only() if by_syntax else signature


def _at_call(member: Member, caller: Member, site: CallSite) -> Signature | None:
    """The signature that a written call meets: a call on a class passes the receiver of an instance method itself."""
    if not member.flavour.is_method:
        return None
    is_on_class = site.route in (Route.TYPE, Route.CLASS) or caller.flavour is Flavour.CLASS
    if is_on_class and member.flavour is Flavour.INSTANCE:
        return member.signature
    return next((signature for signature in member.bound_signatures() if signature is not None), None)


def _unless_ignored(verdict: Verdict, cells: Iterable[Cell]) -> Verdict:
    is_ignoring = verdict is Verdict.KEPT and any(cell.is_ignored for cell in cells)
    return Verdict.IGNORING if is_ignoring else verdict


def _index(order: Linearization, entry: Class) -> int:
    return order.index(entry) if entry in order else 0


def _columns(base: Signature) -> Iterator[Column]:
    for index, parameter in enumerate(base.positional):
        yield Column(parameter, index + 1)
    for parameter in base.parameters:
        if parameter.kind is Kind.KEYWORD_ONLY:
            yield Column(parameter, None)
    for variadic in (base.var_positional, base.var_keyword):
        if variadic is not None:
            yield Column(variadic, None)


def _cell(column: Column, override: Signature, base: Signature) -> Cell:
    parameter = column.parameter
    if parameter.is_variadic:
        same = override.var_positional if parameter.kind is Kind.VAR_POSITIONAL else override.var_keyword
        return Cell(State.MISSING if same is None else State.SAME, same)
    by_keyword = _keyword(parameter.name, override) if parameter.is_keyword else None
    if column.slot is None:
        return _keyword_cell(parameter, by_keyword, override)
    slots = override.positional
    index = column.slot - 1
    by_position = slots[index] if index < len(slots) else override.var_positional
    shown, state = by_position, State.MISSING
    if by_position is None or by_position.is_variadic:
        own = by_keyword is not None and by_keyword.kind is Kind.KEYWORD_ONLY
        if own or (by_position is None and by_keyword is not None):
            shown, state = by_keyword, State.NOT_POSITIONAL
        elif by_position is not None:
            state = State.NOT_KEYWORD if parameter.is_keyword and by_keyword is None else State.CATCH_ALL
    elif by_position.name != parameter.name:
        state = _misplaced(parameter, by_position, override, base)
    elif parameter.is_keyword and not by_position.is_keyword:
        state = State.NOT_KEYWORD
    else:
        state = State.REQUIRED if by_position.required and not parameter.required else State.SAME
    return Cell(state, shown, by_position, by_keyword)


def _keyword_cell(parameter: Parameter, by_keyword: Parameter | None, override: Signature) -> Cell:
    if by_keyword is None:
        same = override.get(parameter.name)
        return Cell(State.MISSING) if same is None or same.is_variadic else Cell(State.NOT_KEYWORD, same)
    if by_keyword.is_variadic:
        state = State.CATCH_ALL
    else:
        state = State.REQUIRED if by_keyword.required and not parameter.required else State.SAME
    return Cell(state, by_keyword, None, by_keyword)


def _misplaced(parameter: Parameter, lands_in: Parameter, override: Signature, base: Signature) -> State:
    known = base.get(lands_in.name)
    is_known = known is not None and not known.is_variadic
    is_said = known is not None and known.is_keyword
    if not is_said and not is_misbinding(parameter, lands_in, override, base):
        return State.FREE
    return State.MOVED if is_known else State.OTHER


def _keyword(name: str, signature: Signature) -> Parameter | None:
    """What a keyword lands in."""
    own = signature.get(name)
    return own if own is not None and own.is_keyword else signature.var_keyword


def _extra(override: Signature, cells: tuple[Cell, ...], base: Signature) -> Iterator[Cell]:
    shown = {cell.parameter.name for cell in cells if cell.parameter is not None}
    for parameter in override.parameters:
        if parameter.name in shown:
            continue
        known = base.get(parameter.name)
        if parameter.is_variadic:
            state = State.CATCH_ALL
        elif known is not None and not known.is_variadic:
            state = State.MOVED
        else:
            state = State.REQUIRED if parameter.required else State.EXTRA
        yield Cell(state, parameter)


def _verdict(reason: Reason) -> Verdict:
    witness = getattr(reason, "witness", None)
    if not isinstance(witness, Witness):
        return Verdict.MISMATCHED
    return Verdict.MISBOUND if witness.is_silent else Verdict.REJECTED


def _is_silent(override: Signature, base: Signature) -> bool:
    """Some plain call runs with an argument in the wrong parameter, also where the witness of a reason is one that raises."""
    calls = (smallest_call(base, count) for count in range(len(base.positional) + 1))
    outcomes = (judge(override, base, shape) for shape in calls if shape is not None)
    return any(outcome for outcome in outcomes if not isinstance(outcome, Rejection))


def _arguments(site: CallSite) -> Iterator[Argument]:
    for text in site.positional:
        yield Argument(text)
    if site.has_star:
        yield Argument("", "*")
    for name, text in site.keywords:
        yield Argument(text, name)
    if site.has_double_star:
        yield Argument("", "**")


def _landing(argument: Argument, index: int, override: Signature, meant: Signature, positional: int) -> Cell:
    """Where one argument of a call lands; `positional` are given by position for certain."""
    if argument.is_unpacking:
        return Cell(State.UNKNOWN)
    lands_in = _lands_in(argument, index, override, positional)
    if lands_in is None:
        return Cell(State.REFUSED)
    found = Cell(
        State.SAME,
        lands_in,
        lands_in if argument.keyword is None else None,
        None if argument.keyword is None else lands_in,
    )
    if lands_in.is_variadic:
        return replace(found, state=State.CATCH_ALL)
    expected = _lands_in(argument, index, meant, positional)
    if expected is None or expected.is_variadic or expected.name == lands_in.name:
        return found
    return replace(found, state=_misplaced(expected, lands_in, override, meant))


def _lands_in(argument: Argument, index: int, signature: Signature, positional: int) -> Parameter | None:
    slots = signature.positional
    if argument.keyword is None:
        return slots[index] if index < len(slots) else signature.var_positional
    is_taken = any(slot.name == argument.keyword and slot.is_keyword for slot in itertools.islice(slots, positional))
    return None if is_taken else _keyword(argument.keyword, signature)
