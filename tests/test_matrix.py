"""`sigcheck matrix`: the cells, the names it takes, and each of its formats; the page in a real Chromium."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sigcheck.charting import run_matrix
from sigcheck.checking import surveyed
from sigcheck.config import Configuration
from sigcheck.core.matrix import Matrix, Row, State, build_matrix
from sigcheck.core.member import Member
from sigcheck.core.target import find_targets
from sigcheck.inspection import reading
from sigcheck.readers import source
from sigcheck.readers.source import Scan
from sigcheck.report import matrix_html, matrix_svg, matrix_text, matrix_words
from tests.browser import CHROMIUM, Tables, dump
from tests.running import CHECKOUT, environment, refusal, run, write

EXAMPLE = ["MoEMethodBase.apply_tp", "examples/fastdeploy_7428"]

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")


def _matrix(tmp_path: Path, source: str, target: str = "Base.f") -> Matrix:
    write(tmp_path, {"m.py": source})
    return run_matrix(Configuration(root=tmp_path, cache_dir=None), target, [str(tmp_path)])


def test_what_a_matrix_shows_libcst_has_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "class Base:\n    def f(self, x, scale): ...\n    def g(self):\n        self.f(1, 2)\nclass Kid(Base):\n    def f(self, x): ...\n"
    shown = _matrix(tmp_path, text)
    honest = source.scan_module

    def lying(data: bytes, **words: Any) -> Scan | None:
        """A scan that misreads a header."""
        return honest(data.replace(b"scale", b"sacle"), **words)

    monkeypatch.setattr(source, "scan_module", lying)
    assert _matrix(tmp_path, text) == shown
    assert [column.parameter.name for column in shown.columns] == ["x", "scale"]
    monkeypatch.setattr(source, "scan_module", lambda data, **words: honest(data.replace(b"1, 2", b"2, 1"), **words))
    assert _matrix(tmp_path, text).calls == shown.calls


def _row(row: Row) -> str:
    """`same:x moved:y | extra:z -> verdict`."""
    cells = [f"{cell.state.value}:{cell.parameter.starred() if cell.parameter else ''}" for cell in row.cells]
    extra = [f"{cell.state.value}:{cell.parameter.starred()}" for cell in row.extra if cell.parameter]
    return " ".join([*cells, *(["|", *extra] if extra else []), "->", row.verdict.value])


# Cells.


@pytest.mark.parametrize(
    ("base", "override", "expected"),
    [
        ("a, b", "a, b", "same:a same:b -> ok"),
        ("a, b", "b, a", "moved:b moved:a -> silently-wrong"),
        ("a, b=1", "a, c=1, b=2", "same:a other:c | moved:b -> silently-wrong"),
        ("a, b", "a", "same:a missing: -> type-error"),
        ("a, b", "*args, **kwargs", "catch-all:*args catch-all:*args | catch-all:**kwargs -> ok"),
        ("a, b", "a, *args", "same:a not-keyword:*args -> type-error"),
        ("a, b", "a, **kwargs", "same:a not-positional:**kwargs -> type-error"),
        ("a, b", "a, *, b", "same:a not-positional:b -> type-error"),
        ("a, b", "a, *args, b", "same:a not-positional:b | catch-all:*args -> type-error"),
        ("a, b", "a, b, /", "not-keyword:a not-keyword:b -> type-error"),
        ("a, b", "b", "moved:b not-positional:b -> type-error"),
        ("a, b=1", "b=1", "moved:b not-positional:b -> silently-wrong"),
        ("a, b", "b, c", "moved:b other:c -> silently-wrong"),
        ("a", "x, y", "other:x | required:y -> type-error"),
        ("a, /, b", "z, /, b", "free:z same:b -> ok"),
        ("a, /, b", "b, *c", "moved:b catch-all:*c -> type-error"),
        ("a, b, /", "b, a, /", "moved:b moved:a -> silently-wrong"),
        ("a, *, key", "a, key", "same:a same:key -> ok"),
        ("a, *, key", "key, a", "moved:key same:key | moved:a -> type-error"),
        ("a, *, key", "a, **more", "same:a catch-all:**more -> ok"),
        ("a, *, key", "a, key, /", "not-keyword:a not-keyword:key -> type-error"),
        ("a, *, key=1", "a, *, key", "same:a required:key -> type-error"),
        ("a, b=1", "a, b", "same:a required:b -> type-error"),
        ("a", "a, b", "same:a | required:b -> type-error"),
        ("a", "a, b=1, *, c=2", "same:a | extra:b extra:c -> ok"),
        ("a, *args, **kwargs", "a", "same:a missing: missing: -> type-error"),
        ("a, *args, **kwargs", "a, *rest, **more", "same:a same:*rest same:**more -> ok"),
        ("*args, **kwargs", "a", "missing: missing: | required:a -> not-compared"),
        ("", "", "-> ok"),
    ],
)
def test_cells(tmp_path: Path, base: str, override: str, expected: str) -> None:
    first, second = (f"self, {words}" if words else "self" for words in (base, override))
    matrix = _matrix(
        tmp_path, f"class Base:\n    def f({first}): ...\n\n\nclass Kid(Base):\n    def f({second}): ...\n"
    )
    assert [_row(row) for row in matrix.overrides] == [expected]
    assert {cell.state for cell in matrix.rows[0].cells} <= {State.SAME}
    assert matrix.rows[0].extra == ()


@pytest.mark.parametrize("kind", ["staticmethod", "classmethod"])
def test_receivers(tmp_path: Path, kind: str) -> None:
    receiver = "cls, " if kind == "classmethod" else ""
    source = f"""\
