"""Random edits of a small family: at every step a warm run and the daemon say what a cold run says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mypy_plugin.programs import CONFIGURATION, QUIET, REMARKED, Project

RUN = [
    "x, y=None",
    "x, y=None, z=0",
    "w, y=None",
    "y, x",
    "x: int, y: int = 0",
    "*args, **kwargs",
    "x, /, y=None",
    "x, *, y=None",
]
CALLS = ["self.step(x, y)", "self.step(a=x, b=y)", "self.step(x)", "None"]
STEP = ["a, b", "b, a", "a, b, c", "a, b=None", "*rest"]
METHOD = "    def run(self, {run}): ...\n    def step(self, {step}): ...\n"


def base(run: str, call: str, step: str, *, cycle: bool, blank: bool) -> str:
    """The base: its signatures, what it calls, whether it imports those who inherit it."""
    body = f"call = lambda x, y: None\nclass Base:\n    def run(self, {run}): ...\n"
    body += f"    def step(self, {step}): ...\n    def go(self, x, y): return {call}\n"
    return ("\n\n" if blank else "") + ("import sub\n" if cycle else "") + body


def between(parent: str, methods: str) -> str:
    """The class between."""
    return f"from base import Base\nclass Mid{parent}:\n    tag = 1\n{methods}"


def below(parent: str, methods: str, *, inside: bool) -> str:
    """The class below, or one in a function."""
    text = f"class Sub({parent}):\n    tag = 2\n{methods}"
    if inside:
        text = "def make():\n" + "".join(f"    {line}\n" for line in text.splitlines()) + "    return Sub\n"
    return f"from {parent.lower()} import {parent}\n{text}"


_METHODS = st.builds(
    lambda run, step, keep: METHOD.format(run=run, step=step) if keep else "",
    st.sampled_from(RUN),
    st.sampled_from(STEP),
    st.booleans(),
)
_BASE = st.builds(
    base,
    st.sampled_from(RUN),
    st.sampled_from(CALLS),
    st.sampled_from(STEP),
    cycle=st.booleans(),
    blank=st.booleans(),
)
_MID = st.builds(between, st.sampled_from(["(Base)", ""]), _METHODS)
_SUB = st.builds(below, st.sampled_from(["Mid", "Base"]), _METHODS, inside=st.booleans())
_EDIT = st.one_of(
    st.fixed_dictionaries({"base.py": _BASE}),
    st.fixed_dictionaries({"mid.py": _MID}),
    st.fixed_dictionaries({"sub.py": _SUB}),
    st.fixed_dictionaries({"base.py": _BASE, "sub.py": _SUB}),
)
SEQUENCES = st.tuples(
    st.fixed_dictionaries({"base.py": _BASE, "mid.py": _MID, "sub.py": _SUB}), st.lists(_EDIT, min_size=2, max_size=5)
)
pytestmark = REMARKED


def _hold(first: dict[str, str], edits: list[dict[str, str]], directory: Path, typeshed: Path) -> None:
    """Run through a sequence: the daemon stays for all of them, the cache too."""
    project = Project(directory, typeshed=typeshed)
    clock = directory / "clock"
    project._clock = int(clock.read_text()) if clock.exists() else 0
    for step in [first, *edits]:
        project.edit({"mypy.ini": CONFIGURATION, "sigcheck.toml": "repeat-mypy = true\n", **step})
        clock.write_text(str(project._clock))
        cold = project.cold()
        assert project.mypy() == cold, ("warm", project.files)
        assert project.dmypy() == cold, ("dmypy", project.files)


@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=QUIET)
@given(sequence=SEQUENCES)
def test_a_few(sequence: tuple[dict[str, str], list[dict[str, str]]], project: Project) -> None:
    _hold(*sequence, project.directory, project.typeshed)


@pytest.mark.long
@pytest.mark.parametrize("half", range(2))  # for two processors
@settings(max_examples=100, deadline=None, suppress_health_check=QUIET)
@given(sequence=SEQUENCES)
def test_many(sequence: tuple[dict[str, str], list[dict[str, str]]], project: Project, half: int) -> None:
    del half
    _hold(*sequence, project.directory, project.typeshed)
