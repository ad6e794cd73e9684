"""Calls between the methods of a class, bound in every class that the receiver can be. Imports `hierarchy` and `binding`.

A call to `self.m(...)` has one author and many callees: one in each class that inherits the calling method and has another `m`.
The author saw the callee of the class in which the call stands; what the call does in that one is what it must do in the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Protocol

from sigcheck.core.binding import Binding, CallShape, Refusal, Rejection, bind_certain, is_misbinding
from sigcheck.core.callsite import CallSite, Route
from sigcheck.core.dataclass import dataclass
from sigcheck.core.hierarchy import Hierarchy, Linearization
from sigcheck.core.member import Flavour, Member
from sigcheck.core.module import Class
from sigcheck.core.place import can_coexist
from sigcheck.core.signature import Signature

MANY_BY_POSITION = 3
"""Optional arguments by position, from which `positional-forwarding` speaks."""


@dataclass(frozen=True, slots=True)
class MisboundArgument:
    """Arguments that are one parameter to the author of the call, and land in another.

    Attributes:
        arguments: their source texts.
        parameters: for each, what the author's callee binds it to; or what bears its name.
        targets: for each, the parameter that receives it.
        is_by_name: that their names say so is all the evidence.
    """

    rule: ClassVar[str] = "misbound-argument"
    arguments: tuple[str, ...]
    parameters: tuple[str, ...]
    targets: tuple[str, ...]
    is_by_name: bool


@dataclass(frozen=True, slots=True)
class RejectedArgument:
    """The call raises `TypeError`; `argument` is the source text of what is refused, None where something is missing."""

    rule: ClassVar[str] = "rejected-argument"
    argument: str | None
    rejection: Rejection


@dataclass(frozen=True, slots=True)
class PositionalForwarding:
    """The call passes these optional parameters by position."""

    rule: ClassVar[str] = "positional-forwarding"
    parameters: tuple[str, ...]


CallReason = MisboundArgument | RejectedArgument | PositionalForwarding
"""What can be wrong with a call in one callee."""


@dataclass(frozen=True, slots=True)
class BrokenCall:
    """A call that does not do in one class what its author saw.

    Attributes:
        reason: why.
        caller_class, caller, call: where it stands.
        receiver: the class of the instance.
        callee_class, callee, signature: what runs there, as it is called.
        seen_class, seen: what runs where the call stands; None where nothing does.
        through: other files that say what is above the receiver, as far as these classes; sorted.
    """

    reason: CallReason
    caller_class: Class
    caller: Member
    call: CallSite
    receiver: Class
    callee_class: Class
    callee: Member
    signature: Signature
    seen_class: Class | None = None
    seen: Member | None = None
    through: tuple[str, ...] = ()


_Stray = tuple[str, str, str]
"""The text of an argument, the parameter it is meant for, and the one in which it lands."""


class Compared(Protocol):
    """What is known of a comparison of overrides."""

    def is_call_wanted(self, receiver: Class, method: str) -> bool:
        """Calls to that method of such an object are to be followed."""

    def is_told(self, receiver: Class, override: Member, base: Member) -> bool:
        """The first overrides the second, and that it breaks the promise is told: not again for every call."""


class Everything:
    """No comparison: every call is wanted, and nothing is told."""

    def is_call_wanted(self, _receiver: Class, _method: str) -> bool:
        """Yes."""
        return True

    def is_told(self, _receiver: Class, _override: Member, _base: Member) -> bool:
        """No."""
        return False


@dataclass(frozen=True, slots=True)
class _Caller:
    """One call, and the member that makes it."""

    owner: Class
    member: Member
    call: CallSite
    number: int = 0

    @property
    def key(self) -> str:
        """Its place among the calls of its class."""
        return f"{self.owner.key}#{self.number}"


@dataclass(frozen=True, slots=True)
class _Callee:
    """What a lookup finds, with the signatures that the call binds: one, or one for each overload."""

    owner: Class
    member: Member
    signatures: tuple[Signature, ...]
    number: int = 0

    @property
    def key(self) -> str:
        """Its place among the definitions of its class."""
        return f"{self.owner.key}.{self.member.name}#{self.number}"


Followed = tuple[str, tuple[int, ...]]
"""The key of a class, and the places of some calls among those of that class."""

CallKeys = tuple[str, str]
"""A call and what it runs, each by its place in its class: where two receivers share both, one telling is enough."""


class Forwarding:
    """The calls of a hierarchy."""

    def __init__(self, hierarchy: Hierarchy, comparison: Compared | None = None) -> None:
        """Args: hierarchy: the classes; comparison: which calls are wanted, and what is told of overrides."""
        self.hierarchy = hierarchy
        self.comparison: Compared = comparison or Everything()
        self._by_method: dict[str, dict[str, list[_Caller]]] = {}
        self._assigned: dict[int, tuple[Linearization, frozenset[str]]] = {}
        self._defined: dict[str, frozenset[str]] = {}
        self._followed: dict[str, dict[int, None]] = {}
        self._done: set[CallKeys] = set()

    def followed(self) -> tuple[Followed, ...]:
        """The calls that were bound in some class; they are forgotten then, as is what was told of them."""
        followed = tuple((owner, tuple(numbers)) for owner, numbers in self._followed.items())
        self._followed.clear()
        self._done.clear()
        return followed

    def broken_calls(self, receivers: Iterable[Class]) -> Iterator[tuple[CallKeys, BrokenCall]]:
        """Every call that does something else in one of these classes, in their order."""
        for receiver in receivers:
            for order in self.hierarchy.linearizations(receiver):
                for caller in self._callers(order):
                    if self.comparison.is_call_wanted(receiver, caller.call.method):
                        yield from self._judged(caller, order)

    def callees(
        self, owner: Class, member: Member, call: CallSite
    ) -> Iterator[tuple[Class, Member, tuple[Signature, ...]]]:
        """What a call in a method of the class runs, on an instance of that very class, and the signatures that it binds."""
        for order in self.hierarchy.linearizations(owner):
            for callee in self._callees(_Caller(owner, member, call), order):
                yield callee.owner, callee.member, callee.signatures

    def followed_calls(
        self, order: Linearization, method: str
    ) -> Iterator[tuple[Class, Member, CallSite, tuple[Class, ...]]]:
        """The calls of a method that run on a receiver of that order: in which class and member, and whose definition they find."""
        for entry in order:
            for caller in self._calls(entry).get(method, ()):
                if self._runs(order, entry, caller.member, set()):
                    found = tuple(dict.fromkeys(callee.owner for callee in self._callees(caller, order)))
                    yield entry, caller.member, caller.call, found

    def _callers(self, order: Linearization) -> Iterator[_Caller]:
        """The calls that may find another callee on this receiver than on any class above it."""
        receiver, *above = order
        for calls in self._calls(receiver).values():
            yield from calls
        if len(receiver.bases) < 2:  # With one base, only what the class itself defines is new.
            names = {member.name for member in receiver.members}
            for entry in above:
                calls_there = self._calls(entry)
                for name in names & calls_there.keys():
                    yield from (
                        caller for caller in calls_there[name] if self._runs(order, entry, caller.member, set())
                    )
            return
        for entry in above:
            for calls in self._calls(entry).values():
                yield from (caller for caller in calls if self._runs(order, entry, caller.member, set()))

    def _calls(self, owner: Class) -> dict[str, list[_Caller]]:
        """The calls in the methods of a class, by the name of what they call."""
        known = self._by_method.get(owner.key)
        if known is None:
            known = self._by_method[owner.key] = {}
            # Whoever asks which definition there is calls each as it wants to be called.
            probed = {name for member in owner.members for name in member.probes}
            calls = ((member, call) for member in owner.members for call in member.calls)
            for number, (member, call) in enumerate(calls):
                is_certain = not call.is_tried and (call.method not in probed or call.route is not Route.INSTANCE)
                if is_certain and member.flavour is not Flavour.STATIC:
                    known.setdefault(call.method, []).append(_Caller(owner, member, call, number))
        return known

    def _runs(self, order: Linearization, owner: Class, member: Member, seen: set[tuple[str, str]]) -> bool:
        """On that receiver the method is still the one that runs, or one that runs calls it as `super()`."""
        if (owner.key, member.name) in seen:
            return False
        seen.add((owner.key, member.name))
        below = order[: order.index(owner)]
        nearer = [entry for entry in below if self._defines(entry, member.name)]
        if not nearer:
            return True
        for entry in below[below.index(nearer[0]) :]:
            for caller in self._calls(entry).get(member.name, ()):
                if self._upward(caller, order) is owner and self._runs(order, entry, caller.member, seen):
                    return True
        return False

    def _upward(self, caller: _Caller, order: Linearization) -> Class | None:
        """The class whose definition a call by `super()`, or by the name of a class, runs on a receiver of that order."""
        start = 0
        match caller.call.route:
            case Route.SUPER:
                start = self._behind(caller, order)
            case Route.CLASS:
                named = self._named(caller.call, caller.owner)
                order = self.hierarchy.linearizations(named)[0] if named is not None else ()
            case _:
                return None
        if start < 0:
            return None
        return next((entry for entry in order[start:] if self._defines(entry, caller.call.method)), None)

    # One call on one receiver.

    def _judged(self, caller: _Caller, order: Linearization) -> Iterator[tuple[CallKeys, BrokenCall]]:
        is_own = order[0] is caller.owner
        if (caller.call.route is Route.CLASS or caller.call.is_guarded) and not is_own:
            return
        if caller.member.name in _ON_THE_CLASS and caller.member.flavour is Flavour.INSTANCE:
            return
        callees = self._callees(caller, order)
        if callees:
            self._followed.setdefault(caller.owner.key, {})[caller.number] = None
        for callee in callees:
            key = (caller.key, callee.key)
            if key in self._done:
                continue
            self._done.add(key)
            seen = callee if is_own else self._seen(caller, callee)
            for reason, signature in self._reasons(caller, callee, seen, order[0]):
                yield (
                    key,
                    BrokenCall(
                        reason,
                        caller.owner,
                        caller.member,
                        caller.call,
                        order[0],
                        callee.owner,
                        callee.member,
                        signature,
                        seen.owner if seen is not None else None,
                        seen.member if seen is not None else None,
                    ),
                )

    def _seen(self, caller: _Caller, callee: _Callee) -> _Callee | None:
        """What the call finds in the class in which it stands."""
        for order in self.hierarchy.linearizations(caller.owner):
            found = self._callees(caller, order)
            for candidate in found:
                if can_coexist(candidate.member.branch, callee.member.branch):
                    return candidate
        return None

    def _callees(self, caller: _Caller, order: Linearization) -> list[_Callee]:
        """What the call runs; nothing where that is not certain, or is no method with a source."""
        call = caller.call
        start = 0
        if call.route is Route.SUPER:
            start = self._behind(caller, order)
        elif call.route is Route.CLASS:
            named = self._named(call, caller.owner)
            if named is None:
                return []
            order = self.hierarchy.linearizations(named)[0]
        elif call.route is Route.INSTANCE and call.method in self._assigns(order):
            return []
        elif call.route is Route.TYPE and caller.member.flavour is Flavour.CLASS:
            return []  # The receiver is a class, and that of a class is no class of the order.
        if start < 0:
            return []
        index = next(
            (index for index in range(start, len(order)) if self._mentions(order[index], call.method)),
            None,
        )
        if index is None or not self._is_certain(order, start, index, call.method):
            return []
        if _is_mangled(call.method) and order[index] is not caller.owner:
            return []
        if call.route is Route.INSTANCE and call.method in _OF_THE_INSTANCE and self._makes_classes(caller.owner):
            return []
        found = []
        for number, member in enumerate(self.hierarchy.definitions(order[index], call.method)):
            is_clear = member.flavour.is_method and not member.is_dispatched
            if is_clear and can_coexist(member.branch, caller.member.branch):
                signatures = _called(member, caller)
                if signatures:
                    found.append(_Callee(order[index], member, signatures, number))
        return found

    def _makes_classes(self, owner: Class) -> bool:
        """The class is a metaclass: its instances are classes, and have the methods of classes first."""
        return any(
            reference.endswith(":type")
            for order in self.hierarchy.linearizations(owner)
            for entry in order
            for references in entry.bases
            for reference in references
        )

    def _behind(self, caller: _Caller, order: Linearization) -> int:
        """Where `super()` begins to look; -1 where nobody knows."""
        owner: Class | None = caller.owner
        if caller.call.named:
            owner = self._named(caller.call, caller.owner)
        return order.index(owner) + 1 if owner is not None and owner in order else -1

    def _named(self, call: CallSite, near: Class) -> Class | None:
        """The class that a call names, if it can be only one."""
        found = {
            target
            for reference in call.named
            for target in self.hierarchy.resolver.resolve(reference, near.place.path)
            if isinstance(target, Class)
        }
        return found.pop() if len(found) == 1 else None

    def _assigns(self, order: Linearization) -> frozenset[str]:
        """The attributes that methods of some classes assign on their receiver: an instance has these instead of methods."""
        known = self._assigned.get(id(order))
        if known is None:
            names = frozenset(name for entry in order for member in entry.members for name in member.assigns)
            known = self._assigned[id(order)] = (order, names)  # With the order, so that no other has its identity.
        return known[1]

    def _defines(self, owner: Class, name: str) -> bool:
        """The class has a definition of that name."""
        known = self._defined.get(owner.key)
        if known is None:
            known = self._defined[owner.key] = frozenset(member.name for member in owner.members)
        return name in known

    def _mentions(self, owner: Class, name: str) -> bool:
        """The class has something under that name, be it only a field."""
        return self._defines(owner, name) or any(entry.name == name for entry in owner.fields)

    def _is_certain(self, order: Linearization, start: int, index: int, name: str) -> bool:
        """No class without source can stand before the one that was found, and none before it has the name made for it."""
        if not self.hierarchy.is_certain(order, index):
            return False
        is_synthetic = name.startswith("__") and name.endswith("__")
        return not (is_synthetic and any(entry.is_decorated for entry in order[start:index]))

    # What the call does in the callee.

    def _reasons(
        self, caller: _Caller, callee: _Callee, seen: _Callee | None, receiver: Class
    ) -> Iterator[tuple[CallReason, Signature]]:
        outcomes = [(signature, _bound(signature, caller.call)) for signature in callee.signatures]
        accepted = next(((signature, found) for signature, found in outcomes if not isinstance(found, Rejection)), None)
        is_own = seen is not None and seen.member is callee.member
        is_told = seen is not None and not is_own and self.comparison.is_told(receiver, callee.member, seen.member)
        if accepted is None:
            signature, rejection = outcomes[0]
            # What the author's own callee refuses is told there, once; a placeholder raises whatever it is given.
            is_refused_there = seen is not None and _refuses(seen, caller.call) and not seen.member.is_placeholder
            is_new = is_own or not (is_told or is_refused_there or self._is_refused_above(callee, caller, seen))
            if isinstance(rejection, Rejection) and is_new and not callee.member.is_placeholder:
                yield RejectedArgument(_refused(caller.call, rejection, signature), rejection), signature
            return
        signature, binding = accepted
        strayed = (
            [] if seen is None or is_own or is_told else list(self._strayed(caller.call, binding, signature, seen))
        )
        if strayed:
            yield _misbound(strayed, is_by_name=False), signature
        elif not is_told:
            misnamed = [
                landing
                for position, landing in _misnamed(caller, binding, signature)
                if (
                    _is_forwarding(caller) or _fits_by_name(signature, caller.call, position)
                    if seen is None
                    else (
                        _is_forwarding(caller)
                        and (is_own or not _is_another_thing(landing[1], landing[2], seen.signatures))
                    )
                    or (not is_own and _collects(seen, caller.call, position))
                )
            ]
            if misnamed:
                yield _misbound(misnamed, is_by_name=True), signature
        if is_own:
            optional = [
                parameter.name
                for position in range(len(caller.call.positional))
                if not (parameter := binding[position]).required and parameter.is_keyword
            ]
            if len(optional) >= MANY_BY_POSITION:
                yield PositionalForwarding(tuple(optional)), signature

    def _is_refused_above(self, callee: _Callee, caller: _Caller, seen: _Callee | None) -> bool:
        """A parent of the callee's class has a definition that refuses the call too: it is told there."""
        for order in self.hierarchy.linearizations(callee.owner):
            nearer = next((entry for entry in order[1:] if self._defines(entry, caller.call.method)), None)
            if nearer is None or (seen is not None and nearer is seen.owner) or caller.owner not in order:
                continue
            for member in self.hierarchy.definitions(nearer, caller.call.method):
                signatures = _called(member, caller) if member.flavour.is_method else ()
                if signatures and _refuses(_Callee(nearer, member, signatures), caller.call):
                    return caller.owner in self.hierarchy.linearizations(nearer)[0]
        return False

    def _strayed(self, call: CallSite, binding: Binding, signature: Signature, seen: _Callee) -> Iterator[_Stray]:
        """The arguments that land elsewhere than where the author of the call saw them land."""
        family = [
            member.signature
            for order in self.hierarchy.linearizations(seen.owner)
            for entry in order
            for member in entry.members
        ]
        for theirs in seen.signatures:
            promised = _bound(theirs, call)
            if isinstance(promised, Rejection):
                continue
            for position, text in enumerate(call.positional):
                parameter, lands_in = promised[position], binding[position]
                if is_misbinding(parameter, lands_in, signature, theirs) and _is_another_thing(
                    parameter.name, lands_in.name, (signature, *family)
                ):
                    yield text, parameter.name, lands_in.name
            return


