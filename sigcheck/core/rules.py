"""The registry of rules: names, groups, default severities, one line each. Imports nothing of sigcheck.

The pages that explain them are `sigcheck/pages/<name>.md`; `tests/test_rules.py` holds the two against each other.
"""

from __future__ import annotations

from enum import Enum

from sigcheck.core.dataclass import dataclass


class Severity(Enum):
    """How much a diagnostic weighs. `OFF` rules run only when they are selected."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        name: kebab-case.
        group: `override`, `call`, `use`, `family` or `meta`.
        severity: where the configuration says nothing.
        summary: one line, after "says that".
        needs_contract: it runs only on what a contract names.
    """

    name: str
    group: str
    severity: Severity
    summary: str
    needs_contract: bool = False

    @property
    def default(self) -> str:
        """Where it stands without configuration: a severity, or `contract`."""
        return "contract" if self.needs_contract else self.severity.value


def _rules() -> tuple[Rule, ...]:
    error, warning, note, off = Severity.ERROR, Severity.WARNING, Severity.NOTE, Severity.OFF
    return (
        Rule("missing-parameter", "override", error, "the override cannot receive a parameter of the base"),
        Rule("extra-required-parameter", "override", error, "the override requires what the base never passes"),
        Rule("misbound-parameter", "override", error, "an argument lands in a parameter that is another thing"),
        Rule("renamed-parameter", "override", error, "the same slot has another name: keyword calls fail"),
        Rule("not-positional", "override", error, "the base takes it by position, the override does not"),
        Rule("not-keyword", "override", error, "the base takes it by keyword, the override does not"),
        Rule("default-removed", "override", error, "optional in the base, required in the override"),
        Rule("variadic-removed", "override", error, "the base takes *args or **kwargs, the override does not"),
        Rule("receiver-mismatch", "override", error, "static, class, instance, property: what is bound differs"),
        Rule("async-mismatch", "override", error, "one is a coroutine function, the other is not"),
        Rule("default-changed", "override", off, "the default has another value"),
        Rule(
            "misbound-argument", "call", error, "at this call, the argument lands in a parameter that is another thing"
        ),
        Rule("rejected-argument", "call", error, "at this call, the argument is refused, or one is missing"),
        Rule("positional-forwarding", "call", off, "three or more optional arguments are forwarded by position"),
        Rule("ignored-parameter", "use", error, "accepted, never read, and not refused", needs_contract=True),
        Rule(
            "partly-honoured-parameter",
            "use",
            error,
            "read on some paths that return, not on others",
            needs_contract=True,
        ),
        Rule("swallowed-argument", "use", warning, "a parameter of the base lands in a catch-all that nothing reads"),
        Rule(
            "unforwarded-parameter",
            "use",
            error,
            "not passed to the sibling that takes it, nor read",
            needs_contract=True,
        ),
        Rule(
            "sibling-drift",
            "family",
            error,
            "methods of one family order the same parameters differently",
            needs_contract=True,
        ),
        Rule("syntax-error", "meta", error, "a file could not be read, the rest was checked"),
        Rule("inconsistent-hierarchy", "meta", error, "the bases form a cycle, or have no method resolution order"),
        Rule("unresolved-base", "meta", note, "no source was found for a base"),
        Rule("unused-suppression", "meta", warning, "a suppression comment suppresses nothing"),
        Rule("unknown-rule", "meta", error, "a suppression comment names no rule that exists"),
    )


RULES: dict[str, Rule] = {rule.name: rule for rule in _rules()}
"""Every rule by its name, in the order of the documentation."""

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(rule.group for rule in RULES.values()))
"""The groups, in the same order."""
