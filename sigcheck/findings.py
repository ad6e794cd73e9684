"""What a check learnt of a project, file by file, as a later check can start from it. Imports `core` only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sigcheck.core.verdict import Remarks, Verdict


@dataclass(frozen=True, slots=True)
class Identity:
    """A file of the project as a module: as reports show it, the root it is imported from, and its dotted name there."""

    path: str
    root: str
    name: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """A module that was looked for.

    Attributes:
        near: the file, or the namespace package, in which its name stands.
        name: dotted.
        real: the file, or the directory, that was found; empty for nothing.
        path: the same as reports show it, and as `near` of further lookups.
    """

    near: str
    name: str
    real: str
    path: str


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that a regular check learnt.

    Attributes:
        identities: of the files of the project, in order.
        remarks: on the same, and on what could not be walked.
        verdicts: on those that have classes, in order.
        lookups: every module that was looked for.
    """

    identities: tuple[Identity, ...]
    remarks: tuple[Remarks, ...]
    verdicts: tuple[Verdict, ...]
    lookups: tuple[Lookup, ...]

    def reached_by(self, changed: Iterable[str]) -> set[str]:
        """The files, namespace packages among them, whose verdicts may depend on others: those others too."""
        looked: dict[str, list[str]] = {}
        for lookup in self.lookups:
            looked.setdefault(lookup.path, []).append(lookup.near)
        reached = set(changed)
        pending = list(reached)
        while pending:
            for near in looked.get(pending.pop(), ()):
                if near not in reached:
                    reached.add(near)
                    pending.append(near)
        return reached
