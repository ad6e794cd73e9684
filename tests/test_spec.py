"""Every case of `tests/spec/*.md` and of the rules' pages, checked by every reader."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sigcheck.checking import run_check
from sigcheck.config import Configuration, find_configuration, read_configuration
from sigcheck.core.rules import RULES
from sigcheck.report import words
from tests.live_pages import run_modules
from tests.mypy_pages import check_mypy, copy_cache, prime_cache
from tests.spec_pages import PAGES, SPEC, Case, Found, cases, differences, read_page

CASES = (*cases(SPEC), *cases(PAGES))


def check_sources(directory: Path) -> list[Found]:
    """What `sigcheck check` finds in a directory, configured by what stands in it."""
    source = find_configuration(directory)
    configuration = read_configuration(source) if source is not None else Configuration(root=directory)
    report = run_check(replace(configuration, cache_dir=None))
    return [
        Found(
            entry.place.path,
            entry.place.line,
            entry.rule,
            entry.severity.value,
            words.message(entry),
        )
        for entry in report.diagnostics
    ]


READERS: dict[str, Callable[[Path], list[Found]]] = {"source": check_sources}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
@pytest.mark.parametrize("reader", READERS)
def test_spec(reader: str, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = READERS[reader](tmp_path)
    told = differences(case, found)
    assert not told, "\n".join([f"{case.page}:{case.line}: {case.heading}", *told])


_RUN_TIME_RULES = {name for name, rule in RULES.items() if rule.group == "override"}
"""What the guard of classes tells: calls, bodies, comments and configuration are not there when a class is created."""


def check_live(case: Case, directory: Path) -> list[str]:
    """What running a case tells otherwise than the page says, of the rules that can be told then."""
    ran = run_modules(directory)
    told = [f"{case.page}: {ran.failure}"] if ran.failure else []
    return told + differences(replace(case, rules=frozenset(_RUN_TIME_RULES)), ran.found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_spec_at_run_time(case: Case, tmp_path: Path) -> None:
    case.write(tmp_path)
    told = check_live(case, tmp_path)
    differs = case.run_time and case.since is None
    if differs or (case.since is not None and sys.version_info < case.since):
        assert told, f"{case.page}:{case.line}: `Run time: {case.run_time}` is needed no more"
    elif not case.page_run_time:
        assert not told, "\n".join([f"{case.page}:{case.line}: {case.heading}", *told])


@pytest.mark.parametrize("page", sorted({case.page for case in CASES if case.page_run_time}))
def test_a_page_that_differs_at_run_time_does(page: str, tmp_path: Path) -> None:
    of_page = [case for case in CASES if case.page == page]
    for number, case in enumerate(of_page):
        (tmp_path / str(number)).mkdir()
        case.write(tmp_path / str(number))
    assert any(check_live(case, tmp_path / str(number)) for number, case in enumerate(of_page))


_MYPY_RULES = frozenset(RULES) - {"syntax-error", "unresolved-base", "inconsistent-hierarchy", "unused-suppression"}
"""The first three mypy tells itself; a comment may free an override in a module that is not looked at with this one."""


@pytest.fixture(scope="session")
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the standard library, and nothing of a case."""
    cache, directory = tmp_path_factory.mktemp("cache"), tmp_path_factory.mktemp("imports")
    before = Path.cwd()
    os.chdir(directory)
    try:
        prime_cache(directory, cache)
    finally:
        os.chdir(before)
    return cache


def told_by_mypy(case: Case, directory: Path, cache: Path) -> list[str]:
    """What mypy tells otherwise than the page says, of the rules that it is to tell."""
    found, problem = check_mypy(directory, copy_cache(cache, directory / ".mypy_cache"))
    is_broken = any(expected.rule == "syntax-error" for expected in case.expectations)
    told = [f"{case.page}: {problem}"] if problem and not is_broken else []
    return told + differences(replace(case, rules=_MYPY_RULES), found)


@pytest.mark.skipif(
    sys.version_info < (3, 12), reason="mypy takes the typing and the syntax of the Python that runs it"
)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_spec_in_mypy(case: Case, tmp_path: Path, mypy_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    told = told_by_mypy(case, tmp_path, mypy_cache)
    if case.mypy:
        assert told, f"{case.page}:{case.line}: `mypy: {case.mypy}` is needed no more"
    elif not case.page_mypy:
        assert not told, "\n".join([f"{case.page}:{case.line}: {case.heading}", *told])


def test_every_page_has_a_silent_and_a_reported_case() -> None:
    for page in sorted({case.page for case in cases(SPEC)}):
        wanted = [bool(case.expectations) for case in CASES if case.page == page]
        assert True in wanted, f"{page} has no bad example"
        assert False in wanted, f"{page} has no good example"


PAGE = """# Title

## One

```python
class A: ...
# no heading
```

```python title="b.py"
def f(x): ...  # error: [missing-parameter] "x"  # warning: [default-changed]
```

```toml
prose = true
```

## Two, without files
"""


def test_a_page_is_read(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(PAGE)
    (case,) = read_page(tmp_path / "page.md")
    assert case.id == "page.md: One"
    assert list(case.files) == ["main.py", "b.py"]
    assert [(e.path, e.line, e.rule, e.severity, e.part) for e in case.expectations] == [
        ("b.py", 1, "default-changed", "warning", ""),
        ("b.py", 1, "missing-parameter", "error", "x"),
    ]


def test_a_wrong_expectation_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(PAGE)
    (case,) = read_page(tmp_path / "page.md")
    found = [
        Found("b.py", 1, "missing-parameter", "error", "it lacks x"),
        Found("main.py", 1, "renamed-parameter", "error", "surprise"),
    ]
    assert differences(case, found) == [
        (
            "b.py:1: missing     warning: [default-changed]\n"
            '    | def f(x): ...  # error: [missing-parameter] "x"  # warning: [default-changed]'
        ),
        "main.py:1: unexpected  error: [renamed-parameter] surprise\n    | class A: ...",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("# One\n```python\nx = 1\n", "the block is not closed"),
        ("```python\nx = 1\n```\n", "has no heading"),
        ("# One\n```python\n```\n```python\n```\n", "has another main.py"),
    ],
)
def test_a_page_that_cannot_be_read_says_where(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(text)
    with pytest.raises(ValueError, match=complaint):
        read_page(tmp_path / "page.md")


def test_two_headings_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("# One\n```python\n```\n# One\n```python\n```\n")
    with pytest.raises(ValueError, match="two headings"):
        cases(tmp_path)
