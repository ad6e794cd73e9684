"""With contracts alone, only the files are read that may define their classes: the report is that of reading all of them."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from sigcheck import inspection, lineage, reading
from sigcheck.checking import run_check
from sigcheck.config import Configuration
from sigcheck.core.contract import Contract
from sigcheck.errors import SigcheckError
from sigcheck.lineage import Lineage
from sigcheck.report.machine import render_json
from tests.running import write
from tests.test_scan import corpus_of

BASE = "class Base:\n    def run(self, x): ...\n"
KID = "    def run(self): ...\n"
REST = "class Rest:\n    def run(self): ...\n"


@pytest.fixture(autouse=True)
def _small_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "WORTH", 9)


class Seen:
    """The files that were parsed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read: list[str] = []
        read = reading._Reader.read

        def counting(reader: object, request: reading.ReadRequest) -> object:
            self.read.append(request.shown)
            return read(reader, request)  # type: ignore[arg-type]

        monkeypatch.setattr(reading._Reader, "read", counting)


def told(directory: Path, *contracts: Contract, **settings: object) -> str:
    configuration = Configuration(root=directory, cache_dir=None, contracts=contracts, **settings)  # type: ignore[arg-type]
    try:
        report = run_check(configuration)
    except SigcheckError as error:
        return f"{type(error).__name__}: {error}"
    return render_json(report, "") + repr(report)


def told_of_all(directory: Path, *contracts: Contract, **settings: object) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspection, "_inspect_family", lambda *_, **__: None)
        return told(directory, *contracts, **settings)


