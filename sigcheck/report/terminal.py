"""How text stands on a terminal: its width, its colours, and what must not reach it."""

from __future__ import annotations

import unicodedata


def in_cells(line: str) -> str:
    """The line as a terminal shows it: a tab is one cell, and nothing in it can move the cursor or change a colour."""
    return "".join(
        character if character.isprintable() else " " if character == "\t" else "\ufffd" for character in line
    )


def cells(line: str) -> int:
    """How wide a terminal shows `in_cells(line)`: East Asian wide characters take two cells, combining ones none."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in line
    )


def shortened(line: str, width: int) -> str:
    """The line, cut to a number of cells; three dots tell that something is gone."""
    if cells(line) <= width:
        return line
    kept = line
    while cells(kept) > width - 3:
        kept = kept[:-1]
    return f"{kept}..."


def paint(text: str, code: str, colour: bool) -> str:
    """The text in a colour or another rendition (SGR)."""
    return f"\033[{code}m{text}\033[0m" if colour else text