class Base:
    @{kind}
    def f({receiver}a, b): ...


class Kept(Base):
    @{kind}
    def f({receiver}a, b): ...


class Instance(Base):
    def f(self, a, b): ...


class Property(Base):
    @property
    def f(self) -> int: return 1


class Nothing(Base):
    f = None


class Async(Base):
    @{kind}
    async def f({receiver}a, b): ...
"""
    matrix = _matrix(tmp_path, source)
    assert [_row(row) for row in matrix.overrides] == [
        "same:a same:b -> ok",
        "same:a same:b -> mismatch",
        "unknown: unknown: -> mismatch",
        "unknown: unknown: -> mismatch",
        "same:a same:b -> ok",  # Of a placeholder, coroutine or not is not known.
    ]
    assert [row.rules for row in matrix.overrides][1:4] == [("receiver-mismatch",)] * 3


def test_syntax_calls_by_position(tmp_path: Path) -> None:
    source = "class Base:\n    def __getitem__(self, a): ...\n\nclass Kid(Base):\n    def __getitem__(self, key): ...\n"
    [kid] = _matrix(tmp_path, source, "Base.__getitem__").overrides
    assert _row(kid) == "free:key -> ok"


def test_unpacked_keys_are_columns(tmp_path: Path) -> None:
    source = """\
from typing import TypedDict, Unpack

class Keys(TypedDict):
    one: int
    two: int

class Base:
    def f(self, a, **kwargs: Unpack[Keys]): ...

class Kid(Base):
    def f(self, a, *, one): ...
"""
    [kid] = _matrix(tmp_path, source).overrides
    assert _row(kid) == "same:a same:one missing: -> type-error"


FAMILY = """\
import sys

class Base:
    def f(self, a, b): ...

class Second(Base):
    def f(self, a, b): ...

class First(Base):
    pass

class UnderFirst(First):
    def f(self, a, b): ...

class UnderSecond(Second):
    if sys.platform == "linux":
        def f(self, a): ...
    else:
        def f(self, b, a): ...

class Mixin:
    def f(self, a): ...

class Mixed(Mixin, Base):
    pass
"""


def test_rows_stand_behind_what_they_inherit_from_and_branches_and_mixins_have_their_own(tmp_path: Path) -> None:
    matrix = _matrix(tmp_path, FAMILY)
    told = [
        (row.owner.id.partition(":")[2], row.depth, row.member.place.line, row.verdict.value) for row in matrix.rows
    ]
    assert told == [
        ("Base", 0, 4, "base"),
        ("Second", 1, 7, "ok"),
        ("UnderSecond", 2, 17, "type-error"),
        ("UnderSecond", 2, 19, "silently-wrong"),
        ("UnderFirst", 1, 13, "ok"),
        ("Mixin", 1, 22, "type-error"),
    ]
    through = matrix.rows[-1].through
    assert through is not None
    assert through.name == "m.Mixed"
    text = "".join(matrix_text.render_text(matrix))
    assert '  UnderSecond (sys.platform == "linux")' in text
    assert '  UnderSecond (not sys.platform == "linux")' in text
    assert "\nMixin (in Mixed)" in text


def test_classes_of_one_name_are_told_apart(tmp_path: Path) -> None:
    source = FAMILY + "\nclass Second(Second):\n    def f(self, a, b): ...\n"
    write(tmp_path, {"other/second.py": "from m import Base\n\nclass Second(Base):\n    def f(self, a, b): ...\n"})
    text = "".join(matrix_text.render_text(_matrix(tmp_path, source)))
    names = re.findall(r"^ *((?:\w+\.)*Second(?:, \S+)?) ", text, re.MULTILINE)
    assert names == ["Second, m.py:6", "Second, m.py:27", "other.second.Second"]


def test_a_base_under_two_tests(tmp_path: Path) -> None:
    source = """\
import sys

class Base:
    if sys.platform == "linux":
        def f(self, a): ...
    else:
        def f(self, a, b): ...

class Kid(Base):
    def f(self, a): ...
"""
    rows = _matrix(tmp_path, source).rows
    assert [_row(row) for row in rows] == [
        "same:a -> base",
        "same:a | required:b -> not-compared",
        "same:a -> type-error",  # Against the second base.
    ]


def test_ignored_parameters(tmp_path: Path) -> None:
    source = """\
