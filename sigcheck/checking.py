"""The one use case under every front end: a configuration and paths in, a report of values out.

Where the index knows the answer, nothing is read and no parser is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from sigcheck.collector import without_collector
from sigcheck.config import Configuration
from sigcheck.errors import MissingPathError
from sigcheck.files import shown
from sigcheck.footprint import Changes, Trail, changes_since
from sigcheck.index import Entry, Index, Trace
from sigcheck.outcome import Report
from sigcheck.record import Record, parts_of
from sigcheck.survey import Survey, survey_of
from sigcheck.workers import one_working


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
    with without_collector():
        return _checked(configuration, paths, contents, progress, by_libcst=by_libcst)


def _checked(
    configuration: Configuration,
    paths: Sequence[str],
    contents: Mapping[str, bytes] | None,
    progress: Callable[[int, int], None] | None,
    *,
    by_libcst: bool,
) -> Report:
    trail = None if configuration.cache_dir is None else Trail()
    survey = surveyed(configuration, paths, contents, trail)
    index = Index(configuration.cache_directory, (configuration, survey.paths, by_libcst))
    entry = index.recall()
    if entry is not None:
        changes, record = _changes(entry, survey), Record(entry.parts)
        known = None
        if not changes:
            known = record.report()
            if known is not None and changes.is_worn and survey.trail is not None:
                survey.trail.adopt(entry.trace.footprint, changes, survey.files)
                _keep(index, survey, entry.parts, entry)
        elif record.is_grounded and not by_libcst:
            known = _revised(configuration, survey, index, (entry, record), changes)
        if known is not None:
            return known
    # What follows takes longer to load than a known answer takes to give.
    from sigcheck.inspection import inspect

    inspected = inspect(configuration, survey, progress, by_libcst=by_libcst)
    if index.is_open:
        _keep(index, survey, parts_of(*inspected), entry)
    return inspected[0]


def _revised(
    configuration: Configuration, survey: Survey, index: Index, before: tuple[Entry, Record], changes: Changes
) -> Report | None:
    """The report after some changes, from what is known of the check before; None where all must be checked anew."""
    entry, record = before
    # A fork costs this process every page that it writes to from then on: the earlier, the fewer.
    with one_working(_load_libcst) as worker:
        from sigcheck.revision import revise

        if record.findings is None or record.ground is None:
            return None
        known = (record.findings, record.ground)
        revised = revise(configuration, survey, known, entry.trace.footprint, changes, worker=worker)
    if revised is None:
        if survey.trail is not None:
            survey.trail.forget()
        return None
    _keep(index, survey, record.parts_after(*revised), entry)
    return revised[0]


def _load_libcst() -> None:
    from sigcheck.conviction import load_libcst

    load_libcst()


def surveyed(
    configuration: Configuration,
    paths: Sequence[str] = (),
    contents: Mapping[str, bytes] | None = None,
    trail: Trail | None = None,
) -> Survey:
    """The ground of a check. The arguments are `run_check`'s; a trail notes what is looked at.

    Raises:
        MissingPathError: a path does not exist.
    """
    chosen = configuration.chosen(paths)
    replaced = {os.path.realpath(path): data for path, data in (contents or {}).items()}
    for path in chosen:
        if not os.path.lexists(path) and os.path.realpath(path) not in replaced:
            hint = "" if paths else "; mend `paths` in the configuration"
            raise MissingPathError(f"{shown(path)}: no such file or directory{hint}")
    return survey_of(configuration, chosen, replaced, trail)


def _changes(entry: Entry, survey: Survey) -> Changes:
    """What changed since the run that left an entry."""
    changes = changes_since(entry.trace.footprint, survey.files, survey.contents)
    if entry.trace.search_paths != survey.search_paths:
        changes.are_names = True
    if entry.trace.problems != survey.problems:
        changes.is_order = True
    return changes


def _keep(index: Index, survey: Survey, parts: tuple[bytes, ...], old: Entry | None) -> None:
    """Remember a result, with all that it depends on."""
    if survey.trail is None or not index.is_open:
        return
    footprint = survey.trail.footprint(survey.files, None if old is None else old.trace.footprint)
    if footprint is not None:
        index.keep(Entry(Trace(survey.search_paths, survey.problems, footprint), parts))
