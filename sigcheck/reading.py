"""Reading many files: which need a full reading, on how many processors, and what the cache already knows."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from sigcheck.cache import Known, ModuleCache, written
from sigcheck.core.dataclass import dataclass, replace
from sigcheck.core.module import Module, Problem
from sigcheck.core.place import Place
from sigcheck.files import read_bytes
from sigcheck.footprint import digest_of
from sigcheck.lineage import class_statements
from sigcheck.readers import source
from sigcheck.readers.source import Decorators, Extents
from sigcheck.transfer import pack, unpack
from sigcheck.workers import Promise, WorkerDiedError, Workers, working

_SHARED_FROM = 100_000
"""Bytes from which it pays to have those read that are there."""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A file to read, and what its module is called.

    Attributes:
        real: its real path.
        path: to open it.
        shown: as reports show it.
        name: dotted.
        is_package: it is an `__init__` file.
        size: bytes.
        content: bytes to take instead, or None.
        digest: `footprint.digest_of` its bytes; empty where that is not known.
        sought: what the configuration asks for: a file that holds one of these is read in full.
    """

    real: str
    path: str
    shown: str
    name: str
    is_package: bool
    size: int
    content: bytes | None = None
    digest: str = ""
    sought: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """One file, read.

    Attributes:
        request: what was asked for.
        module: what was learnt.
        is_whole: all of it was read: a file without a class is only skimmed until it is needed.
        extents: where its functions stand, if it was scanned; empty where libcst read it.
        digest: of the bytes that were read; empty where nobody asked.
        kept: what the cache is to keep of it; empty for nothing.
    """

    request: ReadRequest
    module: Module
    is_whole: bool = True
    extents: Extents = ()
    digest: str = ""
    kept: bytes = b""


def read_files(
    requests: Sequence[ReadRequest],
    decorators: Decorators,
    cache: ModuleCache,
    progress: Callable[[int, int], None] | None = None,
    *,
    whole: bool = False,
    by_libcst: bool = False,
    workers: Workers | None = None,
) -> Iterator[Read]:
    """Read files, in order.

    Args:
        requests: what to read.
        decorators: what the configuration says of them.
        cache: what is known of files already.
        progress: told how many of how many are done.
        whole: read every file in full, also one that defines no class.
        by_libcst: read every file with libcst, and scan none.
        workers: other processes that are there; None to have some if it pays.
    """
    known: dict[str, Read] = {}
    unknown: list[ReadRequest] = []
    # Of a cache that is empty nothing need be asked: the files are read where they are parsed, and nowhere else.
    can_know = cache.is_open and not cache.is_empty()
    for request in requests:
        read, again = _recall(request, cache, whole=whole, by_libcst=by_libcst) if can_know else (None, request)
        if read is None:
            unknown.append(again)
        else:
            known[request.real] = read
    cache.touch(_key(read.request, read.digest, cache, by_libcst=by_libcst) for read in known.values())
    fresh = _read_all(unknown, _Reader(decorators, whole, by_libcst, cache.is_open), workers)
    learnt: list[tuple[bytes, bytes]] = []
    for count, request in enumerate(requests, start=1):
        read = known.get(request.real)
        if read is None:
            read = next(fresh)
            if read.kept:
                learnt.append((_key(request, read.digest, cache, by_libcst=by_libcst), read.kept))
                read = replace(read, kept=b"")
        if progress is not None:
            progress(count, len(requests))
        yield read
    next(fresh, None)  # Behind the last it ends its processes, in good order.
    cache.put(learnt)


def _key(request: ReadRequest, digest: str, cache: ModuleCache, *, by_libcst: bool) -> bytes:
    """What the cache has, or will have, a file under."""
    return cache.key(digest, (request.name, request.shown, request.is_package, by_libcst))


def _recall(
    request: ReadRequest, cache: ModuleCache, *, whole: bool, by_libcst: bool
) -> tuple[Read | None, ReadRequest]:
    """What the cache knows of a file; and how to read it where that is nothing."""
    digest, again = request.digest, request
    if not (digest and whole):
        data = request.content if request.content is not None else read_bytes(request.path, lambda _: None)
        if data is None:
            return None, request
        digest, again = digest_of(data), replace(request, content=data)
        if not (whole or _is_of_interest(data, request.sought)):
            return None, again
    known = cache.get(_key(request, digest, cache, by_libcst=by_libcst))
    return None if known is None else Read(request, known.module, extents=known.extents, digest=digest), again


