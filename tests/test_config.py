"""`[tool.sigcheck]` and `sigcheck.toml`: every key, every complaint, and where bases are looked up."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sigcheck.config import Configuration, configuration_of
from sigcheck.core.rules import Severity
from tests.running import BROKEN, BROKEN_LINE, lines, refusal, report, rules, run, write

FAMILY = """\
class Base:
    def apply(self, x, fc1=None): ...

    def apply_tp(self, x): ...

    def size(self, n=1): ...


class Kid(Base):
    def apply(self, x): ...

    def apply_tp(self, y): ...

    def size(self, n=2): ...
"""


@pytest.fixture
def family(tmp_path: Path) -> Path:
    """A missing and a renamed parameter, and a changed default."""
    return write(tmp_path, {"family.py": FAMILY})


def _rules(directory: Path, table: str, *arguments: str) -> list[str]:
    write(directory, {"sigcheck.toml": table})
    return rules(
        run("check", "--no-cache", "--output-format", "concise", "-q", *arguments, cwd=directory).stdout.splitlines()
    )


# Which file.


def test_pyproject_and_sigcheck_toml(family: Path) -> None:
    assert rules(lines(cwd=family, status=1)) == ["missing-parameter", "renamed-parameter"]
    write(family, {"pyproject.toml": '[tool.sigcheck]\nignore = ["missing-parameter"]\n'})
    assert rules(lines(cwd=family, status=1)) == ["renamed-parameter"]
    write(family, {"sigcheck.toml": 'ignore = ["renamed-parameter"]\n'})
    assert rules(lines(cwd=family, status=1)) == ["missing-parameter"]
    write(family, {"sigcheck.toml": '[tool.sigcheck]\nignore = ["override"]\n'})
    assert lines(cwd=family, status=0) == []


def test_the_nearest_one_above_counts_and_paths_are_relative_to_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "pyproject.toml": '[tool.sigcheck]\npaths = ["src"]\n',
            "src/bad.py": BROKEN,
            "other/bad.py": BROKEN,
            "other/pyproject.toml": "[project]\nname = 'x'\n",
        },
    )
    assert len(lines(cwd=tmp_path, status=1)) == 1
    [line] = lines(cwd=tmp_path / "other", status=1)
    assert line.startswith(f"{tmp_path}/src/bad.py:6:9")
    assert lines(".", cwd=tmp_path / "other", status=1) == [BROKEN_LINE]


def test_config_option(family: Path) -> None:
    write(family, {"elsewhere/own.toml": 'ignore = ["override"]\npaths = [".."]\n', "sigcheck.toml": "nonsense = 1"})
    assert lines("--config", "elsewhere/own.toml", cwd=family, status=0) == []


def test_a_byte_order_mark_is_no_part_of_it(family: Path) -> None:
    write(family, {"sigcheck.toml": b'\xef\xbb\xbfignore = ["override"]\n'})
    assert lines(cwd=family, status=0) == []


# What is wrong with it.


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("ignroe = []", "sigcheck.toml: unknown key 'ignroe'; did you mean 'ignore'?"),
        ("qqqqqqqq = []", "sigcheck.toml: unknown key 'qqqqqqqq'"),
        ('"a\\nb" = []', "sigcheck.toml: unknown key 'a\\nb'"),
        ("search_paths = []", "sigcheck.toml: unknown key 'search_paths'; did you mean 'search-paths'?"),
        ("root = 1", "sigcheck.toml: unknown key 'root'"),
        ("paths = 1", "sigcheck.toml: 'paths' must be an array of strings, not 1"),
        ("paths = [1]", "sigcheck.toml: 'paths' must be an array of strings, not [1]"),
        ('paths = "src"', "sigcheck.toml: 'paths' must be an array of strings, not 'src'"),
        ('paths = ["nowhere"]', "nowhere: no such file or directory; mend `paths` in the configuration"),
        ('paths = ["a\\u0000b"]', "sigcheck.toml: 'paths' holds a NUL"),
        ("exclude = true", "sigcheck.toml: 'exclude' must be an array of strings, not True"),
        ("search-paths = {}", "sigcheck.toml: 'search-paths' must be an array of strings, not {}"),
        ('search-paths = ["nowhere"]', "nowhere: no such directory; mend `search-paths`"),
        ('search-paths = ["~nobody-of-that-name/x"]', "no such directory; mend `search-paths`"),
        ("python = 3.11", "sigcheck.toml: 'python' must be a string, not 3.11"),
        ('python = "nowhere"', "nowhere: no interpreter or virtual environment with site-packages; check --python"),
        ('python = "\\u0000"', "sigcheck.toml: 'python' holds a NUL"),
        ('python = "~nobody-of-that-name/x"', "no interpreter or virtual environment with site-packages"),
        ('select = ["overide"]', "sigcheck.toml: 'select': unknown rule 'overide'; did you mean 'override'?"),
        ('extend-select = ["x"]', "sigcheck.toml: 'extend-select': unknown rule 'x'; see `sigcheck rules`"),
        (
            'ignore = ["missing-paramter"]',
            "'ignore': unknown rule 'missing-paramter'; did you mean 'missing-parameter'?",
        ),
        ("per-file-ignores = []", "sigcheck.toml: 'per-file-ignores' must be a table of arrays, not []"),
        ('per-file-ignores = {"x" = "y"}', "'per-file-ignores.x' must be an array of strings, not 'y'"),
        ('per-file-ignores = {"x" = ["y"]}', "sigcheck.toml: 'per-file-ignores': unknown rule 'y'"),
        ('severity = "off"', "sigcheck.toml: 'severity' must be a table, not 'off'"),
        ('severity = {missing = "off"}', "sigcheck.toml: 'severity': unknown rule 'missing'"),
        (
            'severity = {override = "fatal"}',
            "sigcheck.toml: severity.override must be one of error, warning, note, off, not 'fatal'",
        ),
        ("severity = {override = 1}", "severity.override must be one of error, warning, note, off, not 1"),
        ('fail-on = "never"', "sigcheck.toml: 'fail-on' must be one of error, warning, not 'never'"),
        ('scope = "some"', "sigcheck.toml: 'scope' must be one of all, contracts, not 'some'"),
        ("opaque-decorators = [[]]", "sigcheck.toml: 'opaque-decorators' must be an array of strings, not [[]]"),
        ("injects = []", "sigcheck.toml: 'injects' must be a table of arrays, not []"),
        ('injects = {d = "x"}', "sigcheck.toml: 'injects.d' must be an array of strings, not 'x'"),
        ("respect-type-ignores = 1", "sigcheck.toml: 'respect-type-ignores' must be true or false, not 1"),
        ("repeat-mypy = 1", "sigcheck.toml: 'repeat-mypy' must be true or false, not 1"),
        ('strict-resolve = "yes"', "sigcheck.toml: 'strict-resolve' must be true or false, not 'yes'"),
        ("cache-dir = 1", "sigcheck.toml: 'cache-dir' must be a string, not 1"),
        ('cache-dir = "\\u0000"', "sigcheck.toml: 'cache-dir' holds a NUL"),
        ("contracts = {}", "sigcheck.toml: 'contracts' must be an array of tables, not {}"),
        ("contracts = [1]", "sigcheck.toml: 'contracts' must be an array of tables, [[tool.sigcheck.contracts]]"),
        ("[[contracts]]", "sigcheck.toml: contracts[0]: a contract needs `base`, the dotted name of a class"),
        ('[[contracts]]\nbase = "B"\nmethod = []', "contracts[0]: unknown key 'method'; did you mean 'methods'?"),
        ('[[contracts]]\nbase = "B"\nmethods = "*"', "contracts[0]: 'methods' must be an array of strings, not '*'"),
        ('[[contracts]]\nbase = "Nope"', "contract Nope: no class of that name is among the files or their bases"),
        ('[[contracts]]\nbase = "Kid"', "contract Kid: no class overrides *; it would guard nothing"),
        (
            '[[contracts]]\nbase = "Base"\nmethods = ["forward", "x*"]',
            "contract Base: no class overrides forward, x*; it would guard nothing",
        ),
        (
            '[[contracts]]\nbase = "Base"\nsiblings = "apply"',
            "contracts[0]: 'siblings' must be an array of arrays of strings, not 'apply'",
        ),
        (
            '[[contracts]]\nbase = "Base"\nsiblings = ["apply", "apply_tp"]',
            "contracts[0]: 'siblings' must be an array of arrays of strings, not ['apply', 'apply_tp']",
        ),
        (
            '[[contracts]]\nbase = "Base"\nsiblings = [["apply", 1]]',
            "contracts[0]: 'siblings[0]' must be an array of strings, not ['apply', 1]",
        ),
        (
            '[[contracts]]\nbase = "Base"\nsiblings = [["a", "b"], ["apply"]]',
            "contracts[0]: 'siblings[1]' must name two or more, not ['apply']",
        ),
        ('[[contracts]]\nbase = "Base"\nsibling = []', "contracts[0]: unknown key 'sibling'; did you mean 'siblings'?"),
        (
            '[[contracts]]\nbase = "Base"\nsiblings = [["apply", "apply_tp"], ["apply", "appyl_*"]]',
            "contract Base: it has no two methods among the siblings apply, appyl_*; they would guard nothing",
        ),
        (
            '[[contracts]]\nbase = "Nope"\nsiblings = [["apply", "apply_tp"]]',
            "contract Nope: no class of that name is among the files or their bases",
        ),
        ("families = {}", "sigcheck.toml: 'families' must be an array of tables, not {}"),
        ("families = [1]", "sigcheck.toml: 'families' must be an array of tables, [[tool.sigcheck.families]]"),
        ("[[families]]", "families[0]: a family needs `like`, the `module:name` of a function or method"),
        ("[[families]]\nlike = 1", "families[0]: 'like' must be a string, not 1"),
        ('[[families]]\nlike = "m:f"', "families[0]: a family needs `members`, globs of dotted names"),
        ('[[families]]\nlike = "m:f"\nmembers = "x"', "families[0]: 'members' must be an array of strings, not 'x'"),
        ('[[families]]\nlike = "m:f"\nmember = []', "families[0]: unknown key 'member'; did you mean 'members'?"),
        (
            '[[families]]\nlike = "m.f"\nmembers = ["x"]',
            "families[0]: 'like' must be `module:function` or `module:Class.method`, not 'm.f'",
        ),
        (
            '[[families]]\nlike = "family:apply"\nmembers = ["family.*"]',
            "family like family:apply: that leads to no function or method, or to none whose signature is known",
        ),
        ('[[families]]\nlike = "family:Base"\nmembers = ["family.*"]', "that leads to no function or method"),
        ('[[families]]\nlike = "far.away:f"\nmembers = ["family.*"]', "that leads to no function or method"),
        (
            '[[families]]\nlike = "family:Base.apply"\nmembers = ["family.Kid.*", "famliy.*"]',
            "family like family:Base.apply: famliy.* names no other function or method among the files",
        ),
        (
            '[[families]]\nlike = "family:Base.apply"\nmembers = ["family:Base.apply"]',
            "family like family:Base.apply: family:Base.apply names no other function or method among the files",
        ),
        ("x = [", "sigcheck.toml: is no TOML: "),
        ("tool = 3", "sigcheck.toml: 'tool' must be a table, not 3"),
        ("[tool]\nsigcheck = 3", "sigcheck.toml: 'sigcheck' must be a table, not 3"),
    ],
)
def test_what_is_wrong_is_2_and_one_line(family: Path, table: str, message: str) -> None:
    write(family, {"sigcheck.toml": table})
    assert message in refusal("check", "--no-cache", cwd=family)


def test_a_file_that_is_no_text(family: Path) -> None:
    write(family, {"sigcheck.toml": b"paths = ['\xff']"})
    assert refusal("check", cwd=family).startswith("sigcheck.toml: is no UTF-8: ")
    (family / "sigcheck.toml").unlink()
    write(family, {"pyproject.toml": "[tool\n"})
    assert refusal("check", cwd=family).startswith("pyproject.toml: is no TOML: ")
    write(family, {"pyproject.toml": "tool = 3\n"})
    assert refusal("check", cwd=family) == "pyproject.toml: 'tool' must be a table, not 3"


def test_every_key_is_tried_here() -> None:
    """A key that is added needs a complaint in the table above."""
    source = Path(__file__).read_text(encoding="utf-8")
    for name in Configuration.__dataclass_fields__:
        key = name.replace("_", "-")
        if key not in ("root", "source"):
            assert re.search(rf"sigcheck\.toml: '{key}|'{key}': unknown rule", source), key


# What each key does.


def test_exclude(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys(("a/bad.py", "a/deep/bad.py", "b/bad.py", "b/gen_x.py", "c.py"), BROKEN))
    for patterns, expected in {
        "[]": ["a/bad.py", "a/deep/bad.py", "b/bad.py", "b/gen_x.py", "c.py"],
        '["deep"]': ["a/bad.py", "b/bad.py", "b/gen_x.py", "c.py"],
        '["a"]': ["b/bad.py", "b/gen_x.py", "c.py"],
        '["a/*.py", "gen_*.py"]': ["b/bad.py", "c.py"],
        '["./b/", "c.py"]': ["a/bad.py", "a/deep/bad.py"],
    }.items():
        write(tmp_path, {"sigcheck.toml": f"exclude = {patterns}"})
        assert [line.partition(":")[0] for line in lines(cwd=tmp_path, status=1)] == expected, patterns
    write(tmp_path, {"sigcheck.toml": 'exclude = ["a"]'})
    assert len(lines("a/bad.py", cwd=tmp_path, status=1)) == 1, "what is named is not excluded"


def test_select_extend_select_and_ignore(family: Path) -> None:
    assert _rules(family, 'select = ["renamed-parameter"]') == ["renamed-parameter"]
    assert _rules(family, 'select = ["meta"]\nextend-select = ["default-changed"]') == ["default-changed"]
    assert _rules(family, 'extend-select = ["default-changed"]\nignore = ["renamed-parameter"]') == [
        "missing-parameter",
        "default-changed",
    ]
    assert _rules(family, 'select = ["ALL"]\nignore = ["override"]') == []


def test_per_file_ignores(tmp_path: Path) -> None:
    write(tmp_path, {"old/bad.py": BROKEN, "new/bad.py": BROKEN})
    table = 'per-file-ignores = {"old/*" = ["override"], "new/*" = ["renamed-parameter"]}'
    write(tmp_path, {"sigcheck.toml": table})
    for arguments in ([], ["old", "new"]):
        [line] = lines(*arguments, cwd=tmp_path, status=1)
        assert line.startswith("new/bad.py:6:9")
    assert lines(cwd=tmp_path / "old", status=1)[0].startswith(f"{tmp_path}/new/bad.py")


def test_severity_and_fail_on(family: Path) -> None:
    write(family, {"sigcheck.toml": '[severity]\nmissing-parameter = "warning"\nrenamed-parameter = "note"'})
    found = report(cwd=family, status=1)["diagnostics"]
    assert [entry["severity"] for entry in found] == ["warning", "note"]
    write(family, {"sigcheck.toml": 'fail-on = "error"\nseverity = {override = "warning"}'})
    assert len(lines(cwd=family, status=0)) == 3, "a severity also switches a rule on"
    write(family, {"sigcheck.toml": 'severity = {override = "off"}'})
    assert lines(cwd=family, status=0) == []
    write(family, {"sigcheck.toml": 'severity = {override = "note", renamed-parameter = "error"}\nfail-on = "error"'})
    assert [line.split(": ")[1] for line in lines(cwd=family, status=1)] == ["note", "error", "note"]


def test_a_severity_switches_nothing_on_that_was_not_selected(family: Path) -> None:
    table = 'severity = {default-changed = "error"}'
    assert _rules(family, table, "--select", "missing-parameter") == ["missing-parameter"]
    assert "default-changed" in _rules(family, table)
    assert (
        configuration_of({"severity": {"default-changed": "error"}}, root=family).severities()["default-changed"]
        is Severity.ERROR
    )


def test_contracts_name_bases_and_methods(family: Path) -> None:
    write(family, {"more.py": BROKEN})
    both = ["missing-parameter", "renamed-parameter"]
    assert _rules(family, '[[contracts]]\nbase = "family.Base"') == both
    assert _rules(family, '[[contracts]]\nbase = "family.Base"\nmethods = ["apply*"]') == both
    assert _rules(family, '[[contracts]]\nbase = "family.Base"\nmethods = ["apply_*"]') == ["renamed-parameter"]
    assert _rules(family, '[[contracts]]\nbase = "family.Base"\nmethods = ["apply"]') == ["missing-parameter"]
    assert _rules(family, 'scope = "all"\n[[contracts]]\nbase = "family.Base"\nmethods = ["apply"]') == [
        *both,
        "missing-parameter",
    ]
    two = '[[contracts]]\nbase = "family.Base"\nmethods = ["apply"]\n[[contracts]]\nbase = "more.Base"'
    assert _rules(family, two) == ["missing-parameter", "missing-parameter"]


def test_a_contract_with_siblings_needs_no_override(tmp_path: Path) -> None:
    write(tmp_path, {"pkg/base.py": "class Base:\n    def a(self, x, y): ...\n    def b(self, y, x): ...\n"})
    assert _rules(tmp_path, '[[contracts]]\nbase = "pkg.base.Base"\nsiblings = [["a", "b"]]') == ["sibling-drift"]


def test_a_family_is_compared_beside_everything_else(family: Path) -> None:
    write(family, {"ops.py": "def f(x, y): ...\n\n\ndef f_fast(x): ...\n"})
    table = '[[families]]\nlike = "ops:f"\nmembers = ["ops.f_*"]\n'
    assert _rules(family, table) == ["missing-parameter", "renamed-parameter", "missing-parameter"]
    assert _rules(family, f'scope = "contracts"\n{table}') == ["missing-parameter"]
    [found] = report(cwd=family, status=1)["diagnostics"]
    assert (found["path"], found["class"], found["base_class"], found["method"]) == ("ops.py", "ops", "ops", "f_fast")
    assert found["witness"].startswith("f_fast(x, y)   base accepts, override raises TypeError")
    assert [entry["message"] for entry in found["related"]] == ["base: ops.f(x, y)"]


def test_a_drift_is_told_in_every_format(tmp_path: Path) -> None:
    base = "class Base:\n    def a(self, x, y): ...\n    def b(self, y, x): ...\n"
    write(tmp_path, {"m.py": base, "sigcheck.toml": '[[contracts]]\nbase = "Base"\nsiblings = [["a", "b"]]'})
    [found] = report(cwd=tmp_path, status=1)["diagnostics"]
    assert (found["class"], found["base_class"], found["method"], found["parameter"]) == ("m.Base", None, "b", "y")
    assert found["related"] == [{"path": "m.py", "line": 2, "column": 9, "message": "sibling: Base.a(x, y)"}]
    told = run("check", "--no-cache", "-q", cwd=tmp_path).stdout
    assert told.splitlines()[:3] == [
        "m.py:3:9: error: Base.b has y before x, its sibling a after it [sibling-drift]",
        "  method:  Base.b(y, x)",
        "  sibling: Base.a(x, y)   m.py:2",
    ]


def test_scope_contracts_without_contracts_compares_nothing(family: Path) -> None:
    assert _rules(family, 'scope = "contracts"') == []


def test_opaque_decorators_and_injects(tmp_path: Path) -> None:
    kid = "from deco import d\nfrom bad import Base\n\n\nclass Other(Base):\n    @d\n    def run(self, x, {}): ...\n"
    write(tmp_path, {"bad.py": BROKEN.split("\n\n\n")[0], "kid.py": kid.format("y")})
    assert _rules(tmp_path, "") == ["renamed-parameter"]
    for name in ("d", "deco.d"):
        assert _rules(tmp_path, f'opaque-decorators = ["{name}"]') == []
    write(tmp_path, {"kid.py": kid.format("session, scale")})
    assert _rules(tmp_path, "") != []
    assert _rules(tmp_path, 'injects = {d = ["session"]}') == []


def test_respect_type_ignores(tmp_path: Path) -> None:
    write(
        tmp_path, {"bad.py": BROKEN.replace("def run(self, x): ...", "def run(self, x): ...  # type: ignore[override]")}
    )
    assert _rules(tmp_path, "") == ["missing-parameter"]
    assert _rules(tmp_path, "respect-type-ignores = true") == []


def test_strict_resolve(tmp_path: Path) -> None:
    write(
        tmp_path, {"m.py": "from far import Base\n\n\nclass Kid(Base): ...\n", "sigcheck.toml": "strict-resolve = true"}
    )
    done = run("check", "--no-cache", "--output-format", "concise", "-q", cwd=tmp_path)
    assert "m.py:4:7: error: no source was found for far.Base" in done.stdout
    assert done.returncode != 0


def test_cache_dir(tmp_path: Path) -> None:
    write(tmp_path, {"bad.py": BROKEN, "sigcheck.toml": 'cache-dir = "kept"'})
    assert run("check", "-q", cwd=tmp_path).returncode == 1
    assert (tmp_path / "kept").is_dir()
    assert not (tmp_path / ".sigcheck_cache").exists()
    write(tmp_path, {"sigcheck.toml": ""})
    assert run("check", "--no-cache", "-q", cwd=tmp_path).returncode == 1
    assert not (tmp_path / ".sigcheck_cache").exists()


@pytest.mark.parametrize("obstacle", ["file", "directory", "fifo", "nonsense", "dangling"])
def test_a_cache_that_cannot_be_used_changes_nothing(tmp_path: Path, obstacle: str) -> None:
    write(tmp_path, {"bad.py": BROKEN})
    kept = tmp_path / ".sigcheck_cache"
    database = kept / "modules.sqlite3"
    if obstacle == "file":
        kept.write_text("")
    elif obstacle == "dangling":
        kept.symlink_to(tmp_path / "nowhere" / "at" / "all")
    else:
        kept.mkdir()
        if obstacle == "directory":
            database.mkdir()
        elif obstacle == "fifo":
            os.mkfifo(database)
        else:
            database.write_bytes(b"nonsense" * 1000)
    for _ in range(2):
        done = run("check", "--output-format", "concise", "-q", cwd=tmp_path, env=None)
        assert (done.returncode, done.stdout, done.stderr) == (1, f"{BROKEN_LINE}\n", "")


# Bases in installed packages.

WHEEL = "class Backend:\n    def apply(self, x, gate): ...\n"
OUT_OF_TREE = "from wheel_of_base.core import Backend\n\n\nclass Mine(Backend):\n    def apply(self, x): ...\n"
MINE = "mine.py:5:9: error: Mine.apply cannot receive gate [missing-parameter]"


@pytest.fixture(scope="module")
def environment_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real virtual environment with a package, one installed in place, and traps in its `.pth` files."""
    top = tmp_path_factory.mktemp("env")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", top / "venv"], check=True)
    [packages] = (top / "venv").glob("lib/python3*/site-packages")
    marker = top / "executed"
    trap = f"open({str(marker)!r}, 'w').close()"
    write(
        packages,
        {
            "wheel_of_base/__init__.py": trap,
            "wheel_of_base/core.py": f"{WHEEL}{trap}\n",
            "trap.pth": f"import os; {trap}\n# comment\n\nnowhere\n{top / 'editable'}\n",
            "sitecustomize.py": trap,
        },
    )
    write(top, {"editable/in_place/__init__.py": f"{WHEEL}{trap}\n"})
    os.mkfifo(packages / "pipe.pth")
    return top


