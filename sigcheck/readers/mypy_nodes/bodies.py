"""What a function's body tells: stub, values returned, calls to siblings. Imports mypy and `expressions`."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from mypy import nodes

from sigcheck.core.callsite import CallSite, Route
from sigcheck.core.dataclass import dataclass
from sigcheck.core.place import Place
from sigcheck.core.regex import regex
from sigcheck.readers.conventions import Body
from sigcheck.readers.mypy_nodes.expressions import SourceText, child_fields, children, flattened, is_format, mentions


@dataclass(frozen=True, slots=True)
class Context:
    """What a body is read against.

    Attributes:
        receiver: the name of the first parameter, if it is one.
        catch_alls: the names of `*args` and `**kwargs`.
        text: the source text of a node.
        references: what an expression may mean.
        path: what stands for the file.
    """

    receiver: str | None
    catch_alls: tuple[str, ...]
    text: SourceText
    references: Callable[[nodes.Expression], tuple[str, ...]]
    path: str


_PLAIN = (
    nodes.IntExpr,
    nodes.FloatExpr,
    nodes.ComplexExpr,
    nodes.StrExpr,
    nodes.BytesExpr,
    nodes.ComparisonExpr,
    nodes.ListExpr,
    nodes.DictExpr,
    nodes.SetExpr,
    nodes.TupleExpr,
    nodes.ListComprehension,
    nodes.DictionaryComprehension,
    nodes.SetComprehension,
)


def read_body(function: nodes.FuncItem, context: Context, *, with_returns: bool) -> Body:
    """Read a function's body.

    Args:
        function: its node.
        context: what it is read against.
        with_returns: what it returns is of interest: there is no annotation that says it.
    """
    reading = _Reading(context)
    reading.walk(function)
    plain = with_returns and _returns_plain(function.body)
    return Body(
        function.is_generator or function.is_async_generator,
        is_stub(function.body),
        _only_raises(function.body),
        with_returns and plain is False,
        plain is True,
        tuple(sorted(reading.calls, key=lambda call: call.place)),
        tuple(sorted(reading.assigns)),
        frozenset(reading.mentions),
        tuple(sorted(reading.probes)),
    )


def _returns_plain(body: nodes.Block) -> bool | None:
    """Whether every `return` gives a literal; None where none gives anything."""
    found = None
    pending: list[nodes.Node] = [body]
    while pending:
        node = pending.pop()
        if isinstance(node, nodes.ReturnStmt):
            if node.expr is not None:
                if not _is_plain(node.expr):
                    return False
                found = True
        elif isinstance(node, _WITH_BLOCKS):
            for name in child_fields(type(node)):
                pending += (
                    part for part in flattened(getattr(node, name)) if isinstance(part, nodes.Statement | nodes.Block)
                )
    return found


_WITH_BLOCKS = (
    nodes.Block,
    nodes.IfStmt,
    nodes.WhileStmt,
    nodes.ForStmt,
    nodes.TryStmt,
    nodes.WithStmt,
    nodes.MatchStmt,
)


_USUAL = frozenset({"self", "cls"})
"""Receivers that many methods have. For another one, to compile what is exact takes longer than to look at more lines."""


@lru_cache(maxsize=64)
def _of_interest(receiver: str) -> re.Pattern[str]:
    """A line of a body on which a call to a sibling may stand, an assignment to an attribute, or a question about a method."""
    if receiver not in _USUAL:
        return _named(receiver)
    word = re.escape(receiver)
    # It begins with plain letters, which is what makes it fast.
    return re.compile(
        rf"{word}(?:\s*\.\s*\w+\s*(?:[(\\#]|\)[\s)]*\(|,[^=\n]*=(?!=)|:[ \t]*[\w\"'(\\]|is\b|[^\w\s=!<>]{{0,2}}=(?!=)|[<>]{{2}}=)"
        rf"|(?<=[\s(]{word})(?<!, {word})\s*[,)]|[ \t]*(?:$|\\|#)|\s*\.\s*(?:__class__|\\|#))",
        re.MULTILINE,
    )


_SUPER, _SIGNATURE = regex("super"), regex("signature")
_ANY_VARIABLE = regex("eval|exec|locals|vars")


@lru_cache(maxsize=64)
def _named(variable: str) -> re.Pattern[str]:
    """A line on which a variable may be named."""
    return re.compile(rf"{re.escape(variable)}(?!\w)")


@lru_cache(maxsize=64)
def _rebinding(receiver: str) -> re.Pattern[str]:
    """A line on which the receiver's name may be bound anew."""
    if receiver not in _USUAL:
        return _named(receiver)
    return re.compile(rf"{re.escape(receiver)}[ \t]*(?:=(?!=)|[,)\]][^=\n]*(?:=(?!=)|\bin\b)|in\b|:|$)", re.MULTILINE)


