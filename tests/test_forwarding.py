"""Call sites against the interpreter: families are written, checked as source, then really run with distinct objects."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigcheck.core.binding import CallShape, Rejection, bind, bind_certain
from sigcheck.core.check import Checked, check, conclude
from sigcheck.core.demands import Demands
from sigcheck.core.forwarding import BrokenCall, MisboundArgument, RejectedArgument
from sigcheck.core.hierarchy import Hierarchy
from sigcheck.core.resolution import Resolver
from sigcheck.core.rules import RULES, Severity
from sigcheck.core.signature import Kind, Parameter, Signature
from sigcheck.readers.source import read_module
from tests import shapes

NAMES = ("a", "b", "c", "d")


@st.composite
def signatures(draw: st.DrawFn) -> Signature:
    chosen = draw(st.permutations(NAMES))[: draw(st.integers(0, 4))]
    kinds = sorted(draw(st.sampled_from([Kind(0), Kind(1), Kind(1), Kind(1), Kind(3)])) for _ in chosen)
    optional = False
    named = []
    for name, kind in zip(chosen, kinds, strict=True):
        required = draw(st.booleans()) and not (optional and kind is not Kind.KEYWORD_ONLY)
        optional = optional or not required
        named.append(Parameter(name, kind, required, None, None if required else "None"))
    rest, keywords = draw(st.integers(0, 5)) == 0, draw(st.integers(0, 5)) == 0
    return shapes.assemble(named, rest=rest, keywords=keywords, annotation=None)


@dataclass(frozen=True)
class Family:
    """A base with a template, and what its subclasses make of it.

    Attributes:
        base: the signature of `m` in the base; None for a mixin without one.
        overrides: for each class, the class it derives from, and its own `m`, if it has one.
        positional, keywords: what the template passes.
        calls_super: the classes whose own template calls the one above.
    """

    base: Signature | None
    overrides: tuple[tuple[str, Signature | None], ...]
    positional: int
    keywords: tuple[str, ...]
    calls_super: frozenset[int]

    def source(self) -> str:
        arguments = [
            *(f"v{index}" for index in range(self.positional)),
            *(f"{name}=k_{name}" for name in self.keywords),
        ]
        values = [*(f"v{index}" for index in range(self.positional)), *(f"k_{name}" for name in self.keywords)]
        passed = "".join(f", {value}" for value in values)
        lines = ["class Base:", f"    def template(self{passed}):", f"        return self.m({', '.join(arguments)})"]
        if self.base is not None:
            lines.append(f"    def m{_with_self(self.base)}: return locals()")
        for index, (parent, own) in enumerate(self.overrides):
            lines += [f"class C{index}({parent}):", "    x = 1"]
            if own is not None:
                lines.append(f"    def m{_with_self(own)}: return locals()")
            if index in self.calls_super:
                lines += [f"    def template(self{passed}):", f"        return super().template({', '.join(values)})"]
        return "\n".join(lines) + "\n"

    @property
    def classes(self) -> list[str]:
        return ["Base", *(f"C{index}" for index in range(len(self.overrides)))]


def _with_self(signature: Signature) -> str:
    kind = Kind(min([Kind.POSITIONAL_OR_KEYWORD, *(p.kind for p in signature.parameters)]))
    return str(Signature.of([Parameter("self", kind, required=True), *signature.parameters]))


@st.composite
def families(draw: st.DrawFn) -> Family:
    overrides = []
    for index in range(draw(st.integers(1, 4))):
        parent = draw(st.sampled_from(["Base", *(f"C{i}" for i in range(index))]))
        overrides.append((parent, draw(st.one_of(st.none(), signatures(), signatures()))))
    return Family(
        draw(st.one_of(st.none(), signatures(), signatures(), signatures())),
        tuple(overrides),
        draw(st.integers(0, 4)),
        tuple(draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=2))),
        draw(st.frozensets(st.integers(0, 3), max_size=2)),
    )


def checked(source: str, *groups: str) -> Checked:
    module = read_module(source.encode(), name="m", path="m.py", is_package=False)
    assert not module.problems
    hierarchy = Hierarchy(module.classes, Resolver(lambda name, _: module if name == "m" else None))
    rules = {
        name: rule.severity
        for name, rule in RULES.items()
        if rule.group in groups and rule.severity is not Severity.OFF
    }
    demands = Demands(rules)
    judgement = check([module], hierarchy, demands)
    return conclude(judgement.remarks, judgement.verdicts, (), demands)


def run(family: Family, namespace: dict[str, Any], name: str) -> dict[object, str] | None:
    """Run the template on an instance: which parameter received each object; None for a `TypeError`."""
    values = [object() for _ in range(family.positional + len(family.keywords))]
    try:
        received = namespace[name]().template(*values)
    except TypeError:
        return None
    except AttributeError:
        return {}
    landed: dict[object, str] = {}
    for parameter, value in received.items():
        if parameter == "args":
            landed.update(dict.fromkeys(value, "*"))
        elif parameter == "kwargs":
            landed.update(dict.fromkeys(value.values(), "**"))
        else:
            landed[value] = parameter
    return {f"v{index}" if index < family.positional else "": landed[value] for index, value in enumerate(values)}


def line_of(namespace: dict[str, Any], name: str) -> int:
    """The line of the `m` that runs on that class."""
    function = getattr(namespace[name], "m", None)
    return function.__code__.co_firstlineno if function is not None else 0


@settings(deadline=None, max_examples=400)
@given(families())
def test_every_class_is_what_the_diagnostics_say(family: Family) -> None:
    source = family.source()
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    found = [d.finding for d in checked(source, "call").diagnostics if isinstance(d.finding, BrokenCall)]
    template = [finding for finding in found if finding.call.method == "m"]
    assert len(template) == len(found)  # The calls to `super().template` are all right.
    promised = run(family, namespace, "Base")
    signatures_above = [family.base] if family.base is not None else []
    for name in family.classes:
        line = line_of(namespace, name)
        mine = [finding for finding in template if finding.callee.place.line == line]
        received = run(family, namespace, name)
        if received is None:
            # What the nearest definition above refuses too is told there.
            parents = [entry.__name__ for entry in namespace[name].__mro__[1:-1]]
            nearest = next((parent for parent in parents if line_of(namespace, parent) not in (0, line)), None)
            is_told = nearest is not None and run(family, namespace, nearest) is None
            is_told = is_told or (promised is None and line != line_of(namespace, "Base"))
            expected = [] if is_told else [RejectedArgument]
            assert [type(finding.reason) for finding in mine] == expected, name
            continue
        strayed = {}
        own = next(finding for finding in _signatures(family, source) if finding[0] == line)[1] if line else None
        for argument, parameter in (promised or {}).items():
            lands_in = received.get(argument)
            if own is None or family.base is None or not argument or lands_in is None:
                continue
            if "*" in (parameter[0], lands_in[0]) or parameter == lands_in:
                continue
            if family.base.get(parameter).kind is Kind.POSITIONAL_ONLY and not (  # type: ignore[union-attr]
                lands_in in {p.name for p in family.base.positional} and parameter in {p.name for p in own.positional}
            ):
                continue
            if any(s.get(parameter) and s.get(lands_in) for s in (*signatures_above, own)):
                strayed[argument] = (parameter, lands_in)
        told = {
            argument: (parameter, target)
            for f in mine
            if isinstance(f.reason, MisboundArgument)
            for argument, parameter, target in zip(
                f.reason.arguments, f.reason.parameters, f.reason.targets, strict=True
            )
        }
        assert told == strayed, name
        assert len(mine) == bool(strayed), name


def _signatures(family: Family, source: str) -> list[tuple[int, Signature]]:
    lines = [number for number, line in enumerate(source.splitlines(), start=1) if line.startswith("    def m(")]
    owners = [family.base, *(own for _, own in family.overrides)]
    return list(zip(lines, [own for own in owners if own is not None], strict=True))


@settings(deadline=None, max_examples=200)
@given(families())
def test_both_groups_together_miss_no_class(family: Family) -> None:
    """A call that does on some class what it does not do on the base is told: at the override, or at the call."""
    source = family.source()
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    diagnostics = checked(source, "override", "call").diagnostics
    promised = run(family, namespace, "Base")
    for name in family.classes:
        received = run(family, namespace, name)
        if received is None:
            lines = {d.finding.callee.place.line for d in diagnostics if isinstance(d.finding, BrokenCall)}
            lines |= {d.place.line for d in diagnostics}
            # What a parent breaks is told at the parent.
            assert lines & {line_of(namespace, above.__name__) for above in namespace[name].__mro__[:-1]}, name
        elif promised is None:
            assert any(isinstance(d.finding, BrokenCall) for d in diagnostics)


@pytest.mark.parametrize("signature", list(shapes.signatures(("a", "b"), annotation=None)), ids=str)
def test_a_starred_call_is_refused_only_if_every_expansion_is(signature: Signature) -> None:
    names = ("a", "b", "z")
    for positional, count in itertools.product(range(3), range(3)):
        for keywords in itertools.combinations(names, count):
            shape = CallShape(positional, keywords)
            for star, double in ((True, False), (False, True), (True, True)):
                found = bind_certain(signature, shape, has_star=star, has_double_star=double)
                others = [name for name in (*names, "y") if name not in keywords] if double else []
                expansions = [
                    bind(signature, CallShape(positional + more, (*keywords, *extra)))
                    for more in (range(4) if star else (0,))
                    for size in range(len(others) + 1)
                    for extra in itertools.combinations(others, size)
                ]
                accepted = [expansion for expansion in expansions if not isinstance(expansion, Rejection)]
                if isinstance(found, Rejection):
                    assert not accepted
                for expansion in accepted:
                    assert not isinstance(found, Rejection)
                    certain = (*range(positional), *keywords)
                    assert all(found[argument] == expansion[argument] for argument in certain)
