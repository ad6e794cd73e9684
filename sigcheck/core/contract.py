"""What a user demands of a family: a base, its methods. Imports nothing of sigcheck."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Contract:
    """One `[[tool.sigcheck.contracts]]`.

    Attributes:
        base: dotted name of a class (`package.module.Class`), or its last parts.
        methods: globs of method names.
        siblings: groups of globs of method names: what a group names has one order of the parameters that they share.
    """

    base: str
    methods: tuple[str, ...] = ("*",)
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
