"""Which override is held against which base, and what is told of it, once. Imports `guarded`, `hierarchy` and `overriding`;
`siblings` and `kinship` where a contract or a family asks for them.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from sigcheck.core.binding import Rejection, bind_certain, is_misbinding
from sigcheck.core.callsite import CallSite, Route
from sigcheck.core.contract import Contract
from sigcheck.core.demands import Demands
from sigcheck.core.diagnostic import BrokenOverride, Finding
from sigcheck.core.family import Family
from sigcheck.core.guarded import Guarded
from sigcheck.core.hierarchy import Hierarchy, Pair
from sigcheck.core.incompatibility import RenamedParameter, ReplacedParameters, names_involved
from sigcheck.core.member import Member
from sigcheck.core.module import Class, TypedField
from sigcheck.core.names import is_interface
from sigcheck.core.overriding import Break, breaks, changed_defaults
from sigcheck.core.place import Place
from sigcheck.core.signature import Kind, Parameter, Signature
from sigcheck.core.suppression import lines_of, lines_of_method
from sigcheck.core.verdict import Line

if TYPE_CHECKING:
    from sigcheck.core.kinship import Kin
    from sigcheck.core.siblings import Order, Siblings

Breaks = dict[tuple[int, int], tuple[Break, ...]]
"""Why one member does not serve the callers of another, by their identities."""


class Comparison:
    """One run over the pairs of some classes; remembers what it compared."""

    def __init__(
        self,
        hierarchy: Hierarchy,
        demands: Demands,
        kin: Mapping[Family, Kin],
        owners: Sequence[Class],
        known: Breaks | None = None,
        *,
        guarded: Guarded | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            hierarchy: all classes.
            demands: what the user asked for.
            kin: what the families lead to.
            owners: the classes whose overrides are compared.
            known: what earlier runs over the same hierarchy found.
            guarded: which classes the contracts are about.
        """
        self.hierarchy = hierarchy
        self.owners = owners
        self.demands = demands
        self.kin = kin
        self.guarded = guarded or Guarded(hierarchy, demands.contracts)
        self.compared: set[tuple[str, str]] = set()
        self.pairs: list[Pair] = []
        self._pairs: set[tuple[int, int]] = set()
        self.matched: dict[Contract, int] = dict.fromkeys(demands.contracts, 0)
        self._told: set[tuple[str, Place, str, frozenset[str]]] = set()
        self._breaks: Breaks = {} if known is None else known
        self._compared_by: dict[str, frozenset[tuple[int, int]]] = {}

    @cached_property
    def siblings(self) -> Siblings:
        """The groups of siblings of the contracts."""
        from sigcheck.core.siblings import Siblings  # noqa: PLC0415 - only contracts have some

        return Siblings(self.guarded, self.owners)

    def _related(self) -> Iterable[Pair]:
        """The pairs that the families make."""
        if not self.kin:
            return ()
        from sigcheck.core.kinship import pairs_of  # noqa: PLC0415 - few projects name a family

        return (pair for family, kin in self.kin.items() for pair in pairs_of(family, kin, self.hierarchy))

    def findings(self) -> Iterator[tuple[str, Place, Finding]]:
        """Every broken override, with its rule and its place."""
        inherited = (pair for owner in self.owners for pair in self.hierarchy.pairs(owner))
        for pair in itertools.chain(inherited, self._related()):
            if not self._is_wanted(pair):
                continue
            key = (pair.owner.key, pair.override.name)
            if key not in self.compared:
                self.compared.add(key)
                for contract in self.contracts_of(pair):
                    self.matched[contract] += 1
            is_shadowing = pair.owner.key != pair.override_class.key
            place = pair.owner.place if is_shadowing else pair.override.place
            self.pairs.append(pair)
            self._pairs.add((id(pair.override), id(pair.base)))
            for found in self._own_breaks(pair):
                what = (found.reason.rule, place, pair.override.name, names_involved(found.reason))
                if what in self._told and not is_shadowing:
                    continue  # Another base that this one may be was told already.
                self._told.add(what)
                finding = BrokenOverride(
                    found.reason,
                    pair.owner,
                    pair.override_class,
                    pair.override,
                    found.override,
                    pair.base_class,
                    pair.base,
                    found.base,
                    self._call(pair, found),
                )
                yield found.reason.rule, place, finding

    def drifts(self) -> Iterator[tuple[str, Place, Finding]]:
        """Every method that orders its parameters unlike its siblings; to be asked for behind `findings`."""
        misbound: dict[Place, set[str]] = {}
        for rule, place, _, names in self._told:
            if rule == "misbound-parameter" and rule in self.demands.severities:
                misbound.setdefault(place, set()).update(names)

        def is_told(place: Place, order: Order) -> bool:
            return not misbound.get(place, set()).isdisjoint(order)

        for contract in self.demands.contracts:
            for drift in self.siblings.drifts(contract, is_told):
                yield "sibling-drift", drift.method.place, drift

    def lines(self) -> Iterator[Line]:
        """The lines on which a comment may stand that is about what was compared."""
        for pair in self.pairs:
            yield from lines_of(pair.owner, pair.override_class, pair.override, pair.base)

    def sibling_lines(self) -> Iterator[Line]:
        """The lines on which a comment may stand that is about siblings."""
        for contract in self.demands.contracts:
            for owner, _, _, view in self.siblings.views(contract):
                for sibling in view:
                    yield from lines_of_method(owner, sibling.member, ())

    def _is_wanted(self, pair: Pair) -> bool:
        if pair.family is not None:
            return True
        contracts = self.contracts_of(pair)
        if self.demands.only_contracts and not contracts:
            return False
        name = pair.override.name
        return is_interface(name) or any(contract.asks_for(name) for contract in contracts)

    def is_told(self, receiver: Class, override: Member, base: Member) -> bool:
        """That the override breaks the promise of that base is told, suppressed or not: here, or of a class above the receiver."""
        return self._is_compared(receiver, (id(override), id(base))) and any(
            broken.reason.rule in self.demands.severities for broken in self._all_breaks(override, base)
        )

    def _is_compared(self, receiver: Class, pair: tuple[int, int]) -> bool:
        return pair in self._pairs or any(
            pair in self._compared_in(entry) for order in self.hierarchy.linearizations(receiver) for entry in order
        )

    def _compared_in(self, owner: Class) -> frozenset[tuple[int, int]]:
        known = self._compared_by.get(owner.key)
        if known is None:
            pairs = self.hierarchy.pairs(owner) if self.hierarchy.is_checked(owner) else ()
            known = frozenset((id(pair.override), id(pair.base)) for pair in pairs if self._is_wanted(pair))
            self._compared_by[owner.key] = known
        return known

    def is_call_wanted(self, receiver: Class, method: str) -> bool:
        """Calls to that method of such an object are to be followed."""
        return not self.demands.only_contracts or any(
            contract.names_method(method) for contract in self.guarded.contracts_above(receiver)
        )

    def contracts_of(self, pair: Pair) -> tuple[Contract, ...]:
        """The contracts that name the override."""
        if pair.family is not None:
            return ()
        return tuple(
            contract
            for contract in self.guarded.contracts_above(pair.owner)
            if contract.names_method(pair.override.name) and not self.guarded.is_base(contract, pair.owner)
        )

    def _own_breaks(self, pair: Pair) -> Iterator[Break]:
        """The breaks that this pair made, and no other: a parent's are told at the parent."""
        found = self._all_breaks(pair.override, pair.base)
        if not found:
            return
        # What a parent breaks already, or is told against a nearer base, is not told again against this one.
        told: dict[str, set[str]] = {}
        for member, is_parent in self.hierarchy.nearer(pair):
            inherited = self._all_breaks(member, pair.base) if is_parent else ()
            # That one overrides the other is no matter of a family: who asked for it is told elsewhere.
            nearer = self._all_breaks(pair.override, member) if pair.family is None else ()
            for known in (*inherited, *nearer):
                told.setdefault(known.reason.rule, set()).update(names_involved(known.reason))
        # A parent that broke the promise of its own base is no measure for a child that keeps that one.
        excused: set[str] = set()
        for upper in self.hierarchy.beyond(pair):
            theirs = {name for broken in self._all_breaks(pair.base, upper) for name in names_involved(broken.reason)}
            mine = {name for broken in self._all_breaks(pair.override, upper) for name in names_involved(broken.reason)}
            excused |= theirs - mine
        for broken in found:
            involved = names_involved(broken.reason)
            is_told = broken.reason.rule in told and involved <= told[broken.reason.rule]
            if is_told or (involved and involved & excused):
                continue
            if not isinstance(broken.reason, RenamedParameter):
                yield broken
                continue
            vocabulary = (
                _vocabulary(self.hierarchy, pair.base_class)
                if pair.family is None
                else self.kin[pair.family].knowing(involved)
            )
            yield _known_to_family(self.hierarchy, pair.override, pair.base, broken, vocabulary)

    def _all_breaks(self, override: Member, base: Member) -> tuple[Break, ...]:
        key = (id(override), id(base))
        known = self._breaks.get(key)
        if known is None:
            found = breaks(override, base, base_signatures=declared(self.hierarchy, base))
            if "default-changed" in self.demands.severities:
                found = (*found, *changed_defaults(override, base))
            known = self._breaks[key] = found
        return known

    def _call(self, pair: Pair, broken: Break) -> CallSite | None:
        """A call in the base's own code that passes what the reason speaks of, and goes wrong on the override."""
        if pair.family is not None:
            return None  # `self.m` does not lead to those who inherit nothing.
        involved = names_involved(broken.reason)
        slots = [parameter.name for parameter in broken.base.positional]
        for order in self.hierarchy.linearizations(pair.base_class):
            for entry in order:
                for member in entry.members:
                    for call in member.calls:
                        given = {*slots[: len(call.positional)], *(name for name, _ in call.keywords)}
                        is_meant = call.method == pair.override.name and call.route is not Route.SUPER
                        if is_meant and given & involved and _goes_wrong(call, broken):
                            return call
        return None


