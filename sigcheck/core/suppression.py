"""Which diagnostics a comment suppresses, and which comments suppress nothing. Imports `diagnostic`, `module` and `rules`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from sigcheck.core.diagnostic import BrokenOverride, Diagnostic, SiblingDrift, UnknownRule, UselessSuppression
from sigcheck.core.forwarding import BrokenCall
from sigcheck.core.honour import NeglectedParameter
from sigcheck.core.incompatibility import names_involved
from sigcheck.core.member import Member
from sigcheck.core.module import Class, Suppression
from sigcheck.core.rules import RULES, Severity
from sigcheck.core.verdict import Line, Remarks


def suppress(
    diagnostics: Iterable[Diagnostic],
    remarks: Sequence[Remarks],
    severities: Mapping[str, Severity],
    *,
    reach: Mapping[str, Iterable[Line] | None],
    respect_foreign: bool,
) -> Iterator[Diagnostic]:
    """The diagnostics that no comment suppresses, then those about the comments themselves.

    Args:
        diagnostics: what was found.
        remarks: on the files whose comments count.
        severities: the rules that ran; a comment for another rule is never called useless.
        reach: for each group of rules that some headers are not held against, the lines of those that were; a comment for
            such a rule in another header had nothing to suppress in this run, and may be needed in another.
        respect_foreign: `# type: ignore[override]` and pyright's suppress the group `override`.
    """
    comments: dict[Line, list[Suppression]] = {}
    for file in remarks:
        for comment in file.suppressions:
            comments.setdefault((comment.place.path, comment.place.line), []).append(comment)
    used: set[tuple[Suppression, str]] = set()
    for diagnostic in diagnostics:
        covers = partial(_covering, diagnostic=diagnostic, comments=comments, respect_foreign=respect_foreign)
        hits = [comment for line in _lines(diagnostic) if line in comments for comment in covers(line)]
        hits = hits or _freed_parameters(diagnostic, covers)
        used.update((comment, diagnostic.rule) for comment in hits)
        if not hits:
            yield diagnostic
    severity = severities.get("unused-suppression")
    if severity is not None:
        for comment, name in (entry for file in remarks for entry in file.strange):
            yield Diagnostic("unused-suppression", severity, comment.place, UselessSuppression(comment, name))
    headers = {(file.path, line) for file in remarks for line in file.headers}
    idle = {group: comments.keys() if lines is None else headers - set(lines) for group, lines in reach.items()}
    for line, found in comments.items():
        for comment in found:
            without_work = frozenset(group for group, lines in idle.items() if line in lines)
            yield from _about(comment, used, severities, idle=without_work)


def _covering(
    line: Line, *, diagnostic: Diagnostic, comments: Mapping[Line, list[Suppression]], respect_foreign: bool
) -> list[Suppression]:
    """The comments of a line that suppress the diagnostic."""
    is_override = diagnostic.registered.group == "override"
    return [
        comment
        for comment in comments.get(line, ())
        if (respect_foreign and is_override if comment.is_foreign else diagnostic.rule in comment.rules)
    ]


def _lines(diagnostic: Diagnostic) -> Iterator[Line]:
    """Where a comment for this diagnostic may stand."""
    finding = diagnostic.finding
    if isinstance(finding, BrokenOverride):
        yield from _heads(finding.owner, finding.override_class, finding.override, finding.base)
    elif isinstance(finding, NeglectedParameter):
        yield from _heads(finding.override_class, finding.override_class, finding.override, finding.base)
    elif isinstance(finding, BrokenCall):
        for line in range(finding.call.place.line, finding.call.last_line + 1):
            yield finding.call.place.path, line
        for line in range(finding.callee.place.line, finding.callee.last_line + 1):
            yield finding.callee.place.path, line
    elif isinstance(finding, SiblingDrift):
        yield from lines_of_method(finding.owner, finding.method, finding.bases)
    else:
        yield diagnostic.place.path, diagnostic.place.line


def _heads(owner: Class, override_class: Class, override: Member, base: Member) -> Iterator[Line]:
    """The header of the override, of its class and of the class that binds it, and the base's `def`."""
    yield from lines_of_method(owner, override, (base,))
    if override_class.key != owner.key:
        for line in range(override_class.place.line, override_class.last_line + 1):
            yield override_class.place.path, line


def lines_of_method(owner: Class, method: Member, bases: Iterable[Member]) -> Iterator[Line]:
    """The header of a method and of its class, and the `def` of each method that it overrides."""
    for place, last_line in ((method.place, method.last_line), (owner.place, owner.last_line)):
        for line in range(place.line, last_line + 1):
            yield place.path, line
    for base in bases:
        for line in {base.place.line, base.last_line}:
            yield base.place.path, line


def lines_of(owner: Class, override_class: Class, override: Member, base: Member) -> Iterator[Line]:
    """Every line on which a comment about this override may stand, those of the base's parameters too."""
    yield from _heads(owner, override_class, override, base)
    for parameter in base.signature.parameters:
        if parameter.line is not None:
            yield base.place.path, parameter.line


def _freed_parameters(diagnostic: Diagnostic, covers: Callable[[Line], list[Suppression]]) -> list[Suppression]:
    """The comments on the lines of the base's parameters, if they free every one that the diagnostic is about."""
    finding = diagnostic.finding
    match finding:
        case BrokenOverride(base=base, reason=reason):
            names = names_involved(reason)
        case NeglectedParameter(base=base, reason=use):
            names = frozenset(use.parameters)
        case _:
            return []
    about = [parameter for parameter in base.signature.parameters if parameter.name in names]
    found = [covers((base.place.path, parameter.line or 0)) for parameter in about]
    return [comment for comments in found for comment in comments] if found and all(found) else []


def _about(
    comment: Suppression,
    used: set[tuple[Suppression, str]],
    severities: Mapping[str, Severity],
    *,
    idle: frozenset[str],
) -> Iterator[Diagnostic]:
    if comment.is_foreign or comment.parameters:
        return
    if not comment.rules and "unknown-rule" in severities:
        yield Diagnostic("unknown-rule", severities["unknown-rule"], comment.place, UnknownRule(comment, None, None))
    for rule in comment.rules:
        if rule not in RULES:
            if "unknown-rule" in severities:
                nearest = next(iter(difflib.get_close_matches(rule, RULES, n=1)), None)
                finding = UnknownRule(comment, rule, nearest)
                yield Diagnostic("unknown-rule", severities["unknown-rule"], comment.place, finding)
        elif rule not in severities or (comment, rule) in used or RULES[rule].group in idle:
            continue
        elif "unused-suppression" in severities:
            severity = severities["unused-suppression"]
            yield Diagnostic("unused-suppression", severity, comment.place, UselessSuppression(comment, rule))
