"""Reading many files: which need a full reading, on how many processors, and what the cache already knows."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TypeVar

from sigcheck.cache import Known, ModuleCache
from sigcheck.core.dataclass import dataclass, replace
from sigcheck.core.member import Member
from sigcheck.core.module import Class, Module, Problem
from sigcheck.core.place import Place
from sigcheck.files import read_bytes
from sigcheck.lineage import class_statements
from sigcheck.readers import source
from sigcheck.readers.source import Decorators, Extents
from sigcheck.transfer import pack, plain, unpack

if TYPE_CHECKING:
    from sigcheck.core.flow import Flow

T = TypeVar("T")

_PARALLEL_FROM = 2_000_000
"""Bytes from which a second process pays for its start."""


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
        sought: what the configuration asks for: a file that holds one of these is read in full.
    """

    real: str
    path: str
    shown: str
    name: str
    is_package: bool
    size: int
    content: bytes | None = None
    sought: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """One file, read.

    Attributes:
        request: what was asked for.
        module: what was learnt.
        is_whole: all of it was read: a file without a class is only skimmed until it is needed.
        extents: where its functions stand, if it was scanned; empty where libcst read it.
    """

    request: ReadRequest
    module: Module
    is_whole: bool = True
    extents: Extents = ()


def read_files(
    requests: Sequence[ReadRequest],
    decorators: Decorators,
    cache: ModuleCache,
    progress: Callable[[int, int], None] | None = None,
    *,
    whole: bool = False,
    by_libcst: bool = False,
) -> Iterator[Read]:
    """Read files, in order.

    Args:
        requests: what to read.
        decorators: what the configuration says of them.
        cache: what is known of files already.
        progress: told how many of how many are done.
        whole: read every file in full, also one that defines no class.
        by_libcst: read every file with libcst, and scan none.
    """
    known: dict[str, Read] = {}
    keys: dict[str, bytes] = {}
    unknown: list[ReadRequest] = []
    for request in requests:
        key, data, read = _recall(request, cache, whole=whole, by_libcst=by_libcst)
        if key is not None:
            keys[request.real] = key
        if read is None:
            # With the bytes that the key was made of: the file may have changed when it is read again.
            unknown.append(request if data is None else replace(request, content=data))
        else:
            known[request.real] = read
    cache.touch(keys[real] for real in known)
    fresh = _read_all(unknown, _Reader(decorators, whole, by_libcst))
    learnt: list[tuple[bytes, Known]] = []
    for count, request in enumerate(requests, start=1):
        read = known.get(request.real)
        if read is None:
            read = next(fresh)
            if read.is_whole and request.real in keys:
                learnt.append((keys[request.real], Known(read.module, read.extents)))
        if progress is not None:
            progress(count, len(requests))
        yield read
    next(fresh, None)  # Behind the last it ends its processes, in good order.
    cache.put(learnt)


def _recall(
    request: ReadRequest, cache: ModuleCache, *, whole: bool, by_libcst: bool
) -> tuple[bytes | None, bytes | None, Read | None]:
    """The key of a file's content, that content, and what the cache knows under the key."""
    if not cache.is_open:
        return None, None, None
    data = request.content if request.content is not None else read_bytes(request.path, lambda _: None)
    if data is None or not (whole or _is_of_interest(data, request.sought)):
        return None, None, None
    told = (request.name, request.shown, request.is_package, by_libcst)
    key = cache.key(data, told)
    known = cache.get(key)
    return key, data, None if known is None else Read(request, known.module, extents=known.extents)


def _read_all(requests: Sequence[ReadRequest], reader: _Reader) -> Iterator[Read]:
    """Read files on as many processors as it pays for, in order."""
    processors = _processors(sum(request.size for request in requests), _PARALLEL_FROM)
    if processors == 1:
        for request in requests:
            yield reader.read(request)
        return
    batches = _batches(requests, processors)
    with _pool(processors) as pool:
        futures = [pool.submit(_read_batch, batch, reader) for batch in batches]
        for future, batch in zip(futures, batches, strict=True):
            yield from _result(future, batch) or (_read_alone(request, reader) for request in batch)


def _result(future: Future[bytes], batch: Sequence[ReadRequest]) -> list[Read] | None:
    """What a batch gave; None where a file took its process down with it: each is then read in a process of its own."""
    try:
        data = future.result()
    except BrokenProcessPool:
        return None
    rows = zip(*unpack(_Batch, data), strict=True)
    return [Read(request, *row) for request, row in zip(batch, rows, strict=True)]


