"""What names and kinds of parameters acquit, the exact relation acquits too."""

from __future__ import annotations

import itertools

from mypy import nodes

from sigcheck.core.assignability import incompatibilities
from sigcheck.mypy_plugin.binding import Callable, extends
from sigcheck.readers.mypy_signatures import signature_of

POSITIONAL = ["", "a", "a b", "b a", "a b=", "a= b=", "a=", "c a", "a c="]
BY_KEYWORD = ["", "c", "c=", "b", "args", "args= c", "d= c="]


def headers() -> list[Callable]:
    """Methods, each with its receiver."""
    found = []
    for positional, keywords, has_rest, has_others in itertools.product(POSITIONAL, BY_KEYWORD, (0, 1), (0, 1)):
        if set(positional.replace("=", "").split()) & set(keywords.replace("=", "").split()):
            continue
        if has_rest and "args" in keywords:
            continue
        named = [(word, nodes.ARG_OPT if "=" in word else nodes.ARG_POS) for word in positional.split()]
        named += [("args", nodes.ARG_STAR)] * has_rest
        named += [(word, nodes.ARG_NAMED_OPT if "=" in word else nodes.ARG_NAMED) for word in keywords.split()]
        named += [("kwargs", nodes.ARG_STAR2)] * has_others
        names = [name.rstrip("=") for name, _ in named]
        kinds = [kind for _, kind in named]
        found.append(Callable(("self", *names), (nodes.ARG_POS, *kinds), "", False, False))
    return found


def test_what_extends_a_base_breaks_nothing() -> None:
    found = headers()
    bound = {entry: signature_of(entry.names[1:], entry.kinds[1:], [None] * len(entry.names[1:])) for entry in found}
    pairs = itertools.product(found, found)
    extending = [(override, base) for override, base in pairs if extends(override, base, "run")]
    assert [pair for pair in extending if incompatibilities(*map(bound.__getitem__, pair))] == []
    kinds = {(nodes.ARG_STAR in base.kinds, nodes.ARG_STAR2 in base.kinds) for _, base in extending}
    assert len(kinds) == 4
    assert len(extending) > 2 * len(found)


def test_what_syntax_calls_is_left_to_the_relation() -> None:
    function = Callable(("self", "other"), (nodes.ARG_POS, nodes.ARG_POS), "", False, False)
    assert extends(function, function, "run")
    assert not extends(function, function, "__add__")
