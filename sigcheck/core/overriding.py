"""One member held against another: receivers, coroutines, defaults, and the relation. Imports `assignability` and `member`."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from sigcheck.core.assignability import incompatibilities, judge
from sigcheck.core.dataclass import dataclass
from sigcheck.core.incompatibility import AsyncMismatch, DefaultChanged, Reason, ReceiverMismatch
from sigcheck.core.member import Flavour, Member
from sigcheck.core.names import arguments_by_syntax, is_called_by_syntax
from sigcheck.core.signature import Signature


@dataclass(frozen=True, slots=True)
class Break:
    """A reason, with the two signatures as they are called: no receiver, dunders positional-only."""

    reason: Reason
    override: Signature
    base: Signature


_EMPTY = Signature()


def breaks(
    override: Member,
    base: Member,
    *,
    base_signatures: tuple[Signature | None, ...],
    vocabulary: Collection[frozenset[str]] = (),
) -> tuple[Break, ...]:
    """Why the override does not serve the callers of the base.

    Args:
        override: the definition that runs.
        base: the definition whose callers it serves.
        base_signatures: `base.bound_signatures()`, `Unpack` expanded.
        vocabulary: see `assignability.incompatibilities`.
    """
    return tuple(_breaks(override, base, base_signatures, vocabulary))


def _breaks(
    override: Member,
    base: Member,
    base_signatures: tuple[Signature | None, ...],
    vocabulary: Collection[frozenset[str]],
) -> Iterator[Break]:
    if base.promises_nothing:
        return
    mismatch = _receiver_mismatch(override, base)
    if mismatch is not None:
        yield Break(mismatch, override.signature, base.signature)
        return
    if not (override.flavour.is_method and base.flavour.is_method):
        return
    if (
        override.is_coroutine is not None
        and base.is_coroutine is not None
        and override.is_coroutine != base.is_coroutine
    ):
        yield Break(AsyncMismatch(override.is_coroutine), override.signature, base.signature)
    yield from _binding_breaks(override, base_signatures, base.name, vocabulary)


def _receiver_mismatch(override: Member, base: Member) -> ReceiverMismatch | None:
    mine, theirs = override.flavour, base.flavour
    if Flavour.OPAQUE in (mine, theirs) or theirs is Flavour.NONE:
        return None
    mismatch = ReceiverMismatch(describe(override), describe(base))
    if mine is Flavour.NONE:
        return mismatch if theirs.is_method and not base.name.startswith("__") else None
    if theirs.is_method and mine.is_property:
        return mismatch if override.returns_callable is False else None
    if theirs.is_property and mine.is_method:
        return mismatch if base.returns_callable is not True else None
    if theirs.is_property:
        is_lost = base.has_setter and mine is Flavour.PROPERTY and not override.has_setter
        return ReceiverMismatch("property without a setter", "property with a setter") if is_lost else None
    if theirs in (Flavour.CLASS, Flavour.STATIC) and mine is Flavour.INSTANCE:
        return mismatch
    is_called = any(signature is not None for signature in base.bound_signatures())
    if is_called and any(signature is None for signature in override.bound_signatures()):
        return ReceiverMismatch("method without a receiver", describe(base))
    return None


def describe(member: Member) -> str:
    """What the member is, in the words of `Flavour`."""
    return member.flavour.value


def _binding_breaks(
    override: Member, base_signatures: tuple[Signature | None, ...], name: str, vocabulary: Collection[frozenset[str]]
) -> Iterator[Break]:
    by_syntax = is_called_by_syntax(name)
    mine = [signature for signature in override.bound_signatures() if signature is not None]
    for base in base_signatures:
        if base is None:
            continue
        theirs = _served(base, name)
        candidates = [signature.positional_only() if by_syntax else signature for signature in mine]
        found = [incompatibilities(candidate, theirs, vocabulary=vocabulary) for candidate in candidates]
        if not found or not all(found):
            continue
        best = min(range(len(found)), key=lambda index: len(found[index]))
        for reason in found[best]:
            # Another overload may take the calls that this one does not.
            others = [other for index, other in enumerate(candidates) if index != best]
            if all(judge(other, theirs, reason.witness.shape) != () for other in others):
                yield Break(reason, candidates[best], theirs)


def _served(base: Signature, name: str) -> Signature:
    """What callers of the base may pass: of what syntax calls, the arguments that it passes."""
    counts = arguments_by_syntax(name)
    if counts is not None:
        return base.called_with(*counts)
    return base.positional_only() if is_called_by_syntax(name) else base


def changed_defaults(override: Member, base: Member) -> Iterator[Break]:
    """Parameters that are optional in both, with defaults of different text."""
    if not (override.flavour.is_method and base.flavour.is_method):
        return
    for parameter in base.signature.named:
        other = override.signature.get(parameter.name)
        if other is None or parameter.default is None or other.default is None:
            continue
        if "..." in (parameter.default, other.default):
            continue  # What stubs write says that there is one.
        if not _is_same_value(parameter.default, other.default):
            reason = DefaultChanged(parameter.name, parameter.default, other.default)
            yield Break(reason, override.signature, base.signature)


def _is_same_value(first: str, second: str) -> bool:
    """Two expressions that differ in spelling at most: quotes, spaces, `1e-6` and `1e-06`, `MISSING` and `lib.MISSING`."""
    if first == second or _is_last_of(first, second) or _is_last_of(second, first):
        return True
    try:
        return ast.dump(ast.parse(first, mode="eval")) == ast.dump(ast.parse(second, mode="eval"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False  # A source newer than this interpreter.


def _is_last_of(name: str, dotted: str) -> bool:
    """`c` is the last name of `a.b.c`."""
    return (
        name.isidentifier() and dotted.endswith(f".{name}") and all(part.isidentifier() for part in dotted.split("."))
    )
