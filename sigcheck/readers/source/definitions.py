"""Classes, methods and names of a module, read from its libcst tree. The one place that knows what Python statements define.

Every branch is followed: definitions under `if`, `try` and `match` are all kept, each with the tests it stands under.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import libcst as cst

from sigcheck.core.dataclass import replace
from sigcheck.core.decorators import Decorators
from sigcheck.core.member import Alias, Flavour, Member
from sigcheck.core.module import Class, Module, Problem, TypedField
from sigcheck.core.place import Branch, Condition, Place
from sigcheck.core.signature import Kind, Parameter, Signature
from sigcheck.readers.comments import read_suppressions
from sigcheck.readers.conventions import (
    CLASS_FACTORIES,
    Draft,
    Word,
    attribute_reference,
    bind_function,
    bound_again,
    canonical_word,
    condition_of,
    declared_as,
    dotted_meaning,
    finished_module_names,
    is_coroutine,
    legacy_positional,
    looked_up_elsewhere,
    name_references,
    on_one_line,
    origin_of,
    read_words,
    returns_callable,
    wrapper_in,
)
from sigcheck.readers.decorating import decorators_in, wrappers_of
from sigcheck.readers.scope import Meaning, Names, Scope, ScopeKind, join
from sigcheck.readers.source.bodies import Context, read_body
from sigcheck.readers.source.outline import blank_bodies
from sigcheck.readers.source.positions import Positions
from sigcheck.readers.source.text import read_text


def read_module(
    data: bytes, *, name: str, path: str, is_package: bool, decorators: Decorators | None = None, whole: bool = False
) -> Module:
    """Read one source file.

    Args:
        data: its bytes.
        name: its dotted module name, to make relative imports absolute.
        path: as the report shows it.
        is_package: it is an `__init__` file.
        decorators: what the configuration says of them.
        whole: show libcst the whole file, instead of only what this reader looks at.

    Returns:
        The module. What cannot be read is among its problems; this never raises for the content of a file.
    """
    text = read_text(data, path)
    if isinstance(text, Problem):
        return Module(name, path, problems=(text,))
    return read_source(text, name=name, path=path, is_package=is_package, decorators=decorators, whole=whole)


def read_source(
    text: str, *, name: str, path: str, is_package: bool, decorators: Decorators | None = None, whole: bool = False
) -> Module:
    """Read one source file that `read_text` has decoded. The other arguments are `read_module`'s."""
    outlined = text if whole else blank_bodies(text, path)
    if isinstance(outlined, Problem):
        return Module(name, path, problems=(outlined,))
    try:
        with _deep_recursion():
            tree = cst.parse_module(outlined)
            reader = _Reader(
                tree,
                name=name,
                path=path,
                is_package=is_package,
                decorators=decorators or Decorators(),
                decorating=decorators_in(text),
            )
            module = reader.read()
    except cst.ParserSyntaxError as error:
        return Module(name, path, problems=(_syntax_problem(error, text, path),))
    except RecursionError:
        return Module(name, path, problems=(Problem(Place(path, 1, 1, 1, 1), "is nested too deeply to be read"),))
    return replace(module, suppressions=read_suppressions(text, path))


