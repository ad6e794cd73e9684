"""Which file is which module, and where a base lives: the project, its roots, and the packages it is looked up in.

Reads files on demand through `readers.source`; gives `core.resolution` the modules it asks for. Code under check is never
imported or run, and neither is the interpreter whose packages are searched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sigcheck.cache import ModuleCache
from sigcheck.config import Configuration
from sigcheck.conviction import Body, Meanwhile, Spot, Suspect, answers, meanwhile, read_flow, unconfirmed
from sigcheck.core.evidence import Evidence
from sigcheck.core.honour import BodyQuestion
from sigcheck.core.member import Member
from sigcheck.core.module import Module
from sigcheck.files import SUFFIXES, SourceFile, read_bytes, shown
from sigcheck.findings import Identity, Lookup
from sigcheck.footprint import PROJECT_MARKS, names_in, stamp_at
from sigcheck.lineage import Lineage
from sigcheck.readers import source
from sigcheck.readers.source import Decorators
from sigcheck.reading import Read, ReadRequest, read_files
from sigcheck.survey import Survey
from sigcheck.workers import Workers

if TYPE_CHECKING:
    from sigcheck.core.flow import Flow
    from sigcheck.core.usage import Usage

_INIT = "__init__"


class Project:
    """The files of one check, and everything their bases may be found in."""

    def __init__(
        self,
        configuration: Configuration,
        survey: Survey,
        cache: ModuleCache,
        *,
        by_libcst: bool = False,
        identities: Iterable[Identity] = (),
        workers: Workers | None = None,
    ) -> None:
        """Name the files.

        Args:
            configuration: what to look for.
            survey: the files, and where else to look.
            cache: what is known of files already.
            by_libcst: read every file with libcst, and scan none.
            identities: what files are called, where that is known; nothing is looked at for these.
            workers: other processes that are there.
        """
        self._by_libcst = by_libcst
        self._workers = workers
        self._meanwhile: Meanwhile | None = None
        self._scanned: dict[str, Read] = {}
        self._confirmed: Mapping[str, Collection[Spot]] = {}
        self._cache = cache
        self.survey = survey
        self.configuration = configuration
        self.decorators = decorators_of(configuration)
        self.files = survey.files
        self._contents = survey.contents
        self._held: dict[str, bytes] = {}
        self._trail = survey.trail
        self._given = [os.path.realpath(path) for path in survey.paths if os.path.isdir(path)]
        self._roots_of_directories: dict[str, str] = {}
        self._packages: dict[str, tuple[str, str]] = {}
        self._names: dict[str, tuple[str, str]] = {}
        self._modules: dict[str, Module] = {}
        self._located: dict[tuple[str, str, str, bool], tuple[str, str] | None] = {}
        self._listings: dict[str, frozenset[str]] = {}
        self._marks_in: dict[str, frozenset[str]] = {}
        self._shown: dict[str, str] = {}
        self._partly_read: set[str] = set()
        self._unsayable: dict[tuple[str, str], str] = {}
        self._lookups: dict[tuple[str, str], Lookup] = {}
        known = {identity.path: (identity.root, identity.name) for identity in identities}
        for file in self.files:
            real = file.real
            self._shown[real] = file.shown
            root, name = self._names[real] = known.get(file.shown) or self._module_name(real)
            said = f"{root.rstrip(os.sep)}{os.sep}{name.replace('.', os.sep)}"
            if real.rpartition(".")[0] not in (said, f"{said}{os.sep}{_INIT}"):
                # Below a directory such as `v1.2`: only a relative import leads here.
                self._unsayable[root, name] = real
        given = (path for path in self._bases_for_roots() if not _has_init(self._marks(path)))
        self.roots = tuple(dict.fromkeys((*(root for root, _ in self._names.values()), *given)))
        self.search_paths = survey.search_paths
        self._by_shown = {text: real for real, text in self._shown.items()}

    def read(self, *, progress: Callable[[int, int], None] | None = None) -> list[Module]:
        """Read every file of the project.

        Args:
            progress: told how many files of how many are done.

        Returns:
            The modules, in the order of the files; those that failed with their problems, and one for what could not be
            walked.
        """
        requests = [self._request(file) for file in self.files]
        modules: list[Module] = []
        reads = read_files(requests, self.decorators, self._cache, progress, by_libcst=self._by_libcst)
        for read in reads:
            self._keep(read)
            modules.append(read.module)
        if self.survey.problems:
            modules.append(Module("", "", problems=self.survey.problems))
        return modules

    def read_family(
        self, lineage: Lineage, *, progress: Callable[[int, int], None] | None = None
    ) -> tuple[list[Module], frozenset[str]] | None:
        """Read the files that may define a class of a family.

        Args:
            lineage: the names of its bases; what else it is called is added.
            progress: told how many files of how many are done.

        Returns:
            The modules as of `read`, but those of the other files are empty; and the files that were read, as reports show
            them. None where all must be read.
        """
        if self._workers is not None:
            self._workers.prepare(source.load_libcst)  # What bodies do will be asked.
        requests = {file.shown: self._request(file) for file in self.files}
        texts = {
            path: read_bytes(request.path, lambda _: None) if request.content is None else request.content
            for path, request in requests.items()
        }
        found: dict[str, Module] = {}

        def read(paths: Sequence[str]) -> Iterator[Module]:
            chosen = [requests[path] for path in paths]
            for one in read_files(
                chosen,
                self.decorators,
                self._cache,
                progress,
                whole=True,
                by_libcst=self._by_libcst,
                workers=self._workers,
            ):
                self._keep(one)
                found[one.request.shown] = one.module
                yield one.module

        if lineage.collect(texts, read) is None:
            return None
        modules = [found[path] if path in found else Module(request.name, path) for path, request in requests.items()]
        if self.survey.problems:
            modules.append(Module("", "", problems=self.survey.problems))
        return modules, frozenset(found)

    def loaded(self, paths: Collection[str]) -> dict[str, Module]:
        """The modules of some files of the project, by their paths as reports show them: those that were read."""
        shown_paths = {file.real: file.shown for file in self.files if file.shown in paths}
        return {path: self._modules[real] for real, path in shown_paths.items() if real in self._modules}

    def is_of_family(self, path: str, lineage: Lineage) -> bool:
        """A file of the project, as reports show it, may define a class of a family, as it is now; or cannot be read."""
        real = self._by_shown[path]
        data = self._contents[real] if real in self._contents else read_bytes(real, lambda _: None)
        return data is None or lineage.is_of_it(data)

    def _keep(self, read: Read) -> None:
        real = read.request.real
        self._modules[real] = read.module
        if read.digest and self._trail is not None:
            self._trail.digested(real, read.digest)
        if not read.is_whole:
            self._partly_read.add(real)
        if not self._by_libcst:
            self._scanned[real] = read

    @contextmanager
    def confirming(self) -> Iterator[Callable[[Iterable[Evidence]], None]]:
        """Takes what something is told of, and has libcst read the definitions there while others are still being found;
        `confirm` need not ask again about those that it reads as the scan did.
        """
        with meanwhile(self._scanned, self.decorators, self._workers) as found:
            if found is None:
                yield lambda _: None
                return
            self._meanwhile = found
            try:
                yield lambda evidence: found.ask(
                    (self._by_shown.get(path, ""), (line, has_body)) for path, line, has_body in evidence
                )
            finally:
                self._meanwhile = None
        self._confirmed = found.confirmed

    def suspects(self, evidence: Iterable[Evidence]) -> list[Suspect]:
        """The files of which something is told that libcst has not read yet as the scan did."""
        spots: dict[str, set[Spot]] = {}
        for path, line, has_body in evidence:
            real = self._by_shown.get(path, "")
            if (line, has_body) not in self._confirmed.get(real, ()):
                spots.setdefault(real, set()).add((line, has_body))
        return [
            Suspect(read.request, read.module, read.extents, frozenset(spots[real]))
            for real, read in self._scanned.items()
            if real in spots
        ]

    def confirm(self, evidence: Iterable[Evidence]) -> dict[str, Module]:
        """Have libcst read again what the scan has found.

        Args:
            evidence: of what is told.

        Returns:
            The files of which libcst reads one otherwise, as it reads them, by the paths that reports show.
        """
        suspects = self.suspects(evidence)
        if not suspects:
            return {}
        requests = unconfirmed(suspects, self.decorators)
        for request in requests:
            del self._scanned[request.real]
        again = read_files(requests, self.decorators, self._cache, whole=True, by_libcst=True)
        found = {read.request.real: read.module for read in again}
        self._modules |= found
        return {module.path: module for module in found.values()}

    def _request(self, file: SourceFile) -> ReadRequest:
        real = file.real
        _, name = self._names[real]
        content, digest = self._contents.get(real), ""
        if self._trail is not None:
            if content is None:
                content, digest = self._trail.file(file)
                if content is not None:
                    self._held[real] = content  # Of one that may be saved again unseen, nothing else is read.
            else:
                self._trail.replaced(file, content)
        return ReadRequest(
            real, file.path, file.shown, name, _is_init(real), file.size, content, digest, self._sought(name)
        )

    def _sought(self, name: str) -> tuple[bytes, ...]:
        """What makes the module of that name worth a whole reading: the bases with siblings; anything, for a family."""
        if any(family.may_reach(name) for family in self.configuration.families):
            return (b"",)
        bases = (contract.base for contract in self.configuration.contracts if contract.siblings)
        return tuple(base.rpartition(".")[2].encode("utf-8", "surrogatepass") for base in bases)

    def read_some(self, shown_paths: Collection[str]) -> dict[str, Module]:
        """Read some of the files, in full; by their paths as reports show them."""
        requests = [self._request(file) for file in self.files if file.shown in shown_paths]
        found: dict[str, Module] = {}
        for read in read_files(requests, self.decorators, self._cache, whole=True):
            self._keep(read)
            found[read.request.shown] = read.module
        return found

    def load(self, name: str, near: str) -> Module | None:
        """The module of a dotted name, seen from the file `near` (as reports show it); None where there is none.

        A module that is only a directory without `__init__` is an empty module: a namespace package.
        """
        found = self.locate(name, near)
        module = None if found is None else self._module(found[1], name, found[0])
        real, path = ("", "") if found is None or module is None else (found[1], module.path)
        self._lookups[near, name] = Lookup(near, name, real, path)
        return module

    def lookups(self) -> Iterable[Lookup]:
        """Every module that was looked for."""
        return self._lookups.values()

    def identities(self) -> Iterator[Identity]:
        """What the files are called as modules."""
        for file in self.files:
            root, name = self._names[file.real]
            yield Identity(file.shown, root, name)

    def locate(self, name: str, near: str) -> tuple[str, str] | None:
        """Where the module of a dotted name lies, seen from the file `near`: the root, and the file or the directory."""
        origin = self._by_shown.get(near, "")
        root = self._names[origin][0] if origin in self._names else ""
        if self._names.get(origin) == (root, name):
            # A file is its own module, also where no import can say its name (`v1.2.py`), or a stub lies beside it.
            return root, origin
        sibling = self._unsayable.get((root, name))
        if sibling is not None:
            return root, sibling
        # Scripts import what lies beside them: their directory comes last.
        tops = (root, *self.roots, *self.search_paths, os.path.dirname(origin))
        key = (name, root, tops[-1], near.endswith(".pyi"))
        if key not in self._located:
            self._located[key] = self._locate(name, tops, prefer_stub=near.endswith(".pyi"))
        found = self._located[key]
        # What lies beside a file is not itself: it has another name, and means a package that is called like it.
        return None if found is not None and found[1] == origin else found

    def flow(self, member: Member) -> Flow | None:
        """The control flow of a member's body; None where it has none, or its file cannot be read any more."""
        body = self._body(member)
        return None if body is None else read_flow(body)

    def usages(self, asked: Sequence[BodyQuestion]) -> Iterator[Mapping[str, Usage] | None]:
        """What bodies do with their parameters, for `core.check`."""
        bodies = [(question, self._body(question.member)) for question in asked]
        return answers(bodies) if self._meanwhile is None else self._meanwhile.answers(bodies)

    def _body(self, member: Member) -> Body | None:
        real = self._by_shown.get(member.place.path)
        if real is None:
            return None
        read = self._scanned.get(real)
        extent = source.extent_at(read.extents, member.place.line) if read is not None else None
        return Body(real, member.place.line, extent, self._contents.get(real, self._held.get(real)))

    def _module(self, real: str, name: str, root: str) -> Module:
        module = self._modules.get(real)
        if module is not None and real not in self._partly_read:
            return module
        self._partly_read.discard(real)
        if os.path.isdir(real):
            module = Module(name, shown(real))
        else:
            if real not in self._names:
                self._names[real] = (root, name)
                self._shown[real] = shown(real)
                self._by_shown[self._shown[real]] = real
            stamp = "" if self._trail is None else stamp_at(real)
            request = self._request(SourceFile(real, real, self._shown[real], 0, stamp))
            [read] = read_files([request], self.decorators, self._cache, whole=True, by_libcst=self._by_libcst)
            self._keep(read)
            return read.module
        self._modules[real] = module
        return module

    def _locate(self, name: str, tops: Iterable[str], *, prefer_stub: bool) -> tuple[str, str] | None:
        """The first of some directories that has a dotted name, and the file or namespace directory there."""
        suffixes = (".pyi", ".py") if prefer_stub else SUFFIXES
        namespace: tuple[str, str] | None = None
        for top in dict.fromkeys(filter(None, tops)):
            found = self._locate_below(top, name, suffixes)
            if found is None:
                continue
            if not os.path.isdir(found):
                real = os.path.realpath(found)
                if self._trail is not None and real != found:
                    self._trail.link(found, real)
                return top, real
            self._listing(found)
            namespace = namespace or (top, found)
        return namespace

    def _locate_below(self, top: str, name: str, suffixes: Sequence[str]) -> str | None:
        directory = top
        parts = name.split(".")
        for part in parts[:-1]:
            if part not in self._listing(directory):
                return None
            directory = os.path.join(directory, part)
        last = parts[-1]
        names = self._listing(directory)
        package = os.path.join(directory, last)
        if last in names:
            inside = self._listing(package)
            for suffix in suffixes:
                if _INIT + suffix in inside:
                    return os.path.join(package, _INIT + suffix)
        for suffix in suffixes:
            if last + suffix in names:
                return package + suffix
        return package if last in names and self._listing(package) else None

    def _listing(self, directory: str) -> frozenset[str]:
        names = self._listings.get(directory)
        if names is None:
            names = names_in(directory) if self._trail is None else self._trail.names(directory, are_marks=False)
            self._listings[directory] = names
        return names

    def _marks(self, directory: str) -> frozenset[str]:
        """The names in a directory, of which only those count that mark something."""
        names = self._listings.get(directory) or self._marks_in.get(directory)
        if names is None:
            names = names_in(directory) if self._trail is None else self._trail.names(directory, are_marks=True)
            self._marks_in[directory] = names
        return names

    # Roots and names.

    def _module_name(self, real: str) -> tuple[str, str]:
        """The root a file is imported from, and its dotted name there."""
        directory, base = os.path.split(real)
        known = self._packages.get(directory)
        if known is None:
            root = self._root_of(directory)
            below = os.path.relpath(directory, root)
            # A reference has a colon behind the module.
            known = self._packages[directory] = (root, "" if below == "." else _dotted(below) + ".")
        root, package = known
        stem = base.rpartition(".")[0]
        return root, package[:-1] or stem if stem == _INIT else package + _dotted(stem)

    def _root_of(self, directory: str) -> str:
        """The directory that a file's imports start from: above its topmost package; for a file in none, the nearest
        directory given to the check, its `src`, or the root of the project.
        """
        known = self._roots_of_directories.get(directory)
        if known is not None:
            return known
        package = self._topmost_package(directory)
        if package is not None:
            top = os.path.dirname(package)
        else:
            candidates = [entry for given in self._bases_for_roots() for entry in (given, os.path.join(given, "src"))]
            above = [entry for entry in candidates if _is_below(directory, entry) and not _has_init(self._marks(entry))]
            top = max(above, key=len, default=directory)
        self._roots_of_directories[directory] = top
        return top

    def _topmost_package(self, directory: str) -> str | None:
        """The highest directory above (or here) with an `__init__`, without leaving the project it is in.

        Directories without one may lie between: they are namespace packages inside a package.
        """
        topmost = None
        while os.path.dirname(directory) != directory and not PROJECT_MARKS & self._marks(directory):
            if _has_init(self._marks(directory)):
                topmost = directory
            directory = os.path.dirname(directory)
        return topmost

    def _bases_for_roots(self) -> list[str]:
        return [*self._given, os.path.realpath(self.configuration.root)]


def decorators_of(configuration: Configuration) -> Decorators:
    """What the configuration says of decorators."""
    return Decorators(frozenset(configuration.opaque_decorators), configuration.injects)


def _has_init(names: frozenset[str]) -> bool:
    return "__init__.py" in names or "__init__.pyi" in names


def _dotted(path: str) -> str:
    return path.replace(":", "_").replace(os.sep, ".")


def _is_init(path: str) -> bool:
    return os.path.basename(path).startswith(f"{_INIT}.")


def _is_below(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip(os.sep) + os.sep)
