"""The mypy plugin: `plugins = ["sigcheck.mypy_plugin"]`. Needs mypy, never libcst.

mypy tells `hooks` of every class. When a cycle of imports is analysed, `modules` looks over each module of it: `suspicion` tells from
mypy's symbols (`survey`, `binding`, `headers`) and the text (`texts`, `written_calls`) which classes may be at fault, and what others
need to know of each (`traits`, and `skim` where nobody sees the errors of a module). The suspects `verdicts` reads and checks; it reads
classes of other modules through `others`, out of `excerpts` of their text.
`reporting` hands the diagnostics to mypy under the codes of `codes`, unless mypy says them itself (`repetition`); `defects` tells
what is the plugin's own fault. `settings` is `[tool.sigcheck]`, `fingerprint` what results depend on, `versions` what mypy may be;
`neighbours` are mypy's other plugins, which want to see classes too.
"""

from __future__ import annotations

from mypy.plugin import Plugin

from sigcheck.mypy_plugin import codes as codes
from sigcheck.mypy_plugin.fingerprint import fingerprint
from sigcheck.mypy_plugin.hooks import Inert, SigcheckPlugin
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
