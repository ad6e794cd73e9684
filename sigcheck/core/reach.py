"""The files that a diagnostic speaks of, and whether a change of some files is what it is about. Imports `diagnostic`, `place`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sigcheck.core.dataclass import fields, is_dataclass
from sigcheck.core.diagnostic import BaseWithoutSource, Diagnostic
from sigcheck.core.place import Place


def paths_of(diagnostic: Diagnostic) -> frozenset[str]:
    """The path of every place in it: the override, the base, the call, the classes that bring them together, and the files through
    which these are found.
    """
    return frozenset(_paths(diagnostic))


def is_touched(
    diagnostic: Diagnostic, is_changed: Callable[[str], bool], is_gone: Callable[[tuple[str, ...]], bool]
) -> bool:
    """A change is told by the diagnostic.

    Args:
        diagnostic: brief (see `core.brief`).
        is_changed: whether the file at this path, as the report shows it, changed.
        is_gone: whether a module of this name, in parts, was deleted. A base in it is a base without source now.
    """
    if any(map(is_changed, paths_of(diagnostic))):
        return True
    finding = diagnostic.finding
    return isinstance(finding, BaseWithoutSource) and is_gone(module_of(finding.reference))


def module_of(reference: str) -> tuple[str, ...]:
    """The parts of the module in a reference (`module:qualified.name`); empty where it names none."""
    module, colon, _ = reference.partition(":")
    return tuple(module.split(".")) if colon and not reference.startswith("?") else ()


def _paths(value: object) -> Iterator[str]:
    if isinstance(value, Place):
        yield value.path
    elif isinstance(value, tuple):
        for part in value:
            yield from _paths(part)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            if field.name == "through":
                yield from getattr(value, field.name)
            else:
                yield from _paths(getattr(value, field.name))
