"""Classes that are held against their base when they are created: `Guarded`, and `guard` for a base that exists.

Nothing is left at call time. What is assigned to a class behind its statement, and what a subclass's own `__init_subclass__` does
to it afterwards, is not seen; nor is a class whose `__init_subclass__` does not call `super()`.
"""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from sigcheck.core.dataclass import dataclass
from sigcheck.core.names import is_interface
from sigcheck.core.place import Place
from sigcheck.readers.live import Statement, members_of, order_of, read_statement
from sigcheck.runtime.errors import GuardUsageError, IncompatibleOverrideError, IncompatibleOverrideWarning
from sigcheck.runtime.mode import Mode, checked_mode, effective_mode
from sigcheck.runtime.screening import is_doubtful

if TYPE_CHECKING:
    from sigcheck.core.diagnostic import Diagnostic

ClassT = TypeVar("ClassT", bound=type)
Report = Callable[[IncompatibleOverrideError], object]
"""Is told of each class that breaks a promise, before the error is raised or the warning given."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What one guard demands.

    Attributes:
        methods: globs of method names.
        mode: what happens with what is found.
        report: is told of each error first.
    """

    methods: tuple[str, ...] = ("*",)
    mode: Mode = "raise"
    report: Report | None = None

    def names(self, method: str) -> bool:
        """The guard is about methods of that name. A constructor is meant only where it is named itself."""
        if not is_interface(method):
            return method in self.methods
        return self.methods == ("*",) or any(fnmatchcase(method, pattern) for pattern in self.methods)


class _Hook(classmethod):  # type: ignore[type-arg]
    """The `__init_subclass__` that `guard` put on a class, with what it demands and what was there before."""

    def __init__(self, base: Any, policy: Policy, previous: Any) -> None:
        def __init_subclass__(cls: type, **kwargs: Any) -> None:  # noqa: N807
            if previous is None:
                super(base, cls).__init_subclass__(**kwargs)  # type: ignore[misc]  # what inherits the hook is a `base`
            else:
                previous.__get__(None, cls)(**kwargs)
            hold(cls, base, self.policy)

        super().__init__(__init_subclass__)
        self.policy = policy
        self.previous = previous


class Guarded:
    """A base whose subclasses keep its promises: each is checked when it is created, in any package.

    What is promised is what the classes between this one and the new one define; what they inherit from elsewhere is not.
    A `Protocol` cannot have it as a base: `guard` that one instead.

    Raises (where a subclass is created):
        IncompatibleOverrideError: it accepts less than its base, or binds an argument to a parameter of another name.
    """

    __slots__ = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        hold(cls, Guarded, _GUARDED)


_GUARDED = Policy()


def guard(
    base: ClassT, *, methods: Sequence[str] = ("*",), mode: Mode = "raise", report: Report | None = None
) -> ClassT:
    """Hold every subclass of a class that is created from now on against it, and against the classes between.

    Args:
        base: the class; it gets an `__init_subclass__` that calls the one that it had, or inherits.
        methods: globs of method names; constructors and mangled privates are meant where they are named themselves.
        mode: `raise`, `warn` or `off`; `SIGCHECK` in the environment overrides it.
        report: is told of each error before it is raised, or given as a warning.

    Returns:
        The class, so that this is a decorator. A second guard of the same class replaces the first.

    Raises:
        GuardUsageError: this is no class, one of the interpreter, or has no such method; or there is no such mode.
    """
    if not isinstance(base, type):
        raise GuardUsageError(f"guard({base!r}): a class is guarded, this is {type(base).__name__}")
    if isinstance(methods, str):
        raise GuardUsageError(f"methods={methods!r}: it is a list of globs, [{methods!r}]")
    policy = Policy(tuple(methods), checked_mode(mode), report)
    _require_methods(base, policy)
    present = members_of(base).get("__init_subclass__")
    if isinstance(present, _Hook):
        present.policy = policy
        return base
    try:
        type.__setattr__(base, "__init_subclass__", _Hook(base, policy, present))
    except TypeError:
        message = f"guard({base.__name__}): a class of the interpreter cannot be guarded; guard a subclass of it"
        raise GuardUsageError(message) from None
    return base


def unguard(base: type) -> None:
    """Take a guard off again: the class has the `__init_subclass__` that it had. Nothing happens where there is none."""
    present = members_of(base).get("__init_subclass__")
    if not isinstance(present, _Hook):
        return
    if present.previous is None:
        type.__delattr__(base, "__init_subclass__")
    else:
        type.__setattr__(base, "__init_subclass__", present.previous)


def is_guarded(base: type) -> bool:
    """A guard speaks for the subclasses of a class: its own, or that of a class above."""
    return any(
        above is Guarded or isinstance(members_of(above).get("__init_subclass__"), _Hook) for above in order_of(base)
    )


def _require_methods(base: type, policy: Policy) -> None:
    known = {name for entry in order_of(base) for name in members_of(entry)}
    for pattern in policy.methods:
        if pattern != "*" and not any(fnmatchcase(name, pattern) for name in known):
            near = difflib.get_close_matches(pattern, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise GuardUsageError(f"guard({base.__name__}): it has no method {pattern}{hint}")


def hold(owner: type, base: type, policy: Policy) -> None:
    """Check a class that was just created against the classes that one guard speaks for.

    Args:
        owner: the class.
        base: what is guarded: classes above the owner that are it, or inherit it, make promises; but for those that have
            a nearer guard, which speaks for itself.
        policy: what is demanded.
    """
    mode = effective_mode(policy.mode)
    if mode == "off":
        return
    promising = [entry for entry in order_of(owner)[1:] if _guard_of(entry, base) is base]
    statement, found = broken_promises(owner, promising, policy.names, sys._getframe(1))  # noqa: SLF001 - as `warnings` does
    if not found:
        return
    from sigcheck.runtime.verdict import rendered  # noqa: PLC0415

    error = IncompatibleOverrideError(rendered(found), found)
    if policy.report is not None:
        policy.report(error)
    if mode == "raise":
        raise error
    warnings.warn(str(error), IncompatibleOverrideWarning, stacklevel=statement.depth + 2)


def broken_promises(
    owner: type, promising: Sequence[type], names: Callable[[str], bool], frame: FrameType
) -> tuple[Statement, tuple[Diagnostic, ...]]:
    """What a class breaks that is just being made, and where: for most, nothing, and nobody looked where.

    Args:
        owner: the class.
        promising: the classes above whose promises count.
        names: whether methods of a name count.
        frame: from which the class statement is looked for, outwards.
    """
    if not is_doubtful(owner, promising, names):
        return _UNSEEN, ()
    # Only now is the whole of the relation loaded.
    from sigcheck.runtime.verdict import diagnostics_of  # noqa: PLC0415

    statement = read_statement(owner, frame)
    return statement, diagnostics_of(owner, promising, names, statement)


_UNSEEN = Statement(Place("", 1, 1, 1, 1))


def _guard_of(entry: type, base: type) -> type | None:
    """The nearest class above that is guarded, or is `base`."""
    for above in order_of(entry):
        if above is base or above is Guarded or isinstance(members_of(above).get("__init_subclass__"), _Hook):
            return above
    return None
