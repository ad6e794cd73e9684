"""The calls on a receiver that stand in the text of a class or of a method, and their shapes. Knows no mypy.

More is found than there is: what stands in a string or behind a `#` looks like a call too. Less is never found than the reader of
bodies follows.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from sigcheck.core.regex import regex


class WrittenCall:
    """One call.

    Attributes:
        route: `self`, `super`, or `class` for what is called with the receiver as its first argument.
        owner: what stands in front of the method's name, where the route is `class`.
        method: the name that is called.
        text: in which it stands.
        place: where there.
        opened: where its arguments begin; negative where they are not looked at.
    """

    __slots__ = ("method", "opened", "owner", "place", "route", "text")

    def __init__(self, route: str, owner: str, method: str, text: str, place: int, opened: int) -> None:  # noqa: PLR0917 - its attributes
        self.route = route
        self.owner = owner
        self.method = method
        self.text = text
        self.place = place
        self.opened = opened

    @property
    def arguments(self) -> Arguments | None:
        """How it is called; None where the text does not tell."""
        return read_arguments(self.text, self.opened) if self.opened >= 0 else None

    @property
    def plain_count(self) -> int | None:
        """How many arguments there are, where all are plain ones by position."""
        plain = _PLAIN.match(self.text, self.opened) if self.opened >= 0 else None
        if plain is None:
            return None
        inner = plain.group(1).strip()
        if "=" in inner or "lambda" in inner or "for" in inner:
            return None
        return inner.count(",") + (inner[-1] != ",") if inner else 0

    @property
    def is_transparent(self) -> bool:
        """It hands on `*args, **kwargs` and nothing else: nothing of it is certain, so nothing can be wrong."""
        return self.opened >= 0 and _TRANSPARENT.match(self.text, self.opened) is not None


class Arguments(NamedTuple):
    """What is certain of the arguments.

    Attributes:
        positional: their texts, up to the first `*`.
        keywords: their names.
        has_star, has_double_star: there is more, of which the text does not tell how much.
    """

    positional: tuple[str, ...]
    keywords: tuple[str, ...]
    has_star: bool
    has_double_star: bool


Written: TypeAlias = tuple[list[WrittenCall], bool]
"""The calls that stand in a text, on a receiver, on `super()` and with the receiver; and whether there is a `super` that is no plain call."""

_FLAT, _INNER = r"[^()\[\]{}'\"#\\]*", r"(?:\"[^\"{}\\\n]*\"(?![\"\w])|'[^'{}\\\n]*'(?!['\w]))"
_INNER += "".join(rf"|\{left}{_FLAT}\{right}" for left, right in ("()", "[]", "{}"))
_ARGUMENTS = rf"{_FLAT}(?:(?:{_INNER}){_FLAT})*\)"
"""What stands in brackets, and the bracket behind it, where at most plain strings and plain brackets stand in it."""

_BEHIND_RECEIVER = re.compile(r"\s*\.\s*(\w+)\b\s*\(|\s*\.\s*__class__|\s*(?![\s.\w])")
# Neither called plainly nor only read: `self` without an attribute, its class, or a call with a gap in it.
_ODDLY = r"(?!\w|\.(?!__class__(?!\())\w+\b(?!\s+\())"
_CALLED_OR_ODD = re.compile(rf"self(?<![\w.]self)(?:\.(\w+)\(|{_ODDLY})")
_ODD = regex(rf"self{_ODDLY}(?<![\w.]self)")
# The arguments are looked ahead at: there may be calls in them.
_GLANCE = regex(rf"self\.(?<![\w.]self\.)(\w+)\((?:(?=({_ARGUMENTS}))|)")
_GAP = r"(?:\s|\\\n|#.*\n)*"
_FILLING = rf"\s*(?:(?=[#\\]){_GAP})?"
# Where another operand follows, nothing is called on what stands in the brackets.
_GOES_ON = r"\s*[^\s.)#\\]"
_OWN_BRACKET = re.compile(
    rf"\((?<!\w\()(?=[cst\s#\\]){_FILLING}"
    rf"(?:(?:self|cls)\b(?:\.\w+)*\b(?!\.\w|{_GOES_ON})|(?:type|super)\b(?!\([^()#\\]*\){_GOES_ON}))"
)
_WORD, _LONGEST = string.ascii_letters + string.digits + "_", 80
_TRANSPARENT = re.compile(r"\s*\*\w+\s*,\s*\*\*\w+\s*,?\s*\)")
_CONTINUED = re.compile(r"\\\n(?:(?<=[^.]\.\\\n)|(?<=[^.]\. \\\n)|[\s\\]*(?:\.(?![.\d])|(\()))")
# Two spaces stand before a comment, or one, or none.
_COMMENTED = re.compile(r"#(?:(?<=[^.]\.#)|(?<=[^.]\. #)|(?<=[^.]\.  #)|[^\n]*\n\s*(?:\.(?![.\d])|(\()))")
_CALLED = regex(r"(?:\.\s*\w+|super)[\s\\]*\Z")


def is_obscure(text: str, receivers: Collection[str]) -> bool:
    r"""A call may be written as nobody looks for it here: with brackets around a part, or a `\` or a comment between two.

    Args:
        text: of a class.
        receivers: the names of the first parameters of its methods.
    """
    for mark, parted in (("#", _COMMENTED), ("\\", _CONTINUED)):
        for found in parted.finditer(text) if mark in text else ():
            place = found.start()
            if _is_called(text, place) if found[1] else not _is_comment(text, place):
                return True
    if not _COMMON.issuperset(receivers):
        parts = _ANY_IN_BRACKETS.finditer(text)
    else:
        places = [found.start() for found in _OWN_BRACKET.finditer(text)]
        parts = (part for place in places if (part := _COMMON_IN_BRACKETS.match(text, place)) is not None)
    return any((name := part[1] or part[2]) is None or name in receivers for part in parts)


def _is_comment(text: str, place: int) -> bool:
    """The line is nothing but a comment, up to that place."""
    return text[text.rfind("\n", 0, place) + 1 : place].lstrip().startswith("#")


def _in_brackets(words: str) -> str:
    """A receiver, its class, what is above it, or an attribute of these, in brackets that are not those of a call."""
    return (
        rf"\((?<!\w\(){_GAP}(?:({words})(?:{_GAP}\))+{_GAP}[.,)]"
        rf"|(?:type{_GAP}\({_GAP}\w+{_GAP}\)|super{_GAP}\([^()]*\)|({words}))"
        rf"(?:{_GAP}\.{_GAP}\w+)*(?:{_GAP}\))+{_GAP}[.(])"
    )


_COMMON = frozenset({"self", "cls"})
_COMMON_IN_BRACKETS, _ANY_IN_BRACKETS = regex(_in_brackets("self|cls")), regex(_in_brackets(r"\w+"))


def _is_called(text: str, place: int) -> bool:
    r"""What stands before the comments that end there, or before a `\`, is a name that can be called."""
    begin = text.rfind("\n", 0, place) + 1
    while begin and not text[begin:place].strip():
        end, begin = begin - 1, text.rfind("\n", 0, begin - 1) + 1
        comment = text.find("#", begin, end)
        place = comment if comment >= 0 else end
    return _CALLED.search(text[max(place - _LONGEST, 0) : place]) is not None


_SUPER = regex(r"super\s*\(")
_SUPER_CALL = re.compile(r"super\s*\(([^()]*)\)\s*\.\s*(\w+)\s*\(")
_SUPER_READ = regex(r"super\s*\([^()]*\)\s*(?:\.\s*\w+\s*(?![\s(\w]|\)\s*\()|(?![\s.(]|\)\s*[.(]))")
_BEHIND = re.compile(r"\s*\)\s*\.\s*(\w+)\s*\(")
_OWNER_REVERSED = regex(r"\s*\(\s*(\w+)\s*\.\s*([\w.]*)")
_HEADER = re.compile(r"\s*(?:async\s+)?def\s+\w+\s*(?:\[[^()]*\]\s*)?\(\s*\Z")
_OPENED = regex(rf"\({_GAP}\Z")
_BEFORE_BRACKETS = ("return", "await", "yield", "not", "and", "or", "in", "is", "if", "else", "while", "assert")
_OWNER_IN_BRACKETS = regex(r"\((?<!\w\()[\w.\s]+\)[\s)]*(?:\.\s*\w+[\s)]*)?\(\s*\Z")
_OF_CLASS = regex(r"\s*\.\s*(\w+)\s*\(")


def bare_functions(text: str, column: int) -> list[int]:
    """Where functions may stand in a method whose header says nothing of types, or whose decorator makes that nothing.

    Args:
        text: of a class.
        column: where the headers of its methods begin.
    """
    bare: list[int] = []
    has_typed = False
    for found in (_FUNCTION if column < _INDENT else _FURTHER_IN).finditer(text):
        place = found.start()
        before = text[text.rfind("\n", 0, place) + 1 : place]
        if len(before) > column and before.strip() in ("", "async"):
            if _TYPED.match(text, place) is not None:
                has_typed = True
            else:
                bare.append(place)
    if has_typed:
        bare += [found.start() + 1 for found in re.finditer(rf"\n[ \t]{{{column + 1},}}@", text)]
    return bare


_INDENT = 4
_FUNCTION, _FURTHER_IN = regex(r"def\b"), regex(rf"def\b(?<!\n{_INDENT * ' '}def)")
_TYPED = regex(r"def[^\n#'\"]*\)\s*->")


def read_body(text: str, receiver: str) -> Written:
    """What the text of a method tells.

    Args:
        text: from the first statement behind its header to its end, or the whole of it.
        receiver: the name of its first parameter.
    """
    calls: list[WrittenCall] = []
    for start in _all(receiver, text):
        calls += _calls_by(text, start, start + len(receiver))
    above, is_odd = _calls_above(text)
    return calls + above, is_odd


def names_called(text: str) -> tuple[set[str], int]:
    """The names that are called on `self` in the text of a class; and how often it is named for another purpose than that, or to read."""
    found = _CALLED_OR_ODD.findall(text)
    names = set(found)
    names.discard("")
    return names, found.count("")


def glance(text: str) -> set[tuple[str, str]]:
    """The plain calls on `self` in the text of a class: the name, and the arguments with the bracket behind them, if these are plain."""
    return set(_GLANCE.findall(text))


def look(text: str, calls: Collection[tuple[str, str]], *, is_handed_on: bool) -> Written:
    """What a glance at the text of a class is not enough for.

    Args:
        text: of the class.
        calls: of those that a glance tells of; without arguments, all of that name.
        is_handed_on: `self` may be an argument of a call, or a call be written oddly.
    """
    places = [place for method, arguments in calls for place in _all(f"self.{method}({arguments}", text)]
    if is_handed_on:
        places += [place for found in _ODD.finditer(text) if _may_call(text, place := found.start())]
    found = [call for place in places for call in _calls_by(text, place, place + len("self"))]
    above, is_odd = _calls_above(text)
    return found + above, is_odd


def _all(part: str, text: str) -> Iterator[int]:
    """The places of a part in a text."""
    place = text.find(part)
    while place >= 0:
        yield place
        place = text.find(part, place + 1)


def _calls_by(text: str, start: int, end: int) -> Iterator[WrittenCall]:
    """What the receiver does where it is named: it has a method that is called, or is handed to one."""
    found = _BEHIND_RECEIVER.match(text, end)
    if found is None or (start and ((last := text[start - 1]).isalnum() or last in "_.")):
        return  # It is read, or another name ends like it.
    method = found[1]
    if method:
        yield WrittenCall("self", "", method, text, start, found.end())
    elif _HEADER.match(text, text.rfind("\n", 0, start) + 1, start) is None:
        yield from _calls_with(text, start, found.end())


def _calls_above(text: str) -> Written:
    """The calls on `super()`, and whether there is one of another kind."""
    calls: list[WrittenCall] = []
    is_odd = False
    for start in _all("super", text):
        called = _SUPER_CALL.match(text, start)
        if called is not None:
            owner, method = called.groups()
            first = owner.partition(",")[0].strip()
            calls.append(WrittenCall("super", first, method, text, start, called.end()))
        elif (
            _SUPER.match(text, start) is not None
            and _SUPER_READ.match(text, start) is None
            and not _is_in_comment(text, start)
        ):
            is_odd = True
    return calls, is_odd


def _may_call(text: str, place: int) -> bool:
    """`self`, oddly written, is no mere value, as far as a few characters around it tell."""
    end = place + len("self")
    behind = text[end : end + 1]
    if behind == "." or behind.isspace():
        return True
    before = text[max(place - _LONGEST, 0) : place]
    filled = before.rstrip()
    if filled.endswith("("):
        bracket = place - len(before) + len(filled) - 1
        return _is_handed_on(text, bracket) or "#" in text[text.rfind("\n", 0, bracket) + 1 : bracket]
    return not filled or "\n" in before[len(filled) :]  # The line before may end in a comment.


def _is_handed_on(text: str, place: int) -> bool:
    """A bracket opens the arguments of a function that may be found on a class."""
    before = text[max(place - _LONGEST, 0) : place].rstrip()
    owner = before.rstrip(_WORD).rstrip()
    return not owner or owner[-1] in ".)" or not owner[-1].isascii() or before.endswith(("type", *_BEFORE_BRACKETS))


@lru_cache(maxsize=4096)
def shape_of(arguments: str) -> tuple[int, tuple[str, ...]] | None:
    """How many arguments are by position, and the names of the others; None where that is not certain.

    Args:
        arguments: what `glance` gives.
    """
    if not arguments:
        return None
    if _HAS_INNER.search(arguments) is not None:
        arguments = _IN_ARGUMENTS.sub('"', arguments)
    if (
        "lambda" in arguments
        or _FOR.search(arguments) is not None
        or ("*" in arguments and _STARS.search(arguments) is not None)
    ):
        return None
    inner = arguments[:-1].rstrip()
    if not inner:
        return 0, ()
    count = inner.count(",") + (inner[-1] != ",")
    if "=" not in inner:
        return count, ()
    keywords = _KEYWORDS.findall(inner)
    return count - len(keywords), tuple(keywords)


def is_commented(call: WrittenCall) -> bool:
    """The call is certain to stand in a comment, or in a string."""
    return call.opened >= 0 and _is_in_comment(call.text, call.opened)


def names_for_certain(text: str, name: str) -> bool:
    """A variable is named in a text that has no strings over several lines: in no string, in no comment, as no attribute or keyword."""
    for place in _all(name, text):
        end = place + len(name)
        before = text[text.rfind("\n", 0, place) + 1 : place]
        if not (
            before[-1:].isalnum()
            or before[-1:] in ("_", ".")
            or any(mark in before for mark in "#\"'")
            or _IS_OTHER.match(text, end)
        ):
            return True
    return False


_IS_OTHER = regex(r"\w|\s*[=\"'\\]")


def _is_in_comment(text: str, place: int) -> bool:
    """A `#` stands before it on its line, no quotation mark before that, and it is no line of a string."""
    begin = text.rfind("\n", 0, place) + 1
    before, mark, _ = text[begin:place].partition("#")
    return (
        bool(mark)
        and "'" not in before
        and '"' not in before
        and any(found.start() == begin + len(before) for found in _TOKEN.finditer(text))
    )


