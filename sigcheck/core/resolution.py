"""From a reference to what it means: classes and functions, through imports, re-exports and aliases. Imports `module`.

Modules come from a callable, so that this file does no I/O: `project` reads them when they are asked for.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator

from sigcheck.core.dataclass import replace
from sigcheck.core.member import Flavour, Member
from sigcheck.core.module import Class, Module, TypedField
from sigcheck.core.names import BUILTIN_MODULES, COMPILED_MODULES
from sigcheck.core.signature import Signature
from sigcheck.core.wrapper import Wrapper, same_wrapper

_REPLACED_MODULES = {"collections.abc": "_collections_abc"}
"""Modules that put another in their place when they are run."""

_BUILTIN_NAMES = frozenset(dir(builtins))

Target = Class | Member | Module | None
"""What a reference leads to; None for something known to exist that has no source (`builtins:object`)."""


class Resolver:
    """Looks references up. One instance for one run: it remembers what it found."""

    def __init__(self, load: Callable[[str, str], Module | None]) -> None:
        """Args: load: gives the module of a dotted name, seen from the file of that path, or None where there is none."""
        self._load = load
        self._classes: dict[str, dict[str, Class]] = {}
        self._found: dict[tuple[str, str], tuple[Target, ...]] = {}
        self._underway: list[tuple[str, str]] = []
        self._seen: set[str] = set()
        self._through: dict[tuple[str, str], frozenset[str]] = {}
        self.is_circular = False
        """Names lead round in a circle: what was found on the way depends on where one began."""

    def resolve(self, reference: str, near: str) -> tuple[Target, ...]:
        """Everything that a reference may mean in the file `near`, in the order of the branches; empty where it leads nowhere."""
        key = (reference, near)
        found = self._found.get(key)
        if found is None:
            self._found[key] = ()  # A cycle of names ends here.
            self._underway.append(key)
            outer, self._seen = self._seen, set()
            found = self._found[key] = tuple(dict.fromkeys(self._resolve(reference, near)))
            self._through[key] = frozenset(self._seen)
            self._seen = outer
            self._underway.pop()
        elif not found and key in self._underway[:-1]:
            self.is_circular = True
        self._seen |= self._through.get(key, frozenset())
        return found

    def through(self, reference: str, near: str) -> frozenset[str]:
        """The files that were looked at for what a reference means in the file `near`."""
        self.resolve(reference, near)
        return self._through.get((reference, near), frozenset())

    def _resolve(self, reference: str, near: str) -> Iterator[Target]:
        if reference.startswith("?"):
            return
        module_name, _, path = reference.partition(":")
        root = module_name.partition(".")[0]
        if root in BUILTIN_MODULES or reference == "abc:ABC":
            yield None
            return
        module = self._module(module_name, near)
        if module is None:
            return
        if not path:
            yield module
            return
        ids = self._ids(module)
        owner, rest = path, ""
        while owner:
            if owner in ids:
                others = module.names.get(owner, ())
                if any(other.partition(":")[0] in COMPILED_MODULES for other in others):
                    yield None
                else:
                    yield from self._attribute(ids[owner], rest)
                return
            owner, _, last = owner.rpartition(".")
            rest = f"{last}.{rest}" if rest else last
        if path in module.functions:
            found = module.functions[path]
            yield from [function.of_stub() for function in found] if module.path.endswith(".pyi") else found
            return
        first, _, rest = path.partition(".")
        for target in self._name(module, first):
            yield from self._attribute(target, rest)

    def _module(self, name: str, near: str) -> Module | None:
        module = self._load(_REPLACED_MODULES.get(name, name), near)
        if module is not None:
            self._seen.add(module.path)
        return module

    def _name(self, module: Module, name: str) -> Iterator[Target]:
        references = module.names.get(name)
        if references is not None:
            for reference in references:
                yield from self.resolve(self._past_itself(reference, module, name), module.path)
            return
        if self._module(f"{module.name}.{name}", module.path) is not None:
            yield from self.resolve(f"{module.name}.{name}:", module.path)
            return
        targets = self._starred(module, name)
        if targets:
            yield from targets
        elif name in _BUILTIN_NAMES:
            yield None

    def _past_itself(self, reference: str, module: Module, name: str) -> str:
        """What a name of a module refers to; `from package import name` in the package itself means a module of it."""
        is_own = reference == f"{module.name}:{name}" and name not in module.functions and name not in self._ids(module)
        return f"{module.name}.{name}:" if is_own else reference

    def _starred(self, module: Module, name: str) -> tuple[Target, ...]:
        """What the last `*` that has the name brings under it."""
        found = (self.resolve(f"{star}:{name}", module.path) for star in reversed(module.stars))
        return next(filter(None, found), ())

    def before(self, owner: Class) -> tuple[Target, ...]:
        """What the name of a class means while its bases are evaluated; the class, where no `*` can have brought it."""
        module_name, _, name = owner.id.partition(":")
        module = self._module(module_name, owner.place.path)
        return self._starred(module, name) if module is not None and module.stars else (owner,)

    def _attribute(self, target: Target, path: str) -> Iterator[Target]:
        if not path:
            yield target
        elif isinstance(target, Module):
            yield from self.resolve(f"{target.name}:{path}", target.path)
        elif isinstance(target, Class):
            first, _, rest = path.partition(".")
            definitions = target.definitions(first)
            if definitions and not rest:
                for member in definitions:
                    yield from self._aliased(member)
            for reference in target.names.get(first, ()):
                for inner in self.resolve(reference, target.place.path):
                    yield from self._attribute(inner, rest)

    def _aliased(self, member: Member) -> Iterator[Target]:
        if member.alias is None:
            yield self._decorated(member) if member.decorations else member
            return
        for reference in member.alias.references:
            for target in self.resolve(reference, member.place.path):
                if isinstance(target, Member):
                    found = target.called_as(member.name, member.place, member.last_line, member.branch, member.alias)
                    yield found.promising(nothing=member.promises_nothing)

    def _decorated(self, member: Member) -> Member:
        """A member, as the decorators have it that are defined elsewhere."""
        if not member.flavour.is_method:
            return member
        signature: Signature | None = member.signature
        for decoration in member.decorations:
            known: list[tuple[Wrapper, ...]] = []
            for reference in decoration.references:
                known += [_wrappers_of(target) for target in self.resolve(reference, member.place.path)] or [()]
            wrapper = same_wrapper(known, is_called=decoration.is_called)
            if wrapper is not None:
                signature = wrapper.around(signature)
        if signature is member.signature:
            return member
        if signature is None:
            return replace(member, flavour=Flavour.OPAQUE, is_replaced=True, unpacks=(), decorations=())
        return replace(member, signature=signature, is_replaced=True, unpacks=(), decorations=())

    def missing(self, reference: str, near: str) -> str:
        """The reference that no source was found for, at the end of the imports that lead from this one."""
        seen: set[str] = set()
        while reference not in seen and not reference.startswith("?"):
            seen.add(reference)
            module_name, _, path = reference.partition(":")
            module = self._load(module_name, near)
            first, _, rest = path.partition(".")
            onward = module.names.get(first, ()) if module is not None else ()
            if module is None or not onward:
                break
            found = self._past_itself(onward[0], module, first)
            reference = f"{found}{'' if found.endswith(':') or not rest else '.'}{rest}"
            near = module.path
        return reference

    def definitions(self, owner: Class, name: str) -> tuple[Member, ...]:
        """The definitions of a member, aliases followed; an alias that leads nowhere stays as it is."""
        found: list[Member] = []
        for member in owner.definitions(name):
            targets = [target for target in self._aliased(member) if isinstance(target, Member)]
            found += targets or [member]
        return tuple(found)

    def fields(self, reference: str, near: str) -> tuple[TypedField, ...] | None:
        """The keys of the `TypedDict` that a reference leads to, those of its bases first; None where it leads to none."""
        found = next((target for target in self.resolve(reference, near) if isinstance(target, Class)), None)
        if found is None:
            return None
        keys: dict[str, TypedField] = {}
        self._collect_fields(found, keys, set())
        return tuple(keys.values())

    def _collect_fields(self, owner: Class, keys: dict[str, TypedField], seen: set[str]) -> None:
        if owner.key in seen:
            return  # A cycle, or a diamond.
        seen.add(owner.key)
        for reference in (reference for alternatives in owner.bases for reference in alternatives):
            for target in self.resolve(reference, owner.place.path):
                if isinstance(target, Class):
                    self._collect_fields(target, keys, seen)
        keys.update((entry.name, entry) for entry in owner.fields)

    def _ids(self, module: Module) -> dict[str, Class]:
        ids = self._classes.get(module.path)
        if ids is None:
            ids = {entry.id.partition(":")[2]: entry for entry in module.classes}
            self._classes[module.path] = ids
        return ids


def _wrappers_of(target: Target) -> tuple[Wrapper, ...]:
    """What a function puts, as a decorator, in the place of what it decorates; or, called, a class that has a `__call__`."""
    if isinstance(target, Member):
        return target.wrappers
    if not isinstance(target, Class):
        return ()
    calls = (entry for member in target.definitions("__call__") for entry in member.wrappers)
    return tuple(Wrapper(entry.signature, is_made=True) for entry in calls if not entry.is_made)