class Base:
    def f(self, a, b): ...

    def g(self):
        return self.f(1, 2)

class Kid(Base):
    def f(self, b, a):
        return b
"""
    write(tmp_path, {"m.py": source})
    asked: list[tuple[int, str]] = []

    def is_ignored(member: Member, name: str) -> bool:
        asked.append((member.place.line, name))
        return name == "a"

    configuration = Configuration(root=tmp_path, cache_dir=None)
    with reading(configuration, surveyed(configuration, [str(tmp_path)])) as (_, _, hierarchy):
        [target] = find_targets(hierarchy, "Base.f", ())
        matrix = build_matrix(hierarchy, target.owner, target.method, is_ignored=is_ignored)
    [kid] = matrix.overrides
    assert [(cell.state.value, cell.is_ignored) for cell in kid.cells] == [("moved", False), ("moved", True)]
    assert {line for line, _ in asked} == {8}, "a placeholder reads nothing, and is not asked about"
    plain = "".join(matrix_text.render_text(matrix))
    assert re.search(r"^Kid +>b +>~a~ +silently wrong", plain, re.MULTILINE)
    assert "~name~" in plain
    coloured = "".join(matrix_text.render_text(matrix, colour=True))
    assert "\x1b[35;9m>~a~\x1b[0m" in coloured
    assert "<s>a</s>" in matrix_html.render_html(matrix, "1")
    assert 'class="moved gone"' in matrix_svg.render_svg(matrix)
    [call] = matrix.calls
    assert [cell.is_ignored for cell in call.rows[1].cells] == [False, True]


# Calls.

CALLS = """\
class Base:
    def f(self, a, b=1, *, key=None): ...

    def by_position(self, x, y):
        return self.f(x, y)

    def by_keyword(self, x):
        return self.f(x, key=[1,
            2])

    def unpacked(self, *args, **kwargs):
        return self.f(1, *args, b=2, **kwargs)

    def handed_over(self):
        return self.f(3)


class Kid(Base):
    def f(self, b, a):
        return super().f(b, a, key=1)

    def handed_over(self):
        return 4

    def own(self):
        return self.f(5, 6)


class Taker(Base):
    def f(self, *args):
        return 1


class Stranger:
    def g(self):
        return self.f(1)
"""


def test_calls(tmp_path: Path) -> None:
    matrix = _matrix(tmp_path, CALLS)
    told = {}
    for table in matrix.calls:
        rows = {}
        for entry in table.rows:
            cells = " ".join(f"{c.state.value}:{c.parameter.starred() if c.parameter else ''}" for c in entry.cells)
            rows[entry.row.owner.name] = f"{cells} -> {entry.verdict.value}"
        arguments = [(argument.keyword, argument.text) for argument in table.arguments]
        told[f"{table.owner.name}.{table.caller.name}"] = (arguments, rows)
    assert told == {
        "m.Base.by_position": (
            [(None, "x"), (None, "y")],
            {
                "m.Base": "same:a same:b -> ok",
                "m.Kid": "moved:b moved:a -> silently-wrong",
                "m.Taker": "catch-all:*args catch-all:*args -> ignores",
            },
        ),
        "m.Base.by_keyword": (
            [(None, "x"), ("key", "[1, 2]")],
            {
                "m.Base": "same:a same:key -> ok",
                "m.Kid": "moved:b refused: -> type-error",
                "m.Taker": "catch-all:*args refused: -> type-error",
            },
        ),
        "m.Base.unpacked": (
            [(None, "1"), ("*", ""), ("b", "2"), ("**", "")],
            {
                "m.Base": "same:a unknown: same:b unknown: -> not-compared",
                "m.Kid": "moved:b unknown: refused: unknown: -> type-error",
                "m.Taker": "catch-all:*args unknown: refused: unknown: -> type-error",
            },
        ),
        # `Kid` defines it anew, and so never gets there.
        "m.Base.handed_over": (
            [(None, "3")],
            {"m.Base": "same:a -> ok", "m.Taker": "catch-all:*args -> ignores"},
        ),
        "m.Kid.f": (
            [(None, "b"), (None, "a"), ("key", "1")],
            {"m.Base": "same:a same:b same:key -> ok"},
        ),
        # Who writes a call against his own class means what that has.
        "m.Kid.own": ([(None, "5"), (None, "6")], {"m.Kid": "same:b same:a -> ok"}),
    }


def test_a_missing_argument_is_told(tmp_path: Path) -> None:
    source = """\
class Base:
    def f(self, a): ...

    @classmethod
    def make(cls, it):
        return cls.f(it, 1)

    def g(self):
        return self.f(1)

class Kid(Base):
    def f(self, a, b): ...
