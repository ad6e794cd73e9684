"""The race: every override of `sglang/srt`, by sigcheck and by the checkers people have, side by side in one run.

    python benchmarks/race.py [--rounds 5] [--other-rounds N] [--peers ty,mypy] [--without-growth] [--into .corpora]

Fetches the sources and, into a virtual environment of their own, the peers at pinned versions; copies the sources to a scratch
directory; has everybody run in turn, round after round; prints one table of medians with their ratios to ty's cold run, and writes
it to `benchmarks/RESULTS.md`. Nobody is given the packages that the sources import. Everybody reports to a file. Of a peer's rules
only those that compare overrides are on, where that can be said.

The cases: *cold* without any cache; *cold, keeping* with an empty one that it fills; *warm* with nothing changed since; *edited*
with a parameter inserted into a method that 46 classes override, and sigcheck's report held against that of a cold run; *one
contract* without a cache, where a configuration asks about one base only.
"""

from __future__ import annotations

import argparse
import ast
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from corpora import CORPORA, DEFAULT_DIRECTORY, CorpusError
from growth import copy, srt_of
from measuring import Taken, machine, run

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "RESULTS.md"
SCRIPTS = "Scripts" if sys.platform == "win32" else "bin"

PEERS = {"ty": "0.0.107", "pyrefly": "1.4.1", "mypy": "2.4.1", "pyright": "1.1.414", "pylint": "4.1.4"}
"""Their pinned versions."""

PACKAGE = "sglang/srt"
BASE = f"{PACKAGE}/layers/attention/base_attn_backend.py"
METHOD = "    def init_forward_metadata(self, "
CONTRACT = '[[contracts]]\nbase = "base_attn_backend.AttentionBackend"\nmethods = ["*"]\n'

COLD, KEEPING, WARM, EDITED, CONTRACTED = "cold", "cold, keeping", "warm", "edited", "one contract"
TARGETS = {COLD: 1.0, WARM: 1 / 25, EDITED: 1 / 20, CONTRACTED: 1 / 5}
"""The most that sigcheck's wall time may be of ty's cold one."""

COPIES = 10
MOST_GROWTH = 11
"""Times the time of one copy."""


@dataclass(frozen=True)
class Case:
    """One way to run one program.

    Attributes:
        program: its name.
        name: of the case.
        command: to run in the tree.
        forgets: a cache to remove before.
        is_after_edit: it runs when the base is edited.
    """

    program: str
    name: str
    command: tuple[str, ...]
    forgets: Path | None = None
    is_after_edit: bool = False


def cases_of(program: str, tree: Path, scratch: Path, scripts: Path) -> list[Case]:
    """The cases of a program, in the order in which they follow one another.

    Args:
        program: sigcheck, or one of the peers.
        tree: the directory with the sources.
        scratch: for configurations and caches.
        scripts: the directory with the peers' programs.
    """
    peer = str(scripts / program)
    match program:
        case "sigcheck":
            contract = tree / "contract.toml"  # what it asks about is looked up from where it lies
            contract.write_text(CONTRACT, encoding="utf-8")
            ours = (sys.executable, "-m", "sigcheck", "check", PACKAGE)
            kept = tree / ".sigcheck_cache"
            return [
                Case(program, COLD, (*ours, "--no-cache")),
                Case(program, CONTRACTED, (*ours, "--no-cache", "--config", str(contract))),
                # The options decide which entry of the cache answers.
                Case(program, KEEPING, (*ours, "--output-format", "json"), forgets=kept),
                Case(program, WARM, (*ours, "--output-format", "json")),
                Case(program, EDITED, (*ours, "--output-format", "json"), is_after_edit=True),
            ]
        case "ty":
            only = ("--ignore", "all", "--error", "incompatible-method-override")
            return [Case(program, COLD, (peer, "check", *only, "--output-format", "concise", "--no-progress", PACKAGE))]
        case "pyrefly":
            kinds = "bad-override", "bad-param-name-override"
            on = ("--error", kinds[0], "--error", kinds[1], "--only", ",".join(kinds), "--output-format", "min-text")
            return [Case(program, COLD, (peer, "check", *on, "--ignore-missing-imports", "*", PACKAGE))]
        case "mypy":
            kept = scratch / "mypy"
            options = (
                "--ignore-missing-imports",
                "--no-site-packages",
                "--explicit-package-bases",
                "--check-untyped-defs",
                "--config-file=",
            )
            mypy = (peer, *options, "--cache-dir", str(kept), PACKAGE)
            return [
                Case(program, COLD, mypy, forgets=kept),
                Case(program, WARM, mypy),
                Case(program, EDITED, mypy, is_after_edit=True),
            ]
        case "pyright":
            configuration = tree / "pyrightconfig.json"
            configuration.write_text(
                f'{{"include": ["{PACKAGE}"], "typeCheckingMode": "off", "reportMissingImports": false, '
                '"reportIncompatibleMethodOverride": "error"}',
                encoding="utf-8",
            )
            return [Case(program, COLD, (peer, "--project", str(configuration)))]
        case "pylint":
            rules = "arguments-differ,arguments-renamed,signature-differs,invalid-overridden-method"
            pylint = (peer, "--rcfile=", "--disable=all", f"--enable={rules}", "--jobs=0", "--recursive=y")
            return [Case(program, COLD, (*pylint, PACKAGE))]
        case _:
            raise ValueError(program)


