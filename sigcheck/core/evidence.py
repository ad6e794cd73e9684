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
from sigcheck.core.honour import IgnoredParameter, NeglectedParameter, PartlyHonouredParameter, UnforwardedParameter
from sigcheck.core.incompatibility import AsyncMismatch, ReceiverMismatch
from sigcheck.core.member import Member
from sigcheck.core.verdict import Verdict

Evidence = tuple[str, int, bool]
"""Where a definition or a call stands, and whether what its body does counts too, not its header alone: path, line, True."""


def evidence_of(finding: Finding) -> Iterator[tuple[Member | CallSite, bool]]:
    """The definitions of which a finding speaks, each with whether it speaks of the body; and the call in a body that it points at."""
    match finding:
        case BrokenOverride(override=override, base=base, reason=reason, call=call):
            # What a call gives, a coroutine or something to call, may be what the body returns.
            has_bodies = isinstance(reason, (AsyncMismatch, ReceiverMismatch))
            yield override, has_bodies
            yield base, has_bodies
            if call is not None:
                yield call, True
        case BrokenCall(caller=caller, callee=callee, seen=seen):
            yield caller, True
            yield callee, True
            if seen is not None:
                yield seen, True
        case NeglectedParameter(override=override, base=base, reason=reason):
            # That a path forgets a parameter is found in the flow of the body, which libcst has read: there the scan has no say.
            yield override, not isinstance(reason, (IgnoredParameter, PartlyHonouredParameter))
            yield base, False
            if isinstance(reason, UnforwardedParameter):
                yield reason.callee, False
        case SiblingDrift(method=method, sibling=sibling, bases=bases):
            yield from ((member, False) for member in (method, sibling, *bases))
        case UnreadableSource() | BaseWithoutSource() | InconsistentBases() | UselessSuppression() | UnknownRule():
            return
        case _:
            _refuse(finding)


def evidence_in(verdicts: Iterable[Verdict]) -> set[Evidence]:
    """Where the definitions and the calls stand on which verdicts rest; whose body counts, its header counts too."""
    return {
        (entry.place.path, entry.place.line, counts)
        for verdict in verdicts
        for _, _, finding in verdict.told()
        for entry, has_body in evidence_of(finding)
        for counts in ((False, True) if has_body else (False,))
    }


def _refuse(finding: NoReturn) -> NoReturn:
    """The union is closed: mypy proves that this is never reached. (`typing.assert_never` is younger than Python 3.10.)"""
    raise AssertionError(finding)
