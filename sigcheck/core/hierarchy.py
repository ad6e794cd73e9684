"""Who inherits from whom, and which override is held against which base. Imports `module`, `member`,
`resolution` and `family`.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator

from sigcheck.core.dataclass import dataclass, replace
from sigcheck.core.family import Family
from sigcheck.core.member import Flavour, Member
from sigcheck.core.module import Class
from sigcheck.core.place import can_coexist
from sigcheck.core.resolution import Resolver

MOST_LINEARIZATIONS = 16
"""Bases that stand under tests give several method resolution orders; more than these are not followed."""

_EMPTY_BASES = ("object", "ABC", "Generic", "Protocol")
"""Bases without source that define nothing a call could find."""

_FIELD_MAKERS = ("pydantic.main:BaseModel", "pydantic.v1.main:BaseModel", "msgspec:Struct")
"""Classes whose metaclass makes fields of annotated names."""

Linearization = tuple[Class, ...]
"""A method resolution order."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An override, and a base definition that it must answer for.

    Attributes:
        owner: the class whose instances bind the override; where it is not `override_class`, a mixin shadows a later base.
        override_class, override: the definition that runs.
        base_class, base: the definition whose callers it serves.
        order: the method resolution order in which they meet.
        family: what holds them together where they do not meet by inheritance.
    """

    owner: Class
    override_class: Class
    override: Member
    base_class: Class
    base: Member
    order: Linearization = ()
    family: Family | None = None


@dataclass(frozen=True, slots=True)
class UnresolvedBase:
    """A base of which no source was found.

    Attributes:
        owner: the class that names it.
        reference: `module:name`, or `?text`.
    """

    owner: Class
    reference: str


class Hierarchy:
    """The classes of a project, linearized."""

    def __init__(self, classes: Iterable[Class], resolver: Resolver, project: Collection[str] | None = None) -> None:
        """Know some classes.

        Args:
            classes: those to check, in the order of the report.
            resolver: finds the bases.
            project: the files of the project, as places name them, where they are more than those of the classes.
        """
        self.classes = tuple(classes)
        self.resolver = resolver
        self._project = {entry.place.path for entry in self.classes} if project is None else project
        self.unresolved: list[UnresolvedBase] = []
        self._unresolved: dict[str, list[UnresolvedBase]] | None = None
        self.inconsistent: list[tuple[Class, str]] = []
        self._orders: dict[str, tuple[Linearization, ...]] = {}
        self._bases: dict[str, tuple[tuple[Class, ...], ...]] = {}
        self._before_unknown: dict[str, int] = {}
        self._definitions: dict[tuple[str, str], tuple[Member, ...]] = {}

    def bases(self, owner: Class) -> tuple[tuple[Class, ...], ...]:
        """For each base with a source, the classes it may be."""
        known = self._bases.get(owner.key)
        if known is None:
            known = self._bases[owner.key] = tuple(self._resolved_bases(owner))
        return known

    def _resolved_bases(self, owner: Class) -> Iterator[tuple[Class, ...]]:
        found = 0
        for references in owner.bases:
            targets: list[Class] = []
            is_known = False
            for reference in references:
                meanings = self.resolver.resolve(reference, owner.place.path)
                if any(target is owner for target in meanings):
                    meanings = self.resolver.before(owner)
                is_known = is_known or bool(meanings)
                targets += [target for target in meanings if isinstance(target, Class)]
            if targets:
                found += 1
                yield tuple(dict.fromkeys(targets))
                continue
            if not is_known:
                self.unresolved.append(UnresolvedBase(owner, self.resolver.missing(references[0], owner.place.path)))
            if not is_known or _last(references[0]) not in _EMPTY_BASES:
                self._before_unknown.setdefault(owner.key, found)

    def unresolved_in(self, path: str) -> list[UnresolvedBase]:
        """The bases without source of the classes to check that are in a file; of all of them, where the path is empty."""
        if self._unresolved is None:
            mine = {entry.key for entry in self.classes}
            found = [entry for entry in dict.fromkeys(self.unresolved) if entry.owner.key in mine]
            found.sort(key=lambda entry: entry.owner.place)
            self._unresolved = {"": found}
            for entry in found:
                self._unresolved.setdefault(entry.owner.place.path, []).append(entry)
        return self._unresolved.get(path, [])

    def is_certain(self, order: Linearization, index: int) -> bool:
        """No class without source can stand before that one in the method resolution order."""
        for entry in order[:index]:
            known = self._before_unknown.get(entry.key)
            if known is None:
                continue
            # What a base that is listed earlier inherits comes before a base without source.
            before = [base for alternatives in self.bases(entry)[:known] for base in alternatives]
            if not any(order[index] in above for base in before for above in self.linearizations(base)):
                return False
        return True

    def linearizations(self, owner: Class) -> tuple[Linearization, ...]:
        """Every method resolution order the class may have, itself first; one where no base stands under a test."""
        known = self._orders.get(owner.key)
        return self._laid_out(owner) if known is None else known

    def _laid_out(self, owner: Class) -> tuple[Linearization, ...]:
        pending = [owner]
        underway: dict[str, Class] = {}
        while pending:
            top = pending[-1]
            if top.key in self._orders:
                underway.pop(pending.pop().key, None)
                continue
            underway[top.key] = top
            above = [base for alternatives in self.bases(top) for base in alternatives]
            unknown = [base for base in above if base.key not in self._orders]
            circular = next((base for base in unknown if base.key in underway), None)
            if circular is not None:
                path = list(underway.values())
                names = [entry.name for entry in path[path.index(circular) :]]
                self.inconsistent.append((top, "the bases form a cycle: " + " -> ".join((*names, circular.name))))
                self._orders[top.key] = ((top,),)
            elif unknown:
                pending += unknown
            else:
                self._orders[top.key] = self._orders_of(top)
        return self._orders[owner.key]

    def _orders_of(self, owner: Class) -> tuple[Linearization, ...]:
        alternatives = self.bases(owner)
        if len(alternatives) == 1 and len(alternatives[0]) == 1:
            # One base has nothing to merge with: a long chain stays linear.
            return tuple((owner, *order) for order in self._orders[alternatives[0][0].key])
        orders: dict[Linearization, None] = {}
        trouble = ""
        for bases in itertools.islice(itertools.product(*alternatives), MOST_LINEARIZATIONS):
            above = itertools.product(*(self._orders[base.key] for base in bases))
            for chosen in itertools.islice(above, MOST_LINEARIZATIONS):
                merged = _merge([*map(list, chosen), list(bases)])
                if merged is None:
                    names = ", ".join(base.name for base in bases)
                    trouble = f"no method resolution order exists for the bases {names}"
                else:
                    order = (owner, *merged)
                    orders[order] = None
        if orders:
            return tuple(orders)[:MOST_LINEARIZATIONS]
        self.inconsistent.append((owner, trouble))
        return ((owner,),)

    def is_checked(self, owner: Class) -> bool:
        """The class is one of the project's, not of a package that was only looked up."""
        return owner.place.path in self._project

    def pairs(self, owner: Class) -> Iterator[Pair]:
        """Every override of a class with every base definition above it, and every mixin's member with the bases it shadows."""
        seen: set[tuple[int, int]] = set()
        for order in self.linearizations(owner):
            for pair in itertools.chain(self._own(owner, order), self._shadowed(owner, order)):
                key = (id(pair.override), id(pair.base))
                if key not in seen:
                    seen.add(key)
                    yield pair

    def _own(self, owner: Class, order: Linearization) -> Iterator[Pair]:
        if len(order) == 1:
            return
        for name in dict.fromkeys(member.name for member in owner.members):
            for above in order[1:]:
                for override, base in itertools.product(self.definitions(owner, name), self.definitions(above, name)):
                    if can_coexist(override.branch, base.branch):
                        yield Pair(owner, owner, override, above, base, order)

    def nearer(self, pair: Pair) -> Iterator[tuple[Member, bool]]:
        """The definitions between the override and the base, nearest first, and whether each answers for the base too."""
        for entry in itertools.takewhile(lambda entry: entry is not pair.base_class, pair.order[1:]):
            for member in self.definitions(entry, pair.override.name):
                yield member, pair.family is not None or self._inherits(entry, pair.base_class)

    def beyond(self, pair: Pair) -> Iterator[Member]:
        """The definitions that the base answers for itself, nearest first."""
        if pair.family is not None:
            return
        for entry in reversed(
            list(itertools.takewhile(lambda entry: entry is not pair.base_class, reversed(pair.order)))
        ):
            if self._inherits(pair.base_class, entry):
                yield from self.definitions(entry, pair.override.name)

    def _shadowed(self, owner: Class, order: Linearization) -> Iterator[Pair]:
        if len(owner.bases) < 2:
            return
        own = {member.name for member in owner.members}
        definers: dict[str, list[Class]] = {}
        for above in order[1:]:
            for name in dict.fromkeys(member.name for member in above.members):
                if name not in own:
                    definers.setdefault(name, []).append(above)
        for name, classes in definers.items():
            runs, *later = classes
            for shadowed in later:
                if self._inherits(runs, shadowed) or self._shadows_above(owner, name, runs, shadowed):
                    continue
                if runs.id == shadowed.id and runs.place.path != shadowed.place.path:
                    continue  # A class and its stub, each by another way of imports: they are one.
                for override in self.definitions(runs, name):
                    for base in self.definitions(shadowed, name):
                        if can_coexist(override.branch, base.branch):
                            yield Pair(owner, runs, override, shadowed, base)

    def between(self, owner: Class, base: Class) -> set[str]:
        """The files in which, or through which, it is said that a class inherits another."""
        found: set[str] = set()
        for entry in {above.key: above for order in self.linearizations(owner) for above in order}.values():
            if entry.key == base.key or not self._inherits(entry, base):
                continue
            near = entry.place.path
            found.add(near)
            for reference in (reference for alternatives in entry.bases for reference in alternatives):
                targets = (target for target in self.resolver.resolve(reference, near) if isinstance(target, Class))
                if any(self._inherits(target, base) for target in targets):
                    found |= self.resolver.through(reference, near)
        return found

    def behind(self, owner: Class, member: Member) -> set[str]:
        """The files in which is found what a member of a class is an alias of, what decorates it, or what its header unpacks."""
        written = [entry for entry in owner.definitions(member.name) if entry.place == member.place]
        aliased = [reference for entry in written if entry.alias is not None for reference in entry.alias.references]
        decorating = [name for entry in written for decoration in entry.decorations for name in decoration.references]
        references = (*aliased, *decorating, *member.unpacks)
        return {path for reference in references for path in self.resolver.through(reference, member.place.path)}

    def _inherits(self, owner: Class, base: Class) -> bool:
        return any(base in order for order in self.linearizations(owner))

    def _shadows_above(self, owner: Class, name: str, runs: Class, shadowed: Class) -> bool:
        """A class above already has the same two in the same order: the break is reported there."""
        for order in self.linearizations(owner):
            for above in order[1:]:
                for upper in self.linearizations(above):
                    if runs in upper and shadowed in upper and upper.index(runs) < upper.index(shadowed):
                        first = next(entry for entry in upper if entry.definitions(name))
                        if first is runs:
                            return True
        return False

    def known(self) -> tuple[Class, ...]:
        """The classes to check, and every base that was found for them."""
        found = {entry.key: entry for entry in self.classes}
        for orders in self._orders.values():
            found |= {entry.key: entry for order in orders for entry in order}
        return tuple(found.values())

    def definitions(self, owner: Class, name: str) -> tuple[Member, ...]:
        """The definitions of a name in a class, aliases followed."""
        key = (owner.key, name)
        known = self._definitions.get(key)
        if known is None:
            known = self.resolver.definitions(owner, name)
            if owner.fields and any(entry.name == name for entry in owner.fields) and self._makes_fields(owner):
                known = tuple(replace(member, flavour=Flavour.OPAQUE) for member in known)
            self._definitions[key] = known
        return known

    def _makes_fields(self, owner: Class) -> bool:
        """An annotated name may be a field, which instances have for themselves: its value in the class is a default."""
        if owner.is_decorated:
            return True
        above = {entry.key: entry for order in self.linearizations(owner) for entry in order}
        return any(key in self._before_unknown or entry.id in _FIELD_MAKERS for key, entry in above.items())


def _last(reference: str) -> str:
    return reference.replace(":", ".").rpartition(".")[2]


def _merge(sequences: list[list[Class]]) -> list[Class] | None:
    """C3 (https://www.python.org/download/releases/2.3/mro/), or None where it refuses."""
    merged: list[Class] = []
    while True:
        sequences = [sequence for sequence in sequences if sequence]
        if not sequences:
            return merged
        later = {entry.key for sequence in sequences for entry in sequence[1:]}
        head = next((sequence[0] for sequence in sequences if sequence[0].key not in later), None)
        if head is None:
            return None
        merged.append(head)
        sequences = [sequence[1:] if sequence[0] is head else sequence for sequence in sequences]
