"""The command line: options, formats, colour, terminals, pipes, exit statuses. The real program, in its own process."""

from __future__ import annotations

import json
import os
import pstats
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sigcheck.core.rules import RULES
from sigcheck.version import __version__
from tests.running import (
    BROKEN,
    BROKEN_LINE,
    CHECKOUT,
    check,
    command,
    environment,
    lines,
    refusal,
    report,
    rules,
    run,
    write,
)

FAMILY = """\
class Base:
    def apply(self, x, gate, fc1=None, fc2=None): ...

    def step(self, x):
        return 1

    def size(self, n=1): ...


class Blackwell(Base):
    def apply(self, x, gate): ...

    async def step(self, x):
        return 1

    def size(self, n=2): ...
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with one broken override."""
    return write(tmp_path, {"bad.py": BROKEN})


@pytest.fixture
def family(tmp_path: Path) -> Path:
    """A missing parameter, an async mismatch, and a changed default."""
    return write(tmp_path, {"family.py": FAMILY})


# Exit statuses.


def test_clean_is_0(tmp_path: Path) -> None:
    write(tmp_path, {"good.py": "class A:\n    def f(self): ...\n\n\nclass B(A):\n    def f(self): ...\n"})
    done = check(cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 override in 1 file: no diagnostics\n", "")


def test_diagnostics_are_1(project: Path) -> None:
    done = check(cwd=project)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [BROKEN_LINE, "1 override in 1 file: 1 diagnostic"]


def test_a_defect_is_3_and_one_line(project: Path) -> None:
    code = (
        "import sys, sigcheck.inspection as c\n"
        "def broken(*a, **k): raise RuntimeError('it\\nbroke')\n"
        "c.Project = broken\n"
        "from sigcheck.cli import main; sys.exit(main(['check', '--no-cache']))"
    )
    done = subprocess.run(
        [*command()[:1], "-c", code], cwd=project, env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (3, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("sigcheck: a defect of sigcheck, RuntimeError at <string>:2: it\\nbroke; please report it")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chekc"], "argument COMMAND: invalid choice: 'chekc' (choose from "),
        ([], "the following arguments are required: COMMAND; see `sigcheck --help`"),
        (["check", "--nonsense"], "unrecognized arguments: --nonsense; see `sigcheck --help`"),
        (["check", "--stat"], "unrecognized arguments: --stat; see `sigcheck --help`"),
        (["check", "--no\nsense"], "unrecognized arguments: --no\\nsense; see `sigcheck --help`"),
        (["check", "--output-format", "xml"], "argument --output-format: invalid choice: 'xml' (choose from "),
        (["check", "--color", "pink"], "argument --color: invalid choice: 'pink' (choose from "),
        (["check", "nowhere"], "nowhere: no such file or directory"),
        (["check", "no\nwhere"], "no\\nwhere: no such file or directory"),
        (["check", "--config", "nowhere.toml"], "nowhere.toml: no such configuration file; check --config"),
        (["check", "--python", "nowhere"], "no interpreter or virtual environment with site-packages; check --python"),
        (
            ["check", "--select", "missing-paramter"],
            "--select: unknown rule 'missing-paramter'; did you mean 'missing-param",
        ),
        (["check", "--ignore", "overide"], "--ignore: unknown rule 'overide'; did you mean 'override'?"),
        (
            ["check", "--extend-select", "all"],
            "--extend-select: unknown rule 'all'; did you mean 'ALL'?; see `sigcheck rules`",
        ),
        (["check", "--stdin-filename", "a.py"], "--stdin-filename goes with -; give - as the path"),
        (["check", "-"], "- needs --stdin-filename: bases are looked up from where the file lies"),
        (["check", "-", "bad.py", "--stdin-filename", "a.py"], "- stands alone: give no other path"),
        (["check", "-", "--stdin-filename", "."], "--stdin-filename: . is a directory; name a file"),
        (["explain"], "the following arguments are required: RULE; see `sigcheck explain --help`"),
        (
            ["explain", "missing-paramter"],
            "explain: unknown rule 'missing-paramter'; did you mean 'missing-parameter'?",
        ),
        (["explain", "override"], "explain: 'override' is a group; see `sigcheck rules`"),
    ],
)
def test_what_cannot_be_done_is_2_and_one_line(project: Path, arguments: list[str], message: str) -> None:
    assert message in refusal(*arguments, cwd=project)


def test_exit_zero(project: Path) -> None:
    assert lines("--exit-zero", cwd=project, status=0) == [BROKEN_LINE]


# Formats.


def test_full_is_the_default_and_reads_as_designed(project: Path) -> None:
    done = run("check", "--no-cache", cwd=project)
    assert done.returncode == 1
    assert done.stdout == (
        f"{BROKEN_LINE}\n"
        "  base:    Base.run(x, scale)   bad.py:2\n"
        "  witness: run(x, scale)   base accepts, override raises TypeError: too many positional arguments\n"
        "  --> bad.py:6:9\n"
        "     6 |     def run(self, x): ...\n"
        "       |         ^^^\n"
        "  --> bad.py:2:9\n"
        "     2 |     def run(self, x, scale): ...\n"
        "       |         ^^^\n"
        "\n"
        "1 override in 1 file: 1 diagnostic\n"
    )


def test_labels_stand_in_one_column(tmp_path: Path) -> None:
    source = """\
class Base:
    def apply(self, x, fc1):
        return self.apply_tp(x, fc1)

    def apply_tp(self, x, fc1=None): ...


class Kid(Base):
    def apply_tp(self, x, shared=None, fc1=None): ...
"""
    write(tmp_path, {"m.py": source})
    told = run("check", "--no-cache", cwd=tmp_path).stdout.splitlines()
    assert told[0] == "m.py:9:9: error: fc1 lands in `shared` of Kid.apply_tp [misbound-parameter]"
    assert told[1:5] == [
        "  base:    Base.apply_tp(x, fc1)   m.py:5",
        "  witness: apply_tp(x, fc1)   base binds fc1, override binds shared",
        "  before:  `shared` stands in front of fc1   m.py:9",
        "  called:  m.py:3 passes fc1 by position; pass `fc1=` or restore the order",
    ]


def _under_the_carets(told: list[str], number: int) -> str:
    """What the carets below a source line mark, where a wide character takes two cells."""
    index = next(i for i, line in enumerate(told) if line.startswith(f"{number:>6} | "))
    source, carets = told[index], told[index + 1]
    cells = "".join(c + ("\0" if 0x2E80 < ord(c) < 0xFFFD else "") for c in source)
    return cells[carets.index("^") : carets.rindex("^") + 1].replace("\0", "")


@pytest.mark.parametrize(
    "override",
    [
        "    def run(self, x): ...",
        "\tdef run(self, x): ...",
        "    x = '\u4f60\u597d'; run = lambda self, x: 1",
        "    x = 'e\u0301'; run = lambda self, x: 1",
        "    x = '\x1b[31m'; run = lambda self, x: 1",
        "    x = 1;\x0crun = lambda self, x: 1",
    ],
    ids=["spaces", "tab", "wide", "combining", "escape", "form feed"],
)
def test_carets_stand_under_the_name(tmp_path: Path, override: str) -> None:
    write(tmp_path, {"m.py": f"class Base:\n    def run(self, x, scale): ...\nclass Kid(Base):\n{override}\n"})
    done = run("check", "--no-cache", cwd=tmp_path)
    assert "\x1b" not in done.stdout
    marked = _under_the_carets([line.replace("e\u0301", "e") for line in done.stdout.splitlines()], 4)
    assert marked.startswith(("run", "lambda")), done.stdout


def test_carets_behind_a_byte_order_mark_and_in_another_encoding(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "base.py": b"\xef\xbb\xbfclass Base: run = lambda self, x, scale: 1\r\n",
            "kid.py": "# coding: latin-1\nfrom base import Base\n\n\nclass Kid(Base):\n    \xe9 = 1; run = lambda self, x: 1\n".encode(
                "latin-1"
            ),
        },
    )
    told = run("check", "--no-cache", cwd=tmp_path).stdout.splitlines()
    assert any("\xe9 = 1" in line for line in told), told
    assert _under_the_carets(told, 6).startswith(("run", "lambda"))
    assert _under_the_carets(told, 1).startswith(("run", "lambda"))


def test_a_test_over_several_lines_stays_in_one(tmp_path: Path) -> None:
    kid = "class Kid(Base):\n    if (a and\n            b):\n        def run(self, x): ...\n"
    write(tmp_path, {"m.py": f"class Base:\n    def run(self, x, scale): ...\n{kid}"})
    [line] = lines(cwd=tmp_path, status=1)
    assert line.endswith("[missing-parameter]")
    assert "a and" in line


DIAGNOSTIC_KEYS = [
    "rule", "group", "severity", "path", "line", "column", "end_line", "end_column", "message", "class", "base_class",
    "method", "parameter", "lands_in", "witness", "related", "fix",
]  # fmt: skip


def test_json_has_exactly_the_keys_of_the_schema(tmp_path: Path) -> None:
    write(tmp_path, {"pack/__init__.py": "", "pack/bad.py": BROKEN, "pack/torn.py": "class A(B:\n"})
    content = report("pack", cwd=tmp_path, status=1)
    assert list(content) == ["schema", "version", "summary", "diagnostics"]
    assert (content["schema"], content["version"]) == (1, __version__)
    assert list(content["summary"]) == [
        "files",
        "classes",
        "overrides",
        "call_sites",
        "unresolved_bases",
        "diagnostics",
    ]
    assert content["summary"]["files"] == 3
    assert content["summary"]["overrides"] == 1
    assert content["summary"]["diagnostics"] == len(content["diagnostics"]) == 2
    broken, torn = content["diagnostics"]
    assert [list(broken), list(torn)] == [DIAGNOSTIC_KEYS, DIAGNOSTIC_KEYS]
    assert {**broken, "witness": ..., "related": ...} == {
        "rule": "missing-parameter",
        "group": "override",
        "severity": "error",
        "path": "pack/bad.py",
        "line": 6,
        "column": 9,
        "end_line": 6,
        "end_column": 12,
        "message": "Kid.run cannot receive scale",
        "class": "pack.bad.Kid",
        "base_class": "pack.bad.Base",
        "method": "run",
        "parameter": "scale",
        "lands_in": None,
        "witness": ...,
        "related": ...,
        "fix": None,
    }
    assert broken["witness"].startswith("run(x, scale)")
    assert broken["related"] == [{"path": "pack/bad.py", "line": 2, "column": 9, "message": "base: Base.run(x, scale)"}]
    assert (torn["rule"], torn["class"], torn["witness"], torn["related"]) == ("syntax-error", None, None, [])


def test_json_is_json_in_any_encoding(tmp_path: Path) -> None:
    write(tmp_path, {"m.py": BROKEN.replace("Kid", "Größe")})
    done = run(
        "check", "--output-format", "json", "--no-cache", cwd=tmp_path, env=environment(PYTHONIOENCODING="ascii")
    )
    assert json.loads(done.stdout)["diagnostics"][0]["class"] == "m.Größe"


def test_text_is_text_in_any_encoding(tmp_path: Path) -> None:
    write(tmp_path, {"m.py": BROKEN.replace("Kid", "Größe")})
    done = check("--quiet", cwd=tmp_path, env=environment(PYTHONIOENCODING="ascii"))
    assert (done.returncode, done.stderr) == (1, "")
    assert "Gr\\xf6\\xdfe.run cannot receive scale" in done.stdout


def test_github_escapes(tmp_path: Path) -> None:
    write(tmp_path, {"a,b:c%/bad.py": BROKEN})
    done = run("check", "--no-cache", "--output-format", "github", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == (
        "::error file=a%2Cb%3Ac%25/bad.py,line=6,col=9,endLine=6,endColumn=12,title=sigcheck (missing-parameter)"
        "::Kid.run cannot receive scale\n"
    )


SARIF: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs", "$schema"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name", "version", "rules"],
                                "properties": {"rules": {"items": {"type": "object", "required": ["id"]}}},
                            }
                        },
                    },
                    "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
                },
            },
        },
    },
    "$defs": {
        "location": {
            "type": "object",
            "required": ["physicalLocation"],
            "properties": {
                "physicalLocation": {
                    "type": "object",
                    "required": ["artifactLocation", "region"],
                    "properties": {
                        "artifactLocation": {
                            "type": "object",
                            "required": ["uri"],
                            "properties": {"uri": {"type": "string", "pattern": "^[-A-Za-z0-9._~/%:]+$"}},
                        },
                        "region": {
                            "type": "object",
                            "required": ["startLine"],
                            "additionalProperties": False,
                            "properties": {
                                name: {"type": "integer", "minimum": 1}
                                for name in ("startLine", "startColumn", "endLine", "endColumn")
                            },
                        },
                    },
                }
            },
        },
        "result": {
            "type": "object",
            "required": ["message", "ruleId", "ruleIndex", "level", "locations"],
            "properties": {
                "ruleId": {"enum": list(RULES)},
                "ruleIndex": {"type": "integer", "minimum": 0},
                "level": {"enum": ["none", "note", "warning", "error"]},
                "message": {"type": "object", "required": ["text"], "properties": {"text": {"minLength": 1}}},
                "locations": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/location"}},
                "relatedLocations": {"type": "array", "items": {"$ref": "#/$defs/location"}},
            },
        },
    },
}


