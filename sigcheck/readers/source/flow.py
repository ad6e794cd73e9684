"""The control flow of one function, read from its source. Imports libcst.

Only the function itself is parsed, so that a large file costs no more than a small one.
"""

from __future__ import annotations

import ast
import dataclasses
import itertools
import re
import warnings
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

import libcst as cst

from sigcheck.core.dataclass import replace
from sigcheck.core.flow import (
    AllOf,
    AnyOf,
    Arm,
    Atom,
    Bind,
    Block,
    Call,
    Choice,
    Exit,
    Fact,
    Flow,
    Handler,
    Leave,
    Loop,
    Negation,
    Raises,
    Read,
    ReadAll,
    Step,
    Test,
    Touch,
    Try,
    all_steps,
    always_bound,
)
from sigcheck.readers.conventions import ENDING_CALLS, is_logging
from sigcheck.readers.source.bodies import is_stub
from sigcheck.readers.source.positions import Recorder, normalize_names


def read_flow(text: str, line: int, path: str, extent: tuple[int, int] | None = None) -> Flow | None:
    """Read the body of one function.

    Args:
        text: the whole file, every line ending in a bare newline.
        line: the 1-based line of the function's name in its `def`.
        path: the file, which only a debugger needs.
        extent: the first and the last line of a function in which that line stands, where one is known: often of this one.

    Returns:
        Its control flow, with the lines of the file; None for what is no `def` or cannot be read.
    """
    if extent is not None:
        found = _read_between(text, extent, path)
        if found is not None and found.line == line:
            return found
    extent = _extents(text).get(line)
    return None if extent is None else _read_between(text, extent, path)


def _read_between(text: str, extent: tuple[int, int], path: str) -> Flow | None:
    """The flow of the function on these lines, its decorators among them or not."""
    first, last = extent
    piece = "\n".join(text.split("\n")[first - 1 : last])
    # The block of an `if` keeps its indentation, so that no string over several lines changes.
    opening = "if 1:\n" if piece[:1] in (" ", "\t") else "\n"
    try:
        module = cst.parse_module(f"{opening}{piece}\n")
        node = _first_function(module)
        return None if node is None else _read(module, node, first - 2, path)
    except (cst.ParserSyntaxError, RecursionError):
        return None


def _read(module: cst.Module, node: cst.FunctionDef, before: int, path: str) -> Flow:
    reader = _Reader(module, before, path)
    names = tuple(parameter.name.value for parameter in _parameters(node.params))
    reader.rebinding |= dict.fromkeys(names, ())
    body = reader.suite(node.body)
    return Flow(reader.line(node.name), names, body, is_stub(node.body))


