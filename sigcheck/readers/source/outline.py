"""Which parts of a file the reader need not see. Uses `ast`, which is ten times as fast as libcst.

Function bodies are most of a file, and of most of them the reader looks only at calls to siblings and at what is returned.
The rest is blanked, and every line and column that is left stays where it was: a body becomes one bracket over the calls,

    def apply(self, x):              def apply(self, x):
        if x.ndim > 2:                   return 0(
            x = self.fold(x)                 self.fold(x),
        return self.apply_tp(x)                 self.apply_tp(x))

for within brackets Python does not mind indentation. What this file decides is only what libcst gets to see: a test reads
real packages with and without it and compares.
"""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sigcheck.core.module import Problem
from sigcheck.core.place import Place
from sigcheck.readers.source.scan_bodies import FUNCTIONS, PLAIN_VALUES, Function, narrows, reads_every_variable

_BLOCK_PARTS = (ast.stmt, ast.ExceptHandler, ast.match_case)
_YIELDS = (ast.Yield, ast.YieldFrom)
_DEEPEST_BRACKET = 200
"""CPython's own bound (`MAXLEVEL`); libcst has none, and would overflow the stack."""


def blank_bodies(text: str, path: str) -> str | Problem:
    """The text without what the reader does not look at.

    Returns:
        The text; all of it where `ast` cannot parse it, for libcst knows newer syntax than an old interpreter; or the
        problem, where it is nested too deeply for any parser.
    """
    try:
        with warnings.catch_warnings():
            # Newer interpreters warn of `"\d"` and the like: that is not what was asked.
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (RecursionError, MemoryError):
        return _too_deep(path, 1)
    except (SyntaxError, ValueError) as error:
        line = _deep_line(text)
        if line is not None:
            return _too_deep(path, line)
        if isinstance(error, SyntaxError) and "too many" in error.msg:
            return _too_deep(path, error.lineno or 1)
        return text
    lines = text.split("\n")
    pending: list[tuple[ast.AST, ast.AST]] = [(tree, tree)]
    while pending:
        node, scope = pending.pop()
        if isinstance(node, Function):
            calls = _blank_body(node, lines, scope)
            line = _deep_expression((*_own_expressions(node), *(calls or ())), lines)
            if line is not None:
                return _too_deep(path, line)
            if calls is not None:
                continue
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Expr)) and not isinstance(scope, Function):
            targets = node.targets if isinstance(node, ast.Assign) else ()
            if not any(isinstance(target, (ast.Tuple, ast.List)) for target in targets) and _blank_literal(
                node.value, lines
            ):
                continue
        line = _deep_expression(_own_expressions(node), lines)
        if line is not None:
            return _too_deep(path, line)
        inner = node if isinstance(node, (ast.ClassDef, Function)) else scope
        pending += [(child, inner) for child in ast.iter_child_nodes(node) if isinstance(child, _BLOCK_PARTS)]
    return "\n".join(lines)


def _too_deep(path: str, line: int) -> Problem:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Problem(
        Place(path, line, 1, line, 1), "is nested too deeply to be parsed", f"Python {version} refuses it too"
    )


def _deep_line(text: str) -> int | None:
    """The line in which brackets are nested deeper than any Python accepts. Strings count too: this is only asked of broken text."""
    depth = 0
    for number, line in enumerate(text.split("\n"), start=1):
        for character in line:
            if character in "([{":
                depth += 1
                if depth > _DEEPEST_BRACKET:
                    return number
            elif character in ")]}":
                depth = max(depth - 1, 0)
    return None


_LONG_LITERAL = 2_000
"""Bytes from which a literal in one line is not worth parsing."""

_LITERALS = (
    ast.Dict,
    ast.List,
    ast.Set,
    ast.Tuple,
    ast.Constant,
    ast.JoinedStr,
    ast.DictComp,
    ast.ListComp,
    ast.SetComp,
)


_LONG_EXPRESSION = 4_000
"""Characters from which an expression may be nested as deeply as the next."""

_DEEPEST_EXPRESSION = 2_000
"""A chain of operators is as deep as it is long; libcst takes time with the square of it, and recurses."""


