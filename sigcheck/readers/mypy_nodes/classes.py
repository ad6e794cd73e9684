"""Classes and methods of a module that mypy has analysed. The one place that knows what mypy's statements define.

Every branch is followed, also where mypy calls it unreachable: definitions under `if`, `try` and `match` are all kept, each
with the tests it stands under. What a name refers to, mypy has found out already.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from mypy import nodes
from mypy.types import (
    AnyType,
    CallableType,
    Instance,
    ParamSpecType,
    Type,
    TypedDictType,
    UnboundType,
    get_proper_type,
)

from sigcheck.core.dataclass import dataclass, field, replace
from sigcheck.core.decorators import Decorators
from sigcheck.core.member import Alias, Flavour, Member
from sigcheck.core.module import Class, TypedField
from sigcheck.core.place import Branch, Condition, Place
from sigcheck.core.regex import regex
from sigcheck.core.signature import Kind, Parameter, Signature
from sigcheck.core.wrapper import Wrapper, same_wrapper
from sigcheck.readers.conventions import (
    Body,
    Draft,
    Word,
    attribute_reference,
    bind_function,
    bound_again,
    condition_of,
    declared_as,
    dotted_meaning,
    is_coroutine,
    origin_of,
    read_words,
    returns_callable,
)
from sigcheck.readers.mypy_nodes.bodies import Context, read_body
from sigcheck.readers.mypy_nodes.expressions import SourceText, elif_of, last_name
from sigcheck.readers.mypy_nodes.references import References
from sigcheck.readers.mypy_signatures import KINDS
from sigcheck.readers.scope import Meaning, Scope, ScopeKind, join


@dataclass(frozen=True, slots=True)
class ReadClass:
    """One class statement as a core value, with mypy's node.

    Attributes:
        value: what `core` checks.
        definition: the statement.
        functions: those around it, the outermost first.
        members: the nodes of its methods, by their places.
    """

    value: Class
    definition: nodes.ClassDef
    functions: tuple[nodes.FuncDef, ...] = ()
    members: Mapping[Place, nodes.FuncDef] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadModule:
    """What was read of a module.

    Attributes:
        classes: in the order of the source.
        functions: reads the functions of that name, one for each branch.
        left_out: the references of the classes that were not wanted.
    """

    classes: tuple[ReadClass, ...] = ()
    functions: Callable[[str], tuple[Member, ...]] = lambda _name: ()
    left_out: frozenset[str] = frozenset()


def read_module(
    tree: nodes.MypyFile,
    references: References,
    text: SourceText,
    decorators: Decorators,
    with_classes: Collection[nodes.FuncDef] = (),
    *,
    wants: Callable[[nodes.ClassDef], bool] = lambda _: True,
    wants_method: Callable[[nodes.FuncDef | nodes.Decorator], bool] = lambda _: True,
    wants_calls: Callable[[nodes.FuncDef], bool] = lambda _: True,
) -> ReadModule:
    """The classes of a module, and its functions when they are asked for.

    Args:
        tree: the module, its semantic analysis done.
        references: names what expressions refer to.
        text: the text of the file.
        decorators: what the configuration says of them.
        with_classes: functions in whose bodies there are class statements; others are not searched for any.
        wants: whether what stands in a class is to be read; the others are left out.
        wants_method: whether a method is to be read; of the others is left that there is something.
        wants_calls: whether it is to be read what a method does with its receiver.
    """
    reader = _Reader(
        tree,
        references,
        text,
        decorators,
        with_classes,
        wants=wants,
        wants_method=wants_method,
        wants_calls=wants_calls,
    )
    reader.block(tree.defs, reader.module_scope, ())

    def functions(name: str) -> tuple[Member, ...]:
        return tuple(
            reader.read_function(node, words, reader.module_scope, branch)
            for node, words, branch in reader.module_functions.get(name, ())
        )

    drafts = reader.drafts.values()
    left_out = frozenset(draft.value.id for draft in drafts if not draft.is_wanted)
    return ReadModule(tuple(draft.read() for draft in drafts if draft.is_wanted), functions, left_out)


@dataclass(slots=True)
class _Draft:
    """A class underway, with mypy's nodes."""

    value: Draft
    definition: nodes.ClassDef
    functions: tuple[nodes.FuncDef, ...]
    is_wanted: bool
    nodes: dict[Place, nodes.FuncDef] = field(default_factory=dict)

    def read(self) -> ReadClass:
        return ReadClass(self.value.finished(), self.definition, self.functions, self.nodes)


