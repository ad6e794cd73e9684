# mypy: disable-error-code="override, misc, unused-ignore"
"""Misbinding at the call: which change of name is told, and which is meant."""

from __future__ import annotations

import enum
import functools
import pickle
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from typeguard import TypeCheckError

from sigcheck.errors import SigcheckError
from sigcheck.runtime import (
    GuardUsageError,
    MisboundArgumentError,
    MisboundArgumentWarning,
    Role,
    alias,
    guarding,
    with_role,
)
from tests.test_example import TRITON
from tests.test_example import family as _example


class Thing:
    """An object that nobody may ask anything."""

    def _refuse(self, *_args: object) -> Any:
        raise AssertionError("the guard asked an argument")

    __eq__ = __ne__ = __hash__ = __bool__ = __getattr__ = __len__ = __repr__ = __str__ = _refuse  # type: ignore[assignment]


class Base:
    def apply(self, x: Any, gate: Any = None, shared: Any = None, fc1: Any = None) -> Any:
        return self.run(x, gate, fc1)

    def run(self, x: Any, gate: Any = None, fc1: Any = None) -> Any:
        return x, gate, fc1


class Inserted(Base):
    def run(self, x: Any, gate: Any = None, shared: Any = None, fc1: Any = None) -> Any:  # type: ignore[override]
        return x, gate, fc1


class Right(Base):
    def run(self, x: Any, gate: Any = None, fc1: Any = None, more: Any = None) -> Any:
        return super().run(x, gate, fc1)


def things(count: int) -> list[Any]:
    return [Thing() for _ in range(count)]


def told(base: type, call: Callable[[], object], **options: Any) -> list[tuple[str | None, str]]:
    """Run a call in a scope: what is misbound, as (name, where it lands)."""
    found: list[tuple[str | None, str]] = []

    def note(error: MisboundArgumentError) -> None:
        assert error.misbinding is not None
        found.append((error.misbinding.parameter, error.misbinding.lands_in))

    try:
        with guarding(base, report=note, **options):
            call()
    except MisboundArgumentError:
        assert found
    return found


def test_an_override_that_binds_it_elsewhere_is_told_before_its_body_runs() -> None:
    x, gate, shared, fc1 = things(4)
    with guarding(Base):
        assert Right().apply(x, gate, shared, fc1)[1] is gate
        with pytest.raises(MisboundArgumentError, match=r"fc1 lands in `shared` of Inserted\.run") as caught:
            Inserted().apply(x, gate, fc1=fc1)
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, TypeCheckError)
    assert isinstance(caught.value, SigcheckError)
    assert Inserted().apply(x, gate, fc1=fc1)[1] is gate  # Behind the scope nothing is asked.


def test_the_message_says_what_where_who_and_how_to_mend_it() -> None:
    with guarding(Base), pytest.raises(MisboundArgumentError) as caught:
        Inserted().apply(*things(4))
    lines = str(caught.value).splitlines()
    here = re.escape(__file__)
    assert re.fullmatch(
        rf"fc1 lands in `shared` of Inserted\.run \({here}:{Inserted.run.__code__.co_firstlineno}\)", lines[0]
    )
    assert lines[1] == "  takes:   Inserted.run(x, gate, shared, fc1)"
    assert re.fullmatch(rf"  seen:    Base\.run\(x, gate, fc1\)   {here}:\d+, where it is fc1", lines[2])
    call = Base.apply.__code__.co_firstlineno + 1
    assert re.fullmatch(rf"  called:  {here}:{call} in Base\.apply passes it as argument 3", lines[3])
    assert (
        lines[4] == '  mend:    pass `fc1=`, or restore the order in Inserted.run; if it is meant, alias(shared="fc1")'
    )
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.misbinding) == (str(caught.value), caught.value.misbinding)


def test_a_renamed_slot_is_told_too() -> None:
    class Renamed(Base):
        def run(self, x: Any, gate: Any = None, other: Any = None) -> Any: ...  # type: ignore[override]

    x, gate, fc1 = things(3)

    def call() -> None:
        Renamed().apply(x, gate, None, fc1)

    assert told(Base, call) == [("fc1", "other")]
    assert told(Base, call, aliases=alias(other="fc1")) == []
    assert told(Base, call, aliases=[alias(a="b"), alias(other=["x", "fc1"])]) == []
    assert told(Base, call, aliases=alias(fc1="other")) == [("fc1", "other")]


