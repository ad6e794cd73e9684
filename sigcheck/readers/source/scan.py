"""Classes, methods and names of a module, read from its `ast`: the twin of `definitions`, ten times as fast. Knows no libcst.

The scan finds what is worth a look. What is told of it, libcst reads again: `conviction.unconfirmed` holds the two against
each other. Where the scan cannot be certain of what libcst would read, it says so, and the file is read by libcst.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence

from sigcheck.core.dataclass import dataclass, replace
from sigcheck.core.decorators import Decorators, names_above
from sigcheck.core.identifiers import is_plain
from sigcheck.core.member import Alias, Flavour, Member
from sigcheck.core.module import Module, Problem, Suppression, TypedField
from sigcheck.core.place import Branch, Condition, Place
from sigcheck.core.regex import regex
from sigcheck.core.signature import Kind, Parameter, Signature
from sigcheck.core.wrapper import Wrapper
from sigcheck.readers.conventions import (
    CLASS_FACTORIES,
    IMPLICIT_FLAVOURS,
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
from sigcheck.readers.scope import Meaning, Scope, ScopeKind, join
from sigcheck.readers.source.narrowing import Extents, extents_of, narrowed
from sigcheck.readers.source.scan_bodies import FUNCTIONS, Candidates, Function, read_body
from sigcheck.readers.source.spots import Spots, UncertainError
from sigcheck.readers.source.text import read_text


@dataclass(frozen=True, slots=True)
class Scan:
    """One file, scanned.

    Attributes:
        module: as `read_module` would give it.
        extents: where its functions stand, for `narrowing`.
    """

    module: Module
    extents: Extents = ()


def scan_module(
    data: bytes, *, name: str, path: str, is_package: bool, decorators: Decorators, skim: bool = False
) -> Scan | None:
    """Read one source file, or say that only libcst can. The arguments are `read_module`'s.

    Args:
        data: its bytes.
        name: its dotted module name.
        path: as the report shows it.
        is_package: it is an `__init__` file.
        decorators: what the configuration says of them.
        skim: read only its comments, and whether it can be parsed at all.

    Returns:
        The module and the extents; None where it is not certain what `read_module` would give.
    """
    text = read_text(data, path)
    if isinstance(text, Problem):
        return Scan(Module(name, path, problems=(text,)))
    return _scan_text(
        text, name=name, path=path, is_package=is_package, decorators=decorators, skim=skim, is_certain=True
    )


def scan_text(
    text: str, *, name: str, path: str, is_package: bool, decorators: Decorators, with_comments: bool
) -> Module | None:
    """The module of a text, as nearly as `ast` tells; None where it cannot be parsed. For who has no libcst to ask.

    Where `scan_module` would not be certain, places are: of names that are not normalized, of conditions in odd layout.
    """
    scanned = _scan_text(
        text,
        name=name,
        path=path,
        is_package=is_package,
        decorators=decorators,
        skim=False,
        is_certain=False,
        with_comments=with_comments,
    )
    return scanned.module if scanned is not None else None


def _scan_text(
    text: str,
    *,
    name: str,
    path: str,
    is_package: bool,
    decorators: Decorators,
    skim: bool,
    is_certain: bool,
    with_comments: bool = True,
) -> Scan | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    spots = Spots(text, is_certain=is_certain)
    if is_certain and (max(map(len, spots.lines)) > _LONGEST_LINE or not is_plain(text)):
        return None

    def shorten(lines: Collection[int]) -> str:
        return narrowed(text, extents_of(tree.body), lines)

    suppressions: tuple[Suppression, ...] = ()
    if with_comments:
        from sigcheck.readers.comments import read_suppressions  # noqa: PLC0415 - mypy's plugin hardly ever asks for them

        suppressions = read_suppressions(text, path, shorten)
    if skim:
        return Scan(Module(name, path, suppressions=suppressions))
    try:
        scanner = _Scanner(
            spots, name=name, path=path, is_package=is_package, decorators=decorators, follows=is_certain
        )
        module = scanner.read(tree)
    except (UncertainError, RecursionError):
        return None
    return Scan(replace(module, suppressions=suppressions) if suppressions else module, extents_of(tree.body))


_LONGEST_LINE = 4_000
"""Characters of a line from which an expression may be nested too deeply for libcst."""

_REFERRING = (ast.Name, ast.Attribute, ast.Subscript, ast.IfExp, ast.BoolOp, ast.Call)
_TRIES: tuple[type[ast.stmt], ...] = (ast.Try, *((ast.TryStar,) if hasattr(ast, "TryStar") else ()))


class _Scanner:
    def __init__(
        self, spots: Spots, *, name: str, path: str, is_package: bool, decorators: Decorators, follows: bool
    ) -> None:
        self.spots = spots
        self.follows = follows
        self.name = name
        self.path = path
        self.package = name if is_package else name.rpartition(".")[0]
        self.decorators = decorators
        self.drafts: dict[str, Draft] = {}
        self.stars: list[str] = []
        self.module_scope = Scope(ScopeKind.MODULE)

    def read(self, tree: ast.Module) -> Module:
        self.candidates = Candidates(self.spots, *_names_of_interest(tree))
        self.decorating = names_above(self.spots.text)
        self.block(tree.body, self.module_scope, ())
        names, functions = finished_module_names(self.module_scope, self.name)
        return Module(
            self.name,
            self.path,
            names,
            tuple(dict.fromkeys(self.stars)),
            tuple(draft.finished() for draft in self.drafts.values()),
            functions,
        )

    # Statements.

    def block(self, statements: Sequence[ast.stmt], scope: Scope, branch: Branch) -> None:
        """Read the statements of one block, in order."""
        for statement in statements:
            kind = type(statement)
            if kind is ast.Expr:
                continue
            if kind is ast.FunctionDef or kind is ast.AsyncFunctionDef:
                self.function(statement, scope, branch)  # type: ignore[arg-type]
            elif kind is ast.ImportFrom:
                self.import_from(statement, scope)  # type: ignore[arg-type]
            elif kind is ast.Assign:
                for target in statement.targets:  # type: ignore[attr-defined]
                    self.assign(target, statement.value, statement, scope, branch)  # type: ignore[attr-defined,arg-type]
            elif kind is ast.ClassDef:
                self.class_(statement, scope, branch)  # type: ignore[arg-type]
            elif kind is ast.AnnAssign:
                if statement.value is not None:  # type: ignore[attr-defined]
                    self.assign(statement.target, statement.value, statement, scope, branch)  # type: ignore[attr-defined,arg-type]
            elif kind is ast.If:
                self.if_(statement, scope, branch)  # type: ignore[arg-type]
            else:
                self.other(statement, scope, branch)

    def other(self, statement: ast.stmt, scope: Scope, branch: Branch) -> None:
        """A statement of a rarer kind."""
        match statement:
            case ast.Import(names=names):
                for alias in names:
                    if alias.asname is not None:
                        scope.bind(alias.asname, f"{alias.name}:")
                    else:
                        root = alias.name.partition(".")[0]
                        scope.bind(root, f"{root}:")
            case ast.With(body=body) | ast.AsyncWith(body=body):
                self.block(body, scope, branch)
            case (
                ast.For(body=body, orelse=orelse)
                | ast.AsyncFor(body=body, orelse=orelse)
                | ast.While(body=body, orelse=orelse)
            ):
                before = dict(scope.names)
                self.block(body, scope, branch)
                self.block(orelse, scope, branch)
                scope.names = join(before, scope.names)
            case ast.Match():
                self.match(statement, scope, branch)
            case ast.Delete(targets=[ast.Name(id=name)]):
                scope.names.pop(name, None)
            case _ if isinstance(statement, _TRIES):
                self.try_(statement, scope, branch)
            case _:
                return

    def if_(self, node: ast.If, scope: Scope, branch: Branch) -> None:
        """Both sides, and what a name means behind them."""
        sides: list[dict[str, tuple[Meaning, ...]]] = []
        before = dict(scope.names)
        failed: Branch = ()
        current = node
        while True:
            scope.names = dict(before)
            start, end = self.spots.span(current.test)
            line = self.spots.line(start)
            inner = tuple(replace(other, line=line) for other in failed)
            test = on_one_line(self.spots.text[start:end])
            self.block(current.body, scope, (*branch, *inner, condition_of(test, line, holds=True)))
            sides.append(scope.names)
            failed = (*failed, condition_of(test, line, holds=False))
            orelse = current.orelse
            if not orelse:
                sides.append(before)
                break
            following = orelse[0]
            if isinstance(following, ast.If) and len(orelse) == 1 and self.is_elif(following):
                current = following
                continue
            scope.names = dict(before)
            line = self.spots.colon(self.spots.end(current.body[-1]))
            self.block(orelse, scope, (*branch, *(replace(test, line=line) for test in failed)))
            sides.append(scope.names)
            break
        scope.names = join(*sides)

    def is_elif(self, node: ast.If) -> bool:
        """The statement is written `elif`, not `else:` and an `if` in it."""
        return self.spots.text.startswith("elif", self.spots.start(node))

    def try_(self, node: ast.stmt, scope: Scope, branch: Branch) -> None:
        """The body with its `else`, or one of the handlers; then `finally`."""
        body: list[ast.stmt] = node.body  # type: ignore[attr-defined]
        handlers: list[ast.ExceptHandler] = node.handlers  # type: ignore[attr-defined]
        line = node.lineno
        if "\\" in self.spots.lines[line - 1]:
            self.spots.doubt()
        test = f"the try of line {line} succeeds"
        before = dict(scope.names)
        self.block(body, scope, (*branch, Condition(test, True, line, self.path)))
        begun = join(before, scope.names)
        self.block(node.orelse, scope, (*branch, Condition(test, True, line, self.path)))  # type: ignore[attr-defined]
        sides = [scope.names]
        for handler in handlers:
            scope.names = dict(begun)
            start = self.spots.index(handler.lineno, handler.col_offset)
            line = self.spots.colon(self.spots.end(handler.type) if handler.type is not None else start)
            self.block(handler.body, scope, (*branch, Condition(test, False, line, self.path)))
            if not isinstance(handler.body[-1], ast.Raise):
                # What the handler binds again replaces what the body bound before it failed.
                sides.append(scope.names)
        scope.names = join(*sides)
        self.block(node.finalbody, scope, branch)  # type: ignore[attr-defined]

    def match(self, node: ast.Match, scope: Scope, branch: Branch) -> None:
        """One of the cases, or none."""
        before = dict(scope.names)
        sides = [before]
        subject = self.spots.statement_code(node.subject)
        failed: Branch = ()
        for case in node.cases:
            scope.names = dict(before)
            _, end = self.spots.span(case.pattern, in_statement=True)
            guard = ""
            if case.guard is not None:
                guard = f" if {self.spots.code(case.guard)}"
                end = self.spots.end(case.guard)
            line = self.spots.colon(end)
            test = Condition(
                f"match {subject}: case {self.spots.statement_code(case.pattern)}{guard}", True, line, self.path
            )
            self.block(case.body, scope, (*branch, *(replace(other, line=line) for other in failed), test))
            sides.append(scope.names)
            failed = (*failed, replace(test, holds=False))
        scope.names = join(*sides)

    def import_from(self, node: ast.ImportFrom, scope: Scope) -> None:
        """`from a.b import c as d`: absolute references."""
        origin = origin_of(node.module or "", node.level, self.package)
        for alias in node.names:
            if alias.name == "*":
                if scope.kind is ScopeKind.MODULE:
                    self.stars.append(origin)
                return
            scope.bind(alias.asname or alias.name, f"{origin}:{alias.name}")

    def assign(
        self, target: ast.expr, value: ast.expr, statement: ast.Assign | ast.AnnAssign, scope: Scope, branch: Branch
    ) -> None:
        """`name = value`, and `Class.name = value` behind the class."""
        match target:
            case ast.Name(id=name):
                if scope.kind is ScopeKind.CLASS:
                    made = self.assigned_members(name, value, statement, scope, branch)
                    if isinstance(statement, ast.AnnAssign):
                        made = declared_as(self.spots.code(statement.annotation), made)
                    scope.bind(name, *made)
                elif isinstance(value, ast.Lambda):
                    scope.bind(name, self.lambda_(name, value, statement, Flavour.INSTANCE, branch))
                else:
                    known = isinstance(value, _REFERRING) or word_of(value) is not None
                    scope.bind(name, *(self.references(value, scope) if known else (f"?{name}",)))
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                for meaning in self.module_scope.names.get(owner, ()) if scope is self.module_scope else ():
                    draft = self.drafts.get(meaning) if isinstance(meaning, str) else None
                    if draft is not None:
                        found = self.assigned_members(name, value, statement, scope, branch)
                        draft.patched += [member for member in found if isinstance(member, Member)]
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else ()
                is_paired = len(parts) == len(elements) and not any(
                    isinstance(part, ast.Starred) for part in (*parts, *elements)
                )
                for index, element in enumerate(elements):
                    inner = element.value if isinstance(element, ast.Starred) else element
                    if is_paired:
                        self.assign(element, parts[index], statement, scope, branch)
                    elif isinstance(inner, ast.Name):
                        unknown = self.opaque(inner.id, statement, branch)
                        scope.bind(inner.id, unknown if scope.kind is ScopeKind.CLASS else f"?{inner.id}")
            case _:
                return

    # Classes.

    def class_(self, node: ast.ClassDef, scope: Scope, branch: Branch) -> None:
        """A class statement, and everything in it."""
        qualified = scope.prefix + node.name
        class_id = f"{self.name}:{qualified}"
        count = 2
        while class_id in self.drafts:
            class_id = f"{self.name}:{qualified}#{count}"
            count += 1
        place, behind = self.name_behind(node, "class")
        inner = Scope(ScopeKind.CLASS, f"{qualified}.", scope)
        last = [*node.bases, *(keyword.value for keyword in node.keywords), *_type_parameters(node)]
        draft = Draft(
            class_id,
            f"{self.name}.{qualified}",
            place,
            self.spots.colon(max([behind, *map(self.spots.end, last)])),
            tuple(base for argument in node.bases for base in self.bases(argument, scope)),
            branch,
            inner,
            is_decorated=bool(node.decorator_list),
        )
        self.drafts[class_id] = draft
        self.block(node.body, inner, branch)
        draft.fields = tuple(_typed_fields(node))
        scope.bind(node.name, class_id)

    def name_behind(self, node: ast.ClassDef | Function, word: str) -> tuple[Place, int]:
        """The place of the name behind `class` or `def`, and the first place in the text behind it."""
        line = node.lineno
        written = self.spots.lines[line - 1]
        column = self.spots.column(line, node.col_offset)
        head = f"{word} {node.name}"
        if written.startswith(head, column):
            column += len(word) + 1
        else:
            found = _HEAD[word].match(self.spots.text, self.spots.index(line, node.col_offset))
            if found is None or not self.spots.text.startswith(node.name, found.end()):
                self.spots.doubt()
                start = self.spots.start(node) + len(word) + 1
                return Place(self.path, line, column + 1, line, column + 1 + len(node.name)), start
            line = self.spots.line(found.end())
            column = found.end() - (self.spots.text.rfind("\n", 0, found.end()) + 1)
        end = column + len(node.name)
        start = self.spots.index(line, 0)
        return Place(self.path, line, column + 1, line, end + 1), start + end

    def bases(self, argument: ast.expr, scope: Scope) -> Iterator[tuple[str, ...]]:
        """What one base expression may mean."""
        match argument:
            case ast.Starred(value=value):
                yield (f"?*{self.spots.code(value)}",)
            case ast.Call(func=function, args=arguments, keywords=keywords) if _last(function) == "with_metaclass":
                if keywords or any(isinstance(inner, ast.Starred) for inner in arguments):
                    self.spots.doubt()
                for inner in arguments[1:]:
                    yield from self.bases(inner, scope)
            case value:
                yield self.references(value, scope)

    def references(self, node: ast.expr, scope: Scope) -> tuple[str, ...]:
        """What an expression may mean, as references; `?text` where only running it would tell."""
        kind = type(node)
        if kind is ast.Name:
            return name_references(node.id, scope, self.name)  # type: ignore[attr-defined]
        match node:
            case ast.Attribute(value=value, attr=name):
                return tuple(
                    f"?{self.spots.code(node)}" if found.startswith("?") else attribute_reference(found, name)
                    for found in self.references(value, scope)
                )
            case ast.Subscript(value=value):
                return self.references(value, scope)
            case ast.IfExp(body=body, orelse=orelse):
                return (*self.references(body, scope), *self.references(orelse, scope))
            case ast.BoolOp(values=values):
                return tuple(found for value in values for found in self.references(value, scope))
            case ast.Call(func=function) if _last(function) in CLASS_FACTORIES:
                return ("builtins:tuple",)
            case _:
                word = word_of(node)
                if word is not None:
                    return name_references(word, scope, self.name)
                return (f"?{self.spots.code(node)}",)

    # Functions.

    def function(self, node: Function, scope: Scope, branch: Branch) -> None:
        """A `def`, bound in its scope with what earlier definitions of the name leave of it."""
        words = [self.decorator(decorator, scope) for decorator in node.decorator_list]
        member, has_class = self.read_function(node, words, scope, branch)
        if has_class:
            inner = Scope(ScopeKind.FUNCTION, f"{scope.prefix}{node.name}.<locals>.", scope)
            for parameter in member.signature.parameters:
                inner.bind(parameter.name, f"?{parameter.name}")
            self.block(node.body, inner, branch)
        is_overload = any(word.text.rpartition(".")[2] == "overload" for word in words)
        bind_function(scope, member, [word.text for word in words], branch, is_overload=is_overload)

    def read_function(
        self, node: Function, decorators: list[Word], scope: Scope, branch: Branch
    ) -> tuple[Member, bool]:
        """The definition itself, without what its scope knows of the name; and whether a class statement is in it."""
        is_async = type(node) is ast.AsyncFunctionDef
        place, behind = self.name_behind(node, "async def" if is_async else "def")
        written, unpacks, last = self.signature(node.args, scope)
        signature = written
        if decorators or node.name in IMPLICIT_FLAVOURS:
            words = read_words(decorators, node.name, signature, self.decorators, self.name)
            flavour, signature, is_wrapped = words.flavour, words.signature, words.is_wrapped
            is_abstract, is_dispatched, is_replaced = words.is_abstract, words.is_dispatched, words.is_replaced
            decorations = words.decorations
        else:
            flavour, is_wrapped, is_abstract, is_dispatched = Flavour.INSTANCE, False, False, False
            is_replaced, decorations = False, ()
        parameters = written.parameters
        receiver = parameters[0].name if written.positional and scope.kind is ScopeKind.CLASS else None
        catch_alls = tuple(
            parameter.name
            for parameter in parameters
            if parameter.kind is Kind.VAR_KEYWORD or parameter.kind is Kind.VAR_POSITIONAL
        )
        body, has_class = read_body(
            node,
            receiver=receiver,
            catch_alls=catch_alls,
            spots=self.spots,
            candidates=self.candidates,
            references=lambda found: self.references(found, scope),
            path=self.path,
        )
        annotation = self.spots.code(node.returns) if node.returns is not None else None
        member = Member(
            node.name,
            flavour,
            place,
            self.header_end(node, last, behind),
            signature,
            (),
            None if is_wrapped else is_coroutine(annotation, body, is_async=is_async),
            returns_callable(annotation, body),
            False,
            body.is_stub,
            body.is_placeholder or is_abstract,
            is_dispatched,
            branch,
            None,
            () if is_replaced else unpacks,
            body.calls,
            body.assigns,
            # A decorator may read what the body does not.
            () if is_wrapped or not catch_alls else tuple(name for name in catch_alls if name not in body.mentions),
            body.probes,
            is_replaced,
            self.wrappers(node, scope) if self.may_decorate(node, scope) else (),
            decorations,
        )
        return member, has_class

    def may_decorate(self, node: Function, scope: Scope) -> bool:
        """The function's name stands above another, or another module may decorate with it: `decorators_in` has the same."""
        if node.name in self.decorating:
            return True
        if not self.follows or not (scope.kind is ScopeKind.MODULE or node.name == "__call__"):
            return False
        return type(node.body[-1]) is ast.Return and any(type(part) in FUNCTIONS for part in node.body)

    def wrappers(self, node: Function, scope: Scope) -> tuple[Wrapper, ...]:
        """What a function whose name stands above another puts in the place of that."""
        # Few modules define what decorates functions.
        from sigcheck.readers.decorating import wrappers_of  # noqa: PLC0415

        has_receiver = scope.kind is ScopeKind.CLASS and node.name == "__call__"
        return wrappers_of(node, lambda text: dotted_meaning(text, scope), has_receiver=has_receiver)

    def header_end(self, node: Function, last: ast.expr | ast.arg | None, behind: int) -> int:
        """The line of the colon in front of a body."""
        spots = self.spots
        final = node.returns or last
        if final is not None:
            line = final.end_lineno or final.lineno
            rest = spots.lines[line - 1][spots.column(line, final.end_col_offset or 0) :]
            if rest.startswith((":", "):")) or (final is last and rest.startswith(",):")):
                return line
            return spots.colon(spots.end(final))
        return spots.colon(behind)

    def signature(
        self, node: ast.arguments, scope: Scope
    ) -> tuple[Signature, tuple[str, ...], ast.expr | ast.arg | None]:
        """The parameters as written; for `**kwargs: Unpack[T]`, what `T` may mean; and what is written last of them."""
        found: list[Parameter] = []
        last: ast.expr | ast.arg | None = None
        only, plain = node.posonlyargs, node.args
        without_default = len(only) + len(plain) - len(node.defaults)
        count = len(only) or legacy_positional([entry.arg for entry in plain])
        for index, entry in enumerate((*only, *plain) if only else plain):
            default = node.defaults[index - without_default] if index >= without_default else None
            kind = Kind.POSITIONAL_ONLY if index < count else Kind.POSITIONAL_OR_KEYWORD
            found.append(self.parameter(entry, kind, default))
            last = default or entry
        if node.vararg is not None:
            found.append(self.catch_all(node.vararg, Kind.VAR_POSITIONAL, "*"))
            last = node.vararg
        for entry, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            found.append(self.parameter(entry, Kind.KEYWORD_ONLY, default))
            last = default or entry
        unpacks: tuple[str, ...] = ()
        if node.kwarg is not None:
            found.append(self.catch_all(node.kwarg, Kind.VAR_KEYWORD, "**"))
            last = node.kwarg
            match node.kwarg.annotation:
                case ast.Subscript(value=value, slice=inner) if _last(value) == "Unpack" and not isinstance(
                    inner, (ast.Slice, ast.Tuple)
                ):
                    unpacks = self.references(inner, scope)
                case _:
                    pass
        return Signature(tuple(found)), unpacks, last

    def parameter(self, node: ast.arg, kind: Kind, default: ast.expr | None) -> Parameter:
        """One parameter that has a name to callers."""
        return Parameter(
            node.arg,
            kind,
            default is None,
            self.spots.code(node.annotation) if node.annotation is not None else None,
            self.spots.code(default) if default is not None else None,
            node.lineno,
            self.spots.column(node.lineno, node.col_offset) + 1,
        )

    def catch_all(self, node: ast.arg, kind: Kind, stars: str) -> Parameter:
        """`*args` or `**kwargs`; its place is that of its stars."""
        column = self.spots.column(node.lineno, node.col_offset)
        if not self.spots.lines[node.lineno - 1].startswith(stars, max(column - len(stars), 0)):
            self.spots.doubt()  # White space between them.
        return Parameter(
            node.arg,
            kind,
            False,
            self.annotation(node.annotation) if node.annotation is not None else None,
            None,
            node.lineno,
            column - len(stars) + 1,
        )

    def annotation(self, node: ast.expr) -> str:
        """An annotation as written; `*args: *Ts` too."""
        return self.spots.code(node)

    def decorator(self, expression: ast.expr, scope: Scope) -> Word:
        """A decorator, and what it is known for."""
        is_called = isinstance(expression, ast.Call)
        while isinstance(expression, ast.Call):
            expression = expression.func
        text = expression.id if type(expression) is ast.Name else self.spots.code(expression)
        references = self.references(expression, scope) if isinstance(expression, (ast.Name, ast.Attribute)) else ()
        wrapper = wrapper_in(scope, text, is_called=is_called)
        elsewhere = None
        if self.follows and wrapper is None and scope.kind is ScopeKind.CLASS:
            elsewhere = looked_up_elsewhere(references, self.name, is_called=is_called)
        return Word(text, canonical_word(text, references, self.name), wrapper, elsewhere)

    # Members that are assigned.

    def assigned_members(
        self, name: str, value: ast.expr, statement: ast.Assign | ast.AnnAssign, scope: Scope, branch: Branch
    ) -> tuple[Meaning, ...]:
        """`name = value` in a class: what the class then has under that name."""
        word = word_of(value)
        if word == "None":
            return (replace(self.opaque(name, statement, branch), flavour=Flavour.NONE),)
        if isinstance(value, ast.Lambda):
            return (self.lambda_(name, value, statement, Flavour.INSTANCE, branch),)
        if word is not None or isinstance(value, ast.Attribute):
            found = scope.look_up(word) if word is not None else None
            if found is not None and found[0] is scope:
                return bound_again(found[1], self.opaque(name, statement, branch))
            alias = Alias(self.references(value, scope))
            return (replace(self.opaque(name, statement, branch), alias=alias), *alias.references)
        if isinstance(value, ast.Call):
            return (self.made_member(name, value, statement, scope, branch),)
        return (self.opaque(name, statement, branch),)

    def made_member(
        self, name: str, call: ast.Call, statement: ast.Assign | ast.AnnAssign, scope: Scope, branch: Branch
    ) -> Member:
        """`name = staticmethod(f)`, `partialmethod(f, 1, k=2)`, `property(f)`, …"""
        maker = _last(call.func)
        member = self.opaque(name, statement, branch)
        if maker not in _MAKERS or not call.args:
            return member
        if any(isinstance(argument, ast.Starred) for argument in call.args):
            return member
        if any(keyword.arg is None for keyword in call.keywords):
            return member
        function, *rest = call.args
        keywords = tuple(keyword.arg for keyword in call.keywords if keyword.arg is not None)
        match maker:
            case "property":
                return replace(member, flavour=Flavour.PROPERTY, has_setter=bool(rest) or "fset" in keywords)
            case "cached_property":
                return replace(member, flavour=Flavour.CACHED_PROPERTY)
            case _:
                flavour = {"staticmethod": Flavour.STATIC, "classmethod": Flavour.CLASS}.get(maker)
                if isinstance(function, ast.Lambda):
                    made = self.lambda_(name, function, statement, flavour or Flavour.INSTANCE, branch)
                    alias = Alias((), len(rest), keywords, flavour)
                    return made.called_as(name, made.place, made.last_line, branch, alias)
                return replace(member, alias=Alias(self.references(function, scope), len(rest), keywords, flavour))

    def lambda_(
        self, name: str, node: ast.Lambda, statement: ast.Assign | ast.AnnAssign, flavour: Flavour, branch: Branch
    ) -> Member:
        """`name = lambda ...: ...`."""
        signature, _, _ = self.signature(node.args, self.module_scope)
        return replace(self.opaque(name, statement, branch), flavour=flavour, signature=signature)

    def opaque(self, name: str, statement: ast.Assign | ast.AnnAssign, branch: Branch) -> Member:
        """A member of which only the name is known."""
        line = statement.lineno
        column = self.spots.column(line, statement.col_offset) + 1
        place = Place(self.path, line, column, line, column + len(name))
        return Member(name, Flavour.OPAQUE, place, line, branch=branch)


