"""Cutlass on Paddle against torch's best, on the same weights and tokens: milliseconds and ratios, on one thread of a CPU.

    python benchmarks/moe.py [--paddle PYTHON] [--torch PYTHON] [--rounds 7] [--update docs/fastdeploy_moe.md]

Each framework runs in a process of its own, with its interpreter, first in the environment as it is and then with
`MKL_DEBUG_CPU_TYPE=5`, which is set for these processes only. What they compute is compared before anything is timed: the
status is 1 where it differs. In each round the two take turns, a case at a time; a number is the median over the rounds.

torch's best is the fastest, by its median, of transformers' `NemotronHMoE` without its shared experts, with each of its
implementations of the experts, and of a loop over the experts that are hit, with the weights laid out as in transformers and
as in Paddle.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

HERE = Path(__file__).resolve().parent

BEGIN, END = "<!-- moe: begin -->", "<!-- moe: end -->"
WIDTH, LATENT, INNER, EXPERTS, TOP_K, SCALE = 1024, 256, 512, 64, 6, 2.5
TOKENS = (1, 64, 1024)
DTYPES = ("float32", "bfloat16")
TOLERANCES = {"float32": 1e-5, "bfloat16": 2e-2}
"""By dtype, of the largest difference over the largest |output|."""
BATCHED_TOKENS = 64
"""Up to so many transformers' batched experts run: they copy the weights of each token's experts."""
SIZE = 1024
"""Of the matrices whose products give the rates."""
SIDES = ("paddle", "torch")
OURS = "CutlassMoEMethod"
MKL = "MKL_DEBUG_CPU_TYPE"


@dataclass(frozen=True)
class Environment:
    """Variables that the processes get, and the largest ratios to reach in fp32, by tokens."""

    name: str
    variables: dict[str, str]
    targets: dict[int, float]


ENVIRONMENTS = (
    Environment("default", {}, {1: 1.1, 64: 1.5, 1024: 2.3}),
    Environment(f"`{MKL}=5`", {MKL: "5"}, dict.fromkeys(TOKENS, 1.1)),
)


@dataclass(frozen=True)
class Case:
    """A layer and its tokens; `latent`: with both projections, else the experts see the whole width."""

    tokens: int
    dtype: str
    latent: bool


CASES = tuple(Case(tokens, dtype, latent) for dtype in DTYPES for latent in (True, False) for tokens in TOKENS)


class BenchmarkError(Exception):
    """The frameworks disagree, or a process failed; the message is one line."""


# What runs in the processes of the frameworks.


class Side(Protocol):
    """One framework: how it computes a case, and its products."""

    def versions(self) -> dict[str, str]:
        """Those of its packages."""

    def computations(self, case: Case) -> dict[str, Callable[[], Any]]:
        """Each way to compute a case, by name."""

    def array(self, output: Any) -> Any:
        """An output in NumPy, fp32."""

    def product(self, dtype: str) -> Callable[[], Any] | None:
        """The product of two matrices of `SIZE`; None where it has none."""


def draw(latent: bool) -> dict[str, Any]:
    """The weights of a layer in NumPy, stacked and laid out as `[in, out]`, and the most tokens; fp32, the same in each process."""
    import numpy as np  # noqa: PLC0415  of the interpreter that the framework is in

    random = np.random.default_rng(7428)
    seen = LATENT if latent else WIDTH

    def weight(*shape: int) -> Any:
        return random.standard_normal(shape, dtype=np.float32) * np.float32(shape[-2] ** -0.5)

    drawn = {
        "gate": weight(WIDTH, EXPERTS),
        "bias": random.standard_normal(EXPERTS, dtype=np.float32) * np.float32(0.1),
        "up": weight(EXPERTS, seen, INNER),
        "down": weight(EXPERTS, INNER, seen),
        "x": random.standard_normal((max(TOKENS), WIDTH), dtype=np.float32),
    }
    if latent:
        drawn |= {"fc1": weight(WIDTH, LATENT), "fc2": weight(LATENT, WIDTH)}
    return drawn


class PaddleSide:
    """`CutlassMoEMethod.apply_tp`."""

    def __init__(self) -> None:
        sys.path.insert(0, str(HERE.parent))
        import paddle  # noqa: PLC0415

        paddle.set_device("cpu")
        self.paddle = paddle
        self.layers: dict[tuple[str, bool], Callable[[int], Callable[[], Any]]] = {}

    def versions(self) -> dict[str, str]:
        """Those of its packages."""
        return {"Paddle": self.paddle.__version__}

    def computations(self, case: Case) -> dict[str, Callable[[], Any]]:
        """Each way to compute a case, by name."""
        key = (case.dtype, case.latent)
        if key not in self.layers:
            self.layers[key] = self._layer(*key)
        return {OURS: self.layers[key](case.tokens)}

    def _layer(self, dtype: str, latent: bool) -> Callable[[int], Callable[[], Any]]:
        from fastdeploy_moe import FusedMoE, get_moe_method  # noqa: PLC0415

        paddle, drawn = self.paddle, draw(latent)
        layer = FusedMoE(
            get_moe_method("cutlass"),
            num_experts=EXPERTS,
            top_k=TOP_K,
            hidden_size=LATENT if latent else WIDTH,
            moe_intermediate_size=INNER,
            topk_method="noaux_tc",
            routed_scaling_factor=SCALE,
            gate_correction_bias=paddle.to_tensor(drawn["bias"]),
            activation="relu2",
            weight_dtype=dtype,
        )
        names = {"up_gate_proj_weight": "up", "down_proj_weight": "down"}
        layer.load_state_dict({name: paddle.to_tensor(drawn[short]).astype(dtype) for name, short in names.items()})
        gate = self._linear(drawn["gate"], dtype)
        fc1, fc2 = (self._linear(drawn[name], dtype) if latent else None for name in ("fc1", "fc2"))
        tokens = paddle.to_tensor(drawn["x"]).astype(dtype)

        def computation(count: int) -> Callable[[], Any]:
            x = tokens[:count].clone()
            apply = layer.quant_method.apply_tp
            return lambda: apply(layer, x, gate, fc1_latent_proj=fc1, fc2_latent_proj=fc2)

        return computation

    def _linear(self, weight: Any, dtype: str) -> Any:
        linear = self.paddle.nn.Linear(*weight.shape, bias_attr=False)
        linear.weight = linear.create_parameter(list(weight.shape), dtype=dtype)
        linear.weight.set_value(self.paddle.to_tensor(weight).astype(dtype))
        return linear

    def array(self, output: Any) -> Any:
        """An output in NumPy, fp32."""
        return output.astype("float32").numpy()

    def product(self, dtype: str) -> Callable[[], Any] | None:
        """The product of two matrices of `SIZE`; None where it has none."""
        if dtype != "float32":
            return None  # it has none on the CPU
        a = self.paddle.randn([SIZE, SIZE])
        return lambda: self.paddle.matmul(a, a)


class TorchSide:
    """transformers' block, with each of its implementations of the experts, and a loop by hand."""

    def __init__(self) -> None:
        import torch  # noqa: PLC0415

        torch.set_grad_enabled(False)
        torch.set_num_threads(1)
        self.torch = torch
        self.layers: dict[tuple[str, bool], Callable[[Case], dict[str, Callable[[], Any]]]] = {}

    def versions(self) -> dict[str, str]:
        """Those of its packages."""
        return {"torch": self.torch.__version__.partition("+")[0], "transformers": version("transformers")}

    def computations(self, case: Case) -> dict[str, Callable[[], Any]]:
        """Each way to compute a case, by name."""
        key = (case.dtype, case.latent)
        if key not in self.layers:
            self.layers[key] = self._layer(*key)
        return self.layers[key](case)

    def _layer(self, dtype: str, latent: bool) -> Callable[[Case], dict[str, Callable[[], Any]]]:
        from transformers import NemotronHConfig  # noqa: PLC0415
        from transformers.models.nemotron_h.modeling_nemotron_h import NemotronHMoE  # noqa: PLC0415

        torch = self.torch
        drawn = {name: torch.from_numpy(array) for name, array in draw(latent).items()}
        config = NemotronHConfig(
            hidden_size=WIDTH,
            moe_latent_size=LATENT if latent else None,
            moe_intermediate_size=INNER,
            moe_shared_expert_intermediate_size=8,
            n_routed_experts=EXPERTS,
            num_experts_per_tok=TOP_K,
            routed_scaling_factor=SCALE,
            mlp_hidden_act="relu2",
        )
        block = NemotronHMoE(config).eval().to(getattr(torch, dtype))
        block.gate.weight.copy_(drawn["gate"].T)
        block.gate.e_score_correction_bias = drawn["bias"]
        block.experts.up_proj.copy_(drawn["up"].transpose(1, 2))
        block.experts.down_proj.copy_(drawn["down"].transpose(1, 2))
        if latent:
            block.fc1_latent_proj.weight.copy_(drawn["fc1"].T)
            block.fc2_latent_proj.weight.copy_(drawn["fc2"].T)
        experts = block.experts
        up, down = (drawn[name].to(getattr(torch, dtype)) for name in ("up", "down"))

        def run(experts: Callable[[Any, Any, Any], Any], x: Any) -> Any:
            _, weights, ids = block.gate(x)
            return block.fc2_latent_proj(experts(block.fc1_latent_proj(x), ids, weights))

        def implemented(name: str, x: Any) -> Callable[[], Any]:
            def computation() -> Any:
                config._experts_implementation = name  # noqa: SLF001  what set_experts_implementation sets
                return run(experts, x)

            return computation

        def looped(first: Any, second: Any, x: Any) -> Callable[[], Any]:
            return lambda: run(lambda *routed: loop(torch, *routed, up=first, down=second), x)

        def computations(case: Case) -> dict[str, Callable[[], Any]]:
            x = drawn["x"][: case.tokens].to(getattr(torch, case.dtype))
            names = ["eager", "grouped_mm", *(["batched_mm"] if case.tokens <= BATCHED_TOKENS else [])]
            theirs = (experts.up_proj.transpose(1, 2), experts.down_proj.transpose(1, 2))
            return {name: implemented(name, x) for name in names} | {
                "loop": looped(up, down, x),
                "loop, their layout": looped(*theirs, x),
            }

        return computations

    def array(self, output: Any) -> Any:
        """An output in NumPy, fp32."""
        return output.float().numpy()

    def product(self, dtype: str) -> Callable[[], Any] | None:
        """The product of two matrices of `SIZE`; None where it has none."""
        a = self.torch.randn(SIZE, SIZE).to(getattr(self.torch, dtype))
        return lambda: a @ a


