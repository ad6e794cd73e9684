"""From the bytes of a file to its text, or to the problem that prevents it. Knows encodings, imports no parser."""

from __future__ import annotations

import codecs
import re

from sigcheck.core.module import Problem
from sigcheck.core.place import Place
from sigcheck.core.regex import regex

_INDENTED_ANEW = regex(r"^[ \t\f]*\f", re.MULTILINE)

# PEP 263: in one of the first two lines, the first of which is blank or a comment.
_CODING = regex(rb"\A(?:[ \t\f]*(?:#[^\r\n]*)?(?:\r\n|\r|\n))?[ \t\f]*#[^\r\n]*?coding[:=][ \t]*([-\w.]+)")


def read_text(data: bytes, path: str) -> str | Problem:
    """Decode a source file as Python does: UTF-8 unless a comment says otherwise. Every line ends in a bare newline."""
    if b"\0" in data:
        line = _line(data[: data.index(b"\0")])
        return Problem(Place(path, line, 1, line, 1), "the file holds a NUL byte", "it is no Python source; exclude it")
    encoding = _encoding(data)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode(encoding)
    except LookupError:
        return Problem(Place(path, 1, 1, 1, 1), f"unknown encoding {encoding}", "mend the coding comment")
    except UnicodeDecodeError as error:
        line = _line(data[: error.start])
        cause = f"byte 0x{data[error.start : error.start + 1].hex()} is not {encoding}"
        remedy = "save the file as UTF-8, or name its encoding in a coding comment"
        return Problem(Place(path, line, 1, line, 1), cause, remedy)
    except (UnicodeError, ValueError) as error:
        return Problem(Place(path, 1, 1, 1, 1), f"cannot be decoded as {encoding}: {error}", "save the file as UTF-8")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    # To Python a form feed starts the indentation anew; elsewhere it is a space.
    return _INDENTED_ANEW.sub("", text).replace("\f", " ") if "\f" in text else text


def _line(before: bytes) -> int:
    """The line, from 1, that begins or goes on behind these bytes."""
    return before.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1


def _encoding(data: bytes) -> str:
    found = _CODING.match(data)
    if found is None:
        return "utf-8"
    name = found.group(1).decode("ascii", "replace")
    return "utf-8" if name.lower().replace("_", "-") in ("utf8", "utf-8", "utf-8-sig") else name
