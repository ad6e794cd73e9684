"""What a diagnostic says. Every sentence of sigcheck about code is made here."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NoReturn

from sigcheck.core.binding import CallShape, Refusal, Rejection
from sigcheck.core.callsite import CallSite, Route
from sigcheck.core.dataclass import dataclass
from sigcheck.core.diagnostic import (
    BaseWithoutSource,
    BrokenOverride,
    Diagnostic,
    Finding,
    InconsistentBases,
    SiblingDrift,
    UnknownRule,
    UnreadableSource,
    UselessSuppression,
)
from sigcheck.core.forwarding import BrokenCall, MisboundArgument, PositionalForwarding, RejectedArgument
from sigcheck.core.honour import (
    IgnoredParameter,
    NeglectedParameter,
    PartlyHonouredParameter,
    SwallowedArguments,
    UnforwardedParameter,
)
from sigcheck.core.incompatibility import (
    AsyncMismatch,
    DefaultChanged,
    DefaultRemoved,
    ExtraRequiredParameters,
    InsertedParameters,
    Landing,
    MissingParameters,
    MovedParameter,
    NotKeyword,
    NotPositional,
    Reason,
    ReceiverMismatch,
    RenamedParameter,
    ReplacedParameters,
    VariadicRemoved,
    Witness,
)
from sigcheck.core.member import Member
from sigcheck.core.module import Class
from sigcheck.core.place import Branch, Place
from sigcheck.core.regex import regex
from sigcheck.core.signature import Signature
from sigcheck.core.turn import Turn, TurnKind

if TYPE_CHECKING:
    from typing_extensions import assert_never
else:

    def assert_never(value: object) -> NoReturn:
        """The union is closed: mypy proves that this is never reached."""
        raise AssertionError(value)


_LINE_BREAK = regex(r"\s*[\r\n]\s*")


@dataclass(frozen=True, slots=True)
class Detail:
    """One line below a diagnostic's first.

    Attributes:
        label: `base`, `witness`, `called` …
        text: what it says.
        place: what it points at, or None.
    """

    label: str
    text: str
    place: Place | None = None


def message(diagnostic: Diagnostic) -> str:
    """The sentence of the first line: it can stand alone."""
    return _in_one_line(_sentence(diagnostic.finding))


def _sentence(finding: Finding) -> str:
    match finding:
        case BaseWithoutSource(owner=owner, reference=reference):
            # Most of all findings, where packages are not installed.
            return f"no source was found for {_reference(reference)}, a base of {_short(owner.name)}"
        case BrokenOverride():
            return _broken(finding)
        case BrokenCall():
            return _broken_call(finding)
        case NeglectedParameter():
            return _neglected(finding)
        case SiblingDrift(first=first, second=second):
            subject = f"{_short(finding.owner.name)}.{finding.method.name}"
            sibling = f"its sibling {finding.sibling.name}{_under(finding.sibling.branch)}"
            return f"{subject} has {first} before {second}, {sibling} after it{_under(finding.method.branch)}"
        case UnreadableSource(problem=problem):
            return f"{problem.cause}; {problem.remedy}" if problem.remedy else problem.cause
        case InconsistentBases(owner=owner, explanation=explanation):
            return f"{_short(owner.name)} cannot be created: {explanation}"
        case UselessSuppression(rule=name) if finding.suppression.parameters:
            return f"no parameter is called {name} here; remove it"
        case UselessSuppression(rule=rule):
            return f"nothing is suppressed by ignore[{rule}]; remove it"
        case UnknownRule(rule=None):
            return "a suppression names its rule: `# sigcheck: ignore[rule]`"
        case UnknownRule(rule=rule, nearest=nearest):
            hint = f"; did you mean {nearest}?" if nearest else "; see `sigcheck rules`"
            return f"no rule is called {rule}{hint}"
        case _:
            assert_never(finding)


def details(diagnostic: Diagnostic) -> list[Detail]:
    """The lines below: the base, a call that shows it, what was inserted, who calls."""
    return [Detail(line.label, _in_one_line(line.text), line.place) for line in _details(diagnostic.finding)]


def _details(finding: Finding) -> list[Detail]:
    match finding:
        case BaseWithoutSource():
            return []
        case BrokenOverride():
            return _override_details(finding)
        case BrokenCall():
            return _call_details(finding)
        case NeglectedParameter():
            return _neglect_details(finding)
        case SiblingDrift(owner=owner, method=method, sibling_class=sibling_class, sibling=sibling):
            told = Detail("sibling", _slots(sibling_class, sibling), sibling.place)
            return [Detail("method", _slots(owner, method)), told]
        case _:
            return []


def _override_details(finding: BrokenOverride) -> list[Detail]:
    name = f"{_short(finding.base_class.name)}.{finding.base.name}"
    what = f"{name}{finding.base_signature.names_only()}" if finding.base.flavour.is_method else name
    lines = []
    if finding.is_shadowing:
        runs = f"{_short(finding.override_class.name)}.{finding.override.name}"
        lines.append(Detail("runs", runs + finding.override_signature.names_only(), finding.override.place))
    lines += [Detail("base", what + _under(finding.base.branch), finding.base.place)]
    witness = getattr(finding.reason, "witness", None)
    if isinstance(witness, Witness):
        lines.append(Detail("witness", _witness(witness, finding)))
    if isinstance(finding.reason, InsertedParameters):
        inserted = _listed([f"`{word}`" for word in finding.reason.names])
        verb = "stands" if len(finding.reason.names) == 1 else "stand"
        text = f"{inserted} {verb} in front of {_listed(finding.reason.displaced)}"
        lines.append(Detail("before", text, finding.override.place))
    if finding.call is not None:
        lines.append(Detail("called", _called(finding, finding.call), finding.call.place))
    return lines


def _in_one_line(text: str) -> str:
    """Source text that is quoted may run over several lines, or hold what a terminal would obey."""
    if text.isprintable():
        return text
    joined = _LINE_BREAK.sub(" ", text)
    if joined.isprintable():
        return joined
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in joined)


def witness_text(diagnostic: Diagnostic) -> str | None:
    """The call that shows a broken promise, and what it does; None for what needs none."""
    return witness_in(details(diagnostic))


def witness_in(lines: Iterable[Detail]) -> str | None:
    """The same, of a diagnostic's details."""
    return next((line.text for line in lines if line.label == "witness"), None)


