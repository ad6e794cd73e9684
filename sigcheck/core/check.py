"""Where rules meet the hierarchy: from classes to diagnostics. Imports everything else in `core`; does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sigcheck.core.callsite import CallSite, Route
from sigcheck.core.contract import Contract
from sigcheck.core.diagnostic import (
    BaseWithoutSource,
    BrokenOverride,
    Diagnostic,
    Finding,
    InconsistentBases,
    UnreadableSource,
)
from sigcheck.core.flow import Flow
from sigcheck.core.forwarding import Forwarding
from sigcheck.core.hierarchy import Hierarchy, Pair
from sigcheck.core.honour import Honouring, swallowed_arguments
from sigcheck.core.incompatibility import RenamedParameter, ReplacedParameters, names_involved
from sigcheck.core.member import Member
from sigcheck.core.module import Class, Module, TypedField
from sigcheck.core.overriding import Break, breaks, changed_defaults, is_interface
from sigcheck.core.place import Place
from sigcheck.core.rules import RULES, Severity
from sigcheck.core.signature import Kind, Parameter, Signature
from sigcheck.core.suppression import lines_of, suppress


@dataclass(frozen=True, slots=True)
class Demands:
    """What the user asked for.

    Attributes:
        severities: of each rule that runs.
        contracts: the families; empty for every class.
        only_contracts: compare nothing else.
        respect_type_ignores: other checkers' comments count.
    """

    severities: Mapping[str, Severity]
    contracts: tuple[Contract, ...] = ()
    only_contracts: bool = False
    respect_type_ignores: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found, and what it looked at.

    Attributes:
        diagnostics: sorted by place.
        files: source files of the project that were read.
        classes: class statements in them.
        overrides: definitions that were held against at least one base.
        call_sites: calls that were followed.
        unresolved: bases without source.
        matched: for each contract, the number of its overrides.
    """

    diagnostics: tuple[Diagnostic, ...]
    files: int
    classes: int
    overrides: int
    call_sites: int
    unresolved: tuple[BaseWithoutSource, ...]
    matched: Mapping[Contract, int] = field(default_factory=dict)


def check(
    modules: Sequence[Module],
    hierarchy: Hierarchy,
    demands: Demands,
    flow_of: Callable[[Member], Flow | None] = lambda _: None,
) -> Checked:
    """Hold every override of the hierarchy against its bases.

    Args:
        modules: the files of the project, as read.
        hierarchy: their classes, with what the bases resolve to.
        demands: what the user asked for.
        flow_of: reads the body of a member; None where it cannot be read.
    """
    comparison = _Comparison(hierarchy, demands)
    findings: list[tuple[str, Place, Finding]] = list(comparison.findings())
    forwarding = Forwarding(hierarchy, is_wanted=comparison.is_call_wanted, is_told=comparison.is_told)
    if CALL_RULES & demands.severities.keys():
        for broken in forwarding.broken_calls():
            place = broken.call.place if comparison.is_checked(broken.caller_class) else broken.callee.place
            findings.append((broken.reason.rule, place, broken))
    neglected = list(swallowed_arguments(comparison.pairs, hierarchy))
    if demands.contracts and USE_RULES & demands.severities.keys():
        disowned = {
            (comment.place.path, comment.place.line): comment.parameters
            for module in modules
            for comment in module.suppressions
            if comment.parameters
        }
        honouring = Honouring(forwarding, flow_of)
        neglected += honouring.neglected(comparison.pairs, comparison.contracts_of, disowned)
    findings += [(entry.reason.rule, entry.place, entry) for entry in neglected]
    for module in modules:
        findings += [("syntax-error", problem.place, UnreadableSource(problem)) for problem in module.problems]
    for owner, explanation in hierarchy.inconsistent:
        findings.append(("inconsistent-hierarchy", owner.place, InconsistentBases(owner, explanation)))
    unresolved = tuple(
        BaseWithoutSource(entry.owner, entry.reference)
        for entry in dict.fromkeys(hierarchy.unresolved)
        if comparison.is_checked(entry.owner)
    )
    findings += [("unresolved-base", entry.owner.place, entry) for entry in unresolved]
    diagnostics = [
        Diagnostic(rule, demands.severities[rule], place, finding)
        for rule, place, finding in findings
        if rule in demands.severities
    ]
    reach = (
        line
        for pair in comparison.pairs
        for line in lines_of(pair.owner, pair.override_class, pair.override, pair.base)
    )
    kept = suppress(diagnostics, modules, demands.severities, reach=reach, respect_foreign=demands.respect_type_ignores)
    return Checked(
        tuple(sorted(kept, key=lambda diagnostic: (diagnostic.place, diagnostic.rule))),
        len(modules),
        len(hierarchy.classes),
        len(comparison.compared),
        forwarding.followed,
        unresolved,
        comparison.matched,
    )


CALL_RULES = {rule.name for rule in RULES.values() if rule.group == "call"}
USE_RULES = {rule.name for rule in RULES.values() if rule.group == "use" and rule.needs_contract}


