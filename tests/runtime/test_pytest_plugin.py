"""The pytest plugin, in real runs of pytest that find it by its entry point."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from sigcheck.runtime.errors import GuardUsageError
from sigcheck.runtime.pytest_session import read_family
from tests.running import write
from tests.runtime.entry_points import python, with_entry_points

FAMILY = """\
class Base:
    def apply(self, x, fc1=None, shared=None):
        return self.apply_tp(x, fc1, shared)

    def apply_tp(self, x, fc1=None, shared=None):
        return "base"


class Swapped(Base):
    def apply_tp(self, x, shared=None, fc1=None):
        return "swapped"


class Other:
    def run(self, a=None, b=None):
        return self.step(a, b)

    def step(self, a=None, b=None): ...


class Turned(Other):
    def step(self, b=None, a=None): ...


class Layer: ...
"""

TESTS = """\
import threading
import unittest

import pytest

from family import Base, Layer, Swapped


def misbind():
    return Swapped().apply(1, Layer(), Layer())


def swallow():
    try:
        misbind()
    except TypeError:
        return "swallowed"


def test_right():
    assert Base().apply(1, Layer(), Layer()) == "base"
    assert Swapped().apply(1) == "swapped"


def test_plain():
    misbind()


def test_swallowed():
    assert swallow() in ("swallowed", None)


def test_skipped():
    swallow()
    pytest.skip("after all")


def test_in_a_thread():
    thread = threading.Thread(target=swallow)
    thread.start()
    thread.join()


def test_fails_otherwise():
    swallow()
    swallow()
    assert 1 == 2, "otherwise"


def test_chained():
    try:
        misbind()
    except TypeError as error:
        raise ValueError("chained") from error


@pytest.fixture
def early():
    swallow()


@pytest.fixture
def late():
    yield
    swallow()


def test_setup(early): ...


def test_teardown(late): ...


class TestCase(unittest.TestCase):
    def test_unittest_plain(self):
        misbind()

    def test_unittest_swallowed(self):
        with self.assertRaises(TypeError):
            misbind()


def test_after_all_is_right():
    assert Base().apply(1, Layer(), Layer()) == "base"
"""

FAILED = {
    "test_right": "passed", "test_plain": "failure", "test_swallowed": "failure", "test_skipped": "failure",
    "test_in_a_thread": "failure", "test_fails_otherwise": "failure", "test_chained": "failure", "test_setup": "error",
    "test_teardown": "error", "test_unittest_plain": "failure", "test_unittest_swallowed": "failure",
    "test_after_all_is_right": "passed",
}  # fmt: skip

MISBOUND = 11
"""How often `misbind` is called."""


class Run:
    """A finished run of pytest in a directory."""

    def __init__(self, directory: Path, *arguments: str, **changes: str) -> None:
        options = ("-p", "no:cacheprovider", "--junitxml=report.xml", "-W", "error", *arguments)
        self.done: subprocess.CompletedProcess[str] = python(
            "-m", "pytest", *options, cwd=directory, env=with_entry_points(directory, **changes)
        )
        self.report = directory / "report.xml"

    @property
    def outcomes(self) -> dict[str, str]:
        """Each test: passed, failure, error or skipped."""
        found = {}
        for case in ET.parse(self.report).iter("testcase"):
            kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
            found[case.attrib["name"]] = kinds[0] if kinds else "passed"
        return found

    def told(self, name: str) -> str:
        """All that the report has on a test."""
        [case] = [case for case in ET.parse(self.report).iter("testcase") if case.attrib["name"] == name]
        return "".join(case.itertext())


def _files(directory: Path, **more: str) -> Path:
    return write(directory, {"family.py": FAMILY, "test_family.py": TESTS, **more})


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_each_misbinding_fails_its_test(tmp_path: Path, workers: tuple[str, ...]) -> None:
    run = Run(_files(tmp_path), "--sigcheck-guard", "family:Base", *workers)
    assert run.done.returncode == 1, run.done.stdout
    assert run.outcomes == FAILED
    for name, outcome in FAILED.items():
        told = "MisboundArgumentError" in run.told(name)
        assert told is (outcome != "passed" and name != "test_fails_otherwise"), name
    assert "otherwise" in run.told("test_fails_otherwise")
    [_, section] = run.done.stdout.split(" sigcheck: misbound arguments ---")
    assert re.search(r"^-*\nfc1 lands in `shared` of Swapped\.apply_tp .*\n(  .*\n)+.* \(2 times\)\n", section), section
    assert "sigcheck: guarding family:Base (raise)" in run.done.stdout
    assert f"sigcheck: {MISBOUND} arguments misbound in calls of 2 classes\n" in run.done.stdout
    assert "outside of a test" not in run.done.stdout


def test_without_the_option_nothing_is_guarded(tmp_path: Path) -> None:
    run = Run(_files(tmp_path), "-k", "not fails_otherwise and not unittest_swallowed")
    assert run.done.returncode == 0, run.done.stdout
    assert "sigcheck:" not in run.done.stdout


def test_the_plugin_can_be_left_out(tmp_path: Path) -> None:
    run = Run(_files(tmp_path), "-p", "no:sigcheck", "--sigcheck-guard", "family:Base")
    assert run.done.returncode == 4
    assert "unrecognized arguments: --sigcheck-guard" in run.done.stderr


def test_families_of_the_ini_file_and_of_the_option_add_up(tmp_path: Path) -> None:
    write(tmp_path, {
        "pytest.ini": "[pytest]\nsigcheck_guard =\n    family:Base\n",
        "test_other.py": "from family import *\ndef test_other():\n    Turned().run(Layer(), Layer())\n",
    })  # fmt: skip
    run = Run(_files(tmp_path), "--sigcheck-guard", "family:Other", "-k", "(test_plain or test_other) and not unittest")
    assert run.outcomes == {"test_plain": "failure", "test_other": "failure"}
    assert "sigcheck: guarding family:Base, family:Other (raise)" in run.done.stdout


def test_warnings_let_the_calls_go_on(tmp_path: Path) -> None:
    options = ("--sigcheck-guard", "family:Base", "--sigcheck-guard-mode", "warn", "-W", "default")
    run = Run(_files(tmp_path), *options, "-k", "test_plain or test_setup or test_right")
    assert run.done.returncode == 0, run.done.stdout
    assert re.search(r"warnings? summary", run.done.stdout)
    assert "MisboundArgumentWarning" in run.done.stdout
    assert "sigcheck: guarding family:Base (warn)" in run.done.stdout


def test_the_environment_overrides_the_mode(tmp_path: Path) -> None:
    run = Run(_files(tmp_path), "--sigcheck-guard", "family:Base", "-k", "test_plain", SIGCHECK="off")
    assert run.done.returncode == 0, run.done.stdout
    assert "sigcheck: guarding nothing" in run.done.stdout


def test_a_class_that_breaks_a_promise_is_told_when_a_test_creates_it(tmp_path: Path) -> None:
    test = """\
        from family import Base

        def test_created():
            class Blackwell(Base):
                def apply_tp(self, x): ...
        """
    write(tmp_path, {"test_created.py": "\n".join(line[8:] for line in test.splitlines())})
    run = Run(_files(tmp_path), "--sigcheck-guard", "family:Base", "-k", "test_created")
    assert run.outcomes == {"test_created": "failure"}
    assert "IncompatibleOverrideError" in run.told("test_created")
    assert "cannot receive fc1" in run.told("test_created")


def test_the_guard_that_a_base_has_is_left_alone(tmp_path: Path) -> None:
    test = """\
        import warnings
        import pytest
        from sigcheck.runtime import IncompatibleOverrideWarning
        from guarded import Base

        def test_created():
            with pytest.warns(IncompatibleOverrideWarning):
                class Blackwell(Base):
                    def apply_tp(self, x): ...
        """
    write(tmp_path, {
        "guarded.py": f"from sigcheck.runtime import guard\n{FAMILY}\n\nguard(Base, mode='warn')\n",
        "test_created.py": "\n".join(line[8:] for line in test.splitlines()),
    })  # fmt: skip
    run = Run(tmp_path, "--sigcheck-guard", "guarded:Base")
    assert run.outcomes == {"test_created": "passed"}, run.done.stdout


OUTSIDE = """\
from family import *
try:
    Swapped().apply(1, Layer(), Layer())
