"""What a function's body tells: generator, stub, values returned, calls to siblings. Imports libcst."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import libcst as cst

from sigcheck.core.callsite import CallSite, Route
from sigcheck.core.dataclass import dataclass, replace
from sigcheck.core.place import Place
from sigcheck.readers.conventions import Body
from sigcheck.readers.source.positions import Positions

_PLAIN = (
    cst.BaseNumber,
    cst.BaseString,
    cst.Comparison,
    cst.List,
    cst.Dict,
    cst.Set,
    cst.Tuple,
    cst.ListComp,
    cst.DictComp,
    cst.SetComp,
)


@dataclass(frozen=True, slots=True)
class Context:
    """What a body is read against.

    Attributes:
        receiver: the name of the first parameter, if it is one.
        catch_alls: the names of `*args` and `**kwargs`.
        code: the source text of a node.
        references: what an expression may mean.
        positions: where a node stands.
        path: of the file.
    """

    receiver: str | None
    catch_alls: tuple[str, ...]
    code: Callable[[cst.CSTNode], str]
    references: Callable[[cst.BaseExpression], tuple[str, ...]]
    positions: Positions
    path: str


def read_body(node: cst.FunctionDef, context: Context) -> Body:
    """Read a function's body."""
    reading = _Reading(context)
    reading.walk(node.body)
    values = reading.returned
    return Body(
        reading.yields,
        is_stub(node.body),
        _only_raises(node.body),
        any(not isinstance(value, _PLAIN) and not _is_constant(value) for value in values),
        bool(values) and all(isinstance(value, _PLAIN) or _is_constant(value) for value in values),
        reading.sites(),
        tuple(sorted(reading.assigns)),
        frozenset(reading.mentions),
        tuple(sorted(reading.probes)),
    )


