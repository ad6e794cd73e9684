"""Finds the classes that references mean, through mypy: this module's as they were read, others' as a callable reads them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from mypy import nodes
from mypy.types import TypedDictType

from sigcheck.core.member import Member
from sigcheck.core.module import Class, TypedField
from sigcheck.core.names import BUILTIN_MODULES
from sigcheck.core.resolution import Resolver, Target
from sigcheck.readers.mypy_nodes.references import References
from sigcheck.readers.mypy_nodes.summary import Summary
from sigcheck.readers.mypy_nodes.symbols import read_symbol, read_symbols


class LeftOutError(Exception):
    """A class of the module is asked for that was not read."""


class MypyResolver(Resolver):
    """Looks references up among what mypy has loaded.

    Attributes:
        summaries: of the classes of other modules that were looked at, by reference.
        functions: the functions of other modules that were looked at, by mypy's full name.
    """

    def __init__(
        self,
        references: References,
        own: Mapping[str, Class],
        module: str,
        read_own: Callable[[str], tuple[Member, ...]],
        read_other: Callable[[nodes.TypeInfo], Summary | None],
        *,
        left_out: Collection[str] = frozenset(),
    ) -> None:
        """Prepare for one module.

        Args:
            references: names what mypy bound.
            own: the classes of the module, by reference.
            module: its name.
            read_own: reads the functions of the module that have a name.
            read_other: reads a class of another module; None where it has no source.
            left_out: those of its classes that are not among `own`: who asks for one gets a `LeftOutError`.
        """
        super().__init__(lambda _name, _near: None)
        self._references = references
        self._own = own
        self._module_name = module
        self._read_own = read_own
        self._read_other = read_other
        self._left_out = left_out
        self.summaries: dict[str, Summary] = {}
        self.functions: set[str] = set()
        self._classes_found: dict[str, Class | None] = {}
        self._targets: dict[str, tuple[Target, ...]] = {}

    def resolve(self, reference: str, near: str) -> tuple[Target, ...]:
        """Everything that a reference means; empty where mypy does not know."""
        found = self._targets.get(reference)
        if found is None:
            self._targets[reference] = ()  # A cycle of names ends here.
            found = self._targets[reference] = tuple(self._find(reference, near))
        return found

    def _find(self, reference: str, near: str) -> tuple[Target, ...]:
        if reference.startswith("?"):
            return ()
        if reference.partition(":")[0] in BUILTIN_MODULES or reference == "abc:ABC":
            return (None,)
        info = self._references.info(reference)
        if info is not None:
            known = self._references.of_info(info)
            if known != reference and reference not in self._own:
                return self.resolve(known, near)  # A name under which it was imported.
        owner = self.class_of(reference)
        if owner is not None:
            return (owner,)
        above, _, name = reference.rpartition(".")
        owner = self.class_of(above) if ":" in above else None
        if owner is not None:
            return tuple(
                target
                for member in owner.definitions(name)
                for target in (self._aliased(member) if member.alias is not None else (member,))
            )
        module, _, path = reference.partition(":")
        if module == self._module_name:
            members = self._read_own(path)
            if members:
                return tuple(member.of_stub() for member in members) if self._is_stub(module) else members
        node = self._references.symbol(reference)
        onward = self._references.of_symbol(node) if node is not None else None
        if onward is not None and onward != reference:
            return self.resolve(onward, near)  # A name that was imported there.
        if node is None:
            return ()
        member = read_symbol(name or path, node, module)
        if member is None:
            return ()
        self.functions.add(reference.replace(":", "."))
        return (member.of_stub() if self._is_stub(module) else member,)

    def _is_stub(self, module: str) -> bool:
        tree = self._references.modules.get(module)
        return tree is not None and tree.path.endswith(".pyi")

    def class_of(self, reference: str) -> Class | None:
        """The class of a reference."""
        if reference in self._own:
            return self._own[reference]
        if reference not in self._classes_found:
            self._classes_found[reference] = self._class_of(reference)
        return self._classes_found[reference]

    def _class_of(self, reference: str) -> Class | None:
        info = self._references.info(reference)
        is_near = info is not None and info.module_name == self._module_name
        if reference in self._left_out or (is_near and self._left_out):
            raise LeftOutError(reference)
        if info is None:
            return None
        summary = self._read_other(info)
        if summary is None:
            return read_symbols(info, reference, self._references)
        self.summaries[reference] = summary
        return summary.owner

    def missing(self, reference: str, near: str) -> str:  # noqa: ARG002 - mypy's names are absolute
        """The reference itself: mypy has followed its imports."""
        return reference

    def fields(self, reference: str, near: str) -> tuple[TypedField, ...] | None:  # noqa: ARG002 - as above
        """The keys of a `TypedDict`."""
        info = self._references.info(reference)
        keys = info.typeddict_type if info is not None else None
        if not isinstance(keys, TypedDictType):
            return None
        return tuple(TypedField(name, name in keys.required_keys) for name in keys.items)
