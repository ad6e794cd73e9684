"""Whether the names in a source text are written as Python compares them. Imports `regex`."""

from __future__ import annotations

import re
import tokenize
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from sigcheck.core.regex import regex


def is_plain(text: str) -> bool:
    """Every name in a source text is written as Python compares it, and in what regular expressions take for letters.

    Of a text that cannot be tokenized, that is not certain.
    """
    return (
        text.isascii()
        or is_plain_for_certain(text.encode("utf-8", "surrogatepass"))
        or not _may_be_odd(text)
        or _is_code_plain(text)
        or _are_names_plain(text)
    )


def is_plain_for_certain(data: bytes) -> bool:
    """Whatever in a text in UTF-8 were a name, and whatever stood beside what, would be written as Python compares it."""
    foreign = data.translate(None, _ASCII).decode("utf-8", "replace")
    letters = set(filter(_is_letter, set(foreign)))
    return all(letter.isalnum() and letter not in _BEGINNING for letter in letters) and unicodedata.is_normalized(
        "NFKC", "".join(filter(letters.__contains__, foreign))
    )


_FOREIGN = regex(r"[^\x00-\x7f]+")
_ASCII = bytes(range(0x80))
_BEGINNING = "\u1885\u1886\u2118\u212e"
"""Marks that may begin a name."""
_MARK = regex(rf"\w[^\w\x00-\x7f]|[{_BEGINNING}]")


def _may_be_odd(text: str) -> bool:
    """Something may be odd, were it a name."""
    runs = set(_FOREIGN.findall(text))
    if _have_marks(runs):
        return True
    words = ("".join(character if _is_letter(character) else " " for character in run) for run in runs)
    return not all(unicodedata.is_normalized("NFKC", word) for word in words)


def _have_marks(runs: Iterable[str]) -> bool:
    """A letter, maybe one in front of a run, has a mark that regular expressions do not take for a letter."""
    return any(map(_is_letter, {found[-1] for found in _MARK.findall(f"_{' _'.join(runs)}")}))


def _is_code_plain(text: str) -> bool:
    """What is odd is certain to stand in comments and plain strings, of which every parser makes the same."""
    code, interpolated, end = [], [], 0
    for piece in _PIECE.finditer(text):
        start = piece.start()
        code.append(text[end:start])
        end = piece.end()
        token, before = piece.group(), text[max(start - 2, 0) : start].lower()
        if token[0] != "#" and (before[-1:] in ("f", "t") or (before[-1:] == "r" and before[:1] in ("f", "t"))):
            if token.count("{") != token.count("}"):
                return False  # Maybe one in another.
            interpolated.append(token)
    code.append(text[end:])
    rest = " ".join(code)
    return '"' not in rest and "'" not in rest and not _may_be_odd(" ".join([rest, *interpolated]))


def _are_names_plain(text: str) -> bool:
    """What is odd stands in comments and strings."""
    try:
        for token in tokenize.generate_tokens((f"{line}\n" for line in text.split("\n")).__next__):
            if token.type == tokenize.NAME:
                is_one = _WORD.fullmatch(token.string) is not None
            elif token.type == tokenize.STRING and _INTERPOLATED.match(token.string):
                # Before Python 3.12 an f-string is one token, names and all.
                is_one = not _have_marks(_FOREIGN.findall(token.string))
            elif token.type == tokenize.ERRORTOKEN and not token.string.isascii():
                is_one = False  # Before Python 3.12, a mark in a name.
            else:
                continue
            if not (is_one and unicodedata.is_normalized("NFKC", token.string)):
                return False
    except (tokenize.TokenError, SyntaxError):
        return False
    return True


_PIECE = regex(
    r"#[^\n]*|\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3}|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'", re.DOTALL
)
"""Comments and strings."""
_INTERPOLATED = regex(r"[bBrRuU]*[fFtT]")
_WORD = regex(r"\w+")


@lru_cache(maxsize=0x10000)
def _is_letter(character: str) -> bool:
    """It may stand in an identifier."""
    return f"_{character}".isidentifier() or f"_{unicodedata.normalize('NFKC', character)}".isidentifier()