def _is_constant(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value in ("True", "False", "None")


def is_stub(body: cst.BaseSuite) -> bool:
    """The body only raises, passes, or is `...`, with or without a docstring."""
    for statement in body.body:
        parts = statement.body if isinstance(statement, cst.SimpleStatementLine) else (statement,)
        for part in parts:
            match part:
                case cst.Raise() | cst.Pass():
                    continue
                case cst.Expr(value=cst.Ellipsis() | cst.SimpleString() | cst.ConcatenatedString()):
                    continue
                case _:
                    return False
    return True


def _only_raises(body: cst.BaseSuite) -> bool:
    """No way through the body but to the `raise` at its end: `message = ...; raise NotImplementedError(message)`."""
    parts = [
        part
        for statement in body.body
        for part in (statement.body if isinstance(statement, cst.SimpleStatementLine) else (statement,))
    ]
    is_straight = all(isinstance(part, cst.BaseSmallStatement) and not isinstance(part, cst.Return) for part in parts)
    return bool(parts) and is_straight and isinstance(parts[-1], cst.Raise)


_NO_CODE = frozenset(
    {"asname", "colon", "comma", "dot", "equal", "footer", "header", "leading_lines", "lines_after_decorators"}
    | {"lbrace", "lbracket", "lpar", "rbrace", "rbracket", "rpar", "semicolon", "trailing_whitespace"}
)
"""Fields of libcst nodes that hold punctuation and white space; so do those whose names begin with `whitespace`."""

_NAMING: dict[type[cst.CSTNode], str] = {
    cst.Arg: "keyword",
    cst.Attribute: "attr",
    cst.ClassDef: "name",
    cst.FunctionDef: "name",
    cst.ImportAlias: "name",
    cst.MatchAs: "name",
    cst.MatchKeywordElement: "key",
    cst.MatchStar: "name",
    cst.NameItem: "name",
    cst.Param: "name",
}
"""Fields in which a `Name` reads no variable."""


@cache
def _code_fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """The fields of a node in which code stands, the last first."""
    names = [field.name for field in dataclasses.fields(kind)]
    naming = _NAMING.get(kind)
    return tuple(
        name
        for name in reversed(names)
        if name not in _NO_CODE and name != naming and not name.startswith("whitespace")
    )


_UNCERTAIN = frozenset({cst.Annotation, cst.TypeAlias, cst.TypeParameters})
"""What is not certain to be evaluated."""


class _Reading:
    """One walk over a body. (A `CSTVisitor` visits every comma too, and takes five times as long.)"""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.yields = False
        self.returned: list[cst.BaseExpression] = []
        self.calls: list[CallSite] = []
        self.assigns: set[str] = set()
        self.mentions: set[str] = set()
        self.probes: set[str] = set()
        self.guarded: list[_Span] = []
        self.tried: list[_Span] = []

    def walk(self, body: cst.BaseSuite) -> None:
        """Look at every expression of the body, those of nested functions too; in bodies of nested classes only at the names."""
        receiver = self.context.receiver
        if receiver is not None and any(name == receiver for name in _bound_names(body)):
            receiver = None  # From somewhere on, the name is another object.
        pending: list[_Visit] = [_Visit(body, is_own=True, receiver=receiver)]
        while pending:
            visit = pending.pop()
            node, kind = visit.node, type(visit.node)
            if kind is cst.Name:
                if node.value in self.context.catch_alls:  # type: ignore[attr-defined]
                    self.mentions.add(node.value)  # type: ignore[attr-defined]
                continue
            if kind is cst.ClassDef:
                self.mention(node)
                header = (*node.decorators, *node.bases, *node.keywords)  # type: ignore[attr-defined]
                pending += [visit.at(part) for part in header]
                continue
            if kind in _UNCERTAIN:
                self.mention(node)
                continue
            if kind is cst.Call:
                self.call(node, visit)  # type: ignore[arg-type]
            elif kind is cst.Yield:
                self.yields = self.yields or visit.is_own
            elif kind is cst.Return and visit.is_own and node.value is not None:  # type: ignore[attr-defined]
                self.returned.append(node.value)  # type: ignore[attr-defined]
            elif kind in _ASSIGNMENTS and visit.receiver is not None:
                self.assigns.update(_assigned(node, visit.receiver))
            elif kind is cst.Comparison and visit.receiver is not None:
                self.probes.update(_compared(node, visit.receiver))  # type: ignore[arg-type]
            pending += visit.children()

    def mention(self, root: cst.CSTNode) -> None:
        """Note the catch-alls that are named anywhere below."""
        pending = [root] if self.context.catch_alls else []
        while pending:
            node = pending.pop()
            if isinstance(node, cst.Name) and node.value in self.context.catch_alls:
                self.mentions.add(node.value)
            elif isinstance(node, cst.Call):
                self.call(node, _Visit(node))
            pending += [visit.node for visit in _Visit(node).children()]

    def call(self, node: cst.Call, visit: _Visit) -> None:
        """Note a call to a sibling, or what else a call tells."""
        receiver = visit.receiver
        match node.func, node.args:
            case cst.Name(value="__guarded__" | "__tried__" as word), spans:
                # What the outline says of calls whose surroundings it has blanked.
                found = self.guarded if word == "__guarded__" else self.tried
                found += [_span(argument.value, self.context.positions.lines_before) for argument in spans]
            case (cst.Name(value="locals" | "vars"), []) | (cst.Name(value="eval" | "exec"), _):
                self.mentions.update(self.context.catch_alls)
            case _ if receiver is None:
                return
            case (
                cst.Name(value="signature") | cst.Attribute(attr=cst.Name(value="signature")),
                [cst.Arg(value=cst.Attribute() as method), *_],
            ) if (name := _own(method, receiver)) is not None:
                self.probes.add(name)
            case cst.Attribute(value=cst.Name(value=name), attr=method), _ if name == receiver:
                self.calls.append(self.site(node, visit, Route.INSTANCE))
            case cst.Attribute(value=cst.Call(func=cst.Name(value="super"), args=start), attr=method), _:
                named = self.context.references(start[0].value) if start else ()
                self.calls.append(self.site(node, visit, Route.SUPER, named))
            case (
                cst.Attribute(
                    value=cst.Call(func=cst.Name(value="type"), args=[cst.Arg(value=cst.Name(value=name))]), attr=method
                ),
                _,
            ) if name == receiver:
                self.calls.append(self.site(node, visit, Route.TYPE))
            case (
                cst.Attribute(
                    value=cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value="__class__")), attr=method
                ),
                _,
            ) if name == receiver:
                self.calls.append(self.site(node, visit, Route.TYPE))
            case (
                cst.Attribute(value=(cst.Name() | cst.Attribute()) as owner, attr=method),
                [cst.Arg(value=cst.Name(value=first), keyword=None, star=""), *_],
            ) if first == receiver and not self.context.code(owner).startswith(f"{receiver}."):
                self.calls.append(self.site(node, visit, Route.CLASS, self.context.references(owner)))
            case cst.Name(value="setattr"), [
                cst.Arg(value=cst.Name(value=name)),
                cst.Arg(value=cst.SimpleString() as key),
                *_,
            ]:
                if name == receiver and key.raw_value.isidentifier():
                    self.assigns.add(key.raw_value)
            case _:
                return

    def site(self, node: cst.Call, visit: _Visit, route: Route, named: tuple[str, ...] = ()) -> CallSite:
        """One call, as it is written."""
        assert isinstance(node.func, cst.Attribute)  # noqa: S101 - only such calls are noted
        positions = self.context.positions
        method = node.func.attr.value
        line, column = positions.of(node.func.attr)
        positional: list[str] = []
        certain = True
        for argument in node.args:
            if argument.star == "*":
                certain = False
            elif argument.keyword is None and not argument.star and certain:
                positional.append(self.context.code(argument.value))
        keywords = tuple((a.keyword.value, self.context.code(a.value)) for a in node.args if a.keyword is not None)
        return CallSite(
            method,
            route,
            tuple(positional),
            keywords,
            has_star=not certain,
            has_double_star=any(argument.star == "**" for argument in node.args),
            place=Place(self.context.path, line, column, line, column + positions.width(node.func.attr)),
            last_line=positions.end_line(node),
            is_guarded=visit.is_guarded,
            is_tried=visit.is_tried,
            named=named,
        )

    def sites(self) -> tuple[CallSite, ...]:
        """The calls, in source order."""
        found = []
        for call in sorted(self.calls, key=lambda call: call.place):
            at = (call.place.line, call.place.column)
            is_guarded = call.is_guarded or any(start <= at <= end for start, end in self.guarded)
            is_tried = call.is_tried or any(start <= at <= end for start, end in self.tried)
            found.append(replace(call, is_guarded=is_guarded, is_tried=is_tried))
        return tuple(found)


