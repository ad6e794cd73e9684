"""A module whose classes are looked over, and what its names can be bound to. Imports mypy, `binding`, `texts` and `core`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from mypy import nodes

from sigcheck.core.identifiers import is_plain
from sigcheck.core.regex import regex
from sigcheck.mypy_plugin.binding import Arity, arity_of, callable_of
from sigcheck.mypy_plugin.texts import Lines

_CLASS = regex(r"^\s*class\b", re.MULTILINE)
_IN_FUNCTION = regex(r"^[ \t]+(?:from[^\n]*import\b[^\n(]*(?:\([^)]*)?|import\b[^\n]*|class[ \t]+\w+)", re.MULTILINE)
_WORD = regex(r"\w+")
_INNER = regex(r"\n[ \t]+(?:async[ \t]+)?def\b|\blambda\b")
"""A function in another."""


class Survey:
    """A module, and what its names can be bound to.

    Attributes:
        lines: of the text.
        is_odd: a name may not be written as Python compares it, or there may be a class statement that mypy has shown to nobody and
            that stands in no function; certain when all others were looked over.
    """

    def __init__(self, tree: nodes.MypyFile, text: str, definitions: Sequence[nodes.ClassDef]) -> None:
        self.name = tree.fullname
        self.text = text
        self.lines = Lines(text)
        self.named: dict[str, nodes.TypeInfo] = {}
        self.symbols = tree.names
        self.bound: dict[str, int] = {}
        self.values: set[str] = set()
        self.uncertain: set[str] = set()
        self.accepted: set[tuple[object, ...]] = set()
        self.is_odd = not is_plain(text)
        self._met = {id(entry) for entry in definitions}
        self._arities: dict[nodes.FuncDef, Arity] = {}
        self._decorators: dict[nodes.FuncDef, tuple[str, bool]] = {}
        self._in_functions: set[str] | None = None
        self._read_statements(tree.defs)

    def text_of(self, statement: nodes.Statement) -> str:
        """The text of a statement; its decorators are none of it."""
        return self.lines.between(statement.line, statement.end_line or statement.line)

    def look_for_classes(self, statement: nodes.Statement) -> None:
        """Find whether a statement is, or has in it, a class that mypy may have shown to nobody: what it calls unreachable, it passes over."""
        if not self.is_odd:
            is_class = type(statement) is nodes.ClassDef
            hides = id(statement) not in self._met if is_class else _CLASS.search(self.text_of(statement)) is not None
            self.is_odd = hides

    def body_of(self, method: nodes.FuncDef) -> str:
        """The text of a method behind its documentation; with its header, where the body begins on the same line."""
        return self.lines.between(body_line(method), method.end_line or method.line)

    def arity(self, function: nodes.FuncDef) -> Arity:
        """How a function can be called."""
        known = self._arities.get(function)
        if known is None:
            known = self._arities[function] = arity_of(callable_of(function))
        return known

    def as_decorator(self, function: nodes.FuncDef) -> tuple[str, bool]:
        """The text of a function on which hangs what it does as a decorator, and whether what it decorates may get other parameters."""
        known = self._decorators.get(function)
        if known is None:
            text = self.text_of(function)
            may_replace = False
            if _INNER.search(text):
                # Few modules have such a function.
                from sigcheck.readers.decorating import parse_function, wrappers_of  # noqa: PLC0415

                is_certain = bool(function.info) or self.is_certain(function.name)
                may_replace = not is_certain or bool(wrappers_of(parse_function(text), lambda name: name))
            else:
                text = ""
            known = self._decorators[function] = (text, may_replace)
        return known

    def is_local_name(self, name: str) -> bool:
        """A statement that is no module's own imports or defines a class of that name."""
        if self._in_functions is None:
            self._in_functions = set(_WORD.findall("\n".join(_IN_FUNCTION.findall(self.text))))
        return name in self._in_functions

    @cached_property
    def _has_walrus(self) -> bool:
        return ":=" in self.text

    def _read_statements(self, statements: Sequence[nodes.Statement]) -> None:
        bound = self.bound
        for statement in statements:
            kind = type(statement)
            if kind in FUNCTIONS or kind is nodes.ClassDef:
                name = statement.name  # type: ignore[attr-defined]
                bound[name] = bound.get(name, 0) + 1
            elif kind is nodes.ImportFrom:
                for name, renamed in statement.names:  # type: ignore[attr-defined]
                    bound[renamed or name] = bound.get(renamed or name, 0) + 1
            elif kind is nodes.Import:
                for name, renamed in statement.ids:  # type: ignore[attr-defined]
                    # `import a.b` and `import a.c` bind one name to one module.
                    bound[renamed or name.partition(".")[0]] = 1 + (bound.get(renamed, 0) if renamed else 0)
            elif kind is nodes.AssignmentStmt:
                value = statement.rvalue  # type: ignore[attr-defined]
                for target in statement.lvalues:  # type: ignore[attr-defined]
                    if isinstance(target, nodes.NameExpr) and not isinstance(value, _REFERRING):
                        self.values.add(target.name)
                    else:
                        self.uncertain.update(names_in(target))
            elif kind not in _HARMLESS:
                self._read_compound(statement)

    def _read_compound(self, compound: nodes.Statement) -> None:
        """What a statement binds that stands around others, or of which nobody knows."""
        has_walrus = self._has_walrus and ":=" in self.text_of(compound)
        pending: list[object] = [compound]
        while pending:
            part = pending.pop()
            kind = type(part)
            if kind in FUNCTIONS or kind is nodes.ClassDef:
                self.uncertain.add(part.name)  # type: ignore[attr-defined]
                if kind is nodes.ClassDef:
                    self.look_for_classes(part)  # type: ignore[arg-type]
            elif kind is nodes.ImportFrom:
                self.uncertain.update(renamed or name for name, renamed in part.names)  # type: ignore[attr-defined]
            elif kind is nodes.Import:
                self.uncertain.update(renamed or name.partition(".")[0] for name, renamed in part.ids)  # type: ignore[attr-defined]
            elif kind is nodes.AssignmentStmt:
                for target in part.lvalues:  # type: ignore[attr-defined]
                    self.uncertain.update(names_in(target))
            elif kind is nodes.Block:
                pending += part.body  # type: ignore[attr-defined]
            elif kind is list:
                pending += part  # type: ignore[arg-type]
            elif kind in _AROUND and not has_walrus:
                pending += [getattr(part, name) for name in _AROUND[kind]]
            elif isinstance(part, nodes.Expression):
                self.uncertain.update(names_in(part))
            elif isinstance(part, nodes.Statement) and kind not in _HARMLESS:
                self.look_for_classes(part)
                self.uncertain.update(_WORD.findall(self.text_of(part)))

    def is_certain(self, name: str) -> bool:
        """The name means one thing in the module, whatever is true."""
        times = self.bound.get(name, 0) + (name in self.values)
        return times < 2 and name not in self.uncertain

    def is_value(self, expression: nodes.Expression) -> bool:
        """A name, or an attribute, that is certain to mean no function."""
        if not isinstance(expression, nodes.RefExpr):
            return False
        root: nodes.Expression = expression
        while isinstance(root, nodes.MemberExpr):
            root = root.expr
        if not isinstance(root, nodes.NameExpr) or not self.is_certain(root.name):
            return False
        is_missing = isinstance(root.node, nodes.Var) and root.node.is_suppressed_import
        return is_missing or isinstance(expression.node, (nodes.Var, nodes.TypeInfo))


