"""mypy's options hold for the plugin's errors as for its own, in a warm run as in a cold one."""

from __future__ import annotations

import json

import pytest

from tests.mypy_plugin.programs import CONFIGURATION, TAKES_CODES, Project, ours

BASE = """\
class Base:
    def __init__(self, heads, width): ...

    def run(self, x, y=None): ...

    def step(self, a, b): ...
"""
SUB = """\
from pkg.base import Base


class Sub(Base):
    def run(
        self,
        z,{run}
        y=None,
    ): ...

    def step(self, a, c): ...{step}

    def __init__(self, width, heads):
        super().__init__(
            width,
            heads,{call}
        )
"""
FILES = {"pkg/__init__.py": "", "pkg/base.py": BASE, "pkg/sub.py": SUB.format(run="", step="", call="")}
OVERRIDES = {("pkg/sub.py", 5), ("pkg/sub.py", 11)}
CALLS = {("pkg/sub.py", 14)}


def _told(project: Project, *options: str) -> dict[str, set[tuple[str, int]]]:
    """The places of the errors of each code, in JSON: the same cold, warm, and warm after an edit of the base."""
    options = ("--output=json", *options)
    cold = project.cold(*options)
    assert project.mypy(*options) == cold
    assert project.mypy(*options) == cold, "replayed"
    base = project.files["pkg/base.py"]
    project.edit({"pkg/base.py": base.replace("y=None", "y=None, more=0")})
    assert project.mypy(*options) == project.cold(*options), "edited"
    project.edit({"pkg/base.py": base})
    found: dict[str, set[tuple[str, int]]] = {}
    for line in cold:
        entry = json.loads(line)
        found.setdefault(entry["code"], set()).add((entry["file"], entry["line"]))
    return found


@pytest.fixture
def package(project: Project) -> Project:
    """A package of a base and a class below."""
    project.edit(FILES)
    project.targets = ["pkg"]
    return project


def test_a_note_in_json_belongs_to_its_error(package: Project) -> None:
    for options in ([], ["--sqlite-cache"]):
        package.mypy("--output=json", *options)
        for lines in (package.cold("--output=json"), package.mypy("--output=json", *options)):
            found = [json.loads(line) for line in lines]
            assert {entry["severity"] for entry in found} == {"error"}, "no note stands alone"
            hints = {entry["line"]: entry["hint"] for entry in found if entry["code"] == "override-binding"}
            assert sorted(hints) == [5, 11]
            assert hints[5].splitlines()[0].strip() == "base: Base.run(x, y)   pkg/base.py"
            assert hints[11].splitlines()[0].strip() == "base: Base.step(a, b)   pkg/base.py"
            assert all(hint.count("witness: ") == 1 for hint in hints.values())


