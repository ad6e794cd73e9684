"""What was learnt of each file, kept between runs: a database of modules, keyed by content.

It holds data, never code, and a bad entry is only a miss. Nothing that goes wrong here stops a check: a disk that is full or
read-only, another process that writes, a run that was killed, a file that someone tampered with all make the cache useless,
and the check slower.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from sigcheck.cachedir import MODULES, identity, prepare
from sigcheck.core.dataclass import dataclass
from sigcheck.core.module import Module
from sigcheck.serialization import decode, encode

if TYPE_CHECKING:
    from typing_extensions import Self

_FORMAT = 5
_KEPT_FOR = 30
"""Days that an entry is kept without being used."""

_FAILURES = (sqlite3.Error, UnicodeDecodeError)
"""What a damaged database raises: its complaint may quote bytes that are no text."""


@dataclass(frozen=True, slots=True)
class Known:
    """One file, as it was read.

    Attributes:
        module: what was learnt.
        extents: where its functions stand, if it was scanned.
    """

    module: Module
    extents: tuple[int, ...]


def written(known: Known) -> bytes:
    """What the cache keeps of a file: work for the process that reads it."""
    return encode(Known, known)


class ModuleCache:
    """A context manager; inside, `get` and `put`. Without a directory, or with one that cannot be used, it is empty."""

    def __init__(self, directory: Path | None, settings: object) -> None:
        """Args: directory: where, or None; settings: what besides a file's content decides how it is read (JSON)."""
        self._directory = directory
        self._salt = json.dumps([_FORMAT, identity(), settings], sort_keys=True).encode()
        self._database: sqlite3.Connection | None = None
        self._today = int(time.time() // 86_400)

    def __enter__(self) -> Self:
        if self._directory is not None:
            try:
                self._database = self._open(self._directory)
            except (*_FAILURES, OSError):
                self._database = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._database is not None:
            with contextlib.suppress(*_FAILURES):  # What cannot be tidied up stays.
                self._tidy(self._database)
            self._database.close()

    def _tidy(self, database: sqlite3.Connection) -> None:
        """Once a day, drop what was of no use for long: it takes a look at every entry."""
        [(tidied,)] = database.execute("PRAGMA user_version")
        if tidied != self._today:
            with database:
                database.execute("DELETE FROM modules WHERE used < ?", (self._today - _KEPT_FOR,))
            database.execute(f"PRAGMA user_version = {self._today:d}")

    def _open(self, directory: Path) -> sqlite3.Connection:
        prepare(directory)
        path = directory / MODULES
        for file in (path, path.with_name(f"{MODULES}-journal")):
            if file.exists() and not file.is_file():
                raise OSError(f"{file} is no regular file")  # SQLite would wait for a pipe to be written to.
        try:
            return self._connect(path)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            os.unlink(path)  # No database at all: start anew.
            return self._connect(path)

    def _connect(self, path: Path) -> sqlite3.Connection:
        database = sqlite3.connect(path, timeout=1)
        try:
            database.execute("PRAGMA synchronous = OFF")
            database.execute("CREATE TABLE IF NOT EXISTS modules (key BLOB PRIMARY KEY, used INTEGER, content BLOB)")
        except _FAILURES:
            database.close()
            raise
        return database

    @property
    def is_open(self) -> bool:
        """There is something to ask and somewhere to write."""
        return self._database is not None

    def is_empty(self) -> bool:
        """It knows nothing."""
        try:
            return self._database is None or not list(self._database.execute("SELECT 1 FROM modules LIMIT 1"))
        except _FAILURES:
            return True

    def key(self, digest: str, told: object) -> bytes:
        """The key of a file's content, of which there is a digest; `told` (JSON) is what else decides how it is read."""
        return hashlib.sha256(self._salt + json.dumps([digest, told]).encode()).digest()[:24]

    def get(self, key: bytes) -> Known | None:
        """What is known under a key; None for nothing, or nothing that can be believed."""
        if self._database is None:
            return None
        try:
            row = self._database.execute("SELECT content FROM modules WHERE key = ?", (key,)).fetchone()
            return None if row is None else decode(Known, _unsealed(key, bytes(row[0])))
        except (sqlite3.Error, ValueError, TypeError):
            return None

    def put(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        """Remember files, each as it is `written`."""
        if self._database is None:
            return
        rows = [(key, self._today, _sealed(key, content)) for key, content in entries]
        try:
            with self._database:
                self._database.executemany("INSERT OR REPLACE INTO modules VALUES (?, ?, ?)", rows)
        except _FAILURES:
            return

    def touch(self, keys: Iterable[bytes]) -> None:
        """Note that entries were of use today, so that they are kept."""
        if self._database is None:
            return
        try:
            with self._database:
                self._database.executemany(
                    "UPDATE modules SET used = ? WHERE key = ? AND used < ?",
                    [(self._today, key, self._today) for key in keys],
                )
        except _FAILURES:
            return


_DIGEST = 16


def _sealed(key: bytes, content: bytes) -> bytes:
    """A content behind a digest, which tells whether it is as it was written, under that key."""
    return hashlib.sha256(key + content).digest()[:_DIGEST] + content


def _unsealed(key: bytes, row: bytes) -> bytes:
    """The content in a row.

    Raises:
        ValueError: it is another one's, or not as it was written.
    """
    content = row[_DIGEST:]
    if _sealed(key, content) != row:
        raise ValueError("another content")
    return content
