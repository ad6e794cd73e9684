"""Sibling methods of one class, and the order of the parameters that they share. Imports `contract`, `diagnostic`,
`guarded` and `hierarchy`.

An *order* is two names of positional slots, the first in front. Two siblings drift where one has an order and the other
the reverse. What the highest class of the contract that has both names says is right; there, what most siblings say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase

from sigcheck.core.contract import Contract
from sigcheck.core.dataclass import dataclass
from sigcheck.core.diagnostic import SiblingDrift
from sigcheck.core.guarded import Guarded
from sigcheck.core.hierarchy import Linearization
from sigcheck.core.member import Member
from sigcheck.core.module import Class
from sigcheck.core.place import Branch, Place, can_coexist

Order = tuple[str, str]
"""Two names of slots, the first in front."""

Group = tuple[str, ...]
"""Globs of the names of siblings."""

IsTold = Callable[[Place, Order], bool]
"""Whether another rule speaks of these two parameters at that method already."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sibling:
    """A definition of one method of a group, as one class has it: its own, or inherited from `holder`."""

    holder: Class
    member: Member
    slots: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        return self.member.name

    def has(self, order: Order) -> bool:
        """Some signature has the two in that order, and none in the other."""
        found = {
            slots.index(order[0]) < slots.index(order[1])
            for slots in self.slots
            if order[0] in slots and order[1] in slots
        }
        return found == {True}


View = tuple[_Sibling, ...]
"""The siblings of a group that one class has, in the order of the group."""


class Siblings:
    """The groups of siblings of some contracts, in every class that they are about."""

    def __init__(self, guarded: Guarded, owners: Sequence[Class]) -> None:
        """Args: guarded: which classes the contracts are about; owners: those to look at."""
        self.guarded = guarded
        self.hierarchy = guarded.hierarchy
        self.owners = owners
        self._views: dict[tuple[Group, str], View] = {}
        self._told: set[tuple[str, Place, Order]] = set()

    def views(self, contract: Contract) -> Iterator[tuple[Class, Linearization, Group, View]]:
        """Each class that a contract is about, with what it has of each group, for each of its method resolution orders."""
        for owner in self.owners if contract.siblings else ():
            if self.guarded.is_about(contract, owner):
                for order in self.hierarchy.linearizations(owner):
                    for group in contract.siblings:
                        yield owner, order, group, self._view(order, group)

    def are_found(self, owner: Class, group: Group) -> bool:
        """A class has two methods of the group."""
        orders = self.hierarchy.linearizations(owner)
        return len({name for order in orders for name, _ in _names(order, group)}) > 1

    def drifts(self, contract: Contract, is_told: IsTold) -> Iterator[SiblingDrift]:
        """Every method that orders its parameters unlike its siblings: at the class that began it, once."""
        for owner, order, group, view in self.views(contract):
            above = [entry for entry in order[1:] if self.guarded.is_about(contract, entry)]
            family = _Family(owner, view, [(entry, self._view_of(entry, group)) for entry in above])
            for drift in family.drifts(is_told):
                key = (owner.key, drift.method.place, (drift.first, drift.second))
                if key not in self._told:  # Groups and contracts may overlap.
                    self._told.add(key)
                    yield drift

    def _view_of(self, owner: Class, group: Group) -> View:
        known = self._views.get((group, owner.key))
        if known is None:
            orders = self.hierarchy.linearizations(owner)
            found = {id(sibling.member): sibling for order in orders for sibling in self._view(order, group)}
            known = self._views[group, owner.key] = tuple(found.values())
        return known

    def _view(self, order: Linearization, group: Group) -> View:
        found: list[_Sibling] = []
        for name, holder in _names(order, group):
            for member in self.hierarchy.definitions(holder, name):
                if member.flavour.is_method:
                    bound = [signature for signature in member.bound_signatures() if signature is not None]
                    slots = tuple(tuple(slot.name for slot in signature.positional) for signature in bound)
                    found.append(_Sibling(holder, member, slots))
        return tuple(found)


def _names(order: Linearization, group: Group) -> list[tuple[str, Class]]:
    """The names of a group that a class has, in the order of the group's globs, then as they are defined; with their holder."""
    holders: dict[str, Class] = {}
    for entry in reversed(order):
        holders |= {member.name: entry for member in entry.members}
    ranks = {name: _rank(name, group) for name in holders}
    chosen = sorted((name for name in holders if ranks[name] < len(group)), key=lambda name: ranks[name])
    return [(name, holders[name]) for name in chosen]


def _rank(name: str, group: Group) -> int:
    """The first glob of the group that matches; constructors and other dunders are written out."""
    matching = (
        index
        for index, pattern in enumerate(group)
        if name == pattern or (not name.startswith("__") and fnmatchcase(name, pattern))
    )
    return next(matching, len(group))


