"""`import sigcheck`: what it gives, and what it does not load."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

import sigcheck
from tests.running import BROKEN, CHECKOUT, environment, write


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with one broken override, and the working directory there."""
    monkeypatch.chdir(write(tmp_path, {"bad.py": BROKEN, "sub/other.py": BROKEN}))
    return tmp_path


def _rules(report: sigcheck.Report) -> list[str]:
    return [diagnostic.rule for diagnostic in report.diagnostics]


def test_paths_may_be_many_or_one(project: Path) -> None:
    assert sigcheck.check(paths=["."]).overrides == 2
    assert sigcheck.check().overrides == 2
    for paths in ("sub", Path("sub"), ["sub"], [project / "sub"], iter(["sub"])):
        report = sigcheck.check(paths=paths)
        assert (report.files, report.classes, report.overrides) == (1, 2, 1)
        [diagnostic] = report.diagnostics
        assert sigcheck.message(diagnostic) == "Kid.run cannot receive scale"
        assert str(diagnostic.place) == "sub/other.py:6:9"
        assert report.exit_status == 1


def test_the_configuration_may_be_a_mapping_a_path_a_value_or_looked_for(project: Path) -> None:
    off = {"ignore": ["missing-parameter"]}
    write(project, {"own.toml": 'ignore = ["missing-parameter"]'})
    for config in (
        off,
        {"ignore": ("missing-parameter",)},
        "own.toml",
        Path("own.toml"),
        sigcheck.Configuration(ignore=("missing-parameter",)),
    ):
        assert _rules(sigcheck.check(paths=["bad.py"], config=config)) == []
    assert _rules(sigcheck.check(paths=["bad.py"], config=None)) == ["missing-parameter"]
    write(project, {"sigcheck.toml": 'ignore = ["missing-parameter"]'})
    assert _rules(sigcheck.check(paths=["bad.py"], config=None)) == []
    assert _rules(sigcheck.check(paths=["bad.py"], config={})) == ["missing-parameter"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"paths": ["nowhere"]}, "nowhere: no such file or directory"),
        ({"config": "nowhere.toml"}, "nowhere.toml: no such configuration file; check --config"),
        ({"config": {"ignroe": []}}, "configuration: unknown key 'ignroe'; did you mean 'ignore'?"),
        ({"config": {1: 2}}, "configuration: unknown key 1"),
        ({"config": {"ignore": "x"}}, "configuration: 'ignore' must be an array of strings, not 'x'"),
        ({"config": {"contracts": [{"base": "Nope"}]}}, "contract Nope: no class of that name"),
        ({"config": sigcheck.Configuration(select=("nope",))}, "configuration: unknown rule 'nope'"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_cannot_be_done_raises_one_line(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(sigcheck.SigcheckError) as caught:
        sigcheck.check(**arguments)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("project")
def test_a_report_is_made_of_values() -> None:
    _assert_value(sigcheck.check())


def _assert_value(value: object) -> None:
    """Frozen dataclasses, tuples, mappings, enumerations and plain values, all the way down."""
    if dataclasses.is_dataclass(value):
        assert getattr(value, "__dataclass_params__").frozen, type(value)  # noqa: B009 - private to dataclasses
        for field in dataclasses.fields(value):
            _assert_value(getattr(value, field.name))
    elif isinstance(value, (tuple, frozenset)):
        for entry in value:
            _assert_value(entry)
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            _assert_value(key)
            _assert_value(entry)
    else:
        assert value is None or isinstance(value, (str, int, bool, Enum)), type(value)


def test_two_signatures() -> None:
    class Base:
        def apply(self, x: int, fc1: int = 0) -> None: ...

    class Kid(Base):  # sigcheck: ignore[misbound-parameter]
        def apply(self, x: int, shared: int = 0, fc1: int = 0) -> None: ...  # type: ignore[override]

    override, base = inspect.signature(Kid().apply), inspect.signature(Base().apply)
    [reason] = sigcheck.incompatibilities(override, base)
    assert reason.rule == "misbound-parameter"
    shape = reason.witness.shape
    arguments = [object() for _ in range(shape.positional)]
    keywords = {name: object() for name in shape.keywords}
    assert base.bind(*arguments, **keywords).arguments != override.bind(*arguments, **keywords).arguments
    assert sigcheck.incompatibilities(base, base) == ()
    kind = sigcheck.Kind.POSITIONAL_OR_KEYWORD
    ours = sigcheck.Signature((sigcheck.Parameter("x", kind, True), sigcheck.Parameter("fc1", kind, False)))
    assert [found.rule for found in sigcheck.incompatibilities(override, ours)] == ["misbound-parameter"]


def test_every_public_name_is_there() -> None:
    for name in sigcheck.__all__:
        assert getattr(sigcheck, name) is not None
    assert sorted(sigcheck.__all__) == dir(sigcheck)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = sigcheck.nonsense


def _loaded_by(code: str) -> set[str]:
    script = f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); {code}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], capture_output=True, text=True, env=environment(), check=True
    )
    return set(done.stdout.splitlines()[-1].split())


HEAVY = {"libcst", "mypy", "typeguard", "paddle", "argparse"}


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = _loaded_by("import sigcheck")
    assert "sigcheck" in loaded
    assert not loaded & (HEAVY | {"inspect", "dataclasses", "multiprocessing", "sqlite3"})


def test_the_relation_needs_no_parser() -> None:
    loaded = _loaded_by("from sigcheck.core.assignability import incompatibilities")
    assert "sigcheck.core.assignability" in loaded
    assert not loaded & HEAVY


def test_the_version_needs_no_parser() -> None:
    loaded = _loaded_by("from sigcheck.cli import main; main(['--version'])")
    assert "sigcheck.cli" in loaded
    assert not loaded & HEAVY


def test_a_script_without_a_guard_and_with_threads_can_check_many_files(tmp_path: Path) -> None:
    """Processes that were started afresh would run the script again."""
    comment = "# " + "-" * 100 + "\n"
    files = {f"code/m{index}.py": BROKEN + comment * 5_000 for index in range(5)}
    script = (
        "import threading, sigcheck\n"
        "done = threading.Event(); threading.Thread(target=done.wait).start()\n"
        "try: print(len(sigcheck.check(['code'], {'cache-dir': 'cache'}).diagnostics))\n"
        "finally: done.set()\n"
    )
    write(tmp_path, {**files, "script.py": script})
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, env=environment(), check=False
    )
    assert (done.stdout, done.stderr) == ("5\n", "")
