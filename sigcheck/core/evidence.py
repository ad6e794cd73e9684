"""What a finding rests on: the definitions of which something is told. Imports `diagnostic` and `verdict`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NoReturn

from sigcheck.core.callsite import CallSite
from sigcheck.core.diagnostic import (
    BaseWithoutSource,
    BrokenOverride,
    Finding,
    InconsistentBases,
    SiblingDrift,
    UnknownRule,
    UnreadableSource,
    UselessSuppression,
)
from sigcheck.core.forwarding import BrokenCall
from sigcheck.core.honour import NeglectedParameter, UnforwardedParameter
from sigcheck.core.member import Member
from sigcheck.core.verdict import Line, Verdict


def evidence_of(finding: Finding) -> Iterator[Member | CallSite]:
    """The definitions whose signatures or bodies a finding speaks of, and the call in a body that it points at."""
    match finding:
        case BrokenOverride(override=override, base=base, call=call):
            yield from (override, base)
            if call is not None:
                yield call
        case BrokenCall(caller=caller, callee=callee, seen=seen):
            yield from (caller, callee)
            if seen is not None:
                yield seen
        case NeglectedParameter(override=override, base=base, reason=reason):
            yield from (override, base)
            if isinstance(reason, UnforwardedParameter):
                yield reason.callee
        case SiblingDrift(method=method, sibling=sibling, bases=bases):
            yield from (method, sibling, *bases)
        case UnreadableSource() | BaseWithoutSource() | InconsistentBases() | UselessSuppression() | UnknownRule():
            return
        case _:
            _refuse(finding)


def _refuse(finding: NoReturn) -> NoReturn:
    """The union is closed: mypy proves that this is never reached. (`typing.assert_never` is younger than Python 3.10.)"""
    raise AssertionError(finding)


def evidence_in(verdicts: Iterable[Verdict]) -> set[Line]:
    """The lines of the definitions and of the calls on which verdicts rest."""
    return {
        (entry.place.path, entry.place.line)
        for verdict in verdicts
        for _, _, finding in verdict.told()
        for entry in evidence_of(finding)
    }