def test_a_name_that_is_given_by_keyword_or_by_position_only_is_right() -> None:
    class Keyed(Base):
        def apply(self, x: Any, gate: Any = None, shared: Any = None, fc1: Any = None) -> Any:
            return self.run(x, fc1=fc1, gate=gate)

    class Reordered(Keyed):
        def run(self, fc1: Any, x: Any = None, gate: Any = None) -> Any: ...  # type: ignore[override]

    class Free:
        def apply(self, x: Any, y: Any) -> Any:
            return self.run(x, y)

        def run(self, x: Any, y: Any, /) -> Any: ...

    class Named(Free):
        def run(self, a: Any, b: Any, /) -> Any: ...

    class Crossed(Free):
        def run(self, y: Any, x: Any, /) -> Any: ...

    assert told(Base, lambda: Keyed().apply(*things(4))) == []
    assert told(Free, lambda: Named().apply(*things(2))) == []
    assert told(Free, lambda: Crossed().apply(*things(2))) == [("x", "y")]
    with pytest.raises(TypeError, match="multiple values"):
        told(Base, lambda: Reordered().apply(*things(4)))


class Siblings:
    def apply(self, first: Any, second: Any, third: Any = None) -> Any:
        raise NotImplementedError

    def pair(self, first: Any, second: Any) -> Any: ...

    def three(self, first: Any, second: Any, third: Any) -> Any: ...

    def project(self, hidden: Any, residual: Any = None) -> Any: ...


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("self.pair(second, first)", [("second", "first")]),
        ("self.pair(first=second, second=first)", [("second", "first")]),
        ("self.three(third, first, second)", [("third", "first")]),
        ("self.three(second, first, object())", [("second", "first")]),
        ("(lambda: self.pair(second, first))()", [("second", "first")]),
        ("[self.pair(second, first) for _ in range(1)]", [("second", "first")]),
        ("retry(self.pair, second, first)", [("second", "first")]),
        ("functools.partial(self.pair, second)(first)", [("second", "first")]),
        ("self.pair(first, second)", []),
        ("self.pair(object(), first)", []),  # who walks a tree
        ("self.pair(second, second)", []),
        ("self.project(first)", []),
        ("self.project(object(), residual=first)", []),
        ("self.apply(second, first)", []),  # a comparison turned round, by itself
        ("self.pair(None, first)", []),
    ],
)
def test_in_his_own_class_an_author_crosses_names_only_by_mistake(body: str, expected: list[tuple[str, str]]) -> None:
    depth = 0

    def retry(call: Callable[..., object], *args: Any) -> object:
        return call(*args)

    class Own(Siblings):
        def apply(self, first: Any, second: Any, third: Any = None) -> Any:
            nonlocal depth
            depth += 1
            if depth == 1:
                eval(
                    code,
                    {
                        "self": self,
                        "first": first,
                        "second": second,
                        "third": third,
                        "retry": retry,
                        "functools": functools,
                    },
                )

    # The call must stand in the method: `eval` would be a helper's frame, which is looked through all the same.
    code = compile(body, "<body>", "eval")
    assert told(Siblings, lambda: Own().apply(*things(3))) == expected


def test_what_has_no_identity_says_nothing() -> None:
    class Colour(enum.Enum):
        RED = 1

    class Swapped(Siblings):
        def apply(self, first: Any, second: Any, third: Any = None) -> Any:
            return self.pair(second, first)

    for value in (
        None,
        True,
        3,
        2**70,
        1.5,
        1j,
        "text",
        b"x",
        ...,
        NotImplemented,
        Colour.RED,
        (),
        (1, ("a",)),
        frozenset({1}),
    ):
        assert told(Siblings, lambda value=value: Swapped().apply(value, value)) == []  # type: ignore[misc]
        other: Any = (value,)
        assert told(Siblings, lambda other=other: Swapped().apply(other, 0)) == []  # type: ignore[misc]
    assert told(Siblings, lambda: Swapped().apply([], ())) == [("first", "second")]
    same = Thing()
    assert told(Siblings, lambda: Swapped().apply(same, same)) == []
    assert told(Siblings, lambda: Swapped().apply(same, Thing(), same)) == []  # two arguments of the caller


def test_an_object_that_is_passed_along_in_a_catch_all_says_nothing() -> None:
    class Open(Base):
        def run(self, *args: Any, **kwargs: Any) -> Any: ...

    class Collects:
        def apply(self, *args: Any, **kwargs: Any) -> Any:
            return self.run(*reversed(args), **kwargs)

        def run(self, a: Any, b: Any, c: Any = None) -> Any: ...

    assert told(Base, lambda: Open().apply(*things(4))) == []
    assert told(Collects, lambda: Collects().apply(*things(2), c=Thing())) == []


