"""What a user says of a family without inheritance: one function, and those that are like it. Imports `regex`."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from sigcheck.core.dataclass import dataclass
from sigcheck.core.regex import regex

_LITERAL = regex(r"[^*?\[]*")


@dataclass(frozen=True, slots=True)
class Family:
    """One `[[tool.sigcheck.families]]`: every member answers for `like`, as an override answers for its base.

    Attributes:
        like: `module:qualified.name` of a function or a method.
        members: globs of dotted names (`package.ops.*_forward`), or of a module and a name in it (`package.ops:*_forward`).
    """

    like: str
    members: tuple[str, ...]

    def pattern_for(self, module: str, path: str) -> str | None:
        """The first glob that names what stands at `path` in a module; None where none does."""
        return next((pattern for pattern in self.members if _is_match(pattern, module, path)), None)

    def may_reach(self, module: str) -> bool:
        """A member may stand in the module of that name."""
        return any(_may_reach(pattern, module) for pattern in self.members)


def names_itself(pattern: str, path: str) -> bool:
    """The last part of the name is written out in the glob: a wildcard is not what found it."""
    return re.split("[.:]", pattern)[-1] == path.rpartition(".")[2]


def _is_match(pattern: str, module: str, path: str) -> bool:
    where, colon, what = pattern.partition(":")
    if colon:
        found = fnmatchcase(module, where) and fnmatchcase(path, what)
    else:
        found = fnmatchcase(f"{module}.{path}", pattern)
    # `*` is not meant for constructors, `__getattr__` and mangled privates.
    return found and (not path.rpartition(".")[2].startswith("__") or names_itself(pattern, path))


def _may_reach(pattern: str, module: str) -> bool:
    where, colon, _ = pattern.partition(":")
    if colon:
        return fnmatchcase(module, where)
    literal = _LITERAL.match(pattern)
    head = literal.group() if literal is not None else ""
    return f"{module}.".startswith(head) or head.startswith(f"{module}.")
