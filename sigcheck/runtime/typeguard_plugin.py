"""How typeguard finds the checks of roles: its entry point `typeguard.checker_lookup` leads here.

typeguard loads this module while it is being loaded itself, for every user of it; so nothing here imports it, or
`role_checker`, before it is needed.
"""

from __future__ import annotations

from typing import Any

from sigcheck.runtime.roles import UNIONS, is_about_roles, roles_in


def find_checker(origin: Any, arguments: tuple[Any, ...], extras: tuple[Any, ...]) -> Any:
    """The checker of an annotation that is about roles.

    Args:
        origin: the type, without its arguments.
        arguments: those.
        extras: what stands behind the type in `Annotated`.

    Returns:
        a checker of role and type; None where no role is demanded.
    """
    if extras and roles_in(extras):
        from sigcheck.runtime.role_checker import role_checker  # noqa: PLC0415 - see above

        return role_checker(extras)
    if origin in UNIONS and any(is_about_roles(arm) for arm in arguments):
        from sigcheck.runtime.role_checker import check_union  # noqa: PLC0415 - see above

        return check_union
    return None


def register() -> None:
    """Show roles to typeguard, where it did not find the entry point: sigcheck is not installed, but can be imported."""
    from typeguard import checker_lookup_functions  # noqa: PLC0415 - see above

    if find_checker not in checker_lookup_functions:
        checker_lookup_functions.insert(0, find_checker)
