"""What the plugin costs mypy: CPU time with it over that without it, cold and warm, in one interleaved run.

    python benchmarks/mypy_plugin.py [--rounds 5] [--package pylint=DIRECTORY] [--package sglang/srt/layers=DIRECTORY]

A package that is not named is fetched with pip. Both variants see the same files with the same options; they take turns, and the
median of the ratios of neighbours is printed. CPU time is user and system time of mypy's process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from corpora import CORPORA, DEFAULT_DIRECTORY, prepare

ROOT = Path(__file__).resolve().parent.parent
PYLINT = "pylint==4.0.2"


def fetch(name: str, into: Path) -> Path:
    """The directory of a package, by its name here."""
    if name == "pylint":
        target = into / "pylint"
        if not target.exists():
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), PYLINT]
            subprocess.run(command, check=True)
        return target / "pylint"
    sglang = next(corpus for corpus in CORPORA if corpus.name == "sglang")
    return prepare(sglang, into) / "sglang" / "srt" / "layers"


def seconds(package: Path, plugin: str, cache: Path) -> float:
    """CPU time of one run of mypy, in seconds."""
    configuration = cache.parent / f"{plugin or 'plain'}.ini"
    configuration.write_text(f"[mypy]\n{f'plugins = {plugin}' if plugin else ''}\n", encoding="utf-8")
    options = ["--ignore-missing-imports", "--follow-imports=silent", "--no-site-packages", "--config-file"]
    # Installed, both are compiled; and so they are here, from the second round on.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = os.times()
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(configuration), "--cache-dir", str(cache), str(package)],
        cwd=cache.parent,  # beside a package lies what shadows the libraries of mypy
        env={**environment, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(cache.parent / "bytecode")},
        capture_output=True,
        text=True,
        check=False,
    )
    after = os.times()
    if ran.returncode not in {0, 1}:
        sys.exit(f"mypy ended with {ran.returncode} on {package}: {ran.stdout[-300:]}{ran.stderr[-300:]}")
    return after.children_user + after.children_system - before.children_user - before.children_system


def measure(name: str, package: Path, rounds: int) -> None:
    """Print the two ratios of a package."""
    cold, warm = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for turn in range(rounds + 1):
            took: dict[tuple[str, str], float] = {}
            order = ["", "sigcheck.mypy_plugin"]
            for plugin in order if turn % 2 == 0 else reversed(order):
                cache = Path(scratch) / f"{turn}{plugin}"
                took["cold", plugin] = seconds(package, plugin, cache)
                took["warm", plugin] = seconds(package, plugin, cache)
            if not turn:
                continue  # That one compiled them.
            cold.append(took["cold", order[1]] / took["cold", ""])
            warm.append(took["warm", order[1]] / took["warm", ""])
            print(f"{name} {turn}: { ({' '.join(key): round(value, 2) for key, value in took.items()}) }")
    for label, ratios in (("cold", cold), ("warm", warm)):
        print(f"{name} {label}: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--package", action="append", default=[], metavar="NAME=DIRECTORY")
    arguments = parser.parse_args()
    given = dict(entry.split("=", 1) for entry in arguments.package)
    for name in ("pylint", "sglang/srt/layers"):
        package = Path(given[name]).resolve() if name in given else fetch(name, DEFAULT_DIRECTORY)
        measure(name, package, arguments.rounds)


if __name__ == "__main__":
    main()
