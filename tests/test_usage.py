"""On which paths a parameter is read: tables of bodies, and the interpreter, which really goes all paths."""

from __future__ import annotations

import argparse
import ast
import configparser
import inspect
import itertools
import tarfile
import textwrap
import time
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from sigcheck.core.turn import TurnKind
from sigcheck.core.usage import Usage, UsageKind, usage_of, usages_of
from sigcheck.readers.source.certainty import reads_all
from sigcheck.readers.source.flow import read_flow

HONOURED, PARTLY, IGNORED = UsageKind.HONOURED, UsageKind.PARTLY, UsageKind.IGNORED


def usage(body: str, head: str = "def f(self, p, a, b, m, xs):") -> Usage:
    text = f"{head}\n{textwrap.indent(textwrap.dedent(body).strip(chr(10)), '    ')}\n"
    flow = read_flow(text, 1, "f.py")
    assert flow is not None, text
    return usage_of(flow, "p")


TABLE = {
    "on all": (
        "return p",
        "if a:\n    return p\nreturn g(p)",
        "if a:\n    use(p)\nelif b:\n    use(p)\nelse:\n    use(p)",
        "if a:\n    use(p)\nelse:\n    raise ValueError",
        "if a:\n    sys.exit(1)\nuse(p)",
        "if a:\n    use(p)\nelse:\n    os._exit(1)",
        "a or exit()\nreturn p",
        "raise ValueError",
        "for x in g(p):\n    pass",
        "for x in xs:\n    pass\nelse:\n    use(p)",
        "while True:\n    use(p)\n    if a:\n        break",
        "while True:\n    if a:\n        p = 1\n        continue\n    use(p)\n    if b():\n        break",
        "while use(p):\n    pass",
        "while 1:\n    if a:\n        return p",
        "try:\n    use(p)\nexcept E:\n    return 1",
        "try:\n    g()\nexcept E:\n    raise\nuse(p)",
        "try:\n    g()\nfinally:\n    use(p)",
        "try:\n    return 1\nfinally:\n    use(p)",
        "try:\n    g()\nexcept E:\n    use(p)\nelse:\n    use(p)",
        "for x in xs:\n    try:\n        continue\n    finally:\n        use(p)\nelse:\n    use(p)",
        "with g(p) as x:\n    pass",
        "with suppress(E):\n    use(p)",
        "match m:\n    case 1:\n        use(p)\n    case _:\n        use(p)",
        "match m:\n    case p.x:\n        pass\n    case _:\n        use(p)",
        "match p:\n    case 1:\n        pass",
        "match m:\n    case 1 if p:\n        return 1\n    case _:\n        use(p)",
        "return p if a else g(p)",
        "return p and a",
        "return [x for x in p]",
        "return (lambda: p)",
        "def g():\n    return p\nreturn g",
        "def g(x=p):\n    pass",
        "@deco(p)\ndef g():\n    pass",
        "class C(p):\n    pass",
        "class C:\n    x = p",
        "class C:\n    p = p",
        "class C:\n    p = 1\n    def g(self):\n        return p",
        "del p",
        "return locals()",
        "vars()",
        "yield p",
        "yield 1\nuse(p)",
        "assert p",
        "assert a\nuse(p)",
        "return f'{p}'",
        "return f'{a:{p}}'",
        "p += 1",
        "p = p or 1",
        "p.x = 1",
        "p[0] = 1",
        "if p is not None:\n    raise NotImplementedError",
        "if p is None:\n    return 1\nreturn 2",
        "if not p:\n    a = 1",
        "if bool(p):\n    a = 1",
        "if p is None or a:\n    return 1",
        "return 1 if p else 2",
        "if a == 'x':\n    use(p)\ng()\nif a != 'x':\n    use(p)",
        "if self.mode:\n    use(p)\nself.log()\nif not self.mode:\n    use(p)",
        "if a is None:\n    use(p)\nif a is not None:\n    use(p)",
        "if a and b:\n    use(p)\nif not (a and b):\n    use(p)",
        "if m == 'a':\n    use(p)\nelif m != 'b':\n    use(p)\nif m == 'b':\n    use(p)",
        "if a in xs:\n    use(p)\nif a not in xs:\n    use(p)",
        "if p is None:\n    logger.info('none')\n    return 1\nuse(p)",
        "if p is None:\n    logger.info('none')\nelse:\n    use(p)",
        "if p:\n    logger.info('given %s', p)",
        "use((x := p))",
        "return [p for _ in ()] if p is None else 1",
        "nonlocal_ = 1\ndef g():\n    nonlocal p\n    p += 1\ng()",
        "x = lambda y=p: y",
        "try:\n    x = self.cache[p]\nexcept KeyError:\n    return None\nreturn x",
        "async def g():\n    await p\nreturn g",
        "return super().f(\n    a,\n    p=p,\n)",
        "g(k=(p := 1), *g(p))",
        "def g():\n    nonlocal p\n    p = 1\nuse(p)\ng()",
        "def g():\n    nonlocal p\n    p = 1\nreturn p",
        "def g():\n    nonlocal p\n    if a:\n        p = 1\ng()\nreturn p",
        "def g():\n    nonlocal p\n    if a:\n        return\n    p = 1\ng()\nreturn p",
        "def g():\n    nonlocal p\n    p = 1\n    yield\ng()\nreturn p",
        "async def g():\n    nonlocal p\n    p = 1\ng()\nreturn p",
        "@deco\ndef g():\n    nonlocal p\n    p = 1\ng()\nreturn p",
        "def b():\n    nonlocal p\n    p = 1\nb()\nreturn p",
        "g = h\nif a:\n    def g():\n        nonlocal p\n        p = 1\ng()\nreturn p",
        "def g():\n    nonlocal p\n    p = 1\ng = h\ng()\nreturn p",
        "def g():\n    nonlocal p\n    p = 1\ndef h():\n    g()\nreturn p",
    ),
    "on some": (
        "if a:\n    return p",
        "if a:\n    return 1\nreturn p",
        "if a:\n    use(p)\nelif b:\n    pass\nelse:\n    use(p)",
        "for x in xs:\n    use(p)",
        "for x in xs:\n    if a:\n        break\nelse:\n    use(p)",
        "while g():\n    use(p)",
        "while True:\n    if a:\n        break\n    use(p)",
        "try:\n    g()\n    use(p)\nexcept E:\n    return 1",
        "try:\n    g()\n    use(p)\nfinally:\n    return 1",
        "try:\n    import q\nexcept ImportError:\n    return 1\nuse(p)",
        "match m:\n    case 1:\n        use(p)",
        "match m:\n    case 1 if a:\n        pass\n    case _:\n        use(p)",
        "return p if a else 1",
        "return a and p",
        "return a or p",
        "return a < b < p",
        "return [p for x in xs]",
        "return [x for x in xs if p]",
        "if a:\n    p = 3\nuse(p)",
        "if a == 'x':\n    use(p)\na = g()\nif a != 'x':\n    use(p)",
        "if self.a:\n    use(p)\nself.a = g()\nif not self.a:\n    use(p)",
        "assert a, p\nif b:\n    use(p)",
        "if a:\n    yield p",
        "if p is None:\n    pass\nif a:\n    use(p)",
        "if a:\n    def g():\n        return p",
        "if a and p:\n    return 1",
        "try:\n    g()\nexcept p:\n    pass",
        "while self.queue.pop():\n    use(p)",
        "g(k=a and p, *xs)",
        "def g():\n    nonlocal p\n    p = 1\nif a:\n    g()\nreturn p",
        "def g():\n    nonlocal p\n    h()\n    p = 1\ntry:\n    g()\nexcept E:\n    pass\nreturn p",
    ),
    "on none": (
        "pass",
        "return 1",
        "p = 3\nreturn p",
        "for p in xs:\n    use(p)",
        "with g() as p:\n    use(p)",
        "import p\nuse(p)",
        "def p():\n    pass\nuse(p)",
        "def g(p):\n    return p",
        "def g():\n    p = 1\n    return p",
        "return lambda p: p",
        "return [p for p in xs]",
        "class C:\n    p = 1\n    x = p",
        "def g():\n    global p\n    return p",
        "def g():\n    nonlocal p\n    p = 1",
        "self.p = 1",
        "g(p=1)",
        "use(self.p)",
        "if a:\n    use(p)\n    raise ValueError",
        "if p is None:\n    pass",
        "if p is not None:\n    logger.warning('ignored')",
        "if p:\n    warnings.warn('ignored')\nelse:\n    ...\nreturn 1",
        "if not p:\n    print('x')",
        "return 1\nuse(p)",
        "p: int = 3\nreturn p",
        "match m:\n    case p:\n        use(p)",
        "def g():\n    return locals()",
        "if a:\n    if not a:\n        use(p)\nreturn 1",
        "x = 1 if p else 1",
        "try:\n    g()\nexcept E as p:\n    use(p)",
        "while False:\n    use(p)",
        "g(k=p, *g((p := 1)))",
        "def g():\n    nonlocal p\n    p = 1\ng()\nreturn p",
        "def g(x):\n    nonlocal p\n    if x:\n        h()\n    a, p = x\nreturn g(1), p",
    ),
}


