"""Is a parameter read on every path that returns? Imports `flow`, `place` and `turn`.

The flow is laid out as a graph, a `finally` once for each way into it. A parameter is forgotten where a return can be reached
without a step that reads it, on a path that does not answer the same question differently; it is looked for in order
of cost, so that the path that is named is one with few turns, and with an empty loop or an exception only if there must be.
"""

from __future__ import annotations

import ast
import heapq
from collections.abc import Callable, Iterable, Iterator
from enum import Enum

from sigcheck.core.dataclass import dataclass, field, replace
from sigcheck.core.flow import (
    AllOf,
    AnyOf,
    Atom,
    Bind,
    Block,
    Call,
    Choice,
    Exit,
    Fact,
    Flow,
    Leave,
    Loop,
    Negation,
    Raises,
    Read,
    ReadAll,
    Step,
    Test,
    Touch,
    Try,
)
from sigcheck.core.place import Condition
from sigcheck.core.turn import Turn, TurnKind


class UsageKind(Enum):
    """On which of the paths that return a parameter is read."""

    HONOURED = "on all"
    PARTLY = "on some"
    IGNORED = "on none"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a function does with one of its parameters.

    Attributes:
        kind: on which paths it is read. A function that never returns honours all its parameters.
        is_stub: its body only raises, passes or is `...`.
        forgotten: for PARTLY, the turns that decide that it is not read, outermost first.
        calls: the lines of the calls on the forgotten path; for IGNORED, of all calls.
    """

    kind: UsageKind
    is_stub: bool = False
    forgotten: tuple[Turn, ...] = ()
    calls: frozenset[int] = frozenset()

    @property
    def is_by_the_way(self) -> bool:
        """It is forgotten only where a loop turns no round, or an exception is caught."""
        return any(turn.kind is not TurnKind.TEST and not turn.condition.holds for turn in self.forgotten)


def usage_of(flow: Flow, parameter: str) -> Usage:
    """What the function does with its parameter of that name. For several of one function, `usages_of` is quicker."""
    return usages_of(flow, (parameter,))[parameter]


def usages_of(flow: Flow, parameters: Iterable[str], *, options: frozenset[str] = frozenset()) -> dict[str, Usage]:
    """What the function does with each of these parameters.

    Args:
        flow: the function.
        parameters: their names.
        options: the parameters that switch something on. `if do_resize: image = resize(image, size)` leaves `size` out on the
            caller's word: such a test is taken to hold, unless something is done in its place.
    """
    wanted = tuple(parameters)
    try:
        graph = _Layout(frozenset(wanted), options).of(flow)
    except (_TooLargeError, RecursionError):
        return {name: Usage(UsageKind.HONOURED, flow.is_stub) for name in wanted}
    return {name: _Search(graph, name).usage(is_stub=flow.is_stub) for name in wanted}


# The graph.


class _Op(Enum):
    """What a node does."""

    STEP = 0
    FORK = 1  # to the first successor where the atom holds, else to the second
    TURN = 2
    AGAIN = 3  # back to the head of a loop
    RETURN = 4
    RAISED = 5


@dataclass(frozen=True, slots=True)
class _Decision:
    """A turn as the graph has it: which decision, and which of its outcomes."""

    id: int
    outcome: int
    turn: Turn
    is_unlikely: bool = False


@dataclass(frozen=True, slots=True)
class _Round:
    """What the next round of a loop asks anew: the `while` itself, and what its test calls."""

    asked: frozenset[tuple[str, str]]


_Datum = Step | Atom | _Decision | _Round | None


@dataclass(slots=True)
class _Graph:
    """Nodes by number: 0 is where a function returns, 1 where it raises.

    `optional` has the decisions that an option of the caller makes, and the names that are read where it is given.
    """

    ops: list[_Op] = field(default_factory=lambda: [_Op.RETURN, _Op.RAISED])
    data: list[_Datum] = field(default_factory=lambda: [None, None])
    next: list[tuple[int, ...]] = field(default_factory=lambda: [(), ()])
    entry: int = 0
    decisions: int = 0
    trackings: dict[bool, _Tracking] = field(default_factory=dict)
    optional: dict[int, frozenset[str]] = field(default_factory=dict)

    def tracking(self, *, firm: bool) -> _Tracking:
        """What is followed of the tests: only the firm ones, or all."""
        if firm not in self.trackings:
            self.trackings[firm] = _Tracking(self, firm=firm)
        return self.trackings[firm]


class _TooLargeError(Exception):
    """The graph would be out of proportion: `finally` in `finally` in `finally`."""


_MOST_NODES = 200_000
_RETURN, _RAISED = 0, 1


class _Exits:
    """Where control goes that leaves a block; what lies on the way is laid out when somebody goes there."""

    def __init__(self, ways: dict[Exit, Callable[[], int]]) -> None:
        self.ways = ways
        self.known: dict[Exit, int] = {}

    def to(self, way: Exit) -> int:
        """The node that it leads to."""
        if way not in self.known:
            self.known[way] = self.ways[way]() if way in self.ways else _RAISED
        return self.known[way]

    def but(self, **nodes: int) -> _Exits:
        """The same with other ends for some."""
        ways: dict[Exit, Callable[[], int]] = {way: (lambda way=way: self.to(way)) for way in self.ways}  # type: ignore[misc]
        ways |= {Exit[name]: (lambda node=node: node) for name, node in nodes.items()}  # type: ignore[misc]
        return _Exits(ways)


class _Layout:
    """Lays out a flow as a graph, from its end to its beginning."""

    def __init__(self, names: frozenset[str], options: frozenset[str] = frozenset()) -> None:
        self.graph = _Graph()
        self.names = names
        self.options = options
        self.finals: dict[tuple[int, int], int] = {}

    def of(self, flow: Flow) -> _Graph:
        """The graph of a whole body."""
        exits = _Exits({Exit.RETURN: lambda: _RETURN, Exit.RAISE: lambda: _RAISED})
        self.graph.entry = self.block(flow.body, _RETURN, exits)
        return self.graph

    def node(self, op: _Op, datum: _Datum, *following: int) -> int:
        """A new node."""
        if len(self.graph.ops) >= _MOST_NODES:
            raise _TooLargeError
        self.graph.ops.append(op)
        self.graph.data.append(datum)
        self.graph.next.append(following)
        return len(self.graph.ops) - 1

    def decision(self) -> int:
        """A number that no decision has yet."""
        self.graph.decisions += 1
        return self.graph.decisions

    def turn(self, decision: int, outcome: int, turn: Turn, following: int, *, is_unlikely: bool = False) -> int:
        """A node that says which way control has gone."""
        return self.node(_Op.TURN, _Decision(decision, outcome, turn, is_unlikely), following)

    def block(self, steps: Block, following: int, exits: _Exits) -> int:
        """Lay out some steps; give the first node."""
        for step in reversed(steps):
            following = self.step(step, following, exits)
        return following

    def step(self, step: Step, following: int, exits: _Exits) -> int:
        """Lay out one step."""
        match step:
            case Read(name) if name not in self.names:
                return following
            case Raises():
                other = exits.to(Exit.RAISE)
                return following if other == _RAISED else self.node(_Op.STEP, None, following, other)
            case Leave(by):
                return exits.to(by)
            case Choice():
                return self.choice(step, following, exits)
            case Loop():
                return self.loop(step, following, exits)
            case Try():
                return self.attempt(step, following, exits)
            case _:
                return self.node(_Op.STEP, step, following)

    def choice(self, step: Choice, following: int, exits: _Exits) -> int:
        """Lay out arms, the last first: where one fails, the next is asked."""
        failed = self.block(step.otherwise, following, exits)
        failed_line = step.otherwise_line
        is_alone = len(step.arms) == 1 and not step.otherwise and not _leaves(step.arms[0].body)
        for arm in reversed(step.arms):
            number = self.decision()
            names = frozenset((*_reads(arm.body), *_reads_of_test(arm.test))) if is_alone else frozenset()
            if self.is_option(arm.test):
                self.graph.optional[number] = names
            yes = Turn(TurnKind.TEST, Condition(arm.text, holds=True, line=arm.line), arm.line)
            no = Turn(TurnKind.TEST, Condition(arm.text, holds=False, line=failed_line or arm.line), arm.line)
            inner = self.turn(number, 1, yes, self.block(arm.body, following, exits))
            failed = self.test(arm.test, inner, self.turn(number, 0, no, failed), exits, names)
            failed_line = arm.line
        return failed

    def test(self, test: Test, yes: int, no: int, exits: _Exits, names: frozenset[str] = frozenset()) -> int:
        """Lay out a test; `names` are read where it holds, and nothing is done in its place where it does not."""
        match test:
            case Negation(inner):
                return self.test(inner, no, yes, exits)
            case AllOf(tests, texts, lines) | AnyOf(tests, texts, lines):
                is_all = isinstance(test, AllOf)
                first = self.test(tests[-1], yes, no, exits)
                for index in range(len(tests) - 2, -1, -1):
                    held, failed = (first, no) if is_all else (yes, first)
                    if texts:
                        number, line = self.decision(), lines[index]
                        if is_all and self.is_option(tests[index]):
                            self.graph.optional[number] = names
                        right = Turn(TurnKind.TEST, Condition(texts[index], holds=True, line=line), line)
                        wrong = Turn(TurnKind.TEST, Condition(texts[index], holds=False, line=line), line)
                        held = self.turn(number, 1, right, held)
                        failed = self.turn(number, 0, wrong, failed)
                    first = self.test(tests[index], held, failed, exits)
                return first
            case Atom(constant=None):
                return self.block(test.steps, self.node(_Op.FORK, test, yes, no), exits)
            case Atom(constant=constant):
                return self.block(test.steps, yes if constant else no, exits)

    def is_option(self, test: Test) -> bool:
        """It asks for options, and holds where all of them are given."""
        match test:
            case Atom(presence=name, absent=False):
                return name in self.options
            case Negation(Atom(presence=name, absent=True)):
                return name in self.options
            case AllOf(tests):
                return all(map(self.is_option, tests))
            case _:
                return False

    def loop(self, step: Loop, following: int, exits: _Exits) -> int:
        """Lay out a loop. Its first round is told from the others: a loop without any is a turn."""
        number = self.decision()
        entered = Turn(TurnKind.LOOP, Condition(step.text, holds=True, line=step.line), step.line)
        skipped = Turn(TurnKind.LOOP, Condition(step.text, holds=False, line=step.line), step.line)
        done = self.block(step.otherwise, following, exits)
        asked = frozenset[tuple[str, str]]() if step.test is None else frozenset(_asked(step.test))
        again = self.node(_Op.AGAIN, _Round(asked))
        body = self.block(step.body, again, exits.but(BREAK=following, CONTINUE=again))
        enter = self.turn(number, 1, entered, body)
        skip = self.turn(number, 0, skipped, done, is_unlikely=True)
        if step.test is None:
            self.graph.next[again] = (body, done)
            return self.node(_Op.STEP, None, enter, skip)
        self.graph.next[again] = (self.test(step.test, body, done, exits),)
        return self.test(step.test, enter, skip, exits)

    def attempt(self, step: Try, following: int, exits: _Exits) -> int:
        """Lay out a `try`: whatever leaves it goes through a `finally` of its own."""
        outer = exits
        if step.finally_:
            ways: dict[Exit, Callable[[], int]] = {}
            for way in Exit:
                if way is Exit.RAISE or way in exits.ways:
                    ways[way] = lambda way=way: self.final(step, exits.to(way), exits)  # type: ignore[misc]
            outer = _Exits(ways)
            following = self.final(step, following, exits)
        number = self.decision()
        passed = Turn(TurnKind.EXCEPTION, Condition(f"try at line {step.line}", holds=True, line=step.line), step.line)
        ends = self.turn(number, 0, passed, self.block(step.otherwise, following, outer))
        if not step.handlers:
            return self.block(step.body, ends, outer)
        catching: int | None = None
        for outcome, handler in reversed(list(enumerate(step.handlers, 1))):
            condition = Condition(f"try at line {step.line}", holds=False, line=handler.line)
            caught = self.turn(
                number,
                outcome,
                Turn(TurnKind.EXCEPTION, condition, step.line),
                self.block(handler.body, following, outer),
                is_unlikely=True,
            )
            if not handler.catches_all:
                uncaught = outer.to(Exit.RAISE) if catching is None else catching
                caught = self.node(_Op.STEP, None, caught, uncaught)
            catching = self.block(handler.kinds, caught, outer)
        return self.block(step.body, ends, outer.but(RAISE=catching if catching is not None else _RAISED))

    def final(self, step: Try, following: int, exits: _Exits) -> int:
        """A `finally` on the way to somewhere."""
        return self.block(step.finally_, following, exits)


def _leaves(block: Block) -> bool:
    """Control does not come to the end of it."""
    return bool(block) and isinstance(block[-1], Leave)


def _reads(block: Block) -> Iterator[str]:
    """The names that are read in it, at any depth."""
    for step in block:
        match step:
            case Read(name):
                yield name
            case Choice(arms, otherwise):
                for arm in arms:
                    yield from _reads_of_test(arm.test)
                    yield from _reads(arm.body)
                yield from _reads(otherwise)
            case Loop(_, _, body, otherwise, test):
                yield from _reads_of_test(test) if test is not None else ()
                yield from _reads((*body, *otherwise))
            case Try(_, body, handlers, otherwise, finally_):
                yield from _reads((*body, *otherwise, *finally_))
                for handler in handlers:
                    yield from _reads((*handler.kinds, *handler.body))
            case _:
                continue


def _reads_of_test(test: Test) -> Iterator[str]:
    match test:
        case Negation(inner):
            yield from _reads_of_test(inner)
        case AllOf(tests) | AnyOf(tests):
            for one in tests:
                yield from _reads_of_test(one)
        case Atom(steps=steps):
            yield from _reads(steps)


def _asked(test: Test) -> Iterable[tuple[str, str]]:
    match test:
        case Negation(inner):
            yield from _asked(inner)
        case AllOf(tests) | AnyOf(tests):
            for one in tests:
                yield from _asked(one)
        case Atom(fact=fact):
            if fact is not None:
                yield (fact.subject, fact.value)


# What is known on a path.


class _Tracking:
    """The questions that are asked more than once, each a bit; what answers them, and what makes the answer void."""

    def __init__(self, graph: _Graph, *, firm: bool) -> None:
        facts: dict[int, Fact] = {}
        count: dict[str, int] = {}
        for node, datum in enumerate(graph.data):
            if graph.ops[node] is _Op.FORK and isinstance(datum, Atom) and datum.fact is not None:
                if firm and not datum.fact.is_firm:
                    continue
                facts[node] = datum.fact
                count[datum.fact.subject] = count.get(datum.fact.subject, 0) + 1
        # What is asked in a loop is asked again in the next round, and an object may have another answer then: that is good for
        # an excuse, not for a charge. A loop's nodes lie between its `AGAIN` and its head.
        repeated: set[int] = set()
        for node, following in enumerate(graph.next):
            if graph.ops[node] is _Op.AGAIN and not firm:
                repeated.update(range(node + 1, max(following) + 1))
        asked = {node: fact for node, fact in facts.items() if count[fact.subject] > 1 or node in repeated}
        keys = list(dict.fromkeys((fact.subject, fact.value) for fact in asked.values()))
        bits = {key: 1 << index for index, key in enumerate(keys)}
        self.is_empty = not keys
        self.forks = {node: (bits[fact.subject, fact.value], fact.holds) for node, fact in asked.items()}
        self.kills = _kills(graph, asked.values(), bits, firm=firm)
        by_subject: dict[str, list[str]] = {}
        for subject, value in keys:
            by_subject.setdefault(subject, []).append(value)
        self.follows: dict[tuple[int, bool], tuple[int, int]] = {}
        for subject, value in keys:
            bit = bits[subject, value]
            for holds in (True, False):
                known, true = bit, bit if holds else 0
                for other in by_subject[subject]:
                    answer = _implied(value, other, holds=holds)
                    if answer is not None and other != value:
                        known |= bits[subject, other]
                        true |= bits[subject, other] if answer else 0
                self.follows[bit, holds] = (known, true)
        self.live = self._live(graph)

    def _live(self, graph: _Graph) -> list[int]:
        """For each node, the questions that may be asked from it on."""
        live = [0] * len(graph.ops)
        related = {
            node: self.follows[bit, True][0] | self.follows[bit, False][0] for node, (bit, _) in self.forks.items()
        }
        before: list[list[int]] = [[] for _ in graph.ops]
        for node, following in enumerate(graph.next):
            for other in following:
                before[other].append(node)
        pending = list(self.forks)
        while pending:
            node = pending.pop()
            mask = 0
            for other in graph.next[node]:
                mask |= live[other]
            mask = (mask & ~self.kills.get(node, 0)) | related.get(node, 0)
            if mask != live[node]:
                live[node] = mask
                pending += before[node]
        return live

    def answered(self, node: int, known: int, true: int, *, first: bool) -> tuple[int, int] | None:
        """What is known where a fork goes to its first successor, or to its second; None where it cannot."""
        entry = self.forks.get(node)
        if entry is None:
            return known, true
        more, answers = self.follows[entry[0], first is entry[1]]
        if (true ^ answers) & known & more:
            return None
        return known | more, true | answers


def _kills(graph: _Graph, facts: Iterable[Fact], bits: dict[tuple[str, str], int], *, firm: bool) -> dict[int, int]:
    """For each node, the questions whose answers it makes void."""
    mentioned: dict[str, int] = {}
    called = 0
    for fact in facts:
        bit = bits[fact.subject, fact.value]
        for name in fact.names:
            mentioned[name] = mentioned.get(name, 0) | bit
        called |= bit if fact.calls else 0
    kills: dict[int, int] = {}
    for node, datum in enumerate(graph.data):
        match datum:
            case Bind(name) | Touch(name, True):
                mask = mentioned.get(name, 0)
            case Touch(name, False):
                mask = mentioned.get(name, 0) if firm else 0
            case _Round(again):
                mask = called
                for key in again:
                    mask |= bits.get(key, 0)
            case _:
                continue
        if mask:
            kills[node] = mask
    return kills


def _implied(value: str, other: str, *, holds: bool) -> bool | None:
    """What `x == value` being so says of `x == other`; an empty text is the truth of x."""
    if not holds:
        return None
    if "" in (value, other):
        return False if "None" in (value, other) else None
    try:
        first, second = ast.literal_eval(value), ast.literal_eval(other)
    except (ValueError, SyntaxError):
        return None
    return bool(first == second)


# The search.


_UNREAD, _READ, _REBOUND = 0, 1, 2
_UNLIKELY = 1_000_000
_MOST_STATES = 3_000
_MOST_TURNS = 24


_State = tuple[int, int, int, int]
"""A node, what has happened to the parameter, the questions that are answered, and those whose answer is yes."""


class _Unsure(Enum):
    """The search took too long."""

    UNSURE = 0


@dataclass(frozen=True, slots=True)
class _Path:
    """A way from the entry to a return."""

    nodes: tuple[int, ...]


class _Search:
    """Looks for returning paths of one parameter."""

    def __init__(self, graph: _Graph, parameter: str) -> None:
        self.graph = graph
        self.parameter = parameter
        # What a node does to the parameter; all else leaves it alone.
        self.effect: dict[int, int] = {}
        self.absent: dict[int, int] = {}
        for node, datum in enumerate(graph.data):
            match datum:
                case Read(name) if name == parameter:
                    self.effect[node] = _READ
                case ReadAll():
                    self.effect[node] = _READ
                case Bind(name) if name == parameter:
                    self.effect[node] = _REBOUND
                case Atom(presence=name, absent=absent) if name == parameter:
                    # Where it is found missing, there is nothing to read.
                    self.absent[node] = 0 if absent else 1
                case _:
                    continue

    def usage(self, *, is_stub: bool) -> Usage:
        """What the function does with the parameter."""
        # Of the tests that only ask for an option, those are taken to hold that would read it.
        given = {number: {1} for number, names in self.graph.optional.items() if self.parameter in names}
        forgotten = self.feasible(forgets=True, firm=False, allowed=given)
        if not isinstance(forgotten, _Path):
            return Usage(UsageKind.HONOURED, is_stub)
        if self.feasible(forgets=False, firm=True) is None:
            return Usage(UsageKind.IGNORED, is_stub, calls=self.lines(range(len(self.graph.ops))))
        return Usage(UsageKind.PARTLY, is_stub, self.turns(forgotten), self.lines(forgotten.nodes))

    def lines(self, nodes: Iterable[int]) -> frozenset[int]:
        """The lines of the calls among these nodes."""
        return frozenset(datum.line for datum in map(self.graph.data.__getitem__, nodes) if isinstance(datum, Call))

    def feasible(
        self, *, forgets: bool, firm: bool, allowed: dict[int, set[int]] | None = None
    ) -> _Path | _Unsure | None:
        """The first path that forgets the parameter, or one that reads it, and answers no question in two ways.

        A path that forgets it must be one that can be gone: any test that is repeated counts. A path that reads it
        is given the benefit of the doubt: `firm` counts only what nothing but a binding changes.
        """
        found = self.path(forgets=forgets, tracking=None, allowed=allowed)
        if not isinstance(found, _Path):
            return found
        tracking = self.graph.tracking(firm=firm)
        if tracking.is_empty or self.is_consistent(found, tracking):
            return found
        found = self.path(forgets=forgets, tracking=tracking, allowed=allowed)
        if found is _Unsure.UNSURE:
            found = self.path(forgets=forgets, tracking=tracking, allowed=allowed, deep=True)
        return found

    def is_consistent(self, path: _Path, tracking: _Tracking) -> bool:
        """The path answers no question in two ways."""
        known = true = 0
        for node, following in zip(path.nodes, path.nodes[1:], strict=False):
            kill = tracking.kills.get(node, 0)
            known, true = known & ~kill, true & ~kill
            if node in tracking.forks:
                ways = self.graph.next[node]
                answers = [
                    tracking.answered(node, known, true, first=first)
                    for first in (True, False)
                    if ways[0 if first else 1] == following
                ]
                possible = [answer for answer in answers if answer is not None]
                if not possible:
                    return False
                if len(answers) == 1:
                    known, true = possible[0]
        return True

    def path(
        self,
        *,
        forgets: bool,
        tracking: _Tracking | None,
        allowed: dict[int, set[int]] | None = None,
        deep: bool = False,
    ) -> _Path | _Unsure | None:
        """The cheapest path to a return that forgets the parameter, or reads it; `deep` takes any, and finds it sooner."""
        graph, hopeless = self.graph, _READ if forgets else _REBOUND
        start: _State = (graph.entry, _UNREAD, 0, 0)
        came: dict[_State, _State | None] = {start: None}
        done: set[_State] = set()
        costs: dict[_State, int] = {start: 0}
        heap: list[tuple[int, int, _State]] = [(0, 0, start)]
        ticket = 0
        while heap:
            cost, _, state = heapq.heappop(heap)
            if state in done:
                continue
            done.add(state)
            node, status, known, true = state
            if graph.ops[node] is _Op.RETURN:
                if (status != _READ) is forgets:
                    return _Path(_trace(came, state))
                continue
            if tracking is not None and len(done) > _MOST_STATES:
                return _Unsure.UNSURE
            effect = self.effect.get(node)
            if effect is not None and status == _UNREAD:
                status = effect
            toll = self.toll(node, allowed)
            if status == hopeless or toll is None:
                continue
            cost += toll
            for following, now_known, now_true in self.ways(node, status, known, true, tracking):
                reached: _State = (following, status, now_known, now_true)
                ticket += 1
                priority = -ticket if deep else cost
                if reached not in done and priority < costs.get(reached, priority + 1):
                    costs[reached] = priority
                    came[reached] = state
                    heapq.heappush(heap, (priority, ticket, reached))
        return None

    def toll(self, node: int, allowed: dict[int, set[int]] | None) -> int | None:
        """What it costs to pass a node; None where it is not allowed."""
        decision = self.graph.data[node]
        if not isinstance(decision, _Decision):
            return 0
        if allowed is not None and decision.outcome not in allowed.get(decision.id, (decision.outcome,)):
            return None
        return _UNLIKELY + 1 if decision.is_unlikely else 1

    def ways(
        self, node: int, status: int, known: int, true: int, tracking: _Tracking | None
    ) -> Iterator[tuple[int, int, int]]:
        """Where control can go from a node, and what is known there."""
        following = self.graph.next[node]
        absent = self.absent.get(node) if status == _UNREAD else None
        if tracking is None:
            yield from ((other, 0, 0) for index, other in enumerate(following) if index != absent)
            return
        kill = tracking.kills.get(node, 0)
        known, true = known & ~kill, true & ~kill
        for index, other in enumerate(following):
            answer = tracking.answered(node, known, true, first=index == 0)
            if answer is not None and index != absent:
                live = tracking.live[other]
                yield other, answer[0] & live, answer[1] & live
        return None

    def turns(self, path: _Path) -> tuple[Turn, ...]:
        """The turns of a forgotten path that matter: without them, the parameter would be read."""
        taken: dict[tuple[int, int], _Decision] = {}
        for node in path.nodes:
            datum = self.graph.data[node]
            if isinstance(datum, _Decision):
                taken[datum.id, datum.outcome] = datum
            elif self.effect.get(node) == _REBOUND:
                break  # What comes now reads another value.
        outcomes: dict[int, set[int]] = {}
        for number, outcome in taken:
            outcomes.setdefault(number, set()).add(outcome)
        doomed = self.always_reading()
        kept = {
            datum.id
            for node, datum in enumerate(self.graph.data)
            if isinstance(datum, _Decision)
            and datum.id in outcomes
            and datum.outcome not in outcomes[datum.id]
            and node in doomed
        }
        kept |= {datum.id for datum in taken.values() if datum.turn.kind is TurnKind.EXCEPTION and datum.outcome}
        while len(kept) < _MOST_TURNS:
            other = self.feasible(forgets=False, firm=False, allowed={number: outcomes[number] for number in kept})
            if other is _Unsure.UNSURE:
                other = self.path(forgets=False, tracking=None, allowed={number: outcomes[number] for number in kept})
            if not isinstance(other, _Path):
                break
            differing = self.differing(other, outcomes, kept)
            if differing is None:
                # It forgets where no exception comes, and says nothing of that: it returns from within the `try`.
                return self.uncaught(other, outcomes) or tuple(datum.turn for datum in taken.values())[-_MOST_TURNS:]
            kept.add(differing)
        return tuple(datum.turn for datum in taken.values() if datum.id in kept)

    def uncaught(self, other: _Path, outcomes: dict[int, set[int]]) -> tuple[Turn, ...]:
        """That nothing was raised where a path that reads the parameter catches something."""
        return tuple(
            replace(datum.turn, condition=Condition(datum.turn.condition.test, holds=True, line=datum.turn.line))
            for datum in map(self.graph.data.__getitem__, other.nodes)
            if isinstance(datum, _Decision)
            and datum.turn.kind is TurnKind.EXCEPTION
            and datum.outcome
            and datum.id not in outcomes
        )[:1]

    def differing(self, other: _Path, outcomes: dict[int, set[int]], kept: set[int]) -> int | None:
        """The last decision of a path that reads the parameter which a forgotten path takes otherwise."""
        for node in reversed(other.nodes):
            datum = self.graph.data[node]
            if not isinstance(datum, _Decision) or datum.id in kept:
                continue
            if datum.outcome not in outcomes.get(datum.id, {datum.outcome}):
                return datum.id
        return None

    def always_reading(self) -> set[int]:
        """The nodes on some path from which some return can be reached, and none without reading the parameter."""
        reached = {self.graph.entry}
        pending = [self.graph.entry]
        while pending:
            new = set(self.graph.next[pending.pop()]) - reached
            reached |= new
            pending += new
        before: list[list[int]] = [[] for _ in self.graph.ops]
        for node, following in enumerate(self.graph.next):
            for other in following:
                before[other].append(node)
        returning = _leading(before, {_RETURN}, {})
        rebinding = {node for node, effect in self.effect.items() if effect == _REBOUND and node in returning}
        return (returning & reached) - _leading(before, {_RETURN, *rebinding}, self.effect)


def _leading(before: list[list[int]], ends: set[int], effect: dict[int, int]) -> set[int]:
    """The nodes that lead to one of these ends past no node that reads."""
    found = set(ends)
    pending = list(ends)
    while pending:
        for node in before[pending.pop()]:
            if node not in found and effect.get(node) != _READ:
                found.add(node)
                pending.append(node)
    return found


def _trace(came: dict[_State, _State | None], state: _State) -> tuple[int, ...]:
    nodes: list[int] = []
    current: _State | None = state
    while current is not None:
        nodes.append(current[0])
        current = came[current]
    return tuple(reversed(nodes))
