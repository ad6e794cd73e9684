"""What overrides do with the parameters that they take: read them, pass them on, or forget them. Imports `usage`, `forwarding`.

The relation is content when an override *accepts* an argument. Here it must also do something with it: read it on every path that
returns, or refuse it. What the bodies say comes from a callable, so that this file does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from sigcheck.core.binding import Rejection, bind, bind_certain, smallest_call
from sigcheck.core.callsite import CallSite, Route
from sigcheck.core.contract import Contract
from sigcheck.core.dataclass import dataclass, replace
from sigcheck.core.forwarding import Forwarding
from sigcheck.core.hierarchy import Hierarchy, Pair
from sigcheck.core.member import Member
from sigcheck.core.module import Class
from sigcheck.core.names import is_called_by_syntax
from sigcheck.core.place import Place
from sigcheck.core.signature import Kind, Parameter, Signature
from sigcheck.core.turn import Turn

if TYPE_CHECKING:  # Most checks ask of no body, and need none of it.
    from sigcheck.core.flow import Flow
    from sigcheck.core.usage import Usage


@dataclass(frozen=True, slots=True)
class IgnoredParameter:
    """No path that returns reads these."""

    rule: ClassVar[str] = "ignored-parameter"
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartlyHonouredParameter:
    """Some path that returns does not read these; `turns` lead there, outermost first."""

    rule: ClassVar[str] = "partly-honoured-parameter"
    parameters: tuple[str, ...]
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class UnforwardedParameter:
    """A path does not read these, and delegates to a method that takes them.

    Attributes:
        parameters: their names.
        call: the call that does not pass them.
        callee_class, callee: what that call runs.
    """

    rule: ClassVar[str] = "unforwarded-parameter"
    parameters: tuple[str, ...]
    call: CallSite
    callee_class: Class
    callee: Member


@dataclass(frozen=True, slots=True)
class SwallowedArguments:
    """Parameters of the base land in catch-alls that the body never mentions."""

    rule: ClassVar[str] = "swallowed-argument"
    parameters: tuple[str, ...]
    catch_alls: tuple[Parameter, ...]


_Neglect = IgnoredParameter | PartlyHonouredParameter | UnforwardedParameter

UseReason = IgnoredParameter | PartlyHonouredParameter | UnforwardedParameter | SwallowedArguments
"""What an override can do to a parameter that it accepts."""


@dataclass(frozen=True, slots=True)
class NeglectedParameter:
    """An override that accepts a parameter of its base, and does not do with it what it should.

    Attributes:
        reason: what it does instead.
        override_class, override: the definition.
        base_class, base: where callers see the parameter.
        through: other files that say what is above the override's class, as far as the base; sorted.
    """

    reason: UseReason
    override_class: Class
    override: Member
    base_class: Class
    base: Member
    through: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        """The parameter in the override's header that takes it."""
        takes = (
            self.reason.catch_alls[0].name if isinstance(self.reason, SwallowedArguments) else self.reason.parameters[0]
        )
        parameter = self.override.signature.get(takes)
        if parameter is None or parameter.line is None or parameter.column is None:
            return self.override.place
        end = parameter.column + len(parameter.starred())
        return Place(self.override.place.path, parameter.line, parameter.column, parameter.line, end)


def swallowed_arguments(pairs: Collection[Pair], hierarchy: Hierarchy) -> Iterator[NeglectedParameter]:
    """The overrides whose unread catch-alls take what the base has a parameter for.

    Args:
        pairs: every override with every base that it is compared with, the nearest first.
        hierarchy: their classes.
    """
    told: set[tuple[int, str]] = set()
    for pair in pairs:
        unread = _unread(pair.override)
        if not unread or pair.owner is not pair.override_class or not pair.base.flavour.is_method:
            continue
        if is_called_by_syntax(pair.base.name):
            continue
        mine = next((signature for signature in pair.override.bound_signatures() if signature is not None), None)
        theirs = next((signature for signature in pair.base.bound_signatures() if signature is not None), None)
        if mine is None or theirs is None:
            continue
        # Where a parent lost the parameter, the parent is told.
        kept = [member.signature for member, is_parent in hierarchy.nearer(pair) if is_parent]
        names: dict[str, None] = {}
        used: dict[Parameter, None] = {}
        for parameter in theirs.named:
            if (id(pair.override), parameter.name) in told or any(above.get(parameter.name) is None for above in kept):
                continue
            landings = [landing for landing in _landings(parameter, mine, theirs) if landing.name in unread]
            if landings:
                names[parameter.name] = None
                used |= dict.fromkeys(landings)
                told.add((id(pair.override), parameter.name))
        if names:
            reason = SwallowedArguments(tuple(names), tuple(used))
            yield NeglectedParameter(reason, pair.override_class, pair.override, pair.base_class, pair.base)