@pytest.mark.parametrize(("expected", "body"), [(kind, body) for kind, bodies in TABLE.items() for body in bodies])
def test_on_which_paths_a_parameter_is_read(expected: str, body: str) -> None:
    assert usage(body).kind.value == expected


FORGOTTEN = {
    "if a:\n    use(p)": [("a", False, 2, 2)],
    "if a:\n    use(p)\nelse:\n    g()": [("a", False, 4, 2)],
    "if a:\n    use(p)\nelif b:\n    g()\nelse:\n    use(p)": [("a", False, 4, 2), ("b", True, 4, 4)],
    "if a:\n    g()\nif b:\n    return p": [("b", False, 4, 4)],
    "if a:\n    if b:\n        use(p)": [("a", False, 2, 2)],
    "if a:\n    if b:\n        use(p)\nelse:\n    use(p)": [("a", True, 2, 2), ("b", False, 3, 3)],
    "if a and b:\n    use(p)": [("a and b", False, 2, 2)],
    "if a:\n    raise E\nif b:\n    use(p)": [("b", False, 4, 4)],
    "if (\n    a\n    and b\n):\n    use(p)": [("a and b", False, 2, 2)],
    "return a and p": [("a", False, 2, 2)],
    "return p if a != 'x' else 1": [("a != 'x'", False, 2, 2)],
    "for x in xs:\n    use(p)": [("for x in xs", False, 2, 2)],
    "for x in xs:\n    if a:\n        use(p)": [("a", False, 3, 3)],
    "try:\n    g()\n    use(p)\nexcept E:\n    pass": [("try at line 2", False, 5, 2)],
    "match m:\n    case 'x':\n        use(p)": [("case 'x'", False, 3, 3)],
    "if a:\n    use(p)\nif b:\n    use(p)": [("a", False, 2, 2), ("b", False, 4, 4)],
}


