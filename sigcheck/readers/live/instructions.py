"""The instructions of a code object, in words that are the same on every version of Python that is supported."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType
from typing import Any

from sigcheck.core.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction.

    Attributes:
        name: `dis`'s, but for the specialised ones: what several instructions in one do is told one by one.
        value: `dis`'s `argval`.
        is_target: another instruction jumps here.
    """

    name: str
    value: Any = None
    is_target: bool = False


_SILENT = frozenset(
    {"CACHE", "RESUME", "NOP", "EXTENDED_ARG", "PRECALL", "PUSH_NULL", "COPY_FREE_VARS", "MAKE_CELL", "GEN_START"}
    | {"NOT_TAKEN", "RETURN_GENERATOR"}
)
_SAME = {
    "LOAD_FAST_BORROW": "LOAD_FAST",
    "LOAD_FAST_CHECK": "LOAD_FAST",
    "LOAD_FAST_AND_CLEAR": "LOAD_FAST",
    "LOAD_METHOD": "LOAD_ATTR",
    "LOAD_SMALL_INT": "LOAD_CONST",
}
_PAIRS = {
    "LOAD_FAST_LOAD_FAST": ("LOAD_FAST", "LOAD_FAST"),
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW": ("LOAD_FAST", "LOAD_FAST"),
    "STORE_FAST_LOAD_FAST": ("STORE_FAST", "LOAD_FAST"),
    "STORE_FAST_STORE_FAST": ("STORE_FAST", "STORE_FAST"),
}


def steps_of(code: CodeType) -> Iterator[Step]:
    """Every instruction that does something, in order."""
    for instruction in dis.get_instructions(code):
        name, value, is_target = instruction.opname, instruction.argval, instruction.is_jump_target
        if name in _SILENT:
            continue
        if name == "RETURN_CONST":
            yield Step("LOAD_CONST", value, is_target)
            yield Step("RETURN_VALUE")
        elif name in _PAIRS:
            for each, inner in zip(_PAIRS[name], value, strict=True):
                yield Step(each, inner, is_target)
        elif name == "CALL_INTRINSIC_1" and instruction.arg == _LIST_TO_TUPLE:
            yield Step("LIST_TO_TUPLE", None, is_target)
        elif name == "BINARY_OP" and instruction.argrepr == "[]":
            yield Step("BINARY_SUBSCR", None, is_target)
        else:
            yield Step(_SAME.get(name, name), value, is_target)


_LIST_TO_TUPLE = 6
