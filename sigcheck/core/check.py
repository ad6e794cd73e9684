"""Where rules meet the hierarchy: from classes to diagnostics. Imports everything else in `core`; does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sigcheck.core.comparison import Comparison
from sigcheck.core.contract import Contract
from sigcheck.core.demands import Demands
from sigcheck.core.diagnostic import BaseWithoutSource, Diagnostic, Finding, InconsistentBases, UnreadableSource
from sigcheck.core.family import Family
from sigcheck.core.flow import Flow
from sigcheck.core.forwarding import BrokenCall, Forwarding
from sigcheck.core.hierarchy import Hierarchy
from sigcheck.core.honour import Honouring, swallowed_arguments
from sigcheck.core.kinship import Kin, kin_of
from sigcheck.core.member import Member
from sigcheck.core.module import Module
from sigcheck.core.place import Place
from sigcheck.core.rules import RULES
from sigcheck.core.suppression import suppress

_CALL_RULES = {rule.name for rule in RULES.values() if rule.group == "call"}
_USE_RULES = {rule.name for rule in RULES.values() if rule.group == "use" and rule.needs_contract}


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
        kin: for each family, what its words lead to.
    """

    diagnostics: tuple[Diagnostic, ...]
    files: int
    classes: int
    overrides: int
    call_sites: int
    unresolved: tuple[BaseWithoutSource, ...]
    matched: Mapping[Contract, int] = field(default_factory=dict)
    kin: Mapping[Family, Kin] = field(default_factory=dict)


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
    kin = {family: kin_of(family, modules, hierarchy) for family in demands.families}
    comparison = Comparison(hierarchy, demands, kin)
    findings: list[tuple[str, Place, Finding]] = list(comparison.findings())
    forwarding = Forwarding(hierarchy, is_wanted=comparison.is_call_wanted, is_told=comparison.is_told)
    if _CALL_RULES & demands.severities.keys():
        for broken in forwarding.broken_calls():
            place = _place_of(broken, comparison)
            if place is not None:
                findings.append((broken.reason.rule, place, broken))
    neglected = list(swallowed_arguments(comparison.pairs, hierarchy))
    if demands.contracts and _USE_RULES & demands.severities.keys():
        disowned = {
            (comment.place.path, comment.place.line): comment.parameters
            for module in modules
            for comment in module.suppressions
            if comment.parameters
        }
        honouring = Honouring(forwarding, flow_of)
        neglected += honouring.neglected(comparison.pairs, comparison.contracts_of, disowned)
    findings += [(entry.reason.rule, entry.place, entry) for entry in neglected]
    findings += comparison.drifts()
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
    kept = suppress(
        diagnostics,
        modules,
        demands.severities,
        reach=comparison.reach(),
        respect_foreign=demands.respect_type_ignores,
    )
    return Checked(
        tuple(sorted(kept, key=lambda diagnostic: (diagnostic.place, diagnostic.rule))),
        len(modules),
        len(hierarchy.classes),
        len(comparison.compared),
        forwarding.followed,
        unresolved,
        comparison.matched,
        kin,
    )


def _place_of(broken: BrokenCall, comparison: Comparison) -> Place | None:
    """Where a broken call is told: at the call, at what it calls, or at the class that brings the two together.

    None for a call that goes wrong within a package that was only looked up.
    """
    if comparison.is_checked(broken.caller_class):
        return broken.call.place
    if comparison.is_checked(broken.callee_class):
        return broken.callee.place
    hierarchy = comparison.hierarchy
    theirs = {broken.caller_class.key, broken.callee_class.key}
    for order in hierarchy.linearizations(broken.receiver):
        for above in order[1:]:
            if any(theirs <= {entry.key for entry in known} for known in hierarchy.linearizations(above)):
                return None
    return broken.receiver.place
