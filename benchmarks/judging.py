"""What the interpreter says of a finding. Shares no code with sigcheck's own judgement: headers and bodies are read with `ast`.

From two `def` headers the interpreter makes two methods (no body, no annotations, every default None) and binds the call with
`inspect`; of a body, only whether a name is in it at all is asked. The verdicts:

*true*: what the finding says is so. *Doubtful*: the call fails, but for another parameter than the one the finding names.
*False*: it is not so. *By hand*: there is no call to bind, no `def` at the place, or the question is one for a reader.
"""

from __future__ import annotations

import ast
import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_CATCH_ALLS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_MANY_BY_POSITION = 3
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """A file of the corpus, a line and a column of it."""

    path: str
    line: int
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Finding(ABC):
    """What one diagnostic says, as plain values.

    Attributes:
        corpus, rule, message: of the diagnostic.
        place: what the report points at.
        witness: the call that the report shows, or nothing.
        owner: the class that it is about.
        named: the parameters it speaks of.
    """

    corpus: str
    rule: str
    place: Place
    message: str
    witness: str
    owner: str
    named: frozenset[str]

    @property
    @abstractmethod
    def key(self) -> str:
        """What it is about: the same after lines have moved, or a sentence or a rule was mended."""

    @abstractmethod
    def verdict(self, directory: Path) -> str:
        """True, doubtful, false or by hand, and why."""


@dataclass(frozen=True)
class OverrideFinding(Finding):
    """An override that breaks the promise of a base.

    Attributes:
        override, base: the two definitions.
        name, base_name: what they are called.
        positional, keywords: the witness call; no positional count where there is none.
    """

    override: Place
    base: Place
    name: str
    base_name: str
    positional: int | None
    keywords: tuple[str, ...]

    @property
    def key(self) -> str:
        """See `Finding`."""
        return f"{self.corpus}|{self.owner}|{self.name}|{self.override.path}|{self.base.path}|{sorted(self.named)}"

    def verdict(self, directory: Path) -> str:
        """The base accepts the witness; the override raises `TypeError`, or binds an argument to another name."""
        override = _definition(directory / self.override.path, self.override.line, self.name)
        base = _definition(directory / self.base.path, self.base.line, self.base_name)
        if override is None or base is None:
            return "by hand: no `def` there"
        if self.positional is None:
            return f"by hand: `{_header(override)}` over `{_header(base)}`"
        return self._judged(_signature(override), _signature(base))

    def _judged(self, override: inspect.Signature, base: inspect.Signature) -> str:
        positional = list(range(self.positional or 0))
        keywords = {name: name for name in self.keywords}
        try:
            promised = base.bind(*positional, **keywords)
        except TypeError as error:
            return f"false: the base refuses it ({error})"
        try:
            received = override.bind(*positional, **keywords)
        except TypeError as error:
            return f"{'true' if self._is_told(override, base) else 'doubtful'}: {error}"
        elsewhere = _misbindings(received, promised)
        if not elsewhere:
            return "false: both bind it alike"
        told = next((pair for pair in elsewhere if self.named >= {*pair}), None)
        name, other = told or elsewhere[0]
        return f"{'true' if told else 'doubtful'}: {name} lands in {other}"

    def _is_told(self, override: inspect.Signature, base: inspect.Signature) -> bool:
        """It speaks of what makes the call fail. Of several causes the interpreter tells the first, so all are asked."""
        positional = list(range(self.positional or 0))
        keywords = {name: name for name in self.keywords}
        parameters = override.parameters.values()
        slots = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
        if len(positional) > len(slots) and not any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters):
            return True
        try:
            received = override.bind_partial(*positional, **keywords)
        except TypeError as error:
            quoted = str(error).rpartition(" '")[2].rstrip("'")
            return quoted in self.named or quoted not in {*base.parameters, *override.parameters}
        required = {p.name for p in parameters if p.default is p.empty and p.kind not in _CATCH_ALLS}
        missing = required - set(received.arguments)
        misbound = _misbindings(received, base.bind(*positional, **keywords))
        return bool(missing & self.named) or any(self.named >= {*pair} for pair in misbound)