def _calls_with(text: str, start: int, end: int) -> Iterator[WrittenCall]:
    """`type(self).m(...)`, `self.__class__.m(...)`, `Base.m(self, ...)`."""
    if text[end - 1] == "_":
        behind = _OF_CLASS.match(text, end)
        if behind is not None:
            yield WrittenCall("class", "type", behind.group(1), text, start, -1)
        return
    before = text[max(start - 200, 0) : start]
    if "#" in before or "\\" in before:
        between = _OPENED.search(before)
        before = before[: between.start() + 1] if between is not None else before
    if before.rstrip().endswith("("):
        opened = _BEHIND.match(text, end) or _BEHIND.match(text, end - 1)
        callee = before.rstrip()[:-1].rstrip()
        if opened is not None and callee.endswith("type"):
            yield WrittenCall("class", "type", opened.group(1), text, start, -1)
            return
        # To search for the end of a text would be to try every place in it.
        found = _OWNER_REVERSED.match(before[::-1])
        owner = found[2][::-1] if found is not None else ""
        if found is not None and owner[:1] not in ("", "."):
            yield WrittenCall("class", owner, found[1][::-1], text, start, start)
        elif _OWNER_IN_BRACKETS.search(before) is not None or (opened and callee.endswith(_BEFORE_BRACKETS)):
            yield WrittenCall("class", "", "", text, start, start)


