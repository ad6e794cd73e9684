"""The README's example runs, and the page of the family says what the registry says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.running import CHECKOUT

pytest.importorskip("paddle")

from fastdeploy_moe import list_moe_methods


def _block(file: str, word: str) -> str:
    """The one Python block of a document that holds a word."""
    text = (CHECKOUT / file).read_text(encoding="utf-8")
    [block] = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if word in block]
    return str(block)


def test_the_example_of_the_readme_runs() -> None:
    block = _block("README.md", "fastdeploy_moe")
    lines = block.splitlines()
    assert len(lines) <= 11
    said = lines[-1].partition("# NotImplementedError: ")[2].removesuffix("…")
    assert said
    run: dict[str, Any] = {}
    with pytest.raises(NotImplementedError, match="^" + re.escape(said)):
        exec(block, run)
    assert list(run["out"].shape) == [3, 64]


def test_the_back_end_of_the_page_can_be_made() -> None:
    run: dict[str, Any] = {}
    exec(_block("docs/fastdeploy_moe.md", "class Mine"), run)
    assert not run["Mine"].supports_latent


def test_the_table_of_back_ends_is_that_of_the_registry() -> None:
    page = (CHECKOUT / "docs/fastdeploy_moe.md").read_text(encoding="utf-8")
    expected = [
        f"| `{support.name}` | `{support.class_name}` | {'yes' if support.supports_latent else 'refused'} "
        f"| {', '.join(support.dtypes)} | {', '.join(support.devices)} | {'yes' if support.missing is None else 'no'} |"
        for support in list_moe_methods()
    ]
    assert [line for line in page.splitlines() if line.startswith("| `") and line.count("|") == 7] == expected
