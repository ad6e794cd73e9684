"""The family on Paddle: the registry, what a stub does, and in which order `apply` does what."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any, get_type_hints

import pytest

from tests.running import CHECKOUT, environment

paddle = pytest.importorskip("paddle")
np = pytest.importorskip("numpy")

from paddle import nn  # noqa: E402  after what may skip all of this

from fastdeploy_moe import (  # noqa: E402
    CutlassMoEMethod,
    FusedMoE,
    MoEMethodBase,
    Role,
    UnknownBackEndError,
    get_moe_method,
    list_moe_methods,
)
from fastdeploy_moe.configuration import DTYPES  # noqa: E402
from fastdeploy_moe.registry import BACK_ENDS, read_support  # noqa: E402

STUBS = [name for name in BACK_ENDS if name != "cutlass"]
SIZES: dict[str, Any] = {"num_experts": 4, "top_k": 2, "hidden_size": 3, "moe_intermediate_size": 5}


class Recording(nn.Layer):
    """Does something to its input, and writes down that it was called, and with what."""

    def __init__(self, name: str, log: list[tuple[str, Any]], does: Any = None) -> None:
        super().__init__()
        self.label = name
        self.log = log
        self.does = does

    def forward(self, x: Any) -> Any:
        self.log.append((self.label, x.numpy().copy()))
        return x if self.does is None else self.does(x)


class EmptyRecording(Recording):
    """As false as an empty container, which is a layer nevertheless."""

    def __len__(self) -> int:
        return 0


class Writing(MoEMethodBase):
    """A back end out of the tree: writes down how it is called, and multiplies by 100."""

    supports_latent = True

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def apply_tp(self, *args: Any, **kwargs: Any) -> Any:
        self.calls.append(("apply_tp", args, kwargs))
        return args[1] * 100

    def apply_ep_prefill(self, *args: Any, **kwargs: Any) -> Any:
        self.calls.append(("apply_ep_prefill", args, kwargs))
        return args[1]

    def apply_ep_decode(self, *args: Any, **kwargs: Any) -> Any:
        self.calls.append(("apply_ep_decode", args, kwargs))
        return args[1]


class OutOfTree(MoEMethodBase):
    """Knows of no projections, and does not say so: takes them, and would ignore them."""

    def apply_tp(  # sigcheck: ignores[fc1_latent_proj, fc2_latent_proj]
        self,
        layer: Any,
        x: Any,
        gate: Any,
        topk_ids_hookfunc: Any = None,
        fc1_latent_proj: Any = None,
        fc2_latent_proj: Any = None,
    ) -> Any:
        return gate(x)


def _tokens() -> Any:
    return paddle.to_tensor(np.arange(6, dtype=np.float32).reshape(2, 3))


def _message(raised: pytest.ExceptionInfo[BaseException]) -> str:
    message = str(raised.value)
    assert "\n" not in message
    return message


# The registry


def test_every_back_end_is_found_by_its_name_and_by_that_of_its_class() -> None:
    for name, back_end in BACK_ENDS.items():
        method = get_moe_method(name)
        assert type(method) is type(get_moe_method(back_end.class_name))
        assert type(method).__name__ == back_end.class_name
        assert isinstance(method, MoEMethodBase)
    assert len({back_end.class_name for back_end in BACK_ENDS.values()}) == len(BACK_ENDS)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("cutlas", "cutlass"), ("CUTLASS", "cutlass"), ("cutlassmoemethod", "CutlassMoEMethod"), ("nvfp", "nvfp4")],
)
def test_an_unknown_name_names_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(
        UnknownBackEndError, match=f"no back end is named '{name}'; did you mean '{nearest}'?"
    ) as raised:
        get_moe_method(name)
    assert all(known in _message(raised) for known in BACK_ENDS)


def test_a_name_that_is_like_none_lists_them() -> None:
    with pytest.raises(ValueError, match="no back end is named ''; there are cutlass, ") as raised:
        get_moe_method("")
    assert "did you mean" not in _message(raised)


@pytest.mark.parametrize("name", [None, 3, b"cutlass", [], {}, CutlassMoEMethod])
def test_a_name_that_is_no_string_is_unknown(name: Any) -> None:
    with pytest.raises(
        UnknownBackEndError, match=r"a back end is named by a string, not by .*; there are cutlass, "
    ) as raised:
        get_moe_method(name)
    _message(raised)


def test_what_each_supports_is_what_its_class_says() -> None:
    supports = {support.name: support for support in list_moe_methods()}
    assert list(supports) == list(BACK_ENDS)
    for name, support in supports.items():
        method = type(get_moe_method(name))
        assert (support.supports_latent, support.missing) == (method.supports_latent, method.missing)
        assert (support.dtypes, support.devices) == (method.dtypes, method.devices)
        assert support.dtypes
        assert set(support.dtypes) <= set(DTYPES)
        assert support.devices
        assert (support.missing is None) == (name == "cutlass")
        assert support.here == (name == "cutlass")
    assert supports["cutlass"].supports_latent
    assert supports["cutlass"].dtypes == DTYPES
    assert supports["cutlass"] == read_support("CutlassMoEMethod")


def test_a_quantisation_is_kept_or_refused() -> None:
    config = {"bits": 4}
    for name in BACK_ENDS:
        if type(get_moe_method(name)).supports_quant_config:
            assert get_moe_method(name, config).quant_config is config
        else:
            with pytest.raises(NotImplementedError, match="quantised weights are not supported") as raised:
                get_moe_method(name, config)
            assert _message(raised).startswith(f"{BACK_ENDS[name].class_name}: ")


def test_a_back_end_is_imported_when_it_is_asked_for() -> None:
    code = """if True:
        import sys, fastdeploy_moe
        assert not any(name.partition(".")[0] in ("paddle", "numpy") for name in sys.modules)
        dir(fastdeploy_moe)
        assert "paddle" not in sys.modules
        fastdeploy_moe.get_moe_method("cutlass")
        assert not any("deepgemm" in name for name in sys.modules)
    """
    subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, env=environment(), check=True, timeout=120)


# What is refused, and when


@pytest.mark.parametrize("name", STUBS)
def test_a_stub_takes_weights_and_says_what_is_missing(name: str) -> None:
    log: list[tuple[str, Any]] = []
    layer = FusedMoE(get_moe_method(name), **SIZES)
    layer.load_state_dict(
        {"up_gate_proj_weight": np.ones((4, 3, 10), "float32"), "down_proj_weight": [np.ones((5, 3), "float32")] * 4}
    )
    assert float(layer.up_gate_proj_weight.sum()) == 120
    with pytest.raises(NotImplementedError) as raised:
        layer(_tokens(), Recording("gate", log), lambda **_: log.append(("hook", None)), Recording("shared", log))
    method = layer.quant_method
    assert _message(raised) == f"{type(method).__name__}: {method.missing}"
    assert log == []


@pytest.mark.parametrize("kind", [Recording, EmptyRecording])
@pytest.mark.parametrize("parameter", ["fc1_latent_proj", "fc2_latent_proj"])
@pytest.mark.parametrize("name", [*STUBS, "out of tree"])
def test_a_projection_without_support_is_refused_before_anything_is_computed(
    name: str, parameter: str, kind: type[Recording]
) -> None:
    log: list[tuple[str, Any]] = []
    method = OutOfTree() if name == "out of tree" else get_moe_method(name)
    gate, projection = Recording("gate", log), kind("projection", log)
    for ep_size, phase in ((1, "prefill"), (2, "prefill"), (2, "decode")):
        layer = FusedMoE(method, **SIZES, ep_size=ep_size, moe_phase=phase)
        with pytest.raises(
            NotImplementedError, match=f"latent projections are not supported; {parameter} was given"
        ) as raised:
            layer(_tokens(), gate, shared_experts=Recording("shared", log), **{parameter: projection})
        assert _message(raised).startswith(f"{type(method).__name__}: ")
    if name != "out of tree":
        with pytest.raises(NotImplementedError, match=f"{parameter} was given"):
            method.apply_tp(layer, _tokens(), gate, **{parameter: projection})
    assert log == []


@pytest.mark.parametrize("name", list(BACK_ENDS))
@pytest.mark.parametrize("phase", ["prefill", "decode"])
def test_expert_parallelism_is_refused_in_one_line(name: str, phase: str) -> None:
    log: list[tuple[str, Any]] = []
    layer = FusedMoE(get_moe_method(name), **SIZES, ep_size=2, moe_phase=phase)
    assert layer.up_gate_proj_weight.shape[0] == 2
    with pytest.raises(NotImplementedError, match=rf"^\w+: expert parallelism is not supported \({phase}\)") as raised:
        layer(_tokens(), Recording("gate", log), shared_experts=Recording("shared", log))
    _message(raised)
    direct = getattr(layer.quant_method, f"apply_ep_{phase}")
    with pytest.raises(NotImplementedError, match="expert parallelism"):
        direct(layer, _tokens(), Recording("gate", log), None, None, Recording("fc1", log), Recording("fc2", log))
    assert log == []


def test_a_phase_that_there_is_not_is_an_error() -> None:
    with pytest.raises(ValueError, match='moe_phase is \'both\'; it must be "prefill" or "decode"'):
        FusedMoE(Writing(), **SIZES, ep_size=2, moe_phase="both")(_tokens(), None)


# What `apply` does


@pytest.mark.parametrize(
    ("ep_size", "phase", "method"),
    [(1, "prefill", "apply_tp"), (2, "prefill", "apply_ep_prefill"), (2, "decode", "apply_ep_decode")],
)
def test_apply_forwards_by_keyword(ep_size: int, phase: str, method: str) -> None:
    back_end, x = Writing(), _tokens()
    given = {
        "topk_ids_hookfunc": lambda **_: None,
        "fc1_latent_proj": nn.Identity(),
        "fc2_latent_proj": nn.Identity(),
    }
    shared = nn.Identity()
    layer = FusedMoE(back_end, **SIZES, ep_size=ep_size, moe_phase=phase)
    layer(x, "gate", shared_experts=shared, **given)
    if method != "apply_tp":
        given["shared_experts"] = shared
    assert back_end.calls == [(method, (layer, x, "gate"), given)]


def test_a_layer_that_says_nothing_of_phase_activation_or_ranks() -> None:
    class Space:
        def __init__(self, **values: Any) -> None:
            self.__dict__.update(values)

    with pytest.raises(ValueError, match='moe_phase is None; it must be "prefill" or "decode"'):
        Writing().apply(Space(ep_size=2), _tokens(), nn.Identity())
    back_end = Writing()
    back_end.apply(Space(ep_size=None), _tokens(), nn.Identity())
    assert [call[0] for call in back_end.calls] == ["apply_tp"]
    layer = FusedMoE(get_moe_method("cutlass"), **SIZES)
    expected = layer(_tokens(), lambda x: paddle.ones([2, 4])).numpy()
    layer.activation = None  # type: ignore[assignment]
    np.testing.assert_array_equal(layer(_tokens(), lambda x: paddle.ones([2, 4])).numpy(), expected)


def test_no_gradient_is_given_for_a_part_of_the_result() -> None:
    x = _tokens()
    x.stop_gradient = False
    layer = FusedMoE(get_moe_method("cutlass"), **SIZES)
    for shared in (None, nn.Linear(3, 3)):
        assert layer(x, nn.Linear(3, 4), shared_experts=shared).stop_gradient


def test_the_phase_is_read_where_fastdeploy_keeps_it() -> None:
    class Space:
        def __init__(self, **values: Any) -> None:
            self.__dict__.update(values)

    back_end = Writing()
    config = Space(model_config=Space(moe_phase=Space(phase="decode")))
    back_end.apply(Space(ep_size=2, fd_config=config, moe_phase="prefill"), _tokens(), nn.Identity())
    assert [call[0] for call in back_end.calls] == ["apply_ep_decode"]


@pytest.mark.parametrize("kind", [Recording, EmptyRecording])
def test_shared_experts_see_the_tokens_and_are_added(kind: type[Recording]) -> None:
    log: list[tuple[str, Any]] = []
    x = _tokens()
    shared = kind("shared", log, lambda x: x + 1)
    out = FusedMoE(Writing(), **SIZES)(x, None, shared_experts=shared, fc1_latent_proj=nn.Identity())
    np.testing.assert_array_equal(out.numpy(), x.numpy() * 101 + 1)
    [(_, seen)] = log
    np.testing.assert_array_equal(seen, x.numpy())


def test_shared_experts_are_not_asked_about_no_tokens() -> None:
    log: list[tuple[str, Any]] = []
    shared = Recording("shared", log, lambda x: x + 1)
    out = FusedMoE(Writing(), **SIZES)(_tokens()[:0], None, shared_experts=shared, fc1_latent_proj=nn.Identity())
    assert (out.shape[0], log) == (0, [])


@pytest.mark.parametrize("dtype", DTYPES)
def test_cutlass_between_its_projections_and_shared_experts(dtype: str) -> None:
    # The experts are linear in what they read here: with relu2 and weights of one, H = 4 becomes L = 3 and again H = 4.
    log: list[tuple[str, Any]] = []
    x = paddle.ones([2, 4], dtype="float32").astype(dtype)
    sizes = {**SIZES, "activation": "relu2", "weight_dtype": dtype}
    layer = FusedMoE(get_moe_method("cutlass"), **sizes)
    layer.load_state_dict(
        {"up_gate_proj_weight": np.ones((4, 3, 5), "float32"), "down_proj_weight": np.ones((4, 5, 3), "float32")}
    )
    fc1 = Recording("fc1", log, lambda x: x[:, :3] * 2)
    fc2 = Recording("fc2", log, lambda x: paddle.concat([x, x[:, :1]], axis=1) + 10)
    shared = Recording("shared", log, lambda x: x * 0.5)
    gate = Recording("gate", log, lambda x: x * 0)
    out = layer(x, gate, lambda topk_ids: log.append(("hook", topk_ids.numpy())), shared, fc1, fc2)
    # fc1 gives 2; relu(2 * 3) ** 2 = 36; 36 * 5 = 180; weights sum to 1; fc2 gives 190; the shared experts add 0.5.
    assert (list(out.shape), str(out.dtype).rpartition(".")[2]) == ([2, 4], dtype)
    np.testing.assert_allclose(out.astype("float32").numpy(), 190.5, rtol=4e-3 if dtype == "bfloat16" else 1e-6)
    assert [name for name, _ in log] == ["gate", "hook", "fc1", "fc2", "shared"]
    seen = dict(log)
    assert seen["gate"].shape == seen["fc1"].shape == seen["shared"].shape == (2, 4)
    assert seen["fc2"].shape == (2, 3)


# Weights


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"top_k": 5}, "top_k is 5, of num_experts = 4"),
        ({"n_group": 3}, "n_group is 3, which does not divide"),
        ({"ep_size": 3}, "ep_size is 3, which does not divide num_experts = 4"),
        ({"ep_size": 0}, "ep_size is 0, which does not divide num_experts = 4"),
        ({"hidden_size": -1}, "hidden_size is -1; it must be"),
        ({"gate_correction_bias": paddle.zeros([3])}, r"gate_correction_bias has the shape \[3\]"),
    ],
)
@pytest.mark.parametrize("name", ["cutlass", "nvfp4"])
def test_a_layer_that_cannot_be_is_refused_when_it_is_made(name: str, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        FusedMoE(get_moe_method(name), **{**SIZES, **change})


@pytest.mark.parametrize(("activation", "first"), [("swiglu", 10), ("relu2", 5)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_weights_have_fastdeploys_shapes(activation: str, first: int, dtype: str) -> None:
    layer = FusedMoE(get_moe_method("cutlass"), **SIZES, activation=activation, weight_dtype=dtype, with_bias=True)
    shapes = {name: list(parameter.shape) for name, parameter in layer.named_parameters()}
    assert shapes == {
        "up_gate_proj_weight": [4, 3, first],
        "down_proj_weight": [4, 5, 3],
        "up_gate_proj_bias": [4, first],
        "down_proj_bias": [4, 3],
    }
    assert {str(parameter.dtype).rpartition(".")[2] for parameter in layer.parameters()} == {dtype}


def test_attributes_go_to_the_weights_and_upstreams_sizes_come_first() -> None:
    layer = FusedMoE(get_moe_method("cutlass"), **SIZES)
    loader = object()
    layer.quant_method.create_weights(
        layer, weight_loader=loader, num_experts=2, hidden_size=7, moe_intermediate_size=1
    )
    assert list(layer.down_proj_weight.shape) == [2, 1, 7]
    assert layer.down_proj_weight.weight_loader is loader


def test_an_activation_that_there_is_not_is_an_error() -> None:
    with pytest.raises(ValueError, match="activation is 'gelu'; known are swiglu, relu2"):
        FusedMoE(get_moe_method("cutlass"), **SIZES, activation="gelu")


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_loading_rounds_to_nearest(dtype: str) -> None:
    ulp = 2.0**-7 if dtype == "bfloat16" else 2.0**-10
    layer = FusedMoE(get_moe_method("cutlass"), **SIZES, weight_dtype=dtype)
    full = np.full((4, 3, 10), 1 + 0.75 * ulp, "float32")
    layer.load_state_dict(
        {"up_gate_proj_weight": paddle.to_tensor(full), "down_proj_weight": np.full((4, 5, 3), 1.0, "float64")}
    )
    assert set(layer.up_gate_proj_weight.astype("float32").numpy().ravel()) == {np.float32(1 + ulp)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"down_proj_weight": None}, r"down_proj_weight is not in the state dict, of \['up_gate_proj_weight'\]"),
        (
            {"down_proj_weight": np.ones((4, 3, 5), "float32")},
            r"down_proj_weight has shape \[4, 3, 5\]; the layer takes \[4, 5, 3\]",
        ),
        ({"down_proj_weight": "abc"}, "down_proj_weight is a str, of which Paddle makes no tensor"),
        ({"down_proj_weight": [b"abc"]}, r"down_proj_weight\[0\] is a bytes, of which Paddle makes no tensor"),
        ({"down_proj_weight": iter(())}, r"down_proj_weight is a \w+, of which Paddle makes no tensor"),
        ({"down_proj_weight": []}, "down_proj_weight is empty"),
        (
            {"down_proj_weight": [np.ones((5, 3), "float32"), np.ones((5, 2), "float32")]},
            r"down_proj_weight\[1\] has shape \[5, 2\], down_proj_weight\[0\] \[5, 3\]",
        ),
        ({"down_proj_weight": np.ones((4, 5, 3), "complex64")}, "down_proj_weight is .*complex64; weights are real"),
        ({"down_proj_weigth": 1}, "down_proj_weigth is not a weight of this layer; did you mean down_proj_weight?"),
        ({"down_proj_bias": 1}, "down_proj_bias is not a weight of this layer"),
    ],
)
def test_weights_that_do_not_fit_change_nothing(change: dict[str, Any], message: str) -> None:
    layer = FusedMoE(get_moe_method("cutlass"), **SIZES)
    given = {
        "up_gate_proj_weight": np.ones((4, 3, 10), "float32"),
        "down_proj_weight": np.ones((4, 5, 3), "float32"),
        **change,
    }
    with pytest.raises(ValueError, match=message) as raised:
        layer.load_state_dict({name: value for name, value in given.items() if value is not None})
    _message(raised)
    assert float(layer.up_gate_proj_weight.abs().sum()) == 0


# Signatures


@pytest.mark.parametrize("name", list(BACK_ENDS))
def test_signatures_are_upstreams(name: str) -> None:
    method = type(get_moe_method(name))
    common = ["self", "layer", "x", "gate", "topk_ids_hookfunc"]
    projections = ["fc1_latent_proj", "fc2_latent_proj"]
    assert list(inspect.signature(method.apply_tp).parameters) == [*common, *projections]
    for each in (method.apply, method.apply_ep_prefill, method.apply_ep_decode):
        assert list(inspect.signature(each).parameters) == [*common, "shared_experts", *projections]


def test_roles_can_be_told_apart() -> None:
    for method in (MoEMethodBase.apply, MoEMethodBase.apply_tp, FusedMoE.forward):
        hints = get_type_hints(method, include_extras=True)
        for name in {"shared_experts", "fc1_latent_proj", "fc2_latent_proj"} & set(hints):
            assert f"{Role(name)!r}" in repr(hints[name])


def test_the_base_cannot_be_made_and_cutlass_is_public() -> None:
    with pytest.raises(TypeError, match="abstract"):
        MoEMethodBase()  # type: ignore[abstract]
    assert type(get_moe_method("cutlass")) is CutlassMoEMethod
