"""One run of pytest with families guarded: in which test something misbinds, and what is said of it.

`sigcheck/pytest_plugin.py` loads it where a family is given. What misbinds in the setup, the call or the teardown of a test
fails that phase, also where the code under test catches the error, or raises it in a thread of its own.
"""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import pytest

from sigcheck.core.dataclass import dataclass
from sigcheck.runtime.creation import guard, is_guarded, unguard
from sigcheck.runtime.errors import GuardUsageError
from sigcheck.runtime.misbound import MisboundArgumentError
from sigcheck.runtime.mode import Mode, effective_mode
from sigcheck.runtime.scope import guarding

T = TypeVar("T")

_OUTPUT = "sigcheck"
"""The key under which a worker of pytest-xdist hands over what it found."""


@dataclass(slots=True)
class _Found:
    """One misbinding, by its text: the first error, and how often."""

    error: MisboundArgumentError
    count: int = 0


class GuardedSession:
    """The plugin of one run.

    Args:
        families: the bases, each as `pkg.mod:Base`.
        mode: "raise" fails tests, "warn" leaves warnings only.
    """

    def __init__(self, families: Sequence[str], mode: Mode) -> None:
        self._families = families
        self._mode = effective_mode(mode)
        self._lock = threading.Lock()
        self._found: dict[str, _Found] = {}
        self._outside: Counter[str] = Counter()
        self._total = 0
        self._bases: list[type] = []
        self._classes = 0

    def start(self, config: pytest.Config) -> None:
        """Guard the families and register the hooks, until the run ends.

        Raises:
            GuardUsageError: where a family cannot be found or guarded.
        """
        scope = contextlib.ExitStack()
        config.add_cleanup(scope.close)
        if self._mode != "off":
            self._bases = [read_family(family) for family in self._families]
            scope.enter_context(guarding(*self._bases, mode=self._mode, report=self._record))
            for base in self._bases:
                if not is_guarded(base):
                    guard(base, mode=self._mode)
                    scope.callback(unguard, base)
        config.pluginmanager.register(self, "sigcheck-session")
        if config.pluginmanager.has_plugin("xdist"):
            config.pluginmanager.register(_Workers(self), "sigcheck-workers")

    def _record(self, error: MisboundArgumentError) -> None:
        """Called for each misbinding before it is raised, in whichever thread."""
        with self._lock:
            self._total += 1
            if self._mode == "raise":
                self._found.setdefault(str(error), _Found(error)).count += 1

    def _taken(self) -> list[_Found]:
        with self._lock:
            found, self._found = self._found, {}
        return list(found.values())

    # A test

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, T, T]:
        """Fail the setup in which something misbinds."""
        __tracebackhide__ = True
        self._leave_outside()
        return (yield from self._failing())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, T, T]:
        """Fail the test in which something misbinds."""
        __tracebackhide__ = True
        return (yield from self._failing())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, T, T]:
        """Fail the teardown in which something misbinds."""
        __tracebackhide__ = True
        return (yield from self._failing())

    def _failing(self) -> Generator[None, T, T]:
        __tracebackhide__ = True
        try:
            result = yield
        except pytest.skip.Exception:
            if not self._found:
                raise
        else:
            if not self._found:
                return result
        raise next(iter(self._found.values())).error

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add what misbound in the phase, and is not what it failed with."""
        found = self._taken()
        report = yield
        shown = {id(error) for error in _behind(call.excinfo.value)} if call.excinfo else set()
        others = Counter(
            {str(each.error): each.count for each in found if each.count > 1 or id(each.error) not in shown}
        )
        if others:
            report.sections.append(("sigcheck: misbound arguments", "\n".join(_lines(others))))
        return report

    # The run

    def pytest_report_header(self) -> str:
        """What is guarded."""
        families = ", ".join(self._families)
        return f"sigcheck: guarding {'nothing' if self._mode == 'off' else families} ({self._mode})"

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run for what misbound outside of every test."""
        self._leave_outside()
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_OUTPUT] = {"total": self._total, "outside": dict(self._outside), "classes": _size(self._bases)}
        elif self._outside and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line on all, and what belongs to no test."""
        if self._outside:
            terminalreporter.section("sigcheck: misbound outside of a test", red=True)
            for line in _lines(self._outside):
                terminalreporter.write_line(line)
        if self._mode != "off":
            classes = max(self._classes, _size(self._bases))
            terminalreporter.write_line(
                f"sigcheck: {_counted(self._total, 'argument')} misbound in calls of {_counted(classes, 'class', 'classes')}"
            )

    def _leave_outside(self) -> None:
        self._outside.update({str(each.error): each.count for each in self._taken()})

    def take_over(self, output: Any) -> None:
        """Add what a worker of pytest-xdist found."""
        self._total += output["total"]
        self._classes = max(self._classes, output["classes"])
        self._outside.update(output["outside"])


class _Workers:
    """The hook of pytest-xdist, which pytest refuses where that is not installed."""

    def __init__(self, session: GuardedSession) -> None:
        self._session = session

    def pytest_testnodedown(self, node: Any) -> None:
        """A worker has ended; one that crashed hands over nothing."""
        output = getattr(node, "workeroutput", {}).get(_OUTPUT)
        if output is not None:
            self._session.take_over(output)


def read_family(name: str) -> type:
    """The class that `pkg.mod:Base` means; its module is imported.

    Raises:
        GuardUsageError: where there is none.
    """
    module_name, colon, path = name.partition(":")
    if not (module_name and colon and path):
        raise GuardUsageError(f"{name!r} names no class: write it as `pkg.mod:Base`")
    try:
        found: object = importlib.import_module(module_name)
    except Exception as error:
        raise GuardUsageError(f"{name}: importing {module_name} raises {type(error).__name__}: {error}") from error
    for part in path.split("."):
        if not hasattr(found, part):
            raise GuardUsageError(f"{name}: {module_name} has no {path}")
        found = getattr(found, part)
    if not isinstance(found, type):
        raise GuardUsageError(f"{name} is no class, but {found!r:.80}")
    return found


def _size(bases: Iterable[type]) -> int:
    """How many classes the families have by now."""
    seen: set[type] = set()
    pending = list(bases)
    while pending:
        each = pending.pop()
        if each not in seen:
            seen.add(each)
            pending += type.__subclasses__(each)
    return len(seen)


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, and those that it came from or holds."""
    seen: set[int] = set()
    pending = [error]
    while pending:
        each = pending.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            pending += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]


def _lines(texts: Counter[str]) -> Iterator[str]:
    for text, count in texts.items():
        yield text if count == 1 else f"{text} ({count} times)"
