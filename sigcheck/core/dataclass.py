"""`dataclasses.dataclass` for a program that is started often: what it adds to a class is made when it is first used.

The standard decorator writes and compiles the methods of each class as it is imported, half a millisecond a class: for all of sigcheck's
longer than everything else that a check of unchanged files does. Here an import pays for the class alone. What comes of it is a
dataclass to everybody: `dataclasses.fields`, `replace`, `asdict`, `copy`, `pickle`, `match` and `inspect.signature` find what they look
for. The standard module is loaded only for them. Imports nothing of sigcheck.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

_MISSING: Any = object()
_COMPARES = {"__lt__": operator.lt, "__le__": operator.le, "__gt__": operator.gt, "__ge__": operator.ge}


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
    """A class, and what its methods are made of."""

    def __init__(self, cls: type[Any], *, frozen: bool, eq: bool, order: bool) -> None:
        self.annotations: Mapping[str, str] = cls.__annotations__
        namespace = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
        self.fields = tuple(_fields_in(self.annotations, namespace))
        self.options = {"frozen": frozen, "eq": eq, "order": order}
        namespace["__annotations__"] = self.annotations
        namespace["__slots__"] = tuple(field.name for field in self.fields)
        namespace["__match_args__"] = tuple(field.name for field in self.fields if field.init)
        added = {
            "__init__": self._first_init(),
            "__signature__": _OnDemand(self.signature),
            "__dataclass_fields__": _OnDemand(lambda: self.standard().__dataclass_fields__),
            "__dataclass_params__": _OnDemand(lambda: self.standard().__dataclass_params__),
        }
        added |= _methods(self.fields, frozen=frozen, eq=eq, order=order)
        metaclass: Any = type(cls)
        self.made: type[Any] = metaclass(cls.__name__, cls.__bases__, added | namespace)
        self.made.__qualname__ = cls.__qualname__
        _PLANS[self.made] = self

    def _first_init(self) -> Callable[..., None]:
        def __init__(instance: object, *arguments: Any, **keywords: Any) -> None:  # noqa: N807
            self.made.__init__ = self.init()
            self.made.__init__(instance, *arguments, **keywords)

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

    def standard(self) -> Any:
        """A class of the standard decorator with the same fields."""
        import dataclasses  # It takes longer to load than all of this, and hardly anybody asks.

        namespace: dict[str, Any] = {"__module__": self.made.__module__, "__annotations__": dict(self.annotations)}
        for field in self.fields:
            given = {"default": field.default, "default_factory": field.default_factory}
            stated = {name: value for name, value in given.items() if value is not _MISSING}
            namespace[field.name] = dataclasses.field(**stated, init=field.init, compare=field.compare)
        return dataclasses.dataclass(**self.options)(type(self.made.__name__, (), namespace))

    def signature(self) -> Any:
        """That of the class."""
        import inspect  # As above.

        return inspect.signature(self.standard())


_PLANS: dict[type, _Plan] = {}
"""Of the classes that were made here."""


def _fields_in(annotations: Mapping[str, str], namespace: dict[str, Any]) -> Iterator[_Field]:
    """The fields of a class body; their defaults are taken out of it, to make room for slots."""
    for name, annotation in annotations.items():
        if not annotation.startswith("ClassVar"):
            value = namespace.pop(name, _MISSING)
            found = value if type(value) is _Field else _Field(value)
            found.name = name
            yield found


class _OnDemand:
    """An attribute of a class that is made when somebody asks, once."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: Any = _MISSING

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        if self._made is _MISSING:
            self._made = self._make()
        return self._made


def _methods(fields: tuple[_Field, ...], *, frozen: bool, eq: bool, order: bool) -> dict[str, Any]:
    """All methods but `__init__`."""
    names = tuple(field.name for field in fields)
    key = _getter(tuple(field.name for field in fields if field.compare))

    def __repr__(self: Any) -> str:  # noqa: N807
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({told})"

    def __eq__(self: Any, other: object) -> Any:  # noqa: N807
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    found: dict[str, Any] = {"__repr__": __repr__}
    if eq:
        found |= {"__eq__": __eq__, "__hash__": (lambda self: hash(key(self))) if frozen else None}
    if order:
        found |= {name: _comparing(compare, key) for name, compare in _COMPARES.items()}
    if frozen:
        values = _getter(names)

        def __setstate__(self: Any, state: tuple[Any, ...]) -> None:  # noqa: N807
            for name, value in zip(names, state, strict=True):
                object.__setattr__(self, name, value)

        # `attrgetter` is no function: in a class it would not be a method.
        found |= {"__getstate__": lambda self: values(self), "__setstate__": __setstate__}  # noqa: PLW0108
        found |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
    return found


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """The values of some attributes, as a tuple."""
    if len(names) > 1:
        return operator.attrgetter(*names)
    return (lambda value: (getattr(value, names[0]),)) if names else lambda _: ()


def _comparing(compare: Callable[[Any, Any], Any], key: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any, Any], Any]:
    return lambda self, other: compare(key(self), key(other)) if other.__class__ is self.__class__ else NotImplemented


def _refuse_to_set(_: object, name: str, __: object) -> None:
    from dataclasses import FrozenInstanceError  # As in `standard`.

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: object, name: str) -> None:
    from dataclasses import FrozenInstanceError  # As in `standard`.

    raise FrozenInstanceError(f"cannot delete field {name!r}")


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
