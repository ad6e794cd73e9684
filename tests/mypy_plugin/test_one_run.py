"""The plugin in one run of the real mypy: codes, comments, repetition, and what happens when something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sigcheck.mypy_plugin.versions import complaint

ROOT = Path(__file__).resolve().parent.parent.parent

BASE = """\
class Base:
    def run(self, x, y=None): ...
    def typed(self, x: int, y: int = 0) -> int: return 0
"""


def run_mypy(directory: Path, *options: str, program: str = "", **files: str) -> tuple[list[str], str, int]:
    """Lines, complaints and status of mypy over `base.py` and `sub.py`.

    Args:
        directory: where the files are written.
        options: for mypy.
        program: Python that is run before mypy, in the same process.
        files: text by name, `__` for a dot.
    """
    for name, text in {"base__py": BASE, **files}.items():
        (directory / name.replace("__", ".")).write_text(text, encoding="utf-8")
    if not (directory / "mypy.ini").exists():
        (directory / "mypy.ini").write_text("[mypy]\nplugins = sigcheck.mypy_plugin\n", encoding="utf-8")
    code = f"import sys\nfrom mypy.__main__ import console_entry\n{program}\nsys.argv = ['mypy', *sys.argv[1:]]\nconsole_entry()"
    ran = subprocess.run(
        [sys.executable, "-c", code, "--no-incremental", "--no-error-summary", *options, "sub.py", "base.py"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return ran.stdout.splitlines(), ran.stderr, ran.returncode


SUB = """\
from base import Base


class Sub(Base):
    def run(
        self,
        z,{comment}
        y=None,
    ): ...
"""


def test_a_finding_has_its_code_its_rule_and_its_notes(tmp_path: Path) -> None:
    lines, _, status = run_mypy(tmp_path, "--show-column-numbers", sub__py=SUB.format(comment=""))
    assert lines == [
        "sub.py:5:9: error: x is called `z` in Sub.run (renamed-parameter)  [override-binding]",
        "sub.py:5:9: note:     base: Base.run(x, y)   base.py",
        "sub.py:5:9: note:     witness: run(x=...)   base accepts, override raises TypeError: unexpected keyword x",
    ]
    assert status == 1


@pytest.mark.parametrize("code", ["override-binding", "override"])
def test_it_is_ignored_at_the_parameter_and_nowhere_in_vain(code: str, tmp_path: Path) -> None:
    source = SUB.format(comment=f"  # type: ignore[{code}]")
    lines, _, status = run_mypy(tmp_path, sub__py=source)
    assert (lines, status) == ([], 0)
    lines, _, _ = run_mypy(tmp_path, "--warn-unused-ignores", "--disable-error-code=override-binding", sub__py=source)
    assert lines == ['sub.py:7: error: Unused "type: ignore" comment  [unused-ignore]']


TYPED = """\
from base import Base


class Sub(Base):
    def typed(self, x: int) -> int: return 0
"""


def test_what_mypy_tells_is_not_told_again_unless_asked_for(tmp_path: Path) -> None:
    lines, _, _ = run_mypy(tmp_path, sub__py=TYPED)
    assert [line for line in lines if "error" in line] == [
        'sub.py:5: error: Signature of "typed" incompatible with supertype "base.Base"  [override]'
    ]
    lines, _, _ = run_mypy(tmp_path, sigcheck__toml="repeat-mypy = true\n")
    assert "sub.py:5: error: Sub.typed cannot receive y (missing-parameter)  [override-binding]" in lines


def test_what_mypy_is_not_asked_for_is_told(tmp_path: Path) -> None:
    options = ("--disable-error-code=override", "--enable-error-code=override-binding")
    lines, _, _ = run_mypy(tmp_path, *options, sub__py=TYPED)
    assert lines[0] == "sub.py:5: error: Sub.typed cannot receive y (missing-parameter)  [override-binding]"


BREAKING = """
import sigcheck.mypy_plugin.verdicts as verdicts
def broken(*_):
    raise RuntimeError("no reason")
verdicts.check = broken
"""


def test_a_defect_is_one_note_and_mypy_goes_on(tmp_path: Path) -> None:
    source = SUB.format(comment="") + "\n\nx: int = ''\n"
    lines, _, status = run_mypy(tmp_path, program=BREAKING, sub__py=source)
    notes = [line for line in lines if "sigcheck failed" in line]
    assert len(notes) == 1
    assert "note: sigcheck failed (RuntimeError in sub: no reason)" in notes[0]
    assert any("[assignment]" in line for line in lines)
    assert status == 1


def test_a_configuration_that_cannot_be_read_ends_the_run(tmp_path: Path) -> None:
    lines, complaints, status = run_mypy(tmp_path, sub__py=TYPED, sigcheck__toml="selekt = []\n")
    assert status == 2
    assert lines == []
    assert "sigcheck.toml" in complaints
    assert "selekt" in complaints
    assert "Traceback" not in complaints


@pytest.mark.parametrize("version", ["1.16.0", "1.19.1", "2.0.0", "2.4.1", "2.4.0+dev"])
def test_these_versions_are_known(version: str) -> None:
    assert complaint(version) is None


@pytest.mark.parametrize("version", ["1.15.0", "0.991", "2.5.0", "3.0", "unknown"])
def test_of_others_it_says_so(version: str) -> None:
    told = complaint(version)
    assert told is not None
    assert version in told
    assert "1.16 to 2.4" in told


def test_an_unknown_mypy_is_left_alone(tmp_path: Path) -> None:
    program = "import sigcheck.mypy_plugin.versions as versions\nversions.NEWEST = (1, 17)"
    lines, complaints, status = run_mypy(tmp_path, program=program, sub__py=SUB.format(comment=""))
    assert (lines, status) == ([], 0)
    assert complaints.startswith("sigcheck.mypy_plugin: mypy ")
