"""What a look over a class statement tells: mypy's nodes of its header and of its members, and the text of its methods. Imports mypy.

Bodies are not walked: what they call is looked for in their text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from mypy import nodes
from mypy.options import Options
from mypy.types import Instance

from sigcheck.mypy_plugin.binding import callable_of, function_of, is_checked
from sigcheck.mypy_plugin.makers import ACCESSORS, MAKERS, is_strange
from sigcheck.mypy_plugin.own_calls import OwnCalls
from sigcheck.mypy_plugin.survey import FUNCTIONS, Survey, names_in
from sigcheck.mypy_plugin.symbols import Found, is_without_source
from sigcheck.mypy_plugin.traits import digest_of
from sigcheck.mypy_plugin.written_calls import bare_functions, is_obscure


class Look:
    """A class statement, looked over.

    Attributes:
        definition: the statement.
        survey: its module.
        info: mypy's class.
        calls: what its methods call.
        is_odd: mypy's symbols may not tell which class it is, or what it has.
        odd_names: the names of which they do not tell the whole.
        none_names: those that are bound to None.
        repeated: those that are defined again with the same parameters; mypy's symbol is the first definition.
        borrowed: those that are bound to a method of another name, or to a value, which is found in this class or in another.
    """

    def __init__(self, definition: nodes.ClassDef, survey: Survey, options: Options | None) -> None:
        """Look over a class.

        Args:
            definition: the statement.
            survey: its module.
            options: mypy's, for the module; None where what mypy tells of calls is of no interest.
        """
        self.info: nodes.TypeInfo = definition.info
        self.calls = OwnCalls(self.info, survey)
        self.is_odd = False
        self.odd_names: set[str] = set()
        self.none_names: set[str] = set()
        self.repeated: set[str] = set()
        self.borrowed: dict[str, Found] = {}
        self.definition = definition
        self.survey = survey
        self._same: dict[str, str] = {}
        self._assigned: set[str] = set()
        self._decorating: dict[str, str] = {}
        self._methods: list[nodes.FuncDef] = []
        self._read_header()
        self._read_body()
        self._text = survey.text_of(definition)
        bound = [method for method in self._methods if not method.is_static or method.name == "__new__"]
        receivers = {method.arg_names[0] or "self" for method in bound if method.arg_names}
        self.is_odd = self.is_odd or is_obscure(self._text, receivers)
        checked = {method for method in bound if options is not None and is_checked(method, self.info, options)}
        if checked:
            checked.difference_update(self._with_bare_functions())
        self.calls.read(bound, self._text, definition.line, checked)

    def traits(self) -> dict[str, object]:
        """What others need of the class; to be asked when all those of the module were looked over."""
        definition, calls = self.definition, self.calls
        is_odd = self.is_odd or self.survey.is_odd
        text = self.survey.text if is_odd else ("@" if definition.decorators else "") + self._text
        if self._decorating and not is_odd:
            text = "\n".join((text, *self._decorating.values()))
        kept: dict[str, object] = {"digest": digest_of(text.encode("utf-8", "surrogatepass"))}
        if is_odd:
            kept["odd"] = definition.line  # Which of several of that name it is.
        if self.odd_names:
            kept["names"] = sorted(self.odd_names)
        if self._same:
            kept["same"] = self._same
        if calls.on_self:
            kept["calls"] = sorted(calls.on_self)
        if calls.loose:
            kept["loose"] = sorted(calls.loose)
        if calls.on_super:
            kept["super"] = sorted(calls.on_super)
        return kept

    def _with_bare_functions(self) -> Iterator[nodes.FuncDef]:
        """The methods in which a function may stand whose body mypy passes over."""
        lines = [method.line for method in self._methods]
        for place in bare_functions(self._text, max(method.column for method in self._methods)):
            index = bisect_right(lines, self.definition.line + self._text.count("\n", 0, place))
            if index:
                yield self._methods[index - 1]

    def _read_header(self) -> None:
        definition, survey = self.definition, self.survey
        qualified = self.info.fullname.removeprefix(f"{survey.name}.")
        if qualified in survey.named or not survey.is_certain(qualified.partition(".")[0]):
            self.is_odd = True
        survey.named[qualified] = self.info
        mro = self.info.mro
        for base in definition.base_type_exprs:
            expression: nodes.Expression = base
            while isinstance(expression, nodes.IndexExpr):
                expression = expression.base
            root = expression
            while isinstance(root, nodes.MemberExpr):
                root = root.expr
            if not isinstance(root, nodes.NameExpr) or not isinstance(expression, nodes.RefExpr):
                self.is_odd = True
                return
            if not survey.is_certain(root.name) or self._is_hidden(root.name, qualified):
                self.is_odd = True
            node = expression.node
            if isinstance(node, nodes.TypeInfo) and node not in mro and not is_without_source(node):
                self.is_odd = True
            if isinstance(expression.node, nodes.TypeAlias):
                self.is_odd = True

    def _is_hidden(self, name: str, qualified: str) -> bool:
        """A class around this one may bind a name of the module to something else."""
        outer = qualified.rpartition(".")[0]
        while outer:
            info = self.survey.named.get(outer)
            if info is None or name in info.names:
                return True
            outer = outer.rpartition(".")[0]
        return False

    def _read_body(self) -> None:
        seen: dict[str, nodes.Statement] = {}
        for statement in self.definition.defs.body:
            kind = type(statement)
            name = ""
            if kind is nodes.FuncDef:
                name = statement.name  # type: ignore[attr-defined]
                self._methods.append(statement)  # type: ignore[arg-type]
            elif kind is nodes.Decorator:
                name = statement.name  # type: ignore[attr-defined]
                self._read_decorated(statement)  # type: ignore[arg-type]
            elif kind is nodes.OverloadedFuncDef:
                name = statement.name  # type: ignore[attr-defined]
                self._read_several(statement)  # type: ignore[arg-type]
            elif kind is nodes.AssignmentStmt:
                self._read_assignment(statement)  # type: ignore[arg-type]
            elif kind is nodes.ClassDef:
                self.survey.look_for_classes(statement)
            elif kind not in _SILENT:
                self.is_odd = True
                self.survey.look_for_classes(statement)
            if name:
                if name not in seen:
                    seen[name] = statement
                elif _is_repeated(seen[name], statement):
                    self.repeated.add(name)
                else:
                    self.is_odd = True
        self.is_odd = self.is_odd or not self._assigned.isdisjoint(seen)

    def _read_assignment(self, statement: nodes.AssignmentStmt) -> None:
        value = statement.rvalue
        if isinstance(value, nodes.TempNode):
            return
        names = [name for target in statement.lvalues for name in names_in(target)]
        for name in self._assigned.intersection(names):
            self._same.pop(name, None)
            self.borrowed.pop(name, None)
        if len(statement.lvalues) == 1 and isinstance(value, nodes.NameExpr) and value.name == "None":
            self.none_names.update(names)
        elif isinstance(value, _MEMBERS) and not self._is_value(value):
            self.odd_names.update(names)
            if isinstance(statement.lvalues[0], nodes.NameExpr) and statement.lvalues[0].name not in self._assigned:
                self._read_alias(statement.lvalues[0].name, value)
        self._assigned.update(names)

    def _read_alias(self, name: str, value: nodes.Expression) -> None:
        """`name = method`, `name = Class.method`, `name = Class.VALUE`."""
        if isinstance(value, nodes.NameExpr):
            known = self.info.names.get(value.name)
            if known is not None and isinstance(known.node, nodes.FuncDef) and known.node.line < value.line:
                self._same[name] = known.node.name
                self.borrowed[name] = (self.info, known)
        elif isinstance(value, nodes.MemberExpr) and isinstance(value.expr, nodes.NameExpr):
            owner, root = value.expr.node, value.expr.name
            if not isinstance(owner, nodes.TypeInfo) or owner is self.info or root in self.info.names:
                return
            known = owner.names.get(value.name)
            if known is not None and _can_be_lent(known.node) and self.survey.is_certain(root):
                self.borrowed[name] = (owner, known)

    def _is_value(self, value: nodes.Expression) -> bool:
        """What is assigned is no method."""
        if isinstance(value, nodes.CallExpr):
            return _last_name(value.callee) not in MAKERS
        if isinstance(value, nodes.NameExpr):
            name = value.name
            if name in ("True", "False"):
                return True
            if name in self._assigned or name in self.info.names:
                return name in self._assigned and name not in self.odd_names and name not in self.none_names
        return self.survey.is_value(value)

    def _read_several(self, node: nodes.OverloadedFuncDef) -> None:
        first = node.items[0] if node.items else None
        if not (isinstance(first, nodes.Decorator) and first.var.is_property):
            self.is_odd = True
        for item in node.unanalyzed_items:
            if isinstance(item, nodes.Decorator):
                words = [_last_name(word) for word in item.original_decorators]
                if len(words) != 1 or words[0] not in ("property", *ACCESSORS):
                    self.odd_names.add(node.name)
                self._methods.append(item.func)
            else:
                self.is_odd = True

    def _read_decorated(self, node: nodes.Decorator) -> None:
        for decorator in node.original_decorators:
            expression = decorator
            while isinstance(expression, nodes.CallExpr):
                expression = expression.callee
            if not isinstance(expression, nodes.RefExpr):
                self.odd_names.add(node.name)
                continue
            root = expression
            while isinstance(root, nodes.MemberExpr) and isinstance(root.expr, nodes.RefExpr):
                root = root.expr
            words = (_last_name(expression), (expression.fullname or "").rpartition(".")[2])
            if not self._is_plain_decorator(words, node) or _last_name(root) == node.name:
                self.odd_names.add(node.name)
            elif type(expression) is nodes.NameExpr and type(expression.node) in FUNCTIONS:
                self._read_wrapping(node.name, expression.node)
        self._methods.append(node.func)

    def _read_wrapping(self, name: str, decorator: nodes.SymbolNode | None) -> None:
        """A function of this module may put one with other parameters in the place of what it decorates."""
        found = decorator.impl if isinstance(decorator, nodes.OverloadedFuncDef) else decorator
        function = function_of(found)
        owner = function.fullname.rpartition(".")[0] if function is not None else ""
        if function is None or owner not in (self.survey.name, self.info.fullname):
            return
        text, may_replace = self.survey.as_decorator(function)
        if owner == self.survey.name:
            self._decorating[function.name] = text
        if may_replace:
            self.odd_names.add(name)

    @staticmethod
    def _is_plain_decorator(words: tuple[str, str], node: nodes.Decorator) -> bool:
        for word in words:
            if word in ("staticmethod", "abstractstaticmethod"):
                if not node.func.is_static:
                    return False
            elif word in ("classmethod", "abstractclassmethod"):
                if not node.func.is_class:
                    return False
            elif word in ("property", "abstractproperty"):
                if not node.var.is_property:
                    return False
            elif is_strange(word):
                return False
        return True


_MEMBERS = (nodes.NameExpr, nodes.MemberExpr, nodes.LambdaExpr, nodes.CallExpr)
_SILENT = frozenset({nodes.ExpressionStmt, nodes.PassStmt})


def _is_repeated(first: nodes.Statement, again: nodes.Statement) -> bool:
    """What is told of a method by its header is the same of both definitions; no catch-all has its body to be asked."""
    if not (isinstance(first, nodes.FuncDef) and isinstance(again, nodes.FuncDef)):
        return False
    function = callable_of(first)
    return function == callable_of(again) and _CATCH_ALLS.isdisjoint(function.kinds)


def _can_be_lent(node: nodes.SymbolNode | None) -> bool:
    """It is a function that binds its receiver, or what mypy knows for a number or a string, though nobody says so."""
    if isinstance(node, nodes.FuncDef):
        return not callable_of(node).flavour
    kind = node.type if isinstance(node, nodes.Var) and node.is_inferred else None
    return isinstance(kind, Instance) and kind.type.fullname in _PLAIN_VALUES


_PLAIN_VALUES = frozenset({"builtins.int", "builtins.str", "builtins.bytes", "builtins.float", "builtins.bool"})
_CATCH_ALLS = frozenset({nodes.ARG_STAR, nodes.ARG_STAR2})


def _last_name(node: nodes.Node) -> str:
    return node.name if isinstance(node, (nodes.NameExpr, nodes.MemberExpr)) else ""
