"""Classes of every kind: after an edit of their bases a warm run and the daemon say of each what a cold run says."""

from __future__ import annotations

import pytest

from tests.mypy_plugin.programs import CONFIGURATION, Project, ours

RUN = "    def run(self, x, y=0): ...\n"
PLAIN = f"class Base:\n{RUN}"
BELOW = f"class Sub(Base):\n{RUN}"
SAME = "from {base} import Base\n"
GENERIC = "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass Base(Generic[T]):\n    def run(self, x: T, y=0): ...\n"

KINDS = {
    "generic": (
        GENERIC,
        SAME + "class Sub(Base[int]):\n    def run(self, x: int, y=0): ...\n",
    ),
    "protocol": (f"from typing import Protocol\nclass Base(Protocol):\n{RUN}", SAME + BELOW),
    "abstract": (
        "from abc import ABC, abstractmethod\nclass Base(ABC):\n    @abstractmethod\n" + RUN,
        SAME + BELOW,
    ),
    "dataclass": (
        f"from dataclasses import dataclass\n@dataclass\nclass Base:\n    field: int = 0\n{RUN}",
        f"from dataclasses import dataclass\n{SAME}@dataclass(frozen=False)\n{BELOW}",
    ),
    "attrs": (
        f"import attr\n@attr.s(auto_attribs=True)\nclass Base:\n    field: int = 0\n{RUN}",
        f"from attrs import define\n{SAME}@define\n{BELOW}",
    ),
    "named_tuple": (f"from typing import NamedTuple\nclass Base(NamedTuple):\n    field: int = 0\n{RUN}", SAME + BELOW),
    "enum": (f"from enum import Enum\nclass Base(Enum):\n{RUN}", f"{SAME}{BELOW}    ONE = 1\n"),
    "in_a_function": (PLAIN, SAME + "def make():\n" + "".join(f"    {line}\n" for line in BELOW.splitlines())),
    "in_a_method": (
        PLAIN,
        SAME + "class Outer:\n    def make(self):\n" + "".join(f"        {line}\n" for line in BELOW.splitlines()),
    ),
    "in_a_class": (PLAIN, SAME + "class Outer:\n" + "".join(f"    {line}\n" for line in BELOW.splitlines())),
    "unreachable": (
        PLAIN,
        SAME + "def make() -> None:\n    return\n" + "".join(f"    {x}\n" for x in BELOW.splitlines()),
    ),
    "alias": (f"class Root:\n{RUN}Base = Root\n", SAME + BELOW),
    "cycle": (f"import {{sub}}\n{PLAIN}", SAME + BELOW),
    "stub": ("class Base:\n    def run(self, x, anything): ...\n", SAME + BELOW),
    "stub_below": (PLAIN, SAME + "class Sub(Base):\n    def run(self): ...\n"),
    "two_away": (PLAIN, f"from {{base}}_mid import Base\n{BELOW}"),
}
"""A base, and what inherits it: they agree. `{base}` and `{sub}` are the modules' names."""


def _files(*, renamed: bool) -> dict[str, str]:
    """The modules of every kind, or those of the bases with another name for `y`."""
    files = {}
    for kind, texts in KINDS.items():
        names = {"base": f"base_{kind}", "sub": f"sub_{kind}"}
        base, sub = (text.format(**names) for text in texts)
        files[f"base_{kind}.py"] = base
        files[f"sub_{kind}.py"] = sub
        if kind == "stub":  # The stub counts, not what is beside it.
            files["base_stub.pyi"] = PLAIN
        if kind == "stub_below":
            files["sub_stub_below.pyi"] = "from base_stub_below import Base\n" + BELOW
        if kind == "two_away":
            files["base_two_away_mid.py"] = "from base_two_away import Base as Base\n"
    if renamed:
        return {
            name: text.replace("y=0", "z=0")
            for name, text in files.items()
            if name.startswith("base_") and "y=0" in text
        }
    return files


def _kinds(lines: list[str]) -> set[str]:
    """Of which kinds a line is about the class below."""
    return {
        line.partition(".")[0].removeprefix("sub_")
        for line in ours(lines)
        if line.startswith("sub_") and "z is called `y` in " in line
    }


@pytest.mark.parametrize("program", ["mypy", "dmypy"])
def test_an_edit_of_the_base_is_seen_in_a_class_of_every_kind(program: str, project: Project) -> None:
    project.edit({"mypy.ini": CONFIGURATION, "sigcheck.toml": "", **_files(renamed=False)})
    project.targets = ["."]
    run = project.mypy if program == "mypy" else project.dmypy
    clean = project.cold()
    assert not ours(clean)
    assert run() == clean
    for _ in range(2):
        project.edit(_files(renamed=True))
        broken = project.cold()
        assert _kinds(broken) == set(KINDS)
        assert run() == broken
        assert run() == broken, "again"
        project.edit({name: _files(renamed=False)[name] for name in _files(renamed=True)})
        assert run() == clean
