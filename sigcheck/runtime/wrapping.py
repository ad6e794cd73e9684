"""Puts wrappers on the methods of classes, and takes them off again. What they ask is known to `flow`.

A class has at most one wrapper for each definition, however many scopes are open: the last one that ends takes it off.
"""

from __future__ import annotations

import functools
import inspect
import threading
import types
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Sequence
from types import FunctionType, MethodType
from typing import Any, Final, Protocol, cast

from sigcheck.core.member import Flavour
from sigcheck.core.misbinding import Definition
from sigcheck.core.place import Place
from sigcheck.readers.live import StandIn, is_stand_in, members_of, read_member
from sigcheck.readers.live.namespaces import qualified_name
from sigcheck.runtime import suspicion
from sigcheck.runtime.flow import STRAND, Frame, Method, Plan, Stray, innermost, strays
from sigcheck.runtime.inherited_roles import demanded_roles
from sigcheck.runtime.suspicion import Found, Passage, is_settled, misbindings, wrong_roles

Arguments = tuple[Any, ...]
Keywords = dict[str, Any]


class Listener(Protocol):
    """A scope, as far as a wrapper knows it."""

    def names(self, method: str) -> bool:
        """Methods of that name are guarded."""

    def tell(self, found: Found) -> Exception | None:
        """Take note of a misbinding; what is returned is raised."""

    def adopt(self, owner: type) -> object:
        """Take note of a new subclass."""


class Wrapper:
    """A wrapper on a class.

    Attributes:
        method: the definition that it guards.
        original: what the class has without it.
        installed: what the class has with it.
        listeners: the scopes that want it; none: it only hands on, until it is taken off.
    """

    __slots__ = ("__weakref__", "installed", "listeners", "method", "original")

    def __init__(self, method: Method, original: object) -> None:
        self.method = method
        self.original = original
        self.installed: object = None
        self.listeners: tuple[Listener, ...] = ()

    def take_off(self) -> None:
        """Give the class back what it had, if it still has the wrapper."""
        owner, name = self.method.owner, self.method.definition.name
        if members_of(owner).get(name) is self.installed:
            type.__setattr__(owner, name, self.original)


_LOCK: Final = threading.RLock()
_ABSENT: Final = object()
_ATTRIBUTE: Final = "__sigcheck_wrapper__"
_HOOK: Final = "__init_subclass__"


def adopt(owner: type, listener: Listener) -> Iterator[Wrapper | Hook]:
    """Guard the methods that a class defines, and watch for its subclasses if it has a hook of its own.

    Yields:
        What is on the class now for this listener: for `release`.

    Raises:
        TypeError: the class cannot be changed; then nothing of it is.
    """
    with _LOCK:
        for name, value in list(members_of(owner).items()):
            wrapper = _wrapper(value)
            if wrapper is not None and (wrapper.method.owner is not owner or wrapper.method.definition.name != name):
                # Taken over from another class, by the body of this one or by who made it anew (`dataclass(slots=True)`).
                value = wrapper.original  # noqa: PLW2901
                type.__setattr__(owner, name, value)
                wrapper = None
            if not listener.names(name):
                continue
            if wrapper is None:
                wrapper = _wrapped(owner, name, value)
                if wrapper is None:
                    continue
                type.__setattr__(owner, name, wrapper.installed)
            if _join(wrapper, listener):
                yield wrapper
        if _HOOK in members_of(owner):
            yield from watch(owner, listener)


def watch(owner: type, listener: Listener) -> Iterator[Hook]:
    """Tell the listener of each subclass when it is created."""
    with _LOCK:
        hook = members_of(owner).get(_HOOK, _ABSENT)
        if not isinstance(hook, Hook) or hook.owner is not owner:
            hook = Hook(owner, hook.previous if isinstance(hook, Hook) else hook)
            type.__setattr__(owner, _HOOK, hook)
        if _join(hook, listener):
            yield hook


def release(installed: Wrapper | Hook, listener: Listener) -> None:
    """Undo `adopt` or `watch`: the class has again the very object that it had, but for what others put there meanwhile."""
    with _LOCK:
        installed.listeners = tuple(known for known in installed.listeners if known is not listener)
        if not installed.listeners:
            installed.take_off()


