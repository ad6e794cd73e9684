"""What other modules are told of a class: a core value without places. Imports nothing of mypy.

Lines are only kept in their order: a comment above a class changes nothing for its subclasses.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from sigcheck.core.callsite import CallSite
from sigcheck.core.dataclass import dataclass, replace
from sigcheck.core.member import Member
from sigcheck.core.module import Class, Suppression
from sigcheck.core.place import Branch, Condition, Place
from sigcheck.core.regex import regex
from sigcheck.core.signature import Parameter, Signature


@dataclass(frozen=True, slots=True)
class Summary:
    """A class, and the comments on its lines."""

    owner: Class
    suppressions: tuple[Suppression, ...] = ()


def summary_of(owner: Class, suppressions: Iterable[Suppression]) -> Summary:
    """What others see of a class.

    Args:
        owner: as it was read.
        suppressions: the comments of its file.
    """
    lines = sorted(set(_lines(owner)))
    last = lines[-1]
    comments = tuple(comment for comment in suppressions if owner.place.line <= comment.place.line <= last)
    lines = sorted({*lines, *(comment.place.line for comment in comments)})
    order = _Order(lines, owner.id)
    return Summary(
        order.of_class(owner), tuple(replace(comment, place=order.of(comment.place)) for comment in comments)
    )


def _lines(owner: Class) -> Iterator[int]:
    yield from (owner.place.line, owner.last_line)
    branches = (owner.branch, *(member.branch for member in owner.members))
    yield from (_line_of(test) for branch in branches for test in branch if test.path)
    for member in owner.members:
        yield from (member.place.line, member.last_line)
        for signature in (member.signature, *member.overloads):
            yield from (parameter.line for parameter in signature.parameters if parameter.line is not None)
        for call in member.calls:
            yield from (call.place.line, call.last_line)


@dataclass(frozen=True, slots=True)
class _Order:
    """The lines of a class, of which only the order counts.

    Attributes:
        lines: those that matter, sorted.
        path: what stands for the file: the class, for the lines of two classes say nothing of one another.
    """

    lines: list[int]
    path: str

    def line(self, number: int) -> int:
        return bisect_left(self.lines, number) + 1

    def of(self, place: Place) -> Place:
        line = self.line(place.line)
        return Place(self.path, line, 1, line, 1)

    def of_class(self, owner: Class) -> Class:
        return replace(
            owner,
            place=self.of(owner.place),
            last_line=self.line(owner.last_line),
            branch=self.of_branch(owner.branch),
            members=tuple(self.of_member(member) for member in owner.members),
        )

    def of_member(self, member: Member) -> Member:
        return replace(
            member,
            place=self.of(member.place),
            last_line=self.line(member.last_line),
            signature=self.of_signature(member.signature),
            overloads=tuple(map(self.of_signature, member.overloads)),
            branch=self.of_branch(member.branch),
            calls=tuple(self.of_call(call) for call in member.calls),
        )

    def of_call(self, call: CallSite) -> CallSite:
        return CallSite(
            call.method,
            call.route,
            call.positional,
            call.keywords,
            call.has_star,
            call.has_double_star,
            self.of(call.place),
            self.line(call.last_line),
            call.is_guarded,
            call.is_tried,
            call.named,
        )

    def of_signature(self, signature: Signature) -> Signature:
        return Signature(
            tuple(
                [
                    Parameter(
                        entry.name,
                        entry.kind,
                        entry.required,
                        entry.annotation,
                        entry.default,
                        None if entry.line is None else self.line(entry.line),
                    )
                    for entry in signature.parameters
                ]
            )
        )

    def of_branch(self, branch: Branch) -> Branch:
        return tuple(
            replace(test, line=0)
            if not test.path
            else Condition(_LINE.sub("", test.test), test.holds, 0, f"{test.path}:{self.line(_line_of(test))}")
            for test in branch
        )


_LINE = regex(r" of line (\d+)")


def _line_of(test: Condition) -> int:
    """The line that tells a `try` or a `match` from others."""
    found = _LINE.search(test.test)
    return int(found.group(1)) if found is not None else 0
