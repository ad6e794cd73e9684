"""Which classes of a module are worth reading: mypy's symbols and the text suspect, the nodes convict. Imports mypy, nothing of `core`.

Suspected is whatever is not certain to be in order. Of each class is kept, in its `TypeInfo.metadata`, what others need for their
own suspicion, and a digest of what they can be told when they read its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable as Function
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from mypy import errorcodes, nodes
from mypy.options import Options
from mypy.types import Instance

from sigcheck.core.dataclass import dataclass
from sigcheck.core.names import is_called_by_syntax, is_interface
from sigcheck.mypy_plugin.binding import (
    Callable,
    callable_of,
    extends,
    is_like,
    is_looked_into,
    is_plain,
    is_refused_by_mypy,
    is_same,
    keeps_every_name,
    promises_nothing,
    serves,
    unpacks_keywords,
)
from sigcheck.mypy_plugin.look import Look
from sigcheck.mypy_plugin.survey import Survey, body_line
from sigcheck.mypy_plugin.symbols import (
    CALLABLE,
    ODD,
    SETTABLE,
    Found,
    aliased,
    is_uncertain,
    is_without_source,
    kind_of,
    look_up,
    method_at,
)
from sigcheck.mypy_plugin.texts import Lines, text_around
from sigcheck.mypy_plugin.traits import KEY, Traits, traits_of
from sigcheck.mypy_plugin.written_calls import names_for_certain


class Noted:
    """A class statement that mypy has analysed.

    Attributes:
        definition: the statement.
        is_local: it stands in a function.
        target: what `dmypy` checks anew as one: the outermost function around it, or the module.
    """

    __slots__ = ("definition", "is_local", "target")

    def __init__(self, definition: nodes.ClassDef, is_local: bool, target: str) -> None:
        self.definition = definition
        self.is_local = is_local
        self.target = target


class Demand:
    """What is asked for.

    Attributes:
        options: mypy's, for the module.
        wants: whether the configuration asks for what only the nodes tell of a class; None where it always does.
        is_complete: every rule about overrides is an error or a warning.
        repeats_mypy: what mypy tells is told again.
    """

    __slots__ = ("is_complete", "options", "repeats_mypy", "wants")

    def __init__(
        self,
        options: Options,
        wants: Function[[nodes.TypeInfo], bool] | None,
        is_complete: bool,
        repeats_mypy: bool,
    ) -> None:
        self.options = options
        self.wants = wants
        self.is_complete = is_complete
        self.repeats_mypy = repeats_mypy


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a class is suspected of.

    Attributes:
        names: the methods that headers convict, or some more: all else about the class is in order; None where it may be anything.
        words: names of methods and parameters: what is told of those hangs on whatever has them, in the classes above.
    """

    names: frozenset[str] | None
    words: frozenset[str] = frozenset()

    @property
    def mention(self) -> re.Pattern[str]:
        """One of the words, in a text."""
        return mention_of(self.words)


@lru_cache(maxsize=64)
def mention_of(words: frozenset[str]) -> re.Pattern[str]:
    """One of some words, in a text."""
    # Each begins with plain letters, which is what makes it fast; and no text has a null character.
    found = "|".join(rf"{word}(?<!\w{word})" for word in sorted(words))
    return re.compile(rf"(?:{found})\b" if found else "\0")