def test_python_names_an_environment_or_its_interpreter(environment_directory: Path, tmp_path: Path) -> None:
    write(tmp_path, {"mine.py": OUT_OF_TREE})
    assert lines(cwd=tmp_path, status=0) == []
    venv = environment_directory / "venv"
    for python in (venv, venv / "bin" / "python"):
        assert lines("--python", str(python), cwd=tmp_path, status=1) == [MINE]
        write(tmp_path, {"sigcheck.toml": f'python = "{os.path.relpath(python, tmp_path)}"'})
        assert lines(cwd=tmp_path, status=1) == [MINE]
        (tmp_path / "sigcheck.toml").unlink()
    write(tmp_path, {"sigcheck.toml": f'search-paths = ["{next(venv.glob("lib/python3*/site-packages"))}"]'})
    assert lines(cwd=tmp_path, status=1) == [MINE]
    assert not (environment_directory / "executed").exists()


def test_a_package_installed_in_place(environment_directory: Path, tmp_path: Path) -> None:
    write(tmp_path, {"mine.py": OUT_OF_TREE.replace("wheel_of_base.core", "in_place")})
    assert lines("--python", str(environment_directory / "venv"), cwd=tmp_path, status=1) == [MINE]
    assert not (environment_directory / "executed").exists()


def test_the_interpreter_is_not_run(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "mine.py": OUT_OF_TREE,
            "env/bin/python3": f"#!/bin/sh\ntouch {tmp_path}/executed\n",
            "env/lib/python3.99/site-packages/wheel_of_base/core.py": WHEEL,
        },
    )
    python = tmp_path / "env" / "bin" / "python3"
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    assert lines("mine.py", "--python", "env/bin/python3", cwd=tmp_path, status=1) == [MINE]
    assert not (tmp_path / "executed").exists()