def read_definition(
    lines: Sequence[str],
    first: int,
    *,
    module: Module,
    owner: Class | None,
    is_package: bool,
    decorators: Decorators,
    has_body: bool = True,
) -> Member | None:
    """Read one `def` alone.

    Args:
        lines: its lines, decorators included.
        first: the number of the first in the file.
        module: what the names in it mean, and where it stands.
        owner: the class whose method it is; None for a function.
        is_package: the file is an `__init__` file.
        decorators: what the configuration says of them.
        has_body: False where the lines end with the header: of the body, nothing is then known.

    Returns:
        The definition, without the tests it stands under, and what other definitions of the name make of it; None where it
        cannot be read alone.
    """
    head = "class _:" if owner is not None else "if 1:" if lines[0][:1].isspace() else ""
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    body = () if has_body else (f"{indent} pass",)
    outlined = blank_bodies("\n".join((head, *lines, *body)), module.path)
    if isinstance(outlined, Problem):
        return None
    try:
        with _deep_recursion():
            tree = cst.parse_module(outlined)
            node: cst.CSTNode = tree.body[0]
            if head:
                node = cst.ensure_type(node, cst.ClassDef if owner is not None else cst.If).body.body[0]
            if not isinstance(node, cst.FunctionDef):
                return None
            reader = _Reader(
                tree,
                name=module.name,
                path=module.path,
                is_package=is_package,
                decorators=decorators,
                lines_before=first - 2,
            )
            return reader.alone(node, module, owner)
    except (cst.ParserSyntaxError, RecursionError, IndexError):
        return None


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """Room for libcst, which goes down a chain of a thousand operators or `elif` by recursion."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _DEEPEST_RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


# Before 3.11 each Python frame has a frame of C below it, of which a thread's stack holds so many.
_DEEPEST_RECURSION = 20_000 if sys.version_info >= (3, 11) else 5_000


def skim_module(data: bytes, *, name: str, path: str) -> Module:
    """Read a file that defines nothing of interest: only its comments, and whether it can be parsed at all."""
    text = read_text(data, path)
    if isinstance(text, Problem):
        return Module(name, path, problems=(text,))
    outlined = blank_bodies(text, path)
    if isinstance(outlined, Problem):
        return Module(name, path, problems=(outlined,))
    if outlined is text:
        # `ast` gave up: perhaps the syntax is newer than this interpreter.
        try:
            cst.parse_module(text)
        except cst.ParserSyntaxError as error:
            return Module(name, path, problems=(_syntax_problem(error, text, path),))
    return Module(name, path, suppressions=read_suppressions(text, path))


_PYTHON_2 = re.compile(r"^\s*(print\s+[\"'\w]|except\s+[\w.]+\s*,\s*\w+\s*:|exec\s+[\"'\w]|raise\s+\w+\s*,)")


def _syntax_problem(error: cst.ParserSyntaxError, text: str, path: str) -> Problem:
    lines = text.split("\n")
    line, column = min(max(error.raw_line, 1), len(lines)), error.raw_column + 1
    cause = error.message.split("parser error: ")[-1].split("tokenizer error: ")[-1].splitlines()[0]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as known:
        # Python's own message is clearer, and its place more exact.
        line, column, cause = min(known.lineno or line, len(lines)), known.offset or 1, known.msg
    except (ValueError, RecursionError, MemoryError):
        pass  # What libcst says has to do.
    place = Place(path, line, max(column, 1), line, max(column, 1))
    if any(_PYTHON_2.match(other) for other in lines):
        return Problem(place, "is no Python 3 source", "exclude it, or port it")
    return Problem(place, f"cannot be parsed: {cause}")


class _Reader:
    def __init__(
        self,
        tree: cst.Module,
        *,
        name: str,
        path: str,
        is_package: bool,
        decorators: Decorators,
        lines_before: int = 0,
        decorating: Mapping[int, ast.AST] | None = None,
    ) -> None:
        self.tree = tree
        self.name = name
        self.path = path
        self.package = name if is_package else name.rpartition(".")[0]
        self.decorators = decorators
        self.decorating = decorating or {}
        self.positions = Positions(tree, lines_before)
        self.drafts: dict[str, Draft] = {}
        self.stars: list[str] = []
        self.module_scope = Scope(ScopeKind.MODULE)

    def read(self) -> Module:
        self.block(self.tree.body, self.module_scope, ())
        names, functions = finished_module_names(self.module_scope, self.name)
        return Module(
            self.name,
            self.path,
            names,
            tuple(dict.fromkeys(self.stars)),
            tuple(draft.finished() for draft in self.drafts.values()),
            functions,
        )

    def alone(self, node: cst.FunctionDef, module: Module, owner: Class | None) -> Member:
        """One function, in a module and a class of which the names are known, and what they do as decorators."""
        wrapping = {name: known for name, known in module.functions.items() if any(entry.wrappers for entry in known)}
        self.module_scope.names = {**module.names, **wrapping}
        scope = self.module_scope
        known = [entry for functions in module.functions.values() for entry in functions]
        if owner is not None:
            known = list(owner.members)
            members: Names = {member.name: (f"{owner.id}.{member.name}",) for member in known}
            members.update((member.name, (member,)) for member in known if member.wrappers)
            scope = Scope(ScopeKind.CLASS, "", self.module_scope, {**members, **owner.names})
        place = self.place_of(node.name)
        wrappers = next((entry.wrappers for entry in known if entry.place == place), ())
        return replace(self.read_function(node, scope, (), place), wrappers=wrappers)

    # Statements.

    def block(self, statements: Sequence[cst.CSTNode], scope: Scope, branch: Branch) -> None:
        """Read the statements of one block, in order."""
        for statement in statements:
            match statement:
                case cst.SimpleStatementLine(body=small):
                    for part in small:
                        self.small(part, scope, branch)
                case cst.FunctionDef():
                    self.function(statement, scope, branch)
                case cst.ClassDef():
                    self.class_(statement, scope, branch)
                case cst.If():
                    self.if_(statement, scope, branch)
                case cst.Try() | cst.TryStar():
                    self.try_(statement, scope, branch)
                case cst.With(body=body):
                    self.block(body.body, scope, branch)
                case cst.For(body=body, orelse=orelse) | cst.While(body=body, orelse=orelse):
                    before = dict(scope.names)
                    self.block(body.body, scope, branch)
                    if orelse is not None:
                        self.block(orelse.body.body, scope, branch)
                    scope.names = join(before, scope.names)
                case cst.Match():
                    self.match(statement, scope, branch)
                case _ if isinstance(statement, cst.BaseSmallStatement):
                    self.small(statement, scope, branch)
                case _:
                    continue

    def if_(self, node: cst.If, scope: Scope, branch: Branch) -> None:
        """Both sides, and what a name means behind them."""
        sides: list[dict[str, tuple[Meaning, ...]]] = []
        before = dict(scope.names)
        failed: Branch = ()
        current: cst.If | cst.Else | None = node
        while current is not None:
            scope.names = dict(before)
            line = self.positions.of(current.body)[0]
            if isinstance(current, cst.Else):
                self.block(current.body.body, scope, (*branch, *(replace(test, line=line) for test in failed)))
                sides.append(scope.names)
                break
            test = self.code(current.test)
            line = self.positions.of(current.test)[0]
            inner = tuple(replace(other, line=line) for other in failed)
            self.block(current.body.body, scope, (*branch, *inner, condition_of(test, line, holds=True)))
            sides.append(scope.names)
            failed = (*failed, condition_of(test, line, holds=False))
            current = current.orelse
        else:
            sides.append(before)
        scope.names = join(*sides)

    def try_(self, node: cst.Try | cst.TryStar, scope: Scope, branch: Branch) -> None:
        """The body with its `else`, or one of the handlers; then `finally`."""
        line = self.positions.of(node.body)[0]
        test = f"the try of line {line} succeeds"
        before = dict(scope.names)
        self.block(node.body.body, scope, (*branch, Condition(test, True, line, self.path)))
        begun = join(before, scope.names)
        if node.orelse is not None:
            self.block(node.orelse.body.body, scope, (*branch, Condition(test, True, line, self.path)))
        sides = [scope.names]
        for handler in node.handlers:
            scope.names = dict(begun)
            line = self.positions.of(handler.body)[0]
            self.block(handler.body.body, scope, (*branch, Condition(test, False, line, self.path)))
            if not _leaves(handler.body):
                # What the handler binds again replaces what the body bound before it failed.
                sides.append(scope.names)
        scope.names = join(*sides)
        if node.finalbody is not None:
            self.block(node.finalbody.body.body, scope, branch)

    def match(self, node: cst.Match, scope: Scope, branch: Branch) -> None:
        """One of the cases, or none."""
        before = dict(scope.names)
        sides = [before]
        subject = self.code(node.subject)
        failed: Branch = ()
        for case in node.cases:
            scope.names = dict(before)
            line = self.positions.of(case.body)[0]
            guard = f" if {self.code(case.guard)}" if case.guard is not None else ""
            test = Condition(f"match {subject}: case {self.code(case.pattern)}{guard}", True, line, self.path)
            self.block(case.body.body, scope, (*branch, *(replace(other, line=line) for other in failed), test))
            sides.append(scope.names)
            failed = (*failed, replace(test, holds=False))
        scope.names = join(*sides)

    def small(self, node: cst.BaseSmallStatement, scope: Scope, branch: Branch) -> None:
        """A statement without a block: imports and assignments bind names."""
        match node:
            case cst.Import(names=names):
                for alias in names:
                    dotted = _dotted(alias.name)
                    if alias.asname is not None:
                        scope.bind(_dotted(alias.asname.name), f"{dotted}:")
                    else:
                        root = dotted.partition(".")[0]
                        scope.bind(root, f"{root}:")
            case cst.ImportFrom():
                self.import_from(node, scope)
            case cst.Assign(targets=targets, value=value):
                for target in targets:
                    self.assign(target.target, value, node, scope, branch)
            case cst.AnnAssign(target=target, value=cst.BaseExpression() as value):
                self.assign(target, value, node, scope, branch)
            case cst.Del(target=cst.Name(value=name)):
                scope.names.pop(name, None)
            case _:
                return

    def import_from(self, node: cst.ImportFrom, scope: Scope) -> None:
        """`from a.b import c as d`: absolute references."""
        origin = _dotted(node.module) if node.module is not None else ""
        origin = origin_of(origin, len(node.relative), self.package)
        if isinstance(node.names, cst.ImportStar):
            if scope.kind is ScopeKind.MODULE:
                self.stars.append(origin)
            return
        for alias in node.names:
            name = _dotted(alias.name)
            bound = _dotted(alias.asname.name) if alias.asname is not None else name
            scope.bind(bound, f"{origin}:{name}")

    def assign(
        self,
        target: cst.BaseExpression,
        value: cst.BaseExpression,
        statement: cst.Assign | cst.AnnAssign,
        scope: Scope,
        branch: Branch,
    ) -> None:
        """`name = value`, and `Class.name = value` behind the class."""
        match target:
            case cst.Name(value=name):
                if scope.kind is ScopeKind.CLASS:
                    made = self.assigned_members(name, value, statement, scope, branch)
                    if isinstance(statement, cst.AnnAssign):
                        made = declared_as(self.code(statement.annotation.annotation), made)
                    scope.bind(name, *made)
                elif isinstance(value, cst.Lambda):
                    scope.bind(name, self.lambda_(name, value, statement, Flavour.INSTANCE, branch))
                else:
                    known = isinstance(value, _REFERRING)
                    scope.bind(name, *(self.references(value, scope) if known else (f"?{name}",)))
            case cst.Attribute(value=cst.Name(value=owner), attr=cst.Name(value=name)):
                for meaning in self.module_scope.names.get(owner, ()) if scope is self.module_scope else ():
                    draft = self.drafts.get(meaning) if isinstance(meaning, str) else None
                    if draft is not None:
                        found = self.assigned_members(name, value, statement, scope, branch)
                        draft.patched += [member for member in found if isinstance(member, Member)]
            case cst.Tuple(elements=elements) | cst.List(elements=elements):
                parts = value.elements if isinstance(value, (cst.Tuple, cst.List)) else ()
                is_paired = len(parts) == len(elements) and all(
                    type(part) is cst.Element for part in (*parts, *elements)
                )
                for index, element in enumerate(elements):
                    if is_paired:
                        self.assign(element.value, parts[index].value, statement, scope, branch)
                    elif isinstance(element.value, cst.Name):
                        name = element.value.value
                        unknown = self.opaque(name, statement, branch)
                        scope.bind(name, unknown if scope.kind is ScopeKind.CLASS else f"?{name}")
            case _:
                return

    # Classes.

    def class_(self, node: cst.ClassDef, scope: Scope, branch: Branch) -> None:
        """A class statement, and everything in it."""
        qualified = scope.prefix + node.name.value
        class_id = f"{self.name}:{qualified}"
        count = 2
        while class_id in self.drafts:
            class_id = f"{self.name}:{qualified}#{count}"
            count += 1
        inner = Scope(ScopeKind.CLASS, f"{qualified}.", scope)
        draft = Draft(
            class_id,
            f"{self.name}.{qualified}",
            self.place_of(node.name),
            self.positions.of(node.body)[0],
            tuple(base for argument in node.bases for base in self.bases(argument, scope)),
            branch,
            inner,
            is_decorated=bool(node.decorators),
        )
        self.drafts[class_id] = draft
        self.block(node.body.body, inner, branch)
        draft.fields = tuple(_typed_fields(node))
        scope.bind(node.name.value, class_id)

    def bases(self, argument: cst.Arg, scope: Scope) -> Iterator[tuple[str, ...]]:
        """What one base expression may mean."""
        if argument.star == "**":
            return
        if argument.star == "*":
            yield (f"?*{self.code(argument.value)}",)
            return
        match argument.value:
            case cst.Call(func=function, args=arguments) if _last(function) == "with_metaclass":
                for inner in arguments[1:]:
                    yield from self.bases(inner, scope)
            case value:
                yield self.references(value, scope)

    def references(self, node: cst.BaseExpression, scope: Scope) -> tuple[str, ...]:
        """What an expression may mean, as references; `?text` where only running it would tell."""
        match node:
            case cst.Name(value=name):
                return self.name_references(name, scope)
            case cst.Attribute(value=value, attr=cst.Name(value=name)):
                return tuple(
                    f"?{self.code(node)}" if found.startswith("?") else attribute_reference(found, name)
                    for found in self.references(value, scope)
                )
            case cst.Subscript(value=value):
                return self.references(value, scope)
            case cst.IfExp(body=body, orelse=orelse):
                return (*self.references(body, scope), *self.references(orelse, scope))
            case cst.BooleanOperation(left=left, right=right):
                return (*self.references(left, scope), *self.references(right, scope))
            case cst.Call(func=function) if _last(function) in CLASS_FACTORIES:
                return ("builtins:tuple",)
            case _:
                return (f"?{self.code(node)}",)

    def name_references(self, name: str, scope: Scope) -> tuple[str, ...]:
        """What a name may mean here."""
        return name_references(name, scope, self.name)

    # Functions.

    def function(self, node: cst.FunctionDef, scope: Scope, branch: Branch) -> None:
        """A `def`, bound in its scope with what earlier definitions of the name leave of it."""
        name = node.name.value
        place = self.place_of(node.name)
        member = self.read_function(node, scope, branch, place)
        if self.has_classes(node):
            inner = Scope(ScopeKind.FUNCTION, f"{scope.prefix}{name}.<locals>.", scope)
            for parameter in member.signature.parameters:
                inner.bind(parameter.name, f"?{parameter.name}")
            self.block(node.body.body, inner, branch)
        words = [self.decorator(decorator, scope) for decorator in node.decorators]
        is_overload = any(word.text.rpartition(".")[2] == "overload" for word in words)
        bind_function(scope, member, [word.text for word in words], branch, is_overload=is_overload)

    def read_function(self, node: cst.FunctionDef, scope: Scope, branch: Branch, place: Place) -> Member:
        """The definition itself, without what its scope knows of the name."""
        written, unpacks = self.signature(node.params, scope)
        words = read_words(
            (self.decorator(decorator, scope) for decorator in node.decorators),
            node.name.value,
            written,
            self.decorators,
            self.name,
        )
        receiver = written.parameters[0].name if written.positional and scope.kind is ScopeKind.CLASS else None
        catch_alls = tuple(parameter.name for parameter in written.parameters if parameter.is_variadic)
        context = Context(
            receiver, catch_alls, self.code, lambda found: self.references(found, scope), self.positions, self.path
        )
        body = read_body(node, context)
        annotation = self.code(node.returns.annotation) if node.returns is not None else None
        is_async = node.asynchronous is not None
        return Member(
            node.name.value,
            words.flavour,
            place,
            self.positions.of(node.body)[0],
            words.signature,
            is_coroutine=None if words.is_wrapped else is_coroutine(annotation, body, is_async=is_async),
            returns_callable=returns_callable(annotation, body),
            is_stub=body.is_stub,
            is_placeholder=body.is_placeholder or words.is_abstract,
            is_dispatched=words.is_dispatched,
            branch=branch,
            unpacks=() if words.is_replaced else unpacks,
            calls=body.calls,
            assigns=body.assigns,
            probes=body.probes,
            # A decorator may read what the body does not.
            unread=() if words.is_wrapped else tuple(name for name in catch_alls if name not in body.mentions),
            is_replaced=words.is_replaced,
            wrappers=wrappers_of(
                self.decorating.get(place.line),
                lambda text: dotted_meaning(text, scope),
                has_receiver=scope.kind is ScopeKind.CLASS and node.name.value == "__call__",
            ),
            decorations=words.decorations,
        )

    def signature(self, node: cst.Parameters, scope: Scope) -> tuple[Signature, tuple[str, ...]]:
        """The parameters as written; and, for `**kwargs: Unpack[T]`, what `T` may mean."""
        found: list[Parameter] = []
        only = [self.parameter(param, Kind.POSITIONAL_ONLY) for param in node.posonly_params]
        plain = [self.parameter(param, Kind.POSITIONAL_OR_KEYWORD) for param in node.params]
        if not only:
            for index in range(legacy_positional([parameter.name for parameter in plain])):
                plain[index] = replace(plain[index], kind=Kind.POSITIONAL_ONLY)
        found += only
        found += plain
        if isinstance(node.star_arg, cst.Param):
            found.append(self.parameter(node.star_arg, Kind.VAR_POSITIONAL))
        found += [self.parameter(param, Kind.KEYWORD_ONLY) for param in node.kwonly_params]
        unpacks: tuple[str, ...] = ()
        if node.star_kwarg is not None:
            found.append(self.parameter(node.star_kwarg, Kind.VAR_KEYWORD))
            match node.star_kwarg.annotation:
                case cst.Annotation(
                    annotation=cst.Subscript(value=value, slice=[cst.SubscriptElement(slice=cst.Index(value=inner))])
                ) if _last(value) == "Unpack":
                    unpacks = self.references(inner, scope)
                case _:
                    pass
        return Signature(tuple(found)), unpacks

    def parameter(self, node: cst.Param, kind: Kind) -> Parameter:
        """One parameter."""
        variadic = kind in (Kind.VAR_POSITIONAL, Kind.VAR_KEYWORD)
        return Parameter(
            node.name.value,
            kind,
            node.default is None and not variadic,
            self.code(node.annotation.annotation) if node.annotation is not None else None,
            self.code(node.default) if node.default is not None else None,
            *self.positions.of(node),
        )

    def decorator(self, node: cst.Decorator, scope: Scope) -> Word:
        """A decorator, and what it is known for."""
        expression = node.decorator
        is_called = isinstance(expression, cst.Call)
        while isinstance(expression, cst.Call):
            expression = expression.func
        text = self.code(expression)
        references = self.references(expression, scope) if isinstance(expression, (cst.Name, cst.Attribute)) else ()
        wrapper = wrapper_in(scope, text, is_called=is_called)
        elsewhere = None
        if wrapper is None and scope.kind is ScopeKind.CLASS:
            elsewhere = looked_up_elsewhere(references, self.name, is_called=is_called)
        return Word(text, canonical_word(text, references, self.name), wrapper, elsewhere)

    def has_classes(self, node: cst.FunctionDef) -> bool:
        """Somewhere in the function's own body there is a class statement."""
        return _contains_class(node.body)

    # Members that are assigned.

    def assigned_members(
        self,
        name: str,
        value: cst.BaseExpression,
        statement: cst.Assign | cst.AnnAssign,
        scope: Scope,
        branch: Branch,
    ) -> tuple[Meaning, ...]:
        """`name = value` in a class: what the class then has under that name."""
        match value:
            case cst.Name(value="None"):
                return (replace(self.opaque(name, statement, branch), flavour=Flavour.NONE),)
            case cst.Lambda():
                return (self.lambda_(name, value, statement, Flavour.INSTANCE, branch),)
            case cst.Name() | cst.Attribute():
                found = scope.look_up(value.value) if isinstance(value, cst.Name) else None
                if found is not None and found[0] is scope:
                    return bound_again(found[1], self.opaque(name, statement, branch))
                alias = Alias(self.references(value, scope))
                return (replace(self.opaque(name, statement, branch), alias=alias), *alias.references)
            case cst.Call(func=function, args=arguments):
                return (self.made_member(name, _last(function), arguments, statement, scope, branch=branch),)
            case _:
                return (self.opaque(name, statement, branch),)

    def made_member(
        self,
        name: str,
        maker: str,
        arguments: Sequence[cst.Arg],
        statement: cst.Assign | cst.AnnAssign,
        scope: Scope,
        *,
        branch: Branch,
    ) -> Member:
        """`name = staticmethod(f)`, `partialmethod(f, 1, k=2)`, `property(f)`, …"""
        member = self.opaque(name, statement, branch)
        if not arguments or any(argument.star for argument in arguments) or arguments[0].keyword is not None:
            return member
        function, *rest = arguments
        match maker:
            case "staticmethod" | "classmethod" | "partialmethod" | "singledispatchmethod":
                flavour = {"staticmethod": Flavour.STATIC, "classmethod": Flavour.CLASS}.get(maker)
                keywords = tuple(argument.keyword.value for argument in rest if argument.keyword is not None)
                if isinstance(function.value, cst.Lambda):
                    made = self.lambda_(name, function.value, statement, flavour or Flavour.INSTANCE, branch)
                    alias = Alias((), len(rest) - len(keywords), keywords, flavour)
                    return made.called_as(name, made.place, made.last_line, branch, alias)
                references = self.references(function.value, scope)
                return replace(member, alias=Alias(references, len(rest) - len(keywords), keywords, flavour))
            case "property":
                has_setter = any(
                    argument.keyword.value == "fset" if argument.keyword is not None else index == 0
                    for index, argument in enumerate(rest)
                )
                return replace(member, flavour=Flavour.PROPERTY, has_setter=has_setter)
            case "cached_property":
                return replace(member, flavour=Flavour.CACHED_PROPERTY)
            case _:
                return member

    def lambda_(
        self, name: str, node: cst.Lambda, statement: cst.Assign | cst.AnnAssign, flavour: Flavour, branch: Branch
    ) -> Member:
        """`name = lambda ...: ...`."""
        signature, _ = self.signature(node.params, self.module_scope)
        return replace(self.opaque(name, statement, branch), flavour=flavour, signature=signature)

    def opaque(self, name: str, statement: cst.Assign | cst.AnnAssign, branch: Branch) -> Member:
        """A member of which only the name is known."""
        line, column = self.positions.of(statement)
        place = Place(self.path, line, column, line, column + len(name))
        return Member(name, Flavour.OPAQUE, place, line, branch=branch)

    # Small things.

    def code(self, node: cst.CSTNode) -> str:
        """A node's source text, on one line."""
        return on_one_line(self.tree.code_for_node(node))

    def place_of(self, node: cst.Name) -> Place:
        """The place of a name."""
        line, column = self.positions.of(node)
        return Place(self.path, line, column, line, column + self.positions.width(node))


