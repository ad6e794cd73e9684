"""A check from the sources: the files of a project are read, and its classes held against one another."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sigcheck.cache import ModuleCache
from sigcheck.config import Configuration
from sigcheck.core.check import Checked, Judgement, check, conclude, is_divisible
from sigcheck.core.contract import Contract
from sigcheck.core.dataclass import replace
from sigcheck.core.demands import Demands
from sigcheck.core.evidence import evidence_in
from sigcheck.core.family import Family
from sigcheck.core.guarded import Guarded, inside
from sigcheck.core.hierarchy import Hierarchy
from sigcheck.core.kinship import Kin
from sigcheck.core.module import Class, Module
from sigcheck.core.resolution import Resolver
from sigcheck.core.rules import Severity
from sigcheck.core.siblings import Siblings
from sigcheck.core.verdict import Remarks, matched_in, remarks_on
from sigcheck.errors import UnmatchedContractError, UnmatchedFamilyError
from sigcheck.findings import Findings, Ground
from sigcheck.lineage import Lineage
from sigcheck.outcome import Report
from sigcheck.project import Project
from sigcheck.survey import Survey
from sigcheck.workers import working


@contextmanager
def reading(
    configuration: Configuration,
    survey: Survey,
    progress: Callable[[int, int], None] | None = None,
    *,
    by_libcst: bool = False,
) -> Iterator[tuple[Project, list[Module], Hierarchy]]:
    """The files of a project, read, and their classes; bases are read while the context lasts.

    Args:
        configuration: what to look for.
        survey: the files, and where else to look.
        progress: told how many files of how many are read.
        by_libcst: have libcst read every file whole, and scan none.
    """
    with module_cache(configuration) as cache:
        project = Project(configuration, survey, cache, by_libcst=by_libcst)
        modules = project.read(progress=progress)
        yield project, modules, hierarchy_of(project, modules)


def hierarchy_of(project: Project, modules: Sequence[Module]) -> Hierarchy:
    """The classes of the files of a project."""
    return Hierarchy((entry for module in modules for entry in module.classes), Resolver(project.load))


def inspect(
    configuration: Configuration,
    survey: Survey,
    progress: Callable[[int, int], None] | None = None,
    *,
    by_libcst: bool = False,
) -> tuple[Report, Findings, Ground | None]:
    """Check a project. The arguments are those of `reading`.

    Returns:
        The report, the findings that it is made of, and what these stand on, where every file can be judged by itself.

    Raises:
        UnmatchedContractError: a contract matches no class, no override or no siblings.
        UnmatchedFamilyError: a family leads nowhere.
    """
    demands = demands_of(configuration)
    if demands.is_confined:
        confined = _inspect_family(configuration, survey, demands, progress, by_libcst=by_libcst)
        if confined is not None:
            return confined
        if survey.trail is not None:
            survey.trail.forget()
    is_regular = is_divisible(demands)
    with reading(configuration, survey, progress, by_libcst=by_libcst) as (project, read, scanned):
        modules, hierarchy = read, scanned
        with project.confirming() as confirm:
            heard = lambda verdict: confirm(evidence_in((verdict,)))  # noqa: E731
            judgement = check(modules, hierarchy, demands, project.usages, inner_of(demands, hierarchy), heard=heard)
        # Where libcst reads what is told otherwise than the scan did, the check is made again with that.
        while odd := project.confirm(evidence_in(judgement.verdicts)):
            is_regular = False
            modules = [odd.get(module.path, module) for module in modules]
            hierarchy = hierarchy_of(project, modules)
            judgement = check(modules, hierarchy, demands, project.usages, inner_of(demands, hierarchy))
        report = _concluded(configuration, demands, hierarchy, judgement)
    findings = Findings(tuple(judgement.verdicts))
    if not is_regular or hierarchy.inconsistent or hierarchy.resolver.is_circular:
        return report, findings, None
    ground = Ground(tuple(project.identities()), tuple(judgement.remarks), tuple(project.lookups()))
    return report, findings, ground


def _inspect_family(
    configuration: Configuration,
    survey: Survey,
    demands: Demands,
    progress: Callable[[int, int], None] | None,
    *,
    by_libcst: bool,
) -> tuple[Report, Findings, Ground] | None:
    """`inspect` from the files that may define a class of the contracts' families; None where that is not certain to be all."""
    lineage = Lineage(contract.base.rpartition(".")[2] for contract in demands.contracts)
    amount = sum(file.size for file in survey.files)
    with module_cache(configuration) as cache, working(amount) as workers:
        project = Project(configuration, survey, cache, by_libcst=by_libcst, workers=workers)
        found = project.read_family(lineage, progress=progress)
        if found is None:
            return None
        modules, family = found
        here = {file.shown for file in survey.files}
        hierarchy = Hierarchy(
            (entry for module in modules for entry in module.classes), Resolver(project.load), project=here
        )
        inner = inner_of(demands, hierarchy)
        if inner != set(demands.contracts):
            return None  # A base in another package: what is between it and the files, no search of the files can tell.
        with project.confirming() as confirm:
            heard = lambda verdict: confirm(evidence_in((verdict,)))  # noqa: E731
            judgement = check(modules, hierarchy, demands, project.usages, inner, heard=heard)
        if project.confirm(evidence_in(judgement.verdicts)) or hierarchy.inconsistent or hierarchy.resolver.is_circular:
            return None
        ground = Ground(
            tuple(project.identities()),
            (),
            tuple(project.lookups()),
            tuple(sorted(lineage.texts())),
            tuple(sorted(family)),
        )
        judgement.remarks = with_looked_up(judgement.remarks, ground, project)
        report = _concluded(configuration, demands, hierarchy, judgement)
    return report, Findings(tuple(judgement.verdicts)), replace(ground, remarks=tuple(judgement.remarks))


