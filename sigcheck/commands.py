"""The commands: `check`, `matrix`, `clean`, `rules`, `explain`. Parses options, runs the use case, hands the report to a format."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TextIO, final

from sigcheck.collector import without_collector
from sigcheck.config import Configuration, check_rules, configuration_for, read_configuration
from sigcheck.core.dataclass import replace
from sigcheck.core.rules import GROUPS, RULES, Severity
from sigcheck.errors import ConfigurationError, MissingPathError, SigcheckError, UnresolvedBasesError
from sigcheck.files import read_bytes, shown
from sigcheck.outcome import Report
from sigcheck.version import __version__

FORMATS = ("concise", "full", "json", "github", "sarif")
MATRIX_FORMATS = ("text", "html", "svg", "json")


def run_command(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status.

    Raises:
        SigcheckError: it could not run as asked.
    """
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as ended:  # After --help.
        return int(ended.code or 0)
    command: Callable[[argparse.Namespace], int] = options.command
    return command(options)


class _Parser(argparse.ArgumentParser):
    """Complains in one line, with the exit status of every other complaint."""

    def __init__(self, **settings: Any) -> None:
        # An abbreviation that is clear today is ambiguous with the next option.
        super().__init__(**{**settings, "allow_abbrev": False})

    def error(self, message: str) -> NoReturn:
        raise ConfigurationError(f"{message}; see `{self.prog} --help`")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="sigcheck", description="Does every override keep the promise of its base?")
    parser.add_argument("--version", "-V", action="version", version=f"sigcheck {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)

    check = commands.add_parser("check", help="check the overrides of a project", description=_check.__doc__)
    check.set_defaults(command=_check)
    check.add_argument("paths", nargs="*", metavar="PATH", help="files and directories; - for standard input")
    check.add_argument("--select", action="append", default=[], metavar="RULES", help="run only these rules or groups")
    check.add_argument("--extend-select", action="append", default=[], metavar="RULES", help="run these rules too")
    check.add_argument(
        "--ignore", action="append", default=[], metavar="RULES", help="do not run these rules or groups"
    )
    check.add_argument("--output-format", choices=FORMATS, help="default: full")
    check.add_argument("--config", metavar="FILE", help="a pyproject.toml or sigcheck.toml")
    check.add_argument("--python", metavar="PATH", help="an interpreter or environment whose packages hold bases")
    changed = check.add_mutually_exclusive_group()
    changed.add_argument("--changed-since", metavar="REF", help="report only what touches a file changed since REF")
    changed.add_argument("--staged", action="store_true", help="report only what touches a file that is staged")
    check.add_argument("--watch", action="store_true", help="check again after each save, until Ctrl-C")
    check.add_argument("--strict-resolve", action="store_true", help="a base without source is an error")
    check.add_argument("--show-unresolved", action="store_true", help="list the bases without source")
    check.add_argument("--statistics", action="store_true", help="count the diagnostics of each rule")
    check.add_argument("--no-cache", action="store_true", help="neither read nor write the cache")
    check.add_argument("--exit-zero", action="store_true", help="end with status 0 whatever was found")
    check.add_argument("--quiet", "-q", action="store_true", help="print diagnostics only")
    check.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")
    check.add_argument("--stdin-filename", metavar="PATH", help="what standard input is, with -")

    matrix = commands.add_parser("matrix", help="show the slots of a method side by side", description=_matrix.__doc__)
    matrix.set_defaults(command=_matrix, select=[], extend_select=[], ignore=[], strict_resolve=False)
    matrix.add_argument("target", metavar="TARGET", help="Class.method, with as many names before it as are needed")
    matrix.add_argument("paths", nargs="*", metavar="PATH", help="files and directories")
    matrix.add_argument("--output-format", choices=MATRIX_FORMATS, default="text", help="default: text")
    matrix.add_argument("--output", "-o", metavar="FILE", help="write there instead of standard output")
    matrix.add_argument("--config", metavar="FILE", help="a pyproject.toml or sigcheck.toml")
    matrix.add_argument("--python", metavar="PATH", help="an interpreter or environment whose packages hold bases")
    matrix.add_argument("--no-cache", action="store_true", help="neither read nor write the cache")
    matrix.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")

    clean = commands.add_parser("clean", help="delete the cache", description=_clean.__doc__)
    clean.set_defaults(command=_clean)
    clean.add_argument("paths", nargs="*", metavar="PATH", help="whose configuration says where the cache is")
    clean.add_argument("--config", metavar="FILE", help="a pyproject.toml or sigcheck.toml")

    rules = commands.add_parser("rules", help="list the rules")
    rules.set_defaults(command=_rules)

    explain = commands.add_parser("explain", help="print the page of a rule")
    explain.set_defaults(command=_explain)
    explain.add_argument("rule", metavar="RULE")
    return parser


def _check(options: argparse.Namespace) -> int:
    """Check every override below PATH against the bases it answers for."""
    if options.watch:
        return _watch(options)
    with without_collector():
        return _check_once(options, _configured(options))


def _watch(options: argparse.Namespace) -> int:
    """Check again after each save. What keeps one check from running is told, and mended by the next save."""
    from sigcheck.watching import rounds

    if "-" in options.paths:
        raise ConfigurationError("--watch reads files, and - is none; name them")
    configuration = _configured(options)

    def ground() -> tuple[list[str], Path | None]:
        nonlocal configuration
        with suppress(SigcheckError):  # Until it is mended, the last one that could be read says what is watched.
            configuration = _configured(options)
        return configuration.chosen(options.paths), configuration.source

    is_first = True
    try:
        for _ in rounds(ground):
            try:
                with without_collector():
                    _check_once(options, _configured(options))
            except SigcheckError as error:
                if is_first:
                    raise
                sys.stdout.flush()
                print(f"sigcheck: {error}", file=sys.stderr)
            is_first = False
            sys.stdout.flush()
            print("sigcheck: waiting for changes; Ctrl-C ends", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        pass
    return 0


def _in_what_changed(options: argparse.Namespace, configuration: Configuration, report: Report) -> Report | None:
    """The part of a report that touches what changed; None where no part is meant."""
    if not options.staged and options.changed_since is None:
        return None
    from sigcheck.changeset import changed_since, staged
    from sigcheck.core.reach import is_touched, module_of

    if "-" in options.paths:
        raise ConfigurationError("--staged and --changed-since ask git of files, and - is none")
    paths = tuple(configuration.chosen(options.paths))
    changes = staged(paths) if options.staged else changed_since(options.changed_since, paths)
    if changes is None:
        return None
    return replace(
        report,
        diagnostics=tuple(
            diagnostic
            for diagnostic in report.diagnostics
            if is_touched(diagnostic, changes.is_changed, changes.is_gone)
        ),
        unresolved=tuple(
            base
            for base in report.unresolved
            if changes.is_changed(base.owner.place.path) or changes.is_gone(module_of(base.reference))
        ),
    )


def _check_once(options: argparse.Namespace, configuration: Configuration) -> int:
    from sigcheck.checking import run_check
    from sigcheck.report import machine, summary, text

    paths, contents = _inputs(options)
    with _Progress(sys.stderr) as progress:
        report = run_check(configuration, paths, contents=contents, progress=progress)
    part = _in_what_changed(options, configuration, report)
    report = report if part is None else part

    colour = _wants_colour(options.color, sys.stdout)
    form = options.output_format or "full"
    told = [
        diagnostic
        for diagnostic in report.diagnostics
        if diagnostic.rule != "unresolved-base" or options.show_unresolved or diagnostic.severity is not Severity.NOTE
    ]
    out = sys.stdout
    if form == "json":
        out.write(machine.render_json(report, __version__))
    elif form == "sarif":
        out.write(machine.render_sarif(replace(report, diagnostics=tuple(told)), __version__))
    elif form == "github":
        out.write(machine.render_github(replace(report, diagnostics=tuple(told))))
    elif form == "concise":
        out.writelines(text.render_concise(told, colour=colour))
    else:
        sources = text.Sources(_Texts({shown(path): data for path, data in contents.items()}))
        out.writelines(text.render_full(told, sources, colour=colour))
    if form in ("concise", "full"):
        counted = replace(report, diagnostics=tuple(told))
        if options.statistics:
            out.write(summary.render_statistics(counted))
        if not options.quiet:
            out.write(summary.render_summary(counted, is_partial=part is not None) + "\n")
    if configuration.strict_resolve and report.unresolved:
        out.flush()
        count = len(report.unresolved)
        raise UnresolvedBasesError(
            f"{count} bases have no source; give --python or `search-paths`, or leave out --strict-resolve"
        )
    return 0 if options.exit_zero else report.exit_status


def _matrix(options: argparse.Namespace) -> int:
    """Show what each override of TARGET has in the slots of the base, and where the arguments of each call land."""
    from sigcheck.charting import run_matrix
    from sigcheck.report import matrix_html, matrix_json, matrix_svg, matrix_text

    with _Progress(sys.stderr) as progress:
        matrix = run_matrix(_configured(options), options.target, options.paths, progress=progress)
    if options.output_format == "html":
        text = matrix_html.render_html(matrix, __version__)
    elif options.output_format == "svg":
        text = matrix_svg.render_svg(matrix)
    elif options.output_format == "json":
        text = matrix_json.render_json(matrix, __version__)
    else:
        colour = _wants_colour(options.color, sys.stdout) and (options.output is None or options.color == "always")
        text = "".join(matrix_text.render_text(matrix, colour=colour))
    if options.output is None:
        sys.stdout.write(text)
    else:
        with open(options.output, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    return 0


def _configured(options: argparse.Namespace) -> Configuration:
    """The configuration file's values, overruled by the options."""
    configuration = _found_configuration(options)
    selected = _rule_names(options.select, "--select")
    if selected:
        # Only these: what the file adds to its own choice, or takes from it, was not said of this one.
        kept = tuple(name for name in configuration.ignore if name not in selected)
        configuration = replace(configuration, select=selected, extend_select=(), ignore=kept)
    changes: dict[str, object] = {
        "extend_select": (*configuration.extend_select, *_rule_names(options.extend_select, "--extend-select")),
        "ignore": (*configuration.ignore, *_rule_names(options.ignore, "--ignore")),
    }
    if options.python is not None:
        changes["python"] = os.path.abspath(os.path.expanduser(options.python))
    if options.strict_resolve:
        changes["strict_resolve"] = True
    if options.no_cache:
        changes["cache_dir"] = None
    return replace(configuration, **changes)  # type: ignore[arg-type]


def _found_configuration(options: argparse.Namespace) -> Configuration:
    """The configuration file's values."""
    try:
        os.getcwd()
    except OSError:
        raise MissingPathError("the working directory is gone; change to another") from None
    if options.config is not None:
        return read_configuration(Path(options.config))
    given = [path for path in options.paths if path != "-"]
    filename = getattr(options, "stdin_filename", None)
    found = configuration_for([filename] if filename else given)
    return read_configuration(found) if found is not None else Configuration()


def _rule_names(given: Sequence[str], option: str) -> tuple[str, ...]:
    """The names of an option that takes several, separated by commas, and may be repeated."""
    return check_rules((name.strip() for words in given for name in words.split(",") if name.strip()), option)


def _inputs(options: argparse.Namespace) -> tuple[list[str], dict[str, bytes]]:
    """The paths, and what standard input stands for."""
    paths: list[str] = list(options.paths)
    if "-" not in paths:
        if options.stdin_filename is not None:
            raise ConfigurationError("--stdin-filename goes with -; give - as the path")
        return paths, {}
    name = options.stdin_filename
    if name is None:
        raise ConfigurationError("- needs --stdin-filename: bases are looked up from where the file lies")
    if len(paths) > 1:
        raise ConfigurationError("- stands alone: give no other path")
    if os.path.isdir(name):
        raise ConfigurationError(f"--stdin-filename: {name} is a directory; name a file")
    if sys.stdin is None:
        raise ConfigurationError("standard input is closed; - reads from it")
    return [name], {name: sys.stdin.buffer.read()}


def _wants_colour(choice: str, stream: TextIO) -> bool:
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


class _Texts:
    """The text of the files that a report shows lines of, decoded as the check decoded it."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self.contents = contents

    def __call__(self, path: str) -> str:
        from sigcheck.readers.source.text import read_text

        data = self.contents[path] if path in self.contents else read_bytes(path, lambda _: None)
        text = read_text(data or b"", path)
        return text if isinstance(text, str) else (data or b"").decode("utf-8", "replace")


@final
class _Progress:
    """A bar on a terminal, for a check that takes longer than a second; gone at the end of the `with`, however it ends."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.started = time.monotonic()
        self.drawn = False
        self.enabled = stream.isatty() and os.environ.get("TERM") != "dumb"

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.drawn:
            self.stream.write("\r\033[K")
            self.stream.flush()

    def __call__(self, done: int, total: int) -> None:
        if not self.enabled or time.monotonic() - self.started < 1:
            return
        filled = 30 * done // max(total, 1)
        self.stream.write(f"\r{'#' * filled}{'.' * (30 - filled)} {done}/{total} files")
        self.stream.flush()
        self.drawn = True


def _clean(options: argparse.Namespace) -> int:
    """Delete what sigcheck has learnt and kept: the next check reads everything anew."""
    from sigcheck.cachedir import clear

    directory = _found_configuration(options).cache_directory
    if directory is None or not directory.is_dir():
        print("no cache")
        return 0
    count = clear(directory)
    print(f"{shown(str(directory))}: {count} file{'' if count == 1 else 's'} deleted")
    return 0


def _rules(_: argparse.Namespace) -> int:
    """List the rules, group by group."""
    width = max(map(len, RULES))
    for group in GROUPS:
        print(f"{group}")
        for rule in RULES.values():
            if rule.group == group:
                print(f"  {rule.name:<{width}}  {rule.default:<8} {rule.summary}")
    return 0


def _explain(options: argparse.Namespace) -> int:
    """Print the page of a rule."""
    if options.rule not in RULES:
        check_rules((options.rule,), "explain")
        raise ConfigurationError(f"explain: {options.rule!r} is a group; see `sigcheck rules`")
    from importlib import resources

    page = resources.files("sigcheck") / "pages" / f"{options.rule}.md"
    print(page.read_text(encoding="utf-8").rstrip())
    return 0
