"""What a user asks a check for. Imports `contract`, `family` and `rules`."""

from __future__ import annotations

from collections.abc import Mapping

from sigcheck.core.contract import Contract
from sigcheck.core.dataclass import dataclass
from sigcheck.core.family import Family
from sigcheck.core.rules import Severity


@dataclass(frozen=True, slots=True)
class Demands:
    """What the user asked for.

    Attributes:
        severities: of each rule that runs.
        contracts: what is demanded of the overrides of some bases.
        only_contracts: compare nothing else, but the families.
        respect_type_ignores: other checkers' comments count.
        families: what is compared without inheritance.
        is_confined: nothing is told of classes that no contract is about, but of the comments in their files.
    """

    severities: Mapping[str, Severity]
    contracts: tuple[Contract, ...] = ()
    only_contracts: bool = False
    respect_type_ignores: bool = False
    families: tuple[Family, ...] = ()
    is_confined: bool = False