@pytest.mark.parametrize("body", FORGOTTEN)
def test_the_forgotten_path_is_named_by_the_turns_that_matter(body: str) -> None:
    turns = usage(body).forgotten
    assert [(t.condition.test, t.condition.holds, t.condition.line, t.line) for t in turns] == FORGOTTEN[body]


def test_a_path_of_tests_is_named_before_one_of_chance() -> None:
    assert usage("for x in xs:\n    use(p)").is_by_the_way
    found = usage("for x in xs:\n    use(p)\n    return\nif a:\n    use(p)")
    assert [turn.kind for turn in found.forgotten] == [TurnKind.LOOP, TurnKind.TEST]
    assert not usage("try:\n    if a:\n        return 1\n    g()\n    use(p)\nexcept E:\n    pass").is_by_the_way


def test_the_calls_on_the_forgotten_path() -> None:
    found = usage("g()\nif a:\n    return use(p)\nreturn (\n    super()\n    .f()\n)")
    assert found.calls == {2, 6}
    assert usage("if a:\n    g()\nreturn h()").calls == {3, 4}


@pytest.mark.parametrize("body", ["pass", "...", "'doc'", "raise NotImplementedError", "'doc'\nraise E"])
def test_a_stub_is_one(body: str) -> None:
    assert usage(body).is_stub
    assert not usage(f"{body}\ng()").is_stub


WHERE = '''
class C:
    if True:
        @deco
        def f(self, p):
            """Text
that goes on at the margin"""
            x = """
  y"""
            if x:
                return p

        async \\
        def g(self, p): return p

    h = lambda self, p: p
def k(p): pass
'''


def test_a_function_is_found_by_the_line_of_its_name() -> None:
    flow = read_flow(WHERE, 5, "c.py")
    assert flow is not None
    assert flow.parameters == ("self", "p")
    assert [turn.line for turn in usage_of(flow, "p").forgotten] == [10]
    assert all(read_flow(WHERE, line, "c.py") is not None for line in (14, 17))
    assert read_flow(WHERE, 2, "c.py") is None
    assert read_flow(WHERE, 16, "c.py") is None
    assert read_flow("def f(:", 1, "c.py") is None


def _long(bodies: Iterator[str]) -> float:
    body = "\n".join(bodies)
    text = f"def f(p, q, r):\n{textwrap.indent(body, '    ')}\n    return 1\n"
    flow = read_flow(text, 1, "f.py")
    assert flow is not None
    before = time.process_time()
    usages_of(flow, flow.parameters)
    return time.process_time() - before


LONG: dict[str, Callable[[int], str]] = {
    "reads": lambda i: f"if a{i}:\n    use(p)",
    "does not": lambda i: f"if a{i}:\n    use({i})\n    g()\nelse:\n    h()\n    x = 1\n",
    "asks again": lambda i: f"if a{i % 150}:\n    use({i}, q)\n    g()\nelse:\n    h()\n    x = 1\n",
    "asks the opposite": lambda i: f"if a{i % 150} {'!=' if i < 150 else '=='} 'x':\n    use({i}, p)\n",
    "returns": lambda i: f"if a{i} and b{i}:\n    return use(p)\n",
    "tries": lambda i: f"try:\n    use({i})\nexcept E:\n    g()\nelse:\n    use(r)\n",
}


