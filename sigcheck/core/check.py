"""Where rules meet the hierarchy: from classes to verdicts, and from verdicts to diagnostics. Imports everything else in `core`;
does no I/O.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sigcheck.core.brief import brief
from sigcheck.core.comparison import Breaks, Comparison
from sigcheck.core.contract import Contract
from sigcheck.core.dataclass import dataclass, field, replace
from sigcheck.core.demands import Demands
from sigcheck.core.diagnostic import (
    BaseWithoutSource,
    BrokenOverride,
    Diagnostic,
    InconsistentBases,
    SiblingDrift,
    UnreadableSource,
)
from sigcheck.core.family import Family
from sigcheck.core.forwarding import BrokenCall, Forwarding
from sigcheck.core.guarded import Guarded
from sigcheck.core.hierarchy import Hierarchy, UnresolvedBase
from sigcheck.core.honour import Asked, Honouring, NeglectedParameter, UsagesOf, question_of, swallowed_arguments
from sigcheck.core.module import Class, Module
from sigcheck.core.place import Place
from sigcheck.core.rules import RULES
from sigcheck.core.suppression import suppress
from sigcheck.core.verdict import Found, Guard, Line, Remarks, Verdict, call_sites_of, calls_of, remarks_on

if TYPE_CHECKING:
    from sigcheck.core.kinship import Kin
    from sigcheck.core.usage import Usage

T = TypeVar("T")

_CALL_RULES = {rule.name for rule in RULES.values() if rule.group == "call"}
_USE_RULES = {rule.name for rule in RULES.values() if rule.group == "use" and rule.needs_contract}


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found, and what it looked at.

    Attributes:
        diagnostics: sorted by place.
        files: source files of the project.
        classes: class statements in the files of the project.
        overrides: definitions that were held against at least one base.
        call_sites: calls that were followed.
        unresolved: bases without source.
    """

    diagnostics: tuple[Diagnostic, ...]
    files: int
    classes: int
    overrides: int
    call_sites: int
    unresolved: tuple[BaseWithoutSource, ...]


def is_divisible(demands: Demands) -> bool:
    """Every file can be judged by itself: no family spans them."""
    return not demands.families


@dataclass(slots=True)
class Judgement:
    """A check of some classes.

    Attributes:
        remarks: on every file of the project, in order.
        verdicts: on the files that were judged.
        kin: for each family, what its words lead to.
    """

    remarks: list[Remarks]
    verdicts: list[Verdict]
    kin: Mapping[Family, Kin] = field(default_factory=dict)


def check(
    modules: Sequence[Module],
    hierarchy: Hierarchy,
    demands: Demands,
    usages_of: UsagesOf = lambda asked: [None] * len(asked),
    inner: Collection[Contract] = frozenset(),
    *,
    heard: Callable[[Verdict], None] = lambda _: None,
) -> Judgement:
    """Hold every override of the hierarchy against its bases.

    Args:
        modules: the files of the project, as read.
        hierarchy: their classes, with what the bases resolve to.
        demands: what the user asked for.
        usages_of: tells what bodies do with their parameters.
        inner: the contracts whose base is one of the classes of the project.
        heard: told each verdict twice: as soon as headers tell it, and when it is known what bodies do.
    """
    remarks = [remarks_on(module) for module in modules]
    if is_divisible(demands):
        return Judgement(remarks, judge(hierarchy, demands, remarks, usages_of, inner, heard=heard))
    from sigcheck.core.kinship import kin_of  # noqa: PLC0415 - few projects name a family

    kin = {family: kin_of(family, modules, hierarchy) for family in demands.families}
    judge_ = _Judge(Guarded(hierarchy, demands.contracts, inner), demands, remarks, kin, usages_of)
    return Judgement(remarks, judge_.verdicts({"": hierarchy.classes}), kin)


def judge(
    hierarchy: Hierarchy,
    demands: Demands,
    remarks: Sequence[Remarks],
    usages_of: UsagesOf = lambda asked: [None] * len(asked),
    inner: Collection[Contract] = frozenset(),
    *,
    heard: Callable[[Verdict], None] = lambda _: None,
) -> list[Verdict]:
    """The verdicts on the classes of a hierarchy, file by file.

    Args:
        hierarchy: the classes, in order.
        demands: what the user asked for; it is divisible.
        remarks: on every file of the project.
        usages_of: tells what bodies do with their parameters.
        inner: the contracts whose base is one of the classes of the project.
        heard: told each verdict twice: as soon as headers tell it, and when it is known what bodies do.
    """
    by_file: dict[str, list[Class]] = {}
    for owner in hierarchy.classes:
        by_file.setdefault(owner.place.path, []).append(owner)
    judge_ = _Judge(Guarded(hierarchy, demands.contracts, inner), demands, remarks, {}, usages_of)
    return judge_.verdicts(by_file, heard)


