"""Where installed packages are looked up: `search-paths`, the environment of `--python`, the standard library. Runs no interpreter."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from sigcheck.config import Configuration
from sigcheck.errors import MissingPathError
from sigcheck.files import read_bytes, shown


def search_paths_of(configuration: Configuration) -> tuple[str, ...]:
    """The directories, in the order in which they are asked.

    Raises:
        MissingPathError: the configuration names one that does not exist.
    """
    return tuple(_search_paths(configuration))


def _search_paths(configuration: Configuration) -> Iterable[str]:
    root = configuration.root
    for text in configuration.search_paths:
        path = root / os.path.expanduser(text)
        if not path.is_dir():
            raise MissingPathError(f"{shown(str(path))}: no such directory; mend `search-paths`")
        yield from _with_editable_installs(str(path))
    if configuration.python is not None:
        python = root / os.path.expanduser(configuration.python)
        found = packages_of(python) if python.exists() else ()
        if not found:
            message = f"{configuration.python}: no interpreter or virtual environment with site-packages"
            raise MissingPathError(f"{message}; check --python")
        for directory in found:
            yield from _with_editable_installs(directory)
    yield os.path.dirname(os.__file__)


def packages_of(python: Path) -> tuple[str, ...]:
    """The site-packages and the standard library of an interpreter or a virtual environment, found by name alone.

    Args:
        python: the interpreter's executable, or the directory of the environment.
    """
    for executable in dict.fromkeys((python, Path(os.path.realpath(python)))):
        home = executable if executable.is_dir() else executable.parent.parent
        # Several versions may share a directory: an interpreter that bears its version has its own library.
        version = re.search(r"3\.\d+", os.path.basename(os.path.realpath(executable)))
        own = [home / "lib" / f"python{version.group()}"] if version else []
        libraries = own if own and own[0].is_dir() else [*_newest_first(home.glob("lib/python3*")), *home.glob("Lib")]
        found = [library / name for library in libraries for name in ("site-packages", "dist-packages")]
        found += [home / "lib" / "python3" / "dist-packages", *libraries]
        existing = [str(path) for path in found if path.is_dir()]
        if any(path.endswith("-packages") for path in existing):
            return tuple(dict.fromkeys(existing))
    return ()


def _newest_first(libraries: Iterable[Path]) -> list[Path]:
    return sorted(libraries, key=lambda path: [int(digits) for digits in re.findall(r"\d+", path.name)], reverse=True)


def _with_editable_installs(directory: str) -> Iterable[str]:
    """The directory, and those that its `.pth` files name. Lines of code in them are not run."""
    yield directory
    for entry in sorted(Path(directory).glob("*.pth")):
        content = read_bytes(str(entry), lambda _: None) or b""
        for line in content.decode("utf-8", "replace").splitlines():
            path = os.path.join(directory, line.strip())
            if line.strip() and not line.startswith(("#", "import ", "import\t")) and os.path.isdir(path):
                yield path