def _join(installed: Wrapper | Hook, listener: Listener) -> bool:
    if any(known is listener for known in installed.listeners):
        return False
    installed.listeners += (listener,)
    return True


def guarded_names(owner: type, is_meant: Callable[[str], bool]) -> Iterator[str]:
    """The methods of a class that can be guarded, and are to be."""
    for name, value in members_of(owner).items():
        if is_meant(name) and (_wrapper(value) or _wrapped(owner, name, value)) is not None:
            yield name


def read_definition(owner: type, name: str, value: object) -> Definition | None:
    """What a class has under a name, as a call sees it; None where it is no method, or its parameters are unknown."""
    wrapper = _wrapper(value)
    return wrapper.method.definition if wrapper is not None else _read(owner, name, value)[1]


def _read(owner: type, name: str, value: object) -> tuple[Flavour, Definition | None]:
    member = read_member(name, value, Place("", 1, 1, 1, 1))
    [signature] = member.bound_signatures()
    if not member.flavour.is_method or signature is None:
        return member.flavour, None
    return member.flavour, Definition(qualified_name(owner), name, signature, member.place)


def _wrapper(value: object) -> Wrapper | None:
    """The wrapper that a class has; not one that was copied with the attributes of a function."""
    inner = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
    found = inner.__dict__.get(_ATTRIBUTE) if isinstance(inner, (FunctionType, _Deferred)) else None
    return found if isinstance(found, Wrapper) and found.installed is value else None


# A wrapper for each kind of function


def _wrapped(owner: type, name: str, value: object) -> Wrapper | None:
    """A wrapper for what a class has under a name; None where that is no plain function, bound in one of the three ways."""
    kind = type(value)
    if kind is classmethod or kind is staticmethod:
        function = cast("classmethod[Any, Any, Any]", value).__func__
    else:
        function = value  # type: ignore[assignment]
    if not isinstance(function, FunctionType):
        return None
    flavour, definition = _read(owner, name, value)
    if definition is None or not flavour.is_method:
        return None
    roles = functools.partial(demanded_roles, owner, name, function)
    method = Method(owner, definition, flavour, function.__code__, roles)
    wrapper = Wrapper(method, value)
    inner = _callable(wrapper, function)
    inner.__dict__[_ATTRIBUTE] = wrapper
    wrapper.installed = kind(inner) if kind in (classmethod, staticmethod) else inner
    return wrapper


def _callable(wrapper: Wrapper, function: FunctionType) -> FunctionType | _Deferred:
    flags = function.__code__.co_flags
    for flag, run in _LATER.items():
        if flags & flag:
            return _Deferred(wrapper, function, run)
    made = _static(wrapper, function) if wrapper.method.flavour is Flavour.STATIC else _bound(wrapper, function)
    return cast("FunctionType", functools.update_wrapper(made, function))


def _bound(wrapper: Wrapper, function: FunctionType) -> Callable[..., Any]:
    """A method that runs when it is called: what every call pays stands here."""
    method, plans, strand = wrapper.method, wrapper.method.plans, STRAND
    plan_of, is_class = method.plan, method.flavour is Flavour.CLASS

    def call(*args: Any, **kwargs: Any) -> Any:
        if not wrapper.listeners or not args:
            return _unguarded(wrapper)(*args, **kwargs)
        key = (len(args), *kwargs) if kwargs else len(args)
        plan = plans[key] if key in plans else plan_of(key, args, kwargs)
        if plan is None:
            return function(*args, **kwargs)
        frames = strand.frames
        receiver = id(args[0])
        outer = frames[receiver] if receiver in frames else None  # noqa: SIM401 - `get` is slower
        if plan.roles:
            _tell(wrapper, wrong_roles(plan, args, kwargs, outer, _OWN_FILES))
        if outer is not None:
            suspects = strays(plan, outer, args, kwargs)
            if suspects is not None and not is_settled(plan, outer, args, kwargs, suspects, read_definition):
                _judge(wrapper, suspects, Passage(plan, args, kwargs, outer))
        elif is_class and frames:
            _enclosed(wrapper, plan, args, kwargs)
        frames[receiver] = Frame(plan, args, kwargs)
        try:
            return function(*args, **kwargs)
        finally:
            if outer is None:
                del frames[receiver]
            else:
                frames[receiver] = outer

    return call