class _Reader:
    def __init__(
        self,
        tree: nodes.MypyFile,
        references: References,
        text: SourceText,
        decorators: Decorators,
        with_classes: Collection[nodes.FuncDef],
        *,
        wants: Callable[[nodes.ClassDef], bool],
        wants_method: Callable[[nodes.FuncDef | nodes.Decorator], bool],
        wants_calls: Callable[[nodes.FuncDef], bool],
    ) -> None:
        self.name = tree.fullname
        self.package = self.name if tree.is_package_init_file() else self.name.rpartition(".")[0]
        self.module_functions: dict[str, list[tuple[nodes.FuncDef, Sequence[nodes.Expression], Branch]]] = {}
        self.local_functions: dict[str, nodes.FuncDef] = {}
        self.refers = references
        self.text = text
        self.decorators = decorators
        self.with_classes = {id(function) for function in with_classes}
        self.wants = wants
        self.wants_method = wants_method
        self.wants_calls = wants_calls
        self.drafts: dict[str, _Draft] = {}
        self.module_scope = Scope(ScopeKind.MODULE)
        self.functions: list[nodes.FuncDef] = []
        self.wrappers: dict[nodes.FuncDef, tuple[Wrapper, ...]] = {}

    # Statements.

    def block(self, statements: Sequence[nodes.Statement], scope: Scope, branch: Branch) -> None:
        """Read the statements of one block, in order."""
        for statement in statements:
            match statement:
                case nodes.FuncDef() | nodes.Decorator():
                    self.function(statement, scope, branch)
                case nodes.OverloadedFuncDef():
                    self.block(statement.unanalyzed_items, scope, branch)
                case nodes.ClassDef():
                    self.class_(statement, scope, branch)
                case nodes.AssignmentStmt():
                    self.assignment(statement, scope, branch)
                case nodes.IfStmt():
                    self.if_(statement, scope, branch)
                case nodes.TryStmt():
                    self.try_(statement, scope, branch)
                case nodes.WithStmt():
                    self.block(statement.body.body, scope, branch)
                case nodes.ForStmt() | nodes.WhileStmt():
                    before = dict(scope.names)
                    self.block(statement.body.body, scope, branch)
                    if statement.else_body is not None:
                        self.block(statement.else_body.body, scope, branch)
                    scope.names = join(before, scope.names)
                case nodes.MatchStmt():
                    self.match(statement, scope, branch)
                case nodes.Block():
                    self.block(statement.body, scope, branch)
                case nodes.Import() | nodes.ImportFrom():
                    self.import_(statement, scope)
                case nodes.DelStmt() if isinstance(statement.expr, nodes.NameExpr):
                    scope.names.pop(statement.expr.name, None)
                case _:
                    continue

    def import_(self, statement: nodes.Import | nodes.ImportFrom, scope: Scope) -> None:
        """`import a.b`, `from a.b import c as d`: absolute references."""
        if isinstance(statement, nodes.Import):
            for name, bound in statement.ids:
                top = name.partition(".")[0]
                scope.bind(bound or top, f"{name if bound else top}:")
            return
        origin = self.origin(statement)
        for name, bound in statement.names:
            scope.bind(bound or name, f"{origin}:{name}")

    def if_(self, node: nodes.IfStmt, scope: Scope, branch: Branch) -> None:
        """Both sides, and what a name means behind them."""
        sides: list[dict[str, tuple[Meaning, ...]]] = []
        before = dict(scope.names)
        failed: Branch = ()
        current: nodes.IfStmt | None = node
        while current is not None:
            scope.names = dict(before)
            test, line = self.text.of(current.expr[0]), current.expr[0].line
            inner = tuple(replace(other, line=line) for other in failed)
            self.block(current.body[0].body, scope, (*branch, *inner, condition_of(test, line, holds=True)))
            sides.append(scope.names)
            failed = (*failed, condition_of(test, line, holds=False))
            other = current.else_body
            if other is None:
                sides.append(before)
                break
            onward = elif_of(current)
            if onward is not None:
                current = onward
                continue
            scope.names = dict(before)
            line = self.text.header(other, "else", current.column)
            self.block(other.body, scope, (*branch, *(replace(test, line=line) for test in failed)))
            sides.append(scope.names)
            break
        scope.names = join(*sides)

    def try_(self, node: nodes.TryStmt, scope: Scope, branch: Branch) -> None:
        """The body with its `else`, or one of the handlers; then `finally`."""
        line = node.line
        test = f"the try of line {line} succeeds"
        before = dict(scope.names)
        self.block(node.body.body, scope, (*branch, Condition(test, True, line, self.name)))
        begun = join(before, scope.names)
        if node.else_body is not None:
            self.block(node.else_body.body, scope, (*branch, Condition(test, True, line, self.name)))
        sides = [scope.names]
        for handler in node.handlers:
            scope.names = dict(begun)
            line = self.text.header(handler, "except", node.column)
            self.block(handler.body, scope, (*branch, Condition(test, False, line, self.name)))
            if not (handler.body and isinstance(handler.body[-1], nodes.RaiseStmt)):
                # What the handler binds again replaces what the body bound before it failed.
                sides.append(scope.names)
        scope.names = join(*sides)
        if node.finally_body is not None:
            self.block(node.finally_body.body, scope, branch)

    def match(self, node: nodes.MatchStmt, scope: Scope, branch: Branch) -> None:
        """One of the cases, or none."""
        before = dict(scope.names)
        sides = [before]
        subject = self.text.of(node.subject)
        failed: Branch = ()
        for pattern, guard, body in zip(node.patterns, node.guards, node.bodies, strict=True):
            scope.names = dict(before)
            line = self.text.header(body, "case", None)
            condition = f" if {self.text.of(guard)}" if guard is not None else ""
            test = Condition(f"match {subject}: case {self.text.of(pattern)}{condition}", True, line, self.name)
            self.block(body.body, scope, (*branch, *(replace(other, line=line) for other in failed), test))
            sides.append(scope.names)
            failed = (*failed, replace(test, holds=False))
        scope.names = join(*sides)

    def assignment(self, node: nodes.AssignmentStmt, scope: Scope, branch: Branch) -> None:
        """`name = value` in a class, `Class.name = value` behind it, `Pair = NamedTuple(...)`."""
        if isinstance(node.rvalue, nodes.TempNode):
            return  # A declaration without a value.
        for target in node.lvalues:
            self.assign(target, node.rvalue, node, scope, branch)

    def assign(
        self,
        target: nodes.Expression,
        value: nodes.Expression,
        statement: nodes.AssignmentStmt,
        scope: Scope,
        branch: Branch,
    ) -> None:
        """One target of an assignment."""
        match target:
            case nodes.NameExpr():
                if scope.kind is ScopeKind.CLASS:
                    made = self.assigned_members(target.name, value, statement, scope, branch)
                    if statement.unanalyzed_type is not None:
                        made = declared_as(_written(statement.unanalyzed_type), made)
                    scope.bind(target.name, *made)
                elif isinstance(value, _REFERRING):
                    scope.bind(target.name, *self.references(value, scope))
                else:
                    scope.names.pop(target.name, None)  # What it is, mypy knows.
            case nodes.MemberExpr() if isinstance(target.expr, nodes.NameExpr) and scope is self.module_scope:
                for meaning in scope.names.get(target.expr.name, ()):
                    draft = self.drafts.get(meaning) if isinstance(meaning, str) else None
                    if draft is not None:
                        found = self.assigned_members(target.name, value, statement, scope, branch)
                        draft.value.patched += [member for member in found if isinstance(member, Member)]
            case nodes.TupleExpr() | nodes.ListExpr():
                parts = value.items if isinstance(value, (nodes.TupleExpr, nodes.ListExpr)) else []
                is_paired = len(parts) == len(target.items) and not any(
                    isinstance(part, nodes.StarExpr) for part in (*parts, *target.items)
                )
                for index, element in enumerate(target.items):
                    if is_paired:
                        self.assign(element, parts[index], statement, scope, branch)
                    elif isinstance(element, nodes.NameExpr):
                        name = element.name
                        unknown = self.opaque(name, statement, branch)
                        scope.bind(name, unknown if scope.kind is ScopeKind.CLASS else f"?{name}")
            case _:
                return

    # Classes.

    def class_(self, node: nodes.ClassDef, scope: Scope, branch: Branch) -> None:
        """A class statement, and everything in it."""
        qualified = scope.prefix + node.name
        class_id = f"{self.name}:{qualified}"
        count = 2
        while class_id in self.drafts:
            class_id = f"{self.name}:{qualified}#{count}"
            count += 1
        self.refers.define(class_id, node)
        inner = Scope(ScopeKind.CLASS, f"{qualified}.", scope)
        value = Draft(
            class_id,
            f"{self.name}.{qualified}",
            self.place(node.line, node.column + len("class ") + 1, node.name),
            _header_end(node.line, node.defs, [*node.base_type_exprs, *node.keywords.values()]),
            tuple(self.bases(node, scope)),
            branch,
            inner,
            bool(node.decorators),
        )
        is_wanted = self.wants(node)
        self.drafts[class_id] = _Draft(value, node, tuple(self.functions), is_wanted)
        if is_wanted:
            self.block(node.defs.body, inner, branch)
            value.fields = tuple(_typed_fields(node))
        scope.bind(node.name, class_id)

    def bases(self, node: nodes.ClassDef, scope: Scope) -> Iterator[tuple[str, ...]]:
        """What each base expression may mean."""
        for base in node.base_type_exprs:
            if isinstance(base, nodes.CallExpr) and last_name(base.callee) == "with_metaclass":
                for inner in base.args[1:]:
                    yield self.references(inner, scope)
            else:
                yield self.references(base, scope)

    def references(self, node: nodes.Expression, scope: Scope) -> tuple[str, ...]:
        """What an expression may mean: all that the source says of a name, or else what mypy bound it to."""
        match node:
            case nodes.NameExpr():
                return self.name_references(node, scope)
            case nodes.MemberExpr():
                known = self.refers.of(node, self.text)
                if not known[0].startswith("?") and not isinstance(node.expr, nodes.NameExpr):
                    return known
                owners = self.references(node.expr, scope)
                if all(owner.startswith("?") for owner in owners):
                    return known
                return tuple(
                    f"?{self.text.of(node)}" if owner.startswith("?") else attribute_reference(owner, node.name)
                    for owner in owners
                )
            case nodes.IndexExpr():
                return self.references(node.base, scope)
            case nodes.ConditionalExpr():
                return (*self.references(node.if_expr, scope), *self.references(node.else_expr, scope))
            case nodes.OpExpr() if node.op in ("and", "or"):
                return (*self.references(node.left, scope), *self.references(node.right, scope))
            case _:
                return self.refers.of(node, self.text)

    def name_references(self, node: nodes.NameExpr, scope: Scope) -> tuple[str, ...]:
        """What a name may mean here."""
        found = scope.look_up(node.name)
        if found is None or (found[0].kind is ScopeKind.MODULE and self.functions):
            # A function runs when its module is complete: the name means what the whole module makes of it.
            return self.refers.of(node, self.text)
        where, meanings = found
        owner = f"{self.name}:{where.prefix}"
        return tuple(f"{owner}{node.name}" if isinstance(meaning, Member) else meaning for meaning in meanings)

    def origin(self, statement: nodes.ImportFrom) -> str:
        """The module that `from . import name` names."""
        return origin_of(statement.id, statement.relative, self.package)

    # Functions.

    def function(self, node: nodes.FuncDef | nodes.Decorator, scope: Scope, branch: Branch) -> None:
        """A `def`, bound in its scope with what earlier definitions of the name leave of it."""
        function = node.func if isinstance(node, nodes.Decorator) else node
        decorators = node.original_decorators if isinstance(node, nodes.Decorator) else []
        name = function.name
        if id(function) in self.with_classes:
            inner = Scope(ScopeKind.FUNCTION, f"{scope.prefix}{name}.<locals>.", scope)
            self.functions.append(function)
            self.block(function.body.body, inner, branch)
            self.functions.pop()
        is_method = scope.kind is ScopeKind.CLASS
        if not is_method or not self.wants_method(node):
            if scope.kind is ScopeKind.MODULE:
                earlier_ones = self.module_functions.get(name, []) if branch else []
                self.module_functions[name] = [*earlier_ones, (function, decorators, branch)]
            elif scope.kind is ScopeKind.FUNCTION:
                self.local_functions[f"{scope.prefix}{name}"] = function
            scope.bind(name, f"{self.name}:{scope.prefix}{name}")
            return
        member = self.read_function(function, decorators, scope, branch)
        draft = next((entry for entry in self.drafts.values() if entry.value.scope is scope), None)
        if draft is not None:
            draft.nodes[member.place] = function
        words = [self.decorator(decorator, scope) for decorator in decorators]
        is_overload = any(word.canonical.rpartition(".")[2] == "overload" for word in words)
        bind_function(scope, member, [word.text for word in words], branch, is_overload=is_overload)

    def read_function(
        self,
        node: nodes.FuncDef,
        decorators: Sequence[nodes.Expression],
        scope: Scope,
        branch: Branch,
    ) -> Member:
        """The definition itself, without what its scope knows of the name."""
        written, unpacks = self.signature(node)
        told = (self.decorator(decorator, scope) for decorator in decorators)
        words = read_words(told, node.name, written, self.decorators, self.name)
        is_bound = scope.kind is ScopeKind.CLASS and bool(written.positional) and self.wants_calls(node)
        receiver = written.parameters[0].name if is_bound else None
        catch_alls = tuple(parameter.name for parameter in written.parameters if parameter.is_variadic)
        context = Context(receiver, catch_alls, self.text, lambda found: self.references(found, scope), self.name)
        annotation = _return_annotation(node)
        body = read_body(node, context, with_returns=annotation is None)
        column = node.column + (len("async def ") if node.is_coroutine else len("def ")) + 1
        is_read = bool(node.body.body) and not words.is_wrapped
        return Member(
            node.name,
            words.flavour,
            self.place(node.line, column, node.name),
            _header_end(node.line, node.body, node.arguments),
            words.signature,
            is_coroutine=None if words.is_wrapped else _is_coroutine(node, annotation, body),
            returns_callable=returns_callable(annotation, body),
            is_stub=body.is_stub,
            is_placeholder=body.is_placeholder or words.is_abstract,
            is_dispatched=words.is_dispatched,
            branch=branch,
            unpacks=() if words.is_replaced else unpacks,
            calls=body.calls,
            assigns=body.assigns,
            probes=body.probes,
            # A decorator may read what the body does not; and mypy drops bodies whose errors nobody sees.
            unread=tuple(name for name in catch_alls if name not in body.mentions) if is_read else (),
            is_replaced=words.is_replaced,
        )

    def signature(self, node: nodes.FuncItem) -> tuple[Signature, tuple[str, ...]]:
        """The parameters as written; and, for `**kwargs: Unpack[T]`, what `T` is."""
        found = _legacy([self.parameter(argument) for argument in node.arguments], node.arguments)
        unpacks: tuple[str, ...] = ()
        analysed = node.type
        if isinstance(analysed, CallableType) and analysed.unpack_kwargs:
            keys = get_proper_type(analysed.arg_types[-1])
            if isinstance(keys, TypedDictType):
                unpacks = (self.refers.of_info(keys.fallback.type),)
        return Signature(tuple(found)), unpacks

    def parameter(self, argument: nodes.Argument) -> Parameter:
        """One parameter."""
        kind = KINDS[argument.kind]
        if argument.pos_only and kind is Kind.POSITIONAL_OR_KEYWORD:
            kind = Kind.POSITIONAL_ONLY
        variadic = kind in (Kind.VAR_POSITIONAL, Kind.VAR_KEYWORD)
        default = argument.initializer
        return Parameter(
            argument.variable.name,
            kind,
            default is None and not variadic,
            _open_annotation(argument) if variadic else None,
            None if default is None else self.text.of(default),
            argument.line,
            argument.column + 1,
        )

    def decorator(self, expression: nodes.Expression, scope: Scope) -> Word:
        """A decorator, and what it is known for."""
        is_called = isinstance(expression, nodes.CallExpr)
        while isinstance(expression, nodes.CallExpr):
            expression = expression.callee
        text = self.text.of(expression)
        wrapper = self.wrapper(expression, scope, is_called=is_called)
        if not isinstance(expression, nodes.RefExpr):
            return Word(text, text, wrapper)
        reference = self.references(expression, scope)[0]
        if reference.startswith("?"):
            # mypy binds what it knows, though it be a variable.
            full = expression.fullname if expression.node is not None else text
            return Word(text, (text if full.startswith(f"{self.name}.") else full), wrapper)
        return Word(text, (text if reference.startswith(f"{self.name}:") else reference.replace(":", ".")), wrapper)

    def wrapper(self, expression: nodes.Expression, scope: Scope, *, is_called: bool) -> Wrapper | None:
        """What a decorator puts in the place of what it decorates, if the module has its definition."""
        found = scope.look_up(expression.name) if isinstance(expression, nodes.NameExpr) else None
        if found is None or not isinstance(expression, nodes.NameExpr):
            return None
        where, meanings = found
        known: list[tuple[Wrapper, ...]] = []
        for meaning in meanings:
            functions = self.functions_of(expression.name, meaning, where)
            known += [self.wrappers_of(function, where) for function in functions] or [()]
        return same_wrapper(known, is_called=is_called)

    def functions_of(self, name: str, meaning: Meaning, scope: Scope) -> list[nodes.FuncDef]:
        """The functions of the module that a name of a scope may mean."""
        if isinstance(meaning, Member):
            drafts = (draft for draft in self.drafts.values() if draft.value.scope is scope)
            return [function for draft in drafts if (function := draft.nodes.get(meaning.place)) is not None]
        if meaning != f"{self.name}:{scope.prefix}{name}":
            return []
        if scope.kind is ScopeKind.MODULE:
            return [function for function, _, _ in self.module_functions.get(name, ())]
        local = self.local_functions.get(f"{scope.prefix}{name}")
        return [] if local is None else [local]

    def wrappers_of(self, node: nodes.FuncDef, scope: Scope) -> tuple[Wrapper, ...]:
        """What a function puts, as a decorator, in the place of what it decorates: its text tells, for mypy may have dropped its body."""
        if node.is_decorated and not node.is_static:
            return ()
        known = self.wrappers.get(node)
        if known is None:
            # Few modules define what decorates their methods.
            from sigcheck.readers.decorating import parse_function, wrappers_of  # noqa: PLC0415

            text = "\n".join(self.text.line(number) for number in range(node.line, (node.end_line or node.line) + 1))
            known = self.wrappers[node] = wrappers_of(parse_function(text), lambda name: dotted_meaning(name, scope))
        return known

    # Members that are assigned.

    def assigned_members(
        self, name: str, value: nodes.Expression, statement: nodes.AssignmentStmt, scope: Scope, branch: Branch
    ) -> tuple[Meaning, ...]:
        """`name = value` in a class: what the class then has under that name."""
        match value:
            case nodes.NameExpr() if value.name == "None":
                return (replace(self.opaque(name, statement, branch), flavour=Flavour.NONE),)
            case nodes.LambdaExpr():
                return (self.lambda_(name, value, statement, Flavour.INSTANCE, branch),)
            case nodes.NameExpr() | nodes.MemberExpr():
                found = scope.look_up(value.name) if isinstance(value, nodes.NameExpr) else None
                if found is not None and found[0] is scope and scope.kind is ScopeKind.CLASS:
                    return bound_again(found[1], self.opaque(name, statement, branch))
                alias = Alias(self.references(value, scope))
                return (replace(self.opaque(name, statement, branch), alias=alias), *alias.references)
            case nodes.CallExpr():
                return (self.made_member(name, value, statement, scope, branch),)
            case _:
                return (self.opaque(name, statement, branch),)

    def made_member(
        self, name: str, value: nodes.CallExpr, statement: nodes.AssignmentStmt, scope: Scope, branch: Branch
    ) -> Member:
        """`name = staticmethod(f)`, `partialmethod(f, 1, k=2)`, `property(f)`, …"""
        member = self.opaque(name, statement, branch)
        kinds = value.arg_kinds
        if not value.args or any(kind.is_star() for kind in kinds) or kinds[0] is not nodes.ARG_POS:
            return member
        function, rest = value.args[0], list(zip(kinds, value.arg_names, strict=True))[1:]
        keywords = tuple(keyword for _, keyword in rest if keyword is not None)
        match last_name(value.callee):
            case "staticmethod" | "classmethod" | "partialmethod" | "singledispatchmethod" as maker:
                flavour = {"staticmethod": Flavour.STATIC, "classmethod": Flavour.CLASS}.get(maker)
                if isinstance(function, nodes.LambdaExpr):
                    made = self.lambda_(name, function, statement, flavour or Flavour.INSTANCE, branch)
                    alias = Alias((), len(rest) - len(keywords), keywords, flavour)
                    return made.called_as(name, made.place, made.last_line, branch, alias)
                references = self.references(function, scope)
                return replace(member, alias=Alias(references, len(rest) - len(keywords), keywords, flavour))
            case "property":
                has_setter = any(
                    keyword == "fset" if keyword is not None else index == 0 for index, (_, keyword) in enumerate(rest)
                )
                return replace(member, flavour=Flavour.PROPERTY, has_setter=has_setter)
            case "cached_property":
                return replace(member, flavour=Flavour.CACHED_PROPERTY)
            case _:
                return member

    def lambda_(
        self, name: str, node: nodes.LambdaExpr, statement: nodes.AssignmentStmt, flavour: Flavour, branch: Branch
    ) -> Member:
        """`name = lambda ...: ...`."""
        signature, _ = self.signature(node)
        return replace(self.opaque(name, statement, branch), flavour=flavour, signature=signature)

    def opaque(self, name: str, statement: nodes.AssignmentStmt, branch: Branch) -> Member:
        """A member of which only the name is known."""
        place = self.place(statement.line, statement.column + 1, name)
        return Member(name, Flavour.OPAQUE, place, statement.line, branch=branch)

    def place(self, line: int, column: int, word: str) -> Place:
        """The place of a word."""
        return Place(self.name, line, column, line, column + len(word))


