"""The formats for machines: JSON, GitHub's annotations, and SARIF 2.1.0."""

from __future__ import annotations

import json
from functools import cache
from itertools import chain
from typing import Any
from urllib.parse import quote

from sigcheck.core.diagnostic import (
    BaseWithoutSource,
    BrokenOverride,
    Diagnostic,
    Finding,
    InconsistentBases,
    SiblingDrift,
)
from sigcheck.core.forwarding import BrokenCall, MisboundArgument, PositionalForwarding, RejectedArgument
from sigcheck.core.honour import NeglectedParameter, SwallowedArguments
from sigcheck.core.place import Place
from sigcheck.core.rules import RULES, Severity
from sigcheck.outcome import Report
from sigcheck.report import words

SCHEMA = 1


def render_json(report: Report, version: str) -> str:
    """One object: `schema`, `version`, `summary`, `diagnostics`. See `docs/json.md`."""
    content = {
        "schema": SCHEMA,
        "version": version,
        "summary": {
            "files": report.files,
            "classes": report.classes,
            "overrides": report.overrides,
            "call_sites": report.call_sites,
            "unresolved_bases": len(report.unresolved),
            "diagnostics": len(report.diagnostics),
        },
        "diagnostics": [as_json(diagnostic) for diagnostic in report.diagnostics],
    }
    return _laid_out(content) + "\n"


def _laid_out(value: object) -> str:
    """As `json.dumps(value, indent=2)` lays it out. What indents there is no C: here C writes all plain values in one call.

    Args:
        value: of dicts with texts for keys, lists and plain values.
    """
    leads: list[str] = []
    plain: list[object] = []
    end = _lay_out(value, "\n", "", leads, plain)
    written = json.dumps(plain, separators=("\n", ":"))[1:-1].split("\n")  # A line break in a text is written `\n`.
    return "".join(chain.from_iterable(zip(leads, written, strict=True))) + end


def _lay_out(value: object, margin: str, lead: str, leads: list[str], plain: list[object]) -> str:
    """Lay out a value.

    Args:
        value: see `_laid_out`.
        margin: what a line at its depth begins with.
        lead: what stands between the plain value before and this one.
        leads: what stands in front of each plain value; is added to.
        plain: the plain values; is added to.

    Returns:
        What stands behind the last plain value.
    """
    if type(value) not in _NESTED or not value:
        leads.append(lead)
        plain.append(value)
        return ""
    inner = f"{margin}  "
    if isinstance(value, list):
        lead += "["
        for entry in value:
            lead = _lay_out(entry, inner, lead + inner, leads, plain) + ","
        return f"{lead[:-1]}{margin}]"
    named: dict[str, object] = value  # type: ignore[assignment]
    entries = list(named.values())
    fronts = _fronts(tuple(named), inner)
    start = 0
    for index in [index for index, entry in enumerate(entries) if type(entry) in _NESTED and entry]:
        lead = _line_up(lead, fronts[start:index], leads) + fronts[index]
        plain += entries[start:index]
        lead = _lay_out(entries[index], inner, lead, leads, plain)
        start = index + 1
    plain += entries[start:]
    return f"{_line_up(lead, fronts[start:], leads)}{margin}}}"


_NESTED = (dict, list)


@cache
def _fronts(names: tuple[str, ...], margin: str) -> list[str]:
    """What stands in front of each value of a dict, behind the value before."""
    return [f"{',' if index else '{'}{margin}{json.dumps(name)}: " for index, name in enumerate(names)]


def _line_up(lead: str, fronts: list[str], leads: list[str]) -> str:
    """Add what stands in front of plain values, the first behind a lead; what is left of the lead is returned."""
    if not fronts:
        return lead
    leads.append(lead + fronts[0])
    leads += fronts[1:]
    return ""


