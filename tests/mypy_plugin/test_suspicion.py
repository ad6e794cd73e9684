"""What is suspected is enough: where every class is read, mypy says the same, byte for byte."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mypy import api
from mypy.nodes import ClassDef

from sigcheck.mypy_plugin.suspicion import Demand, Suspicion
from sigcheck.mypy_plugin.written_calls import Arguments, assigned, read_arguments, read_body
from tests.mypy_plugin.programs import CONFIGURATION
from tests.running import write
from tests.test_scan import corpus_of, families

OPTIONS = ["--no-error-summary", "--ignore-missing-imports", "--follow-imports=silent", "--no-site-packages"]
QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
# mypy raises the limit of recursion in this process, which hypothesis remarks on.
pytestmark = pytest.mark.filterwarnings(
    "ignore:The recursion limit will not be reset:hypothesis.errors.HypothesisWarning"
)


@contextmanager
def everything_suspected(read: list[int]) -> Iterator[None]:
    """Every class of every module is read; how many there are, and how many would have been, is noted."""
    suspects = Suspicion.suspects

    def all_of_them(self: Suspicion, demand: Demand) -> list[ClassDef]:
        everything = [entry.definition for entry in self._noted]
        read[0] += len(everything)
        read[1] += len(suspects(self, demand))
        return everything

    Suspicion.suspects = all_of_them  # type: ignore[method-assign]
    try:
        yield
    finally:
        Suspicion.suspects = suspects  # type: ignore[method-assign]


def hold(directory: Path, *targets: str) -> tuple[int, int]:
    """Run mypy twice, and hold the two against each other; how many classes there are, and how many are suspected."""
    before = Path.cwd()
    os.chdir(directory)
    read = [0, 0]
    try:
        some = api.run(["--config-file", "mypy.ini", "--cache-dir", "some", *OPTIONS, *targets])
        with everything_suspected(read):
            every = api.run(["--config-file", "mypy.ini", "--cache-dir", "every", *OPTIONS, *targets])
    finally:
        os.chdir(before)
    assert some == every
    assert some[2] in {0, 1}, some
    assert "sigcheck failed" not in some[0]
    return read[0], read[1]


def is_program(text: str) -> bool:
    """Python can compile it: else mypy says nothing else."""
    try:
        compile(text, "text", "exec")
    except SyntaxError:
        return False
    return True


def programs(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Each pair as two modules, the second of which inherits from the first."""
    files = {}
    for number, (above, below) in enumerate(pairs):
        if not all(map(is_program, (above, below))):
            continue
        files[f"above{number}.py"] = above
        _, _, rest = below.partition("    pass\n")
        files[f"below{number}.py"] = f"from above{number} import C0 as Base\n{rest}"
    return files


@settings(max_examples=6, deadline=None, suppress_health_check=QUIET)
@given(pairs=st.lists(st.tuples(families(), families()), min_size=8, max_size=8))
def test_random_families(pairs: list[tuple[str, str]], tmp_path: Path) -> None:
    files = programs(pairs)
    write(tmp_path, {"mypy.ini": CONFIGURATION, "sigcheck.toml": "repeat-mypy = true\n", **files})
    if files:
        hold(tmp_path, *sorted(files))


@pytest.mark.long
@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(pairs=st.lists(st.tuples(families(), families()), min_size=12, max_size=12), repeats=st.booleans())
def test_many_random_families(pairs: list[tuple[str, str]], repeats: bool, tmp_path: Path) -> None:
    files = programs(pairs)
    setting = f"repeat-mypy = {str(repeats).lower()}\n"
    write(tmp_path, {"mypy.ini": CONFIGURATION, "sigcheck.toml": setting, **files})
    if files:
        hold(tmp_path, *sorted(files))


@pytest.mark.long
@pytest.mark.parametrize(
    ("corpus", "package"),
    [("fsspec", "."), ("sglang", "srt/layers/quantization"), ("sglang", "srt/layers/attention")],
)
@pytest.mark.parametrize("repeats", ["true", "false"])
def test_corpora(corpus: str, package: str, repeats: str, tmp_path: Path) -> None:
    directory = corpus_of(corpus) / package
    write(tmp_path, {"mypy.ini": CONFIGURATION, "sigcheck.toml": f"repeat-mypy = {repeats}\n"})
    classes, suspected = hold(tmp_path, str(directory))
    assert suspected < classes / 2


def test_most_classes_are_above_suspicion(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parent.parent.parent
    write(tmp_path, {"mypy.ini": CONFIGURATION})
    classes, suspected = hold(tmp_path, str(root / "sigcheck" / "core"), str(root / "sigcheck" / "readers"))
    assert classes > 100
    assert suspected < classes / 10


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        (")", Arguments((), (), False, False)),
        ("a, b=1, *c, **d)", Arguments(("a",), ("b",), True, True)),
        ("f(1, 2), {3: 4}, [5, 6][0],)", Arguments(("f(1, 2)", "{3: 4}", "[5, 6][0]"), (), False, False)),
        ("'a, b', \"c)\", '''d, ''')", Arguments(("'a, b'", '"c)"', "'''d, '''"), (), False, False)),
        ("a == b, c=d == e)", Arguments(("a == b",), ("c",), False, False)),
        ("  # one, two\n    a,  # three)\n    b)", Arguments(("a", "b"), (), False, False)),
        ("a, *b, c)", Arguments(("a",), (), True, False)),
        ("lambda a, b: a, c)", None),
        ('f"{a["b, c"]}")', None),
        ("a, b", None),
    ],
)
def test_arguments_are_told_apart(text: str, arguments: Arguments | None) -> None:
    assert read_arguments(text, 0) == arguments


def test_calls_are_found_by_every_way_there_is() -> None:
    text = (
        "def m(self, x):\n"
        "    self.a(1)\n"
        "    self . b (x)\n"
        "    super().c(x)\n"
        "    super(A, self).d(x)\n"
        "    type(self).e(self, x)\n"
        "    self.__class__.f(self)\n"
        "    Base.g(self, x)\n"
        "    pkg.Base.h(self)\n"
        "    self.i = self.j\n"
        "    self.k, y = 1, 2\n"
        "    other.self.l(1)\n"
    )
    written = read_body(text, "self")
    assert sorted((call.route, call.owner, call.method) for call in written.calls) == [
        ("class", "Base", "g"),
        ("class", "pkg.Base", "h"),
        ("class", "self.__class__", "f"),
        ("class", "type", "e"),
        ("class", "type", "f"),
        ("self", "", "a"),
        ("self", "", "b"),
        ("super", "", "c"),
        ("super", "A", "d"),
    ]
    assert {"i", "k"} <= set(assigned(text))
    assert not written.is_odd
    assert read_body("def m(self):\n    return super(f(A), self).m()\n", "self").is_odd