_PLAIN = re.compile(r"([^()\[\]{}'\"#*\\]*)\)")
_HAS_INNER, _IN_ARGUMENTS = re.compile(r"[(\[{'\"]"), re.compile(_INNER)
_FOR = re.compile(r"\bfor\b")
_STARS = regex(r"(?:\A|,)\s*\*")
_KEYWORDS = re.compile(r"(?:\A|,)\s*(\w+)\s*=(?!=)")
_KEYWORD, _BLANK = re.compile(rf"(\w+){_GAP}=(?!=)"), " \t\n\f\\"
STRING_OR_COMMENT = (
    # Each begins with a plain character, and goes through plain ones at once: that is what makes it fast.
    r"\"\"\"[^\"\\]*(?:(?:\\.|\"(?!\"\"))[^\"\\]*)*\"\"\"|'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
    r"|\"[^\"\\\n]*(?:\\.[^\"\\\n]*)*\"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'|#[^\n]*"
)
_TOKEN = re.compile(
    # What stands in brackets is of no interest: where that is plain, it is one token.
    rf"{STRING_OR_COMMENT}|\([^()\[\]{{}}'\"#]*\)|\[[^()\[\]{{}}'\"#]*\]|\{{[^()\[\]{{}}'\"#]*\}}|[()\[\]{{}},\"']",
    re.DOTALL,
)
_AFTER_STRING = frozenset(" \t\n,)]}:.%+-*/=<>!&|^#;[")