def _own_expressions(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions of a statement, without those of the statements in it."""
    pending = list(ast.iter_child_nodes(node))
    while pending:
        child = pending.pop()
        if isinstance(child, ast.expr):
            yield child
        elif not isinstance(child, _BLOCK_PARTS):
            pending += ast.iter_child_nodes(child)


def _deep_expression(expressions: Iterable[ast.expr], lines: list[str]) -> int | None:
    """The line of an expression that is nested too deeply for libcst, or None."""
    for expression in expressions:
        first, last = expression.lineno - 1, (expression.end_lineno or expression.lineno) - 1
        length = (expression.end_col_offset or 0) - expression.col_offset + sum(map(len, lines[first:last]))
        if length < _LONG_EXPRESSION:
            continue
        level: list[ast.AST] = [expression]
        for _ in range(_DEEPEST_EXPRESSION):
            level = [child for node in level for child in ast.iter_child_nodes(node)]
            if not level:
                break
        else:
            return expression.lineno
    return None


def _blank_literal(node: ast.expr | None, lines: list[str]) -> bool:
    """A literal over several lines, or a very long one, becomes an empty string: tables of data are no names."""
    if not isinstance(node, _LITERALS) or node.end_lineno is None or node.end_col_offset is None:
        return False
    if node.end_lineno == node.lineno and node.end_col_offset - node.col_offset < _LONG_LITERAL:
        return False
    first, last = node.lineno - 1, node.end_lineno - 1
    head = lines[first][: _column(lines[first], node.col_offset)]
    if head.endswith("("):
        return False  # `(""` over several lines: the bracket closes further down.
    tail = lines[last][_column(lines[last], node.end_col_offset or 0) :]
    if tail.strip() and not tail.strip().startswith("#"):
        return False
    lines[first] = f'{head}""'
    for index in range(first + 1, last + 1):
        lines[index] = ""
    return True


def _blank_body(node: Function, lines: list[str], scope: ast.AST) -> list[ast.Call] | None:
    """Blank one body but for some calls. None where it must be read as it is."""
    if isinstance(scope, Function):
        return None  # A part of a body that is kept: it may call the siblings of the outer one's receiver.
    statement = node.body[0]
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", ()))]) - 1
    last = (node.end_lineno or node.lineno) - 1
    indent = len(lines[first]) - len(lines[first].lstrip())
    if lines[first][:indent].strip() or _column(lines[first], statement.col_offset) != indent:
        return None
    if first == node.lineno - 1 or last == first:
        return None
    facts = _Facts(node, in_class=isinstance(scope, ast.ClassDef))
    if facts.has_class or facts.has_call_in_string or facts.is_stub or facts.only_raises:
        return None
    if facts.yields and facts.returned:
        return None  # One bracket tells either.
    spans = [_span(call, lines) for call in facts.calls]
    opening = facts.opening()
    if spans and (spans[0][0], spans[0][1]) < (first, indent + len(opening)):
        return None
    asides = facts.asides(lines)
    kept = dict.fromkeys(range(first, last + 1), "")
    kept[first] = lines[first][:indent] + (opening if spans else facts.whole())
    for number, (line, column, end_line, end_column) in enumerate(spans):
        kept[line] = kept[line].ljust(column)
        if line == end_line:
            kept[line] += lines[line][column:end_column]
        else:
            kept[line] += lines[line][column:]
            for index in range(line + 1, end_line):
                kept[index] = lines[index]
            kept[end_line] = lines[end_line][:end_column]
        is_last = number == len(spans) - 1
        kept[end_line] += "".join(f",{aside}" for aside in asides) + facts.closing() if is_last else ","
    for index, line_text in kept.items():
        lines[index] = line_text
    return facts.calls


def _span(node: ast.Call, lines: Sequence[str]) -> tuple[int, int, int, int]:
    line, end_line = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    return line, _column(lines[line], node.col_offset), end_line, _column(lines[end_line], node.end_col_offset or 0)


def _column(line: str, offset: int) -> int:
    """From `ast`'s UTF-8 offset to a place in the text."""
    return offset if line.isascii() else len(line.encode()[:offset].decode(errors="replace"))


class _Facts:
    """What `bodies.read_body` would find, so that the blanked body tells it the same."""

    def __init__(self, node: Function, *, in_class: bool) -> None:
        self.calls: list[ast.Call] = []
        self.has_class = False
        self.has_call_in_string = False
        self.yields = False
        self.returned: list[ast.expr] = []
        self.assigns: set[str] = set()
        self.mentions: set[str] = set()
        self.probes: set[str] = set()
        arguments = [*node.args.posonlyargs, *node.args.args]
        self.receiver = arguments[0].arg if in_class and arguments else None
        self.catch_alls = {entry.arg for entry in (node.args.vararg, node.args.kwarg) if entry is not None}
        self.is_stub = all(
            isinstance(statement, (ast.Raise, ast.Pass))
            or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
            for statement in node.body
        )
        self.guarded: list[ast.Call] = []
        self.tried: list[ast.Call] = []
        self.only_raises = _only_raises(node)
        if self.receiver is not None and any(_binds(inner, self.receiver) for inner in _walk(node)):
            self.receiver = None
        for visit in _Visit(node, is_own=True, receiver=self.receiver).statements(node.body):
            self._visit(visit)
        self.calls.sort(key=lambda call: (call.lineno, call.col_offset))

    def _visit(self, root: _Visit) -> None:
        pending = [root]
        while pending:
            visit = pending.pop()
            node, receiver = visit.node, visit.receiver
            kind = type(node)
            if kind is ast.Name:
                if node.id in self.catch_alls:  # type: ignore[attr-defined]
                    self.mentions.add(node.id)  # type: ignore[attr-defined]
                continue
            if kind is ast.ClassDef:
                self.has_class = True
                return
            for uncertain in _uncertain(node):
                self._mention(uncertain)
            if kind is ast.JoinedStr and receiver is not None:
                # Before Python 3.12, its place may be another.
                self.has_call_in_string |= any(_is_sibling_call(inner, receiver) for inner in _walk(node))
            if kind is ast.Call and receiver is not None and _is_sibling_call(node, receiver):
                self.calls.append(node)  # type: ignore[arg-type]
                self.guarded += [node] if visit.is_guarded else []  # type: ignore[list-item]
                self.tried += [node] if visit.is_tried else []  # type: ignore[list-item]
                self._mention(node)
                self._look_for_yields(node, own=visit.is_own)
                continue
            if kind is ast.Call:
                self._mention_all(node)
                self.assigns.update(_set(node, receiver))
            elif kind in _YIELDS and visit.is_own:
                self.yields = True
            elif kind is ast.Return and visit.is_own and node.value is not None:  # type: ignore[attr-defined]
                self.returned.append(node.value)  # type: ignore[attr-defined]
            elif kind in (ast.Assign, ast.AnnAssign, ast.AugAssign) and receiver is not None:
                self.assigns.update(_assigned(node, receiver))
            if receiver is not None and kind in (ast.Call, ast.Compare):
                self.probes.update(_probed(node, receiver))
            pending += visit.children()

    def _mention(self, root: ast.AST) -> None:
        if self.catch_alls:
            for node in _walk(root):
                if isinstance(node, ast.Name) and node.id in self.catch_alls:
                    self.mentions.add(node.id)
                self._mention_all(node)

    def _mention_all(self, node: ast.AST) -> None:
        if reads_every_variable(node):
            self.mentions |= self.catch_alls

    def _look_for_yields(self, call: ast.AST, *, own: bool) -> None:
        self.yields = self.yields or (own and any(isinstance(inner, _YIELDS) for inner in _walk(call)))

    def asides(self, lines: Sequence[str]) -> list[str]:
        """Expressions that say what is not at its place: which attributes are assigned, methods probed, catch-alls mentioned,
        and which calls stood under what.
        """
        assigned = [f'setattr({self.receiver},"{name}",0)' for name in sorted(self.assigns)]
        probed = [f"signature({self.receiver}.{name})" for name in sorted(self.probes)]
        under = [
            f"{word}({','.join(_quoted_span(call, lines) for call in calls)})"
            for word, calls in (("__guarded__", self.guarded), ("__tried__", self.tried))
            if calls
        ]
        return [*assigned, *probed, *under, *sorted(self.mentions)]

    def _returns_unknown(self) -> bool:
        return any(not isinstance(value, (ast.Constant, *PLAIN_VALUES)) or _is_odd(value) for value in self.returned)

    def opening(self) -> str:
        if self.yields:
            return "yield ["
        if self._returns_unknown():
            return "return 0("
        return "return [" if self.returned else "0("

    def closing(self) -> str:
        return ")" if self.opening().endswith("(") else "]"

    def whole(self) -> str:
        """The body where nothing in it must keep its place."""
        asides = self.asides(())
        if asides:
            return f"{self.opening()}{','.join(asides)}{self.closing()}"
        if self.yields:
            return "yield"
        if self._returns_unknown():
            return "return 0()"
        return "return 0" if self.returned else "return"


_EMPTY = frozenset(
    kind
    for kind in vars(ast).values()
    if isinstance(kind, type)
    and issubclass(kind, (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.Constant))
)
"""Kinds of nodes that say nothing of a body, and have none below them that does."""


def _walk(root: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, in no order, without the empty ones: much faster than `ast.walk`."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        for name in node._fields:
            value = getattr(node, name, None)
            if type(value) is list:
                pending += [part for part in value if isinstance(part, ast.AST)]
            elif isinstance(value, ast.AST) and type(value) not in _EMPTY:
                pending.append(value)


class _Visit(NamedTuple):
    """A node on the way through a body: the twin of `bodies._Visit`."""

    node: ast.AST
    is_own: bool = False
    receiver: str | None = None
    is_guarded: bool = False
    is_tried: bool = False

    def at(self, node: ast.AST) -> _Visit:
        """Another node under the same circumstances."""
        return _Visit(node, *self[1:])

    def children(self) -> Iterator[_Visit]:
        node = self.node
        special = {} if self.receiver is None or type(node) not in _CIRCUMSTANCES else self._special()
        if isinstance(node, (*FUNCTIONS, ast.Lambda)):
            names = _parameter_names(node.args)
            receiver = None if self.receiver in names else self.receiver
            special = {"body": self._replace(is_own=False, receiver=receiver)}
        uncertain = _uncertain_fields(node)
        for name, value in ast.iter_fields(node):
            entry = special.get(name, self)
            if name in uncertain:
                continue
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                yield from entry.statements(value)
            elif isinstance(value, list):
                for index, part in enumerate(value):
                    if isinstance(part, ast.AST) and type(part) not in _EMPTY:
                        yield (self._operand(index) if isinstance(node, ast.BoolOp) else entry).at(part)
            elif isinstance(value, ast.AST) and type(value) not in _EMPTY:
                yield entry.at(value)

    def _operand(self, index: int) -> _Visit:
        """An operand of `and` and `or`: what stands in front of it decides whether it is run."""
        node, receiver = self.node, self.receiver
        if receiver is None or not isinstance(node, ast.BoolOp):
            return self
        before = node.values[:index]
        if not any(_names(value, receiver) for value in before):
            return self
        return self._under(any(narrows(value, receiver, when=isinstance(node.op, ast.And)) for value in before))

    def _under(self, is_narrowed: bool) -> _Visit:
        """Under a test that names the receiver, and may tell that it is of another class."""
        return self._replace(is_guarded=True, is_tried=self.is_tried or is_narrowed)

    def statements(self, statements: Sequence[ast.AST]) -> Iterator[_Visit]:
        current = self
        for statement in statements:
            yield current.at(statement)
            if (
                self.receiver is not None
                and isinstance(statement, ast.If)
                and _names(statement.test, self.receiver)
                and isinstance(statement.body[-1], (ast.Return, ast.Raise, ast.Continue, ast.Break))
            ):
                current = current._under(narrows(statement.test, self.receiver, when=False))
            elif (
                self.receiver is not None
                and isinstance(statement, ast.Assert)
                and narrows(statement.test, self.receiver)
            ):
                current = current._replace(is_tried=True)

    def _special(self) -> dict[str, _Visit]:
        guarded, tried = self._replace(is_guarded=True), self._replace(is_tried=True)
        receiver = self.receiver or ""
        match self.node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Constant(value=False)) if not _is_zero(self.node):
                return {"body": tried}
            case ast.If(test=test) | ast.IfExp(test=test) if _names(test, receiver):
                inverse = self._under(narrows(test, receiver, when=False))
                return {"body": self._under(narrows(test, receiver)), "orelse": inverse}
            case ast.While(test=test) if _names(test, receiver):
                return {"body": self._under(narrows(test, receiver))}
            case ast.Match(subject=subject) if _names(subject, receiver):
                return {"cases": guarded}
            case ast.Try(handlers=handlers) if any(_names(h.type, "TypeError") for h in handlers if h.type):
                return {"body": tried, "handlers": tried}
            case ast.With(items=items) | ast.AsyncWith(items=items) if any(
                _names(item.context_expr, "TypeError") for item in items
            ):
                return {"body": tried}
            case _:
                return {}


_CIRCUMSTANCES = frozenset({ast.If, ast.IfExp, ast.While, ast.Match, ast.Try, ast.With, ast.AsyncWith})


def _uncertain_fields(node: ast.AST) -> tuple[str, ...]:
    """The fields of which it is not certain that they are evaluated."""
    return node._fields if type(node) is getattr(ast, "TypeAlias", None) else ("annotation", "returns", "type_params")


def _uncertain(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in these."""
    for name in _uncertain_fields(node):
        value = getattr(node, name, None)
        yield from value if isinstance(value, list) else () if value is None else (value,)


def _is_zero(node: ast.AST) -> bool:
    """`if 0:` is no `if False:` to libcst."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Constant) and node.test.value is not False


def _names(node: ast.AST, name: str) -> bool:
    """The name stands somewhere in an expression."""
    return any(type(inner) is ast.Name and inner.id == name for inner in _walk(node))


_BINDERS = frozenset({ast.Assign, ast.For, ast.AsyncFor, ast.comprehension, ast.NamedExpr, ast.withitem})


def _binds(node: ast.AST, name: str) -> bool:
    """A statement binds the name anew."""
    if type(node) not in _BINDERS:
        return False
    match node:
        case ast.Assign(targets=targets):
            pending: list[ast.AST] = list(targets)
        case ast.For(target=target) | ast.AsyncFor(target=target) | ast.comprehension(target=target):
            pending = [target]
        case ast.NamedExpr(target=target):
            pending = [target]
        case ast.withitem(optional_vars=ast.AST() as target):
            pending = [target]
        case _:
            return False
    while pending:
        match pending.pop():
            case ast.Name(id=found) if found == name:
                return True
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                pending += elements
            case ast.Starred(value=value):
                pending.append(value)
            case _:
                continue
    return False


def _only_raises(node: Function) -> bool:
    *_, last = node.body
    simple = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Pass, ast.Raise, ast.Import, ast.ImportFrom)
    return isinstance(last, ast.Raise) and all(isinstance(statement, simple) for statement in node.body)


def _quoted_span(call: ast.Call, lines: Sequence[str]) -> str:
    line, column, end_line, end_column = _span(call, lines)
    return f'"{line + 1}:{column + 1}-{end_line + 1}:{end_column + 1}"'


def _is_sibling_call(node: ast.AST, receiver: str) -> bool:
    """`self.m(...)`, `super().m(...)`, `type(self).m(...)`, `self.__class__.m(...)`, `Base.m(self, ...)`."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name))) if name == receiver:
            return True
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")))):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="type"), args=[ast.Name(id=name)]))):
            return name == receiver
        case ast.Call(func=ast.Attribute(value=ast.Attribute(value=ast.Name(id=name), attr="__class__"))):
            return name == receiver
        case ast.Call(func=ast.Attribute(value=ast.Name() | ast.Attribute()), args=[ast.Name(id=name), *_]):
            return name == receiver
        case _:
            return False


def _assigned(node: ast.AST, receiver: str) -> Iterator[str]:
    """The attributes of the receiver among the targets of an assignment."""
    pending = list(node.targets) if isinstance(node, ast.Assign) else [node.target]  # type: ignore[attr-defined]
    while pending:
        match pending.pop():
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == receiver:
                yield attribute
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                pending += elements
            case ast.Starred(value=value):
                pending.append(value)
            case _:
                continue


def _set(node: ast.AST, receiver: str | None) -> Iterator[str]:
    """`m` of `setattr(self, "m", ...)`."""
    match node:
        case ast.Call(func=ast.Name(id="setattr"), args=[ast.Name(id=name), ast.Constant(value=str(attribute)), *_]):
            if name == receiver and attribute.isidentifier():
                yield attribute
        case _:
            return


def _parameter_names(node: ast.arguments) -> set[str]:
    """The names that a nested function has for itself."""
    variadic = [entry for entry in (node.vararg, node.kwarg) if entry is not None]
    return {entry.arg for entry in (*node.posonlyargs, *node.args, *node.kwonlyargs, *variadic)}


def _is_odd(value: ast.expr) -> bool:
    """A constant that is no literal to libcst's grammar."""
    return isinstance(value, ast.Constant) and value.value is ...


def _probed(node: ast.AST, receiver: str) -> Iterator[str]:
    """`m` of `inspect.signature(self.m)` and of `type(self).m is Base.m`."""
    match node:
        case ast.Call(
            func=ast.Name(id="signature") | ast.Attribute(attr="signature"), args=[ast.Attribute() as own, *_]
        ):
            name = _own(own, receiver)
            if name is not None:
                yield name
        case ast.Compare(left=ast.Attribute() as own, ops=ops, comparators=comparators):
            name = _own(own, receiver)
            for operator, other in zip(ops, comparators, strict=True):
                if name is not None and isinstance(operator, (ast.Is, ast.IsNot)) and isinstance(other, ast.Attribute):
                    yield from (name,) if other.attr == name else ()


def _own(node: ast.Attribute, receiver: str) -> str | None:
    """`m` of `self.m` and `type(self).m`."""
    match node.value:
        case ast.Name(id=name) if name == receiver:
            return node.attr
        case ast.Call(func=ast.Name(id="type"), args=[ast.Name(id=name)], keywords=[]) if name == receiver:
            return node.attr
        case _:
            return None