def parameters(reason: Reason) -> tuple[str | None, str | None]:
    """The parameter that a reason is about, and where its argument lands."""
    match reason:
        case MissingParameters(names=names, lands_in=lands_in):
            return names[0], lands_in
        case NotPositional() | NotKeyword() | ExtraRequiredParameters():
            return reason.names[0], None
        case InsertedParameters() | MovedParameter() | ReplacedParameters() | RenamedParameter():
            return reason.parameter, reason.lands_in
        case DefaultRemoved() | DefaultChanged():
            return reason.name, None
        case VariadicRemoved(variadics=variadics):
            return variadics[0].name, None
        case ReceiverMismatch() | AsyncMismatch():
            return None, None
        case _:
            assert_never(reason)


def _broken(finding: BrokenOverride) -> str:
    subject = f"{_short(finding.override_class.name)}.{finding.override.name}"
    if finding.is_shadowing:
        shadowed = f"{_short(finding.base_class.name)}.{finding.base.name}"
        subject = f"{subject}, which shadows {shadowed} in {_short(finding.owner.name)}"
    return _reason(finding.reason, subject, is_clause=finding.is_shadowing) + _under(finding.override.branch)


def _broken_call(finding: BrokenCall) -> str:
    callee = _member(finding.callee_class, finding.callee)
    return _call_reason(finding, callee) + _under(finding.callee.branch)


