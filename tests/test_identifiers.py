"""Names that are written in several ways are one to Python, and to sigcheck: what it says of a text is what it says of the same
text in normal form. The interpreter tells which names are one, by really running the text.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import unicodedata
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigcheck.core import identifiers
from sigcheck.core.identifiers import is_plain
from tests.running import lines, report, run, write

SPELLINGS = (
    ("\u00b5", "\u03bc"),  # micro sign, mu
    ("cafe\u0301", "caf\u00e9"),
    ("\ufb01t", "fit"),
    ("\u017fcale", "scale"),
    ("\U0001d4c0", "k"),
    ("\u0958\u093f", "\u0915\u093c\u093f"),  # of three characters, of which two are no letters to `re`
)
"""The same name in two ways, of which the second is Python's own."""

PARAMETER = """\
class Base:
    def run(self, one, x): ...

class Kid(Base):
    def run(self, two, x): ...

class Grandkid(Kid):
    def run(self, x, one): ...
"""

METHOD = """\
class Base:
    def one(self, x): ...

class Kid(Base):
    def two(self): ...

class Grandkid(Kid):
    two = None
"""

CLASS = """\
class one:
    def run(self, x): ...

class Kid(two):
    def run(self): ...
"""

CALL = """\
class Base:
    def apply(self, x):
        y = self.two(x, two=1)
        return self.one(x, one=1, two_=2)

    def one(self, x, one=0, **kwargs):
        return kwargs

class Kid(Base):
    def two(self, x): ...

class Other(Base):
    def one(self, x, two=0): ...
"""

RECEIVER = """\
class Base:
    def apply(one, x):
        return two.run(
            x,
            1,
        )

    def run(self, x, y): ...

class Kid(Base):
    def run(self, x): ...

class Other(Base):
    def apply(self, x):
        setattr(self, "run", x)
        return [(one := x), super().apply(one), self.run(x, two, 2)]
"""

CATCH_ALL = """\
class Base:
    def run(self, x, y): ...

class Kid(Base):
    def run(self, x, **one):
        return f"{two}"

class Other(Base):
    def run(self, x, *args, **one):
        if x:
            return x
        return two, args

class Third(Base):
    def run(self, x, **two):
        return self.one
"""

BRANCH = """\
one = 1
if two:
    class Base:
        def run(self, x): ...
else:
    class Base:
        def run(self, x, y): ...

class Kid(Base):
    if not one:
        def run(self): ...
    else:
        def run(self, x=one): ...
"""

HONOUR = """\
class Base:
    def run(self, one, x): ...

class Kid(Base):
    def run(self, two, x):
        return one

class Other(Base):
    def run(self, two, x):
        if two is None:
            return x
        return [one] if two is not None else 1

class Silent(Base):
    def run(self, two, x):  # sigcheck: ignores[one]
        return x

class Bad(Base):
    def run(self, one, x):
        if x:
            return 1
        return two
"""
TEXTS = {name: text for name, text in globals().items() if name.isupper() and isinstance(text, str) and "one" in text}
CONTRACTS = {
    "HONOUR": "[[contracts]]\nbase = 'mod.Base'\nmethods = ['run']\nhonour = ['one']\n",
    "METHOD": "[[contracts]]\nbase = 'mod.Base'\nmethods = ['one']\n",
    "CLASS": "[[contracts]]\nbase = 'mod.one'\n",
}


def spelled(text: str, one: str, two: str) -> str:
    return re.sub(r"\b(one|two)(?=\b|_)", lambda found: one if found[1] == "one" else two, text)


def executed(text: str) -> dict[tuple[str, str], object]:
    module = ModuleType("mod")
    exec(compile(text, "mod.py", "exec"), vars(module))
    return {
        (name, member): inspect.signature(value) if callable(value) else value
        for name, entry in vars(module).items()
        if inspect.isclass(entry)
        for member, value in vars(entry).items()
        if not member.startswith("__")
    }


def told(directory: Path, text: str, contracts: str) -> list[tuple[Any, ...]]:
    write(directory, {"mod.py": text, "sigcheck.toml": contracts})
    found = report("--select", "ALL", cwd=directory)["diagnostics"]
    return [(entry["rule"], entry["line"], entry["message"], _behind(entry, text.split("\n"))) for entry in found]


