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

_FORMAT = 1
_KEPT = 16
"""Entries that are kept: the last ones that were of use."""

_MARK = b"sigcheck\n"


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

    @property
    def is_open(self) -> bool:
        """There is somewhere to keep an entry."""
        return self._path is not None

    def recall(self) -> Entry | None:
        """What is known; None for nothing, or nothing that can be believed."""
        if self._path is None:
            return None
        data = read_bytes(str(self._path), lambda _: None)
        if data is None or not data.startswith(_MARK):
            return None
        checksum, rest = data[len(_MARK) : len(_MARK) + 16], data[len(_MARK) + 16 :]
        if hashlib.blake2b(rest, digest_size=16).digest() != checksum:
            return None
        try:
            trace, *parts = _split(rest)
            return Entry(decode(Trace, trace), tuple(parts))
        except ValueError:
            return None

    def keep(self, entry: Entry) -> None:
        """Put an entry in the place of the old one."""
        if self._path is None or self._directory is None:
            return
        parts = (encode(Trace, entry.trace), *entry.parts)
        rest = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        data = _MARK + hashlib.blake2b(rest, digest_size=16).digest() + rest
        aside = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        try:
            prepare(self._directory)
            self._path.parent.mkdir(exist_ok=True)
            try:
                aside.write_bytes(data)
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


def _split(data: bytes) -> list[bytes]:
    parts: list[bytes] = []
    start = 0
    while start < len(data):
        end = start + 4 + int.from_bytes(data[start : start + 4], "big")
        if end > len(data):
            raise ValueError("it ends too early")
        parts.append(data[start + 4 : end])
        start = end
    if not parts:
        raise ValueError("it is empty")
    return parts


def _user() -> int:
    """Who may read what."""
    return os.geteuid() if hasattr(os, "geteuid") else 0
