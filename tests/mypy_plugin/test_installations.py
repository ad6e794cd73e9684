"""What is installed changes: another sigcheck between two runs; mypy without its compiled modules."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mypy_plugin.programs import CONFIGURATION
from tests.running import CHECKOUT, environment, write

FAMILY = {
    "mypy.ini": CONFIGURATION,
    "base.py": "class Base:\n    def run(self, x, y=None): ...\n    def typed(self, x: int, y: int = 0) -> int: return 0\n",
    "mid.py": "from base import Base\n\n\nclass Mid(Base): ...\n",
    "sub.py": "from mid import Mid\n\n\nclass Sub(Mid):\n    def run(self, z, y=None): ...\n    def typed(self, x: int) -> int: return 0\n",
}


def run(directory: Path, path: Path, module: str, *arguments: str) -> list[str]:
    """What mypy or dmypy prints, of the packages that stand in `path` first.

    Args:
        directory: of the project.
        path: with packages.
        module: the program.
        arguments: its.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=directory,
        env=environment(PYTHONPATH=f"{path}:{CHECKOUT}"),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return sorted(line for line in done.stdout.splitlines() if not line.startswith(("Daemon st", "Restarting: ")))


@pytest.mark.parametrize("program", ["mypy", "dmypy"])
def test_another_sigcheck_is_believed_and_not_the_cache(program: str, tmp_path: Path) -> None:
    write(tmp_path, FAMILY)
    installed = tmp_path / "installed" / "sigcheck"
    shutil.copytree(CHECKOUT / "sigcheck", installed, ignore=shutil.ignore_patterns("__pycache__"))
    words, version = installed / "report" / "words.py", installed / "version.py"
    upgrades = [
        (words, words.read_text("utf-8").replace("is called `", "is now called `")),
        (version, version.read_text("utf-8") + "\n# released\n"),
    ]
    common = ("--no-error-summary", "base.py", "mid.py", "sub.py")

    def warm() -> list[str]:
        if program == "mypy":
            return run(tmp_path, installed.parent, "mypy", *common)
        return run(tmp_path, installed.parent, "mypy.dmypy", "--status-file", "daemon.json", "run", "--", *common)

    told = []
    try:
        assert warm() == warm()
        for path, text in upgrades:
            assert text != path.read_text("utf-8")
            path.write_text(text, "utf-8")
            told = warm()
            assert told == run(tmp_path, installed.parent, "mypy", "--cache-dir", "cold", *common)
            shutil.rmtree(tmp_path / "cold")
            assert any("is now called `z`" in line for line in told)
    finally:
        if program == "dmypy":
            run(tmp_path, installed.parent, "mypy.dmypy", "--status-file", "daemon.json", "stop")


@pytest.mark.long
def test_mypy_interpreted_says_what_mypy_compiled_says(tmp_path: Path) -> None:
    compiled = importlib.import_module("mypy.build").__file__ or ""
    if compiled.endswith(".py"):
        pytest.skip("this mypy is not compiled")
    write(tmp_path, FAMILY)
    source = Path(compiled).parent
    packages = tmp_path / "packages"
    shutil.copytree(source, packages / "mypy", ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    code = "import mypy.build, mypy.nodes; print(mypy.build.__file__, mypy.nodes.__file__)"
    shown = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(packages)),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert shown.stdout.split() == [str(packages / "mypy" / "build.py"), str(packages / "mypy" / "nodes.py")]
    common = ("--no-error-summary", "base.py", "mid.py", "sub.py")
    for text in (FAMILY["base.py"], FAMILY["base.py"].replace("y=None", "y=None, more=0"), FAMILY["base.py"]):
        write(tmp_path, {"base.py": text})
        expected = run(tmp_path, CHECKOUT, "mypy", "--cache-dir", "compiled", *common)
        assert any(line.endswith("[override-binding]") for line in expected)
        assert run(tmp_path, packages, "mypy", "--cache-dir", "interpreted", *common) == expected
        assert run(tmp_path, packages, "mypy", "--cache-dir", "interpreted", *common) == expected
