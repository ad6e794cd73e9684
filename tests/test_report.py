"""The reports for machines, as texts."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from sigcheck.report.machine import _laid_out

PLAIN = st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(['"', "\n", "},\n", "\u2028", "\ud800"])
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(VALUES)
def test_it_is_laid_out_as_the_encoder_of_python_does(value: object) -> None:
    assert _laid_out(value) == json.dumps(value, indent=2)
