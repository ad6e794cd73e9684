"""The reasons why an override breaks the promise, as values: a closed union, no prose. Imports `binding` and `signature`.

Every reason of the relation carries a `Witness`: one call that the base accepts, and what it does on the override. The
report turns reasons into words (`report/words.py`); the rule that each belongs to is its class attribute `rule`.
"""

from __future__ import annotations

from typing import ClassVar

from sigcheck.core.binding import Argument, CallShape, Rejection
from sigcheck.core.dataclass import dataclass
from sigcheck.core.signature import Parameter


@dataclass(frozen=True, slots=True)
class Landing:
    """One argument, and the two parameters that receive it.

    Attributes:
        argument: position or keyword at the call.
        base: the parameter of the base that it binds.
        override: the parameter of the override that it binds.
    """

    argument: Argument
    base: Parameter
    override: Parameter


@dataclass(frozen=True, slots=True)
class Witness:
    """A call that the base accepts, and what the override does with it.

    Attributes:
        shape: the call.
        outcome: the rejection, or the arguments that land in a parameter of another name.
    """

    shape: CallShape
    outcome: Rejection | tuple[Landing, ...]

    @property
    def is_silent(self) -> bool:
        """The override runs, with an argument in the wrong parameter."""
        return not isinstance(self.outcome, Rejection)


@dataclass(frozen=True, slots=True)
class MissingParameters:
    """The override cannot receive these base parameters, which stand side by side in the base.

    `lands_in` is the parameter in which the first of them lands where it is given by position, or None.
    """

    rule: ClassVar[str] = "missing-parameter"
    names: tuple[str, ...]
    lands_in: str | None
    witness: Witness


@dataclass(frozen=True, slots=True)
class ExtraRequiredParameters:
    """The override requires parameters that the base never passes; `displaced` are the base parameters behind them."""

    rule: ClassVar[str] = "extra-required-parameter"
    names: tuple[str, ...]
    displaced: tuple[str, ...]
    witness: Witness


@dataclass(frozen=True, slots=True)
class InsertedParameters:
    """The override has these parameters in front of `displaced` ones of the base: `parameter` lands in `lands_in`."""

    rule: ClassVar[str] = "misbound-parameter"
    names: tuple[str, ...]
    displaced: tuple[str, ...]
    parameter: str
    lands_in: str
    witness: Witness


@dataclass(frozen=True, slots=True)
class MovedParameter:
    """Both know the parameter, at another place in the order; `swapped` if the two only changed places."""

    rule: ClassVar[str] = "misbound-parameter"
    parameter: str
    lands_in: str
    swapped: bool
    witness: Witness


@dataclass(frozen=True, slots=True)
class ReplacedParameters:
    """Neighbouring slots of the base belong to other parameters: each of `names` lands in its counterpart of `targets`.

    Either the family knows the two as different things, or by keyword the argument goes where it should.
    """

    rule: ClassVar[str] = "misbound-parameter"
    names: tuple[str, ...]
    targets: tuple[str, ...]
    witness: Witness

    @property
    def parameter(self) -> str:
        """The first of the names."""
        return self.names[0]

    @property
    def lands_in(self) -> str:
        """Where the first of the names lands."""
        return self.targets[0]


@dataclass(frozen=True, slots=True)
class RenamedParameter:
    """The same slot under a name that nobody else knows."""

    rule: ClassVar[str] = "renamed-parameter"
    parameter: str
    lands_in: str
    witness: Witness


@dataclass(frozen=True, slots=True)
class NotPositional:
    """The base takes the parameters by position, the override by keyword only: in its `variadic`, if that is not None."""

    rule: ClassVar[str] = "not-positional"
    names: tuple[str, ...]
    variadic: Parameter | None
    witness: Witness


@dataclass(frozen=True, slots=True)
class NotKeyword:
    """The base takes the parameters by keyword, the override by position only: in its `variadic`, if that is not None."""

    rule: ClassVar[str] = "not-keyword"
    names: tuple[str, ...]
    variadic: Parameter | None
    witness: Witness


@dataclass(frozen=True, slots=True)
class DefaultRemoved:
    """The parameter is optional in the base and required in the override, where it may have another name."""

    rule: ClassVar[str] = "default-removed"
    name: str
    override_name: str
    witness: Witness


@dataclass(frozen=True, slots=True)
class VariadicRemoved:
    """The base collects arguments that the override refuses.

    Attributes:
        variadics: the base's `*args`, `**kwargs`, or both.
        claimed_by: the parameters of the override that take such arguments for themselves, and so make calls fail; none
            where the override has no such catch-all at all.
    """

    rule: ClassVar[str] = "variadic-removed"
    variadics: tuple[Parameter, ...]
    claimed_by: tuple[str, ...]
    witness: Witness


@dataclass(frozen=True, slots=True)
class ReceiverMismatch:
    """What the member is bound to differs: `override` and `base` are words of `member.Flavour`."""

    rule: ClassVar[str] = "receiver-mismatch"
    override: str
    base: str


@dataclass(frozen=True, slots=True)
class AsyncMismatch:
    """One is a coroutine function and the other is not."""

    rule: ClassVar[str] = "async-mismatch"
    override_is_coroutine: bool


@dataclass(frozen=True, slots=True)
class DefaultChanged:
    """The parameter is optional in both, with another default (source text)."""

    rule: ClassVar[str] = "default-changed"
    name: str
    base_default: str
    override_default: str


BindingReason = (
    MissingParameters
    | ExtraRequiredParameters
    | InsertedParameters
    | MovedParameter
    | ReplacedParameters
    | RenamedParameter
    | NotPositional
    | NotKeyword
    | DefaultRemoved
    | VariadicRemoved
)
"""What `assignability.incompatibilities` finds between two signatures."""

Reason = BindingReason | ReceiverMismatch | AsyncMismatch | DefaultChanged
"""What is found between two members."""


def names_involved(reason: Reason) -> frozenset[str]:
    """The parameters that a reason speaks of, of the base and of the override."""
    match reason:
        case MissingParameters() | ExtraRequiredParameters() | NotPositional() | NotKeyword():
            return frozenset(reason.names)
        case InsertedParameters(names=names, parameter=parameter):
            return frozenset((*names, parameter))
        case DefaultRemoved(name=name, override_name=override_name):
            return frozenset((name, override_name))
        case DefaultChanged(name=name):
            return frozenset((name,))
        case ReplacedParameters(names=names, targets=targets):
            return frozenset((*names, *targets))
        case MovedParameter() | RenamedParameter():
            return frozenset((reason.parameter, reason.lands_in))
        case VariadicRemoved(variadics=variadics, claimed_by=claimed_by):
            return frozenset((*(variadic.name for variadic in variadics), *claimed_by))
        case ReceiverMismatch() | AsyncMismatch():
            return frozenset()
