"""What a function's body does, step by step, as plain values: reads, bindings, tests, jumps. Imports nothing of sigcheck.

It keeps what decides whether a name is read: the order of evaluation, what may be skipped, and where control can leave.
Of a value it knows nothing but the texts of the tests that look at it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

from sigcheck.core.dataclass import dataclass, field


@dataclass(frozen=True, slots=True)
class Read:
    """The value of a name is used, be it by a closure that is made here or by `del`."""

    name: str


@dataclass(frozen=True, slots=True)
class ReadAll:
    """`locals()`: every name is read."""


@dataclass(frozen=True, slots=True)
class Bind:
    """A name gets another value."""

    name: str


@dataclass(frozen=True, slots=True)
class Touch:
    """What stands behind a name may have changed: what a test found of it holds no longer.

    Attributes:
        path: `name` or `name.attribute`.
        is_certain: it is assigned; False for a method called on it, which may leave it as it is.
    """

    path: str
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """A call, by the line on which what is called begins."""

    line: int


@dataclass(frozen=True, slots=True)
class Raises:
    """An exception may leave here."""


class Exit(Enum):
    """How control leaves a block other than by its end."""

    RETURN = "return"
    RAISE = "raise"
    BREAK = "break"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True)
class Leave:
    """Control goes elsewhere, for certain."""

    by: Exit


@dataclass(frozen=True, slots=True)
class Fact:
    """What a test finds out, so that the same question asked again has the same answer.

    Attributes:
        subject: source text of what is looked at.
        value: the literal that it is compared with; empty for its truth.
        holds: the test is true where subject and value are equal (or the subject is true).
        names: the names and dotted names in it; binding one makes it another question.
        calls: it calls something, so that asking again may give another answer.
        is_firm: only names and literals: nothing but a binding can change the answer.
    """

    subject: str
    value: str
    holds: bool
    names: frozenset[str]
    calls: bool = False
    is_firm: bool = True


@dataclass(frozen=True, slots=True)
class Atom:
    """A test without `and`, `or` and `not`.

    Attributes:
        text: its source.
        steps: what evaluating it does.
        fact: what it finds out, if that can be asked again.
        constant: the only outcome it has, or None.
        presence: the name that it asks to be there (`p is None`, `p`), or None.
        absent: the outcome for a name that is not there.
    """

    text: str
    steps: Block = ()
    fact: Fact | None = None
    constant: bool | None = None
    presence: str | None = None
    absent: bool = False


@dataclass(frozen=True, slots=True)
class AllOf:
    """`a and b`: the first that is false ends it. `lines` are those of the operands."""

    tests: tuple[Test, ...]
    texts: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`a or b`: the first that is true ends it. `lines` are those of the operands."""

    tests: tuple[Test, ...]
    texts: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Negation:
    """`not a`."""

    test: Test


Test = Atom | AllOf | AnyOf | Negation


@dataclass(frozen=True, slots=True)
class Arm:
    """One `if`, `elif` or `case`, and what happens where it holds.

    Attributes:
        test: what is asked, after the tests of the arms before have failed.
        text: its source, as a report shows it.
        line: the line on which it stands.
        body: what happens where it holds.
    """

    test: Test
    text: str
    line: int
    body: Block


@dataclass(frozen=True, slots=True)
class Choice:
    """`if`, `match`, a conditional expression, or the right side of `and`: at most one arm is gone into.

    Attributes:
        arms: in order.
        otherwise: what happens where none holds.
        otherwise_line: the line of the `else`, or None where there is none.
    """

    arms: tuple[Arm, ...]
    otherwise: Block = ()
    otherwise_line: int | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """`for`, `while`, or the `for` of a comprehension; its iterable has been evaluated before.

    Attributes:
        text: `for x in xs`, or the test of a `while`.
        line: the line on which it stands.
        body: what one turn does; the target of a `for` is bound first.
        otherwise: what happens when no turn is left.
        test: what a `while` asks before each turn; None for a `for`.
    """

    text: str
    line: int
    body: Block
    otherwise: Block = ()
    test: Test | None = None


@dataclass(frozen=True, slots=True)
class Handler:
    """One `except`.

    Attributes:
        line: where it stands.
        kinds: what evaluating the classes it names does.
        body: what it does.
        catches_all: no exception passes it.
    """

    line: int
    kinds: Block
    body: Block
    catches_all: bool


@dataclass(frozen=True, slots=True)
class Try:
    """`try`, with all that belongs to it."""

    line: int
    body: Block
    handlers: tuple[Handler, ...] = ()
    otherwise: Block = ()
    finally_: Block = ()


Step = Read | ReadAll | Bind | Touch | Call | Raises | Leave | Choice | Loop | Try
Block = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """The body of one function.

    Attributes:
        line: the line of its `def`.
        parameters: the names of its parameters, in order.
        body: what it does.
        is_stub: it only raises, passes, or is `...`, with or without a docstring.
    """

    line: int
    parameters: tuple[str, ...] = ()
    body: Block = field(default_factory=tuple)
    is_stub: bool = False


def always_bound(block: Block) -> Iterator[str]:
    """The names that a block is certain to bind before control comes to its end, or leaves it by `return`."""
    for step in block:
        match step:
            case Bind(name):
                yield name
            case Leave():
                return
            case Choice() | Loop() | Try() if any(isinstance(inner, Leave) for inner in all_steps((step,))):
                return
            case _:
                continue


def all_steps(steps: Sequence[Step]) -> Iterator[Step]:
    """Every step, those in blocks and tests too."""
    pending: list[Step | Test] = list(reversed(steps))
    while pending:
        step = pending.pop()
        match step:
            case Choice(arms=arms, otherwise=otherwise):
                pending += otherwise
                for arm in arms:
                    pending += [*arm.body, arm.test]
            case Loop(body=body, otherwise=otherwise, test=test):
                pending += [*body, *otherwise]
                if test is not None:
                    pending.append(test)
            case Try(body=body, handlers=handlers, otherwise=otherwise, finally_=finally_):
                pending += [*body, *otherwise, *finally_]
                for handler in handlers:
                    pending += [*handler.kinds, *handler.body]
            case Atom(steps=inner):
                pending += inner
            case AllOf(tests=tests) | AnyOf(tests=tests):
                pending += tests
            case Negation(test=one):
                pending.append(one)
            case _:
                yield step