ANYTHING = Doubt(None)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A class statement to read, and why."""

    definition: nodes.ClassDef
    doubt: Doubt = ANYTHING


class Suspicion:
    """What a look over a module leaves open.

    Attributes:
        kept: the classes, with what others need of them.
    """

    def __init__(
        self,
        tree: nodes.MypyFile,
        text: str | None,
        noted: Sequence[Noted],
        modules: Mapping[str, nodes.MypyFile],
        demand: Demand,
    ) -> None:
        """Look over a module, and keep what others need of its classes.

        Args:
            tree: the module, its semantic analysis done.
            text: of its file; None where it cannot be had.
            noted: its class statements.
            modules: every module that mypy has loaded.
            demand: what is asked for.
        """
        self._modules = modules
        self._demand = demand
        self.kept: list[tuple[nodes.TypeInfo, dict[str, object]]] = []
        met = {id(entry.definition) for entry in noted}
        # Named tuples and typed dictionaries mypy shows to nobody.
        others = [entry for entry in tree.defs if type(entry) is nodes.ClassDef and id(entry) not in met]
        noted = [*noted, *(Noted(entry, False, tree.fullname) for entry in others)]
        self._noted = noted
        self._classes: dict[int, _Class] = {}
        survey = Survey(tree, text or "", [entry.definition for entry in noted])
        self._lines = survey.lines if text is not None else None
        options = None if demand.repeats_mypy else demand.options
        for entry in noted:
            if entry.is_local:
                continue
            if isinstance(entry.definition.info, nodes.FakeInfo):
                survey.is_odd = True
                continue
            self._classes[id(entry.definition)] = _Class(Look(entry.definition, survey, options))
        self._is_whole = text is None or survey.is_odd or "sigcheck:" in survey.text
        for known in self._classes.values():
            traits = known.info.metadata[KEY] = known.look.traits()
            self.kept.append((known.info, traits))

    @property
    def lines(self) -> list[str]:
        """Those of the text; none where it cannot be had."""
        return self._lines.all if self._lines is not None else []

    def suspects(self) -> list[Suspect]:
        """The class statements to read; to be asked for when all modules of a cycle of imports were looked over."""
        found = ((entry.definition, self._doubt(entry.definition)) for entry in self._noted)
        return [Suspect(definition, doubt) for definition, doubt in found if doubt is not None]

    def _doubt(self, definition: nodes.ClassDef) -> Doubt | None:
        wants = self._demand.wants
        known = self._classes.get(id(definition))
        if self._is_whole or wants is None or known is None or wants(definition.info):
            return ANYTHING
        return known.doubt(self._demand, self._modules)


class _Class:
    """A class of this module, with what a look over it tells."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.info = look.info
        self._borrowed: dict[str, Found] = {}
        self._open_names: dict[str, nodes.FuncDef] = {}
        self._open_catch_alls: dict[str, nodes.FuncDef] = {}
        self._open_callers: set[tuple[str, nodes.TypeInfo]] = set()
        self._open_calls: list[tuple[nodes.TypeInfo, str, Found, Found | None]] = []

    def doubt(self, demand: Demand, modules: Mapping[str, nodes.MypyFile]) -> Doubt | None:
        """Why the class may be at fault, alone or with what it inherits; None where it is not."""
        if self.look.is_odd:
            return ANYTHING
        info = self.info
        known: list[tuple[nodes.TypeInfo, Traits]] = []
        own, met = info.names.keys(), set[str]()
        for base in info.mro[1:]:
            if is_without_source(base):
                continue
            traits = traits_of(base, modules)
            if "odd" in traits:
                return ANYTHING
            known.append((base, traits))
            met |= own & base.names.keys()
            met |= own & traits.get("calls", ())
        self._open_names.clear()
        self._open_catch_alls.clear()
        self._open_callers.clear()
        self._open_calls.clear()
        self._borrowed = {
            name: (owner, symbol)
            for name, (owner, symbol) in self.look.borrowed.items()
            if KEY in owner.metadata and _tells(traits_of(owner, modules), symbol)
        }
        if any(self._breaks(name, *self._own(name), known, demand) for name in met):
            return ANYTHING
        if len(info.bases) > 1 and any(self._meets(base, traits, modules) for base, traits in known):
            return ANYTHING
        if len(info.bases) > 1 and self._shadows(known):
            return ANYTHING
        if (
            self.look.calls.is_amiss
            or any(self._is_any_unknown(base, names, modules) for base, names in self.look.calls.callees.items())
            or not all(self._binds(*call, modules) for call in self._open_calls)
            or not all(_call_objects(*caller, modules) for caller in self._open_callers)
        ):
            return ANYTHING
        return self._convicted(modules) if self._open_names or self._open_catch_alls else None

    def _convicted(self, modules: Mapping[str, nodes.MypyFile]) -> Doubt | None:
        """What the exact relation says of the headers about which it is to be asked."""
        # It is only loaded where one must ask.
        from sigcheck.mypy_plugin.headers import broken, swallows_nothing  # noqa: PLC0415

        info = self.info
        words = {word for found in broken(info, self._open_names) for word in found} if self._open_names else set[str]()
        open_catch_alls = {
            name: function
            for name, function in self._open_catch_alls.items()
            if function.info is info
            or not _reads_catch_alls(function, Lines(text_around(function.info, modules) or ""))
        }
        if not words and (not open_catch_alls or swallows_nothing(info, open_catch_alls)):
            return None
        names = open_catch_alls.keys() | self._open_names.keys()
        if not self._borrowed.keys().isdisjoint(names):
            return ANYTHING  # They stand under another name, in a class that is none of those above.
        return Doubt(frozenset(names), frozenset(words))

    def _is_any_unknown(
        self, base: nodes.TypeInfo, names: Iterable[str], modules: Mapping[str, nodes.MypyFile]
    ) -> bool:
        """What calls in this class find in a class by one of these names is not certain."""
        if KEY in base.metadata and not traits_of(base, modules).get("names"):
            return False
        borrowed = self._borrowed if base is self.info else {}
        return any(
            name not in borrowed or not self._binds(base, name, borrowed[name], None, modules)
            for name in names
            if is_uncertain(base, name, modules)
        )

    @staticmethod
    def _binds(
        base: nodes.TypeInfo, name: str, here: Found, there: Found | None, modules: Mapping[str, nodes.MypyFile]
    ) -> bool:
        """What a class above calls by that name is certain to bind on what is found here."""
        found = [here] if there is None else [here, there]
        if any(kind_of(symbol.node) is not CALLABLE for _, symbol in found):
            return False
        if any(is_uncertain(owner, method_at(symbol.node).name, modules) for owner, symbol in found):
            return False
        from sigcheck.mypy_plugin.callers import bind_on  # noqa: PLC0415 - as above

        functions = [callable_of(method_at(symbol.node)) for _, symbol in found]
        return bind_on(functions[0], functions[1] if there is not None else None, name, base, modules)

    def _own(self, name: str) -> Found:
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
        mine = kind_of(symbol.node)
        is_odd = name in self.look.odd_names and name not in self._borrowed
        is_none = name in self.look.none_names
        if mine is None and not is_odd and not is_none:
            return False
        is_seen = is_interface(name)
        callers = {base for base, traits in known if name in traits.get("calls", ())}
        # A call is about what its author saw: what is found in the class in which it stands.
        called = {found[0] for base in callers if (found := look_up(base.mro, 0, name)) is not None}
        loose = [base for base, traits in known if name in traits.get("loose", ())]
        nearer: list[tuple[nodes.TypeInfo, nodes.FuncDef]] = []
        for base, traits in known:
            if not is_seen and base not in callers:
                continue
            theirs = base.names.get(name)
            if theirs is None or theirs.implicit:
                is_function = mine is not None or is_odd
                if is_function and base in callers and self._is_unseen(name, base):
                    self._open_calls.append((base, name, (owner, symbol), None))
                continue
            if name in traits.get("names", ()):
                return True
            kind = kind_of(theirs.node)
            if kind is None:
                if mine is not None and base in callers:
                    return True
                continue
            if is_odd or is_none or kind is ODD or mine is ODD:
                return True
            if mine is CALLABLE and kind is CALLABLE:
                is_called = base in called
                if not self._is_in_order(name, symbol.node, theirs.node, nearer, demand, is_called=is_called):
                    pair = (method_at(symbol.node), method_at(theirs.node))
                    if not (demand.is_complete and self._is_told_by_headers(name, *pair, is_called=is_called)):
                        return True
                    self._leave_to_headers(name, *pair, callers if is_called else ())
                # What its author saw refuses the call, or nobody knows.
                self._open_calls += [(it, name, (owner, symbol), look_up(it.mro, 0, name)) for it in loose]
                nearer.append((base, method_at(theirs.node)))
            elif mine is CALLABLE or kind is CALLABLE or (kind is SETTABLE and mine is not SETTABLE):
                return True
        return False

    def _is_in_order(
        self,
        name: str,
        override: nodes.SymbolNode | None,
        base: nodes.SymbolNode | None,
        nearer: Sequence[tuple[nodes.TypeInfo, nodes.FuncDef]],
        demand: Demand,
        *,
        is_called: bool,
    ) -> bool:
        """The override serves the callers of the base, or it is told elsewhere that it does not."""
        function, upper = method_at(override), method_at(base)
        mine, theirs = callable_of(function), callable_of(upper)
        if serves(mine, theirs, name):
            return not is_called or mine.flavour == theirs.flavour
        is_lost = theirs.flavour != "" and mine.flavour == "" and not is_called
        if not is_interface(name) or not is_like(mine, theirs) or not (mine.flavour == theirs.flavour or is_lost):
            return False
        if promises_nothing(upper) and not is_lost:
            return not is_called
        # A call of the base is told of an override only where its break is not; which rules are asked for is known here.
        if not demand.is_complete or (is_called and is_called_by_syntax(name)):
            return False
        if any(is_same(mine, callable_of(known), name) and upper.info in entry.mro for entry, known in nearer):
            return True  # That one is told.
        options = demand.options
        is_told = (
            not demand.repeats_mypy
            and self.info.names[name].node is override
            and name not in self.look.repeated
            and errorcodes.OVERRIDE not in options.disabled_error_codes
            and is_looked_into(function, options)
            and is_plain(override)
            and is_plain(base)
            and (is_lost or is_refused_by_mypy(mine, theirs, Instance(self.info.mro[-1], [])))
        )
        if is_told:
            self._ask_of_catch_alls(name, function, mine, theirs)
        return is_told

    def _is_told_by_headers(self, name: str, function: nodes.FuncDef, upper: nodes.FuncDef, *, is_called: bool) -> bool:
        """Headers tell all there is to say of an override, and of calls that may run it: of what breaks, these are not told."""
        mine, theirs = callable_of(function), callable_of(upper)
        is_plain_call = not is_called or not (is_called_by_syntax(name) or nodes.ARG_STAR in theirs.kinds)
        is_told = (
            is_interface(name)
            and is_like(mine, theirs)
            and (mine.flavour == theirs.flavour or (mine.flavour == "static" and not theirs.flavour))
            and is_plain_call
            and not any(None in entry.names or len(entry.names) < entry.receivers for entry in (mine, theirs))
            and not unpacks_keywords(function)
            and not unpacks_keywords(upper)
        )
        if is_told:
            self._ask_of_catch_alls(name, function, mine, theirs)
        return is_told

    def _leave_to_headers(
        self, name: str, function: nodes.FuncDef, upper: nodes.FuncDef, callers: Iterable[nodes.TypeInfo]
    ) -> None:
        """What the exact relation says of two headers is to be asked, unless it is plain."""
        if function.is_static != upper.is_static:
            self._open_callers.update((name, it) for it in callers)
        if not extends(callable_of(function), callable_of(upper), name):
            self._open_names[name] = function

    def _ask_of_catch_alls(self, name: str, function: nodes.FuncDef, mine: Callable, theirs: Callable) -> None:
        """Whether a catch-all swallows something is to be asked of the exact relation, unless it is plain that none does."""
        if not (mine.flavour == theirs.flavour and keeps_every_name(mine, theirs)) and not (
            function.info is self.info and _reads_catch_alls(function, self.look.survey.lines)
        ):
            self._open_catch_alls[name] = function

    @staticmethod
    def _is_unseen(name: str, base: nodes.TypeInfo) -> bool:
        """Who wrote the class saw no method of that name."""
        return not any(
            (symbol := entry.names.get(name)) is not None and kind_of(symbol.node) is not None for entry in base.mro
        )

    def _meets(self, base: nodes.TypeInfo, traits: Traits, modules: Mapping[str, nodes.MypyFile]) -> bool:
        """A call in a class above runs here what it does not run there."""
        order = self.info.mro
        for names, start in ((traits.get("calls", ()), 0), (traits.get("super", ()), 1)):
            for name in names:
                found = look_up(order, order.index(base) + 1 if start else 0, name)
                if found is None:
                    continue
                here = self._own(name) if found[0] is self.info and name in self._borrowed else aliased(found, name)
                there = look_up(base.mro, start, name)
                if there is not None and there[1].node is here[1].node:
                    continue
                kind = kind_of(here[1].node)
                if kind is None and name not in traits_of(here[0], modules).get("names", ()):
                    continue
                if self._is_told_above(base, found[0]):
                    continue
                if kind is not CALLABLE or (there is not None and kind_of(there[1].node) is not CALLABLE):
                    return True
                mine = callable_of(method_at(here[1].node))
                is_alike = there is not None and is_same(mine, callable_of(method_at(there[1].node)), name)
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
                kind = kind_of(node)
                runs = first.setdefault(name, (base, node, name in odd))
                if runs[0] is base or base in runs[0].mro:
                    continue
                upper = kind_of(runs[1])
                if runs[2] or name in odd or upper is ODD or kind is ODD:
                    return True
                if upper is None or kind is None:
                    # `name = None` hides a method.
                    if kind is not None:
                        return True
                    continue
                if upper is CALLABLE and kind is CALLABLE:
                    if not serves(callable_of(method_at(runs[1])), callable_of(method_at(node)), name):
                        return True
                elif upper is not kind:
                    return True
        return False