def with_looked_up(remarks: Sequence[Remarks], ground: Ground, project: Project) -> list[Remarks]:
    """The remarks, with those on files of the project that were only read because something above was looked up in them."""
    family = {*ground.family}
    used = ground.used_by(family) - family
    new = {path: remarks_on(module) for path, module in project.loaded(used).items()}
    new |= {
        entry.path: entry for entry in remarks if entry.path in family or (entry.path in used and entry.path not in new)
    }
    return [
        new.get(entry.path, Remarks(entry.path, 0, problems=() if entry.path else entry.problems)) for entry in remarks
    ]


def _concluded(configuration: Configuration, demands: Demands, hierarchy: Hierarchy, judgement: Judgement) -> Report:
    """The report of a check in which every contract and every family guards something."""
    guarded = Guarded(hierarchy, demands.contracts, inner_of(demands, hierarchy))
    matched = matched_in(judgement.verdicts, demands.contracts)
    _require_contracts(matched, guarded)
    _require_families(judgement.kin)
    inconsistent = [
        (owner, cause) for owner, cause in hierarchy.inconsistent if not demands.is_confined or guarded.is_below(owner)
    ]
    checked = conclude(judgement.remarks, judgement.verdicts, inconsistent, demands)
    return report_of(configuration, checked, matched)


def report_of(configuration: Configuration, checked: Checked, matched: Mapping[Contract, int]) -> Report:
    """What a check says."""
    return Report(
        tuple(
            diagnostic
            for diagnostic in checked.diagnostics
            if not configuration.is_ignored(diagnostic.rule, diagnostic.place.path)
        ),
        checked.files,
        checked.classes,
        checked.overrides,
        checked.call_sites,
        checked.unresolved,
        matched,
        configuration.fail_on,
    )


def demands_of(configuration: Configuration) -> Demands:
    """What a configuration asks a check for."""
    severities = configuration.severities()
    if configuration.strict_resolve:
        severities["unresolved-base"] = Severity.ERROR
    return Demands(
        severities,
        configuration.contracts,
        configuration.only_contracts,
        configuration.respect_type_ignores,
        configuration.families,
        is_confined=configuration.only_contracts
        and bool(configuration.contracts)
        and not configuration.families
        and severities.get("unresolved-base") in (None, Severity.NOTE),
    )


def inner_of(demands: Demands, hierarchy: Hierarchy) -> frozenset[Contract]:
    """The contracts whose base is one of the classes to check."""
    return inside(demands.contracts, [entry.name for entry in hierarchy.classes]) if demands.contracts else frozenset()


def _require_contracts(matched: Mapping[Contract, int], guarded: Guarded) -> None:
    """Every contract guards something."""
    known = guarded.hierarchy.known()
    siblings = Siblings(guarded, known)
    for contract, overrides in matched.items():
        bases = [entry for entry in known if guarded.is_base(contract, entry)]
        if not bases:
            raise UnmatchedContractError(
                f"contract {contract.base}: no class of that name is among the files or their bases"
            )
        for group in contract.siblings:
            if not any(siblings.are_found(base, group) for base in bases):
                names = ", ".join(group)
                raise UnmatchedContractError(
                    f"contract {contract.base}: it has no two methods among the siblings {names}; they would guard nothing"
                )
        _require_honoured(contract, guarded, known)
        if not overrides and not contract.siblings:
            methods = ", ".join(contract.methods)
            raise UnmatchedContractError(
                f"contract {contract.base}: no class overrides {methods}; it would guard nothing"
            )


def _require_honoured(contract: Contract, guarded: Guarded, classes: Sequence[Class]) -> None:
    """Every parameter to honour is one of the family's methods: a base below the contract's may have added it."""
    family = [owner for owner in (classes if contract.honour else ()) if guarded.is_about(contract, owner)]
    known = {
        parameter.name
        for owner in family
        for member in owner.members
        if contract.names_method(member.name)
        for parameter in member.signature.named
    }
    for name in contract.honour or ():
        if name not in known and name != "*":
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UnmatchedContractError(
                f"contract {contract.base}: none of its methods has a parameter {name} to honour{hint}"
            )


def _require_families(kin: Mapping[Family, Kin]) -> None:
    """Every family has something to be like, and every glob of it a member."""
    for family, found in kin.items():
        if not found.likes:
            raise UnmatchedFamilyError(
                f"family like {family.like}: that leads to no function or method, or to none whose signature is known"
            )
        for pattern in found.unmatched:
            raise UnmatchedFamilyError(
                f"family like {family.like}: {pattern} names no other function or method among the files"
            )


def module_cache(configuration: Configuration) -> ModuleCache:
    """What is known of files, as this configuration reads them."""
    settings = [sorted(configuration.opaque_decorators), sorted(configuration.injects.items())]
    return ModuleCache(configuration.cache_directory, settings)