@dataclass(frozen=True)
class CallFinding(Finding):
    """A call that does something else, or fails, in one class.

    Attributes:
        call: where it begins.
        method: that name.
        callee: what runs.
        seen: what runs where the call stands, or None.
        argument: source text of the argument it speaks of, or None.
        parameter: what the argument is, by the author's callee or by its own name; empty for other rules.
        lands_in: where it lands instead.
        is_by_name: that the argument bears the name of `parameter` is all the evidence.
    """

    call: Place
    method: str
    callee: Place
    seen: Place | None
    argument: str | None = None
    parameter: str = ""
    lands_in: str = ""
    is_by_name: bool = False

    @property
    def key(self) -> str:
        """See `Finding`."""
        return (
            f"{self.corpus}|{self.rule}|{self.owner}|{self.method}|{self.call.path}|{self.callee.path}|{self.argument}"
        )

    def verdict(self, directory: Path) -> str:
        """The call as it is written, bound by the callee's header, and by the header of what its author saw."""
        found = _call(directory / self.call.path, self.call, self.method)
        callee = _definition(directory / self.callee.path, self.callee.line, self.method)
        if found is None or callee is None:
            return "by hand: no call or no `def` there"
        call, is_on_class = found
        signature = _signature(callee, is_on_class=is_on_class)
        if self.rule == "rejected-argument":
            return _refused(signature, call)
        if self.rule == "positional-forwarding":
            optional = [
                name
                for name in _landed(signature, call)
                if signature.parameters[name].default is None and signature.parameters[name].kind is _POSITIONAL[1]
            ]
            return f"{'true' if len(optional) >= _MANY_BY_POSITION else 'false'}: {', '.join(optional)} by position"
        return self._misbound(call, signature, is_on_class=is_on_class, directory=directory)

    def _misbound(self, call: ast.Call, signature: inspect.Signature, *, is_on_class: bool, directory: Path) -> str:
        position = next((i for i, arg in enumerate(call.args) if _is_same_text(arg, self.argument)), None)
        if position is None:
            return "by hand: no such argument"
        landed = _landed(signature, call)
        if position >= len(landed) or landed[position] != self.lands_in:
            return f"false: it does not land in {self.lands_in}"
        if self.is_by_name:
            known = self.parameter in signature.parameters
            return (
                f"{'true' if known else 'false'}: {self.argument} lands in {self.lands_in}, and is the name of another"
            )
        seen = self.seen and _definition(directory / self.seen.path, self.seen.line, self.method)
        if not seen:
            return "by hand: no `def` of what its author saw"
        promised = _landed(_signature(seen, is_on_class=is_on_class), call)
        agrees = position < len(promised) and promised[position] == self.parameter != self.lands_in
        return f"{'true' if agrees else 'false'}: {self.lands_in} here, {self.parameter} where the call stands"


@dataclass(frozen=True)
class BodyFinding(Finding):
    """An override that does not do what it should with what it takes.

    Attributes:
        override, base: the two definitions.
        name, base_name: what they are called.
        unread: the parameters, or the catch-alls, that the body is said not to mention; empty where that is not the claim.
    """

    override: Place
    base: Place
    name: str
    base_name: str
    unread: frozenset[str]

    @property
    def key(self) -> str:
        """See `Finding`."""
        return f"{self.corpus}|{self.rule}|{self.owner}|{self.name}|{self.override.path}|{sorted(self.named)}"

    def verdict(self, directory: Path) -> str:
        """Whether the body mentions them; on which paths it does is for a reader."""
        override = _definition(directory / self.override.path, self.override.line, self.name)
        base = _definition(directory / self.base.path, self.base.line, self.base_name)
        if override is None or base is None:
            return "by hand: no `def` there"
        if not self.unread:
            return "by hand: on which paths?"
        mentioned = sorted(self.unread & _mentioned(override))
        if mentioned:
            return f"by hand: the body mentions {', '.join(mentioned)}"
        theirs, mine = _signature(base).parameters, _signature(override).parameters
        takes = self.unread if self.unread & {p.name for p in mine.values() if p.kind in _CATCH_ALLS} else frozenset()
        if takes and not all(name in theirs for name in self.named):
            return "false: the base has no such parameter"
        if not takes and not self.unread <= mine.keys():
            return "false: it takes no such parameter"
        return f"true: the body does not mention {', '.join(sorted(self.unread))}"


