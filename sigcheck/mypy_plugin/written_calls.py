"""The calls on a receiver that stand in the text of a method, and their shapes. Imports only `re`.

More is found than there is: what stands in a string or behind a `#` looks like a call too. Less is never found than the reader of
bodies follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class WrittenCall(NamedTuple):
    """One call.

    Attributes:
        route: `self`, `super`, or `class` for what is called with the receiver as its first argument.
        owner: what stands in front of the method's name, where the route is `class`.
        method: the name that is called.
        text: of the method in which it stands.
        opened: where its arguments begin; negative where they are not looked at.
    """

    route: str
    owner: str
    method: str
    text: str
    opened: int

    @property
    def arguments(self) -> Arguments | None:
        """How it is called; None where the text does not tell."""
        return read_arguments(self.text, self.opened) if self.opened >= 0 else None

    @property
    def plain_count(self) -> int | None:
        """How many arguments there are, where all are plain ones by position."""
        plain = _PLAIN.match(self.text, self.opened)
        if plain is None:
            return None
        inner = plain.group(1).strip()
        if "=" in inner or "lambda" in inner:
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


class Written(NamedTuple):
    """What stands in the text of a method.

    Attributes:
        calls: on the receiver, on `super()`, and with the receiver.
        is_touched: the receiver, or `super`, is more than the owner of an attribute that is read or assigned.
        is_odd: there is a `super` that is no plain call.
    """

    calls: list[WrittenCall]
    is_touched: bool
    is_odd: bool


_FLAT, _INNER = r"[^()\[\]{}'\"#\\]*", r"(?:\"[^\"{}\\\n]*\"(?![\"\w])|'[^'{}\\\n]*'(?!['\w]))"
_INNER += "".join(rf"|\{left}{_FLAT}\{right}" for left, right in ("()", "[]", "{}"))
_ARGUMENTS = rf"{_FLAT}(?:(?:{_INNER}){_FLAT})*\)"
"""What stands in brackets, and the bracket behind it, where at most plain strings and plain brackets stand in it."""

_TAIL = r"(?:\s*\.\s*(\w+)\b\s*(?:(\()|is\b)|\s*\.\s*__class__|\s*(?![\s.\w]))"
_ASSIGNS = r"\s*\.\s*(\w+)\b\s*(?:,[^=\n]*=(?!=)|:\s*[\w\"']|[^\w\s=!<>]{0,2}=(?!=)|[<>]{2}=)"
_SELF, _BEHIND_RECEIVER = re.compile(rf"self{_TAIL}"), re.compile(_TAIL)
_SELF_ASSIGNS, _ASSIGNED_BEHIND = re.compile(rf"self{_ASSIGNS}"), re.compile(_ASSIGNS)
_GLANCE = re.compile(
    # The arguments are looked ahead at: there may be calls in them.
    rf"self(?<![\w.]self)(?:\.(\w+)\((?:(?=({_ARGUMENTS}))|)"
    # An attribute that is only read is passed over at once.
    r"|(\.__class__|\.\w+\s\s*(?:is\b|\())|(?!\.\w)\s*(?:(\.\s*\w+\b\s*(?:is\b|\()|\.\s*__class__)|(?![\s.\w])))"
)
_PASSED = re.compile(r"\(\s*self\b")
_TRANSPARENT = re.compile(r"\s*\*\w+\s*,\s*\*\*\w+\s*,?\s*\)")


def _mentions(text: str, receiver: str, behind: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """What matches behind the receiver."""
    # To compile a pattern for each receiver takes longer than to look.
    at = text.find(receiver)
    while at >= 0:
        found = behind.match(text, at + len(receiver))
        if found is not None:
            yield found
        at = text.find(receiver, at + len(receiver))


def assigned(text: str, receiver: str = "self") -> list[str]:
    """The attributes of the receiver that may be assigned in a text."""
    if receiver == "self":
        return _SELF_ASSIGNS.findall(text)
    return [found.group(1) for found in _mentions(text, receiver, _ASSIGNED_BEHIND)]


_SUPER = re.compile(r"super\s*\(")
_SUPER_CALL = re.compile(r"super\s*\(([^()]*)\)\s*\.\s*(\w+)\s*\(")
_SUPER_READ = re.compile(r"super\s*\([^()]*\)\s*(?:\.\s*\w+\s*(?![\s(\w])|(?![\s.(]))")
_BEHIND = re.compile(r"\s*\)\s*\.\s*(\w+)\s*\(")
_OWNER = re.compile(r"([\w.]*)\s*\.\s*(\w+)\s*\(\s*\Z")
_HEADER = re.compile(r"\s*(?:async\s+)?def\s")
_OF_CLASS = re.compile(r"\s*\.\s*(\w+)\s*\(")


def read_body(text: str, receiver: str) -> Written:
    """What the text of a method tells.

    Args:
        text: from the first statement behind its header to its end, or the whole of it.
        receiver: the name of its first parameter.
    """
    calls: list[WrittenCall] = []
    is_touched = is_odd = False
    mentions: Iterator[re.Match[str]]
    if receiver == "self":
        mentions, before = _SELF.finditer(text), 0
    else:
        mentions, before = _mentions(text, receiver, _BEHIND_RECEIVER), len(receiver)
    for found in mentions:
        start = found.start() - before
        if start and ((last := text[start - 1]).isalnum() or last in "_."):
            continue
        method, opens = found.groups()
        if opens:
            is_touched = True
            calls.append(WrittenCall("self", "", method, text, found.end()))
        elif method:
            is_touched = True
        else:
            line = text.rfind("\n", 0, start) + 1
            if _HEADER.match(text, line, start) is None:
                is_touched = True
                calls += _calls_with(text, start, found.end())
    if "super" in text:
        for found in _SUPER.finditer(text):
            start = found.start()
            is_touched = True
            called = _SUPER_CALL.match(text, start)
            if called is not None:
                owner, method = called.groups()
                first = owner.partition(",")[0].strip()
                calls.append(WrittenCall("super", first, method, text, called.end()))
            elif _SUPER_READ.match(text, start) is None and not _is_in_comment(text, start):
                is_odd = True
    return Written(calls, is_touched, is_odd)


def glance(text: str) -> tuple[list[tuple[str, str]], bool] | None:
    """The calls on `self` in the text of a method, each with its arguments and the bracket behind them; None where that is not all.

    Returns:
        The calls, and whether `self` is more than the owner of an attribute that is read or assigned.
    """
    if "super" in text:
        return None
    calls: list[tuple[str, str]] = []
    is_bare = False
    found = _GLANCE.findall(text)
    for method, arguments, spaced, broken in found:
        if method:
            if not arguments or "*" in arguments:
                return None
            calls.append((method, arguments))
        elif spaced or broken:
            if not (spaced or broken).endswith("is"):
                return None
        else:
            is_bare = True
    # Without a dot, it may be the argument of a function that is found on a class.
    if is_bare and any(_is_called_with(text, passed.end()) for passed in _PASSED.finditer(text)):
        return None
    return calls, bool(found)


def shape_of(arguments: str) -> tuple[int, tuple[str, ...]] | None:
    """How many arguments are by position, and the names of the others; None where that is not certain.

    Args:
        arguments: what `glance` gives.
    """
    if _HAS_INNER.search(arguments) is not None:
        arguments = _IN_ARGUMENTS.sub('"', arguments)
    if "lambda" in arguments:
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
    place = text.find(name)
    while place >= 0:
        end = place + len(name)
        before = text[text.rfind("\n", 0, place) + 1 : place]
        if not (
            before[-1:].isalnum()
            or before[-1:] in ("_", ".")
            or any(mark in before for mark in "#\"'")
            or _IS_OTHER.match(text, end)
        ):
            return True
        place = text.find(name, end)
    return False


_IS_OTHER = re.compile(r"\w|\s*[=\"'\\]")


def _is_in_comment(text: str, place: int) -> bool:
    """A `#` stands before it on its line, and no quotation mark before that."""
    before, mark, _ = text[text.rfind("\n", 0, place) + 1 : place].partition("#")
    return bool(mark) and "'" not in before and '"' not in before


def _is_called_with(text: str, end: int) -> bool:
    return next(_calls_with(text, end - len("self"), end), None) is not None


def _calls_with(text: str, start: int, end: int) -> Iterator[WrittenCall]:
    """`type(self).m(...)`, `self.__class__.m(...)`, `Base.m(self, ...)`."""
    if text[end - 1] == "_":
        behind = _OF_CLASS.match(text, end)
        if behind is not None:
            yield WrittenCall("class", "type", behind.group(1), text, -1)
        return
    before = text[max(start - 200, 0) : start]
    if before.rstrip().endswith("("):
        opened = _BEHIND.match(text, end) or _BEHIND.match(text, end - 1)
        if opened is not None and before.rstrip()[:-1].rstrip().endswith("type"):
            yield WrittenCall("class", "type", opened.group(1), text, -1)
            return
        owner = _OWNER.search(before)
        if owner is not None and owner.group(1)[:1] not in ("", "."):
            yield WrittenCall("class", owner.group(1), owner.group(2), text, start)


_PLAIN = re.compile(r"([^()\[\]{}'\"#*\\]*)\)")
_HAS_INNER, _IN_ARGUMENTS = re.compile(r"[(\[{'\"]"), re.compile(_INNER)
_KEYWORDS = re.compile(r"(?:\A|,)\s*(\w+)\s*=(?!=)")
_KEYWORD = re.compile(r"\s*(\w+)\s*=(?!=)")
_STRING = r"\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3}|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|#[^\n]*"
_TOKEN = re.compile(
    # What stands in brackets is of no interest: where that is plain, it is one token.
    rf"{_STRING}|\([^()\[\]{{}}'\"#]*\)|\[[^()\[\]{{}}'\"#]*\]|\{{[^()\[\]{{}}'\"#]*\}}|[()\[\]{{}},\"']",
    re.DOTALL,
)
_AFTER_STRING = frozenset(" \t\n,)]}:.%+-*/=<>!&|^#;[")


def read_arguments(text: str, index: int) -> Arguments | None:
    """The arguments behind an opening bracket; None where the text alone does not tell."""
    plain = _PLAIN.match(text, index)
    if plain is not None:
        if not plain.group(1):
            return _NONE
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
    for part in parts:
        if "lambda" in part and "lambda" in _TEXT.sub(" ", part):
            return None
        stripped = part.strip()
        if not stripped:
            continue  # Behind the last comma.
        if stripped[0] == "*":
            if stripped.startswith("**"):
                has_double_star = True
            else:
                has_star = True
            continue
        named = _KEYWORD.match(part) if "=" in part else None
        if named is not None:
            keywords.append(named.group(1))
        elif not has_star:
            positional.append(stripped)
    return Arguments(tuple(positional), tuple(keywords), has_star, has_double_star)


_TEXT = re.compile(_STRING, re.DOTALL)
_NONE = Arguments((), (), False, False)
