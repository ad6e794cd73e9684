"""What is kept of a class, in its `TypeInfo.metadata`, for those who inherit it. Imports mypy and `texts`, and `skim` when it is asked.

Of a class whose errors nobody sees, next to nothing is: the rest is looked for in its text, when somebody inherits it. Those are few.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from mypy import nodes

from sigcheck.mypy_plugin.texts import text_around

if TYPE_CHECKING:
    from sigcheck.mypy_plugin.skim import Skimmed

KEY = "sigcheck"
"""Where a class's `TypeInfo.metadata` has what sigcheck keeps."""

Traits: TypeAlias = Mapping[str, Any]
"""What is kept.

`digest` changes with what others can be told when they read the text of the class. `odd` is its line, where mypy's symbols do not
tell which class it is; `names` are the names of which they do not tell the whole. `calls` are the names that are called on the
receiver, `super` those on `super()`, `loose` those of which it is not certain that the call binds. `span`, the class's lines, stands
for all but the digest, which is then the stamp of the module's file.
"""

_MOST = 4096
"""Classes whose calls are remembered."""

_skimmed: dict[tuple[str, str], tuple[Skimmed, Traits]] = {}
_EMPTY: Traits = {}
_SPECIAL = frozenset({"Generic", "NamedTuple", "Protocol", "TypedDict"})
"""What is inherited and stands in no order of resolution."""


def digest_of(content: bytes) -> str:
    """Another one for every other content."""
    # The one that is fastest on most machines, by far.
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def line_of(kept: Traits) -> int | None:
    """Where the class statement stands, if one needs to know."""
    span: list[int] | None = kept.get("span")
    return span[0] if span is not None else kept.get("odd")


def traits_of(info: nodes.TypeInfo, modules: Mapping[str, nodes.MypyFile]) -> Traits:
    """What is known of a class; nothing where sigcheck has not seen it.

    Args:
        info: mypy's class.
        modules: every module that mypy has loaded.
    """
    kept: Traits = info.metadata.get(KEY, _EMPTY)
    span = kept.get("span")
    if span is None:
        return kept
    key = (info.fullname, kept["digest"])
    if key not in _skimmed:
        # Most runs have no class that is inherited from where nobody sees it.
        from sigcheck.mypy_plugin.skim import skim  # noqa: PLC0415

        if len(_skimmed) >= _MOST:
            _skimmed.clear()
        skimmed = skim(text_around(info, modules) or "", *span)
        _skimmed[key] = skimmed, _traits(skimmed, span[0])
    skimmed, traits = _skimmed[key]
    if not ("odd" in traits or info.fallback_to_any or skimmed.bases <= {*_SPECIAL, *(base.name for base in info.mro)}):
        return {**traits, "odd": span[0]}  # mypy does not know it by that name, or has left it out.
    return traits


def _traits(skimmed: Skimmed, line: int) -> Traits:
    calls = sorted(skimmed.calls)
    traits = {"names": sorted(skimmed.names), "calls": calls, "loose": calls, "super": sorted(skimmed.above)}
    return {**traits, "odd": line} if skimmed.is_odd else traits
