"""mypy's statements and expressions: what stands in them, how they were written. Imports mypy.

mypy's own visitors cannot be subclassed by interpreted code where mypy is compiled, so children are told by a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mypy import nodes, patterns

from sigcheck.core.dataclass import dataclass, field
from sigcheck.core.identifiers import is_plain
from sigcheck.core.regex import regex

_SPACE = regex(r"\s+")
_COMMENT = regex(r"#[^\n]*\n")

_CHILDREN: dict[type, tuple[str, ...]] = {
    nodes.Block: ("body",),
    nodes.ExpressionStmt: ("expr",),
    nodes.AssignmentStmt: ("lvalues", "rvalue"),
    nodes.OperatorAssignmentStmt: ("lvalue", "rvalue"),
    nodes.WhileStmt: ("expr", "body", "else_body"),
    nodes.ForStmt: ("index", "expr", "body", "else_body"),
    nodes.ReturnStmt: ("expr",),
    nodes.AssertStmt: ("expr", "msg"),
    nodes.DelStmt: ("expr",),
    nodes.IfStmt: ("expr", "body", "else_body"),
    nodes.RaiseStmt: ("expr", "from_expr"),
    nodes.TryStmt: ("body", "types", "vars", "handlers", "else_body", "finally_body"),
    nodes.WithStmt: ("expr", "target", "body"),
    nodes.MatchStmt: ("subject", "patterns", "guards", "bodies"),
    nodes.FuncDef: ("arguments", "body"),
    nodes.LambdaExpr: ("arguments", "body"),
    nodes.Argument: ("initializer",),
    nodes.Decorator: ("original_decorators", "func"),
    nodes.OverloadedFuncDef: ("unanalyzed_items",),
    nodes.ClassDef: ("base_type_exprs", "defs"),
    nodes.CallExpr: ("callee", "args"),
    nodes.MemberExpr: ("expr",),
    nodes.SuperExpr: ("call",),
    nodes.IndexExpr: ("base", "index"),
    nodes.UnaryExpr: ("expr",),
    nodes.OpExpr: ("left", "right"),
    nodes.ComparisonExpr: ("operands",),
    nodes.SliceExpr: ("begin_index", "end_index", "stride"),
    nodes.ListExpr: ("items",),
    nodes.TupleExpr: ("items",),
    nodes.SetExpr: ("items",),
    nodes.DictExpr: ("items",),
    nodes.ConditionalExpr: ("if_expr", "cond", "else_expr"),
    nodes.GeneratorExpr: ("left_expr", "indices", "sequences", "condlists"),
    nodes.ListComprehension: ("generator",),
    nodes.SetComprehension: ("generator",),
    nodes.DictionaryComprehension: ("key", "value", "indices", "sequences", "condlists"),
    nodes.StarExpr: ("expr",),
    nodes.AwaitExpr: ("expr",),
    nodes.YieldExpr: ("expr",),
    nodes.YieldFromExpr: ("expr",),
    nodes.AssignmentExpr: ("target", "value"),
    patterns.AsPattern: ("pattern", "name"),
    patterns.OrPattern: ("patterns",),
    patterns.ValuePattern: ("expr",),
    patterns.SequencePattern: ("patterns",),
    patterns.StarredPattern: ("capture",),
    patterns.MappingPattern: ("keys", "values", "rest"),
    patterns.ClassPattern: ("class_ref", "positionals", "keyword_values"),
}
_NO_CHILDREN: tuple[str, ...] = ()


def child_fields(kind: type) -> tuple[str, ...]:
    """The fields of a node in which other nodes stand, in the order of the source."""
    return _CHILDREN.get(kind, _NO_CHILDREN)


def flattened(value: object) -> Iterator[nodes.Node]:
    """The nodes in a field: one, or those of a list of lists."""
    if isinstance(value, nodes.Node):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from flattened(part)


def children(node: nodes.Node) -> Iterator[nodes.Node]:
    """What stands in a node, in the order of the source."""
    for name in _CHILDREN.get(type(node), _NO_CHILDREN):
        yield from flattened(getattr(node, name))


def is_format(node: nodes.Node) -> bool:
    """It is an f-string, of which mypy makes calls of `str.join` and `str.format`."""
    return (
        isinstance(node, nodes.CallExpr)
        and isinstance(node.callee, nodes.MemberExpr)
        and isinstance(node.callee.expr, nodes.StrExpr)
        and (node.callee.name, node.callee.expr.value[:1]) in (("join", ""), ("format", "{"))
        and (node.line, node.column) == (node.callee.expr.line, node.callee.expr.column)
        # Written out, `"{}".format(...)` has a place of its own for what is called.
        and node.callee.expr.end_line in (None, node.callee.expr.line)
        and (node.callee.expr.end_column or -1) <= node.callee.expr.column + 1
    )


def mentions(node: nodes.Node, name: str) -> bool:
    """The name stands somewhere in an expression."""
    pending = [node]
    while pending:
        inner = pending.pop()
        if isinstance(inner, nodes.NameExpr):
            if inner.name == name:
                return True
        else:
            pending += children(inner)
    return False


def last_name(node: nodes.Node) -> str:
    """`c` of `a.b.c` and of `c`; empty for another expression."""
    return node.name if isinstance(node, (nodes.NameExpr, nodes.MemberExpr)) else ""


def elif_of(node: nodes.IfStmt) -> nodes.IfStmt | None:
    """The `elif` behind an `if`: mypy has it as an `if` that is alone in the `else`, and begins in the same column."""
    only = node.else_body.body[0] if node.else_body is not None and len(node.else_body.body) == 1 else None
    return only if isinstance(only, nodes.IfStmt) and only.column == node.column else None


_FARTHEST = 200
"""Lines between a header and its first statement: comments, mostly."""


@dataclass(slots=True)
class SourceText:
    """The text of expressions: of names it is made from the nodes, of others cut out of the file.

    Attributes:
        lines: of the file; none where it cannot be read any more.
    """

    lines: list[str]
    _part: tuple[tuple[int, int], str] = field(default=((0, 0), ""), init=False)

    def of(self, node: nodes.Node) -> str:
        """An expression as it was written, on one line; `...` where that cannot be told."""
        plain = _plain(node)
        return plain if plain is not None else self._cut(node)

    def line(self, number: int) -> str:
        """One line of the file, 1-based; empty where there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def matching(self, function: nodes.Node, *wanted: re.Pattern[str]) -> list[int]:
        """The lines of a function, sorted, on which one of the patterns matches; every line where that is not certain."""
        first, last = function.line, function.end_line
        if last is None or last > len(self.lines):
            return list(range(first, (last or first) + 1))
        if self._part[0] != (first, last):
            self._part = ((first, last), "\n".join(self.lines[first - 1 : last]))
        text = self._part[1]
        if not is_plain(text):
            return list(range(first, last + 1))
        found: list[int] = []
        for pattern in wanted:
            line, behind = first, 0
            for match in pattern.finditer(text):
                line += text.count("\n", behind, match.start())
                behind = match.start()
                found.append(line)
        return found if len(wanted) == 1 else sorted(found)

    def header(self, block: nodes.Block, word: str, column: int | None) -> int:
        """The line of the `else`, `except` or `case` above a block: mypy's blocks begin with their first statement."""
        first = block.body[0].line if block.body else block.line
        for number in range(first, max(first - _FARTHEST, 0), -1):
            line = self.line(number)
            if line.lstrip().startswith(word) and column in (None, len(line) - len(line.lstrip())):
                return number
        return first

    def _cut(self, node: nodes.Node) -> str:
        first, last = node.line, node.end_line
        if last is None or node.end_column is None or first < 1 or last < first:
            return "..."
        lines = [line.encode("utf-8", "surrogatepass") for line in self.lines[first - 1 : last]]
        if len(lines) != last - first + 1:
            return "..."
        lines[-1] = lines[-1][: node.end_column]
        lines[0] = lines[0][node.column :]
        text = b"\n".join(lines).decode("utf-8", "replace")
        return _SPACE.sub(" ", _COMMENT.sub(" ", text)).strip() or "..."


def _plain(node: nodes.Node) -> str | None:
    """The text of a name, of an attribute of one, of a plain number."""
    match node:
        case nodes.NameExpr():
            return node.name
        case nodes.MemberExpr():
            owner = _plain(node.expr)
            return None if owner is None else f"{owner}.{node.name}"
        case nodes.EllipsisExpr():
            return "..."
        case _:
            return None
