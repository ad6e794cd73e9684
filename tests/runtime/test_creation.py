"""Classes that are held against their base when they are created."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sigcheck.runtime import Guarded, IncompatibleOverrideError, IncompatibleOverrideWarning, guard

Run = Callable[[str], dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Executes source as a module of the name `family`, in which `Guarded` and `guard` are known."""

    def execute(source: str) -> dict[str, Any]:
        path = tmp_path / "family.py"
        path.write_text(source)
        names: dict[str, Any] = {"__name__": "family", "Guarded": Guarded, "guard": guard}
        exec(compile(source, str(path), "exec", dont_inherit=True), names)
        return names

    return execute


def test_a_class_that_keeps_the_promise_is_created(run: Run) -> None:
    names = run("""
class Base(Guarded):
    def run(self, x, gate): ...
class Good(Base):
    def run(self, x, gate, more=0): ...
""")
    assert names["Good"].__mro__[1] is names["Base"]


def test_a_class_that_breaks_it_is_not(run: Run, tmp_path: Path) -> None:
    with pytest.raises(IncompatibleOverrideError) as caught:
        run("""
class Base(Guarded):
    def run(self, x, gate, fc1=None): ...
class Bad(Base):
    def run(self, x, shared=None, gate=None, fc1=None): ...
""")
    assert {diagnostic.rule for diagnostic in caught.value.diagnostics} == {"misbound-parameter"}
    assert str(caught.value).startswith(f"{tmp_path}/family.py:5:")


def test_a_base_that_exists_is_guarded(run: Run, tmp_path: Path) -> None:
    with pytest.warns(IncompatibleOverrideWarning, match=r"Bad\.run cannot receive x") as caught:
        run("""
class Base:
    def run(self, x): ...
assert guard(Base, mode="warn") is Base
class Bad(Base):
    def run(self): ...
""")
    assert (caught[0].filename, caught[0].lineno) == (str(tmp_path / "family.py"), 5)
