"""What importing the guard costs, on top of typeguard: `python benchmarks/starting.py [ROUNDS]`.

Each import runs in a process of its own, all of them once in each round. The table has the medians of the processor time in
milliseconds, without the start of the interpreter, and what is on top of typeguard alone.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

GUARD = "typeguard, sigcheck.runtime"
EVERYTHING = "typeguard; from sigcheck.runtime import *"
PROGRAMS = ("typeguard", GUARD, EVERYTHING, "sigcheck.runtime.creation")

MOST = 60
"""Milliseconds that the guard, with every public name, may add to typeguard."""

_TIMED = "import time; begin = time.process_time(); import {}; print(time.process_time() - begin)"


def seconds(program: str) -> float:
    """The processor time of one import, in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(program)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return float(done.stdout)


def main(rounds: int) -> int:
    """Print the table; 1 where the guard costs more than it may."""
    for program in PROGRAMS:
        seconds(program)  # writes the bytecode
    taken: dict[str, list[float]] = {program: [] for program in PROGRAMS}
    for _ in range(rounds):
        for program in PROGRAMS:
            taken[program].append(1000 * seconds(program))
    alone = statistics.median(taken["typeguard"])
    print(f"Python {sys.version.split()[0]}, medians of {rounds} rounds\n")
    print(f"{'import':<44}{'ms':>8}{'on top':>10}")
    for program, times in taken.items():
        median = statistics.median(times)
        top = f"{median - alone:10.1f}" if "typeguard" in program and program != "typeguard" else ""
        print(f"{program:<44}{median:8.1f}{top}")
    most = max(statistics.median(taken[program]) - alone for program in (GUARD, EVERYTHING))
    print(f"\nat most {MOST} ms on top of typeguard: {'yes' if most < MOST else 'NO'}")
    return int(most >= MOST)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 15))
