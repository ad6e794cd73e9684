"""What a decorator puts in the place of what it decorates, read from the `ast` of its definition. Imports core values and `conventions`.

It is known where a `return` gives a function that the decorator defines. `functools.wraps` changes nothing about what can be called.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence

from sigcheck.core.decorators import names_above
from sigcheck.core.signature import Kind, Parameter, Signature
from sigcheck.core.wrapper import Wrapper, same_wrapper
from sigcheck.readers.conventions import legacy_positional

_Def = ast.FunctionDef | ast.AsyncFunctionDef
_Function = _Def | ast.Lambda

Meaning = Callable[[str], str]
"""The dotted name of what an imported name means; empty for any other."""


def decorators_in(text: str) -> Mapping[int, ast.AST]:
    """The functions of a module that decorate others, by their lines: those whose names stand above one, and those that may do so
    in another module. None where Python does not understand the text.
    """
    names = names_above(text)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[int, ast.AST] = {}
    pending: list[tuple[ast.AST, bool]] = [(tree, True)]
    while pending:
        node, is_of_module = pending.pop()
        if isinstance(node, ast.FunctionDef) and (
            node.name in names or ((is_of_module or node.name == "__call__") and may_give_function(node))
        ):
            found[node.lineno] = node
        is_of_module = is_of_module and not isinstance(node, (_Def, ast.ClassDef))
        pending += [(part, is_of_module) for part in ast.iter_child_nodes(node)]
    return found


def may_give_function(node: ast.FunctionDef) -> bool:
    """Among the statements of a function there is another, and its last may return it."""
    last = node.body[-1]
    return isinstance(last, ast.Return) and any(isinstance(part, _Def) for part in node.body)


def parse_function(text: str) -> ast.AST | None:
    """A function by itself, as it is indented; None where Python does not understand it."""
    is_indented = text[:1].isspace()
    try:
        tree = ast.parse(f"if 1:\n{text}" if is_indented else text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    body = tree.body[0].body if is_indented and isinstance(tree.body[0], ast.If) else tree.body
    return body[0] if body else None


def wrappers_of(node: ast.AST | None, meaning: Meaning, *, has_receiver: bool = False) -> tuple[Wrapper, ...]:
    """What a function puts, as a decorator, in the place of what it decorates: as `@name`, and as `@name(...)`.

    Args:
        node: the function.
        meaning: says what names mean where it stands.
        has_receiver: it is the `__call__` of a class, and an instance decorates.
    """
    if not isinstance(node, ast.FunctionDef):
        return ()
    if [word for word in node.decorator_list if not (isinstance(word, ast.Name) and word.id == "staticmethod")]:
        return ()
    layer = _Layer(node, meaning, has_receiver=has_receiver)
    return tuple(found for found in (layer.wrapper(), layer.made_wrapper()) if found is not None)


class _Layer:
    """A function that may give another: what its own statements define, bind and return."""

    def __init__(self, node: _Def, meaning: Meaning, *, has_receiver: bool = False) -> None:
        self.node = node
        self.has_receiver = has_receiver
        self.meaning = meaning
        self.functions: dict[str, list[_Def]] = {}
        self.bound = {entry.arg for entry in _parameters(node.args)}
        self.returns: list[ast.expr] = []
        self.is_generator = isinstance(node, ast.AsyncFunctionDef)
        pending: list[ast.AST] = [*node.body]
        while pending:
            part = pending.pop()
            if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.functions.setdefault(part.name, []).append(part)
                continue
            if isinstance(part, ast.Lambda):
                continue
            if isinstance(part, ast.Return):
                self.returns.append(part.value or ast.Constant(None))
            elif isinstance(part, (ast.Yield, ast.YieldFrom)):
                self.is_generator = True
            elif isinstance(part, ast.alias):
                self.bound.add(part.asname or part.name.partition(".")[0])
            elif isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
                self.bound.add(part.id)
            elif isinstance(name := getattr(part, "name", None), str):
                self.bound.add(name)  # Of a class, of a handler, or of a pattern.
            if not isinstance(part, ast.ClassDef):
                pending += ast.iter_child_nodes(part)

    def wrapper(self) -> Wrapper | None:
        """What is put in the place of what is decorated; None where that keeps its signature, for all that is known."""
        found = self._given()
        known = [_wrapper(inner, self._decorated) for functions in found for inner in functions or ()]
        own = next((entry for entry in known if entry is not None), None)
        if own is None or (all(found) and all(entry == own for entry in known)):
            return own
        # `deco(function=None)` gives a decorator where it is given none.
        return None if self._may_be_alone() else Wrapper(None)

    def made_wrapper(self) -> Wrapper | None:
        """The same for the decorator that a call gives."""
        found = self._given()
        if not all(found) and not self._may_be_alone():
            return None
        inner = [
            function for functions in found for function in functions or () if not isinstance(function, ast.Lambda)
        ]
        known = [_Layer(function, self.meaning).wrapper() for function in inner]
        made = same_wrapper([() if entry is None else (entry,) for entry in known], is_called=False)
        return Wrapper(made.signature, is_made=True) if made is not None else None

    def _given(self) -> list[Sequence[_Function] | None]:
        """For each `return`, the functions that it may give; None for anything else."""
        return [] if self.is_generator else [self._functions_of(value) for value in self.returns]

    def _functions_of(self, value: ast.expr) -> Sequence[_Function] | None:
        match value:
            case ast.Lambda():
                return (value,)
            case ast.Name(id=name) if name in self.functions and name not in self.bound:
                found = self.functions[name]
                words = [word for function in found for word in function.decorator_list]
                return found if all(map(self._is_wraps, words)) else None
            case ast.Call(func=function, args=[inner]) if self._is_wraps(function):
                return self._functions_of(inner)
            case ast.Call(func=function, args=[inner, *_]) if self._means(function) == "update_wrapper":
                return self._functions_of(inner)
            case ast.Call(func=function, args=[_, inner]) if self._means(function) == "cast":
                return self._functions_of(inner)
            case _:
                return None

    def _is_wraps(self, word: ast.expr) -> bool:
        return isinstance(word, ast.Call) and self._means(word.func) == "wraps"

    def _means(self, word: ast.expr) -> str:
        """The last part of the dotted name of what is imported; empty for anything else, and for what makes another function."""
        match word:
            case ast.Name(id=root):
                dotted = self.meaning(root)
            case ast.Attribute(value=ast.Name(id=root), attr=name):
                dotted = self.meaning(f"{root}.{name}")
            case _:
                return ""
        if root in self.bound or root in self.functions or dotted.partition(".")[0] in _REMAKING:
            return ""
        return dotted.rpartition(".")[2]

    @property
    def _decorated(self) -> str:
        """The name under which the function has what it decorates."""
        slots = [entry.arg for entry in (*self.node.args.posonlyargs, *self.node.args.args)]
        return next(iter(slots[1:] if self.has_receiver else slots), "")

    def _may_be_alone(self) -> bool:
        """It can be called without a function."""
        arguments = self.node.args
        return len(arguments.defaults) == len(arguments.posonlyargs) + len(arguments.args)


_REMAKING = frozenset({"boltons", "makefun"})
"""Packages whose `wraps` makes a function with the signature of what is wrapped. Others have that of `functools`, perhaps by another name."""


def _wrapper(function: _Function, decorated: str) -> Wrapper | None:
    """A function that stands for another; None where it hands everything on, for all that is known."""
    signature = _signature(function.args)
    if signature.var_positional is None:
        return Wrapper(signature)
    if _hands_on_otherwise(function, decorated, signature):
        return Wrapper(None)
    return Wrapper(signature) if len(signature.positional) > 1 or function.args.kwonlyargs else None


def _hands_on_otherwise(function: _Function, decorated: str, signature: Signature) -> bool:
    """It calls the other function with its own `*args`, and with something else than its own parameters before them."""
    args = signature.var_positional.name if signature.var_positional is not None else ""
    slots = {parameter.name for parameter in signature.positional}
    known = {parameter.name for parameter in signature.named}
    calls: list[ast.Call] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == args and not isinstance(node.ctx, ast.Load):
            return False  # What it hands on may be less than it got.
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == decorated:
            calls.append(node)
    for call in calls:
        starred = [entry.value for entry in call.args if isinstance(entry, ast.Starred)]
        if not any(isinstance(entry, ast.Name) and entry.id == args for entry in starred):
            continue
        keywords = {keyword.arg for keyword in call.keywords if keyword.arg is not None}
        if len(call.args) - len(starred) + len(keywords & slots) != len(slots) or not keywords <= known:
            return True
    return False


def _parameters(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (entry for entry in (arguments.vararg, arguments.kwarg) if entry is not None)


def _signature(arguments: ast.arguments) -> Signature:
    """Parameters as written; they have no place, for they stand where nothing is told."""
    only, plain = arguments.posonlyargs, arguments.args
    count = len(only) or legacy_positional([entry.arg for entry in plain])
    slots = [*only, *plain]
    defaults = [*[None] * (len(slots) - len(arguments.defaults)), *arguments.defaults]
    found = [
        _parameter(entry, Kind.POSITIONAL_ONLY if index < count else Kind.POSITIONAL_OR_KEYWORD, default)
        for index, (entry, default) in enumerate(zip(slots, defaults, strict=True))
    ]
    if arguments.vararg is not None:
        found.append(_catch_all(arguments.vararg, Kind.VAR_POSITIONAL))
    found += [
        _parameter(entry, Kind.KEYWORD_ONLY, default)
        for entry, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg is not None:
        found.append(_catch_all(arguments.kwarg, Kind.VAR_KEYWORD))
    return Signature(tuple(found))


def _parameter(entry: ast.arg, kind: Kind, default: ast.expr | None) -> Parameter:
    return Parameter(entry.arg, kind, default is None, default=None if default is None else ast.unparse(default))


def _catch_all(entry: ast.arg, kind: Kind) -> Parameter:
    return Parameter(entry.arg, kind, False, None if entry.annotation is None else ast.unparse(entry.annotation))
