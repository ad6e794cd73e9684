"""What a run looked at on the disk, and whether that is still so. Imports `files`; knows nothing of Python sources.

A *stamp* tells that nobody touched a file or a directory since; where somebody did, the *digest* tells whether it is the same
nevertheless. A stamp is believed only if it was old when it was taken: what is written twice within one tick of the disk's
clock has one stamp.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping, Sequence

from sigcheck.core.dataclass import dataclass, replace
from sigcheck.files import SUFFIXES, SourceFile, read_bytes, stamp_of

PROJECT_MARKS = frozenset({"pyproject.toml", "setup.py", "setup.cfg", ".git", "site-packages"})
"""What lies in the root of a project, which is no part of a package even if it has an `__init__`."""

_MARKS = PROJECT_MARKS | {"__init__.py", "__init__.pyi"}

_TICK = 2_000_000_000
"""Nanoseconds by which the clock of a disk may differ from ours, and within which it may not tell times apart."""


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file that was read.

    Attributes:
        path: as it was opened.
        real: without symbolic links.
        shown: as reports show it.
        stamp: `files.stamp_of`; empty where it says nothing.
        digest: of the bytes; empty where there were none to read.
    """

    path: str
    real: str
    shown: str
    stamp: str
    digest: str


@dataclass(frozen=True, slots=True)
class SeenDirectory:
    """A directory that was asked for its names.

    Attributes:
        path: as it was asked.
        stamp: `files.stamp_of`; empty where it says nothing.
        digest: of the names that count.
        are_marks: only the names that mark a package or the root of a project count: it lies above what is checked.
    """

    path: str
    stamp: str
    digest: str
    are_marks: bool


@dataclass(frozen=True, slots=True)
class Footprint:
    """Everything on the disk that a run depends on.

    Attributes:
        files: the files of the project, in order.
        others: what was read outside of it.
        directories: where modules were looked for.
        links: paths that lead elsewhere, and where.
    """

    files: tuple[SeenFile, ...]
    others: tuple[SeenFile, ...]
    directories: tuple[SeenDirectory, ...]
    links: tuple[tuple[str, str], ...]


def digest_of(data: bytes) -> str:
    """Of the bytes of a file."""
    return hashlib.sha256(data).hexdigest()[:32]  # Many processors have instructions for this one.


def names_in(directory: str) -> frozenset[str]:
    """The names in a directory; none where it cannot be read."""
    try:
        return frozenset(os.listdir(directory))
    except OSError:
        return frozenset()


class Trail:
    """Notes what a run looks at, while it does."""

    def __init__(self) -> None:
        self._settled = time.time_ns() - _TICK
        self._files: dict[str, SeenFile] = {}
        self._directories: dict[str, SeenDirectory] = {}
        self._links: dict[str, str] = {}
        self._read: set[str] = set()
        self._is_torn = False

    def link(self, path: str, real: str) -> None:
        """Note where a path leads."""
        self._links[path] = real

    def names(self, directory: str, *, are_marks: bool) -> frozenset[str]:
        """The names in a directory; none where it cannot be read. The caller looks at no other names than those that count."""
        stamp = self._believed(stamp_at(directory))
        names = names_in(directory)
        before = self._directories.get(directory)
        if before is None or (before.are_marks and not are_marks):
            digest = _digest_of_names(directory, names, are_marks=are_marks)
            self._directories[directory] = SeenDirectory(directory, stamp, digest, are_marks)
        return names

    def file(self, file: SourceFile) -> tuple[bytes | None, str]:
        """Note a file that is about to be read.

        Returns:
            What must be read, where its stamp is too young; and the digest of its bytes, where that is known.
        """
        stamp = self._believed(file.stamp)
        data = None if stamp else read_bytes(file.path, lambda _: None)
        digest = "" if data is None else digest_of(data)
        self._read.add(file.real)
        before = self._files.get(file.real)
        if before is None:
            self._files[file.real] = SeenFile(file.path, file.real, file.shown, stamp, digest)
        elif before.stamp != stamp or (not stamp and before.digest != digest):
            self._is_torn = True
        elif stamp:
            digest = before.digest
        return data, digest

    def digested(self, real: str, digest: str) -> None:
        """Note the digest of the bytes that were read of a file."""
        seen = self._files[real]
        if seen.stamp and not seen.digest:
            self._files[real] = replace(seen, digest=digest)

    def replaced(self, file: SourceFile, content: bytes) -> None:
        """Note bytes that stand in for a file."""
        self._files[file.real] = SeenFile(file.path, file.real, file.shown, "", digest_of(content))

    def _believed(self, stamp: str) -> str:
        times = stamp.split(":")[3:]
        return stamp if times and all(int(moment) < self._settled for moment in times) else ""

    def footprint(self, files: Sequence[SourceFile], known: Footprint | None) -> Footprint | None:
        """Everything that was looked at.

        Args:
            files: those of the project.
            known: an earlier footprint: what has its stamp has its digest.

        Returns:
            None where something changed meanwhile, so that nobody knows what was read.
        """
        if self._is_torn:
            return None
        unknown = {file.real: file.stamp for file in self._files.values() if file.stamp and not file.digest}
        digests = {
            file.real: file.digest
            for file in ((*known.files, *known.others) if known is not None and unknown else ())
            if file.stamp and file.stamp == unknown.get(file.real)
        }
        for real in unknown:
            file = self._files[real]
            digest = digests.get(real) or _digest_of_file(file.path)
            self._files[real] = SeenFile(file.path, real, file.shown, file.stamp, digest)
        # What was taken over has the stamp of what was read then.
        read = (self._files[real] for real in self._read)
        if any(file.stamp and stamp_at(file.path) != file.stamp for file in read):
            return None
        mine = [file.real for file in files]
        seen = {**self._files}
        if any(real not in seen for real in mine):
            return None
        return Footprint(
            tuple(seen.pop(real) for real in mine),
            tuple(seen.values()),
            tuple(self._directories.values()),
            tuple(self._links.items()),
        )

    def forget(self) -> None:
        """Begin anew."""
        self._files.clear()
        self._read.clear()
        self._directories.clear()
        self._links.clear()

    def adopt(self, known: Footprint, changes: Changes, files: Sequence[SourceFile]) -> None:
        """Take over from an earlier footprint what did not change, with the stamps of today."""
        now = {file.real: file for file in files}
        for file in (*known.files, *known.others):
            if file.real not in changes.files:
                found = now.get(file.real)
                path, stamp = (found.path, found.stamp) if found is not None else (file.path, stamp_at(file.path))
                is_same = stamp and (path, stamp) == (file.path, file.stamp)
                self._files[file.real] = (
                    file if is_same else SeenFile(path, file.real, file.shown, self._believed(stamp), file.digest)
                )
        for entry in known.directories:
            if entry.path not in changes.directories:
                stamp = stamp_at(entry.path)
                self._directories[entry.path] = (
                    entry
                    if stamp and stamp == entry.stamp
                    else SeenDirectory(entry.path, self._believed(stamp), entry.digest, entry.are_marks)
                )
        self._links |= {path: real for path, real in known.links if os.path.realpath(path) == real}


