"""Reads classes of other modules, when they are asked for, out of their text.

Whether mypy analysed them in this run or has them in its cache, they are read in the same way: so a cold run, a warm one and `dmypy`
see the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mypy import nodes

from sigcheck.core.decorators import Decorators
from sigcheck.core.module import Module
from sigcheck.mypy_plugin.suspicion import KEY
from sigcheck.readers.mypy_nodes import Summary, summary_of
from sigcheck.readers.source.scan import scan_text

_MOST = 256
"""Modules that are remembered."""

_scanned: dict[str, tuple[str, Decorators, Module | None]] = {}


class Others:
    """The classes of the modules that mypy has loaded."""

    def __init__(
        self,
        modules: Mapping[str, nodes.MypyFile],
        read_source: Callable[[str], list[str] | None] | None,
        decorators: Decorators,
        *,
        respect_foreign: bool,
    ) -> None:
        """Prepare for one module.

        Args:
            modules: every module that mypy has loaded.
            read_source: gives the lines of a file.
            decorators: what the configuration says of them.
            respect_foreign: other checkers' comments count.
        """
        self._modules = modules
        self._read_source = read_source
        self._decorators = decorators
        self._respect_foreign = respect_foreign

    def read(self, info: nodes.TypeInfo) -> Summary | None:
        """A class with what is said on its lines; None where there is no text of it."""
        kept = info.metadata.get(KEY)
        tree = self._modules.get(info.module_name)
        if kept is None or tree is None:
            return None
        module = self._scan(tree)
        if module is None:
            return None
        name = f"{info.module_name}:{info.fullname.removeprefix(f'{info.module_name}.')}"
        found = [entry for entry in module.classes if entry.id.partition("#")[0] == name]
        owner = next((entry for entry in found if entry.place.line == kept.get("odd")), found[0] if found else None)
        if owner is None:
            return None
        comments = [entry for entry in module.suppressions if self._respect_foreign or not entry.is_foreign]
        return summary_of(owner, comments)

    def _scan(self, tree: nodes.MypyFile) -> Module | None:
        lines = self._read_source(tree.path) if self._read_source is not None else None
        if lines is None:
            return None
        text = "\n".join(lines)
        known = _scanned.get(tree.path)
        if known is not None and known[0] == text and known[1] == self._decorators:
            return known[2]
        module = scan_text(
            text,
            name=tree.fullname,
            path=tree.fullname,
            is_package=tree.is_package_init_file(),
            decorators=self._decorators,
            with_comments=self._respect_foreign or "sigcheck:" in text,
        )
        while len(_scanned) >= _MOST:
            del _scanned[next(iter(_scanned))]
        _scanned[tree.path] = (text, self._decorators, module)
        return module
