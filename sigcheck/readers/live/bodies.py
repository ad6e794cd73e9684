"""What the body of a function gives back, as far as its instructions tell."""

from __future__ import annotations

from types import CodeType

from sigcheck.core.dataclass import dataclass
from sigcheck.readers.live.instructions import steps_of


@dataclass(frozen=True, slots=True)
class Body:
    """What a body returns.

    Attributes:
        is_stub: it gives back nothing but None and does nothing else, or it only raises.
        returns_unknown_value: some `return` gives what may be anything: a call, a name, an attribute.
        returns_plain_value: every `return` gives a literal or a comparison, and some gives another one than None.
    """

    is_stub: bool
    returns_unknown_value: bool
    returns_plain_value: bool


_PLAIN = frozenset(
    {"LOAD_CONST", "BUILD_LIST", "BUILD_TUPLE", "BUILD_MAP", "BUILD_SET", "BUILD_STRING", "BUILD_CONST_KEY_MAP"}
    | {"FORMAT_VALUE", "FORMAT_SIMPLE", "FORMAT_WITH_SPEC", "COMPARE_OP", "IS_OP", "CONTAINS_OP", "UNARY_NOT"}
    | {"LIST_EXTEND", "SET_UPDATE"}
)


def read_body(code: CodeType) -> Body:
    """Read the instructions of a function that is no coroutine function and no generator."""
    steps = list(steps_of(code))
    returned = [
        (steps[index - 1], step) for index, step in enumerate(steps) if step.name == "RETURN_VALUE" and index > 0
    ]
    is_plain = [value.name in _PLAIN and not step.is_target for value, step in returned]
    is_none = [value.name == "LOAD_CONST" and value.value is None for value, _ in returned]
    is_empty = [step.name for step in steps] == ["LOAD_CONST", "RETURN_VALUE"] and all(is_none)
    return Body(
        is_stub=is_empty or not returned,
        returns_unknown_value=not all(is_plain),
        returns_plain_value=all(is_plain) and not all(is_none),
    )
