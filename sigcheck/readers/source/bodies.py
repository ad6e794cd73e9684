"""What a function's body tells: generator, stub, values returned, calls to siblings. Imports libcst."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import libcst as cst

from sigcheck.core.callsite import CallSite, Route
from sigcheck.core.place import Place
from sigcheck.readers.source.positions import Positions


@dataclass(frozen=True, slots=True)
class Body:
    """What was learnt of one body.

    Attributes:
        is_generator: it yields.
        is_stub: it only raises, passes, or is `...`, with or without a docstring.
        is_placeholder: it is a stub that raises.
        returns_unknown_value: some `return` gives what may be anything: a call, a name, an attribute.
        returns_plain_value: every `return` gives a literal or a comparison, which cannot be called or awaited.
        calls: the calls to siblings, in source order.
        assigns: the attributes of the receiver that are assigned, sorted.
        mentions: the catch-alls that are mentioned.
        probes: the methods of the receiver that are asked for their signature or compared with another's, sorted.
    """

    is_generator: bool
    is_stub: bool
    is_placeholder: bool
    returns_unknown_value: bool
    returns_plain_value: bool
    calls: tuple[CallSite, ...]
    assigns: tuple[str, ...]
    mentions: frozenset[str]
    probes: tuple[str, ...]


_PLAIN = (
    cst.BaseNumber,
    cst.BaseString,
    cst.Comparison,
    cst.List,
    cst.Dict,
    cst.Set,
    cst.Tuple,
    cst.ListComp,
    cst.DictComp,
    cst.SetComp,
)


@dataclass(frozen=True, slots=True)
class Context:
    """What a body is read against.

    Attributes:
        receiver: the name of the first parameter, if it is one.
        catch_alls: the names of `*args` and `**kwargs`.
        code: the source text of a node.
        references: what an expression may mean.
        positions: where a node stands.
        path: of the file.
    """

    receiver: str | None
    catch_alls: tuple[str, ...]
    code: Callable[[cst.CSTNode], str]
    references: Callable[[cst.BaseExpression], tuple[str, ...]]
    positions: Positions
    path: str


def read_body(node: cst.FunctionDef, context: Context) -> Body:
    """Read a function's body."""
    reading = _Reading(context)
    reading.walk(node.body)
    values = reading.returned
    return Body(
        reading.yields,
        is_stub(node.body),
        is_stub(node.body) and _raises(node.body),
        any(not isinstance(value, _PLAIN) and not _is_constant(value) for value in values),
        bool(values) and all(isinstance(value, _PLAIN) or _is_constant(value) for value in values),
        tuple(sorted(reading.calls, key=lambda call: call.place)),
        tuple(sorted(reading.assigns)),
        frozenset(reading.mentions),
        tuple(sorted(reading.probes)),
    )


