"""typeguard and pytest find sigcheck by its entry points, in real processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running import write
from tests.runtime.entry_points import python, with_entry_points

FAMILY = """\
from typing import Annotated, Optional

class Layer: ...

class Role:
    def __init__(self, name):
        self.__sigcheck_role__ = name

class Backend:
    def apply(self, fc1: Optional[Annotated[Layer, Role("fc1")]] = None, shared: Optional[Layer] = None): ...

shared = Layer()
shared.__sigcheck_role__ = "shared_experts"
"""
"""A package that does not know sigcheck."""

HOOK = """\
import typeguard
typeguard.install_import_hook("family")
"""

CALL = """
import family
try:
    {backend}().apply(family.shared)
except typeguard.TypeCheckError as error:
    print(type(error).__name__, error)
assert {backend}().apply(None, family.shared) is None
found = [each for each in typeguard.checker_lookup_functions if each.__module__ == "sigcheck.runtime.typeguard_plugin"]
assert len(found) == 1, found
"""

TOLD = 'MisboundArgumentError argument "fc1" (family.Layer) is for `shared_experts`, and stands where `fc1` belongs'

ORDERS = [
    "import typeguard",
    "import typeguard, sigcheck.runtime",
    "import sigcheck.runtime, typeguard",
    "import sigcheck.runtime.roles, typeguard",
    "import sigcheck.runtime.role_checker, typeguard",
    "import sigcheck.runtime.typeguard_plugin, typeguard",
    "from sigcheck.runtime import Role; import typeguard",
    "import typeguard; from sigcheck.runtime import Role, with_role",
    "from sigcheck.runtime import MisboundArgumentError; import typeguard",
]


def _told(directory: Path, program: str, env: dict[str, str]) -> str:
    write(directory, {"family.py": FAMILY})
    done = python("-W", "error", "-c", program, cwd=directory, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("imports", ORDERS)
def test_whatever_is_imported_first(tmp_path: Path, imports: str) -> None:
    program = f"{imports}\n" + CALL.format(backend="typeguard.typechecked(family.Backend)")
    assert _told(tmp_path, program, with_entry_points(tmp_path)).startswith(TOLD)


def test_the_import_hook_sees_roles(tmp_path: Path) -> None:
    program = HOOK + CALL.format(backend="family.Backend")
    assert _told(tmp_path, program, with_entry_points(tmp_path)).startswith(TOLD)


def test_without_the_entry_point_the_first_use_of_a_role_registers(tmp_path: Path) -> None:
    env = with_entry_points(tmp_path, TYPEGUARD_DISABLE_PLUGIN_AUTOLOAD="1")
    program = "from sigcheck.runtime import Role\n" + HOOK + CALL.format(backend="family.Backend")
    assert _told(tmp_path, program, env).startswith(TOLD)


def test_what_users_of_typeguard_load(tmp_path: Path) -> None:
    program = "import sys, typeguard; print(*sorted(name for name in sys.modules if name.startswith('sigcheck')))"
    assert _told(tmp_path, program, with_entry_points(tmp_path)).split() == [
        "sigcheck",
        "sigcheck.report",
        "sigcheck.report.role_words",
        "sigcheck.runtime",
        "sigcheck.runtime.roles",
        "sigcheck.runtime.typeguard_plugin",
        "sigcheck.version",
    ]


def test_what_users_of_pytest_load(tmp_path: Path) -> None:
    write(tmp_path, {
        "test_it.py": "import sys\ndef test_it():\n"
        "    print(sorted(name for name in sys.modules if name.partition('.')[0] in ('sigcheck', 'typeguard', 'libcst')))\n"
    })  # fmt: skip
    done = python("-m", "pytest", "-q", "-s", "-p", "no:typeguard", cwd=tmp_path, env=with_entry_points(tmp_path))
    assert done.stdout.startswith("['sigcheck', 'sigcheck.errors', 'sigcheck.pytest_plugin', 'sigcheck.version']\n"), (
        done.stdout
    )
    assert done.returncode == 0


GUARDED_CLASSES = """\
import sys
from sigcheck.runtime import Guarded

class Base(Guarded):
    def run(self, x, y=None): ...

class Kid(Base):
    def run(self, x, y=None, z=None): ...

loaded = sys.modules.keys() & {"typeguard", "sigcheck.core.assignability", "sigcheck.report.words", "libcst", "mypy"}
assert not loaded, loaded
"""

EVERYTHING = """\
import sys
from sigcheck.runtime import *

loaded = sys.modules.keys() & {
    "libcst", "mypy", "paddle", "numpy", "pytest", "sigcheck.core.assignability", "sigcheck.report.words", "sigcheck.checking"
}
assert not loaded, loaded
"""


@pytest.mark.parametrize("program", [GUARDED_CLASSES, EVERYTHING])
def test_the_guard_loads_what_it_needs(tmp_path: Path, program: str) -> None:
    done = python("-c", program, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
