"""The family of the README's first command: what is reported of it, and what really happens when it is run."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running import report

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "fastdeploy_7428"

# Class, rule, parameter, where it lands, and the source at the place.
DEFECTS = [
    ("BlackwellGemmFusedMoeMethod", "missing-parameter", "fc1_latent_proj", None, "def apply_tp("),
    (
        "CutlassMoEMethod",
        "partly-honoured-parameter",
        "fc1_latent_proj",
        None,
        "fc1_latent_proj: nn.Layer | None = None,",
    ),
    (
        "DeepGemmFusedMoeMethod",
        "ignored-parameter",
        "fc1_latent_proj",
        None,
        "fc1_latent_proj: nn.Layer | None = None,",
    ),
    ("ModelOptNvFp4FusedMoE", "misbound-parameter", "fc1_latent_proj", "shared_experts", "def apply_tp("),
    ("MetaxMoEMethod", "missing-parameter", "fc1_latent_proj", None, "def apply_tp("),
]


def test_all_five_defects_each_once() -> None:
    found = report("examples/fastdeploy_7428", cwd=ROOT, status=1)["diagnostics"]
    told = [
        (d["class"].rpartition(".")[2], d["rule"], d["parameter"], d["lands_in"], _line(d["path"], d["line"]))
        for d in found
        if d["severity"] != "note"
    ]
    assert sorted(told) == sorted(DEFECTS)
    assert {d["method"] for d in found if d["method"]} == {"apply_tp"}


def test_the_branch_that_forgets_is_named() -> None:
    [message] = [
        d["message"]
        for d in report("examples/fastdeploy_7428", cwd=ROOT)["diagnostics"]
        if d["rule"] == "partly-honoured-parameter"
    ]
    assert message.endswith('(else of line 38: layer.topk_method != "noaux_tc")')
    assert 'if layer.topk_method == "noaux_tc":' in _line(
        "examples/fastdeploy_7428/fastdeploy/moe/fused_moe_cutlass_backend.py", 38
    )


def _line(path: str, number: int) -> str:
    return (ROOT / path).read_text(encoding="utf-8").splitlines()[number - 1].strip()


@pytest.fixture
def family() -> Iterator[Any]:
    """The example's modules, importable for the time of a test."""
    sys.path.insert(0, str(EXAMPLE))
    before = set(sys.modules)
    try:
        yield lambda module, name: getattr(importlib.import_module(module), name)
    finally:
        sys.path.remove(str(EXAMPLE))
        for name in set(sys.modules) - before:
            if name.startswith("fastdeploy"):
                del sys.modules[name]


def _run(family: Any, module: str, name: str, topk_method: str) -> list[list[float]]:
    layer = family("fastdeploy.moe", "FusedMoE")(
        family(module, name)(),
        num_experts=2,
        top_k=1,
        hidden_size=1,
        moe_intermediate_size=1,
        topk_method=topk_method,
    )
    layer.load_state_dict({"up_gate_proj_weight": [[[1.0, 1.0]], [[2.0, 2.0]]], "down_proj_weight": [[[1.0]], [[1.0]]]})
    out: list[list[float]] = layer(
        [[1.0]], lambda x: [[0.0, 1.0]], fc1_latent_proj=lambda x: [[2.0]], fc2_latent_proj=lambda x: [[10 * x[0][0]]]
    )
    return out


TRITON = ("fastdeploy.moe.fused_moe_triton_backend", "TritonWeightOnlyMoEMethod")


@pytest.mark.parametrize("topk_method", ["noaux_tc", "greedy"])
def test_what_happens(family: Any, topk_method: str) -> None:
    """The table of the example's README, really run: the right backend is the measure of the others."""
    right = _run(family, *TRITON, topk_method)
    for module, name in [
        ("fastdeploy.moe.fused_moe_blackwell_backend", "BlackwellGemmFusedMoeMethod"),
        ("fastdeploy_metax.fused_moe_metax_backend", "MetaxMoEMethod"),
    ]:
        with pytest.raises(TypeError, match="positional argument"):
            _run(family, module, name, topk_method)
    assert _run(family, "fastdeploy.quantization.nvfp4", "ModelOptNvFp4FusedMoE", topk_method) != right
    assert _run(family, "fastdeploy.moe.fused_moe_deepgemm_backend", "DeepGemmFusedMoeMethod", topk_method) != right
    cutlass = _run(family, "fastdeploy.moe.fused_moe_cutlass_backend", "CutlassMoEMethod", topk_method)
    assert (cutlass == right) is (topk_method == "noaux_tc")
