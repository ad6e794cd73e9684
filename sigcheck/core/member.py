"""What a class binds a name to: methods, properties, aliases. Imports `signature`, `wrapper` and `place`."""

from __future__ import annotations

from enum import Enum

from sigcheck.core.callsite import CallSite
from sigcheck.core.dataclass import dataclass, field, replace
from sigcheck.core.place import Branch, Place
from sigcheck.core.signature import Kind, Parameter, Signature
from sigcheck.core.wrapper import Decoration, Wrapper


class Flavour(Enum):
    """What a lookup on an instance gives; `FUNCTION`, what one on a module gives, or on a stub of one."""

    INSTANCE = "instance method"
    CLASS = "class method"
    STATIC = "static method"
    FUNCTION = "function"
    PROPERTY = "property"
    CACHED_PROPERTY = "cached property"
    NONE = "None"
    OPAQUE = "attribute"

    @property
    def is_method(self) -> bool:
        """A lookup gives something to call."""
        return self in (Flavour.INSTANCE, Flavour.CLASS, Flavour.STATIC, Flavour.FUNCTION)

    @property
    def is_property(self) -> bool:
        """A lookup computes a value."""
        return self in (Flavour.PROPERTY, Flavour.CACHED_PROPERTY)


@dataclass(frozen=True, slots=True)
class Alias:
    """A member that is another callable under a new name, to be looked up.

    Attributes:
        references: what the name may mean (`module:qualified.name`), one for each branch.
        positional: arguments that `partialmethod` supplies by position.
        keywords: those it supplies by keyword.
        wrapped_as: how the class binds it (`staticmethod(f)`), or None to take what it is.
    """

    references: tuple[str, ...]
    positional: int = 0
    keywords: tuple[str, ...] = ()
    wrapped_as: Flavour | None = None

    @property
    def is_plain(self) -> bool:
        """Only another name: nothing is supplied, nothing wrapped."""
        return not self.positional and not self.keywords and self.wrapped_as is None


