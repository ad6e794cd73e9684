"""Roles: what values carry, what annotations demand, and what typeguard makes of both."""

from __future__ import annotations

import copy
import functools
import gc
import inspect
import pickle
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn, Optional, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typeguard import CollectionCheckStrategy, TypeCheckError, check_type, checker_lookup_functions, typechecked

from sigcheck import SigcheckError
from sigcheck.runtime import MisboundArgumentError, Role, role_of, roles, with_role

ANNOTATED: Any = Annotated
UNION: Any = Union
OPTIONAL: Any = Optional
LIST: Any = list


class Layer:
    """Has attributes."""


class Slotted:
    """Has none, and can be referenced weakly."""

    __slots__ = ("__weakref__",)


class Slot:
    """Says of itself what it is for."""

    __slots__ = ("__sigcheck_role__",)


class Bare:
    __slots__ = ()


@dataclass(frozen=True)
class Frozen:
    width: int = 1


def function() -> None: ...


class Hostile:
    """Whatever runs code of the value fails the test."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        pytest.fail("code of the value was run")

    __getattr__ = __getattribute__ = __setattr__ = _refuse
    __eq__ = __bool__ = __len__ = __iter__ = __repr__ = __call__ = _refuse
    __hash__ = _refuse


class HostileSlotted(Hostile):
    __slots__ = ()


class HostileNoted:
    __slots__ = ("__weakref__",)
    __getattribute__ = __setattr__ = __eq__ = __bool__ = Hostile._refuse
    __hash__ = Hostile._refuse


class Meta(type):
    def __getattr__(cls, name: str) -> NoReturn:
        pytest.fail("code of the metaclass was run")


def hostile_class() -> object:
    """An instance; the class itself is hidden from pytest, which asks all that it finds for attributes."""

    class HostileClass(metaclass=Meta): ...

    return HostileClass()


CARRIERS: list[Callable[[], object]] = [
    Layer, Slotted, Frozen, Hostile, HostileSlotted, HostileNoted, hostile_class, ValueError, lambda: lambda: 0,
    lambda: Backend().apply, lambda: types.ModuleType("m"), lambda: types.SimpleNamespace(x=1), lambda: {1, 2},
]  # fmt: skip


@pytest.mark.parametrize("make", CARRIERS)
def test_a_value_carries_a_role_and_is_itself(make: Callable[[], object]) -> None:
    value, other = make(), make()
    assert role_of(value) is None
    assert with_role(value, "fc1") is value
    assert role_of(value) == "fc1"
    assert role_of(other) is None
    with_role(value, "fc2")
    assert role_of(value) == "fc2"
    with_role(value, None)
    assert role_of(value) is None


@pytest.mark.parametrize("value", [None, 1, 1.5, True, "text", b"", (), Ellipsis, Bare(), [], {}, iter("")])
def test_what_can_carry_none_is_refused_in_one_line(value: object) -> None:
    with pytest.raises(
        TypeError, match=r"^(None|an object of [\w.]+) can carry no role: .*own, with `__sigcheck"
    ) as told:
        with_role(value, "fc1")
    assert "\n" not in str(told.value)
    assert role_of(value) is None


def test_a_class_of_the_interpreter_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^the class dict can carry no role"):
        with_role(dict, "fc1")


@pytest.mark.parametrize("role", ["", 3, b"fc1", Layer, Role("fc1")])
def test_a_role_is_a_name(role: Any) -> None:
    with pytest.raises(TypeError, match=r"^the role of an object of .*Layer must be a name, not "):
        with_role(Layer(), role)
    with pytest.raises(TypeError, match=r"^the role of an object of sigcheck.*Role must be a name, not "):
        Role(role)


def test_a_parameter_demands_something() -> None:
    with pytest.raises(TypeError, match="must be a name, not None"):
        Role(None)  # type: ignore[arg-type]


def test_the_attribute_of_a_class_must_be_a_name() -> None:
    class Wrong:
        __sigcheck_role__ = Role("fc1")

    with pytest.raises(TypeError, match=r"Wrong must be a name, not Role\(name='fc1'\)"):
        role_of(Wrong())


def test_the_nearest_says_it() -> None:
    class Shared(Layer):
        __sigcheck_role__ = "shared_experts"

    class Below(Shared): ...

    class Other(Shared):
        __sigcheck_role__ = "fc1"

    class Free(Shared):
        __sigcheck_role__ = None  # type: ignore[assignment]

    assert [role_of(kind()) for kind in (Shared, Below, Other, Free)] == [
        "shared_experts",
        "shared_experts",
        "fc1",
        None,
    ]
    assert role_of(with_role(Shared(), "fc2")) == "fc2"
    assert role_of(with_role(Shared(), None)) is None
    instance = Layer()
    instance.__sigcheck_role__ = "fc1"  # type: ignore[attr-defined]
    assert role_of(instance) == "fc1"


def test_a_class_gives_its_role_to_its_instances() -> None:
    class Shared(Layer): ...

    class Below(Shared): ...

    assert with_role(Shared, "shared_experts") is Shared
    assert role_of(Below()) == "shared_experts"
    assert role_of(Shared) is None
    assert role_of(Layer()) is None


def test_a_property_and_a_slot_say_it() -> None:
    class Configured:
        def __init__(self, role: str) -> None:
            self.role = role

        @property
        def __sigcheck_role__(self) -> str:
            return self.role

    assert role_of(Configured("fc1")) == "fc1"
    slot = Slot()
    assert role_of(slot) is None
    slot.__sigcheck_role__ = "fc2"  # type: ignore[attr-defined]
    assert role_of(slot) == "fc2"


def test_a_proxy_is_not_asked() -> None:
    class Proxy:
        @property
        def __dict__(self) -> NoReturn:  # type: ignore[override]
            pytest.fail("code of the value was run")

    assert role_of(Proxy()) is None


def test_copies_and_pickles_of_what_has_attributes_carry_it() -> None:
    value = with_role(Layer(), "fc1")
    for twin in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert role_of(twin) == "fc1"


def test_nothing_is_kept_of_values_that_are_gone() -> None:
    gc.collect()
    before = len(roles._notes)
    kept = with_role(Slotted(), "fc1")
    for _ in range(1000):
        with_role(with_role(Slotted(), "fc1"), "fc2")
    gc.collect()
    assert len(roles._notes) == before + 1
    assert role_of(kept) == "fc1"
    del kept
    gc.collect()
    assert len(roles._notes) == before


# Annotations


class ForeignRole:
    """What another package may have, which does not import sigcheck."""

    def __init__(self, name: str) -> None:
        self.__sigcheck_role__ = name


Fc1 = Annotated[Layer, Role("fc1")]
Fc2 = Annotated[Layer, Role("fc2")]
Shared = Annotated[Layer, "prose", ForeignRole("shared")]

DEMANDS: list[tuple[Any, set[str]]] = [
    (Layer, set()),
    (Fc1, {"fc1"}),
    (Shared, {"shared"}),
    (Annotated[Layer, "prose"], set()),
    (Annotated[Fc1, "prose"], {"fc1"}),
    (Annotated[Layer, Role("fc1"), Role("fc2")], {"fc1", "fc2"}),
    (Annotated[OPTIONAL[Layer], Role("fc1")], {"fc1"}),
    (Annotated[OPTIONAL[Fc1], "prose"], {"fc1"}),
    (OPTIONAL[Fc1], {"fc1"}),
    (Fc1 | None, {"fc1"}),
    (UNION[Fc1, Fc2, None], {"fc1", "fc2"}),
    (UNION[Fc1, int], set()),
    (list[Fc1], set()),
    (None, set()),
    ("Fc1", set()),
    (3, set()),
]


@pytest.mark.parametrize(("annotation", "demanded"), DEMANDS)
def test_what_an_annotation_demands(annotation: Any, demanded: set[str]) -> None:
    assert roles.roles_demanded(annotation) == demanded


def test_an_alias_of_type_checkers_is_looked_through() -> None:
    alias: Any = pytest.importorskip("typing_extensions").TypeAliasType("alias", OPTIONAL[Fc1])
    assert roles.roles_demanded(alias) == {"fc1"}
    assert roles.is_about_roles(LIST[alias])


def test_what_parameters_demand_even_where_an_annotation_cannot_be_evaluated() -> None:
    namespace: dict[str, Any] = {"Fc1": Fc1, "Fc2": Fc2, "Shared": Shared}
    exec(
        "from __future__ import annotations\n"
        "def method(self: OnlyThere, x, fc1: Fc1 | None = None, *rest: Fc2, y: 1 / 0 = 1, **named: Shared) -> Fc1: ...",
        namespace,
    )
    method = namespace["method"]
    assert roles.parameter_roles(method) == {"fc1": {"fc1"}, "rest": {"fc2"}, "named": {"shared"}}
    assert roles.parameter_roles(classmethod(method)) == roles.parameter_roles(method)
    assert roles.parameter_roles(len) == {}


# typeguard


@typechecked
class Backend:
    def apply(self, x: int, fc1: Fc1 | None = None, shared: Shared | None = None) -> Fc1 | None:
        return fc1

    def many(self, layers: list[Fc1] | None = None, *rest: Fc1, **named: Fc2) -> None: ...

    def either(self, layer: Fc1 | Fc2) -> None: ...

    def gives(self, layer: Any) -> Fc1:
        return layer  # type: ignore[no-any-return]

    def keeps(self, layer: Any) -> None:
        kept: Fc1 = layer  # noqa: F841


FC1, FC2, SHARED, FREE = with_role(Layer(), "fc1"), with_role(Layer(), "fc2"), with_role(Layer(), "shared"), Layer()


@pytest.mark.parametrize(
    "call",
    [
        lambda b: b.apply(1, FC1, SHARED),
        lambda b: b.apply(1, FREE, FREE),
        lambda b: b.apply(1, None, None),
        lambda b: b.apply(1, shared=SHARED),
        lambda b: b.many([FC1, FREE], FC1, FREE, a=FC2, b=FREE),
        lambda b: b.either(FC1),
        lambda b: b.either(FC2),
        lambda b: b.gives(FC1),
        lambda b: b.keeps(FREE),
    ],
)
def test_what_fits_is_let_through(call: Callable[[Backend], object]) -> None:
    call(Backend())


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda b: b.apply(1, SHARED), 'argument "fc1" (…Layer) is for `shared`, and stands where `fc1` belongs; '),
        (
            lambda b: b.apply(1, None, FC1),
            'argument "shared" (…Layer) is for `fc1`, and stands where `shared` belongs; ',
        ),
        (lambda b: b.many([SHARED]), 'item 0 of argument "layers" (list) is for `shared`, and '),
        (lambda b: b.many(None, FC2), 'item 0 of argument "rest" (tuple) is for `fc2`, and '),
        (lambda b: b.many(None, a=FC1), "value of key 'a' of argument \"named\" (dict) is for `fc1`, and "),
        (
            lambda b: b.either(SHARED),
            'argument "layer" (…Layer) is for `shared`, and stands where `fc1` or `fc2` belongs; ',
        ),
        (lambda b: b.gives(FC2), "the return value (…Layer) is for `fc2`, and stands where `fc1` belongs; "),
        (lambda b: b.keeps(FC2), "value assigned to kept (…Layer) is for `fc2`, and stands where `fc1` belongs; "),
    ],
)
def test_what_does_not_is_told(call: Callable[[Backend], object], told: str) -> None:
    with pytest.raises(MisboundArgumentError) as error:
        call(Backend())
    text = str(error.value).replace(f"{__name__}.Layer", "…Layer")
    assert text.startswith(told)
    assert text.rpartition("; ")[2].startswith("pass it as `")
    assert {TypeError, TypeCheckError, SigcheckError} <= set(type(error.value).__mro__)


@pytest.mark.parametrize(
    "wrong", [lambda b: b.apply(1, 3), lambda b: b.many(3), lambda b: b.many([3]), lambda b: b.either(3)]
)
def test_types_are_checked_as_before(wrong: Callable[[Backend], object]) -> None:
    with pytest.raises(TypeCheckError, match="instance of") as error:
        wrong(Backend())
    assert not isinstance(error.value, MisboundArgumentError)


def test_what_else_stands_in_annotated_is_still_checked() -> None:
    class Short: ...

    def find(_: Any, __: Any, extras: tuple[Any, ...]) -> Any:
        def check(value: Any, *_: Any) -> None:
            if len(value) > 2:
                raise TypeCheckError("is too long")

        return check if any(isinstance(extra, Short) for extra in extras) else None

    class Text(str):  # noqa: SLOT000
        ...

    checker_lookup_functions.append(find)
    try:
        annotation = Annotated[str, Short(), Role("name")]
        check_type(with_role(Text("ab"), "name"), annotation)
        with pytest.raises(TypeCheckError, match="too long"):
            check_type(with_role(Text("abc"), "name"), annotation)
        with pytest.raises(MisboundArgumentError):
            check_type(with_role(Text("ab"), "title"), annotation)
    finally:
        checker_lookup_functions.remove(find)


def test_a_family_whose_types_are_all_the_same() -> None:
    """What typeguard alone is silent about: the base hands over by position, the override has the two swapped."""

    class Base:
        def apply(self, fc1: object = None, shared: object = None) -> object:
            return self.apply_tp(fc1, shared)

        def apply_tp(self, fc1: object = None, shared: object = None) -> object:
            return fc1, shared

    namespace: dict[str, Any] = {"Optional": Optional, "Layer": Layer, "Fc1": Fc1, "Shared": Shared}
    for first, second in (("Layer", "Layer"), ("Shared", "Fc1")):
        exec(f"def apply_tp(self, shared: Optional[{first}] = None, fc1: Optional[{second}] = None): ...", namespace)
        swapped = type("Swapped", (Base,), {"apply_tp": _checked(namespace["apply_tp"])})()
        if first == "Layer":
            swapped.apply(FC1, SHARED)
        else:
            with pytest.raises(MisboundArgumentError, match="is for `fc1`, and stands where `shared` belongs"):
                swapped.apply(FC1, SHARED)


def _checked(function: Callable[..., object]) -> Callable[..., object]:
    """As `typechecked` does it, for a function that has no source."""
    hints = get_type_hints(function, include_extras=True)

    @functools.wraps(function)
    def checked(*args: object, **kwargs: object) -> object:
        for name, value in inspect.signature(function).bind(*args, **kwargs).arguments.items():
            if name in hints:
                check_type(value, hints[name])
        return function(*args, **kwargs)

    return checked


@st.composite
def demands(draw: st.DrawFn, depth: int = 3) -> Any:
    """Layers and lists of them, with roles or without, optional or one of several."""
    names = st.lists(st.sampled_from(["fc1", "fc2", "shared"]), max_size=2)
    kind = draw(st.sampled_from(["layer", "layer", "none", "list", "union", "annotated"] if depth else ["layer"]))
    if kind == "none":
        return None
    if kind == "list":
        return LIST[draw(demands(depth - 1))]
    if kind == "union":
        return UNION[tuple(draw(st.lists(demands(depth - 1), min_size=1, max_size=3)))]
    inner = Layer if kind == "layer" else draw(demands(depth - 1))
    parts = (inner, "prose", *map(Role, draw(names)))
    return ANNOTATED[parts]


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([FC1, FC2, SHARED, FREE, None]), lambda inner: st.lists(inner, max_size=3), max_leaves=4
)


def _fits(value: Any, annotation: Any) -> bool:
    """The same, said without typeguard and without `roles`."""
    if get_origin(annotation) is Annotated:
        inner, *extras = get_args(annotation)
        wanted = {extra.name for extra in extras if isinstance(extra, Role)}
        own = getattr(value, "__sigcheck_role__", None)
        return _fits(value, inner) and (not wanted or own is None or own in wanted)
    if get_origin(annotation) is Union:
        return any(_fits(value, arm) for arm in get_args(annotation))
    if get_origin(annotation) is list:
        return isinstance(value, list) and all(_fits(item, *get_args(annotation)) for item in value)
    return isinstance(value, Layer) if annotation is Layer else value is None


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(VALUES, demands())
def test_every_annotation_means_what_it_says(value: Any, annotation: Any) -> None:
    try:
        check_type(value, annotation, collection_check_strategy=CollectionCheckStrategy.ALL_ITEMS)
    except TypeCheckError:
        assert not _fits(value, annotation)
    else:
        assert _fits(value, annotation)