_REFERRING = (nodes.NameExpr, nodes.MemberExpr, nodes.IndexExpr, nodes.ConditionalExpr, nodes.OpExpr, nodes.CallExpr)
_UNBOUND = regex(r"\?(?=[\[\],)]|$)")


def _return_annotation(node: nodes.FuncDef) -> str | None:
    """The return annotation as it was written, or nearly so."""
    written = node.unanalyzed_type
    if written is None:
        return None
    returned = written.ret_type  # type: ignore[attr-defined]
    if isinstance(returned, AnyType) and returned.type_of_any == 1:  # TypeOfAny.unannotated
        return None
    return _written(returned)


def _written(annotation: Type) -> str:
    """An annotation as it was written, or nearly so: mypy marks what it has not analysed yet."""
    return _UNBOUND.sub("", str(annotation))


def _open_annotation(argument: nodes.Argument) -> str | None:
    """The annotation of a catch-all, so far as it can mean that nothing is promised."""
    written = argument.type_annotation
    if written is None:
        return None
    analysed = argument.variable.type
    kind = get_proper_type(analysed) if analysed is not None else None
    # The variable is a tuple or a dictionary of what is annotated.
    if isinstance(kind, ParamSpecType):
        return "P.args"
    if isinstance(kind, Instance) and kind.args:
        kind = get_proper_type(kind.args[-1])
    text = _written(written)
    if isinstance(kind, AnyType) and kind.type_of_any != 1:
        return "Any" if text.rpartition(".")[2] == "Any" else text
    return "object" if isinstance(kind, Instance) and kind.type.fullname == "builtins.object" else text


