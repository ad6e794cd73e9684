"""What the plugin costs mypy: CPU time with it over that without it, cold and warm, in one interleaved run.

    python benchmarks/mypy_plugin.py [--rounds 5] [--package pylint=DIRECTORY] [--package sglang/srt/layers=DIRECTORY]

A package that is not named is fetched with pip. Both variants see the same files with the same options; they take turns. CPU time is
user and system time of mypy's process. What disturbs a run only adds to it: printed is the ratio of the least of each, and how far the
ratios of neighbours scatter. Where that is more than what the plugin costs, the third figure tells more: the share of the plugin's own
steps, timed within the process (`mypy_within.py`), in the rest of a cold run, each from the start of the process to its end.
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

WITHIN = Path(__file__).resolve().with_name("mypy_within.py")
ROOT = WITHIN.parent.parent
PLUGIN = "sigcheck.mypy_plugin"
PYLINT = "pylint==4.0.2"
OPTIONS = ["--ignore-missing-imports", "--follow-imports=silent", "--no-site-packages", "--config-file"]


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


def run(program: list[str], package: Path, plugin: str, cache: Path, ends: set[int]) -> str:
    """What a program prints that runs mypy; it must end with one of these statuses."""
    configuration = cache.parent / f"{plugin or 'plain'}.ini"
    configuration.write_text(f"[mypy]\n{f'plugins = {plugin}' if plugin else ''}\n", encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, *program, *OPTIONS, str(configuration), "--cache-dir", str(cache), str(package)],
        cwd=cache.parent,  # beside a package lies what shadows the libraries of mypy
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode not in ends:
        what = " ".join(program)
        sys.exit(f"{what} ended with {ran.returncode} on {package}: {ran.stdout[-300:]}{ran.stderr[-300:]}")
    return ran.stdout


def seconds(package: Path, plugin: str, cache: Path) -> float:
    """CPU time of one run of mypy, in seconds."""
    before = os.times()
    run(["-m", "mypy"], package, plugin, cache, {0, 1})
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def shares(package: Path, rounds: int) -> list[float]:
    """The share of the plugin's own steps in the rest of a cold run, so many times; a first run compiles what is imported."""
    found = []
    for _ in range(rounds + 1):
        with tempfile.TemporaryDirectory() as scratch:
            found.append(float(run([str(WITHIN)], package, PLUGIN, Path(scratch) / "cache", {0})))
    return found[1:]


def measure(name: str, package: Path, rounds: int) -> None:
    """Print the two ratios of a package, and the share."""
    times: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        # Installed, both are compiled; and so they are here, from the second round on.
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(scratch) / "bytecode")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        for turn in range(rounds + 1):
            took: dict[tuple[str, str], float] = {}
            order = ["", PLUGIN]
            for plugin in order if turn % 2 == 0 else reversed(order):
                cache = Path(scratch) / f"{turn}{plugin}"
                took["cold", plugin] = seconds(package, plugin, cache)
                took["warm", plugin] = seconds(package, plugin, cache)
            if not turn:
                continue  # That one compiled them.
            for key, value in took.items():
                times.setdefault(key, []).append(value)
            print(f"{name} {turn}: { ({' '.join(key): round(value, 2) for key, value in took.items()}) }")
        within = shares(package, rounds)
    for label in ("cold", "warm"):
        with_plugin, without = times[label, order[1]], times[label, ""]
        ratios = [one / other for one, other in zip(with_plugin, without, strict=True)]
        print(
            f"{name} {label}: {min(with_plugin) / min(without):.3f} (neighbours {min(ratios):.3f} to {max(ratios):.3f})"
        )
    print(f"{name} within the process: {statistics.median(within):.1%} ({min(within):.1%} to {max(within):.1%})")


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
