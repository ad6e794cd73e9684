"""The registry of rules against its pages, the specification, and what can be reported."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from sigcheck.cli import main
from sigcheck.core.incompatibility import Reason
from sigcheck.core.rules import GROUPS, RULES, Severity
from tests.spec_pages import PAGES, SPEC, Case, cases

PAGE_CASES = {(case.page.removesuffix(".md"), case.heading): case for case in cases(PAGES)}


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_page_opens_with_its_rule_and_has_its_sections(rule: str) -> None:
    text = (PAGES / f"{rule}.md").read_text(encoding="utf-8")
    headings = re.findall(
        r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), flags=re.MULTILINE
    )
    assert headings == [rule, "Bad", "Good", "What to do", "Suppress it"]


# That the examples do what they say is proven in `test_spec.py`, which runs them.
@pytest.mark.parametrize("rule", RULES)
def test_the_bad_example_reports_the_rule_and_nothing_else(rule: str) -> None:
    assert _rules_of(PAGE_CASES[rule, "Bad"]) == {rule}


@pytest.mark.parametrize("rule", RULES)
def test_the_good_example_reports_nothing(rule: str) -> None:
    assert _rules_of(PAGE_CASES[rule, "Good"]) == set()


@pytest.mark.parametrize("rule", RULES)
def test_the_specification_speaks_of_the_rule(rule: str) -> None:
    assert any(rule in _rules_of(case) for case in cases(SPEC))


def test_the_specification_expects_only_rules_that_exist() -> None:
    wanted = set().union(*(_rules_of(case) for case in (*cases(SPEC), *cases(PAGES))))
    assert wanted <= set(RULES)


@pytest.mark.parametrize("reason", get_args(Reason), ids=lambda reason: reason.__name__)
def test_every_reason_belongs_to_a_rule(reason: type) -> None:
    assert RULES[reason.rule].group == "override"  # type: ignore[attr-defined]


def test_rules_are_named_and_grouped_alike() -> None:
    for name, rule in RULES.items():
        assert rule.name == name
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
        assert rule.group in GROUPS
        assert rule.group not in RULES
        assert rule.summary[0].islower()
        assert not rule.summary.endswith(".")


@pytest.mark.parametrize("rule", RULES)
def test_explain_prints_the_page(rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", rule]) == 0
    assert capsys.readouterr().out.strip() == (PAGES / f"{rule}.md").read_text(encoding="utf-8").strip()


def test_rules_lists_every_rule_with_its_severity(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules"]) == 0
    out = capsys.readouterr().out
    for rule in RULES.values():
        assert re.search(rf"^ *{rule.name} +{rule.default} +{re.escape(rule.summary)}$", out, flags=re.MULTILINE)
    assert Severity.OFF.value in out
    assert "contract" in out


def _rules_of(case: Case) -> set[str]:
    return {expectation.rule for expectation in case.expectations}
