"""What of a module's text needs to be read for one of its classes, or for some methods of it. Knows no mypy."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from sigcheck.core.decorators import names_above
from sigcheck.core.regex import regex
from sigcheck.mypy_plugin.written_calls import STRING_OR_COMMENT

_PIECE = regex(
    STRING_OR_COMMENT + r"|\n(?:(?:async[ \t]+)?(def)|(class))[ \t]+(\w+)|(\n)(?=[^\s#)\]}])",
    re.DOTALL,
)
"""Strings, comments, and where a statement of a module begins."""


def excerpt(text: str, name: str) -> Iterator[str]:
    """A module's text, line by line, in which of functions is left that they are there, as of classes of another name; but of those that
    decorate something in the class, everything.
    """
    statements = statements_of(text)
    decorating = {
        root
        for keyword, word, statement in statements
        if word == name and keyword == "class"
        for root in names_above(statement)
    }
    for keyword, word, statement in statements:
        if keyword == "def" and word not in decorating:
            stub = f"\ndef {word}(): pass"
        elif keyword == "class" and word != name:
            stub = f"\nclass {word}: pass"
        else:
            yield statement
            continue
        yield stub + "\n" * (statement.count("\n") - 1)


@lru_cache(maxsize=16)
def statements_of(text: str) -> list[tuple[str, str, str]]:
    """The statements of a module, each with its keyword and its name where it is a function or a class; one, where they are not certain.

    They are kept, for it is rarely one class alone that is read of a module.
    """
    begin, keyword, word = 0, "", ""
    found: list[tuple[str, str, str]] = []
    for piece in _PIECE.finditer(text):
        start = piece.start()
        if piece.lastindex is not None:
            found.append((keyword, word, text[begin:start]))
            begin, keyword, word = start, piece[1] or piece[2] or "", piece[3] or ""
            if text[start - 1] == "\\":
                return [("", "", text)]  # It may go on behind it.
        elif text[start - 1] in _INTERPOLATING and "{" in piece[0] and _goes_on_in_braces(piece[0]):
            return [("", "", text)]
    found.append((keyword, word, text[begin:]))
    return found


_INTERPOLATING = frozenset("fFrRtT")
_STRING_WITHIN = {
    "'": regex(r"\"[^\"]*\""),
    '"': regex("'[^']*'"),
}


def _goes_on_in_braces(text: str) -> bool:
    """What was taken for an f-string may end in a string within it."""
    rest = _STRING_WITHIN[text[0]].sub("", text)
    return rest.count("{") != rest.count("}")


def excerpt_of_methods(
    text: str, name: str, wanted: Collection[str], words: re.Pattern[str], members: Mapping[str, bool | None]
) -> tuple[str, list[str]]:
    """An excerpt in which of the class is left its header, and some of its methods.

    Args:
        text: the module's.
        name: of a class that stands in no other.
        wanted: methods that it has.
        words: whatever method mentions one of these is left too.
        members: what the class binds: of a method, whether it has decorators; None for anything else.

    Returns:
        The text, and the names of the methods in it; nothing where it is not certain where these stand.
    """
    pieces = list(excerpt(text, name))
    kinds = [(keyword, word) for keyword, word, _ in statements_of(text)]
    places = [place for place, kind in enumerate(kinds) if kind == ("class", name)]
    statement = pieces[places[0]] if len(places) == 1 else ""
    header = _HEADER.match(statement)
    if header is None:
        return "", []
    definitions = list(re.finditer(rf"\n{header[2]}(?:async[ \t]+)?def[ \t]+(\w+)", statement))
    starts = [found.start() for found in definitions]
    names = [found[1] for found in definitions]
    if not all(names.count(method) == 1 for method in wanted):
        return "", []
    ends: dict[int, int] = {}

    def end_of(index: int) -> int:
        if index not in ends:
            ends[index] = _end(statement, starts[index], len(header[2])) if index >= 0 else header.end(1)
        return ends[index]

    chosen = {names.index(method) for method in wanted}
    for mention in words.finditer(statement, header.end(1)):
        index = bisect_right(starts, mention.start()) - 1
        if mention.start() < end_of(index):
            chosen.add(index)
        elif "lambda" in statement[end_of(index) : (*starts, len(statement))[index + 1]]:
            return "", []  # That may be a method too.
    kept = []
    for index in sorted(chosen):
        is_decorated = members.get(names[index])
        above = _decorators(statement[end_of(index - 1) : starts[index]], header[2], members) if is_decorated else ""
        if is_decorated is None or is_decorated != bool(above) or names.count(names[index]) > 1:
            return "", []
        kept.append(above + statement[starts[index] : end_of(index)])
    pieces[places[0]] = "".join([header[1], *(kept or [f"\n{header[2]}pass"])])
    return "".join(pieces), sorted(names[index] for index in chosen)


_HEADER = regex(
    r"(\n?class[ \t]+\w+[ \t]*(?:\([^()\"'#]*\))?[ \t]*:[ \t]*(?:#[^\n]*)?)\n(?:[ \t]*(?:#[^\n]*)?\n)*([ \t]+)"
)
"""The header of a class statement, and how its body is indented."""


def _decorators(gap: str, indent: str, members: Mapping[str, bool | None]) -> str:
    """The decorators at the end of what stands before a method; empty where one is on several lines, or is a member of the class."""
    at, begin = f"\n{indent}@", len(gap)
    while (line := gap.rfind("\n", 0, begin)) >= 0 and gap.startswith(at, line):
        begin = line
    roots = _ROOT.findall(gap, begin)
    return gap[begin:] if at not in gap[:begin] and members.keys().isdisjoint(roots) else ""


_ROOT = regex(r"\n[ \t]+@[ \t]*(\w+)")


def _end(text: str, start: int, indent: int) -> int:
    """Where the statement ends that begins on the next line."""
    found = _end_pattern(indent).finditer(text, start + 1)
    return next((piece.start() for piece in found if piece[1]), len(text))


@lru_cache(maxsize=16)
def _end_pattern(indent: int) -> re.Pattern[str]:
    """Strings, comments, and where a statement begins that is indented no deeper."""
    return re.compile(rf"{STRING_OR_COMMENT}|(\n)(?=[ \t]{{0,{indent}}}[^\s#)\]}}])", re.DOTALL)
