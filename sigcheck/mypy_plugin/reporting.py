"""From diagnostics to mypy's errors and notes, in the words of `report`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mypy.errors import ErrorInfo, Errors
from mypy.options import Options
from mypy.scope import SavedScope, Scope

from sigcheck.core.dataclass import dataclass
from sigcheck.core.diagnostic import Diagnostic
from sigcheck.core.forwarding import BrokenCall
from sigcheck.core.place import Place
from sigcheck.mypy_plugin.codes import BY_GROUP
from sigcheck.mypy_plugin.defects import apologise
from sigcheck.report import words

PARENTS = hasattr(ErrorInfo, "parent_error")
"""A note can belong to an error: not in mypy 1.16."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the diagnostics of a part of a module are handed in.

    Attributes:
        errors: mypy's.
        path: the file, as mypy calls it.
        module: its name.
        options: those for the module.
        scope: the function whose classes are checked, or the module: what `dmypy` clears when it checks that anew.
    """

    errors: Errors
    path: str
    module: str
    options: Options
    scope: SavedScope

    def report(
        self, diagnostics: Iterable[tuple[Diagnostic, Iterable[int], bool]], path_of: Callable[[str], str | None]
    ) -> None:
        """Hand in diagnostics, each with the lines on which `type: ignore` is about it, and whether it is an error."""
        with _Context(self):
            for diagnostic, lines, is_error in diagnostics:
                self._report(diagnostic, sorted(set(lines)), is_error=is_error, path_of=path_of)

    def _report(
        self, diagnostic: Diagnostic, lines: list[int], *, is_error: bool, path_of: Callable[[str], str | None]
    ) -> None:
        place, code = diagnostic.place, BY_GROUP[diagnostic.registered.group]
        where: dict[str, Any] = {"end_line": place.end_line, "end_column": place.end_column - 1, "origin_span": lines}
        severity = "error" if is_error else "note"
        text = f"{words.message(diagnostic)} ({diagnostic.rule})"
        parent = self.errors.report(place.line, place.column - 1, text, code, severity=severity, **where)
        if PARENTS:
            where["parent_error"] = parent
        else:
            where["allow_dups"] = True
        for note in _notes(diagnostic, self.module, path_of):
            self.errors.report(place.line, place.column - 1, f"    {note}", code, severity="note", **where)

    def apologise(self, defect: str) -> None:
        """Ask for a report of an internal error."""
        with _Context(self):
            apologise(self.errors, defect)


class _Context:
    """mypy's errors, turned to the desk's file and scope, and back."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        errors = desk.errors
        self.before = (errors.file, errors.target_module, errors.options, errors.scope)

    def __enter__(self) -> None:
        desk = self.desk
        scope = Scope()
        module, info, function = desk.scope
        scope.module = module
        scope.classes = [info] if info is not None else []
        scope.function = function
        desk.errors.set_file(desk.path, desk.module, desk.options, scope)

    def __exit__(self, *_: object) -> None:
        self.desk.errors.set_file(*self.before)


def _notes(diagnostic: Diagnostic, module: str, path_of: Callable[[str], str | None]) -> Iterator[str]:
    """The details, each with its place: of another module only the file, for its lines may move."""
    is_own_call = isinstance(diagnostic.finding, BrokenCall) and diagnostic.place == diagnostic.finding.call.place
    for detail in words.details(diagnostic):
        if detail.place is None or (is_own_call and detail.place == diagnostic.place):
            yield f"{detail.label}: {detail.text}"
            continue
        where = _where(detail.place, module, path_of)
        text = f"{where} {detail.text}" if detail.label == "called" else f"{detail.text}   {where}"
        yield f"{detail.label}: {text}"


def _where(place: Place, module: str, path_of: Callable[[str], str | None]) -> str:
    path = path_of(place.path.partition(":")[0]) or place.path
    return f"{path}:{place.line}" if place.path == module else path
