"""What is told of the classes of a module that are suspected: they are read, and checked against what is above them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mypy import nodes
from mypy.errors import Errors
from mypy.options import Options
from mypy.scope import SavedScope

from sigcheck.core.check import check, conclude
from sigcheck.core.dataclass import dataclass, replace
from sigcheck.core.demands import Demands
from sigcheck.core.diagnostic import BrokenOverride, Diagnostic
from sigcheck.core.forwarding import BrokenCall
from sigcheck.core.hierarchy import Hierarchy
from sigcheck.core.honour import BodyQuestion, NeglectedParameter, answer_to
from sigcheck.core.module import Module, Suppression
from sigcheck.core.place import Place
from sigcheck.core.rules import RULES
from sigcheck.mypy_plugin.binding import function_of, is_plain
from sigcheck.mypy_plugin.others import Others
from sigcheck.mypy_plugin.repetition import is_call_told_by_mypy, is_override_told_by_mypy
from sigcheck.mypy_plugin.settings import Settings
from sigcheck.mypy_plugin.suspicion import ANYTHING, Doubt, Suspect, mention_of
from sigcheck.readers.mypy_nodes import (
    LeftOutError,
    MypyResolver,
    ReadClass,
    ReadModule,
    References,
    SourceText,
    read_module,
)

if TYPE_CHECKING:
    from sigcheck.core.usage import Usage


@dataclass(frozen=True, slots=True)
class Analysed:
    """A module that mypy has analysed.

    Attributes:
        tree: mypy's.
        options: those for it.
        errors: mypy's.
        modules: every module that mypy has loaded.
        scopes: the parts of it that are analysed in this round, by their targets.
        functions: the functions in which class statements were met.
        text: of its file; None where it cannot be had.
        lines: of the text.
    """

    tree: nodes.MypyFile
    options: Options
    errors: Errors
    modules: dict[str, nodes.MypyFile]
    scopes: Mapping[str, SavedScope]
    functions: Sequence[nodes.FuncDef]
    text: str | None
    lines: list[str]


class Inquest:
    """One module, whose suspects are read."""

    def __init__(self, module: Analysed, settings: Settings, suspects: Sequence[Suspect]) -> None:
        """Read a module.

        Args:
            module: what mypy has analysed.
            settings: what the user asked for.
            suspects: the class statements that are to be checked, and what they are suspected of.
        """
        self.module = module
        self.settings = settings
        self.name = module.tree.fullname
        self._text = SourceText(module.lines)
        self._references = References(module.modules)
        definitions = [suspect.definition for suspect in suspects]
        self._suspects = {id(definition) for definition in definitions}
        infos = [definition.info for definition in definitions if not isinstance(definition.info, nodes.FakeInfo)]
        self._above = {base for info in infos for base in info.mro[1:]}
        self._doubt = _together(suspect.doubt for suspect in suspects)
        self._read = self._read_module(_involved(definitions, module.functions))
        self._comments = self._suppressions(foreign=settings.demands.respect_type_ignores)

    def _read_module(self, wants: Callable[[nodes.ClassDef], bool]) -> ReadModule:
        module, (names, words) = self.module, (self._doubt.names, self._doubt.words)
        called = words & names if names is not None else words

        def is_above(function: nodes.FuncDef) -> bool:
            # What is told of a suspect hangs on the methods above it.
            return names is None or function.info in self._above

        def wants_method(node: nodes.FuncDef | nodes.Decorator) -> bool:
            if names is None or node.name in names:
                return True
            if isinstance(node, nodes.Decorator):
                return is_above(node.func)
            return is_above(node) and (
                any(argument.variable.name in words for argument in node.arguments)
                or bool(self._text.matching(node, mention_of(called)))
            )

        return read_module(
            module.tree,
            self._references,
            self._text,
            self.settings.decorators,
            module.functions,
            wants=wants,
            wants_method=wants_method,
            wants_calls=is_above,
        )

    def report(self, depend: Callable[[Iterable[str], Iterable[str], str], None]) -> None:
        """Check the suspects, part by part, and hand in what is found.

        Args:
            depend: is told of the classes and functions on which a part depends.
        """
        module = self.module
        for target, scope in module.scopes.items():
            try:
                told = list(self._diagnostics(target, depend))
            except LeftOutError:
                self._read = self._read_module(lambda _: True)
                told = list(self._diagnostics(target, depend))
            if told:
                # What is suspected is often in order: then nothing needs the words.
                from sigcheck.mypy_plugin.reporting import Desk  # noqa: PLC0415

                Desk(module.errors, module.tree.path, self.name, module.options, scope).report(told, self._path)

    def _diagnostics(
        self, target: str, depend: Callable[[Iterable[str], Iterable[str], str], None]
    ) -> Iterator[tuple[Diagnostic, Iterable[int], bool]]:
        settings, text = self.settings, self._text
        chosen = [
            entry
            for entry in self._read.classes
            if _target(entry, self.name) == target
            # What mypy calls unreachable was never shown to the plugin.
            and (id(entry.definition) in self._suspects or isinstance(entry.definition.info, nodes.FakeInfo))
        ]
        if not chosen:
            return
        own = {entry.value.id: entry.value for entry in self._read.classes}
        resolver = MypyResolver(
            self._references,
            own,
            self.name,
            self._read.functions,
            Others(
                self.module.modules,
                self._references,
                settings.decorators,
                self._doubt,
                respect_foreign=settings.demands.respect_type_ignores,
            ).read,
            left_out=self._read.left_out,
        )
        hierarchy = Hierarchy([entry.value for entry in chosen], resolver)
        for entry in chosen:
            above = {other.id for order in hierarchy.linearizations(entry.value) for other in order[1:]}
            depend(above, (), target)
        depend((), resolver.functions, target)
        module = Module(self.name, self.name, classes=tuple(own.values()), suppressions=self._comments)
        others = [
            Module(reference, reference, suppressions=summary.suppressions)
            for reference, summary in resolver.summaries.items()
            if summary.suppressions
        ]
        definitions = {place: node for entry in self._read.classes for place, node in entry.members.items()}

        def usages_of(asked: Sequence[BodyQuestion]) -> Iterator[Mapping[str, Usage] | None]:
            from sigcheck.readers.mypy_nodes.flow import read_flow  # noqa: PLC0415 - only contracts ask of bodies

            for question in asked:
                node = definitions.get(question.member.place)
                yield answer_to(question, read_flow(node, text) if node is not None else None)

        demands = settings.demands if self._doubt.names is None else _of_overrides(settings.demands)
        found = check([module, *others], hierarchy, demands, usages_of)
        checked = conclude(found.remarks, found.verdicts, hierarchy.inconsistent, demands)
        for diagnostic in checked.diagnostics:
            if diagnostic.place.path != self.name or settings.is_ignored(diagnostic.rule, self.module.tree.path):
                continue
            if not self._is_in_doubt(diagnostic):
                continue
            if not settings.repeats_mypy and self._is_told(diagnostic, definitions):
                continue
            yield diagnostic, _ignoring_lines(diagnostic), settings.fails(diagnostic.severity)

    def _is_in_doubt(self, diagnostic: Diagnostic) -> bool:
        """The suspicion left it open: of what it did not, the classes above need not have been read."""
        names, finding = self._doubt.names, diagnostic.finding
        return names is None or (
            isinstance(finding, (BrokenOverride, NeglectedParameter)) and finding.override.name in names
        )

    def _is_told(self, diagnostic: Diagnostic, definitions: Mapping[Place, nodes.FuncDef]) -> bool:
        """Mypy says so itself."""
        finding, options = diagnostic.finding, self.module.options
        if isinstance(finding, BrokenCall):
            caller, owner = definitions.get(finding.caller.place), self._references.info(finding.caller_class.id)
            return caller is not None and owner is not None and is_call_told_by_mypy(finding, caller, owner, options)
        if not isinstance(finding, BrokenOverride):
            return False
        override = definitions.get(finding.override.place)
        info = self._references.info(finding.base_class.id)
        if override is None or info is None or not override.info:
            return False
        own, theirs = override.info.names.get(override.name), info.names.get(finding.base.name)
        node = own.node if own is not None else None
        if function_of(node) is not override:
            return False  # Another definition of the name counts to mypy.
        return is_override_told_by_mypy(finding, override, theirs.node if theirs is not None else None, options) and (
            not isinstance(node, nodes.Decorator) or is_plain(node)
        )

    def _suppressions(self, *, foreign: bool) -> tuple[Suppression, ...]:
        text = self.module.text or ""
        if not foreign and "sigcheck:" not in text:
            return ()
        from sigcheck.readers.comments import read_suppressions  # noqa: PLC0415 - few modules have such comments

        return read_suppressions(text, self.name)

    def _path(self, module: str) -> str | None:
        tree = self.module.modules.get(module)
        return self.module.errors.simplify_path(tree.path) if tree is not None else None


def _of_overrides(demands: Demands) -> Demands:
    """The same, but for what is about calls."""
    kept = {name: level for name, level in demands.severities.items() if RULES[name].group != "call"}
    return replace(demands, severities=kept)


def _together(doubts: Iterable[Doubt]) -> Doubt:
    """What several classes are suspected of."""
    names, words = set[str](), set[str]()
    for doubt in doubts:
        if doubt.names is None:
            return ANYTHING
        names |= doubt.names
        words |= doubt.words
    return Doubt(frozenset(names), frozenset(words))


def _involved(
    suspects: Iterable[nodes.ClassDef], functions: Collection[nodes.FuncDef]
) -> Callable[[nodes.ClassDef], bool]:
    """Which class statements are read for the sake of the suspects: what they inherit, what stands around these, and what mypy hides."""
    names: set[str] = set()
    for suspect in suspects:
        above = [] if isinstance(suspect.info, nodes.FakeInfo) else suspect.info.mro
        for full in (suspect.fullname, *(base.fullname for base in above)):
            name = full
            while name and name not in names:
                names.add(name)
                name = name.rpartition(".")[0]

    def is_involved(definition: nodes.ClassDef) -> bool:
        last = definition.end_line or definition.line
        return (
            definition.fullname in names
            or isinstance(definition.info, nodes.FakeInfo)
            or any(definition.line <= function.line <= last for function in functions)
        )

    return is_involved


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