@pytest.mark.parametrize(
    ("options", "overrides", "calls"),
    [
        ([], True, True),
        (["--disable-error-code=override"], False, True),
        (["--disable-error-code=call-arg"], True, False),
        (["--disable-error-code=override-binding"], False, True),
        (["--disable-error-code=call-binding"], True, False),
        (["--disable-error-code=override", "--enable-error-code=override-binding"], True, True),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_codes_and_sub_codes_on_the_command_line(
    options: list[str], overrides: bool, calls: bool, package: Project
) -> None:
    if not TAKES_CODES and any("-binding" in option for option in options):
        pytest.skip("this mypy reads its options before it loads a plugin")
    found = _told(package, *options)
    assert found.get("override-binding", set()) == (OVERRIDES if overrides else set())
    assert found.get("call-binding", set()) == (CALLS if calls else set())


def test_sections_for_modules(package: Project) -> None:
    override = "override-binding" if TAKES_CODES else "override"
    sections = f"[mypy-pkg.sub]\ndisable_error_code = {override}\n"
    package.edit({"mypy.ini": CONFIGURATION + sections, "other.py": FILES["pkg/sub.py"]})
    package.targets = ["pkg", "other.py"]
    found = _told(package)
    assert found["override-binding"] == {("other.py", 5), ("other.py", 11)}
    assert found["call-binding"] == {("pkg/sub.py", 14), ("other.py", 14)}
    package.edit({"mypy.ini": f"{CONFIGURATION}[mypy-pkg.*]\nignore_errors = True\n"})
    assert set(_told(package)) == {"override-binding", "call-binding"}
    package.edit(
        {"mypy.ini": f"{CONFIGURATION}[mypy-pkg.*]\nignore_errors = True\n[mypy-other]\nignore_errors = True\n"}
    )
    assert _told(package) == {}


NARROW = {7: "override-binding", 11: "override-binding", 16: "call-binding"}
WIDE = {7: "override", 11: "override", 16: "call-arg"}
"""What is ignored in which line of `SUB`: at a parameter, at a method, at an argument."""


@pytest.mark.parametrize("codes", [NARROW, WIDE], ids=["narrow", "wide"])
def test_an_ignore_is_used_or_told_to_be_useless(codes: dict[int, str], package: Project) -> None:
    comments = [f"  # type: ignore[{code}]" for code in codes.values()]
    texts = dict(zip(("run", "step", "call"), comments, strict=True))
    package.edit({"pkg/sub.py": SUB.format(**texts)})
    places = {("pkg/sub.py", line) for line in codes}
    found = _told(package, "--warn-unused-ignores")
    # To mypy a code that has the error's as a sub-code is used, and wider than need be.
    assert found == ({} if codes is NARROW else {"unused-ignore": places})
    if codes is WIDE:
        told = package.cold("--warn-unused-ignores")
        narrow = [NARROW[line] for line in (11, 16, 7)]
        assert all(f"use narrower [{code}] instead" in line for line, code in zip(told, narrow, strict=True))
    agreeing = BASE.replace("heads, width", "width, heads").replace("x, y=None", "z, y=None").replace("a, b", "a, c")
    package.edit({"pkg/base.py": agreeing})
    assert _told(package, "--warn-unused-ignores") == {"unused-ignore": places}


def test_columns(package: Project) -> None:
    options = ("--show-column-numbers", "--show-error-end")
    cold = package.cold(*options)
    assert package.mypy(*options) == cold
    assert package.mypy(*options) == cold
    assert [line.partition(": error")[0] for line in cold if line.endswith("[override-binding]")] == [
        "pkg/sub.py:11:9:11:12",
        "pkg/sub.py:5:9:5:11",
    ]


SHADOWS = {
    "base.py": "class Base:\n    def run(self, x): ...\n\n    def go(self):\n        self.run(x=1)\n",
    "sub.py": (
        "import os\nfrom base import Base\n\n\n"
        "class More(Base):\n    def run(self, x): ...\n\n    def go(self):\n        self.run(1, 2)\n\n\n"
        "class Sub(Base):\n    def run(self, y): ...\n"
    ),
}


def test_a_file_that_stands_for_another_is_read_instead(project: Project) -> None:
    below = "from base import Base\n\n\nclass Sub(Base):\n    def run(self, x): ...\n"
    project.edit(
        {
            "base.py": "class Base:\n    def run(self, x): ...\n\n    def go(self):\n        self.run(1)\n",
            "sub.py": below,
        }
    )
    assert project.mypy() == []
    project.edit({f"shadows/{name}": text for name, text in SHADOWS.items()})
    shadows = [word for name in SHADOWS for word in ("--shadow-file", name, f"shadows/{name}")]
    told = [project.cold(*shadows), project.mypy(*shadows), project.mypy(*shadows), project.dmypy(*shadows)]
    project.edit(SHADOWS)
    assert told == [project.cold()] * 4
    assert [line.partition(" ")[0] for line in ours(told[0])] == ["sub.py:13:", "sub.py:9:"]
    project.targets = ["sub.py"]
    for base in (SHADOWS["base.py"].replace("x=1", "1"), SHADOWS["base.py"].replace("x", "y")):
        project.edit({"shadows/base.py": base})
        silent = ("--follow-imports=silent", *shadows)
        assert project.mypy(*silent) == project.cold(*silent)
