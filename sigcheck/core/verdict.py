"""What a check says of one file, as values that stand alone: to be put together with those of the other files. Imports
`contract`, `diagnostic`, `forwarding` and `module`.

A *verdict* depends on the classes of a file and on what is above them, and on nothing beside or below. So one that was given
stands until a file changes in which something above is defined, or through which it is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sigcheck.core.contract import Contract
from sigcheck.core.dataclass import dataclass
from sigcheck.core.diagnostic import BaseWithoutSource, Finding
from sigcheck.core.forwarding import CallKeys, Followed
from sigcheck.core.module import Module, Problem, Suppression
from sigcheck.core.place import Place

Line = tuple[str, int]
"""A path and a line."""

Found = tuple[str, Place, Finding]
"""A rule, a place and what was found there."""


@dataclass(frozen=True, slots=True)
class Remarks:
    """What is to be said of a file by itself.

    Attributes:
        path: as reports show it.
        classes: how many class statements it has.
        suppressions: its comments.
        headers: the lines of those that stand in the header of a class or of a member.
        strange: the comments that free a parameter which the method does not have, with its name.
        problems: what could not be read.
    """

    path: str
    classes: int
    suppressions: tuple[Suppression, ...] = ()
    headers: tuple[int, ...] = ()
    strange: tuple[tuple[Suppression, str], ...] = ()
    problems: tuple[Problem, ...] = ()


def remarks_on(module: Module) -> Remarks:
    """The remarks on a file, as it was read."""
    headers: tuple[int, ...] = ()
    strange: tuple[tuple[Suppression, str], ...] = ()
    if module.suppressions:
        lines = {comment.place.line for comment in module.suppressions}
        headers = tuple(sorted(lines & set(_headers(module))))
        strange = tuple(_strange(module)) if any(comment.parameters for comment in module.suppressions) else ()
    return Remarks(module.path, len(module.classes), module.suppressions, headers, strange, module.problems)


def _headers(module: Module) -> Iterator[int]:
    """The lines of every class and of every member's header."""
    for owner in module.classes:
        members = ((member.place, member.last_line) for member in owner.members)
        for place, last_line in ((owner.place, owner.last_line), *members):
            yield from range(place.line, last_line + 1)


def _strange(module: Module) -> Iterator[tuple[Suppression, str]]:
    """`# sigcheck: ignores[p]` in the header of a method that has no `p`."""
    comments: dict[int, list[Suppression]] = {}
    for comment in module.suppressions:
        comments.setdefault(comment.place.line, []).append(comment)
    for member in (member for owner in module.classes for member in owner.members):
        known = {parameter.name for parameter in member.signature.parameters}
        for line in range(member.place.line, member.last_line + 1):
            for comment in comments.get(line, ()):
                yield from ((comment, name) for name in comment.parameters if name not in known)


@dataclass(frozen=True, slots=True)
class Guard:
    """What the classes of one file have to do with a contract.

    Attributes:
        contract: its number among the contracts of the check.
        is_defined: its base is one of these classes.
        classes: how many of them it is about.
        overrides: how many definitions it names.
        honoured: the parameters to honour that its methods have, in these classes or above them.
        groups: the numbers of the groups of siblings that its base has.
    """

    contract: int
    is_defined: bool
    classes: int
    overrides: int
    honoured: tuple[str, ...]
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of the classes of one file, or of several that were judged together.

    Attributes:
        path: the file.
        overrides: definitions that were held against at least one base.
        followed: the calls that were bound in one of the classes.
        overriding: broken overrides.
        calls: broken calls, with their keys.
        swallowed, neglected, drifts: the other findings about members, rule by rule.
        unresolved: bases without source.
        compared: the lines that have a comment and on which one about what was compared may stand.
        siblings: the same for siblings.
        guards: for each contract that is about one of the classes, what it finds here.
        guarded: how many of the classes some contract is about.
    """

    path: str
    overrides: int
    followed: tuple[Followed, ...]
    overriding: tuple[Found, ...]
    calls: tuple[tuple[CallKeys, Found], ...]
    neglected: tuple[Found, ...]
    drifts: tuple[Found, ...]
    unresolved: tuple[BaseWithoutSource, ...]
    compared: tuple[Line, ...]
    siblings: tuple[Line, ...]
    guards: tuple[Guard, ...] = ()
    guarded: int = 0

    def told(self) -> Iterator[Found]:
        """All that was found, in an order of its own."""
        yield from self.overriding
        for _, found in self.calls:
            yield found
        yield from self.neglected
        yield from self.drifts
        for entry in self.unresolved:
            yield "unresolved-base", entry.owner.place, entry


def matched_in(verdicts: Iterable[Verdict], contracts: Sequence[Contract]) -> dict[Contract, int]:
    """For each contract, the number of overrides that it names."""
    found = dict.fromkeys(contracts, 0)
    for guard in (guard for verdict in verdicts for guard in verdict.guards):
        contract = contracts[guard.contract]
        if contracts.index(contract) == guard.contract:  # One that is written twice is one.
            found[contract] += guard.overrides
    return found


def call_sites_of(verdicts: Iterable[Verdict]) -> int:
    """The number of calls that were bound, each counted once."""
    numbers: dict[str, set[int]] = {}
    for owner, some in (followed for verdict in verdicts for followed in verdict.followed):
        numbers.setdefault(owner, set()).update(some)
    return sum(map(len, numbers.values()))


def calls_of(verdicts: Iterable[Verdict]) -> Iterator[Found]:
    """The broken calls of all verdicts, each told once: for the first receiver on which it is."""
    first: dict[CallKeys, str] = {}
    for verdict in verdicts:
        for key, found in verdict.calls:
            if first.setdefault(key, verdict.path) == verdict.path:
                yield found