def test_sarif_is_sarif(tmp_path: Path) -> None:
    write(tmp_path, {"mit leer.py": BROKEN, "torn.py": "class A(B:\n", "far.py": "from x import B\nclass A(B): ...\n"})
    done = run("check", "--no-cache", "--output-format", "sarif", "--show-unresolved", cwd=tmp_path)
    assert done.returncode == 1
    content = json.loads(done.stdout)
    jsonschema.validate(content, SARIF)
    [only] = content["runs"]
    names = [rule["id"] for rule in only["tool"]["driver"]["rules"]]
    found = {result["ruleId"]: result for result in only["results"]}
    assert set(found) == {"missing-parameter", "syntax-error", "unresolved-base"}
    assert all(names[result["ruleIndex"]] == rule for rule, result in found.items())
    place = found["missing-parameter"]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "mit%20leer.py"}
    assert place["region"] == {"startLine": 6, "startColumn": 9, "endLine": 6, "endColumn": 12}


@pytest.mark.parametrize("form", ["json", "github", "sarif"])
def test_formats_for_machines_hold_nothing_else(project: Path, form: str) -> None:
    done = run("check", "--no-cache", "--output-format", form, "--statistics", "--color", "always", cwd=project)
    assert "override in" not in done.stdout
    assert "\x1b" not in done.stdout


