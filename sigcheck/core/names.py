"""What a name tells: of a member, who calls it, and whether it is part of what a base promises; of a module, whether its classes
are left out; and how Python compares it. Imports nothing.
"""

from __future__ import annotations

BUILTIN_MODULES = frozenset({"builtins", "typing", "typing_extensions", "types"})
"""Modules whose classes are known to exist and have no source to compare with."""

COMPILED_MODULES = frozenset({"_collections", "_functools"})
"""Modules of the standard library whose classes others import over classes of that name in Python: `OrderedDict`, `partial`."""

# https://docs.python.org/3/reference/datamodel.html#special-method-names, but `__call__`: its caller writes the arguments.
_ARGUMENTS = {
    (
        0,
        0,
    ): "repr str bytes hash bool dir len length_hint iter next reversed neg pos abs invert complex int float index trunc "
    "floor ceil enter await aiter anext aenter del copy reduce getstate sizeof fspath",
    (0, 1): "round",
    (
        1,
        1,
    ): "format lt le eq ne gt ge getattr getattribute delattr delete instancecheck subclasscheck getitem delitem missing "
    "contains add sub mul matmul truediv floordiv mod divmod lshift rshift and xor or radd rsub rmul rmatmul rtruediv rfloordiv "
    "rmod rdivmod rlshift rrshift rand rxor ror iadd isub imul imatmul itruediv ifloordiv imod ilshift irshift iand ixor ior "
    "buffer release_buffer deepcopy reduce_ex setstate mro_entries subclasshook",
    (1, 2): "get pow rpow ipow",
    (2, 2): "setattr set set_name setitem",
    (3, 3): "exit aexit",
    None: "prepare",
}
"""By the least and the most arguments that the interpreter passes; None where anybody may pass anything."""

_SYNTAX_DUNDERS = {f"__{name}__": counts for counts, names in _ARGUMENTS.items() for name in names.split()}
_SYNTAX_DUNDERS["_generate_next_value_"] = (4, 4)  # By `enum.auto()`.
_NOT_AN_INTERFACE = frozenset({"__init__", "__new__", "__init_subclass__", "__post_init__", "__class_getitem__", "_"})


def is_interface(name: str) -> bool:
    """The member is part of what a base promises: no constructor, no mangled private."""
    is_mangled = name.startswith("__") and not name.endswith("__")
    return name not in _NOT_AN_INTERFACE and not is_mangled


def is_called_by_syntax(name: str) -> bool:
    """The interpreter calls it, by position: the names of its parameters are free."""
    return name in _SYNTAX_DUNDERS


def arguments_by_syntax(name: str) -> tuple[int, int] | None:
    """The least and the most arguments that the interpreter passes to the member; None where anybody may pass anything."""
    return _SYNTAX_DUNDERS.get(name)


def normalized(name: str) -> str:
    """The name, or a glob of names, in Unicode's normal form KC, in which Python compares it: `µ` (micro) is `μ` (mu)."""
    if name.isascii():
        return name
    import unicodedata  # noqa: PLC0415

    return unicodedata.normalize("NFKC", name)
