"""The control flow of one function, read from mypy's tree. Imports mypy and `expressions`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mypy import nodes, patterns

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
from sigcheck.readers.mypy_nodes.bodies import is_stub
from sigcheck.readers.mypy_nodes.expressions import SourceText, children, elif_of, is_format


def read_flow(function: nodes.FuncDef, text: SourceText) -> Flow | None:
    """The control flow of a function; None where mypy has dropped its body."""
    if not function.body.body:
        return None
    names = tuple(argument.variable.name for argument in function.arguments)
    reader = _Reader(text)
    reader.rebinding |= dict.fromkeys(names, ())
    return Flow(function.line, names, reader.block(function.body), is_stub(function.body))


_LITERALS = (nodes.StrExpr, nodes.BytesExpr, nodes.IntExpr, nodes.FloatExpr)
_OPPOSITE = {
    "!=": ("==", False),
    "==": ("==", True),
    "is not": ("is", False),
    "is": ("is", True),
    "not in": ("in", False),
    "in": ("in", True),
    "<": ("<", True),
    ">=": ("<", False),
    ">": (">", True),
    "<=": (">", False),
}
_LOGS = frozenset({"log", "logger", "logging", "warnings"})
_ENDS = frozenset({"sys.exit", "exit", "quit", "os._exit", "os.abort", "assert_never"}) | {
    f"{module}.assert_never" for module in ("typing", "typing_extensions")
}


class _Reader:
    """From mypy's nodes to steps. What nested functions take from outside are reads here."""

    def __init__(self, text: SourceText) -> None:
        self.source = text
        self.hidden: frozenset[str] = frozenset()  # names of comprehensions and class bodies around, and `global` ones
        self.in_class = False
        self.unhidden: frozenset[str] = frozenset()  # what a function in a class body sees instead
        self.foreign: set[str] = set()  # declared `nonlocal`
        self.is_nested = False
        self.rebinding: dict[
            str, tuple[str, ...]
        ] = {}  # names bound so far; of a nested function, what calling it rebinds
        self.strained = False  # something in this statement may raise, that is said at its end

    def text(self, node: nodes.Node) -> str:
        """Its source, on one line."""
        return self.source.of(node)

    # Statements.

    def block(self, node: nodes.Block | None) -> Block:
        """The steps of one block."""
        out: list[Step] = []
        for statement in node.body if node is not None else ():
            self.statement(statement, out)
        return tuple(out)

    def statement(self, node: nodes.Statement, out: list[Step]) -> None:
        """Add the steps of one statement."""
        match node:
            case nodes.IfStmt():
                self.conditional(node, out)
            case nodes.WhileStmt():
                asked = self.test(node.expr, acts=_acts(node.body) or _acts(node.else_body))
                otherwise = self.block(node.else_body)
                out.append(Loop(self.text(node.expr), node.expr.line, self.block(node.body), otherwise, asked))
            case nodes.ForStmt():
                self.whole(node.expr, out)
                binding: list[Step] = []
                self.bind(node.index, binding)
                otherwise = self.block(node.else_body)
                text = f"for {self.text(node.index)} in {self.text(node.expr)}"
                out.append(Loop(text, node.index.line, (*binding, *self.block(node.body)), otherwise))
            case nodes.TryStmt():
                self.attempt(node, out)
            case nodes.WithStmt():
                for item, target in zip(node.expr, node.target, strict=True):
                    self.whole(item, out)
                    if target is not None:
                        self.bind(target, out)
                out += self.block(node.body)
            case nodes.MatchStmt():
                self.matching(node, out)
            case nodes.FuncDef():
                self.function(node, (), out)
            case nodes.Decorator():
                self.function(node.func, node.original_decorators, out)
            case nodes.OverloadedFuncDef():
                for definition in node.unanalyzed_items:
                    self.statement(definition, out)
            case nodes.ClassDef():
                self.class_(node, out)
            case nodes.Block():
                out += self.block(node)
            case _:
                self.small(node, out)

    def small(self, node: nodes.Statement, out: list[Step]) -> None:
        """Add the steps of a statement that holds no other."""
        match node:
            case nodes.ExpressionStmt():
                self.whole(node.expr, out)
            case nodes.AssignmentStmt():
                if not isinstance(node.rvalue, nodes.TempNode):
                    self.whole(node.rvalue, out)
                    for target in node.lvalues:
                        self.bind(target, out)
            case nodes.OperatorAssignmentStmt():
                self.whole(node.lvalue, out)
                self.whole(node.rvalue, out)
                out.append(Raises())
                if isinstance(node.lvalue, nodes.NameExpr):
                    self.bind(node.lvalue, out)
                else:
                    self.touched(node.lvalue, out)
            case nodes.AssertStmt():
                failing: list[Step] = []
                if node.msg is not None:
                    self.whole(node.msg, failing)
                failing.append(Leave(Exit.RAISE))
                asked = self.test(node.expr, acts=True)
                out.append(Choice((Arm(asked, self.text(node.expr), node.expr.line, ()),), tuple(failing)))
            case nodes.DelStmt():
                self.delete(node.expr, out)
            case nodes.ReturnStmt() | nodes.RaiseStmt() | nodes.BreakStmt() | nodes.ContinueStmt():
                self.leave(node, out)
            case _:
                self.declare(node, out)

    def leave(self, node: nodes.Statement, out: list[Step]) -> None:
        """Add what goes elsewhere."""
        match node:
            case nodes.ReturnStmt():
                if node.expr is not None:
                    self.whole(node.expr, out)
                out.append(Leave(Exit.RETURN))
            case nodes.RaiseStmt():
                for part in (node.expr, node.from_expr):
                    if part is not None:
                        self.whole(part, out)
                out.append(Leave(Exit.RAISE))
            case nodes.BreakStmt():
                out.append(Leave(Exit.BREAK))
            case nodes.ContinueStmt():
                out.append(Leave(Exit.CONTINUE))
            case _:
                pass

    def declare(self, node: nodes.Statement, out: list[Step]) -> None:
        """Add what only says something of names."""
        match node:
            case nodes.Import():
                out.append(Raises())
                for name, bound in node.ids:
                    self.bind_name(bound or name.partition(".")[0], out)
            case nodes.ImportFrom():
                out.append(Raises())
                for name, bound in node.names:
                    self.bind_name(bound or name, out)
            case nodes.ImportAll():
                out.append(Raises())
            case nodes.NonlocalDecl():
                self.foreign |= set(node.names)
            case nodes.GlobalDecl():
                self.hidden |= set(node.names)
            case nodes.TypeAliasStmt():
                self.bind(node.name, out)
            case _:
                pass

    def conditional(self, node: nodes.IfStmt, out: list[Step]) -> None:
        """`if`, with all its `elif`."""
        chain = [node]
        while (onward := elif_of(chain[-1])) is not None:
            chain.append(onward)
        last = chain[-1].else_body
        acts = _acts(last)
        arms: list[Arm] = []
        for one in reversed(chain):
            test, body = one.expr[0], one.body[0]
            acts = acts or _acts(body)
            arms.append(Arm(self.test(test, acts=acts), self.text(test), test.line, self.block(body)))
        line = self.source.header(last, "else", chain[-1].column) if last is not None else None
        out.append(Choice(tuple(reversed(arms)), self.block(last), line))

    def attempt(self, node: nodes.TryStmt, out: list[Step]) -> None:
        """`try`, and `try` with `except*`."""
        handlers: list[Handler] = []
        for kind, name, handler in zip(node.types, node.vars, node.handlers, strict=True):
            kinds: list[Step] = []
            body: list[Step] = []
            if kind is not None:
                self.whole(kind, kinds)
            if name is not None:
                self.bind(name, body)
            body += self.block(handler)
            catches_all = kind is None or _dotted(kind) == "BaseException"
            line = self.source.header(handler, "except", node.column)
            handlers.append(Handler(line, tuple(kinds), tuple(body), catches_all))
        body_steps = self.block(node.body)
        out.append(
            Try(node.line, body_steps, tuple(handlers), self.block(node.else_body), self.block(node.finally_body))
        )

    def matching(self, node: nodes.MatchStmt, out: list[Step]) -> None:
        """`match`."""
        self.whole(node.subject, out)
        arms: list[Arm] = []
        for pattern, guard, body in zip(node.patterns, node.guards, node.bodies, strict=True):
            text = f"case {self.text(pattern)}"
            tests: list[Test] = [self.pattern(node.subject, pattern)]
            bound: list[Step] = [Bind(name) for name in _captures(pattern)]
            self.rebinding |= dict.fromkeys(_captures(pattern), ())
            if bound:
                tests.append(Atom("", tuple(bound), constant=True))
            if guard is not None:
                text += f" if {self.text(guard)}"
                tests.append(self.test(guard, acts=_acts(body)))
            asked = tests[0] if len(tests) == 1 else AllOf(tuple(tests))
            arms.append(Arm(asked, text, pattern.line, self.block(body)))
        out.append(Choice(tuple(arms)))

    def pattern(self, subject: nodes.Expression, node: patterns.Pattern) -> Test:
        """What a pattern asks of the subject."""
        text = f"case {self.text(node)}"
        match node:
            case patterns.AsPattern():
                return Atom(text, constant=True) if node.pattern is None else self.pattern(subject, node.pattern)
            case patterns.OrPattern():
                return AnyOf(tuple(self.pattern(subject, one) for one in node.patterns))
            case patterns.ValuePattern():
                return self.value_pattern(subject, node.expr, text)
            case patterns.SingletonPattern():
                fact = self.question(subject)
                return Atom(text, (), replace(fact, value=str(node.value)) if fact is not None else None)
            case _:
                return Atom(text, tuple(step for value in _pattern_values(node) for step in self.steps(value)))

    def value_pattern(self, subject: nodes.Expression, value: nodes.Expression, text: str) -> Test:
        """`case 1`."""
        fact = self.question(subject)
        literal = isinstance(value, _LITERALS)
        if fact is not None and literal:
            fact = replace(fact, value=self.text(value))
        return Atom(text, self.steps(value), fact if literal else None)

    def function(self, node: nodes.FuncDef, decorators: Sequence[nodes.Expression], out: list[Step]) -> None:
        """A nested function: what is evaluated at its `def`, and the names that it closes over."""
        for decorator in decorators:
            self.whole(decorator, out)
        self.defaults(node, out)
        rebound = self.closure(node, out)
        is_first = node.name not in self.rebinding
        self.bind_name(node.name, out)
        if is_first and not (self.is_nested or self.in_class or decorators or node.is_coroutine or node.is_generator):
            self.rebinding[node.name] = rebound

    def defaults(self, node: nodes.FuncItem, out: list[Step]) -> None:
        """What parameters evaluate where they stand."""
        for argument in node.arguments:
            if argument.initializer is not None:
                self.expression(argument.initializer, out)

    def closure(self, node: nodes.FuncItem, out: list[Step]) -> tuple[str, ...]:
        """Read what a nested function takes from outside; give what a call of it rebinds there, for certain."""
        kept = (self.hidden, self.foreign, self.is_nested, self.in_class, self.strained, self.unhidden)
        self.hidden = self.unhidden if self.in_class else self.hidden
        self.foreign, self.is_nested, self.in_class = set(), True, False
        inner = self.block(node.body)
        foreign = self.foreign
        self.hidden, self.foreign, self.is_nested, self.in_class, self.strained, self.unhidden = kept
        own = {argument.variable.name for argument in node.arguments}
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
        return tuple(name for name in always_bound(inner) if name in foreign)

    def class_(self, node: nodes.ClassDef, out: list[Step]) -> None:
        """A nested class: its body runs where it stands, in a scope that its methods do not see."""
        for expression in (*node.decorators, *node.base_type_exprs, *node.keywords.values()):
            self.whole(expression, out)
        kept = (self.hidden, self.in_class, self.unhidden)
        self.unhidden = self.unhidden if self.in_class else self.hidden
        self.in_class = True
        out += self.block(node.defs)
        self.hidden, self.in_class, self.unhidden = kept
        self.bind_name(node.name, out)

    # Targets.

    def bind_name(self, name: str, out: list[Step]) -> None:
        """Add what binding a name does."""
        if self.in_class:
            self.hidden |= {name}
        elif name not in self.hidden:
            out.append(Bind(name))
        self.rebinding[name] = ()

    def bind(self, node: nodes.Expression, out: list[Step]) -> None:
        """Add what assigning to a target does."""
        match node:
            case nodes.NameExpr():
                self.bind_name(node.name, out)
            case nodes.TupleExpr() | nodes.ListExpr():
                out.append(Raises())
                for element in node.items:
                    self.bind(element, out)
            case nodes.StarExpr():
                self.bind(node.expr, out)
            case nodes.MemberExpr():
                self.expression(node.expr, out)
                self.touched(node, out)
            case nodes.IndexExpr():
                self.expression(node.base, out)
                self.expression(node.index, out)
                out.append(Raises())
                self.touched(node, out)
            case _:
                pass

    def touched(self, node: nodes.Expression, out: list[Step]) -> None:
        """What was known of the object that a target changes is known no longer."""
        path = _dotted(node.base if isinstance(node, nodes.IndexExpr) else node)
        if path:
            out.append(Touch(path))

    def delete(self, node: nodes.Expression, out: list[Step]) -> None:
        """`del`, which says of a name that it is not needed."""
        match node:
            case nodes.NameExpr():
                if node.name not in self.hidden:
                    out.extend((Read(node.name), Bind(node.name)))
            case nodes.TupleExpr() | nodes.ListExpr():
                for element in node.items:
                    self.delete(element, out)
            case _:
                self.bind(node, out)

    # Expressions.

    def whole(self, node: nodes.Expression, out: list[Step]) -> None:
        """Add the steps of an expression; what an attribute or an operator may raise comes at its end."""
        self.strained = False
        self.expression(node, out)
        if self.strained and not (out and isinstance(out[-1], Raises)):
            out.append(Raises())
        self.strained = False

    def expression(self, node: nodes.Node, out: list[Step]) -> None:
        """Add the steps of an expression, in the order of their evaluation."""
        match node:
            case nodes.NameExpr():
                if node.name not in self.hidden and node.name not in _KEYWORDS:
                    out.append(Read(node.name))
            case nodes.CallExpr():
                self.call(node, out)
            case nodes.OpExpr() if node.op in ("and", "or"):
                self.either(node, out)
            case nodes.ConditionalExpr():
                asked = self.test(node.cond, acts=self.text(node.if_expr) != self.text(node.else_expr))
                arm = Arm(asked, self.text(node.cond), node.cond.line, self.steps(node.if_expr))
                out.append(Choice((arm,), self.steps(node.else_expr)))
            case nodes.ComparisonExpr() if len(node.operators) > 1:
                self.chain(node, out)
            case nodes.AssignmentExpr():
                self.expression(node.value, out)
                if node.target.name not in self.hidden:
                    out.append(Bind(node.target.name))
                self.rebinding[node.target.name] = ()
            case nodes.LambdaExpr():
                self.defaults(node, out)
                self.closure(node, out)
            case nodes.ListComprehension() | nodes.SetComprehension():
                self.comprehension(node.generator, out)
            case nodes.GeneratorExpr() | nodes.DictionaryComprehension():
                self.comprehension(node, out)
            case nodes.IndexExpr() | nodes.AwaitExpr() | nodes.YieldExpr() | nodes.YieldFromExpr():
                self.children(node, out)
                out.append(Raises())
            case nodes.MemberExpr() | nodes.SuperExpr() | nodes.OpExpr():
                self.children(node, out)
                self.strained = True
            case _:
                self.children(node, out)

    def children(self, node: nodes.Node, out: list[Step]) -> None:
        """Add the steps of all that stands in a node."""
        for child in children(node):
            self.expression(child, out)

    def steps(self, node: nodes.Expression) -> Block:
        """The steps of one expression."""
        out: list[Step] = []
        self.expression(node, out)
        return tuple(out)

    def call(self, node: nodes.CallExpr, out: list[Step]) -> None:
        """A call: what is called, its arguments, then itself."""
        if is_format(node):
            for argument in node.args:
                self.expression(argument, out)
            return
        self.children(node, out)
        name = _dotted(node.callee)
        is_everything = name in ("eval", "exec") or (name in ("locals", "vars") and not node.args)
        if is_everything and not self.is_nested:
            out.append(ReadAll())
        out.append(Call(node.callee.line))
        if name in _ENDS:
            out.append(Leave(Exit.RAISE))
            return
        out.append(Raises())
        if isinstance(node.callee, nodes.NameExpr) and not self.is_nested:
            out += map(Bind, self.rebinding.get(node.callee.name, ()))
        if isinstance(node.callee, nodes.MemberExpr):
            owner = _dotted(node.callee.expr)
            if owner:
                out.append(Touch(owner, is_certain=False))

    def either(self, node: nodes.OpExpr, out: list[Step]) -> None:
        """`a and b` as a value: the right side is maybe evaluated."""
        operands = _operands(node)
        steps = self.steps(operands[-1])
        for operand in reversed(operands[:-1]):
            asked = self.test(operand, acts=True)
            text = self.text(operand)
            if node.op == "and":
                steps = (Choice((Arm(asked, text, operand.line, steps),)),)
            else:
                steps = (Choice((Arm(asked, text, operand.line, ()),), steps),)
        out += steps

    def chain(self, node: nodes.ComparisonExpr, out: list[Step]) -> None:
        """`a < b < c`: after the second, each operand is maybe evaluated."""
        left, first, *rest = node.operands
        self.expression(left, out)
        self.expression(first, out)
        steps: Block = ()
        text = f"{self.text(left)} {node.operators[0]} {self.text(first)}"
        for operand in reversed(rest):
            steps = (*self.steps(operand), *steps)
            steps = (Choice((Arm(Atom(text), text, node.line, steps),)),)
        out += steps

    def comprehension(self, node: nodes.GeneratorExpr | nodes.DictionaryComprehension, out: list[Step]) -> None:
        """A comprehension: its first iterable is evaluated at once, all else as often as there are elements."""
        self.expression(node.sequences[0], out)
        before = self.hidden
        out.append(self.round(node, 0))
        self.hidden = before

    def round(self, node: nodes.GeneratorExpr | nodes.DictionaryComprehension, index: int) -> Step:
        """One `for` of a comprehension, and what stands in it."""
        target, sequence = node.indices[index], node.sequences[index]
        text = f"for {self.text(target)} in {self.text(sequence)}"
        bound: list[Step] = []
        was_class, self.in_class = self.in_class, False
        self.bind(target, bound)
        self.in_class = was_class
        self.hidden |= {step.name for step in bound if isinstance(step, Bind)}
        inner: list[Step] = [step for step in bound if not isinstance(step, Bind)]
        if index + 1 < len(node.indices):
            self.expression(node.sequences[index + 1], inner)
            inner.append(self.round(node, index + 1))
        elif isinstance(node, nodes.DictionaryComprehension):
            for part in (node.key, node.value):
                if part is not None:
                    self.expression(part, inner)
        else:
            self.expression(node.left_expr, inner)
        for condition in reversed(node.condlists[index]):
            asked = self.test(condition, acts=True)
            inner = [Choice((Arm(asked, self.text(condition), condition.line, tuple(inner)),))]
        return Loop(text, target.line, tuple(inner))

    # Tests.

    def test(self, node: nodes.Expression, *, acts: bool) -> Test:
        """What is asked; a bare look at whether a name is there reads it only where something follows from it."""
        match node:
            case nodes.OpExpr() if node.op in ("and", "or"):
                operands = _operands(node)
                tests = tuple(self.test(operand, acts=acts) for operand in operands)
                texts = tuple(self.text(operand) for operand in operands)
                lines = tuple(operand.line for operand in operands)
                return (AllOf if node.op == "and" else AnyOf)(tests, texts, lines)
            case nodes.UnaryExpr() if node.op == "not":
                return Negation(self.test(node.expr, acts=acts))
            case _:
                return self.atom(node, acts=acts)

    def atom(self, node: nodes.Expression, *, acts: bool) -> Atom:
        """A test without `and`, `or` and `not`."""
        text = self.text(node)
        if text in _CONSTANTS:
            return Atom(text, constant=_CONSTANTS[text])
        presence, absent = _presence(node)
        if presence in self.hidden:
            presence = None
        steps = () if presence is not None and not acts else self.steps(node)
        return Atom(text, steps, self.question(node), presence=presence, absent=absent)

    def question(self, node: nodes.Expression) -> Fact | None:
        """What a test asks, in a form that is the same for a test and its negation."""
        names, calls, is_firm = _mentions(node)
        if names is None or names & self.hidden:
            return None
        if isinstance(node, nodes.ComparisonExpr) and len(node.operators) == 1:
            left, right = node.operands
            sign, holds = _OPPOSITE[node.operators[0]]
            is_literal = isinstance(right, _LITERALS) or _is_name(right, "None", "True", "False")
            if sign in ("==", "is") and is_literal:
                return Fact(self.text(left), self.text(right), holds, names, calls, is_firm)
            return Fact(f"{self.text(left)} {sign} {self.text(right)}", "", holds, names, calls, is_firm)
        return Fact(self.text(node), "", holds=True, names=names, calls=calls, is_firm=is_firm)