def read_arguments(text: str, index: int) -> Arguments | None:
    """The arguments behind an opening bracket; None where the text alone does not tell."""
    plain = _PLAIN.match(text, index)
    if plain is not None:
        if not plain.group(1):
            return _NONE
        if "for" in plain.group(1) and _FOR.search(plain.group(1)) is not None:
            return _ONE
        return _sorted(plain.group(1).split(","))
    parts: list[str] = []
    depth, begin = 0, index
    for token in _TOKEN.finditer(text, index):
        what = token.group()
        first = what[0]
        if first == ",":
            if not depth:
                parts.append(text[begin : token.start()])
                begin = token.end()
        elif first in "([{":
            depth += len(what) == 1
        elif first in ")]}":
            if not depth:
                parts.append(text[begin : token.start()])
                return _sorted(parts)
            depth -= 1
        elif first == "#":
            if not text[begin : token.start()].strip():
                begin = token.end()
        elif (
            len(what) == 1
            or text[token.end() : token.end() + 1] not in _AFTER_STRING
            or (text[token.start() - 1].isalpha() and _goes_on_in_braces(what))
        ):
            return None  # A string in a string.
    return None


def _goes_on_in_braces(text: str) -> bool:
    """What was taken for an f-string ends in a string within it."""
    text = text.replace("{{", "").replace("}}", "")
    return text.count("{") != text.count("}")