def _is_plain(node: nodes.Expression) -> bool:
    if isinstance(node, nodes.NameExpr):
        return node.name in ("True", "False", "None")
    return isinstance(node, _PLAIN) or is_format(node)


def is_stub(body: nodes.Block) -> bool:
    """The body only raises, passes, or is `...`, with or without a docstring; False where mypy has dropped it."""
    return bool(body.body) and all(
        isinstance(part, (nodes.RaiseStmt, nodes.PassStmt))
        or (isinstance(part, nodes.ExpressionStmt) and isinstance(part.expr, (nodes.EllipsisExpr, nodes.StrExpr)))
        for part in body.body
    )


_COMPOUND = (
    nodes.IfStmt,
    nodes.WhileStmt,
    nodes.ForStmt,
    nodes.TryStmt,
    nodes.WithStmt,
    nodes.MatchStmt,
    nodes.FuncDef,
    nodes.Decorator,
    nodes.OverloadedFuncDef,
    nodes.ClassDef,
    nodes.ReturnStmt,
)


def _only_raises(body: nodes.Block) -> bool:
    """No way through the body but to the `raise` at its end: `message = ...; raise NotImplementedError(message)`."""
    parts = body.body
    return (
        bool(parts)
        and isinstance(parts[-1], nodes.RaiseStmt)
        and not any(isinstance(part, _COMPOUND) for part in parts)
    )


class _Visit:
    """A node on the way through a body.

    Attributes:
        node: the node.
        receiver: as it is called there; None where nobody knows.
        is_guarded, is_tried: as `CallSite` has them.
    """

    __slots__ = ("is_guarded", "is_tried", "node", "receiver")

    def __init__(
        self, node: nodes.Node, receiver: str | None = None, is_guarded: bool = False, is_tried: bool = False
    ) -> None:
        self.node = node
        self.receiver = receiver
        self.is_guarded = is_guarded
        self.is_tried = is_tried

    def inside(self, lines: Sequence[int], idle: frozenset[type]) -> Iterable[_Visit]:
        """What stands in the node, but nodes of idle kinds; of statements, those that reach over one of the lines."""
        node, receiver = self.node, self.receiver
        kind = type(node)
        if kind is nodes.Block:
            return self._statements(node.body, lines)  # type: ignore[attr-defined]
        is_hidden = False
        if receiver is not None and kind in _FUNCTIONS:
            is_hidden = any(argument.variable.name == receiver for argument in node.arguments)  # type: ignore[attr-defined]
        is_guarded, is_tried = self.is_guarded, self.is_tried
        special = self._special(receiver) if receiver is not None and kind in _CONDITIONAL else {}
        found: list[_Visit] = []
        for name in child_fields(kind):
            value = getattr(node, name)
            if is_hidden and name == "body":
                receiver = None
            if special:
                is_guarded, is_tried = special.get(name, (self.is_guarded, self.is_tried))
            if type(value) is list:
                found += [_Visit(part, receiver, is_guarded, is_tried) for part in flattened(value)]
            elif value is not None and type(value) not in idle:
                found.append(_Visit(value, receiver, is_guarded, is_tried))
        return found

    def _statements(self, statements: Sequence[nodes.Statement], lines: Sequence[int]) -> Iterator[_Visit]:
        """Behind `if not self.supports: return`, what follows is guarded too."""
        receiver, is_guarded, is_tried = self.receiver, self.is_guarded, self.is_tried
        for statement in statements:
            if _reaches(statement, lines):
                yield _Visit(statement, receiver, is_guarded, is_tried)
            if receiver is None or is_tried:
                continue
            if isinstance(statement, nodes.AssertStmt):
                is_tried = _narrows(statement.expr, receiver)
            elif (
                isinstance(statement, nodes.IfStmt)
                and _leaves(statement.body[0])
                and mentions(statement.expr[0], receiver)
            ):
                is_guarded, is_tried = True, _narrows(statement.expr[0], receiver, when=False)

    def _special(self, receiver: str) -> dict[str, tuple[bool, bool]]:
        """The fields whose content is run on a condition, or for the error that it may raise."""
        guarded, tried = (True, self.is_tried), (self.is_guarded, True)

        def under(test: nodes.Expression, *, when: bool) -> tuple[bool, bool]:
            return True, self.is_tried or _narrows(test, receiver, when=when)

        match self.node:
            case nodes.IfStmt() as node:
                if isinstance(node.expr[0], nodes.NameExpr) and node.expr[0].name in ("TYPE_CHECKING", "False"):
                    return {"body": tried}
                if not mentions(node.expr[0], receiver):
                    return {}
                return {"body": under(node.expr[0], when=True), "else_body": under(node.expr[0], when=False)}
            case nodes.ConditionalExpr() as node if mentions(node.cond, receiver):
                return {"if_expr": under(node.cond, when=True), "else_expr": under(node.cond, when=False)}
            case nodes.WhileStmt() as node if mentions(node.expr, receiver):
                return {"body": under(node.expr, when=True)}
            case nodes.OpExpr() as node if node.op in ("and", "or") and mentions(node.left, receiver):
                return {"right": under(node.left, when=node.op == "and")}
            case nodes.MatchStmt() as node if mentions(node.subject, receiver):
                return {"patterns": guarded, "guards": guarded, "bodies": guarded}
            case nodes.TryStmt() as node if any(kind and mentions(kind, "TypeError") for kind in node.types):
                return {"body": tried, "handlers": tried}
            case nodes.WithStmt() as node if any(mentions(item, "TypeError") for item in node.expr):
                return {"body": tried}
            case _:
                return {}