@pytest.mark.parametrize("kind", LONG)
def test_a_long_function_takes_no_time(kind: str) -> None:
    assert (
        _long(LONG[kind](index) for index in range(300)) < 4
    )  # A fraction of a second, on a machine that is not busy.


def test_finally_in_finally_is_given_up_before_it_takes_long() -> None:
    body = "g()"
    for _ in range(14):
        body = f"try:\n    g()\n    if a:\n        return 1\nfinally:\n{textwrap.indent(body, '    ')}"
    assert usage(body).kind in (HONOURED, IGNORED)


# The interpreter. Every opaque thing asks a tape what to be; all tapes are played, and a run tells whether it has read `p`.


class _RaisedError(Exception):
    """What an opaque thing raises."""


class _Cut(BaseException):
    """This run goes round too often."""


class _Value:
    """The argument."""


class _Tape:
    def __init__(self, prefix: list[int]) -> None:
        self.prefix = prefix
        self.drawn: list[tuple[int, int]] = []
        self.seen: dict[int, int] = {}
        self.was_read = False
        self.outcomes: set[tuple[int, bool]] = set()
        self.argument = _Value()
        self.rounds = 0
        self.is_cut = False

    def draw(self, site: int, ways: int) -> int:
        self.seen[site] = self.seen.get(site, 0) + 1
        self.is_cut = self.is_cut or self.seen[site] > 3 or len(self.drawn) > 16
        if self.is_cut:
            raise _Cut
        value = self.prefix[len(self.drawn)] if len(self.drawn) < len(self.prefix) else 0
        self.drawn.append((value, ways))
        return value

    # What a body calls; the site says whether it stands where an exception would be caught.

    def c(self, site: int, *_: object, **__: object) -> bool:
        """A call: true or false, or it raises."""
        value = self.draw(site, 3 if site % 2 else 2)
        if value == 2:
            raise _RaisedError
        return bool(value)

    def g(self, site: int, *_: object) -> None:
        """A call whose value does not matter."""
        if site % 2 and self.draw(site, 2):
            raise _RaisedError

    def xs(self, site: int, *_: object) -> list[int]:
        """None, one or two elements."""
        value = self.draw(site, 4 if site % 2 else 3)
        if value == 3:
            raise _RaisedError
        return list(range(value))

    def e(self, site: int) -> tuple[type[Exception], ...]:
        """What an `except` is for: everything, or nothing."""
        return (Exception,) if self.draw(site * 2, 2) else ()

    def going(self) -> bool:
        """`while True`, which a body may not leave: such a run tells nothing."""
        self.rounds += 1
        self.is_cut = self.is_cut or self.rounds > 8
        return not self.is_cut

    def loaded(self, value: object) -> object:
        self.was_read = self.was_read or value is self.argument
        return value

    def tested(self, line: int, value: object) -> object:
        answer = bool(value)
        self.outcomes.add((line, answer))
        return answer


class _Instrument(ast.NodeTransformer):
    """Wraps each load of the parameter, which gets another name when it is rebound, and the test of each `if`."""

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id == "p" and isinstance(node.ctx, ast.Load):
            return _wrapped("_seen", node)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        if isinstance(node.test, ast.Constant):
            node.test = _wrapped("_going")
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        line = node.test.lineno
        self.generic_visit(node)
        node.test = _wrapped("_tested", ast.Constant(line), node.test)
        return node


def _wrapped(function: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(function, ast.Load()), list(arguments), [])


class _Fickle:
    """A flag that may have another answer whenever it is asked, as what a loop changes may in its next round."""

    def __init__(self, tape: _Tape) -> None:
        self.tape = tape

    def __bool__(self) -> bool:
        return bool(self.tape.draw(0, 2))

    def __eq__(self, other: object) -> bool:
        return bool(self)

    __hash__ = None  # type: ignore[assignment]


