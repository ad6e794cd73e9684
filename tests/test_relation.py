"""The relation against the interpreter: every verdict and every witness of `core.assignability`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigcheck.core.assignability import incompatibilities
from sigcheck.core.binding import CallShape, Rejection, bind
from sigcheck.core.incompatibility import (
    BindingReason,
    DefaultRemoved,
    ExtraRequiredParameters,
    InsertedParameters,
    MissingParameters,
    MovedParameter,
    NotKeyword,
    NotPositional,
    RenamedParameter,
    ReplacedParameters,
    VariadicRemoved,
)
from sigcheck.core.signature import Kind, Parameter, Signature
from tests import shapes

TWO_NAMES = tuple(shapes.signatures(("a", "b")))
SHAPES = tuple(shapes.calls(3, ("a", "b", "c")))


def test_there_are_220_signatures_on_two_names() -> None:
    assert len(set(TWO_NAMES)) == len(TWO_NAMES) == 220


@pytest.mark.parametrize("signature", TWO_NAMES, ids=str)
def test_bind_is_the_interpreters(signature: Signature) -> None:
    for shape in SHAPES:
        assert _landed(signature, shape) == shapes.really_called(signature, shape), shape


def _landed(signature: Signature, shape: CallShape) -> dict[int | str, str] | None:
    bound = bind(signature, shape)
    if isinstance(bound, Rejection):
        return None
    stars = {Kind.VAR_POSITIONAL: "*", Kind.VAR_KEYWORD: "**"}
    return {argument: stars.get(parameter.kind, parameter.name) for argument, parameter in bound.items()}


@pytest.mark.parametrize("base", TWO_NAMES, ids=str)
def test_every_pair_of_signatures_on_two_names(base: Signature) -> None:
    """48,400 ordered pairs by 32 calls: the verdict is the interpreter's, and each witness does what it says."""
    for override in TWO_NAMES:
        check_against_the_interpreter(override, base, SHAPES)


def check_against_the_interpreter(override: Signature, base: Signature, calls: tuple[CallShape, ...]) -> None:
    reasons = incompatibilities(override, base)
    broken = [shape for shape in calls if not shapes.keeps_promise(override, base, shape)]
    assert bool(reasons) == bool(broken), (str(override), str(base), broken, reasons)
    for reason in reasons:
        check_witness(reason, override, base)
    told = [(type(reason), repr(reason)) for reason in reasons]
    assert len(told) == len(set(told))


def check_witness(reason: BindingReason, override: Signature, base: Signature) -> None:
    """The witness is legal on the base, and does on the override what the reason tells."""
    shape = reason.witness.shape
    assert _inspect_binds(base, shape) or _is_misjudged_by_inspect(base, shape)
    assert not shapes.keeps_promise(override, base, shape)
    received = shapes.really_called(override, shape)
    assert (received is None) == isinstance(reason.witness.outcome, Rejection)
    if received is None:
        assert not _inspect_binds(override, shape) or _is_misjudged_by_inspect(override, shape)
    promised = shapes.really_called(base, shape)
    assert promised is not None
    if not isinstance(reason.witness.outcome, Rejection):
        for landing in reason.witness.outcome:
            assert promised[landing.argument] == landing.base.name
            assert received is not None
            assert received[landing.argument] == landing.override.name
    check_claim(reason, override, base)


def check_claim(reason: BindingReason, override: Signature, base: Signature) -> None:
    """What the reason says of the two signatures, read off them again."""
    match reason:
        case MissingParameters(names=names):
            assert all(base.get(name) is not None and override.get(name) is None for name in names)
        case ExtraRequiredParameters(names=names):
            assert all(_parameter(override, name).required and base.get(name) is None for name in names)
            assert isinstance(reason.witness.outcome, Rejection)
        case InsertedParameters(names=names, displaced=displaced):
            assert not {p.name for p in base.positional} & set(names)
            assert displaced
            assert reason.parameter in displaced
        case ReplacedParameters(names=names, targets=targets):
            slots = [p.name for p in base.positional]
            for name, target in zip(names, targets, strict=True):
                assert override.positional[slots.index(name)].name == target != name
        case RenamedParameter():
            assert override.get(reason.parameter) is None
            assert base.get(reason.lands_in) is None
        case MovedParameter():
            assert override.get(reason.parameter) is not None or base.get(reason.lands_in) is not None
        case NotPositional(names=names, variadic=variadic):
            for name in names:
                assert _parameter(base, name).is_positional
                other = override.get(name)
                assert other.kind is Kind.KEYWORD_ONLY if other is not None else variadic is override.var_keyword
        case NotKeyword(names=names, variadic=variadic):
            for name in names:
                assert _parameter(base, name).is_keyword
                other = override.get(name)
                assert not other.is_keyword if other is not None else variadic is override.var_positional
        case DefaultRemoved(name=name, override_name=override_name):
            assert not _parameter(base, name).required
            assert _parameter(override, override_name).required
        case VariadicRemoved(variadics=variadics):
            assert set(variadics) <= set(base.parameters)