def _has_body(member: Member) -> bool:
    """It is a method that does something."""
    return member.flavour.is_method and not member.is_stub and not member.is_placeholder


def _unread(member: Member) -> frozenset[str]:
    """The catch-alls that take what nobody reads; a leading underscore says that this is meant."""
    if not _has_body(member):
        return frozenset()
    return frozenset(name for name in member.unread if not name.startswith("_"))


def _landings(parameter: Parameter, override: Signature, base: Signature) -> Iterator[Parameter]:
    """The catch-alls of the override in which an argument for a parameter of the base lands: by position, and by keyword."""
    slots = [slot.name for slot in base.positional]
    by_position = smallest_call(base, slots.index(parameter.name) + 1) if parameter.name in slots else None
    by_keyword = smallest_call(base, 0, parameter.name) if parameter.is_keyword else None
    for shape, argument in (
        (by_position, slots.index(parameter.name) if parameter.name in slots else 0),
        (by_keyword, parameter.name),
    ):
        binding = bind(override, shape) if shape is not None else None
        if isinstance(binding, dict) and binding[argument].is_variadic:
            yield binding[argument]


Asked = tuple[Pair, Mapping[str, Pair]]
"""An override, and the parameters that it must honour, each with the pair in which a contract demands it."""


@dataclass(frozen=True, slots=True)
class BodyQuestion:
    """What is asked of a body.

    Attributes:
        member: whose body it is.
        names: the parameters whose usage is asked for, in order.
        options: the parameters by which a caller switches something on: see `usage.usages_of`.
    """

    member: Member
    names: tuple[str, ...]
    options: frozenset[str] = frozenset()


UsagesOf = Callable[[Sequence[BodyQuestion]], "Iterable[Mapping[str, Usage] | None]"]
"""Answers questions, in order: what a body does with each of the parameters; None for a body that is not there to be read, or
is known to read all of them whatever happens. It is called as soon as the questions of a file are known, and the answers are taken
when those of all files are."""


