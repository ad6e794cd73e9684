"""What a function's body tells: generator, stub, values returned, calls to siblings. Imports libcst."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import libcst as cst

from sigcheck.core.callsite import CallSite
from sigcheck.core.place import Place
from sigcheck.readers.source.positions import Positions


@dataclass(frozen=True, slots=True)
class Body:
    """What was learnt of one body.

    Attributes:
        is_generator: it yields.
        is_stub: it only raises, passes, or is `...`, with or without a docstring.
        returns_unknown_value: some `return` gives what may be anything: a call, a name, an attribute.
        returns_plain_value: every `return` gives a literal or a comparison, which cannot be called or awaited.
        calls: the calls to siblings, in source order.
    """

    is_generator: bool
    is_stub: bool
    returns_unknown_value: bool
    returns_plain_value: bool
    calls: tuple[CallSite, ...]


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


def read_body(
    node: cst.FunctionDef, receiver: str | None, code: Callable[[cst.CSTNode], str], positions: Positions, path: str
) -> Body:
    """Read a function's body; `receiver` is the name of its first parameter, if that is one."""
    reading = _Reading(receiver, code, positions, path)
    reading.walk(node.body)
    values = reading.returned
    return Body(
        reading.yields,
        _is_stub(node.body),
        any(not isinstance(value, _PLAIN) and not _is_constant(value) for value in values),
        bool(values) and all(isinstance(value, _PLAIN) or _is_constant(value) for value in values),
        tuple(sorted(reading.calls, key=lambda call: call.place)),
    )


def _is_constant(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value in ("True", "False", "None")


def _is_stub(body: cst.BaseSuite) -> bool:
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

    def __init__(
        self, receiver: str | None, code: Callable[[cst.CSTNode], str], positions: Positions, path: str
    ) -> None:
        self.receiver = receiver
        self.code = code
        self.positions = positions
        self.path = path
        self.yields = False
        self.returned: list[cst.BaseExpression] = []
        self.calls: list[CallSite] = []

    def walk(self, body: cst.BaseSuite) -> None:
        """Look at every expression of the body, those of nested functions too, but for nested classes."""
        pending: list[tuple[cst.CSTNode, bool]] = [(body, True)]
        while pending:
            node, is_own = pending.pop()
            kind = type(node)
            if kind is cst.ClassDef or kind is cst.FormattedString:
                continue  # Before Python 3.12, `ast` has no places for what stands in a formatted string.
            if kind is cst.Call:
                self.call(node)  # type: ignore[arg-type]
            elif kind is cst.Yield:
                self.yields = self.yields or is_own
            elif kind is cst.Return and is_own and node.value is not None:  # type: ignore[attr-defined]
                self.returned.append(node.value)  # type: ignore[attr-defined]
            elif kind is cst.FunctionDef or kind is cst.Lambda:
                is_own = False
            for name in _code_fields(kind):
                value = getattr(node, name)
                if isinstance(value, (list, tuple)):
                    pending += [(entry, is_own) for entry in reversed(value)]
                elif isinstance(value, cst.CSTNode):
                    pending.append((value, is_own))

    def call(self, node: cst.Call) -> None:
        """Note a call to a sibling."""
        match node.func:
            case cst.Attribute(value=cst.Name(value=name), attr=method) if name == self.receiver:
                self.calls.append(self.site(node, method.value, name))
            case cst.Attribute(value=cst.Call(func=cst.Name(value="super")), attr=method) if self.receiver is not None:
                self.calls.append(self.site(node, method.value, "super"))
            case _:
                return

    def site(self, node: cst.Call, method: str, receiver: str) -> CallSite:
        """One call, as it is written."""
        line, column = self.positions.of(node.func)
        positional: list[str] = []
        certain = True
        for argument in node.args:
            if argument.star == "*":
                certain = False
            elif argument.keyword is None and not argument.star and certain:
                positional.append(self.code(argument.value))
        keywords = tuple((a.keyword.value, self.code(a.value)) for a in node.args if a.keyword is not None)
        return CallSite(
            method,
            receiver,
            tuple(positional),
            keywords,
            has_star=not certain,
            has_double_star=any(argument.star == "**" for argument in node.args),
            place=Place(self.path, line, column, line, column + len(method)),
        )