@dataclass(frozen=True)
class SiblingFinding(Finding):
    """Two methods of one class that have two parameters in different orders.

    Attributes:
        first, second: the parameters, as the method at fault has them.
        method, sibling: the two definitions, and what they are called.
    """

    first: str
    second: str
    method: tuple[Place, str]
    sibling: tuple[Place, str]

    @property
    def key(self) -> str:
        """See `Finding`."""
        return f"{self.corpus}|{self.rule}|{self.owner}|{self.method[1]}|{self.sibling[1]}|{sorted(self.named)}"

    def verdict(self, directory: Path) -> str:
        """The slots of both headers."""
        orders = []
        for place, name in (self.method, self.sibling):
            node = _definition(directory / place.path, place.line, name)
            if node is None:
                return "by hand: no `def` there"
            slots = [p.name for p in _signature(node).parameters.values() if p.kind in _POSITIONAL]
            orders.append([name for name in slots if name in (self.first, self.second)])
        is_so = orders == [[self.first, self.second], [self.second, self.first]]
        return f"{'true' if is_so else 'false'}: {' '.join(orders[0])} and {' '.join(orders[1])}"


# Binding.


def _misbindings(received: inspect.BoundArguments, promised: inspect.BoundArguments) -> list[tuple[str, str]]:
    """The arguments that land in a parameter of another name: what they are to the base, and to the override."""
    expected, found = _landings(promised), _landings(received)
    return [
        (name, found[argument])
        for argument, name in expected.items()
        if found.get(argument, name) != name
        and _is_promised(name, found[argument], received.signature, promised.signature)
    ]


def _is_promised(name: str, lands_in: str, override: inspect.Signature, base: inspect.Signature) -> bool:
    """A name of a positional-only parameter is free, unless both sides know both names."""
    is_free = base.parameters[name].kind is inspect.Parameter.POSITIONAL_ONLY
    return not is_free or (lands_in in base.parameters and name in override.parameters)


def _landings(bound: inspect.BoundArguments) -> dict[int | str, str]:
    """Which named parameter each argument went to; those in catch-alls are left out."""
    return {
        argument: name
        for name, argument in bound.arguments.items()
        if bound.signature.parameters[name].kind not in _CATCH_ALLS
    }


def _certain(call: ast.Call) -> tuple[list[int], dict[str, str]]:
    """The arguments before any `*seq`, and the keywords."""
    stars = [index for index, arg in enumerate(call.args) if isinstance(arg, ast.Starred)]
    return list(range(stars[0] if stars else len(call.args))), {
        k.arg: k.arg for k in call.keywords if k.arg is not None
    }


def _landed(signature: inspect.Signature, call: ast.Call) -> list[str]:
    """The parameter that each certain argument by position lands in."""
    positional, _ = _certain(call)
    slots = [parameter.name for parameter in signature.parameters.values() if parameter.kind in _POSITIONAL]
    return slots[: len(positional)]


def _refused(signature: inspect.Signature, call: ast.Call) -> str:
    """Whether every call that the written one can be raises `TypeError`: a `*seq` of any length, a `**mapping` of any keys."""
    positional, keywords = _certain(call)
    has_star = any(isinstance(arg, ast.Starred) for arg in call.args)
    has_double_star = any(keyword.arg is None for keyword in call.keywords)
    complaint = ""
    for more in range(len(signature.parameters) + 1 if has_star else 1):
        given = [*positional, *range(len(positional), len(positional) + more)]
        free = {*signature.parameters} - {name for name, _ in zip(signature.parameters, given, strict=False)}
        wanted = {n: n for n in free if signature.parameters[n].default is inspect.Parameter.empty}
        wanted = {n: n for n in wanted if signature.parameters[n].kind not in (*_CATCH_ALLS, _POSITIONAL[0])}
        try:
            signature.bind(*given, **{**(wanted if has_double_star else {}), **keywords})
        except TypeError as error:
            complaint = complaint or str(error)
        else:
            return "false: it is accepted"
    return f"true: {complaint}"


# Source.