"""
    matrix = _matrix(tmp_path, source)
    text = "".join(matrix_text.render_text(matrix))
    assert re.search(r"^Kid +a +TypeError: nothing for b$", text, re.MULTILINE)
    [make] = [table for table in matrix.calls if table.caller.name == "make"]
    assert [cell.parameter.name for cell in make.rows[0].cells if cell.parameter] == ["self", "a"]


def test_calls_on_classes_pass_the_receiver(tmp_path: Path) -> None:
    source = """\
class Base:
    def f(self, a): ...

    def by_type(self):
        return type(self).f(self, 1)


class Kid(Base):
    def f(self, b):
        return Base.f(self, b)


class Grandchild(Kid):
    def f(self, a):
        return super(Kid, self).f(a)
"""
    told = {}
    for table in _matrix(tmp_path, source).calls:
        for entry in table.rows:
            cells = [f"{cell.state.value}:{cell.parameter.name if cell.parameter else ''}" for cell in entry.cells]
            told[matrix_words.call_title(table), entry.row.owner.name] = cells
    assert told == {
        ("Base.by_type calls type(self).f", "m.Base"): ["same:self", "same:a"],
        ("Base.by_type calls type(self).f", "m.Kid"): ["same:self", "other:b"],
        ("Base.by_type calls type(self).f", "m.Grandchild"): ["same:self", "same:a"],
        ("Kid.f calls Base.f", "m.Base"): ["same:self", "same:a"],
        ("Grandchild.f calls super().f", "m.Base"): ["same:a"],
    }


# Names.


def _shop(tmp_path: Path) -> Path:
    return write(
        tmp_path,
        {
            "shop/__init__.py": "from shop.base import Base\n",
            "shop/base.py": "class Base:\n    def run(self, x): ...\n\n    def size(self): ...\n\nclass Lone:\n    def alone(self, z): ...\n",
            "shop/kids.py": "from shop import Base\n\nclass Kid(Base):\n    def run(self, x): ...\n\n    @property\n"
            "    def wide(self): ...\n\nclass Heir(Kid):\n    pass\n",
            "other.py": "import shop\n\nclass Base:\n    def run(self, y): ...\n\nclass Sub(Base):\n    def run(self, y): ...\n\n"
            "class Reader(shop.Base):\n    limit: int = 3\n    def read(self, n): ...\n",
        },
    )


@pytest.mark.parametrize(
    ("target", "title"),
    [
        ("shop.base.Base.run", "Base.run   shop/base.py:2"),
        ("base.Base.run", "Base.run   shop/base.py:2"),
        ("shop.Base.run", "Base.run   shop/base.py:2"),
        ("other.Base.run", "Base.run   other.py:4"),
        ("Kid.run", "Kid.run   shop/kids.py:4"),
        ("Heir.run", "Kid.run   shop/kids.py:4"),
        ("Reader.run", "Base.run   shop/base.py:2"),
        ("size", "Base.size   shop/base.py:4"),
        ("read", "Reader.read   other.py:11"),
        ("other.py:4", "Base.run   other.py:4"),
        ("Lone.alone", "Lone.alone   shop/base.py:7"),
        ("alone", "Lone.alone   shop/base.py:7"),
        ("shop/base.py:7", "Lone.alone   shop/base.py:7"),
    ],
)
def test_targets(tmp_path: Path, target: str, title: str) -> None:
    done = run("matrix", "--no-cache", target, cwd=_shop(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == title


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "Base.run",
            "Base.run may be other.Base.run (other.py:4), shop.base.Base.run (shop/base.py:2); name more of it, or PATH:LINE",
        ),
        ("run", "run may be other.Base.run (other.py:4), shop.base.Base.run (shop/base.py:2); name more of it"),
        ("Base.rum", "has a method Base.rum; did you mean Base.run?"),
        ("Bose.run", "has a method Bose.run; did you mean Base.run"),
        ("zzz", "no class of 4 files or their bases has a method zzz"),
        ("", "no class of 4 files or their bases has a method "),
        ("..", "no class of 4 files or their bases has a method .."),
        ("Kid.wide", "shop.kids.Kid.wide is a property; a matrix shows methods"),
        ("Reader", "Reader is a class; name a method of it: read"),
        ("other.py:1", "no class of 4 files or their bases has a method other.py:1"),
        ("nowhere.py:1", "no class of 4 files or their bases has a method nowhere.py:1"),
        ("no\nsense\x1b", "has a method no\\nsense\\x1b"),
    ],
)
def test_what_names_no_method_is_2_and_one_line(tmp_path: Path, target: str, message: str) -> None:
    assert message in refusal("matrix", "--no-cache", target, cwd=_shop(tmp_path))


def test_other_refusals(tmp_path: Path) -> None:
    assert "the following arguments are required: TARGET" in refusal("matrix", cwd=tmp_path)
    assert refusal("matrix", "f", "nowhere", cwd=tmp_path) == "nowhere: no such file or directory"
    assert "invalid choice: 'pdf'" in refusal("matrix", "f", "--output-format", "pdf", cwd=tmp_path)
    shop = _shop(tmp_path)
    assert (
        refusal("matrix", "--no-cache", "size", "-o", "no/where.txt", cwd=shop)
        == "no/where.txt: No such file or directory"
    )


def test_no_overrides(tmp_path: Path) -> None:
    done = run("matrix", "--no-cache", "size", cwd=_shop(tmp_path))
    assert done.stdout == "Base.size   shop/base.py:4\nno overrides\n\nslot\nBase  base\n"


# Text.


def test_text_of_the_example() -> None:
    done = run("matrix", "--no-cache", *EXAMPLE, cwd=CHECKOUT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "MoEMethodBase.apply_tp   examples/fastdeploy_7428/fastdeploy/moe/fused_moe_backend_base.py:38\n"
        "6 overrides: 1 silently wrong, 2 TypeError, 1 ignores, 2 ok\n"
        "\n"
        "slot                         1      2  3     4                  5                  6                  also\n"
        "MoEMethodBase                layer  x  gate  topk_ids_hookfunc  fc1_latent_proj    fc2_latent_proj                      base\n"
        "BlackwellGemmFusedMoeMethod  layer  x  gate  topk_ids_hookfunc  -                  -                                    TypeError [missing-parameter]\n"
        "CutlassMoEMethod             layer  x  gate  topk_ids_hookfunc  fc1_latent_proj    fc2_latent_proj                      ok\n"
        "DeepGemmFusedMoeMethod       layer  x  gate  topk_ids_hookfunc  ~fc1_latent_proj~  ~fc2_latent_proj~                    ignores\n"
        "TritonWeightOnlyMoEMethod    layer  x  gate  topk_ids_hookfunc  fc1_latent_proj    fc2_latent_proj                      ok\n"
        "ModelOptNvFp4FusedMoE        layer  x  gate  topk_ids_hookfunc  !shared_experts    >fc1_latent_proj   >fc2_latent_proj  silently wrong [misbound-parameter]\n"
        "MetaxMoEMethod               layer  x  gate  topk_ids_hookfunc  -                  -                                    TypeError [missing-parameter]\n"
        "\n"
        "MoEMethodBase.apply calls self.apply_tp   examples/fastdeploy_7428/fastdeploy/moe/fused_moe_backend_base.py:95\n"
        "\n"
        "argument                     layer  x  gate  topk_ids_hookfunc  fc1_latent_proj    fc2_latent_proj\n"
        "MoEMethodBase                layer  x  gate  topk_ids_hookfunc  fc1_latent_proj    fc2_latent_proj    ok\n"
        "BlackwellGemmFusedMoeMethod  layer  x  gate  topk_ids_hookfunc  refused            refused            TypeError: too many positional arguments\n"
        "CutlassMoEMethod             layer  x  gate  topk_ids_hookfunc  fc1_latent_proj    fc2_latent_proj    ok\n"
        "DeepGemmFusedMoeMethod       layer  x  gate  topk_ids_hookfunc  ~fc1_latent_proj~  ~fc2_latent_proj~  ignores\n"
        "TritonWeightOnlyMoEMethod    layer  x  gate  topk_ids_hookfunc  fc1_latent_proj    fc2_latent_proj    ok\n"
        "ModelOptNvFp4FusedMoE        layer  x  gate  topk_ids_hookfunc  !shared_experts    >fc1_latent_proj   silently wrong\n"
        "MetaxMoEMethod               layer  x  gate  topk_ids_hookfunc  refused            refused            TypeError: too many positional arguments\n"
        "\n"
        ">name   moved: the base has it in another place\n"
        "!name   other: the base does not know it\n"
        "-       missing: nothing can receive it\n"
        "~name~  ignored: accepted and never read\n"
    )


@pytest.mark.parametrize(
    ("arguments", "variables", "coloured"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour(arguments: list[str], variables: dict[str, str], coloured: bool) -> None:
    done = run("matrix", "--no-cache", *arguments, *EXAMPLE, cwd=CHECKOUT, env=environment(**variables))
    assert ("\x1b[" in done.stdout) is coloured
    plain = run("matrix", "--no-cache", *EXAMPLE, cwd=CHECKOUT).stdout
    assert re.sub(r"\x1b\[[\d;]+m", "", done.stdout) == plain


def test_wide_letters_stand_in_line(tmp_path: Path) -> None:
    source = "class Base:\n    def f(self, 参数, b): ...\n\nclass 子类(Base):\n    def f(self, b, x\u0301): ...\n"
    lines = "".join(matrix_text.render_text(_matrix(tmp_path, source))).splitlines()
    assert lines[3:6] == [
        "slot  1     2",
        "Base  参数  b   base",
        "子类  >b    !x\u0301  silently wrong [" + lines[5].partition("[")[2],
    ]


def test_long_and_hostile_texts_are_cut_and_harmless(tmp_path: Path) -> None:
    source = (
        'class Base:\n    def f(self, a): ...\n    def g(self): return self.f("\x1b[31m'
        + "y" * 300
        + '")\n\nclass Kid(Base):\n    def f(self, a): ...\n'
    )
    matrix = _matrix(tmp_path, source)
    text = "".join(matrix_text.render_text(matrix))
    assert "\x1b" not in text
    assert max(map(len, text.splitlines()[1:6])) < 120
    assert "\x1b" not in matrix_html.render_html(matrix, "1") + matrix_svg.render_svg(matrix)


# JSON.

_NAME = {"type": ["string", "null"]}
_CELL = {
    "type": "object",
    "additionalProperties": False,
    "required": ["state", "parameter", "by_position", "by_keyword", "ignored"],
    "properties": {
        "state": {"enum": [state.value for state in State]},
        "parameter": _NAME,
        "by_position": _NAME,
        "by_keyword": _NAME,
        "ignored": {"type": "boolean"},
    },
}
_ROW_KEYS = (
    "label", "class", "through", "flavour", "branch", "depth", "path", "line", "signature", "verdict", "rules", "cells", "extra",
)  # fmt: skip
_CALL_KEYS = ("class", "caller", "route", "path", "line", "column", "arguments", "rows")
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "version", "method", "class", "columns", "rows", "calls"],
    "properties": {
        "schema": {"const": 1},
        "version": {"type": "string"},
        "method": {"type": "string"},
        "class": {"type": "string"},
        "columns": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["slot", "name", "kind"],
                "properties": {
                    "kind": {
                        "enum": [
                            "positional-only",
                            "positional-or-keyword",
                            "keyword-only",
                            "var-positional",
                            "var-keyword",
                        ]
                    }
                },
            },
        },
        "rows": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": list(_ROW_KEYS),
                "properties": {key: {} for key in _ROW_KEYS}
                | {"cells": {"type": "array", "items": _CELL}, "extra": {"type": "array", "items": _CELL}},
            },
        },
        "calls": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": list(_CALL_KEYS),
                "properties": {key: {} for key in _CALL_KEYS}
                | {
                    "rows": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["row", "verdict", "error", "cells"],
                            "properties": {
                                "row": {"type": "integer"},
                                "verdict": {"type": "string"},
                                "error": _NAME,
                                "cells": {"type": "array", "items": _CELL},
                            },
                        },
                    }
                },
            },
        },
    },
}


@pytest.mark.parametrize(("source", "target"), [(FAMILY, "Base.f"), (CALLS, "Base.f"), (None, EXAMPLE[0])])
def test_json_keeps_its_schema(tmp_path: Path, source: str | None, target: str) -> None:
    if source is None:
        done = run("matrix", "--no-cache", "--output-format", "json", *EXAMPLE, cwd=CHECKOUT)
    else:
        done = run("matrix", "--no-cache", "--output-format", "json", target, cwd=write(tmp_path, {"m.py": source}))
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    assert len({row["label"] for row in document["rows"]}) == len(document["rows"])
    for row in document["rows"]:
        assert len(row["cells"]) == len(document["columns"])
    for call in document["calls"]:
        assert all(len(row["cells"]) == len(call["arguments"]) for row in call["rows"])
    documented = (CHECKOUT / "docs" / "matrix.md").read_text(encoding="utf-8")
    for word in (
        *SCHEMA["properties"],
        *_ROW_KEYS,
        *_CALL_KEYS,
        *_CELL["properties"],
        *(state.value for state in State),
    ):  # type: ignore[misc]
        assert f"`{word}`" in documented, word


# The picture.


def test_the_committed_picture_is_what_the_command_prints() -> None:
    done = run("matrix", "--no-cache", "--output-format", "svg", *EXAMPLE, cwd=CHECKOUT)
    assert done.stdout == (CHECKOUT / "docs" / "matrix.svg").read_text(encoding="utf-8")
    assert "](docs/matrix.svg)" in (CHECKOUT / "README.md").read_text(encoding="utf-8")


HOSTILE = """\
class Base:
    def f(self, a, 参数参数参数=1, *, kee=None, **more): ...

    def g(self):
        return self.f("</script><script>alert(1)</script>", '<img src=x onerror=alert(1)>', kee=lambda: "&amp;\\x1b]]>", **{})


