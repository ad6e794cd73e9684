"""Which method a user means by a name. Imports `hierarchy`."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator

from sigcheck.core.dataclass import dataclass
from sigcheck.core.hierarchy import Hierarchy
from sigcheck.core.module import Class


@dataclass(frozen=True, slots=True)
class Target:
    """A method of a class that defines it.

    Attributes:
        owner: the class.
        method: the name.
    """

    owner: Class
    method: str

    @property
    def name(self) -> str:
        """Dotted, as a user writes it."""
        return f"{self.owner.name}.{self.method}"


def find_targets(hierarchy: Hierarchy, name: str, project: Collection[str]) -> tuple[Target, ...]:
    """Every method that a dotted name, or the last parts of one, may mean.

    A class that inherits the method stands for the class it inherits it from. Overrides are left out where what they override
    is meant, too; so are classes that were only looked up, where one of the project is meant.

    Args:
        hierarchy: the classes of the project, and their bases.
        name: `package.module.Class.method`, its last parts, or a name by which the class is imported elsewhere.
        project: the paths of the project's files.
    """
    for entry in hierarchy.classes:
        hierarchy.linearizations(entry)
    class_name, _, method = name.rpartition(".")
    found = _found(hierarchy, class_name, method)
    if not found and class_name:
        found = _imported(hierarchy, class_name, method)
    inside = [target for target in found if target.owner.place.path in project]
    return _topmost(hierarchy, inside or found)


def targets_at(hierarchy: Hierarchy, path: str, line: int) -> tuple[Target, ...]:
    """The methods whose header stands on a line of a file."""
    for entry in hierarchy.classes:
        hierarchy.linearizations(entry)
    return tuple(
        dict.fromkeys(
            Target(entry, member.name)
            for entry in hierarchy.known()
            if entry.place.path == path
            for member in entry.members
            if member.place.line <= line <= member.last_line
        )
    )


def _found(hierarchy: Hierarchy, class_name: str, method: str) -> list[Target]:
    if not class_name:
        return [Target(entry, method) for entry in hierarchy.known() if entry.definitions(method)]
    known = hierarchy.known()
    named = [entry for entry in known if entry.name == class_name]
    named = named or [entry for entry in known if entry.name.endswith(f".{class_name}")]
    return list(dict.fromkeys(target for entry in named for target in _defined(hierarchy, entry, method)))


def _imported(hierarchy: Hierarchy, class_name: str, method: str) -> list[Target]:
    """A class under the name of a package that exports it."""
    parts = class_name.split(".")
    near = hierarchy.classes[0].place.path if hierarchy.classes else ""
    for count in range(len(parts) - 1, 0, -1):
        reference = f"{'.'.join(parts[:count])}:{'.'.join(parts[count:])}"
        classes = [entry for entry in hierarchy.resolver.resolve(reference, near) if isinstance(entry, Class)]
        found = [target for entry in classes for target in _defined(hierarchy, entry, method)]
        if found:
            return list(dict.fromkeys(found))
    return []


def _defined(hierarchy: Hierarchy, entry: Class, method: str) -> Iterator[Target]:
    for order in hierarchy.linearizations(entry):
        runs = next((above for above in order if above.definitions(method)), None)
        if runs is not None:
            yield Target(runs, method)


def _topmost(hierarchy: Hierarchy, found: list[Target]) -> tuple[Target, ...]:
    owners = {target.owner.key for target in found}
    return tuple(
        target
        for target in found
        if not any(
            entry.key in owners
            for order in hierarchy.linearizations(target.owner)
            for entry in order[1:]
            if entry.key != target.owner.key
        )
    )


def methods_of(hierarchy: Hierarchy, class_name: str) -> tuple[str, ...]:
    """The methods of the class of that name, if there is one and only one."""
    dotted = f".{class_name}"
    named = [entry for entry in hierarchy.known() if f".{entry.name}".endswith(dotted)]
    if len(named) != 1:
        return ()
    return tuple(dict.fromkeys(member.name for member in named[0].members if member.flavour.is_method))


def nearest(hierarchy: Hierarchy, name: str, count: int = 3) -> tuple[str, ...]:
    """The methods whose names are most like one that names none."""
    parts = name.count(".") + 1
    known: dict[str, None] = {}
    for entry in hierarchy.known():
        for member in entry.members:
            if member.flavour.is_method:
                known[".".join(f"{entry.name}.{member.name}".split(".")[-parts:])] = None
    close = difflib.get_close_matches(name, known, count)
    if close or "." not in name:
        return tuple(close)
    # The right method of a class that is spelt wrong, or of another.
    _, _, method = name.rpartition(".")
    same = [other for other in known if other.rpartition(".")[2] == method]
    return tuple(difflib.get_close_matches(name, same, count, 0.3))
