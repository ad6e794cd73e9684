"""Which file is which module, and where a base lives: the project, its roots, and the packages it is looked up in.

Reads files on demand through `readers.source`; gives `core.resolution` the modules it asks for. Code under check is never
imported or run, and neither is the interpreter whose packages are searched.
"""

from __future__ import annotations

import os
import re
import sysconfig
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from sigcheck.cache import ModuleCache
from sigcheck.config import Configuration
from sigcheck.core.callsite import CallSite
from sigcheck.core.flow import Flow
from sigcheck.core.member import Member
from sigcheck.core.module import Module
from sigcheck.errors import MissingPathError
from sigcheck.files import SUFFIXES, FileFinder, SourceFile, read_bytes, shown
from sigcheck.readers import source
from sigcheck.readers.source import Decorators, read_text
from sigcheck.reading import Read, ReadRequest, Suspect, read_files, unconfirmed

_INIT = "__init__"
_PROJECT_MARKS = frozenset({"pyproject.toml", "setup.py", "setup.cfg", ".git", "site-packages"})
"""What lies in the root of a project, which is no part of a package even if it has an `__init__`."""


class Project:
    """The files of one check, and everything their bases may be found in."""

    def __init__(
        self,
        configuration: Configuration,
        paths: Sequence[str],
        cache: ModuleCache,
        contents: Mapping[str, bytes] | None = None,
        *,
        by_libcst: bool = False,
    ) -> None:
        """Find the files.

        Args:
            configuration: what to look for, and where else to look.
            paths: files and directories to check; they exist, but for those of `contents`.
            cache: what is known of files already.
            contents: bytes to take instead of what lies at a real path (`--stdin-filename`).
            by_libcst: read every file with libcst, and scan none.
        """
        self._by_libcst = by_libcst
        self._scanned: dict[str, Read] = {}
        self._cache = cache
        self._contents = contents or {}
        self.configuration = configuration
        self.decorators = decorators_of(configuration)
        self._finder = FileFinder(configuration.root, configuration.exclude)
        self.files = tuple(self._finder.files(paths, self._contents))
        self._given = [os.path.realpath(path) for path in paths if os.path.isdir(path)]
        self._roots_of_directories: dict[str, str] = {}
        self._names: dict[str, tuple[str, str]] = {}
        self._modules: dict[str, Module] = {}
        self._located: dict[tuple[str, str, str, bool], tuple[str, str] | None] = {}
        self._listings: dict[str, frozenset[str]] = {}
        self._shown: dict[str, str] = {}
        self._partly_read: set[str] = set()
        self._unsayable: dict[tuple[str, str], str] = {}
        for file in self.files:
            real = file.real
            self._shown[real] = file.shown
            root, name = self._names[real] = self._module_name(real)
            if os.path.join(root, *name.split(".")) not in (real.rpartition(".")[0], os.path.dirname(real)):
                # Below a directory such as `v1.2`: only a relative import leads here.
                self._unsayable[root, name] = real
        given = (path for path in self._bases_for_roots() if not _has_init(self._listing(path)))
        self.roots = tuple(dict.fromkeys((*(root for root, _ in self._names.values()), *given)))
        self.search_paths = tuple(self._search_paths())
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
        if self._finder.problems:
            modules.append(Module("", "", problems=tuple(self._finder.problems)))
        return modules

    def _keep(self, read: Read) -> None:
        real = read.request.real
        self._modules[real] = read.module
        if not read.is_whole:
            self._partly_read.add(real)
        if not self._by_libcst:
            self._scanned[real] = read

    def confirm(self, evidence: Iterable[Member | CallSite]) -> dict[str, Module]:
        """Have libcst read again what the scan has found.

        Args:
            evidence: the definitions and calls of which something is told.

        Returns:
            The files of which libcst reads one otherwise, as it reads them, by the paths that reports show.
        """
        lines: dict[str, set[int]] = {}
        for entry in evidence:
            lines.setdefault(self._by_shown.get(entry.place.path, ""), set()).add(entry.place.line)
        suspects = [
            Suspect(read.request, read.module, read.extents, frozenset(lines[real]))
            for real, read in self._scanned.items()
            if real in lines
        ]
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
        content = self._contents.get(real)
        return ReadRequest(real, file.path, file.shown, name, _is_init(real), file.size, content, self._sought(name))

    def _sought(self, name: str) -> tuple[bytes, ...]:
        """What makes the module of that name worth a whole reading: the bases with siblings; anything, for a family."""
        if any(family.may_reach(name) for family in self.configuration.families):
            return (b"",)
        bases = (contract.base for contract in self.configuration.contracts if contract.siblings)
        return tuple(base.rpartition(".")[2].encode("utf-8", "surrogatepass") for base in bases)

    def load(self, name: str, near: str) -> Module | None:
        """The module of a dotted name, seen from the file `near` (as reports show it); None where there is none.

        A module that is only a directory without `__init__` is an empty module: a namespace package.
        """
        origin = self._by_shown.get(near, "")
        root = self._names[origin][0] if origin in self._names else ""
        if self._names.get(origin) == (root, name):
            # A file is its own module, also where no import can say its name (`v1.2.py`), or a stub lies beside it.
            return self._module(origin, name, root)
        sibling = self._unsayable.get((root, name))
        if sibling is not None:
            return self._module(sibling, name, root)
        # Scripts import what lies beside them: their directory comes last.
        tops = (root, *self.roots, *self.search_paths, os.path.dirname(origin))
        key = (name, root, tops[-1], near.endswith(".pyi"))
        if key not in self._located:
            self._located[key] = self._locate(name, tops, prefer_stub=near.endswith(".pyi"))
        found = self._located[key]
        return None if found is None else self._module(found[1], name, found[0])

    def flow(self, member: Member) -> Flow | None:
        """The control flow of a member's body; None where it has none, or its file cannot be read any more."""
        real = self._by_shown.get(member.place.path)
        if real is None:
            return None
        data = self._contents.get(real) or read_bytes(real, lambda _: None)
        text = read_text(data, real) if data is not None else None
        return source.read_flow(text, member.place.line, real) if isinstance(text, str) else None

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
            request = self._request(SourceFile(real, real, self._shown[real], 0))
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
                return top, os.path.realpath(found)
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
            try:
                names = frozenset(os.listdir(directory))
            except OSError:
                names = frozenset()
            self._listings[directory] = names
        return names

    # Roots and names.

    def _module_name(self, real: str) -> tuple[str, str]:
        """The root a file is imported from, and its dotted name there."""
        directory, base = os.path.split(real)
        root = self._root_of(directory)
        stem = base.rpartition(".")[0]
        below = os.path.relpath(directory, root)
        # A reference has a colon behind the module.
        parts = [] if below == "." else below.replace(":", "_").split(os.sep)
        if stem != _INIT:
            parts.append(stem.replace(":", "_"))
        return root, ".".join(parts) or stem

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
            above = [
                entry for entry in candidates if _is_below(directory, entry) and not _has_init(self._listing(entry))
            ]
            top = max(above, key=len, default=directory)
        self._roots_of_directories[directory] = top
        return top

    def _topmost_package(self, directory: str) -> str | None:
        """The highest directory above (or here) with an `__init__`, without leaving the project it is in.

        Directories without one may lie between: they are namespace packages inside a package.
        """
        topmost = None
        while os.path.dirname(directory) != directory and not _PROJECT_MARKS & self._listing(directory):
            if _has_init(self._listing(directory)):
                topmost = directory
            directory = os.path.dirname(directory)
        return topmost

    def _bases_for_roots(self) -> list[str]:
        return [*self._given, os.path.realpath(self.configuration.root)]

    def _search_paths(self) -> Iterable[str]:
        root = self.configuration.root
        for text in self.configuration.search_paths:
            path = root / os.path.expanduser(text)
            if not path.is_dir():
                raise MissingPathError(f"{shown(str(path))}: no such directory; mend `search-paths`")
            yield from _with_editable_installs(str(path))
        if self.configuration.python is not None:
            python = root / os.path.expanduser(self.configuration.python)
            found = packages_of(python) if python.exists() else ()
            if not found:
                message = f"{self.configuration.python}: no interpreter or virtual environment with site-packages"
                raise MissingPathError(f"{message}; check --python")
            for directory in found:
                yield from _with_editable_installs(directory)
        yield sysconfig.get_paths()["stdlib"]