def _call_reason(finding: BrokenCall, callee: str) -> str:
    match finding.reason:
        case MisboundArgument(arguments=arguments, targets=targets, is_by_name=True):
            verb = "lands" if len(arguments) == 1 else "land"
            pronoun = "it" if len(arguments) == 1 else "each"
            landed = _listed([f"`{target}`" for target in targets])
            return f"{_listed(list(map(_quoted, arguments)))} {verb} in {landed} of {callee}, which has a parameter for {pronoun}"
        case MisboundArgument(arguments=arguments, parameters=names, targets=targets):
            seen = _member(finding.seen_class, finding.seen) if finding.seen_class and finding.seen else "the caller"
            verb, what = ("lands", "it is") if len(arguments) == 1 else ("land", "they are")
            landed = _listed([f"`{target}`" for target in targets])
            return f"{_listed(list(map(_quoted, arguments)))} {verb} in {landed} of {callee}, in {seen} {what} {_listed(names)}"
        case RejectedArgument(argument=None, rejection=rejection) if rejection.refusal is Refusal.MISSING_ARGUMENT:
            return f"nothing is passed for {_listed([f'`{name}`' for name in rejection.names])} of {callee}"
        case RejectedArgument(argument=argument, rejection=rejection):
            what = _quoted(argument) if argument is not None else "the call"
            return f"{what} is refused by {callee}: {refusal(rejection, _listed(rejection.names))}"
        case PositionalForwarding(parameters=parameters):
            return f"{_listed(parameters)} of {callee} are optional, and are passed by position"
        case _:
            assert_never(finding.reason)


def _call_details(finding: BrokenCall) -> list[Detail]:
    callee = _member(finding.callee_class, finding.callee)
    lines = [Detail("takes", f"{callee}{finding.signature.names_only()}", finding.callee.place)]
    if finding.seen is not None and finding.seen_class is not None and finding.seen is not finding.callee:
        signature = next(
            (found for found in finding.seen.bound_signatures() if found is not None), finding.seen.signature
        )
        seen = _member(finding.seen_class, finding.seen)
        lines.append(Detail("seen", f"{seen}{signature.names_only()}", finding.seen.place))
    if finding.receiver.key not in (finding.caller_class.key, finding.callee_class.key):
        where = "behind" if finding.call.route is Route.SUPER else "on"
        text = f"{_member(finding.caller_class, finding.caller)} runs {where} a {_short(finding.receiver.name)}"
        lines.append(Detail("when", text, finding.receiver.place))
    return lines


def _neglected(finding: NeglectedParameter) -> str:
    subject = _member(finding.override_class, finding.override)
    match finding.reason:
        case IgnoredParameter(parameters=names):
            return f"{subject} takes {_listed(names)} and never reads {_pronoun(names)}"
        case PartlyHonouredParameter(parameters=names, turns=turns):
            return f"{subject} does not read {_listed(names)} on every path ({'; '.join(_path(turns))})"
        case UnforwardedParameter(parameters=names, callee_class=callee_class, callee=callee):
            takes = f"which takes {_pronoun(names)}"
            return f"{subject} does not pass {_listed(names)} on to {_member(callee_class, callee)}, {takes}"
        case SwallowedArguments(parameters=names, catch_alls=catch_alls):
            verb = "lands" if len(names) == 1 else "land"
            where = _listed([f"`{catch_all}`" for catch_all in catch_alls])
            return f"{_listed(names)} {verb} in {where} of {subject}, which nothing reads"
        case _:
            assert_never(finding.reason)


def _path(turns: Sequence[Turn]) -> list[str]:
    """The turns of a path; of `a` and `a or b` at one place, the whole test is enough."""
    return [
        _turn(turn)
        for turn in turns
        if not any(
            other is not turn
            and other.condition.holds is turn.condition.holds
            and turn.condition.test != other.condition.test
            and turn.condition.test in other.condition.test
            and abs(other.line - turn.line) <= other.condition.test.count("\n") + 1
            for other in turns
        )
    ]


def _turn(turn: Turn) -> str:
    """Where a path turns off, as a reader looks for it: `else of line 41: x != 1`."""
    condition = turn.condition
    match turn.kind:
        case TurnKind.LOOP:
            how = "line" if condition.holds else "no round of line"
            return f"{how} {turn.line}: {condition.test}"
        case TurnKind.EXCEPTION:
            what = "nothing raised" if condition.holds else "an exception"
            return f"{what} in the {condition.test.replace(' at ', ' of ')}"
        case TurnKind.TEST:
            if condition.holds:
                return f"line {turn.line}: {condition.test}"
            if condition.test.startswith("case "):
                return f"line {turn.line}: not {condition.test}"
            return f"else of line {turn.line}: {_negated(condition.test)}"
        case _:
            assert_never(turn.kind)


_OPPOSITES: dict[type[ast.cmpop], str] = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}


