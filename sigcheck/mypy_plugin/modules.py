"""One module, when mypy has analysed it: it is looked over, what other modules need is kept, and the suspects are checked. Of one whose
errors nobody sees is kept what cannot be had later.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from mypy import nodes
from mypy.errors import Errors
from mypy.options import Options
from mypy.scope import SavedScope
from mypy.server.trigger import make_trigger, make_wildcard_trigger
from mypy.types import Instance, LiteralType

from sigcheck.mypy_plugin.suspicion import Demand, Noted, Suspicion
from sigcheck.mypy_plugin.texts import read_bytes, read_text, stamp_of
from sigcheck.mypy_plugin.traits import KEY, digest_of

if TYPE_CHECKING:
    from sigcheck.mypy_plugin.settings import Settings


class AnalysedModule:
    """A module in one round of mypy's analysis.

    Attributes:
        tree: mypy's.
        options: those for it.
        errors: mypy's.
        modules: every module that mypy has loaded.
        scopes: the parts of it that are analysed in this round, by their targets.
        functions: the functions in which class statements were met.
        classes: the class statements that were met, by identity.
        string: `builtins.str`, where `dmypy` is to be told what changes.
    """

    def __init__(
        self,
        tree: nodes.MypyFile,
        options: Options,
        errors: Errors,
        modules: dict[str, nodes.MypyFile],
        string: Instance | None,
    ) -> None:
        self.tree = tree
        self.options = options
        self.errors = errors
        self.modules = modules
        self.scopes: dict[str, SavedScope] = {}
        self.functions: dict[int, nodes.FuncDef] = {}
        self.classes: dict[int, Noted] = {}
        self.string = string
        self._suspicion: Suspicion | None = None
        self._text: str | None = None

    @property
    def name(self) -> str:
        """The module's dotted name, which stands for its file in places."""
        return self.tree.fullname

    def note(self, definition: nodes.ClassDef, functions: Sequence[nodes.FuncItem]) -> None:
        """A class statement was met, in these functions, the outermost first."""
        if id(definition) in self.classes:
            return
        function = functions[0] if functions else None
        target = function.fullname if function is not None else self.name
        self.scopes.setdefault(target, (self.name, None, function))
        self.classes[id(definition)] = Noted(definition, function is not None, target)
        for outer in functions:
            if isinstance(outer, nodes.FuncDef):
                self.functions[id(outer)] = outer

    def collect(self, settings: Callable[[], Settings] | None) -> None:
        """Look it over, and keep in mypy's tree what other modules need of its classes.

        Args:
            settings: what the user asked for; None where nothing is configured.
        """
        options = self.options
        demand = settings().demand(options) if settings is not None else Demand(options, lambda _: False, True, False)
        self._text = read_text(self.tree.path)
        self._suspicion = Suspicion(self.tree, self._text, list(self.classes.values()), self.modules, demand)
        if self.string is not None:
            for info, traits in self._suspicion.kept:
                _make_visible(self.tree, info, json.dumps(traits), self.string)

    def check(self, settings: Callable[[], Settings]) -> None:
        """Check what is suspected of the parts that are analysed in this round, and report."""
        suspicion, self._suspicion = self._suspicion, None  # Nobody asks it again.
        if suspicion is None:
            return
        self._depend_on_bases()
        suspects = suspicion.suspects()
        if not suspects:
            return
        # Most modules are above suspicion: what reads and checks is only loaded for the others.
        from sigcheck.mypy_plugin.verdicts import Analysed, Inquest  # noqa: PLC0415

        functions = tuple(self.functions.values())
        text, lines = self._text, suspicion.lines
        analysed = Analysed(self.tree, self.options, self.errors, self.modules, self.scopes, functions, text, lines)
        Inquest(analysed, settings(), suspects).report(self._depend)

    def _depend_on_bases(self) -> None:
        """What is kept of the classes above changes what is told of a class."""
        for noted in self.classes.values():
            info = noted.definition.info
            if isinstance(info, nodes.FakeInfo):
                continue
            for base in info.mro[1:-1]:
                if KEY in base.metadata:
                    if base.module_name != self.name:
                        self._depend_on(base.module_name, _path(base) if self._is_fine_grained else "", noted.target)
                elif self._is_fine_grained and base.is_named_tuple:
                    # mypy shows a plugin no NamedTuple: whatever changes in it.
                    self._add_trigger(make_wildcard_trigger(base.fullname), noted.target)

    def _depend(self, classes: Iterable[str], functions: Iterable[str], target: str) -> None:
        """Whoever changes a class or a function above changes this one: mypy must look at it again."""
        for reference in classes:
            module, _, path = reference.partition(":")
            if module != self.name:
                self._depend_on(module, path, target)
        if self._is_fine_grained:
            for function in functions:
                self._add_trigger(make_trigger(function), target)

    def _depend_on(self, module: str, path: str, target: str) -> None:
        """Depend on a class of another module; its path is asked for where mypy goes by it."""
        if module not in self.modules:
            return
        refs = getattr(self.tree, "module_refs", None)  # mypy 1.19 and later.
        if refs is not None:
            refs.add(module)
        if self._is_fine_grained:
            self._add_trigger(make_trigger(f"{module}.{_symbol_name(path)}"), target)

    def _add_trigger(self, trigger: str, target: str) -> None:
        self.tree.plugin_deps.setdefault(trigger, set()).add(target)

    @property
    def _is_fine_grained(self) -> bool:
        """It is `dmypy` that runs, or the cache is for it: only then mypy asks for triggers."""
        return self.options.fine_grained_incremental or self.options.cache_fine_grained

    def apologise(self, defect: str) -> None:
        """Tell of what is the plugin's own fault."""
        from sigcheck.mypy_plugin.reporting import Desk  # noqa: PLC0415

        scope = next(iter(self.scopes.values()))
        Desk(self.errors, self.tree.path, self.name, self.options, scope).apologise(defect)