# What is shown.


def test_quiet_prints_diagnostics_only(project: Path) -> None:
    assert check("--quiet", cwd=project).stdout == f"{BROKEN_LINE}\n"
    assert check("-q", "--ignore", "ALL", cwd=project).stdout == ""


def test_statistics_count_the_rules(family: Path) -> None:
    done = check("--statistics", "--quiet", cwd=family)
    assert done.stdout.splitlines()[-2:] == ["1  async-mismatch", "1  missing-parameter"]


def test_the_last_line_says_what_was_checked(tmp_path: Path) -> None:
    contract = '[[contracts]]\nbase = "Base"\n'
    write(
        tmp_path,
        {"a.py": BROKEN, "b.py": "from a import *\nfrom no import No\nclass X(No): ...\n", "sigcheck.toml": contract},
    )
    assert check(cwd=tmp_path).stdout.splitlines()[-1].startswith("1 override of 1 contract in 2 files: 1 diagnostic")
    write(tmp_path, {"sigcheck.toml": ""})
    assert check(cwd=tmp_path).stdout.splitlines()[-1] == "1 override in 2 files: 1 diagnostic, 1 base without source"


def test_unresolved_bases_are_counted_listed_or_an_error(tmp_path: Path) -> None:
    write(tmp_path, {"m.py": "from far.away import Base\n\n\nclass Kid(Base): ...\n"})
    silent = check(cwd=tmp_path)
    assert (silent.returncode, silent.stdout) == (0, "0 overrides in 1 file: no diagnostics, 1 base without source\n")
    listed = check("--show-unresolved", "--quiet", cwd=tmp_path)
    assert listed.returncode == 0
    assert listed.stdout == ("m.py:4:7: note: no source was found for far.away.Base, a base of Kid [unresolved-base]\n")
    strict = check("--strict-resolve", "--quiet", cwd=tmp_path)
    assert "m.py:4:7: error: no source was found for far.away.Base" in strict.stdout
    assert strict.returncode != 0
    assert report(cwd=tmp_path, status=0)["summary"]["unresolved_bases"] == 1