except TypeError:
    pass
def test_right(): ...
"""


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_what_belongs_to_no_test_fails_the_run(tmp_path: Path, workers: tuple[str, ...]) -> None:
    write(tmp_path, {"family.py": FAMILY, "test_it.py": OUTSIDE})
    run = Run(tmp_path, "--sigcheck-guard", "family:Base", *workers)
    assert run.outcomes == {"test_right": "passed"}
    assert run.done.returncode == 1
    [_, told] = run.done.stdout.split("sigcheck: misbound outside of a test")
    assert "apply_tp" in told


NO_FAMILY = [
    ("families", "'families' names no class: write it as `pkg.mod:Base`"),
    (":Base", "':Base' names no class: write it as `pkg.mod:Base`"),
    ("nowhere:Base", "nowhere:Base: importing nowhere raises ModuleNotFoundError: No module named 'nowhere'"),
    ("broken_family:Base", "broken_family:Base: importing broken_family raises ZeroDivisionError: division by zero"),
    ("tests.running:Bose", "tests.running:Bose: tests.running has no Bose"),
    ("tests.running:Path.Inner", "tests.running:Path.Inner: tests.running has no Path.Inner"),
    ("tests.running:write", "tests.running:write is no class, but <function write at"),
]


@pytest.mark.parametrize(("family", "told"), NO_FAMILY)
def test_a_family_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str, told: str) -> None:
    monkeypatch.syspath_prepend(write(tmp_path, {"broken_family.py": "1 / 0\n"}))
    with pytest.raises(GuardUsageError) as error:
        read_family(family)
    assert str(error.value).startswith(told)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("family", "arguments"), [("nowhere:Base", ()), ("nowhere:Base", ("-n", "1")), ("builtins:int", ())]
)
def test_what_cannot_be_guarded_is_one_line(tmp_path: Path, family: str, arguments: tuple[str, ...]) -> None:
    run = Run(_files(tmp_path), "--sigcheck-guard", family, *arguments)
    assert run.done.returncode == 4
    [line] = [line for line in run.done.stderr.splitlines() if line]
    assert line.startswith("ERROR: --sigcheck-guard: ")


def test_without_typeguard_it_is_one_line(tmp_path: Path) -> None:
    write(tmp_path, {"site/typeguard.py": "raise ModuleNotFoundError('No module named typeguard', name='typeguard')\n"})
    run = Run(_files(tmp_path), "--sigcheck-guard", "family:Base", "-p", "no:typeguard")
    assert run.done.returncode == 4, run.done.stdout
    [line] = [line for line in run.done.stderr.splitlines() if line]
    assert line.startswith("ERROR: --sigcheck-guard: ")
    assert "pip install 'sigcheck[runtime]'" in line
