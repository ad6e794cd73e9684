"""Reading many files: which need a full reading, on how many processors, and what the cache already knows."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sigcheck.cache import Known, ModuleCache
from sigcheck.core.dataclass import dataclass, replace
from sigcheck.core.honour import BodyQuestion, answer_to
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
    from sigcheck.core.usage import Usage

T = TypeVar("T")

_PARALLEL_FROM = 2_000_000
"""Bytes from which a second process pays for its start."""

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
    fresh = _read_all(unknown, _Reader(decorators, whole, by_libcst), workers)
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


class Workers:
    """Other processes, which are there while a context lasts, from when there is first something to do."""

    def __init__(self, processors: int, stack: ExitStack) -> None:
        """Args: processors: how many there are to be; stack: ends them."""
        self.processors = processors
        self._stack = stack
        self._pool: ProcessPoolExecutor | None = None

    @property
    def is_at_work(self) -> bool:
        """They have been started: what is learnt from now on they do not know."""
        return self._pool is not None

    def prepare(self) -> None:
        """Have each of them load libcst, in which time others may do something else."""
        for _ in range(self.processors):
            self.submit(source.load_libcst)

    def submit(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Have one of them call a function; where one has died, what the future gives is a `BrokenProcessPool`."""
        if self._pool is None:
            self._pool = self._stack.enter_context(_pool(self.processors))
        try:
            return self._pool.submit(function, *arguments)
        except BrokenProcessPool as error:
            failed: Future[T] = Future()
            failed.set_exception(error)
            return failed


@contextmanager
def working(amount: int) -> Iterator[Workers | None]:
    """Other processes for work on so many bytes; None where there can be none, or they would not pay for their start."""
    processors = _processors(amount, _PARALLEL_FROM)
    with ExitStack() as stack:
        yield None if processors == 1 else Workers(processors, stack)


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


Spot = tuple[int, bool]
"""The line of a definition or of a call of which something is told, and whether that hangs on what a body does."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A file of which something is told.

    Attributes:
        request: how it was read.
        module: what the scan made of it.
        extents: where its functions stand.
        spots: where the definitions and calls stand of which something is told.
    """

    request: ReadRequest
    module: Module
    extents: Extents
    spots: frozenset[Spot]

    @property
    def lines(self) -> frozenset[int]:
        """The lines of the spots."""
        return frozenset(line for line, _ in self.spots)


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


class Meanwhile:
    """What other processes have libcst read while more is being found: definitions of which something is told, and bodies.

    Attributes:
        confirmed: by real path, the spots with definitions that libcst reads as the scan did; known when all is found.
    """

    def __init__(self, scanned: Mapping[str, Read], decorators: Decorators, workers: Workers) -> None:
        """Begin.

        Args:
            scanned: the files, as the scan read them, by real path; there may be more of them later.
            decorators: what the configuration says of them.
            workers: the processes.
        """
        self.confirmed: Mapping[str, Collection[Spot]] = {}
        self._scanned = scanned
        self._decorators = decorators
        self._workers = workers
        self._asked: dict[str, set[Spot]] = {}
        self._waiting: dict[str, set[Spot]] = {}
        self._count = 0
        self._futures: list[Future[list[str]]] = []

    def ask(self, spots: Iterable[tuple[str, Spot]]) -> None:
        """Have the definitions at some spots read, each with the real path of its file."""
        for real, spot in spots:
            asked = self._asked.setdefault(real, set())
            if spot not in asked and real in self._scanned:
                asked.add(spot)
                self._waiting.setdefault(real, set()).add(spot)
                self._count += 1
        if self._count >= _TOGETHER:
            self._submit()

    def _submit(self) -> None:
        self._start()
        waiting, self._waiting, self._count = self._waiting, {}, 0
        later = {real: _Packed.of(self._scanned[real]) for real in waiting if real not in _SCANNED}
        self._futures.append(self._workers.submit(_confirm_spots, waiting, later, self._decorators))

    def _start(self) -> None:
        if not self._workers.is_at_work:
            _SCANNED.update(self._scanned)  # A forked process has them: they need not be written and read again.

    def answers(self, asked: list[tuple[BodyQuestion, Body | None]]) -> Iterator[Answer]:
        """See `reading.answers`; they are looked for from now on."""
        self._start()
        return _awaited(self._workers.submit(_answer_all, asked), asked)

    def finish(self) -> None:
        """Wait for what was asked. Where a file took its process down with it, nothing is confirmed."""
        if self._waiting:
            self._submit()
        try:
            odd = {real for future in self._futures for real in future.result()}
        except BrokenProcessPool:
            return
        self.confirmed = {real: spots for real, spots in self._asked.items() if real not in odd}