def _parameter(signature: Signature, name: str) -> Parameter:
    parameter = signature.get(name)
    assert parameter is not None
    return parameter


NAMES = ("a", "b", "c", "d", "e")


@st.composite
def any_signature(draw: st.DrawFn) -> Signature:
    chosen = draw(st.permutations(NAMES))[: draw(st.integers(0, 5))]
    kinds = sorted(
        draw(st.lists(st.sampled_from([Kind(0), Kind(1), Kind(3)]), min_size=len(chosen), max_size=len(chosen)))
    )
    slots = sum(kind is not Kind.KEYWORD_ONLY for kind in kinds)
    needed = draw(st.integers(0, slots))
    named = [
        Parameter(name, kind, index < needed if index < slots else draw(st.booleans()))
        for index, (name, kind) in enumerate(zip(chosen, kinds, strict=True))
    ]
    annotation = draw(st.sampled_from([None, "int", "Any", "object", "str"]))
    return shapes.assemble(named, rest=draw(st.booleans()), keywords=draw(st.booleans()), annotation=annotation)


@st.composite
def mutation(draw: st.DrawFn, base: Signature) -> Signature:
    """An override as people write them: the base with a few edits."""
    named = list(base.named)
    for _ in range(draw(st.integers(1, 3))):
        index = draw(st.integers(0, len(named)))
        edit = draw(st.sampled_from(["insert", "remove", "rename", "swap", "require", "kind"]))
        fresh = next((name for name in (*NAMES, "f", "g", "h") if name not in {p.name for p in named}), None)
        kind = draw(st.sampled_from([Kind(0), Kind(1), Kind(3)]))
        if edit == "insert" and fresh is not None:
            named.insert(index, Parameter(fresh, kind, draw(st.booleans())))
        elif index < len(named):
            old = named[index]
            if edit == "remove":
                del named[index]
            elif edit == "rename" and fresh is not None:
                named[index] = Parameter(fresh, old.kind, old.required)
            elif edit == "swap":
                other = draw(st.integers(0, len(named) - 1))
                named[index], named[other] = named[other], named[index]
            elif edit == "require":
                named[index] = Parameter(old.name, old.kind, not old.required)
            elif edit == "kind":
                named[index] = Parameter(old.name, kind, old.required)
    named.sort(key=lambda parameter: parameter.kind)
    optional = False
    legal = []
    for parameter in named:
        optional = optional or (parameter.is_positional and not parameter.required)
        required = parameter.required and not (optional and parameter.is_positional)
        legal.append(Parameter(parameter.name, parameter.kind, required))
    rest = draw(st.booleans()) or base.var_positional is not None
    keywords = draw(st.booleans()) or base.var_keyword is not None
    return shapes.assemble(legal, rest=rest, keywords=keywords)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_pairs_on_five_names(data: st.DataObject) -> None:
    base = data.draw(any_signature())
    override = data.draw(st.one_of(any_signature(), mutation(base)))
    if base.is_open:
        assert incompatibilities(override, base) == ()
        return
    names = tuple(dict.fromkeys(p.name for p in (*base.named, *override.named)))
    count = max(len(base.positional), len(override.positional)) + 1
    check_against_the_interpreter(override, base, tuple(shapes.calls(count, (*names, "z"))))


@settings(deadline=None, max_examples=300)
@given(any_signature())
def test_reflexive(signature: Signature) -> None:
    assert incompatibilities(signature, signature) == ()


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_unchanged_by_a_consistent_renaming(data: st.DataObject) -> None:
    base = data.draw(any_signature())
    override = data.draw(mutation(base))
    names = ("a", "b", "c", "d", "e", "f", "g", "h")
    new = dict(zip(names, data.draw(st.permutations(("q", "r", "s", "t", "u", "v", "w", "x"))), strict=True))

    def renamed(signature: Signature) -> Signature:
        return Signature.of(
            Parameter(new.get(p.name, p.name), p.kind, p.required, p.annotation) for p in signature.parameters
        )

    before = [type(reason) for reason in incompatibilities(override, base)]
    after = [type(reason) for reason in incompatibilities(renamed(override), renamed(base))]
    assert before == after


