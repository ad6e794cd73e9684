"""The plugin in one run of the real mypy: codes, comments, repetition, and what happens when something is wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sigcheck.mypy_plugin.versions import NEWEST, OLDEST, complaint
from tests import running as checking
from tests.mypy_plugin.programs import MYPY, TAKES_CODES

ROOT = Path(__file__).resolve().parent.parent.parent
codes_in_options = pytest.mark.skipif(not TAKES_CODES, reason="this mypy reads its options before it loads a plugin")

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
    disabled = "override-binding" if TAKES_CODES else "override"
    lines, _, _ = run_mypy(tmp_path, "--warn-unused-ignores", f"--disable-error-code={disabled}", sub__py=source)
    assert lines == ['sub.py:7: error: Unused "type: ignore" comment  [unused-ignore]']


BASE_IN_MYPY = "base.Base" if MYPY >= (1, 17) else "Base"
TYPED = """\
from base import Base


class Sub(Base):
    def typed(self, x: int) -> int: return 0
"""


def test_what_mypy_tells_is_not_told_again_unless_asked_for(tmp_path: Path) -> None:
    lines, _, _ = run_mypy(tmp_path, sub__py=TYPED)
    assert [line for line in lines if "error" in line] == [
        f'sub.py:5: error: Signature of "typed" incompatible with supertype "{BASE_IN_MYPY}"  [override]'
    ]
    lines, _, _ = run_mypy(tmp_path, sigcheck__toml="repeat-mypy = true\n")
    assert "sub.py:5: error: Sub.typed cannot receive y (missing-parameter)  [override-binding]" in lines


@codes_in_options
def test_what_mypy_is_not_asked_for_is_told(tmp_path: Path) -> None:
    options = ("--disable-error-code=override", "--enable-error-code=override-binding")
    lines, _, _ = run_mypy(tmp_path, *options, sub__py=TYPED)
    assert lines[0] == "sub.py:5: error: Sub.typed cannot receive y (missing-parameter)  [override-binding]"


@pytest.mark.skipif(TAKES_CODES, reason="this mypy loads a plugin before it reads its options")
def test_an_older_mypy_refuses_the_codes_and_takes_what_they_are_sub_codes_of(tmp_path: Path) -> None:
    lines, complaints, status = run_mypy(tmp_path, "--disable-error-code=override-binding", sub__py=TYPED)
    assert (lines, status) == ([], 2)
    assert "Invalid error code(s): override-binding" in complaints
    lines, complaints, status = run_mypy(tmp_path, "--disable-error-code=override", sub__py=SUB.format(comment=""))
    assert (lines, complaints, status) == ([], "", 0)


def test_a_warning_is_a_note_unless_it_fails(tmp_path: Path) -> None:
    source, severity = SUB.format(comment=""), 'severity = { renamed-parameter = "warning" }\n'
    for fail_on, told, status in (("error", "note", 0), ("warning", "error", 1)):
        settings = f'fail-on = "{fail_on}"\n{severity}'
        lines, _, ended = run_mypy(tmp_path, sub__py=source, sigcheck__toml=settings)
        assert lines[0].startswith(f"sub.py:5: {told}: x is called `z` in Sub.run (renamed-parameter)")
        assert ended == status


def test_a_named_tuple_is_looked_at_beside_another_class(tmp_path: Path) -> None:
    source = (
        "from typing import NamedTuple\n\n\nclass Pair(NamedTuple):\n    one: int\n\n"
        "    def go(self):\n        return self.step(1, 2)\n\n    def step(self, a): ...\n"
    )
    lines, _, _ = run_mypy(tmp_path, sub__py=source)
    assert lines == []
    lines, _, _ = run_mypy(tmp_path, sub__py=f"{source}\n\nclass Other: ...\n")
    assert [line.partition(": error: ")[0] for line in lines if line.endswith("[call-binding]")] == ["sub.py:8"]


FAMILY = """\
def forward(x, scale): ...


def fast_forward(x): ...


class Backend:
    def forward(self, x): ...


class Other(Backend):
    def forward(self, z): ...