def _awaited(future: Future[list[Answer]], asked: list[tuple[BodyQuestion, Body | None]]) -> Iterator[Answer]:
    try:
        found = future.result()
    except BrokenProcessPool:
        yield from answers(asked)
    else:
        yield from found


@contextmanager
def meanwhile(
    scanned: Mapping[str, Read], decorators: Decorators, workers: Workers | None = None
) -> Iterator[Meanwhile | None]:
    """A `Meanwhile`, which is finished when the context ends; None where there can be no other process, or it would not
    pay for its start.

    Args:
        scanned: the files, as the scan read them, by real path.
        decorators: what the configuration says of them.
        workers: other processes that are there; None to have some.
    """
    try:
        with working(sum(read.request.size for read in scanned.values())) as own:
            those = workers or own
            found = None if those is None else Meanwhile(scanned, decorators, those)
            yield found
            if found is not None:
                found.finish()
    finally:
        _SCANNED.clear()


_TOGETHER = 16
"""Definitions that go to another process at once."""

_SCANNED: dict[str, Read] = {}


@dataclass(frozen=True, slots=True)
class _Packed:
    """A file as the scan read it, on its way to another process."""

    request: ReadRequest
    module: bytes
    extents: Extents

    @staticmethod
    def of(read: Read) -> _Packed:
        """Pack it."""
        return _Packed(read.request, pack(Module, read.module), read.extents)

    def read(self) -> Read:
        """Unpack it."""
        return Read(self.request, unpack(Module, self.module), extents=self.extents)


def _confirm_spots(asked: dict[str, set[Spot]], later: dict[str, _Packed], decorators: Decorators) -> list[str]:
    """The files in which libcst reads some definition otherwise than the scan did; `later` are those that were not forked."""
    gc.disable()
    odd: list[str] = []
    for real, spots in asked.items():
        read = later[real].read() if real in later else _SCANNED[real]
        if not _is_confirmed(Suspect(read.request, read.module, read.extents, frozenset(spots)), decorators):
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
    with_body: set[int] = set()
    for line, has_body in suspect.spots:
        index = bisect_right(starts, line) - 1
        if index < 0 or ends[index] < line:
            return False
        wanted.add(index)
        if has_body:
            with_body.add(index)
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
        last = ends[index] if index in with_body else min(member.last_line, ends[index])
        alone = source.read_definition(
            lines[starts[index] - 1 : last],
            starts[index],
            module=suspect.module,
            owner=owner,
            is_package=suspect.request.is_package,
            decorators=decorators,
            has_body=last == ends[index],
        )
        if alone is None:
            return False
        if last < ends[index]:
            alone = member.with_header_of(alone)
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
        content: bytes to take instead of the file's, or None.
    """

    real: str
    line: int
    extent: tuple[int, int] | None
    content: bytes | None = None


Answer = Mapping[str, "Usage"] | None
"""See `honour.UsagesOf`."""


def read_flow(body: Body) -> Flow | None:
    """The control flow of a function; None where there is none to read."""
    text = _text_of(body)
    return None if text is None else source.read_flow(text, body.line, body.real, body.extent)


def answers(asked: Iterable[tuple[BodyQuestion, Body | None]]) -> Iterator[Answer]:
    """What is asked of bodies, each with where it stands."""
    for question, body in asked:
        text = None if body is None else _text_of(body)
        if text is None or body is None:
            yield None
            continue
        if body.extent is not None:
            first, last = body.extent
            lines = text.split("\n")[first - 1 : last]
            if source.reads_all(lines, first, body.line, question.names, question.options):
                yield None
                continue
        yield answer_to(question, source.read_flow(text, body.line, body.real, body.extent))


def _text_of(body: Body) -> str | None:
    data = body.content if body.content is not None else read_bytes(body.real, lambda _: None)
    text = source.read_text(data, body.real) if data is not None else None
    return text if isinstance(text, str) else None


def _answer_all(asked: list[tuple[BodyQuestion, Body | None]]) -> list[Answer]:
    gc.disable()
    return list(answers(asked))
