"""What a decorator puts in the place of what it decorates. Imports `signature`."""

from __future__ import annotations

from collections.abc import Sequence

from sigcheck.core.dataclass import dataclass
from sigcheck.core.signature import Signature


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A function that takes the place of another, and has parameters of its own.

    Attributes:
        signature: its parameters as written; None where it is only certain that they are not those of the other.
        is_made: a call gives the decorator: `@retry(3)`, as against `@retry`.
    """

    signature: Signature | None
    is_made: bool = False

    def around(self, written: Signature | None) -> Signature | None:
        """What can be called where this stands around a function with that signature; None where it is not certain.

        `**kwargs` may be handed on to a function that refuses most of them, `*args` to one that wants more: behind them, only
        names that are in both are certain.
        """
        own = self.signature
        if own is None:
            return None
        if own.var_positional is None:
            hands_on = own.var_keyword is not None and (written is None or written.var_keyword is None)
            return None if hands_on else own
        if written is None:
            return None
        slots = own.positional[1:]
        rest = [parameter for parameter in own.named if not parameter.is_positional]
        is_in_both = slots == written.positional[1 : 1 + len(slots)] and set(rest) <= set(written.named)
        return written if is_in_both else None


@dataclass(frozen=True, slots=True)
class Decoration:
    """A decorator whose definition stands elsewhere.

    Attributes:
        references: what it may mean (`module:qualified.name`), one for each branch.
        is_called: it is given arguments.
    """

    references: tuple[str, ...]
    is_called: bool


def same_wrapper(definitions: Sequence[tuple[Wrapper, ...]], *, is_called: bool) -> Wrapper | None:
    """What a decorator puts in the place of what it decorates, whichever of some definitions is its own."""
    chosen = [next((entry for entry in known if entry.is_made == is_called), None) for known in definitions]
    known = next((entry for entry in chosen if entry is not None), None)
    if known is None or all(entry == known for entry in chosen):
        return known
    return Wrapper(None, is_called)