class _Comparison:
    """One run over the pairs of a hierarchy; remembers what it compared."""

    def __init__(self, hierarchy: Hierarchy, demands: Demands) -> None:
        self.hierarchy = hierarchy
        self.demands = demands
        self.compared: set[tuple[str, str]] = set()
        self.pairs: list[Pair] = []
        self._pairs: set[tuple[int, int]] = set()
        self.matched: dict[Contract, int] = dict.fromkeys(demands.contracts, 0)
        self._checked = {owner.key for owner in hierarchy.classes}
        self._breaks: dict[tuple[int, int], tuple[Break, ...]] = {}
        self._contracts: dict[str, tuple[Contract, ...]] = {}

    def is_checked(self, owner: Class) -> bool:
        """The class is one of the project's, not of a package that was only looked up."""
        return owner.key in self._checked

    def findings(self) -> Iterator[tuple[str, Place, Finding]]:
        """Every broken override, with its rule and its place."""
        told: set[tuple[str, Place, frozenset[str]]] = set()
        for pair in self.hierarchy.pairs():
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
                what = (found.reason.rule, place, names_involved(found.reason))
                if what in told and not is_shadowing:
                    continue  # Another base that this one may be was told already.
                told.add(what)
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

    def _is_wanted(self, pair: Pair) -> bool:
        contracts = self.contracts_of(pair)
        if self.demands.only_contracts and not contracts:
            return False
        name = pair.override.name
        return is_interface(name) or any(contract.asks_for(name) for contract in contracts)

    def is_told(self, override: Member, base: Member) -> bool:
        """That the override breaks the promise of that base is among the findings, suppressed or not."""
        return (id(override), id(base)) in self._pairs and any(
            broken.reason.rule in self.demands.severities for broken in self._all_breaks(override, base)
        )

    def is_call_wanted(self, receiver: Class, method: str) -> bool:
        """Calls to that method of such an object are to be followed."""
        return not self.demands.only_contracts or any(
            contract.names_method(method) for contract in self._contracts_above(receiver)
        )

    def contracts_of(self, pair: Pair) -> tuple[Contract, ...]:
        """The contracts that name the override."""
        return tuple(
            contract
            for contract in self._contracts_above(pair.owner)
            if contract.names_method(pair.override.name) and not contract.names_base(pair.owner.name)
        )

    def _contracts_above(self, owner: Class) -> tuple[Contract, ...]:
        """The contracts whose base the class is, or inherits."""
        if not self.demands.contracts:
            return ()
        known = self._contracts.get(owner.key)
        if known is None:
            names = {entry.name for order in self.hierarchy.linearizations(owner) for entry in order}
            known = tuple(
                contract for contract in self.demands.contracts if any(contract.names_base(name) for name in names)
            )
            self._contracts[owner.key] = known
        return known

    def _own_breaks(self, pair: Pair) -> Iterator[Break]:
        """The breaks that this pair made, and no other: a parent's are told at the parent."""
        found = self._all_breaks(pair.override, pair.base)
        if not found:
            return
        # What a parent breaks already, or is told against a nearer base, is not told again against this one.
        told: dict[str, set[str]] = {}
        for member, is_parent in self.hierarchy.nearer(pair):
            inherited = self._all_breaks(member, pair.base) if is_parent else ()
            for known in (*inherited, *self._all_breaks(pair.override, member)):
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
            yield (
                broken
                if not isinstance(broken.reason, RenamedParameter)
                else known_to_family(self.hierarchy, pair.override, pair.base_class, pair.base, broken)
            )

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
        """A call in the base's own code that passes what the reason speaks of."""
        involved = names_involved(broken.reason)
        slots = [parameter.name for parameter in broken.base.positional]
        for order in self.hierarchy.linearizations(pair.base_class):
            for entry in order:
                for member in entry.members:
                    for call in member.calls:
                        given = {*slots[: len(call.positional)], *(name for name, _ in call.keywords)}
                        if call.method == pair.override.name and call.route is not Route.SUPER and given & involved:
                            return call
        return None


def all_breaks(hierarchy: Hierarchy, override: Member, base_class: Class, base: Member) -> tuple[Break, ...]:
    """Why an override does not serve the callers of a base, also where a parent of it has told already."""
    return tuple(
        known_to_family(hierarchy, override, base_class, base, broken)
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


def known_to_family(hierarchy: Hierarchy, override: Member, base_class: Class, base: Member, broken: Break) -> Break:
    """A rename, or a misbinding where some signature of the family has both names."""
    vocabulary = [
        frozenset(parameter.name for parameter in member.signature.parameters)
        for order in hierarchy.linearizations(base_class)
        for entry in order
        for member in entry.members
    ]
    for other in breaks(override, base, base_signatures=declared(hierarchy, base), vocabulary=vocabulary):
        if isinstance(other.reason, ReplacedParameters) and names_involved(other.reason) == names_involved(
            broken.reason
        ):
            return other
    return broken
