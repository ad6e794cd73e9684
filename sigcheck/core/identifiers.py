"""Whether the names in a source text are written as Python compares them. Imports nothing of sigcheck."""

from __future__ import annotations

import re
import tokenize
import unicodedata
from collections.abc import Iterable


def is_plain(text: str) -> bool:
    """Every name in a source text is written as Python compares it, and in what regular expressions take for letters.

    Of a text that cannot be tokenized, that is not certain.
    """
    return text.isascii() or not _may_be_odd(text) or _are_names_plain(text)


_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_MARK = re.compile(r"\w[^\w\x00-\x7f]|[\u1885\u1886\u2118\u212e]")  # The second ones may begin a name.


def _may_be_odd(text: str) -> bool:
    """Something may be odd, were it a name."""
    runs = set(_FOREIGN.findall(text))
    if _have_marks(runs):
        return True
    if unicodedata.is_normalized("NFKC", text):
        return False
    letters = ("".join(character if _is_letter(character) else " " for character in run) for run in runs)
    return not all(unicodedata.is_normalized("NFKC", word) for word in letters)


def _have_marks(runs: Iterable[str]) -> bool:
    """A letter, maybe one in front of a run, has a mark that regular expressions do not take for a letter."""
    return any(map(_is_letter, {found[-1] for found in _MARK.findall(f"_{' _'.join(runs)}")}))


def _are_names_plain(text: str) -> bool:
    """What is odd stands in comments and strings, of which every parser makes the same."""
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


_INTERPOLATED = re.compile(r"[bBrRuU]*[fFtT]")
_WORD = re.compile(r"\w+")


def _is_letter(character: str) -> bool:
    """It may stand in an identifier."""
    return f"_{character}".isidentifier() or f"_{unicodedata.normalize('NFKC', character)}".isidentifier()
