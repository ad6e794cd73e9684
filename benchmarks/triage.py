"""Are the findings on real code true? Draws some by a fixed seed and binds each witness against the real signatures.

    python benchmarks/triage.py [NAME ...] [--count 20] [--rule RULE] [--seed 7428]
    python benchmarks/triage.py --update docs/real-world.md

The judge is independent of sigcheck's relation: it takes the two `def` headers from the source with `ast`, lets the
interpreter make two methods of them (no body, no annotations, every default None), and binds the call with `inspect`. A
finding is *true* if the base accepts the call and the override raises `TypeError` or binds an argument to a parameter of
another name; *doubtful* if the `TypeError` speaks of a parameter that the finding does not; *false* otherwise; *by hand*
where there is no call to bind, or no `def` at the place. Whether the two should have been compared at all, it cannot tell:
that is for a reader. Findings are drawn by a hash of what they say, so that mending one does not change the others drawn.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import inspect
import os
import pickle
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from corpora import DEFAULT_DIRECTORY, Corpus, CorpusError, chosen, prepare  # noqa: E402

import sigcheck  # noqa: E402
from sigcheck.core.diagnostic import BrokenOverride  # noqa: E402
from sigcheck.core.incompatibility import Witness, names_involved  # noqa: E402
from sigcheck.report.words import witness_text  # noqa: E402

BEGIN, END = "<!-- triage: begin -->", "<!-- triage: end -->"
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_CATCH_ALLS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """A file of the corpus and a line."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Finding:
    """What one diagnostic of the group `override` says, as plain values.

    Attributes:
        place: what the report points at.
        owner: the class that binds the override.
        override, base: the two definitions.
        name, base_name: what they are called.
        named: the parameters the finding speaks of.
        positional, keywords: the witness call; no positional count where there is none.
    """

    corpus: str
    rule: str
    place: Place
    owner: str
    message: str
    witness: str
    override: Place
    base: Place
    name: str
    base_name: str
    named: frozenset[str]
    positional: int | None
    keywords: tuple[str, ...]

    @property
    def key(self) -> str:
        """What it is about: the same after lines have moved, or a sentence or a rule was mended."""
        return f"{self.corpus}|{self.owner}|{self.name}|{self.override.path}|{self.base.path}|{sorted(self.named)}"


@dataclass(frozen=True)
class Outcome:
    """What a check of a corpus found."""

    corpus: Corpus
    files: int
    classes: int
    overrides: int
    rules: Counter[str]
    unresolved: Counter[str]
    findings: tuple[Finding, ...]


def run(corpus: Corpus, directory: Path) -> Outcome:
    """Check a corpus: without cache, with the default rules, without its dependencies."""
    before = Path.cwd()
    os.chdir(directory)
    try:
        report = sigcheck.check(corpus.paths, sigcheck.Configuration(root=directory, cache_dir=None))
    finally:
        os.chdir(before)
    rules = Counter(diagnostic.rule for diagnostic in report.diagnostics)
    unresolved = Counter(entry.reference.partition(":")[0].partition(".")[0] for entry in report.unresolved)
    unresolved["an expression"] = sum(unresolved.pop(name) for name in list(unresolved) if name.startswith("?"))
    findings = tuple(_findings(corpus, report.diagnostics))
    return Outcome(corpus, report.files, report.classes, report.overrides, rules, unresolved, findings)


def _findings(corpus: Corpus, diagnostics: Sequence[sigcheck.Diagnostic]) -> Iterator[Finding]:
    for diagnostic in diagnostics:
        finding = diagnostic.finding
        if not isinstance(finding, BrokenOverride):
            continue
        witness = getattr(finding.reason, "witness", None)
        shape = witness.shape if isinstance(witness, Witness) else None
        yield Finding(
            corpus.name,
            diagnostic.rule,
            Place(diagnostic.place.path, diagnostic.place.line),
            finding.owner.name,
            sigcheck.message(diagnostic),
            witness_text(diagnostic) or "",
            Place(finding.override.place.path, finding.override.place.line),
            Place(finding.base.place.path, finding.base.place.line),
            finding.override.name,
            finding.base.name,
            names_involved(finding.reason),
            shape.positional if shape is not None else None,
            shape.keywords if shape is not None else (),
        )


def draw(findings: Sequence[Finding], count: int, seed: int) -> list[Finding]:
    """So many of them; the same for the same seed, whatever else is in the list."""

    def lot(finding: Finding) -> bytes:
        return hashlib.sha256(f"{seed}|{finding.key}".encode()).digest()

    return sorted(findings, key=lot)[:count]


# The judge.


