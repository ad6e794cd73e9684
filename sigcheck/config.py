"""`[tool.sigcheck]` in `pyproject.toml`, or `sigcheck.toml`: reading it, checking it, and its defaults."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sigcheck.core.contract import Contract
from sigcheck.core.dataclass import dataclass, field, fields, replace
from sigcheck.core.family import Family
from sigcheck.core.names import normalized
from sigcheck.core.rules import GROUPS, RULES, Severity
from sigcheck.errors import ConfigurationError, MissingPathError
from sigcheck.files import is_match, shown

_ALWAYS = "syntax-error"
"""Runs whatever is selected, unless it is ignored: a file that was not checked is not passed over in silence."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything a check can be told, with its defaults.

    Paths are relative to `root`, the directory of the configuration file (or the working directory without one).

    Attributes:
        root: what relative paths are relative to.
        source: the file it was read from, or None.
        paths: files and directories to check.
        exclude: globs of paths, relative to the root, that are not checked.
        search_paths: directories in which installed packages are looked up, as source.
        python: an interpreter or a virtual environment whose site-packages are searched.
        select: rules and groups that run; empty for those that are on by default.
        extend_select: further ones.
        ignore: rules and groups that do not run.
        per_file_ignores: glob to rules and groups.
        severity: rule to severity.
        fail_on: the least severity that makes the exit status 1.
        contracts: the bases, with what is demanded of their overrides.
        families: functions and methods that answer for another without inheriting it.
        scope: `all` compares every override, `contracts` only what the contracts name; None for `contracts` if there are any.
        opaque_decorators: decorators that change a signature in a way nobody can read.
        injects: decorator to the parameters it supplies.
        respect_type_ignores: honour `# type: ignore[override]` and pyright's.
        repeat_mypy: the mypy plugin tells a broken override, or a call that its own class refuses, also where mypy does.
        strict_resolve: a base without source is an error.
        cache_dir: where to remember what was learnt of each file; None for nowhere.
    """

    root: Path = field(default_factory=Path.cwd)
    source: Path | None = None
    paths: tuple[str, ...] = (".",)
    exclude: tuple[str, ...] = ()
    search_paths: tuple[str, ...] = ()
    python: str | None = None
    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    severity: Mapping[str, Severity] = field(default_factory=dict)
    fail_on: Severity = Severity.WARNING
    contracts: tuple[Contract, ...] = ()
    families: tuple[Family, ...] = ()
    scope: str | None = None
    opaque_decorators: tuple[str, ...] = ()
    injects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    respect_type_ignores: bool = False
    repeat_mypy: bool = False
    strict_resolve: bool = False
    cache_dir: str | None = ".sigcheck_cache"

    def severities(self) -> dict[str, Severity]:
        """The rules that run, each with its severity."""
        for names in (self.select, self.extend_select, self.ignore):
            check_rules(names, "configuration")
        if self.select:
            chosen = {*_expanded(self.select), _ALWAYS}
        else:
            chosen = {name for name, rule in RULES.items() if rule.severity is not Severity.OFF}
            chosen |= {name for name, severity in self.severity.items() if severity is not Severity.OFF}
        chosen |= set(_expanded(self.extend_select))
        chosen -= set(_expanded(self.ignore))
        return {
            name: severity
            for name, rule in RULES.items()
            if name in chosen and (severity := self.severity.get(name, _running(rule.severity))) is not Severity.OFF
        }

    def ignored_in(self, patterns: Iterable[str]) -> frozenset[str]:
        """The rules that these keys of `per-file-ignores` switch off."""
        return frozenset(rule for pattern in patterns for rule in _expanded(self.per_file_ignores[pattern]))

    def is_ignored(self, rule: str, path: str) -> bool:
        """`per-file-ignores` names the rule for the file."""
        if not self.per_file_ignores:
            return False
        below = os.path.relpath(os.path.realpath(path), self.root.resolve()).replace(os.sep, "/")
        return rule in self.ignored_in(pattern for pattern in self.per_file_ignores if is_match(below, pattern))

    def chosen(self, paths: Iterable[str]) -> list[str]:
        """What is to be checked: the paths that were given, or else those configured."""
        return list(paths) or [str(self.root / path) for path in self.paths]

    @property
    def cache_directory(self) -> Path | None:
        """Where the cache is; None for nowhere."""
        return None if self.cache_dir is None else self.root / self.cache_dir

    @property
    def only_contracts(self) -> bool:
        """Nothing but what the contracts name is compared."""
        return self.scope == "contracts" or (self.scope is None and bool(self.contracts))


def _running(severity: Severity) -> Severity:
    return Severity.WARNING if severity is Severity.OFF else severity


def _expanded(names: Iterable[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        if name == "ALL":
            found += RULES
        elif name in GROUPS:
            found += [rule.name for rule in RULES.values() if rule.group == name]
        else:
            found.append(name)
    return found


def find_configuration(start: Path) -> Path | None:
    """The nearest `sigcheck.toml`, or `pyproject.toml` with a `[tool.sigcheck]`, from `start` upwards."""
    for directory in (start, *start.parents):
        own = directory / "sigcheck.toml"
        if own.is_file():
            return own
        shared = directory / "pyproject.toml"
        if shared.is_file() and "sigcheck" in _table_in(_tables(shared), "tool", shared):
            return shared
    return None


def configuration_for(paths: Sequence[str]) -> Path | None:
    """The configuration file for a check of these paths: the nearest above all of them, or else above the working directory."""
    working = Path.cwd()
    try:
        common = Path(os.path.commonpath([os.path.abspath(path) for path in paths])) if paths else working
    except ValueError:
        common = working  # On two drives.
    start = common if common.is_dir() else common.parent
    return find_configuration(start) or find_configuration(working)


def read_configuration(path: Path) -> Configuration:
    """Read one configuration file.

    Raises:
        MissingPathError: there is no such file.
        ConfigurationError: it cannot be parsed, or has a key or a value that sigcheck does not know.
    """
    if not path.is_file():
        raise MissingPathError(f"{shown(str(path))}: no such configuration file; check --config")
    tables: Mapping[str, Any] = _tables(path)
    if path.name == "pyproject.toml" or "tool" in tables:
        tables = _table_in(_table_in(tables, "tool", path), "sigcheck", path)
    return configuration_of(tables, root=path.resolve().parent, source=path)


def configuration_of(table: Mapping[str, Any], *, root: Path, source: Path | None = None) -> Configuration:
    """A configuration from the content of `[tool.sigcheck]`.

    Raises:
        ConfigurationError: a key or a value that sigcheck does not know.
    """
    where = shown(str(source)) if source is not None else "configuration"
    reader = _Table(table, where)
    known = tuple(f.name.replace("_", "-") for f in fields(Configuration) if f.name not in ("root", "source"))
    reader.allow(known)
    read = Configuration(
        root=root,
        source=source,
        paths=reader.strings("paths") or (".",),
        exclude=reader.strings("exclude"),
        search_paths=reader.strings("search-paths"),
        python=reader.string("python"),
        select=reader.rules("select"),
        extend_select=reader.rules("extend-select"),
        ignore=reader.rules("ignore"),
        per_file_ignores=reader.rule_table("per-file-ignores"),
        severity=reader.severities("severity"),
        fail_on=Severity(reader.choice("fail-on", ("error", "warning")) or "warning"),
        contracts=tuple(_contract(entry) for entry in reader.tables("contracts")),
        families=tuple(_family(entry) for entry in reader.tables("families")),
        scope=reader.choice("scope", ("all", "contracts")),
        opaque_decorators=_normalized(reader.strings("opaque-decorators")),
        injects={normalized(name): _normalized(names) for name, names in reader.string_table("injects").items()},
        respect_type_ignores=reader.boolean("respect-type-ignores"),
        repeat_mypy=reader.boolean("repeat-mypy"),
        strict_resolve=reader.boolean("strict-resolve"),
    )
    return replace(read, cache_dir=reader.string("cache-dir")) if "cache-dir" in table else read


def check_rules(names: Iterable[str], where: str) -> tuple[str, ...]:
    """The names, all of which are rules, groups or `ALL`.

    Raises:
        ConfigurationError: one is not; the message names the nearest.
    """
    known = (*RULES, *GROUPS, "ALL")
    names = tuple(names)
    for name in names:
        if name not in known:
            raise ConfigurationError(f"{where}: unknown rule {name!r}{_nearest(name, known)}; see `sigcheck rules`")
    return names


def _contract(table: _Table) -> Contract:
    table.allow(("base", "methods", "honour", "siblings"))
    base = table.string("base")
    if not base:
        raise ConfigurationError(f"{table.where}: a contract needs `base`, the dotted name of a class")
    honour = table.names_or_all("honour")
    return Contract(
        normalized(base),
        _normalized(table.strings("methods")) or ("*",),
        _normalized(honour) if honour is not None else None,
        tuple(map(_normalized, table.groups("siblings"))),
    )


def _family(table: _Table) -> Family:
    table.allow(("like", "members"))
    like, members = table.string("like"), table.strings("members")
    if not like:
        raise ConfigurationError(f"{table.where}: a family needs `like`, the `module:name` of a function or method")
    if not all(like.partition(":")) or like.count(":") > 1:
        raise ConfigurationError(
            f"{table.where}: 'like' must be `module:function` or `module:Class.method`, not {like!r}"
        )
    if not members:
        raise ConfigurationError(f"{table.where}: a family needs `members`, globs of dotted names")
    return Family(normalized(like), _normalized(members))


def _normalized(names: Iterable[str]) -> tuple[str, ...]:
    """Names, or globs of names, as Python compares them."""
    return tuple(map(normalized, names))


def _tables(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{shown(str(path))}: is no TOML: {error}") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{shown(str(path))}: is no UTF-8: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise ConfigurationError(f"{shown(str(path))}: cannot be read: {error.strerror or error}") from None
    except RecursionError:
        raise ConfigurationError(f"{shown(str(path))}: is nested too deeply to be read") from None
    return tables


def _table_in(tables: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = tables.get(key, {})
    if not isinstance(found, Mapping):
        raise ConfigurationError(f"{shown(str(path))}: {key!r} must be a table, not {found!r}")
    return found


def _nearest(name: object, known: Sequence[str]) -> str:
    same = [other for other in known if other.casefold() == str(name).casefold()]
    near = same or difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


class _Table:
    """A TOML table, read key by key; every complaint names the file and the key."""

    def __init__(self, content: Mapping[str, Any], where: str) -> None:
        self.content = content
        self.where = where

    def allow(self, known: Sequence[str]) -> None:
        """Raise for the first key that is not among the known."""
        for key in self.content:
            if key not in known:
                raise ConfigurationError(f"{self.where}: unknown key {key!r}{_nearest(key, known)}")

    def _typed(self, key: str, kind: type | tuple[type, ...], word: str) -> Any:
        value = self.content.get(key)
        if value is not None and not isinstance(value, kind):
            raise ConfigurationError(f"{self.where}: {key!r} must be {word}, not {value!r}")
        return value

    def string(self, key: str) -> str | None:
        """A string, or None where the key is missing."""
        value: str | None = self._typed(key, str, "a string")
        if value is not None and "\0" in value:
            raise ConfigurationError(f"{self.where}: {key!r} holds a NUL: {value!r}")
        return value

    def boolean(self, key: str) -> bool:
        """A truth value; False where the key is missing."""
        return bool(self._typed(key, bool, "true or false"))

    def strings(self, key: str) -> tuple[str, ...]:
        """An array of strings."""
        return self._strings(key, self._typed(key, (list, tuple), "an array of strings") or [])

    def _strings(self, key: str, values: Sequence[Any]) -> tuple[str, ...]:
        if not isinstance(values, (list, tuple)) or not all(isinstance(value, str) for value in values):
            raise ConfigurationError(f"{self.where}: {key!r} must be an array of strings, not {values!r}")
        if any("\0" in value for value in values):
            raise ConfigurationError(f"{self.where}: {key!r} holds a NUL: {values!r}")
        return tuple(values)

    def names_or_all(self, key: str) -> tuple[str, ...] | None:
        """An array of strings, or `"all"`; None where the key is missing."""
        value = self.content.get(key)
        if value is None:
            return None
        if value == "all":
            return ("*",)
        if isinstance(value, str):
            raise ConfigurationError(f'{self.where}: {key!r} must be an array of strings or "all", not {value!r}')
        return self.strings(key)

    def groups(self, key: str) -> tuple[tuple[str, ...], ...]:
        """An array of arrays of strings, each of two or more."""
        values = self._typed(key, (list, tuple), "an array of arrays of strings") or []
        if not all(isinstance(entry, (list, tuple)) for entry in values):
            raise ConfigurationError(f"{self.where}: {key!r} must be an array of arrays of strings, not {values!r}")
        found = tuple(self._strings(f"{key}[{index}]", entry) for index, entry in enumerate(values))
        for index, names in enumerate(found):
            if len(names) < 2:
                raise ConfigurationError(f"{self.where}: '{key}[{index}]' must name two or more, not {list(names)!r}")
        return found

    def choice(self, key: str, words: Sequence[str]) -> str | None:
        """One of a few words."""
        value = self.string(key)
        if value is not None and value not in words:
            raise ConfigurationError(f"{self.where}: {key!r} must be one of {', '.join(words)}, not {value!r}")
        return value

    def rules(self, key: str) -> tuple[str, ...]:
        """An array of rules and groups."""
        return check_rules(self.strings(key), f"{self.where}: {key!r}")

    def string_table(self, key: str) -> dict[str, tuple[str, ...]]:
        """A table of arrays of strings."""
        table = self._typed(key, Mapping, "a table of arrays") or {}
        return {name: self._strings(f"{key}.{name}", values) for name, values in table.items()}

    def rule_table(self, key: str) -> dict[str, tuple[str, ...]]:
        """A table of arrays of rules."""
        table = self.string_table(key)
        return {name: check_rules(rules, f"{self.where}: {key!r}") for name, rules in table.items()}

    def severities(self, key: str) -> dict[str, Severity]:
        """A table from rules and groups to severities."""
        found: dict[str, Severity] = {}
        words = [severity.value for severity in Severity]
        for name, value in (self._typed(key, Mapping, "a table") or {}).items():
            check_rules((name,), f"{self.where}: {key!r}")
            if value not in words:
                raise ConfigurationError(f"{self.where}: {key}.{name} must be one of {', '.join(words)}, not {value!r}")
            found |= dict.fromkeys(_expanded((name,)), Severity(value))
        return found

    def tables(self, key: str) -> list[_Table]:
        """An array of tables."""
        entries = self._typed(key, (list, tuple), "an array of tables") or []
        if not all(isinstance(entry, Mapping) for entry in entries):
            raise ConfigurationError(f"{self.where}: {key!r} must be an array of tables, [[tool.sigcheck.{key}]]")
        return [_Table(entry, f"{self.where}: {key}[{index}]") for index, entry in enumerate(entries)]