def keep_unread(tree: nodes.MypyFile, options: Options, string: Instance | None) -> None:
    """Of the classes of a module whose errors nobody sees, keep where they stand, and what changes with the text.

    Args:
        tree: mypy's, its semantic analysis done.
        options: those for it.
        string: `builtins.str`, where `dmypy` is to be told what changes.
    """
    # Mypy believes a file's stamp too, but where a build system has stamps of no meaning.
    digest = digest_of(read_bytes(tree.path) or b"") if options.bazel else stamp_of(tree.path)
    for definition in _classes_in(tree.defs):
        info, line = definition.info, definition.line
        if type(info) is nodes.TypeInfo:
            info.metadata[KEY] = {"digest": digest, "span": [line, definition.end_line or line]}
            if string is not None:
                _make_visible(tree, info, digest, string)


def _classes_in(statements: Sequence[nodes.Statement]) -> Iterator[nodes.ClassDef]:
    """The class statements that stand in no function."""
    pending: list[object] = [part for part in statements if type(part) in _AROUND]
    while pending:
        part = pending.pop()
        kind = type(part)
        if kind is nodes.ClassDef:
            yield part  # type: ignore[misc]
            pending += [inner for inner in part.defs.body if type(inner) in _AROUND]  # type: ignore[attr-defined]
        elif kind is list:
            pending += part  # type: ignore[arg-type]
        elif kind in _AROUND:
            pending += [getattr(part, name) for name in _AROUND[kind]]


_AROUND: dict[type, tuple[str, ...]] = {
    nodes.ClassDef: (),
    nodes.Block: ("body",),
    nodes.IfStmt: ("body", "else_body"),
    nodes.TryStmt: ("body", "handlers", "else_body", "finally_body"),
    nodes.WithStmt: ("body",),
    nodes.ForStmt: ("body", "else_body"),
    nodes.WhileStmt: ("body", "else_body"),
    nodes.MatchStmt: ("bodies",),
}
"""Where class statements can stand in a statement."""


def _make_visible(tree: nodes.MypyFile, owner: nodes.TypeInfo, traits: str, string: Instance) -> None:
    """A symbol whose type changes with what others are told: `dmypy` compares symbols, and nothing else."""
    name = _symbol_name(_path(owner))
    variable = nodes.Var(name, LiteralType(traits, string))
    variable._fullname = f"{tree.fullname}.{name}"  # noqa: SLF001 - as mypy's own plugins do
    tree.names[name] = nodes.SymbolTableNode(
        nodes.GDEF, variable, module_public=False, module_hidden=True, plugin_generated=True, no_serialize=True
    )


def _path(info: nodes.TypeInfo) -> str:
    return info.fullname.removeprefix(f"{info.module_name}.")


def _symbol_name(path: str) -> str:
    """No name that Python knows: nobody can refer to it."""
    return f"{path.replace('.', '-')}@sigcheck"