def loop(torch: Any, h: Any, ids: Any, weights: Any, *, up: Any, down: Any) -> Any:
    """The experts that are hit, one by one, on rows sorted by expert: the fastest by hand; for a token nothing to sort."""
    tokens, top_k = ids.shape
    if tokens == 1:
        rows = torch.cat([torch.relu(h @ up[expert]).square() @ down[expert] for expert in ids[0].tolist()])
        return (weights.to(rows.dtype) @ rows).to(h.dtype)
    flat = ids.reshape(-1)
    order = torch.argsort(flat, stable=True)
    counts = torch.bincount(flat, minlength=EXPERTS).tolist()
    out = [
        torch.relu(block @ up[expert]).square_() @ down[expert]
        for expert, block in enumerate(h[order // top_k].split(counts))
        if counts[expert]
    ]
    places = torch.empty_like(order)
    places[order] = torch.arange(len(order))
    rows = torch.cat(out)[places].view(tokens, top_k, -1)
    return torch.bmm(weights.to(rows.dtype).unsqueeze(1), rows).squeeze(1)


def measure(computation: Callable[[], Any], seconds: float) -> float:
    """The median time of a call, in milliseconds; of three calls or more."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        begin = time.perf_counter()
        computation()
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e3


def serve(side: Side, scratch: Path, answers: io.TextIOBase) -> None:
    """Answer the requests on the standard input, a line of JSON each, with a line each."""
    import numpy as np  # noqa: PLC0415

    prepared: dict[Case, dict[str, Callable[[], Any]]] = {}
    answer: Any
    for line in sys.stdin:
        request = json.loads(line)
        case = Case(**request["case"]) if "case" in request else None
        if case is not None and case not in prepared:
            prepared[case] = side.computations(case)
        match request["do"]:
            case "versions":
                answer = side.versions()
            case "save":
                assert case is not None
                answer = {}
                for number, (name, computation) in enumerate(prepared[case].items()):
                    answer[name] = f"{number}-{type(side).__name__}.npy"
                    np.save(scratch / answer[name], side.array(computation()))
            case "compare":
                ours = np.load(scratch / request["file"])
                other = np.load(scratch / request["with"])
                same = ours.shape == other.shape
                answer = float(np.abs(ours - other).max() / np.abs(other).max()) if same else float("inf")
            case "time":
                assert case is not None
                answer = {name: measure(call, request["seconds"]) for name, call in prepared[case].items()}
            case "rate":
                product = side.product(request["dtype"])
                answer = None if product is None else 2 * SIZE**3 / measure(product, request["seconds"]) / 1e6
        print(json.dumps(answer), file=answers, flush=True)


# What runs in the process that was started.


class Process:
    """A framework in its interpreter."""

    def __init__(self, side: str, interpreter: str, variables: dict[str, str], scratch: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if name != MKL}
        threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self.side = side
        self.process = subprocess.Popen(
            (interpreter, str(Path(__file__).resolve()), "--serve", side, str(scratch)),
            env={**kept, **threads, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, case: Case | None = None, **request: Any) -> Any:
        """The answer to a request.

        Raises:
            BenchmarkError: the process ended instead; what it had to say is on the standard error.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        whole = {"do": do, **request, **({} if case is None else {"case": asdict(case)})}
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(f"{json.dumps(whole)}\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise BenchmarkError(f"the process of {self.side} ended with status {self.process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Timing:
    """Of a case: milliseconds of each computation in each round."""

    ours: tuple[float, ...]
    theirs: dict[str, tuple[float, ...]]

    @property
    def best(self) -> str:
        """The fastest of torch."""
        return min(self.theirs, key=lambda name: statistics.median(self.theirs[name]))

    @property
    def milliseconds(self) -> tuple[float, float]:
        """Ours, and torch's best."""
        return statistics.median(self.ours), statistics.median(self.theirs[self.best])

    @property
    def ratio(self) -> float:
        """Of ours to torch's best, the median of those within a round."""
        return statistics.median(ours / best for ours, best in zip(self.ours, self.theirs[self.best], strict=True))


@dataclass(frozen=True)
class Outcome:
    """What was measured in one environment."""

    environment: Environment
    versions: dict[str, str]
    errors: dict[Case, float]
    rates: dict[tuple[str, str], float | None]
    timings: dict[Case, Timing]


@contextlib.contextmanager
def processes(interpreters: dict[str, str], environment: Environment) -> Iterator[dict[str, Process]]:
    """One for each framework, with a directory for their outputs."""
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        started = {}
        for side in SIDES:
            started[side] = Process(side, interpreters[side], environment.variables, Path(scratch))
            stack.callback(started[side].close)
        yield started


def run(environment: Environment, interpreters: dict[str, str], rounds: int, seconds: float) -> Outcome:
    """Compare, then time.

    Raises:
        BenchmarkError: the outputs differ, or a process failed.
    """
    with processes(interpreters, environment) as sides:
        paddle, torch = (sides[side] for side in SIDES)
        versions = {**paddle.ask("versions"), **torch.ask("versions")}
        errors = {case: compare(case, paddle, torch) for case in CASES}
        rates: dict[tuple[str, str], list[float | None]] = {}
        times: dict[Case, list[tuple[float, dict[str, float]]]] = {}
        for number in range(rounds):
            print(f"{environment.name}: round {number + 1} of {rounds}", file=sys.stderr)
            for dtype in DTYPES:
                for side in SIDES:
                    rates.setdefault((side, dtype), []).append(sides[side].ask("rate", dtype=dtype, seconds=seconds))
            for case in CASES:
                ours = paddle.ask("time", case, seconds=seconds)[OURS]
                times.setdefault(case, []).append((ours, torch.ask("time", case, seconds=seconds)))
    timings = {
        case: Timing(
            tuple(ours for ours, _ in measured),
            {name: tuple(theirs[name] for _, theirs in measured) for name in measured[0][1]},
        )
        for case, measured in times.items()
    }
    medians = {key: None if None in found else statistics.median(filter(None, found)) for key, found in rates.items()}
    return Outcome(environment, versions, errors, medians, timings)


def compare(case: Case, paddle: Process, torch: Process) -> float:
    """The largest difference between Paddle's output and any of torch's; the output of each case overwrites the last one's.

    Raises:
        BenchmarkError: it is above the tolerance.
    """
    ours = paddle.ask("save", case)[OURS]
    worst = 0.0
    for name, file in torch.ask("save", case).items():
        error = torch.ask("compare", **{"file": ours, "with": file})
        if not error < TOLERANCES[case.dtype]:
            raise BenchmarkError(f"{case}: {OURS} and torch's {name} differ by {error:.1e} of the largest output")
        worst = max(worst, error)
    return worst


# The report.


def report(outcomes: Sequence[Outcome], rounds: int) -> str:
    """The generated block of `docs/fastdeploy_moe.md`."""
    versions = ", ".join(f"{name} {number}" for name, number in outcomes[0].versions.items())
    worst = {
        dtype: max(error for outcome in outcomes for case, error in outcome.errors.items() if case.dtype == dtype)
        for dtype in DTYPES
    }
    errors = ", ".join(f"{error:.0e} in {dtype}" for dtype, error in worst.items())
    head = (
        f"{processor()}, one thread; {versions}. H={WIDTH}, latent {LATENT}, I={INNER}, E={EXPERTS}, K={TOP_K}, relu2, "
        f"noaux_tc. Milliseconds, medians of {rounds} rounds; the ratio is the median of theirs. "
        f"The outputs differ by at most {errors} (of the largest).\n"
    )
    lines = [
        head,
        "| environment | dtype | T | Cutlass | torch's best | which | ratio | to reach | reached |",
        "|---|---|---:|---:|---:|---|---:|---:|---|",
    ]
    for outcome in outcomes:
        for case, timing in outcome.timings.items():
            if not case.latent:
                continue
            target = outcome.environment.targets[case.tokens] if case.dtype == "float32" else None
            reached = ("", "") if target is None else (f"{target}", "yes" if timing.ratio <= target else "**no**")
            ours, theirs = timing.milliseconds
            cells = (
                outcome.environment.name,
                case.dtype,
                str(case.tokens),
                f"{ours:.2f}",
                f"{theirs:.2f}",
                timing.best,
                f"{timing.ratio:.2f}",
                *reached,
            )
            lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "\nWith both projections and without them, the experts as many, each seeing the whole width:\n",
        "| environment | dtype | T | Cutlass, latent | without | torch's best, latent | without |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for outcome in outcomes:
        for case, timing in outcome.timings.items():
            if case.latent:
                other = outcome.timings[Case(case.tokens, case.dtype, latent=False)]
                pairs = zip(timing.milliseconds, other.milliseconds, strict=True)
                told = " | ".join(f"{milliseconds:.2f}" for pair in pairs for milliseconds in pair)
                lines.append(f"| {outcome.environment.name} | {case.dtype} | {case.tokens} | {told} |")
    lines += [
        f"\nProducts of square matrices of {SIZE}, GFLOP/s; Paddle has none of bfloat16 on the CPU:\n",
        "| environment | dtype | Paddle | torch |",
        "|---|---|---:|---:|",
    ]
    for outcome in outcomes:
        for dtype in DTYPES:
            rates = [outcome.rates[side, dtype] for side in SIDES]
            told = " | ".join("none" if rate is None else f"{rate:.0f}" for rate in rates)
            lines.append(f"| {outcome.environment.name} | {dtype} | {told} |")
    return "\n".join(lines) + "\n"


def processor() -> str:
    """The name of the processor's model."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def update(document: Path, block: str) -> None:
    """Put the block between the markers.

    Raises:
        BenchmarkError: the document has no markers.
    """
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchmarkError(f"{document}: has no markers {BEGIN} and {END}")
    document.write_text(f"{before}{BEGIN}\n{block}{END}{after}", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--paddle", default=sys.executable, metavar="PYTHON", help="that has Paddle; default: this one")
    parser.add_argument("--torch", default=sys.executable, metavar="PYTHON", help="that has torch and transformers")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.1, help="at least, for each number in a round")
    parser.add_argument("--update", type=Path, metavar="FILE", help="rewrite the generated block of this document")
    parser.add_argument("--serve", nargs=2, metavar=("SIDE", "DIR"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve is not None:
        side, scratch = options.serve
        with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
            os.dup2(2, 1)  # whatever a framework prints
            warnings.simplefilter("ignore")
            serve(PaddleSide() if side == "paddle" else TorchSide(), Path(scratch), answers)
        return 0
    try:
        interpreters = {side: getattr(options, side) for side in SIDES}
        outcomes = [run(environment, interpreters, options.rounds, options.seconds) for environment in ENVIRONMENTS]
        block = report(outcomes, options.rounds)
        if options.update is not None:
            update(options.update, block)
    except (BenchmarkError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(block, end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
