"""The comments that speak to sigcheck, found in the text of a file. Imports no parser but `tokenize`."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable, Collection, Iterator

from sigcheck.core.module import Suppression
from sigcheck.core.names import normalized
from sigcheck.core.place import Place
from sigcheck.core.regex import regex

_OURS = regex(r"#\s*sigcheck:\s*ignore(?![\w-])\s*(?:\[([^\]]*)\])?")
_IGNORES = regex(r"#\s*sigcheck:\s*ignores\s*\[([^\]]*)\]")
_FOREIGN = regex(r"#\s*type:\s*ignore(?:\[([^\]]*)\])?|#\s*pyright:\s*ignore(?:\[([^\]]*)\])?")
_ANY = regex(r"#\s*(?:sigcheck:|type:\s*ignore|pyright:\s*ignore)")
_FOREIGN_CODES = frozenset({"override", "reportIncompatibleMethodOverride", "reportIncompatibleVariableOverride"})


Shorten = Callable[[Collection[int]], str]
"""Gives the text with all that it takes to tell comments from strings on some lines, in its place; the rest may be missing."""


def read_suppressions(text: str, path: str, shorten: Shorten | None = None) -> tuple[Suppression, ...]:
    """Every suppression in a file; none where no comment could be one. Less is read where there is a way to `shorten` the text."""
    if "sigcheck:" not in text and "ignore" not in text:
        return ()
    return tuple(_suppressions(text, path, shorten))


def _suppressions(text: str, path: str, shorten: Shorten | None) -> Iterator[Suppression]:
    for line, column, comment in _comments(text, shorten):
        for found in _OURS.finditer(comment):
            start = column + found.start()
            place = Place(path, line, start + 1, line, column + found.end() + 1)
            names = (found.group(1) or "").split(",")
            yield Suppression(place, tuple(name.strip() for name in names if name.strip()))
        for found in _IGNORES.finditer(comment):
            place = Place(path, line, column + found.start() + 1, line, column + found.end() + 1)
            names = tuple(normalized(name.strip()) for name in found.group(1).split(",") if name.strip())
            yield Suppression(place, (), parameters=names)
        for found in _FOREIGN.finditer(comment):
            if _is_about_overrides(found):
                place = Place(path, line, column + found.start() + 1, line, column + found.end() + 1)
                yield Suppression(place, (), is_foreign=True)


def _is_about_overrides(found: re.Match[str]) -> bool:
    """Another checker's comment names the rule that says what ours do, or none."""
    codes = {code.strip() for code in (found.group(1) or found.group(2) or "override").split(",")}
    return bool(codes & _FOREIGN_CODES)


def _may_tell(line: str) -> bool:
    """A comment on this line would be a suppression, wherever on it a comment begins."""
    index = line.find("#")
    while index >= 0:
        if _OURS.match(line, index) or _IGNORES.match(line, index):
            return True
        found = _FOREIGN.match(line, index)
        if found is not None and _is_about_overrides(found):
            return True
        index = line.find("#", index + 1)
    return False


def _comments(text: str, shorten: Shorten | None) -> Iterator[tuple[int, int, str]]:
    """Line (1-based), column (0-based) and text of the comments that may matter."""
    if _ANY.search(text) is None:
        return
    candidates = {
        number: line for number, line in enumerate(text.split("\n"), start=1) if "#" in line and _may_tell(line)
    }
    if not candidates:
        return
    seen: set[int] = set()
    try:
        written = text if shorten is None else shorten(candidates)
        for token in tokenize.generate_tokens(io.StringIO(written).readline):
            if token.type == tokenize.COMMENT:
                seen.add(token.start[0])
                if token.start[0] in candidates:
                    yield token.start[0], token.start[1], token.string
    except (tokenize.TokenError, SyntaxError):
        # Newer syntax than this interpreter's, or broken: what is left is read line by line.
        for number, line in candidates.items():
            if number > max(seen, default=0):
                yield number, line.index("#"), line[line.index("#") :]
