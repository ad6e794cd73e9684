"""Waits for saves, with `watchfiles`. Knows which files matter to a check, and nothing of what a check does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sigcheck.errors import ConfigurationError
from sigcheck.files import SUFFIXES

_SETTLED = 100
"""Milliseconds: how soon after its start a watch is known to see everything."""
_CONFIGURATIONS = ("pyproject.toml", "sigcheck.toml")


def rounds(ground: Callable[[], tuple[Sequence[str], Path | None]]) -> Iterator[None]:
    """One turn at once, and one after each save of a source or of the configuration, until Ctrl-C.

    Each turn is given while a fresh watch already runs: a save during a turn brings the next. Files that are saved by a
    rename, or are gone for a while, are found again.

    Args:
        ground: says before each turn which files and directories there are to check, and from which file that was read.

    Raises:
        ConfigurationError: `watchfiles` is not installed.
    """
    try:
        from watchfiles import Change, watch
    except ImportError:
        raise ConfigurationError('--watch needs the package watchfiles: pip install "sigcheck[watch]"') from None

    while True:
        given, source = ground()
        configuration = None if source is None else os.path.abspath(source)

        def matters(change: Change, path: str, configuration: str | None = configuration) -> bool:
            name = os.path.basename(path)
            if name.endswith(SUFFIXES) or name in _CONFIGURATIONS or path == configuration:
                return True
            # Of a directory that is moved, the files are not told.
            is_directory = os.path.isdir(path) if change is Change.added else "." not in name
            return is_directory and change is not Change.modified and not name.startswith((".", "__pycache__"))

        is_running = False
        for changes in watch(
            *_existing((*given, *((configuration,) if configuration else ()))),
            watch_filter=matters,
            step=50,
            rust_timeout=_SETTLED,
            yield_on_timeout=True,
            raise_interrupt=True,
        ):
            if not is_running:
                is_running = True
                yield
            elif changes:
                break


def _existing(paths: Sequence[str]) -> list[str]:
    """The paths, or the nearest directory above of one that is not there now."""
    found: list[str] = []
    for given in paths:
        path = os.path.abspath(given)
        while not os.path.exists(path) and path != os.path.dirname(path):
            path = os.path.dirname(path)
        found.append(path)
    return found
