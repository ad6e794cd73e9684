"""The checks that typeguard makes of annotations that are about roles. Imports `roles` and typeguard.

`typeguard_plugin` leads here. With it, `@typechecked`, `check_type` and the import hook hold a value's role against the
one that stands in `Annotated`, after its type, at any depth: in an optional, a list, `*args`.
"""

from __future__ import annotations

from typing import Any

from typeguard import (
    TypeCheckerCallable,
    TypeCheckError,
    TypeCheckMemo,
    check_type_internal,
    checker_lookup_functions,
)

from sigcheck.report import role_words
from sigcheck.runtime.misbound import MisboundArgumentError
from sigcheck.runtime.roles import role_of, roles_demanded, roles_in


def role_checker(extras: tuple[Any, ...]) -> TypeCheckerCallable:
    """The checker of what has these extras in `Annotated`, and a role among them."""
    roles, others = roles_in(extras), tuple(extra for extra in extras if role_of(extra) is None)

    def check(value: Any, origin: Any, arguments: tuple[Any, ...], memo: TypeCheckMemo) -> None:
        _check_type(value, origin, arguments, others, memo)
        role = role_of(value)
        if role is not None and role not in roles:
            raise MisboundArgumentError(role_words.wrong_role(role, roles))

    return check


def check_union(value: Any, origin: Any, arguments: tuple[Any, ...], memo: TypeCheckMemo) -> None:
    """Check a union as typeguard does; but where only the role is wrong, the error comes through as it is.

    Raises:
        TypeCheckError: no arm takes the value.
    """
    misbound = []
    for arm in arguments:
        try:
            check_type_internal(value, arm, memo)
        except MisboundArgumentError:  # noqa: PERF203 - typeguard answers with exceptions
            misbound.append(arm)
        except TypeCheckError:
            pass
        else:
            return
    if not misbound:
        _check_type(value, origin, arguments, (), memo, unless=check_union)
        return
    roles, role = [roles_demanded(arm) for arm in misbound], role_of(value)
    if role is not None and all(roles):
        raise MisboundArgumentError(role_words.wrong_role(role, frozenset().union(*roles)))
    check_type_internal(value, misbound[0], memo)  # raises again: what is wrong is inside of the value


def _check_type(
    value: Any,
    origin: Any,
    arguments: tuple[Any, ...],
    extras: tuple[Any, ...],
    memo: TypeCheckMemo,
    *,
    unless: TypeCheckerCallable | None = None,
) -> None:
    """What typeguard does with the annotation where nobody demands a role."""
    for find in checker_lookup_functions:
        checker = find(origin, arguments, extras)
        if checker is not None and checker is not unless:
            checker(value, origin, arguments, memo)
            return
    check_type_internal(value, origin, memo)
