"""Which classes a contract is about. Imports `contract` and `hierarchy`.

A contract names its base by the last parts of a dotted name, which may be those of several classes. Where one of them is among the
files that are checked, those of other packages are not meant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sigcheck.core.contract import Contract
from sigcheck.core.hierarchy import Hierarchy
from sigcheck.core.module import Class


def inside(contracts: Iterable[Contract], class_names: Collection[str]) -> frozenset[Contract]:
    """The contracts whose base is among these classes: those of the files that are checked, by their dotted names."""
    return frozenset(contract for contract in contracts if any(map(contract.names_base, class_names)))


class Guarded:
    """The contracts of a check, and the classes of a hierarchy."""

    def __init__(
        self, hierarchy: Hierarchy, contracts: Collection[Contract], inner: Collection[Contract] = frozenset()
    ) -> None:
        """Args: hierarchy: the classes; contracts: what is demanded; inner: those whose base is `inside`."""
        self.hierarchy = hierarchy
        self.contracts = contracts
        self._inner = inner
        self._above: dict[str, tuple[Contract, ...]] = {}

    def is_base(self, contract: Contract, owner: Class) -> bool:
        """The contract names that very class."""
        return contract.names_base(owner.name) and (contract not in self._inner or self.hierarchy.is_checked(owner))

    def is_about(self, contract: Contract, owner: Class) -> bool:
        """The class is the base of the contract, or inherits it."""
        return contract in self.contracts_above(owner)

    def is_below(self, owner: Class) -> bool:
        """The class derives from the base of a contract, be it in a way that no method resolution order fits."""
        seen = {owner.key: owner}
        pending = [owner]
        while pending:
            above = {base.key: base for alternatives in self.hierarchy.bases(pending.pop()) for base in alternatives}
            pending += [base for key, base in above.items() if key not in seen]
            seen |= above
        return any(self.is_base(contract, entry) for contract in self.contracts for entry in seen.values())

    def contracts_above(self, owner: Class) -> tuple[Contract, ...]:
        """The contracts whose base the class is, or inherits."""
        if not self.contracts:
            return ()
        known = self._above.get(owner.key)
        if known is None:
            above = {entry.key: entry for order in self.hierarchy.linearizations(owner) for entry in order}
            known = self._above[owner.key] = tuple(
                contract
                for contract in self.contracts
                if any(self.is_base(contract, entry) for entry in above.values())
            )
        return known
