"""The specification as values: Markdown pages, their cases, and what each case expects of whoever reads it.

A heading with fenced blocks under it is one case. A `python` block is the file `main.py`, or the one its info string names:

    ```python title="pkg/base.py"
    class Base:
        def run(self, x): ...
    ```

Any other block with a title is written as it is (`sigcheck.toml`, `old.pyi`); one without is prose. What a line must carry stands in a
comment at its end, with a part of the message where the wording matters:

    def run(self, y): ...  # error: [renamed-parameter] "x is called `y`"

Several may stand on a line. Everything that a case does not expect is a failure too.

What runs the example sees less than what reads it. Where that makes a difference, a line under the heading says why:

    Run time: not run, `is_cuda` is nobody's.

or from which Python on it can be run at all:

    Run time: from Python 3.12 on.

And where mypy cannot tell what the page tells:

    mypy: the first star wins there.

Under the title of a page it speaks for every case of the page that needs it; a line that no case needs is a failure.

Imports nothing of sigcheck, so that each reader (the command line, a mypy plugin, a guard at run time) can be held against the
same pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SPEC = Path(__file__).parent / "spec"
PAGES = Path(__file__).parent.parent / "sigcheck" / "pages"

_HEADING = re.compile(r"(#{1,6})\s+(.*\S)")
_FENCE = re.compile(r"(`{3,})\s*([\w+-]*)(.*)")
_TITLE = re.compile(r'title="([^"]+)"')
_SINCE = re.compile(r"from Python (\d+)\.(\d+) on\.")
_RUN_TIME = re.compile(r"Run time: (.*\S)")
_MYPY = re.compile(r"mypy: (.*\S)")
_EXPECTATION = re.compile(r'#\s*(error|warning|note):\s*\[([\w-]+)\](?:\s*"((?:[^"\\]|\\.)*)")?')


@dataclass(frozen=True, slots=True, order=True)
class Expectation:
    """What a line must carry.

    Attributes:
        path: relative to the case's directory, with `/`.
        line: 1-based.
        rule, severity: of the diagnostic.
        part: what its message must contain; may be empty.
    """

    path: str
    line: int
    rule: str
    severity: str
    part: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """What a reader reported, in the same terms."""

    path: str
    line: int
    rule: str
    severity: str
    message: str


@dataclass(slots=True)
class Case:
    """One heading of one page.

    Attributes:
        page: the file's name.
        heading: its text.
        line: where it stands in the page.
        run_time: why what runs the example sees something else; empty where it does not.
        page_run_time: the same, of the whole page.
        mypy: why mypy tells something else; empty where it does not.
        page_mypy: the same, of the whole page.
        files: relative path to content.
        rules: those whose findings are expected; None for all.
    """

    page: str
    heading: str
    line: int
    run_time: str = ""
    page_run_time: str = ""
    mypy: str = ""
    page_mypy: str = ""
    files: dict[str, str] = field(default_factory=dict)
    rules: frozenset[str] | None = None

    @property
    def id(self) -> str:
        """The name of the test."""
        return f"{self.page}: {self.heading}"

    @property
    def since(self) -> tuple[int, int] | None:
        """The version of Python from which on the example can be run; None where the page names none."""
        found = _SINCE.fullmatch(self.run_time)
        return (int(found.group(1)), int(found.group(2))) if found is not None else None

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """Everything that the comments ask for, in order."""
        return tuple(sorted(self._expectations()))

    def _expectations(self) -> Iterator[Expectation]:
        for path, text in self.files.items():
            for number, line in enumerate(text.split("\n"), start=1):
                for severity, rule, part in _EXPECTATION.findall(line):
                    if self.rules is not None and rule not in self.rules:
                        continue
                    yield Expectation(path, number, rule, severity, part.replace('\\"', '"'))

    def write(self, directory: Path) -> None:
        """Write the files below a directory."""
        for path, text in self.files.items():
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")


def cases(directory: Path) -> tuple[Case, ...]:
    """Every case of every page below a directory.

    Raises:
        ValueError: a page cannot be read: the message names it and the line.
    """
    found = [case for path in sorted(directory.glob("*.md")) for case in read_page(path)]
    ids = [case.id for case in found]
    for case in found:
        if ids.count(case.id) > 1:
            message = f"{case.page}:{case.line}: two headings are called {case.heading!r}"
            raise ValueError(message)
    return tuple(found)


def read_page(path: Path) -> list[Case]:
    """The cases of one page: its headings with files under them."""
    found: list[Case] = []
    of_page = mypy_of_page = ""
    lines = path.read_text(encoding="utf-8").split("\n")
    index = 0
    while index < len(lines):
        heading, fence = _HEADING.match(lines[index]), _FENCE.match(lines[index])
        reason, of_mypy = _RUN_TIME.match(lines[index]), _MYPY.match(lines[index])
        if heading is not None:
            found.append(Case(path.name, heading.group(2), index + 1, page_run_time=of_page, page_mypy=mypy_of_page))
        elif of_mypy is not None and found:
            found[-1].mypy = of_mypy.group(1)
            mypy_of_page = of_mypy.group(1) if len(found) == 1 and found[0].line == 1 else mypy_of_page
        elif reason is not None and found:
            found[-1].run_time = reason.group(1)
            of_page = reason.group(1) if len(found) == 1 and found[0].line == 1 else of_page
        elif fence is not None:
            try:
                end = lines.index(fence.group(1), index + 1)
            except ValueError:
                message = f"{path.name}:{index + 1}: the block is not closed"
                raise ValueError(message) from None
            _add_block(found, path, index, fence, lines[index + 1 : end])
            index = end
        index += 1
    return [case for case in found if case.files]


def _add_block(found: list[Case], path: Path, index: int, fence: re.Match[str], content: list[str]) -> None:
    title = _TITLE.search(fence.group(3))
    if title is None and fence.group(2) != "python":
        return
    name = title.group(1) if title is not None else "main.py"
    if not found or name in found[-1].files:
        message = f"{path.name}:{index + 1}: the block has no heading, or its heading has another {name}"
        raise ValueError(message)
    found[-1].files[name] = "".join(f"{line}\n" for line in content)


def differences(case: Case, found: Iterable[Found]) -> list[str]:
    """What is missing and what is unexpected, a line each, with the source; empty where the case is satisfied."""
    left = sorted(found)
    told: list[tuple[str, int, str]] = []
    for wanted in case.expectations:
        met = next((entry for entry in left if _meets(entry, wanted)), None)
        if met is not None:
            left.remove(met)
        else:
            part = f' "{wanted.part}"' if wanted.part else ""
            told.append((wanted.path, wanted.line, f"missing     {wanted.severity}: [{wanted.rule}]{part}"))
    told += [(e.path, e.line, f"unexpected  {e.severity}: [{e.rule}] {e.message}") for e in left]
    return [f"{path}:{line}: {text}\n    | {_source(case, path, line)}" for path, line, text in sorted(told)]


def _meets(entry: Found, wanted: Expectation) -> bool:
    same_place = (entry.path, entry.line, entry.rule, entry.severity) == (
        wanted.path,
        wanted.line,
        wanted.rule,
        wanted.severity,
    )
    return same_place and wanted.part in entry.message


def _source(case: Case, path: str, line: int) -> str:
    lines = case.files.get(path, "").split("\n")
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""
