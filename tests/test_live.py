"""The live reader against the interpreter: what a callable says it accepts is what it accepts when it is called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import pytest

from sigcheck.core.assignability import incompatibilities
from sigcheck.core.binding import Rejection, bind
from sigcheck.core.member import Flavour
from sigcheck.core.place import Place
from sigcheck.core.signature import Kind, Parameter, Signature
from sigcheck.readers.live import read_member, read_signature
from sigcheck.readers.live.signatures import extends, written_signature
from sigcheck.readers.live.wrappers import accepted_signature
from tests import shapes

TWO_NAMES = tuple(shapes.signatures(("a", "b"), annotation=None))
SHAPES = tuple(shapes.calls(4, ("a", "b", "c")))
HERE = Place("here.py", 1, 1, 1, 1)


def function_of(signature: Signature, *, body: str = "return locals()") -> FunctionType:
    names: dict[str, Any] = {}
    exec(f"def function{shapes._text(signature)}: {body}", names)
    function: FunctionType = names["function"]
    return function


@pytest.mark.parametrize("signature", TWO_NAMES, ids=str)
def test_a_code_object_tells_what_inspect_tells(signature: Signature) -> None:
    function = function_of(signature)
    assert written_signature(function) == signature == read_signature(inspect.signature(function))


@pytest.mark.parametrize("base", TWO_NAMES[::3], ids=str)
def test_who_extends_keeps_the_promise(base: Signature) -> None:
    """A third of all pairs, each way round; and it is no idle claim: an optional parameter more does extend."""
    receiver = Parameter("self", Kind.POSITIONAL_ONLY, required=True)
    promised = function_of(Signature.of([receiver, *base.parameters]))
    extended = 0
    for signature in TWO_NAMES:
        if extends(function_of(Signature.of([receiver, *signature.parameters])), promised):
            extended += signature != base
            assert incompatibilities(signature, base) == (), str(signature)
    assert extends(promised, promised)
    assert extended or len(base.named) == 2 or base.var_positional is not None


def test_mangled_names_are_read_as_they_were_written() -> None:
    class _Base:
        def scale(self, __value: int, __factor: int = 1) -> None: ...  # noqa: PYI063 - this is the old spelling

        def name(self, value: int, __factor: int) -> None: ...

    assert str(accepted_signature(_Base.scale)) == "(self, __value, __factor=..., /)"
    assert str(accepted_signature(_Base.name)) == "(self, value, __factor)"


def _run(self: object, a: int, b: int | None = None) -> dict[str, Any]:
    return locals()


run: Any = _run


WRAPPERS = {
    "plain": ("", "return function(*args, **kwargs)"),
    "result": ("", "result = function(*args, **kwargs); return result"),
    "timed": ("import time", "start = time.perf_counter(); out = function(*args, **kwargs); return out"),
    "logged": ("", "f'{args} {kwargs!r} {function.__name__}'; return function(*args, **kwargs)"),
    "looked at": ("", "args[0]; return function(*args, **kwargs)"),
    "on two ways": ("flag = False", "return function(*args, **kwargs) if flag else function(*args, **kwargs)"),
    "finally": ("", "\n        try: return function(*args, **kwargs)\n        finally: pass"),
    "with": ("import contextlib", "\n        with contextlib.nullcontext(): return function(*args, **kwargs)"),
    "raised again": (
        "",
        "\n        try: return function(*args, **kwargs)\n        except ValueError as error: raise RuntimeError from error",
    ),
}
CHANGERS = {
    "injects a keyword": "return function(*args, b=3, **kwargs)",
    "injects in front": "return function(args[0], 1, *args[1:], **kwargs)",
    "drops": "return function(*args[:2], **kwargs)",
    "drops keywords": "return function(*args)",
    "pops": "kwargs.pop('c', None); return function(*args, **kwargs)",
    "sets": "kwargs['b'] = 3; return function(*args, **kwargs)",
    "replaces": "kwargs = {}; return function(*args, **kwargs)",
    "goes two ways": "return elsewhere(*args, **kwargs) if args[0] else function(*args, **kwargs)",
    "binds again": "args = args[:2]; return function(*args, **kwargs)",
    "adds": "return function(*(args + (7,)), **kwargs)",
    "hands on": "change(kwargs); return function(*args, **kwargs)",
    "captures": "change_later = lambda: kwargs.clear(); change_later(); return function(*args, **kwargs)",
    "counts": "return None if len(args) > 2 else function(*args, **kwargs)",
    "asks": "return None if 'c' in kwargs else function(*args, **kwargs)",
    "tries again": "\n        try: return function(*args, **kwargs)\n        except TypeError: return None",
    "another way": "return other(*args, **kwargs) if 'c' in str(kwargs) else function(*args, **kwargs)",
    "a second call": "function(args[0], 1) if 'c' in str(kwargs) else None; return other(*args, **kwargs)",
    "never": "return None",
    "binds the function again": "\n        nonlocal function\n        function = other\n        return function(*args, **kwargs)",
}


def wrapped(parameters: str, body: str, *, before: str = "", wraps: bool = True) -> Callable[..., Any]:
    decoration = "@functools.wraps(function)" if wraps else ""
    source = f"""