def _sorted(parts: list[str]) -> Arguments | None:
    """What each of the arguments is; None where there is a `lambda`, whose commas are not theirs."""
    positional: list[str] = []
    keywords: list[str] = []
    has_star = has_double_star = False
    if len(parts) > 1 and _FOR.search(parts[0]) is not None and _is_generator(parts[0]):
        return None
    for part in parts:
        if "lambda" in part and "lambda" in _TEXT.sub(" ", part):
            return None
        stripped = part.strip(_BLANK)
        if not stripped:
            continue  # Behind the last comma.
        if stripped[0] == "*":
            if stripped.startswith("**"):
                has_double_star = True
            else:
                has_star = True
            continue
        named = _KEYWORD.match(stripped) if "=" in part else None
        if named is not None:
            keywords.append(named.group(1))
        elif not has_star:
            positional.append(stripped)
    return Arguments(tuple(positional), tuple(keywords), has_star, has_double_star)


def _is_generator(text: str) -> bool:
    """An argument, to its first comma, is a generator without brackets, whose commas part no arguments: there is no other."""
    text, before = _TEXT.sub(" ", text), ""
    while text != before:
        text, before = _BRACKETS.sub(" ", text), text
    return _FOR.search(text) is not None


_TEXT, _BRACKETS = (
    regex(STRING_OR_COMMENT, re.DOTALL),
    regex(r"\([^()\[\]{}]*\)|\[[^()\[\]{}]*\]|\{[^()\[\]{}]*\}"),
)
_NONE, _ONE = Arguments((), (), False, False), Arguments(("",), (), False, False)
