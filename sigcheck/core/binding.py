"""What a call does: which parameter receives each argument. Imports only `signature`.

`bind` is `inspect.Signature.bind` on values instead of objects; a test holds the two, and real calls, against each other.
"""

from __future__ import annotations

from enum import Enum

from sigcheck.core.dataclass import dataclass, replace
from sigcheck.core.signature import Kind, Parameter, Signature

Argument = int | str
"""An argument at a call: its position, or its keyword."""


@dataclass(frozen=True, slots=True)
class CallShape:
    """How many arguments go by position, and which keywords are given.

    Attributes:
        positional: number of positional arguments.
        keywords: the keywords, without repetition, in the order of the call.
    """

    positional: int
    keywords: tuple[str, ...] = ()


class Refusal(Enum):
    """Why an interpreter raises `TypeError` for a call."""

    TOO_MANY_POSITIONAL = "too many positional arguments"
    UNEXPECTED_KEYWORD = "unexpected keyword argument"
    MULTIPLE_VALUES = "multiple values for argument"
    MISSING_ARGUMENT = "missing argument"


@dataclass(frozen=True, slots=True)
class Rejection:
    """The call raises `TypeError`.

    Attributes:
        refusal: why.
        names: the keywords refused, or the parameters left without an argument; empty for too many positionals.
    """

    refusal: Refusal
    names: tuple[str, ...] = ()

    @property
    def is_about_a_keyword(self) -> bool:
        """An argument by name is refused."""
        return self.refusal in (Refusal.UNEXPECTED_KEYWORD, Refusal.MULTIPLE_VALUES)


Binding = dict[Argument, Parameter]
"""Which parameter receives each argument of an accepted call."""


def bind(signature: Signature, shape: CallShape) -> Binding | Rejection:
    """Bind the arguments of a call to the parameters of `signature`, as the interpreter does.

    Returns:
        The binding, or the rejection that stands for the `TypeError`.
    """
    # One pass: half of the time of a check goes into this.
    binding: Binding = {}
    filled: set[str] = set()
    by_name: dict[str, Parameter] = {}
    rest: Parameter | None = None
    others: Parameter | None = None
    slots = 0
    for parameter in signature.parameters:
        kind = parameter.kind
        if kind is _EITHER or kind is _BY_POSITION:
            if slots < shape.positional:
                binding[slots] = parameter
                filled.add(parameter.name)
            slots += 1
            if kind is _EITHER:
                by_name[parameter.name] = parameter
        elif kind is _BY_KEYWORD:
            by_name[parameter.name] = parameter
        elif kind is _REST:
            rest = parameter
        else:
            others = parameter
    if slots < shape.positional:
        if rest is None:
            return Rejection(Refusal.TOO_MANY_POSITIONAL)
        binding |= dict.fromkeys(range(slots, shape.positional), rest)
    for keyword in shape.keywords:
        target = by_name.get(keyword)
        if target is None:
            target = others
            if target is None:
                return Rejection(Refusal.UNEXPECTED_KEYWORD, (keyword,))
        elif keyword in filled:
            return Rejection(Refusal.MULTIPLE_VALUES, (keyword,))
        else:
            filled.add(keyword)
        binding[keyword] = target
    missing = [
        parameter.name
        for index, parameter in enumerate(signature.parameters)
        if parameter.required
        and (index >= shape.positional if parameter.kind is _BY_POSITION else parameter.name not in filled)
    ]
    if missing:
        return Rejection(Refusal.MISSING_ARGUMENT, tuple(missing))
    return binding


_BY_POSITION, _EITHER, _REST, _BY_KEYWORD = list(Kind)[:4]


def bind_certain(
    signature: Signature, shape: CallShape, *, has_star: bool, has_double_star: bool
) -> Binding | Rejection:
    """Bind what is certain of a call that may also have `*seq` and `**mapping`.

    Args:
        signature: what is called.
        shape: the positional arguments in front of any `*seq`, and the keywords.
        has_star: there is a `*seq`, of unknown length.
        has_double_star: there is a `**mapping`, of unknown content.

    Returns:
        Where the arguments of `shape` land; or a rejection that no content of the two could prevent.
    """
    found = bind(signature, shape)
    if not isinstance(found, Rejection) or found.refusal is not Refusal.MISSING_ARGUMENT:
        return found
    missing = [parameter for parameter in signature.parameters if parameter.name in found.names and parameter.required]
    lacking = tuple(
        parameter.name
        for parameter in missing
        if not (has_star and parameter.is_positional) and not (has_double_star and parameter.is_keyword)
    )
    # What is certain lands in the same places, whoever supplies the rest.
    fuller = Signature(tuple(replace(p, required=False) if p in missing else p for p in signature.parameters))
    return Rejection(Refusal.MISSING_ARGUMENT, lacking) if lacking else bind(fuller, shape)


def required_keywords(signature: Signature, positional: int) -> tuple[str, ...]:
    """The keywords that a call with that many positional arguments must give."""
    covered = {slot.name for slot in signature.positional[:positional]}
    return tuple(
        [
            parameter.name
            for parameter in signature.parameters
            if parameter.required and parameter.is_keyword and parameter.name not in covered
        ]
    )


def smallest_call(signature: Signature, positional: int, *keywords: str) -> CallShape | None:
    """The smallest call that `signature` accepts with at least so many positional arguments and these keywords.

    Returns:
        The shape, or None where no such call is legal.
    """
    least = [parameter for parameter in signature.parameters if parameter.required and parameter.kind is _BY_POSITION]
    count = max(positional, len(least))
    names = dict.fromkeys((*keywords, *required_keywords(signature, count)))
    shape = CallShape(count, tuple(names))
    return None if isinstance(bind(signature, shape), Rejection) else shape


def is_misbinding(parameter: Parameter, lands_in: Parameter, override: Signature, base: Signature) -> bool:
    """An argument that is `parameter` to the base and `lands_in` to the override: is that another name?

    Catch-alls have no name. A positional-only parameter of the base has no keyword, so its name is free, unless both
    signatures know both names: the same names permuted.
    """
    if parameter.is_variadic or lands_in.is_variadic or parameter.name == lands_in.name:
        return False
    if parameter.kind is Kind.POSITIONAL_ONLY:
        return any(slot.name == lands_in.name for slot in base.positional) and any(
            slot.name == parameter.name for slot in override.positional
        )
    return True
