"""Time and memory against the size of the tree: `sglang/srt` once, and copies of it under other package names.

    python benchmarks/growth.py [--copies 1,2,5,10] [--rounds 3] [--into .corpora] [--tree DIRECTORY]

Every copy is a package of its own: wherever the sources say `sglang`, the copy says its own name, so that its classes inherit from
one another and not from the first. Cold is without a cache; warm is the run after one that left a cache. The table has medians;
`time` and `memory` are those of one copy in multiples of it. Memory is the peak of the process tree (see `measuring`).
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora import CORPORA, DEFAULT_DIRECTORY, prepare
from measuring import Taken, machine, run

ROOT = Path(__file__).resolve().parent.parent
_NAME = re.compile(rb"\bsglang\b")


def srt_of(into: Path) -> Path:
    """The directory `srt` of sglang, fetched if it is not there."""
    corpus = next(corpus for corpus in CORPORA if corpus.name == "sglang")
    return prepare(corpus, into) / "sglang" / "srt"


def copy(srt: Path, to: Path, copies: int) -> None:
    """Copy the Python files of `srt` to `to/sglang/srt`, `to/sglang_1/srt`, …"""
    for number in range(copies):
        name = f"sglang_{number}" if number else "sglang"
        for file in sorted(srt.rglob("*.py")):
            target = to / name / "srt" / file.relative_to(srt)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_NAME.sub(name.encode(), file.read_bytes()))


def check(tree: Path, scratch: Path, *options: str, paths: Sequence[str] = (".",), with_memory: bool = False) -> Taken:
    """Run `sigcheck check` in a directory; exits where the check could not be made."""
    command = (sys.executable, "-m", "sigcheck", "check", *options, *paths)
    taken = run(command, tree, scratch, environment={"PYTHONPATH": str(ROOT)}, with_memory=with_memory)
    if taken.status not in {0, 1}:
        sys.exit(f"sigcheck ended with {taken.status}: {taken.errors.decode()[-500:]}")
    return taken


@dataclass(frozen=True)
class Size:
    """A tree, and the medians of what checking it took.

    Attributes:
        copies: of `srt`.
        files: Python files.
        cold: seconds without a cache.
        cold_cpu: processor time of that.
        warm: seconds with nothing changed.
        peak: bytes of memory, cold.
    """

    copies: int
    files: int
    cold: float
    cold_cpu: float
    warm: float
    peak: int


def measure(srt: Path, copies: int, rounds: int, under: Path) -> Size:
    """Measure one size.

    Args:
        srt: what is copied.
        copies: how often.
        rounds: how many runs the medians are of.
        under: an empty directory for all that.
    """
    tree, scratch = under / "tree", under / "scratch"
    scratch.mkdir()
    copy(srt, tree, copies)
    peak = check(tree, scratch, "--no-cache", with_memory=True).peak
    cold = [check(tree, scratch, "--no-cache") for _ in range(rounds)]
    check(tree, scratch)
    warm = [check(tree, scratch) for _ in range(rounds)]
    return Size(
        copies,
        sum(1 for _ in tree.rglob("*.py")),
        statistics.median(taken.wall for taken in cold),
        statistics.median(taken.cpu for taken in cold),
        statistics.median(taken.wall for taken in warm),
        peak,
    )


def rendered(sizes: Sequence[Size]) -> str:
    """A table."""
    first = sizes[0]
    lines = [
        "| copies | files | cold, s | time | CPU, s | warm, s | time | peak, MB | memory |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {size.copies} | {size.files:,} | {size.cold:.1f} | {size.cold / first.cold:.1f} | {size.cold_cpu:.1f} "
        f"| {size.warm:.2f} | {size.warm / first.warm:.1f} | {size.peak / 1e6:,.0f} | {size.peak / first.peak:.1f} |"
        for size in sizes
    ]
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", default="1,2,5,10", help="default: 1,2,5,10")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--into", type=Path, default=DEFAULT_DIRECTORY, help="default: .corpora in the repository")
    parser.add_argument("--tree", type=Path, help="copy this directory instead of sglang/srt")
    options = parser.parse_args()
    srt = options.tree or srt_of(options.into)
    sizes = []
    for copies in map(int, options.copies.split(",")):
        with tempfile.TemporaryDirectory() as under:
            sizes.append(measure(srt, copies, options.rounds, Path(under)))
        print(f"{copies}: {sizes[-1]}", file=sys.stderr, flush=True)
    print(f"{machine()}, Python {sys.version.split()[0]}, medians of {options.rounds}\n\n{rendered(sizes)}")


if __name__ == "__main__":
    main()
