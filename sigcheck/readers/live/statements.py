"""Where a class is made: its statement, found among the frames that run, and the lines of its body, in its code object."""

from __future__ import annotations

import dis
import inspect
import sys
from collections.abc import Iterator, Mapping
from types import CodeType, FrameType

from sigcheck.core.dataclass import dataclass, field
from sigcheck.core.place import Place
from sigcheck.readers.live.namespaces import members_of, qualified_name


@dataclass(frozen=True, slots=True)
class Statement:
    """Where a class is made.

    Attributes:
        place: the `class` statement, or the call that makes it.
        places: where its body binds each name.
        depth: how many frames lie between that frame and the one from which it was looked for.
    """

    place: Place
    places: Mapping[str, Place] = field(default_factory=dict)
    depth: int = 0


_MAKERS = frozenset(
    {"__init_subclass__", "__new__", "__init__", "__call__", "__set_name__", "new_class", "__prepare__"}
)
"""Functions that run between the statement and whoever asks."""


def read_statement(owner: type, frame: FrameType) -> Statement:
    """The statement that makes a class, which is looked for outwards from a frame while the class is made."""
    frames = list(_outwards(frame))
    depth = _statement_depth(owner, frames)
    found = frames[depth]
    # A class with type parameters is made in a scope of its own, within that of its statement.
    bodies = (_body_of(owner, entry) for entry in frames[max(depth - 1, 0) : depth + 1][::-1])
    body = next((code for code in bodies if code is not None), None)
    places = {} if body is None else dict(_bindings(body))
    return Statement(_place(found.f_code.co_filename, found.f_lineno or 1), places, depth)


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _statement_depth(owner: type, frames: list[FrameType]) -> int:
    """The frame of the scope in which the class stands, by its module and qualified name; else the nearest that makes none."""
    module = members_of(owner).get("__module__")
    scope = qualified_name(owner).rpartition(".")[0].removesuffix(".<locals>").rpartition(".")[2] or "<module>"
    for depth, frame in enumerate(frames):
        if frame.f_globals.get("__name__") == module and frame.f_code.co_name == scope:
            return depth
    own = __name__.partition(".")[0] + "."
    for depth, frame in enumerate(frames):
        name = str(frame.f_globals.get("__name__"))
        if not name.startswith(own) and name not in ("abc", "types", "enum") and frame.f_code.co_name not in _MAKERS:
            return depth
    return len(frames) - 1


def _body_of(owner: type, frame: FrameType) -> CodeType | None:
    """The code of the class body that this frame is at: the last one of that name that it loaded."""
    name = qualified_name(owner).rpartition(".")[2]
    found = None
    for instruction in dis.get_instructions(frame.f_code):
        if instruction.offset > frame.f_lasti:
            break
        code = instruction.argval
        if isinstance(code, CodeType) and code.co_name == name and not code.co_flags & inspect.CO_OPTIMIZED:
            found = code
    return found


def _bindings(body: CodeType) -> Iterator[tuple[str, Place]]:
    """Where each name is bound: the last place counts. For a `def` that is its line, behind the decorators."""
    line = body.co_firstlineno
    for instruction in dis.get_instructions(body):
        column = 1
        if sys.version_info >= (3, 11):
            positions = instruction.positions
            if positions is not None and positions.lineno is not None:
                line, column = positions.lineno, (positions.col_offset or 0) + 1
        elif instruction.starts_line is not None:
            line = instruction.starts_line
        if instruction.opname in ("STORE_NAME", "STORE_GLOBAL"):
            yield instruction.argval, _place(body.co_filename, line, column)


def _place(path: str, line: int, column: int = 1) -> Place:
    return Place(path, line, column, line, column)
