"""The README's family, guarded: what the check says of its source is told when its classes are created."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sigcheck.core.rules import RULES
from sigcheck.report import words
from sigcheck.runtime import IncompatibleOverrideError, guard
from tests.running import report

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "fastdeploy_7428"
BACK_ENDS = (
    "fastdeploy.moe.fused_moe_blackwell_backend",
    "fastdeploy.moe.fused_moe_cutlass_backend",
    "fastdeploy.moe.fused_moe_deepgemm_backend",
    "fastdeploy.moe.fused_moe_triton_backend",
    "fastdeploy.quantization.nvfp4",
    "fastdeploy_metax.fused_moe_metax_backend",
)


@pytest.fixture
def _importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("SIGCHECK", raising=False)
    monkeypatch.syspath_prepend(str(EXAMPLE))
    yield
    for name in [
        name for name in sys.modules if name.startswith("fastdeploy") and not name.startswith("fastdeploy_moe")
    ]:
        del sys.modules[name]


@pytest.mark.usefixtures("_importable")
def test_it_is_told_what_the_check_says() -> None:
    base = importlib.import_module("fastdeploy.moe.fused_moe_backend_base")
    guard(base.MoEMethodBase)
    told = []
    for name in BACK_ENDS:
        try:
            importlib.import_module(name)
        except IncompatibleOverrideError as error:  # noqa: PERF203
            for entry in error.diagnostics:
                path = Path(entry.place.path).relative_to(ROOT).as_posix()
                told.append((path, entry.place.line, entry.rule, words.message(entry), words.witness_text(entry)))
    read = [
        (entry["path"], entry["line"], entry["rule"], entry["message"], entry["witness"])
        for entry in report("examples/fastdeploy_7428", cwd=ROOT, status=1)["diagnostics"]
        if RULES[entry["rule"]].group == "override"
    ]
    assert sorted(told) == sorted(read)
    assert [entry[2] for entry in sorted(told)] == ["missing-parameter", "misbound-parameter", "missing-parameter"]