def run_all(text: str, *, fickle: bool = False) -> list[_Tape] | None:
    """All runs that return; None where there are too many. `fickle` flags have no steady answer."""
    tree = ast.fix_missing_locations(_Instrument().visit(ast.parse(text)))
    code = compile(tree, "f.py", "exec")
    runs: list[_Tape] = []
    count = 0
    for a, m in [(None, None)] if fickle else itertools.product((True, False), ("x", "y")):
        prefix: list[int] = []
        while True:
            count += 1
            if count > 3000:
                return None
            tape = _Tape(prefix)
            names: dict[str, Any] = {"c": tape.c, "g": tape.g, "xs": tape.xs, "e": tape.e}
            names |= {"_seen": tape.loaded, "_going": tape.going, "_tested": tape.tested, "_RaisedError": _RaisedError}
            exec(code, names)
            try:
                flags = (_Fickle(tape), _Fickle(tape)) if fickle else (a, m)
                result = names["f"](tape.argument, *flags)
                if hasattr(result, "__next__"):
                    for _ in result:
                        pass
                runs += [] if tape.is_cut else [tape]
            except (_RaisedError, _Cut, AssertionError, UnboundLocalError, NameError):
                pass
            drawn = tape.drawn
            while drawn and drawn[-1][0] + 1 >= drawn[-1][1]:
                drawn.pop()
            if not drawn:
                break
            prefix = [value for value, _ in drawn[:-1]] + [drawn[-1][0] + 1]
    return runs