def _negated(test: str) -> str:
    """A test that failed, as one that holds."""
    try:
        node = ast.parse(test, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return f"not ({test})"
    match node:
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if (
            type(operator) in _OPPOSITES and test.isascii() and "\n" not in test
        ):
            # `x < y` and `x >= y` may both be false: those are not turned round.
            opposite = _OPPOSITES[type(operator)]
            return f"{test[: left.end_col_offset]} {opposite} {test[right.col_offset :]}"
        case ast.UnaryOp(op=ast.Not(), operand=operand) if test.isascii() and "\n" not in test:
            return test[operand.col_offset : operand.end_col_offset]
        case ast.Name() | ast.Attribute() | ast.Call() | ast.Subscript():
            return f"not {test}"
        case _:
            return f"not ({test})"


def _neglect_details(finding: NeglectedParameter) -> list[Detail]:
    signature = next((found for found in finding.base.bound_signatures() if found is not None), finding.base.signature)
    lines = [Detail("base", f"{_member(finding.base_class, finding.base)}{signature.names_only()}", finding.base.place)]
    if isinstance(finding.reason, UnforwardedParameter):
        callee = _member(finding.reason.callee_class, finding.reason.callee)
        passes = f"passes no {_listed(finding.reason.parameters)} to {callee}"
        lines.append(Detail("called", passes, finding.reason.call.place))
    return lines


def _member(owner: Class, member: Member) -> str:
    return f"{_short(owner.name)}.{member.name}"


def _quoted(source: str) -> str:
    """Source text of an argument, shortened if it is long."""
    joined = " ".join(source.split())
    return f"`{joined}`" if len(joined) <= _LONGEST_ARGUMENT else f"`{joined[: _LONGEST_ARGUMENT - 1]}…`"


_LONGEST_ARGUMENT = 60


def _reason(reason: Reason, subject: str, *, is_clause: bool) -> str:
    comma = "," if is_clause else ""
    match reason:
        case MissingParameters(names=names, lands_in=lands_in):
            elsewhere = f"; by position {names[0]} lands in `{lands_in}`" if lands_in else ""
            return f"{subject}{comma} cannot receive {_listed(names)}{elsewhere}"
        case ExtraRequiredParameters(names=names, displaced=displaced):
            behind = f", and has {_pronoun(names)} before {_listed(displaced)}" if displaced else ""
            return f"{subject}{comma} requires {_listed([f'`{name}`' for name in names])}, which the base never passes{behind}"
        case MovedParameter(parameter=parameter, lands_in=lands_in, swapped=True):
            return f"{parameter} lands in `{lands_in}` of {subject}{comma} and {lands_in} in `{parameter}`"
        case ReplacedParameters(names=names, targets=targets) if len(names) > 1:
            return f"{_listed(names)} land in {_listed([f'`{target}`' for target in targets])} of {subject}"
        case InsertedParameters() | MovedParameter() | ReplacedParameters():
            return f"{reason.parameter} lands in `{reason.lands_in}` of {subject}"
        case RenamedParameter(parameter=parameter, lands_in=lands_in):
            return f"{parameter} is called `{lands_in}` in {subject}"
        case NotPositional(names=names, variadic=variadic):
            where = f", in {variadic}" if variadic is not None else ""
            return f"{subject}{comma} takes {_listed(names)} by keyword only{where}"
        case NotKeyword(names=names, variadic=variadic):
            where = f", in {variadic}" if variadic is not None else ""
            return f"{subject}{comma} takes {_listed(names)} by position only{where}"
        case DefaultRemoved(name=name, override_name=other):
            new_name = "" if name == other else f" (there `{other}`)"
            return f"{subject}{comma} requires {name}{new_name}, which is optional in the base"
        case VariadicRemoved(variadics=variadics, claimed_by=()):
            return f"{subject}{comma} does not take {_listed([str(variadic) for variadic in variadics])}"
        case VariadicRemoved(variadics=variadics, claimed_by=claimed_by):
            claimed = _listed([f"`{name}`" for name in claimed_by])
            return f"{subject}{comma} has {claimed} for itself, which the base leaves to {variadics[0]}"
        case ReceiverMismatch(override=override, base=base):
            return f"{subject}{comma} is {_article(override)}, in the base it is {_article(base)}"
        case AsyncMismatch(override_is_coroutine=True):
            return f"{subject}{comma} is a coroutine function, in the base it is none"
        case AsyncMismatch():
            return f"{subject}{comma} is no coroutine function, in the base it is one"
        case DefaultChanged(name=name, base_default=base_default, override_default=override_default):
            return f"{subject}{comma} has {name}={override_default}, the base {name}={base_default}"
        case _:
            assert_never(reason)


def _witness(witness: Witness, finding: BrokenOverride) -> str:
    call = f"{finding.override.name}({', '.join(_arguments(witness.shape, finding.base_signature))})"
    return f"{call}   {_outcome(witness.outcome, finding.reason)}"


def _arguments(shape: CallShape, base: Signature) -> list[str]:
    slots = [slot.name for slot in base.positional]
    keywords = sorted(shape.keywords, key=lambda keyword: base.get(keyword) is None)
    extra = [f"{base.var_positional.name if base.var_positional else 'more'}{n + 1}" for n in range(shape.positional)]
    return [*(slots + extra)[: shape.positional], *(f"{keyword}=..." for keyword in keywords)]


def _outcome(outcome: Rejection | Sequence[Landing], reason: Reason) -> str:
    if isinstance(outcome, Rejection):
        return f"base accepts, override raises TypeError: {refusal(outcome, _listed(outcome.names))}"
    parameter, _ = parameters(reason)
    landing = next((entry for entry in outcome if entry.base.name == parameter), outcome[0])
    return f"base binds {landing.base.name}, override binds {landing.override.name}"


def refusal(rejection: Rejection, names: str) -> str:
    """Why a call raises; `names` are the rejection's, as they are listed."""
    match rejection.refusal:
        case Refusal.TOO_MANY_POSITIONAL:
            return "too many positional arguments"
        case Refusal.UNEXPECTED_KEYWORD:
            return f"unexpected keyword {names}"
        case Refusal.MULTIPLE_VALUES:
            return f"multiple values for {names}"
        case Refusal.MISSING_ARGUMENT:
            return f"nothing for {names}"
        case _:
            assert_never(rejection.refusal)


def _called(finding: BrokenOverride, call: CallSite) -> str:
    involved = [name for name in _involved(finding.reason) if finding.base_signature.get(name) is not None]
    slots = [slot.name for slot in finding.base_signature.positional][: len(call.positional)]
    by_position = [name for name in involved if name in slots]
    word = _pronoun(by_position or involved)
    how = "by position" if by_position else "by keyword"
    if (
        isinstance(finding.reason, (InsertedParameters, MovedParameter, ReplacedParameters, RenamedParameter))
        and by_position
    ):
        return f"passes {finding.reason.parameter} by position; pass `{finding.reason.parameter}=` or restore the order"
    return f"passes {word} {how}; every call fails"


def _involved(reason: Reason) -> tuple[str, ...]:
    if isinstance(reason, (MissingParameters, NotPositional, NotKeyword, ExtraRequiredParameters)):
        return reason.names
    parameter, _ = parameters(reason)
    return () if parameter is None else (parameter,)


def _slots(owner: Class, method: Member) -> str:
    """A method as it is called, with the names of its parameters."""
    signature = next((bound for bound in method.bound_signatures() if bound is not None), method.signature)
    return f"{_short(owner.name)}.{method.name}{signature.names_only()}"


def _under(branch: Branch) -> str:
    """The branch that a definition stands in, for the end of a sentence."""
    if not branch:
        return ""
    words = []
    for condition in branch:
        test = condition.test if condition.holds else f"not {condition.test}"
        words.append(f"line {condition.line}: {test}" if condition.line else test)
    return f" (branch of {'; '.join(words)})"


def _reference(reference: str) -> str:
    if reference.startswith("?"):
        return f"`{reference[1:]}`"
    module, _, name = reference.partition(":")
    return f"{module}.{name}" if name else module


def _short(name: str) -> str:
    """A class without its module: the last part, and the classes it is nested in."""
    parts = name.split(".")
    for index, part in enumerate(parts):
        if part[:1].isupper() or part == "<locals>":
            return ".".join(parts[index:]) if part != "<locals>" else ".".join(parts[index + 1 :])
    return parts[-1]


def _article(words: str) -> str:
    if words == "None":
        return words
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _pronoun(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
