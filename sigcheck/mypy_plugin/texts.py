"""The texts of files that mypy has read, as Python counts their lines. Imports mypy, nothing of sigcheck."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property

from mypy import nodes
from mypy.util import DecodeError, decode_python_encoding

_stand_ins: dict[str, str] = {}
"""The files that mypy reads instead of others, by the others' real paths."""


def know_stand_ins(pairs: Sequence[Sequence[str]]) -> None:
    """Know what mypy reads instead of what, in this run.

    Args:
        pairs: those of mypy's `--shadow-file`, by which editors show it a text that is not saved.
    """
    _stand_ins.clear()
    _stand_ins.update((os.path.realpath(path), other) for path, other in pairs)


def _read_by_mypy(path: str) -> str:
    """Where the text of a file lies that mypy knows under this path."""
    return _stand_ins.get(os.path.realpath(path), path) if _stand_ins else path


def read_bytes(path: str) -> bytes | None:
    """A file as mypy reads it; None where it cannot be had."""
    try:
        with open(_read_by_mypy(path), "rb", buffering=0) as file:
            return file.read()
    except OSError:
        return None


def stamp_of(path: str) -> str:
    """What changes with the content of a file, and may change without; not with the machine to which a cache is carried, as in `files`."""
    try:
        found = os.stat(_read_by_mypy(path))
    except OSError:
        return ""
    return f"{found.st_mtime_ns}-{found.st_size}"


def decode(content: bytes) -> str | None:
    """The text of a file, its lines ended by a line feed; None where it cannot be decoded."""
    try:
        text = decode_python_encoding(content)
    except (DecodeError, UnicodeError):
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def read_text(path: str) -> str | None:
    """The text of a file, its lines ended by a line feed; None where it cannot be had."""
    content = read_bytes(path)
    return decode(content) if content is not None else None


class Lines:
    """The lines of a text, by their numbers. To look for a few is cheaper than to make all."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line, self._start = 1, 0

    @cached_property
    def all(self) -> list[str]:
        """Every line, without its end."""
        return self._text.split("\n")

    def between(self, first: int, last: int) -> str:
        """The lines from one to another, which is among them; the end of the last is not."""
        if first < self._line:
            self._line, self._start = 1, 0
        self._line, self._start = first, self._pass(first - self._line, self._start)
        end = self._pass(last + 1 - first, self._start) - 1
        return self._text[self._start : end] if end > self._start else ""

    def _pass(self, count: int, start: int) -> int:
        """Where a line begins that is so many behind the one that begins there; behind the text, where there are not so many."""
        text, span = self._text, _USUAL
        while count > _FEW and start < len(text):
            stop = start + (count * span or count - 1)
            passed = text.count("\n", start, stop)
            if passed < count:
                start, count = stop, count - passed
            else:
                span //= 2
        while count > 0 and start <= len(text):
            start, count = text.find("\n", start) + 1 or len(text) + 1, count - 1
        return start


_USUAL, _FEW = 32, 8
"""Characters in a line, not too many: where more lines begin than are to be passed, it was too far. Lines that are passed one by one."""


def text_around(info: nodes.TypeInfo, modules: Mapping[str, nodes.MypyFile]) -> str | None:
    """The text of the module in which a class stands; None where it cannot be had.

    Args:
        info: mypy's class.
        modules: every module that mypy has loaded.
    """
    tree = modules.get(info.module_name)
    return read_text(tree.path) if tree is not None else None