def stamp_at(path: str) -> str:
    """`files.stamp_of` what is at a path; empty where nothing is."""
    try:
        return stamp_of(os.stat(path))
    except OSError:
        return ""


def _digest_of_file(path: str) -> str:
    data = read_bytes(path, lambda _: None)
    return "" if data is None else digest_of(data)


def _digest_of_names(directory: str, names: frozenset[str], *, are_marks: bool) -> str:
    """Of the names that mark something; or also of those that can be of modules, and whether there is any: caches come and go."""
    if are_marks:
        return digest_of("\0".join(sorted(names & _MARKS)).encode())
    modules = {name for name in names if name.endswith(SUFFIXES) or "." not in name} - {"__pycache__"}
    kept = [str(os.path.isdir(directory)), str(bool(names)), *sorted(modules | (names & _MARKS))]
    return digest_of("\0".join(kept).encode("utf-8", "surrogatepass"))


@dataclass(slots=True)
class Changes:
    """What is not as it was.

    Attributes:
        files: the real paths of the files that have other bytes, or are new, or gone; and those whose place in the project changed.
        directories: those that have other names in them.
        are_names: because of that, or of links that lead elsewhere, any module may be another file.
        is_order: the project has other files.
        is_worn: something was touched without being changed: the footprint is worth renewing.
    """

    files: set[str]
    directories: set[str]
    are_names: bool = False
    is_order: bool = False
    is_worn: bool = False

    def __bool__(self) -> bool:
        return bool(self.files) or self.are_names or self.is_order


def changes_since(footprint: Footprint, files: Sequence[SourceFile], contents: Mapping[str, bytes]) -> Changes:
    """What changed since a footprint was left.

    Args:
        footprint: what was looked at.
        files: those of the project, as they are now.
        contents: bytes to take for a real path.
    """
    changes = Changes(set(), set())
    before = {file.real: file for file in footprint.files}
    now = [(file.path, file.real, file.shown) for file in files]
    if now != [(file.path, file.real, file.shown) for file in footprint.files]:
        changes.is_order = True
        known = {(file.path, file.real, file.shown) for file in footprint.files}
        changes.files = {real for _, real, _ in known.symmetric_difference(now)}
    for file in files:
        seen = before.get(file.real)
        if seen is not None and (not seen.stamp or seen.stamp != file.stamp or file.real in contents):
            content = contents.get(file.real)
            digest = _digest_of_file(file.path) if content is None else digest_of(content)
            _note(changes, file.real, is_same=bool(digest) and digest == seen.digest, is_young=content is None)
    for other in footprint.others:
        if not other.stamp or stamp_at(other.path) != other.stamp or os.path.realpath(other.path) != other.real:
            digest = _digest_of_file(other.path)
            is_there = os.path.realpath(other.path) == other.real
            _note(changes, other.real, is_same=is_there and bool(digest) and digest == other.digest, is_young=True)
    if any(os.path.realpath(path) != real for path, real in footprint.links):
        changes.are_names = True
    for directory in footprint.directories:
        if not directory.stamp or stamp_at(directory.path) != directory.stamp:
            names = names_in(directory.path)
            if _digest_of_names(directory.path, names, are_marks=directory.are_marks) == directory.digest:
                changes.is_worn = True
            else:
                changes.are_names = True
                changes.directories.add(directory.path)
    return changes


def _note(changes: Changes, real: str, *, is_same: bool, is_young: bool) -> None:
    if not is_same:
        changes.files.add(real)
    elif is_young:
        changes.is_worn = True
