"""Which parts of a file the reader need not see. Uses `ast`, which is ten times as fast as libcst.

Function bodies are most of a file, and of most of them the reader looks only at calls to siblings and at what is returned.
The rest is blanked, and every line and column that is left stays where it was: a body becomes one bracket over the calls,

    def apply(self, x):              def apply(self, x):
        if x.ndim > 2:                   return _(
            x = self.fold(x)                 self.fold(x),
        return self.apply_tp(x)                 self.apply_tp(x))

for within brackets Python does not mind indentation. What this file decides is only what libcst gets to see: a test reads
real packages with and without it and compares.
"""

from __future__ import annotations

import ast
import sys
import warnings

from sigcheck.core.module import Problem
from sigcheck.core.place import Place

_BLOCK_PARTS = (ast.stmt, ast.ExceptHandler, ast.match_case)
_Function = ast.FunctionDef | ast.AsyncFunctionDef
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
        if isinstance(node, _Function) and _blank_body(node, lines, scope):
            continue
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Expr)) and not isinstance(scope, _Function):
            targets = node.targets if isinstance(node, ast.Assign) else ()
            if not any(isinstance(target, (ast.Tuple, ast.List)) for target in targets):
                _blank_literal(node.value, lines)
        inner = node if isinstance(node, (ast.ClassDef, _Function)) else scope
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


def _blank_literal(node: ast.expr | None, lines: list[str]) -> None:
    """A literal over several lines, or a very long one, becomes an empty string: tables of data are no names."""
    if not isinstance(node, _LITERALS) or node.end_lineno is None or node.end_col_offset is None:
        return
    if node.end_lineno == node.lineno and node.end_col_offset - node.col_offset < _LONG_LITERAL:
        return
    first, last = node.lineno - 1, node.end_lineno - 1
    head = lines[first][: _column(lines[first], node.col_offset)]
    if head.endswith("("):
        return  # `(""` over several lines: the bracket closes further down.
    tail = lines[last][_column(lines[last], node.end_col_offset or 0) :]
    if tail.strip() and not tail.strip().startswith("#"):
        return
    lines[first] = f'{head}""'
    for index in range(first + 1, last + 1):
        lines[index] = ""


def _blank_body(node: _Function, lines: list[str], scope: ast.AST) -> bool:
    """Blank one body. False where it must be read as it is."""
    if isinstance(scope, _Function):
        return False  # A part of a body that is kept: it may call the siblings of the outer one's receiver.
    statement = node.body[0]
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", ()))]) - 1
    last = (node.end_lineno or node.lineno) - 1
    indent = len(lines[first]) - len(lines[first].lstrip())
    if lines[first][:indent].strip() or _column(lines[first], statement.col_offset) != indent:
        return False
    if first == node.lineno - 1 or last == first:
        return False
    facts = _Facts(node, in_class=isinstance(scope, ast.ClassDef))
    if facts.has_class or facts.is_stub:
        return False
    spans = [_span(call, lines) for call in facts.calls]
    opening = facts.opening()
    if spans and (spans[0][0], spans[0][1]) < (first, indent + len(opening)):
        return False
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
        kept[end_line] += facts.closing() if number == len(spans) - 1 else ","
    for index, line_text in kept.items():
        lines[index] = line_text
    return True


def _span(node: ast.Call, lines: list[str]) -> tuple[int, int, int, int]:
    line, end_line = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    return line, _column(lines[line], node.col_offset), end_line, _column(lines[end_line], node.end_col_offset or 0)


def _column(line: str, offset: int) -> int:
    """From `ast`'s UTF-8 offset to a place in the text."""
    return offset if line.isascii() else len(line.encode()[:offset].decode(errors="replace"))


_PLAIN_RETURNS = (
    ast.Constant,
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


class _Facts:
    """What `bodies.read_body` would find, so that the blanked body tells it the same."""

    def __init__(self, node: _Function, *, in_class: bool) -> None:
        self.calls: list[ast.Call] = []
        self.has_class = False
        self.yields = False
        self.returned: list[ast.expr] = []
        arguments = [*node.args.posonlyargs, *node.args.args]
        self.receiver = arguments[0].arg if in_class and arguments else None
        self.is_stub = all(
            isinstance(statement, (ast.Raise, ast.Pass))
            or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
            for statement in node.body
        )
        for statement in node.body:
            self._visit(statement, own=True)
        self.calls.sort(key=lambda call: (call.lineno, call.col_offset))

    def _visit(self, root: ast.AST, *, own: bool) -> None:
        pending: list[tuple[ast.AST, bool]] = [(root, own)]
        while pending:
            node, is_own = pending.pop()
            kind = type(node)
            if kind is ast.ClassDef:
                self.has_class = True
                return
            if kind is ast.JoinedStr:
                continue
            if kind is ast.Call and self._is_sibling_call(node):
                self.calls.append(node)  # type: ignore[arg-type]
                self._look_for_yields(node, own=is_own)
                continue
            if kind is ast.Yield and is_own:
                self.yields = True
            elif kind is ast.Return and is_own and node.value is not None:  # type: ignore[attr-defined]
                self.returned.append(node.value)  # type: ignore[attr-defined]
            is_own = is_own and kind not in (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
            pending += [(child, is_own) for child in ast.iter_child_nodes(node)]

    def _look_for_yields(self, call: ast.AST, *, own: bool) -> None:
        self.yields = self.yields or (own and any(isinstance(inner, ast.Yield) for inner in ast.walk(call)))

    def _is_sibling_call(self, node: ast.AST) -> bool:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name))):
                return self.receiver is not None and name == self.receiver
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")))):
                return self.receiver is not None
            case _:
                return False

    def _returns_unknown(self) -> bool:
        return any(not isinstance(value, _PLAIN_RETURNS) or _is_odd(value) for value in self.returned)

    def opening(self) -> str:
        if self.yields:
            return "yield ["
        if self._returns_unknown():
            return "return _("
        return "return [" if self.returned else "_("

    def closing(self) -> str:
        return ")" if self.opening().endswith("(") else "]"

    def whole(self) -> str:
        if self.yields:
            return "yield"
        if self._returns_unknown():
            return "return _"
        return "return 0" if self.returned else "return"


def _is_odd(value: ast.expr) -> bool:
    """A constant that is no literal to libcst's grammar."""
    return isinstance(value, ast.Constant) and value.value is ...
