"""What a function reads on its way to any return, as far as its first statements tell: without the graph of its control flow. Knows
no libcst.

Most bodies use what they are given before they branch, or behind a branch that does not return. Of such a parameter `core.usage`
would find that it is read on all paths; of any other, this module knows nothing.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_MAYBE = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.BoolOp, ast.IfExp)


def certain_reads(lines: Sequence[str]) -> frozenset[str]:
    """The names that a function reads, before it binds them, on every path that returns; maybe not all of them.

    Args:
        lines: of the function, its decorators included, as they stand in the file.
    """
    opening = "if 1:\n" if lines[0][:1] in (" ", "\t") else ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            [statement] = ast.parse(opening + "\n".join(lines) + "\n").body
            if isinstance(statement, ast.If):
                [statement] = statement.body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return frozenset()
    return frozenset(_reads(statement.body))


def _reads(statements: Sequence[ast.stmt]) -> Iterator[str]:
    bound: set[str] = set()
    for statement in statements:
        binds = _bound_in(statement)
        if binds is None:
            return
        bound |= binds
        for expression in _first(statement):
            yield from (name for name in _names(expression) if name not in bound)
        if isinstance(statement, (ast.Return, ast.Raise)) or _may_return(statement):
            return


def _bound_in(statement: ast.stmt) -> set[str] | None:
    """The names that a statement, or one in it, may bind or delete; None where nobody knows."""
    found: set[str] = set()
    for node in ast.walk(statement):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.add(name)
            case ast.Global() | ast.Nonlocal():
                return None
            case ast.alias(name=name, asname=other):
                found.add(other or name.partition(".")[0])
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.ExceptHandler(name=name) | ast.MatchAs(name=name) | ast.MatchStar(name=name) if name:
                found.add(name)
            case ast.MatchMapping(rest=name) if name:
                found.add(name)
            case _:
                continue
    return found


def _first(statement: ast.stmt) -> Iterator[ast.expr]:
    """What a statement evaluates before anything else in it can be left out."""
    match statement:
        case ast.Expr(value=value) | ast.Assign(value=value) | ast.AugAssign(value=value):
            yield value
        case ast.AnnAssign(value=value) | ast.Return(value=value) if value is not None:
            yield value
        case ast.For(iter=value) | ast.AsyncFor(iter=value):
            yield value
        case ast.With(items=items) | ast.AsyncWith(items=items):
            yield items[0].context_expr
        case _:
            return


def _names(expression: ast.expr) -> Iterator[str]:
    """The names that an expression reads, whatever its values are."""
    pending: list[ast.AST] = [expression]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name):
            yield node.id
        elif not isinstance(node, _MAYBE) and not (isinstance(node, ast.Compare) and len(node.ops) > 1):
            pending += ast.iter_child_nodes(node)


def _may_return(statement: ast.stmt) -> bool:
    """Control may leave the function within a statement, other than by an exception."""
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Return):
            return True
        if not isinstance(node, (*_SCOPES, ast.expr)):
            pending += ast.iter_child_nodes(node)
    return False
