"""One finding, with everything a report needs to tell it. Imports `forwarding`, `incompatibility`, `rules` and `place`.

A diagnostic holds values; `report/words.py` makes the text.
"""

from __future__ import annotations

from sigcheck.core.callsite import CallSite
from sigcheck.core.dataclass import dataclass
from sigcheck.core.forwarding import BrokenCall
from sigcheck.core.honour import NeglectedParameter
from sigcheck.core.incompatibility import Reason
from sigcheck.core.member import Member
from sigcheck.core.module import Class, Problem, Suppression
from sigcheck.core.place import Place
from sigcheck.core.rules import RULES, Rule, Severity
from sigcheck.core.signature import Signature


@dataclass(frozen=True, slots=True)
class BrokenOverride:
    """An override that does not keep the promise of a base definition.

    Attributes:
        reason: why.
        owner: the class that binds the override; not `override_class` where a mixin shadows a later base.
        override_class, override, override_signature: the definition that runs, as it is called.
        base_class, base, base_signature: the definition whose callers it serves.
        call: a call in the base that meets the broken parameter, if there is one.
        through: other files that say what is above the owner, as far as the base; sorted.
    """

    reason: Reason
    owner: Class
    override_class: Class
    override: Member
    override_signature: Signature
    base_class: Class
    base: Member
    base_signature: Signature
    call: CallSite | None = None
    through: tuple[str, ...] = ()

    @property
    def is_shadowing(self) -> bool:
        """The override and the base meet only in `owner`."""
        return self.owner.key != self.override_class.key


@dataclass(frozen=True, slots=True)
class SiblingDrift:
    """A method that has two parameters in one order, and a sibling that has them in the other.

    Attributes:
        owner: the class that has both, its own or inherited.
        method: the one at fault.
        sibling_class, sibling: the one that it is held against.
        first, second: the parameters, as the method at fault has them.
        bases: the definitions that the method overrides.
        through: other files that say what is above the owner, as far as the sibling's class; sorted.
    """

    owner: Class
    method: Member
    sibling_class: Class
    sibling: Member
    first: str
    second: str
    bases: tuple[Member, ...] = ()
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnreadableSource:
    """A file, or a part of one, that was not checked."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class BaseWithoutSource:
    """A base that could not be found."""

    owner: Class
    reference: str


@dataclass(frozen=True, slots=True)
class InconsistentBases:
    """Bases that no method resolution order fits."""

    owner: Class
    explanation: str


@dataclass(frozen=True, slots=True)
class UselessSuppression:
    """A comment that suppresses nothing: `rule` is what it names in vain."""

    suppression: Suppression
    rule: str


@dataclass(frozen=True, slots=True)
class UnknownRule:
    """A comment that names no rule, or one that does not exist (`rule`); `nearest` is the one that was meant."""

    suppression: Suppression
    rule: str | None
    nearest: str | None


Finding = (
    BrokenOverride
    | BrokenCall
    | NeglectedParameter
    | SiblingDrift
    | UnreadableSource
    | BaseWithoutSource
    | InconsistentBases
    | UselessSuppression
    | UnknownRule
)
"""What a diagnostic can be about."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One line of the report.

    Attributes:
        rule: a name in `rules.RULES`.
        severity: after configuration.
        place: what it points at.
        finding: what was found.
    """

    rule: str
    severity: Severity
    place: Place
    finding: Finding

    @property
    def registered(self) -> Rule:
        """The rule's entry in the registry."""
        return RULES[self.rule]