class _Judge:
    """What the verdicts of one run share."""

    def __init__(
        self,
        guarded: Guarded,
        demands: Demands,
        remarks: Sequence[Remarks],
        kin: Mapping[Family, Kin],
        usages_of: UsagesOf,
    ) -> None:
        self.hierarchy = guarded.hierarchy
        self.demands = demands
        self.guarded = guarded
        self.kin = kin
        self.usages_of = usages_of
        self.forwarding = Forwarding(guarded.hierarchy)
        self.honouring = Honouring(self.forwarding)
        self.breaks: Breaks = {}
        comments = [comment for entry in remarks for comment in entry.suppressions]
        self.commented = {(comment.place.path, comment.place.line) for comment in comments}
        self.disowned = {
            (comment.place.path, comment.place.line): comment.parameters for comment in comments if comment.parameters
        }

    def verdicts(
        self, owners: Mapping[str, Sequence[Class]], heard: Callable[[Verdict], None] = lambda _: None
    ) -> list[Verdict]:
        """The verdicts on the classes of some files."""
        begun = []
        for path, classes in owners.items():
            verdict, asked = self._begun(path, classes)
            heard(verdict)
            begun.append((verdict, asked, self.usages_of([question_of(entry) for entry in asked]) if asked else ()))
        ended = []
        for verdict, asked, usages in begun:
            ended.append(self._ended(verdict, asked, usages))
            heard(ended[-1])
        return ended

    def _ended(self, verdict: Verdict, asked: Sequence[Asked], usages: Iterable[Mapping[str, Usage] | None]) -> Verdict:
        """The verdict with what the bodies do, and with the bases without source: all are known when everything was compared."""
        found = [
            entry
            for demanded, usage in zip(asked, usages, strict=True)
            if usage is not None
            for entry in self.honouring.neglected(demanded, usage)
        ]
        neglected = self._wanted((entry.reason.rule, entry.place, entry) for entry in found)
        return replace(
            verdict, neglected=(*verdict.neglected, *neglected), unresolved=tuple(self._unresolved(verdict.path))
        )

    def _begun(self, path: str, owners: Sequence[Class]) -> tuple[Verdict, list[Asked]]:
        """The verdict on some classes, as far as headers tell; and the overrides of which it must be known what their bodies do."""
        demands, hierarchy = self.demands, self.hierarchy
        comparison = Comparison(hierarchy, demands, self.kin, owners, self.breaks, guarded=self.guarded)
        overriding = self._wanted(comparison.findings())
        self.forwarding.comparison = comparison
        calls = []
        if _CALL_RULES & demands.severities.keys():
            for key, broken in self.forwarding.broken_calls(owners):
                place = _place_of(broken, hierarchy)
                if place is not None and broken.reason.rule in demands.severities:
                    calls.append((key, (broken.reason.rule, place, self._placed(broken))))
        followed = self.forwarding.followed()
        neglected = swallowed_arguments(comparison.pairs, hierarchy)
        asked: list[Asked] = []
        if demands.contracts and _USE_RULES & demands.severities.keys():
            asked = self.honouring.asked(comparison.pairs, comparison.contracts_of, self.disowned)
        verdict = Verdict(
            path,
            len(comparison.compared),
            followed,
            overriding,
            tuple(calls),
            self._wanted((entry.reason.rule, entry.place, entry) for entry in neglected),
            self._wanted(comparison.drifts()),
            (),
            self._commented(comparison.lines()) if self.commented else (),
            self._commented(comparison.sibling_lines()) if self.commented else (),
            tuple(self._guards(comparison)),
            sum(bool(self.guarded.contracts_above(owner)) for owner in owners),
        )
        return verdict, asked

    def _guards(self, comparison: Comparison) -> Iterator[Guard]:
        """What each contract has to do with the classes of a comparison."""
        for number, contract in enumerate(self.demands.contracts):
            about = [owner for owner in comparison.owners if self.guarded.is_about(contract, owner)]
            if not about:
                continue
            above = {entry.key: entry for owner in about for entry in self._family(contract, owner)}
            bases = [entry for entry in above.values() if self.guarded.is_base(contract, entry)]
            known = {
                parameter.name
                for entry in (above.values() if contract.honour else ())
                for member in entry.members
                if contract.names_method(member.name)
                for parameter in member.signature.named
            }
            groups = enumerate(contract.siblings)
            yield Guard(
                number,
                any(self.guarded.is_base(contract, owner) for owner in about),
                len(about),
                comparison.matched[contract],
                tuple(name for name in contract.honour or () if name in known),
                tuple(index for index, group in groups if any(comparison.siblings.are_found(b, group) for b in bases)),
            )

    def _family(self, contract: Contract, owner: Class) -> Iterator[Class]:
        """A class, and those above it that the contract is about."""
        for order in self.hierarchy.linearizations(owner):
            yield from (entry for entry in order if self.guarded.is_about(contract, entry))

    def _unresolved(self, path: str) -> Iterator[BaseWithoutSource]:
        for entry in self.hierarchy.unresolved_in(path):
            if not self.demands.is_confined or self._may_be_guarded(entry):
                yield BaseWithoutSource(brief(entry.owner), entry.reference)

    def _may_be_guarded(self, unresolved: UnresolvedBase) -> bool:
        """A contract is about the class, or is about a class of the name of the base that was not found."""
        name = unresolved.reference.replace(":", ".").rpartition(".")[2]
        is_named = any(contract.base.rpartition(".")[2] == name for contract in self.demands.contracts)
        return is_named or bool(self.guarded.contracts_above(unresolved.owner))

    def _wanted(self, findings: Iterable[Found]) -> tuple[Found, ...]:
        wanted = (found for found in findings if found[0] in self.demands.severities)
        return tuple((rule, place, self._placed(entry)) for rule, place, entry in wanted)

    def _placed(self, finding: T) -> T:
        """A finding, in brief, with the files through which its classes have to do with one another."""
        match finding:
            case BrokenOverride():
                links = [(finding.owner, finding.override_class), (finding.owner, finding.base_class)]
                members = [(finding.override_class, finding.override), (finding.base_class, finding.base)]
            case BrokenCall():
                links = [(finding.receiver, finding.caller_class), (finding.receiver, finding.callee_class)]
                members = [(finding.callee_class, finding.callee)]
                if finding.seen_class is not None and finding.seen is not None:
                    links.append((finding.caller_class, finding.seen_class))
                    members.append((finding.seen_class, finding.seen))
            case NeglectedParameter():
                links = [(finding.override_class, finding.base_class)]
                members = [(finding.override_class, finding.override), (finding.base_class, finding.base)]
            case SiblingDrift():
                links = [(finding.owner, finding.sibling_class)]
                members = [(finding.owner, finding.method), (finding.sibling_class, finding.sibling)]
            case _:
                return brief(finding)
        through = {path for owner, base in links for path in self.hierarchy.between(owner, base)}
        through.update(path for owner, member in members for path in self.hierarchy.behind(owner, member))
        short: Any = brief(finding)
        told = {entry.place.path for link in links for entry in link} | {member.place.path for _, member in members}
        placed: T = short if through <= told else replace(short, through=tuple(sorted(through - told)))
        return placed

    def _commented(self, lines: Iterable[Line]) -> tuple[Line, ...]:
        return tuple(sorted(self.commented.intersection(lines)))


