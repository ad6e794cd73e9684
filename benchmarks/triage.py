"""Are the findings on real code true? Draws some by a fixed seed, and has the interpreter judge what it can.

    python benchmarks/triage.py [NAME ...] [--count 20] [--rule RULE] [--seed 7428]
    python benchmarks/triage.py --update docs/real-world.md

Each package is checked with its file in `benchmarks/contracts`. Of the group `override` so many findings are drawn from each
package, of every other rule as many from all together; `judging.py` says what is true. Whether two definitions should have
been compared at all, and whether a path that forgets a parameter should, is for a reader. Findings are drawn by a hash of
what they say, so that mending one does not change the others drawn.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import pickle
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from corpora import DEFAULT_DIRECTORY, Corpus, CorpusError, chosen, prepare  # noqa: E402
from judging import BodyFinding, CallFinding, Finding, OverrideFinding, Place, SiblingFinding  # noqa: E402

import sigcheck  # noqa: E402
import sigcheck.core.place  # noqa: E402
from sigcheck.config import read_configuration  # noqa: E402
from sigcheck.core.diagnostic import BrokenOverride, SiblingDrift  # noqa: E402
from sigcheck.core.forwarding import BrokenCall, MisboundArgument, RejectedArgument  # noqa: E402
from sigcheck.core.honour import IgnoredParameter, NeglectedParameter, SwallowedArguments  # noqa: E402
from sigcheck.core.incompatibility import Witness, names_involved  # noqa: E402
from sigcheck.report.words import witness_text  # noqa: E402

BEGIN, END = "<!-- triage: begin -->", "<!-- triage: end -->"
DRAWN_TOGETHER = tuple(rule.name for rule in sigcheck.RULES.values() if rule.group in ("call", "use", "family"))
"""The rules of which findings are drawn from all packages together."""
_VERDICTS = ("true", "doubtful", "false", "by hand")


@dataclass(frozen=True)
class Outcome:
    """What a check of a corpus found.

    Attributes:
        rules: how many findings of each.
        unresolved: the packages that bases without source would be in.
        findings: all of them; those of the group `call` from a run of that group alone, which tells at the call also what
            the other run tells at the override.
    """

    corpus: Corpus
    files: int
    classes: int
    overrides: int
    calls: int
    rules: Counter[str]
    unresolved: Counter[str]
    findings: tuple[Finding, ...]

    @property
    def broken(self) -> int:
        """How many findings of the group `override` there are."""
        return sum(isinstance(finding, OverrideFinding) for finding in self.findings)


def run(corpus: Corpus, directory: Path) -> Outcome:
    """Check a corpus twice: as its contracts say, and the calls alone; without its dependencies."""
    configuration = read_configuration(HERE / "contracts" / f"{corpus.name}.toml")
    before = Path.cwd()
    os.chdir(directory)
    try:
        with tempfile.TemporaryDirectory() as cache:
            configuration = replace(configuration, root=directory, cache_dir=cache)
            report = sigcheck.check(corpus.paths, configuration)
            calls = sigcheck.check(corpus.paths, replace(configuration, select=("call",)))
    finally:
        os.chdir(before)
    rules = Counter(diagnostic.rule for diagnostic in report.diagnostics)
    unresolved = Counter(entry.reference.partition(":")[0].partition(".")[0] for entry in report.unresolved)
    unresolved["an expression"] = sum(unresolved.pop(name) for name in list(unresolved) if name.startswith("?"))
    others = [entry for entry in report.diagnostics if not isinstance(entry.finding, BrokenCall)]
    findings = tuple(_findings(corpus, (*others, *calls.diagnostics)))
    return Outcome(
        corpus, report.files, report.classes, report.overrides, report.call_sites, rules, unresolved, findings
    )


def _findings(corpus: Corpus, diagnostics: Sequence[sigcheck.Diagnostic]) -> Iterator[Finding]:
    for diagnostic in diagnostics:
        common = (
            corpus.name,
            diagnostic.rule,
            _place(diagnostic.place),
            sigcheck.message(diagnostic),
            witness_text(diagnostic) or "",
        )
        match diagnostic.finding:
            case BrokenOverride() as broken:
                witness = getattr(broken.reason, "witness", None)
                shape = witness.shape if isinstance(witness, Witness) else None
                yield OverrideFinding(
                    *common,
                    broken.owner.name,
                    names_involved(broken.reason),
                    _place(broken.override.place),
                    _place(broken.base.place),
                    broken.override.name,
                    broken.base.name,
                    shape.positional if shape is not None else None,
                    shape.keywords if shape is not None else (),
                )
            case BrokenCall() as broken_call:
                yield _call_finding(common, broken_call)
            case NeglectedParameter(reason=reason) as neglected:
                unread: tuple[str, ...] = ()
                if isinstance(reason, SwallowedArguments):
                    unread = tuple(parameter.name for parameter in reason.catch_alls)
                elif isinstance(reason, IgnoredParameter):
                    unread = reason.parameters
                yield BodyFinding(
                    *common,
                    neglected.override_class.name,
                    frozenset(reason.parameters),
                    _place(neglected.override.place),
                    _place(neglected.base.place),
                    neglected.override.name,
                    neglected.base.name,
                    frozenset(unread),
                )
            case SiblingDrift(first=first, second=second) as drift:
                yield SiblingFinding(
                    *common,
                    drift.owner.name,
                    frozenset((first, second)),
                    first,
                    second,
                    (_place(drift.method.place), drift.method.name),
                    (_place(drift.sibling.place), drift.sibling.name),
                )
            case _:
                continue


def _call_finding(common: tuple[str, str, Place, str, str], broken: BrokenCall) -> CallFinding:
    found = CallFinding(
        *common,
        broken.receiver.name,
        frozenset(),
        _place(broken.call.place),
        broken.call.method,
        _place(broken.callee.place),
        _place(broken.seen.place) if broken.seen is not None else None,
    )
    match broken.reason:
        case MisboundArgument(arguments=arguments, parameters=parameters, targets=targets, is_by_name=is_by_name):
            return replace(
                found, argument=arguments[0], parameter=parameters[0], lands_in=targets[0], is_by_name=is_by_name
            )
        case RejectedArgument(argument=argument):
            return replace(found, argument=argument)
        case _:
            return found


def _place(place: sigcheck.core.place.Place) -> Place:
    return Place(place.path, place.line, place.column)


def draw(findings: Sequence[Finding], count: int, seed: int) -> list[Finding]:
    """So many of them; the same for the same seed, whatever else is in the list."""

    def lot(finding: Finding) -> bytes:
        return hashlib.sha256(f"{seed}|{finding.key}".encode()).digest()

    return sorted(findings, key=lot)[:count]


def draws(outcomes: Sequence[Outcome], rule: str | None, count: int, seed: int) -> Iterator[Finding]:
    """Of the group `override` from each corpus, of the others from all together; or of one rule only."""
    for outcome in outcomes:
        overrides = [finding for finding in outcome.findings if finding.rule not in DRAWN_TOGETHER]
        yield from draw([finding for finding in overrides if rule in (None, finding.rule)], count, seed)
    for other in DRAWN_TOGETHER:
        if rule in (None, other):
            found = [finding for outcome in outcomes for finding in outcome.findings if finding.rule == other]
            yield from draw(found, count, seed)


# The report.


def table(rows: Sequence[tuple[Finding, str]]) -> str:
    """The findings and their verdicts, in Markdown."""
    lines = ["| corpus | place | rule | message | witness | verdict |", "|---|---|---|---|---|---|"]
    for finding, word in rows:
        cells = (finding.corpus, str(finding.place), finding.rule, finding.message, finding.witness, word)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def summary(outcomes: Sequence[Outcome], rows: Sequence[tuple[Finding, str]], count: int, seed: int) -> str:
    """The generated block of `docs/real-world.md`."""
    names = [outcome.corpus.name for outcome in outcomes]
    head = f"| | {' | '.join(names)} |\n|---|{'---:|' * len(names)}\n"
    facts = [
        ("version", [outcome.corpus.version for outcome in outcomes]),
        ("files", [f"{outcome.files:,}" for outcome in outcomes]),
        ("classes", [f"{outcome.classes:,}" for outcome in outcomes]),
        ("overrides compared", [f"{outcome.overrides:,}" for outcome in outcomes]),
        ("findings of the group override", [f"{outcome.broken:,}" for outcome in outcomes]),
        ("calls followed", [f"{outcome.calls:,}" for outcome in outcomes]),
        ("bases without source", [f"{sum(outcome.unresolved.values()):,}" for outcome in outcomes]),
    ]
    rules = [rule.name for rule in sigcheck.RULES.values() if rule.name != "unresolved-base"]
    counts = [
        (f"`{rule}`", [f"{outcome.rules[rule]:,}" for outcome in outcomes])
        for rule in rules
        if any(outcome.rules[rule] for outcome in outcomes)
    ]
    drawn: dict[str, Counter[str]] = {name: Counter() for name in (*names, *DRAWN_TOGETHER)}
    for finding, word in rows:
        kind = finding.rule if finding.rule in DRAWN_TOGETHER else finding.corpus
        drawn[kind][word.partition(":")[0]] += 1
    verdicts = [(word, [str(drawn[name][word]) for name in names]) for word in _VERDICTS]
    together = [
        (f"`{rule}`", [str(drawn[rule].total()), *(str(drawn[rule][word]) for word in _VERDICTS)])
        for rule in DRAWN_TOGETHER
    ]
    roots = [
        f"- {outcome.corpus.name}: "
        + ", ".join(f"{root} {number:,}" for root, number in outcome.unresolved.most_common(6) if number)
        for outcome in outcomes
    ]
    return "\n".join(
        (
            head + _rows(facts),
            "Findings by rule:\n",
            head + _rows(counts),
            f"{count} findings of the group override drawn from each with the seed {seed}, judged by binding:\n",
            head + _rows(verdicts),
            f"{count} of each other rule drawn from all together, or all there are:\n",
            f"| | drawn | {' | '.join(_VERDICTS)} |\n|---|{'---:|' * (len(_VERDICTS) + 1)}\n" + _rows(together),
            "Where the bases without source would be:\n",
            "\n".join(roots) + "\n",
        )
    )


def _rows(rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    return "".join(f"| {name} | {' | '.join(cells)} |\n" for name, cells in rows)


def update(document: Path, block: str) -> None:
    """Put the block between the markers.

    Raises:
        CorpusError: the document has no markers.
    """
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise CorpusError(f"{document}: has no markers {BEGIN} and {END}")
    document.write_text(f"{before}{BEGIN}\n{block}{END}{after}", encoding="utf-8")


def _outcome(corpus: Corpus, options: argparse.Namespace) -> Outcome:
    directory = prepare(corpus, options.into)
    kept = options.keep / f"{corpus.name}.pickle" if options.keep is not None else None
    if kept is not None and kept.is_file():
        outcome = pickle.loads(kept.read_bytes())
        assert isinstance(outcome, Outcome)
        return outcome
    outcome = run(corpus, directory)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(outcome))
    return outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="fsspec, sglang, transformers; default: all")
    parser.add_argument("--count", type=int, default=20, help="how many to draw at a time")
    parser.add_argument("--rule", help="only findings of this rule")
    parser.add_argument("--seed", type=int, default=7428)
    parser.add_argument("--into", type=Path, default=DEFAULT_DIRECTORY, help="where the corpora lie, or are put")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep what a check found there, and take it from there"
    )
    parser.add_argument("--update", type=Path, metavar="FILE", help="rewrite the generated block of this document")
    options = parser.parse_args(arguments)
    try:
        outcomes = [_outcome(corpus, options) for corpus in chosen(options.names)]
        drawn = draws(outcomes, options.rule, options.count, options.seed)
        rows = [(finding, finding.verdict(options.into / finding.corpus)) for finding in drawn]
        if options.update is not None:
            update(options.update, summary(outcomes, rows, options.count, options.seed))
    except (CorpusError, sigcheck.SigcheckError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(table(rows), end="")
    return int(any(word.startswith("false") for _, word in rows))


if __name__ == "__main__":
    raise SystemExit(main())