class 子类子类子类子类(Base):
    if "</script><b>" in __name__ or "<!--":
        def f(self, 参数参数参数, mmmmmmmmmmmmmmmmmmmm, *, extra_one=1, extra_two=2, a_very_long_one_in_this_place=3): ...
    elif '"quoted" & <i>':
        def f(self, *args): ...


class Kid(子类子类子类子类):
    def f(self, a, *, 参数参数参数=1, required, **more): ...
"""


def test_the_picture_is_well_formed(tmp_path: Path) -> None:
    for text in (HOSTILE, FAMILY, CALLS):
        root = ET.fromstring(matrix_svg.render_svg(_matrix(tmp_path, text)))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


_MEASURE = """
const wrong = [];
const rows = new Map();
const svg = document.querySelector('svg'), edge = svg.viewBox.baseVal;
for (const text of svg.querySelectorAll('text')) {
  const box = text.getBBox(), name = text.textContent;
  if (box.x < 0 || box.x + box.width > edge.width || box.y + box.height > edge.height) wrong.push('outside: ' + name);
  const frame = text.parentElement.querySelector(':scope > rect');
  if (frame && box.x + box.width > frame.x.baseVal.value + frame.width.baseVal.value) wrong.push('cut: ' + name);
  const line = rows.get(text.getAttribute('y')) || [];
  for (const other of line) if (box.x < other.x + other.width && other.x < box.x + box.width) wrong.push('over: ' + name);
  rows.set(text.getAttribute('y'), [...line, box]);
}
return JSON.stringify(wrong);
"""


@needs_chromium
@pytest.mark.parametrize("source", [HOSTILE, CALLS, None], ids=["hostile", "calls", "example"])
def test_nothing_in_the_picture_is_cut_or_covered(tmp_path: Path, source: str | None) -> None:
    if source is None:
        picture = (CHECKOUT / "docs" / "matrix.svg").read_text(encoding="utf-8")
    else:
        picture = matrix_svg.render_svg(_matrix(tmp_path, source))
    document = dump(f'<!DOCTYPE html><meta charset="utf-8"><body>{picture}</body>', tmp_path, script=_MEASURE)
    assert json.loads(Tables(document).output) == []


# The page.


@needs_chromium
def test_the_page_in_a_browser_shows_the_matrix(tmp_path: Path) -> None:
    done = run("matrix", "--no-cache", "--output-format", "html", *EXAMPLE, cwd=CHECKOUT)
    seen = Tables(dump(done.stdout, tmp_path))
    assert seen.root["data-ready"] == "true", "the script ran to its end"
    same = ["layer", "x", "gate", "topk_ids_hookfunc", "fc1_latent_proj", "fc2_latent_proj"]
    gone = [*same[:4], "[missing]", "[missing]"]
    assert seen.tables["slots"] == [
        ["slot", "1", "2", "3", "4", "5", "6", "also", "verdict"],
        ["MoEMethodBase", *same, "", "base"],
        ["BlackwellGemmFusedMoeMethod", *gone, "", "✕ TypeError missing-parameter"],
        ["CutlassMoEMethod", *same, "", "✓ ok"],
        [
            "DeepGemmFusedMoeMethod",
            *same[:4],
            "fc1_latent_proj[, ignored]",
            "fc2_latent_proj[, ignored]",
            "",
            "○ ignores",
        ],
        ["TritonWeightOnlyMoEMethod", *same, "", "✓ ok"],
        [
            "ModelOptNvFp4FusedMoE",
            *same[:4],
            "≠shared_experts[other]",
            "↔fc1_latent_proj[moved]",
            "↔fc2_latent_proj[moved]",
            "▲ silently wrong misbound-parameter",
        ],
        ["MetaxMoEMethod", *gone, "", "✕ TypeError missing-parameter"],
    ]
    assert seen.captions["call-1"].startswith("MoEMethodBase.apply calls self.apply_tp examples/")
    assert seen.tables["call-1"][0] == ["argument", *same, "verdict"]
    assert seen.tables["call-1"][2] == [
        "BlackwellGemmFusedMoeMethod", *same[:4], "refused", "refused", "✕ TypeError: too many positional arguments",
    ]  # fmt: skip
    assert [cell["tabindex"] for cell in seen.attributes].count("0") == 2, "one cell of each table is in the tab order"
    titles = [cell.get("title") for cell in seen.attributes]
    assert "fc1_latent_proj lands in shared_experts by position, and in fc1_latent_proj by keyword" in titles
    assert "nothing can receive fc2_latent_proj" in titles


_WALK = """
const told = [];
const first = document.querySelector('#slots td[tabindex="0"]');
first.focus();
const press = (key, more = {}) => {
  const event = new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true, ...more});
  document.activeElement.dispatchEvent(event);
  const cell = document.activeElement;
  const row = cell.parentElement;
  told.push([row.rowIndex, cell.cellIndex, document.querySelectorAll('#slots td[tabindex="0"]').length, event.defaultPrevented]);
};
for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown', 'ArrowLeft', 'ArrowLeft', 'End', 'ArrowRight', 'Home', 'ArrowUp', 'Tab'])
  press(key);