WAYS = {
    "directly": {"kid.py": f"from base import Base\nclass Kid(Base):\n{KID}"},
    "an attribute": {"kid.py": f"import base\nclass Kid(base.Base):\n{KID}"},
    "as": {"kid.py": f"from base import Base as B\nclass Kid(B):\n{KID}"},
    "as, on lines of their own": {"kid.py": f"from base import (\n    Base  # the base\n    as B,\n)\nclass Kid(B):\n{KID}"},
    "a re-export": {"pkg/__init__.py": "from base import Base as Root\n", "kid.py": f"from pkg import Root\nclass Kid(Root):\n{KID}"},
    "a star": {"pkg/__init__.py": "from base import *\n", "kid.py": f"from pkg import *\nclass Kid(Base):\n{KID}"},
    "an assignment": {"names.py": "import base\nRoot = base.Base\n", "kid.py": f"from names import Root\nclass Kid(Root):\n{KID}"},
    "an annotated one": {"kid.py": f"from base import Base\nB: type = Base\nclass Kid(B):\n{KID}"},
    "several": {"kid.py": f"from base import Base\nA = B = Base\nclass Kid(B):\n{KID}"},
    "a tuple": {"kid.py": f"from base import Base\nA, B = object, Base\nclass Kid(B):\n{KID}"},
    "brackets": {"kid.py": f"from base import Base\n(A, B) = (\n    object,\n    Base,\n)\nclass Kid(B):\n{KID}"},
    "a comment between": {"kid.py": f"from base import Base\nB = (\n    # (see there\n    Base\n)\nclass Kid(B):\n{KID}"},
    "a test": {"kid.py": f"from base import Base\nB = Base if len('(') else object\nclass Kid(B):\n{KID}"},
    "the other side": {"kid.py": f"from base import Base\nB = object() if len('(') else (Base)\nclass Kid(B):\n{KID}"},
    "or": {"kid.py": f"from base import Base\nB = None or Base\nclass Kid(B):\n{KID}"},
    "a subscript": {"kid.py": f"from base import Base\nB = Base[int]\nclass Kid(B[int]):\n{KID}"},
    "in the header": {"kid.py": f"from base import Base\nclass Kid(Base if len(':') else object):\n{KID}"},
    "with brackets in it": {"kid.py": f"from base import Base\nclass Kid(Base[{{'a': 1}}], metaclass=type):\n{KID}"},
    "with_metaclass": {"kid.py": f"import base, six\nclass Kid(six.with_metaclass(type, base.Base)):\n{KID}"},
    "a function": {"kid.py": f"from base import Base\ndef make():\n    B = Base\n    class Kid(B):\n    {KID.replace('d', '    d', 1)}"},
    "a class around": {
        "names.py": "import base\nclass Names:\n    Root = base.Base\n",
        "kid.py": f"from names import Names\nclass Kid(Names.Root):\n{KID}",
    },
    "between": {"mid.py": "from base import Base\nclass Mid(Base): ...\n", "kid.py": f"import mid\nclass Kid(mid.Mid):\n{KID}"},
    "a backslash": {"kid.py": f"from base import Base\nclass \\\n  Kid(Base):\n{KID}"},
    "lines that end otherwise": {"kid.py": f"from base import Base\nclass Kid(Base):\n{KID}".replace("\n", "\r")},
    "another encoding": {"kid.py": "# coding: utf-7\nfrom base import +AEI-ase\nclass Kid(+AEI-ase):\n" + KID},
    "a name in another script": {"kid.py": f"from base import Base as Bäse\nclass Kid(Bäse):\n{KID}"},
    "a module in another script": {"bäse.py": "from base import *\n", "kid.py": f"import bäse\nB = bäse.Base\nclass Kid(B):\n{KID}"},
    "a try": {"kid.py": f"try:\n    from base import Base as B\nexcept ImportError:\n    B = object\nclass Kid(B):\n{KID}"},
    "a mixin that is not of it": {
        "mixin.py": "class Mixin:\n    def run(self): ...  # type: ignore[override]\n",
        "kid.py": "from base import Base\nfrom mixin import Mixin\nclass Kid(Mixin, Base): ...\n",
    },
    "a comment elsewhere": {"kid.py": f"from base import Base\nclass Kid(Base):\n{KID}", "rest.py": "# sigcheck: ignore[nonsense]\n"},
    "a cycle": {"kid.py": f"from base import Base\nclass Kid(Base, Other):\n{KID}class Other(Kid): ...\n"},
    "no kid": {},
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_name_a_base_is_found(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = {"base.py": BASE, "rest.py": REST, "far.py": "import far.away\nclass Far(far.away.Off): ...\n", **WAYS[way]}
    write(tmp_path, {name: content.encode() for name, content in files.items()})
    for settings in ({}, {"respect_type_ignores": True}, {"strict_resolve": True}):
        assert told(tmp_path, Contract("Base"), **settings) == told_of_all(tmp_path, Contract("Base"), **settings)
    if way != "no kid":
        assert "Kid" in told(tmp_path, Contract("Base"))


def test_what_has_nothing_to_do_with_a_contract_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    used = "from base import Base\ndef use(x: Base, *others: Base) -> list[Base]:\n    return [Base(), isinstance(x, Base)]\n"
    prose = '"""The Base, and Base."""\n# a Base (Base, base)\nclass Rest:\n    def run(self): return "Base"\n'
    write(tmp_path, {"base.py": BASE, "kid.py": f"from base import Base\nclass Kid(Base):\n{KID}", "mid.py": REST})
    write(tmp_path, {"used.py": used, "rest.py": prose, "broken.py": "class (:\n", "broken_too.py": "Base = (\n"})
    seen = Seen(monkeypatch)
    report = told(tmp_path, Contract("Base"))
    assert seen.read == ["base.py", "kid.py"]
    assert '"files": 7' in report, "they were searched"
    assert '"classes": 2' in report


@pytest.mark.parametrize("base", ["Nobody", "base.Nobody", "far.Base", "Enum"])
def test_a_base_that_is_not_in_the_files_has_all_of_them_read(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"base.py": BASE, "kid.py": "import enum\nclass Kid(enum.Enum):\n    def name(self): ...\n"})
    seen = Seen(monkeypatch)
    answer = told(tmp_path, Contract(base))
    assert {"base.py", "kid.py"} <= set(seen.read)
    assert answer == told_of_all(tmp_path, Contract(base))


def test_a_base_of_the_files_is_meant_and_none_of_its_name_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(
        tmp_path, {"lib/far.py": BASE, "p/base.py": BASE, "p/kid.py": f"from base import Base\nclass Kid(Base):\n{KID}"}
    )
    write(tmp_path, {"p/other.py": f"import far\nclass Sub(far.Base):\n{KID}"})
    answer = told(tmp_path, Contract("Base"), search_paths=("lib",), paths=("p",))
    assert "Kid.run" in answer
    assert "Sub.run" not in answer
    assert answer == told_of_all(tmp_path, Contract("Base"), search_paths=("lib",), paths=("p",))
    (tmp_path / "p/base.py").unlink()
    assert "Sub.run" in told(tmp_path, Contract("Base"), search_paths=("lib",), paths=("p",))


# Random trees.

FILES = ("base", "a", "b", "c", "pkg/__init__", "pkg/d", "pkg/e", "f")
NAMES = ("Base", "Root", "Kid", "Mid", "Other", "Base2")

ASSIGNMENTS = (
    "{} = {}",
    "{}: type = {}",
    "{} = ({})",
    "x, {} = 1, {}",
    "{} = None or {}",
    "{} = {} if x else y",
    "{} = x() if y else {}",
    "{} = (\n  # a comment\n  {}\n)",
    "[{}] = [{}]",
    "z = {} = {}",
    "{} = {}()",
)


def random_file(random: Random, own: str) -> str:
    lines: list[str] = []
    modules = [name.replace("/", ".").removesuffix(".__init__") for name in FILES if name != own]
    known = ["object"]
    for _ in range(random.randint(1, 7)):
        module, name, new = random.choice(modules), random.choice(NAMES), random.choice(NAMES)
        kind = random.randrange(12)
        value = random.choice(known)
        if kind == 0:
            lines.append(f"from {module} import {name}")
            known.append(name)
        elif kind == 1:
            lines.append(
                random.choice(("from {} import {} as {}", "from {} import ({}\n  as {},)")).format(module, name, new)
            )
            known.append(new)
        elif kind == 2:
            lines.append(f"import {module}")
            known.append(f"{module}.{name}")
        elif kind == 3:
            lines.append(f"import {module} as m")
            known.append(f"m.{name}")
        elif kind == 4:
            lines.append(f"from {module} import *")
            known.append(name)
        elif kind == 5:
            form = random.choice(ASSIGNMENTS)
            lines.append(form.format(new, value))
            known.append(new)
        elif kind == 6:
            lines.append(f"def make_{new}():\n    B = {value}\n    class {new}(B):\n        def run(self): ...")
        elif kind == 7:
            lines.append(f"class Names:\n    {new} = {value}")
            known.append(f"Names.{new}")
        else:
            bases = ", ".join(dict.fromkeys(random.choice(known) for _ in range(random.randint(1, 2))))
            mark = random.choice(("", "", "", "  # sigcheck: ignore[missing-parameter]", "  # type: ignore[override]"))
            head = random.choice(("class {}({}):{}", "class {}(\n    {},\n):{}", "class {}({}, k={{1: 2}}):{}"))
            lines.append(head.format(new, bases, mark))
            lines.append(f"    def run(self, {random.choice(('x', 'y', '*a', 'x, z'))}): self.run(1)")
            known.append(new)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", range(60))
def test_random_trees(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    random = Random(seed)
    write(tmp_path, {f"{name}.py": random_file(random, name) for name in FILES})
    with open(tmp_path / "base.py", "a") as file:
        file.write("class Base:\n    def run(self, x): ...\n")
    settings = random.choice(({}, {}, {"respect_type_ignores": True}))
    for contracts in (
        (Contract("Base"),),
        (Contract("base.Base", siblings=(("run", "go"),)), Contract("Kid", honour=("x",))),
    ):
        assert told(tmp_path, *contracts, **settings) == told_of_all(tmp_path, *contracts, **settings)


def test_the_random_trees_have_families() -> None:
    found = 0
    for seed in range(60):
        random = Random(seed)
        texts: dict[str, bytes | None] = {name: random_file(random, name).encode() for name in FILES}
        chosen = Lineage(["Base"]).collect(texts, lambda _: ())
        found += chosen is not None and 1 < len(chosen) < len(FILES)
    assert found > 30


# Real packages.


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "base", "is_confined"),
    [
        ("fsspec", "AbstractFileSystem", False),
        ("fsspec", "AbstractBufferedFile", True),
        ("sglang", "AttentionBackend", True),
        ("sglang", "QuantizationConfig", True),
        ("sglang", "BaseGrammarBackend", True),
        ("transformers", "PreTrainedModel", False),
        ("transformers", "GenerationMixin", False),
    ],
)
def test_corpora(name: str, base: str, *, is_confined: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "WORTH", 0.5)
    directory = corpus_of(name)
    monkeypatch.chdir(directory)
    found: list[bool] = []
    inspect_family = inspection._inspect_family

    def noting(*arguments: object, **words: object) -> object:
        result = inspect_family(*arguments, **words)  # type: ignore[arg-type]
        found.append(result is not None)
        return result

    monkeypatch.setattr(inspection, "_inspect_family", noting)
    answer = told(directory, Contract(base, honour=()))
    assert found == [is_confined], "most of a package is worth no search"
    assert answer == told_of_all(directory, Contract(base, honour=()))
