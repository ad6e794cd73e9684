"""The walk: which files there are, and what they are called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sigcheck.files import FileFinder, shown
from tests.running import write


@pytest.mark.parametrize(
    "top", ["pkg", "pkg/", ".", "./pkg", "..", "../here", "../beside", "pkg/../pkg", "to", "absolute"]
)
def test_every_file_is_named_as_if_it_were_alone(top: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    names = (
        "pkg/a.py",
        "pkg/sub/b.pyi",
        "pkg/sub/deep/c.py",
        "pkg/s ub/d.py",
        "pkg/zäh\n/e.py",
        "other/f.py",
        "other/sub/g.py",
    )
    write(here, dict.fromkeys(names, ""))
    write(tmp_path, {"beside/h.py": "", "beside/sub/i.py": ""})
    for link, target in (
        ("pkg/over", "../other"),
        ("pkg/sub/up", "../../pkg"),
        ("to", "pkg"),
        ("pkg/l.py", "../other/f.py"),
    ):
        (here / link).symlink_to(target)
    (tmp_path / "beside" / "back").symlink_to(here / "pkg")
    monkeypatch.chdir(here)
    found = list(FileFinder(here, ()).files([str(here) if top == "absolute" else top], {}))
    assert len(found) >= 2
    assert [(file.path, file.real, file.shown) for file in found] == [
        (file.path, os.path.realpath(file.path), shown(file.path)) for file in found
    ]
    assert len({file.real for file in found}) == len(found)