press('End', {ctrlKey: true});
press('Home', {ctrlKey: true});
press('ArrowRight', {altKey: true});
const cell = document.querySelectorAll('#slots tbody tr')[5].querySelectorAll('td')[4];
cell.focus();
// A window without the focus of its screen tells nobody.
if (!document.hasFocus()) cell.dispatchEvent(new FocusEvent('focusin', {bubbles: true}));
told.push(document.getElementById('detail').textContent);
return JSON.stringify(told);
"""


@needs_chromium
def test_the_arrow_keys_walk(tmp_path: Path) -> None:
    done = run("matrix", "--no-cache", "--output-format", "html", *EXAMPLE, cwd=CHECKOUT)
    told = json.loads(Tables(dump(done.stdout, tmp_path, script=_WALK)).output)
    assert told == [
        [1, 2, 1, True],
        [2, 2, 1, True],
        [3, 2, 1, True],
        [3, 1, 1, True],
        [3, 1, 1, True],  # At the edge.
        [3, 8, 1, True],
        [3, 8, 1, True],
        [3, 1, 1, True],
        [2, 1, 1, True],
        [2, 1, 1, False],
        [7, 8, 1, True],
        [1, 1, 1, True],
        [1, 1, 1, False],  # Alt and an arrow is the browser's own.
        "ModelOptNvFp4FusedMoE: fc1_latent_proj lands in shared_experts by position, and in fc1_latent_proj by keyword",
    ]


_CONTRAST = """
const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
const light = (text) => {
  const [r, g, b] = rgb(text).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  for (; element; element = element.parentElement) {
    const colour = getComputedStyle(element).backgroundColor;
    if (rgb(colour)[3] !== 0) return colour;
  }
};
let least = 99, where = '';
for (const element of document.querySelectorAll('h1, p, li, th, td, code, span, dd, dt, kbd, caption')) {
  if (!element.textContent.trim()) continue;
  const [a, b] = [light(getComputedStyle(element).color), light(behind(element))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < least) [least, where] = [ratio, element.outerHTML];
}
return JSON.stringify([getComputedStyle(document.body).backgroundColor, least, where,
  document.documentElement.scrollWidth <= innerWidth]);
