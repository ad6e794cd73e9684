"""What the interpreter knows of a class, without asking the class or its metaclass. Imports nothing of sigcheck."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

_namespace = type.__dict__["__dict__"].__get__
_order = type.__dict__["__mro__"].__get__
_bases = type.__dict__["__bases__"].__get__
_qualified_name = type.__dict__["__qualname__"].__get__
_flags = type.__dict__["__flags__"].__get__

_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE


def members_of(owner: type) -> Mapping[str, object]:
    """The `__dict__` of a class, whatever its metaclass makes of attributes."""
    return cast("Mapping[str, object]", _namespace(owner))


def order_of(owner: type) -> tuple[type, ...]:
    """The method resolution order, likewise."""
    return cast("tuple[type, ...]", _order(owner))


def bases_of(owner: type) -> tuple[type, ...]:
    """The bases, likewise."""
    return cast("tuple[type, ...]", _bases(owner))


def defines(owner: type, name: str) -> bool:
    """The class or one above it has something of that name."""
    return any(name in members_of(entry) for entry in order_of(owner))


def qualified_name(owner: type) -> str:
    """`Outer.Inner`."""
    return cast("str", _qualified_name(owner))


def dotted_name(owner: type) -> str:
    """`module.Outer.Inner`."""
    module = members_of(owner).get("__module__")
    return f"{module}.{qualified_name(owner)}" if isinstance(module, str) else qualified_name(owner)


def is_of_interpreter(owner: type) -> bool:
    """The class is part of the interpreter, or of a C extension that made it as if it were."""
    return not cast("int", _flags(owner)) & _HEAP_TYPE
