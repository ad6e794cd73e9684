"""What was learnt of one source file: its classes, functions, names and comments. Imports `member` and `place`.

A *reference* is a string `module:qualified.name`, absolute, to be looked up by `resolution`; `?text` is an expression that
no lookup can follow.
"""

from __future__ import annotations

from collections.abc import Mapping

from sigcheck.core.dataclass import dataclass, field
from sigcheck.core.member import Member
from sigcheck.core.place import Branch, Place


@dataclass(frozen=True, slots=True)
class TypedField:
    """An annotated name of a class body, but for a `ClassVar`: a key, if the class is a `TypedDict` (it has no value then)."""

    name: str
    required: bool


@dataclass(frozen=True, slots=True)
class Class:
    """One class statement.

    Attributes:
        id: the reference that leads to it: `module:Qualified.Name`, with `#2`, `#3` … for further statements of the same name.
        name: dotted, as a user writes it.
        place: the name in the `class` statement.
        last_line: the last line of the header.
        bases: for each base, the references it may mean (one for each branch).
        members: every definition of every name, all branches.
        names: other names of the class body, to references: nested classes and aliases of them.
        branch: the tests it stands under.
        fields: its annotated names without a value, or with one that may be a function.
        is_decorated: a decorator may have given it further methods: `@dataclass` makes an `__init__`.
    """

    id: str
    name: str
    place: Place
    last_line: int
    bases: tuple[tuple[str, ...], ...]
    members: tuple[Member, ...]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    branch: Branch = ()
    fields: tuple[TypedField, ...] = ()
    is_decorated: bool = False

    @property
    def key(self) -> str:
        """Unlike the id, unique also where two roots have modules of one name."""
        return f"{self.place.path}:{self.id}"

    def __hash__(self) -> int:
        return hash(self.key)

    def definitions(self, name: str) -> tuple[Member, ...]:
        """Every definition of that name in the class body."""
        return tuple(member for member in self.members if member.name == name)


@dataclass(frozen=True, slots=True)
class Suppression:
    """`# sigcheck: ignore[rule, ...]`, or another checker's comment that is honoured as one.

    Attributes:
        place: the comment.
        rules: what it names; empty where it names nothing, which is an error.
        is_foreign: it is `# type: ignore[override]` or pyright's.
        parameters: it is `# sigcheck: ignores[parameter, ...]`: what an override takes and does not use, on purpose.
    """

    place: Place
    rules: tuple[str, ...]
    is_foreign: bool = False
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """A file, or a part of one, that could not be read.

    Attributes:
        place: where.
        cause: one line, for the user.
        remedy: one line: what to do, or empty.
    """

    place: Place
    cause: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Module:
    """One file, read.

    Attributes:
        name: dotted.
        path: as the report shows it.
        names: what each module-level name may mean: references.
        stars: the modules it imports `*` from.
        classes: every class statement, nested and local ones too.
        functions: the functions that a reference can reach, by id (`module:name`), all branches.
        suppressions: the comments.
        problems: what could not be read.
    """

    name: str
    path: str
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stars: tuple[str, ...] = ()
    classes: tuple[Class, ...] = ()
    functions: Mapping[str, tuple[Member, ...]] = field(default_factory=dict)
    suppressions: tuple[Suppression, ...] = ()
    problems: tuple[Problem, ...] = ()

    def __hash__(self) -> int:
        return hash(self.path)
