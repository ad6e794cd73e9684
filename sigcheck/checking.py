"""The one use case under every front end: a configuration and paths in, a report of values out."""

from __future__ import annotations

import difflib
import gc
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sigcheck.cache import ModuleCache
from sigcheck.config import Configuration
from sigcheck.core.callsite import CallSite
from sigcheck.core.check import Checked, check
from sigcheck.core.contract import Contract
from sigcheck.core.demands import Demands
from sigcheck.core.diagnostic import BaseWithoutSource, Diagnostic
from sigcheck.core.evidence import evidence_of
from sigcheck.core.family import Family
from sigcheck.core.hierarchy import Hierarchy
from sigcheck.core.kinship import Kin
from sigcheck.core.member import Member
from sigcheck.core.module import Module
from sigcheck.core.resolution import Resolver
from sigcheck.core.rules import Severity
from sigcheck.core.siblings import Siblings
from sigcheck.errors import MissingPathError, UnmatchedContractError, UnmatchedFamilyError
from sigcheck.files import is_match, shown
from sigcheck.project import Project


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found, and what it looked at.

    Attributes:
        diagnostics: sorted by place.
        files: source files that were read.
        classes: class statements in them.
        overrides: definitions that were held against at least one base.
        call_sites: calls that were followed.
        unresolved: bases of which no source was found.
        contracts: the number of overrides that each contract matched.
        fail_on: the least severity that makes a run fail.
    """

    diagnostics: tuple[Diagnostic, ...]
    files: int
    classes: int
    overrides: int
    call_sites: int
    unresolved: tuple[BaseWithoutSource, ...]
    contracts: Mapping[Contract, int]
    fail_on: Severity = Severity.WARNING

    @property
    def exit_status(self) -> int:
        """1 where a diagnostic is as severe as `fail_on`, else 0."""
        failing = (Severity.ERROR,) if self.fail_on is Severity.ERROR else (Severity.ERROR, Severity.WARNING)
        return int(any(diagnostic.severity in failing for diagnostic in self.diagnostics))


def run_check(
    configuration: Configuration,
    paths: Sequence[str] = (),
    *,
    contents: Mapping[str, bytes] | None = None,
    progress: Callable[[int, int], None] | None = None,
    by_libcst: bool = False,
) -> Report:
    """Check a project.

    Args:
        configuration: what to check and what to look for.
        paths: files and directories, relative to the working directory; empty for the configured ones.
        contents: bytes to take for a path instead of what lies there.
        progress: told how many files of how many are read.
        by_libcst: have libcst read every file whole, and scan none. The report is the same; tests hold the two together.

    Raises:
        MissingPathError: a path does not exist.
        UnmatchedContractError: a contract matches no class, no override or no siblings.
        UnmatchedFamilyError: a family leads nowhere.
    """
    severities = configuration.severities()
    if configuration.strict_resolve:
        severities["unresolved-base"] = Severity.ERROR
    demands = Demands(
        severities,
        configuration.contracts,
        configuration.only_contracts,
        configuration.respect_type_ignores,
        configuration.families,
    )
    with reading(configuration, paths, contents, progress, by_libcst=by_libcst) as (project, modules, classes):
        checked, hierarchy = _confirmed(project, modules, classes, demands)
    _require_contracts(checked.matched, hierarchy)
    _require_families(checked.kin)
    return Report(
        tuple(diagnostic for diagnostic in checked.diagnostics if not _is_ignored(diagnostic, configuration)),
        len(project.files),
        checked.classes,
        checked.overrides,
        checked.call_sites,
        checked.unresolved,
        checked.matched,
        configuration.fail_on,
    )


@contextmanager
def reading(
    configuration: Configuration,
    paths: Sequence[str] = (),
    contents: Mapping[str, bytes] | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    by_libcst: bool = False,
) -> Iterator[tuple[Project, list[Module], Hierarchy]]:
    """The files of a project, read, and their classes; bases are read while the context lasts. The arguments are `run_check`'s."""
    chosen = list(paths) or [str(configuration.root / path) for path in configuration.paths]
    replaced = {os.path.realpath(path): data for path, data in (contents or {}).items()}
    for path in chosen:
        if not os.path.lexists(path) and os.path.realpath(path) not in replaced:
            hint = "" if paths else "; mend `paths` in the configuration"
            raise MissingPathError(f"{shown(path)}: no such file or directory{hint}")
    with _without_collector(), _cache(configuration) as cache:
        project = Project(configuration, chosen, cache, replaced, by_libcst=by_libcst)
        modules = project.read(progress=progress)
        yield project, modules, _hierarchy(project, modules)


