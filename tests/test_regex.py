"""Regular expressions that are compiled when they are asked do what compiled ones do."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from sigcheck.core.regex import regex

ROOT = Path(__file__).resolve().parent.parent / "sigcheck"
TEXT = "One two\nthree_3 = four"


@pytest.mark.parametrize(
    ("expression", "flags"), [(r"\w+", 0), (r"(?P<first>t)(\w)", 0), (r"^T\w+$", re.MULTILINE | re.IGNORECASE)]
)
def test_answers_as_a_compiled_one(expression: str, flags: int) -> None:
    ours, theirs = regex(expression, flags), re.compile(expression, flags)
    for _ in range(2):
        assert ours.findall(TEXT) == theirs.findall(TEXT)
        assert [found.span() for found in ours.finditer(TEXT, 3)] == [
            found.span() for found in theirs.finditer(TEXT, 3)
        ]
        assert ours.sub("-", TEXT) == theirs.sub("-", TEXT)
    assert (ours.pattern, ours.flags, ours.groupindex) == (theirs.pattern, theirs.flags, theirs.groupindex)


def test_bytes() -> None:
    assert regex(rb"\d").findall(b"a1b2") == [b"1", b"2"]


def test_an_error_comes_with_the_first_question() -> None:
    broken = regex("(")
    with pytest.raises(re.error, match="unterminated"):
        broken.search("")


def test_every_expression_compiles() -> None:
    """What is not compiled at import could be wrong and never be asked."""
    found = 0
    for path in ROOT.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "regex":
                    expression = call.args[0]
                    if isinstance(expression, ast.Constant):
                        value: Any = expression.value
                        re.compile(value)
                        found += 1
    assert found > 20
