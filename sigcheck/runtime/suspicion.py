"""Whether an argument that changes its name is misbound: who wrote the call, and what he saw. Asked only of such arguments.

The author of a call is the class of the method that makes it. What he saw is what his own class has under that name; what runs
may be the definition of another class.
"""

from __future__ import annotations

import collections
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from types import CodeType, FrameType, FunctionType
from typing import Any, Final

from sigcheck.core.binding import Argument
from sigcheck.core.dataclass import dataclass
from sigcheck.core.member import Flavour
from sigcheck.core.misbinding import (
    Cause,
    Definition,
    Delivery,
    Misbinding,
    WrongRole,
    collects,
    displaced,
    exchanged,
    strayed,
)
from sigcheck.core.place import Place
from sigcheck.readers.live import StandIn, members_of, order_of
from sigcheck.runtime.flow import MOST_SHAPES, Frame, Plan, Stray, class_of, has_identity, lookup
from sigcheck.runtime.roles import role_of

Settled = tuple[int | str, int | str, str]
"""What is left to ask of an argument that changes its name, whoever wrote the call: whether objects changed places.

Where that object's own parameter gets its argument here, where the one in which it lands got its argument there, and that one's
name. None instead: nothing is left. `_OPEN`: everything.
"""

_OPEN: Final[Settled] = ("", "", "")

Reader = Callable[[type, str, object], "Definition | None"]
"""What a class has under a name, as a definition; None where it is no method, or is not known."""

_MOST_WRAPPERS = 32


class _Open(Enum):
    """What the shape of a call does not decide."""

    VALUES = "it depends on where the other objects land"
    NEVER = "it is no misbinding"


@dataclass(frozen=True, slots=True)
class Found:
    """A misbinding, and where it is called.

    Attributes:
        misbinding: what was found.
        call: the line of the call; None where no Python code makes it.
        depth: how many frames above the one that asked that line is.
    """

    misbinding: Misbinding
    call: Place | None
    depth: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A guarded call within another.

    Attributes:
        plan, args, kwargs: of the call.
        outer: the guarded call that encloses it.
    """

    plan: Plan
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outer: Frame


def misbindings(passage: Passage, suspects: Sequence[Stray], read: Reader, skipped: frozenset[str]) -> Iterator[Found]:
    """Which arguments of a call are misbound.

    Args:
        passage: the call.
        suspects: the arguments that change their name, with the name that they had.
        read: reads definitions.
        skipped: files whose frames are the guard's own.
    """
    frame, depth = _outside(skipped)
    values = [value for _, _, value in passage.plan.passed(passage.args, passage.kwargs)]
    question = _Question(passage, frame, read)
    for argument, name in suspects:
        mine = passage.plan.value(argument, passage.args, passage.kwargs)
        if sum(1 for value in values if value is mine) > 1:
            continue
        cause = question.cause(argument, name)
        if cause is not None:
            lands_in = passage.plan.landings[argument]
            misbinding = Misbinding(argument, name, lands_in, question.callee, question.caller, cause)
            yield Found(misbinding, _place(frame), depth)


def wrong_roles(
    plan: Plan, args: tuple[Any, ...], kwargs: Mapping[str, Any], outer: Frame | None, skipped: frozenset[str]
) -> Iterator[Found]:
    """Which arguments carry a role that the parameter in which they land does not take, whoever calls."""
    caller = outer.plan.method.definition if outer is not None else None
    for argument, lands_in, demanded in plan.roles:
        carried = role_of(plan.value(argument, args, kwargs))
        if carried is not None and carried not in demanded:
            frame, depth = _outside(skipped)
            cause = WrongRole(carried, tuple(sorted(demanded)))
            misbinding = Misbinding(argument, None, lands_in, plan.method.definition, caller, cause)
            yield Found(misbinding, _place(frame), depth)


def _outside(skipped: frozenset[str]) -> tuple[FrameType | None, int]:
    """The frame of the code that calls, and how many of the guard's stand between it and who asked for this one's caller."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - documented in `sys`, and what `inspect` has is slow
    depth = 1
    while frame is not None and frame.f_code.co_filename in skipped:
        frame, depth = frame.f_back, depth + 1
    return frame, depth


# The quick answer, for who changes names on purpose at every call.