def _goes_wrong(call: CallSite, broken: Break) -> bool:
    """What is certain of the call is refused by the override, or lands in another parameter."""
    stars = {"has_star": call.has_star, "has_double_star": call.has_double_star}
    promised, received = (bind_certain(signature, call.shape, **stars) for signature in (broken.base, broken.override))
    if isinstance(promised, Rejection):
        return False
    return isinstance(received, Rejection) or any(
        is_misbinding(parameter, received[argument], broken.override, broken.base)
        for argument, parameter in promised.items()
    )


def all_breaks(hierarchy: Hierarchy, override: Member, base_class: Class, base: Member) -> tuple[Break, ...]:
    """Why an override does not serve the callers of a base, also where a parent of it has told already."""
    vocabulary = _vocabulary(hierarchy, base_class)
    return tuple(
        _known_to_family(hierarchy, override, base, broken, vocabulary)
        if isinstance(broken.reason, RenamedParameter)
        else broken
        for broken in breaks(override, base, base_signatures=declared(hierarchy, base))
    )


def declared(hierarchy: Hierarchy, base: Member) -> tuple[Signature | None, ...]:
    """What callers of the base may pass: `**kwargs: Unpack[T]` stands for the keys of `T`."""
    signatures = base.bound_signatures()
    fields = _keys(hierarchy, base)
    if fields is None:
        return signatures
    keys = [Parameter(entry.name, Kind.KEYWORD_ONLY, entry.required, None, "...") for entry in fields]
    return tuple(
        Signature.of([*(p for p in signature.parameters if p.kind is not Kind.VAR_KEYWORD), *keys])
        if signature is not None
        else None
        for signature in signatures
    )


def _keys(hierarchy: Hierarchy, base: Member) -> tuple[TypedField, ...] | None:
    """The keys of the `TypedDict` that `**kwargs` unpacks."""
    for reference in base.unpacks:
        found = hierarchy.resolver.fields(reference, base.place.path)
        if found is not None:
            return found
    return None


def _vocabulary(hierarchy: Hierarchy, owner: Class) -> list[frozenset[str]]:
    """The names that stand in one signature, for each signature of a class and those above it."""
    return [
        frozenset(parameter.name for parameter in member.signature.parameters)
        for order in hierarchy.linearizations(owner)
        for entry in order
        for member in entry.members
    ]


def _known_to_family(
    hierarchy: Hierarchy, override: Member, base: Member, broken: Break, vocabulary: Collection[frozenset[str]]
) -> Break:
    """A rename, or a misbinding where some signature of the family has both names."""
    involved = names_involved(broken.reason)
    if not any(involved <= names for names in vocabulary):
        return broken
    for other in breaks(override, base, base_signatures=declared(hierarchy, base), vocabulary=vocabulary):
        if isinstance(other.reason, ReplacedParameters) and names_involved(other.reason) == involved:
            return other
    return broken