def _legacy(parameters: list[Parameter], arguments: Sequence[nodes.Argument]) -> list[Parameter]:
    """Leading `__names` are positional-only, as PEP 484 had it before `/`; mypy takes any `__name` for one."""
    marked = [i for i, argument in enumerate(arguments) if argument.pos_only and not _is_legacy(parameters[i].name)]
    if marked:
        last = marked[-1]  # There is a `/` behind it.
    else:
        start = 1 if parameters and not _is_legacy(parameters[0].name) else 0
        last = start - 1
        while (
            last + 1 < len(parameters) and _is_legacy(parameters[last + 1].name) and parameters[last + 1].is_positional
        ):
            last += 1
        last = last if last >= start else -1
    for index, parameter in enumerate(parameters):
        kind = Kind.POSITIONAL_ONLY if index <= last else Kind.POSITIONAL_OR_KEYWORD
        if parameter.is_positional and parameter.kind is not kind:
            parameters[index] = replace(parameter, kind=kind)
    return parameters


def _is_legacy(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")


def _is_coroutine(node: nodes.FuncDef, annotation: str | None, body: Body) -> bool | None:
    """Whether a call gives a coroutine; None where the source leaves it open."""
    found = is_coroutine(annotation, body, is_async=node.is_coroutine)
    # mypy drops bodies whose errors nobody sees.
    is_dropped = annotation is None and not body.is_generator and not node.body.body
    return None if found is False and is_dropped else found


def _header_end(line: int, body: nodes.Block, parts: Sequence[nodes.Node]) -> int:
    """The last line of a header: mypy keeps no place of its colon, so it is what lies before the body at the latest."""
    first = body.body[0].line if body.body else line
    last = max([line, *(part.end_line or part.line for part in parts)])
    return max(last, first - 1) if first > last else last


def _typed_fields(node: nodes.ClassDef) -> Iterator[TypedField]:
    """The annotated names of a class body: the keys of a TypedDict, or fields whose default may be a function."""
    # What mypy calls unreachable has no class behind it.
    keys = None if isinstance(node.info, nodes.FakeInfo) else node.info.typeddict_type
    if isinstance(keys, TypedDictType):
        for name in keys.items:
            yield TypedField(name, name in keys.required_keys)
        return
    for statement in (*node.defs.body, *node.removed_statements):
        if not isinstance(statement, nodes.AssignmentStmt):
            continue
        is_default = not isinstance(statement.rvalue, nodes.TempNode)
        if is_default and not _is_field(statement):
            continue
        for target in statement.lvalues:
            if isinstance(target, nodes.NameExpr):
                yield TypedField(target.name, not is_default)


def _is_field(statement: nodes.AssignmentStmt) -> bool:
    """A name is annotated, but not as a `ClassVar`, and given what may be a function."""
    annotation, value = statement.unanalyzed_type, statement.rvalue
    if not statement.new_syntax or not isinstance(value, (nodes.NameExpr, nodes.MemberExpr, nodes.LambdaExpr)):
        return False
    is_shared = isinstance(annotation, UnboundType) and annotation.name.rpartition(".")[2] == "ClassVar"
    return not is_shared and getattr(value, "name", "") not in ("None", "True", "False")
