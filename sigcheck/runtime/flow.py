"""What the guarded calls that run now received, and whether the next one misbinds an argument. Puts no wrapper on anything.

Only objects are compared, and only by identity: nothing that belongs to them is asked or run.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from types import CodeType
from typing import Any, Final, cast

from sigcheck.core.binding import Argument, CallShape, Rejection, bind
from sigcheck.core.member import Flavour
from sigcheck.core.misbinding import Definition
from sigcheck.readers.live import members_of, order_of

MOST_SHAPES = 256
"""Call shapes of one method whose plan is kept; a method that is called with any keywords has no end of them."""

Stray = tuple[Argument, str]
"""An argument, and the name that its object has in the enclosing call."""

Pair = tuple[int, int, str, dict[tuple[type, str], "tuple[int, int] | None"]]
"""A positional argument with a name, as another call may enclose it.

Its index; the index of the argument of that name there, or that of the receiver, which has no name; the name; and for objects
of other names there that are known to be meant here, if nothing else changes its name, by the class of the receiver: where the
two arguments are that are one object if they changed places; None where they cannot have.
"""

Receiver = object
"""What a method is called on: an instance, or for a class method the class."""


class Method:
    """One guarded definition: a function in the `__dict__` of a class.

    Attributes:
        owner: the class.
        definition: what a call sees of it.
        flavour: instance, class or static.
        codes: its code, and that of the functions within.
        roles: finds the roles that its parameters demand, by name; asked when it is first called in a new shape.
        plans: what is known of each call shape: how many arguments, and which keywords.
    """

    __slots__ = ("codes", "definition", "flavour", "owner", "plans", "roles")

    def __init__(
        self,
        owner: type,
        definition: Definition,
        flavour: Flavour,
        code: CodeType,
        roles: Callable[[], Mapping[str, frozenset[str]]] = dict,
    ) -> None:
        self.owner = owner
        self.definition = definition
        self.flavour = flavour
        self.codes = frozenset(_within(code))
        self.roles = roles
        self.plans: dict[object, Plan | None] = {}

    def plan(self, key: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Plan | None:
        """What is known of a call of that shape, which is made now for the first time; None for one that is refused."""
        skipped = 0 if self.flavour is Flavour.STATIC else 1
        shape = CallShape(len(args) - skipped, tuple(kwargs))
        binding = bind(self.definition.signature, shape)
        plan = None
        if not isinstance(binding, Rejection):
            landings = {
                argument: sys.intern(parameter.name)
                for argument, parameter in binding.items()
                if not parameter.is_variadic
            }
            slots = (*(None,) * skipped, *(landings.get(position) for position in range(shape.positional)))
            plan = Plan(self, shape, landings, slots, {keyword: landings.get(keyword) for keyword in shape.keywords})
            roles = self.roles()
            plan.roles = tuple(
                (argument, parameter.name, roles[parameter.name])
                for argument, parameter in binding.items()
                if parameter.name in roles
            )
        if len(self.plans) < MOST_SHAPES:
            self.plans[key] = plan
        return plan


class Plan:
    """One call shape of a guarded method.

    Attributes:
        method: what is called.
        shape: how, without the receiver.
        skipped: how many arguments the receiver is: one, or none.
        landings: the parameter of each argument, but for those that land in a catch-all.
        slots: the same for each positional argument, the receiver included; None for what has no name.
        keywords: the same for each keyword.
        places: for each parameter that gets an argument, which.
        roles: the arguments that land in a parameter that demands a role, a catch-all included; that parameter, and the
            roles that fit.
        pairs: for each plan of an enclosing call, the positional arguments that are named here.
        verdicts, settled: what is known of an argument that changes its name, in one kind of call; see `suspicion`.
    """

    __slots__ = (
        "keywords",
        "landings",
        "method",
        "pairs",
        "places",
        "roles",
        "settled",
        "shape",
        "skipped",
        "slots",
        "verdicts",
    )

    def __init__(
        self,
        method: Method,
        shape: CallShape,
        landings: Mapping[Argument, str],
        slots: tuple[str | None, ...],
        keywords: Mapping[str, str | None],
    ) -> None:
        self.method = method
        self.shape = shape
        self.skipped = len(slots) - shape.positional
        self.landings = landings
        self.slots = slots
        self.keywords = keywords
        self.places: dict[str, Argument] = {name: argument for argument, name in landings.items()}
        self.roles: tuple[tuple[Argument, str, frozenset[str]], ...] = ()
        self.pairs: dict[Plan, tuple[Pair, ...]] = {}
        self.verdicts: dict[object, object] = {}
        self.settled: dict[object, Any] = {}

    def pair(self, outer: Plan) -> tuple[Pair, ...]:
        """See `pairs`."""
        found: tuple[Pair, ...] = tuple(
            (index, outer.slots.index(slot) if slot in outer.slots else 0, slot, {})
            for index, slot in enumerate(self.slots)
            if slot is not None
        )
        if len(self.pairs) < MOST_SHAPES:
            self.pairs[outer] = found
        return found

    def index(self, argument: Argument) -> Argument:
        """Where an argument is, if the receiver is counted."""
        return argument if isinstance(argument, str) else argument + self.skipped

    def value(self, argument: Argument, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """One argument of a call of that shape."""
        return kwargs[argument] if isinstance(argument, str) else args[argument + self.skipped]

    def passed(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[tuple[Argument, str | None, Any]]:
        """Each argument behind the receiver, the parameter in which it lands, and the object."""
        for position in range(self.shape.positional):
            yield position, self.slots[position + self.skipped], args[position + self.skipped]
        for keyword, value in kwargs.items():
            yield keyword, self.keywords[keyword], value


class Frame:
    """One guarded call that runs.

    Attributes:
        plan: of the call.
        args, kwargs: what it was called with.
        names: the name of each object that has one, by identity, and None for what is two arguments at once; from when it is
            first asked for by `named`.
    """

    __slots__ = ("args", "kwargs", "names", "plan")

    def __init__(self, plan: Plan, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self.plan = plan
        self.args = args
        self.kwargs = kwargs
        self.names: dict[int, str | None] | None = None

    def named(self) -> dict[int, str | None]:
        """See `names`."""
        if self.names is None:
            self.names = found = {}
            for _, name, value in self.plan.passed(self.args, self.kwargs):
                if has_identity(value):
                    key = id(value)
                    found[key] = None if key in found else name
        return self.names


class Strand(threading.local):
    """The guarded calls that run in this thread, and of those the innermost on each receiver.

    A generator or a coroutine is in it only while it really runs, so it is the same for every task of a thread.

    Attributes:
        frames: the innermost call, by the identity of its receiver.
    """

    def __init__(self) -> None:
        self.frames: dict[int, Frame] = {}


STRAND: Final = Strand()


# Values and objects

_VALUES = (bool, int, float, complex, str, bytes, type(None), type(...), type(NotImplemented), Enum)
_NESTING = 3


def has_identity(value: object, depth: int = 0) -> bool:
    """An object is one thing; a value is the same wherever it comes from: `None`, numbers, text, members of an enumeration.

    So are tuples and frozen sets of nothing but values.
    """
    kind = type(value)
    order = order_of(kind)
    if any(known in order for known in _VALUES):
        return False
    if kind is tuple or kind is frozenset:
        return depth >= _NESTING or any(has_identity(item, depth + 1) for item in value)  # type: ignore[attr-defined]
    return True


# Who calls, and on what


def innermost(frames: dict[int, Frame], method: Method, args: tuple[Any, ...]) -> Frame | None:
    """The guarded call that encloses this one, of a class or static method, although its receiver is another object."""
    if method.flavour is Flavour.CLASS:
        return next((frame for frame in reversed(frames.values()) if class_of(frame.args[0]) is args[0]), None)
    for frame in reversed(frames.values()):
        if lookup(order_of(class_of(frame.args[0])), method.definition.name)[0] is method.owner:
            return frame
    return None


def class_of(receiver: Receiver) -> type:
    """The class on which the methods of a receiver are looked up."""
    kind = type(receiver)
    return cast("type", receiver) if type in order_of(kind) else kind


def lookup(order: Iterable[type], name: str) -> tuple[type | None, object]:
    """The first class of an order that has the name, and what it has."""
    for entry in order:
        members = members_of(entry)
        if name in members:
            return entry, members[name]
    return None, None


def _within(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _within(constant)


# What is passed on


def strays(plan: Plan, outer: Frame, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Stray] | None:
    """The arguments that have another name in the enclosing call than the parameter in which they land. None: mostly so.

    Most are where they were: what is the very object that the enclosing call has under that name is not looked up. One that is
    known to be meant is none of them.
    """
    try:
        pairing = plan.pairs[outer.plan]
    except KeyError:
        pairing = plan.pair(outer.plan)
    theirs = outer.args
    names: dict[int, str | None] | None = None
    found: list[Stray] | None = None
    meant: tuple[int, str] | None = None
    for index, other, slot, exchanges in pairing:
        value = args[index]
        if value is not theirs[other]:
            names = names or outer.names or outer.named()
            name = names.get(id(value))
            if name is None or name == slot:
                continue
            if meant is None and found is None and not kwargs:
                try:
                    places = exchanges[type(theirs[0]), name]
                    if places is None or args[places[0]] is not theirs[places[1]]:
                        meant = index, name
                        continue
                except KeyError:
                    pass
            if found is None:
                found = [] if meant is None else [(meant[0] - plan.skipped, meant[1])]
            found.append((index - plan.skipped, name))
    if kwargs:
        names = names or outer.names or outer.named()
        for keyword, value in kwargs.items():
            name = names.get(id(value))
            if name is not None and name != (slot_ := plan.keywords[keyword]) and slot_ is not None:
                found = [*(found or ()), (keyword, name)]
    return found
