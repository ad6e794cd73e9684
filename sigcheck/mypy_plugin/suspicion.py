"""Which classes of a module are worth reading: mypy's symbols and the text suspect, the nodes convict. Imports mypy, nothing of `core`.

Suspected is whatever is not certain to be in order. Of each class is kept, in its `TypeInfo.metadata`, what others need for their
own suspicion, and a digest of what they can be told when they read its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable as Function
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from mypy import errorcodes, nodes
from mypy.options import Options
from mypy.types import AnyType, CallableType, Instance, TypeOfAny

from sigcheck.core.dataclass import dataclass
from sigcheck.core.names import BUILTIN_MODULES, is_called_by_syntax, is_interface
from sigcheck.mypy_plugin.binding import (
    Arity,
    Callable,
    accepts,
    callable_of,
    is_like,
    is_misnamed,
    is_plain,
    is_refused_by_mypy,
    is_same,
    keeps_every_name,
    promises_nothing,
    serves,
    unpacks_keywords,
)
from sigcheck.mypy_plugin.skim import ACCESSORS, MAKERS, STRANGE
from sigcheck.mypy_plugin.survey import Survey, names_in
from sigcheck.mypy_plugin.texts import read_text
from sigcheck.mypy_plugin.traits import KEY, Traits, digest_of, traits_of
from sigcheck.mypy_plugin.written_calls import (
    Arguments,
    WrittenCall,
    assigned,
    glance,
    is_commented,
    names_for_certain,
    read_body,
    shape_of,
)


@dataclass(slots=True)
class Noted:
    """A class statement that mypy has analysed.

    Attributes:
        definition: the statement.
        is_local: it stands in a function.
        target: what `dmypy` checks anew as one: the outermost function around it, or the module.
    """

    definition: nodes.ClassDef
    is_local: bool
    target: str


class Demand(NamedTuple):
    """What is asked for.

    Attributes:
        options: mypy's, for the module.
        wants: whether the configuration asks for what only the nodes tell of a class; None where it always does.
        is_complete: every rule about overrides is an error or a warning.
        repeats_mypy: what mypy tells is told again.
    """

    options: Options
    wants: Function[[nodes.TypeInfo], bool] | None
    is_complete: bool
    repeats_mypy: bool


_Found: TypeAlias = tuple[nodes.TypeInfo, nodes.SymbolTableNode]
"""A class, and what it has under a name."""


class Suspicion:
    """What a look over a module leaves open."""

    def __init__(
        self,
        tree: nodes.MypyFile,
        text: str | None,
        noted: Sequence[Noted],
        modules: Mapping[str, nodes.MypyFile],
    ) -> None:
        """Look over a module, and keep what others need of its classes.

        Args:
            tree: the module, its semantic analysis done.
            text: of its file; None where it cannot be had.
            noted: its class statements.
            modules: every module that mypy has loaded.
        """
        self._modules = modules
        self.kept: list[tuple[nodes.TypeInfo, dict[str, object]]] = []
        met = {id(entry.definition) for entry in noted}
        # Named tuples and typed dictionaries mypy shows to nobody.
        others = [entry for entry in tree.defs if type(entry) is nodes.ClassDef and id(entry) not in met]
        noted = [*noted, *(Noted(entry, False, tree.fullname) for entry in others)]
        self._noted = noted
        self._classes: dict[int, _Class] = {}
        survey = Survey(tree, text or "", [entry.definition for entry in noted])
        with_comments = "sigcheck:" in survey.text
        self._is_whole = text is None or survey.is_odd or with_comments
        for entry in noted:
            if entry.is_local or isinstance(entry.definition.info, nodes.FakeInfo):
                continue
            looked_over = self._classes[id(entry.definition)] = _Class(entry.definition, survey)
            traits = looked_over.traits(is_odd=survey.is_odd, with_comments=with_comments)
            looked_over.info.metadata[KEY] = traits
            self.kept.append((looked_over.info, traits))

    def suspects(self, demand: Demand) -> list[nodes.ClassDef]:
        """The class statements to read; to be asked for when all modules of a cycle of imports were looked over."""
        wants = demand.wants
        classes = self._classes
        return [
            definition
            for definition in (entry.definition for entry in self._noted)
            if self._is_whole
            or wants is None
            or id(definition) not in classes
            or wants(definition.info)
            or classes[id(definition)].is_suspect(demand, self._modules)
        ]


_CALLABLE, _PROPERTY, _SETTABLE, _NONE, _ODD = range(5)


def _kind_of(node: nodes.SymbolNode | None) -> int | None:
    """What a class binds a name to, to mypy's knowledge; None for what is no member or says nothing."""
    kind = type(node)
    if kind is nodes.FuncDef:
        return _CALLABLE
    if kind is nodes.Decorator:
        return _PROPERTY if node.var.is_property else _CALLABLE  # type: ignore[union-attr]
    if kind is nodes.OverloadedFuncDef:
        first = node.items[0] if node.items else None  # type: ignore[union-attr]
        if isinstance(first, nodes.Decorator) and first.var.is_property:
            return _SETTABLE if first.var.is_settable_property else _PROPERTY
        return _ODD
    if kind is nodes.Var and node.is_property:  # type: ignore[union-attr]
        return _SETTABLE if node.is_settable_property else _PROPERTY  # type: ignore[union-attr]
    return None