def has_run(program: str, status: int) -> bool:
    """It ended, and with nothing worse than findings. The status of pylint is a sum of what it found; 1 and 32 are failures."""
    return not status & 0b100001 if program == "pylint" else status in {0, 1}


@dataclass
class Race:
    """All that is measured.

    Attributes:
        tree: the directory with the sources.
        scratch: for everything else.
        times: of each program and case, its runs.
        peaks: of each program, the peak memory of a cold run, in bytes.
        same: whether each report after the edit was a cold run's.
    """

    tree: Path
    scratch: Path
    times: dict[tuple[str, str], list[Taken]] = field(default_factory=lambda: defaultdict(list))
    peaks: dict[str, int] = field(default_factory=dict)
    same: list[bool] = field(default_factory=list)

    def take(self, case: Case, *, with_memory: bool = False) -> Taken:
        """Run a case; exits where the program failed otherwise than by finding something."""
        if case.forgets is not None:
            shutil.rmtree(case.forgets, ignore_errors=True)
        ours = {"PYTHONPATH": str(HERE.parent)} if case.program == "sigcheck" else {}
        taken = run(case.command, self.tree, self.scratch, environment=ours, with_memory=with_memory)
        if not has_run(case.program, taken.status):
            said = (taken.errors or taken.output).decode(errors="replace")
            sys.exit(f"{case.program} ended with {taken.status}: {said[-500:]}")
        print(f"{case.program}, {case.name}: {taken.wall:.2f} s, CPU {taken.cpu:.2f} s", file=sys.stderr, flush=True)
        return taken

    def round(self, number: int, cases: Sequence[Case]) -> None:
        """Have everybody run once in every case; the base is edited in between, otherwise in every round."""
        base = self.tree / BASE
        before = base.read_text(encoding="utf-8")
        if before.count(METHOD) != 1:
            sys.exit(f"{BASE} has not the method that the edit is about")
        for case in cases:
            if not case.is_after_edit:
                self.times[case.program, case.name].append(self.take(case))
        base.write_text(before.replace(METHOD, f"{METHOD}inserted_{number}, "), encoding="utf-8")
        try:
            for case in cases:
                if case.is_after_edit:
                    taken = self.take(case)
                    self.times[case.program, case.name].append(taken)
                    if case.program == "sigcheck":
                        cold = Case(case.program, "cold, to compare", (*case.command, "--no-cache"))
                        self.same.append(self.take(cold).output == taken.output)
        finally:
            base.write_text(before, encoding="utf-8")

    def wall(self, program: str, case: str) -> float:
        """The median of the wall times."""
        return statistics.median(taken.wall for taken in self.times[program, case])

    def cpu(self, program: str, case: str) -> float:
        """The median of the processor times."""
        return statistics.median(taken.cpu for taken in self.times[program, case])


