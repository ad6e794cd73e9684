"""The calls that stand in a class, and whether each is certain to bind in that very class. Imports mypy.

Most are told at a glance at the text of the class; the others are looked at where they stand.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence

from mypy import nodes

from sigcheck.mypy_plugin.binding import Arity, accepts, is_as_written, is_bound_to_class, is_misnamed
from sigcheck.mypy_plugin.survey import Survey, body_line
from sigcheck.mypy_plugin.symbols import CALLABLE, ODD, Found, kind_of, look_up, method_at
from sigcheck.mypy_plugin.written_calls import (
    Arguments,
    WrittenCall,
    glance,
    is_commented,
    look,
    names_called,
    read_body,
    shape_of,
)


class OwnCalls:
    """What the methods of a class call on their receiver and on `super()`.

    Attributes:
        on_self: the names that are called on the receiver.
        on_super: those on `super()`.
        loose: those of which it is not certain that the call binds.
        is_amiss: so may it be of some call, whatever it is called on.
        callees: what is called: the names, by the class in which they are found.
    """

    def __init__(self, info: nodes.TypeInfo, survey: Survey) -> None:
        """Prepare for the methods of a class.

        Args:
            info: the class.
            survey: its module.
        """
        self.on_self: set[str] = set()
        self.on_super: set[str] = set()
        self.loose: set[str] = set()
        self.is_amiss = False
        self.callees: dict[nodes.TypeInfo, set[str]] = {}
        self._info = info
        self._survey = survey
        self._known: dict[str, tuple[int | None, Arity | None]] = {}

    def read(self, methods: Sequence[nodes.FuncDef], text: str, first: int, checked: Collection[nodes.FuncDef]) -> None:
        """Find the calls.

        Args:
            methods: all that have a receiver.
            text: of the class.
            first: the line on which it begins.
            checked: those in which mypy tells of every call on the receiver that does not bind.
        """
        plain: list[nodes.FuncDef] = []
        for method in methods:
            receiver = method.arguments[0].variable.name if method.arg_kinds[:1] in _FILLED else ""
            if receiver == "self" and not is_bound_to_class(method):
                plain.append(method)
            elif receiver:
                written, is_odd = read_body(self._survey.body_of(method), receiver)
                self.is_amiss = self.is_amiss or (is_odd and method.name != "__new__")
                for call in written:
                    self._look_at(call, method)
        if plain:
            self._read_plain(plain, text, first, [method for method in plain if method not in checked])

    def _read_plain(
        self, methods: Sequence[nodes.FuncDef], text: str, line: int, unchecked: Sequence[nodes.FuncDef]
    ) -> None:
        """Find the calls in methods whose receiver is called `self`."""
        is_handed_on = True
        if len(unchecked) == len(methods):
            calls = glance(text)
        else:
            names, others = names_called(text)
            is_handed_on = others != len(methods)  # In each header it is named once.
            told = self._told(names)
            self.on_self |= told
            calls = {(name, "") for name in names - told}
            calls.update(*[glance(self._survey.body_of(method)) for method in unchecked])
        uncertain = {call for call in calls if not self._is_certain_to_bind(*call)}
        self.on_self.update([name for name, _ in calls - uncertain])
        found, is_odd = look(text, uncertain, is_handed_on=is_handed_on)
        self.is_amiss = self.is_amiss or is_odd
        last, lines = 0, [method.line for method in methods]
        for call in sorted(found, key=lambda call: call.place):
            line += text.count("\n", last, call.place)
            last = call.place
            method = methods[bisect_right(lines, line) - 1]
            if method.line <= line <= (method.end_line or 0) and line >= body_line(method):
                self._look_at(call, method)

    def _look_at(self, call: WrittenCall, method: nodes.FuncDef) -> None:
        """Find whether a call is not certain to bind in this very class; what the definers say of themselves comes later."""
        if call.route == "super":
            self.on_super.add(call.method)
        elif (call.route == "self" and not call.is_transparent) or call.owner == "type":
            self.on_self.add(call.method)
        if method.name != "__new__" and self._goes_wrong(call, method) and not is_commented(call):
            self.is_amiss = True
            if call.route != "class" or call.owner == "type":
                self.loose.add(call.method)

    def _told(self, names: Collection[str]) -> set[str]:
        """Those of no methods, or of such that have the signature that is written: where mypy looks, it tells which calls do not bind."""
        order, told = self._info.mro, set()
        for name in names:
            found = look_up(order, 0, name)
            if found is not None:
                self.callees.setdefault(found[0], set()).add(name)
            node = found[1].node if found is not None else None
            kind = kind_of(node)
            is_plain = kind is not ODD and (kind is not CALLABLE or is_as_written(node))
            if is_plain and name and name != "__new__":
                told.add(name)
        return told

    def _is_certain_to_bind(self, name: str, arguments: str) -> bool:
        """A call on an instance of this very class is certain to bind."""
        shape = shape_of(arguments)
        if shape is None or name == "__new__":
            return False
        kind, arity = self._on_receiver(name)
        if arity is None:
            return kind is not ODD
        count, keywords = shape
        function, least, most = arity
        if not keywords and least <= count <= most:
            return True
        return self._accepts(arity, Arguments(("",) * count, keywords, False, False), function.receivers)

    def _accepts(self, arity: Arity, arguments: Arguments, receivers: int) -> bool:
        """A call of that shape is certain to bind."""
        accepted = self._survey.accepted
        shape = (id(arity), receivers, len(arguments.positional), *arguments[1:])
        if shape not in accepted:
            if not accepts(arity.function, arguments, receivers):
                return False
            accepted.add(shape)
        return True

    def _goes_wrong(self, call: WrittenCall, method: nodes.FuncDef) -> bool:
        name, route = call.method, call.route
        known = self._run_by(call, method)
        if isinstance(known, bool):
            return known
        kind, arity = known
        if arity is None:
            return kind is ODD
        function, least, most = arity
        is_of_class = is_bound_to_class(method)
        if name == "__new__" or (route == "super" and is_of_class and not function.flavour):
            return True
        # On a class, a method of instances is a function: its receiver is written out.
        receivers = 0 if route == "class" or is_of_class else function.receivers
        is_forwarding = name == method.name and route != "self"
        if receivers == function.receivers:
            count = call.plain_count
            if count is not None and least <= count <= most and not (is_forwarding and count):
                return False
        arguments = call.arguments
        if arguments is None:
            return True
        if function.flavour:
            receivers = function.receivers
        if not self._accepts(arity, arguments, receivers):
            return True
        return is_forwarding and is_misnamed(function, arguments, receivers)

    def _run_by(self, call: WrittenCall, method: nodes.FuncDef) -> tuple[int | None, Arity | None] | bool:
        """What a call runs in this very class; whether it may go wrong, where the text does not tell, or it runs nothing."""
        name = call.method
        if call.route == "super":
            if call.owner:
                named = self._survey.symbols.get(call.owner)
                if named is None or named.node is not self._info:
                    return True
            return self._callee(look_up(self._info.mro, 1, name), name)
        if call.route == "class" and call.owner != "type":
            owner = self._named(call, method)
            if owner is None or isinstance(owner, str):
                return owner is not None
            return self._callee(look_up(owner.mro, 0, name), name)
        return self._on_receiver(name)

    def _on_receiver(self, name: str) -> tuple[int | None, Arity | None]:
        """What a call on an instance of this very class, or on the class, finds."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._callee(look_up(self._info.mro, 0, name), name)
        return known

    def _callee(self, found: Found | None, name: str) -> tuple[int | None, Arity | None]:
        """What a call finds: its kind, and how it can be called, if it is a method."""
        if found is None:
            return None, None
        base, symbol = found
        kind = kind_of(symbol.node)
        self.callees.setdefault(base, set()).add(name)
        return kind, self._survey.arity(method_at(symbol.node)) if kind is CALLABLE else None

    def _named(self, call: WrittenCall, method: nodes.FuncDef) -> nodes.TypeInfo | str | None:
        """The class on which `Base.m(self)` looks a method up; None where it is none, `_UNKNOWN` where the text does not tell."""
        owner = call.owner
        if not owner:
            return _UNKNOWN if call.owner == "" else None
        first, *rest = owner.split(".")
        if first in method.arg_names:
            return None
        own = self._info.names.get(first)
        if own is not None and not own.implicit:
            return _UNKNOWN
        symbol = self._survey.symbols.get(first)
        node: nodes.SymbolNode | None = symbol.node if symbol is not None else None
        if symbol is None:
            # A parameter or a variable, unless the class is imported or defined in a function.
            return _UNKNOWN if self._survey.is_local_name(first) else None
        for name in rest:
            if not isinstance(node, (nodes.MypyFile, nodes.TypeInfo)):
                return None
            inner = node.names.get(name)
            node = inner.node if inner is not None else None
        if isinstance(node, nodes.TypeAlias):
            return _UNKNOWN
        return node if isinstance(node, nodes.TypeInfo) else None


_UNKNOWN = "unknown"


_FILLED = ([nodes.ARG_POS], [nodes.ARG_OPT])