def test_of_several_versions_the_interpreters_own_counts(tmp_path: Path) -> None:
    other = WHEEL.replace("gate", "other")
    site = "site-packages/wheel_of_base/core.py"
    write(
        tmp_path,
        {
            "mine.py": OUT_OF_TREE,
            "usr/bin/python3.11": "",
            "usr/bin/python3.9": "",
            f"usr/lib/python3.9/{site}": other,
            f"usr/lib/python3.11/{site}": WHEEL,
        },
    )
    (tmp_path / "usr/bin/python3").symlink_to("python3.9")
    assert lines("mine.py", "--python", "usr/bin/python3.11", cwd=tmp_path, status=1) == [MINE]
    assert lines("mine.py", "--python", "usr", cwd=tmp_path, status=1) == [MINE], "the newest"
    for name in ("python3", "python3.9"):
        [line] = lines("mine.py", "--python", f"usr/bin/{name}", cwd=tmp_path, status=1)
        assert "cannot receive other" in line


def test_a_parameter_to_honour_that_nothing_has(tmp_path: Path) -> None:
    contract = '[[contracts]]\nbase = "Base"\nmethods = ["run"]\nhonour = ["fc1_latent_prj"]\n'
    source = "class Base:\n    def run(self, fc1_latent_proj=None): ...\nclass Kid(Base):\n    def run(self, fc1_latent_proj=None): ...\n"
    write(tmp_path, {"sigcheck.toml": contract, "m.py": source})
    assert refusal("check", cwd=tmp_path) == (
        "contract Base: none of its methods has a parameter fc1_latent_prj to honour; did you mean fc1_latent_proj?"
    )