def table(race: Race) -> list[str]:
    """All cases, with their ratios to ty's cold run, and whether the targets are met."""
    lines = [
        "| case | program | wall, s | CPU, s | wall / ty | CPU / ty | at most | met |",
        "|---|---|---:|---:|---:|---:|---:|---|",
    ]
    order = {name: index for index, name in enumerate((COLD, KEEPING, WARM, EDITED, CONTRACTED))}
    for program, case in sorted(race.times, key=lambda key: order[key[1]]):
        wall, cpu = race.wall(program, case), race.cpu(program, case)
        ratios = most = met = ""
        if ("ty", COLD) in race.times:
            ratio = wall / race.wall("ty", COLD)
            ratios = f"{ratio:.3f} | {cpu / race.cpu('ty', COLD):.3f}"
            if program == "sigcheck" and case in TARGETS:
                most = f"{TARGETS[case]:.2f}"
                met = "yes" if ratio <= TARGETS[case] else "**no**"
        lines.append(f"| {case} | {program} | {wall:.2f} | {cpu:.2f} | {ratios or ' | '} | {most} | {met} |")
    return lines


def memory(race: Race) -> list[str]:
    """The peaks of cold runs."""
    lines = ["| program | peak, MB | of ty's |", "|---|---:|---:|"]
    ty = race.peaks.get("ty")
    return lines + [
        f"| {program} | {peak / 1e6:,.0f} | {f'{peak / ty:.2f}' if ty else ''} |"
        for program, peak in race.peaks.items()
    ]


def growth(race: Race, cases: Sequence[Case], rounds: int, srt: Path) -> list[str]:
    """Ten copies against one, in turn."""
    many = Race(race.scratch / "copies", race.scratch)
    copy(srt, many.tree, COPIES)
    mine = {case.name: case for case in cases if case.program == "sigcheck"}
    one, ten = ([mine[name] for name in (COLD, KEEPING, WARM)], [])
    for case in one:
        command = tuple("." if part == PACKAGE else part for part in case.command)
        forgets = None if case.forgets is None else many.tree / case.forgets.name
        ten.append(Case(case.program, case.name, command, forgets))
    small = Race(race.tree, race.scratch)
    for _ in range(rounds):
        for case, larger in zip(one, ten, strict=True):
            small.times[case.program, case.name].append(small.take(case))
            many.times[case.program, case.name].append(many.take(larger))
    lines = ["| case | one copy, s | ten copies, s | times | at most | met |", "|---|---:|---:|---:|---:|---|"]
    for name in (COLD, KEEPING, WARM):
        before, after = small.wall("sigcheck", name), many.wall("sigcheck", name)
        met = "yes" if after / before < MOST_GROWTH else "**no**"
        lines.append(f"| {name} | {before:.2f} | {after:.2f} | {after / before:.1f} | {MOST_GROWTH} | {met} |")
    for case in cases:
        if case.name == COLD and case.program in {"sigcheck", "ty"}:
            command = tuple("." if part == PACKAGE else part for part in case.command)
            peak = many.take(Case(case.program, case.name, command), with_memory=True).peak
            lines.append(
                f"| peak memory of {case.program}, MB | {race.peaks[case.program] / 1e6:,.0f} | {peak / 1e6:,.0f} "
            )
            lines[-1] += f"| {peak / race.peaks[case.program]:.1f} | | |"
    return lines


