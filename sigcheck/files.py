"""Which files there are, and how a report names them. The one place that walks directories."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from sigcheck.core.dataclass import dataclass
from sigcheck.core.module import Problem
from sigcheck.core.place import Place

SUFFIXES = (".py", ".pyi")
LARGEST = 64 << 20
"""Bytes beyond which a file is data, whatever it is called: no parser would end in a user's lifetime."""

_PASSED_OVER = frozenset(
    {"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist", "__pypackages__"}
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to check.

    Attributes:
        path: to open it.
        real: without symbolic links, as they were when it was found.
        shown: as the report shows it: relative to the working directory where it lies below, with `/`.
        size: bytes.
        stamp: what the disk said of it when it was found: see `stamp_of`.
    """

    path: str
    real: str
    shown: str
    size: int
    stamp: str = ""


def shown(path: str) -> str:
    """A path as the report shows it: one line of text, whatever its bytes are."""
    relative = os.path.relpath(path)
    return _as_text(path if relative.split(os.sep, 1)[0] == os.pardir else relative)


def _as_text(path: str) -> str:
    text = path.replace(os.sep, "/")
    if text.isascii() and text.isprintable():
        return text
    text = text.encode("utf-8", "backslashreplace").decode()
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def stamp_of(status: os.stat_result) -> str:
    """What tells a file from what it was: another one in its place, other bytes, or a touch, all change this."""
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"


class FileFinder:
    """Walks the paths of a check; remembers what could not be read."""

    def __init__(self, root: Path, exclude: Iterable[str]) -> None:
        self.root = os.path.realpath(root)
        self.exclude = tuple(exclude)
        self.problems: list[Problem] = []
        self._directories: set[tuple[int, int]] = set()
        self._files: set[str] = set()

    def files(self, paths: Iterable[str], contents: Mapping[str, bytes]) -> Iterator[SourceFile]:
        """Every Python source below the paths, each once, in order of name.

        Args:
            paths: files and directories, which exist.
            contents: bytes to take for a real path, where there need be no file.
        """
        for path in paths:
            real = os.path.realpath(path)
            if real in contents:
                yield SourceFile(path, real, shown(path), len(contents[real]))  # No stamp: it is not on the disk.
            elif os.path.isdir(path):
                yield from self._below(path)
            else:
                file = self._file(path)
                if file is not None:
                    yield file

    def _below(self, top: str) -> Iterator[SourceFile]:
        # What is outside of the working directory may lead back into it, and is shown otherwise there.
        is_inside = os.path.relpath(top).split(os.sep, 1)[0] != os.pardir
        pending: list[tuple[str, tuple[str, str] | None]] = [(top, None)]
        while pending:
            directory, known = pending.pop()
            try:
                status = os.stat(directory)
                entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
            except OSError as error:
                self._report(directory, error)
                continue
            if (status.st_dev, status.st_ino) in self._directories:
                continue  # A symbolic link led back.
            self._directories.add((status.st_dev, status.st_ino))
            # To follow every part of every path takes as long as to look at the files.
            real, shown_below = known or (os.path.realpath(directory), shown(os.path.join(directory, "x"))[:-1])
            below: list[tuple[str, tuple[str, str] | None]] = []
            for entry in entries:
                if self._is_excluded(entry.path):
                    continue
                name = entry.name
                is_directory = _is_directory(entry)
                if not is_directory and not name.endswith(SUFFIXES):
                    continue
                where = None if entry.is_symlink() else (os.path.join(real, name), shown_below + _as_text(name))
                if not is_directory:
                    file = self._file(entry.path, where)
                    if file is not None:
                        yield file
                elif not self._is_passed_over(entry):
                    below.append((entry.path, (where[0], f"{where[1]}/") if where is not None and is_inside else None))
            pending += reversed(below)

    def _file(self, path: str, where: tuple[str, str] | None = None) -> SourceFile | None:
        """One file, unless it was found before; `where` is its real path and how a report shows it, where they are known."""
        try:
            status = os.stat(path)
        except OSError as error:
            self._report(path, error)
            return None
        if not stat.S_ISREG(status.st_mode):
            place = Place(shown(path), 1, 1, 1, 1)
            self.problems.append(Problem(place, "is no regular file", "exclude it"))
            return None
        real, text = where or (os.path.realpath(path), shown(path))
        if real in self._files:
            return None
        self._files.add(real)
        return SourceFile(path, real, text, status.st_size, stamp_of(status))

    def _is_passed_over(self, entry: os.DirEntry[str]) -> bool:
        name = entry.name
        if name.startswith(".") or name in _PASSED_OVER:
            # A package may be called `build` or `env`: one that is importable is no build directory.
            return name.startswith(".") or not os.path.exists(os.path.join(entry.path, "__init__.py"))
        return os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))

    def _is_excluded(self, path: str) -> bool:
        if not self.exclude:
            return False
        relative = os.path.relpath(os.path.abspath(path), self.root).replace(os.sep, "/")
        return any(is_match(relative, pattern) for pattern in self.exclude)

    def _report(self, path: str, error: OSError) -> None:
        cause = f"cannot be read: {error.strerror or error}"
        self.problems.append(Problem(Place(shown(path), 1, 1, 1, 1), cause, "mend its permissions, or exclude it"))


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # A symbolic link to itself leads to no directory.


def is_match(relative: str, pattern: str) -> bool:
    """A path relative to the root, or a directory above it, or its name, matches a glob."""
    pattern = pattern.rstrip("/").removeprefix("./")
    parts = relative.split("/")
    prefixes = ("/".join(parts[: count + 1]) for count in range(len(parts)))
    if "/" not in pattern:
        return any(fnmatchcase(part, pattern) for part in parts)
    return any(fnmatchcase(prefix, pattern) for prefix in prefixes)


def read_bytes(path: str, on_problem: Callable[[Problem], None]) -> bytes | None:
    """The bytes of a regular file, or None after telling why not: it vanished, or may not be read."""

    def refuse(cause: str, remedy: str = "") -> None:
        on_problem(Problem(Place(shown(path), 1, 1, 1, 1), cause, remedy))

    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            refuse("is no regular file")
            return None
        # Between the two calls it may have become a pipe: one that nobody writes to must not hold the check up.
        with open(path, "rb", buffering=0, opener=_open_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                refuse("is no regular file")
                return None
            if status.st_size > LARGEST:
                refuse(f"is larger than {LARGEST >> 20} MiB", "exclude it")
                return None
            return file.readall()
    except OSError as error:
        refuse(f"cannot be read: {error.strerror or error}")
        return None


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
