"""What is kept of a class, in its `TypeInfo.metadata`, for those who inherit it. Imports mypy and `texts`.

Of a class whose errors nobody sees, not much is: what it calls is looked for in its text, when somebody inherits it. Those are few.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from mypy import nodes

from sigcheck.mypy_plugin.texts import read_text

KEY = "sigcheck"
"""Where a class's `TypeInfo.metadata` has what sigcheck keeps."""

Traits: TypeAlias = Mapping[str, Any]
"""What is kept.

`digest` changes with what others can be told when they read the text of the class. `odd` is its line, where mypy's symbols do not
tell which class it is; `names` are the names of which they do not tell the whole. `calls` are the names that are called on the
receiver, `super` those on `super()`, `loose` those of which it is not certain that the call binds. `span` stands for these three:
the lines in which they stand.
"""

_ANY_CALL = re.compile(r"\.\s*(\w+)\s*\(")
_CALL_ABOVE = re.compile(r"super\s*\([^()]*\)\s*\.\s*\w+\s*\(")
_MOST = 4096
"""Classes whose calls are remembered."""

_skimmed: dict[tuple[str, str], Traits] = {}
_EMPTY: Traits = {}


def digest_of(text: str) -> str:
    """Another one for every other text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def traits_of(info: nodes.TypeInfo, modules: Mapping[str, nodes.MypyFile]) -> Traits:
    """What is known of a class; nothing where sigcheck has not seen it.

    Args:
        info: mypy's class.
        modules: every module that mypy has loaded.
    """
    kept: Traits = info.metadata.get(KEY, _EMPTY)
    if "span" not in kept:
        return kept
    key = (info.fullname, kept["digest"])
    known = _skimmed.get(key)
    if known is None:
        tree = modules.get(info.module_name)
        text = read_text(tree.path) if tree is not None else None
        first, last = kept["span"]
        if len(_skimmed) >= _MOST:
            _skimmed.clear()
        known = _skimmed[key] = {**kept, **_skim("\n".join((text or "").split("\n")[first - 1 : last]))}
    return known


def _skim(text: str) -> Traits:
    """Take everything for a call on the receiver that may be one, and nothing that is called for certain."""
    called = set(_ANY_CALL.findall(_CALL_ABOVE.sub("", text)))
    above = set(_ANY_CALL.findall(text)) if "super" in text else ()
    return {"calls": sorted(called), "loose": sorted(called), "super": sorted(above)}