import functools
{before}
def change(kwargs): kwargs.pop("c", None)
def other(*args, **kwargs): return {{}}
def decorate(function):
    elsewhere = other
    {decoration}
    def wrapper({parameters}):
        {body}
    return wrapper
"""
    names: dict[str, Any] = {}
    exec(source, names)
    made: Callable[..., Any] = names["decorate"](run)
    return made


def landings(function: Callable[..., Any]) -> dict[str, dict[str, Any] | None]:
    """What each call of a bound method really does: what the wrapped function received, or None for a `TypeError`."""
    bound = functools.partial(function, object())
    found: dict[str, dict[str, Any] | None] = {}
    for shape in SHAPES:
        try:
            received = bound(*range(shape.positional), **dict.fromkeys(shape.keywords, "k"))
        except TypeError:  # noqa: PERF203
            found[str(shape)] = None
        else:
            found[str(shape)] = {name: value for name, value in (received or {}).items() if name != "self"}
    return found


@pytest.mark.parametrize("wraps", [True, False])
@pytest.mark.parametrize("name", WRAPPERS)
@pytest.mark.parametrize("receiver", ["", "self, "])
def test_who_hands_on_exactly_accepts_what_it_wraps(name: str, receiver: str, wraps: bool) -> None:
    before, body = WRAPPERS[name]
    if receiver:
        body = body.replace("args[0]", "self")
        body = body.replace("(*args,", "(self, *args,")
    wrapper = wrapped(f"{receiver}*args, **kwargs", body, before=before, wraps=wraps)
    assert accepted_signature(wrapper) == written_signature(run)
    assert landings(wrapper) == landings(run)


@pytest.mark.parametrize("name", CHANGERS)
def test_who_changes_what_it_hands_on_accepts_what_it_says(name: str) -> None:
    wrapper = wrapped("*args, **kwargs", CHANGERS[name])
    signature = accepted_signature(wrapper)
    assert signature is not None
    assert str(signature) == "(*args, **kwargs)"
    assert any(landings(wrapper)[call] != landed for call, landed in landings(run).items()), "it changes nothing"


@pytest.mark.parametrize(
    ("parameters", "body", "accepted"),
    [
        ("self, a, b=None", "return function(self, a, b)", "(self, a, b=...)"),
        ("self, a", "return function(self, a)", "(self, a)"),
        ("self, a, *args, **kwargs", "return function(self, a, *args, **kwargs)", "(self, a, *args, **kwargs)"),
        ("*args", "return function(*args)", "(*args)"),
        ("self, *args, **kwargs", "return function(*args, **kwargs)", "(self, *args, **kwargs)"),
        ("self, *, b, **kwargs", "return function(self, **kwargs)", "(self, *, b, **kwargs)"),
    ],
)
def test_a_wrapper_with_parameters_of_its_own_is_bound_by_them(parameters: str, body: str, accepted: str) -> None:
    """`inspect.signature` follows `__wrapped__`, and says otherwise."""
    wrapper = wrapped(parameters, body)
    assert str(accepted_signature(wrapper)) == accepted
    assert str(inspect.signature(wrapper)).startswith("(self: ")


def test_wrappers_around_wrappers() -> None:
    def again(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    assert accepted_signature(again(functools.cache(again(run)))) == written_signature(run)
    assert str(accepted_signature(again(wrapped("self, a", "return function(self, a)")))) == "(self, a)"
    deep: Callable[..., Any] = run
    for _ in range(100):
        deep = again(deep)
    accepted_signature(deep)


def test_a_wrapper_of_itself_ends() -> None:
    function: Callable[..., Any] | None = None

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        assert function is not None
        return function(*args, **kwargs)

    function = wrapper
    accepted_signature(wrapper)


def test_generators_and_coroutines_hand_on_too() -> None:
    function: Any

    def generator(*args: Any, **kwargs: Any) -> Any:
        yield from function(*args, **kwargs)

    async def coroutine(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await function(self, *args, **kwargs)

    function = run
    assert accepted_signature(generator) == accepted_signature(coroutine) == written_signature(run)


def test_the_standard_librarys_wrappers() -> None:
    assert accepted_signature(functools.lru_cache(run)) == written_signature(run)
    assert accepted_signature(contextmanager(run)) == written_signature(run)
    assert str(accepted_signature(functools.partial(run, 1, b=3))) == "(a, *, b=...)"
    assert str(accepted_signature(functools.singledispatch(run))) == "(*args, **kw)"


def test_a_declared_signature_is_believed() -> None:
    def function(*args: Any, **kwargs: Any) -> None: ...

    function.__signature__ = inspect.signature(lambda self, x: None)  # type: ignore[attr-defined]
    assert str(accepted_signature(function)) == "(self, x)"


@pytest.mark.parametrize("call", ["partial", "partialmethod"])
@pytest.mark.parametrize("signature", [entry for entry in TWO_NAMES if len(entry.named) == 2], ids=str)
def test_what_is_supplied_need_not_be_given(signature: Signature, call: str) -> None:
    receiver = Parameter("self", Kind.POSITIONAL_ONLY, required=True)
    function = function_of(Signature.of([receiver, *signature.parameters]))
    supplied: list[tuple[tuple[int, ...], dict[str, int]]] = [((1,), {}), ((), {"a": 1})]
    for args, keywords in supplied:
        value: Any = functools.partialmethod(function, *args, **keywords)
        if call == "partial":
            value = staticmethod(functools.partial(function, None, *args, **keywords))
        owner = type("Owner", (), {"run": value})
        taken = signature.positional if args else [p for p in signature.named if p.is_keyword and p.name == "a"]
        if not taken:
            continue  # It supplies what the function does not take: no call is accepted at all, or it goes into a catch-all.
        member = read_member("run", value, HERE)
        bound = member.bound_signatures()[0]
        assert bound is not None
        for shape in SHAPES:
            if (
                args
                and bound.var_keyword is not None
                and {p.name for p in signature.positional[:1]} & {*shape.keywords}
            ):
                continue  # No signature can say that `**kwargs` takes every keyword but that one.
            try:
                owner().run(*range(shape.positional), **dict.fromkeys(shape.keywords))
            except TypeError:
                is_accepted = False
            else:
                is_accepted = True
            assert (not isinstance(bind(bound, shape), Rejection)) is is_accepted, (str(bound), shape)


class Tool:
    def __call__(self, x: int) -> None: ...

    def use(self, x: int) -> None: ...


class Descriptor(Tool):
    def __get__(self, instance: object, owner: type | None = None) -> object:
        raise AssertionError("nobody looks it up")


def test_an_object_that_can_be_called_takes_what_its_class_says() -> None:
    assert str(read_member("run", Tool(), HERE).bound_signatures()[0]) == "(x)"
    assert str(read_member("run", Tool().use, HERE).bound_signatures()[0]) == "(x)"


_property: Any = property(run)
_class_method: Any = classmethod(run)
FLAVOURS: list[tuple[object, Flavour]] = [
    (None, Flavour.NONE),
    (run, Flavour.INSTANCE),
    (staticmethod(run), Flavour.STATIC),
    (classmethod(run), Flavour.CLASS),
    (property(run), Flavour.PROPERTY),
    (functools.cached_property(run), Flavour.CACHED_PROPERTY),
    (functools.partialmethod(run, 1), Flavour.INSTANCE),
    (functools.partialmethod(staticmethod(run), 1), Flavour.STATIC),
    (functools.singledispatchmethod(run), Flavour.INSTANCE),
    (functools.singledispatchmethod(_class_method), Flavour.CLASS),
    (functools.lru_cache(run), Flavour.INSTANCE),
    (staticmethod(functools.lru_cache(run)), Flavour.STATIC),
    (object().__repr__, Flavour.OPAQUE),
    (object.__repr__, Flavour.OPAQUE),
    (len, Flavour.OPAQUE),
    (3, Flavour.OPAQUE),
    (Tool(), Flavour.FUNCTION),
    (functools.partial(run, 1), Flavour.FUNCTION),
    (Tool().use, Flavour.FUNCTION),
    (Descriptor(), Flavour.OPAQUE),
    (int, Flavour.OPAQUE),
    (classmethod(_property), Flavour.OPAQUE),
    (property(), Flavour.PROPERTY),
]


@pytest.mark.parametrize(("value", "flavour"), FLAVOURS, ids=[str(number) for number in range(len(FLAVOURS))])
def test_flavours(value: object, flavour: Flavour) -> None:
    assert read_member("run", value, HERE).flavour is flavour
