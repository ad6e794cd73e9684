"""What the exact relation says of overrides, told from mypy's symbols alone: most of what is suspected need not be read.

Imported when there is something to ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mypy import nodes

from sigcheck.core.comparison import Comparison
from sigcheck.core.demands import Demands
from sigcheck.core.diagnostic import BrokenOverride
from sigcheck.core.hierarchy import Hierarchy
from sigcheck.core.incompatibility import RenamedParameter
from sigcheck.core.member import Flavour, Member
from sigcheck.core.module import Class
from sigcheck.core.names import BUILTIN_MODULES, is_interface
from sigcheck.core.place import Place
from sigcheck.core.resolution import Resolver, Target
from sigcheck.mypy_plugin.binding import function_of, promises_nothing
from sigcheck.readers.mypy_signatures import signature_of


def broken(info: nodes.TypeInfo, methods: Mapping[str, nodes.FuncDef]) -> Iterator[tuple[str, ...]]:
    """The methods of which rules about overrides have something to say that nobody has said of those above.

    Args:
        info: the class.
        methods: of it, by their names there; every definition of one, in the class and above, is a function of which the header
            tells all.

    Yields:
        The name of one, and the new name of a parameter: what is said of that hangs on what other methods call theirs.
    """
    resolver = _Above(info, methods)
    owner = resolver.class_of(info)
    for _, _, finding in Comparison(Hierarchy([owner], resolver), Demands({}), {}, [owner]).findings():
        if isinstance(finding, BrokenOverride):
            reason = finding.reason
            yield (finding.override.name, *([reason.lands_in] if isinstance(reason, RenamedParameter) else []))


def swallows_nothing(info: nodes.TypeInfo, methods: Mapping[str, nodes.FuncDef]) -> bool:
    """No catch-all of some methods takes what a base has a parameter for.

    Args:
        info: the class.
        methods: of it, as above; their bodies may not read what lands in a catch-all.
    """
    from sigcheck.core.honour import swallowed_arguments  # noqa: PLC0415 - few ask for it

    symbols = [symbol for entry in info.mro for name in methods if (symbol := entry.names.get(name)) is not None]
    above = [function for symbol in symbols if (function := function_of(symbol.node)) is not None]
    if any(None in function.arg_names for function in (*methods.values(), *above)):
        return False  # How a base calls its parameters, mypy does not keep.
    resolver = _Above(info, methods, reads=False)
    hierarchy = Hierarchy([owner := resolver.class_of(info)], resolver)
    pairs = [pair for pair in hierarchy.pairs(owner) if is_interface(pair.override.name)]
    return next(swallowed_arguments(pairs, hierarchy), None) is None


class _Above(Resolver):
    """The classes above one, with some of their methods."""

    def __init__(self, info: nodes.TypeInfo, methods: Mapping[str, nodes.FuncDef], *, reads: bool = True) -> None:
        """Args: info: the one; methods: of it; reads: their bodies read what lands in a catch-all."""
        super().__init__(lambda _name, _near: None)
        self._info = info
        self._methods = methods
        self._reads = reads
        self._infos = {entry.fullname: entry for entry in info.mro}
        self._known: dict[str, Class] = {}

    def resolve(self, reference: str, near: str) -> tuple[Target, ...]:  # noqa: ARG002 - the names are absolute
        """The class of a full name."""
        return (self.class_of(self._infos[reference]),)

    def class_of(self, info: nodes.TypeInfo) -> Class:
        """A class with those of its methods that are asked for."""
        name = info.fullname
        known = self._known.get(name)
        if known is None:
            bases = [base.type for base in info.bases if base.type.module_name not in BUILTIN_MODULES]
            is_lowest = info is self._info
            methods = self._methods if is_lowest else _methods_of(info, self._methods)
            is_unread = is_lowest and not self._reads
            members = [_member(entry, function, is_unread=is_unread) for entry, function in methods.items()]
            known = self._known[name] = Class(
                name,
                name,
                Place(info.module_name, 1, 1, 1, 1),
                1,
                tuple((base.fullname,) for base in bases),
                tuple(members),
            )
        return known


def _methods_of(info: nodes.TypeInfo, names: Iterable[str]) -> dict[str, nodes.FuncDef]:
    return {
        name: function
        for name in names
        if (symbol := info.names.get(name)) is not None
        and not symbol.implicit
        and (function := function_of(symbol.node)) is not None
    }


def _member(name: str, node: nodes.FuncDef, *, is_unread: bool) -> Member:
    annotation = None if promises_nothing(node) else "?"
    signature = signature_of(node.arg_names, node.arg_kinds, [annotation] * len(node.arg_names))
    flavour = Flavour.STATIC if node.is_static else Flavour.CLASS if node.is_class else Flavour.INSTANCE
    catch_alls = [parameter.name for parameter in signature.parameters if parameter.is_variadic] if is_unread else ()
    return Member(name, flavour, Place("", 1, 1, 1, 1), 1, signature, unread=tuple(catch_alls))
