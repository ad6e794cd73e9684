"""This checkout as other programs find it: with the entry points of `pyproject.toml`, whether it is installed or not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.running import CHECKOUT, environment

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def with_entry_points(directory: Path, **changes: str) -> dict[str, str]:
    """An environment in which a distribution in `directory` declares the entry points."""
    described = directory / "site" / "sigcheck-0.0.0.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: sigcheck\nVersion: 0.0.0\n")
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items())]
    (described / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return environment(PYTHONPATH=os.pathsep.join([str(described.parent), str(CHECKOUT)]), **changes)


def python(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run this interpreter."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=env or environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