def _behind(entry: Any, written: list[str]) -> str:
    """What stands behind the place of a diagnostic, in normal form."""
    return unicodedata.normalize("NFKC", written[entry["line"] - 1][entry["column"] - 1 :])


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
def test_a_name_in_another_form(name: str, spelling: tuple[str, str], tmp_path: Path) -> None:
    plain = spelled(TEXTS[name], spelling[1], spelling[1])
    expected = told(tmp_path, plain, spelled(CONTRACTS.get(name, ""), spelling[1], spelling[1]))
    ascii_only = told(tmp_path, spelled(TEXTS[name], "name", "name"), spelled(CONTRACTS.get(name, ""), "name", "name"))
    assert expected
    assert [entry[:2] for entry in expected] == [entry[:2] for entry in ascii_only]
    assert is_plain(plain) is (re.fullmatch(r"\w+", spelling[1]) is not None)
    for one, two in itertools.product(spelling, repeat=2):
        text = spelled(TEXTS[name], one, two)
        assert executed(text) == executed(plain)
        for contract in {one, two}:
            assert told(tmp_path, text, spelled(CONTRACTS.get(name, ""), contract, contract)) == expected


@pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
def test_an_import_in_another_form(spelling: tuple[str, str], tmp_path: Path) -> None:
    one, two = spelling
    base, kid = "class Base:\n    def run(self, x, y): ...\n", "    def run(self, x): ...\n"
    write(
        tmp_path,
        {
            f"{two}.py": base,
            "a.py": f"from {one} import Base\nclass Kid(Base):\n{kid}",
            "b.py": f"import {one}\nclass Kid({two}.Base):\n{kid}",
            "c.py": f"import {one} as m\nclass Kid(m.Base):\n{kid}",
            "d.py": f"from a import Base as {one}\nclass Kid({two}):\n{kid}",
        },
    )
    found = lines("--show-unresolved", cwd=tmp_path, status=1)
    assert [line.partition(":")[0] for line in found] == ["a.py", "b.py", "c.py", "d.py"]


def test_a_family_whose_names_are_written_in_other_letters(tmp_path: Path) -> None:
    """ASCII names too can be written in letters that are not; the search for a family's files finds them."""
    files = {f"pad{index}.py": "x = 1\n" * 200 for index in range(4)}
    files["base.py"] = "class Base:\n    def run(self, x): ...\n"
    files["kid.py"] = "from base import \uff22ase\nclass Kid(\uff22ase):\n    def run(self): ...\n"
    files["sigcheck.toml"] = "scope = 'contracts'\n[[contracts]]\nbase = 'base.\uff22ase'\n"
    found = lines(cwd=write(tmp_path, files), status=1)
    assert found == ["kid.py:3:9: error: Kid.run cannot receive x [missing-parameter]"]


def test_a_matrix_of_a_name_in_another_form(tmp_path: Path) -> None:
    write(tmp_path, {"mod.py": "class Caf\u00e9:\n    def \u03bc(self, x): ...\n"})
    done = run("matrix", "Cafe\u0301.\u00b5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Caf\u00e9.\u03bc" in done.stdout


PIECES = ["µ", " = ", "'µ'", '"#µ"', "# µ\n", "\n", "f'{µ}'", "f'µ'", 'f"{d["a"]} # {µ}"', '"""', "'''", "a", "rf'{µ}'"]
PIECES += ["\\", "'", '"', "(", ")", "  ", "x µ", "b'b'"]


@settings(max_examples=2000, deadline=None)
@given(text=st.lists(st.sampled_from(PIECES), min_size=1, max_size=9).map("".join))
def test_what_stands_in_strings_for_certain_is_no_name(text: str) -> None:
    if is_program(text) and identifiers._is_code_plain(text):
        assert identifiers._are_names_plain(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1  # µ ① ²\n", True),
        ('def f():\n    """Of µ."""\n', True),
        ("x = 'µ' + f'{1} a'\n", True),
        ("µ = 1\n", False),
        ("x = 'a' + µ\n", False),
        ("x = f'{µ}'\n", False),
        ("é = 1  # already as Python compares it\n", True),
    ],
)
def test_what_counts_are_names(text: str, expected: bool) -> None:
    assert is_plain(text) is expected


def is_program(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError):
            return False
    return True
