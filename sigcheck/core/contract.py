"""What a user demands of a family: a base, its methods. Imports nothing of sigcheck."""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase

from sigcheck.core.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Contract:
    """One `[[tool.sigcheck.contracts]]`.

    Attributes:
        base: dotted name of a class (`package.module.Class`), or its last parts.
        methods: globs of method names.
        honour: the parameters that every override must read, or refuse, on every path: `*` for all; None for those that the
            base's own template passes.
        siblings: groups of globs of method names: what a group names has one order of the parameters that they share.
    """

    base: str
    methods: tuple[str, ...] = ("*",)
    honour: tuple[str, ...] | None = None
    siblings: tuple[tuple[str, ...], ...] = ()

    def names_base(self, class_name: str) -> bool:
        """The contract is about the class of that dotted name."""
        return class_name == self.base or class_name.endswith(f".{self.base}")

    def names_method(self, method: str) -> bool:
        """The contract is about methods of that name."""
        return any(fnmatchcase(method, pattern) for pattern in self.methods)

    def asks_for(self, method: str) -> bool:
        """The contract names that method itself, not by a wildcard."""
        return method in self.methods

    def demands(self, parameter: str, passed: Collection[str]) -> bool:
        """The parameter must be honoured; `passed` are those that the base's own code passes."""
        if self.honour is None:
            return parameter in passed
        return parameter in self.honour or "*" in self.honour
