"""What a class breaks of what the classes above it promise: the relation and the words of the static check, on live classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from sigcheck.core.comparison import Comparison
from sigcheck.core.contract import Contract
from sigcheck.core.demands import Demands
from sigcheck.core.diagnostic import Diagnostic
from sigcheck.core.hierarchy import Hierarchy, Linearization, Pair
from sigcheck.core.member import Flavour
from sigcheck.core.module import Class, TypedField
from sigcheck.core.names import is_interface
from sigcheck.core.resolution import Resolver
from sigcheck.core.rules import RULES
from sigcheck.readers.live import Statement, member_fields, members_of, order_of, read_classes
from sigcheck.report.text import Sources, render_full


def diagnostics_of(
    owner: type, promising: Sequence[type], names: Callable[[str], bool], statement: Statement | None = None
) -> tuple[Diagnostic, ...]:
    """What a check of the class's source would report of the group `override`, sorted by place.

    Args:
        owner: the class.
        promising: the classes above whose promises count.
        names: whether methods of a name count.
        statement: where the class is made.
    """
    read = read_classes(order_of(owner), statement)
    if not read or read[0][0] is not owner:
        return ()
    severities = {
        rule.name: rule.severity for rule in RULES.values() if rule.group == "override" and rule.severity.value != "off"
    }
    # The exemptions, constructors and the like, hold but for what the guard names itself.
    asked = tuple(name for name in members_of(owner) if not is_interface(name) and names(name))
    contracts = tuple(Contract(entry.name, asked) for found, entry in read if asked and _is_among(found, promising))
    hierarchy = _LiveHierarchy(read, promising, names)
    comparison = Comparison(hierarchy, Demands(severities, contracts), {}, hierarchy.classes)
    found = [Diagnostic(rule, severities[rule], place, finding) for rule, place, finding in comparison.findings()]
    return tuple(sorted(found, key=lambda diagnostic: (diagnostic.place, diagnostic.rule)))


def rendered(diagnostics: Sequence[Diagnostic]) -> str:
    """The diagnostics as `sigcheck check` prints them, without source lines."""
    return "".join(render_full(diagnostics, Sources(lambda _path: ""))).strip()


class _LiveResolver(Resolver):
    """Knows the keys that methods unpack. Nothing else has to be looked up: the values are all there."""

    def __init__(self, types: Mapping[str, type]) -> None:
        super().__init__(lambda _module, _near: None)
        self._live = types

    def fields(self, reference: str, near: str) -> tuple[TypedField, ...] | None:
        del near
        owner, _, name = reference.partition(".")
        return member_fields(members_of(self._live[owner])[name])


class _LiveHierarchy(Hierarchy):
    """The classes of one method resolution order, which the interpreter has made already."""

    def __init__(self, read: list[tuple[type, Class]], promising: Sequence[type], names: Callable[[str], bool]) -> None:
        super().__init__((read[0][1],), _LiveResolver({entry.id: found for found, entry in read}))
        self._read = read
        self._types = {entry.key: found for found, entry in read}
        self._promising = promising
        self._names = names

    def linearizations(self, owner: Class) -> tuple[Linearization, ...]:
        order = order_of(self._types[owner.key])
        return (tuple(entry for found, entry in self._read if _is_among(found, order)),)

    def pairs(self, owner: Class) -> Iterator[Pair]:
        for pair in super().pairs(owner):
            is_promised = _is_among(self._types[pair.base_class.key], self._promising)
            # An object in an attribute promises nothing.
            if is_promised and pair.base.flavour is not Flavour.FUNCTION and self._names(pair.override.name):
                yield pair


def _is_among(wanted: type, classes: Sequence[type]) -> bool:
    """By identity: a metaclass may make of `==` what it likes."""
    return any(entry is wanted for entry in classes)