def verdict(finding: Finding, directory: Path) -> str:
    """True, doubtful, false or by hand, and why."""
    override = _definition(directory / finding.override.path, finding.override.line, finding.name)
    base = _definition(directory / finding.base.path, finding.base.line, finding.base_name)
    if override is None or base is None:
        return "by hand: no `def` there"
    if finding.positional is None:
        return f"by hand: `{_header(override)}` over `{_header(base)}`"
    return judge(_bound(override), _bound(base), finding)


def judge(override: inspect.Signature, base: inspect.Signature, finding: Finding) -> str:
    """Bind the witness on both."""
    positional = list(range(finding.positional or 0))
    keywords = {name: name for name in finding.keywords}
    try:
        promised = base.bind(*positional, **keywords)
    except TypeError as error:
        return f"false: the base refuses it ({error})"
    try:
        received = override.bind(*positional, **keywords)
    except TypeError as error:
        return f"{'true' if _is_told(override, base, finding) else 'doubtful'}: {error}"
    elsewhere = _misbindings(received, promised)
    if not elsewhere:
        return "false: both bind it alike"
    told = next((pair for pair in elsewhere if finding.named >= {*pair}), None)
    name, other = told or elsewhere[0]
    return f"{'true' if told else 'doubtful'}: {name} lands in {other}"


def _is_told(override: inspect.Signature, base: inspect.Signature, finding: Finding) -> bool:
    """The finding speaks of what makes the call fail. Of several causes the interpreter tells the first, so all are asked."""
    positional = list(range(finding.positional or 0))
    keywords = {name: name for name in finding.keywords}
    parameters = override.parameters.values()
    slots = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    if len(positional) > len(slots) and not any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters):
        return True
    try:
        received = override.bind_partial(*positional, **keywords)
    except TypeError as error:
        quoted = str(error).rpartition(" '")[2].rstrip("'")
        return quoted in finding.named or quoted not in {*base.parameters, *override.parameters}
    required = {p.name for p in parameters if p.default is p.empty and p.kind not in _CATCH_ALLS}
    missing = required - set(received.arguments)
    misbound = _misbindings(received, base.bind(*positional, **keywords))
    return bool(missing & finding.named) or any(finding.named >= {*pair} for pair in misbound)


def _misbindings(received: inspect.BoundArguments, promised: inspect.BoundArguments) -> list[tuple[str, str]]:
    """The arguments that land in a parameter of another name: what they are to the base, and to the override."""
    expected, found = _landings(promised), _landings(received)
    return [
        (name, found[argument])
        for argument, name in expected.items()
        if found.get(argument, name) != name
        and _is_promised(name, found[argument], received.signature, promised.signature)
    ]


def _is_promised(name: str, lands_in: str, override: inspect.Signature, base: inspect.Signature) -> bool:
    """A name of a positional-only parameter is free, unless both sides know both names."""
    is_free = base.parameters[name].kind is inspect.Parameter.POSITIONAL_ONLY
    return not is_free or (lands_in in base.parameters and name in override.parameters)


def _landings(bound: inspect.BoundArguments) -> dict[int | str, str]:
    """Which named parameter each argument went to; those in catch-alls are left out."""
    return {
        argument: name
        for name, argument in bound.arguments.items()
        if bound.signature.parameters[name].kind not in _CATCH_ALLS
    }