_Span = tuple[tuple[int, int], tuple[int, int]]


def _span(node: cst.BaseExpression, lines_before: int) -> _Span:
    """`"1:2-3:4"`: from a line and a column to another, behind so many lines."""
    words = node.raw_value if isinstance(node, cst.SimpleString) else "0:0-0:0"
    start, _, end = words.partition("-")
    first, last = ([int(part) for part in place.split(":")] for place in (start, end))
    return (first[0] + lines_before, first[1]), (last[0] + lines_before, last[1])


@dataclass(frozen=True, slots=True)
class _Visit:
    """A node on the way through a body.

    Attributes:
        node: the node.
        is_own: it is the function's own, not a nested one's.
        receiver: as it is called there; None where nobody knows.
        is_guarded, is_tried: as `CallSite` has them.
    """

    node: cst.CSTNode
    is_own: bool = False
    receiver: str | None = None
    is_guarded: bool = False
    is_tried: bool = False

    def at(self, node: cst.CSTNode) -> _Visit:
        """Another node under the same circumstances."""
        return _Visit(node, self.is_own, self.receiver, self.is_guarded, self.is_tried)

    def children(self) -> Iterator[_Visit]:
        """What stands in the node, the last first."""
        node, kind = self.node, type(self.node)
        if kind is cst.IndentedBlock:
            yield from reversed(list(self._statements(node.body)))  # type: ignore[attr-defined]
            return
        special = {} if self.receiver is None or kind not in _CIRCUMSTANCES else self._special()
        if kind is cst.FunctionDef or kind is cst.Lambda:
            names = _parameter_names(node.params)  # type: ignore[attr-defined]
            receiver = None if self.receiver in names else self.receiver
            special = {"body": replace(self, is_own=False, receiver=receiver)}
        for name in _code_fields(kind):
            value = getattr(node, name)
            entry = special.get(name, self)
            if isinstance(value, (list, tuple)):
                for part in reversed(value):
                    yield entry.at(part)
            elif isinstance(value, cst.CSTNode):
                yield entry.at(value)

    def _statements(self, statements: Sequence[cst.BaseStatement]) -> Iterator[_Visit]:
        """Behind `if not self.supports: return`, what follows is guarded too."""
        current = self
        for statement in statements:
            yield current.at(statement)
            if (
                self.receiver is not None
                and isinstance(statement, cst.If)
                and _names(statement.test, self.receiver)
                and _leaves(statement.body)
            ):
                current = current._under(_narrows(statement.test, self.receiver, when=False))
            elif self.receiver is not None and _asserts(statement, self.receiver):
                current = replace(current, is_tried=True)

    def _under(self, is_narrowed: bool) -> _Visit:
        """Under a test that names the receiver, and may tell that it is of another class."""
        return replace(self, is_guarded=True, is_tried=self.is_tried or is_narrowed)

    def _special(self) -> dict[str, _Visit]:
        """The fields whose content is run on a condition, or for the error that it may raise."""
        guarded, tried = replace(self, is_guarded=True), replace(self, is_tried=True)
        receiver = self.receiver or ""
        match self.node:
            case cst.If(test=cst.Name(value="TYPE_CHECKING" | "False")):
                return {"body": tried}
            case cst.If(test=test) | cst.IfExp(test=test) if _names(test, receiver):
                inverse = self._under(_narrows(test, receiver, when=False))
                return {"body": self._under(_narrows(test, receiver)), "orelse": inverse}
            case cst.While(test=test) if _names(test, receiver):
                return {"body": self._under(_narrows(test, receiver))}
            case cst.BooleanOperation(left=left, operator=operator) if _names(left, receiver):
                return {"right": self._under(_narrows(left, receiver, when=isinstance(operator, cst.And)))}
            case cst.Match(subject=subject) if _names(subject, receiver):
                return {"cases": guarded}
            case cst.Try(handlers=handlers) if any(_names(h.type, "TypeError") for h in handlers if h.type):
                return {"body": tried, "handlers": tried}
            case cst.With(items=items) if any(_names(item.item, "TypeError") for item in items):
                return {"body": tried}
            case _:
                return {}


