"""What decorators, annotations and names say of a definition, whichever parser shows it. Imports core values and `scope`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from sigcheck.core.annotation import is_async_iterator, is_callable, may_be_awaitable, takes_anything
from sigcheck.core.callsite import CallSite
from sigcheck.core.dataclass import dataclass, field, replace
from sigcheck.core.decorators import Decorators
from sigcheck.core.member import Flavour, Member
from sigcheck.core.module import Class, TypedField
from sigcheck.core.place import Branch, Condition, Place
from sigcheck.core.regex import regex
from sigcheck.core.signature import Signature
from sigcheck.core.wrapper import Decoration, Wrapper, same_wrapper
from sigcheck.readers.scope import Meaning, Scope, ScopeKind


@dataclass(frozen=True, slots=True)
class Body:
    """What was learnt of one body.

    Attributes:
        is_generator: it yields.
        is_stub: it only raises, passes, or is `...`, with or without a docstring.
        is_placeholder: it does nothing but raise.
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


@dataclass(slots=True)
class Draft:
    """A class underway."""

    id: str
    name: str
    place: Place
    last_line: int
    bases: tuple[tuple[str, ...], ...]
    branch: Branch
    scope: Scope
    is_decorated: bool
    fields: tuple[TypedField, ...] = ()
    patched: list[Member] = field(default_factory=list)

    def finished(self) -> Class:
        """The class, with what its scope has learnt."""
        members: list[Member] = []
        names: dict[str, tuple[str, ...]] = {}
        for name, meanings in self.scope.names.items():
            members += [meaning for meaning in meanings if isinstance(meaning, Member) and meaning.name == name]
            references = tuple(meaning for meaning in meanings if isinstance(meaning, str))
            if references:
                names[name] = references
        # `S.f = g` under a test leaves what the class had where the test fails.
        replaced = {member.name for member in self.patched if member.branch == self.branch}
        members = [member for member in members if member.name not in replaced] + self.patched
        return Class(
            self.id,
            self.name,
            self.place,
            self.last_line,
            self.bases,
            tuple(sorted(members, key=lambda member: (member.place.line, member.place.column))),
            names,
            self.branch,
            self.fields,
            self.is_decorated,
        )


