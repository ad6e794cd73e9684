"""Parameters and signatures as plain values. Imports nothing of sigcheck."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from enum import IntEnum

from sigcheck.core.dataclass import dataclass, field, replace

OPEN_ANNOTATIONS = frozenset({"Any", "typing.Any", "t.Any", "typing_extensions.Any", "object", "builtins.object"})


class Kind(IntEnum):
    """The kind of a parameter: names and values of `inspect.Parameter`'s kinds."""

    POSITIONAL_ONLY = 0
    POSITIONAL_OR_KEYWORD = 1
    VAR_POSITIONAL = 2
    KEYWORD_ONLY = 3
    VAR_KEYWORD = 4


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a `def`.

    Two parameters are equal when name, kind and requiredness are: annotation, default and place are what a report shows,
    never what the relation compares.

    Attributes:
        name: as written, without stars.
        kind: as `inspect.Parameter.kind`.
        required: a call must supply it. False for variadics.
        annotation: source text, or None.
        default: source text, or None where there is none.
        line, column: 1-based, of its name in its file, stars included; None where it was not read from one.
    """

    name: str
    kind: Kind
    required: bool
    annotation: str | None = field(default=None, compare=False)
    default: str | None = field(default=None, compare=False)
    line: int | None = field(default=None, compare=False)
    column: int | None = field(default=None, compare=False)

    @property
    def is_positional(self) -> bool:
        """Can be filled by position, by itself (not through `*args`)."""
        return self.kind <= Kind.POSITIONAL_OR_KEYWORD

    @property
    def is_keyword(self) -> bool:
        """Can be filled by its name."""
        return self.kind in (Kind.POSITIONAL_OR_KEYWORD, Kind.KEYWORD_ONLY)

    @property
    def is_variadic(self) -> bool:
        """Collects what no other parameter takes: `*args` or `**kwargs`."""
        return self.kind in (Kind.VAR_POSITIONAL, Kind.VAR_KEYWORD)

    def starred(self) -> str:
        """The name, with the stars of a catch-all."""
        if self.kind is Kind.VAR_POSITIONAL:
            return f"*{self.name}"
        return f"**{self.name}" if self.kind is Kind.VAR_KEYWORD else self.name

    def __str__(self) -> str:
        default = "" if self.required or self.is_variadic else f"={self.default or '...'}"
        return f"{self.starred()}{default}"


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of a callable, in order. The receiver is not special here: see `without_receiver`."""

    parameters: tuple[Parameter, ...] = ()

    @classmethod
    def of(cls, parameters: Iterable[Parameter]) -> Signature:
        """A signature of these parameters, in this order."""
        return cls(tuple(parameters))

    @property
    def positional(self) -> tuple[Parameter, ...]:
        """The parameters that have a slot: positional-only, then positional-or-keyword."""
        return tuple([parameter for parameter in self.parameters if parameter.kind <= Kind.POSITIONAL_OR_KEYWORD])

    @property
    def named(self) -> tuple[Parameter, ...]:
        """Every parameter but the variadics."""
        return tuple([parameter for parameter in self.parameters if not parameter.is_variadic])

    @property
    def var_positional(self) -> Parameter | None:
        """`*args`, whatever its name."""
        return next((p for p in self.parameters if p.kind is Kind.VAR_POSITIONAL), None)

    @property
    def var_keyword(self) -> Parameter | None:
        """`**kwargs`, whatever its name."""
        return next((p for p in self.parameters if p.kind is Kind.VAR_KEYWORD), None)

    @property
    def is_open(self) -> bool:
        """Exactly `*args, **kwargs`, unannotated, `Any`, `object`, or a parameter specification: it promises nothing."""
        if [parameter.kind for parameter in self.parameters] != [Kind.VAR_POSITIONAL, Kind.VAR_KEYWORD]:
            return False
        return all(
            parameter.annotation is None
            or parameter.annotation.strip("\"'") in OPEN_ANNOTATIONS
            or parameter.annotation.endswith((".args", ".kwargs"))
            for parameter in self.parameters
        )

    def get(self, name: str) -> Parameter | None:
        """The parameter of that name, or None."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)

    def without_receiver(self) -> Signature | None:
        """The bound call: without its first slot. `*args` swallows a receiver; None where nothing can receive one."""
        if self.parameters and self.parameters[0].is_positional:
            return Signature(self.parameters[1:])
        return self if self.var_positional is not None else None

    def positional_only(self) -> Signature:
        """The same with every slot positional-only: how syntax calls a dunder."""
        return Signature(
            tuple(
                Parameter(p.name, Kind.POSITIONAL_ONLY, p.required, p.annotation, p.default, p.line, p.column)
                if p.kind is Kind.POSITIONAL_OR_KEYWORD
                else p
                for p in self.parameters
            )
        )

    def called_with(self, least: int, most: int) -> Signature:
        """What callers see who pass so many arguments by position, and beside those what has a name, if it is no private one.

        The whole of it, where it takes no such call, or anything.
        """
        slots, rest = list(self.positional), self.var_positional
        if rest is not None:
            numbers = range(len(slots) + 1, most + 1)
            slots += [Parameter(f"{rest.name}{n}", Kind.POSITIONAL_ONLY, required=False) for n in numbers]
        beside = [*slots[most:], *(p for p in self.named if p.kind is Kind.KEYWORD_ONLY)]
        if self.is_open or len(slots) < least or any(p.required for p in beside):
            return self.positional_only()
        required = [replace(p, required=True, default=None) for p in slots[:least]]
        public = [p for p in beside if not p.name.startswith("_")]
        return Signature((*required, *slots[least:most], *public)).positional_only()

    def with_supplied(self, names: Collection[str]) -> Signature:
        """What callers see where a decorator supplies parameters of these names: they are optional.

        In front of required ones they are no slots that a caller fills: they become keyword-only.
        """
        kept: list[Parameter] = []
        moved: list[Parameter] = []
        required = [p for p in self.parameters if p.is_positional and p.required and p.name not in names]
        is_in_front = bool(required)
        for parameter in self.parameters:
            is_in_front = is_in_front and parameter is not required[-1]
            if parameter.name not in names:
                if parameter.kind is Kind.VAR_KEYWORD:
                    kept += moved
                    moved = []
                kept.append(parameter)
                continue
            supplied = replace(parameter, required=False, default=parameter.default or "...")
            if parameter.is_positional and is_in_front:
                moved.append(replace(supplied, kind=Kind.KEYWORD_ONLY))
            else:
                kept.append(supplied)
        return Signature((*kept, *moved))

    def names_only(self) -> str:
        """The parameters without their defaults, between parentheses."""
        return f"({', '.join(_written(self.parameters, Parameter.starred))})"

    def __str__(self) -> str:
        return f"({', '.join(_written(self.parameters, str))})"


def _written(parameters: tuple[Parameter, ...], write: Callable[[Parameter], str]) -> list[str]:
    """The parameters as they stand between the parentheses of a `def`, with `/` and `*` where Python wants them."""
    words: list[str] = []
    previous: Kind | None = None
    for parameter in parameters:
        if previous is Kind.POSITIONAL_ONLY and parameter.kind is not Kind.POSITIONAL_ONLY:
            words.append("/")
        if parameter.kind is Kind.KEYWORD_ONLY and previous not in (Kind.KEYWORD_ONLY, Kind.VAR_POSITIONAL):
            words.append("*")
        words.append(write(parameter))
        previous = parameter.kind
    if previous is Kind.POSITIONAL_ONLY:
        words.append("/")
    return words
