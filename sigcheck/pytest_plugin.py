"""The options of pytest that guard families for a test run. Loads nothing else of sigcheck unless one is given.

    pytest --sigcheck-guard pkg.mod:Base

pytest loads this module for everyone who has sigcheck, with or without its extra `runtime`. What guards is
`runtime/pytest_session.py`.
"""

from __future__ import annotations

import pytest

from sigcheck.errors import SigcheckError


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--sigcheck-guard`, `--sigcheck-guard-mode`, and `sigcheck_guard` in the ini file."""
    group = parser.getgroup("sigcheck", "arguments that land in the wrong parameter (sigcheck)")
    group.addoption(
        "--sigcheck-guard",
        action="append",
        default=[],
        metavar="PKG.MOD:BASE",
        help="fail the tests in which a method of this family binds an argument to the wrong parameter (repeatable)",
    )
    group.addoption(
        "--sigcheck-guard-mode",
        choices=("raise", "warn"),
        default="raise",
        help="raise at the call and fail the test (default), or warn and go on",
    )
    parser.addini("sigcheck_guard", "families to guard, each as for --sigcheck-guard, one a line", "linelist", [])


def pytest_configure(config: pytest.Config) -> None:
    """Guard the families that are asked for, until the run ends.

    Raises:
        pytest.UsageError: where a family cannot be found or guarded, or the extra `runtime` is not installed.
    """
    families = tuple(dict.fromkeys([*config.getini("sigcheck_guard"), *config.getoption("sigcheck_guard")]))
    if not families:
        return
    try:
        from sigcheck.runtime.pytest_session import GuardedSession  # noqa: PLC0415 - as the first line says

        GuardedSession(families, config.getoption("sigcheck_guard_mode")).start(config)
    except SigcheckError as error:
        raise pytest.UsageError(f"--sigcheck-guard: {error}") from None
