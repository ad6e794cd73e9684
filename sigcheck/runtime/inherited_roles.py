"""The roles that the parameters of a method demand, those of its bases included. Imports `roles` and the live reader."""

from __future__ import annotations

from collections.abc import Mapping
from types import FunctionType

from sigcheck.readers.live import StandIn, members_of, order_of
from sigcheck.runtime.roles import parameter_roles


def demanded_roles(owner: type, name: str, function: FunctionType) -> Mapping[str, frozenset[str]]:
    """By parameter; one without an annotation demands what the base's of that name does.

    Args:
        owner: the class that defines the method.
        name: of the method.
        function: what it defines.
    """
    demanded = parameter_roles(function)
    said = set(function.__annotations__)
    for entry in order_of(owner)[1:]:
        base = members_of(entry).get(name)
        base = base.__func__ if isinstance(base, (classmethod, staticmethod)) else base
        if isinstance(base, (FunctionType, StandIn)):
            inherited = parameter_roles(base)
            demanded |= {parameter: roles for parameter, roles in inherited.items() if parameter not in said}
            said |= set(base.__annotations__)
    return demanded