class _Writer:
    """Writes a random body, from hypothesis' choices."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.sites = 0
        self.budget = 7

    def pick(self, *options: str) -> str:
        return self.draw(st.sampled_from(options))  # type: ignore[no-any-return]

    def site(self, *, risky: bool) -> int:
        self.sites += 1
        return self.sites * 2 + risky

    def value(self, *, risky: bool) -> str:
        """An argument, which may hold the parameter."""
        site = self.site(risky=risky)
        kinds = (
            "1",
            "1",
            "a",
            "p",
            "and",
            "or",
            "if",
            "list",
            "lambda",
            "hidden",
            "walrus",
            "shadow",
            "twice",
            "starred",
        )
        match self.pick(*kinds):
            case "and":
                return f"(c({site}) and p)"
            case "or":
                return f"(c({site}) or p)"
            case "if":
                return f"(p if {self.test(risky=risky)} else 1)"
            case "list":
                return f"[p for _ in xs({site})]"
            case "lambda":
                return "[x for x in (p,)]"
            case "hidden":
                return f"[p for p in xs({site})]"
            case "walrus":
                return f"(w := {self.pick('p', '1')})"
            case "shadow":
                return "(lambda p: p)"
            case "starred":
                return f"c({site}, k={self.pick('p', '1', '(p := 1)')}, *[{self.pick('p', '1', '(p := 1)')}])"
            case "twice":
                return f"[1 for _ in xs({site}) if p]"
            case other:
                return other

    def test(self, *, risky: bool) -> str:
        site = self.site(risky=risky)
        match self.pick("c", "c", "c", "a", "not a", "==", "!=", "and", "or", "not", "p"):
            case "c":
                return f"c({site})"
            case "==":
                return "m == 'x'"
            case "!=":
                return "m != 'x'"
            case "and":
                return f"c({site}) and {self.test(risky=risky)}"
            case "or":
                return f"({self.test(risky=risky)} or c({site}))"
            case "not":
                return f"not c({site})"
            case "p":
                return f"c({site}, {self.value(risky=risky)})"
            case other:
                return other

    def block(self, *, risky: bool, loop: bool, depth: int) -> list[str]:
        lines: list[str] = []
        for _ in range(self.draw(st.integers(1, 3))):
            self.budget -= 1
            lines += self.statement(risky=risky, loop=loop, depth=depth)
        return lines

    def inner(self, *, risky: bool, loop: bool, depth: int) -> list[str]:
        return [f"    {line}" for line in self.block(risky=risky, loop=loop, depth=depth + 1)]

    def statement(self, *, risky: bool, loop: bool, depth: int) -> list[str]:
        simple = ("g", "g", "p", "return", "raise", "set", "aug", "assert", "def", "del", "class", "jump", "nonlocal")
        compound = ("if", "if", "if", "else", "elif", "for", "while", "true", "try", "final", "both", "match", "with")
        site = self.site(risky=risky)

        def inner(*, risky: bool = risky, loop: bool = loop) -> list[str]:
            return self.inner(risky=risky, loop=loop, depth=depth)

        match self.pick(*simple, *(compound if depth < 3 and self.budget > 0 else ())):
            case "g":
                return [f"g({site}, {self.value(risky=risky)})"]
            case "p":
                return [f"x = {self.value(risky=risky)}"]
            case "return":
                return [f"return {self.value(risky=risky)}"]
            case "raise":
                return ["raise _RaisedError"]
            case "set":
                return [self.pick("p = 1", f"a = c({site})", f"m = ('x', 'y')[c({site})]", "(p := 2)")]
            case "aug":
                return ["p = (p, 1)"]
            case "assert":
                return [f"assert {self.test(risky=risky)}"]
            case "def":
                return ["def h(y=p): return y" if self.draw(st.booleans()) else "def h(p): return p"]
            case "del":
                return ["if p is not None:", "    x = 2"]
            case "class":
                return ["class K:", "    q = p"] if self.draw(st.booleans()) else ["class K:", "    p = 2", "    q = p"]
            case "nonlocal":
                lines = [f"def k{site}():", "    nonlocal p", f"    g({site})", "    p = 1"]
                return [*lines, f"k{site}()"] if self.draw(st.booleans()) else lines
            case "jump":
                return [self.pick("break", "continue")] if loop else [f"g({site})"]
            case "if":
                return [f"if {self.test(risky=risky)}:", *inner()]
            case "else":
                return [f"if {self.test(risky=risky)}:", *inner(), "else:", *inner()]
            case "elif":
                first, second = self.test(risky=risky), self.test(risky=risky)
                return [f"if {first}:", *inner(), f"elif {second}:", *inner(), "else:", *inner()]
            case "for":
                name = self.pick("i", "i", "p")
                lines = [f"for {name} in xs({site}):", *inner(loop=True)]
                return [*lines, "else:", *inner()] if self.draw(st.booleans()) else lines
            case "while":
                lines = [f"while c({site}):", *inner(loop=True)]
                return [*lines, "else:", *inner()] if self.draw(st.booleans()) else lines
            case "true":
                return ["while True:", *inner(loop=True), f"    if c({site}):", "        break"]
            case "try":
                kind = self.pick("except:", f"except e({site}):", f"except e({site}) as z:")
                lines = ["try:", *inner(risky=True), kind, *inner()]
                return [*lines, "else:", *inner()] if self.draw(st.booleans()) else lines
            case "final":
                return ["try:", *inner(risky=True), "finally:", *inner()]
            case "both":
                kinds = f"except e({site}):"
                return ["try:", *inner(risky=True), kinds, *inner(risky=True), "finally:", *inner()]
            case "match":
                guard = self.pick("", f" if c({site})")
                lines = [f"match len(xs({self.site(risky=risky)})):", f"    case 1{guard}:"]
                lines += [f"    {line}" for line in inner()]
                last = self.pick("case _:", "case 0:", "case p:", "")
                return [*lines, f"    {last}", *(f"    {line}" for line in inner())] if last else lines
            case _:
                return [f"for _ in [{self.value(risky=risky)}]:", "    pass"]


@st.composite
def bodies(draw: Callable[[st.SearchStrategy[Any]], Any]) -> str:
    writer = _Writer(draw)
    lines = writer.block(risky=False, loop=False, depth=0)
    return "\n".join(["def f(p, a, m):", *(f"    {line}" for line in lines)]) + "\n"


def check(text: str) -> None:
    try:
        compile(text, "f.py", "exec")
    except SyntaxError:
        assume(False)
    runs = run_all(text)
    assume(runs is not None)
    assert runs is not None
    flow = read_flow(text, 1, "f.py")
    assert flow is not None
    found = usage_of(flow, "p")
    read = {run.was_read for run in runs}
    expected = PARTLY if len(read) == 2 else IGNORED if read == {False} else HONOURED
    event(expected.value)
    if found.kind is PARTLY and expected is IGNORED:
        # A flag that is asked in a loop may have another answer in the next round: no charge of reading it never.
        runs = run_all(text, fickle=True)
        assume(runs is not None)
        assert runs is not None
        expected = PARTLY if any(run.was_read for run in runs) else IGNORED
    assert found.kind is expected, text
    if expected is PARTLY:
        tests = {
            turn.line: turn.condition.holds
            for turn in found.forgotten
            if turn.kind is TurnKind.TEST and _is_if(text, turn.line)
        }
        assert any(not run.was_read and run.outcomes >= set(tests.items()) for run in runs), text


def _is_if(text: str, line: int) -> bool:
    written = text.split("\n")[line - 1].strip()
    return written.startswith(("if ", "elif ")) and not any(word in written for word in (" and ", " or ", " if "))


@given(bodies())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_interpreter_agrees(text: str) -> None:
    check(text)


@pytest.mark.long
@given(bodies())
@settings(max_examples=4000, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_interpreter_agrees_at_length(text: str) -> None:
    check(text)


def test_a_flag_that_is_asked_in_every_round_may_change() -> None:
    text = """def f(p, a, m):
    for i in xs(2):
        if a:
            return 1
        def h(y=p): return y
    raise _RaisedError