def conclude(
    remarks: Sequence[Remarks],
    verdicts: Sequence[Verdict],
    inconsistent: Sequence[tuple[Class, str]],
    demands: Demands,
) -> Checked:
    """What all verdicts together amount to.

    Args:
        remarks: on every file of the project, in order.
        verdicts: on those that have classes, in order.
        inconsistent: the classes that cannot be made, and why.
        demands: what the user asked for.
    """
    findings = [entry for verdict in verdicts for entry in verdict.overriding]
    findings += calls_of(verdicts)
    findings += [entry for verdict in verdicts for entry in verdict.neglected]
    findings += [entry for verdict in verdicts for entry in verdict.drifts]
    for file in remarks:
        findings += [("syntax-error", problem.place, UnreadableSource(problem)) for problem in file.problems]
    for owner, explanation in inconsistent:
        findings.append(("inconsistent-hierarchy", owner.place, InconsistentBases(brief(owner), explanation)))
    unresolved = [entry for verdict in verdicts for entry in verdict.unresolved]
    findings += [("unresolved-base", entry.owner.place, entry) for entry in unresolved]
    diagnostics = [
        Diagnostic(rule, demands.severities[rule], place, finding)
        for rule, place, finding in findings
        if rule in demands.severities
    ]
    compared = {line for verdict in verdicts for line in verdict.compared}
    reach: dict[str, set[Line] | None] = {
        "override": compared,
        "use": compared,
        "family": {line for verdict in verdicts for line in verdict.siblings},
    }
    if demands.only_contracts:
        # Calls are followed only where a contract asks: a comment had nothing to suppress wherever it stands.
        reach["call"] = None
    kept = suppress(diagnostics, remarks, demands.severities, reach=reach, respect_foreign=demands.respect_type_ignores)
    return Checked(
        tuple(sorted(kept, key=_ORDER)),
        sum(bool(file.path) for file in remarks),
        sum(verdict.guarded for verdict in verdicts) if demands.is_confined else sum(file.classes for file in remarks),
        sum(verdict.overrides for verdict in verdicts),
        call_sites_of(verdicts),
        tuple(unresolved),
    )


_ORDER = operator.attrgetter("place.path", "place.line", "place.column", "place.end_line", "place.end_column", "rule")
"""By place, then by rule."""


def _place_of(broken: BrokenCall, hierarchy: Hierarchy) -> Place | None:
    """Where a broken call is told: at the call, at what it calls, or at the class that brings the two together.

    None for a call that goes wrong within a package that was only looked up.
    """
    if hierarchy.is_checked(broken.caller_class):
        return broken.call.place
    if hierarchy.is_checked(broken.callee_class):
        return broken.callee.place
    theirs = {broken.caller_class.key, broken.callee_class.key}
    for order in hierarchy.linearizations(broken.receiver):
        for above in order[1:]:
            if any(theirs <= {entry.key for entry in known} for known in hierarchy.linearizations(above)):
                return None
    return broken.receiver.place