def as_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """A diagnostic as the JSON report has it."""
    lines = words.details(diagnostic)
    return {
        "rule": diagnostic.rule,
        "group": diagnostic.registered.group,
        "severity": diagnostic.severity.value,
        "path": diagnostic.place.path,
        "line": diagnostic.place.line,
        "column": diagnostic.place.column,
        "end_line": diagnostic.place.end_line,
        "end_column": diagnostic.place.end_column,
        "message": words.message(diagnostic),
        **_subject(diagnostic.finding),
        "witness": words.witness_in(lines),
        "related": [
            {
                "path": detail.place.path,
                "line": detail.place.line,
                "column": detail.place.column,
                "message": f"{detail.label}: {detail.text}",
            }
            for detail in lines
            if detail.place is not None
        ],
        "fix": None,
    }


def _subject(finding: Finding) -> dict[str, str | None]:
    """The classes, the method and the parameters that a finding is about."""
    found: dict[str, str | None] = dict.fromkeys(("class", "base_class", "method", "parameter", "lands_in"))
    match finding:
        case BaseWithoutSource(owner=owner) | InconsistentBases(owner=owner):
            found["class"] = owner.name
        case BrokenOverride(reason=reason, owner=owner, base_class=base_class, override=override):
            parameter, lands_in = words.parameters(reason)
            found |= {"class": owner.name, "base_class": base_class.name, "method": override.name}
            found |= {"parameter": parameter, "lands_in": lands_in}
        case BrokenCall(reason=reason, callee_class=callee_class, seen_class=seen_class, callee=callee):
            found |= {"class": callee_class.name, "method": callee.name}
            found["base_class"] = seen_class.name if seen_class is not None else None
            if isinstance(reason, MisboundArgument):
                found |= {"parameter": reason.parameters[0], "lands_in": reason.targets[0]}
            elif isinstance(reason, RejectedArgument) and reason.rejection.names:
                found["parameter"] = reason.rejection.names[0]
            elif isinstance(reason, PositionalForwarding):
                found["parameter"] = reason.parameters[0]
        case NeglectedParameter(override_class=owner, base_class=base_class, override=override, reason=use):
            found |= {
                "class": owner.name,
                "base_class": base_class.name,
                "method": override.name,
                "parameter": use.parameters[0],
            }
            if isinstance(use, SwallowedArguments):
                found["lands_in"] = use.catch_alls[0].name
        case SiblingDrift(owner=owner, method=method, first=first):
            found |= {"class": owner.name, "method": method.name, "parameter": first}
        case _:
            pass
    return found


_GITHUB_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice", Severity.OFF: "notice"}


def render_github(report: Report) -> str:
    """Workflow commands: https://docs.github.com/actions/reference/workflow-commands-for-github-actions."""
    lines = []
    for diagnostic in report.diagnostics:
        place = diagnostic.place
        properties = {
            "file": place.path,
            "line": place.line,
            "col": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
            "title": f"sigcheck ({diagnostic.rule})",
        }
        words_of = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
        lines.append(f"::{_GITHUB_LEVELS[diagnostic.severity]} {words_of}::{_data(words.message(diagnostic))}\n")
    return "".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


_SARIF_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note", Severity.OFF: "none"}


def render_sarif(report: Report, version: str) -> str:
    """SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""
    names = list(RULES)
    content = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "sigcheck",
                        "version": version,
                        "rules": [
                            {
                                "id": rule.name,
                                "shortDescription": {"text": rule.summary},
                                "defaultConfiguration": {"level": _SARIF_LEVELS[rule.severity]},
                            }
                            for rule in RULES.values()
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [
                    {
                        "ruleId": diagnostic.rule,
                        "ruleIndex": names.index(diagnostic.rule),
                        "level": _SARIF_LEVELS[diagnostic.severity],
                        "message": {"text": words.message(diagnostic)},
                        "locations": [_location(diagnostic.place)],
                        "relatedLocations": [
                            {**_location(detail.place), "message": {"text": f"{detail.label}: {detail.text}"}}
                            for detail in words.details(diagnostic)
                            if detail.place is not None
                        ],
                    }
                    for diagnostic in report.diagnostics
                ],
            }
        ],
    }
    return _laid_out(content) + "\n"


def _location(place: Place) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {
                "uri": f"file://{quote(place.path)}" if place.path.startswith("/") else quote(place.path)
            },
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endLine": place.end_line,
                "endColumn": max(place.end_column, place.column + 1),
            },
        }
    }