"""
    assert {run.was_read for run in run_all(text) or []} == {False}
    assert {run.was_read for run in run_all(text, fickle=True) or []} == {True, False}
    flow = read_flow(text, 1, "f.py")
    assert flow is not None
    assert usage_of(flow, "p").kind is PARTLY


# What is certain without the control flow.

STRAIGHT = {
    "x = p": True,
    "self.y = [p.q, 1]": True,
    "if x:\n    y = 1\nreturn p": True,
    "if x:\n    return p\nelse:\n    g(p)": True,
    "if x:\n    return p.a\nelif y:\n    raise E\nelse:\n    g(p)": True,
    "if x and p.a:\n    return 1\nreturn p": True,
    "if p is not None:\n    g(p)": True,
    "if p is None:\n    p = 1\nreturn p": True,
    "x = p.y if p is not None else None": True,
    "if p.a and x:\n    return 1": True,
    "if x or g(p):\n    return 1": False,
    "if x:\n    raise ValueError\nfor _ in p:\n    return 1": True,
    "with p.lock():\n    return 1": True,
    "with x as y:\n    return p": True,
    "def inner():\n    return 1\nreturn inner(p)": True,
    "def inner(x=p):\n    return 1": True,
    "try:\n    x = 1\nexcept OSError:\n    x = 2\nreturn (yield p)": True,
    "try:\n    x = y[p]\nexcept KeyError:\n    return 1": True,
    "try:\n    x = y[1]\nfinally:\n    g(p)": True,
    "try:\n    return 1\nfinally:\n    g(p)": True,
    "while True:\n    if x:\n        break\n    g()\nreturn p": True,
    "while True:\n    g(p)\n    if x:\n        break": True,
    "for x in y:\n    g(x)\nelse:\n    g(p)": True,
    "match x:\n    case 1:\n        return p\n    case _:\n        g(p)": True,
    "match x:\n    case 1 if p.a:\n        return 1\n    case 2:\n        return p\n    case z:\n        g(p)": True,
    "x = y and 1 or p": False,
    "x = p and y": True,
    "x = (y, p) if x else p": True,
    "x = [y for y in p]": True,
    "x = p < y < 1": True,
    "assert x, p\nreturn p": True,
    "p += 1": True,
    "del p": True,
    "if x:\n    sys.exit(1)\nreturn p": True,
    "if x:\n    sys.exit(1)\nelse:\n    return p": True,
    "raise E": True,
    "f(x=1, *p)": True,
    "{x: (p := 1), p: 2}": False,
    "f(x=(p := 1), *p)": True,
    "f(x=p, *(p := 1))": False,
    "if x:\n    return 1\nreturn p": False,
    "for x in y:\n    return p": False,
    "while 0x1:\n    if x:\n        break\n    return p": False,
    "while x:\n    g(p)": False,
    "while True:\n    if x:\n        break\n    g(p)": False,
    "while True:\n    if x:\n        p = 1\n        continue\n    g(p)\n    if y:\n        break": False,
    "for x in y:\n    if x:\n        return p\n    p = 1\nreturn 1": False,
    "try:\n    g()\n    x = p\nexcept E:\n    return 1": False,
    "try:\n    p = 1\n    g()\nexcept E:\n    return p\nraise E": False,
    "try:\n    g()\nexcept E:\n    return 1\nelse:\n    g(p)": False,
    "try:\n    g()\n    return p\nfinally:\n    return 1": False,
    "match x:\n    case p.y:\n        return 1\n    case _:\n        return p": False,
    "match x:\n    case 1:\n        return p\n    case 2:\n        g(p)": False,
    "match x:\n    case 1:\n        return p\n    case _ if y:\n        g(p)": False,
    "x = y and p": False,
    "x = p if y else 1": False,
    "x = lambda: p": False,
    "x = [p for _ in y]": False,
    "x = [(p := 1) for _ in y]\nreturn p": False,
    "x = 1 < y < p": False,
    "p = 1\nreturn p": False,
    "for p in x:\n    pass\nreturn p": False,
    "import p\nreturn p": False,
    "if x:\n    del y\n    p = 1\nreturn p": False,
    "def p(): ...\nreturn p": False,
    "class C:\n    p = 1\nreturn 1": False,
    "if p is None:\n    pass": False,
    "if p is not None:\n    logger.warning('ignored')": False,
    "x = 1 if p else 1": False,
    "match x:\n    case {'a': 1, **p}: pass\nreturn p": False,
    "match x:\n    case [*p]: return 1\nreturn p": False,
    "if x: return (yield)": False,
    "try:\n    exit()\nexcept SystemExit:\n    return 1\nreturn p": False,
}


def certain(text: str, line: int, names: Iterable[str], options: Collection[str] = ()) -> set[str]:
    """Those of the parameters of which it is certain, one by one, that the function on a line of a text reads them."""
    return {name for name in names if reads_all(text.split("\n"), 1, line, [name], options)}


@pytest.mark.parametrize("body", STRAIGHT)
def test_what_is_read_for_certain(body: str) -> None:
    text = f"@deco\ndef f(p, x, y):\n{textwrap.indent(body, '    ')}\n"
    assert ("p" in certain(text, 2, "p")) is STRAIGHT[body]
    if STRAIGHT[body]:
        flow = read_flow(text, 2, "f.py")
        assert flow is not None
        assert usage_of(flow, "p").kind is UsageKind.HONOURED


OPTIONS = {
    "if x:\n    g(p)": True,
    "if x is not None:\n    g(p)": True,
    "if not x:\n    g(p)": False,
    "if not (x is None):\n    g(p)": True,
    "if x and y:\n    g(p)": True,
    "if x and z:\n    g(p)": False,
    "if x:\n    return p": False,
    "if x:\n    g(p)\nelse:\n    g()": False,
    "if z:\n    g(p)\nelif x:\n    g(p)": False,
    "if x:\n    g(p)\n    exit()": False,
    "if x:\n    if z:\n        g(p)": False,
    "if x:\n    while p:\n        pass": False,
    "global x\nif x:\n    g(p)": False,
    "if x > 1:\n    g(p)": False,
}


@pytest.mark.parametrize("body", OPTIONS)
def test_what_an_option_leaves_out_is_read_for_certain(body: str) -> None:
    head = "def f(p, y, z):" if "global" in body else "def f(p, x, y, z):"
    text = f"{head}\n{textwrap.indent(body, '    ')}\n"
    assert ("p" in certain(text, 1, "p", "xy")) is OPTIONS[body]
    assert not certain(text, 1, "p", "z")
    if OPTIONS[body]:
        flow = read_flow(text, 1, "f.py")
        assert flow is not None
        assert usages_of(flow, "p", options=frozenset("xy"))["p"].kind is UsageKind.HONOURED


def test_what_is_certain_of_a_function_is_not_of_one_in_it() -> None:
    text = "def f(p):\n    use(p)\n    class C:\n        def g(self, p):\n            pass"
    assert certain(text, 1, "p") == {"p"}
    assert not certain(text, 4, "p")
    assert not certain(text, 2, "p")
    assert reads_all(text.split("\n")[3:], 40, 40, ["self"]) is False
    assert reads_all(["    def g(self):", "        return self"], 40, 40, ["self"])


def check_certain(text: str, node: ast.FunctionDef | ast.AsyncFunctionDef, options: Collection[str]) -> tuple[int, int]:
    """What is certain of a function is honoured; how many of its parameters are each."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    last = node.end_lineno or first
    flow = read_flow(text, node.lineno, "m.py", (first, last))
    if flow is None:
        return 0, 0
    lines = text.split("\n")[first - 1 : last]
    usages = usages_of(flow, flow.parameters, options=frozenset(options))
    honoured = {name for name, usage in usages.items() if usage.kind is HONOURED}
    found = {name for name in flow.parameters if reads_all(lines, first, node.lineno, [name], options)}
    assert found <= honoured, (node.name, found - honoured, text if len(text) < 2_000 else "")
    assert reads_all(lines, first, node.lineno, found, options)
    return len(found), len(honoured)


