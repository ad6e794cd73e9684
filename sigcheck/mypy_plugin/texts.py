"""The texts of files that mypy has read, as Python counts their lines. Imports mypy, nothing of sigcheck."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

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


def text_around(info: nodes.TypeInfo, modules: Mapping[str, nodes.MypyFile]) -> str | None:
    """The text of the module in which a class stands; None where it cannot be had.

    Args:
        info: mypy's class.
        modules: every module that mypy has loaded.
    """
    tree = modules.get(info.module_name)
    return read_text(tree.path) if tree is not None else None
