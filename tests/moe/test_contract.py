"""The family's contract in `pyproject.toml`: `sigcheck check` is clean on the package, and not on any of these changes to it.

Needs no Paddle: sigcheck reads source. Each change is made to the syntax tree of a copy.
"""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.running import CHECKOUT, lines, rules

BASE = "layers/moe/fused_moe_backend_base.py"
CUTLASS = "layers/moe/fused_moe_cutlass_backend.py"
NVFP4 = "layers/quantization/nvfp4.py"
STUB = "layers/moe/unimplemented.py"
TRITON = "layers/moe/fused_moe_triton_backend.py"

Change = Callable[[ast.FunctionDef], None]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package and its configuration, to be changed."""
    shutil.copytree(
        CHECKOUT / "fastdeploy_moe", tmp_path / "fastdeploy_moe", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    return tmp_path


def _check(copy: Path, status: int) -> list[str]:
    return lines("fastdeploy_moe", cwd=copy, status=status)


def _change(copy: Path, file: str, method: str, change: Change) -> None:
    path = copy / "fastdeploy_moe" / file
    tree = ast.parse(path.read_text(encoding="utf-8"))
    [function] = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == method]
    change(function)
    path.write_text(ast.unparse(ast.fix_missing_locations(tree)) + "\n", encoding="utf-8")


def _without(parameter: str) -> Change:
    """Take a parameter that has a default away, and read None in its place."""

    def change(function: ast.FunctionDef) -> None:
        [index] = [index for index, one in enumerate(function.args.args) if one.arg == parameter]
        del function.args.args[index]
        function.args.defaults.pop()
        _ignoring(parameter)(function)

    return change


def _swapping(one: str, other: str) -> Change:
    """Exchange two parameters."""

    def change(function: ast.FunctionDef) -> None:
        names = {one: other, other: one}
        for argument in function.args.args:
            argument.arg = names.get(argument.arg, argument.arg)

    return change


def _inserting(parameter: str, before: str) -> Change:
    """Put a parameter in, and add what it gives of x to what is returned last."""

    def change(function: ast.FunctionDef) -> None:
        [index] = [index for index, one in enumerate(function.args.args) if one.arg == before]
        function.args.args.insert(index, ast.arg(parameter))
        function.args.defaults.append(ast.Constant(None))
        function.body.insert(-1, ast.parse(f"if {parameter} is not None:\n    x = x + {parameter}(x)").body[0])

    return change


def _ignoring(parameter: str) -> Change:
    """Read None wherever the parameter is read."""

    class Reads(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return ast.Constant(None) if node.id == parameter else node

    def change(function: ast.FunctionDef) -> None:
        function.body = [Reads().visit(statement) for statement in function.body]

    return change


def _returning_first(test: str) -> Change:
    """Return before anything else where a test holds."""

    def change(function: ast.FunctionDef) -> None:
        function.body.insert(1, ast.parse(f"if {test}:\n    return x").body[0])

    return change


def _saying(statement: str) -> Change:
    """Have one statement for a body."""

    def change(function: ast.FunctionDef) -> None:
        function.body = ast.parse(statement).body

    return change


def test_the_package_is_clean(copy: Path) -> None:
    assert _check(copy, status=0) == []


@pytest.mark.parametrize("file", [BASE, CUTLASS, STUB])
def test_taking_it_apart_and_together_changes_nothing(copy: Path, file: str) -> None:
    _change(copy, file, "apply_tp", lambda _: None)
    assert _check(copy, status=0) == []


@pytest.mark.parametrize(
    ("file", "method", "change", "rule", "parameter"),
    [
        (CUTLASS, "apply_tp", _without("fc2_latent_proj"), "missing-parameter", "fc2_latent_proj"),
        (CUTLASS, "apply_tp", _without("fc1_latent_proj"), "missing-parameter", "fc1_latent_proj"),
        (CUTLASS, "apply_tp", _without("topk_ids_hookfunc"), "missing-parameter", "topk_ids_hookfunc"),
        (CUTLASS, "apply_tp", _swapping("fc1_latent_proj", "fc2_latent_proj"), "misbound-parameter", "fc1_latent_proj"),
        (
            CUTLASS,
            "apply_tp",
            _swapping("topk_ids_hookfunc", "fc1_latent_proj"),
            "misbound-parameter",
            "topk_ids_hookfunc",
        ),
        (CUTLASS, "apply_tp", _inserting("shared_experts", "fc1_latent_proj"), "misbound-parameter", "fc1_latent_proj"),
        (CUTLASS, "apply_tp", _ignoring("fc1_latent_proj"), "ignored-parameter", "fc1_latent_proj"),
        (CUTLASS, "apply_tp", _ignoring("fc2_latent_proj"), "ignored-parameter", "fc2_latent_proj"),
        (
            CUTLASS,
            "apply_tp",
            _returning_first("layer.topk_method != 'noaux_tc'"),
            "partly-honoured-parameter",
            "fc1_latent_proj",
        ),
        (STUB, "apply_tp", _saying("return x"), "ignored-parameter", "fc1_latent_proj"),
        (STUB, "apply_tp", _without("fc2_latent_proj"), "missing-parameter", "fc2_latent_proj"),
        (BASE, "apply_ep_decode", _swapping("shared_experts", "fc1_latent_proj"), "sibling-drift", "shared_experts"),
    ],
)
def test_a_change_is_found(copy: Path, file: str, method: str, change: Change, rule: str, parameter: str) -> None:
    _change(copy, file, method, change)
    found = _check(copy, status=1)
    assert rule in rules(found)
    assert any(parameter in line and file in line for line in found)


@pytest.mark.parametrize(
    ("file", "parameters", "rule"),
    [
        (
            NVFP4,
            "topk_ids_hookfunc=None, shared_experts=None, fc1_latent_proj=None, fc2_latent_proj=None",
            "misbound-parameter",
        ),
        (TRITON, "topk_ids_hookfunc=None", "missing-parameter"),
        (TRITON, "topk_ids_hookfunc=None, fc1_latent_proj=None, fc2_latent_proj=None", "ignored-parameter"),
    ],
)
def test_a_stub_that_begins_to_compute_is_held_to_it(copy: Path, file: str, parameters: str, rule: str) -> None:
    # As the back ends of the pull request: an override of its own where the stub had none.
    path = copy / "fastdeploy_moe" / file
    with path.open("a", encoding="utf-8") as source:
        source.write(
            f"\n    def apply_tp(self, layer, x, gate, {parameters}):\n        return layer.experts(x, gate(x))\n"
        )
    assert rule in rules(_check(copy, status=1))


def test_the_base_that_passes_by_position_is_told_of_a_back_end_that_reads_otherwise(copy: Path) -> None:
    # The pull request's own pair: a call by position, and `shared_experts` in the slot. The override is told, and the call shown.
    path = copy / "fastdeploy_moe" / BASE
    source = path.read_text(encoding="utf-8")
    by_position = source.replace("topk_ids_hookfunc=topk_ids_hookfunc,", "topk_ids_hookfunc,")
    by_position = by_position.replace("            fc1_latent_proj=fc1_latent_proj,", "            fc1_latent_proj,")
    by_position = by_position.replace("            fc2_latent_proj=fc2_latent_proj,", "            fc2_latent_proj,")
    assert by_position != source
    path.write_text(by_position.replace("shared_experts=shared_experts,", "shared_experts,"), encoding="utf-8")
    assert _check(copy, status=0) == []
    _change(copy, CUTLASS, "apply_tp", _inserting("shared_experts", "fc1_latent_proj"))
    [line] = _check(copy, status=1)
    assert CUTLASS in line
    assert "fc1_latent_proj lands in `shared_experts`" in line