def peers_in(directory: Path, programs: Sequence[str]) -> Path:
    """The directory of the peers' programs: a virtual environment, made where there is none, with the pinned versions."""
    scripts = directory / SCRIPTS
    if not (scripts / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
    wanted = [f"{program}=={PEERS[program]}" for program in programs]
    if wanted:
        pip = [str(scripts / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
        subprocess.run(pip, check=True)
    return scripts


def _parsing_speed(directory: Path) -> float:
    """Megabytes of source that `ast` parses in a second of processor time: how fast this interpreter is here."""
    texts = [file.read_bytes() for file in sorted(directory.rglob("*.py"))[::10]]
    begin = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for text in texts:
            ast.parse(text)
    return sum(map(len, texts)) / (time.process_time() - begin) / 1e6


def report(race: Race, rounds: Mapping[str, int], grown: Sequence[str]) -> str:
    """The page."""
    sglang = next(corpus for corpus in CORPORA if corpus.name == "sglang")
    files = sum(1 for _ in (race.tree / PACKAGE).rglob("*.py"))
    versions = ", ".join(f"{program} {PEERS[program]}" for program in rounds if program in PEERS)
    python = sys.version.split()[0]
    same = f"{sum(race.same)} of {len(race.same)}"
    runs = ", ".join(f"{program} {count}" for program, count in rounds.items())
    parts = [
        f"""# The race

Made by `python benchmarks/race.py` on {time.strftime("%Y-%m-%d", time.gmtime())}: {PACKAGE} of sglang {sglang.version},
{files:,} files; {machine()}.
sigcheck on Python {python}, whose `ast` parses {_parsing_speed(race.tree / PACKAGE):.1f} MB/s (interpreters that are built
without `--enable-optimizations` parse two thirds as fast as others), with libcst {version("libcst")}; {versions}.
Medians; runs: {runs}. Ratios are to ty's cold run in the same rounds.
What a case is, the head of `race.py` says. mypy has no switch for its rule on overrides alone, and reports all that it finds.
""",
        *table(race),
        f"""
After the edit, the report was that of a cold run, byte for byte, in {same} rounds.

## Memory, cold

The greatest sum of resident memory over the process tree, sampled fifty times a second in a run of its own; what forked processes
share counts once for each.
""",
        *memory(race),
    ]
    if grown:
        parts += ["", "## Ten copies under other package names", "", *grown]
    return "\n".join(parts) + "\n"


def main() -> int:
    """The command line: 1 where a target is missed, or a report differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--other-rounds", type=int, help="rounds of the peers besides ty, which take long; default: all"
    )
    parser.add_argument("--peers", default=",".join(PEERS), help=f"default: {','.join(PEERS)}")
    parser.add_argument("--without-growth", action="store_true", help="leave out the ten copies")
    parser.add_argument("--growth-rounds", type=int, help="rounds of the ten copies; default: all")
    parser.add_argument("--into", type=Path, default=DEFAULT_DIRECTORY, help="default: .corpora in the repository")
    parser.add_argument("--environment", type=Path, help="of the peers; default: peers in that directory")
    parser.add_argument("--results", type=Path, default=RESULTS, help="default: benchmarks/RESULTS.md")
    options = parser.parse_args()
    peers = list(filter(None, options.peers.split(",")))
    for name in set(peers) - PEERS.keys():
        parser.error(f"no peer is called {name}; there are {', '.join(PEERS)}")
    others = options.rounds if options.other_rounds is None else options.other_rounds
    rounds = {name: options.rounds if name in {"sigcheck", "ty"} else others for name in ("sigcheck", *peers)}
    try:
        srt = srt_of(options.into)
        scripts = peers_in((options.environment or options.into / "peers").resolve(), peers)
    except (CorpusError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as place:
        scratch = Path(place).resolve()
        race = Race(scratch / "tree", scratch)
        copy(srt, race.tree, 1)
        cases = [case for name in rounds for case in cases_of(name, race.tree, scratch, scripts)]
        for case in cases:
            if case.name == COLD:
                race.peaks[case.program] = race.take(case, with_memory=True).peak
        for number in range(options.rounds):
            race.round(number, [case for case in cases if number < rounds[case.program]])
        grown = [] if options.without_growth else growth(race, cases, options.growth_rounds or options.rounds, srt)
        page = report(race, rounds, grown)
    options.results.write_text(page, encoding="utf-8")
    print(page)
    return int("**no**" in page or not all(race.same))


if __name__ == "__main__":
    raise SystemExit(main())