def body_line(method: nodes.FuncDef) -> int:
    """The line on which a method begins behind its documentation; that of its header, where its body begins there."""
    body = method.body.body
    if not body or (first := _first_line(body[0])) <= method.line:
        return method.line
    if type(body[0]) is nodes.ExpressionStmt and type(body[0].expr) is nodes.StrExpr:
        return _first_line(body[1]) if len(body) > 1 else (method.end_line or method.line) + 1
    return first


def _first_line(statement: nodes.Statement) -> int:
    """Where a statement begins, with its decorators."""
    if isinstance(statement, nodes.Decorator):
        return min([statement.line, *(word.line for word in statement.original_decorators)])
    return statement.line


_AROUND: dict[type, tuple[str, ...]] = {
    nodes.IfStmt: ("body", "else_body"),
    nodes.TryStmt: ("body", "vars", "handlers", "else_body", "finally_body"),
    nodes.WithStmt: ("target", "body"),
    nodes.ForStmt: ("index", "body", "else_body"),
    nodes.WhileStmt: ("body", "else_body"),
}
"""What in a statement can bind names."""

_REFERRING = (nodes.NameExpr, nodes.MemberExpr, nodes.IndexExpr, nodes.ConditionalExpr, nodes.OpExpr)
FUNCTIONS = frozenset({nodes.FuncDef, nodes.Decorator, nodes.OverloadedFuncDef})
_HARMLESS = frozenset(
    {nodes.ExpressionStmt, nodes.PassStmt, nodes.ImportAll, nodes.AssertStmt, nodes.RaiseStmt, nodes.GlobalDecl}
)


def names_in(target: nodes.Expression) -> Iterator[str]:
    """The names at the root of what is assigned to."""
    if isinstance(target, (nodes.TupleExpr, nodes.ListExpr)):
        for item in target.items:
            yield from names_in(item)
    while isinstance(target, (nodes.MemberExpr, nodes.IndexExpr, nodes.StarExpr)):
        target = target.base if isinstance(target, nodes.IndexExpr) else target.expr
    if isinstance(target, nodes.NameExpr):
        yield target.name