def _processors(amount: int, least: int) -> int:
    """How many processes do some work: this one alone, where there is less of it than pays for others, or there can be no others."""
    return min(os.cpu_count() or 1, 8) if amount >= least and _can_fork() else 1


def _can_fork() -> bool:
    """A process can be forked: other ways of starting one run the caller's main module again, which may be any program."""
    return "fork" in multiprocessing.get_all_start_methods() and threading.active_count() == 1


@contextmanager
def _pool(processors: int) -> Iterator[ProcessPoolExecutor]:
    """Processes to read in. After Ctrl-C they are ended, and nobody waits: what one of them held when it was hit, it holds for good."""
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(processors, multiprocessing.get_context("fork"), initializer=_begin)
    try:
        yield pool
    except BaseException as error:
        for child in set(multiprocessing.active_children()) - others:
            child.kill()
        pool.shutdown(wait=isinstance(error, Exception), cancel_futures=True)
        raise
    pool.shutdown()


def _begin() -> None:
    """Ctrl-C reaches every process of the terminal: one speaks, the others end without a word. None outlives the one that asked."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


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


def _runs(entries: Sequence[T], processors: int) -> list[Sequence[T]]:
    """Runs of as many entries, a few for each processor."""
    bound = max(len(entries) // (processors * 4), 1)
    return [entries[start : start + bound] for start in range(0, len(entries), bound)]


_Batch = tuple[tuple[Module, ...], tuple[bool, ...], tuple[tuple[int, ...], ...]]


def _read_batch(requests: list[ReadRequest], reader: _Reader) -> bytes:
    gc.disable()  # Trees have no cycles, and this process ends when the files are read.
    done = [reader.read(request) for request in requests]
    columns = ("module", "is_whole", "extents")
    return pack(_Batch, tuple(tuple(getattr(read, column) for read in done) for column in columns))


@dataclass(frozen=True, slots=True)
class _Reader:
    """How files are read: see `read_files`."""

    decorators: Decorators
    whole: bool
    by_libcst: bool

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
                return Read(request, scan.module, is_whole, scan.extents)
        return Read(request, self._by_libcst(request, data, is_whole=is_whole), is_whole)

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
        with _pool(1) as pool:
            future = pool.submit(_read_batch, [request], reader)
            [read] = _result(future, [request]) or []
            return read
    except ValueError:
        problem = Problem(Place(request.shown, 1, 1, 1, 1), "crashes the parser", "exclude it")
        return Read(request, Module(request.name, request.shown, problems=(problem,)))


# What is told is read again by libcst.


@dataclass(frozen=True, slots=True)
class Suspect:
    """A file of which something is told.

    Attributes:
        request: how it was read.
        module: what the scan made of it.
        extents: where its functions stand.
        lines: the lines of the definitions and calls of which something is told.
    """

    request: ReadRequest
    module: Module
    extents: Extents
    lines: frozenset[int]


def unconfirmed(suspects: Sequence[Suspect], decorators: Decorators) -> list[ReadRequest]:
    """The files in which libcst reads a definition otherwise than the scan did.

    Args:
        suspects: the files, with the definitions of which something is told; libcst sees these and no other.
        decorators: what the configuration says of them.
    """
    processors = _processors(sum(suspect.request.size for suspect in suspects), _PARALLEL_FROM)
    if processors == 1:
        return [suspect.request for suspect in suspects if not _is_confirmed(suspect, decorators)]
    batches = _runs(suspects, processors)
    _TO_CONFIRM[:] = batches  # A forked process has them: they need not be written and read again.
    try:
        with _pool(processors) as pool:
            found = pool.map(_confirm_batch, range(len(batches)), [decorators] * len(batches))
            return [batch[index].request for batch, indices in zip(batches, found, strict=True) for index in indices]
    except BrokenProcessPool:
        return [suspect.request for suspect in suspects]
    finally:
        _TO_CONFIRM.clear()


class Confirmation:
    """Has libcst read what is told in other processes, while more is being found.

    Attributes:
        confirmed: by real path, the lines with definitions that libcst reads as the scan did; known when all is found.
    """

    def __init__(self, scanned: Mapping[str, Read], decorators: Decorators, processors: int, stack: ExitStack) -> None:
        """Begin.

        Args:
            scanned: the files, as the scan read them, by real path; there may be more of them later.
            decorators: what the configuration says of them.
            processors: how many processes to have.
            stack: ends the processes.
        """
        self.confirmed: Mapping[str, set[int]] = {}
        self._scanned = scanned
        self._decorators = decorators
        self._processors = processors
        self._stack = stack
        self._pool: ProcessPoolExecutor | None = None
        self._asked: dict[str, set[int]] = {}
        self._waiting: dict[str, set[int]] = {}
        self._count = 0
        self._futures: list[Future[list[str]]] = []
        self._is_broken = False

    def ask(self, lines: Iterable[tuple[str, int]]) -> None:
        """Have the definitions on some lines read: the real path of each file, and the line."""
        for real, line in lines:
            asked = self._asked.setdefault(real, set())
            if line not in asked and real in self._scanned:
                asked.add(line)
                self._waiting.setdefault(real, set()).add(line)
                self._count += 1
        if self._count >= _TOGETHER and not self._is_broken:
            self._submit()

    def _submit(self) -> None:
        if self._pool is None:
            _SCANNED.update(self._scanned)  # A forked process has them: they need not be written and read again.
            self._pool = self._stack.enter_context(_pool(self._processors))
        waiting, self._waiting, self._count = self._waiting, {}, 0
        later = {real: self._scanned[real] for real in waiting if real not in _SCANNED}
        try:
            self._futures.append(self._pool.submit(_confirm_lines, waiting, later, self._decorators))
        except BrokenProcessPool:
            self._is_broken = True

    def finish(self) -> None:
        """Wait for what was asked. Where a file took its process down with it, nothing is confirmed."""
        if self._waiting and not self._is_broken:
            self._submit()
        try:
            odd = {real for future in self._futures for real in future.result()}
        except BrokenProcessPool:
            self._is_broken = True
        if self._is_broken:
            return
        self.confirmed = {real: lines for real, lines in self._asked.items() if real not in odd}


@contextmanager
def confirming_meanwhile(scanned: Mapping[str, Read], decorators: Decorators) -> Iterator[Confirmation | None]:
    """A `Confirmation`, which is finished when the context ends; None where there can be no other process, or it would not
    pay for its start.
    """
    processors = _processors(sum(read.request.size for read in scanned.values()), _PARALLEL_FROM)
    if processors == 1:
        yield None
        return
    try:
        with ExitStack() as stack:
            confirmation = Confirmation(scanned, decorators, processors, stack)
            yield confirmation
            confirmation.finish()
    finally:
        _SCANNED.clear()


_TOGETHER = 16
"""Definitions that go to another process at once."""

_SCANNED: dict[str, Read] = {}


def _confirm_lines(asked: dict[str, set[int]], later: dict[str, Read], decorators: Decorators) -> list[str]:
    """The files in which libcst reads some definition otherwise than the scan did; `later` are those that were not forked."""
    gc.disable()
    odd: list[str] = []
    for real, lines in asked.items():
        read = later.get(real) or _SCANNED[real]
        if not _is_confirmed(Suspect(read.request, read.module, read.extents, frozenset(lines)), decorators):
            odd.append(real)
    return odd


@contextmanager
def confirming(decorators: Decorators) -> Iterator[Callable[[Sequence[Suspect]], list[ReadRequest]]]:
    """`unconfirmed` for a few suspects that will be known in a while: another process loads libcst meanwhile, if there can be one."""
    if _processors(0, 0) == 1:
        yield lambda suspects: unconfirmed(suspects, decorators)
        return
    with _pool(1) as pool:
        loaded = pool.submit(source.load_libcst)

        def ask(suspects: Sequence[Suspect]) -> list[ReadRequest]:
            try:
                loaded.result()
                found = pool.submit(_confirm_few, suspects, decorators).result()
            except BrokenProcessPool:
                return [suspect.request for suspect in suspects]
            return [suspects[index].request for index in found]

        yield ask


def _confirm_few(suspects: Sequence[Suspect], decorators: Decorators) -> list[int]:
    gc.disable()
    return [index for index, suspect in enumerate(suspects) if not _is_confirmed(suspect, decorators)]


_TO_CONFIRM: list[Sequence[Suspect]] = []


def _confirm_batch(number: int, decorators: Decorators) -> list[int]:
    gc.disable()
    return [index for index, suspect in enumerate(_TO_CONFIRM[number]) if not _is_confirmed(suspect, decorators)]


def _is_confirmed(suspect: Suspect, decorators: Decorators) -> bool:
    request = suspect.request
    data = request.content if request.content is not None else read_bytes(request.path, lambda _: None)
    text = source.read_text(data, request.shown) if data is not None else None
    if not isinstance(text, str):
        return False
    if _are_confirmed_alone(suspect, text.split("\n"), decorators):
        return True
    module = source.read_source(
        source.narrowed(text, suspect.extents, suspect.lines),
        name=request.name,
        path=request.shown,
        is_package=request.is_package,
        decorators=decorators,
    )
    return _definitions(module, suspect.lines) == _definitions(suspect.module, suspect.lines)


def _are_confirmed_alone(suspect: Suspect, lines: list[str], decorators: Decorators) -> bool:
    """Every definition that is asked for is a plain `def`, and libcst reads it, for itself, as the scan did."""
    starts, ends = suspect.extents[::2], suspect.extents[1::2]
    wanted: set[int] = set()
    for line in suspect.lines:
        index = bisect_right(starts, line) - 1
        if index < 0 or ends[index] < line:
            return False
        wanted.add(index)
    found: dict[int, list[tuple[Class | None, Member]]] = {index: [] for index in wanted}
    functions = ((None, member) for members in suspect.module.functions.values() for member in members)
    methods = ((owner, member) for owner in suspect.module.classes for member in owner.members)
    for owner, member in (*functions, *methods):
        index = bisect_right(starts, member.place.line) - 1
        if index in found and member.place.line <= ends[index]:
            found[index].append((owner, member))
    for index, definitions in found.items():
        if len(definitions) != 1:
            return False  # One that is a property with its setter's word, or has classes in its body.
        owner, member = definitions[0]
        if member.overloads or member.alias is not None:
            return False
        alone = source.read_definition(
            lines[starts[index] - 1 : ends[index]],
            starts[index],
            module=suspect.module,
            owner=owner,
            is_package=suspect.request.is_package,
            decorators=decorators,
        )
        if alone is None:
            return False
        if plain(Member, replace(alone, branch=member.branch, has_setter=member.has_setter)) != plain(Member, member):
            return False
    return True


def _definitions(module: Module, lines: frozenset[int]) -> list[object]:
    """The definitions on some lines, and those with a call there, with all that is known of them."""
    holders = [(entry.id, entry.members) for entry in module.classes]
    holders += [("", functions) for functions in module.functions.values()]
    return [
        (key, plain(Member, member))
        for key, members in holders
        for member in members
        if member.place.line in lines or any(call.place.line in lines for call in member.calls)
    ]


# The bodies that contracts ask about.


@dataclass(frozen=True, slots=True)
class Body:
    """A function whose control flow is asked for.

    Attributes:
        real: the real path of its file.
        line: of its name.
        extent: the first and the last line of a function in which that line stands, where one is known.
        names: what need not be looked into if all of these are read in any case; empty for whatever it reads.
        content: bytes to take instead of the file's, or None.
    """

    real: str
    line: int
    extent: tuple[int, int] | None
    names: frozenset[str]
    content: bytes | None = None


_MOST_LINES = 1_500
"""Lines of bodies from which a second process pays for its start."""


def read_bodies(bodies: Sequence[Body | None]) -> list[Flow | None]:
    """Read the control flows of functions, on as many processors as it pays for; None where there is none to read."""
    lines = sum(body.extent[1] - body.extent[0] for body in bodies if body is not None and body.extent is not None)
    processors = _processors(lines, _MOST_LINES)
    if processors == 1:
        return _flows(bodies)
    source.load_libcst()  # Once, for all.
    try:
        with _pool(processors) as pool:
            return [flow for flows in pool.map(_flows, _runs(bodies, processors)) for flow in flows]
    except BrokenProcessPool:
        return _flows(bodies)


def _flows(bodies: Sequence[Body | None]) -> list[Flow | None]:
    return [None if body is None else _flow(body) for body in bodies]


def _flow(body: Body) -> Flow | None:
    data = body.content if body.content is not None else read_bytes(body.real, lambda _: None)
    text = source.read_text(data, body.real) if data is not None else None
    if not isinstance(text, str):
        return None
    if body.names and body.extent is not None:
        first, last = body.extent
        if source.certain_reads(text.split("\n")[first - 1 : last]) >= body.names:
            return None
    return source.read_flow(text, body.line, body.real, body.extent)
