"""Where libcst nodes stand in their file. Imports libcst.

`libcst.metadata.PositionProvider` records every node and takes three times as long as parsing; this records the nodes that
are asked for, in one pass over the same code generation.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from contextlib import nullcontext
from typing import Any

import libcst as cst
from libcst._nodes.internal import CodegenState

from sigcheck.core.identifiers import is_plain
from sigcheck.core.names import normalized

_RECORDED = frozenset({cst.Param, cst.Lambda, cst.Assign, cst.AnnAssign, cst.IndentedBlock, cst.SimpleStatementSuite})

# A call's own first token may be a bracket around it: what is called marks its place.
_MARKING_PARTS: dict[type[cst.CSTNode], str] = {
    cst.FunctionDef: "name",
    cst.ClassDef: "name",
    cst.If: "test",
    cst.Call: "func",
}


class Recorder(CodegenState):
    """Code generation of a module, of which a subclass notes what it likes."""

    def __init__(self, module: cst.Module) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)

    def record_syntactic_position(self, *_: object, **__: object) -> Any:
        """Nothing; the inherited one makes a generator to do that, for most nodes."""
        return _NOTHING


_NOTHING = nullcontext()


class _Recorder(Recorder):
    def __init__(self, module: cst.Module) -> None:
        super().__init__(module)
        self.marks: dict[cst.CSTNode, int] = {}
        self.ends: dict[cst.CSTNode, int] = {}
        self._awaited: set[int] = set()
        self._closing: dict[int, cst.CSTNode] = {}

    def before_codegen(self, node: cst.CSTNode) -> None:
        kind = type(node)
        if kind in _RECORDED or id(node) in self._awaited:
            self.marks[node] = len(self.tokens)
        # A statement's leading comment lines belong to it, so what marks its line is a part of it.
        if id(node) in self._closing:
            self.ends[self._closing[id(node)]] = len(self.tokens)
        part = _MARKING_PARTS.get(kind)
        if part is not None:
            self._awaited.add(id(getattr(node, part)))
            if kind is cst.Call and node.rpar:  # type: ignore[attr-defined]
                self._closing[id(node.rpar[0])] = node  # type: ignore[attr-defined]
            if kind is cst.Call and isinstance(node.func, cst.Attribute):  # type: ignore[attr-defined]
                self._awaited.add(id(node.func.attr))  # type: ignore[attr-defined]

    def after_codegen(self, node: cst.CSTNode) -> None:
        if type(node) is cst.Call:
            self.ends.setdefault(node, len(self.tokens))


class Positions:
    """Lines and columns of parameters, called expressions and methods, ends of calls, lambdas, assignments, blocks, tests of `if`, and names of definitions."""

    def __init__(self, module: cst.Module, lines_before: int = 0) -> None:
        """Prepare, and give names the form in which Python compares them.

        Args:
            module: the tree.
            lines_before: how many lines of the file stand in front of its text.
        """
        self.lines_before = lines_before
        recorder = _Recorder(module)
        module._codegen(recorder)  # noqa: SLF001 - as libcst's own providers do
        offsets = [0, *itertools.accumulate(map(len, recorder.tokens))]
        text = "".join(recorder.tokens)
        self._widths = normalize_names(module, text)
        lines = text.split("\n")
        self._starts = [0, *itertools.accumulate(len(line) + 1 for line in lines)]
        self._offsets = {node: offsets[mark] for node, mark in recorder.marks.items()}
        self._ends = {node: offsets[mark] for node, mark in recorder.ends.items()}

    def of(self, node: cst.CSTNode) -> tuple[int, int]:
        """Line and column of a node's first token, both 1-based; of a block, the end of its header."""
        offset = self._offsets[node]
        line = bisect_right(self._starts, offset)
        return line + self.lines_before, offset - self._starts[line - 1] + 1

    def width(self, node: cst.Name) -> int:
        """How many characters of its line a name takes."""
        return self._widths.get(node, len(node.value))

    def end_line(self, node: cst.Call) -> int:
        """The line in which a call ends, 1-based; a bracket around it is no part of it."""
        return bisect_right(self._starts, self._ends[node] - 1) + self.lines_before


def normalize_names(module: cst.Module, text: str) -> dict[cst.Name, int]:
    """Give each name of a tree the form in which Python compares it: from then on, the tree's code is no longer the file's.

    Args:
        module: the tree.
        text: its code.

    Returns:
        The names that were written in another way, each with how many characters that took.
    """
    names = _Names()
    if not is_plain(text):
        module.visit(names)
    for name in names.found:
        # Nodes are frozen, and known by their identity to those who have noted their places.
        object.__setattr__(name, "value", normalized(name.value))
    return names.found


class _Names(cst.CSTVisitor):
    """Finds the names that are not in normal form."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[cst.Name, int] = {}

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Name) and normalized(node.value) != node.value:
            self.found[node] = len(node.value)
        return True