@contextmanager
def _without_collector() -> Iterator[None]:
    """What is read lives until the end of the check, and looking for cycles among it takes half of the check's time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _hierarchy(project: Project, modules: Sequence[Module]) -> Hierarchy:
    return Hierarchy((entry for module in modules for entry in module.classes), Resolver(project.load))


def _confirmed(
    project: Project, modules: list[Module], hierarchy: Hierarchy, demands: Demands
) -> tuple[Checked, Hierarchy]:
    """What a check finds, when libcst has read all that is told; and the hierarchy in which it was found.

    Where libcst reads what the scan did not, the check is made again with that.
    """
    while True:
        checked = check(modules, hierarchy, demands, project.flow)
        odd = project.confirm(_evidence(checked.diagnostics))
        if not odd:
            return checked, hierarchy
        modules = [odd.get(module.path, module) for module in modules]
        hierarchy = _hierarchy(project, modules)


def _evidence(diagnostics: Iterable[Diagnostic]) -> Iterator[Member | CallSite]:
    return (entry for diagnostic in diagnostics for entry in evidence_of(diagnostic.finding))


def _require_contracts(matched: Mapping[Contract, int], hierarchy: Hierarchy) -> None:
    """Every contract guards something."""
    known = [entry.name for entry in hierarchy.known()]
    siblings = Siblings(hierarchy)
    for contract, overrides in matched.items():
        if not any(contract.names_base(name) for name in known):
            raise UnmatchedContractError(
                f"contract {contract.base}: no class of that name is among the files or their bases"
            )
        for group in contract.siblings:
            if not siblings.are_found(contract, group):
                names = ", ".join(group)
                raise UnmatchedContractError(
                    f"contract {contract.base}: it has no two methods among the siblings {names}; they would guard nothing"
                )
        _require_honoured(contract, hierarchy)
        if not overrides and not contract.siblings:
            methods = ", ".join(contract.methods)
            raise UnmatchedContractError(
                f"contract {contract.base}: no class overrides {methods}; it would guard nothing"
            )


def _require_honoured(contract: Contract, hierarchy: Hierarchy) -> None:
    """Every parameter to honour is one of the family's methods: a base below the contract's may have added it."""
    family = [
        owner
        for owner in (hierarchy.known() if contract.honour else ())
        if any(contract.names_base(entry.name) for order in hierarchy.linearizations(owner) for entry in order)
    ]
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


def _cache(configuration: Configuration) -> ModuleCache:
    directory = None if configuration.cache_dir is None else configuration.root / configuration.cache_dir
    settings = [sorted(configuration.opaque_decorators), sorted(configuration.injects.items())]
    return ModuleCache(directory, settings)


def _is_ignored(diagnostic: Diagnostic, configuration: Configuration) -> bool:
    """`per-file-ignores` names the rule for the file."""
    if not configuration.per_file_ignores:
        return False
    path = os.path.relpath(os.path.realpath(diagnostic.place.path), configuration.root.resolve()).replace(os.sep, "/")
    matching = [pattern for pattern in configuration.per_file_ignores if is_match(path, pattern)]
    return diagnostic.rule in configuration.ignored_in(matching)
