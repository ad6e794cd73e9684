"""The texts of files that mypy has read, as Python counts their lines. Imports mypy, nothing of sigcheck."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mypy import nodes
from mypy.util import DecodeError, decode_python_encoding


def read_bytes(path: str) -> bytes | None:
    """A file as it lies on the disk; None where it cannot be had."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except OSError:
        return None


def stamp_of(path: str) -> str:
    """What changes with the content of a file, and may change without; not with the machine to which a cache is carried, as in `files`."""
    try:
        found = os.stat(path)
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
