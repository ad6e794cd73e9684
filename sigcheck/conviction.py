"""What libcst is asked: whether it reads what is told as the scan did, and what bodies do with their parameters."""

from __future__ import annotations

import gc
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, TypeVar

from sigcheck.core.dataclass import dataclass, replace
from sigcheck.core.honour import BodyQuestion, answer_to
from sigcheck.core.member import Member
from sigcheck.core.module import Class, Module
from sigcheck.files import read_bytes
from sigcheck.readers import source
from sigcheck.readers.source import Decorators, Extents
from sigcheck.reading import Read, ReadRequest
from sigcheck.transfer import pack, plain, unpack
from sigcheck.workers import Promise, Worker, WorkerDiedError, Workers, working

if TYPE_CHECKING:
    from sigcheck.core.flow import Flow
    from sigcheck.core.usage import Usage

T = TypeVar("T")


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
    try:
        with working(sum(suspect.request.size for suspect in suspects)) as workers:
            if workers is None:
                return [suspect.request for suspect in suspects if not _is_confirmed(suspect, decorators)]
            batches = _runs(suspects, workers.processors)
            _TO_CONFIRM[:] = batches  # A forked process has them: they need not be written and read again.
            futures = [workers.submit(_confirm_batch, number, decorators) for number in range(len(batches))]
            found = [future.result() for future in futures]
            return [batch[index].request for batch, indices in zip(batches, found, strict=True) for index in indices]
    except WorkerDiedError:
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
        self._futures: list[Promise[list[str]]] = []

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
        if not self._workers.are_there:
            _SCANNED.update(self._scanned)  # A forked process has them: they need not be written and read again.

    def answers(self, asked: list[tuple[BodyQuestion, Body | None]]) -> Iterator[Answer]:
        """See `answers`; they are looked for from now on."""
        self._start()
        return _awaited(self._workers.submit(_answer_all, asked), asked)

    def finish(self) -> None:
        """Wait for what was asked. Where a file took its process down with it, nothing is confirmed."""
        if self._waiting:
            self._submit()
        try:
            odd = {real for future in self._futures for real in future.result()}
        except WorkerDiedError:
            return
        self.confirmed = {real: spots for real, spots in self._asked.items() if real not in odd}


def _awaited(future: Promise[list[Answer]], asked: list[tuple[BodyQuestion, Body | None]]) -> Iterator[Answer]:
    try:
        found = future.result()
    except WorkerDiedError:
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
    amount = sum(read.request.size for read in scanned.values())
    try:
        with working(amount, besides=1) if workers is None else nullcontext(workers) as those:
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


def confirming(worker: Worker | None, decorators: Decorators) -> Callable[[Sequence[Suspect]], Callable[[], bool]]:
    """Asks once about a few suspects, and says later whether libcst reads all of them as the scan did.

    Args:
        worker: another process, which loads libcst meanwhile (`load_libcst`), if there can be one.
        decorators: what the configuration says of them.
    """

    def ask(suspects: Sequence[Suspect]) -> Callable[[], bool]:
        if worker is None:
            return lambda: not unconfirmed(suspects, decorators)
        if not suspects:
            return lambda: True
        answer = worker.ask(_are_confirmed, suspects, decorators)

        def are_confirmed() -> bool:
            try:
                return answer()
            except WorkerDiedError:
                return False

        return are_confirmed

    return ask


def load_libcst() -> None:
    """Load it now, to have it when something is to be confirmed."""
    source.load_libcst()


def _are_confirmed(suspects: Sequence[Suspect], decorators: Decorators) -> bool:
    gc.disable()
    return all(_is_confirmed(suspect, decorators) for suspect in suspects)


def _runs(entries: Sequence[T], processors: int) -> list[Sequence[T]]:
    """Runs of as many entries, a few for each processor."""
    bound = max(len(entries) // (processors * 4), 1)
    return [entries[start : start + bound] for start in range(0, len(entries), bound)]


_TO_CONFIRM: list[Sequence[Suspect]] = []


def _confirm_batch(number: int, decorators: Decorators) -> list[int]:
    gc.disable()
    return [index for index, suspect in enumerate(_TO_CONFIRM[number]) if not _is_confirmed(suspect, decorators)]


def _is_confirmed(suspect: Suspect, decorators: Decorators) -> bool:
    request = suspect.request
    text = _text_of(request.path, request.content)
    if text is None:
        return False
    lines = text.split("\n")
    if suspect.extents[-1:] > (len(lines),):
        return False  # Somebody has shortened the file since it was scanned.
    if _are_confirmed_alone(suspect, lines, decorators):
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
    text = _text_of(body.real, body.content)
    return None if text is None else source.read_flow(text, body.line, body.real, body.extent)


def answers(asked: Iterable[tuple[BodyQuestion, Body | None]]) -> Iterator[Answer]:
    """What is asked of bodies, each with where it stands."""
    for question, body in asked:
        text = None if body is None else _text_of(body.real, body.content)
        if text is None or body is None:
            yield None
            continue
        if body.extent is not None:
            first, last = body.extent
            lines = text.split("\n")[first - 1 : last]
            # There are none where somebody has shortened the file since it was scanned.
            if lines and source.reads_all(lines, first, body.line, question.names, question.options):
                yield None
                continue
        yield answer_to(question, source.read_flow(text, body.line, body.real, body.extent))


def _text_of(path: str, content: bytes | None) -> str | None:
    """The text of a file, or of what stands in for it; None where there is none to read."""
    data = content if content is not None else read_bytes(path, lambda _: None)
    text = source.read_text(data, path) if data is not None else None
    return text if isinstance(text, str) else None


def _answer_all(asked: list[tuple[BodyQuestion, Body | None]]) -> list[Answer]:
    gc.disable()
    return list(answers(asked))
