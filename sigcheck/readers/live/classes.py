"""Whole classes as values. A class is read without asking it, or its metaclass, anything."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from sigcheck.core.annotation import takes_anything
from sigcheck.core.dataclass import replace
from sigcheck.core.member import Member
from sigcheck.core.module import Class
from sigcheck.core.place import Place
from sigcheck.readers.live.members import is_synthesised, read_member
from sigcheck.readers.live.namespaces import bases_of, dotted_name, is_of_interpreter, members_of
from sigcheck.readers.live.signatures import annotation_text
from sigcheck.readers.live.statements import Statement


def read_classes(order: Iterable[type], made: Statement | None = None) -> list[tuple[type, Class]]:
    """The classes of a method resolution order, those of the interpreter left out.

    Args:
        order: the classes, the one that is looked at first.
        made: where the first of them is made, if that is known.

    Returns:
        Each class with its value, whose id is `live:` and its index; a method that unpacks a `TypedDict` refers to itself,
        `live:index.name`, for the keys.
    """
    found: list[tuple[type, Class]] = []
    for index, owner in enumerate(order):
        if is_of_interpreter(owner):
            continue
        name = dotted_name(owner)
        statement = made if made is not None and not index else Statement(_first_place(owner, name))
        place = statement.place
        reference = f"live:{index}"
        bases = ((reference,),) * len(bases_of(owner))
        members = tuple(_read(owner, reference, statement))
        found.append((owner, Class(reference, name, place, place.line, bases, members)))
    return found


def _read(owner: type, reference: str, statement: Statement) -> Iterator[Member]:
    namespace = members_of(owner)
    declared = namespace.get("__annotations__")
    for name, value in namespace.items():
        if is_synthesised(namespace, value):
            continue
        member = read_member(name, value, statement.place)
        if isinstance(declared, dict) and name in declared:
            member = member.promising(nothing=takes_anything(annotation_text(declared[name])))
        place = statement.places.get(name, member.place)
        unpacks = (f"{reference}.{name}",) if member.unpacks else ()
        yield replace(member, place=place, last_line=place.line, unpacks=unpacks)


def _first_place(owner: type, name: str) -> Place:
    """Where a class stands of which the statement has long been run: from Python 3.13 on it knows its line."""
    module = sys.modules.get(name.rpartition(".")[0])
    path = getattr(module, "__file__", None) or name
    known = members_of(owner).get("__firstlineno__")
    line = known if isinstance(known, int) else 1
    return Place(str(path), line, 1, line, 1)
