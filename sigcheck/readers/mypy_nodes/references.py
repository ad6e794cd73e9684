"""From what mypy bound a name to, to a reference, and back to the class. Imports mypy and `expressions`.

A reference is `module:qualified.name`, as `core.module` has it; `?text` is what mypy could not tell.
"""

from __future__ import annotations

from collections.abc import Mapping

from mypy import nodes
from mypy.types import Instance, TupleType, TypedDictType, get_proper_type

from sigcheck.readers.conventions import CLASS_FACTORIES
from sigcheck.readers.mypy_nodes.expressions import SourceText, last_name


class References:
    """Names classes and functions for one run; knows which class each reference stands for."""

    def __init__(self, modules: Mapping[str, nodes.MypyFile]) -> None:
        """Args: modules: every module that mypy has loaded."""
        self.modules = modules
        self._infos: dict[str, nodes.TypeInfo] = {}
        self._names: dict[nodes.TypeInfo, str] = {}

    def define(self, reference: str, definition: nodes.ClassDef) -> None:
        """A class statement is known under this reference."""
        info = definition.info
        if isinstance(info, nodes.FakeInfo):
            return  # mypy has not looked at it.
        self._infos.setdefault(reference, info)
        self._names.setdefault(info, reference)

    def of(self, expression: nodes.Expression, text: SourceText) -> tuple[str, ...]:
        """What an expression refers to, to mypy's knowledge."""
        while isinstance(expression, nodes.IndexExpr):
            expression = expression.base
        if isinstance(expression, nodes.CallExpr) and last_name(expression.callee) in CLASS_FACTORIES:
            return ("builtins:tuple",)
        reference = self._of_name(expression) if isinstance(expression, nodes.RefExpr) else None
        return (reference if reference is not None else f"?{text.of(expression)}",)

    def _of_name(self, expression: nodes.RefExpr) -> str | None:
        if expression.node is not None:
            return self.of_symbol(expression.node)
        if not isinstance(expression, nodes.MemberExpr) or not isinstance(expression.expr, nodes.RefExpr):
            return None
        # Of a class's methods, mypy's semantic analysis leaves open which they are.
        owner = self._of_name(expression.expr)
        return f"{owner}.{expression.name}" if owner is not None and self.info(owner) is not None else None

    def of_symbol(self, node: nodes.SymbolNode) -> str | None:
        """The reference to what a name is bound to; None for a variable."""
        match node:
            case nodes.TypeInfo():
                return self.of_info(node)
            case nodes.TypeAlias():
                match get_proper_type(node.target):
                    case Instance() as instance:
                        return self.of_info(instance.type)
                    case TupleType() as pair:
                        return self.of_info(pair.partial_fallback.type)
                    case TypedDictType() as keys:
                        return self.of_info(keys.fallback.type)
                    case _:
                        return None
            case nodes.MypyFile():
                return f"{node.fullname}:"
            case nodes.FuncDef() | nodes.OverloadedFuncDef() | nodes.Decorator():
                function = node.func if isinstance(node, nodes.Decorator) else node
                if function.info:
                    return f"{self.of_info(function.info)}.{function.name}"
                module = function.fullname.rpartition(".")[0]
                while module and module not in self.modules:
                    module = module.rpartition(".")[0]
                return f"{module}:{function.fullname[len(module) + 1 :]}" if module else None
            case _:
                return None

    def of_info(self, info: nodes.TypeInfo) -> str:
        """The reference to a class."""
        known = self._names.get(info)
        if known is None:
            path = info.fullname.removeprefix(f"{info.module_name}.")
            known = self._names[info] = f"{info.module_name}:{path}"
            self._infos.setdefault(known, info)
        return known

    def info(self, reference: str) -> nodes.TypeInfo | None:
        """The class of a reference; None where mypy has no such class."""
        known = self._infos.get(reference)
        if known is not None:
            return known
        node = self.symbol(reference)
        if isinstance(node, nodes.TypeInfo):
            self._infos[reference] = node
            return node
        return None

    def symbol(self, reference: str) -> nodes.SymbolNode | None:
        """What is bound to `module:qualified.name`."""
        module, _, path = reference.partition(":")
        tree = self.modules.get(module)
        if tree is None or not path:
            return None
        found: nodes.SymbolNode | None = tree
        for part in path.split("."):
            if not isinstance(found, (nodes.MypyFile, nodes.TypeInfo)):
                return None
            symbol = found.names.get(part)
            node = symbol.node if symbol is not None else None
            if node is None and isinstance(found, nodes.MypyFile):
                # A module is no symbol of a package that does not import it.
                node = self.modules.get(f"{found.fullname}.{part}")
            found = node
        return found
