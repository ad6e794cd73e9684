"""One run of mypy with the plugin, timed from within: of the CPU time of the process from its start, what the plugin's own steps take.

    python benchmarks/mypy_within.py ARGUMENTS-OF-MYPY

Prints their share in the rest, a number, and nothing of what mypy says. To load the plugin is one of its steps.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from time import process_time
from typing import Any

from mypy.main import main


class Clock:
    """CPU time of the outermost of some steps, in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._is_running = False

    def timed(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """The same, under the clock."""

        def run(*arguments: Any) -> Any:
            if self._is_running:
                return step(*arguments)
            self._is_running, before = True, process_time()
            try:
                return step(*arguments)
            finally:
                self.seconds, self._is_running = self.seconds + process_time() - before, False

        return run


def load() -> tuple[Any, Any]:
    """The plugin's module, and its class."""
    from sigcheck import mypy_plugin  # noqa: PLC0415 - the clock runs
    from sigcheck.mypy_plugin.hooks import SigcheckPlugin  # noqa: PLC0415

    return mypy_plugin, SigcheckPlugin


def share(arguments: list[str]) -> float:
    """The share of the plugin's own steps in the rest of a run of mypy.

    Args:
        arguments: mypy's.
    """
    clock = Clock()
    module, steps = clock.timed(load)()
    module.fingerprint = clock.timed(module.fingerprint)
    for name in ("__init__", "set_modules", "_note", "_try"):
        setattr(steps, name, clock.timed(getattr(steps, name)))
    try:
        main(args=arguments, stdout=io.StringIO(), stderr=io.StringIO(), clean_exit=True)
    except SystemExit as end:
        if end.code not in {0, 1}:
            raise
    return clock.seconds / (process_time() - clock.seconds)


if __name__ == "__main__":
    print(share(sys.argv[1:]))