def decorators_of(configuration: Configuration) -> Decorators:
    """What the configuration says of decorators."""
    return Decorators(frozenset(configuration.opaque_decorators), configuration.injects)


def packages_of(python: Path) -> tuple[str, ...]:
    """The site-packages and the standard library of an interpreter or a virtual environment, found by name alone.

    Args:
        python: the interpreter's executable, or the directory of the environment.
    """
    for executable in dict.fromkeys((python, Path(os.path.realpath(python)))):
        home = executable if executable.is_dir() else executable.parent.parent
        # Several versions may share a directory: an interpreter that bears its version has its own library.
        version = re.search(r"3\.\d+", os.path.basename(os.path.realpath(executable)))
        own = [home / "lib" / f"python{version.group()}"] if version else []
        libraries = own if own and own[0].is_dir() else [*_newest_first(home.glob("lib/python3*")), *home.glob("Lib")]
        found = [library / name for library in libraries for name in ("site-packages", "dist-packages")]
        found += [home / "lib" / "python3" / "dist-packages", *libraries]
        existing = [str(path) for path in found if path.is_dir()]
        if any(path.endswith("-packages") for path in existing):
            return tuple(dict.fromkeys(existing))
    return ()


def _newest_first(libraries: Iterable[Path]) -> list[Path]:
    return sorted(libraries, key=lambda path: [int(digits) for digits in re.findall(r"\d+", path.name)], reverse=True)


def _with_editable_installs(directory: str) -> Iterable[str]:
    """The directory, and those that its `.pth` files name. Lines of code in them are not run."""
    yield directory
    for entry in sorted(Path(directory).glob("*.pth")):
        content = read_bytes(str(entry), lambda _: None) or b""
        for line in content.decode("utf-8", "replace").splitlines():
            path = os.path.join(directory, line.strip())
            if line.strip() and not line.startswith(("#", "import ", "import\t")) and os.path.isdir(path):
                yield path


def _has_init(names: frozenset[str]) -> bool:
    return "__init__.py" in names or "__init__.pyi" in names


def _is_init(path: str) -> bool:
    return os.path.basename(path).startswith(f"{_INIT}.")


def _is_below(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip(os.sep) + os.sep)