def is_settled(  # noqa: PLR0917 - asked at each call that changes a name
    plan: Plan,
    outer: Frame,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    suspects: Sequence[Stray],
    read: Reader,
) -> bool:
    """No argument of a call is misbound, whoever wrote it: nobody has to be looked for."""
    kind = class_of(outer.args[0])
    settled = plan.settled
    moves: dict[str, str] = {}
    several = len(suspects) > 1
    for argument, name in suspects:
        key = (outer.plan, kind, argument, name)
        try:
            known = settled[key]
        except KeyError:
            known = _settled(Passage(plan, args, kwargs, outer), argument, name, read)
            if len(settled) < MOST_SHAPES:
                settled[key] = known
                _remember(plan, outer.plan, argument, (kind, name), known)
        if known is None:
            continue
        if known is _OPEN:
            return False
        here, there, lands_in = known
        mine = args[here] if isinstance(here, int) else kwargs[here]
        if mine is (outer.args[there] if isinstance(there, int) else outer.kwargs[there]):
            return False
        if several:
            if name in moves.values() or lands_in in moves:
                return False
            moves[name] = lands_in
    return True


def _remember(plan: Plan, outer: Plan, argument: Argument, change: tuple[type, str], known: Settled | None) -> None:
    """Let `strays` pass over what is settled for an argument by position, as far as two positions decide it."""
    here, there, _ = known if known is not None else (0, 0, "")
    if isinstance(argument, str) or isinstance(here, str) or isinstance(there, str):
        return
    for index, _, _, exchanges in plan.pairs.get(outer, ()):
        if index == argument + plan.skipped:
            exchanges[change] = (here, there) if known is not None else None


def _settled(passage: Passage, argument: Argument, name: str, read: Reader) -> Settled | None:
    """See `Settled`. What it rests on: in no class of the receiver, the author's may be any, is the argument bound elsewhere."""
    plan, outer = passage.plan, passage.outer.plan
    callee, caller = plan.method.definition, outer.method.definition
    order = order_of(class_of(passage.outer.args[0]))
    if lookup(order, callee.name)[0] is not plan.method.owner:
        return _OPEN
    for entry in order[:-1]:
        owner, value = lookup(order_of(entry), callee.name)
        seen = read(owner, callee.name, value) if owner is not None else None
        if seen is None or (
            seen is not callee and (strayed(argument, plan.shape, callee, seen) or collects(argument, plan.shape, seen))
        ):
            return _OPEN
    lands_in = plan.landings[argument]
    if caller.name == callee.name or name not in plan.places or lands_in not in outer.places:
        return None
    return plan.index(plan.places[name]), outer.index(outer.places[lands_in]), lands_in


def _place(frame: FrameType | None) -> Place | None:
    if frame is None:
        return None
    line = frame.f_lineno or frame.f_code.co_firstlineno
    return Place(frame.f_code.co_filename, line, 1, line, 1)