_OF_THE_INSTANCE = ("__new__", "__init__", "__call__")
_ON_THE_CLASS = ("setup_class", "teardown_class")
"""What pytest calls on the class: without a decorator, the receiver is one, and its methods take theirs written out."""


def _is_mangled(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")


def _called(member: Member, caller: _Caller) -> tuple[Signature, ...]:
    """The signatures that the call binds."""
    written = member.overloads or (member.signature,)
    is_on_class = caller.call.route in (Route.TYPE, Route.CLASS) or caller.member.flavour is Flavour.CLASS
    if member.flavour is Flavour.STATIC or (member.flavour is Flavour.INSTANCE and is_on_class):
        return written
    return tuple(signature for signature in member.bound_signatures() if signature is not None)


def _bound(signature: Signature, call: CallSite) -> Binding | Rejection:
    return bind_certain(signature, call.shape, has_star=call.has_star, has_double_star=call.has_double_star)


def _refuses(callee: _Callee, call: CallSite) -> bool:
    return all(isinstance(_bound(signature, call), Rejection) for signature in callee.signatures)


def _refused(call: CallSite, rejection: Rejection, signature: Signature) -> str | None:
    """The text of the argument that is refused."""
    for name, text in call.keywords:
        if name in rejection.names and rejection.is_about_a_keyword:
            return f"{name}={text}"
    slots = len(signature.positional)
    return call.positional[slots] if not rejection.names and slots < len(call.positional) else None


def _is_another_thing(parameter: str, lands_in: str, signatures: Iterable[Signature]) -> bool:
    """Some signature has both names, so that they are two things; else the one is only the other's new name."""
    return any(_has(signature, parameter) and _has(signature, lands_in) for signature in signatures)


def _misbound(strays: Sequence[_Stray], *, is_by_name: bool) -> MisboundArgument:
    arguments, parameters, targets = zip(*strays, strict=True)
    return MisboundArgument(arguments, parameters, targets, is_by_name)


def _is_forwarding(caller: _Caller) -> bool:
    """A method that hands on to what it overrides, above all a constructor: what it takes by a name, that takes by it too.

    Between siblings the author had both before him: who walks a tree, or turns a comparison round, passes what he has elsewhere.
    """
    return caller.call.method == caller.member.name and caller.call.route in (Route.SUPER, Route.CLASS)


def _collects(seen: _Callee, call: CallSite, position: int) -> bool:
    """The author's callee takes that argument in its `*args`: what it is, only its name tells."""
    bindings = [_bound(signature, call) for signature in seen.signatures]
    return all(not isinstance(binding, Rejection) and binding[position].is_variadic for binding in bindings)


def _fits_by_name(signature: Signature, call: CallSite, position: int) -> bool:
    """Nothing is missing where the argument is passed by the name that it bears: its author can have meant that."""
    keywords = (*call.shape.keywords, call.positional[position])
    moved = CallShape(call.shape.positional - 1, keywords)
    found = bind_certain(signature, moved, has_star=call.has_star, has_double_star=call.has_double_star)
    return not isinstance(found, Rejection) or found.refusal is not Refusal.MISSING_ARGUMENT


def _misnamed(caller: _Caller, binding: Binding, signature: Signature) -> Iterator[tuple[int, _Stray]]:
    """The arguments that bear the name of another parameter of the callee than the one in which they land."""
    texts: dict[int | str, str] = {**dict(enumerate(caller.call.positional)), **dict(caller.call.keywords)}
    given = {parameter.name: texts[argument] for argument, parameter in binding.items()}
    for position, text in enumerate(caller.call.positional):
        lands_in, namesake = binding[position], signature.get(text)
        if namesake is None or namesake.is_variadic or lands_in.is_variadic or text == lands_in.name:
            continue
        if f"_{lands_in.name}_".find(f"_{text}_") >= 0:
            continue  # `hidden_states` in `original_hidden_states`: the name fits there too.
        # Its place is empty, or taken by what bears the name of a third: else the author knew, and the name is a coincidence.
        instead = given.get(text)
        if instead is None or (instead != text and _has(signature, instead)):
            yield position, (text, text, lands_in.name)


def _has(signature: Signature, name: str) -> bool:
    parameter = signature.get(name)
    return parameter is not None and not parameter.is_variadic
