"""For a scope, each call between the guarded methods of one object is held against what the caller received: `guarding`."""

from __future__ import annotations

import functools
import inspect
import warnings
import weakref
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterable, Sequence
from fnmatch import fnmatchcase
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sigcheck.core.names import is_called_by_syntax, is_interface
from sigcheck.report.runtime_words import misbound
from sigcheck.runtime.errors import GuardUsageError
from sigcheck.runtime.misbound import MisboundArgumentError, MisboundArgumentWarning
from sigcheck.runtime.mode import Mode, checked_mode, effective_mode
from sigcheck.runtime.suspicion import Found
from sigcheck.runtime.wrapping import Hook, Wrapper, adopt, guarded_names, release, watch

if TYPE_CHECKING:
    from typing_extensions import Self

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
Report = Callable[[MisboundArgumentError], object]
"""Is told of each misbinding, before the error is raised or the warning given."""
Alias = frozenset[tuple[str, str]]
"""Pairs (name in the caller, parameter in which it may land)."""


def alias(**names: str | Sequence[str]) -> Alias:
    """Names that may change on purpose: `alias(residual="hidden")` lets what is `hidden` to the caller land in `residual`.

    It says nothing of the other way; a sequence names several.

    Raises:
        GuardUsageError: a name is no text.
    """
    pairs = set()
    for target, given in names.items():
        sources = [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
        for source in sources:
            if not isinstance(source, str):
                raise GuardUsageError(f"alias({target}={given!r}): it is a name, or a list of names, of the caller")
            pairs.add((source, target))
    return frozenset(pairs)


class guarding:  # noqa: N801 - used like a function
    """Guard the calls between the methods of families, for a `with` block or for the calls of a function.

    While a guarded method runs, an object that is one of its parameters and lands in another of a guarded method that it
    calls on the same receiver is misbound, if the author of the call cannot have meant it: the definition that he saw binds
    it elsewhere, or two objects changed places. `None`, numbers, text and other values without an identity say nothing, nor
    does an object that is two arguments at once.

    Subclasses are guarded too, those included that are created in the scope. Behind it, all classes are as they were.

    Args:
        bases: the classes that define the methods.
        methods: globs of names. Constructors, and the dunders that syntax calls, are meant where a pattern begins with `__`.
        mode: `raise`, `warn` or `off`; `SIGCHECK` in the environment, when the scope is entered, overrides it.
        aliases: what `alias(...)` gives, or several of these: changes of name that are meant.
        report: is told of each `MisboundArgumentError` before it is raised, or given as a warning.

    Raises:
        GuardUsageError: a base is no class, cannot be guarded, or defines no such method; or there is no such mode.
        MisboundArgumentError (within the scope): a `TypeError` and a `typeguard.TypeCheckError`, before the body runs.
    """

    def __init__(
        self,
        *bases: type,
        methods: Sequence[str] = ("*",),
        mode: Mode = "raise",
        aliases: Alias | Iterable[Alias] = frozenset(),
        report: Report | None = None,
    ) -> None:
        if isinstance(methods, str):
            raise GuardUsageError(f"methods={methods!r}: it is a list of globs, [{methods!r}]")
        self._bases = bases
        self._methods = tuple(methods)
        self._mode = checked_mode(mode)
        self._aliases = _pairs(aliases)
        self._report = report
        self._open: list[_Entry] = []
        if not bases:
            raise GuardUsageError("guarding(): name the class that defines the methods")
        for base in bases:
            if not isinstance(base, type):
                raise GuardUsageError(f"guarding({base!r}): a class is guarded, this is {type(base).__name__}")
            if next(guarded_names(base, self._is_meant), None) is None:
                what = "no method" if self._methods == ("*",) else f"no method like {', '.join(self._methods)}"
                raise GuardUsageError(f"guarding({base.__qualname__}): it defines {what}; name the class that does")

    def _is_meant(self, method: str) -> bool:
        is_ordinary = is_interface(method) and not is_called_by_syntax(method)
        return method not in _NEVER and any(
            fnmatchcase(method, pattern) for pattern in self._methods if is_ordinary or pattern.startswith("__")
        )

    def __enter__(self) -> Self:
        mode = effective_mode(self._mode)
        entry = _Entry(mode, self._aliases, self._report)
        self._open.append(entry)
        if mode != "off":
            try:
                for base in self._bases:
                    entry.open(base, frozenset(guarded_names(base, self._is_meant)))
            except BaseException as error:
                self._open.pop().close()
                if isinstance(error, TypeError):
                    raise GuardUsageError(f"guarding({base.__qualname__}): {error}") from None
                raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._open.pop().close()

    def __call__(self, function: FunctionT) -> FunctionT:
        """Guard each call of a function: also of a coroutine or generator function, for as long as it runs."""
        if isinstance(function, type) or not callable(function):
            raise GuardUsageError(f"@guarding: a function is decorated, or a method; {function!r} is none")
        return cast("FunctionT", _decorated(self, function))


def _pairs(aliases: Alias | Iterable[Alias]) -> frozenset[tuple[str, str]]:
    """The pairs of one alias, or of several."""
    found: set[tuple[str, str]] = set()
    for entry in aliases if not isinstance(aliases, frozenset) else [aliases]:
        if not isinstance(entry, frozenset):
            raise GuardUsageError(f'aliases={aliases!r}: it is what alias(parameter="name") gives, or a list of these')
        found |= entry
    return frozenset(found)


def _decorated(scope: guarding, function: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        async def run_coroutine(*args: Any, **kwargs: Any) -> Any:
            with scope:
                return await function(*args, **kwargs)

        return functools.wraps(function)(run_coroutine)
    if inspect.isasyncgenfunction(function):

        async def run_async_generator(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            with scope:
                async for item in function(*args, **kwargs):
                    yield item

        return functools.wraps(function)(run_async_generator)
    if inspect.isgeneratorfunction(function):

        def run_generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            with scope:
                return (yield from function(*args, **kwargs))

        return functools.wraps(function)(run_generator)

    def run(*args: Any, **kwargs: Any) -> Any:
        with scope:
            return function(*args, **kwargs)

    return functools.wraps(function)(run)


class _Entry:
    """A scope that is open: what is done with what is found there."""

    def __init__(self, mode: Mode, aliases: Collection[tuple[str, str]], report: Report | None) -> None:
        self._mode = mode
        self._aliases = aliases
        self._report = report
        self._families: list[_Family] = []
        self._warned: set[tuple[object, ...]] = set()
        self._last: tuple[Found, MisboundArgumentError | None] | None = None

    def open(self, base: type, names: frozenset[str]) -> None:
        """Guard the methods of those names, in the class and its subclasses."""
        family = _Family(self, names)
        self._families.append(family)
        family.open(base)

    def close(self) -> None:
        """Leave all classes as they were."""
        for family in reversed(self._families):
            family.close()

    def tell(self, found: Found) -> MisboundArgumentError | None:
        """Report a misbinding, unless its change of name is meant; twice where a class is of two families."""
        misbinding = found.misbinding
        if (misbinding.parameter, misbinding.lands_in) in self._aliases:
            return None
        if self._last is not None and self._last[0] is found:
            return self._last[1]
        error = MisboundArgumentError(misbound(misbinding, found.call), misbinding)
        if self._report is not None:
            self._report(error)
        if self._mode == "raise":
            self._last = None
            return error
        self._last = found, None
        key = (found.call, misbinding.callee, misbinding.parameter, misbinding.lands_in)
        if key not in self._warned:
            self._warned.add(key)
            warnings.warn(str(error), MisboundArgumentWarning, stacklevel=found.depth + _ABOVE)
        return None


class _Family:
    """A base and its subclasses in a scope: the listener of their wrappers."""

    def __init__(self, entry: _Entry, names: frozenset[str]) -> None:
        self._entry = entry
        self._names = names
        self._installed: weakref.WeakSet[Wrapper | Hook] = weakref.WeakSet()
        self._is_open = True

    def open(self, base: type) -> None:
        """Put the wrappers on."""
        self._installed.update(watch(base, self))
        pending = [base]
        seen: set[type] = set()
        while pending:
            owner = pending.pop()
            if owner not in seen:
                seen.add(owner)
                self.adopt(owner)
                pending += type.__subclasses__(owner)

    def close(self) -> None:
        """Take them off."""
        self._is_open = False
        for installed in list(self._installed):
            release(installed, self)

    def names(self, method: str) -> bool:
        """See `Listener`."""
        return method in self._names

    def tell(self, found: Found) -> MisboundArgumentError | None:
        """See `Listener`."""
        return self._entry.tell(found)

    def adopt(self, owner: type) -> None:
        """See `Listener`."""
        if self._is_open:
            self._installed.update(adopt(owner, self))


_NEVER = frozenset({"__new__", "__init_subclass__", "__class_getitem__", "__getattribute__", "__del__"})
_ABOVE = 2
"""Frames between the warning and who asks: `tell` of the entry and of its family."""