def test_an_unresolved_base_that_fails_the_run_is_shown(tmp_path: Path) -> None:
    write(tmp_path, {"m.py": "from far.away import Base\n\n\nclass Kid(Base): ...\n"})
    write(tmp_path, {"sigcheck.toml": '[severity]\nunresolved-base = "warning"\n'})
    assert rules(lines(cwd=tmp_path, status=1)) == ["unresolved-base"]


# Selecting.


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ["missing-parameter", "async-mismatch"]),
        (["--select", "missing-parameter"], ["missing-parameter"]),
        (["--select", "missing-parameter,async-mismatch"], ["missing-parameter", "async-mismatch"]),
        (["--select", "missing-parameter", "--select", " async-mismatch "], ["missing-parameter", "async-mismatch"]),
        (["--select", "meta"], []),
        (["--select", "override"], ["missing-parameter", "async-mismatch", "default-changed"]),
        (["--select", "ALL"], ["missing-parameter", "async-mismatch", "default-changed"]),
        (["--select", "ALL", "--ignore", "async-mismatch"], ["missing-parameter", "default-changed"]),
        (["--extend-select", "default-changed"], ["missing-parameter", "async-mismatch", "default-changed"]),
        (["--ignore", "override"], []),
        (["--ignore", "ALL"], []),
        (["--ignore", "missing-parameter"], ["async-mismatch"]),
    ],
)
def test_rules_and_groups_are_selected(family: Path, arguments: list[str], expected: list[str]) -> None:
    assert rules(lines(*arguments, cwd=family, status=int(bool(expected)))) == expected


