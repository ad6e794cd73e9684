"""What a class has under a name, as mypy's symbols tell it. Imports mypy and `traits`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from mypy import nodes

from sigcheck.core.names import BUILTIN_MODULES
from sigcheck.mypy_plugin.traits import KEY, traits_of

Found: TypeAlias = tuple[nodes.TypeInfo, nodes.SymbolTableNode]
"""A class, and what it has under a name."""

CALLABLE, PROPERTY, SETTABLE, ODD = range(4)
"""Kinds of members; of an odd one, the symbols do not tell the whole."""


def kind_of(node: nodes.SymbolNode | None) -> int | None:
    """What a class binds a name to, to mypy's knowledge; None for what is no member or says nothing."""
    kind = type(node)
    if kind is nodes.FuncDef:
        return CALLABLE
    if kind is nodes.Decorator:
        return PROPERTY if node.var.is_property else CALLABLE  # type: ignore[union-attr]
    if kind is nodes.OverloadedFuncDef:
        first = node.items[0] if node.items else None  # type: ignore[union-attr]
        if isinstance(first, nodes.Decorator) and first.var.is_property:
            return SETTABLE if first.var.is_settable_property else PROPERTY
        return ODD
    if kind is nodes.Var and node.is_property:  # type: ignore[union-attr]
        return SETTABLE if node.is_settable_property else PROPERTY  # type: ignore[union-attr]
    return None


def method_at(node: nodes.SymbolNode | None) -> nodes.FuncDef:
    """The function of a node that is `CALLABLE`."""
    return node.func if isinstance(node, nodes.Decorator) else node  # type: ignore[return-value]


def look_up(order: Sequence[nodes.TypeInfo], start: int, name: str) -> Found | None:
    """What a class finds under a name, behind some classes of an order."""
    for entry in order[start:]:
        symbol = entry.names.get(name)
        if symbol is not None and not symbol.implicit and not is_without_source(entry):
            return entry, symbol
    return None


def aliased(found: Found, name: str) -> Found:
    """What is found, or the method of the same class of which it is another name."""
    other = found[0].metadata.get(KEY, {}).get("same", {}).get(name)
    return found if other is None else (found[0], found[0].names[other])


def is_uncertain(owner: nodes.TypeInfo, name: str, modules: Mapping[str, nodes.MypyFile]) -> bool:
    """Of a name of a class, symbols do not tell the whole."""
    return name in traits_of(owner, modules).get("names", ()) or (
        KEY not in owner.metadata and isinstance(owner.names[name].node, nodes.Decorator)
    )


def is_without_source(info: nodes.TypeInfo) -> bool:
    """Nothing is told of what it has."""
    return info.module_name in BUILTIN_MODULES or info.fullname == "abc.ABC"
