"""Of the classes above a suspect is read what is in doubt: where they are read whole, mypy says the same, byte for byte."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mypy.nodes import MypyFile

from sigcheck.core.module import Module
from sigcheck.mypy_plugin import others, verdicts
from sigcheck.mypy_plugin.excerpts import excerpt, excerpt_of_methods, statements_of
from sigcheck.mypy_plugin.others import Others
from sigcheck.mypy_plugin.suspicion import Suspect, Suspicion
from sigcheck.mypy_plugin.written_calls import STRING_OR_COMMENT
from sigcheck.readers.mypy_nodes import ReadModule, read_module
from tests.mypy_plugin.programs import CONFIGURATION, QUIET, REMARKED, is_program, same_in_both
from tests.running import write

pytestmark = REMARKED


@contextmanager
def everything_in_doubt() -> Iterator[None]:
    """Of the same suspects, everything is."""
    suspects = Suspicion.suspects

    def all_of_them(self: Suspicion) -> list[Suspect]:
        return [Suspect(suspect.definition) for suspect in suspects(self)]

    Suspicion.suspects = all_of_them  # type: ignore[method-assign]
    try:
        yield
    finally:
        Suspicion.suspects = suspects  # type: ignore[method-assign]


def hold(directory: Path, *targets: str) -> str:
    """Hold two runs of mypy against each other; what both say."""
    return same_in_both(directory, targets, everything_in_doubt())


HEADS = [
    "self, a",
    "self, a, b",
    "self, b, a",
    "self, a, c",
    "self, a, b=1",
    "self, a, *, b",
    "self, a, *rest",
    "self, **more",
    "self, a, *rest, **more",
    "self, *rest, **more",
    "\n        self,\n        a,  # type: ignore[override]\n        b,  # sigcheck: ignore[swallowed-argument]\n    ",
]
BODIES = ["return 1", "return 1", "return a", "raise NotImplementedError", "self.c = 1"]
CALLS = [
    "return self.run(1)",
    "return self.run(1, b=2)",
    "return self.go(a=1, b=2)",
    "return Top.run(self, 1, 2)",
    '"""Doc.\n\n    def run(self, c): ...\n        """\n        return self.stop(1)',
    "x = '''\ndef go(self, c):\n'''\n        return x",
    "def inner(self):\n            return self.run(1)\n        return inner",
]
COMMENTS = [
    "  # type: ignore[override]",
    "  # sigcheck: ignore[renamed-parameter, missing-parameter, extra-required-parameter, variadic-removed]",
    "  # sigcheck: ignore[swallowed-argument]",
]
DECORATORS = [
    "@staticmethod",
    "@staticmethod",
    "@classmethod",
    "@property",
    "@abstractmethod",
    "@deco",
    "@deco(1)",
    "@deco\n    @abstractmethod",
    "@deco(\n        1\n    )",
]
STATEMENTS = [
    '    """Doc.\n\n    def run(self, c): ...\n    """\n',
    '    """Doc of c."""\n',
    "    x = 1\n",
    "    x = [\n    1\n    ]\n",
    "    go = run\n",
    "    stop = lambda self, c: c\n",
    "    run: int\n",
    "    go = None\n",
    "    class Inner:\n        def run(self, c): ...\n",
]
WILD_HEADS = ["self", "self, a, /, b", "a, b", ""]
WILD_BODIES = ["return type(self).run(self, 1)", "return super().run(1)", "return self.run(*a)"]
WILD = [
    "\n\ndef run(c): ...\nTop.run = run\n",
    "\n\nclass Other:\n    def run(self, c): ...\n",
    "\n\ntry:\n    import nowhere\nexcept ImportError:\n    class Top: ...\n",
]


def seldom(values: list[str], often: str = "", times: int = 8) -> st.SearchStrategy[str]:
    """One of the values, mostly the other one."""
    return st.one_of(*[st.just(often)] * times, st.sampled_from(values))


@st.composite
def methods(draw: st.DrawFn, *, is_own: bool, is_wild: bool) -> str:
    """What stands in a class."""
    statement = seldom(STATEMENTS) if is_wild else seldom(STATEMENTS[:4])
    parts = [draw(statement)]
    names = draw(st.lists(st.sampled_from(["run", "go", "stop", "other"]), min_size=1, max_size=4, unique=not is_wild))
    for name in names:
        decorator = draw(seldom(DECORATORS if is_wild or not is_own else DECORATORS[:1], times=16))
        word = draw(seldom(["async def"], "def")) if is_wild else "def"
        head = draw(st.sampled_from([*HEADS, *(WILD_HEADS if is_wild else [])]))
        if decorator == "@staticmethod":
            head = head.replace("self, ", "").replace("self,", "")
        if is_own:
            head = head.replace("sigcheck:", "")
        comment = "" if is_own else draw(seldom(COMMENTS))
        bodies = [*BODIES * 4, *([] if is_own else CALLS), *(WILD_BODIES if is_wild else [])]
        above = f"    {decorator}\n" if decorator else ""
        parts.append(f"{above}    {word} {name}({head}):{comment}\n        {draw(st.sampled_from(bodies))}\n")
        parts.append(draw(st.sampled_from(["", "\n", "    # between\n", "# at the margin\n"])))
    parts.append(draw(statement))
    return "".join(parts)


@st.composite
def families(draw: st.DrawFn) -> dict[str, str]:
    """Four modules, the last of which has what the others are read for; by what stands behind their numbers."""
    is_wild = draw(st.sampled_from([False] * 4 + [True]))
    intro = "from abc import abstractmethod\ndef deco(*x): return x[-1]\n\n"
    top, mid, side = (draw(methods(is_own=False, is_wild=is_wild)) for _ in range(3))
    behind = draw(seldom(WILD)) if is_wild else ""
    above_mid = draw(st.sampled_from(["(Top)", "(Top)", ""]))
    above_side = draw(st.sampled_from(["(Top)", "", "(\n    Top\n)", "(\n    Top,  # The first.\n)"]))
    bases = draw(st.sampled_from(["Mid", "Mid", "Mid", "Side, Mid", "Mid, Side", "Top", "Side"]))
    return {
        "top": f"{intro}class Top:\n{top}{behind}",
        "mid": f"{intro}from top import Top\n\nclass Mid{above_mid}:\n{mid}",
        "side": f"{intro}from top import Top\n\nclass Side{above_side}:\n{side}",
        "sub": (
            f"{intro}from mid import Mid\nfrom side import Side\nfrom top import Top\n\n"
            f"class Sub({bases}):\n{draw(methods(is_own=True, is_wild=is_wild))}"
        ),
    }


def programs(drawn: list[dict[str, str]]) -> dict[str, str]:
    """The modules of all families; of every third one, all in one."""
    files = {}
    for number, family in enumerate(drawn):
        if not all(map(is_program, family.values())):
            continue
        if number % 3 == 0:
            text = re.sub(r"from (top|mid|side) import \w+\n", "", "\n".join(family.values()))
            files[f"all{number}.py"] = text.replace("sigcheck:", "")
        else:
            for name, text in family.items():
                files[f"{name}{number}.py"] = re.sub(r"\bfrom (top|mid|side)\b", rf"from \g<1>{number}", text)
    return files


def hold_families(drawn: list[dict[str, str]], setting: str, directory: Path) -> None:
    """Hold the runs over some families against each other."""
    files = programs(drawn)
    write(directory, {"mypy.ini": CONFIGURATION, "sigcheck.toml": setting, **files})
    if files:
        hold(directory, *sorted(files))


SETTINGS = st.sampled_from(
    ["repeat-mypy = true\n", "repeat-mypy = false\n", "repeat-mypy = true\nrespect-type-ignores = true\n"]
)


@settings(max_examples=5, deadline=None, suppress_health_check=QUIET)
@given(drawn=st.lists(families(), min_size=12, max_size=12), setting=SETTINGS)
def test_random_families(drawn: list[dict[str, str]], setting: str, tmp_path: Path) -> None:
    hold_families(drawn, setting, tmp_path)


@pytest.mark.long
@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(drawn=st.lists(families(), min_size=20, max_size=20), setting=SETTINGS)
def test_many_random_families(drawn: list[dict[str, str]], setting: str, tmp_path: Path) -> None:
    hold_families(drawn, setting, tmp_path)


ABOVE = {
    "a swallowed argument": (
        "    def step(self, a, b): ...\n\n    def other(self, c): ...\n",
        "    def step(self, a, **rest):\n        return 1\n",
        {"step"},
    ),
    "a new name that nobody has": (
        "    def step(self, a): ...\n\n    def other(self, b): ...\n",
        "    def step(self, c): ...\n",
        {"step"},
    ),
    "a new name that another method has": (
        "    def step(self, a): ...\n\n    def other(self, a, c): ...\n\n    def idle(self): ...\n",
        "    def step(self, c): ...\n",
        {"step", "other"},
    ),
    "a method that calls the one in doubt": (
        "    def step(self, a, b): ...\n\n    def go(self):\n        self.step(1, b=2)\n\n    def idle(self): ...\n",
        "    def step(self, a): ...\n",
        {"step", "go"},
    ),
    "a comment on it": (
        "    def step(  # sigcheck: ignore[missing-parameter]\n        self,\n        a,\n        b,\n    ): ...\n",
        "    def step(self, a): ...\n",
        {"step"},
    ),
    "a comment on a parameter": (
        "    def step(\n        self,\n        a,\n        b,  # sigcheck: ignore[missing-parameter]\n    ): ...\n",
        "    def step(self, a): ...\n",
        {"step"},
    ),
    "a static method, and calls on an object": (
        "    def step(self, a, b): ...\n\n    def go(self):\n        self.step(1, b=2)\n",
        "    @staticmethod\n    def step(*args, **rest):\n        return 1\n",
        {"step"},
    ),
    "a static method, and calls on the class": (
        "    def step(self, a, b): ...\n\n    def go(self):\n        type(self).step(self, 1, b=2)\n\n    def idle(self): ...\n",
        "    @staticmethod\n    def step(*args, **rest):\n        return 1\n",
        {"step", "go", "idle"},
    ),
    "a decorator": (
        "    @deco\n    def step(self, a, b): ...\n\n    def other(self, c): ...\n",
        "    def step(self, a, **rest):\n        return 1\n",
        {"step"},
    ),
    "a decorator on several lines": (
        "    @deco(\n        1\n    )\n    def step(self, a, b): ...\n\n    def other(self, c): ...\n",
        "    def step(self, a, **rest):\n        return 1\n",
        {"step", "other"},
    ),
    "a decorator that the class defines": (
        "    mine = deco\n\n    @mine\n    def step(self, a, b): ...\n\n    def other(self, c): ...\n",
        "    def step(self, a, **rest):\n        return 1\n",
        {"mine", "step", "other"},
    ),
    "an alias that mentions it": (
        "    def step(self, a): ...\n\n    other = lambda self, a, c: 1\n\n    def idle(self): ...\n",
        "    def step(self, c): ...\n",
        {"step", "other", "idle"},
    ),
    "documentation that looks like it": (
        '    """Doc.\n\n    def step(self, c): ...\n    """\n\n    def step(self, a, b): ...\n\n    def other(self, c): ...\n',
        "    def step(self, a, **rest):\n        return 1\n",
        {"step", "other"},
    ),
}


@pytest.mark.parametrize("kind", ABOVE)
def test_what_is_read_of_the_class_above(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    above, below, wanted = ABOVE[kind]
    read: list[set[str]] = []  # In the first run, and where there is more to read, in the second.
    scan_text = Others._scan_text

    def noted(self: Others, text: str, tree: MypyFile) -> Module | None:
        module = scan_text(self, text, tree)
        assert module is not None
        if tree.fullname == "top":
            read.append({member.name for entry in module.classes for member in entry.members})
        return module

    monkeypatch.setattr(Others, "_scan_text", noted)
    monkeypatch.setattr(others, "_scanned", {})
    write(
        tmp_path,
        {
            "mypy.ini": CONFIGURATION,
            "sigcheck.toml": "repeat-mypy = true\n",
            "top.py": f"def deco(f, *_): return f\n\n\nclass Top:\n{above}",
            "mid.py": "from top import Top\n\n\nclass Mid(Top):\n    def idle(self): ...\n",
            "sub.py": f"from mid import Mid\n\n\nclass Sub(Mid):\n{below}",
        },
    )
    told = hold(tmp_path, "top.py", "mid.py", "sub.py")
    assert ("-binding]" in told) == ("comment" not in kind)
    assert read[0] == wanted


OWN = {
    "a swallowed argument": {"step"},
    "a new name that nobody has": {"step"},
    "a new name that another method has": {"step", "other"},
    "a method that calls the one in doubt": {"step", "go"},
    "a static method, and calls on the class": {"step", "go", "idle"},
    "a decorator": {"step"},
    "a decorator on several lines": {"step"},
    "a decorator that the class defines": {"mine", "step"},
    "an alias that mentions it": {"step", "other"},
    "documentation that looks like it": {"step"},
}


@pytest.mark.parametrize("kind", OWN)
def test_what_is_read_of_the_classes_of_a_module(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    above, below, _ = ABOVE[kind]
    read: list[dict[str, set[str]]] = []

    def noted(*given: Any, **named: Any) -> ReadModule:
        module = read_module(*given, **named)
        members = {entry.value.name: {member.name for member in entry.value.members} for entry in module.classes}
        read.append(members)
        return module

    monkeypatch.setattr(verdicts, "read_module", noted)
    more = "\n    def more(self, c):\n        return step\n"
    write(
        tmp_path,
        {
            "mypy.ini": CONFIGURATION,
            "sigcheck.toml": "repeat-mypy = true\n",
            "all.py": f"def deco(f, *_): return f\n\n\nclass Top:\n{above}\n\nclass Sub(Top):\n{below}{more}",
        },
    )
    assert "-binding]" in hold(tmp_path, "all.py")
    is_anything = "idle" in OWN[kind]
    assert read[0] == {"all.Top": OWN[kind], "all.Sub": {"step", "more"} if is_anything else {"step"}}


@pytest.mark.parametrize(
    "text",
    [
        "x = 1 + \\\n2\nclass A: ...\n",
        "x = f'{y['a']}'\nclass A: ...\n",
        'x = rf"{\'}\' + "y"}"\nclass A: ...\n',
        'x = F"""{"""y"""}"""\nclass A: ...\n',
    ],
)
def test_where_statements_are_not_certain_nothing_is_left_out(text: str) -> None:
    assert statements_of(text) == [("", "", text)]
    assert "".join(excerpt(text, "")) == text


@pytest.mark.parametrize("line", ["x = f'{y[\"a\"]}'", "x = f'{y}' 'z'", "x = '{'"])
def test_where_statements_are_certain(line: str) -> None:
    assert "".join(excerpt(f"{line}\nclass A:\n    x = 1\ndef f():\n    x = 1\n", "")) == (
        f"{line}\nclass A: pass\n\ndef f(): pass\n\n"
    )


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("    def f(self):\n        return 1\n    def g(self): ...\n", "    def f(self):\n        return 1"),
        ("    x = 1\n    def f(self,\n          a): ...\n    y = 2\n", "    def f(self,\n          a): ..."),
        ("    # Note.\n\n    async def f(self): ...\n", "    async def f(self): ..."),
        ("    def f(self):\n        x = '''\n    def g(): \"\"\"\n'''\n    z = 1\n", None),
        ("\tdef f(self):\n\t\tdef f(): ...\n\t\treturn f\n\tx = 1\n", "\tdef f(self):\n\t\tdef f(): ...\n\t\treturn f"),
        ("    def g(self, c): ...\n    def f(self): ...\n", "    def g(self, c): ...\n    def f(self): ..."),
        ("    g = c\n    def f(self): ...\n", "    def f(self): ..."),
        ("    g = lambda c: 1\n    def f(self): ...\n", ""),
        ("    def f(self): ...\n    def f(self): ...\n", ""),
        ("    def odd(self, c): ...\n    def f(self): ...\n", ""),
    ],
)
def test_an_excerpt_of_methods(body: str, left: str | None) -> None:
    text = f"import a\nclass C(a.B):  # It.\n{body}def h(): ...\n"
    short, kept = excerpt_of_methods(
        text, "C", {"f"}, re.compile(r"\bc\b"), {**dict.fromkeys("fgx", False), "deco": True, "odd": None}
    )
    expected = body.partition("\n    z")[0] if left is None else left
    assert short == (f"import a\nclass C(a.B):  # It.\n{expected}\ndef h(): pass\n" if expected else "")
    assert kept == (["f"] if "g" not in expected or "x" in expected else ["f", "g"])[: len(expected)]


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("    x = 1\n    @a\n    def d(self): ...\n    y = 2\n", "    @a\n    def d(self): ..."),
        (
            "    def f(self): ...\n\n    @a(1)  # It.\n    @b.c\n    def d(self): ...\n",
            "    @a(1)  # It.\n    @b.c\n    def d(self): ...",
        ),
        ("    @b\n    def f(self): ...\n    def d(self): ...\n", ""),
        ("    @a(\n        1\n    )\n    def d(self): ...\n", ""),
        ("    @a(\n        1\n    )\n    @b\n    def d(self): ...\n", ""),
        ("    @a. \\\n    b\n    def d(self): ...\n", ""),
        ("    @a\n    # Note.\n    def d(self): ...\n", ""),
        ("    @f\n    def d(self): ...\n", ""),
        ("    @x.f\n    def d(self): ...\n", ""),
        ("    @a\n    def d(self): ...\n    @d.f\n    def d(self): ...\n", ""),
    ],
)
def test_decorators_are_left_with_their_method(body: str, left: str) -> None:
    text = f"import z\nclass C:\n{body}def h(): ...\n"
    short, kept = excerpt_of_methods(text, "C", {"d"}, re.compile("(?!)"), {"f": False, "x": None, "d": True})
    assert short == (f"import z\nclass C:\n{left}\ndef h(): pass\n" if left else "")
    assert kept == (["d"] if left else [])


@pytest.mark.parametrize(
    "header", ["class C(a.B, metaclass=M):", "class C (\n    a.B,\n):", "class C:", "class C(): # x"]
)
def test_a_header_is_known(header: str) -> None:
    text = f"import a\n{header}\n    x = 1\n    def f(self): ...\n    def g(self): ...\n"
    short, _ = excerpt_of_methods(text, "C", {"f"}, re.compile("(?!)"), {"f": False, "g": False})
    assert short == f"import a\n{header}\n    def f(self): ..."


@pytest.mark.parametrize(
    "header", ["class C(a.B, metaclass=M()):", "class C(\n    a.B,  # )\n):", "class C[T]:", "class C: x = 1"]
)
def test_of_any_other_header_nothing_is_left_out(header: str) -> None:
    text = f"import a\n{header}\n    def f(self): ...\n"
    assert excerpt_of_methods(text, "C", {"f"}, re.compile("(?!)"), {"f": False, "g": False}) == ("", [])


@pytest.mark.parametrize(
    "piece",
    [
        '""',
        '"it is # not"',
        r'"a \" b"',
        r'"\\"',
        '"a \\\n b"',
        "''",
        "'\"'",
        '""""""',
        '"""a"b""c\n"d"""',
        r'"""a\"""b"""',
        r'"""a\\"""',
        "'''it's ''so\n'''",
        "# \"it's",
    ],
)
def test_a_string_and_a_comment_end_where_python_ends_them(piece: str) -> None:
    (token, *_) = tokenize.generate_tokens(io.StringIO(piece).readline)
    assert token.string == piece
    found = re.match(STRING_OR_COMMENT, f"{piece}\n'x'\n" + '"""y"""', re.DOTALL)
    assert found is not None
    assert found[0] == piece