def _function(node: nodes.SymbolNode | None) -> nodes.FuncDef:
    """The function of a node that is `_CALLABLE`."""
    return node.func if isinstance(node, nodes.Decorator) else node  # type: ignore[return-value]


class _Class:
    """A class of this module."""

    def __init__(self, definition: nodes.ClassDef, survey: Survey) -> None:
        self.definition = definition
        self.info: nodes.TypeInfo = definition.info
        self.survey = survey
        self.is_odd = False
        self.odd_names: set[str] = set()
        self.none_names: set[str] = set()
        self._same: dict[str, str] = {}
        self._borrowed: dict[str, _Found] = {}
        self._assigned: set[str] = set()
        self.self_calls: set[str] = set()
        self.super_calls: set[str] = set()
        self.loose_calls: set[str] = set()
        self._is_amiss = False
        self._glanced_at: list[tuple[nodes.FuncDef, str]] = []
        self._calls_at_a_glance: set[tuple[str, str]] = set()
        self._callees: set[tuple[nodes.TypeInfo, str]] = set()
        self._known: dict[str, tuple[int | None, Arity | None]] = {}
        self._open_names: dict[str, nodes.FuncDef] = {}
        self._open_catch_alls: dict[str, nodes.FuncDef] = {}
        self._open_calls: list[tuple[nodes.TypeInfo, str, _Found, _Found | None]] = []
        self._parts: list[str] = []
        self._lines = survey.lines
        self._read_header()
        self._read_body()

    def _text(self, first: int, last: int) -> str:
        return "\n".join(self._lines[first - 1 : last])

    # What is kept.

    def traits(self, *, is_odd: bool, with_comments: bool) -> dict[str, object]:
        """What others need of the class."""
        definition, survey = self.definition, self.survey
        is_odd = is_odd or self.is_odd
        last = definition.end_line or definition.line
        if is_odd:
            self._parts = [survey.text]
        elif with_comments:
            self._parts = [self._text(definition.line, last)]
        self._parts += sorted(self.self_calls | self.super_calls)
        kept: dict[str, object] = {"digest": digest_of("\0".join(self._parts))}
        if is_odd:
            kept["odd"] = definition.line  # Which of several of that name it is.
        if self.odd_names:
            kept["names"] = sorted(self.odd_names)
        if self._same:
            kept["same"] = self._same
        if self.self_calls:
            kept["calls"] = sorted(self.self_calls)
        if self.loose_calls:
            kept["loose"] = sorted(self.loose_calls)
        if self.super_calls:
            kept["super"] = sorted(self.super_calls)
        return kept

    def _read_header(self) -> None:
        definition, survey = self.definition, self.survey
        body = definition.defs.body
        first = body[0].line if body else definition.line
        self._parts.append(self._text(definition.line, max(definition.line, first - 1)))
        self._parts.append("@" if definition.decorators else "")
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
            if isinstance(node, nodes.TypeInfo) and node not in mro and not _is_without_source(node):
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
        seen: set[str] = set()
        for statement in self.definition.defs.body:
            kind = type(statement)
            name = ""
            if kind is nodes.FuncDef:
                name = statement.name  # type: ignore[attr-defined]
                self._read_method(statement, statement.line)  # type: ignore[arg-type]
            elif kind is nodes.Decorator:
                name = statement.name  # type: ignore[attr-defined]
                self._read_decorated(statement)  # type: ignore[arg-type]
            elif kind is nodes.OverloadedFuncDef:
                name = statement.name  # type: ignore[attr-defined]
                self._read_several(statement)  # type: ignore[arg-type]
            elif kind is nodes.AssignmentStmt:
                self._read_assignment(statement)  # type: ignore[arg-type]
            elif kind not in _SILENT:
                self.is_odd = True
            if name:
                if name in seen:
                    self.is_odd = True
                seen.add(name)
        self._judge_at_a_glance()
        self.is_odd = self.is_odd or not seen.isdisjoint(self._assigned)

    def _read_assignment(self, statement: nodes.AssignmentStmt) -> None:
        value = statement.rvalue
        if isinstance(value, nodes.TempNode):
            return
        names = [name for target in statement.lvalues for name in names_in(target)]
        if len(statement.lvalues) == 1 and isinstance(value, nodes.NameExpr) and value.name == "None":
            self.none_names.update(names)
        elif isinstance(value, _MEMBERS) and not self._is_value(value):
            self.odd_names.update(names)
            if isinstance(statement.lvalues[0], nodes.NameExpr):
                self._read_alias(statement.lvalues[0].name, value)
            self._parts.append(self._text(statement.line, statement.end_line or statement.line))
        self._assigned.update(names)
        self._parts += names

    def _read_alias(self, name: str, value: nodes.Expression) -> None:
        """`name = method`, `name = Class.method`."""
        if isinstance(value, nodes.NameExpr):
            known = self.info.names.get(value.name)
            method = known.node if known is not None else None
            if isinstance(method, nodes.FuncDef) and method.line < value.line:
                self._same[name] = method.name
        elif isinstance(value, nodes.MemberExpr) and isinstance(value.expr, nodes.NameExpr):
            owner, root = value.expr.node, value.expr.name
            if not isinstance(owner, nodes.TypeInfo) or owner is self.info or root in self.info.names:
                return
            known = owner.names.get(value.name)
            if known is None or not isinstance(known.node, nodes.FuncDef) or callable_of(known.node).flavour:
                return
            if self.survey.is_certain(root):
                self._borrowed[name] = (owner, known)

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
                line = min([item.line, *(word.line for word in item.original_decorators)])
                words = [_last_name(word) for word in item.original_decorators]
                if len(words) != 1 or words[0] not in ("property", *ACCESSORS):
                    self.odd_names.add(node.name)
                self._read_method(item.func, line)
            else:
                self.is_odd = True

    def _read_decorated(self, node: nodes.Decorator) -> None:
        lines = [node.line]
        for decorator in node.original_decorators:
            lines.append(decorator.line)
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
        self._read_method(node.func, min(lines))

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
            elif "property" in word or "patch" in word or word in STRANGE:
                return False
        return True

    def _read_method(self, node: nodes.FuncDef, first: int) -> None:
        body, lines, last = node.body.body, self._lines, node.end_line or node.line
        begin = _first_line(body[0]) if body else node.line
        if begin <= node.line:
            begin = first
        behind = begin
        if begin != first and type(body[0]) is nodes.ExpressionStmt and type(body[0].expr) is nodes.StrExpr:
            behind = _first_line(body[1]) if len(body) > 1 else last + 1  # The documentation says what it wants.
        text = "\n".join(lines[behind - 1 : last])
        receiver = ""
        if node.arguments and node.arg_kinds[0] in (nodes.ARG_POS, nodes.ARG_OPT):
            receiver = node.arguments[0].variable.name
        is_judged = not node.is_static and node.name != "__new__"
        seen = glance(text) if receiver == "self" and is_judged and not _is_bound_to_class(node) else None
        written = None
        if seen is not None:
            calls, is_touched = seen
            if calls:
                self._glanced_at.append((node, text))
                self._calls_at_a_glance.update(calls)
        elif receiver:
            written = read_body(text, receiver)
            is_touched = written.is_touched
        else:
            is_touched = False
        parts = self._parts
        parts.append("\n".join(lines[first - 1 : begin - 1]))
        if (
            begin == first
            or is_touched
            or nodes.ARG_STAR in node.arg_kinds
            or nodes.ARG_STAR2 in node.arg_kinds
            or node.name == "__new__"
        ):
            parts.append(text)
        else:
            self._digest_body(node, text)
            if receiver:
                parts += sorted(set(assigned(text, receiver)))
        if written is None:
            return
        for call in written.calls:
            if call.route == "super":
                self.super_calls.add(call.method)
            elif (call.route == "self" and not call.is_transparent) or call.owner == "type":
                self.self_calls.add(call.method)
        if is_judged:
            self._is_amiss = self._is_amiss or written.is_odd
            self._judge(written.calls, node)

    def _judge_at_a_glance(self) -> None:
        """Judge calls by their arguments alone; where that is not enough, all are looked at where they stand."""
        calls = self._calls_at_a_glance
        self.self_calls.update([method for method, _ in calls])
        if not all(self._is_certain_to_bind(method, arguments) for method, arguments in calls):
            for node, text in self._glanced_at:
                self._judge(read_body(text, "self").calls, node)

    def _is_certain_to_bind(self, name: str, arguments: str) -> bool:
        """A call on an instance of this very class is certain to bind."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._callee(_look_up(self.info.mro, 0, name), name)
        kind, arity = known
        if arity is None:
            return kind is not _ODD
        shape = shape_of(arguments)
        if shape is None or name == "__new__":
            return False
        count, keywords = shape
        function, least, most = arity
        if not keywords and least <= count <= most:
            return True
        accepted, key = self.survey.accepted, (id(arity), shape)
        if key not in accepted:
            if not accepts(function, Arguments(("",) * count, tuple(keywords), False, False), function.receivers):
                return False
            accepted.add(key)
        return True

    def _digest_body(self, node: nodes.FuncDef, text: str) -> None:
        """Keep what a body without a call on its receiver tells: whether it is one, and what it returns."""
        parts, body = self._parts, node.body.body
        if type(body[-1]) is nodes.RaiseStmt or len(body) < 3:
            parts.append(",".join([type(part).__name__ for part in body]))
            parts.append(",".join([type(p.expr).__name__ for p in body if isinstance(p, nodes.ExpressionStmt)]))
        parts.append(f"{node.is_generator}{node.is_async_generator}")
        if "return" in text and not _says_what_it_returns(node):
            found = _RETURN.findall(text)
            # What goes on behind the line may say what it is.
            parts += [text] if any(map(_goes_on, found)) else found

    # Suspicion.

    def is_suspect(self, demand: Demand, modules: Mapping[str, nodes.MypyFile]) -> bool:
        """The class may be at fault, alone or with what it inherits."""
        if self.is_odd:
            return True
        info = self.info
        known: list[tuple[nodes.TypeInfo, Traits]] = []
        own, met = info.names.keys(), set[str]()
        for base in info.mro[1:]:
            if _is_without_source(base):
                continue
            traits = traits_of(base, modules)
            if "odd" in traits:
                return True
            known.append((base, traits))
            met |= own & base.names.keys()
            met |= own & set(traits.get("calls", ()))
        self._open_names.clear()
        self._open_catch_alls.clear()
        self._open_calls.clear()
        lenders = [owner for owner, _ in self._borrowed.values()]
        if any(KEY not in owner.metadata or "odd" in traits_of(owner, modules) for owner in lenders):
            return True
        if any(self._breaks(name, *self._own(name), known, demand) for name in met):
            return True
        if self._open_names or self._open_catch_alls:
            # What asks the exact relation is only loaded where one must.
            from sigcheck.mypy_plugin.headers import breaks_nothing, swallows_nothing  # noqa: PLC0415

            if self._open_names and not breaks_nothing(info, self._open_names):
                return True
            open_catch_alls = {
                name: function
                for name, function in self._open_catch_alls.items()
                if function.info is info or not _reads_catch_alls(function, _lines_of(function.info, modules))
            }
            if open_catch_alls and not swallows_nothing(info, open_catch_alls):
                return True
        if len(info.bases) > 1 and any(self._meets(base, traits, modules) for base, traits in known):
            return True
        if len(info.bases) > 1 and self._shadows(known):
            return True
        return (
            self._is_amiss
            or any(self._is_unknown(base, name, modules) for base, name in self._callees)
            or not all(self._binds(*call, modules) for call in self._open_calls)
        )

    def _is_unknown(self, base: nodes.TypeInfo, name: str, modules: Mapping[str, nodes.MypyFile]) -> bool:
        """What calls in this class find by that name in a class is not certain."""
        if not _is_uncertain(base, name, modules):
            return False
        borrowed = self._borrowed.get(name) if base is self.info else None
        return borrowed is None or not self._binds(base, name, borrowed, None, modules)

    @staticmethod
    def _binds(
        base: nodes.TypeInfo, name: str, here: _Found, there: _Found | None, modules: Mapping[str, nodes.MypyFile]
    ) -> bool:
        """What a class above calls by that name is certain to bind on what is found here."""
        found = [here] if there is None else [here, there]
        if any(_kind_of(symbol.node) is not _CALLABLE for _, symbol in found):
            return False
        if any(_is_uncertain(owner, _function(symbol.node).name, modules) for owner, symbol in found):
            return False
        from sigcheck.mypy_plugin.callers import bind_on  # noqa: PLC0415 - as above

        functions = [callable_of(_function(symbol.node)) for _, symbol in found]
        return bind_on(functions[0], functions[1] if there is not None else None, name, base, modules)

    def _own(self, name: str) -> _Found:
        """What the class has under a name, and where it was made."""
        return self._borrowed.get(name) or (self.info, self.info.names[name])

    def _breaks(
        self,
        name: str,
        owner: nodes.TypeInfo,
        symbol: nodes.SymbolTableNode,
        known: Sequence[tuple[nodes.TypeInfo, Traits]],
        demand: Demand,
    ) -> bool:
        """The class's own definition of a name is not certain to serve what stands above."""
        if symbol.implicit or symbol.plugin_generated:
            return False
        mine = _kind_of(symbol.node)
        is_odd = name in self.odd_names and owner is self.info
        is_none = name in self.none_names
        if mine is None and not is_odd and not is_none:
            return False
        is_seen = is_interface(name)
        # A call is about what its author saw: what is found in the class in which it stands.
        seen = [_look_up(base.mro, 0, name) for base, traits in known if name in traits.get("calls", ())]
        called = {found[0] for found in seen if found is not None}
        nearer: list[tuple[nodes.TypeInfo, Callable]] = []
        for base, traits in known:
            if not is_seen and name not in traits.get("calls", ()):
                continue
            theirs = base.names.get(name)
            if theirs is None or theirs.implicit:
                if mine is not None and name in traits.get("calls", ()) and self._is_unseen(name, base):
                    self._open_calls.append((base, name, (owner, symbol), None))
                continue
            if name in traits.get("names", ()):
                return True
            kind = _kind_of(theirs.node)
            if kind is None:
                if mine is not None and name in traits.get("calls", ()):
                    return True
                continue
            if is_odd or is_none or kind is _ODD or mine is _ODD:
                return True
            if mine is _CALLABLE and kind is _CALLABLE:
                is_called = base in called
                if not self._is_in_order(name, symbol.node, theirs.node, nearer, demand, is_called=is_called):
                    pair = (_function(symbol.node), _function(theirs.node))
                    if not (demand.is_complete and self._is_told_by_headers(name, *pair, is_called=is_called)):
                        return True
                    self._open_names[name] = pair[0]
                loose = [caller for caller, entry in known if name in entry.get("loose", ())]
                # What its author saw refuses the call, or nobody knows.
                self._open_calls += [(it, name, (owner, symbol), _look_up(it.mro, 0, name)) for it in loose]
                nearer.append((base, callable_of(_function(theirs.node))))
            elif mine is _CALLABLE or kind is _CALLABLE or (kind is _SETTABLE and mine is not _SETTABLE):
                return True
        return False

    def _is_in_order(
        self,
        name: str,
        override: nodes.SymbolNode | None,
        base: nodes.SymbolNode | None,
        nearer: Sequence[tuple[nodes.TypeInfo, Callable]],
        demand: Demand,
        *,
        is_called: bool,
    ) -> bool:
        """The override serves the callers of the base, or it is told elsewhere that it does not."""
        function, upper = _function(override), _function(base)
        mine, theirs = callable_of(function), callable_of(upper)
        if serves(mine, theirs, name):
            return not is_called or mine.flavour == theirs.flavour
        is_lost = theirs.flavour != "" and mine.flavour == "" and not is_called
        if not is_interface(name) or not is_like(mine, theirs) or not (mine.flavour == theirs.flavour or is_lost):
            return False
        if promises_nothing(upper):
            return not is_called
        # A call of the base is told of an override only where its break is not; which rules are asked for is known here.
        if not demand.is_complete or (is_called and is_called_by_syntax(name)):
            return False
        if any(is_same(mine, known, name) and upper.info in entry.mro for entry, known in nearer):
            return True  # That one is told.
        options = demand.options
        return (
            not demand.repeats_mypy
            and function.info is self.info
            and errorcodes.OVERRIDE not in options.disabled_error_codes
            and (options.check_untyped_defs or not function.is_dynamic())
            and is_plain(override)
            and is_plain(base)
            and self._keeps_every_name(name, function, mine, theirs)
            and (is_lost or is_refused_by_mypy(mine, theirs, Instance(self.info.mro[-1], [])))
        )

    def _is_told_by_headers(self, name: str, function: nodes.FuncDef, upper: nodes.FuncDef, *, is_called: bool) -> bool:
        """Headers tell all there is to say of an override, and of calls that may run it: of what breaks, these are not told."""
        mine, theirs = callable_of(function), callable_of(upper)
        is_plain_call = not is_called or not (is_called_by_syntax(name) or nodes.ARG_STAR in theirs.kinds)
        return (
            is_interface(name)
            and is_like(mine, theirs)
            and mine.flavour == theirs.flavour
            and is_plain_call
            and not any(None in entry.names or not entry.names[: entry.receivers] for entry in (mine, theirs))
            and not unpacks_keywords(function)
            and not unpacks_keywords(upper)
            and self._keeps_every_name(name, function, mine, theirs)
        )

    def _keeps_every_name(self, name: str, function: nodes.FuncDef, mine: Callable, theirs: Callable) -> bool:
        """Nothing is swallowed, unless the exact relation says so."""
        if not keeps_every_name(mine, theirs) and not (
            function.info is self.info and _reads_catch_alls(function, self._lines)
        ):
            self._open_catch_alls[name] = function
        return True

    @staticmethod
    def _is_unseen(name: str, base: nodes.TypeInfo) -> bool:
        """Who wrote the class saw no method of that name."""
        return not any(
            (symbol := entry.names.get(name)) is not None and _kind_of(symbol.node) is not None for entry in base.mro
        )

    def _meets(self, base: nodes.TypeInfo, traits: Traits, modules: Mapping[str, nodes.MypyFile]) -> bool:
        """A call in a class above runs here what it does not run there."""
        order = self.info.mro
        for names, start in ((traits.get("calls", ()), 0), (traits.get("super", ()), 1)):
            for name in names:
                found = _look_up(order, order.index(base) + 1 if start else 0, name)
                if found is None:
                    continue
                here = self._own(name) if found[0] is self.info and name in self._borrowed else _aliased(found, name)
                there = _look_up(base.mro, start, name)
                if there is not None and there[1].node is here[1].node:
                    continue
                kind = _kind_of(here[1].node)
                if kind is None and name not in traits_of(here[0], modules).get("names", ()):
                    continue
                if self._is_told_above(base, found[0]):
                    continue
                if kind is not _CALLABLE or (there is not None and _kind_of(there[1].node) is not _CALLABLE):
                    return True
                mine = callable_of(_function(here[1].node))
                is_alike = there is not None and is_same(mine, callable_of(_function(there[1].node)), name)
                if not is_alike or name in traits.get("loose", ()):
                    self._open_calls.append((base, name, here, there))
        return False

    def _is_told_above(self, *met: nodes.TypeInfo) -> bool:
        """A class between inherits them too, and none of them stands in this module: what is wrong with the two is told there."""
        return all(entry.module_name != self.info.module_name for entry in met) and any(
            all(entry in above.mro for entry in met) for above in self.info.mro[1:]
        )

    def _shadows(self, known: Sequence[tuple[nodes.TypeInfo, Traits]]) -> bool:
        """A base hides what a later one has, and does not inherit it."""
        own = self.info.names
        first: dict[str, tuple[nodes.TypeInfo, nodes.SymbolNode | None, bool]] = {}
        for base, traits in known:
            odd = traits.get("names", ())
            for name, symbol in base.names.items():
                if symbol.implicit or (name in own and not own[name].implicit) or not is_interface(name):
                    continue
                node = symbol.node
                kind = _kind_of(node)
                runs = first.setdefault(name, (base, node, name in odd))
                if runs[0] is base or base in runs[0].mro:
                    continue
                upper = _kind_of(runs[1])
                if runs[2] or name in odd or upper is _ODD or kind is _ODD:
                    return True
                if upper is None or kind is None:
                    # `name = None` hides a method.
                    if kind is not None:
                        return True
                    continue
                if upper is _CALLABLE and kind is _CALLABLE:
                    if not serves(callable_of(_function(runs[1])), callable_of(_function(node)), name):
                        return True
                elif upper is not kind:
                    return True
        return False

    def _judge(self, calls: Sequence[WrittenCall], method: nodes.FuncDef) -> None:
        """Find the calls that are not certain to bind in this very class; what the definers say of themselves comes later."""
        for call in calls:
            if self._goes_wrong(call, method) and not is_commented(call):
                self._is_amiss = True
                if call.route != "class" or call.owner == "type":
                    self.loose_calls.add(call.method)

    def _goes_wrong(self, call: WrittenCall, method: nodes.FuncDef) -> bool:
        name, route = call.method, call.route
        known = self._run_by(call, method)
        if isinstance(known, bool):
            return known
        kind, arity = known
        if arity is None:
            return kind is _ODD
        function, least, most = arity
        is_bound_to_class = _is_bound_to_class(method)
        if name == "__new__" or (route == "super" and is_bound_to_class and not function.flavour):
            return True
        # On a class, a method of instances is a function: its receiver is written out.
        receivers = 0 if route == "class" or is_bound_to_class else function.receivers
        is_plain_call = receivers == function.receivers
        if route == "self" and is_plain_call:
            count = call.plain_count
            if count is not None and least <= count <= most:
                return False
        arguments = call.arguments
        if arguments is None:
            return True
        if function.flavour:
            receivers = function.receivers
        shape = (id(arity), receivers, len(arguments.positional), *arguments[1:])
        if shape not in self.survey.accepted:
            if not accepts(function, arguments, receivers):
                return True
            self.survey.accepted.add(shape)
        is_forwarding = name == method.name and route != "self"
        return is_forwarding and is_misnamed(function, arguments, receivers)

    def _run_by(self, call: WrittenCall, method: nodes.FuncDef) -> tuple[int | None, Arity | None] | bool:
        """What a call runs in this very class; whether it may go wrong, where the text does not tell, or it runs nothing."""
        name = call.method
        order, start = self.info.mro, 0
        if call.route == "super":
            start = 1
            if call.owner:
                named = self.survey.symbols.get(call.owner)
                if named is None or named.node is not self.info:
                    return True
        elif call.route == "class" and call.owner != "type":
            owner = self._named(call, method)
            if owner is None or isinstance(owner, str):
                return owner is not None
            order = owner.mro
        elif name in self._known:
            return self._known[name]
        known = self._callee(_look_up(order, start, name), name)
        if not start and order is self.info.mro:
            self._known[name] = known
        return known

    def _callee(
        self, found: tuple[nodes.TypeInfo, nodes.SymbolTableNode] | None, name: str
    ) -> tuple[int | None, Arity | None]:
        """What a call finds: its kind, and how it can be called, if it is a method."""
        if found is None:
            return None, None
        base, symbol = found
        kind = _kind_of(symbol.node)
        self._callees.add((base, name))
        return kind, self.survey.arity(_function(symbol.node)) if kind is _CALLABLE else None

    def _named(self, call: WrittenCall, method: nodes.FuncDef) -> nodes.TypeInfo | str | None:
        """The class on which `Base.m(self)` looks a method up; None where it is none, `_UNKNOWN` where the text does not tell."""
        owner = call.owner
        if not owner:
            return _UNKNOWN if call.owner == "" else None
        first, *rest = owner.split(".")
        if first in method.arg_names:
            return None
        own = self.info.names.get(first)
        if own is not None and not own.implicit:
            return _UNKNOWN
        symbol = self.survey.symbols.get(first)
        node: nodes.SymbolNode | None = symbol.node if symbol is not None else None
        if symbol is None:
            # A parameter or a variable, unless the class is imported or defined in a function.
            return _UNKNOWN if self.survey.is_local_name(first) else None
        for name in rest:
            if not isinstance(node, (nodes.MypyFile, nodes.TypeInfo)):
                return None
            inner = node.names.get(name)
            node = inner.node if inner is not None else None
        if isinstance(node, nodes.TypeAlias):
            return _UNKNOWN
        return node if isinstance(node, nodes.TypeInfo) else None


