"""What a name tells: of a member, who calls it, and whether it is part of what a base promises; of a module, whether its classes
are left out; and how Python compares it. Imports nothing.
"""

from __future__ import annotations

BUILTIN_MODULES = frozenset({"builtins", "typing", "typing_extensions", "types"})
"""Modules whose classes are known to exist and have no source to compare with."""

COMPILED_MODULES = frozenset({"_collections", "_functools"})
"""Modules of the standard library whose classes others import over classes of that name in Python: `OrderedDict`, `partial`."""

# https://docs.python.org/3/reference/datamodel.html#special-method-names, but `__call__`: its caller writes the arguments.
_SYNTAX_DUNDERS = frozenset(
    f"__{name}__"
    for name in (  # noqa: SIM905 - a list of a hundred strings is no better
        "repr str bytes format lt le eq ne gt ge hash bool getattr getattribute setattr delattr dir get set delete "
        "set_name instancecheck subclasscheck len length_hint getitem setitem delitem missing iter next reversed contains "
        "add sub mul matmul truediv floordiv mod divmod pow lshift rshift and xor or radd rsub rmul rmatmul rtruediv "
        "rfloordiv rmod rdivmod rpow rlshift rrshift rand rxor ror iadd isub imul imatmul itruediv ifloordiv imod ipow "
        "ilshift irshift iand ixor ior neg pos abs invert complex int float index round trunc floor ceil enter exit await "
        "aiter anext aenter aexit buffer release_buffer del copy deepcopy reduce reduce_ex getstate setstate sizeof fspath "
        "prepare mro_entries subclasshook"
    ).split()
)
_NOT_AN_INTERFACE = frozenset({"__init__", "__new__", "__init_subclass__", "__post_init__", "__class_getitem__", "_"})


def is_interface(name: str) -> bool:
    """The member is part of what a base promises: no constructor, no mangled private."""
    is_mangled = name.startswith("__") and not name.endswith("__")
    return name not in _NOT_AN_INTERFACE and not is_mangled


def is_called_by_syntax(name: str) -> bool:
    """The interpreter calls it, by position: the names of its parameters are free."""
    return name in _SYNTAX_DUNDERS


def normalized(name: str) -> str:
    """The name, or a glob of names, in Unicode's normal form KC, in which Python compares it: `µ` (micro) is `μ` (mu)."""
    if name.isascii():
        return name
    import unicodedata  # noqa: PLC0415

    return unicodedata.normalize("NFKC", name)