_REFERRING = (cst.Name, cst.Attribute, cst.Subscript, cst.IfExp, cst.BooleanOperation, cst.Call)


def _typed_fields(node: cst.ClassDef) -> Iterator[TypedField]:
    """The annotated names of a class body: the keys of a TypedDict, or fields whose default may be a function."""
    total = not any(
        argument.keyword is not None
        and argument.keyword.value == "total"
        and isinstance(argument.value, cst.Name)
        and argument.value.value == "False"
        for argument in node.keywords
    )
    for statement in node.body.body:
        for part in statement.body if isinstance(statement, cst.SimpleStatementLine) else (statement,):
            match part:
                case cst.AnnAssign(target=cst.Name(value=name), annotation=annotation, value=None):
                    required = total
                    if isinstance(annotation.annotation, cst.Subscript):
                        word = _last(annotation.annotation.value)
                        required = {"Required": True, "NotRequired": False}.get(word, total)
                    yield TypedField(name, required)
                case cst.AnnAssign(target=cst.Name(value=name), annotation=annotation, value=value):
                    written = annotation.annotation
                    bare = written.value if isinstance(written, cst.Subscript) else written
                    if _may_be_function(value) and _last(bare) != "ClassVar":
                        yield TypedField(name, required=False)
                case _:
                    continue


