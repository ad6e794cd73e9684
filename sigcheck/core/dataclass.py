"""`dataclasses.dataclass` for a program that is started often: what it adds to a class is made when it is first used.

The standard decorator writes and compiles the methods of each class as it is imported, half a millisecond a class: for all of sigcheck's
longer than everything else that a check of unchanged files does. Here an import pays for the class alone. What comes of it is a
dataclass to everybody: `dataclasses.fields`, `replace`, `asdict`, `copy`, `pickle`, `match` and `inspect.signature` find what they look
for. The standard module is loaded only for them. Imports nothing of sigcheck.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

_MISSING: Any = object()
_FEW = 100
"""So many values of a class are made before its `__init__` is compiled, which takes as long as to make them without."""


class _Field:
    """What is known of one attribute."""

    __slots__ = ("compare", "default", "default_factory", "init", "name")

    def __init__(
        self, default: Any, default_factory: Any = _MISSING, *, init: bool = True, compare: bool = True
    ) -> None:
        self.name = ""
        self.default = default
        self.default_factory = default_factory
        self.init = init
        self.compare = compare


def _field(*, default: Any = _MISSING, default_factory: Any = _MISSING, init: bool = True, compare: bool = True) -> Any:
    """See `dataclasses.field`."""
    return _Field(default, default_factory, init=init, compare=compare)


def _dataclass(
    *, slots: bool, frozen: bool = False, eq: bool = True, order: bool = False
) -> Callable[[type[Any]], type[Any]]:
    """See `dataclasses.dataclass`. A class has slots here, no `__post_init__`, and no base that is a dataclass."""
    if not slots:
        raise TypeError("here a dataclass has slots")
    return lambda cls: _Plan(cls, frozen=frozen, eq=eq, order=order).made


class _Plan:
    """A class, and what its methods need to know. What an import does not need is made when it is asked for."""

    def __init__(self, cls: type[Any], *, frozen: bool, eq: bool, order: bool) -> None:
        namespace = dict(vars(cls))
        namespace.pop("__dict__", None)
        namespace.pop("__weakref__", None)
        self.annotations: Mapping[str, str] = cls.__annotations__
        self.names = tuple([name for name, said in self.annotations.items() if not said.startswith("ClassVar")])
        # They are taken out of the class, to make room for slots.
        self.given = {name: namespace.pop(name) for name in self.names if name in namespace}
        self.options = {"frozen": frozen, "eq": eq, "order": order}
        namespace["__annotations__"] = self.annotations
        namespace["__slots__"] = self.names
        namespace["__match_args__"] = tuple([name for name in self.names if _is_given(self.given.get(name))])
        namespace["__plan__"] = self
        metaclass: Any = type(cls)
        self.made: type[Any] = metaclass(
            cls.__name__, cls.__bases__, _methods(frozen=frozen, eq=eq, order=order) | namespace
        )
        self.made.__qualname__ = cls.__qualname__
        _PLANS[self.made] = self

    @cached_property
    def fields(self) -> tuple[_Field, ...]:
        """What is known of each attribute."""
        return tuple(_field_of(name, self.given.get(name, _MISSING)) for name in self.names)

    @cached_property
    def values(self) -> Callable[[Any], tuple[Any, ...]]:
        """All that a value has."""
        return _getter(self.names)

    @cached_property
    def key(self) -> Callable[[Any], tuple[Any, ...]]:
        """What tells a value from another."""
        return _getter(tuple(field.name for field in self.fields if field.compare))

    def compare(self) -> None:
        """Give the class its own `__eq__` and `__hash__`: who compares values compares many."""
        key = self.key

        def __eq__(value: Any, other: object) -> Any:  # noqa: N807
            return key(value) == key(other) if other.__class__ is value.__class__ else NotImplemented

        def __hash__(value: Any) -> int:  # noqa: N807
            return hash(key(value))

        for first, made in ((_first_eq, __eq__), (_first_hash, __hash__)):
            # The class may have said one of them itself.
            if vars(self.made).get(made.__name__) is first:
                setattr(self.made, made.__name__, made)

    def first_init(self) -> Callable[..., None]:
        """An `__init__` that nothing is compiled for. It makes a few values, and leaves calls that are wrong to the other."""
        made, count, left = self.made, len(self.made.__match_args__), _FEW
        fields = sorted(self.fields, key=lambda field: not field.init)
        setters = [vars(made)[field.name].__set__ for field in fields]
        whole = count if count == len(fields) else -1

        def __init__(value: Any, /, *arguments: Any, **keywords: Any) -> None:  # noqa: N807
            nonlocal left
            left -= 1
            is_whole = len(arguments) == whole and not keywords
            values = arguments if is_whole else completed(arguments, keywords)
            if values is not None and left:
                for put, each in zip(setters, values, strict=True):
                    put(value, each)
            else:
                made.__init__ = self.init()
                made.__init__(value, *arguments, **keywords)

        def completed(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Sequence[Any] | None:
            """What all fields are set to; None where the call is wrong."""
            values, unused = [*arguments], len(keywords)
            for field in fields[len(arguments) :]:
                if field.name in keywords and field.init:
                    values.append(keywords[field.name])
                    unused -= 1
                elif field.default is not _MISSING:
                    values.append(field.default)
                elif field.default_factory is not _MISSING:
                    values.append(field.default_factory())
                else:
                    return None
            return values if not unused and len(arguments) <= count else None

        return __init__

    def init(self) -> Callable[..., None]:
        """The `__init__`. It alone is worth compiling: values are made more often than anything is done to them."""
        known: dict[str, Any] = {"missing": _MISSING}
        parameters, lines = ["self"], []
        for field in self.fields:
            name = field.name
            known |= {f"default_{name}": field.default, f"make_{name}": field.default_factory}
            known[f"set_{name}"] = vars(self.made)[name].__set__
            value = name
            if not field.init:
                value = f"default_{name}" if field.default_factory is _MISSING else f"make_{name}()"
            elif field.default is not _MISSING:
                parameters.append(f"{name}=default_{name}")
            elif field.default_factory is not _MISSING:
                parameters.append(f"{name}=missing")
                value = f"make_{name}() if {name} is missing else {name}"
            else:
                parameters.append(name)
            # A slot's own setter does what the `__setattr__` of a frozen class refuses to do.
            lines.append(f" set_{name}(self, {value})" if self.options["frozen"] else f" self.{name} = {value}")
        body = "\n".join(lines) or " pass"
        exec(f"def __init__({', '.join(parameters)}):\n{body}", known)  # noqa: S102 - nothing but the names of fields
        made: Callable[..., None] = known["__init__"]
        made.__qualname__ = f"{self.made.__qualname__}.__init__"
        made.__module__ = self.made.__module__
        return made

    @cached_property
    def standard(self) -> Any:
        """A class of the standard decorator with the same fields."""
        import dataclasses  # It takes longer to load than all of this, and hardly anybody asks.

        namespace: dict[str, Any] = {"__module__": self.made.__module__, "__annotations__": dict(self.annotations)}
        for field in self.fields:
            given = {"default": field.default, "default_factory": field.default_factory}
            stated = {name: value for name, value in given.items() if value is not _MISSING}
            namespace[field.name] = dataclasses.field(**stated, init=field.init, compare=field.compare)
        return dataclasses.dataclass(**self.options)(type(self.made.__name__, (), namespace))

    @cached_property
    def signature(self) -> Any:
        """That of the class."""
        import inspect  # As above.

        return inspect.signature(self.standard)


_PLANS: dict[type, _Plan] = {}
"""Of the classes that were made here."""


def _is_given(default: Any) -> bool:
    """Who makes a value states the attribute, or may."""
    return type(default) is not _Field or default.init


def _field_of(name: str, given: Any) -> _Field:
    found = given if type(given) is _Field else _Field(given)
    found.name = name
    return found


class _OnDemand:
    """An attribute of every class that is made here; its plan knows the value."""

    def __init__(self, ask: Callable[[_Plan], Any]) -> None:
        self._ask = ask

    def __get__(self, instance: object, owner: Any) -> Any:
        return self._ask(owner.__plan__)


def _first_init(self: Any, *arguments: Any, **keywords: Any) -> None:
    plan = self.__plan__
    plan.made.__init__ = plan.first_init()
    plan.made.__init__(self, *arguments, **keywords)


def _repr(self: Any) -> str:
    told = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__plan__.names)
    return f"{self.__class__.__qualname__}({told})"


def _first_eq(self: Any, other: object) -> Any:
    self.__plan__.compare()
    return self.__eq__(other)


def _first_hash(self: Any) -> int:
    self.__plan__.compare()
    return hash(self)


def _comparing(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def _compare(self: Any, other: Any) -> Any:
        key = self.__plan__.key
        return compare(key(self), key(other)) if other.__class__ is self.__class__ else NotImplemented

    return _compare


def _getstate(self: Any) -> tuple[Any, ...]:
    state: tuple[Any, ...] = self.__plan__.values(self)
    return state


def _setstate(self: Any, state: tuple[Any, ...]) -> None:
    for name, value in zip(self.__plan__.names, state, strict=True):
        object.__setattr__(self, name, value)


def _refuse_to_set(_: object, name: str, __: object) -> None:
    from dataclasses import FrozenInstanceError  # As in `standard`.

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: object, name: str) -> None:
    from dataclasses import FrozenInstanceError  # As in `standard`.

    raise FrozenInstanceError(f"cannot delete field {name!r}")


_ALWAYS: dict[str, Any] = {
    "__init__": _first_init,
    "__repr__": _repr,
    "__signature__": _OnDemand(lambda plan: plan.signature),
    "__dataclass_fields__": _OnDemand(lambda plan: plan.standard.__dataclass_fields__),
    "__dataclass_params__": _OnDemand(lambda plan: plan.standard.__dataclass_params__),
}
_FROZEN = {
    "__getstate__": _getstate,
    "__setstate__": _setstate,
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
}
_ORDER = {
    "__lt__": _comparing(operator.lt),
    "__le__": _comparing(operator.le),
    "__gt__": _comparing(operator.gt),
    "__ge__": _comparing(operator.ge),
}


def _methods(*, frozen: bool, eq: bool, order: bool) -> dict[str, Any]:
    """What is added to a class. The methods are the same for all: a class finds its own plan."""
    found = dict(_ALWAYS)
    if eq:
        found |= {"__eq__": _first_eq, "__hash__": _first_hash if frozen else None}
    if order:
        found |= _ORDER
    if frozen:
        found |= _FROZEN
    return found


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """The values of some attributes, as a tuple."""
    if len(names) > 1:
        return operator.attrgetter(*names)
    return (lambda value: (getattr(value, names[0]),)) if names else lambda _: ()


def _replace(value: Any, /, **changes: Any) -> Any:
    """See `dataclasses.replace`."""
    cls = value.__class__
    kept = [changes.pop(name) if name in changes else getattr(value, name) for name in cls.__match_args__]
    return cls(*kept, **changes)


def _fields(kind: Any) -> tuple[Any, ...]:
    """See `dataclasses.fields`; of a class or a value that was made here, and without the types."""
    return _PLANS[kind if isinstance(kind, type) else type(kind)].fields


def _is_dataclass(kind: object) -> bool:
    """See `dataclasses.is_dataclass`; whether it was made here."""
    return (kind if isinstance(kind, type) else type(kind)) in _PLANS


if TYPE_CHECKING:  # A type checker knows the standard ones, by their names.
    from dataclasses import dataclass, field, fields, is_dataclass, replace
else:
    dataclass, field, fields, is_dataclass, replace = _dataclass, _field, _fields, _is_dataclass, _replace

__all__ = ["dataclass", "field", "fields", "is_dataclass", "replace"]
