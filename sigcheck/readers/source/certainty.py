"""Which parameters a function reads on every path that returns, whatever happens: the certain part of it, from the `ast`. Knows no
libcst.

`core.usage` asks the same of the control flow that libcst reads, and knows more: that a test asked twice has one answer, that a loop
which finds nothing is no charge. So it may excuse what is uncertain here, and never charges what is certain: this module takes each
read for one only where `flow` does, and each way past it for one that is gone, but for those that an option of the caller closes.
"""

from __future__ import annotations

import ast
import itertools
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from sigcheck.readers.conventions import ENDING_CALLS, is_logging
from sigcheck.readers.source.scan import word_of

_State = tuple[frozenset[str], frozenset[str]] | None
"""The names that some path to here has not read, and those that some path has bound before it read them; None: no path leads here."""

_RETURN, _RAISE, _BREAK, _CONTINUE = "return", "raise", "break", "continue"
_LOOPS = (_BREAK, _CONTINUE)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_RAISING = (ast.Attribute, ast.BinOp, ast.Subscript, ast.Await, ast.Yield, ast.YieldFrom)


def reads_all(
    lines: Sequence[str], first: int, line: int, names: Collection[str], options: Collection[str] = ()
) -> bool:
    """The function reads all of these parameters on every path that returns. False where that is not certain.

    Args:
        lines: of a function, its decorators included, as they stand in the file; the one that is meant may stand in it.
        first: the number of the first of them in the file.
        line: the number of the line on which the name of the function that is meant stands.
        names: of the parameters.
        options: the parameters by which the caller switches something on, as in `core.usage`.
    """
    opening = "if 1:\n" if lines[0][:1] in (" ", "\t") else "\n"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(f"{opening}{chr(10).join(lines)}\n")
        for node in ast.walk(tree):
            if isinstance(node, _FUNCTIONS) and node.lineno + first - 2 == line:
                return _reads_all(node, frozenset(names), frozenset(options))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
    return False


def _reads_all(node: ast.FunctionDef | ast.AsyncFunctionDef, names: frozenset[str], options: frozenset[str]) -> bool:
    arguments = node.args
    parameters = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    if not names <= {parameter.arg for parameter in parameters if parameter is not None}:
        return False
    walk = _Walk(names, options)
    walk.block(node.body)
    left = _join(walk.state, walk.exits[_RETURN])
    return left is None or not (left[0] or left[1])


def _join(one: _State, other: _State) -> _State:
    if one is None or other is None:
        return one or other
    return one[0] | other[0], one[1] | other[1]


