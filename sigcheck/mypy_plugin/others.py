"""Reads classes of other modules, when they are asked for, out of their text.

Whether mypy analysed them in this run or has them in its cache, they are read in the same way: so a cold run, a warm one and `dmypy`
see the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mypy import nodes

from sigcheck.core.decorators import Decorators
from sigcheck.core.module import Module
from sigcheck.mypy_plugin.texts import decode, read_bytes
from sigcheck.mypy_plugin.traits import KEY, line_of
from sigcheck.readers.mypy_nodes import Summary, summary_of
from sigcheck.readers.source.scan import scan_text

_MOST = 256
"""Excerpts of modules that are remembered."""

_scanned: dict[tuple[str, str], tuple[bytes, Decorators, Module | None]] = {}


class Others:
    """The classes of the modules that mypy has loaded."""

    def __init__(
        self,
        modules: Mapping[str, nodes.MypyFile],
        decorators: Decorators,
        *,
        respect_foreign: bool,
    ) -> None:
        """Prepare for one module.

        Args:
            modules: every module that mypy has loaded.
            decorators: what the configuration says of them.
            respect_foreign: other checkers' comments count.
        """
        self._modules = modules
        self._decorators = decorators
        self._respect_foreign = respect_foreign

    def read(self, info: nodes.TypeInfo) -> Summary | None:
        """A class with what is said on its lines; None where there is no text of it."""
        kept = info.metadata.get(KEY)
        tree = self._modules.get(info.module_name)
        if kept is None or tree is None:
            return None
        path = info.fullname.removeprefix(f"{info.module_name}.")
        module = self._scan(tree, path.partition(".")[0])
        if module is None:
            return None
        name = f"{info.module_name}:{path}"
        found = [entry for entry in module.classes if entry.id.partition("#")[0] == name]
        owner = next((entry for entry in found if entry.place.line == line_of(kept)), found[0] if found else None)
        if owner is None:
            return None
        comments = [entry for entry in module.suppressions if self._respect_foreign or not entry.is_foreign]
        return summary_of(owner, comments)

    def _scan(self, tree: nodes.MypyFile, name: str) -> Module | None:
        """The module, in which nothing needs to stand but the top-level class of that name."""
        content = read_bytes(tree.path)
        if content is None:
            return None
        key = (tree.path, name)
        known = _scanned.get(key)
        if known is not None and known[0] == content and known[1] == self._decorators:
            return known[2]
        text = decode(content)
        module = None
        if text is not None:
            module = self._scan_text("".join(excerpt(text, name)), tree)
            if module is None or not any(entry.id.partition(":")[2] == name for entry in module.classes):
                module = self._scan_text(text, tree)
        while len(_scanned) >= _MOST:
            del _scanned[next(iter(_scanned))]
        _scanned[key] = (content, self._decorators, module)
        return module

    def _scan_text(self, text: str, tree: nodes.MypyFile) -> Module | None:
        return scan_text(
            text,
            name=tree.fullname,
            path=tree.fullname,
            is_package=tree.is_package_init_file(),
            decorators=self._decorators,
            with_comments=self._respect_foreign or "sigcheck:" in text,
        )


_PIECE = re.compile(
    r"\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3}|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|#[^\n]*"
    r"|\n(?:(?:async[ \t]+)?(def)|(class))[ \t]+(\w+)|(\n)(?=[^\s#)\]}])",
    re.DOTALL,
)
"""Strings, comments, and where a statement of a module begins."""


def excerpt(text: str, name: str) -> Iterator[str]:
    """A module's text, line by line, in which of functions is left that they are there, as of classes of another name."""
    begin, stub = 0, ""
    for piece in _PIECE.finditer(text):
        function, class_, word, other = piece.groups()
        if not (word or other):
            continue
        yield _left_of(text[begin : piece.start()], stub)
        begin = piece.start()
        stub = ""
        if function:
            stub = f"\ndef {word}(): pass"
        elif class_ and word != name:
            stub = f"\nclass {word}: pass"
    yield _left_of(text[begin:], stub)


def _left_of(statement: str, stub: str) -> str:
    return stub + "\n" * (statement.count("\n") - 1) if stub else statement
