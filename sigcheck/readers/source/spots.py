"""Where `ast` nodes stand in a text, in characters, and their source text with the brackets around it. Imports `conventions` and `core`.

`ast` leaves out the brackets around an expression; to libcst they are a part of it, and reports show them.
"""

from __future__ import annotations

import ast
import itertools
import keyword
import re
import warnings
from bisect import bisect_right

from sigcheck.core.identifiers import is_plain
from sigcheck.core.regex import regex
from sigcheck.readers.conventions import on_one_line


class UncertainError(Exception):
    """Only libcst can tell."""


_KEYWORDS = frozenset(keyword.kwlist) - {"None", "True", "False"}
_WORD = regex(r"\w+\Z")
_GAP = regex(r"(?:[\s\\]|#[^\n]*)*")
_TO_COLON = regex(r"(?:[^:#]|#[^\n]*)*:")
_STRING = regex(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|#.*")

Node = ast.expr | ast.stmt | ast.arg | ast.pattern
"""What has a place."""


class Spots:
    """The lines of one text."""

    def __init__(self, text: str, *, is_certain: bool = True) -> None:
        """Args: text: of the file; is_certain: give up rather than guess."""
        self.text = text
        self.is_certain = is_certain
        self.lines = text.split("\n")
        self.is_ascii = text.isascii()
        # Names stand in the text as in the nodes; who asks for certainty asks that first.
        self.is_plain = is_certain or is_plain(text)
        self.starts = [0, *itertools.accumulate([len(line) + 1 for line in self.lines])]

    def doubt(self) -> None:
        """Here only libcst could tell.

        Raises:
            UncertainError: it is to be asked.
        """
        if self.is_certain:
            raise UncertainError

    def column(self, line: int, offset: int) -> int:
        """From `ast`'s UTF-8 offset in a line (from 1) to a 0-based column."""
        if self.is_ascii:
            return offset
        written = self.lines[line - 1]
        return offset if written.isascii() else len(written.encode()[:offset].decode(errors="replace"))

    def index(self, line: int, offset: int) -> int:
        """The place in the whole text."""
        return self.starts[line - 1] + self.column(line, offset)

    def line(self, index: int) -> int:
        """The line, from 1, of a place in the text."""
        return bisect_right(self.starts, index)

    def start(self, node: Node) -> int:
        """Where a node begins in the whole text."""
        return self.index(node.lineno, node.col_offset)

    def end(self, node: Node) -> int:
        """The first place behind a node."""
        return self.index(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def code(self, node: Node) -> str:
        """The source text of an expression, on one line, with the brackets around it; not those of a call it is in."""
        line = node.lineno
        if line == node.end_lineno and self.is_ascii:
            written = self.lines[line - 1]
            column, end = node.col_offset, node.end_col_offset
            before = written[column - 1] if column else ""
            if before in " \t":
                before = written[:column].rstrip()[-1:]
            if before and before not in "(\\" and type(node) is not ast.GeneratorExp:
                return on_one_line(written[column:end])
        start, end = self.span(node)
        return on_one_line(self.text[start:end])

    def shows(self, node: ast.expr) -> bool:
        """An expression in a formatted string stands where it is said to: some `ast` before Python 3.12 has it elsewhere."""
        if (node.end_lineno or node.lineno) <= len(self.lines):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found = ast.parse(f"({self.text[self.start(node) : self.end(node)]})", mode="eval").body
            except (SyntaxError, ValueError):
                pass
            else:
                if ast.dump(found) == ast.dump(node):
                    return True
        self.doubt()
        return False

    def span(self, node: Node, *, in_statement: bool = False) -> tuple[int, int]:
        """From where to where an expression goes, with the brackets around it.

        Args:
            node: the expression.
            in_statement: it stands right behind `match` or `case`, so that no bracket in front of it is a call's.
        """
        start, end = self.start(node), self.end(node)
        if type(node) is ast.GeneratorExp and self.text[start] == "(" and self._is_opener(start):
            # The only argument of a call: to `ast`, the call's brackets are the generator's.
            start, end = self._inner(start, end)
        while True:
            right = self.behind(end)
            if self.text[right : right + 1] != ")":
                return start, end
            left = self._before(start)
            if left < 0 or self.text[left] != "(" or (not in_statement and self._is_opener(left)):
                return start, end
            start, end = left, right + 1

    def statement_code(self, node: Node) -> str:
        """The source text of what stands right behind `match` or `case`."""
        start, end = self.span(node, in_statement=True)
        return on_one_line(self.text[start:end])

    def behind(self, index: int) -> int:
        """The next place where something stands."""
        found = _GAP.match(self.text, index)
        return found.end() if found is not None else index

    def colon(self, index: int) -> int:
        """The line of the next colon, which nothing but brackets, commas, words and comments may be in front of."""
        found = _TO_COLON.match(self.text, index)
        if found is None:
            self.doubt()
            return self.line(index)
        return self.line(found.end())

    def _inner(self, start: int, end: int) -> tuple[int, int]:
        """Without the brackets, and the space in them."""
        left = self.behind(start + 1)
        right = self._before(end - 1) + 1
        return left, right

    def _is_opener(self, index: int) -> bool:
        """The bracket opens the arguments of what stands in front of it."""
        before = self._before(index)
        if before < 0:
            return False
        character = self.text[before]
        if character in ")]}\"'":
            return True
        if not (character.isalnum() or character == "_"):
            return False
        word = _WORD.search(self.text, max(before - 40, 0), before + 1)
        return word is None or word.group() not in _KEYWORDS

    def _before(self, index: int) -> int:
        """The last place in front of another where something stands; -1 for none."""
        text = self.text
        index -= 1
        while index >= 0:
            character = text[index]
            if character == "\n":
                index = self._without_comment(index)
            elif character in " \t\\":
                index -= 1
            else:
                break
        return index

    def _without_comment(self, end: int) -> int:
        """The last place of the line that ends there, in front of the comment that it may end with."""
        start = self.text.rfind("\n", 0, end) + 1
        line = self.text[start:end]
        if "#" not in line:
            return end - 1
        if '"' in line or "'" in line:
            if '"""' in line or "'''" in line:
                self.doubt()  # What is a string there, and what a comment, takes a tokenizer.
                return end - 1
            line = _STRING.sub(_masked, line)
            if '"' in line or "'" in line:
                self.doubt()
                return end - 1
        return start + line.find("#") - 1 if "#" in line else end - 1


def _masked(found: re.Match[str]) -> str:
    """A comment keeps its mark, and a string its length."""
    return "#" if found.group().startswith("#") else "_" * len(found.group())