@dataclass(frozen=True, slots=True)
class Member:
    """One definition of a name in a class, or of a function in a module.

    Attributes:
        name: as looked up.
        flavour: what it binds to.
        place: the name in its `def`, or the assignment.
        last_line: the last line of the header; suppressions stand between `place.line` and here.
        signature: as written, or as a decorator has it that puts another function in its place; the receiver included; empty for
            what is not a function.
        overloads: the signatures of a stub that has overloads and no implementation.
        is_coroutine: True for a coroutine function, False for a plain one, None where the source does not tell.
        returns_callable: for a property, whether its value can be called; None where the source does not tell.
        has_setter: for a property.
        is_stub: its body only raises, passes or is `...`.
        is_placeholder: its body only raises, or it is abstract: a call of it is never the one that is meant.
        is_dispatched: `singledispatchmethod`: other implementations may take other arguments.
        branch: the tests it stands under.
        alias: what it is another name of.
        unpacks: what `T` may mean in `**kwargs: Unpack[T]`.
        calls: the calls to siblings in its body.
        assigns: the attributes of the receiver that its body assigns; on an instance they hide methods.
        unread: the catch-alls of its signature that its body never mentions, and no decorator can have read.
        probes: the methods of the receiver of which its body asks what they are: `inspect.signature(self.m)`,
            `type(self).m is Base.m`.
        is_replaced: the signature is a decorator's: it is not known what the body gets.
        wrappers: as a decorator, what it puts in the place of what it decorates, where that has parameters of its own; of
            `__call__`, what an instance does as one.
        decorations: the decorators above it that are to be looked up, the innermost first.
        promises_nothing: it is declared to take anything (`get: Callable[..., X] = f`): its callers know no more.
    """

    name: str
    flavour: Flavour
    place: Place
    last_line: int
    signature: Signature = field(default_factory=Signature)
    overloads: tuple[Signature, ...] = ()
    is_coroutine: bool | None = None
    returns_callable: bool | None = None
    has_setter: bool = False
    is_stub: bool = False
    is_placeholder: bool = False
    is_dispatched: bool = False
    branch: Branch = ()
    alias: Alias | None = None
    unpacks: tuple[str, ...] = ()
    calls: tuple[CallSite, ...] = ()
    assigns: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    is_replaced: bool = False
    wrappers: tuple[Wrapper, ...] = ()
    decorations: tuple[Decoration, ...] = ()
    promises_nothing: bool = False

    def bound_signatures(self) -> tuple[Signature | None, ...]:
        """What a caller who holds an instance sees: one signature, or one for each overload.

        None stands for a method that cannot receive its receiver.
        """
        written = self.overloads or (self.signature,)
        if self.flavour in (Flavour.STATIC, Flavour.FUNCTION):
            return written
        return tuple(signature.without_receiver() for signature in written)

    def of_stub(self) -> Member:
        """This function of a module, of which only a stub tells: so nobody knows whether it takes the instance of a class that has it."""
        return replace(self, flavour=Flavour.FUNCTION) if self.flavour.is_method else self

    def promising(self, *, nothing: bool) -> Member:
        """This definition, as it is declared."""
        return self if nothing is self.promises_nothing else replace(self, promises_nothing=nothing)

    def with_header_of(self, other: Member) -> Member:
        """This definition, with all that another reading of it says of its header, and none of what it says of the body."""
        return replace(
            other,
            is_coroutine=self.is_coroutine,
            returns_callable=self.returns_callable,
            is_stub=self.is_stub,
            is_placeholder=self.is_placeholder,
            calls=self.calls,
            assigns=self.assigns,
            unread=self.unread,
            probes=self.probes,
            wrappers=self.wrappers,
        )

    def called_as(self, name: str, place: Place, last_line: int, branch: Branch, alias: Alias) -> Member:
        """This callable as the member of another class that `alias` makes it."""
        if self.flavour.is_property or not self.flavour.is_method:
            return replace(self, name=name, place=place, last_line=last_line, branch=branch)
        flavour = alias.wrapped_as or self.flavour
        if self.flavour is Flavour.STATIC and alias.is_plain:
            flavour = Flavour.INSTANCE  # A static method, looked up on its class, is a function like any other.
        elif flavour is Flavour.FUNCTION:
            # A compiled function takes no instance. `partialmethod` passes it in any case.
            flavour = Flavour.OPAQUE if alias.is_plain else Flavour.INSTANCE
        signature = _supplied(self.signature, alias, skip=0 if flavour is Flavour.STATIC else 1)
        overloads = tuple(
            _supplied(overload, alias, skip=0 if flavour is Flavour.STATIC else 1) for overload in self.overloads
        )
        return replace(
            self,
            name=name,
            place=place,
            last_line=last_line,
            branch=branch,
            flavour=flavour,
            signature=signature,
            overloads=overloads,
            calls=(),
            assigns=(),
        )


def _supplied(signature: Signature, alias: Alias, *, skip: int) -> Signature:
    """The signature when `partialmethod` supplies some arguments: as `inspect.signature` shows it."""
    kept: list[Parameter] = []
    left = alias.positional
    only_keyword = False
    for index, parameter in enumerate(signature.parameters):
        if index >= skip and left and parameter.is_positional:
            left -= 1
        elif parameter.name in alias.keywords and parameter.is_keyword:
            only_keyword = True
            kept.append(replace(parameter, kind=Kind.KEYWORD_ONLY, required=False, default="..."))
        elif only_keyword and parameter.kind is Kind.POSITIONAL_OR_KEYWORD:
            kept.append(replace(parameter, kind=Kind.KEYWORD_ONLY))
        elif only_keyword and parameter.kind is Kind.VAR_POSITIONAL:
            continue
        else:
            kept.append(parameter)
    return Signature.of(sorted(kept, key=lambda parameter: parameter.kind))