class Honouring:
    """One run over what contracts demand of bodies."""

    def __init__(self, forwarding: Forwarding) -> None:
        """Args: forwarding: finds what a call runs."""
        self.forwarding = forwarding
        self.hierarchy = forwarding.hierarchy
        self._passed: dict[int, frozenset[str]] = {}

    def asked(
        self,
        pairs: Collection[Pair],
        contracts_of: Callable[[Pair], Collection[Contract]],
        disowned: Mapping[tuple[str, int], Collection[str]],
    ) -> list[Asked]:
        """The overrides of which contracts demand that they honour something.

        Args:
            pairs: every override with every base that it is compared with, the nearest first.
            contracts_of: the contracts that name an override.
            disowned: for a path and a line, the parameters that a comment there says are ignored on purpose.
        """
        demanded: dict[int, tuple[Pair, dict[str, Pair]]] = {}
        for pair in pairs:
            if pair.owner is not pair.override_class or not _has_body(pair.override) or pair.override.is_replaced:
                continue
            _, parameters = demanded.setdefault(id(pair.override), (pair, {}))
            for contract in contracts_of(pair):
                for name in self._demanded(contract, pair, disowned):
                    parameters.setdefault(name, pair)
        return [(pair, parameters) for pair, parameters in demanded.values() if parameters]

    def neglected(self, asked: Asked, usages: Mapping[str, Usage]) -> Iterator[NeglectedParameter]:
        """The parameters that an override must honour, and does not; `usages` is what its body does with each."""
        pair, parameters = asked
        reasons = [reason for name, usage in usages.items() if (reason := self._reason(pair, name, usage)) is not None]
        for reason in _together(reasons):
            found = parameters[reason.parameters[0]]
            yield NeglectedParameter(reason, pair.override_class, pair.override, found.base_class, found.base)

    def _demanded(
        self, contract: Contract, pair: Pair, disowned: Mapping[tuple[str, int], Collection[str]]
    ) -> Iterator[str]:
        override, base = pair.override, pair.base
        excused = {
            name
            for line in range(override.place.line, override.last_line + 1)
            for name in disowned.get((override.place.path, line), ())
        }
        theirs = next((signature for signature in base.bound_signatures() if signature is not None), None)
        passed = self._passed_by_template(pair) if theirs is not None and contract.honour is None else frozenset()
        for parameter in theirs.named if theirs is not None else ():
            is_taken = (mine := override.signature.get(parameter.name)) is not None and not mine.is_variadic
            if is_taken and parameter.name not in excused and contract.demands(parameter.name, passed):
                yield parameter.name

    def _passed_by_template(self, pair: Pair) -> frozenset[str]:
        """The parameters that the base's own calls of the method pass, with another value than the default."""
        known = self._passed.get(id(pair.base))
        if known is not None:
            return known
        found: set[str] = set()
        signature = next((found for found in pair.base.bound_signatures() if found is not None), Signature())
        for order in self.hierarchy.linearizations(pair.base_class):
            for entry in order:
                for member in entry.members:
                    for call in member.calls:
                        if call.method == pair.base.name and call.route is Route.INSTANCE:
                            found |= _passed(call, signature)
        self._passed[id(pair.base)] = frozenset(found)
        return self._passed[id(pair.base)]

    def _reason(self, pair: Pair, name: str, usage: Usage) -> _Neglect | None:
        from sigcheck.core.usage import UsageKind  # noqa: PLC0415 - most checks ask of no body

        if usage.kind is UsageKind.HONOURED or usage.is_stub or usage.is_by_the_way:
            return None
        if usage.kind is UsageKind.PARTLY and not usage.forgotten:
            return None  # Only an exception that a `finally` hides leads there.
        mine = pair.override.signature
        for call in pair.override.calls:
            if call.place.line in usage.calls:
                for owner, callee, signatures in self.forwarding.callees(pair.owner, pair.override, call):
                    if callee is not pair.override and all(_lacks(call, theirs, name, mine) for theirs in signatures):
                        return UnforwardedParameter((name,), call, owner, callee)
        if usage.kind is UsageKind.IGNORED:
            return IgnoredParameter((name,))
        return PartlyHonouredParameter((name,), usage.forgotten)


def answer_to(question: BodyQuestion, flow: Flow | None) -> Mapping[str, Usage] | None:
    """What a body that has been read does with the parameters that are asked about."""
    if flow is None:
        return None
    from sigcheck.core.usage import usages_of  # noqa: PLC0415 - as above

    return usages_of(flow, question.names, options=question.options)


def question_of(asked: Asked) -> BodyQuestion:
    """What must be known of the body."""
    pair, parameters = asked
    return BodyQuestion(pair.override, tuple(parameters), _options(pair))


def _options(pair: Pair) -> frozenset[str]:
    """The parameters that the caller of the base can set: what hangs on one of them is left out on the caller's word."""
    return frozenset(parameter.name for parameter in pair.base.signature.named)


def _lacks(call: CallSite, theirs: Signature, name: str, mine: Signature) -> bool:
    """The callee has a parameter of that name, and the call passes nothing for it, neither this value nor another."""
    taken = theirs.get(name)
    if taken is None or taken.is_variadic or (call.has_star and taken.is_positional):
        return False
    # What the method's own `**kwargs` holds, it cannot be; another mapping may have it.
    if call.has_double_star and not any(parameter.kind is Kind.VAR_KEYWORD for parameter in mine.parameters):
        return False
    binding = bind_certain(theirs, call.shape, has_star=call.has_star, has_double_star=call.has_double_star)
    return isinstance(binding, Rejection) or taken not in binding.values()


def _together(reasons: Collection[_Neglect]) -> Iterator[_Neglect]:
    """Parameters that are neglected in the same way are neglected together."""
    merged: dict[object, _Neglect] = {}
    for reason in reasons:
        alike = replace(reason, parameters=())
        known = merged.get(alike)
        merged[alike] = reason if known is None else replace(known, parameters=(*known.parameters, *reason.parameters))
    yield from merged.values()


def _passed(call: CallSite, signature: Signature) -> set[str]:
    binding = bind_certain(signature, call.shape, has_star=call.has_star, has_double_star=call.has_double_star)
    if isinstance(binding, Rejection):
        return set()
    texts: dict[int | str, str] = {**dict(enumerate(call.positional)), **dict(call.keywords)}
    return {parameter.name for argument, parameter in binding.items() if texts[argument] != parameter.default}
