"""The guard of a running program: what static reading cannot see is held against its base when it happens.

    from sigcheck.runtime import Guarded, guard

    class MoEMethodBase(Guarded): ...                      # every subclass, anywhere, is checked when it is created
    guard(MoEMethodBase, methods=["apply*"], mode="warn")  # the same for a class that exists

    with guarding(MoEMethodBase): ...                      # its calls to its own methods bind what their author meant

    def apply_tp(self, fc1_latent_proj: Annotated[nn.Layer, Role("fc1_latent_proj")] | None = None): ...
    layer = with_role(nn.Linear(64, 16), "fc1_latent_proj")  # in the place of another role: told by typeguard, and in a scope

`SIGCHECK=off|warn|raise` in the environment overrides the mode. A class that breaks a promise of its base is an
`IncompatibleOverrideError`, or an `IncompatibleOverrideWarning`.

The names are imported when they are used: the guard of classes needs neither typeguard nor anything else but Python. The first
use of a role makes typeguard look for roles, also where sigcheck is not installed and typeguard finds no entry point of it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sigcheck.runtime.creation import Guarded, guard, unguard
    from sigcheck.runtime.errors import (
        GuardUsageError,
        IncompatibleOverrideError,
        IncompatibleOverrideWarning,
        SigcheckWarning,
    )
    from sigcheck.runtime.misbound import MisboundArgumentError, MisboundArgumentWarning
    from sigcheck.runtime.mode import Mode
    from sigcheck.runtime.roles import Role, role_of, with_role
    from sigcheck.runtime.scope import alias, guarding

_HOMES = {
    "Guarded": "sigcheck.runtime.creation",
    "guard": "sigcheck.runtime.creation",
    "unguard": "sigcheck.runtime.creation",
    "GuardUsageError": "sigcheck.runtime.errors",
    "IncompatibleOverrideError": "sigcheck.runtime.errors",
    "IncompatibleOverrideWarning": "sigcheck.runtime.errors",
    "SigcheckWarning": "sigcheck.runtime.errors",
    "MisboundArgumentError": "sigcheck.runtime.misbound",
    "MisboundArgumentWarning": "sigcheck.runtime.misbound",
    "Mode": "sigcheck.runtime.mode",
    "Role": "sigcheck.runtime.roles",
    "role_of": "sigcheck.runtime.roles",
    "with_role": "sigcheck.runtime.roles",
    "alias": "sigcheck.runtime.scope",
    "guarding": "sigcheck.runtime.scope",
}

__all__ = [
    "GuardUsageError",
    "Guarded",
    "IncompatibleOverrideError",
    "IncompatibleOverrideWarning",
    "MisboundArgumentError",
    "MisboundArgumentWarning",
    "Mode",
    "Role",
    "SigcheckWarning",
    "alias",
    "guard",
    "guarding",
    "role_of",
    "unguard",
    "with_role",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    if home == "sigcheck.runtime.roles":
        importlib.import_module("sigcheck.runtime.typeguard_plugin").register()
    value: object = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