def test_a_call_that_hands_on_to_what_it_overrides_is_held_to_the_names() -> None:
    class Sub(Base):
        def apply(self, x: Any, gate: Any = None, shared: Any = None, fc1: Any = None) -> Any:
            return super().apply(x, gate, fc1)

    class Known(Base):
        def apply(self, x: Any, gate: Any = None, shared: Any = None, fc1: Any = None) -> Any:
            return super().apply(gate, Thing(), fc1=fc1)

    class Explicit(Base):
        def apply(self, x: Any, gate: Any = None, shared: Any = None, fc1: Any = None) -> Any:
            return Base.apply(self, gate, x)

    assert told(Base, lambda: Sub().apply(*things(4))) == [("fc1", "shared")]
    assert told(Base, lambda: Known().apply(*things(4))) == []
    assert told(Base, lambda: Explicit().apply(*things(4))) == [("gate", "x")]


def test_a_super_call_that_another_class_answers() -> None:
    class Root:
        def run(self, x: Any, scale: Any = None) -> Any: ...

    class Left(Root):
        def run(self, x: Any, scale: Any = None) -> Any:
            return super().run(x, scale)

    class Beside(Root):
        def run(self, scale: Any = None, x: Any = None) -> Any: ...

    class Both(Left, Beside):
        pass

    assert told(Root, lambda: Left().run(*things(2))) == []

    class Turned(Root):
        def run(self, scale: Any = None, x: Any = None) -> Any:
            return super().run(x)

    class TurnedBoth(Turned, Beside):
        pass

    assert told(Root, lambda: Both().run(*things(2))) == [("x", "scale")]
    assert told(Root, lambda: TurnedBoth().run(*things(2))) == [("x", "scale")]  # he saw Root.run, not his own


def test_the_author_is_the_method_that_makes_the_call() -> None:
    class Helping(Base):
        def apply(self, x: Any, gate: Any = None, shared: Any = None, fc1: Any = None) -> Any:
            return self.helper(fc1)

        def helper(self, projection: Any) -> Any:
            return self.run(Thing(), None, projection)

        def run(self, x: Any, gate: Any = None, projection: Any = None) -> Any: ...  # type: ignore[override]

    class Again(Helping):
        def run(self, x: Any, projection: Any = None, gate: Any = None) -> Any: ...  # type: ignore[override]

    assert told(Base, lambda: Helping().apply(*things(4))) == []  # `helper` saw Helping.run, and not Base.run
    assert told(Base, lambda: Again().apply(*things(4))) == [("fc1", "gate")]