def without_catch_alls(signature: Signature) -> Signature:
    return Signature.of(signature.named)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_transitive_where_nothing_is_collected(data: st.DataObject) -> None:
    """Through a catch-all the promise is not transitive, which is why an override is held against every base above it."""
    first = without_catch_alls(data.draw(any_signature()))
    second = without_catch_alls(data.draw(mutation(first)))
    third = without_catch_alls(data.draw(mutation(second)))
    slots_are_named = all(p.kind is not Kind.POSITIONAL_ONLY for p in first.parameters)
    if slots_are_named and not incompatibilities(second, first) and not incompatibilities(third, second):
        assert not incompatibilities(third, first)


def test_inspect_agrees_on_what_binds() -> None:
    for signature in TWO_NAMES:
        for shape in SHAPES:
            if not _is_misjudged_by_inspect(signature, shape):
                assert _inspect_binds(signature, shape) == (not isinstance(bind(signature, shape), Rejection))


def _is_misjudged_by_inspect(signature: Signature, shape: CallShape) -> bool:
    """A positional-only name given by keyword: a call that only the interpreter decides.

    `inspect.Signature.bind` refused `f(a=1)` for `(a=0, /, **kwargs)` before 3.12.4, and 3.13.0 accepts it for `(a=0, /)`.
    """
    return any(p.kind is Kind.POSITIONAL_ONLY and p.name in shape.keywords for p in signature.parameters)


def _inspect_binds(signature: Signature, shape: CallShape) -> bool:
    try:
        shapes.interpreted(signature).bind(*range(shape.positional), **{name: name for name in shape.keywords})
    except TypeError:
        return False
    return True


def signature_of(text: str) -> Signature:
    """A signature from its text."""
    namespace: dict[str, object] = {}
    exec(f"def function({text}): ...", namespace)
    function = namespace["function"]
    assert callable(function)
    return Signature.of(_parameters(inspect.signature(function)))


def _parameters(signature: inspect.Signature) -> Iterator[Parameter]:
    for p in signature.parameters.values():
        kind = Kind(int(p.kind))
        variadic = kind in (Kind.VAR_POSITIONAL, Kind.VAR_KEYWORD)
        yield Parameter(p.name, kind, p.default is inspect.Parameter.empty and not variadic)


