"""The use case under `sigcheck matrix`: a configuration, paths and the name of a method in, a matrix of values out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence

from sigcheck.checking import surveyed
from sigcheck.collector import without_collector
from sigcheck.config import Configuration
from sigcheck.core.evidence import Evidence
from sigcheck.core.hierarchy import Hierarchy
from sigcheck.core.matrix import Matrix, build_matrix, called
from sigcheck.core.member import Member
from sigcheck.core.names import normalized
from sigcheck.core.target import Target, find_targets, methods_of, nearest, targets_at
from sigcheck.core.usage import Usage, UsageKind, usages_of
from sigcheck.errors import UnknownTargetError
from sigcheck.files import shown
from sigcheck.inspection import hierarchy_of, reading
from sigcheck.project import Project

_SHOWN_CANDIDATES = 5
_AT_LINE = re.compile(r"(.+):(\d+)", re.DOTALL)


def run_matrix(
    configuration: Configuration,
    target: str,
    paths: Sequence[str] = (),
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Matrix:
    """Lay out the overrides of one method.

    Args:
        configuration: where to look.
        target: a dotted name, the last parts of one, or `PATH:LINE`.
        paths: files and directories, relative to the working directory; empty for the configured ones.
        progress: told how many files of how many are read.

    Raises:
        MissingPathError: a path does not exist.
        UnknownTargetError: the target means no method, or more than one.
    """
    with (
        without_collector(),
        reading(configuration, surveyed(configuration, paths), progress) as (project, read, scanned),
    ):
        modules, hierarchy = read, scanned
        matrix = _matrix(hierarchy, target, project)
        # Where libcst reads what is shown otherwise than the scan did, that is shown.
        while odd := project.confirm(_shown_in(matrix)):
            modules = [odd.get(module.path, module) for module in modules]
            hierarchy = hierarchy_of(project, modules)
            matrix = _matrix(hierarchy, target, project)
        return matrix


def _shown_in(matrix: Matrix) -> set[Evidence]:
    """Where the definitions and the calls stand that a matrix shows."""
    places = [row.member.place for row in matrix.rows]
    places += [place for table in matrix.calls for place in (table.caller.place, table.site.place)]
    return {(place.path, place.line, True) for place in places}


def _matrix(hierarchy: Hierarchy, target: str, project: Project) -> Matrix:
    found = _targets(hierarchy, target, project)
    if not found:
        raise UnknownTargetError(_unknown(hierarchy, target, len(project.files)))
    if len(found) > 1:
        raise UnknownTargetError(_ambiguous(hierarchy, target, found))
    [meant] = found
    members = hierarchy.definitions(meant.owner, meant.method)
    if all(called(member) is None for member in members):
        what = members[0].flavour
        reason = f"is a {what.value}" if not what.is_method else "has no parameter for its receiver"
        if what.value[0] in "aeiou":
            reason = reason.replace("is a ", "is an ", 1)
        raise UnknownTargetError(f"{meant.name} {reason}; a matrix shows methods")
    return build_matrix(hierarchy, meant.owner, meant.method, is_ignored=_ignores(project))


def _targets(hierarchy: Hierarchy, target: str, project: Project) -> tuple[Target, ...]:
    at_line = _AT_LINE.fullmatch(target)
    if at_line is not None:
        return targets_at(hierarchy, shown(at_line[1]), int(at_line[2]))
    return find_targets(hierarchy, normalized(target), frozenset(file.shown for file in project.files))


def _ignores(project: Project) -> Callable[[Member, str], bool]:
    """Does a body accept a parameter, and never read it?"""
    known: dict[int, Mapping[str, Usage]] = {}

    def is_ignored(member: Member, name: str) -> bool:
        usages = known.get(id(member))
        if usages is None:
            flow = project.flow(member)
            usages = known[id(member)] = {} if flow is None else usages_of(flow, flow.parameters)
        return name in usages and usages[name].kind is UsageKind.IGNORED

    return is_ignored


def _unknown(hierarchy: Hierarchy, target: str, files: int) -> str:
    methods = methods_of(hierarchy, target)
    if methods:
        listed = ", ".join(methods[:_SHOWN_CANDIDATES]) + (", ..." if len(methods) > _SHOWN_CANDIDATES else "")
        return f"{target} is a class; name a method of it: {listed}"
    close = nearest(hierarchy, target)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    return f"no class of {files:,} file{'' if files == 1 else 's'} or their bases has a method {target}{hint}"


def _ambiguous(hierarchy: Hierarchy, target: str, found: Sequence[Target]) -> str:
    listed = []
    for candidate in sorted(found, key=lambda entry: entry.owner.place)[:_SHOWN_CANDIDATES]:
        place = hierarchy.definitions(candidate.owner, candidate.method)[0].place
        listed.append(f"{candidate.name} ({place.path.replace(os.sep, '/')}:{place.line})")
    more = f" and {len(found) - len(listed)} more" if len(found) > len(listed) else ""
    return f"{target} may be {', '.join(listed)}{more}; name more of it, or PATH:LINE"
