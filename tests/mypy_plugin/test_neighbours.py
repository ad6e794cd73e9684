"""Other plugins see the classes that they would see without sigcheck's, and keep none from it."""

from __future__ import annotations

import pytest

from tests.mypy_plugin.programs import Project, ours
from tests.mypy_runs import run_mypy

SEEING_CLASSES = """\
from mypy.plugin import Plugin


class SeeingClasses(Plugin):
    def get_customize_class_mro_hook(self, fullname):
        if fullname.startswith("sub."):
            return lambda context: context.api.fail("seen by another plugin", context.cls)


def plugin(version):
    return SeeingClasses
"""
ANSWERING = """\
from mypy.plugin import Plugin


class Answering(Plugin):
    def get_base_class_hook(self, fullname):
        if fullname == "base.Base":
            return lambda context: context.api.fail("asked about a base", context.cls)


def start(version):
    return Answering
"""
FILES = {
    "base.py": "class Base:\n    def run(self, x): ...\n",
    "sub.py": "from base import Base\n\n\nclass Sub(Base):\n    def run(self, y): ...\n\n\nclass Other: ...\n",
    "plugins/seeing_classes.py": SEEING_CLASSES,
    "plugins/answering.py": ANSWERING,
}


def _configure(project: Project, *plugins: str) -> None:
    project.edit({"mypy.ini": f"[mypy]\nplugins = {', '.join(plugins)}\n", **FILES})


def test_the_plugins_behind_see_each_class(project: Project) -> None:
    _configure(project, "sigcheck.mypy_plugin", "plugins/answering.py:start", "plugins/seeing_classes.py")
    told = project.cold()
    assert [line for line in told if "plugin" in line] == [
        "sub.py:4: error: seen by another plugin  [misc]",
        "sub.py:8: error: seen by another plugin  [misc]",
    ]
    assert "sub.py:4: error: asked about a base  [misc]" in told
    assert [line.partition(": ")[0] for line in ours(told)] == ["sub.py:5"]
    for edit in ({}, {"base.py": FILES["base.py"].replace("x", "x, z=0")}, {"base.py": FILES["base.py"]}):
        project.edit(edit)
        assert project.mypy() == project.cold()
        assert project.dmypy() == project.cold()


def test_one_that_sees_no_class_may_stand_before(project: Project) -> None:
    _configure(project, "plugins/answering.py:start", "sigcheck.mypy_plugin")
    told = project.cold()
    assert len(told) > len(ours(told)) == 1


@pytest.mark.parametrize("name", ["sigcheck.mypy_plugin", "sigcheck.mypy_plugin:plugin"])
def test_one_that_may_keep_classes_is_told_of(name: str, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    _configure(project, "plugins/seeing_classes.py", name)
    monkeypatch.chdir(project.directory)
    told, problem, status = run_mypy(["base.py", "sub.py"])
    assert (told, status) == ("", 2)
    assert problem == (
        "mypy.ini: name sigcheck.mypy_plugin before plugins/seeing_classes.py, which keeps classes from plugins behind it\n"
    )