_CIRCUMSTANCES = frozenset({cst.If, cst.IfExp, cst.While, cst.BooleanOperation, cst.Match, cst.Try, cst.With})


def _names(node: cst.CSTNode, name: str) -> bool:
    """The name stands somewhere in an expression."""
    pending = [node]
    while pending:
        inner = pending.pop()
        if isinstance(inner, cst.Name) and inner.value == name:
            return True
        if isinstance(inner, cst.Attribute):
            pending.append(inner.value)
        else:
            pending += inner.children
    return False


def _narrows(test: cst.BaseExpression, receiver: str, *, when: bool = True) -> bool:
    """Where the test is true, or false, the receiver is of another class: `isinstance(self, Other)`, `type(self) is Other`."""
    match test:
        case cst.UnaryOperation(operator=cst.Not(), expression=operand):
            return _narrows(operand, receiver, when=not when)
        case cst.BooleanOperation(left=left, operator=operator, right=right):
            found = (_narrows(value, receiver, when=when) for value in (left, right))
            return any(found) if isinstance(operator, cst.And) is when else all(found)
        case cst.Call(func=cst.Name(value="isinstance" | "issubclass"), args=[cst.Arg(value=first), _]):
            return when and (
                (isinstance(first, cst.Name) and first.value == receiver) or _is_its_class(first, receiver)
            )
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=operator)]):
            return _is_its_class(left, receiver) and isinstance(operator, _SAME if when else _OTHER)
        case _:
            return False