def _read_all(requests: Sequence[ReadRequest], reader: _Reader, workers: Workers | None) -> Iterator[Read]:
    """Read files on as many processors as it pays for, in order."""
    amount = sum(request.size for request in requests)
    if workers is not None and amount >= _SHARED_FROM:
        yield from _read_elsewhere(requests, reader, workers)
        return
    with working(amount) as own:
        if own is not None:
            yield from _read_elsewhere(requests, reader, own)
            return
    for request in requests:
        yield reader.read(request)


def _read_elsewhere(requests: Sequence[ReadRequest], reader: _Reader, workers: Workers) -> Iterator[Read]:
    batches = _batches(requests, workers.processors)
    futures = [workers.submit(_read_batch, batch, reader) for batch in batches]
    for future, batch in zip(futures, batches, strict=True):
        yield from _result(future, batch) or (_read_alone(request, reader) for request in batch)


def _result(future: Promise[bytes], batch: Sequence[ReadRequest]) -> list[Read] | None:
    """What a batch gave; None where a file took its process down with it: each is then read in a process of its own."""
    try:
        data = future.result()
    except WorkerDiedError:
        return None
    rows = zip(*unpack(_Batch, data), strict=True)
    return [Read(request, *row) for request, row in zip(batch, rows, strict=True)]


def _batches(requests: Sequence[ReadRequest], processors: int) -> list[list[ReadRequest]]:
    """Runs of files of about the same number of bytes: many enough that the processors end together."""
    bound = max(sum(request.size for request in requests) // (processors * 32), 1)
    batches: list[list[ReadRequest]] = [[]]
    size = 0
    for request in requests:
        if size >= bound:
            batches.append([])
            size = 0
        batches[-1].append(request)
        size += request.size
    return batches


_Batch = tuple[tuple[Module, ...], tuple[bool, ...], tuple[tuple[int, ...], ...], tuple[str, ...], tuple[bytes, ...]]


def _read_batch(requests: list[ReadRequest], reader: _Reader) -> bytes:
    gc.disable()  # Trees have no cycles, and this process ends when the files are read.
    done = [reader.read(request) for request in requests]
    columns = ("module", "is_whole", "extents", "digest", "kept")
    return pack(_Batch, tuple(tuple(getattr(read, column) for read in done) for column in columns))


@dataclass(frozen=True, slots=True)
class _Reader:
    """How files are read: see `read_files`; and whether there is a cache that is to keep them."""

    decorators: Decorators
    whole: bool
    by_libcst: bool
    is_kept: bool

    def read(self, request: ReadRequest) -> Read:
        """Read one file."""
        problems: list[Problem] = []
        data = request.content if request.content is not None else read_bytes(request.path, problems.append)
        if data is None:
            if not problems:
                problems.append(Problem(Place(request.shown, 1, 1, 1, 1), "is no regular file"))
            return Read(request, Module(request.name, request.shown, problems=tuple(problems)))
        is_whole = self.whole or _is_of_interest(data, request.sought)
        if not self.by_libcst:
            scan = source.scan_module(
                data,
                name=request.name,
                path=request.shown,
                is_package=request.is_package,
                decorators=self.decorators,
                skim=not is_whole,
            )
            if scan is not None:
                return self._read(request, data, scan.module, scan.extents, is_whole=is_whole)
        module = self._by_libcst(request, data, is_whole=is_whole)
        return self._read(request, data, module, (), is_whole=is_whole)

    def _read(self, request: ReadRequest, data: bytes, module: Module, extents: Extents, *, is_whole: bool) -> Read:
        if not self.is_kept:
            return Read(request, module, is_whole, extents)
        kept = written(Known(module, extents)) if is_whole else b""
        return Read(request, module, is_whole, extents, digest_of(data), kept)

    def _by_libcst(self, request: ReadRequest, data: bytes, *, is_whole: bool) -> Module:
        if not is_whole:
            return source.skim_module(data, name=request.name, path=request.shown)
        return source.read_module(
            data,
            name=request.name,
            path=request.shown,
            is_package=request.is_package,
            decorators=self.decorators,
        )


def _is_of_interest(data: bytes, sought: Sequence[bytes]) -> bool:
    """The file may define a class, or what is sought, or has a comment of which only a whole reading tells what it is about."""
    is_sought = any(word in data for word in sought)
    return is_sought or any(True for _ in class_statements(data)) or b"sigcheck:" in data or b"\0" in data


def _read_alone(request: ReadRequest, reader: _Reader) -> Read:
    try:
        with ExitStack() as stack:
            future = Workers(1, stack).submit(_read_batch, [request], reader)
            [read] = _result(future, [request]) or []
            return read
    except ValueError:
        problem = Problem(Place(request.shown, 1, 1, 1, 1), "crashes the parser", "exclude it")
        return Read(request, Module(request.name, request.shown, problems=(problem,)))
