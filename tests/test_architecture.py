"""The layers: imports point back along the way of the data. An import against the arrow, or a module in no layer, fails."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "sigcheck"

LAYERS: dict[str, tuple[str, ...]] = {
    "version": ("sigcheck.version",),
    "errors": ("sigcheck.errors",),
    "collector": ("sigcheck.collector",),
    "core": ("sigcheck.core",),
    "reader parts": (
        "sigcheck.readers.comments",
        "sigcheck.readers.conventions",
        "sigcheck.readers.decorating",
        "sigcheck.readers.scope",
    ),
    "source reader": ("sigcheck.readers.source",),
    "mypy reader": (
        "sigcheck.readers.mypy_nodes",
        "sigcheck.readers.mypy_signatures",
        "sigcheck.readers.mypy_decorators",
    ),
    "live reader": ("sigcheck.readers.live",),
    "readers": ("sigcheck.readers",),
    "files": ("sigcheck.files",),
    "configuration": ("sigcheck.config",),
    "footprint": ("sigcheck.footprint",),
    "cache": ("sigcheck.cache", "sigcheck.cachedir", "sigcheck.index", "sigcheck.serialization"),
    "changes": ("sigcheck.changeset", "sigcheck.watching"),
    "survey": ("sigcheck.survey", "sigcheck.search"),
    "workers": ("sigcheck.workers",),
    "project": ("sigcheck.project", "sigcheck.reading", "sigcheck.conviction", "sigcheck.transfer", "sigcheck.lineage"),
    "outcome": ("sigcheck.outcome", "sigcheck.findings"),
    "use case": (
        "sigcheck.checking",
        "sigcheck.charting",
        "sigcheck.inspection",
        "sigcheck.record",
        "sigcheck.revision",
    ),
    "report": ("sigcheck.report",),
    "mypy plugin": ("sigcheck.mypy_plugin",),
    "command line": ("sigcheck.cli", "sigcheck.commands", "sigcheck.__main__"),
    "library": ("sigcheck.api",),
    "runtime": ("sigcheck.runtime",),
    "pytest plugin": ("sigcheck.pytest_plugin",),
    "façade": ("sigcheck",),
}
"""Each layer by the modules, or packages with all below them, that belong to it; the longest name counts."""

MAY_IMPORT: dict[str, set[str]] = {
    "version": set(),
    "errors": set(),
    "collector": set(),
    "core": set(),
    "reader parts": {"core"},
    "source reader": {"core", "reader parts"},
    "mypy reader": {"core", "reader parts"},
    "live reader": {"core"},
    "readers": set(),
    "files": {"core"},
    "configuration": {"core", "errors", "files"},
    "footprint": {"core", "files"},
    "cache": {"core", "version", "files", "footprint"},
    "changes": {"core", "errors", "files"},
    "survey": {"core", "errors", "files", "configuration", "footprint"},
    "workers": set(),
    "project": {
        "core", "files", "configuration", "footprint", "cache", "survey", "outcome", "source reader", "workers",
    },
    "outcome": {"core"},
    "use case": {
        "collector", "core", "errors", "files", "configuration", "footprint", "cache", "survey", "project", "outcome", "workers",
    },
    "report": {"core", "outcome"},
    "mypy plugin": {
        "version", "errors", "core", "files", "configuration", "report", "reader parts", "mypy reader",
        "source reader",
    },
    "command line": {
        "version", "errors", "collector", "core", "files", "configuration", "cache", "changes", "use case", "outcome", "report",
        "source reader",
    },
    "library": {"core", "errors", "configuration", "use case", "outcome", "live reader"},
    "façade": {"version", "errors", "core", "configuration", "outcome", "report", "library"},
    "runtime": {"errors", "core", "live reader", "report"},
    "pytest plugin": {"errors", "runtime"},
}  # fmt: skip

NO_IO = {
    "asyncio", "glob", "io", "logging", "multiprocessing", "os", "pathlib", "random", "shutil", "signal", "socket",
    "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "datetime",
}  # fmt: skip
"""What the core does not know: files, processes, clocks, the interpreter that runs it."""


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def _imports(module: str, *, lazy: bool = True) -> Iterator[str]:
    """The modules that a module of sigcheck imports, wherever in it; without `lazy`, only those outside of functions."""
    return _imports_of(MODULES[module], lazy=lazy)


def _imports_of(path: Path, *, lazy: bool = True) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not lazy:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module or ""
        pending += ast.iter_child_nodes(node)


def _layer(module: str) -> str | None:
    fits = [
        (len(top), layer)
        for layer, tops in LAYERS.items()
        for top in tops
        if module == top or (module.startswith(f"{top}.") and top != "sigcheck")
    ]
    return max(fits)[1] if fits else None


def _ours(imported: str) -> bool:
    return imported.partition(".")[0] == "sigcheck"


def test_every_module_is_in_a_layer_and_no_layer_is_empty() -> None:
    assert [module for module in MODULES if _layer(module) is None] == []
    assert set(LAYERS) - {_layer(module) for module in MODULES} == set()
    assert set(LAYERS) == set(MAY_IMPORT)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_back_along_the_arrow(module: str) -> None:
    own = _layer(module)
    assert own is not None
    against = [
        imported for imported in _imports(module) if _ours(imported) and _layer(imported) not in (own, *MAY_IMPORT[own])
    ]
    assert against == [], f"{module} ({own}) may import {sorted(MAY_IMPORT[own])} only"


def test_the_layers_themselves_form_no_cycle() -> None:
    list(graphlib.TopologicalSorter(MAY_IMPORT).static_order())


def test_the_modules_form_no_cycle() -> None:
    # What is imported when it is used (`sigcheck.check`) may lead back: nothing of sigcheck imports the package itself.
    graph = {
        module: {imported for imported in _imports(module) if _ours(imported)}
        for module in MODULES
        if module != "sigcheck"
    }
    assert not any("sigcheck" in imported for imported in graph.values())
    list(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("module", [module for module in MODULES if _layer(module) == "core"])
def test_the_core_is_pure(module: str) -> None:
    outside = {imported.partition(".")[0] for imported in _imports(module) if not _ours(imported)}
    assert outside <= set(sys.stdlib_module_names) - NO_IO
    called = {
        node.func.id
        for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    compiles = (
        {"exec"} if module == "sigcheck.core.dataclass" else set()
    )  # the names of fields, as the standard one does
    assert not called & ({"open", "print", "input", "exec", "eval", "__import__"} - compiles)


def test_only_the_source_reader_knows_libcst() -> None:
    users = {module for module in MODULES if any(name.partition(".")[0] == "libcst" for name in _imports(module))}
    assert users
    assert {_layer(module) for module in users} == {"source reader"}


def test_only_the_plugin_and_its_reader_know_mypy() -> None:
    users = {module for module in MODULES if any(name.partition(".")[0] == "mypy" for name in _imports(module))}
    assert {_layer(module) for module in users} == {"mypy reader", "mypy plugin"}


def test_the_plugin_never_loads_libcst() -> None:
    program = "import sys, sigcheck.mypy_plugin, sigcheck.readers.mypy_nodes; print('libcst' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "False\n"


def test_the_command_line_loads_its_commands_when_it_needs_them() -> None:
    assert not [name for name in _imports("sigcheck.cli", lazy=False) if _ours(name)]
    assert "sigcheck.commands" in set(_imports("sigcheck.cli"))


def test_only_the_guard_knows_typeguard_and_pytest_and_loads_them_late() -> None:
    for package, layers in {"typeguard": {"runtime"}, "pytest": {"runtime", "pytest plugin"}}.items():
        users = {module for module in MODULES if package in {name.partition(".")[0] for name in _imports(module)}}
        assert {_layer(module) for module in users} == layers
    # typeguard's entry point, and pytest's: loaded for everyone who has both.
    for module in ("sigcheck.runtime", "sigcheck.runtime.typeguard_plugin", "sigcheck.runtime.roles"):
        assert "typeguard" not in set(_imports(module, lazy=False)), module
    assert [name for name in _imports("sigcheck.pytest_plugin", lazy=False) if _ours(name)] == ["sigcheck.errors"]


FAMILY_NEEDS_NO_PADDLE = ("", ".__main__", ".configuration", ".errors", ".installation", ".registry")
"""Modules of `fastdeploy_moe` that tell what is wrong with Paddle, or need none: they import it in functions, if at all."""


@pytest.mark.parametrize("module", MODULES)
def test_sigcheck_does_not_know_the_family(module: str) -> None:
    assert not {name.partition(".")[0] for name in _imports(module)} & {"fastdeploy_moe", "paddle", "numpy"}


def test_the_family_does_not_know_sigcheck_and_starts_without_paddle() -> None:
    import_paddle = {}
    for path in sorted((ROOT.parent / "fastdeploy_moe").rglob("*.py")):
        name = _name(path)
        imported = {top.partition(".")[0] for top in _imports_of(path)}
        assert "sigcheck" not in imported, name
        import_paddle[name] = "paddle" in {top.partition(".")[0] for top in _imports_of(path, lazy=False)}
    assert [name for name in FAMILY_NEEDS_NO_PADDLE if import_paddle[f"fastdeploy_moe{name}"]] == []
    assert import_paddle["fastdeploy_moe.layers.moe.fused_moe_backend_base"]


BACK_ENDS = [
    path
    for path in sorted((ROOT.parent / "fastdeploy_moe" / "layers").rglob("*.py"))
    if path.name.startswith("fused_moe") or path.name == "nvfp4.py"
]


@pytest.mark.parametrize("path", BACK_ENDS, ids=lambda path: path.stem)
def test_a_back_end_imports_no_other(path: Path) -> None:
    base = "fastdeploy_moe.layers.moe.fused_moe_backend_base"
    others = {_name(other) for other in BACK_ENDS if other != path} - {base}
    found = {
        name for name in _imports_of(path) if any(name == other or name.startswith(f"{other}.") for other in others)
    }
    assert found == set()


@pytest.mark.parametrize("module", MODULES)
def test_values_are_replaced_by_what_made_them(module: str) -> None:
    """The standard `replace` makes a whole class of the standard decorator, whenever it is given a value of ours."""
    replacing = {
        ast.unparse(node.value)
        for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "replace"
    }
    assert "dataclasses" not in replacing or "dataclasses" not in set(_imports(module))
    assert "dataclasses.replace" not in set(_imports(module))


def test_an_import_against_the_arrow_would_be_seen() -> None:
    assert _layer("sigcheck.core.signature") == "core"
    assert _layer("sigcheck.nowhere") is None
    assert "project" not in MAY_IMPORT["core"]
    assert "sigcheck.core.signature" in set(_imports("sigcheck.core.binding"))