@pytest.mark.parametrize(
    ("base", "override", "expected"),
    [
        # One insertion is one finding, whatever it displaces.
        ("a, b, c", "x, a, b, c", [("extra-required-parameter", {"x"})]),
        ("a, b=0, c=0", "a, x=0, b=0, c=0", [("misbound-parameter", {"x", "b"})]),
        ("a, b=0, c=0", "a, x=0, y=0, b=0, c=0", [("misbound-parameter", {"x", "y", "b"})]),
        (
            "a, b=0, c=0, d=0",
            "a, x=0, b=0, y=0, c=0, d=0",
            [("misbound-parameter", {"x", "b"}), ("misbound-parameter", {"y", "d"})],
        ),
        # One removal is one finding, with what moves up behind it.
        ("a, b, c", "a, c", [("missing-parameter", {"b"})]),
        ("a, b=0, c=0", "a, c=0, d=0", [("missing-parameter", {"b"})]),
        ("a, b, c=0, d=0", "a, b", [("missing-parameter", {"c", "d"})]),
        # Swaps and moves.
        ("a, b", "b, a", [("misbound-parameter", {"a", "b"})]),
        ("a, b, c", "c, b, a", [("misbound-parameter", {"a", "c"})]),
        ("a, b, c, d", "b, a, d, c", [("misbound-parameter", {"a", "b"}), ("misbound-parameter", {"c", "d"})]),
        ("a, b, c", "c, a, b", [("misbound-parameter", {"a", "c"})]),
        ("a, b, /", "b, a, /", [("misbound-parameter", {"a", "b"})]),
        # Names.
        ("a, b", "a, x", [("renamed-parameter", {"b", "x"})]),
        ("a, b, /", "x, y, /", []),
        ("a, b, /", "x, y", []),
        # Kinds and defaults.
        ("a, b", "a, *, b", [("not-positional", {"b"})]),
        ("a, b, c", "*, a, b, c", [("not-positional", {"a", "b", "c"})]),
        ("a, b=0", "a, **kwargs", [("not-positional", {"b"})]),
        ("a, b=0, c=0", "a, c=0, **kwargs", [("misbound-parameter", {"b", "c"})]),
        ("a, b=0, c=0", "a, x=0, c=0, **kwargs", [("misbound-parameter", {"b", "x"})]),
        ("a, b=0", "a, x", [("missing-parameter", {"b"}), ("extra-required-parameter", {"x"})]),
        ("a", "a, x, y", [("extra-required-parameter", {"x", "y"})]),
        # A refusal is told by what it names.
        (
            "rpath, lpath=0, callback=0, outfile=0, **kw",
            "rpath, lpath, chunk_size=0, callback=0, **kw",
            [("misbound-parameter", {"chunk_size", "callback"}), ("default-removed", {"lpath"})],
        ),
        (
            "inputs=0, config=0, cuda=0, **kw",
            "ids=0, values=0, mask=0, **kw",
            [("misbound-parameter", {"inputs", "config", "cuda", "ids", "values", "mask"})],
        ),
        ("a, *args, **kwargs", "a, x=0, y=0, **kwargs", [("variadic-removed", {"args"})]),
        ("a, *args, **kwargs", "a, x=0, y=0, *args, **kwargs", [("variadic-removed", {"kwargs", "x", "y"})]),
        (
            "images=0, text=0, videos=0, audio=0, **kw",
            "text=0, voice=0, tensors=0, **kw",
            [
                ("misbound-parameter", {"videos", "tensors"}),
                ("misbound-parameter", {"images", "text"}),
                ("not-positional", {"audio"}),
            ],
        ),
        ("a, b", "a, b, /", [("not-keyword", {"a"}), ("not-keyword", {"b"})]),
        ("*, a", "a", []),
        ("a=0", "a", [("default-removed", {"a"})]),
        ("a", "a, b=0, *, c=0", []),
        ("a", "a, *, c", [("extra-required-parameter", {"c"})]),
        # Catch-alls.
        ("a, *args", "a, b=0, *args", []),
        ("a, *args", "a", [("variadic-removed", {"args"})]),
        ("a, **kwargs", "a, b=0, **kwargs", []),
        ("a, *args, **kwargs", "a", [("variadic-removed", {"args", "kwargs"})]),
        ("a, **kwargs", "a", [("variadic-removed", {"kwargs"})]),
        ("a, *args, **kwargs", "a, b=0, *args, **kwargs", [("variadic-removed", {"kwargs", "b"})]),
        ("layer, *args, **kwargs", "layer, x, bias=0", [("variadic-removed", {"args", "kwargs"})]),
        (
            "a, b=0",
            "x, y, **kw",
            [("renamed-parameter", {"a", "x"}), ("misbound-parameter", {"b", "y"}), ("default-removed", {"b", "y"})],
        ),
        ("exc_type, exc, tb", "*exc", [("not-keyword", {"exc_type", "exc", "tb"})]),
        ("a, b=0", "*args, **kwargs", []),
        # The seed.
        (
            "layer, x, gate, topk_ids_hookfunc=None, fc1_latent_proj=None, fc2_latent_proj=None",
            "layer, x, gate, topk_ids_hookfunc=None",
            [("missing-parameter", {"fc1_latent_proj", "fc2_latent_proj"})],
        ),
        (
            "layer, x, gate, topk_ids_hookfunc=None, fc1_latent_proj=None, fc2_latent_proj=None",
            "layer, x, gate, topk_ids_hookfunc=None, shared_experts=None, fc1_latent_proj=None, fc2_latent_proj=None",
            [("misbound-parameter", {"shared_experts", "fc1_latent_proj"})],
        ),
    ],
)
def test_one_reason_for_each_root_cause(base: str, override: str, expected: list[tuple[str, set[str]]]) -> None:
    from sigcheck.core.incompatibility import names_involved

    reasons = incompatibilities(signature_of(override), signature_of(base))
    assert [(reason.rule, set(names_involved(reason))) for reason in reasons] == expected


def test_a_name_the_family_knows_beside_the_parameter_is_a_misbinding() -> None:
    override, base = signature_of("x, shared_experts=None"), signature_of("x, fc1=None")
    assert [type(reason) for reason in incompatibilities(override, base)] == [RenamedParameter]
    apply = frozenset({"x", "shared_experts", "fc1"})
    assert [type(r) for r in incompatibilities(override, base, vocabulary=[apply])] == [ReplacedParameters]