_MAKERS = frozenset(
    {"staticmethod", "classmethod", "partialmethod", "singledispatchmethod", "property", "cached_property"}
)
_HEAD = {
    "class": regex(r"class(?:[ \t]|\\\n)+"),
    "def": regex(r"def(?:[ \t]|\\\n)+"),
    "async def": regex(r"async(?:[ \t]|\\\n)+def(?:[ \t]|\\\n)+"),
}


def _names_of_interest(tree: ast.Module) -> tuple[frozenset[str], frozenset[str]]:
    """The receivers of the methods, and the catch-alls of all functions."""
    receivers: set[str] = set()
    catch_alls: set[str] = set()
    pending: list[tuple[Iterable[ast.stmt], bool]] = [(tree.body, False)]
    while pending:
        statements, is_class = pending.pop()
        for statement in statements:
            kind = type(statement)
            if kind is ast.FunctionDef or kind is ast.AsyncFunctionDef:
                arguments: ast.arguments = statement.args  # type: ignore[attr-defined]
                first = arguments.posonlyargs or arguments.args
                if is_class and first:
                    receivers.add(first[0].arg)
                if arguments.vararg is not None:
                    catch_alls.add(arguments.vararg.arg)
                if arguments.kwarg is not None:
                    catch_alls.add(arguments.kwarg.arg)
                pending.append((statement.body, False))  # type: ignore[attr-defined]
            elif kind is ast.ClassDef:
                pending.append((statement.body, True))  # type: ignore[attr-defined]
            elif kind not in _SIMPLE:
                for name in ("body", "orelse", "finalbody"):
                    block = getattr(statement, name, None)
                    if block:
                        pending.append((block, is_class))
                parts = (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ()))
                pending += [(part.body, is_class) for part in parts]
    return frozenset(receivers), frozenset(catch_alls)


