"""A project to run mypy over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mypy_plugin.programs import CONFIGURATION, Project


@pytest.fixture(scope="session")
def typeshed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for cold runs, which holds typeshed and nothing of a project."""
    return tmp_path_factory.mktemp("typeshed")


@pytest.fixture
def project(tmp_path: Path, typeshed: Path) -> Iterator[Project]:
    """An empty project with the plugin; its daemon ends with the test."""
    made = Project(tmp_path, typeshed=typeshed)
    made.edit({"mypy.ini": CONFIGURATION})
    yield made
    if (tmp_path / "daemon.json").exists():
        made.stop()
