"""A result as the parts of an entry: how to tell it, what it stands on, and its verdicts. Imports `findings` and `serialization`.

After an edit only the verdicts that changed are written, in a part of their own behind the others; the last one on a file counts.
A part of which nothing counts any more is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TypeVar

from sigcheck.core.verdict import Verdict
from sigcheck.findings import Findings, Ground, Telling
from sigcheck.outcome import Report
from sigcheck.serialization import decode, encode

T = TypeVar("T")

_MOST_PARTS = 8
"""Parts of verdicts, from which all are written anew as one."""

Parts = tuple[bytes, ...]


class Record:
    """The parts of one result; each is read when it is asked for. What cannot be read is None."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    @cached_property
    def _telling(self) -> Telling | None:
        return _decoded(Telling, self.parts[0]) if self.parts else None

    @cached_property
    def _judged(self) -> list[tuple[Verdict, ...]] | None:
        """The verdicts, part by part; None where a part cannot be read."""
        read = [part for part in (_decoded(Findings, part) for part in self.parts[2:]) if part is not None]
        return [part.verdicts for part in read] if len(read) == len(self.parts[2:]) else None

    @cached_property
    def findings(self) -> Findings | None:
        """The verdicts that count."""
        if self._judged is None:
            return None
        verdicts = {verdict.path: verdict for part in self._judged for verdict in part}
        if self._telling is None or not verdicts.keys() >= set(self._telling.judged):
            return None
        return Findings(tuple(verdicts[path] for path in self._telling.judged))

    def report(self) -> Report | None:
        """The report."""
        try:
            return None if self._telling is None or self.findings is None else self._telling.report(self.findings)
        except ValueError:
            return None

    @property
    def is_grounded(self) -> bool:
        """A later check need not start from nothing, if the ground can be read."""
        return len(self.parts) > 1 and bool(self.parts[1])

    @cached_property
    def ground(self) -> Ground | None:
        """What a later check can start from."""
        return _decoded(Ground, self.parts[1]) if self.is_grounded else None

    def parts_after(self, report: Report, findings: Findings, ground: Ground) -> Parts:
        """The parts of a result of which some verdicts are those of this record."""
        mine = {id(verdict) for verdict in self.findings.verdicts} if self.findings is not None else set()
        new = [verdict for verdict in findings.verdicts if id(verdict) not in mine]
        told = {verdict.path for verdict in new}
        kept = [
            part
            for part, judged in zip(self.parts[2:], self._judged or (), strict=False)
            if not {verdict.path for verdict in judged} <= told
        ]
        if len(kept) >= _MOST_PARTS or len(new) * 2 > len(findings.verdicts):
            return parts_of(report, findings, ground)
        is_same = ground == self.ground
        head = _told(report, findings), self.parts[1] if is_same else encode(Ground, ground)
        return (*head, *kept, *([_encoded(new)] if new else ()))


def parts_of(report: Report, findings: Findings, ground: Ground | None) -> Parts:
    """The parts of a result."""
    return _told(report, findings), b"" if ground is None else encode(Ground, ground), _encoded(findings.verdicts)


def _told(report: Report, findings: Findings) -> bytes:
    return encode(Telling, Telling.of(report, findings))


def _encoded(verdicts: Sequence[Verdict]) -> bytes:
    return encode(Findings, Findings(tuple(verdicts)))


def _decoded(kind: type[T], part: bytes) -> T | None:
    try:
        return decode(kind, part)
    except ValueError:
        return None