_UNKNOWN = "unknown"
_RETURN = re.compile(r"\breturn\b[^\n]*")
_MEMBERS = (nodes.NameExpr, nodes.MemberExpr, nodes.LambdaExpr, nodes.CallExpr)
_SILENT = frozenset({nodes.ExpressionStmt, nodes.PassStmt, nodes.ClassDef})


def _reads_catch_alls(function: nodes.FuncDef, lines: Sequence[str]) -> bool:
    """The body is certain to name its `*args` and `**kwargs`, or does nothing: what lands there is not swallowed."""
    body = function.body.body
    if body and all(map(_is_idle, body)):
        return True
    behind = 1 if body and type(body[0]) is nodes.ExpressionStmt and type(body[0].expr) is nodes.StrExpr else 0
    if len(body) <= behind or body[behind].line <= function.line:
        return False
    text = "\n".join(lines[body[behind].line - 1 : function.end_line or function.line])
    if any(word in text for word in ('"""', "'''", "def", "lambda")):
        return False
    return all(
        names_for_certain(text, name)
        for name, kind in zip(function.arg_names, function.arg_kinds, strict=True)
        if name is not None and kind in (nodes.ARG_STAR, nodes.ARG_STAR2)
    )


def _lines_of(info: nodes.TypeInfo, modules: Mapping[str, nodes.MypyFile]) -> list[str]:
    """The lines of the module of a class."""
    tree = modules.get(info.module_name)
    return ((read_text(tree.path) if tree is not None else None) or "").split("\n")