"""


def test_families_without_inheritance_are_for_the_command_line(tmp_path: Path) -> None:
    family = '[[families]]\nlike = "sub:forward"\nmembers = ["sub.fast_*", "sub:Backend.*"]\n'
    lines, _, _ = run_mypy(tmp_path, sub__py=FAMILY, sigcheck__toml=family)
    [by_inheritance] = [line for line in lines if "error" in line]
    assert by_inheritance.startswith("sub.py:12: error: x is called `z` in Other.forward (renamed-parameter)")
    told = checking.lines("sub.py", cwd=tmp_path, status=1)
    assert [line.partition(": error: ")[0] for line in told] == ["sub.py:4:5", "sub.py:8:9", "sub.py:12:9"]


def test_a_suppression_that_is_useless_is_for_the_command_line(tmp_path: Path) -> None:
    useless = "class Sub(Base):\n    def run(self, x, y=None): ...  # sigcheck: ignore[missing-parameter]\n"
    wrong = "    def typed(self, x: int, z: int = 0) -> int: return 0  # sigcheck: ignore[no-such-rule]\n"
    source = f"from base import Base\n\n\n{useless}{wrong}"
    lines, _, _ = run_mypy(tmp_path, sub__py=source)
    assert [line.partition(": error: ")[0] for line in lines if line.endswith("[sigcheck]")] == ["sub.py:6"]
    assert any("(renamed-parameter)" in line for line in lines), "what is wrong beside it is told"
    told = checking.lines("sub.py", cwd=tmp_path, status=1)
    assert "unused-suppression" in checking.rules(told)
    assert not any("sub.py:5" in line for line in lines)


def test_bases_are_found_as_mypy_finds_them(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "far.pyi").write_text(BASE, encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(
        "[mypy]\nplugins = sigcheck.mypy_plugin\nmypy_path = elsewhere\n", encoding="utf-8"
    )
    source = "from far import Base\n\n\nclass Sub(Base):\n    def run(self, z, y=None): ...\n"
    lines, _, _ = run_mypy(tmp_path, sub__py=source)
    assert [line.partition(": error: ")[0] for line in lines if line.endswith("[override-binding]")] == ["sub.py:5"]


@pytest.mark.parametrize("mode", ["", "ignore_errors = true\n"], ids=["heard", "silent"])
def test_calls_by_names_that_python_normalizes(mode: str, tmp_path: Path) -> None:
    """In the text, `µ` (micro) stands for the `μ` (mu) that mypy knows; and a vowel sign is no letter to `re`."""
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nplugins = sigcheck.mypy_plugin\n[mypy-base]\n{mode}", encoding="utf-8")
    names = (("\u00b5", "\u03bc"), ("\u0915\u093f", "\u0915\u093f"), ("cafe\u0301", "caf\u00e9"))
    calls = "".join(f"        self.{one}(x, 1)\n" for one, _ in names)
    open_ = "".join(f"    def {one}(self, *args, **kwargs): ...\n" for one, _ in names)
    base = f"class Base:\n    def apply(self, x):\n{calls}{open_}"
    sub = "from base import Base\nclass Sub(Base):\n" + "".join(f"    def {two}(self, x): ...\n" for _, two in names)
    lines, _, _ = run_mypy(tmp_path, base__py=base, sub__py=sub)
    found = [line for line in lines if line.endswith("[call-binding]")]
    assert [line.partition(": error: ")[0] for line in found] == ["sub.py:3", "sub.py:4", "sub.py:5"]


def test_a_receiver_that_an_expression_binds_anew_is_another_object(tmp_path: Path) -> None:
    source = (
        "class A:\n    def m(self, a): ...\n"
        "    def list(self, o):\n        [self.m(1, 2) for self in o]\n"
        "    def dict(self, o):\n        return {self.m(1, 2): 1 for a, self in o if self.m()}\n"
        "    def walrus(self, o):\n        if (self := o): self.m(1, 2)\n"
        "    def inner(self, o):\n        return [self.m(1, 2) for a in o]\n"
    )
    lines, _, _ = run_mypy(tmp_path, sub__py=source)
    assert [line.partition(": error: ")[0] for line in lines if line.endswith("[call-binding]")] == ["sub.py:10"]


BRANCHES = {
    # Of a base elsewhere, mypy knows the one for its platform; what the class itself defines is read on every branch.
    "base": {"win32": ["sub.py:5"], "linux": []},
    "sub": {"win32": ["sub.py:9"], "linux": ["sub.py:9"]},
}


@pytest.mark.parametrize("where", BRANCHES)
def test_definitions_under_a_test_of_the_platform(where: str, tmp_path: Path) -> None:
    test, other = "if sys.platform == 'win32':", "def run(self, z, y=None): ..."
    sub = f"from base import Base\n\n\nclass Sub(Base):\n    {other}\n"
    files = {"sub__py": sub}
    if where == "base":
        same = "    class Base:\n        def run(self, x, y=None): ...\n"
        files["base__py"] = f"import sys\n{test}\n{same}else:\n    class Base:\n        {other}\n"
    else:
        both = f"    {test}\n        def run(self, x, y=None): ...\n    else:\n        {other}\n"
        files["sub__py"] = f"import sys\nfrom base import Base\n\n\nclass Sub(Base):\n{both}"
    found = {}
    for platform in ("win32", "linux"):
        lines, _, _ = run_mypy(tmp_path, f"--platform={platform}", **files)
        found[platform] = [line.partition(": error: ")[0] for line in lines if line.endswith("[override-binding]")]
    assert found == BRANCHES[where]


def test_nothing_is_told_while_a_file_cannot_be_parsed(tmp_path: Path) -> None:
    broken = "from base import Base\n\n\nclass Sub(Base):\n    def run(self, z, y=None): ...\n\n\ndef (\n"
    lines, _, _ = run_mypy(tmp_path, sub__py=broken)
    assert lines
    assert not any("-binding]" in line for line in lines)


def _broken(statement: str) -> str:
    return f"def broken(*_, **__):\n    raise RuntimeError('no reason')\n{statement}"


IN_A_CHECK = "import sigcheck.mypy_plugin.verdicts as verdicts\nverdicts.check = broken"
DEFECTS = {
    "in a check": (_broken(IN_A_CHECK), "RuntimeError in sub: no reason"),
    "in a class": (
        _broken("import sigcheck.mypy_plugin.modules as modules\nmodules.AnalysedModule.__init__ = broken"),
        "RuntimeError in base: no reason",
    ),
    "in the settings": (
        _broken("import sigcheck.mypy_plugin.settings as settings\nsettings.read_settings = broken"),
        "RuntimeError in the configuration: no reason",
    ),
    "in an import": ("sys.modules['sigcheck.mypy_plugin.modules'] = None", "ModuleNotFoundError in base: import of"),
    "in a file": ("sys.path.insert(0, 'broken')", "SyntaxError in base: "),
}


@pytest.mark.parametrize("kind", DEFECTS)
def test_a_defect_is_one_note_and_mypy_goes_on(kind: str, tmp_path: Path) -> None:
    program, told = DEFECTS[kind]
    source = SUB.format(comment="") + "\n\nx: int = ''\n"
    if kind == "in the settings":
        (tmp_path / "sigcheck.toml").write_text("", encoding="utf-8")
    if kind == "in a file":  # An installation of which a file is damaged.
        shutil.copytree(ROOT / "sigcheck", tmp_path / "broken" / "sigcheck")
        (tmp_path / "broken" / "sigcheck" / "mypy_plugin" / "modules.py").write_text("def\n", encoding="utf-8")
    lines, complaints, status = run_mypy(tmp_path, program=program, sub__py=source)
    notes = [line for line in lines if "sigcheck failed" in line]
    assert len(notes) == 1, lines
    assert f"note: sigcheck failed ({told}" in notes[0]
    assert any("[assignment]" in line for line in lines)
    assert (complaints, status) == ("", 1)


def test_a_defect_is_told_where_somebody_sees_it_and_its_traceback_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGCHECK_DEBUG", "1")
    ini = "[mypy]\nplugins = sigcheck.mypy_plugin\n[mypy-base]\nignore_errors = True\n"
    (tmp_path / "mypy.ini").write_text(ini, encoding="utf-8")
    lines, complaints, status = run_mypy(tmp_path, program=_broken(IN_A_CHECK), sub__py=SUB.format(comment=""))
    assert [line.partition("(")[0] for line in lines] == ["sub.py:1: note: sigcheck failed "]
    assert "RuntimeError: no reason" in complaints
    assert status == 0


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


def test_the_extra_asks_for_them() -> None:
    bounds = f"mypy>={OLDEST[0]}.{OLDEST[1]},<{NEWEST[0]}.{NEWEST[1] + 1}"
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'mypy = ["{bounds}"]' in text
    assert f'    "{bounds}",\n' in text


def test_an_unknown_mypy_is_left_alone(tmp_path: Path) -> None:
    program = "import sigcheck.mypy_plugin.versions as versions\nversions.NEWEST = (1, 15)"
    lines, complaints, status = run_mypy(tmp_path, program=program, sub__py=SUB.format(comment=""))
    assert (lines, status) == ([], 0)
    assert complaints.startswith("sigcheck.mypy_plugin: mypy ")