@cache
def _tree(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


def _definition(path: Path, line: int, name: str) -> _Function | None:
    tree = _tree(path)
    if tree is None:
        return None
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.lineno == line and node.name == name:
            return node
    return None


def _call(path: Path, place: Place, method: str) -> tuple[ast.Call, bool] | None:
    """The call that begins there; and whether it looks the method up on a class."""
    tree = _tree(path)
    pending: list[tuple[ast.AST, tuple[_Function, ...]]] = [] if tree is None else [(tree, ())]
    while pending:
        node, around = pending.pop()
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == method
            and (node.func.end_lineno, node.func.end_col_offset) == (place.line, place.column - 1 + len(method))
        ):
            return node, _is_class(node.func.value, around)
        inner = (*around, node) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else around
        pending += [(child, inner) for child in ast.iter_child_nodes(node)]
    return None


def _is_class(receiver: ast.expr, around: tuple[_Function, ...]) -> bool:
    """`self` and `super()` in a plain method are instances; `cls`, `type(self)` and a name of a class are not."""
    is_super = isinstance(receiver, ast.Call) and isinstance(receiver.func, ast.Name) and receiver.func.id == "super"
    for function in reversed(around):
        slots = [*function.args.posonlyargs, *function.args.args]
        is_receiver = isinstance(receiver, ast.Name) and slots and slots[0].arg == receiver.id
        if is_super or is_receiver:
            is_new = function.name in ("__new__", "__init_subclass__", "__class_getitem__")
            return is_new or any(isinstance(d, ast.Name) and d.id == "classmethod" for d in function.decorator_list)
    return True


def _mentioned(function: _Function) -> frozenset[str]:
    """The names that the body reads, deletes or adds to; all parameters where it asks for `locals()`."""
    found: set[str] = set()
    for statement in function.body:
        for node in ast.walk(statement):
            match node:
                case ast.Name(id=name, ctx=ast.Load() | ast.Del()) | ast.AugAssign(target=ast.Name(id=name)):
                    found.add(name)
    return frozenset({*_bare(function.args)}) if "locals" in found else frozenset(found)


def _is_same_text(node: ast.expr, text: str | None) -> bool:
    try:
        return text is not None and ast.unparse(ast.parse(f"({text})", mode="eval").body) == ast.unparse(node)
    except SyntaxError:
        return False


def _signature(node: _Function, *, is_on_class: bool = False) -> inspect.Signature:
    """What a caller who holds an instance, or the class, sees, as the interpreter makes it from the header alone."""
    arguments = ast.arguments(
        posonlyargs=[ast.arg(arg.arg) for arg in node.args.posonlyargs],
        args=[ast.arg(arg.arg) for arg in node.args.args],
        vararg=ast.arg(node.args.vararg.arg) if node.args.vararg else None,
        kwonlyargs=[ast.arg(arg.arg) for arg in node.args.kwonlyargs],
        kw_defaults=[None if default is None else ast.Constant(None) for default in node.args.kw_defaults],
        kwarg=ast.arg(node.args.kwarg.arg) if node.args.kwarg else None,
        defaults=[ast.Constant(None) for _ in node.args.defaults],
    )
    receivers = [d for d in node.decorator_list if isinstance(d, ast.Name) and d.id in ("staticmethod", "classmethod")]
    stub = ast.FunctionDef("stub", arguments, [ast.Pass()], list(receivers), lineno=1)
    owner = ast.ClassDef("Owner", bases=[], keywords=[], body=[stub], decorator_list=[])
    for fresh in (stub, owner):
        if "type_params" in fresh._fields:
            setattr(fresh, "type_params", [])  # noqa: B010  (no attribute before 3.12)
    namespace: dict[str, type] = {}
    module = ast.fix_missing_locations(ast.Module([owner], []))
    exec(compile(module, "<stub>", "exec"), namespace)
    made = namespace["Owner"]
    return inspect.signature(getattr(made if is_on_class else made(), "stub"))  # noqa: B009


def _header(node: _Function) -> str:
    decorators = "".join(f"@{ast.unparse(decorator)} " for decorator in node.decorator_list)
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    return f"{decorators}{word} {node.name}({', '.join(_names(node.args))})"


def _bare(arguments: ast.arguments) -> Iterator[str]:
    yield from (name.lstrip("*") for name in _names(arguments))


def _names(arguments: ast.arguments) -> Iterator[str]:
    yield from (argument.arg for argument in (*arguments.posonlyargs, *arguments.args))
    if arguments.vararg is not None:
        yield f"*{arguments.vararg.arg}"
    yield from (argument.arg for argument in arguments.kwonlyargs)
    if arguments.kwarg is not None:
        yield f"**{arguments.kwarg.arg}"