class _Walk:
    """Goes through a body in the order in which it runs.

    Attributes:
        state: what is known here.
        exits: what is known where control leaves the block otherwise than by its end.
        seen: the names that something has read.
    """

    def __init__(self, names: frozenset[str], options: frozenset[str]) -> None:
        self.state: _State = (names, frozenset())
        self.exits: dict[str, _State] = dict.fromkeys((_RETURN, _RAISE, *_LOOPS))
        self.options = options
        self.seen: frozenset[str] = frozenset()

    def read(self, name: str) -> None:
        """The value of a name is used."""
        self.seen |= {name}
        self.found(name)

    def found(self, name: str) -> None:
        """A name need not be read any more."""
        if self.state is not None and name in self.state[0]:
            self.state = (self.state[0] - {name}, self.state[1])

    def bound(self, names: Iterable[str]) -> None:
        """Names get another value; an exception may come then."""
        lost = frozenset() if self.state is None else self.state[0].intersection(names)
        if lost and self.state is not None:
            self.state = (self.state[0] - lost, self.state[1] | lost)
            self.may_raise()

    def may_raise(self) -> None:
        """An exception may leave here."""
        self.exits[_RAISE] = _join(self.exits[_RAISE], self.state)

    def leave(self, way: str) -> None:
        """Control goes elsewhere."""
        self.exits[way] = _join(self.exits[way], self.state)
        self.state = None

    # Statements.

    def block(self, statements: Sequence[ast.stmt]) -> None:
        """The statements of a block, as far as control comes."""
        for statement in statements:
            if self.state is None:
                return
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        """One statement that others may stand in."""
        match node:
            case ast.If():
                self.if_(node, is_alone=True)
            case ast.For(iter=iterable) | ast.AsyncFor(iter=iterable):
                self.expression(iterable)
                self.loop(node, lambda: self.round(node))
            case ast.While(test=test):
                acts = _acts(node.body) or _acts(node.orelse)
                self.loop(node, lambda: self.asked(test, acts=acts, is_endless=_is_true(test)))
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    self.expression(item.context_expr)
                    if item.optional_vars is not None:
                        self.bind(item.optional_vars)
                self.block(body)
            case ast.Match():
                self.match(node)
            case _ if hasattr(node, "finalbody"):
                self.try_(node)
            case _:
                self.simple(node)

    def simple(self, node: ast.stmt) -> None:
        """A statement in which no other stands, or whose inner ones are left out."""
        match node:
            case ast.Expr(value=value):
                self.expression(value)
            case ast.Assign(targets=targets, value=value):
                self.expression(value)
                for target in targets:
                    self.bind(target)
            case ast.AnnAssign(target=target, value=value):
                if value is not None:
                    self.expression(value)
                    self.bind(target)
            case ast.AugAssign(target=target, value=value):
                if isinstance(target, ast.Name):
                    self.read(target.id)
                else:
                    self.expression(target)
                self.expression(value)
                self.may_raise()
                self.bind(target)
            case ast.Return() | ast.Raise() | ast.Break() | ast.Continue() | ast.Assert():
                self.leaving(node)
            case ast.Delete(targets=targets):
                for target in targets:
                    self.delete(target)
            case ast.Pass() | ast.Nonlocal():
                pass
            case ast.Global(names=names):
                self.options -= frozenset(names)
            case _:
                self.definition(node)

    def leaving(self, node: ast.stmt) -> None:
        """A statement behind which control goes elsewhere, or may."""
        match node:
            case ast.Return(value=value):
                if value is not None:
                    self.expression(value)
                self.leave(_RETURN)
            case ast.Raise(exc=exception, cause=cause):
                for part in (exception, cause):
                    if part is not None:
                        self.expression(part)
                self.leave(_RAISE)
            case ast.Assert(test=test, msg=message):
                held, self.state = self.asked(test, acts=True)
                if message is not None:
                    self.expression(message)
                self.leave(_RAISE)
                self.state = held
            case _:
                self.leave(_BREAK if isinstance(node, ast.Break) else _CONTINUE)

    def definition(self, node: ast.stmt) -> None:
        """An import, a nested function or class, or what the language has got since."""
        match node:
            case (
                ast.FunctionDef(decorator_list=decorators, args=arguments)
                | ast.AsyncFunctionDef(decorator_list=decorators, args=arguments)
            ):
                for value in (*decorators, *_defaults(arguments)):
                    self.expression(value)
                # Whoever calls it may rebind what it declares `nonlocal`.
                inner = (child.names for child in ast.walk(node) if isinstance(child, ast.Nonlocal))
                self.bound([node.name, *itertools.chain.from_iterable(inner)])
            case ast.ClassDef(decorator_list=decorators, bases=bases, keywords=keywords):
                for value in (*decorators, *bases, *(keyword.value for keyword in keywords)):
                    self.expression(value)
                self.may_raise()
                self.bound(_bound_in(node))
            case _:
                self.may_raise()
                self.bound(_bound_in(node))

    def if_(self, node: ast.If, *, is_alone: bool) -> None:
        """`if`; `is_alone` is False for an `elif`."""
        before, self.seen = self.seen, frozenset()
        held, failed = self.asked(node.test, acts=_acts(node.body) or _acts(node.orelse))
        self.state = held
        self.block(node.body)
        ended = self.state
        if is_alone and not node.orelse and ended is not None and failed is not None and self.is_option(node.test):
            # What is read where the option is given is left out on the caller's word.
            failed = (failed[0] - self.seen, failed[1] - self.seen)
        self.state = failed
        match node.orelse:
            case [ast.If() as inner]:
                self.if_(inner, is_alone=False)
            case orelse:
                self.block(orelse)
        self.state = _join(ended, self.state)
        self.seen |= before

    def is_option(self, node: ast.expr) -> bool:
        """The test asks for options, and holds where all of them are given."""
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return all(map(self.is_option, values))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                name, absent = _presence(operand)
                return name in self.options and absent
            case _:
                name, absent = _presence(node)
                return name in self.options and not absent

    def round(self, node: ast.For | ast.AsyncFor) -> tuple[_State, _State]:
        """What is known in the next round of a `for`, and behind its last."""
        over = self.state
        self.bind(node.target)
        return self.state, over

    def loop(self, node: ast.For | ast.AsyncFor | ast.While, enter: Callable[[], tuple[_State, _State]]) -> None:
        """A loop: rounds, until another tells nothing new."""
        outer = {way: self.exits[way] for way in _LOOPS}
        self.exits |= dict.fromkeys(_LOOPS)
        head = self.state
        while True:
            self.state = head
            self.state, over = enter()
            self.block(node.body)
            again = _join(head, _join(self.state, self.exits[_CONTINUE]))
            if again == head:
                break
            head = again
        broken = self.exits[_BREAK]
        self.exits |= outer
        self.state = over
        self.block(node.orelse)
        self.state = _join(self.state, broken)

    def try_(self, node: ast.stmt) -> None:
        """`try`: whatever leaves it goes through its `finally`."""
        final: list[ast.stmt] = node.finalbody  # type: ignore[attr-defined]
        outer = self.exits
        if final:
            self.exits = dict.fromkeys(outer)
        self.attempt(node)
        if not final:
            return
        inner, ended = self.exits, self.state
        self.exits = outer
        for way, state in inner.items():
            self.state = state
            self.block(final)
            self.leave(way)
        self.state = ended
        self.block(final)

    def attempt(self, node: ast.stmt) -> None:
        """A `try` without its `finally`."""
        handlers: list[ast.ExceptHandler] = node.handlers  # type: ignore[attr-defined]
        outside, self.exits[_RAISE] = self.exits[_RAISE], None
        self.block(node.body)  # type: ignore[attr-defined]
        raised = self.exits[_RAISE]
        self.exits[_RAISE] = outside if handlers else _join(outside, raised)
        self.block(node.orelse)  # type: ignore[attr-defined]
        ended = self.state
        for handler in handlers:
            self.state = raised
            if handler.type is not None:
                self.expression(handler.type)
            raised = self.state
            if handler.name is not None:
                self.bound([handler.name])
            self.block(handler.body)
            ended = _join(ended, self.state)
            if handler.type is None or _dotted(handler.type) == "BaseException":
                raised = None
        self.state = raised if handlers else None
        self.may_raise()
        self.state = ended

    def match(self, node: ast.Match) -> None:
        """`match`; of what the values in its patterns read, nothing is taken to be certain."""
        self.expression(node.subject)
        self.may_raise()
        ended: _State = None
        for case in node.cases:
            self.bound(_bound_in(case.pattern))
            failed = self.state
            if case.guard is not None:
                self.state, refused = self.asked(case.guard, acts=_acts(case.body))
                failed = _join(failed, refused)
            elif isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None:
                failed = None
            self.block(case.body)
            ended = _join(ended, self.state)
            self.state = failed
        self.state = _join(ended, self.state)

    # Targets.

    def bind(self, node: ast.expr) -> None:
        """A target is assigned."""
        match node:
            case ast.Name(id=name):
                self.bound([name])
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                self.may_raise()
                for element in elements:
                    self.bind(element)
            case ast.Starred(value=value):
                self.bind(value)
            case ast.Attribute(value=value):
                self.expression(value)
            case ast.Subscript(value=value, slice=index):
                self.expression(value)
                self.expression(index)
                self.may_raise()
            case _:
                pass

    def delete(self, node: ast.expr) -> None:
        """`del`."""
        match node:
            case ast.Name(id=name):
                self.read(name)
                self.bound([name])
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                for element in elements:
                    self.delete(element)
            case _:
                self.bind(node)

    # Expressions.

    def expression(self, node: ast.AST) -> None:
        """An expression, in the order in which its parts are evaluated."""
        match node:
            case ast.Name(id=name):
                self.read(name)
            case ast.Constant():
                pass
            case ast.Call():
                self.call(node)
            case ast.BoolOp(op=operator, values=[*values, last]):
                left: _State = None
                for value in values:
                    held, failed = self.asked(value, acts=True)
                    self.state, out = (held, failed) if isinstance(operator, ast.And) else (failed, held)
                    left = _join(left, out)
                self.expression(last)
                self.state = _join(left, self.state)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.state, failed = self.asked(test, acts=_differ(body, orelse))
                self.expression(body)
                held, self.state = self.state, failed
                self.expression(orelse)
                self.state = _join(held, self.state)
            case ast.Compare(left=first, comparators=[second, *others]):
                self.expression(first)
                self.expression(second)
                for other in others:
                    short = self.state
                    self.expression(other)
                    self.state = _join(short, self.state)
            case ast.NamedExpr(target=target, value=value):
                self.expression(value)
                self.bind(target)
            case ast.Lambda(args=arguments):
                for value in _defaults(arguments):
                    self.expression(value)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self.expression(node.generators[0].iter)
                self.may_raise()
                self.bound(child.target.id for child in ast.walk(node) if isinstance(child, ast.NamedExpr))
            case _:
                for child in _items(node) if isinstance(node, ast.Dict) else ast.iter_child_nodes(node):
                    self.expression(child)
                if isinstance(node, _RAISING):
                    self.may_raise()

    def call(self, node: ast.Call) -> None:
        """A call: what is called, its arguments, those by position first, then itself."""
        for child in (node.func, *node.args, *(keyword.value for keyword in node.keywords)):
            self.expression(child)
        if _dotted(node.func) in ENDING_CALLS:
            self.leave(_RAISE)
        else:
            self.may_raise()

    def asked(self, node: ast.expr, *, acts: bool, is_endless: bool = False) -> tuple[_State, _State]:
        """What is known where a test holds, and where it fails.

        A look at whether a name is there reads it only where something follows from it; where it is not, there is nothing to read.
        """
        match node:
            case ast.BoolOp(op=operator, values=values):
                out: _State = None
                for value in values:
                    held, failed = self.asked(value, acts=acts)
                    self.state, left = (held, failed) if isinstance(operator, ast.And) else (failed, held)
                    out = _join(out, left)
                return (self.state, out) if isinstance(operator, ast.And) else (out, self.state)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                held, failed = self.asked(operand, acts=acts)
                return failed, held
            case _:
                name, absent = _presence(node)
                if name is None or acts:
                    self.expression(node)
                if is_endless:
                    return self.state, None
                there = self.state
                if name is None:
                    return there, there
                self.found(name)
                return (self.state, there) if absent else (there, self.state)


