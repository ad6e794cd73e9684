"""What there is to check, before any of it is read: the files, and where their bases may be found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sigcheck.config import Configuration
from sigcheck.core.dataclass import dataclass
from sigcheck.core.module import Problem
from sigcheck.files import FileFinder, SourceFile
from sigcheck.footprint import Trail
from sigcheck.search import search_paths_of


@dataclass(frozen=True, slots=True)
class Survey:
    """The ground of one check.

    Attributes:
        paths: the files and directories that were given.
        contents: bytes to take instead of what lies at a real path.
        files: the sources to check, in order.
        problems: what could not be walked.
        search_paths: where packages are looked up.
        trail: notes what the check looks at from here on; None where nobody asks.
    """

    paths: tuple[str, ...]
    contents: Mapping[str, bytes]
    files: tuple[SourceFile, ...]
    problems: tuple[Problem, ...]
    search_paths: tuple[str, ...]
    trail: Trail | None = None


def survey_of(
    configuration: Configuration, paths: Sequence[str], contents: Mapping[str, bytes], trail: Trail | None = None
) -> Survey:
    """Walk the paths.

    Args:
        configuration: what to leave out, and where else to look.
        paths: files and directories; they exist, but for those of `contents`.
        contents: bytes to take instead of what lies at a real path.
        trail: made before anything is looked at.

    Raises:
        MissingPathError: the configuration names a search path that does not exist.
    """
    finder = FileFinder(configuration.root, configuration.exclude)
    files = tuple(finder.files(paths, contents))
    return Survey(tuple(paths), contents, files, tuple(finder.problems), search_paths_of(configuration), trail)