def test_an_open_base_leaves_the_name_to_tell() -> None:
    class Template:
        def main(self, x: Any, mask: Any) -> Any:
            return self.run(x, mask)

        def run(self, *args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError

    class Scaled(Template):
        def run(self, x: Any, scale: Any = None, mask: Any = None) -> Any: ...

    class Fits(Template):
        def run(self, x: Any, attention_mask: Any = None, mask: Any = None) -> Any: ...

    assert told(Template, lambda: Scaled().main(*things(2))) == [("mask", "scale")]
    assert told(Template, lambda: Fits().main(*things(2))) == []


class Kinds:
    def start(self, a: Any, b: Any) -> Any:
        self.build(a, b)
        return self.fold(a, b)

    @classmethod
    def begin(cls, a: Any, b: Any) -> Any:
        cls.build(a, b)
        return cls.fold(a, b)

    @classmethod
    def build(cls, a: Any, b: Any) -> Any: ...

    @staticmethod
    def fold(a: Any, b: Any) -> Any: ...


@pytest.mark.parametrize("entry", ["start", "begin"])
def test_class_and_static_methods(entry: str) -> None:
    class Built(Kinds):
        @classmethod
        def build(cls, b: Any, a: Any) -> Any: ...

    class Folded(Kinds):
        @staticmethod
        def fold(b: Any, a: Any) -> Any: ...

    class Apart:
        @staticmethod
        def fold(b: Any, a: Any) -> Any: ...

    for family_class, expected in ((Kinds, []), (Built, [("a", "b")]), (Folded, [("a", "b")])):
        assert told(Kinds, lambda cls=family_class: getattr(cls(), entry)(*things(2))) == expected  # type: ignore[misc]


def test_what_is_known_of_one_class_is_not_of_another() -> None:
    """The same call, of the same shape: settled for one receiver, misbound on the next, and so again."""

    class Family:
        @classmethod
        def begin(cls, node: Any, parent: Any) -> Any:
            return cls.fold(object(), node)

        def main(self, node: Any, parent: Any, child: Any = None) -> Any:
            return self.step(child, node)

        def step(self, node: Any, parent: Any) -> Any: ...

        @classmethod
        def fold(cls, node: Any, parent: Any) -> Any: ...

    class Wrong(Family):
        def step(self, node: Any, other: Any, parent: Any = None) -> Any: ...

        @classmethod
        def fold(cls, node: Any, other: Any, parent: Any = None) -> Any: ...

    class Behind(Family):
        def step(self, node: Any, parent: Any) -> Any:
            return super().step(node, parent)

    class Mixed(Behind, Wrong): ...

    class Plain(Behind): ...

    node, parent, child = things(3)
    with guarding(Family):
        for _ in range(3):
            Family().main(node, parent, child)
            Plain().main(node, parent, child)
            Family.begin(node, parent)
            for wrong in (Wrong().main, Wrong.begin, Mixed().main):
                with pytest.raises(MisboundArgumentError, match="lands in `other`"):
                    wrong(node, parent)
            with pytest.raises(MisboundArgumentError, match="node and parent changed places"):
                Family().main(node, None)


def test_another_receiver_is_another_matter() -> None:
    class Node(Siblings):
        def apply(self, first: Any, second: Any, third: Any = None) -> Any:
            return Node().pair(second, first)

    assert told(Siblings, lambda: Node().apply(*things(2))) == []


def test_warnings_point_at_the_call_and_come_once() -> None:
    with warnings.catch_warnings(record=True) as caught, guarding(Base, mode="warn"):
        warnings.simplefilter("always")
        for _ in range(3):
            Inserted().apply(*things(4))
    assert [warning.category for warning in caught] == [MisboundArgumentWarning]
    assert [(warning.filename, warning.lineno) for warning in caught] == [
        (__file__, Base.apply.__code__.co_firstlineno + 1)
    ]


@pytest.mark.parametrize("method", ["start", "begin"])
def test_a_warning_of_a_static_method_points_at_the_call(method: str) -> None:
    class Folded(Kinds):
        @staticmethod
        def fold(b: Any, a: Any) -> Any: ...

    with guarding(Kinds, mode="warn"), pytest.warns(MisboundArgumentWarning) as caught:
        getattr(Folded(), method)(*things(2))
    line = getattr(Kinds, method).__code__.co_firstlineno + (2 if method == "start" else 3)
    assert {(warning.filename, warning.lineno) for warning in caught} == {(__file__, line)}


def test_the_environment_overrides_the_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGCHECK", "off")
    with guarding(Base):
        assert "apply" in vars(Base)
        assert not hasattr(Base.apply, "__wrapped__")
        Inserted().apply(*things(4))
    monkeypatch.setenv("SIGCHECK", "raise")
    with guarding(Base, mode="off"), pytest.raises(MisboundArgumentError):
        Inserted().apply(*things(4))
    monkeypatch.setenv("SIGCHECK", "loud")
    with pytest.raises(GuardUsageError, match="SIGCHECK=loud: it is one of raise, warn, off"), guarding(Base):
        pass
    assert not hasattr(Base.apply, "__wrapped__")


def test_methods_restrict_the_guard() -> None:
    assert told(Base, lambda: Inserted().apply(*things(4)), methods=["apply*"]) == []
    assert told(Base, lambda: Inserted().apply(*things(4)), methods=["apply", "r?n"]) == [("fc1", "shared")]


def test_constructors_and_what_syntax_calls_are_guarded_where_they_are_named() -> None:
    class Attention:
        def __init__(self, heads: Any, width: Any) -> None: ...

        def __getitem__(self, key: Any) -> Any: ...

    class Flash(Attention):
        def __init__(self, width: Any, heads: Any) -> None:
            super().__init__(width, heads)

    with pytest.raises(GuardUsageError, match="it defines no method"):
        guarding(Attention)
    assert told(Attention, lambda: Flash(*things(2)), methods=["__init__"]) == [("width", "heads")]
    assert told(Attention, lambda: Flash(*things(2)), methods=["__getitem__"]) == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (guarding, "name the class"),
        (lambda: guarding("Base"), "a class is guarded, this is str"),  # type: ignore[arg-type]
        (lambda: guarding(Base, methods="run"), r"it is a list of globs, \['run'\]"),
        (lambda: guarding(Base, methods=["walk"]), r"guarding\(Base\): it defines no method like walk"),
        (lambda: guarding(Base, mode="loud"), "mode='loud'"),  # type: ignore[arg-type]
        (lambda: guarding(Base, aliases=["x"]), "it is what alias"),  # type: ignore[list-item]
        (lambda: guarding(list), "it defines no method"),
        (lambda: guarding(Base)(Base), "a function is decorated"),
    ],
)
def test_a_guard_that_cannot_be_is_one_clear_line(make: Callable[[], object], message: str) -> None:
    with pytest.raises(GuardUsageError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


EXAMPLE_NVFP4 = ("fastdeploy.quantization.nvfp4", "ModelOptNvFp4FusedMoE")


def _forward(family: Any, backend: Any) -> Any:
    layer = family("fastdeploy.moe", "FusedMoE")(
        backend, num_experts=2, top_k=1, hidden_size=1, moe_intermediate_size=1
    )
    layer.load_state_dict({"up_gate_proj_weight": [[[1.0, 1.0]], [[2.0, 2.0]]], "down_proj_weight": [[[1.0]], [[1.0]]]})
    return layer(
        [[1.0]], lambda x: [[0.0, 1.0]], fc1_latent_proj=lambda x: [[2.0]], fc2_latent_proj=lambda x: [[10 * x[0][0]]]
    )


family = _example


@pytest.fixture
def base(family: Any) -> Any:
    return family("fastdeploy.moe.fused_moe_backend_base", "MoEMethodBase")


def test_the_example_family_is_caught_at_the_call(family: Any, base: Any) -> None:
    nvfp4, triton = family(*EXAMPLE_NVFP4), family(*TRITON)

    class Swapped(triton):  # type: ignore[valid-type]
        def apply_tp(  # noqa: PLR0917 - as in the base
            self,
            layer: Any,
            x: Any,
            gate: Any,
            topk_ids_hookfunc: Any = None,
            fc2_latent_proj: Any = None,
            fc1_latent_proj: Any = None,
        ) -> Any:
            return super().apply_tp(layer, x, gate, topk_ids_hookfunc, fc1_latent_proj, fc2_latent_proj)

    class Crossing(triton):  # type: ignore[valid-type]
        def apply(  # noqa: PLR0917 - likewise
            self,
            layer: Any,
            x: Any,
            gate: Any,
            topk_ids_hookfunc: Any = None,
            shared_experts: Any = None,
            fc1_latent_proj: Any = None,
            fc2_latent_proj: Any = None,
        ) -> Any:
            return self.apply_tp(layer, x, gate, topk_ids_hookfunc, fc2_latent_proj, fc1_latent_proj)

    right = _forward(family, triton())
    with guarding(base):
        assert _forward(family, triton()) == right
        with pytest.raises(
            MisboundArgumentError, match=r"fc1_latent_proj lands in `shared_experts` of ModelOptNvFp4FusedMoE"
        ):
            _forward(family, nvfp4())
        for wrong in (Swapped, Crossing):
            with pytest.raises(MisboundArgumentError, match=r"fc\d_latent_proj lands in `fc\d_latent_proj` of "):
                _forward(family, wrong())


def test_the_call_that_is_named_is_the_example_s(family: Any, base: Any) -> None:
    with guarding(base), pytest.raises(MisboundArgumentError) as caught:
        _forward(family, family(*EXAMPLE_NVFP4)())
    path, line = re.search(r"called:  (.*):(\d+) in MoEMethodBase.apply", str(caught.value)).groups()  # type: ignore[union-attr]
    assert "self.apply_tp(" in Path(path).read_text().splitlines()[int(line) - 1]


def test_a_role_is_held_against_the_parameter_s_whoever_calls() -> None:
    class Family:
        def apply(self, x: Any, projection: Any) -> Any:
            return self.run(x, projection)

        def run(self, x: Any, shared: Annotated[Any, Role("shared_experts")] = None) -> Any: ...

        @staticmethod
        def fold(*, fc1: Annotated[Any, Role("fc1")]) -> Any: ...

    class Layer: ...

    fc1 = with_role(Layer(), "fc1")
    with guarding(Family):
        Family().apply(Layer(), Layer())
        Family().apply(Layer(), with_role(Layer(), "shared_experts"))
        Family.fold(fc1=fc1)
        with pytest.raises(
            MisboundArgumentError, match=r"what is for fc1 lands in `shared` of .*Family\.run"
        ) as caught:
            Family().apply(Layer(), fc1)
        assert "because: it is for fc1, and `shared` takes what is for shared_experts" in str(caught.value)
        with pytest.raises(MisboundArgumentError, match="what is for other lands in `fc1`") as caught:
            Family.fold(fc1=with_role(Layer(), "other"))
        assert f"{__file__}:{caught.tb.tb_lineno}" in str(caught.value)
    with warnings.catch_warnings(record=True) as warned, guarding(Family, mode="warn"):
        warnings.simplefilter("always")
        Family().run(Layer(), fc1)
        Family.fold(fc1=with_role(Layer(), "other"))
    assert [warning.filename for warning in warned] == [__file__] * 2