_CONSTANTS = {"True": True, "1": True, "False": False, "0": False, "None": False, "TYPE_CHECKING": False}
_KEYWORDS = frozenset({"True", "False", "None"})


def _operands(node: nodes.OpExpr) -> list[nodes.Expression]:
    """The operands of a chain of the same operator, however it nests."""
    found: list[nodes.Expression] = []
    pending: list[nodes.Expression] = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, nodes.OpExpr) and current.op == node.op:
            pending += [current.right, current.left]
        else:
            found.append(current)
    return found


def _presence(node: nodes.Expression) -> tuple[str | None, bool]:
    """The name that a test asks to be there, and the outcome where it is not."""
    match node:
        case nodes.NameExpr():
            return node.name, False
        case nodes.CallExpr() if _is_name(node.callee, "bool") and node.arg_kinds == [nodes.ARG_POS]:
            argument = node.args[0]
            return (argument.name if isinstance(argument, nodes.NameExpr) else None), False
        case nodes.ComparisonExpr() if len(node.operators) == 1 and _is_name(node.operands[1], "None"):
            left = node.operands[0]
            if isinstance(left, nodes.NameExpr):
                return left.name, node.operators[0] in ("is", "==")
            return None, False
        case _:
            return None, False


_ASKED_ONCE = (
    nodes.AssignmentExpr,
    nodes.AwaitExpr,
    nodes.YieldExpr,
    nodes.YieldFromExpr,
    nodes.LambdaExpr,
    nodes.GeneratorExpr,
    nodes.DictionaryComprehension,
)


