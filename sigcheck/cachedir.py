"""The directory of the cache: how it is made and cleared, and whose it is. Reads no Python source."""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

from sigcheck.files import read_bytes
from sigcheck.footprint import digest_of
from sigcheck.version import __version__

RUNS = "runs"
MODULES = "modules.sqlite3"

_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of sigcheck: https://bford.info/cachedir/\n"

_MARKS = {"CACHEDIR.TAG": _TAG, ".gitignore": "*\n"}
_OURS = frozenset({*_MARKS, RUNS, MODULES, f"{MODULES}-journal"})
_RUN = re.compile(r"[0-9a-f]{32}(\.\d+\.new)?")


def prepare(directory: Path) -> None:
    """Make a directory that no version control and no backup takes up.

    Raises:
        OSError: it cannot be made, or written to.
    """
    if (directory / "CACHEDIR.TAG").exists():
        return
    directory.mkdir(parents=True, exist_ok=True)
    if _OURS.issuperset(os.listdir(directory)):  # Else somebody else keeps things there, and his are not ours to hide.
        for name, content in _MARKS.items():
            (directory / name).write_text(content, encoding="utf-8")


def identity() -> str:
    """What reads the sources: the version of sigcheck and its very files, the interpreter, and the version of libcst."""
    here = os.path.dirname(__file__)
    own = (
        []
        if not os.path.isdir(here)
        else sorted(
            (entry.path, entry.stat().st_size, entry.stat().st_mtime_ns)
            for directory in (here, *(os.path.join(here, below) for below in ("core", "readers", "readers/source")))
            for entry in os.scandir(directory)
            if entry.name.endswith(".py")
        )
    )
    found = find_spec("libcst")
    parser = os.path.dirname(found.origin) if found is not None and found.origin is not None else ""
    version = read_bytes(os.path.join(parser, "_version.py"), lambda _: None)
    return digest_of(repr((__version__, own, sys.version, parser, version)).encode("utf-8", "surrogatepass"))


def clear(directory: Path) -> int:
    """Delete what sigcheck keeps in a directory, and the directory if nothing else is in it.

    Returns:
        How many files there were.

    Raises:
        OSError: one of them cannot be deleted.
    """
    runs = directory / RUNS
    found = [directory / name for name in (MODULES, f"{MODULES}-journal")]
    if runs.is_dir() and not runs.is_symlink():
        found += [path for path in sorted(runs.iterdir()) if _RUN.fullmatch(path.name)]
    found += [directory / name for name, content in _MARKS.items() if _reads(directory / name, content)]
    ours = [path for path in found if path.is_file() or path.is_symlink()]
    for path in ours:
        path.unlink()
    for path in (runs, directory):
        if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()
    return len(ours)


def _reads(path: Path, content: str) -> bool:
    return read_bytes(str(path), lambda _: None) == content.encode()