def test_what_is_selected_here_overrules_the_file(family: Path) -> None:
    write(
        family,
        {"sigcheck.toml": 'extend-select = ["default-changed"]\nignore = ["async-mismatch", "missing-parameter"]'},
    )
    assert rules(lines(cwd=family, status=1)) == ["default-changed"]
    assert rules(lines("--select", "async-mismatch", cwd=family, status=1)) == ["async-mismatch"]


def test_an_unreadable_file_is_told_whatever_is_selected(tmp_path: Path) -> None:
    write(tmp_path, {"m.py": "class A(B:\n"})
    assert rules(lines("--select", "override", cwd=tmp_path, status=1)) == ["syntax-error"]
    assert lines("--select", "override", "--ignore", "syntax-error", cwd=tmp_path, status=0) == []


# Standard input.


def test_standard_input_stands_for_a_file(tmp_path: Path) -> None:
    kid = "from base import Base\n\n\nclass Kid(Base):\n    def run(self, {}): ...\n"
    write(tmp_path, {"base.py": "class Base:\n    def run(self, x): ...\n", "kid.py": kid.format("x")})
    assert lines(cwd=tmp_path, status=0) == []
    for name in ("kid.py", "./kid.py", str(tmp_path / "kid.py"), "new.py"):
        [line] = lines("-", "--stdin-filename", name, cwd=tmp_path, status=1, given=kid.format("y"))
        assert line.endswith("x is called `y` in Kid.run [renamed-parameter]")
        full = run("check", "--no-cache", "-", "--stdin-filename", name, cwd=tmp_path, given=kid.format("y")).stdout
        assert "     5 |     def run(self, y): ...\n" in full
    assert lines("-", "--stdin-filename", "kid.py", cwd=tmp_path, status=0, given=b"") == []


