"""Which versions of mypy the plugin knows."""

from __future__ import annotations

import re

OLDEST = (1, 16)
NEWEST = (2, 4)


def complaint(version: str) -> str | None:
    """What to tell whoever runs the plugin with another mypy; None where there is nothing to tell."""
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is not None and OLDEST <= (int(found.group(1)), int(found.group(2))) <= NEWEST:
        return None
    oldest, newest = (".".join(map(str, bound)) for bound in (OLDEST, NEWEST))
    return (
        f"sigcheck.mypy_plugin: mypy {version} is not among the versions {oldest} to {newest} that the plugin knows; "
        f"it checks nothing. Install one of these, or take the plugin out of mypy's configuration and run `sigcheck check`."
    )
