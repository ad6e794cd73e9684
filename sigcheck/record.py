"""A result as the parts of an entry: how to tell it, what it stands on, and its verdicts. Imports `findings` and `serialization`.

After an edit only the verdicts that changed are written, in a part of their own behind the others; the last one on a file counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sigcheck.core.verdict import Verdict
from sigcheck.findings import Findings, Ground, Telling
from sigcheck.outcome import Report
from sigcheck.serialization import decode, encode

T = TypeVar("T")

_MOST_PARTS = 12
"""Parts of verdicts, from which all are written anew as one."""

Parts = tuple[bytes, ...]


class Record:
    """The parts of one result; each is read when it is asked for. What cannot be read is None."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._telling = _decoded(Telling, parts[0]) if parts else None
        self.findings = self._findings()

    def _findings(self) -> Findings | None:
        verdicts: dict[str, Verdict] = {}
        for part in self.parts[2:]:
            found = _decoded(Findings, part)
            if found is None:
                return None
            verdicts |= {verdict.path: verdict for verdict in found.verdicts}
        if self._telling is None or not verdicts.keys() >= set(self._telling.judged):
            return None
        return Findings(tuple(verdicts[path] for path in self._telling.judged))

    def report(self) -> Report | None:
        """The report."""
        try:
            return None if self._telling is None or self.findings is None else self._telling.report(self.findings)
        except ValueError:
            return None

    def ground(self) -> Ground | None:
        """What a later check can start from; also None where it must start from nothing."""
        return _decoded(Ground, self.parts[1]) if len(self.parts) > 1 and self.parts[1] else None

    def parts_after(self, report: Report, findings: Findings, ground: Ground) -> Parts:
        """The parts of a result of which some verdicts are those of this record."""
        mine = {id(verdict) for verdict in self.findings.verdicts} if self.findings is not None else set()
        new = [verdict for verdict in findings.verdicts if id(verdict) not in mine]
        if len(self.parts) >= _MOST_PARTS or len(new) * 2 > len(findings.verdicts):
            return parts_of(report, findings, ground)
        return (*_head(report, findings, ground), *self.parts[2:], _encoded(new))


def parts_of(report: Report, findings: Findings, ground: Ground | None) -> Parts:
    """The parts of a result."""
    return (*_head(report, findings, ground), _encoded(findings.verdicts))


def _head(report: Report, findings: Findings, ground: Ground | None) -> Parts:
    return encode(Telling, Telling.of(report, findings)), b"" if ground is None else encode(Ground, ground)


def _encoded(verdicts: Sequence[Verdict]) -> bytes:
    return encode(Findings, Findings(tuple(verdicts)))


def _decoded(kind: type[T], part: bytes) -> T | None:
    try:
        return decode(kind, part)
    except ValueError:
        return None
