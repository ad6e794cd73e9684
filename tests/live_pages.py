"""The pages' examples, run: every class that a class statement makes is checked as a guarded one is, when it is created."""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sigcheck.core.diagnostic import Diagnostic
from sigcheck.report import words
from sigcheck.runtime.creation import Policy, broken_promises
from tests.spec_pages import Found


@dataclass(slots=True)
class Ran:
    """What came of running an example.

    Attributes:
        found: what the guard told.
        failure: the exception that ended it, in a line; empty where it ran to its end.
    """

    found: list[Found] = field(default_factory=list)
    failure: str = ""


def run_modules(directory: Path) -> Ran:
    """Import every module below a directory, each first until all can be, and leave the interpreter as it was."""
    files = sorted(directory.rglob("*.py"), key=lambda path: (path.name != "main.py", path))
    first = None
    for index in range(len(files)):
        ran = _run_in_order(directory, [files[index], *files[:index], *files[index + 1 :]])
        if not ran.failure:
            return ran
        first = first or ran
    return first or Ran()


def _run_in_order(directory: Path, files: list[Path]) -> Ran:
    found: list[Found] = []
    failure = ""
    roots = [directory, *(path for path in sorted(directory.rglob("*")) if path.is_dir() and _is_root(path))]
    with _importable(directory, roots), _checked(directory, found):
        for path in files:
            root = max((root for root in roots if root in path.parents), key=lambda root: len(root.parts))
            parts = path.relative_to(root).with_suffix("").parts
            try:
                _import(".".join(parts).removesuffix(".__init__"), path)
            except Exception as error:  # noqa: BLE001 - whatever an example does
                place = traceback.extract_tb(error.__traceback__)[-1]
                failure = failure or f"{Path(place.filename).name}:{place.lineno}: {type(error).__name__}: {error}"
    return Ran(list(dict.fromkeys(found)), failure)


def _is_root(directory: Path) -> bool:
    """Packages lie in it, and it is none itself; or the pages say so by its name."""
    holds_packages = any(path.parent.parent == directory for path in directory.glob("*/__init__.py"))
    return directory.name in ("src", "site", "one") or (holds_packages and not (directory / "__init__.py").exists())


def _import(name: str, path: Path) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        # A script beside others, in a directory that is no package.
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


@contextmanager
def _importable(directory: Path, roots: list[Path]) -> Iterator[None]:
    tops = {path.stem for root in roots for path in root.iterdir() if path.is_dir() or path.suffix == ".py"}
    before, path = dict(sys.modules), list(sys.path)
    for name in before:
        if name.partition(".")[0] in tops:
            del sys.modules[name]
    sys.path[:0] = map(str, roots)
    importlib.invalidate_caches()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - set(before):
            if name.partition(".")[0] in tops:
                del sys.modules[name]
        sys.modules.update({name: module for name, module in before.items() if name.partition(".")[0] in tops})


@contextmanager
def _checked(directory: Path, found: list[Found]) -> Iterator[None]:
    """For the time of a run, what a class statement makes is checked."""
    build: Callable[..., Any] = builtins.__build_class__

    def build_class(*args: Any, **kwargs: Any) -> Any:
        made = build(*args, **kwargs)
        frame = sys._getframe(1)
        if isinstance(made, type) and frame.f_code.co_filename.startswith(str(directory)):
            _, told = broken_promises(made, made.__mro__[1:], Policy().names, frame)
            found.extend(_found(entry, directory) for entry in told)
        return made

    builtins.__build_class__ = build_class
    try:
        yield
    finally:
        builtins.__build_class__ = build


def _found(entry: Diagnostic, directory: Path) -> Found:
    path = Path(entry.place.path).relative_to(directory).as_posix()
    return Found(path, entry.place.line, entry.rule, entry.severity.value, words.message(entry))
