"""An object that changes its name on its way from one method to another: is that a misbinding? Imports `signature` and `binding`.

An object was `p` to the method that calls, and lands in `q` of the one that is called. That alone means nothing: `step(normed,
residual=x)` gives `x` another name on purpose. It is a misbinding where the author of the call cannot have meant it.
"""

from __future__ import annotations

from collections.abc import Mapping

from sigcheck.core.binding import Argument, CallShape, Rejection, bind, is_misbinding
from sigcheck.core.dataclass import dataclass
from sigcheck.core.place import Place
from sigcheck.core.signature import Parameter, Signature


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition of a method, as a call sees it.

    Attributes:
        owner: the qualified name of its class, without its module.
        name: of the method.
        signature: as it is called: without a receiver.
        place: where its code begins.
    """

    owner: str
    name: str
    signature: Signature
    place: Place


@dataclass(frozen=True, slots=True)
class Strayed:
    """The call binds it elsewhere in the definition that its author saw.

    Attributes:
        seen: that definition.
        meant: what it is there.
    """

    seen: Definition
    meant: str


@dataclass(frozen=True, slots=True)
class Exchanged:
    """Two or more objects changed places: each is another's parameter now.

    Attributes:
        names: the parameters, each of which went to the next, and the last to the first.
    """

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Displaced:
    """It goes by position into another slot than its own, and nothing that the author knew belongs there stands in its own."""


@dataclass(frozen=True, slots=True)
class WrongRole:
    """The object carries a role, and the parameter demands another.

    Attributes:
        carried: the role of the object.
        demanded: the roles that fit.
    """

    carried: str
    demanded: tuple[str, ...]


Cause = Strayed | Exchanged | Displaced | WrongRole
"""Why a change of name cannot have been meant."""


@dataclass(frozen=True, slots=True)
class Misbinding:
    """One argument in a parameter that is another thing.

    Attributes:
        argument: its position (from 0, no receiver counted) or its keyword.
        parameter: what it was to the caller; None where only its role tells.
        lands_in: the parameter that receives it.
        callee: what is called.
        caller: the guarded method in which it had its name; None where it is called from outside.
        cause: why that cannot have been meant.
    """

    argument: Argument
    parameter: str | None
    lands_in: str
    callee: Definition
    caller: Definition | None
    cause: Cause


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one call hands from one method to another, by name.

    Attributes:
        landings: for each argument of the call that lands in a named parameter, that parameter.
        names: for each argument that had exactly one name in the caller, that name.
        moves: for each name of the caller whose object is passed once and changes its name, the parameter in which it lands.
        returned: for each parameter that gets a value without an identity (`None`, a number), the caller's names for that value.
    """

    landings: Mapping[Argument, str]
    names: Mapping[Argument, str]
    moves: Mapping[str, str]
    returned: Mapping[str, frozenset[str]]


def strayed(argument: Argument, shape: CallShape, callee: Definition, seen: Definition) -> Strayed | None:
    """Whether a call does with an argument in the callee what its author saw it do.

    Names of positional-only parameters are free, as everywhere: see `is_misbinding`.
    """
    promised, received = bind(seen.signature, shape), bind(callee.signature, shape)
    if isinstance(promised, Rejection) or isinstance(received, Rejection):
        return None
    meant, lands_in = promised[argument], received[argument]
    return Strayed(seen, meant.name) if is_misbinding(meant, lands_in, callee.signature, seen.signature) else None


def collects(argument: Argument, shape: CallShape, seen: Definition) -> bool:
    """The definition that the author saw takes the argument in a catch-all: what it is, only its name tells."""
    binding = bind(seen.signature, shape)
    return not isinstance(binding, Rejection) and binding[argument].is_variadic


def exchanged(name: str, delivery: Delivery) -> Exchanged | None:
    """Whether objects changed places, and this is one of them: two of them, or more in a ring.

    Of two, one may be a value without an identity, the same one in the other's place. One object that moves is no evidence:
    who walks a tree passes its `node` as `parent`, and something new as `node`.
    """
    moves = delivery.moves
    lands_in = moves[name]
    if lands_in in delivery.returned.get(name, ()):
        return Exchanged((name, lands_in))
    ring = [name]
    while (onward := moves.get(ring[-1])) is not None and onward not in ring:
        ring.append(onward)
    return Exchanged(tuple(ring)) if onward == name else None


def displaced(argument: Argument, callee: Signature, delivery: Delivery) -> Displaced | None:
    """Whether an argument goes by position past the parameter that bears its name.

    That parameter is left empty, or got what bears the name of a third: else the author knew, and the name is a coincidence.
    """
    name, lands_in = delivery.names[argument], delivery.landings[argument]
    if isinstance(argument, str) or not _is_named(callee.get(name)):
        return None
    if f"_{name}_" in f"_{lands_in}_":
        return None  # `hidden_states` in `original_hidden_states`: the name fits there too.
    occupant = next((other for other, slot in delivery.landings.items() if slot == name), None)
    if occupant is None:
        return Displaced()
    instead = delivery.names.get(occupant)
    return Displaced() if instead is not None and instead != name and _is_named(callee.get(instead)) else None


def _is_named(parameter: Parameter | None) -> bool:
    return parameter is not None and not parameter.is_variadic
