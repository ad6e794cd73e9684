"""Whether the calls that stand in a class above bind on a method that their author did not see, and whether they are on objects.
Imported when there is one to ask of.

What others are told of a class are the names that it calls, not how. So its module's text is looked at: every call of that name that
may be on a receiver must bind for certain, whichever class it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mypy import nodes

from sigcheck.core.regex import regex
from sigcheck.mypy_plugin.binding import OF_THE_CLASS, Callable, accepts, is_bound_to_class, is_misnamed
from sigcheck.mypy_plugin.texts import text_around
from sigcheck.mypy_plugin.written_calls import Arguments, read_arguments


def bind_on(
    here: Callable, there: Callable | None, name: str, base: nodes.TypeInfo, modules: Mapping[str, nodes.MypyFile]
) -> bool:
    """Every call of that name in a class is certain to bind, and each argument where its author saw it bind.

    Args:
        here: what the call finds on a receiver of another class.
        there: what it finds in the class in which it stands; None where it finds nothing.
        name: the name that is called.
        base: the class in which the calls stand.
        modules: every module that mypy has loaded.
    """
    text = text_around(base, modules)
    if text is None or (there is not None and there.flavour != here.flavour):
        return False
    for begin in _calls(name, base, text, is_on_object=not here.flavour):
        arguments = read_arguments(text, begin) if begin is not None else None
        if arguments is None or not _binds_alike(arguments, here, there):
            return False
    return True


def are_on_objects(name: str, base: nodes.TypeInfo, modules: Mapping[str, nodes.MypyFile]) -> bool:
    """Every call of that name in a class is on an object, not on its class."""
    text = text_around(base, modules)
    return text is not None and None not in _calls(name, base, text, is_on_object=True)


def _calls(name: str, base: nodes.TypeInfo, text: str, *, is_on_object: bool) -> Iterator[int | None]:
    """Where the arguments begin of the calls of that name that may be on a receiver; None for one that may be on a class.

    Args:
        name: the name that is called.
        base: the class in which the calls stand.
        text: of its module.
        is_on_object: what is called takes an object as its receiver.
    """
    objects, classes = (frozenset(_receivers(base, of_classes=which)) for which in (False, True))
    if name in OF_THE_CLASS or "" in objects | classes or objects & classes:
        yield None
        return
    for dot, call in _attributes(name, text):
        before = text[max(dot - _FARTHEST, 0) : dot].rstrip()
        if not call.group(1) or before[-1:] == "\\" or "#" in before.rpartition("\n")[2]:
            yield None  # On the next line, or behind a comment.
            return
        word, inner = _owner(before)
        if word == "super" and classes and is_on_object:
            yield None  # In a class method, that takes the receiver by position.
        elif word in classes or word == "__class__" or (word != "super" and inner in objects | classes):
            yield None
        elif word in objects or (word == "super" and inner is not None):
            yield call.end()


_FARTHEST = 200
_OPENED = regex(r"\s*(?:(\()|\\)")
_BACKWARDS = regex(r"(\w*)(\s*\.)?")
"""The last word of a text, read backwards: so it is found at once."""


def _attributes(name: str, text: str) -> Iterator[tuple[int, re.Match[str]]]:
    """The dots before a name that an opening bracket follows, or a backslash, and what follows."""
    # The name is looked for as it is: to compile a pattern for each takes longer.
    place = text.find(name)
    while place >= 0:
        behind = place + len(name)
        opened = _OPENED.match(text, behind)
        if opened is not None:
            end = place
            while text[end - 1 : end].isspace():
                end -= 1
            if text[end - 1 : end] == ".":
                yield end - 1, opened
        place = text.find(name, behind)


def _owner(before: str) -> tuple[str, str | None]:
    """The name in front of a dot, or the function that is called there and with what; of an attribute only `__class__` counts."""
    if before.endswith(")"):
        opening = before.rfind("(")
        if opening > before.rfind(")", 0, -1):
            return _last_word(before[:opening].rstrip())[0], before[opening + 1 : -1].strip()
    word, is_attribute = _last_word(before)
    return "__class__" if word.endswith("__class__") else "" if is_attribute else word, None


def _last_word(text: str) -> tuple[str, bool]:
    """The word at the end of a text, and whether it is an attribute."""
    found = _BACKWARDS.match(text[::-1])
    return (found[1][::-1], found[2] is not None) if found is not None else ("", False)


def _binds_alike(arguments: Arguments, here: Callable, there: Callable | None) -> bool:
    if not accepts(here, arguments, here.receivers) or is_misnamed(here, arguments, here.receivers):
        return False
    if there is None:
        return True
    last = len(arguments.positional)
    seen, found = (entry.names[entry.receivers :][:last] for entry in (there, here))
    kinds = {*there.kinds[there.receivers :][:last], *here.kinds[here.receivers :][:last]}
    return seen == found and len(seen) == last and None not in seen and kinds <= _BY_POSITION


_BY_POSITION = frozenset({nodes.ARG_POS, nodes.ARG_OPT})


def _receivers(owner: nodes.TypeInfo, *, of_classes: bool) -> Iterator[str]:
    """The names of the first parameters of methods; an empty one, where mypy does not keep it."""
    for symbol in owner.names.values():
        node = symbol.node
        for part in node.items if isinstance(node, nodes.OverloadedFuncDef) else (node,):
            function = part.func if isinstance(part, nodes.Decorator) else part
            if not isinstance(function, nodes.FuncDef) or not function.arg_names:
                continue
            if of_classes == is_bound_to_class(function):
                yield function.arg_names[0] or ""