def test_closed_streams(project: Path) -> None:
    quoted = " ".join(command("check", "--no-cache"))
    for redirection, status in (("<&-", 1), (">&-", 1), ("2>&-", 1), ("<&- >&- 2>&-", 1)):
        done = subprocess.run(
            ["sh", "-c", f"{quoted} {redirection}"], cwd=project, env=environment(), capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (status, b""), redirection
    done = subprocess.run(
        ["sh", "-c", f"{quoted} - --stdin-filename x.py <&-"],
        cwd=project,
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, b"sigcheck: standard input is closed; - reads from it\n")


# Colour, terminals, pipes, signals.


@pytest.mark.parametrize(
    ("arguments", "variables", "coloured"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_in_a_pipe(project: Path, arguments: list[str], variables: dict[str, str], coloured: bool) -> None:
    for form in ("concise", "full"):
        done = run(
            "check", "--no-cache", "--output-format", form, *arguments, cwd=project, env=environment(**variables)
        )
        assert ("\x1b[" in done.stdout) is coloured


def test_colour_changes_no_column(project: Path) -> None:
    plain = run("check", "--no-cache", cwd=project).stdout
    coloured = run("check", "--no-cache", "--color", "always", cwd=project).stdout
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


def _in_terminal(arguments: list[str], cwd: Path, *, stdout: int | None = None, **variables: str) -> tuple[int, str]:
    """Run with a terminal for standard error, and for standard output unless there is another."""
    mine, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*arguments),
        cwd=cwd,
        env=environment(**variables),
        stdin=theirs,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
        close_fds=True,
    )
    os.close(theirs)
    seen = b""
    while True:
        ready, _, _ = select.select([mine], [], [], 60)
        try:
            data = os.read(mine, 65536) if ready else b""
        except OSError:  # Linux's way of saying that the other side is closed.
            data = b""
        if not data:
            break
        seen += data
    os.close(mine)
    return process.wait(timeout=60), seen.decode()


def test_a_terminal_gets_colour(project: Path) -> None:
    status, seen = _in_terminal(["check", "--no-cache"], project)
    assert status == 1
    assert "\x1b[31merror\x1b[0m" in seen
    _, seen = _in_terminal(["check", "--no-cache"], project, NO_COLOR="1")
    assert "\x1b" not in seen
    _, seen = _in_terminal(["check", "--no-cache"], project, TERM="dumb")
    assert "\x1b" not in seen


def test_the_progress_bar_leaves_nothing_behind(tmp_path: Path) -> None:
    body = "".join(f"class C{i}(object):\n    def f(self, a, b): return a\n" for i in range(6_000))
    write(tmp_path, {f"m{i}.py": body for i in range(6)} | {"bad.py": BROKEN})
    with open(tmp_path / "out", "wb") as out:
        status, seen = _in_terminal(["check", "--no-cache", "--output-format", "json"], tmp_path, stdout=out.fileno())
    assert status == 1
    assert "/7 files" in seen
    assert seen.endswith("\r\x1b[K")
    assert json.loads((tmp_path / "out").read_text())["summary"]["files"] == 7


def test_a_short_run_shows_no_bar(project: Path) -> None:
    with open(project / "out", "wb") as out:
        _, seen = _in_terminal(["check", "--no-cache"], project, stdout=out.fileno())
    assert seen == ""


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    write(tmp_path, {"m.py": "".join(BROKEN.replace("Base", f"B{i}").replace("Kid", f"K{i}") for i in range(400))})
    process = subprocess.Popen(
        command("check", "--no-cache"), cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b"m.py:6:9")
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk(project: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command("check", "--no-cache"),
            cwd=project,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (2, b"sigcheck: output: No space left on device\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [("nowhere",), ("--select", "nothing")])
def test_a_complaint_that_nobody_can_read_keeps_its_status(arguments: tuple[str, ...], project: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command("check", *arguments), cwd=project, env=environment(), stderr=full, check=False, timeout=60
        )
    assert done.returncode == 2


@pytest.mark.parametrize("files", [1, 8], ids=["one process", "several"])
@pytest.mark.parametrize("group", [True, False], ids=["terminal", "kill"])
def test_ctrl_c_is_one_line(tmp_path: Path, files: int, group: bool) -> None:
    body = "".join(f"class C{i}(object):\n    def f(self, a, b): return a\n" for i in range(60_000 // files))
    comment = "# " + "-" * 100 + "\n"
    write(tmp_path, {f"m{i}.py": body + comment * 8_000 for i in range(files)})
    process = subprocess.Popen(
        command("check", "--no-cache"),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    time.sleep(1.5)
    assert process.poll() is None, "the check was over before it could be interrupted"
    if group:
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    out, complaint = process.communicate(timeout=30)
    assert (process.returncode, out, complaint) == (130, b"", b"sigcheck: interrupted\n")


def test_a_call_that_goes_right_is_not_said_to_fail(tmp_path: Path) -> None:
    family = (
        "class Base:\n    def main(self, x):\n        {call}\n    def run(self, x, y=0): ...\n"
        "class Kid(Base):\n    def run(self, y=0, x=0): ...\n"
    )
    for call, is_told in (("self.run(x=x, y=1)", False), ("self.run(x, 1)", True)):
        write(tmp_path, {"m.py": family.format(call=call)})
        assert ("called:" in run("check", "--no-cache", cwd=tmp_path).stdout) is is_told


# The end of the process.


def _ended(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        cwd=project,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


WATCHED = """\
import atexit, os
class Told:
    def __del__(self): os.write(2, b"taken apart\\n")
kept = Told()
atexit.register(lambda: os.write(2, b"told\\n"))
"""


def test_a_process_ends_at_once_and_tells_those_who_asked(project: Path) -> None:
    path = f"{CHECKOUT}{os.pathsep}{write(project / 'site', {'sitecustomize.py': WATCHED})}"
    script = write(project, {"bin/sigcheck": "import sys\nfrom sigcheck.cli import program\nsys.exit(program())\n"})
    for begin in (["-m", "sigcheck"], [str(script / "bin" / "sigcheck")]):
        done = _ended(project, *begin, "check", "--output-format", "concise", "bad.py", PYTHONPATH=path)
        assert (done.returncode, done.stdout.splitlines()[0], done.stderr) == (1, BROKEN_LINE, "told\n")
        done = _ended(project, *begin, "check", "nowhere.py", PYTHONPATH=path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "sigcheck: nowhere.py: no such file or directory\ntold\n"


def test_a_profiler_gets_what_it_came_for(project: Path) -> None:
    done = _ended(project, "-m", "cProfile", "-o", "told.prof", "-m", "sigcheck", "check", "-q", "bad.py")
    assert "cannot receive scale" in done.stdout
    assert any(name == "main" for _, _, name in pstats.Stats(str(project / "told.prof")).stats)  # type: ignore[attr-defined]
    done = _ended(
        project, "-m", "trace", "--count", "--summary", "--coverdir", ".", "--module", "sigcheck", "--version"
    )
    assert "cli.py" in done.stdout


def test_a_program_that_runs_it_goes_on(project: Path) -> None:
    program = """
import runpy, sys
sys.argv[1:] = ["check", "-q", "bad.py"]
try:
    runpy.run_module("sigcheck", run_name="__main__", alter_sys=True)
except SystemExit as error:
    print("ended with", error.code)
"""
    assert _ended(project, "-c", program).stdout.splitlines()[-1] == "ended with 1"


# The other commands.


def test_version(tmp_path: Path) -> None:
    for option in ("--version", "-V"):
        done = run(option, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"sigcheck {__version__}\n", "")


def test_version_loads_neither_a_parser_nor_argparse(tmp_path: Path) -> None:
    done = subprocess.run(
        [command()[0], "-X", "importtime", *command("--version")[1:]],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "sigcheck.cli" in loaded
    assert not loaded & {"libcst", "argparse", "inspect", "multiprocessing", "sqlite3", "json"}


def test_rules_lists_every_rule_in_its_group(tmp_path: Path) -> None:
    done = run("rules", cwd=tmp_path)
    assert done.returncode == 0
    group = ""
    seen = {}
    for line in done.stdout.splitlines():
        if not line.startswith(" "):
            group = line
        else:
            name, severity, _ = line.split(maxsplit=2)
            seen[name] = (group, severity)
    assert seen == {rule.name: (rule.group, rule.default) for rule in RULES.values()}


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["explain", "-h"]])
def test_help(tmp_path: Path, arguments: list[str]) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: sigcheck")


def test_explain_prints_the_page(tmp_path: Path) -> None:
    done = run("explain", "missing-parameter", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "missing-parameter" in done.stdout


def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    quoted = " ".join(command("check", "--no-cache"))
    done = subprocess.run(
        ["sh", "-c", f"rmdir {gone}; exec {quoted}"],
        cwd=gone,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "working directory" in done.stderr