def _mentions(node: nodes.Node) -> tuple[frozenset[str] | None, bool, bool]:
    """The names in a test (None where asking again makes no sense), whether it calls, whether it is firm."""
    names: set[str] = set()
    calls, is_firm = False, True
    pending: list[nodes.Node] = [node]
    while pending:
        current = pending.pop()
        match current:
            case nodes.NameExpr():
                names.add(current.name)
            case nodes.MemberExpr():
                is_firm = False
                names.add(_dotted(current))
            case nodes.CallExpr() | nodes.IndexExpr():
                if is_format(current):
                    return None, False, False
                is_firm = False
                calls = calls or isinstance(current, nodes.CallExpr)
            case _ if isinstance(current, _ASKED_ONCE):
                return None, False, False
            case _:
                pass
        pending += children(current)
    return frozenset(names), calls, is_firm


def _acts(body: nodes.Block | None) -> bool:
    """A block does more than passing and logging."""
    return body is not None and any(_statement_acts(statement) for statement in body.body)


def _statement_acts(statement: nodes.Statement) -> bool:
    match statement:
        case nodes.IfStmt():
            return _acts(statement.body[0]) or _acts(statement.else_body)
        case nodes.PassStmt() | nodes.GlobalDecl() | nodes.NonlocalDecl():
            return False
        case nodes.ExpressionStmt():
            value = statement.expr
            if isinstance(value, nodes.CallExpr):
                return not _is_logging(value.callee)
            return not isinstance(value, (nodes.EllipsisExpr, nodes.StrExpr))
        case _:
            return True