def _may_be_function(node: cst.BaseExpression | None) -> bool:
    if isinstance(node, cst.Name):
        return node.value not in ("None", "True", "False")
    return isinstance(node, (cst.Attribute, cst.Lambda))


class _ClassFinder(cst.CSTVisitor):
    """Looks for a class statement; expressions hold none."""

    found = False

    def on_visit(self, node: cst.CSTNode) -> bool:
        self.found = self.found or isinstance(node, cst.ClassDef)
        return not self.found and not isinstance(node, (cst.BaseExpression, cst.BaseSmallStatement))


def _contains_class(block: cst.BaseSuite) -> bool:
    """Somewhere in the block, at any depth, there is a class statement."""
    finder = _ClassFinder()
    block.visit(finder)
    return finder.found


def _leaves(block: cst.BaseSuite) -> bool:
    """The block ends by raising: nothing behind it sees its names."""
    match block.body[-1:] if block.body else ():
        case [cst.SimpleStatementLine(body=[*_, cst.Raise()]) | cst.Raise()]:
            return True
        case _:
            return False


def _dotted(node: cst.CSTNode) -> str:
    match node:
        case cst.Name(value=name):
            return name
        case cst.Attribute(value=value, attr=attr):
            return f"{_dotted(value)}.{attr.value}"
        case _:
            return "?"


def _last(node: cst.BaseExpression) -> str:
    match node:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name
        case _:
            return ""