@lru_cache(maxsize=2)
def _extents(text: str) -> dict[int, tuple[int, int]]:
    """First and last line of each function, by every line of its `def` on which its name may stand."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[int, tuple[int, int]] = {}
    lines: list[str] | None = None
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno is not None:
            extent = (node.lineno, node.end_lineno)
            found[node.lineno] = extent
            lines = lines or text.split("\n")
            named = node.lineno
            while lines[named - 1].endswith("\\"):
                named += 1
                found.setdefault(named, extent)
    return found


def _first_function(module: cst.Module) -> cst.FunctionDef | None:
    for statement in module.body:
        body = statement.body.body if isinstance(statement, cst.If) else (statement,)
        for inner in body:
            if isinstance(inner, cst.FunctionDef):
                return inner
    return None


def _parameters(params: cst.Parameters) -> Iterator[cst.Param]:
    yield from params.posonly_params
    yield from params.params
    if isinstance(params.star_arg, cst.Param):
        yield params.star_arg
    yield from params.kwonly_params
    if params.star_kwarg is not None:
        yield params.star_kwarg


# What is punctuation or white space, and names that are no variables.
_NO_CODE = frozenset(
    {"asname", "attr", "colon", "comma", "dot", "equal", "footer", "header", "keyword", "leading_lines", "operator"}
    | {"lbrace", "lbracket", "lpar", "rbrace", "rbracket", "rpar", "semicolon", "star", "trailing_whitespace"}
)


@cache
def _code_fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """The fields of a node in which expressions stand, in the order of their evaluation."""
    names = [field.name for field in dataclasses.fields(kind)]
    return tuple(name for name in names if name not in _NO_CODE and not name.startswith("whitespace"))


class _Marks(Recorder):
    """Where each node begins, in tokens."""

    def __init__(self, module: cst.Module) -> None:
        super().__init__(module)
        self.of: dict[cst.CSTNode, int] = {}

    def before_codegen(self, node: cst.CSTNode) -> None:
        self.of[node] = len(self.tokens)


_SPACE = re.compile(r"\s+")
_COMMENT = re.compile(r"#[^\n]*\n")
_LITERALS = (cst.SimpleString, cst.Integer, cst.Float)
_OPPOSITE = {
    cst.NotEqual: ("==", False),
    cst.Equal: ("==", True),
    cst.IsNot: ("is", False),
    cst.Is: ("is", True),
    cst.NotIn: ("in", False),
    cst.In: ("in", True),
    cst.LessThan: ("<", True),
    cst.GreaterThanEqual: ("<", False),
    cst.GreaterThan: (">", True),
    cst.LessThanEqual: (">", False),
}


class _Reader:
    """From libcst nodes to steps. Nested functions have a reader of their own, whose free names are reads here."""

    def __init__(self, module: cst.Module, before: int, path: str) -> None:
        self.module = module
        self.before = before
        self.path = path
        marks = _Marks(module)
        module._codegen(marks)  # noqa: SLF001 - as libcst's own providers do
        offsets = [0, *itertools.accumulate(map(len, marks.tokens))]
        source = "".join(marks.tokens)
        normalize_names(module, source)
        self.starts = [0, *(index + 1 for index, character in enumerate(source) if character == "\n")]
        self.offsets = {node: offsets[mark] for node, mark in marks.of.items()}
        self.hidden: frozenset[str] = frozenset()  # names of comprehensions and class bodies around, and `global` ones
        self.in_class = False
        self.unhidden: frozenset[str] = frozenset()  # what a function in a class body sees instead
        self.foreign: set[str] = set()  # declared `nonlocal`
        self.is_nested = False
        self.rebinding: dict[
            str, tuple[str, ...]
        ] = {}  # names bound so far; of a nested function, what calling it rebinds
        self.strained = False  # something in this statement may raise, that is said at its end

    def line(self, node: cst.CSTNode) -> int:
        """The line of the file on which a node begins; of a block, the line on which its header ends."""
        return bisect_right(self.starts, self.offsets[node]) + self.before

    def text(self, node: cst.CSTNode) -> str:
        """Its source, on one line, without brackets around it."""
        if (
            isinstance(node, (cst.BooleanOperation, cst.Comparison, cst.UnaryOperation, cst.Name, cst.Call))
            and node.lpar
        ):
            node = node.with_changes(lpar=(), rpar=())
        return _SPACE.sub(" ", _COMMENT.sub(" ", self.module.code_for_node(node))).strip()

    # Statements.

    def suite(self, node: cst.BaseSuite) -> Block:
        """The steps of one block."""
        out: list[Step] = []
        for statement in node.body:
            self.statement(statement, out)
        return tuple(out)

    def statement(self, node: cst.CSTNode, out: list[Step]) -> None:
        """Add the steps of one statement."""
        match node:
            case cst.SimpleStatementLine(body=parts):
                for part in parts:
                    self.small(part, out)
            case cst.BaseSmallStatement():
                self.small(node, out)
            case cst.If():
                self.conditional(node, out)
            case cst.While(test=test, body=body, orelse=orelse):
                asked = self.test(test, acts=_acts(body) or (orelse is not None and _acts(orelse.body)))
                otherwise = self.suite(orelse.body) if orelse is not None else ()
                out.append(Loop(self.text(test), self.line(test), self.suite(body), otherwise, asked))
            case cst.For(target=target, iter=iterable, body=body, orelse=orelse):
                self.whole(iterable, out)
                binding: list[Step] = []
                self.bind(target, binding)
                otherwise = self.suite(orelse.body) if orelse is not None else ()
                text = f"for {self.text(target)} in {self.text(iterable)}"
                out.append(Loop(text, self.line(target), (*binding, *self.suite(body)), otherwise))
            case cst.Try() | cst.TryStar():
                self.attempt(node, out)
            case cst.With(items=items, body=body):
                for item in items:
                    self.whole(item.item, out)
                    if item.asname is not None:
                        self.bind(item.asname.name, out)
                out += self.suite(body)
            case cst.Match():
                self.matching(node, out)
            case cst.FunctionDef():
                self.function(node, out)
            case cst.ClassDef():
                self.class_(node, out)
            case _:
                pass

    def small(self, node: cst.CSTNode, out: list[Step]) -> None:
        """Add the steps of a statement that holds no other."""
        match node:
            case cst.Expr(value=value):
                self.whole(value, out)
            case cst.Assign(targets=targets, value=value):
                self.whole(value, out)
                for target in targets:
                    self.bind(target.target, out)
            case cst.AnnAssign(target=target, value=value):
                if value is not None:
                    self.whole(value, out)
                    self.bind(target, out)
            case cst.AugAssign(target=target, value=value):
                self.whole(target, out)
                self.whole(value, out)
                out.append(Raises())
                if isinstance(target, cst.Name):
                    self.bind(target, out)
                else:
                    self.touched(target, out)
            case cst.Assert(test=test, msg=msg):
                failing: list[Step] = []
                if msg is not None:
                    self.whole(msg, failing)
                failing.append(Leave(Exit.RAISE))
                asked = self.test(test, acts=True)
                out.append(Choice((Arm(asked, self.text(test), self.line(test), ()),), tuple(failing)))
            case cst.Del(target=target):
                self.delete(target, out)
            case cst.Return() | cst.Raise() | cst.Break() | cst.Continue():
                self.leave(node, out)
            case _:
                self.declare(node, out)

    def leave(self, node: cst.CSTNode, out: list[Step]) -> None:
        """Add what goes elsewhere."""
        match node:
            case cst.Return(value=value):
                if value is not None:
                    self.whole(value, out)
                out.append(Leave(Exit.RETURN))
            case cst.Raise(exc=exc, cause=cause):
                for part in (exc, cause.item if cause is not None else None):
                    if part is not None:
                        self.whole(part, out)
                out.append(Leave(Exit.RAISE))
            case cst.Break():
                out.append(Leave(Exit.BREAK))
            case cst.Continue():
                out.append(Leave(Exit.CONTINUE))
            case _:
                pass

    def declare(self, node: cst.CSTNode, out: list[Step]) -> None:
        """Add what only says something of names."""
        match node:
            case cst.Import(names=names) | cst.ImportFrom(names=names):
                out.append(Raises())
                for alias in names if not isinstance(names, cst.ImportStar) else ():
                    name = alias.asname.name if alias.asname is not None else _root(alias.name)
                    self.bind(name, out)
            case cst.Nonlocal(names=names):
                self.foreign |= {item.name.value for item in names}
            case cst.Global(names=names):
                self.hidden |= {item.name.value for item in names}
            case cst.TypeAlias(name=name):
                self.bind(name, out)
            case _:
                pass

    def conditional(self, node: cst.If, out: list[Step]) -> None:
        """`if`, with all its `elif`."""
        chain: list[cst.If] = [node]
        while isinstance(chain[-1].orelse, cst.If):
            chain.append(chain[-1].orelse)
        last = chain[-1].orelse
        otherwise = self.suite(last.body) if last is not None else ()
        acts = last is not None and _acts(last.body)
        arms: list[Arm] = []
        for one in reversed(chain):
            acts = acts or _acts(one.body)
            asked = self.test(one.test, acts=acts)
            arms.append(Arm(asked, self.text(one.test), self.line(one.test), self.suite(one.body)))
        out.append(Choice(tuple(reversed(arms)), otherwise, self.line(last.body) if last is not None else None))

    def attempt(self, node: cst.Try | cst.TryStar, out: list[Step]) -> None:
        """`try`, and `try` with `except*`."""
        handlers: list[Handler] = []
        for handler in node.handlers:
            kinds: list[Step] = []
            body: list[Step] = []
            if handler.type is not None:
                self.whole(handler.type, kinds)
            if handler.name is not None:
                self.bind(handler.name.name, body)
            body += self.suite(handler.body)
            catches_all = handler.type is None or _dotted(handler.type) == "BaseException"
            handlers.append(Handler(self.line(handler.body), tuple(kinds), tuple(body), catches_all))
        out.append(
            Try(
                self.line(node.body),
                self.suite(node.body),
                tuple(handlers),
                self.suite(node.orelse.body) if node.orelse is not None else (),
                self.suite(node.finalbody.body) if node.finalbody is not None else (),
            )
        )

    def matching(self, node: cst.Match, out: list[Step]) -> None:
        """`match`."""
        self.whole(node.subject, out)
        arms: list[Arm] = []
        for case in node.cases:
            text = f"case {self.text(case.pattern)}"
            tests: list[Test] = [self.pattern(node.subject, case.pattern)]
            bound: list[Step] = []
            for name in _captures(case.pattern):
                self.bind_name(name, bound)
            if bound:
                tests.append(Atom("", tuple(bound), constant=True))
            if case.guard is not None:
                text += f" if {self.text(case.guard)}"
                tests.append(self.test(case.guard, acts=_acts(case.body)))
            asked = tests[0] if len(tests) == 1 else AllOf(tuple(tests))
            arms.append(Arm(asked, text, self.line(case.pattern), self.suite(case.body)))
        out.append(Choice(tuple(arms)))

    def pattern(self, subject: cst.BaseExpression, node: cst.CSTNode) -> Test:
        """What a pattern asks of the subject."""
        text = f"case {self.text(node)}"
        match node:
            case cst.MatchAs(pattern=None):
                return Atom(text, constant=True)
            case cst.MatchAs(pattern=cst.MatchPattern() as inner):
                return self.pattern(subject, inner)
            case cst.MatchOr(patterns=patterns):
                return AnyOf(tuple(self.pattern(subject, one.pattern) for one in patterns))
            case cst.MatchSingleton(value=value) | cst.MatchValue(value=value):
                steps: list[Step] = []
                self.expression(value, steps)
                fact = self.question(subject)
                literal = isinstance(value, _LITERALS) or _is_name(value, "None", "True", "False")
                if fact is not None and literal:
                    fact = replace(fact, value=self.text(value))
                return Atom(text, tuple(steps), fact if literal else None)
            case _:
                steps = []
                for value in _pattern_values(node):
                    self.expression(value, steps)
                return Atom(text, tuple(steps))

    def function(self, node: cst.FunctionDef, out: list[Step]) -> None:
        """A nested function: what is evaluated at its `def`, and the names that it closes over."""
        for decorator in node.decorators:
            self.whole(decorator.decorator, out)
        self.defaults(node.params, out)
        if node.returns is not None:
            self.expression(node.returns.annotation, out)
        rebound = self.closure(node, out)
        is_first = node.name.value not in self.rebinding
        self.bind(node.name, out)
        if rebound and is_first and not (self.is_nested or self.in_class or node.decorators or node.asynchronous):
            # What a generator does, it does later.
            self.rebinding[node.name.value] = () if "yield" in self.text(node.body) else rebound

    def defaults(self, params: cst.Parameters, out: list[Step]) -> None:
        """What parameters evaluate where they stand."""
        for parameter in _parameters(params):
            if parameter.default is not None:
                self.expression(parameter.default, out)
            if parameter.annotation is not None:
                self.expression(parameter.annotation.annotation, out)

    def closure(self, node: cst.FunctionDef | cst.Lambda, out: list[Step]) -> tuple[str, ...]:
        """Read what a nested function takes from outside; give what a call of it rebinds there, for certain."""
        kept = (self.hidden, self.foreign, self.is_nested, self.in_class, self.strained, self.unhidden)
        self.hidden = self.unhidden if self.in_class else self.hidden
        self.foreign, self.is_nested, self.in_class = set(), True, False
        inner: list[Step] = []
        if isinstance(node, cst.Lambda):
            self.expression(node.body, inner)
        else:
            inner += self.suite(node.body)
        foreign = self.foreign
        self.hidden, self.foreign, self.is_nested, self.in_class, self.strained, self.unhidden = kept
        own = {parameter.name.value for parameter in _parameters(node.params)}
        reads: dict[str, None] = {}
        for step in all_steps(inner):
            match step:
                case Bind(name):
                    own |= {name} - foreign
                case Read(name):
                    reads[name] = None
                case _:
                    continue
        out += [Read(name) for name in reads if name not in own]
        return tuple(name for name in always_bound(tuple(inner)) if name in foreign)

    def class_(self, node: cst.ClassDef, out: list[Step]) -> None:
        """A nested class: its body runs where it stands, in a scope that its methods do not see."""
        for decorator in node.decorators:
            self.whole(decorator.decorator, out)
        for argument in (*node.bases, *node.keywords):
            self.whole(argument.value, out)
        kept = (self.hidden, self.in_class, self.unhidden)
        self.unhidden = self.unhidden if self.in_class else self.hidden
        self.in_class = True
        out += self.suite(node.body)
        self.hidden, self.in_class, self.unhidden = kept
        self.bind(node.name, out)

    # Targets.

    def bind(self, node: cst.CSTNode, out: list[Step]) -> None:
        """Add what assigning to a target does."""
        match node:
            case cst.Name(value=name):
                if self.in_class:
                    self.hidden |= {name}
                else:
                    self.bind_name(name, out)
            case cst.Tuple(elements=elements) | cst.List(elements=elements):
                out.append(Raises())
                for element in elements:
                    self.bind(element.value, out)
            case cst.Attribute(value=value):
                self.expression(value, out)
                self.touched(node, out)
            case cst.Subscript(value=value, slice=items):
                self.expression(value, out)
                for item in items:
                    self.expression(item, out)
                out.append(Raises())
                self.touched(node, out)
            case _:
                pass

    def bind_name(self, name: str, out: list[Step]) -> None:
        """Add what binding a name does."""
        if name not in self.hidden:
            out.append(Bind(name))
        self.rebinding[name] = ()

    def touched(self, node: cst.CSTNode, out: list[Step]) -> None:
        """What was known of the object that a target changes is known no longer."""
        path = _dotted(node.value if isinstance(node, cst.Subscript) else node)
        if path:
            out.append(Touch(path))

    def delete(self, node: cst.BaseExpression, out: list[Step]) -> None:
        """`del`, which says of a name that it is not needed."""
        match node:
            case cst.Name(value=name):
                if name not in self.hidden:
                    out.extend((Read(name), Bind(name)))
            case cst.Tuple(elements=elements) | cst.List(elements=elements):
                for element in elements:
                    self.delete(element.value, out)
            case _:
                self.bind(node, out)

    # Expressions.

    def whole(self, node: cst.BaseExpression, out: list[Step]) -> None:
        """Add the steps of an expression; what an attribute or an operator may raise comes at its end."""
        self.strained = False
        self.expression(node, out)
        if self.strained and not (out and isinstance(out[-1], Raises)):
            out.append(Raises())
        self.strained = False

    def expression(self, node: cst.CSTNode, out: list[Step]) -> None:
        """Add the steps of an expression, in the order of their evaluation."""
        match node:
            case cst.Name(value=name):
                if name not in self.hidden:
                    out.append(Read(name))
            case cst.Call():
                self.call(node, out)
            case cst.BooleanOperation():
                self.either(node, out)
            case cst.IfExp(test=test, body=body, orelse=orelse):
                asked = self.test(test, acts=self.text(body) != self.text(orelse))
                arm = Arm(asked, self.text(test), self.line(test), self.steps(body))
                out.append(Choice((arm,), self.steps(orelse)))
            case cst.Comparison(comparisons=[_, _, *_]):
                self.chain(node, out)
            case cst.NamedExpr(target=target, value=value):
                self.expression(value, out)
                if isinstance(target, cst.Name):
                    self.bind_name(target.value, out)
            case cst.Lambda():
                self.defaults(node.params, out)
                self.closure(node, out)
            case cst.ListComp() | cst.SetComp() | cst.GeneratorExp() | cst.DictComp():
                self.comprehension(node, node.for_in, out)
            case cst.Subscript() | cst.Await() | cst.Yield():
                self.children(node, out)
                out.append(Raises())
            case cst.Attribute() | cst.BinaryOperation():
                self.children(node, out)
                self.strained = True
            case _:
                self.children(node, out)

    def children(self, node: cst.CSTNode, out: list[Step]) -> None:
        """Add the steps of all that stands in a node."""
        for name in _code_fields(type(node)):
            value = getattr(node, name)
            for child in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(child, cst.CSTNode):
                    self.expression(child, out)

    def steps(self, node: cst.CSTNode) -> Block:
        """The steps of one expression."""
        out: list[Step] = []
        self.expression(node, out)
        return tuple(out)

    def call(self, node: cst.Call, out: list[Step]) -> None:
        """A call: what is called, its arguments, then itself."""
        self.expression(node.func, out)
        for argument in _evaluated(node.args):
            self.expression(argument.value, out)
        name = _dotted(node.func)
        is_everything = name in ("eval", "exec") or (name in ("locals", "vars") and not node.args)
        if is_everything and not self.is_nested:
            out.append(ReadAll())
        out.append(Call(self.line(node.func)))
        if name in ENDING_CALLS:
            out.append(Leave(Exit.RAISE))
            return
        out.append(Raises())
        if isinstance(node.func, cst.Name) and not self.is_nested:
            out += map(Bind, self.rebinding.get(node.func.value, ()))
        if isinstance(node.func, cst.Attribute):
            owner = _dotted(node.func.value)
            if owner:
                out.append(Touch(owner, is_certain=False))

    def either(self, node: cst.BooleanOperation, out: list[Step]) -> None:
        """`a and b` as a value: the right side is maybe evaluated."""
        kind = type(node.operator)
        operands = _operands(node, kind)
        steps = self.steps(operands[-1])
        for operand in reversed(operands[:-1]):
            asked = self.test(operand, acts=True)
            text, line = self.text(operand), self.line(operand)
            if kind is cst.And:
                steps = (Choice((Arm(asked, text, line, steps),)),)
            else:
                steps = (Choice((Arm(asked, text, line, ()),), steps),)
        out += steps

    def chain(self, node: cst.Comparison, out: list[Step]) -> None:
        """`a < b < c`: after the second, each operand is maybe evaluated."""
        first, *rest = node.comparisons
        self.expression(node.left, out)
        self.expression(first.comparator, out)
        steps: Block = ()
        text = f"{self.text(node.left)} {self.text(first)}"
        for target in reversed(rest):
            steps = (*self.steps(target.comparator), *steps)
            steps = (Choice((Arm(Atom(text), text, self.line(node), steps),)),)
        out += steps

    def comprehension(self, node: cst.BaseComp | cst.DictComp, loop: cst.CompFor, out: list[Step]) -> None:
        """A comprehension: its first iterable is evaluated at once, all else as often as there are elements."""
        self.expression(loop.iter, out)
        before = self.hidden
        out.append(self.round(node, loop))
        self.hidden = before

    def round(self, node: cst.BaseComp | cst.DictComp, loop: cst.CompFor) -> Step:
        """One `for` of a comprehension, and what stands in it."""
        text = f"for {self.text(loop.target)} in {self.text(loop.iter)}"
        bound: list[Step] = []
        was_class, self.in_class = self.in_class, False
        self.bind(loop.target, bound)
        self.in_class = was_class
        self.hidden |= {step.name for step in bound if isinstance(step, Bind)}
        inner: list[Step] = [step for step in bound if not isinstance(step, Bind)]
        if loop.inner_for_in is not None:
            self.expression(loop.inner_for_in.iter, inner)
            inner.append(self.round(node, loop.inner_for_in))
        elif isinstance(node, cst.DictComp):
            self.expression(node.key, inner)
            self.expression(node.value, inner)
        else:
            self.expression(node.elt, inner)  # type: ignore[attr-defined]
        for condition in reversed(loop.ifs):
            asked = self.test(condition.test, acts=True)
            arm = Arm(asked, self.text(condition.test), self.line(condition.test), tuple(inner))
            inner = [Choice((arm,))]
        return Loop(text, self.line(loop.target), tuple(inner))

    # Tests.

    def test(self, node: cst.BaseExpression, *, acts: bool) -> Test:
        """What is asked; a bare look at whether a name is there reads it only where something follows from it."""
        match node:
            case cst.BooleanOperation(operator=operator):
                operands = _operands(node, type(operator))
                tests = tuple(self.test(operand, acts=acts) for operand in operands)
                texts = tuple(self.text(operand) for operand in operands)
                lines = tuple(self.line(operand) for operand in operands)
                return (AllOf if isinstance(operator, cst.And) else AnyOf)(tests, texts, lines)
            case cst.UnaryOperation(operator=cst.Not(), expression=inner):
                return Negation(self.test(inner, acts=acts))
            case _:
                return self.atom(node, acts=acts)

    def atom(self, node: cst.BaseExpression, *, acts: bool) -> Atom:
        """A test without `and`, `or` and `not`."""
        text = self.text(node)
        if text in _CONSTANTS:
            return Atom(text, constant=_CONSTANTS[text])
        presence, absent = _presence(node)
        if presence in self.hidden:
            presence = None
        steps = () if presence is not None and not acts else self.steps(node)
        return Atom(text, steps, self.question(node), presence=presence, absent=absent)

    def question(self, node: cst.BaseExpression) -> Fact | None:
        """What a test asks, in a form that is the same for a test and its negation."""
        names, calls, is_firm = _mentions(node)
        if names is None or names & self.hidden:
            return None
        match node:
            case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=operator, comparator=right)]):
                sign, holds = _OPPOSITE[type(operator)]
                is_literal = isinstance(right, _LITERALS) or _is_name(right, "None", "True", "False")
                if sign in ("==", "is") and is_literal:
                    return Fact(self.text(left), self.text(right), holds, names, calls, is_firm)
                return Fact(f"{self.text(left)} {sign} {self.text(right)}", "", holds, names, calls, is_firm)
            case _:
                return Fact(self.text(node), "", holds=True, names=names, calls=calls, is_firm=is_firm)


_CONSTANTS = {"True": True, "1": True, "False": False, "0": False, "None": False, "TYPE_CHECKING": False}


def _operands(node: cst.BooleanOperation, kind: type[cst.CSTNode]) -> list[cst.BaseExpression]:
    """The operands of a chain of the same operator, however it nests."""
    found: list[cst.BaseExpression] = []
    pending: list[cst.BaseExpression] = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, cst.BooleanOperation) and isinstance(current.operator, kind):
            pending += [current.right, current.left]
        else:
            found.append(current)
    return found


def _evaluated(arguments: Sequence[cst.Arg]) -> list[cst.Arg]:
    """Arguments in the order of their evaluation: in `f(k=1, *xs)`, too, those by position come first."""
    return sorted(arguments, key=lambda argument: argument.keyword is not None or argument.star == "**")


def _presence(node: cst.BaseExpression) -> tuple[str | None, bool]:
    """The name that a test asks to be there, and the outcome where it is not."""
    match node:
        case cst.Name(value=name):
            return name, False
        case cst.Call(func=cst.Name(value="bool"), args=[cst.Arg(value=cst.Name(value=name), keyword=None, star="")]):
            return name, False
        case cst.Comparison(
            left=cst.Name(value=name),
            comparisons=[cst.ComparisonTarget(operator=operator, comparator=cst.Name(value="None"))],
        ):
            return name, isinstance(operator, (cst.Is, cst.Equal))
        case _:
            return None, False


def _mentions(node: cst.CSTNode) -> tuple[frozenset[str] | None, bool, bool]:
    """The names in a test (None where asking again makes no sense), whether it calls, whether it is firm."""
    names: set[str] = set()
    calls, is_firm = False, True
    pending: list[cst.CSTNode] = [node]
    while pending:
        current = pending.pop()
        match current:
            case cst.Name(value=name):
                names.add(name)
            case cst.Attribute():
                is_firm = False
                names.add(_dotted(current))
            case cst.Call() | cst.Subscript():
                is_firm = False
                calls = calls or isinstance(current, cst.Call)
            case cst.NamedExpr() | cst.Await() | cst.Yield() | cst.Lambda() | cst.FormattedString() | cst.BaseComp():
                return None, False, False
            case _:
                pass
        for name in _code_fields(type(current)):
            value = getattr(current, name)
            for child in value if isinstance(value, (list, tuple)) else (value,):
                pending += [child] if isinstance(child, cst.CSTNode) else []
    return frozenset(names), calls, is_firm


def _acts(body: cst.BaseSuite) -> bool:
    """A block does more than passing and logging."""
    return any(_statement_acts(statement) for statement in body.body)


def _statement_acts(statement: cst.CSTNode) -> bool:
    match statement:
        case cst.SimpleStatementLine(body=parts):
            return any(_statement_acts(part) for part in parts)
        case cst.If(body=body, orelse=orelse):
            if _acts(body):
                return True
            if isinstance(orelse, cst.If):
                return _statement_acts(orelse)
            return orelse is not None and _acts(orelse.body)
        case cst.Pass() | cst.Global() | cst.Nonlocal():
            return False
        case cst.Expr(value=cst.Ellipsis() | cst.SimpleString() | cst.ConcatenatedString()):
            return False
        case cst.Expr(value=cst.Call(func=func)):
            return not is_logging(_dotted(func))
        case _:
            return True


def _captures(node: cst.CSTNode) -> Iterator[str]:
    """The names that a pattern binds."""
    match node:
        case cst.MatchAs(pattern=inner, name=name):
            if name is not None:
                yield name.value
            if inner is not None:
                yield from _captures(inner)
        case cst.MatchStar(name=cst.Name(value=name)):
            yield name
        case cst.MatchMapping(elements=elements, rest=rest):
            for element in elements:
                yield from _captures(element.pattern)
            if rest is not None:
                yield rest.value
        case cst.MatchClass(patterns=patterns, kwds=keywords):
            yield from itertools.chain.from_iterable(_captures(one.value) for one in patterns)
            yield from itertools.chain.from_iterable(_captures(one.pattern) for one in keywords)
        case cst.MatchOr(patterns=alternatives):
            for alternative in alternatives:
                yield from _captures(alternative.pattern)
        case cst.MatchList(patterns=members) | cst.MatchTuple(patterns=members):
            for member in members:
                yield from _captures(member.value if isinstance(member, cst.MatchSequenceElement) else member)
        case _:
            return


def _pattern_values(node: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """The expressions in a pattern."""
    match node:
        case cst.MatchValue(value=value) | cst.MatchSingleton(value=value):
            yield value
        case cst.MatchAs(pattern=cst.MatchPattern() as inner):
            yield from _pattern_values(inner)
        case cst.MatchMapping(elements=elements):
            for element in elements:
                yield element.key
                yield from _pattern_values(element.pattern)
        case cst.MatchClass(cls=cls, patterns=patterns, kwds=keywords):
            yield cls
            yield from itertools.chain.from_iterable(_pattern_values(one.value) for one in patterns)
            yield from itertools.chain.from_iterable(_pattern_values(one.pattern) for one in keywords)
        case cst.MatchOr(patterns=alternatives):
            for alternative in alternatives:
                yield from _pattern_values(alternative.pattern)
        case cst.MatchList(patterns=members) | cst.MatchTuple(patterns=members):
            for member in members:
                yield from _pattern_values(member.value if isinstance(member, cst.MatchSequenceElement) else member)
        case _:
            return


def _is_name(node: cst.CSTNode, *names: str) -> bool:
    return isinstance(node, cst.Name) and node.value in names


def _root(node: cst.BaseExpression) -> cst.BaseExpression:
    while isinstance(node, cst.Attribute):
        node = node.value
    return node


def _dotted(node: cst.CSTNode) -> str:
    """`a.b.c`, or nothing for what is no dotted name."""
    match node:
        case cst.Name(value=name):
            return name
        case cst.Attribute(value=value, attr=attr):
            owner = _dotted(value)
            return f"{owner}.{attr.value}" if owner else ""
        case _:
            return ""