def _is_logging(func: nodes.Expression) -> bool:
    name = _dotted(func)
    owner = name.rpartition(".")[0].rpartition(".")[2].strip("_").lower()
    return name == "print" or owner in _LOGS


def _captures(node: nodes.Node | None) -> Iterator[str]:
    """The names that a pattern binds."""
    match node:
        case patterns.AsPattern():
            if node.name is not None:
                yield node.name.name
            yield from _captures(node.pattern)
        case patterns.StarredPattern():
            if node.capture is not None:
                yield node.capture.name
        case patterns.MappingPattern():
            for value in node.values:
                yield from _captures(value)
            if node.rest is not None:
                yield node.rest.name
        case patterns.ClassPattern():
            for one in (*node.positionals, *node.keyword_values):
                yield from _captures(one)
        case patterns.OrPattern() | patterns.SequencePattern():
            for one in node.patterns:
                yield from _captures(one)
        case _:
            return


def _pattern_values(node: nodes.Node | None) -> Iterator[nodes.Expression]:
    """The expressions in a pattern."""
    match node:
        case patterns.ValuePattern():
            yield node.expr
        case patterns.AsPattern():
            yield from _pattern_values(node.pattern)
        case patterns.MappingPattern():
            for key, value in zip(node.keys, node.values, strict=True):
                yield key
                yield from _pattern_values(value)
        case patterns.ClassPattern():
            yield node.class_ref
            for one in (*node.positionals, *node.keyword_values):
                yield from _pattern_values(one)
        case patterns.OrPattern() | patterns.SequencePattern():
            for one in node.patterns:
                yield from _pattern_values(one)
        case _:
            return


def _is_name(node: nodes.Node, *names: str) -> bool:
    return isinstance(node, nodes.NameExpr) and node.name in names


def _dotted(node: nodes.Node) -> str:
    """`a.b.c`, or nothing for what is no dotted name."""
    if isinstance(node, nodes.NameExpr):
        return node.name
    if isinstance(node, nodes.MemberExpr):
        owner = _dotted(node.expr)
        return f"{owner}.{node.name}" if owner else ""
    return ""