@cache
def _tree(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


def _definition(path: Path, line: int, name: str) -> _Function | None:
    tree = _tree(path)
    if tree is None:
        return None
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.lineno == line and node.name == name:
            return node
    return None


def _bound(node: _Function) -> inspect.Signature:
    """The signature that a caller who holds an instance sees, as the interpreter makes it from the header alone."""
    arguments = ast.arguments(
        posonlyargs=[ast.arg(arg.arg) for arg in node.args.posonlyargs],
        args=[ast.arg(arg.arg) for arg in node.args.args],
        vararg=ast.arg(node.args.vararg.arg) if node.args.vararg else None,
        kwonlyargs=[ast.arg(arg.arg) for arg in node.args.kwonlyargs],
        kw_defaults=[None if default is None else ast.Constant(None) for default in node.args.kw_defaults],
        kwarg=ast.arg(node.args.kwarg.arg) if node.args.kwarg else None,
        defaults=[ast.Constant(None) for _ in node.args.defaults],
    )
    receivers = [d for d in node.decorator_list if isinstance(d, ast.Name) and d.id in ("staticmethod", "classmethod")]
    stub = ast.FunctionDef("stub", arguments, [ast.Pass()], list(receivers), lineno=1)
    owner = ast.ClassDef("Owner", bases=[], keywords=[], body=[stub], decorator_list=[])
    for fresh in (stub, owner):
        if "type_params" in fresh._fields:
            setattr(fresh, "type_params", [])  # noqa: B010  (no attribute before 3.12)
    namespace: dict[str, type] = {}
    module = ast.fix_missing_locations(ast.Module([owner], []))
    exec(compile(module, "<stub>", "exec"), namespace)
    method = getattr(namespace["Owner"](), "stub")  # noqa: B009
    return inspect.signature(method)


def _header(node: _Function) -> str:
    decorators = "".join(f"@{ast.unparse(decorator)} " for decorator in node.decorator_list)
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    return f"{decorators}{word} {node.name}({', '.join(_names(node.args))})"


def _names(arguments: ast.arguments) -> Iterator[str]:
    yield from (argument.arg for argument in (*arguments.posonlyargs, *arguments.args))
    if arguments.vararg is not None:
        yield f"*{arguments.vararg.arg}"
    yield from (argument.arg for argument in arguments.kwonlyargs)
    if arguments.kwarg is not None:
        yield f"**{arguments.kwarg.arg}"


# The report.


def table(rows: Sequence[tuple[Finding, str]]) -> str:
    """The findings and their verdicts, in Markdown."""
    lines = ["| corpus | place | rule | message | witness | verdict |", "|---|---|---|---|---|---|"]
    for finding, word in rows:
        cells = (finding.corpus, str(finding.place), finding.rule, finding.message, finding.witness, word)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def summary(outcomes: Sequence[Outcome], drawn: dict[str, Counter[str]], count: int, seed: int) -> str:
    """The generated block of `docs/real-world.md`."""
    names = [outcome.corpus.name for outcome in outcomes]
    head = f"| | {' | '.join(names)} |\n|---|{'---:|' * len(names)}\n"
    facts = [
        ("version", [outcome.corpus.version for outcome in outcomes]),
        ("files", [f"{outcome.files:,}" for outcome in outcomes]),
        ("classes", [f"{outcome.classes:,}" for outcome in outcomes]),
        ("overrides compared", [f"{outcome.overrides:,}" for outcome in outcomes]),
        ("findings of the group override", [f"{len(outcome.findings):,}" for outcome in outcomes]),
        ("bases without source", [f"{sum(outcome.unresolved.values()):,}" for outcome in outcomes]),
    ]
    rules = [rule.name for rule in sigcheck.RULES.values() if rule.name != "unresolved-base"]
    counts = [
        (f"`{rule}`", [f"{outcome.rules[rule]:,}" for outcome in outcomes])
        for rule in rules
        if any(outcome.rules[rule] for outcome in outcomes)
    ]
    verdicts = [(word, [str(drawn[name][word]) for name in names]) for word in ("true", "doubtful", "false", "by hand")]
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
            f"{count} findings drawn from each with the seed {seed}, judged by binding:\n",
            head + _rows(verdicts),
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


def _outcome(corpus: Corpus, options: argparse.Namespace) -> tuple[Outcome, Path]:
    directory = prepare(corpus, options.into)
    kept = options.keep / f"{corpus.name}.pickle" if options.keep is not None else None
    if kept is not None and kept.is_file():
        outcome = pickle.loads(kept.read_bytes())
        assert isinstance(outcome, Outcome)
        return outcome, directory
    outcome = run(corpus, directory)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(outcome))
    return outcome, directory


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="fsspec, sglang, transformers; default: all")
    parser.add_argument("--count", type=int, default=20, help="how many to draw from each corpus")
    parser.add_argument("--rule", help="only findings of this rule")
    parser.add_argument("--seed", type=int, default=7428)
    parser.add_argument("--into", type=Path, default=DEFAULT_DIRECTORY, help="where the corpora lie, or are put")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep what a check found there, and take it from there"
    )
    parser.add_argument("--update", type=Path, metavar="FILE", help="rewrite the generated block of this document")
    options = parser.parse_args(arguments)
    outcomes: list[Outcome] = []
    rows: list[tuple[Finding, str]] = []
    try:
        for corpus in chosen(options.names):
            outcome, directory = _outcome(corpus, options)
            outcomes.append(outcome)
            wanted = [finding for finding in outcome.findings if options.rule in (None, finding.rule)]
            rows += [(finding, verdict(finding, directory)) for finding in draw(wanted, options.count, options.seed)]
        if options.update is not None:
            drawn: dict[str, Counter[str]] = {outcome.corpus.name: Counter() for outcome in outcomes}
            for finding, word in rows:
                drawn[finding.corpus][word.partition(":")[0]] += 1
            update(options.update, summary(outcomes, drawn, options.count, options.seed))
    except (CorpusError, sigcheck.SigcheckError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(table(rows), end="")
    return int(any(word.startswith("false") for _, word in rows))


if __name__ == "__main__":
    raise SystemExit(main())