_SAME = (cst.Is, cst.Equal, cst.In)
_OTHER = (cst.IsNot, cst.NotEqual, cst.NotIn)


def _is_its_class(node: cst.BaseExpression, receiver: str) -> bool:
    """`type(self)`, `self.__class__`."""
    match node:
        case cst.Call(func=cst.Name(value="type"), args=[cst.Arg(value=cst.Name(value=name), keyword=None, star="")]):
            return name == receiver
        case cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value="__class__")):
            return name == receiver
        case _:
            return False


def _asserts(statement: cst.BaseStatement, receiver: str) -> bool:
    """`assert isinstance(self, Other)`."""
    parts = statement.body if isinstance(statement, cst.SimpleStatementLine) else ()
    return any(isinstance(part, cst.Assert) and _narrows(part.test, receiver) for part in parts)


def _leaves(body: cst.BaseSuite) -> bool:
    """Control does not come to the end of a block."""
    last = body.body[-1] if body.body else None
    if isinstance(last, cst.SimpleStatementLine):
        last = last.body[-1]
    return isinstance(last, (cst.Return, cst.Raise, cst.Continue, cst.Break))


def _bound_names(body: cst.BaseSuite) -> Iterator[str]:
    """The names that statements of a body bind anew, at any depth."""
    pending: list[cst.CSTNode] = [body]
    while pending:
        node = pending.pop()
        targets: list[cst.CSTNode] = []
        match node:
            case cst.Assign(targets=assigned):
                targets = [target.target for target in assigned]
            case cst.For(target=target) | cst.CompFor(target=target) | cst.NamedExpr(target=target):
                targets = [target]
            case cst.With(items=items):
                targets = [item.asname.name for item in items if item.asname is not None]
            case _:
                pass
        while targets:
            match targets.pop():
                case cst.Name(value=name):
                    yield name
                case cst.Tuple(elements=elements) | cst.List(elements=elements):
                    targets += [element.value for element in elements]
                case _:
                    continue
        for name in _code_fields(type(node)):
            value = getattr(node, name)
            if isinstance(value, (list, tuple)):
                pending += value
            elif isinstance(value, cst.CSTNode):
                pending.append(value)


def _own(node: cst.BaseExpression, receiver: str) -> str | None:
    """`m` of `self.m` and `type(self).m`."""
    match node:
        case cst.Attribute(value=cst.Name(value=name), attr=method) if name == receiver:
            return method.value
        case cst.Attribute(
            value=cst.Call(func=cst.Name(value="type"), args=[cst.Arg(value=cst.Name(value=name))]), attr=method
        ) if name == receiver:
            return method.value
        case _:
            return None


def _compared(node: cst.Comparison, receiver: str) -> Iterator[str]:
    """`m` of `type(self).m is not Base.m`."""
    for target in node.comparisons:
        if isinstance(target.operator, (cst.Is, cst.IsNot)) and isinstance(target.comparator, cst.Attribute):
            name = _own(node.left, receiver)
            if name == target.comparator.attr.value:
                yield name


_ASSIGNMENTS = (cst.Assign, cst.AnnAssign, cst.AugAssign)


def _assigned(node: cst.CSTNode, receiver: str) -> Iterator[str]:
    """The attributes of the receiver among the targets of an assignment."""
    match node:
        case cst.Assign(targets=targets):
            pending = [target.target for target in targets]
        case cst.AnnAssign(target=target) | cst.AugAssign(target=target):
            pending = [target]
        case _:
            return
    while pending:
        match pending.pop():
            case cst.Attribute(value=cst.Name(value=name), attr=attribute) if name == receiver:
                yield attribute.value
            case cst.Tuple(elements=elements) | cst.List(elements=elements):
                pending += [element.value for element in elements]  # type: ignore[misc]
            case _:
                continue


def _parameter_names(node: cst.Parameters) -> set[str]:
    """The names that a nested function has for itself."""
    plain = [*node.posonly_params, *node.params, *node.kwonly_params]
    variadic = [entry for entry in (node.star_arg, node.star_kwarg) if isinstance(entry, cst.Param)]
    return {entry.name.value for entry in (*plain, *variadic)}
