"""Three ways to read a file give the same module: libcst alone, libcst behind the outline, and the scan, which is `ast` alone."""

from __future__ import annotations

import ast
import sys
import sysconfig
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sigcheck.core.module import Module, Problem
from sigcheck.readers.source import Decorators, read_module, scan_module
from sigcheck.readers.source.outline import blank_bodies
from sigcheck.readers.source.scan import scan_text
from sigcheck.serialization import encode
from tests.spec_pages import PAGES, SPEC, Case, cases

CASES = (*cases(SPEC), *cases(PAGES))
STDLIB = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("**/*.py"))
SMALL = [path for path in STDLIB if "site-packages" not in path.parts and 0 < path.stat().st_size < 20_000]
SAMPLE = SMALL[:: max(len(SMALL) // 60, 1)]


def check_same(data: bytes, path: str) -> None:
    outlined = read(data, path, whole=False)
    scanned = scan_module(
        data, name="module", path=path, is_package=path.endswith("__init__.py"), decorators=Decorators()
    )
    if scanned is not None:
        # Also what equality of parameters leaves out: as the cache would write it.
        assert encode(Module, scanned.module) == encode(Module, outlined), path
    whole = read(data, path, whole=True)
    for mine, theirs in zip(outlined.classes, whole.classes, strict=True):
        assert mine.members == theirs.members, f"{path}: {mine.name}"
    assert outlined.functions == whole.functions, path
    assert _without_wording(outlined) == _without_wording(whole), path


def read(data: bytes, path: str, *, whole: bool) -> Module:
    return read_module(data, name="module", path=path, is_package=path.endswith("__init__.py"), whole=whole)


def _without_wording(module: Module) -> tuple[object, ...]:
    """Everything: also what equality of parameters leaves out, and with a problem only its line."""
    details = [
        (parameter.annotation, parameter.default, parameter.line)
        for entry in module.classes
        for member in entry.members
        for parameter in member.signature.parameters
    ]
    lines = [problem.place.line for problem in module.problems]
    return (module.names, module.stars, module.classes, module.functions, module.suppressions, details, lines)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_specification(case: Case) -> None:
    for path, text in case.files.items():
        if path.endswith((".py", ".pyi")):
            check_same(text.encode(), path)


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: path.name)
def test_standard_library(path: Path) -> None:
    check_same(path.read_bytes(), str(path))


ODD = {
    "one line": "class A:\n    def f(self): return self.g(1)\n    def g(self, x): x = 1; return x\n",
    "header and body share a line": "class A:\n    def f(self,\n          x): return [self.f(x)]\n",
    "call first": "class A:\n    def f(self):\n        self.g(\n            1,\n        ); return 3\n",
    "call in call": "class A:\n    def f(self):\n        return self.g(self.h(1), super().f(lambda: self.k()))\n",
    "strings over lines": 'class A:\n    def f(self):\n        self.g("""\n# no comment\n""", 1)\n        return """\n"""\n',
    "comment in a call": "class A:\n    def f(self):\n        x = self.g(  # one\n            1,  # two\n        )\n        return x\n",
    "continued": "class A:\n    def f(self):\n        x = 1 + \\\n            self.g(2)\n        return x\n",
    "unicode": 'class A:\n    def f(self):\n        "é"; x = "ééé", self.g("é", 1); y = self.h(é=2)\n',
    "tabs": "class A:\n\tdef f(self):\n\t\tif self:\n\t\t\treturn self.g(1)\n\t\treturn 2\n",
    "yield in a call": "class A:\n    def f(self):\n        x = 1\n        self.g((yield x))\n",
    "yield in a lambda": "class A:\n    def f(self):\n        x = 1\n        return lambda: (yield x)\n",
    "await": "class A:\n    async def f(self):\n        x = 1\n        return await self.g(x)\n",
    "local class": "class A:\n    def f(self):\n        x = 1\n        if x:\n            class B(A):\n                def f(self): ...\n        return B\n",
    "decorated local": "class A:\n    def f(self):\n        @trace\n        def g(): return self.h(1)\n        return g\n",
    "f-string": "class A:\n    def f(self):\n        x = 1\n        return f'{self.g(x)}'\n",
    "calls in f-strings": "class A:\n    def f(self, x):\n        x = f'a {self.g(1)} {x} {self.g(1)}' 'b' f'é{self.g( (x) , é=2)!r:>{self.h(3)}} {self.i(4)=} {{self.j(5)}}'\n        return rf'\\d {x:{self.k(6)}}' + self.l(f'{self.m(7)}')\n",
    "calls in f-strings in brackets": "class A:\n    def f(self, x):\n        x = 1\n        return ('a'\n           f'b {self.g(1)}' # c\n           f'{ self.h([2]) }{[self.i(y) for y in self.j(3)]}'), f\"{f'{self.k(4)}'}{self.l(f'{self.m(5)}')}\"\n",
    "calls in f-strings over lines": "class A:\n    def f(self, x):\n        x = 1\n        return f'''\n  é{self.g(1)}\n  {\n self.h(\n   2,\n 3)} {x\n}\n {self.i(4)} ''' + f'''{\n  self.j(5)}'''\n",
    "every route in f-strings": "class A:\n    def f(self, o):\n        return f'{A.g(self, 1)}{super().h(2)}{super(A, self).i(3)}{type(self).j(4)}{self.__class__.k(5)}{self.x.l(self)}{o.m(self, y=6)}{o.n(y=7)}'\n",
    "circumstances in f-strings": "class A:\n    def f(self, o):\n        if o: f'{self.g(1)}'\n        with raises(TypeError): o = f'{self.h(2) if self.ok else self.i(3)}{self.ok and self.j(4)}{o and self.k(5)}'\n        if f'{self.x}': return self.l(6)\n        return f'{[self.m(7) for y in o]}{(lambda self: self.n(8))}{(lambda: self.n(9))(10)}'\n",
    "receiver bound anew in an f-string": "class A:\n    def f(self, o):\n        return f'{self.g(1)}{(self := o)}'\n    def g(self, o):\n        return f'{[self.h(2) for self in o]}', self.i(3)\n",
    "what f-strings tell besides": "class A:\n    def f(self, *args, **kwargs):\n        x = 1\n        return f'{args}{signature(self.g)}{self.h is A.h}', f\"{setattr(self, 'i', 1)}\"\n    def j(self, **kwargs):\n        x = f'{locals()}'\n    def k(self):\n        x = f'{(yield)}'\n",
    "annotations": "class A:\n    def f(self, *args, **kwargs):\n        x: self.g(1, args) = self.h(2)\n        self.y: self.i(3) = 1\n        self.j(4).z: self.k(5)\n        def g(a: self.l(6), *b: kwargs, c: int = self.m(7)) -> self.n(8):\n            d: self.o(9) = self.p(10)\n        return g\n",
    "evaluated where it is defined": "class A:\n    def f(self, x):\n        @x(self.g(1))\n        @self.h(2)\n        def g(self=self.i(3), *, y=self.j(4)): return self.k(5)\n        return lambda self=self.l(6), *, y=(yield): self.m(7)\n    def n(self):\n        @x((self := 1))\n        def g(): return self.h(1)\n    def o(self, x):\n        def g(y=(yield x)): return self.h(1)\n        return 1\n    def p(self, *args):\n        @x(args)\n        class B: pass\n",
    "header of a class": "class A:\n    def f(self, x, *args):\n        @x(self.g(1))\n        @self.h(2)\n        class B(self.i(3, args), x[self.j(4)], *self.k(5), metaclass=self.l(6), **self.m(7)):\n            y = self.n(8)\n            def o(self): return self.p(9)\n        if self.x:\n            class C(self.q(10)): pass\n        return B\n    def r(self):\n        class D((yield)): pass\n",
    "evaluated late": "class A:\n    def f(self, *args):\n        type B = self.g(1, args)\n        def g[C: self.h(2)](x: C): return self.i(3)\n        return g\n",
    "quotation marks in f-strings": "class A:\n    def f(self, x):\n        return f'{x['a']}{self.g('b', f'{self.h('c')}')}{\n self.i(1) # d }\n}'\n",
    "stub": "class A:\n    def f(self):\n        '''Doc.'''\n        raise NotImplementedError\n",
    "docstring only": "class A:\n    def f(self):\n        '''Doc.\n\n        More.'''\n",
    "constants": "class A:\n    def f(self):\n        if self:\n            return ...\n        return None\n",
    "empty return": "class A:\n    def f(self):\n        if self:\n            return\n        self.g(1)\n",
    "table": "class A:\n    T = {\n        1: 2,\n    }\n    U = (\n        1\n    )\n    V = [\n    ]  # sigcheck: ignore[missing-parameter]\n",
    "semicolons": "class A:\n    def f(self):\n        x = 1; self.g(x); return x\n    y = [\n    ]; z = None\n",
    "generator in a call": "class A:\n    def f(self):\n        x = 1\n        return self.g(y for y in x)\n",
    "walrus": "class A:\n    def f(self):\n        if (x := self.g(1)) is not None:\n            return x\n",
    "suppressed within": "class A:\n    def f(self):\n        x = 1  # sigcheck: ignore[unknown]\n        return x\n",
    "global scope": "def f(self):\n    x = 1\n    return self.g(x)\n",
    "class without receiver": "class A:\n    def f():\n        x = 1\n        return super().f(x)\n",
    "form feed": "class A:\n    def f(self):\n        x = 1\n\f\n        return self.g(x)\n",
    "parenthesised": "class A:\n    def f(self):\n        x = 1\n        return (((self.g)(x)), (self).h(2))\n",
    "chained": "class A:\n    def f(self):\n        x = 1\n        return self.g(x).h(2).k(self.m(3))\n",
    "plain returns": "class A:\n    def f(self):\n        x = 1\n        if x:\n            return -1\n        return f'{x}', 1\n",
    "match": "class A:\n    def f(self, x):\n        match x:\n            case 1:\n                return self.g(x)\n        return 0\n",
    "ends without newline": "class A:\n    def f(self):\n        x = 1\n        return self.g(x)",
    "guarded": "class A:\n    def f(self, x):\n        if self.ok and x:\n            y = self.g(1)\n        elif x:\n            y = self.h(2)\n        else:\n            self.g(3); self.h(4)\n        return y\n",
    "guarded behind": "class A:\n    def f(self, x):\n        self.a()\n        if not self.ok:\n            return self.g(1)\n        for y in x:\n            self.h(y, lambda: self.k())\n        return 0\n",
    "guarded in one line": "class A:\n    def f(self, x):\n        x = 1\n        return self.g(1) if self.ok else self.h(2), x and self.i(3) and self.ok and self.j(4) or self.k(self.l(5))\n",
    "guarded by match and while": "class A:\n    def f(self, x):\n        while self.ok:\n            self.g(1)\n        match self.kind:\n            case 1:\n                self.h(2)\n        match x:\n            case 1:\n                self.i(é=2)\n",
    "tried": "class A:\n    def f(self, x):\n        try:\n            return self.g(1)\n        except (TypeError, ValueError):\n            return self.h(2)\n        finally:\n            self.i(3)\n    def k(self, x):\n        try:\n            x = self.g(1)\n        except Exception:\n            return self.h(2)\n        with raises(TypeError), x as self.y:\n            self.i(\n                3,\n            )\n",
    "never run": "class A:\n    def f(self, x):\n        if TYPE_CHECKING:\n            self.g(1)\n        if False:\n            self.h(2)\n        if 0:\n            self.h(3)\n        x = 1\n",
    "receiver bound in passing": "class A:\n    def f(self, x):\n        g(self, 1); self.h(2)\n        import self\n        def i(self): self.j(3)\n    def g(self, x):\n        y = [self.h(self) for z in self]\n        return (self\n                .i(4)), self .j(5)\n    def h(self, x):\n        with g(self) as y, (self): self.k(6)\n    def i(self, x):\n        with g(1) as [y, self]: self.k(7)\n    def j(self, x):\n        y = self = x\n        return self.k(8)\n",
    "catch-alls that are attributes": "class A:\n    def f(self, *args, **kwargs):\n        x.args = self.kwargs\n        y = 1\n    def g(self, *args):\n        y = self . args\n        return [*args]\n    def h(*args, **kwargs):\n        return f'{args}', {**kwargs}\n    def i(self, **kwargs):\n        y = vars()\n        return y\n",
    "receiver bound anew": "class A:\n    def f(self, x):\n        self.g(1)\n        for self in x:\n            self.h(2)\n    def g(self, x):\n        x = [self.h(3) for self in x]\n    def h(self, x):\n        x = 1\n        (self, x), y = self.h(4)\n",
    "raises at the end": "class A:\n    def f(self, *x):\n        m = self.g(1)\n        raise NotImplementedError(m)\n    def g(self, *x):\n        if x:\n            return 1\n        raise ValueError\n",
    "yields from": "class A:\n    def f(self, x):\n        if x:\n            return x\n        yield from x\n",
    "names that read nothing": "class A:\n    def f(self, *args, **kwargs):\n        x = g(kwargs=1)\n        x.args = lambda args: 1\n        def kwargs(args): return 1\n        return x\n",
    "names in a call": "class A:\n    def f(self, **kwargs):\n        x = 1\n        return self.g(kwargs=1, x=x.kwargs, y=lambda kwargs: 1)\n",
    "handlers in one line": "try: import a\nexcept ImportError: raise\nclass A:\n    try:\n        x = f\n    except E: raise\n",
    "a catch-all called _": "class A:\n    def f(self, *_, **kwargs):\n        x = 1\n        self.g(x)\n    def g(self, *_):\n        x = 1\n        return x\n",
    "set by name": "class A:\n    def f(self, x):\n        y = x\n        setattr(self, 'g', y)\n    def g(self, x):\n        y = self.h(x)\n        setattr(self, \"k\", y)\n",
    "a bracket around a call": "class A:\n    def f(self, x):\n        x = (\n            self.g(\n                1\n            )\n        )\n        return ((self.h(1)\n        ))\n",
    "elif and else": "if a:\n    from x import A\nelif (b and\n      c):\n    from y import A\nelse:\n    if not d:\n        from z import A\nclass B(A):\n    if a == (1): x = 1\n    elif   b  or a:\n        def f(self): return 1\n    else :  # c\n        def f(self, x): ...\n",
    "brackets": "class A:\n    def f(self, a: (int)=(1), *, b: (\n      str  # why\n      ) = (\n        (2)), **k: (int)) -> (int):\n        x = self.g((a), (yield), k=(b), *(a), **(k))\n        return self.h((x for x in a), (a)(b)), self.g(x for x in a)\n    @(deco)\n    @ deco.x (1)\n    def g(self): return (self.f)(1), (self).f(2), (\n # it's\n self.f(3))\n",
    "match in a class": "class A:\n    match (x):\n        case (1) if (y):\n            def f(self): ...\n        case 2, *z:\n            def f(self, a): ...\n        case {'a': B(c=1)} | [_]:\n            def f(self, b): ...\n",
    "try in a class": "class A:\n    try:\n        import x\n    except (A,\n        B) as e :\n        def f(self): ...\n    except C: pass\n    else:\n        def f(self, x): ...\n    finally:\n        y = 1\n",
    "bases": "import a.b\nfrom .. import c\nfrom .c import *\nclass A(a.b.C, c.D[int], *x, six.with_metaclass(M, c.E), (a or c).F, f(1) , metaclass=M): x: int; y: Required[int]\nclass A(TypedDict, total=False): x: int\nclass A: pass\n",
    "assignments": "x, (y, *z) = 1, 2\nA = B = C\nclass D:\n    f = g = A\n    a, b = staticmethod(A), classmethod(lambda cls, x: x)\n    c, *d = e\n    h = partialmethod(f, 1, k=2); i = property(f, fset=f); j = property(f, f); k = None; m = True; n: int = lambda self: 0\n    if A:\n        def o(self): ...\n    p = o\n    del f\nD.q = lambda self, x: x\nif A:\n    D.r = A\n(D.s) = A\n",
    "class in a function": "def f(x, *y):\n    class A(x):\n        def f(self): return self.g(y)\n    def g():\n        class B(A):\n            def f(self): return super(B, self).f()\n    return A\n",
    "overloads": "class A:\n    @overload\n    def f(self, x: int) -> int: ...\n    @overload\n    def f(self, x: str) -> str: ...\n    @property\n    def p(self): return 1\n    @p.setter\n    def p(self, v): self.q = v\n    @Base.r.getter\n    def r(self): ...\n    @singledispatchmethod\n    def s(self, x): ...\n    @s.register\n    def _(self, x: int): ...\n",
    "receivers": "class A:\n    def f(this, o):\n        this.g(1); o.g(2); A.g(this, 3); type(this).g(this, 4); this.__class__.g(this, 5); this.x.g(this); super(A, this).g(6)\n        def h(this): this.g(7)\n        def i(): return lambda this: this.g(8), lambda: this.g(9)\n        [this.g(10) for x in this.g(11)]\n        signature(this.f); type(this).f is A.f; this.f is not A.f\n        this.a, (this.b, *this.c) = o; this.d: int; this.e += 1; this.f2[0] = 1\n    @classmethod\n    def g(cls, *, x, **kw): return cls.f(x, **kw)\n    def h(self):\n        return [self.g(1) for self in x]\n    def i(self):\n        (self := 1) and self.g(2)\n    def j(self):\n        with x as (self, y): self.g(3)\n",
    "async": "class A:\n    async def f(self) -> AsyncIterator[int]: yield 1\n    async def g(self):\n        async with self.h(1) as x, self.i(2): pass\n        async for y in self.j(3): await self.k(y)\n        return [z async for z in self.l(4)]\n    async   def h(self): ...\n",
    "legacy positional": "class A:\n    def f(self, __a, b, __c): ...\n    def g(__self, __a, b): ...\n    def h(self, a, __b): ...\n    def i(self, __a, /, b): ...\n    def j(self, *args: *Ts, **kw: Unpack[T]): ...\n    def k(self, * args, ** kw): ...\n",
    "continued lines": "class \\\n  A \\\n  (B):\n    def \\\n      f(self): return self \\\n        .g(1)\n    if \\\n      x: y = 1\n    try \\\n      : z = 1\n    finally: pass\n",
    "generic": "class A[T: int](B[T]):\n    def f[U](self, x: U) -> T: return self.g[T](x)\ntype X = int\n",
    "identifiers": "class A:\n    def \ufb01(self, \u212b): return self.\ufb01(1)\n    def g(self): return 'x \u2026'\n",
    "not normalized, but no names": "class A:\n    def g(self, x='\ufb01'):  # \ufb01\n        '\u212b'\n        return self.h(x, '\u212b')\n",
    "not normalized in an f-string": "class A:\n    def g(self, x): return self.h(f'{self.\ufb01(x)}')\n",
    "words in another alphabet": "class A:\n    def g(self, x='\uff0c\u4e2d'): return self.\u00e9t\u00e9(x, '\u2026', \u03bb=1)\n",
    "nothing": "",
    "only a comment": "# sigcheck: ignore[unknown]",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_layouts(name: str) -> None:
    data = ODD[name].encode()
    check_same(data, "odd.py")
    check_same(data.replace(b"\n", b"\r\n"), "odd.py")


def test_the_scan_is_certain_of_what_is_common() -> None:
    """Only what is odd is left to libcst: a scan that is certain of nothing would be right, and slow."""
    odd = {name for name, text in ODD.items() if not is_scanned(text.encode())}
    assert odd == UNCERTAIN
    assert [path.name for path in SAMPLE if not is_scanned(path.read_bytes()) and not _is_odd(path.read_bytes())] == []


UNCERTAIN = {"legacy positional", "continued lines", "identifiers", "not normalized in an f-string"} | (
    {"generic", "evaluated late", "quotation marks in f-strings"} if sys.version_info < (3, 12) else set()
)  # what the interpreter's `ast` cannot parse, libcst reads


def _is_odd(data: bytes) -> bool:
    """Some Python's standard library has it: continued lines, and words that Unicode writes in two ways."""
    return b"\\\n" in data or not unicodedata.is_normalized("NFKC", data.decode(errors="replace"))


def is_scanned(data: bytes) -> bool:
    return scan_module(data, name="module", path="a.py", is_package=False, decorators=Decorators()) is not None


@pytest.mark.parametrize("aside", [1, 100])
def test_a_place_in_an_f_string_is_believed_if_the_call_stands_there(
    aside: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some Pythons before 3.12 have it elsewhere."""
    honest = ast.parse

    def lying(text: str, *, mode: str = "exec") -> ast.AST:
        tree: ast.AST = honest(text, mode=mode)
        for string in ast.walk(tree) if mode == "exec" else ():
            if isinstance(string, ast.FormattedValue):
                ast.increment_lineno(string.value, aside)
        return tree

    text = "class A:\n    def f(self, x):\n        return f'{%s.g(1)}'\n\n"
    assert is_scanned((text % "self").encode())
    monkeypatch.setattr(ast, "parse", lying)
    assert not is_scanned((text % "self").encode())
    assert is_scanned((text % "x").encode())
    words: Mapping[str, Any] = {
        "name": "m",
        "path": "a.py",
        "is_package": False,
        "decorators": Decorators(),
        "with_comments": False,
    }
    guessed = scan_text(text % "self", **words)
    assert guessed is not None
    assert guessed.classes[0].members[0].calls == ()


def test_the_outline_blanks_most_of_a_file() -> None:
    text = "class A:\n    def f(self):\n" + "        x = 1\n" * 100 + "        return self.g(x)\n"
    outlined = blank_bodies(text, "a.py")
    assert not isinstance(outlined, Problem)
    assert len(outlined.split("\n")) == len(text.split("\n"))
    assert len(outlined) < len(text) / 5
