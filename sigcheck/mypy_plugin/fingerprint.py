"""Where the configuration lies, and what results depend on, at next to no cost: mypy asks before it knows whether it has work.

Imports nothing of sigcheck but its version.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

from mypy.options import Options

import sigcheck.version
from sigcheck.version import __version__

_beside: str | None = None
"""The directory of mypy's configuration file: mypy asks for the fingerprint without saying for which run."""


def look_beside(options: Options) -> None:
    """Look for the configuration of this run above mypy's configuration file first."""
    global _beside  # noqa: PLW0603
    _beside = os.path.dirname(os.path.abspath(options.config_file)) if options.config_file else None


def starts() -> list[str]:
    """The directories above which the configuration is looked for, one after the other."""
    return [*([_beside] if _beside is not None else []), os.getcwd()]


def may_be_configured() -> bool:
    """A file that may have a configuration lies above: what it says, `settings` reads."""
    return any(True for _ in _candidates())


def _candidates() -> Iterator[tuple[str, bytes]]:
    """The files that may be the configuration, the nearest first, with their content."""
    seen: set[str] = set()
    for start in starts():
        directory = start
        while directory not in seen:
            seen.add(directory)
            for name in ("sigcheck.toml", "pyproject.toml"):
                path = os.path.join(directory, name)
                try:
                    with open(path, "rb") as file:
                        content = file.read()
                except OSError:
                    if not os.path.exists(path):
                        continue
                    content = b"sigcheck"
                if name == "sigcheck.toml" or b"sigcheck" in content:
                    yield path, content
            directory = os.path.dirname(directory)


def fingerprint() -> str:
    """Changes with whatever can change a result: the version, sigcheck's own source, the configuration."""
    digest = hashlib.sha256()
    for path, content in _candidates():
        digest.update(f"{path}\0{len(content)}\0".encode("utf-8", "surrogateescape") + content)
    for line in _installed():
        digest.update(line)
    return f"{__version__}+{digest.hexdigest()[:16]}"


def _installed() -> Iterator[bytes]:
    """What tells this sigcheck from another: the hashes that were written when it was installed, or else the stamps of its files.

    Stamps are new wherever it is installed anew, and a cache that is carried from one machine to another would be dropped.
    """
    package = os.path.dirname(os.path.abspath(sigcheck.version.__file__))
    record = os.path.join(os.path.dirname(package), f"sigcheck-{__version__}.dist-info", "RECORD")
    try:
        with open(record, "rb") as file:
            lines = [line for line in file if line.startswith(b"sigcheck/") and b",sha256=" in line]
    except OSError:
        lines = []
    yield from lines or _stamps(package)


def _stamps(directory: str) -> Iterator[bytes]:
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.endswith(".py"):
            try:
                found = entry.stat()
            except OSError:
                continue  # It has just been taken away.
            yield f"{entry.path}\0{found.st_size}\0{found.st_mtime_ns}\n".encode("utf-8", "surrogateescape")
        elif entry.name != "__pycache__" and entry.is_dir():
            yield from _stamps(entry.path)