def _is_constant(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value in ("True", "False", "None")


def is_stub(body: cst.BaseSuite) -> bool:
    """The body only raises, passes, or is `...`, with or without a docstring."""
    for statement in body.body:
        parts = statement.body if isinstance(statement, cst.SimpleStatementLine) else (statement,)
        for part in parts:
            match part:
                case cst.Raise() | cst.Pass():
                    continue
                case cst.Expr(value=cst.Ellipsis() | cst.SimpleString() | cst.ConcatenatedString()):
                    continue
                case _:
                    return False
    return True


def _raises(body: cst.BaseSuite) -> bool:
    return any(
        isinstance(part, cst.Raise)
        for statement in body.body
        for part in (statement.body if isinstance(statement, cst.SimpleStatementLine) else (statement,))
    )


_NO_CODE = frozenset(
    {"asname", "colon", "comma", "dot", "equal", "footer", "header", "leading_lines", "lines_after_decorators"}
    | {"lbrace", "lbracket", "lpar", "rbrace", "rbracket", "rpar", "semicolon", "trailing_whitespace"}
)
"""Fields of libcst nodes that hold punctuation and white space; so do those whose names begin with `whitespace`."""


@cache
def _code_fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """The fields of a node in which code stands, the last first."""
    names = [field.name for field in dataclasses.fields(kind)]
    return tuple(name for name in reversed(names) if name not in _NO_CODE and not name.startswith("whitespace"))


class _Reading:
    """One walk over a body. (A `CSTVisitor` visits every comma too, and takes five times as long.)"""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.yields = False
        self.returned: list[cst.BaseExpression] = []
        self.calls: list[CallSite] = []
        self.assigns: set[str] = set()
        self.mentions: set[str] = set()
        self.probes: set[str] = set()

    def walk(self, body: cst.BaseSuite) -> None:
        """Look at every expression of the body, those of nested functions too; in nested classes only at the names."""
        receiver, catch_alls = self.context.receiver, self.context.catch_alls
        # Of each node: whether it is the function's own, not a nested one's; and the receiver as it is called there.
        pending: list[tuple[cst.CSTNode, bool, str | None]] = [(body, True, receiver)]
        while pending:
            node, is_own, within = pending.pop()
            kind = type(node)
            if kind is cst.Name:
                if node.value in catch_alls:  # type: ignore[attr-defined]
                    self.mentions.add(node.value)  # type: ignore[attr-defined]
                continue
            if kind is cst.ClassDef or kind is cst.FormattedString:
                # Before Python 3.12, `ast` has no places for what stands in a formatted string.
                self.mention(node)
                continue
            if kind is cst.Call:
                self.call(node, within)  # type: ignore[arg-type]
            elif kind is cst.Yield:
                self.yields = self.yields or is_own
            elif kind is cst.Return and is_own and node.value is not None:  # type: ignore[attr-defined]
                self.returned.append(node.value)  # type: ignore[attr-defined]
            elif kind is cst.FunctionDef or kind is cst.Lambda:
                is_own = False
                within = None if within in _parameter_names(node.params) else within  # type: ignore[attr-defined]
            elif kind in _ASSIGNMENTS and within is not None:
                self.assigns.update(_assigned(node, within))
            elif kind is cst.Comparison and within is not None:
                self.probes.update(_compared(node, within))  # type: ignore[arg-type]
            for name in _code_fields(kind):
                value = getattr(node, name)
                if isinstance(value, (list, tuple)):
                    pending += [(entry, is_own, within) for entry in reversed(value)]
                elif isinstance(value, cst.CSTNode):
                    pending.append((value, is_own, within))

    def mention(self, root: cst.CSTNode) -> None:
        """Note the catch-alls that are named anywhere below."""
        pending = [root] if self.context.catch_alls else []
        while pending:
            node = pending.pop()
            if isinstance(node, cst.Name) and node.value in self.context.catch_alls:
                self.mentions.add(node.value)
            elif isinstance(node, cst.Call):
                self.call(node, None)
            pending += node.children

    def call(self, node: cst.Call, receiver: str | None) -> None:
        """Note a call to a sibling, or what else a call tells."""
        match node.func, node.args:
            case cst.Name(value="locals" | "vars"), []:
                self.mentions.update(self.context.catch_alls)
            case _ if receiver is None:
                return
            case (
                cst.Name(value="signature") | cst.Attribute(attr=cst.Name(value="signature")),
                [cst.Arg(value=cst.Attribute() as method), *_],
            ) if (name := _own(method, receiver)) is not None:
                self.probes.add(name)
            case cst.Attribute(value=cst.Name(value=name), attr=method), _ if name == receiver:
                self.calls.append(self.site(node, method.value, Route.INSTANCE))
            case cst.Attribute(value=cst.Call(func=cst.Name(value="super"), args=start), attr=method), _:
                named = self.context.references(start[0].value) if start else ()
                self.calls.append(self.site(node, method.value, Route.SUPER, named))
            case (
                cst.Attribute(
                    value=cst.Call(func=cst.Name(value="type"), args=[cst.Arg(value=cst.Name(value=name))]), attr=method
                ),
                _,
            ) if name == receiver:
                self.calls.append(self.site(node, method.value, Route.TYPE))
            case (
                cst.Attribute(
                    value=cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value="__class__")), attr=method
                ),
                _,
            ) if name == receiver:
                self.calls.append(self.site(node, method.value, Route.TYPE))
            case (
                cst.Attribute(value=(cst.Name() | cst.Attribute()) as owner, attr=method),
                [cst.Arg(value=cst.Name(value=first), keyword=None, star=""), *_],
            ) if first == receiver and not self.context.code(owner).startswith(f"{receiver}."):
                self.calls.append(self.site(node, method.value, Route.CLASS, self.context.references(owner)))
            case cst.Name(value="setattr"), [
                cst.Arg(value=cst.Name(value=name)),
                cst.Arg(value=cst.SimpleString() as key),
                *_,
            ]:
                if name == receiver:
                    self.assigns.add(key.raw_value)
            case _:
                return

    def site(self, node: cst.Call, method: str, route: Route, named: tuple[str, ...] = ()) -> CallSite:
        """One call, as it is written."""
        positions = self.context.positions
        line, column = positions.of(node.func)
        last_line, _ = positions.of(node.args[-1].value) if node.args else (line, 0)
        positional: list[str] = []
        certain = True
        for argument in node.args:
            if argument.star == "*":
                certain = False
            elif argument.keyword is None and not argument.star and certain:
                positional.append(self.context.code(argument.value))
        keywords = tuple((a.keyword.value, self.context.code(a.value)) for a in node.args if a.keyword is not None)
        return CallSite(
            method,
            route,
            tuple(positional),
            keywords,
            has_star=not certain,
            has_double_star=any(argument.star == "**" for argument in node.args),
            place=Place(self.context.path, line, column, line, column + len(method)),
            last_line=last_line,
            named=named,
        )


