"""What a class does whose bodies mypy drops, out of its module's text alone: a cold run, a warm one and `dmypy` see the same. Knows no
mypy.

Whatever is not certain is told as odd.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from sigcheck.core.identifiers import is_plain
from sigcheck.mypy_plugin.excerpts import excerpt, statements_of
from sigcheck.mypy_plugin.makers import ACCESSORS, MAKERS, is_strange
from sigcheck.mypy_plugin.written_calls import is_obscure

_ANY_CALL = re.compile(r"\.\s*(\w+)\s*\(")
_CALL_ABOVE = re.compile(r"super\s*\([^()]*\)\s*\.\s*\w+\s*\(")


class Skimmed(NamedTuple):
    """What the text tells of a class.

    Attributes:
        is_odd: mypy's symbols may not tell which class it is, or what it binds.
        bases: the names of the classes that it inherits, as they are named where they are defined.
        names: the names that it binds of which mypy's symbols may not tell the whole.
        calls: the names that it may call on its receiver.
        above: the names that it may call on `super()`.
    """

    is_odd: bool
    bases: frozenset[str]
    names: frozenset[str]
    calls: frozenset[str]
    above: frozenset[str]


def skim(text: str, first: int, last: int) -> Skimmed:
    """Look at a class of a module.

    Args:
        text: the module's.
        first: the line of the class statement.
        last: the line on which it ends.
    """
    own = "\n".join(text.split("\n")[first - 1 : last])
    # Everything that may be a call on the receiver is one, but what is one on `super()` for certain.
    calls = frozenset(_ANY_CALL.findall(_CALL_ABOVE.sub("", own)))
    above = frozenset(_ANY_CALL.findall(own)) if "super" in own else frozenset[str]()
    odd = Skimmed(True, frozenset(), frozenset(), calls, above)
    module, statements = _read(text, first)
    if module is None or not is_plain(text):
        return odd
    around = [module]
    while True:
        found = [entry for entry in statements if isinstance(entry, ast.ClassDef) and _stands_in(first, entry)]
        if not found or not around[-1].is_certain(found[0].name):
            return odd
        if found[0].lineno == first:
            break
        statements = found[0].body
        around.append(_Scope(statements))
    bases = [_base(entry, around) for entry in found[0].bases]
    body = _Body(found[0].body, around[0])
    return Skimmed(
        body.is_odd or None in bases or is_obscure(own, body.receivers),
        frozenset(base for base in bases if base),
        frozenset(body.names),
        calls,
        above,
    )


def _read(text: str, line: int) -> tuple[_Scope | None, Sequence[ast.stmt]]:
    """What a module binds, None where Python does not understand it; and its statements, or the class alone that stands on a line."""
    module, statements = _outline(text), _parse(_class_on(text, line)) or ()
    if module is None or len(statements) != 1:
        statements = _parse(text) or ()
        module = _Scope(statements) if statements else None
    return module, statements


@lru_cache(maxsize=4)
def _outline(text: str) -> _Scope | None:
    """What a module binds; None where it is not certain."""
    statements = _parse("".join(excerpt(text, "")))
    return _Scope(statements) if statements is not None else None


def _class_on(text: str, line: int) -> str:
    """The class statement of a module in which a line stands, on its lines; empty where it is not certain."""
    end = 1
    for keyword, _, statement in statements_of(text):
        begin, end = end, end + statement.count("\n")
        if line <= end:
            return "\n" * (begin - 1) + statement if keyword == "class" and line > begin else ""
    return ""


@lru_cache(maxsize=4)
def _parse(text: str) -> Sequence[ast.stmt] | None:
    """The statements of a module; None where Python does not understand it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _stands_in(line: int, statement: ast.stmt) -> bool:
    return statement.lineno <= line <= (statement.end_lineno or 0)


def _base(base: ast.expr, around: Sequence[_Scope]) -> str | None:
    """The name of a class that is inherited; None where the text does not tell."""
    while isinstance(base, ast.Subscript):
        base = base.value
    root = base
    while isinstance(root, ast.Attribute):
        root = root.value
    module, *outer = around
    if not isinstance(root, ast.Name) or not module.is_certain(root.id):
        return None
    if any(scope.binds(root.id) for scope in outer):
        return None
    return base.attr if isinstance(base, ast.Attribute) else module.renamed.get(root.id, root.id)


class _Scope:
    """What the statements of a module, or of a class, bind."""

    def __init__(self, statements: Sequence[ast.stmt]) -> None:
        self.times: Counter[str] = Counter()
        self.values: set[str] = set()
        self.renamed: dict[str, str] = {}
        self.functions: set[str] = set()
        self.has_star = False
        self._uncertain: set[str] = set()
        modules: set[str] = set()
        for statement in statements:
            if isinstance(statement, _DEFINITIONS):
                self.times[statement.name] += 1
                if not isinstance(statement, ast.ClassDef):
                    self.functions.add(statement.name)
            elif isinstance(statement, ast.ImportFrom):
                self.times.update(entry.asname or entry.name for entry in statement.names)
                self.renamed.update((entry.asname or entry.name, entry.name) for entry in statement.names)
            elif isinstance(statement, ast.Import):
                self.times.update(entry.asname for entry in statement.names if entry.asname)
                # `import a.b` and `import a.c` bind one name to one module.
                modules.update(entry.name.partition(".")[0] for entry in statement.names if not entry.asname)
            elif isinstance(statement, (ast.Assign, ast.AnnAssign)) and not isinstance(statement.value, _REFERRING):
                for target in _targets(statement):
                    (self.values if isinstance(target, ast.Name) else self._uncertain).update(_bound(target))
            elif not isinstance(statement, _HARMLESS):
                self._uncertain.update(_bound(statement))
        self.times.update(modules)
        self.has_star = "*" in self.times or "*" in self._uncertain

    def binds(self, name: str) -> bool:
        """Some statement binds the name."""
        return name in self.times or name in self.values or name in self._uncertain

    def is_certain(self, name: str) -> bool:
        """The name means one thing in the module, whatever is true."""
        return self.times[name] + (name in self.values) < 2 and name not in self._uncertain


