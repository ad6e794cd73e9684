"""Reads classes of other modules, when they are asked for, out of their text; what is not in doubt is left out.

Whether mypy analysed them in this run or has them in its cache, they are read in the same way: so a cold run, a warm one and `dmypy`
see the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from mypy import nodes

from sigcheck.core.decorators import Decorators
from sigcheck.core.module import Class, Module
from sigcheck.core.place import Place
from sigcheck.mypy_plugin.excerpts import excerpt, excerpt_of_methods
from sigcheck.mypy_plugin.suspicion import ANYTHING, Doubt
from sigcheck.mypy_plugin.texts import read_text
from sigcheck.mypy_plugin.traits import KEY, line_of
from sigcheck.readers.mypy_nodes import References, Summary, summary_of

_MOST = 256
"""Excerpts of modules that are remembered."""

_scanned: dict[tuple[str, str, Doubt], tuple[str, Decorators, Module | None]] = {}


class Others:
    """The classes of the modules that mypy has loaded."""

    def __init__(
        self,
        modules: Mapping[str, nodes.MypyFile],
        references: References,
        decorators: Decorators,
        doubt: Doubt,
        *,
        respect_foreign: bool,
    ) -> None:
        """Prepare for one module.

        Args:
            modules: every module that mypy has loaded.
            references: names their classes.
            decorators: what the configuration says of them.
            doubt: what there is to tell.
            respect_foreign: other checkers' comments count.
        """
        self._modules = modules
        self._references = references
        self._decorators = decorators
        self._doubt = doubt
        self._respect_foreign = respect_foreign

    def read(self, info: nodes.TypeInfo) -> Summary | None:
        """A class with what is said on its lines; None where there is no text of it."""
        kept = info.metadata.get(KEY)
        tree = self._modules.get(info.module_name)
        if kept is None or tree is None:
            return None
        reference = self._references.of_info(info)
        path = reference.partition(":")[2]
        methods = self._methods_in_doubt(info) if "." not in path else None
        is_bare = methods is not None and not methods
        if is_bare and not self._doubt.words:
            return self._bare(info, reference)
        text = read_text(tree.path)
        if text is None:
            return None
        if is_bare and not self._doubt.mention.search(text):
            return self._bare(info, reference)
        module = self._scan(tree, text, info, path.partition(".")[0], methods)
        if module is None:
            return None
        found = [entry for entry in module.classes if entry.id.partition("#")[0] == reference]
        owner = next((entry for entry in found if entry.place.line == line_of(kept)), found[0] if found else None)
        if owner is None:
            return None
        comments = [entry for entry in module.suppressions if self._respect_foreign or not entry.is_foreign]
        return summary_of(owner, comments)

    def _bare(self, info: nodes.TypeInfo, reference: str) -> Summary:
        """A class of which nothing matters but what it inherits."""
        bases = tuple((self._references.of_info(base.type),) for base in info.bases)
        return Summary(Class(reference, reference.replace(":", "."), Place(reference, 1, 1, 1, 1), 1, bases, ()))

    def _methods_in_doubt(self, info: nodes.TypeInfo) -> frozenset[str] | None:
        """Those that a class defines; None where everything is in doubt, or what mypy's symbols do not tell."""
        names = self._doubt.names
        if names is None or info.is_named_tuple or info.typeddict_type is not None:
            return None
        found = frozenset(name for name in names & info.names.keys() if not info.names[name].implicit)
        return found if all(_is_decorated(info.names[name]) is not None for name in found) else None

    def _scan(
        self, tree: nodes.MypyFile, text: str, info: nodes.TypeInfo, name: str, methods: frozenset[str] | None
    ) -> Module | None:
        """The module, in which nothing needs to stand but the top-level class of that name, or some methods of it."""
        key = (tree.path, name, self._doubt if methods is not None else ANYTHING)
        known = _scanned.get(key)
        if known is not None and known[0] == text and known[1] == self._decorators:
            return known[2]
        if methods is not None:
            short, kept = excerpt_of_methods(text, name, methods, self._doubt.mention, _members(info))
            module = self._scan_text(short, tree) if short else None
            if module is None or _members_of(module, name) != kept:
                module = self._scan(tree, text, info, name, None)
        else:
            module = self._scan_text("".join(excerpt(text, name)), tree)
            if module is None or _members_of(module, name) is None:
                module = self._scan_text(text, tree)
        while len(_scanned) >= _MOST:
            del _scanned[next(iter(_scanned))]
        _scanned[key] = (text, self._decorators, module)
        return module

    def _scan_text(self, text: str, tree: nodes.MypyFile) -> Module | None:
        # Often all that is in doubt stands in the module itself.
        from sigcheck.readers.source.scan import scan_text  # noqa: PLC0415

        return scan_text(
            text,
            name=tree.fullname,
            path=tree.fullname,
            is_package=tree.is_package_init_file(),
            decorators=self._decorators,
            with_comments=self._respect_foreign or "sigcheck:" in text,
        )


def _members_of(module: Module, name: str) -> list[str] | None:
    """The names of what the class of a name has; None where there is none."""
    found = [entry for entry in module.classes if entry.id.partition(":")[2] == name]
    return sorted(member.name for entry in found for member in entry.members) if found else None


def _members(info: nodes.TypeInfo) -> dict[str, bool | None]:
    """What a class binds: of a method, whether it has decorators."""
    return {name: _is_decorated(symbol) for name, symbol in info.names.items()}


def _is_decorated(symbol: nodes.SymbolTableNode) -> bool | None:
    """It is a method with decorators; None where it is none that is defined once."""
    kind = None if symbol.plugin_generated else type(symbol.node)
    return kind is nodes.Decorator if kind in (nodes.Decorator, nodes.FuncDef) else None
