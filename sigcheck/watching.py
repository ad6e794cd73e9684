"""Waits for saves, with `watchfiles`. Knows which files matter to a check, and nothing of what a check does."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sigcheck.errors import ConfigurationError
from sigcheck.files import SUFFIXES

if TYPE_CHECKING:
    from watchfiles import Change

_SETTLED = 100
"""Milliseconds: how soon after its start a watch is known to see everything."""
_CONFIGURATIONS = ("pyproject.toml", "sigcheck.toml")


def rounds(paths: Sequence[str], configuration: str | None) -> Iterator[None]:
    """One turn at once, and one after each save of a source or of the configuration, until Ctrl-C.

    Each turn is given while a fresh watch already runs: a save during a turn brings the next. Files that are saved by a
    rename, or are gone for a while, are found again.

    Args:
        paths: files and directories.
        configuration: the file that it was read from.

    Raises:
        ConfigurationError: `watchfiles` is not installed.
    """
    try:
        from watchfiles import watch
    except ImportError:
        raise ConfigurationError('--watch needs the package watchfiles: pip install "sigcheck[watch]"') from None

    def is_source(_: Change, path: str) -> bool:
        return path.endswith(SUFFIXES) or os.path.basename(path) in _CONFIGURATIONS or path == configuration

    while True:
        is_running = False
        for changes in watch(
            *_existing((*paths, *((configuration,) if configuration else ()))),
            watch_filter=is_source,
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
