"""One module, when mypy has analysed it: its classes are read, summed up for other modules, and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mypy import nodes
from mypy.errors import Errors
from mypy.options import Options
from mypy.scope import SavedScope
from mypy.server.trigger import make_trigger
from mypy.types import Instance, LiteralType

from sigcheck.core.check import check, conclude
from sigcheck.core.diagnostic import BrokenOverride, Diagnostic
from sigcheck.core.flow import Flow
from sigcheck.core.forwarding import BrokenCall
from sigcheck.core.hierarchy import Hierarchy
from sigcheck.core.member import Member
from sigcheck.core.module import Class, Module, Suppression
from sigcheck.core.place import Place
from sigcheck.mypy_plugin.repetition import is_plain, is_told_by_mypy
from sigcheck.mypy_plugin.reporting import Desk
from sigcheck.mypy_plugin.settings import Settings
from sigcheck.readers.comments import read_suppressions
from sigcheck.readers.mypy_nodes import (
    KEY,
    MypyResolver,
    ReadClass,
    ReadModule,
    References,
    SourceText,
    read_flow,
    read_module,
    write_summary,
)


@dataclass(slots=True)
class AnalysedModule:
    """A module in one round of mypy's analysis.

    Attributes:
        tree: mypy's.
        options: those for it.
        errors: mypy's.
        modules: every module that mypy has loaded.
        scopes: the parts of it that are analysed in this round, by their targets.
        functions: the functions in which class statements were met.
        string: `builtins.str`, where `dmypy` is to be told what changes.
    """

    tree: nodes.MypyFile
    options: Options
    errors: Errors
    modules: dict[str, nodes.MypyFile]
    scopes: dict[str, SavedScope] = field(default_factory=dict)
    functions: dict[int, nodes.FuncDef] = field(default_factory=dict)
    string: Instance | None = None
    _read: ReadModule = field(default_factory=ReadModule)
    _references: References | None = None
    _comments: tuple[Suppression, ...] = ()
    _text: SourceText | None = None

    @property
    def name(self) -> str:
        """The module's dotted name, which stands for its file in places."""
        return self.tree.fullname

    @property
    def is_silent(self) -> bool:
        """Nobody sees its errors."""
        return self.tree.path in self.errors.ignored_files

    def desk(self, scope: SavedScope) -> Desk:
        """Where diagnostics of a part are handed in."""
        return Desk(self.errors, self.tree.path, self.name, self.options, scope)

    def collect(self, settings: Settings) -> None:
        """Read the classes, and keep in mypy's tree what other modules need of them."""
        self._text = SourceText(self._lines)
        self._references = References(self.modules)
        self._read = read_module(
            self.tree, self._references, self._text, settings.decorators, tuple(self.functions.values())
        )
        self._comments = self._suppressions(foreign=settings.demands.respect_type_ignores)
        for entry in self._read.classes:
            info = entry.definition.info
            if isinstance(info, nodes.FakeInfo) or entry.functions:
                continue  # Nothing outside of a function can name what is in it.
            text = write_summary(entry.value, self._comments)
            info.metadata[KEY] = {"class": text}
            if self.string is not None:
                self._make_visible(entry.value, text, self.string)

    def _make_visible(self, owner: Class, summary: str, string: Instance) -> None:
        """A symbol whose type changes with the summary: `dmypy` compares symbols, and nothing else."""
        name = _symbol_name(owner.id.partition(":")[2])
        digest = hashlib.sha256(summary.encode("utf-8", "surrogatepass")).hexdigest()
        variable = nodes.Var(name, LiteralType(digest, string))
        variable._fullname = f"{self.name}.{name}"  # noqa: SLF001 - as mypy's own plugins do
        self.tree.names[name] = nodes.SymbolTableNode(
            nodes.GDEF, variable, module_public=False, module_hidden=True, plugin_generated=True, no_serialize=True
        )

    def check(self, settings: Settings) -> None:
        """Check the parts that are analysed in this round, and report."""
        if self.is_silent:
            return  # And nothing that others are told depends on it.
        for target, scope in self.scopes.items():
            chosen = [entry for entry in self._read.classes if _target(entry, self.name) == target]
            told = list(self._diagnostics(chosen, settings, target))
            if told:
                self.desk(scope).report(told, self._path)

    def _diagnostics(
        self, chosen: Sequence[ReadClass], settings: Settings, target: str
    ) -> Iterator[tuple[Diagnostic, Iterable[int], bool]]:
        text = self._text
        if self._references is None or text is None or not chosen:
            return
        own = {entry.value.id: entry.value for entry in self._read.classes}
        resolver = MypyResolver(self._references, own, self.name, self._read.functions)
        hierarchy = Hierarchy([entry.value for entry in chosen], resolver)
        for entry in chosen:
            above = {other.id for order in hierarchy.linearizations(entry.value) for other in order[1:]}
            info = entry.definition.info
            if not isinstance(info, nodes.FakeInfo):
                above.update(f"{base.module_name}:{_path(base)}" for base in info.mro[1:] if KEY in base.metadata)
            self._depend(above, target)
        for function in resolver.functions:
            self.tree.plugin_deps.setdefault(make_trigger(function), set()).add(target)
        module = Module(self.name, self.name, classes=tuple(own.values()), suppressions=self._comments)
        others = [
            Module(reference, reference, suppressions=summary.suppressions)
            for reference, summary in resolver.summaries.items()
            if summary.suppressions
        ]
        definitions = {place: node for entry in self._read.classes for place, node in entry.members.items()}

        def flows_of(asked: Sequence[tuple[Member, Collection[str]]]) -> Iterator[Flow | None]:
            for member, _ in asked:
                node = definitions.get(member.place)
                yield read_flow(node, text) if node is not None else None

        found = check([module, *others], hierarchy, settings.demands, flows_of)
        checked = conclude(found.remarks, found.verdicts, hierarchy.inconsistent, settings.demands)
        for diagnostic in checked.diagnostics:
            if diagnostic.place.path != self.name or settings.configuration.is_ignored(diagnostic.rule, self.tree.path):
                continue
            if not settings.configuration.repeat_mypy and self._is_told(diagnostic, definitions):
                continue
            yield diagnostic, _ignoring_lines(diagnostic), settings.fails(diagnostic.severity)

    def _is_told(self, diagnostic: Diagnostic, definitions: Mapping[Place, nodes.FuncDef]) -> bool:
        """Mypy says so itself."""
        finding = diagnostic.finding
        if not isinstance(finding, BrokenOverride) or self._references is None:
            return False
        override = definitions.get(finding.override.place)
        info = self._references.info(finding.base_class.id)
        if override is None or info is None or not override.info:
            return False
        own, theirs = override.info.names.get(override.name), info.names.get(finding.base.name)
        node = own.node if own is not None else None
        if node is not override and not (isinstance(node, nodes.Decorator) and node.func is override):
            return False  # Another definition of the name counts to mypy.
        return is_told_by_mypy(finding, override, theirs.node if theirs is not None else None, self.options) and (
            not isinstance(node, nodes.Decorator) or is_plain(node)
        )

    def _depend(self, classes: Iterable[str], target: str) -> None:
        """Whoever changes a class above changes this one: mypy must look at it again."""
        refs = getattr(self.tree, "module_refs", None)  # mypy 1.19 and later.
        for reference in classes:
            module, _, path = reference.partition(":")
            if module == self.name or module not in self.modules:
                continue
            if refs is not None:
                refs.add(module)
            trigger = make_trigger(f"{module}.{_symbol_name(path)}")
            self.tree.plugin_deps.setdefault(trigger, set()).add(target)

    def _lines(self) -> list[str] | None:
        read = self.errors.read_source
        return read(self.tree.path) if read is not None else None

    def _suppressions(self, *, foreign: bool) -> tuple[Suppression, ...]:
        if self._text is None or not (foreign or self._text.has("sigcheck:")):
            return ()
        return read_suppressions("\n".join(self._lines() or ()), self.name)

    def _path(self, module: str) -> str | None:
        tree = self.modules.get(module)
        return self.errors.simplify_path(tree.path) if tree is not None else None


def _path(info: nodes.TypeInfo) -> str:
    return info.fullname.removeprefix(f"{info.module_name}.")


def _symbol_name(path: str) -> str:
    """No name that Python knows: nobody can refer to it."""
    return f"{path.replace('.', '-')}@sigcheck"


def _target(entry: ReadClass, module: str) -> str:
    """What `dmypy` checks anew as one: the outermost function around the class, or the module."""
    return entry.functions[0].fullname if entry.functions else module


def _ignoring_lines(diagnostic: Diagnostic) -> Iterator[int]:
    """The lines on which `type: ignore` is about the diagnostic: the whole header of a method, the whole of a call."""
    finding = diagnostic.finding
    yield diagnostic.place.line
    if isinstance(finding, BrokenCall) and diagnostic.place == finding.call.place:
        yield from range(finding.call.place.line, finding.call.last_line + 1)
    if isinstance(finding, BrokenOverride) and diagnostic.place == finding.override.place:
        yield from range(finding.override.place.line, finding.override.last_line + 1)
