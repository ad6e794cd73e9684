"""What an argument is for: demanded by an annotation, carried by a value.

`fc1_latent_proj` and `shared_experts` are both an optional `nn.Layer`; no type tells them apart. A role does:

    fc1_latent_proj: Annotated[nn.Layer, Role("fc1_latent_proj")]

A value carries a role by `with_role`, or by the attribute `__sigcheck_role__`, its own or its class's. One without a role
fits anywhere. Guarded calls are held against roles, and so is what typeguard checks, by `typeguard_plugin`.

A value is looked at without running any of its code: not `__getattr__`, `__eq__`, `__hash__` or `__bool__`.
"""

from __future__ import annotations

import contextlib
import inspect
import types
import typing
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, cast

from sigcheck.report import role_words

T = TypeVar("T")

ATTRIBUTE = "__sigcheck_role__"
"""The role that an object carries, or that the instances of a class do; on what stands in `Annotated`, the one it demands."""


@dataclass(frozen=True, slots=True)
class Role:
    """In `Annotated`: only a value of this role belongs here, or one that carries none.

    Attributes:
        name: what the value is for; mostly the name of the parameter in the base.

    Raises:
        TypeError: where the name is no string, or empty.
    """

    name: str

    def __post_init__(self) -> None:
        if self.name is None:
            raise TypeError(role_words.not_a_role(None, "a parameter"))
        _hold_to_a_name(self.name, self)

    @property
    def __sigcheck_role__(self) -> str:
        return self.name


def with_role(value: T, role: str | None) -> T:
    """The same value, which from now on carries a role. A class gives its role to its instances.

    The role is an attribute of the value, so copies and pickles have it; of a value without attributes it is noted beside
    it for as long as it lives, and its copies have none.

    Args:
        value: any object that has attributes or can be referenced weakly.
        role: its name; None: the value fits anywhere, whatever its class says.

    Raises:
        TypeError: where the value can carry no role, or the role is no name.
    """
    _hold_to_a_name(role, value)
    attributes = _attributes(value)
    try:
        if _is_class(value):
            type.__setattr__(cast("type", value), ATTRIBUTE, role)
        elif attributes is not None:
            attributes[ATTRIBUTE] = role
        else:
            _note(value, role)
    except TypeError:
        raise TypeError(role_words.no_carrier(_called(value))) from None
    return value


def role_of(value: object) -> str | None:
    """The role that a value carries: its own, else its class's. A class as a value has only its metaclass's.

    Raises:
        TypeError: where `__sigcheck_role__` is neither a name nor None.
    """
    role = _carried(value)
    if role is not None:
        _hold_to_a_name(role, value)
    return cast("str | None", role)


def roles_in(extras: Iterable[object]) -> frozenset[str]:
    """The roles among what stands behind the type in `Annotated`; any package's that has `__sigcheck_role__`."""
    return frozenset(role for extra in extras if (role := role_of(extra)) is not None)


def roles_demanded(annotation: Any) -> frozenset[str]:
    """The roles of which a value must have one, if it has any; empty: whatever it is for, it fits.

    Looks through aliases and unions: `None` beside a type with a role demands it, a type without one does not.
    """
    annotation = _meant(annotation)
    if typing.get_origin(annotation) is Annotated:
        return roles_in(annotation.__metadata__) or roles_demanded(annotation.__origin__)
    if typing.get_origin(annotation) in UNIONS:
        arms = [roles_demanded(arm) for arm in typing.get_args(annotation) if arm is not types.NoneType]
        return frozenset().union(*arms) if all(arms) else frozenset()
    return frozenset()


UNIONS = (typing.Union, types.UnionType)


def is_about_roles(annotation: Any) -> bool:
    """Whether a role is demanded anywhere in an annotation, in the items of a list for one."""
    if type(annotation) is type:
        return False
    annotation = _meant(annotation)
    if typing.get_origin(annotation) is Annotated and roles_in(annotation.__metadata__):
        return True
    return any(is_about_roles(inner) for inner in typing.get_args(annotation))


def parameter_roles(function: object) -> dict[str, frozenset[str]]:
    """The roles that a function's parameters demand, by name; without those that demand none.

    An annotation that cannot be evaluated, because its name is imported for type checkers only, demands none.
    """
    function = getattr(function, "__func__", function)
    annotations = getattr(function, "__annotations__", None) or {}
    namespace = _namespace(function)
    demanded = {}
    for name, annotation in annotations.items():
        if name != "return":
            roles = roles_demanded(_evaluated(annotation, namespace))
            if roles:
                demanded[name] = roles
    return demanded


def _namespace(function: object) -> dict[str, Any]:
    """The globals in which the annotations were written: a wrapper has them from what it wraps."""
    with contextlib.suppress(ValueError):  # it wraps itself
        function = inspect.unwrap(cast("Callable[..., object]", function))
    found: dict[str, Any] = getattr(function, "__globals__", {})
    return found


def _evaluated(annotation: object, namespace: dict[str, Any]) -> object:
    alone = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        return typing.get_type_hints(alone, namespace, include_extras=True)["it"]
    except Exception:  # noqa: BLE001 - an annotation is any expression
        return None


def _meant(annotation: Any) -> Any:
    """What an alias made by `type X = …` stands for."""
    while type(annotation).__name__ == "TypeAliasType":
        annotation = annotation.__value__
    return annotation


# Looking at a value

_mro: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_members: Callable[[type], Mapping[str, object]] = type.__dict__["__dict__"].__get__
_DESCRIPTORS = (types.GetSetDescriptorType, types.MemberDescriptorType)

_notes: dict[int, tuple[weakref.ref[object], str | None]] = {}
"""The roles of living values without attributes, by identity: such a value may have any `__eq__`, or no hash."""


def _carried(value: object) -> object:
    attributes = _attributes(value)
    if attributes is not None and ATTRIBUTE in attributes:
        return attributes[ATTRIBUTE]
    note = _notes.get(id(value))
    if note is not None and note[0]() is value:
        return note[1]
    kind = type(value)
    for base in _mro(kind):
        members = _members(base)
        if ATTRIBUTE in members:
            found = members[ATTRIBUTE]
            get = getattr(type(found), "__get__", None)
            if get is None:
                return found
            with contextlib.suppress(AttributeError):  # a slot that is empty
                return cast("object", get(found, value, kind))
    return None


def _attributes(value: object) -> dict[str, object] | None:
    """The attributes of the value itself; of a class, which describes its instances, None, and of a proxy, None."""
    if _is_class(value):
        return None
    for base in _mro(type(value)):
        found = _members(base).get("__dict__")
        if found is not None:
            return cast("dict[str, object]", found.__get__(value)) if isinstance(found, _DESCRIPTORS) else None
    return None


def _note(value: object, role: str | None) -> None:
    key = id(value)

    def forget(reference: weakref.ref[object]) -> None:
        if _notes.get(key, (None,))[0] is reference:
            del _notes[key]

    _notes[key] = weakref.ref(value, forget), role


def _is_class(value: object) -> bool:
    return type in _mro(type(value))


def _called(value: object) -> str:
    if value is None:
        return "None"
    if _is_class(value):
        return f"the class {cast('type', value).__qualname__}"
    return f"an object of {type(value).__module__}.{type(value).__qualname__}"


def _hold_to_a_name(role: object, owner: object) -> None:
    if not (role is None or (isinstance(role, str) and role)):
        raise TypeError(role_words.not_a_role(role, _called(owner)))
