"""The results of runs, kept on the disk: for each question that was asked, the footprint of the run and its report.

It holds data, never code, and a bad entry is only a miss. An entry is one file, which is put in place whole: a run that is killed,
a full disk or another run at the same time leave the old one, or none.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
from pathlib import Path

from sigcheck.cachedir import RUNS, identity, prepare
from sigcheck.core.dataclass import dataclass
from sigcheck.core.module import Problem
from sigcheck.files import read_bytes
from sigcheck.footprint import Footprint, digest_of
from sigcheck.serialization import decode, encode

_FORMAT = 4
_KEPT = 16
"""Entries that are kept: the last ones that were of use."""

_MARK = b"sigcheck\n"
_DIGEST = 16


@dataclass(frozen=True, slots=True)
class Trace:
    """What a run looked at.

    Attributes:
        search_paths: where it looked for packages.
        problems: what could not be walked.
        footprint: what it saw.
    """

    search_paths: tuple[str, ...]
    problems: tuple[Problem, ...]
    footprint: Footprint


@dataclass(frozen=True, slots=True)
class Entry:
    """One run: its trace, and the parts of its result, still as bytes."""

    trace: Trace
    parts: tuple[bytes, ...]


class Index:
    """The entry of one question. Without a directory, or with one that cannot be used, it has none and keeps none."""

    def __init__(self, directory: Path | None, question: object) -> None:
        """Args: directory: of the cache, or None; question: all that decides the answer but what lies on the disk; its `repr` counts."""
        self._directory = directory
        told = repr((_FORMAT, identity(), sys.byteorder, os.getcwd(), _user(), question))
        self._path = None if directory is None else directory / RUNS / digest_of(told.encode("utf-8", "surrogatepass"))
        self._recalled: dict[int, tuple[bytes, bytes]] = {}

    @property
    def is_open(self) -> bool:
        """There is somewhere to keep an entry."""
        return self._path is not None

    def recall(self) -> Entry | None:
        """What is known; None for nothing, or nothing that can be believed."""
        if self._path is None:
            return None
        data = read_bytes(str(self._path), lambda _: None)
        if data is None:
            return None
        try:
            parts = _parts_in(data, self._path.name)
            self._recalled = {id(part): (part, digest) for part, digest in parts}
            (trace, _), *rest = parts
            return Entry(decode(Trace, trace), tuple(part for part, _ in rest))
        except ValueError:
            return None

    def keep(self, entry: Entry) -> None:
        """Put an entry in the place of the old one."""
        if self._path is None or self._directory is None:
            return
        parts = (encode(Trace, entry.trace), *entry.parts)
        # Of a part that was recalled, and is the same object still, the digest is known.
        digests = [self._recalled[id(part)][1] if id(part) in self._recalled else _digest(part) for part in parts]
        told = b"".join(len(part).to_bytes(4, "big") + digest for part, digest in zip(parts, digests, strict=True))
        head = len(parts).to_bytes(4, "big") + told
        aside = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        try:
            prepare(self._directory)
            self._path.parent.mkdir(exist_ok=True)
            try:
                with open(aside, "wb") as file:
                    file.writelines((_MARK, _digest(_named(self._path.name, head)), head, *parts))
                os.replace(aside, self._path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(aside)
                raise
            self._tidy()
        except OSError:
            return  # Full, read-only, or no directory: the next run learns it again.

    def _tidy(self) -> None:
        """Drop the entries that were written longest ago, and what killed runs left."""
        if self._path is None:
            return
        entries = sorted(os.scandir(self._path.parent), key=lambda entry: entry.stat().st_mtime, reverse=True)
        yesterday = time.time() - 86_400
        left = [entry for entry in entries if entry.name.endswith(".new") and entry.stat().st_mtime < yesterday]
        for entry in {*entries[_KEPT:], *left}:
            with contextlib.suppress(OSError):
                os.unlink(entry.path)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:_DIGEST]


def _named(name: str, head: bytes) -> bytes:
    """A head with the name of its entry: in the place of another entry it is none."""
    return name.encode() + head


def _parts_in(data: bytes, name: str) -> list[tuple[bytes, bytes]]:
    """The parts of the entry of that name, with their digests.

    An entry has a mark, the digest of its name and its head, the head, and the parts. The head has the number of the parts, and for each
    its length and its digest.

    Raises:
        ValueError: it is no entry, or is not as it was written.
    """
    start = len(_MARK) + _DIGEST
    count = int.from_bytes(data[start : start + 4], "big")
    end = start + 4 + count * (4 + _DIGEST)
    head = data[start:end]
    if (
        not data.startswith(_MARK)
        or not count
        or len(data) < end
        or _digest(_named(name, head)) != data[len(_MARK) : start]
    ):
        raise ValueError("no entry")
    found: list[tuple[bytes, bytes]] = []
    for index in range(count):
        at = 4 + index * (4 + _DIGEST)
        length, digest = int.from_bytes(head[at : at + 4], "big"), head[at + 4 : at + 4 + _DIGEST]
        part = data[end : end + length]
        if _digest(part) != digest:
            raise ValueError("another part")
        found.append((part, digest))
        end += length
    if end != len(data):
        raise ValueError("it goes on")
    return found


def _user() -> int:
    """Who may read what."""
    return os.geteuid() if hasattr(os, "geteuid") else 0