def _is_idle(statement: nodes.Statement) -> bool:
    """It only raises, passes, or is `...` or documentation."""
    return type(statement) in (nodes.RaiseStmt, nodes.PassStmt) or (
        isinstance(statement, nodes.ExpressionStmt) and type(statement.expr) in (nodes.EllipsisExpr, nodes.StrExpr)
    )


def _goes_on(line: str) -> bool:
    """A statement may not end on this line."""
    return "\\" in line or '"""' in line or "'''" in line or any(line.count(a) != line.count(b) for a, b in _BRACKETS)


_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))


def _first_line(statement: nodes.Statement) -> int:
    """Where a statement begins, with its decorators."""
    if isinstance(statement, nodes.Decorator):
        return min([statement.line, *(word.line for word in statement.original_decorators)])
    return statement.line


def _is_bound_to_class(method: nodes.FuncDef) -> bool:
    return method.is_class or method.name in ("__init_subclass__", "__class_getitem__")


def _says_what_it_returns(node: nodes.FuncDef) -> bool:
    written = node.unanalyzed_type
    if not isinstance(written, CallableType):
        return False
    returned = written.ret_type
    return not (isinstance(returned, AnyType) and returned.type_of_any == TypeOfAny.unannotated)


def _last_name(node: nodes.Node) -> str:
    return node.name if isinstance(node, (nodes.NameExpr, nodes.MemberExpr)) else ""


def _is_without_source(info: nodes.TypeInfo) -> bool:
    return info.module_name in BUILTIN_MODULES or info.fullname == "abc.ABC"


def _is_uncertain(owner: nodes.TypeInfo, name: str, modules: Mapping[str, nodes.MypyFile]) -> bool:
    """Of a name of a class, symbols do not tell the whole."""
    return name in traits_of(owner, modules).get("names", ()) or (
        KEY not in owner.metadata and isinstance(owner.names[name].node, nodes.Decorator)
    )


def _aliased(found: _Found, name: str) -> _Found:
    """What is found, or the method of the same class of which it is another name."""
    other = found[0].metadata.get(KEY, {}).get("same", {}).get(name)
    return found if other is None else (found[0], found[0].names[other])


def _look_up(order: Sequence[nodes.TypeInfo], start: int, name: str) -> _Found | None:
    """What a class finds under a name, behind some classes of an order."""
    for entry in order[start:]:
        symbol = entry.names.get(name)
        if symbol is not None and not symbol.implicit and not _is_without_source(entry):
            return entry, symbol
    return None