"""


@needs_chromium
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_light_and_dark_have_enough_contrast(tmp_path: Path, dark: bool) -> None:
    page = matrix_html.render_html(_matrix(tmp_path, HOSTILE), "1")
    background, ratio, where, fits = json.loads(Tables(dump(page, tmp_path, dark=dark, script=_CONTRAST)).output)
    assert background == ("rgb(1, 4, 9)" if dark else "rgb(246, 248, 250)")
    assert ratio >= 4.5, where
    assert fits, "only the tables scroll, not the page"


@needs_chromium
def test_hostile_names_stay_text(tmp_path: Path) -> None:
    matrix = _matrix(tmp_path, HOSTILE)
    page = matrix_html.render_html(matrix, "</script>")
    script = "return JSON.stringify([...document.querySelectorAll('img, b, i, td script, th script')].length)"
    seen = Tables(dump(page, tmp_path, script=script))
    assert seen.output == "0"
    assert seen.root["data-ready"] == "true"
    assert '"</script><script>alert(1)</script>"' in seen.tables["call-1"][0][1]
    assert [row[0] for row in seen.tables["slots"]][2] == '子类子类子类子类 "</script><b>" in __name__ or "<!--"'
    assert page.count("<script") == page.count("</script>") == 1


def test_the_page_fetches_nothing(tmp_path: Path) -> None:
    page = matrix_html.render_html(_matrix(tmp_path, HOSTILE), "1")
    assert re.findall(r'(?:src|href)\s*=\s*["\']?(?!data:,)[\w/.:]', re.sub(r"&[lg]t;.*?&gt;", "", page)) == []
    assert "@import" not in page
    assert "url(" not in page
    assert "default-src 'none'" in page


@needs_chromium
@pytest.mark.parametrize(("columns", "rows"), [(1, 100), (100, 100)])
def test_large_pages(tmp_path: Path, columns: int, rows: int) -> None:
    names = ", ".join(f"parameter_{number}" for number in range(columns))
    source = f"class Base:\n    def f(self, {names}): ...\n" + "".join(
        f"\n\nclass Kid{number}(Base):\n    def f(self, {names}): ...\n" for number in range(rows)
    )
    page = matrix_html.render_html(_matrix(tmp_path, source), "1")
    script = """
    const box = document.querySelector('.scroll');
    box.scrollLeft = 500;
    const first = document.querySelectorAll('#slots tbody th')[50].getBoundingClientRect();
    const cells = document.querySelectorAll('#slots tbody td');
    return JSON.stringify([cells.length, first.left === box.getBoundingClientRect().left + 1,
      document.documentElement.scrollWidth <= innerWidth]);
    """
    seen = Tables(dump(page, tmp_path, script=script))
    assert json.loads(seen.output) == [(columns + 1) * (rows + 1), True, True]
    assert len(seen.tables["slots"]) == rows + 2


def test_output_to_a_file(tmp_path: Path) -> None:
    shop = _shop(tmp_path)
    for form in ("text", "html", "svg", "json"):
        printed = run("matrix", "--no-cache", "size", "--output-format", form, cwd=shop).stdout
        done = run(
            "matrix",
            "--no-cache",
            "size",
            "--output-format",
            form,
            "-o",
            "out",
            cwd=shop,
            env=environment(FORCE_COLOR="1"),
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert (shop / "out").read_text(encoding="utf-8") == printed
