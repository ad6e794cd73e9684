"""The directory of the cache: how it is made and cleared, and whose it is. Reads no Python source."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from sigcheck.files import read_bytes
from sigcheck.footprint import digest_of
from sigcheck.version import __version__

RUNS = "runs"
MODULES = "modules.sqlite3"

_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of sigcheck: https://bford.info/cachedir/\n"

_OURS = ("CACHEDIR.TAG", ".gitignore", MODULES, f"{MODULES}-journal")


def prepare(directory: Path) -> None:
    """Make a directory that no version control and no backup takes up.

    Raises:
        OSError: it cannot be made, or written to.
    """
    if not (directory / "CACHEDIR.TAG").exists():
        directory.mkdir(parents=True, exist_ok=True)
        (directory / ".gitignore").write_text("*\n", encoding="utf-8")
        (directory / "CACHEDIR.TAG").write_text(_TAG, encoding="utf-8")


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
    own = [directory / name for name in _OURS]
    kept = sorted(runs.iterdir()) if runs.is_dir() and not runs.is_symlink() else []
    found = [path for path in (*kept, *own) if path.is_file() or path.is_symlink()]
    for path in found:
        path.unlink()
    for path in (runs, directory):
        if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()
    return len(found)