def _own(node: cst.BaseExpression, receiver: str) -> str | None:
    """`m` of `self.m` and `type(self).m`."""
    match node:
        case cst.Attribute(value=cst.Name(value=name), attr=method) if name == receiver:
            return method.value
        case cst.Attribute(
            value=cst.Call(func=cst.Name(value="type"), args=[cst.Arg(value=cst.Name(value=name))]), attr=method
        ) if name == receiver:
            return method.value
        case _:
            return None


def _compared(node: cst.Comparison, receiver: str) -> Iterator[str]:
    """`m` of `type(self).m is not Base.m`."""
    for target in node.comparisons:
        if isinstance(target.operator, (cst.Is, cst.IsNot)) and isinstance(target.comparator, cst.Attribute):
            name = _own(node.left, receiver)
            if name == target.comparator.attr.value:
                yield name


_ASSIGNMENTS = (cst.Assign, cst.AnnAssign, cst.AugAssign)


def _assigned(node: cst.CSTNode, receiver: str) -> Iterator[str]:
    """The attributes of the receiver among the targets of an assignment."""
    match node:
        case cst.Assign(targets=targets):
            pending = [target.target for target in targets]
        case cst.AnnAssign(target=target) | cst.AugAssign(target=target):
            pending = [target]
        case _:
            return
    while pending:
        match pending.pop():
            case cst.Attribute(value=cst.Name(value=name), attr=attribute) if name == receiver:
                yield attribute.value
            case cst.Tuple(elements=elements) | cst.List(elements=elements):
                pending += [element.value for element in elements]  # type: ignore[misc]
            case _:
                continue


def _parameter_names(node: cst.Parameters) -> set[str]:
    """The names that a nested function has for itself."""
    plain = [*node.posonly_params, *node.params, *node.kwonly_params]
    variadic = [entry for entry in (node.star_arg, node.star_kwarg) if isinstance(entry, cst.Param)]
    return {entry.name.value for entry in (*plain, *variadic)}