class _Family:
    """One class with its siblings, and the same siblings as the classes above have them."""

    def __init__(self, owner: Class, view: View, above: list[tuple[Class, View]]) -> None:
        self.owner = owner
        self.view = view
        self.above = above
        self._ranks = {sibling: rank for rank, sibling in enumerate(view)}
        self._right: dict[tuple[Order, Branch, Branch], bool] = {}
        self._told_above: dict[tuple[str, Order], bool] = {}

    def drifts(self, is_told: IsTold) -> Iterator[SiblingDrift]:
        """The methods at fault, each with a sibling that is right."""
        for wrong, right in self._faults().items():
            orders = {
                sibling: [order for order in found if not is_told(wrong.member.place, order)]
                for sibling, found in right.items()
            }
            while any(orders.values()):
                # What the classes above ordered that way says more than a sibling that stands beside.
                sibling = max(
                    (entry for entry in orders if orders[entry]),
                    key=lambda entry: (entry.holder is not self.owner, len(orders[entry]), -self._ranks[entry]),
                )
                first, second = told = orders[sibling][0]
                bases = tuple(base.member for _, view in self.above for base in view if base.name == wrong.name)
                yield SiblingDrift(self.owner, wrong.member, sibling.holder, sibling.member, first, second, bases)
                # Where one parameter was moved over several, that is one thing to say.
                orders = {
                    entry: [order for order in found if not set(order) & set(told)] for entry, found in orders.items()
                }

    def _faults(self) -> dict[_Sibling, dict[_Sibling, list[Order]]]:
        """For each method at fault the siblings that are right, and the orders in which they differ, in its own words."""
        found: dict[_Sibling, dict[_Sibling, dict[Order, None]]] = {}
        for mine in self.view:
            if mine.holder is not self.owner:
                continue
            for other in self.view:
                if other.name == mine.name or not can_coexist(mine.member.branch, other.member.branch):
                    continue
                for order in _inversions(mine, other):
                    wrong, right, as_wrong = mine, other, order
                    if self._is_right(order, mine, other):
                        wrong, right, as_wrong = other, mine, _reverse(order)
                    if self._is_told_above(wrong.name, as_wrong):
                        continue
                    if wrong.holder is not self.owner:
                        wrong, right, as_wrong = mine, other, order  # The classes above were at one: it began here.
                    found.setdefault(wrong, {}).setdefault(right, {})[as_wrong] = None
        return {wrong: {right: list(orders) for right, orders in told.items()} for wrong, told in found.items()}

    def _is_right(self, order: Order, mine: _Sibling, other: _Sibling) -> bool:
        """The order is the one to keep, not its reverse: of what may stand beside both of the two."""
        key = (order, mine.member.branch, other.member.branch)
        known = self._right.get(key)
        if known is None:
            known = self._right[key] = self._outweighs(*key)
        return known

    def _outweighs(self, order: Order, *branches: Branch) -> bool:
        for owner, view in (*reversed(self.above), (self.owner, self.view)):
            beside = [entry for entry in view if all(can_coexist(entry.member.branch, branch) for branch in branches)]
            kept = [sibling for sibling in beside if sibling.has(order)]
            lost = [sibling for sibling in beside if sibling.has(_reverse(order))]
            if kept or lost:
                return _weight(owner, view, kept) > _weight(owner, view, lost)
        return True

    def _is_told_above(self, name: str, order: Order) -> bool:
        """A class above has that method with that order already, and a sibling with the reverse: it was told there."""
        known = self._told_above.get((name, order))
        if known is None:
            known = self._told_above[name, order] = any(
                any(sibling.name == name and sibling.has(order) for sibling in view)
                and any(sibling.name != name and sibling.has(_reverse(order)) for sibling in view)
                for _, view in self.above
            )
        return known


def _weight(owner: Class, view: View, camp: list[_Sibling]) -> tuple[int, bool, int]:
    """What speaks for an order: how many siblings have it; one that the class did not write; the first of the group."""
    return (
        len({sibling.name for sibling in camp}),
        any(sibling.holder is not owner for sibling in camp),
        -min((view.index(sibling) for sibling in camp), default=len(view)),
    )


def _reverse(order: Order) -> Order:
    return order[1], order[0]


def _inversions(mine: _Sibling, other: _Sibling) -> list[Order]:
    """The orders of one sibling that the other has reversed, from the front."""
    found: dict[Order, None] = {}
    for own in mine.slots:
        for theirs in other.slots:
            index = {name: position for position, name in enumerate(theirs)}
            shared = [name for name in own if name in index]
            positions = [index[name] for name in shared]
            if positions == sorted(positions):
                continue
            for at, first in enumerate(shared):
                found |= {(first, second): None for second in shared[at + 1 :] if index[second] < index[first]}
    if len(mine.slots) == len(other.slots) == 1:
        return list(found)
    # Of overloads, what some have one way and some the other has no order.
    return [order for order in found if mine.has(order) and other.has(_reverse(order))]
