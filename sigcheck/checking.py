"""The one use case under every front end: a configuration and paths in, a report of values out.

Where the index knows the answer, nothing is read and no parser is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from sigcheck.config import Configuration
from sigcheck.errors import MissingPathError
from sigcheck.files import shown
from sigcheck.footprint import Trail, changes_since
from sigcheck.index import Entry, Index, Trace
from sigcheck.outcome import Report
from sigcheck.serialization import decode, encode
from sigcheck.survey import Survey, survey_of


def run_check(
    configuration: Configuration,
    paths: Sequence[str] = (),
    *,
    contents: Mapping[str, bytes] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Check a project.

    Args:
        configuration: what to check and what to look for.
        paths: files and directories, relative to the working directory; empty for the configured ones.
        contents: bytes to take for a path instead of what lies there.
        progress: told how many files of how many are read.

    Raises:
        MissingPathError: a path does not exist.
        UnmatchedContractError: a contract matches no class, no override or no siblings.
        UnmatchedFamilyError: a family leads nowhere.
    """
    trail = None if configuration.cache_dir is None else Trail()
    survey = surveyed(configuration, paths, contents, trail)
    index = Index(configuration.cache_directory, (configuration, survey.paths))
    entry = index.recall()
    if entry is not None:
        report = _known(index, entry, survey)
        if report is not None:
            return report
    # The parser takes longer to load than a known answer takes to give.
    from sigcheck.inspection import inspect

    report = inspect(configuration, survey, progress)
    _keep(index, survey, encode(Report, report), entry)
    return report


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
    chosen = list(paths) or [str(configuration.root / path) for path in configuration.paths]
    replaced = {os.path.realpath(path): data for path, data in (contents or {}).items()}
    for path in chosen:
        if not os.path.lexists(path) and os.path.realpath(path) not in replaced:
            hint = "" if paths else "; mend `paths` in the configuration"
            raise MissingPathError(f"{shown(path)}: no such file or directory{hint}")
    return survey_of(configuration, chosen, replaced, trail)


def _known(index: Index, entry: Entry, survey: Survey) -> Report | None:
    """The report of the run that left an entry, if nothing has changed since."""
    if (entry.trace.search_paths, entry.trace.problems) != (survey.search_paths, survey.problems):
        return None
    changes = changes_since(entry.trace.footprint, survey.files, survey.contents)
    if changes or not entry.parts:
        return None
    try:
        report = decode(Report, entry.parts[0])
    except ValueError:
        return None
    if changes.is_worn and survey.trail is not None:
        fresh = survey.trail.renewed(entry.trace.footprint, survey.files)
        index.keep(Entry(Trace(survey.search_paths, survey.problems, fresh), entry.parts))
    return report


def _keep(index: Index, survey: Survey, report: bytes, old: Entry | None) -> None:
    """Remember a report, with all that it depends on."""
    if survey.trail is None or not index.is_open:
        return
    footprint = survey.trail.footprint(survey.files, None if old is None else old.trace.footprint)
    if footprint is not None:
        index.keep(Entry(Trace(survey.search_paths, survey.problems, footprint), (report,)))
