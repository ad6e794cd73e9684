"""`**kwargs: Unpack[T]`: the keys that `T` has, from the class itself."""

from __future__ import annotations

import inspect
import re
from types import FunctionType
from typing import ForwardRef, get_args, get_origin

from sigcheck.core.module import TypedField
from sigcheck.readers.live.namespaces import members_of
from sigcheck.readers.live.signatures import annotations_of

_UNPACK = re.compile(r"\bUnpack\[")
_REQUIREMENT = re.compile(r"\b(Required|NotRequired)\[")


def unpacked_fields(function: FunctionType) -> tuple[TypedField, ...] | None:
    """The keys of the `TypedDict` that a function's `**kwargs` unpacks; None where it unpacks none that can be found."""
    code = function.__code__
    if not code.co_flags & inspect.CO_VARKEYWORDS:
        return None
    last = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
    annotation = annotations_of(function).get(code.co_varnames[last])
    if isinstance(annotation, str) and _UNPACK.search(annotation):
        try:
            annotation = eval(annotation, function.__globals__)  # noqa: S307 - the author's own words, as `typing` does it
        except Exception:  # noqa: BLE001 - names of a function, of a type checker only, or of nobody
            return None
    if not str(get_origin(annotation)).endswith(".Unpack"):
        return None
    dictionary = next(iter(get_args(annotation)), None)
    return _fields(dictionary) if isinstance(dictionary, type) else None


def _fields(dictionary: type) -> tuple[TypedField, ...] | None:
    known = members_of(dictionary)
    required, optional = known.get("__required_keys__"), known.get("__optional_keys__")
    if not isinstance(required, frozenset) or not isinstance(optional, frozenset):
        return None
    annotations = inspect.get_annotations(dictionary)
    keys = sorted(
        required | optional, key=lambda key: (list(annotations).index(key) if key in annotations else -1, key)
    )
    return tuple(TypedField(key, _is_required(key, annotations.get(key), required)) for key in keys)


def _is_required(key: str, annotation: object, required: frozenset[str]) -> bool:
    """Where annotations are strings, `typing` has not looked into them."""
    word = _REQUIREMENT.match(annotation.__forward_arg__) if isinstance(annotation, ForwardRef) else None
    return word.group(1) == "Required" if word is not None else key in required
