"""What a function's body tells, read from its `ast` nodes: the twin of `bodies`. Imports no parser but `ast`.

Most lines of a body hold nothing that counts. Which do, regular expressions say; only the expressions on those are looked at.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from sigcheck.core.callsite import CallSite, Route
from sigcheck.core.place import Place
from sigcheck.readers.conventions import Body
from sigcheck.readers.source.spots import Spots

Function = ast.FunctionDef | ast.AsyncFunctionDef
"""A `def`."""

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

PLAIN_VALUES = (
    ast.Compare,
    ast.List,
    ast.Dict,
    ast.Set,
    ast.Tuple,
    ast.ListComp,
    ast.DictComp,
    ast.SetComp,
    ast.JoinedStr,
)
"""Expressions whose value nobody can call; so are constants but `...`."""

_COMPOUND = (
    *FUNCTIONS,
    ast.ClassDef,
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.Match,
    *((ast.TryStar,) if hasattr(ast, "TryStar") else ()),
)
_TRIES: tuple[type[ast.stmt], ...] = (ast.Try, *((ast.TryStar,) if hasattr(ast, "TryStar") else ()))
_TYPE_ALIASES: tuple[type[ast.stmt], ...] = (ast.TypeAlias,) if hasattr(ast, "TypeAlias") else ()
_BINDING = frozenset({ast.Assign, ast.AnnAssign, ast.AugAssign})
_SIMPLE = (
    _BINDING
    | {ast.Expr, ast.Return, ast.Raise, ast.Pass, ast.Import, ast.ImportFrom, ast.Assert, ast.Delete}
    | {ast.Global, ast.Nonlocal, ast.Break, ast.Continue, *_TYPE_ALIASES}
)
_LEAFLESS = frozenset(
    {"ctx", "op", "ops", "attr", "id", "arg", "kind", "conversion", "type_comment", "simple", "level"}
)
"""Fields that hold no node which has anything in it."""

_PARTS = {
    kind: tuple(name for name in kind._fields if name not in _LEAFLESS and name != "annotation")
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST) and kind not in (ast.Constant, *_TYPE_ALIASES)
}
"""The fields in which the nodes below a node are that are certain to be evaluated, of every kind of node that can have any."""

_LEAVING = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_GAP = r"(?:[\s)\\]|#[^\n]*\n)*"


class Candidates:
    """The lines of a file on which an expression may count, and those on which one may bind a receiver anew."""

    def __init__(self, spots: Spots, receivers: frozenset[str], catch_alls: frozenset[str]) -> None:
        text = spots.text
        self._starts = spots.starts
        self._lines: dict[tuple[bool, bool], list[int]] = {}
        if not spots.is_plain:
            every = self._rebindings = list(range(1, len(spots.lines) + 1))
            self._lines = {(one, other): every for one in (False, True) for other in (False, True)}
            return
        self._lines[False, False] = self._on(_places(text, ("yield",)))
        of_receivers: list[int] = []
        bare: list[int] = []
        if receivers:
            of_receivers = _places(text, ("super", "signature", "__class__"))
        for name in receivers:
            for found in _of_receiver(name).finditer(text):
                of_receivers += (found.start(), found.end() - 1)
                if found.end(1) >= 0:
                    bare.append(found.start())
        self._rebindings = self._on(bare)
        of_catch_alls: list[int] = []
        if catch_alls:
            of_catch_alls = _places(text, ("locals", "vars", "eval", "exec"))
        for name in catch_alls:
            of_catch_alls += [found.start() for found in _name(name).finditer(text)]
        self._of_receivers = self._on(of_receivers)
        self._of_catch_alls = self._on(of_catch_alls)

    def _on(self, places: list[int]) -> list[int]:
        """The lines of some places."""
        starts = self._starts
        return sorted({bisect_right(starts, place) for place in places})

    def lines(self, *, has_receiver: bool, has_catch_alls: bool) -> list[int]:
        """The lines that may count in a function, sorted; where nothing is a receiver, nothing is asked of one."""
        key = has_receiver, has_catch_alls
        known = self._lines.get(key)
        if known is None:
            found = {*self._lines[False, False]}
            if has_receiver:
                found.update(self._of_receivers)
            if has_catch_alls:
                found.update(self._of_catch_alls)
            known = self._lines[key] = sorted(found)
        return known

    def may_bind(self, first: int, last: int) -> bool:
        """On some line of these, both included, something may bind a receiver anew: its name stands there for itself."""
        return _are_between(self._rebindings, first, last)


def _places(text: str, words: Iterable[str]) -> list[int]:
    """Where one of some words stands."""
    places: list[int] = []
    for word in words:
        index = text.find(word)
        while index >= 0:
            places.append(index)
            index = text.find(word, index + len(word))
    return places


def _are_between(lines: list[int], first: int, last: int) -> bool:
    """Some of the sorted lines is one of these, both included."""
    index = bisect_left(lines, first)
    return index < len(lines) and lines[index] <= last


@lru_cache(maxsize=256)
def _of_receiver(name: str) -> re.Pattern[str]:
    """Finds calls on a receiver, what is asked of one, and where its name stands for itself: then, the first group is found.

    Nothing that binds a name is followed by a dot. Fast, for it begins with the name.
    """
    name = re.escape(name)
    return re.compile(rf"{name}(?<!\w{name})(?:{_GAP}\.{_GAP}\w+{_GAP}(?:\(|is\b)|(?![.\w])())")


@lru_cache(maxsize=256)
def _in_expression(name: str) -> re.Pattern[str]:
    """Finds `self :=`, and `self` among the names between `for` and `in`."""
    name = re.escape(name)
    return re.compile(rf"{name}(?<!\w{name})(?:\s*:=|(?![.\w])(?:[\s,)\]\w(*\[.\\]|#[^\n]*\n)*\bin\b)")


@lru_cache(maxsize=256)
def _name(name: str) -> re.Pattern[str]:
    """Finds a name that is no attribute."""
    name = re.escape(name)
    return re.compile(rf"{name}(?<![\w.]{name})(?!\w)")


def read_body(
    node: Function,
    *,
    receiver: str | None,
    catch_alls: tuple[str, ...],
    spots: Spots,
    candidates: Candidates,
    references: Callable[[ast.expr], tuple[str, ...]],
    path: str,
) -> tuple[Body, bool]:
    """Read a function's body.

    Args:
        node: the function.
        receiver: the name of its first parameter, if it is one.
        catch_alls: the names of `*args` and `**kwargs`.
        spots: its text.
        candidates: where something may be.
        references: what an expression may mean.
        path: of the file.

    Returns:
        What it tells, and whether there is a class statement in it.
    """
    first, last = _first_line(node.body[0]), node.body[-1].end_lineno or node.body[-1].lineno
    if receiver is not None and candidates.may_bind(first, last) and _binds(node.body, receiver, spots):
        receiver = None  # From somewhere on, the name is another object.
    lines = candidates.lines(has_receiver=receiver is not None, has_catch_alls=bool(catch_alls))
    reading = _Reading(frozenset(catch_alls), spots, lines, references, path)
    if _are_between(lines, first, last):
        reading.block(node.body, receiver)
    else:
        reading.skim(node.body, receiver)
    values = reading.returned
    plain = [
        isinstance(value, PLAIN_VALUES) or (type(value) is ast.Constant and value.value is not ...) for value in values
    ]
    calls = sorted(reading.calls, key=_place) if len(reading.calls) > 1 else reading.calls
    body = Body(
        reading.yields,
        is_stub(node.body),
        _only_raises(node.body),
        not all(plain),
        bool(plain) and all(plain),
        tuple(calls),
        tuple(sorted(reading.assigns)),
        frozenset(reading.mentions),
        tuple(sorted(reading.probes)),
    )
    return body, reading.has_class


def _first_line(statement: ast.stmt) -> int:
    """The line on which a statement begins, with its decorators."""
    decorators: Sequence[ast.expr] = getattr(statement, "decorator_list", ())
    return decorators[0].lineno if decorators else statement.lineno


def _place(call: CallSite) -> tuple[int, int, int]:
    return call.place.line, call.place.column, call.place.end_column


def is_stub(body: Sequence[ast.stmt]) -> bool:
    """The body only raises, passes, or is `...`, with or without a docstring."""
    for statement in body:
        if isinstance(statement, (ast.Raise, ast.Pass)):
            continue
        value = statement.value if isinstance(statement, ast.Expr) else None
        if not isinstance(value, ast.Constant) or not (value.value is ... or isinstance(value.value, (str, bytes))):
            return False
    return True


def _only_raises(body: Sequence[ast.stmt]) -> bool:
    """No way through the body but to the `raise` at its end."""
    return isinstance(body[-1], ast.Raise) and not any(isinstance(part, (*_COMPOUND, ast.Return)) for part in body)


class _Reading:
    """One walk over a body."""

    def __init__(
        self,
        catch_alls: frozenset[str],
        spots: Spots,
        lines: list[int],
        references: Callable[[ast.expr], tuple[str, ...]],
        path: str,
    ) -> None:
        self.catch_alls = catch_alls
        self.spots = spots
        self.lines = lines
        self.references = references
        self.path = path
        self.yields = False
        self.has_class = False
        self.returned: list[ast.expr] = []
        self.calls: list[CallSite] = []
        self.assigns: set[str] = set()
        self.mentions: set[str] = set()
        self.probes: set[str] = set()
        self._is_own = True
        self._is_guarded = False
        self._is_tried = False
        self._is_in_string = False

    # Statements.

    def block(self, statements: Sequence[ast.stmt], receiver: str | None) -> None:
        """Look at the statements of a block, and at those in them."""
        was_guarded, was_tried = self._is_guarded, self._is_tried
        lines = self.lines
        for statement in statements:
            kind = type(statement)
            if kind in _SIMPLE:
                if kind in _BINDING:
                    if receiver is not None:
                        self.assign(statement, receiver)
                elif kind is ast.Return and self._is_own and statement.value is not None:  # type: ignore[attr-defined]
                    self.returned.append(statement.value)  # type: ignore[attr-defined]
                index = bisect_left(lines, statement.lineno)
                if index < len(lines) and lines[index] <= (statement.end_lineno or statement.lineno):
                    if kind is ast.AnnAssign or kind in _TYPE_ALIASES:
                        self.mention(statement)
                    self.visit(statement, receiver)
                if kind is ast.Assert and receiver is not None and narrows(statement.test, receiver):  # type: ignore[attr-defined]
                    self._is_tried = True
            elif isinstance(statement, ast.If):
                self.if_(statement, receiver)
                if receiver is not None and not self._is_tried and isinstance(statement.body[-1], _LEAVING):
                    self.pass_test(statement.test, receiver, when=False)
            elif isinstance(statement, FUNCTIONS):
                self.function(statement, receiver)
            elif isinstance(statement, ast.ClassDef):
                self.class_(statement, receiver)
            else:
                self.compound(statement, receiver)
        self._is_guarded, self._is_tried = was_guarded, was_tried

    def skim(self, body: Sequence[ast.stmt], receiver: str | None) -> None:
        """Look at the statements of a body in which no expression counts: at what it returns and assigns, and for classes."""
        pending: list[tuple[Sequence[ast.stmt], bool]] = [(body, True)]
        while pending:
            statements, is_own = pending.pop()
            for statement in statements:
                kind = type(statement)
                if kind in _BINDING:
                    if receiver is not None:
                        self.assign(statement, receiver)
                elif kind is ast.Return:
                    if is_own and statement.value is not None:  # type: ignore[attr-defined]
                        self.returned.append(statement.value)  # type: ignore[attr-defined]
                elif kind in _SIMPLE:
                    continue
                elif kind is ast.ClassDef:
                    self.has_class = True
                else:
                    is_owner = is_own and kind not in FUNCTIONS
                    pending += [(block, is_owner) for block in _blocks(statement)]

    def assign(self, statement: ast.stmt, receiver: str) -> None:
        """Note the attributes of the receiver that an assignment binds."""
        if type(statement) is ast.Assign:
            for target in statement.targets:
                if type(target) is not ast.Name:
                    self.assigns.update(_assigned(target, receiver))
        else:
            self.assigns.update(_assigned(statement.target, receiver))  # type: ignore[attr-defined]

    def if_(self, node: ast.If, receiver: str | None) -> None:
        test = node.test
        self.expression(test, receiver)
        was_guarded, was_tried = self._is_guarded, self._is_tried
        if receiver is not None:
            if (type(test) is ast.Name and test.id == "TYPE_CHECKING") or (
                type(test) is ast.Constant and test.value is False
            ):
                self._is_tried = True
                self.block(node.body, receiver)
                self._is_tried = was_tried
                self.block(node.orelse, receiver)
                return
            if not was_tried:
                self.pass_test(test, receiver)
                self.block(node.body, receiver)
                self._is_tried = narrows(test, receiver, when=False)
                self.block(node.orelse, receiver)
                self._is_guarded, self._is_tried = was_guarded, was_tried
                return
        self.block(node.body, receiver)
        if node.orelse:
            self.block(node.orelse, receiver)

    def pass_test(self, test: ast.expr, receiver: str, *, when: bool = True) -> None:
        """What is looked at next runs where a test is true, or false; which counts if it names the receiver."""
        if self.names(test, receiver):
            self._is_guarded = True
            self._is_tried = self._is_tried or narrows(test, receiver, when=when)

    def function(self, node: Function, receiver: str | None) -> None:
        """A nested function: what it returns and yields is its own. Of annotations, it is not certain that they are evaluated."""
        if _are_between(self.lines, _first_line(node), node.body[0].lineno):
            for part in (*node.decorator_list, node.args):
                self.visit(part, receiver)
            for part in (node.args, node.returns, *getattr(node, "type_params", ())):
                if part is not None:
                    self.mention(part)
        was_own, self._is_own = self._is_own, False
        if receiver is not None and receiver in _parameter_names(node.args):
            receiver = None
        self.block(node.body, receiver)
        self._is_own = was_own

    def class_(self, node: ast.ClassDef, receiver: str | None) -> None:
        """A nested class: of its body, only the names count."""
        self.has_class = True
        self.mention(node)
        for part in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.expression(part, receiver)

    def compound(self, node: ast.stmt, receiver: str | None) -> None:
        was_guarded, was_tried = self._is_guarded, self._is_tried
        match node:
            case ast.For() | ast.AsyncFor():
                self.expression(node.target, receiver)
                self.expression(node.iter, receiver)
                self.block(node.body, receiver)
                self.block(node.orelse, receiver)
            case ast.While():
                self.expression(node.test, receiver)
                if receiver is not None:
                    self.pass_test(node.test, receiver)
                self.block(node.body, receiver)
                self._is_guarded, self._is_tried = was_guarded, was_tried
                self.block(node.orelse, receiver)
            case ast.With() | ast.AsyncWith():
                is_tried = False
                for item in node.items:
                    self.expression(item.context_expr, receiver)
                    if item.optional_vars is not None:
                        self.expression(item.optional_vars, receiver)
                    is_tried = is_tried or self.names(item.context_expr, "TypeError")
                self._is_tried = was_tried or (receiver is not None and is_tried)
                self.block(node.body, receiver)
            case ast.Match():
                self.expression(node.subject, receiver)
                self._is_guarded = was_guarded or (receiver is not None and self.names(node.subject, receiver))
                for case in node.cases:
                    self.visit(case.pattern, receiver)
                    if case.guard is not None:
                        self.expression(case.guard, receiver)
                    self.block(case.body, receiver)
            case _:
                self.try_(node, receiver)
        self._is_guarded, self._is_tried = was_guarded, was_tried

    def try_(self, node: ast.stmt, receiver: str | None) -> None:
        was_tried = self._is_tried
        handlers: list[ast.ExceptHandler] = node.handlers  # type: ignore[attr-defined]
        if receiver is not None and type(node) is ast.Try:
            self._is_tried = was_tried or any(
                self.names(handler.type, "TypeError") for handler in handlers if handler.type is not None
            )
        self.block(node.body, receiver)  # type: ignore[attr-defined]
        for handler in handlers:
            if handler.type is not None:
                self.expression(handler.type, receiver)
            self.block(handler.body, receiver)
        self._is_tried = was_tried
        self.block(node.orelse, receiver)  # type: ignore[attr-defined]
        self.block(node.finalbody, receiver)  # type: ignore[attr-defined]

    # Expressions.

    def expression(self, node: ast.expr, receiver: str | None) -> None:
        if _are_between(self.lines, node.lineno, node.end_lineno or node.lineno):
            self.visit(node, receiver)

    def visit(self, root: ast.AST, receiver: str | None) -> None:
        """Look at a node and at all that stands in it."""
        pending: list[ast.AST] = [root]
        while pending:
            node = pending.pop()
            kind = type(node)
            if kind is ast.Name:
                if node.id in self.catch_alls:  # type: ignore[attr-defined]
                    self.mentions.add(node.id)  # type: ignore[attr-defined]
                continue
            parts = _PARTS.get(kind, ())
            if not parts:
                continue
            if kind is ast.Call:
                self.call(node, receiver)  # type: ignore[arg-type]
            elif kind is ast.Yield or kind is ast.YieldFrom:
                self.yields = self.yields or self._is_own
            elif kind is ast.JoinedStr:
                was_in_string, self._is_in_string = self._is_in_string, True
                for value in node.values:  # type: ignore[attr-defined]
                    self.visit(value, receiver)
                self._is_in_string = was_in_string
                continue
            elif kind is ast.Lambda:
                self.visit(node.args, receiver)  # type: ignore[attr-defined]
                was_own, self._is_own = self._is_own, False
                inner = None if receiver in _parameter_names(node.args) else receiver  # type: ignore[attr-defined]
                self.visit(node.body, inner)  # type: ignore[attr-defined]
                self._is_own = was_own
                continue
            elif receiver is not None:
                if kind is ast.Compare:
                    self.probes.update(_compared(node, receiver))  # type: ignore[arg-type]
                elif kind is ast.IfExp or kind is ast.BoolOp:
                    self.conditional(node, receiver)
                    continue
            for name in parts:
                value = getattr(node, name, None)
                if type(value) is list:
                    pending += value
                else:
                    pending.append(value)  # type: ignore[arg-type]

    def conditional(self, node: ast.AST, receiver: str) -> None:
        """`a if b else c`, `a and b`: what is run only if something of the receiver is true."""
        was_guarded, was_tried = self._is_guarded, self._is_tried
        if isinstance(node, ast.IfExp):
            self.visit(node.test, receiver)
            self.pass_test(node.test, receiver)
            self.visit(node.body, receiver)
            self._is_tried = was_tried or narrows(node.test, receiver, when=False)
            self.visit(node.orelse, receiver)
        elif isinstance(node, ast.BoolOp):
            for value in node.values:
                self.visit(value, receiver)
                self.pass_test(value, receiver, when=isinstance(node.op, ast.And))
        self._is_guarded, self._is_tried = was_guarded, was_tried

    def mention(self, root: ast.AST) -> None:
        """Note the catch-alls that are named anywhere below."""
        if not self.catch_alls:
            return
        for node in ast.walk(root):
            if isinstance(node, ast.Name):
                if node.id in self.catch_alls:
                    self.mentions.add(node.id)
            elif isinstance(node, ast.Call):
                self.mention_all(node)

    def mention_all(self, node: ast.Call) -> bool:
        """A call may read every variable."""
        is_all = reads_every_variable(node)
        if is_all:
            self.mentions |= self.catch_alls
        return is_all

    def names(self, node: ast.expr, name: str) -> bool:
        """The name stands somewhere in an expression."""
        last = node.end_lineno or node.lineno
        if (
            self.spots.is_plain
            and not self._is_in_string
            and not any(name in line for line in self.spots.lines[node.lineno - 1 : last])
        ):
            return False
        pending: list[ast.AST] = [node]
        while pending:
            inner = pending.pop()
            kind = type(inner)
            if kind is ast.Name:
                if inner.id == name:  # type: ignore[attr-defined]
                    return True
            elif kind is ast.Attribute:
                pending.append(inner.value)  # type: ignore[attr-defined]
            elif kind is not ast.Constant:
                pending += ast.iter_child_nodes(inner)
        return False

    def call(self, node: ast.Call, receiver: str | None) -> None:
        """Note a call to a sibling, or what else a call tells."""
        function = node.func
        kind = type(function)
        if kind is ast.Name:
            self.named_call(node, function.id, receiver)  # type: ignore[attr-defined]
            return
        if kind is not ast.Attribute or receiver is None:
            return
        assert isinstance(function, ast.Attribute)  # noqa: S101 - for mypy, which knows no `type(...) is`
        if function.attr == "signature" and self.asks_signature(node, receiver):
            return
        owner = function.value
        if type(owner) is ast.Name and owner.id == receiver:
            route: Route | None = Route.INSTANCE
        else:
            route = _route(node, owner, receiver)
        if route is None or (self._is_in_string and not self.spots.shows(node)):
            return
        named: tuple[str, ...] = ()
        if route is Route.CLASS:
            if self.spots.code(owner).startswith(f"{receiver}."):
                return
            named = self.references(owner)
        elif route is Route.SUPER and owner.args:  # type: ignore[attr-defined]
            named = self.references(owner.args[0])  # type: ignore[attr-defined]
        self.site(node, function, route, named)

    def named_call(self, node: ast.Call, name: str, receiver: str | None) -> None:
        """A call of a plain name."""
        if name in ("locals", "vars", "eval", "exec") and self.mention_all(node):
            return
        if receiver is None:
            return
        if name == "signature":
            self.asks_signature(node, receiver)
        elif name == "setattr":
            match node.args:
                case [ast.Name(id=owner), ast.Constant(value=str(attribute)), *_]:
                    if owner == receiver and attribute.isidentifier():
                        self.assigns.add(attribute)
                case _:
                    return

    def asks_signature(self, node: ast.Call, receiver: str) -> bool:
        """`inspect.signature(self.m)`."""
        first = node.args[0] if node.args else None
        name = _own(first, receiver) if isinstance(first, ast.Attribute) else None
        if name is not None:
            self.probes.add(name)
        return name is not None

    def site(self, node: ast.Call, function: ast.Attribute, route: Route, named: tuple[str, ...] = ()) -> None:
        """One call, as it is written."""
        spots = self.spots
        method = function.attr
        line = function.end_lineno or function.lineno
        end = spots.column(line, function.end_col_offset or 0) + 1
        positional: list[str] = []
        has_star = False
        for argument in node.args:
            if type(argument) is ast.Starred:
                has_star = True
            elif not has_star:
                positional.append(spots.code(argument))
        keywords: list[tuple[str, str]] = []
        has_double_star = False
        for keyword in node.keywords:
            if keyword.arg is None:
                has_double_star = True
            else:
                keywords.append((keyword.arg, spots.code(keyword.value)))
        self.calls.append(
            CallSite(
                method,
                route,
                tuple(positional),
                tuple(keywords),
                has_star,
                has_double_star,
                Place(self.path, line, end - len(method), line, end),
                node.end_lineno or node.lineno,
                self._is_guarded,
                self._is_tried,
                named,
            )
        )


def _route(node: ast.Call, owner: ast.expr, receiver: str) -> Route | None:
    """The way from an instance to the method of an owner, if the instance is, or may be, the receiver; not of `self.m()`."""
    match owner:
        case ast.Call(func=ast.Name(id="super")):
            return Route.SUPER
        case _ if _is_its_class(owner, receiver):
            return Route.TYPE
        case ast.Name() | ast.Attribute():
            first = node.args[0] if node.args else None
            is_given = isinstance(first, ast.Name) and first.id == receiver and _is_first(node)
            return Route.CLASS if is_given else None
        case _:
            return None


def _binds(statements: Sequence[ast.stmt], name: str, spots: Spots) -> bool:
    """Somewhere in the statements the name is bound anew: by an assignment, a loop, `with`, a comprehension or `:=`."""
    pending: list[Sequence[ast.stmt]] = [statements]
    while pending:
        for statement in pending.pop():
            kind = type(statement)
            if kind is ast.Assign:
                if any(_has_name(target, name) for target in statement.targets):  # type: ignore[attr-defined]
                    return True
            elif kind in _COMPOUND:
                match statement:
                    case ast.For(target=target) | ast.AsyncFor(target=target) if _has_name(target, name):
                        return True
                    case ast.With(items=items) | ast.AsyncWith(items=items):
                        if any(i.optional_vars is not None and _has_name(i.optional_vars, name) for i in items):
                            return True
                    case _:
                        pass
                pending += _blocks(statement)
    start, end = spots.index(_first_line(statements[0]), 0), spots.end(statements[-1])
    if spots.is_plain and _in_expression(name).search(spots.text, start, end) is None:
        return False
    return any(
        isinstance(node, (ast.comprehension, ast.NamedExpr)) and _has_name(node.target, name)
        for statement in statements
        for node in ast.walk(statement)
    )


def _blocks(statement: ast.stmt) -> Iterator[Sequence[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(statement, name, None)
        if block:
            yield block
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body


def _has_name(target: ast.expr, name: str) -> bool:
    """The name is among the targets."""
    kind = type(target)
    if kind is ast.Name:
        return target.id == name  # type: ignore[attr-defined,no-any-return]
    if kind is ast.Tuple or kind is ast.List:
        return any(_has_name(element, name) for element in target.elts)  # type: ignore[attr-defined]
    return isinstance(target, ast.Starred) and _has_name(target.value, name)


def _assigned(target: ast.expr, receiver: str) -> Iterator[str]:
    """The attributes of the receiver among the targets of an assignment."""
    kind = type(target)
    if kind is ast.Attribute:
        owner = target.value  # type: ignore[attr-defined]
        if type(owner) is ast.Name and owner.id == receiver:
            yield target.attr  # type: ignore[attr-defined]
    elif kind is ast.Tuple or kind is ast.List:
        for element in target.elts:  # type: ignore[attr-defined]
            yield from _assigned(element, receiver)
    elif isinstance(target, ast.Starred):
        yield from _assigned(target.value, receiver)


def _is_first(node: ast.Call) -> bool:
    """The first argument by position is the first that is written: no keyword stands in front of it."""
    first = node.args[0]
    return all(
        (keyword.value.lineno, keyword.value.col_offset) > (first.lineno, first.col_offset) for keyword in node.keywords
    )


def _own(node: ast.Attribute, receiver: str) -> str | None:
    """`m` of `self.m` and `type(self).m`."""
    match node.value:
        case ast.Name(id=name) if name == receiver:
            return node.attr
        case ast.Call(func=ast.Name(id="type"), args=[ast.Name(id=name)], keywords=[]) if name == receiver:
            return node.attr
        case _:
            return None


def _compared(node: ast.Compare, receiver: str) -> Iterator[str]:
    """`m` of `type(self).m is not Base.m`."""
    if not isinstance(node.left, ast.Attribute):
        return
    name = _own(node.left, receiver)
    for operator, other in zip(node.ops, node.comparators, strict=True):
        is_identity = isinstance(operator, (ast.Is, ast.IsNot))
        if name is not None and is_identity and isinstance(other, ast.Attribute) and other.attr == name:
            yield name


def narrows(test: ast.expr, receiver: str, *, when: bool = True) -> bool:
    """Where the test is true, or false, the receiver is of another class: `isinstance(self, Other)`, `type(self) is Other`."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return narrows(operand, receiver, when=not when)
        case ast.BoolOp(op=operator, values=values):
            found = (narrows(value, receiver, when=when) for value in values)
            return any(found) if isinstance(operator, ast.And) is when else all(found)
        case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[first, _]):
            return when and ((isinstance(first, ast.Name) and first.id == receiver) or _is_its_class(first, receiver))
        case ast.Compare(left=left, ops=[operator]):
            return _is_its_class(left, receiver) and isinstance(operator, _SAME if when else _OTHER)
        case _:
            return False


_SAME = (ast.Is, ast.Eq, ast.In)
_OTHER = (ast.IsNot, ast.NotEq, ast.NotIn)


def _is_its_class(node: ast.expr, receiver: str) -> bool:
    """`type(self)`, `self.__class__`."""
    match node:
        case ast.Call(func=ast.Name(id="type"), args=[ast.Name(id=name)], keywords=[]):
            return name == receiver
        case ast.Attribute(value=ast.Name(id=name), attr="__class__"):
            return name == receiver
        case _:
            return False


def _parameter_names(node: ast.arguments) -> set[str]:
    """The names that a nested function has for itself."""
    variadic = [entry for entry in (node.vararg, node.kwarg) if entry is not None]
    return {entry.arg for entry in (*node.posonlyargs, *node.args, *node.kwonlyargs, *variadic)}


def reads_every_variable(node: ast.AST) -> bool:
    """A call that may read every variable: `locals()`, `eval(text)`."""
    match node:
        case (
            ast.Call(func=ast.Name(id="locals" | "vars"), args=[], keywords=[])
            | ast.Call(func=ast.Name(id="eval" | "exec"))
        ):
            return True
        case _:
            return False
