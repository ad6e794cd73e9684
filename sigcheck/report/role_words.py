"""What is said of an argument that is for something else. Imports nothing: typeguard's users load it with the roles."""

from __future__ import annotations

from collections.abc import Collection


def wrong_role(role: str, wanted: Collection[str]) -> str:
    """The end of a sentence that typeguard begins with the argument and its class."""
    belongs = " or ".join(f"`{name}`" for name in sorted(wanted))
    return f"is for `{role}`, and stands where {belongs} belongs; pass it as `{role}`"


def not_a_role(found: object, owner: str) -> str:
    """A role that is no name."""
    return f"the role of {owner} must be a name, not {found!r:.80}"


def no_carrier(owner: str) -> str:
    """A value on which no role can be noted."""
    return (
        f"{owner} can carry no role: it has neither attributes nor weak references; "
        "hand over an object of a class of your own, with `__sigcheck_role__` or a `__dict__`"
    )
