"""A check after some files changed: what does not depend on them is taken from the check before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sigcheck.config import Configuration
from sigcheck.conviction import confirming
from sigcheck.core.check import conclude, judge
from sigcheck.core.contract import Contract
from sigcheck.core.dataclass import replace
from sigcheck.core.evidence import evidence_in
from sigcheck.core.hierarchy import Hierarchy
from sigcheck.core.resolution import Resolver
from sigcheck.core.verdict import Remarks, Verdict, matched_in, remarks_on
from sigcheck.findings import Findings, Ground, Lookup
from sigcheck.footprint import Changes, Footprint
from sigcheck.inspection import demands_of, inner_of, module_cache, report_of, with_looked_up
from sigcheck.lineage import Lineage
from sigcheck.outcome import Report
from sigcheck.project import Project, decorators_of
from sigcheck.survey import Survey
from sigcheck.workers import Worker

_TOO_MANY = 0.5
"""The part of the files from which everything is checked anew."""


def revise(
    configuration: Configuration,
    survey: Survey,
    before: tuple[Findings, Ground],
    footprint: Footprint,
    changes: Changes,
    *,
    worker: Worker | None,
) -> tuple[Report, Findings, Ground] | None:
    """Check a project again.

    Args:
        configuration: the same as before.
        survey: the files, as they are now.
        before: what the check before found, and what that stands on.
        footprint: what it looked at.
        changes: what changed since; also the search paths may be others.
        worker: another process that has libcst, if there can be one.

    Returns:
        The same of this check, with its report; None where all must be checked anew.
    """
    findings, ground = before
    if survey.trail is not None:
        survey.trail.adopt(footprint, changes, survey.files)
    ask = confirming(worker, decorators_of(configuration))
    with module_cache(configuration) as cache:
        # The names of files follow from those of files and directories.
        is_named = not (changes.are_names or changes.is_order)
        project = Project(configuration, survey, cache, identities=ground.identities if is_named else ())
        identities = ground.identities if is_named else tuple(project.identities())
        changed = {file.shown for file in (*footprint.files, *footprint.others) if file.real in changes.files}
        changed |= {file.shown for file in survey.files if file.real in changes.files}
        if not is_named:
            changed |= {identity.path for identity in {*ground.identities}.symmetric_difference(identities)}
        moved = (
            {lookup.near for lookup in ground.lookups if _is_elsewhere(lookup, project)} if changes.are_names else ()
        )
        reached = ground.reached_by({*changed, *moved})
        here = {file.shown for file in survey.files}
        if len(reached & here) > len(here) * _TOO_MANY:
            return None
        family = here
        lineage = Lineage(ground.names)
        if ground.names:
            # What is not of the family was not read: it stays so, if nothing that changed gives the family another name.
            family = {*ground.family} - changed
            family |= {path for path in changed & here if project.is_of_family(path, lineage)}
        modules = project.read_some(reached & family)
        if ground.names and lineage.learn(modules.values()):
            return None
        remarks = _remarks(ground, survey, changed, {path: remarks_on(module) for path, module in modules.items()})
        hierarchy = Hierarchy(
            (entry for module in modules.values() for entry in module.classes), Resolver(project.load), project=here
        )
        demands = demands_of(configuration)
        old = {verdict.path: verdict for verdict in findings.verdicts if verdict.path not in reached}
        inner = inner_of(demands, hierarchy) | _defined_in(old.values(), demands.contracts)
        if inner != _defined_in(findings.verdicts, demands.contracts):
            return None  # Words of a contract mean other classes.
        new = {verdict.path: verdict for verdict in judge(hierarchy, demands, remarks, project.usages, inner)}
        if hierarchy.inconsistent or hierarchy.resolver.is_circular:
            return None
        # What was told before of a file that is as it was has been read by libcst already.
        known = {entry for entry in evidence_in(findings.verdicts) if entry[0] not in changed}
        are_confirmed = ask(project.suspects(evidence_in(new.values()) - known))
        both = {**old, **new}
        verdicts = [both[file.shown] for file in survey.files if file.shown in both]
        if not all(_is_kept(number, contract, verdicts) for number, contract in enumerate(demands.contracts)):
            return None  # The whole check has the words for that.
        new_lookups = {(lookup.near, lookup.name): lookup for lookup in project.lookups()}
        lookups = {(lookup.near, lookup.name): lookup for lookup in ground.lookups}
        lookups = {key: lookup for key, lookup in lookups.items() if key[0] not in reached or key in new_lookups}
        now = Ground(
            identities,
            (),
            tuple((lookups | new_lookups).values()),
            ground.names,
            tuple(sorted(family & here)) if ground.names else (),
        )
        if ground.names:
            remarks = with_looked_up(remarks, now, project)
            if any(entry.problems for entry in remarks):
                return None  # Are these files still of the family?
        report = report_of(
            configuration, conclude(remarks, verdicts, (), demands), matched_in(verdicts, demands.contracts)
        )
        if not are_confirmed():
            return None
        return report, Findings(tuple(verdicts)), replace(now, remarks=tuple(remarks))


def _defined_in(verdicts: Iterable[Verdict], contracts: Sequence[Contract]) -> frozenset[Contract]:
    """The contracts whose base is defined in files that were judged."""
    return frozenset(contracts[guard.contract] for verdict in verdicts for guard in verdict.guards if guard.is_defined)


def _is_kept(number: int, contract: Contract, verdicts: Iterable[Verdict]) -> bool:
    """The contract still guards all that it names."""
    guards = [guard for verdict in verdicts for guard in verdict.guards if guard.contract == number]
    honoured = {name for guard in guards for name in guard.honoured}
    groups = {index for guard in guards for index in guard.groups}
    has_work = any(guard.overrides for guard in guards) or bool(contract.siblings)
    return (
        bool(guards)
        and has_work
        and honoured >= {*(contract.honour or ())} - {"*"}
        and len(groups) == len(contract.siblings)
    )


def _is_elsewhere(lookup: Lookup, project: Project) -> bool:
    found = project.locate(lookup.name, lookup.near)
    return lookup.real != ("" if found is None else found[1])


def _remarks(before: Ground, survey: Survey, changed: set[str], new: dict[str, Remarks]) -> list[Remarks]:
    """The remarks on all files, in order, and on what could not be walked."""
    old = {entry.path: entry for entry in before.remarks if entry.path not in changed}
    found = [new.get(file.shown) or old.get(file.shown) or Remarks(file.shown, 0) for file in survey.files]
    return [*found, Remarks("", 0, problems=survey.problems)] if survey.problems else found