def check_module(text: str) -> tuple[int, int]:
    """What is certain of the functions of a module is honoured, whatever the options are."""
    certain = honoured = 0
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for options in ((), [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]):
                found, all_ = check_certain(text, node, options)
                certain, honoured = certain + found, honoured + all_
    return certain, honoured


@pytest.mark.parametrize("module", [argparse, textwrap, tarfile, configparser, zipfile])
def test_what_is_read_for_certain_is_read_on_all_paths(module: ModuleType) -> None:
    certain, honoured = check_module(inspect.getsource(module))
    assert certain > 0.9 * honoured > 10


@given(bodies(), st.sets(st.sampled_from("pam")))
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_certain_is_honoured_whatever_the_body_is(text: str, options: set[str]) -> None:
    check_at_random(text, options)


@pytest.mark.long
@given(bodies(), st.sets(st.sampled_from("pam")))
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_certain_is_honoured_at_length(text: str, options: set[str]) -> None:
    check_at_random(text, options)


def check_at_random(text: str, options: set[str]) -> None:
    try:
        compile(text, "f.py", "exec")
    except SyntaxError:
        assume(False)
    [node] = ast.parse(text).body
    assert isinstance(node, ast.FunctionDef)
    certain, honoured = check_certain(text, node, options)
    event(f"certain: {certain} of {honoured}")


@pytest.mark.long
def test_what_is_certain_of_the_standard_library_is_honoured() -> None:
    certain = honoured = 0
    for path in sorted(Path(argparse.__file__).parent.glob("*.py")):
        found, all_ = check_module(path.read_text(encoding="utf-8"))
        certain, honoured = certain + found, honoured + all_
    assert certain > 0.9 * honoured > 1_000