def _static(wrapper: Wrapper, function: FunctionType) -> Callable[..., Any]:
    """A static method: it has no receiver, so nothing that it calls is called on its own."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if not wrapper.listeners:
            return _unguarded(wrapper)(*args, **kwargs)
        _enter(wrapper, args, kwargs)
        return function(*args, **kwargs)

    return call


def _enter(wrapper: Wrapper, args: Arguments, kwargs: Keywords) -> Plan | None:
    """Ask of a call that is about to be made; None for one that is refused."""
    method = wrapper.method
    key = (len(args), *kwargs) if kwargs else len(args)
    plan = method.plans[key] if key in method.plans else method.plan(key, args, kwargs)
    if plan is None:
        return None
    frames = STRAND.frames
    outer = frames.get(id(args[0])) if method.flavour is not Flavour.STATIC else None
    if plan.roles:
        _tell(wrapper, wrong_roles(plan, args, kwargs, outer, _OWN_FILES))
    if outer is not None:
        suspects = strays(plan, outer, args, kwargs)
        if suspects is not None and not is_settled(plan, outer, args, kwargs, suspects, read_definition):
            _judge(wrapper, suspects, Passage(plan, args, kwargs, outer))
    elif frames and method.flavour is not Flavour.INSTANCE:
        _enclosed(wrapper, plan, args, kwargs)
    return plan


def _enclosed(wrapper: Wrapper, plan: Plan, args: Arguments, kwargs: Keywords) -> None:
    outer = innermost(STRAND.frames, wrapper.method, args)
    suspects = strays(plan, outer, args, kwargs) if outer is not None else None
    if outer is not None and suspects is not None:
        _judge(wrapper, suspects, Passage(plan, args, kwargs, outer))


def _judge(wrapper: Wrapper, suspects: Sequence[Stray], passage: Passage) -> None:
    _tell(wrapper, misbindings(passage, suspects, read_definition, _OWN_FILES))


def _tell(wrapper: Wrapper, findings: Iterator[Found]) -> None:
    for found in findings:
        first: Exception | None = None
        for listener in wrapper.listeners:
            error = listener.tell(found)
            first = first or error
        if first is not None:
            raise first


def _unguarded(wrapper: Wrapper) -> Callable[..., Any]:
    """The function itself, for a call that is not guarded: behind the end of a scope, or without a receiver.

    A patch that was put on a wrapper and taken off behind the end of the scope has put the wrapper back: it goes for good.
    """
    if not wrapper.listeners:
        wrapper.take_off()
    original = wrapper.original
    return cast(
        "Callable[..., Any]", original.__func__ if isinstance(original, (classmethod, staticmethod)) else original
    )


# What runs later than it is called


class _Deferred(StandIn):
    """In the place of a coroutine or generator function: asked when it is called, in its call's strand only while it runs.

    `inspect` takes what has the attributes of a function for one, so that `inspect.iscoroutinefunction` and the like say
    of it what they say of the function.
    """

    __code__: types.CodeType

    def __init__(self, wrapper: Wrapper, function: FunctionType, run: _Run) -> None:
        functools.update_wrapper(cast("Callable[..., Any]", self), function)
        self.function = function
        self.wrapper = wrapper
        self.run = run
        self.__code__ = function.__code__
        self.__defaults__ = function.__defaults__
        self.__kwdefaults__ = function.__kwdefaults__
        self.__globals__ = function.__globals__
        self.__annotations__ = function.__annotations__

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        wrapper, function = self.wrapper, self.function
        is_static = wrapper.method.flavour is Flavour.STATIC
        if not wrapper.listeners or not (args or is_static):
            return _unguarded(wrapper)(*args, **kwargs)
        plan = _enter(wrapper, args, kwargs)
        if plan is None or is_static:
            return function(*args, **kwargs)
        running = self.run(function, Frame(plan, args, kwargs))
        running.__name__, running.__qualname__ = function.__name__, function.__qualname__
        return running

    def __reduce__(self) -> str:
        return self.__qualname__  # type: ignore[no-any-return, attr-defined]

    def __repr__(self) -> str:
        return repr(self.function)


_Run = Callable[[FunctionType, Frame], Any]


def _stepped(inner: Any, frame: Frame) -> Generator[Any, Any, Any]:
    """`yield from inner`, with the frame in the strand of whoever asks for the next step, for as long as the step takes."""
    step, value = inner.send, None
    while True:
        frames, receiver = STRAND.frames, id(frame.args[0])
        outer = frames.get(receiver)
        frames[receiver] = frame
        try:
            result = step(value)
        except StopIteration as stop:
            return stop.value
        finally:
            value = None
            if outer is None:
                del frames[receiver]
            else:
                frames[receiver] = outer
        try:
            value = yield result
            step = inner.send
        except BaseException as error:  # noqa: BLE001 - whatever is thrown in is thrown on
            step, value = inner.throw, error


class _Awaited:
    """An awaitable, run step by step."""

    __slots__ = ("_frame", "_inner")

    def __init__(self, inner: Any, frame: Frame) -> None:
        self._inner = inner
        self._frame = frame

    def __await__(self) -> Generator[Any, Any, Any]:
        return _stepped(self._inner, self._frame)


def _generator(function: FunctionType, frame: Frame) -> Generator[Any, Any, Any]:
    return (yield from _stepped(function(*frame.args, **frame.kwargs), frame))


@types.coroutine
def _iterable_coroutine(function: FunctionType, frame: Frame) -> Generator[Any, Any, Any]:
    return (yield from _stepped(function(*frame.args, **frame.kwargs), frame))


async def _coroutine(function: FunctionType, frame: Frame) -> Any:
    return await _Awaited(function(*frame.args, **frame.kwargs), frame)


async def _async_generator(function: FunctionType, frame: Frame) -> AsyncGenerator[Any, Any]:
    inner = function(*frame.args, **frame.kwargs)
    step: Any = inner.asend
    value: Any = None
    while True:
        if step == inner.athrow and inner.ag_frame is None:
            raise value  # an event loop that ends has closed it first: then what is thrown in comes back as a None
        try:
            result = await _Awaited(step(value), frame)
        except StopAsyncIteration:
            return
        try:
            value = yield result
            step = inner.asend
        except BaseException as error:  # noqa: BLE001 - as above
            step, value = inner.athrow, error


_LATER: Final[Mapping[int, _Run]] = {
    inspect.CO_ITERABLE_COROUTINE: _iterable_coroutine,  # these are generators too
    inspect.CO_GENERATOR: _generator,
    inspect.CO_COROUTINE: _coroutine,
    inspect.CO_ASYNC_GENERATOR: _async_generator,
}
for _maker in (_bound, _static):
    for _constant in _maker.__code__.co_consts:
        if isinstance(_constant, types.CodeType):
            is_stand_in(_constant, "function")
_OWN_FILES: Final = frozenset({__file__, suspicion.__file__})


# Classes that are created while a scope is open


class Hook(classmethod):  # type: ignore[type-arg]
    """In the place of an `__init_subclass__`: does what that does, then tells the scopes of the new class.

    It passes for what it stands for: whoever looks for a hook of his own on the class finds it, and can change it.

    Attributes:
        owner: the class.
        previous: what the class has without it.
        listeners: the scopes that are told.
    """

    _OWN = frozenset({"listeners", "owner", "previous"})

    def __init__(self, owner: type, previous: object) -> None:
        def __init_subclass__(cls: type, **kwargs: Any) -> None:  # noqa: N807
            if previous is _ABSENT:
                super(owner, cls).__init_subclass__(**kwargs)  # type: ignore[arg-type]
            else:
                cast("Any", previous).__get__(None, cls)(**kwargs)
            for listener in self.listeners:
                listener.adopt(cls)

        self.owner = owner
        self.previous = previous
        self.listeners: tuple[Listener, ...] = ()
        super().__init__(__init_subclass__)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return classmethod if self.previous is _ABSENT else type(self.previous)

    def __getattr__(self, name: str) -> Any:
        if name in self._OWN:
            raise AttributeError(name)
        return getattr(self.previous, name)

    def __setattr__(self, name: str, value: object) -> None:
        if name in self._OWN or name.startswith("__"):
            super().__setattr__(name, value)
        else:
            setattr(self.previous, name, value)

    def take_off(self) -> None:
        """Give the class back what it had, if it still has the hook."""
        if members_of(self.owner).get(_HOOK) is not self:
            return
        if self.previous is _ABSENT:
            type.__delattr__(self.owner, _HOOK)
        else:
            type.__setattr__(self.owner, _HOOK, self.previous)