def _presence(node: ast.expr) -> tuple[str | None, bool]:
    """The name that a test asks to be there, and the outcome where it is not."""
    match node:
        case ast.Name(id=name):
            return name, False
        case ast.Call(func=ast.Name(id="bool"), args=[ast.Name(id=name)], keywords=[]):
            return name, False
        case ast.Compare(left=ast.Name(id=name), ops=[operator], comparators=[ast.Constant(value=None)]):
            return name, isinstance(operator, (ast.Is, ast.Eq))
        case _:
            return None, False


def _is_true(node: ast.expr) -> bool:
    """`True`, or `1` and nothing else that is one."""
    if not isinstance(node, ast.Constant):
        return False
    return node.value is True or (
        type(node.value) is int and node.value == 1 and node.end_col_offset == node.col_offset + 1
    )


def _acts(statements: Sequence[ast.stmt]) -> bool:
    """A block does more than passing and logging."""
    return any(map(_statement_acts, statements))


def _statement_acts(node: ast.stmt) -> bool:
    match node:
        case ast.If(body=body, orelse=orelse):
            return _acts(body) or _acts(orelse)
        case ast.Pass() | ast.Global() | ast.Nonlocal():
            return False
        case ast.Expr(value=ast.Constant() | ast.JoinedStr()):
            return False
        case ast.Expr(value=ast.Call(func=func)):
            return not is_logging(_dotted(func))
        case _:
            return True


def _differ(one: ast.expr, other: ast.expr) -> bool:
    """Two expressions are not written alike, for certain: one of them is a word, and the other is not, or another."""
    return word_of(one) != word_of(other)


def _dotted(node: ast.expr) -> str:
    """`a.b.c`, or nothing for what is no dotted name."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            owner = _dotted(value)
            return f"{owner}.{attribute}" if owner else ""
        case _:
            return ""


def _defaults(arguments: ast.arguments) -> Iterator[ast.expr]:
    yield from arguments.defaults
    yield from (value for value in arguments.kw_defaults if value is not None)


def _items(node: ast.Dict) -> Iterator[ast.expr]:
    """The keys and values of a dictionary, in turn; `**` has no key."""
    for key, value in zip(node.keys, node.values, strict=True):
        if key is not None:
            yield key
        yield value


def _bound_in(tree: ast.AST) -> Iterator[str]:
    """Every name that something in a statement or a pattern may bind or delete."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.Nonlocal(names=names):
                yield from names
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.ExceptHandler(name=name) | ast.MatchAs(name=name) | ast.MatchStar(name=name) if name:
                yield name
            case ast.MatchMapping(rest=name) if name:
                yield name
            case _:
                continue
