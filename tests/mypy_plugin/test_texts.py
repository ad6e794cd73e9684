"""The lines of a text, found by their numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sigcheck.mypy_plugin.texts import Lines

_TEXTS = st.lists(st.sampled_from(["", "", "a", "é" * 3, "x" * 40, "y" * 300]), max_size=80).map("\n".join)
_ASKED = st.lists(st.tuples(st.integers(1, 90), st.sampled_from([-1, 0, 0, 1, 9, 40, 5000])), max_size=6)


@given(text=_TEXTS, asked=_ASKED)
def test_lines_are_those_of_the_text_in_whatever_order_they_are_asked_for(
    text: str, asked: list[tuple[int, int]]
) -> None:
    lines = Lines(text)
    every = text.split("\n")
    for first, more in asked:
        assert lines.between(first, first + more) == "\n".join(every[first - 1 : first + more])
    assert lines.all == every
