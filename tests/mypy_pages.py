"""The cases of the specification, read by mypy with the plugin: what it tells, in the terms of the pages."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

from sigcheck.cache import ModuleCache
from sigcheck.config import Configuration, find_configuration, read_configuration
from sigcheck.project import Project
from sigcheck.survey import survey_of
from tests.mypy_runs import run_mypy
from tests.spec_pages import Found

_RULE = re.compile(r"(.*) \(([\w-]+)\)", re.DOTALL)
_CODES = frozenset({"override-binding", "call-binding", "use-binding", "family-binding", "sigcheck"})
_OPTIONS = (
    "--output=json",
    "--no-color-output",
    "--no-error-summary",
    "--explicit-package-bases",
    "--follow-imports=silent",
    "--namespace-packages",
    "--scripts-are-modules",
    "--sqlite-cache",
    "--no-site-packages",
    # Else the plugin leaves to mypy what mypy tells.
    "--disable-error-code=override",
    "--enable-error-code=override-binding",
)


STANDARD = (
    "abc",
    "asyncio",
    "collections.abc",
    "contextlib",
    "dataclasses",
    "enum",
    "functools",
    "threading",
    "typing",
)
"""What pages and programs import of the standard library, most of them."""


def prime_cache(directory: Path, cache: Path) -> None:
    """Fill a cache with the standard library and nothing of a project.

    Args:
        directory: where a module may be written.
        cache: mypy's.
    """
    (directory / "imports.py").write_text("".join(f"import {name}\n" for name in STANDARD), encoding="utf-8")
    found, problem = check_mypy(directory, cache)
    assert (found, problem) == ([], "")


def copy_cache(primed: Path, cache: Path) -> Path:
    """A copy of a cache, for another configuration; returns where it is.

    mypy drops a cache whose plugins were others, and the configuration is part of what the plugin is. But of the standard
    library the plugin looks at nothing, so the copy goes without what tells mypy which plugins there were.
    """
    shutil.copytree(primed, cache)
    deleted = 0
    for path in cache.rglob("*.db"):
        with closing(sqlite3.connect(path)) as database, database:
            deleted += database.execute("DELETE FROM files2 WHERE path = '@plugins_snapshot.json'").rowcount
    assert deleted == 1
    return cache


def check_mypy(directory: Path, cache: Path) -> tuple[list[Found], str]:
    """What mypy finds in the working directory, and what kept it from looking; empty where nothing did.

    Args:
        directory: with the files of a case.
        cache: mypy's, which runs may share one after another.
    """
    configuration = directory / "mypy.ini"
    source = find_configuration(directory)
    settings = read_configuration(source) if source is not None else Configuration(root=directory)
    severities = settings.severities()
    survey = survey_of(settings, [str(directory / path) for path in settings.paths], {})
    project = Project(settings, survey, ModuleCache(None, None))
    roots = [*project.roots, *(str(directory / path) for path in settings.search_paths)]
    configuration.write_text(
        f"[mypy]\nplugins = sigcheck.mypy_plugin\nmypy_path = {','.join(roots)}\n", encoding="utf-8"
    )
    files = [os.path.relpath(file.real) for file in survey.files]
    with patch.dict(os.environ, SIGCHECK_DEBUG="1"):
        output, problem, status = run_mypy(
            [*_OPTIONS, "--config-file", str(configuration), "--cache-dir", str(cache), *files]
        )
    entries = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    found = []
    for entry in entries:
        told = _RULE.fullmatch(entry["message"])
        if entry["code"] in _CODES and told is not None:
            message, rule = told.groups()
            found.append(Found(os.path.relpath(entry["file"]), entry["line"], rule, severities[rule].value, message))
        elif entry["code"] in _CODES:
            problem += entry["message"]
    if status == 2 and not problem:
        problem = "; ".join(entry["message"] for entry in entries) or output
    return found, problem
