"""The examples of `docs/runtime.md` run, and end with the errors that the page shows."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from tests.running import CHECKOUT

PAGE = (CHECKOUT / "docs" / "runtime.md").read_text(encoding="utf-8")
EXAMPLES: list[tuple[str, str]] = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)


class Layer: ...


def test_each_example_is_found() -> None:
    assert len(EXAMPLES) == PAGE.count("```python") == 3


@pytest.mark.parametrize(("program", "told"), EXAMPLES)
def test_an_example_ends_with_the_error_that_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, told: str
) -> None:
    path = tmp_path / "example.py"
    path.write_text(program)
    spec = importlib.util.spec_from_file_location("example", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    vars(module).update({"Layer": Layer, **{name: Layer() for name in ("layer", "x", "fc1")}})
    monkeypatch.setitem(sys.modules, "example", module)
    with pytest.raises(TypeError) as error:
        spec.loader.exec_module(module)
    text = f"{type(error.value).__name__}: {error.value}".replace(str(path), "…").replace(f"{__name__}.Layer", "Layer")
    if sys.version_info < (3, 11):
        told = told.replace("…:12:5:", "…:12:1:")  # code knows its columns from 3.11 on
    assert text.splitlines() == told.splitlines()