def _reads_catch_alls(function: nodes.FuncDef, lines: Lines) -> bool:
    """The body is certain to name its `*args` and `**kwargs`, or does nothing: what lands there is not swallowed."""
    body = function.body.body
    if body and all(map(_is_idle, body)):
        return True
    first = body_line(function)
    if first <= function.line:
        return False
    text = lines.between(first, function.end_line or function.line)
    if any(word in text for word in ('"""', "'''", "def", "lambda")):
        return False
    return all(
        names_for_certain(text, name)
        for name, kind in zip(function.arg_names, function.arg_kinds, strict=True)
        if name is not None and kind in (nodes.ARG_STAR, nodes.ARG_STAR2)
    )


def _tells(lender: Traits, symbol: nodes.SymbolTableNode) -> bool:
    """What a class has there is what mypy's symbols tell."""
    node = symbol.node
    return "odd" not in lender and node is not None and node.name not in lender.get("names", ())


def _call_objects(name: str, base: nodes.TypeInfo, modules: Mapping[str, nodes.MypyFile]) -> bool:
    """Where a class calls that name, it is on an object: there a static method is called as one with a receiver is."""
    from sigcheck.mypy_plugin.callers import are_on_objects  # noqa: PLC0415 - as above

    return are_on_objects(name, base, modules)


def _is_idle(statement: nodes.Statement) -> bool:
    """It only raises, passes, or is `...` or documentation."""
    return type(statement) in (nodes.RaiseStmt, nodes.PassStmt) or (
        isinstance(statement, nodes.ExpressionStmt) and type(statement.expr) in (nodes.EllipsisExpr, nodes.StrExpr)
    )