class _Body:
    """What the statements of a class say of its members."""

    def __init__(self, statements: Sequence[ast.stmt], module: _Scope) -> None:
        self.is_odd = False
        self.names: set[str] = set()
        self._module = module
        self._assigned: dict[str, bool] = {}
        self._functions: set[str] = set()
        self.receivers: set[str] = set()
        opening: list[ast.expr] = []
        before = ""
        for statement in statements:
            name = ""
            if isinstance(statement, _FUNCTIONS):
                name, decorators = statement.name, statement.decorator_list
                if name == before:
                    self._read_accessor(name, opening, decorators)
                else:
                    self.is_odd = self.is_odd or name in self._functions
                    opening = decorators
                    if not all(self._is_plain(decorator, name) for decorator in decorators):
                        self.names.add(name)
                self._functions.add(name)
                arguments = [*statement.args.posonlyargs, *statement.args.args]
                self.receivers.update(argument.arg for argument in arguments[:1])
            elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
                self._read_assignment(statement)
            elif not isinstance(statement, (ast.Expr, ast.Pass, ast.ClassDef)):
                self.is_odd = True
            before = name
        bound = self._functions | self._assigned.keys()
        if not (self._functions.isdisjoint(self._assigned) and _BUILTIN.isdisjoint(bound)):
            self.is_odd = True

    def _read_accessor(self, name: str, opening: Sequence[ast.expr], decorators: Sequence[ast.expr]) -> None:
        """A function right behind another of its name."""
        words = list(map(_last_name, opening))
        if "property" not in words or not decorators:
            self.is_odd = True
        if len(words) != 1 or len(decorators) != 1 or _last_name(decorators[0]) not in ACCESSORS:
            self.names.add(name)

    def _is_plain(self, decorator: ast.expr, name: str) -> bool:
        """Mypy's symbols tell the whole."""
        while isinstance(decorator, ast.Call):
            decorator = decorator.func
        if not isinstance(decorator, (ast.Name, ast.Attribute)) or _root(decorator) == name:
            return False
        word = _last_name(decorator)
        if isinstance(decorator, ast.Name):
            if word in _BUILTIN:
                return not self._module.binds(word) and not self._module.has_star
            if word in self._module.functions or word in self._functions:
                return False  # It may put a function with other parameters there.
            word = self._module.renamed.get(word, word)
        return not (word in _ABSTRACT or is_strange(word))

    def _read_assignment(self, statement: ast.Assign | ast.AnnAssign) -> None:
        value = statement.value
        if value is None:
            return
        names = list(_bound(statement))
        is_value = not isinstance(value, _MEMBERS) or self._is_value(value)
        if not is_value:
            self.names.update(names)
        is_none = isinstance(value, ast.Constant) and value.value is None
        self._assigned.update(dict.fromkeys(names, is_value and not is_none))

    def _is_value(self, value: ast.expr) -> bool:
        """What is assigned is no method."""
        if isinstance(value, ast.Call):
            return _last_name(value.func) not in MAKERS
        if not isinstance(value, ast.Name):
            return False
        if value.id in self._assigned:
            return self._assigned[value.id]
        name, module = value.id, self._module
        return name not in self._functions and name in module.values and module.is_certain(name)


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)
_REFERRING = (ast.Name, ast.Attribute, ast.Subscript, ast.IfExp, ast.BinOp, ast.BoolOp)
_HARMLESS = (ast.Expr, ast.Pass, ast.Assert, ast.Raise, ast.Global)
_MEMBERS = (ast.Name, ast.Attribute, ast.Lambda, ast.Call)
_BUILTIN = frozenset({"staticmethod", "classmethod", "property"})
_ABSTRACT = frozenset({"abstractstaticmethod", "abstractclassmethod"})


def _targets(statement: ast.Assign | ast.AnnAssign) -> Sequence[ast.expr]:
    return statement.targets if isinstance(statement, ast.Assign) else [statement.target]


def _bound(part: ast.AST) -> Iterator[str]:
    """The names that something binds or changes, but inside of functions and classes."""
    pending = [part]
    while pending:
        node = pending.pop()
        if isinstance(node, _DEFINITIONS):
            yield node.name
            continue
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
        elif isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            yield _root(node)
        else:
            name = getattr(node, "name", None) or getattr(node, "rest", None)  # Of a handler, or of a pattern.
            if isinstance(name, str):
                yield name
        pending += ast.iter_child_nodes(node)


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _last_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
