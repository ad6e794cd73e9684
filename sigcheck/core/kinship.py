"""From the words of a family to its functions and methods, and to pairs like those of a class hierarchy. Imports `family`,
`hierarchy` and `module`.

A module stands in for the class of its functions: a `Class` without bases, without a header, and of the module's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sigcheck.core.dataclass import dataclass, replace
from sigcheck.core.family import Family, names_itself
from sigcheck.core.hierarchy import Hierarchy, Pair
from sigcheck.core.member import Flavour, Member
from sigcheck.core.module import Class, Module
from sigcheck.core.place import Place, can_coexist

Kinsman = tuple[Class, Member]
"""A function or a method, with the class or the module that has it."""


@dataclass(frozen=True, slots=True)
class Kin:
    """What the words of a family lead to.

    Attributes:
        likes: the definitions of `like`, as they are called; several where it stands under tests.
        members: those that are held against it.
        unmatched: the globs that name no member.
        vocabulary: for each name of a parameter, the names in every signature that has it.
    """

    likes: tuple[Kinsman, ...]
    members: tuple[Kinsman, ...]
    unmatched: tuple[str, ...]
    vocabulary: Mapping[str, frozenset[frozenset[str]]]

    def knowing(self, names: frozenset[str]) -> list[frozenset[str]]:
        """The names in every signature that has all of these: in one signature, two names are two things."""
        fewest = min((self.vocabulary.get(name, frozenset()) for name in names), key=len, default=frozenset())
        return [known for known in fewest if names <= known]


def kin_of(family: Family, modules: Sequence[Module], hierarchy: Hierarchy) -> Kin:
    """The functions and methods that a family names.

    Args:
        family: the words.
        modules: the files among which members are looked for.
        hierarchy: finds `like`, wherever it is, and what aliases mean.
    """
    likes = tuple(_likes(family, hierarchy))
    themselves = {like.place for _, like in likes}
    members: dict[tuple[Place, str], Kinsman] = {}
    matched: set[str] = set()
    for pattern, owner, member in _named(family, modules, hierarchy):
        if member.place not in themselves:
            matched.add(pattern)
            key = (member.place, owner.id if owner.id.partition(":")[2] else "")
            members.setdefault(key, (owner, member))
    vocabulary: dict[str, set[frozenset[str]]] = {}
    for _, member in (*likes, *members.values()):
        names = frozenset(parameter.name for parameter in member.signature.parameters)
        for name in names:
            vocabulary.setdefault(name, set()).add(names)
    return Kin(
        likes,
        tuple(members.values()),
        tuple(pattern for pattern in family.members if pattern not in matched),
        {name: frozenset(signatures) for name, signatures in vocabulary.items()},
    )


def pairs_of(family: Family, kin: Kin, hierarchy: Hierarchy) -> Iterator[Pair]:
    """Every member with every definition of `like`; the classes above that have a member of that name come between them."""
    known = {(owner.key, member.name) for owner, member in kin.members}
    for owner, member in kin.members:
        orders = hierarchy.linearizations(owner) if owner.bases else ()
        above = [entry for order in orders for entry in order[1:] if (entry.key, member.name) in known]
        order = tuple(dict.fromkeys((owner, *above)))
        for base_class, like in kin.likes:
            if can_coexist(member.branch, like.branch):
                yield Pair(owner, owner, member, base_class, like, order, family)


def _likes(family: Family, hierarchy: Hierarchy) -> Iterator[Kinsman]:
    resolver = hierarchy.resolver
    module, _, path = family.like.partition(":")
    above, _, name = path.rpartition(".")
    found = resolver.resolve(f"{module}:{above}", "") if above else ()
    classes = [target for target in found if isinstance(target, Class)]
    told: set[Place] = set()
    for holder, member in _methods(classes, name, hierarchy):
        bound = tuple(signature for signature in member.bound_signatures() if signature is not None)
        if member.flavour.is_method and bound and member.place not in told:
            told.add(member.place)
            overloads = bound if member.overloads else ()
            yield holder, replace(member, flavour=Flavour.FUNCTION, signature=bound[0], overloads=overloads)
    for target in () if classes else resolver.resolve(family.like, ""):
        if isinstance(target, Member) and target.flavour.is_method:
            owner = _namespace(f"{module}.{above}" if above else module, target.place.path)
            yield owner, _function(target, name)


def _methods(classes: Sequence[Class], name: str, hierarchy: Hierarchy) -> Iterator[Kinsman]:
    """What the classes have under a name, inherited or not."""
    for owner in classes:
        for order in hierarchy.linearizations(owner):
            holder = next((entry for entry in order if entry.definitions(name)), None)
            if holder is not None:
                yield from ((holder, member) for member in hierarchy.definitions(holder, name))


def _named(family: Family, modules: Sequence[Module], hierarchy: Hierarchy) -> Iterator[tuple[str, Class, Member]]:
    """Everything that a glob names: what is defined first, then what is another name of it."""
    checked = {module.path for module in modules}
    reached = [module for module in modules if family.may_reach(module.name)]
    for module in reached:
        owner = _namespace(module.name, module.path)
        for name, functions in module.functions.items():
            pattern = family.pattern_for(module.name, name)
            if pattern is not None:
                yield from ((pattern, owner, _function(member, name)) for member in functions)
        for entry in module.classes:
            qualified = entry.name.removeprefix(f"{module.name}.")
            for name in dict.fromkeys(member.name for member in entry.members):
                pattern = family.pattern_for(module.name, f"{qualified}.{name}")
                if pattern is not None:
                    yield from ((pattern, entry, member) for member in hierarchy.definitions(entry, name))
    for module in reached:
        owner = _namespace(module.name, module.path)
        for name, references in module.names.items():
            pattern = None if name in module.functions else family.pattern_for(module.name, name)
            if pattern is None:
                continue
            # `from other import *_forward` is not what a wildcard is for: what is imported has a module of its own.
            if names_itself(pattern, name) or all(entry.startswith(f"{module.name}:") for entry in references):
                for target in hierarchy.resolver.resolve(f"{module.name}:{name}", module.path):
                    if isinstance(target, Member) and target.place.path in checked:
                        yield pattern, owner, _function(target, name)


def _namespace(module: str, path: str) -> Class:
    return Class(f"{module}:", module, Place(path, 1, 1, 1, 1), 0, (), ())


def _function(member: Member, name: str) -> Member:
    """What a module has under a name, as it is called: nothing is bound, but for a class method."""
    if not member.flavour.is_method:
        return replace(member, name=name)
    if member.flavour is Flavour.CLASS:
        bound = tuple(signature for signature in member.bound_signatures() if signature is not None)
        if bound:
            overloads = bound if member.overloads else ()
            member = replace(member, signature=bound[0], overloads=overloads)
    return replace(member, name=name, flavour=Flavour.FUNCTION)
