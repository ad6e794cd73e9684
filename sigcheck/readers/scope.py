"""What names mean while a file is read, statement by statement: bindings, branches, scopes. Imports only core values.

A scope is read like a program run with every test both true and false: an assignment replaces what a name meant, and where
branches meet again a name means whatever any of them gave it.
"""

from __future__ import annotations

from enum import Enum

from sigcheck.core.dataclass import dataclass, field
from sigcheck.core.member import Member

Meaning = str | Member
"""What a name may mean: a reference (see `core.module`), or a definition in this scope."""

Names = dict[str, tuple[Meaning, ...]]


class ScopeKind(Enum):
    """Python's three kinds of scope."""

    MODULE = "module"
    CLASS = "class"
    FUNCTION = "function"


@dataclass(slots=True)
class Scope:
    """One scope, underway.

    Attributes:
        kind: see `ScopeKind`.
        prefix: what stands before a name to make it qualified: empty, `Outer.`, `function.<locals>.`.
        parent: the scope around it.
        names: what each name means at this point.
    """

    kind: ScopeKind
    prefix: str = ""
    parent: Scope | None = None
    names: Names = field(default_factory=dict)

    def bind(self, name: str, *meanings: Meaning) -> None:
        """From here on the name means this."""
        self.names[name] = meanings

    def look_up(self, name: str) -> tuple[Scope, tuple[Meaning, ...]] | None:
        """The innermost scope that binds the name, as Python looks: class scopes only from within themselves."""
        scope: Scope | None = self
        while scope is not None:
            if (scope is self or scope.kind is not ScopeKind.CLASS) and name in scope.names:
                return scope, scope.names[name]
            scope = scope.parent
        return None


def join(first: Names, *others: Names) -> Names:
    """Where branches meet: a name means what any of them gave it."""
    joined = dict(first)
    for branch in others:
        for name, meanings in branch.items():
            before = joined.get(name, ())
            if meanings is before:
                continue  # As most are, that were bound before the branches part.
            joined[name] = (*before, *(meaning for meaning in meanings if not _is_among(meaning, before)))
    return joined


def _is_among(meaning: Meaning, others: tuple[Meaning, ...]) -> bool:
    return any(meaning is other or (isinstance(meaning, str) and meaning == other) for other in others)
