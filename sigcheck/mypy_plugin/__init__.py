"""The mypy plugin: `plugins = ["sigcheck.mypy_plugin"]`. Needs mypy, never libcst.

mypy tells `hooks` of every class, which lets each round of its analysis end before anything is looked at; `modules` reads a
module's classes, keeps what other modules need of them, and checks them; `reporting` hands the diagnostics to mypy under the
codes of `codes`, unless mypy says them itself (`repetition`), and `defects` tells what is the plugin's own fault. `settings` is
`[tool.sigcheck]`, `versions` what mypy may be.
"""

from __future__ import annotations

from mypy.plugin import Plugin

from sigcheck.mypy_plugin import codes as codes
from sigcheck.mypy_plugin.hooks import Inert, SigcheckPlugin
from sigcheck.mypy_plugin.settings import fingerprint
from sigcheck.mypy_plugin.versions import complaint


def plugin(version: str) -> type[Plugin]:
    """Mypy's entry point.

    Args:
        version: mypy's.
    """
    problem = complaint(version)
    if problem is None:
        return SigcheckPlugin
    Inert.complain(problem)
    return Inert


def __getattr__(name: str) -> str:
    """`__version__`, anew whenever mypy asks: when it changes, caches are dropped and `dmypy` starts over."""
    if name == "__version__":
        return fingerprint()
    raise AttributeError(name)