class _Question:
    """What is asked of one call."""

    def __init__(self, passage: Passage, frame: FrameType | None, read: Reader) -> None:
        self._passage = passage
        self._frame = frame
        self._read = read
        self.callee = passage.plan.method.definition
        self.caller = passage.outer.plan.method.definition
        receiver = passage.outer.args[0] if passage.plan.method.flavour is Flavour.STATIC else passage.args[0]
        found, _ = lookup(order_of(class_of(receiver)), self.callee.name)
        self._is_upward = found is not passage.plan.method.owner
        """It is called as `super()`, or by the name of its class: a lookup on the receiver finds another."""

    def cause(self, argument: Argument, name: str) -> Cause | None:
        """Why it is misbound; None where it is not. What the call's shape and its code decide is asked once."""
        verdicts = self._passage.plan.verdicts
        code = self._frame.f_code if self._frame is not None else None
        key = (self._passage.outer.plan, argument, name, code, self._is_upward)
        known = verdicts.get(key)
        if known is _Open.NEVER or isinstance(known, Cause):
            return known if isinstance(known, Cause) else None
        author, is_certain = self._author()
        seen = self._seen(author) if author is not None else None
        if known is None:
            known = self._by_shape(argument, name, author, seen)
            if is_certain and len(verdicts) < MOST_SHAPES:
                verdicts[key] = known
        if isinstance(known, Cause):
            return known
        return self._by_values(argument, name, seen) if known is _Open.VALUES else None

    def _by_shape(self, argument: Argument, name: str, author: type | None, seen: Definition | None) -> Cause | _Open:
        """What is so in every call of this shape, from this code."""
        if author is None:
            return _Open.NEVER  # What encloses the call is not on the stack: nobody there makes it.
        plan = self._passage.plan
        if seen is not None and seen is not self.callee:
            found = strayed(argument, plan.shape, self.callee, seen)
            if found is not None:
                return found
        if self.caller.name == self.callee.name and not self._is_upward:
            return _Open.NEVER  # A method that calls itself: who turns a comparison round does it on purpose.
        knows_both = (
            self.callee.signature.get(name) is not None
            and self.caller.signature.get(plan.landings[argument]) is not None
        )
        return _Open.VALUES if knows_both or self._may_be_displaced(argument, seen) else _Open.NEVER

    def _by_values(self, argument: Argument, name: str, seen: Definition | None) -> Cause | None:
        """What depends on where the other objects of this call land."""
        delivery = self._delivery()
        found = exchanged(name, delivery)
        if found is None and self._may_be_displaced(argument, seen):
            return displaced(argument, self.callee.signature, delivery)
        return found

    def _may_be_displaced(self, argument: Argument, seen: Definition | None) -> bool:
        """Its name is evidence: its author saw no definition, or one without that slot, or hands on to what he overrides.

        Between siblings that he had before him, he passes what he has.
        """
        if isinstance(argument, str):
            return False
        if seen is None:
            return True
        if seen is self.callee:
            return self._is_upward and self.caller.name == self.callee.name
        return collects(argument, self._passage.plan.shape, seen)

    def _delivery(self) -> Delivery:
        plan, outer = self._passage.plan, self._passage.outer
        passed = list(plan.passed(self._passage.args, self._passage.kwargs))
        names = {argument: name for argument, _, value in passed if (name := outer.named().get(id(value))) is not None}
        times = collections.Counter(id(value) for _, _, value in passed)
        moves = {
            names[argument]: slot
            for argument, slot, value in passed
            if slot is not None and argument in names and names[argument] != slot and times[id(value)] == 1
        }
        returned = {
            slot: frozenset(
                name
                for _, name, mine in outer.plan.passed(outer.args, outer.kwargs)
                if mine is value and name is not None
            )
            for _, slot, value in passed
            if slot is not None and not has_identity(value)
        }
        return Delivery(plan.landings, names, moves, returned)

    # Who wrote the call, and what he saw.

    def _author(self) -> tuple[type | None, bool]:
        """The class in which the call is written, and whether the code that calls is enough to tell.

        That is the class of the guarded method that encloses the call, or of another method of the receiver between the two.
        A function between them is a helper: it calls what it is told.
        """
        method, receiver = self._passage.outer.plan.method, self._passage.outer.args[0]
        order = order_of(class_of(receiver))
        frame, is_certain = self._frame, True
        while frame is not None:
            owner = method.owner if frame.f_code in method.codes else _owner(frame.f_code, order)
            if owner is not None:
                return owner, is_certain
            frame, is_certain = frame.f_back, False
        return None, False

    def _seen(self, author: type) -> Definition | None:
        """What the call finds in the author's own class."""
        order = order_of(author)
        own = self._passage.plan.method.owner
        if self._is_upward:
            if own in order:
                return self.callee
            order = order[1:]
        owner, value = lookup(order, self.callee.name)
        if owner is own:
            return self.callee
        return self._read(owner, self.callee.name, value) if owner is not None else None


def _owner(code: CodeType, order: Iterable[type]) -> type | None:
    """The class of an order that has a method with that code, also behind wrappers."""
    for entry in order:
        if any(code is known for known in _codes(members_of(entry).get(code.co_name))):
            return entry
    return None


def _codes(value: object) -> Iterator[CodeType]:
    for _ in range(_MOST_WRAPPERS):
        match value:
            case classmethod() | staticmethod():
                value = value.__func__
            case FunctionType():
                yield value.__code__
                value = value.__dict__.get("__wrapped__")
            case StandIn():
                value = value.function
            case _:
                return
