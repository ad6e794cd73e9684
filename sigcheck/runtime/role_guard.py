"""Guarded calls and roles: what the parameters of a method demand, and which arguments of a call are for something else.

Other than with the names of objects, it does not matter who calls. Imports `roles` and `suspicion`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Any

from sigcheck.core.misbinding import Misbinding, WrongRole
from sigcheck.readers.live import StandIn, members_of, order_of
from sigcheck.runtime.flow import Frame, Plan
from sigcheck.runtime.roles import parameter_roles, role_of
from sigcheck.runtime.suspicion import Found, calling_frame, place_of


def demands_of(owner: type, name: str, function: FunctionType) -> Mapping[str, frozenset[str]]:
    """The roles that the parameters of a method demand; one without an annotation demands what the base's of that name does.

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


def wrong_roles(
    plan: Plan, args: tuple[Any, ...], kwargs: Mapping[str, Any], outer: Frame | None, skipped: frozenset[str]
) -> Iterator[Found]:
    """The arguments of a call that carry another role than the parameter demands in which they land.

    Args:
        plan: the shape of the call.
        args: its positional arguments, the receiver included.
        kwargs: its keywords.
        outer: the guarded call that encloses it, if there is one.
        skipped: files whose frames are the guard's own.
    """
    for argument, lands_in, demanded in plan.demands:
        value = plan.value(argument, args, kwargs)
        carried = role_of(value)
        if carried is not None and carried not in demanded:
            caller = outer.plan.method.definition if outer is not None else None
            name = outer.names.get(id(value)) if outer is not None else None
            cause = WrongRole(carried, tuple(sorted(demanded)))
            frame, depth = calling_frame(skipped)
            misbinding = Misbinding(argument, name, lands_in, plan.method.definition, caller, cause)
            yield Found(misbinding, place_of(frame), depth)