_FUNCTIONS = frozenset({nodes.FuncDef, nodes.LambdaExpr})
_CONDITIONAL = frozenset(
    {nodes.IfStmt, nodes.ConditionalExpr, nodes.WhileStmt, nodes.OpExpr, nodes.MatchStmt, nodes.TryStmt, nodes.WithStmt}
)
_ATOMS = frozenset(
    {nodes.StrExpr, nodes.BytesExpr, nodes.IntExpr, nodes.FloatExpr, nodes.ComplexExpr, nodes.EllipsisExpr, bool, str}
)
"""Nodes in which nothing stands, and what is no node."""


def _reaches(statement: nodes.Statement, lines: Sequence[int]) -> bool:
    """The statement stands on one of the lines, which are sorted."""
    last = statement.end_line
    if last is None:
        return True
    index = bisect_left(lines, statement.line)
    if isinstance(statement, nodes.Decorator):
        index = bisect_left(lines, min(word.line for word in (*statement.original_decorators, statement)))
        last = max(last, statement.func.end_line or last)
    elif isinstance(statement, nodes.ClassDef) and statement.decorators:
        index = bisect_left(lines, statement.decorators[0].line)
    return index < len(lines) and lines[index] <= last


class _Reading:
    """One walk over a body."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.calls: list[CallSite] = []
        self.assigns: set[str] = set()
        self.mentions: set[str] = set()
        self.probes: set[str] = set()

    def walk(self, function: nodes.FuncItem) -> None:
        """Look at every expression that may matter, those of nested functions too; in bodies of nested classes only at the names."""
        receiver, catch_alls = self.context.receiver, self.context.catch_alls
        wanted = [] if receiver is None else [_of_interest(receiver), _SUPER, _SIGNATURE]
        if catch_alls:
            wanted += [_ANY_VARIABLE, *map(_named, catch_alls)]
        body, text = function.body, self.context.text
        lines = text.matching(function, *wanted) if wanted else []
        if not lines:
            return
        if receiver is not None and text.matching(function, _rebinding(receiver)) and receiver in _bound_names(body):
            receiver = None  # From somewhere on, the name is another object.
        idle = _ATOMS if catch_alls else _ATOMS | {nodes.NameExpr}
        pending = [_Visit(body, receiver)]
        while pending:
            visit = pending.pop()
            node = visit.node
            kind = type(node)
            if kind is nodes.NameExpr:
                if node.name in catch_alls:  # type: ignore[attr-defined]
                    self.mentions.add(node.name)  # type: ignore[attr-defined]
                continue
            if kind is nodes.ClassDef:
                self.mention(node)
                header = (*node.decorators, *node.base_type_exprs, *node.keywords.values())  # type: ignore[attr-defined]
                pending += [_Visit(part, visit.receiver, visit.is_guarded, visit.is_tried) for part in header]
                continue
            if kind is nodes.CallExpr:
                self.call(node, visit)  # type: ignore[arg-type]
            elif visit.receiver is not None:
                if kind is nodes.AssignmentStmt:
                    for target in node.lvalues:  # type: ignore[attr-defined]
                        self.assigns.update(_assigned(target, visit.receiver))
                elif kind is nodes.OperatorAssignmentStmt:
                    self.assigns.update(_assigned(node.lvalue, visit.receiver))  # type: ignore[attr-defined]
                elif kind is nodes.ComparisonExpr:
                    self.probes.update(_compared(node, visit.receiver))  # type: ignore[arg-type]
            pending += visit.inside(lines, idle)

    def mention(self, root: nodes.Node) -> None:
        """Note the catch-alls that are named anywhere below."""
        pending = [root] if self.context.catch_alls else []
        while pending:
            node = pending.pop()
            if isinstance(node, nodes.NameExpr) and node.name in self.context.catch_alls:
                self.mentions.add(node.name)
            elif isinstance(node, nodes.CallExpr):
                self.call(node, _Visit(node))
            pending += children(node)

    def call(self, node: nodes.CallExpr, visit: _Visit) -> None:
        """Note a call to a sibling, or what else a call tells."""
        callee, args, receiver = node.callee, node.args, visit.receiver
        called = callee.name if isinstance(callee, nodes.NameExpr) else ""
        if called in ("eval", "exec") or (called in ("locals", "vars") and not args):
            self.mentions.update(self.context.catch_alls)
        if receiver is None:
            return
        match callee:
            case nodes.SuperExpr():
                start = callee.call.args
                named = self.context.references(start[0]) if start else ()
                self.calls.append(self.site(node, callee.name, visit, Route.SUPER, named))
            case nodes.NameExpr() | nodes.MemberExpr() if callee.name == "signature" and args:
                name = _own(args[0], receiver)
                if name is not None:
                    self.probes.add(name)
                elif isinstance(callee, nodes.MemberExpr):
                    self.method_call(node, callee, visit, receiver)
            case nodes.MemberExpr():
                self.method_call(node, callee, visit, receiver)
            case nodes.NameExpr() if callee.name == "setattr" and len(args) > 1:
                if _is_name(args[0], receiver) and isinstance(args[1], nodes.StrExpr):
                    self.assigns.add(args[1].value)
            case _:
                return

    def method_call(self, node: nodes.CallExpr, callee: nodes.MemberExpr, visit: _Visit, receiver: str) -> None:
        """`self.m()`, `type(self).m(self)`, `Base.m(self)`."""
        owner, args = callee.expr, node.args
        if _is_name(owner, receiver):
            self.calls.append(self.site(node, callee.name, visit, Route.INSTANCE))
        elif _is_its_class(owner, receiver):
            self.calls.append(self.site(node, callee.name, visit, Route.TYPE))
        elif (
            isinstance(owner, (nodes.NameExpr, nodes.MemberExpr))
            and args
            and node.arg_kinds[0] is nodes.ARG_POS
            and _is_name(args[0], receiver)
            and not self.context.text.of(owner).startswith(f"{receiver}.")
        ):
            self.calls.append(self.site(node, callee.name, visit, Route.CLASS, self.context.references(owner)))

    def site(
        self, node: nodes.CallExpr, method: str, visit: _Visit, route: Route, named: tuple[str, ...] = ()
    ) -> CallSite:
        """One call, as it is written."""
        text = self.context.text.of
        positional: list[str] = []
        keywords: list[tuple[str, str]] = []
        certain = True
        for argument, kind, name in zip(node.args, node.arg_kinds, node.arg_names, strict=True):
            if kind is nodes.ARG_STAR:
                certain = False
            elif kind is nodes.ARG_POS and certain:
                positional.append(text(argument))
            elif kind is nodes.ARG_NAMED and name is not None:
                keywords.append((name, text(argument)))
        callee = node.callee
        line = callee.end_line or callee.line
        column = (callee.end_column or callee.column + len(method)) - len(method) + 1
        return CallSite(
            method,
            route,
            tuple(positional),
            tuple(keywords),
            has_star=not certain,
            has_double_star=nodes.ARG_STAR2 in node.arg_kinds,
            place=Place(self.context.path, line, column, line, column + len(method)),
            last_line=node.end_line or line,
            is_guarded=visit.is_guarded,
            is_tried=visit.is_tried,
            named=named,
        )


def _leaves(body: nodes.Block) -> bool:
    """Control does not come to the end of a block."""
    last = body.body[-1] if body.body else None
    return isinstance(last, (nodes.ReturnStmt, nodes.RaiseStmt, nodes.ContinueStmt, nodes.BreakStmt))


def _bound_names(body: nodes.Block) -> Iterator[str]:
    """The names that statements of a body bind anew, at any depth, and expressions, also those of nested functions."""
    pending: list[tuple[nodes.Node, bool]] = [(body, False)]
    while pending:
        node, is_nested = pending.pop()
        match node:
            case nodes.AssignmentStmt() if not is_nested and not isinstance(node.rvalue, nodes.TempNode):
                yield from _names_of(node.lvalues)
            case nodes.ForStmt() if not is_nested:
                yield from _names_of([node.index])
            case nodes.WithStmt() if not is_nested:
                yield from _names_of([target for target in node.target if target is not None])
            case nodes.GeneratorExpr() | nodes.DictionaryComprehension():
                yield from _names_of(node.indices)
            case nodes.AssignmentExpr():
                yield node.target.name
            case _:
                pass
        is_nested = is_nested or type(node) in _FUNCTIONS or type(node) is nodes.ClassDef
        pending += ((part, is_nested) for part in children(node))


def _names_of(targets: Sequence[nodes.Node]) -> Iterator[str]:
    """What is bound where these are assigned to."""
    pending = [*targets]
    while pending:
        match pending.pop():
            case nodes.NameExpr() as target:
                yield target.name
            case nodes.TupleExpr() | nodes.ListExpr() as several:
                pending += several.items
            case _:
                continue


def _is_name(node: nodes.Node, name: str) -> bool:
    return isinstance(node, nodes.NameExpr) and node.name == name


def _is_type_of(node: nodes.Node, receiver: str) -> bool:
    """`type(self)`."""
    return (
        isinstance(node, nodes.CallExpr)
        and _is_name(node.callee, "type")
        and len(node.args) == 1
        and _is_name(node.args[0], receiver)
    )


def _narrows(test: nodes.Expression, receiver: str, *, when: bool = True) -> bool:
    """Where the test is true, or false, the receiver is of another class: `isinstance(self, Other)`, `type(self) is Other`."""
    match test:
        case nodes.UnaryExpr(op="not"):
            return _narrows(test.expr, receiver, when=not when)
        case nodes.OpExpr(op="and" | "or"):
            found = (_narrows(value, receiver, when=when) for value in (test.left, test.right))
            return any(found) if (test.op == "and") is when else all(found)
        case nodes.CallExpr(args=[first, _]) if isinstance(test.callee, nodes.NameExpr):
            is_asked = when and test.callee.name in ("isinstance", "issubclass")
            return is_asked and (_is_name(first, receiver) or _is_its_class(first, receiver))
        case nodes.ComparisonExpr(operators=[operator]):
            return _is_its_class(test.operands[0], receiver) and operator in (_SAME if when else _OTHER)
        case _:
            return False


_SAME = ("is", "==", "in")
_OTHER = ("is not", "!=", "not in")


def _is_its_class(node: nodes.Node, receiver: str) -> bool:
    """`type(self)`, `self.__class__`."""
    is_attribute = isinstance(node, nodes.MemberExpr) and node.name == "__class__" and _is_name(node.expr, receiver)
    return is_attribute or _is_type_of(node, receiver)


def _own(node: nodes.Node, receiver: str) -> str | None:
    """`m` of `self.m` and `type(self).m`."""
    if isinstance(node, nodes.MemberExpr) and (_is_name(node.expr, receiver) or _is_type_of(node.expr, receiver)):
        return node.name
    return None


def _compared(node: nodes.ComparisonExpr, receiver: str) -> Iterator[str]:
    """`m` of `type(self).m is not Base.m`."""
    for operator, operand in zip(node.operators, node.operands[1:], strict=True):
        if operator in ("is", "is not") and isinstance(operand, nodes.MemberExpr):
            name = _own(node.operands[0], receiver)
            if name == operand.name:
                yield name


def _assigned(target: nodes.Node, receiver: str) -> Iterator[str]:
    """The attributes of the receiver among the targets of an assignment."""
    pending = [target]
    while pending:
        match pending.pop():
            case nodes.MemberExpr() as attribute if _is_name(attribute.expr, receiver):
                yield attribute.name
            case nodes.TupleExpr() | nodes.ListExpr() as several:
                pending += several.items
            case _:
                continue