@dataclass(frozen=True, slots=True)
class Words:
    """What the decorators of a `def` say.

    Attributes:
        flavour: what the definition binds to.
        signature: with what is injected made optional.
        is_abstract: it must be overridden.
        is_dispatched: `singledispatchmethod`.
        is_wrapped: a decorator may put another function in its place.
        is_replaced: one does, and the signature is that of the other.
        decorations: those that are defined elsewhere and may do so, the innermost first.
    """

    flavour: Flavour
    signature: Signature
    is_abstract: bool
    is_dispatched: bool
    is_wrapped: bool
    is_replaced: bool
    decorations: tuple[Decoration, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """A decorator, without its arguments.

    Attributes:
        text: as written.
        canonical: the dotted name that it was defined with.
        wrapper: what it puts in the place of what it decorates; None where that keeps its signature, for all that is known.
        elsewhere: the decorator, where its definition is to be looked up.
    """

    text: str
    canonical: str
    wrapper: Wrapper | None = None
    elsewhere: Decoration | None = None


def read_words(words: Iterable[Word], name: str, signature: Signature, decorators: Decorators, module: str) -> Words:
    """What decorators make of a definition.

    Args:
        words: the decorators, the outermost first.
        name: of the definition.
        signature: as written.
        decorators: what the configuration says.
        module: in which they stand.
    """
    flavour = Flavour.INSTANCE
    is_abstract = is_dispatched = is_wrapped = is_elsewhere = False
    told = tuple(words)
    found, is_replaced, count = _replaced(told, signature, decorators, module)
    if found is None:
        flavour = Flavour.OPAQUE
    else:
        signature = found
    for index, decorator in enumerate(told):
        text, canonical = decorator.text, decorator.canonical
        word = canonical.rpartition(".")[2]
        is_abstract = is_abstract or word.startswith("abstract")
        is_dispatched = is_dispatched or word == "singledispatchmethod"
        is_wrapped = is_wrapped or word not in _TRANSPARENT
        if index >= count:
            continue
        is_elsewhere = is_elsewhere or decorator.elsewhere is not None
        if _is_named(text, canonical, decorators.opaque, module) or canonical.startswith(_SUPPLYING):
            flavour = Flavour.OPAQUE
        elif word in _STATIC_METHODS:
            flavour = Flavour.STATIC if found is not None else flavour
        elif word in _CLASS_METHODS:
            flavour = Flavour.CLASS if flavour is Flavour.INSTANCE else flavour
        elif word.lower() in _CACHED_PROPERTIES:
            flavour = Flavour.CACHED_PROPERTY
        elif _is_property(word):
            flavour = Flavour.PROPERTY
    if name in IMPLICIT_FLAVOURS and flavour is Flavour.INSTANCE:
        flavour = IMPLICIT_FLAVOURS[name]
    decorations = _decorations(told[:count], decorators, module) if is_elsewhere else ()
    return Words(flavour, signature, is_abstract, is_dispatched, is_wrapped, is_replaced, decorations)


def _decorations(words: Sequence[Word], decorators: Decorators, module: str) -> tuple[Decoration, ...]:
    """Those that are defined elsewhere, the innermost first; none behind one that gives no function, or that the configuration names."""
    named = frozenset(decorators.injects) | decorators.opaque
    found: list[Decoration] = []
    for word in reversed(words):
        if _is_named(word.text, word.canonical, named, module):
            return ()
        last = word.canonical.rpartition(".")[2]
        if last in _DESCRIPTORS or _is_property(last):
            break
        if word.elsewhere is not None:
            found.append(word.elsewhere)
    return tuple(found)


def _replaced(
    words: Sequence[Word], written: Signature, decorators: Decorators, module: str
) -> tuple[Signature | None, bool, int]:
    """What the decorators make of a signature, None where it is not certain; whether it is that of another function; and how many
    of them, from the outermost on, stand around that.
    """
    signature: Signature | None = written
    is_replaced, count = False, len(words)
    if not decorators.injects and all(word.wrapper is None for word in words):
        return signature, is_replaced, count
    for index in reversed(range(len(words))):
        word = words[index]
        supplied = [
            parameters
            for injecting, parameters in decorators.injects.items()
            if _is_named(word.text, word.canonical, (injecting,), module)
        ]
        is_told = supplied or _is_named(word.text, word.canonical, decorators.opaque, module)
        if word.wrapper is not None and not is_told:
            found = word.wrapper.around(signature)
            if found is not signature:
                signature, is_replaced, count = found, True, index
        for parameters in supplied:
            signature = signature.with_supplied(parameters) if signature is not None else None
    return signature, is_replaced, count


def _is_property(word: str) -> bool:
    return word.endswith(("property", "Property")) or word.lower() in _CACHED_PROPERTIES


def _is_named(text: str, canonical: str, names: Sequence[str] | frozenset[str], module: str) -> bool:
    """One of the configured names means this decorator."""
    full = f"{module}.{text}"
    return any(name in (text, canonical, full) or text.rpartition(".")[2] == name for name in names)


def canonical_word(text: str, references: Sequence[str], module: str) -> str:
    """The dotted name that a decorator was defined with, where its references tell; else as written."""
    canonical = references[0] if references and not references[0].startswith("?") else text
    return text if canonical.startswith(f"{module}:") else canonical.replace(":", ".")


def looked_up_elsewhere(references: Sequence[str], module: str, *, is_called: bool) -> Decoration | None:
    """A decorator of another module, or one that a call of a class of this module gives; None for any other.

    Args:
        references: what it may mean.
        module: in which it stands.
        is_called: it is given arguments.
    """
    for reference in references:
        owner, _, path = reference.partition(":")
        is_known = owner.startswith("?") or owner.partition(".")[0] in sys.stdlib_module_names
        if path and not is_known and (is_called or owner != module):
            return Decoration(tuple(references), is_called)
    return None


def wrapper_in(scope: Scope, text: str, *, is_called: bool) -> Wrapper | None:
    """What a decorator puts in the place of what it decorates, if its scope has the definition.

    Args:
        scope: where the decorator stands.
        text: the name that is written.
        is_called: it is given arguments.
    """
    found = scope.look_up(text)
    if found is None:
        return None
    return same_wrapper(
        [meaning.wrappers if isinstance(meaning, Member) else () for meaning in found[1]], is_called=is_called
    )


def bind_function(scope: Scope, member: Member, words: Sequence[str], branch: Branch, *, is_overload: bool) -> None:
    """Bind a `def` in its scope, with what earlier definitions of the name leave of it.

    Args:
        scope: where it stands.
        member: the definition itself.
        words: its decorators as written.
        branch: the tests it stands under.
        is_overload: one of them is `typing.overload`.
    """
    name = member.name
    earlier = [meaning for meaning in scope.names.get(name, ()) if isinstance(meaning, Member)]
    accessor = next((word for word in words if _is_accessor(word, name)), None)
    if accessor is not None:
        sets = accessor.endswith(".setter")
        known = [replace(found, has_setter=found.has_setter or sets) for found in earlier]
        # Of an inherited property, a new getter leaves the setter that it may have: only the base can tell.
        flavour = Flavour.PROPERTY if sets else Flavour.OPAQUE
        inherited = replace(member, flavour=flavour, has_setter=sets, returns_callable=None)
        scope.bind(name, *(known or [inherited]))
    elif is_overload:
        overloads = [found for found in earlier if found.overloads and found.branch == branch]
        before = overloads[-1].overloads if overloads else ()
        scope.bind(name, replace(member, overloads=(*before, member.signature)))
    else:
        scope.bind(name, member)


def bound_again(meanings: Sequence[Meaning], same: Member) -> tuple[Meaning, ...]:
    """What `name = other` makes of the meanings of another name of the class: `same` is where that stands."""
    return tuple(
        replace(
            meaning,
            name=same.name,
            place=same.place,
            last_line=same.last_line,
            branch=(*same.branch, *(test for test in meaning.branch if test not in same.branch)),
            calls=(),
        )
        if isinstance(meaning, Member)
        else meaning
        for meaning in meanings
    )


def declared_as(annotation: str, meanings: Sequence[Meaning]) -> tuple[Meaning, ...]:
    """What a class has under a name that is annotated so: what is declared is the promise."""
    if not takes_anything(annotation):
        return tuple(meanings)
    return tuple(meaning.promising(nothing=True) if isinstance(meaning, Member) else meaning for meaning in meanings)


def _is_accessor(decorator: str, name: str) -> bool:
    """It adds to what the name is already: `@size.setter`, `@Base.size.getter`, `@size.expression`, `@run.register`."""
    return decorator.startswith(f"{name}.") or decorator.endswith((".setter", ".deleter", ".getter"))


IMPLICIT_FLAVOURS = {
    "__new__": Flavour.STATIC,
    "_generate_next_value_": Flavour.STATIC,
    "__init_subclass__": Flavour.CLASS,
    "__class_getitem__": Flavour.CLASS,
}
"""What Python makes of a definition by its name alone."""
CLASS_FACTORIES = frozenset(
    {"namedtuple", "NamedTuple", "TypedDict", "Enum", "IntEnum", "Flag", "IntFlag", "StrEnum", "type"}
)
"""What makes a class that has no source, when it is called."""

_CACHED_PROPERTIES = frozenset({"cached_property", "cachedproperty", "cache_readonly", "reify"})
_STATIC_METHODS = frozenset({"staticmethod", "abstractstaticmethod"})
_CLASS_METHODS = frozenset({"classmethod", "abstractclassmethod", "classonlymethod"})
_DESCRIPTORS = _STATIC_METHODS | _CLASS_METHODS | {"singledispatchmethod"}
_TRANSPARENT = (
    _STATIC_METHODS
    | _CLASS_METHODS
    | {"abstractmethod", "override", "final", "overload", "no_type_check", "deprecated"}
)
_SUPPLYING = ("unittest.mock.patch", "mock.patch")
"""Decorators that pass a mock, unless they are told what to put there instead."""


def returns_callable(annotation: str | None, body: Body) -> bool | None:
    """Whether what a function returns can be called; None where the source leaves it open."""
    if annotation is None:
        return False if body.returns_plain_value else None
    return is_callable(annotation)


def is_coroutine(annotation: str | None, body: Body, *, is_async: bool) -> bool | None:
    """Whether a call gives a coroutine; None where the source leaves it open."""
    if is_async:
        if body.is_generator:
            return False
        return None if annotation is not None and is_async_iterator(annotation) else True
    if annotation is not None:
        return None if may_be_awaitable(annotation) else False
    if body.is_generator:
        return False
    return None if body.is_stub or body.returns_unknown_value else False


def legacy_positional(names: Sequence[str]) -> int:
    """How many of the plain parameters are positional-only: before `/` existed, PEP 484 had leading `__names` for it.

    Behind a receiver they count too, and the receiver with them.
    """
    count = 1 if names and not _is_legacy_positional(names[0]) else 0
    start = count
    while count < len(names) and _is_legacy_positional(names[count]):
        count += 1
    return 0 if count == start == 1 else count


def _is_legacy_positional(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")


def condition_of(test: str, line: int, *, holds: bool) -> Condition:
    """`if not x` is the other side of `if x`."""
    if test.startswith("not ") and " and " not in test and " or " not in test:
        return Condition(test.removeprefix("not ").strip(), not holds, line)
    return Condition(test, holds, line)


def is_in_function(scope: Scope) -> bool:
    """The scope is a function's, or stands in one."""
    current: Scope | None = scope
    while current is not None:
        if current.kind is ScopeKind.FUNCTION:
            return True
        current = current.parent
    return False


def name_references(name: str, scope: Scope, module: str) -> tuple[str, ...]:
    """What a name may mean in a scope of a module."""
    found = scope.look_up(name)
    if found is None or (found[0].kind is ScopeKind.MODULE and is_in_function(scope)):
        # A function runs when its module is complete: the name means what the whole module makes of it.
        return (f"{module}:{name}",)
    where, meanings = found
    owner = f"{module}:{where.prefix}"
    return tuple(f"{owner}{name}" if isinstance(meaning, Member) else meaning for meaning in meanings)


def dotted_meaning(text: str, scope: Scope) -> str:
    """The dotted name of what an imported name, or an attribute of it, means in a scope; empty for any other."""
    root, _, rest = text.partition(".")
    found = scope.look_up(root)
    reference = found[1][0] if found is not None and found[1] else ""
    if not isinstance(reference, str) or not reference or reference.startswith("?"):
        return ""
    dotted = reference.removesuffix(":").replace(":", ".")
    return f"{dotted}.{rest}" if rest else dotted


def attribute_reference(reference: str, name: str) -> str:
    """The attribute of what a reference leads to."""
    return reference + name if reference.endswith(":") else f"{reference}.{name}"


def origin_of(module: str, level: int, package: str) -> str:
    """The absolute name of the module that `from ..module import` names, in a package."""
    if not level:
        return module
    parts = package.split(".") if package else []
    kept = parts[: len(parts) - (level - 1)] if level > 1 else parts
    return ".".join(part for part in (*kept, module) if part)


ENDING_CALLS = frozenset({"sys.exit", "exit", "quit", "os._exit", "os.abort", "assert_never"}) | {
    f"{module}.assert_never" for module in ("typing", "typing_extensions")
}
"""What does not come back when it is called."""

_LOGS = frozenset({"log", "logger", "logging", "warnings"})


def is_logging(function: str) -> bool:
    """A call of what has that dotted name only tells somebody something."""
    owner = function.rpartition(".")[0].rpartition(".")[2].strip("_").lower()
    return function == "print" or owner in _LOGS


_SPACE = regex(r"\s+")


def on_one_line(code: str) -> str:
    """Source text with every run of white space, line ends too, as one space."""
    return code if code.isidentifier() else _SPACE.sub(" ", code).strip()


def finished_module_names(
    scope: Scope, module: str
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[Member, ...]]]:
    """The names of a module and its functions, when its last statement is read."""
    names: dict[str, tuple[str, ...]] = {}
    functions: dict[str, tuple[Member, ...]] = {}
    for name, meanings in scope.names.items():
        members = tuple(meaning for meaning in meanings if isinstance(meaning, Member))
        references = [meaning for meaning in meanings if isinstance(meaning, str)]
        if members:
            functions[name] = members
            references.append(f"{module}:{name}")
        names[name] = tuple(references)
    return names, functions