_SIMPLE = frozenset(
    {ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Import, ast.ImportFrom, ast.Pass, ast.Raise}
    | {ast.Assert, ast.Delete, ast.Global, ast.Nonlocal, ast.Break, ast.Continue}
)


def _type_parameters(node: ast.ClassDef) -> list[ast.expr]:
    """What stands between the brackets behind the name, since Python 3.12."""
    return getattr(node, "type_params", [])


_FUNCTIONS = (ast.Name, ast.Attribute, ast.Lambda)


def _typed_fields(node: ast.ClassDef) -> Iterator[TypedField]:
    """The annotated names of a class body: the keys of a TypedDict, or fields whose default may be a function."""
    total = not any(keyword.arg == "total" and word_of(keyword.value) == "False" for keyword in node.keywords)
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=None):
                required = total
                if isinstance(annotation, ast.Subscript):
                    word = _last(annotation.value)
                    required = {"Required": True, "NotRequired": False}.get(word, total)
                yield TypedField(name, required)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                bare = annotation.value if isinstance(annotation, ast.Subscript) else annotation
                if isinstance(value, _FUNCTIONS) and _last(bare) != "ClassVar":
                    yield TypedField(name, required=False)
            case _:
                continue


def word_of(node: ast.expr) -> str | None:
    """A name; `None`, `True` and `False` are names to libcst."""
    if type(node) is ast.Name:
        return node.id
    if type(node) is ast.Constant and (node.value is None or node.value is True or node.value is False):
        return str(node.value)
    return None


def _last(node: ast.expr) -> str:
    if type(node) is ast.Name:
        return node.id
    return node.attr if type(node) is ast.Attribute else ""
