"""Whether signatures plainly fit, told from what mypy has compiled: names and kinds of parameters. Imports mypy, nothing of `core`.

Yes means that no rule can find anything. No means that the exact relation is to be asked.
"""

from __future__ import annotations

import sys
from typing import NamedTuple, TypeGuard

from mypy import errorcodes, nodes
from mypy.options import Options
from mypy.subtypes import is_subtype
from mypy.types import AnyType, CallableType, Instance, TypeOfAny, get_proper_type

from sigcheck.core.names import is_called_by_syntax
from sigcheck.mypy_plugin.written_calls import Arguments

_POS, _OPT, _STAR, _NAMED, _NAMED_OPT, _STAR2 = (
    nodes.ARG_POS,
    nodes.ARG_OPT,
    nodes.ARG_STAR,
    nodes.ARG_NAMED,
    nodes.ARG_NAMED_OPT,
    nodes.ARG_STAR2,
)
_MAY_BECOME = {_POS: _OPT, _NAMED: _NAMED_OPT}
_PLAIN = frozenset({_POS, _OPT})
_EXTRA = frozenset({_OPT, _NAMED_OPT, _STAR, _STAR2})


OF_THE_CLASS = ("__new__", "__init_subclass__", "__class_getitem__")
"""Methods that get the class, whatever is written above them."""


class Callable(NamedTuple):
    """A method, as mypy has it.

    Attributes:
        names, kinds: of its parameters, the receiver included.
        flavour: `static`, `class`, or empty.
        is_coroutine: it is a coroutine function, or an asynchronous generator.
        is_generator: it is a generator of either kind.
    """

    names: tuple[str | None, ...]
    kinds: tuple[nodes.ArgKind, ...]
    flavour: str
    is_coroutine: bool
    is_generator: bool

    @property
    def receivers(self) -> int:
        """How many of the parameters a caller does not fill."""
        return 0 if self.flavour == "static" else 1


class Arity(NamedTuple):
    """How a method can be called by position.

    Attributes:
        function: the method.
        least, most: that many arguments, with no others, bind for certain, the receiver not counted; none does where `most` is less.
    """

    function: Callable
    least: int
    most: int


def arity_of(function: Callable) -> Arity:
    """How a method can be called by position."""
    first = function.receivers
    kinds = function.kinds[first:]
    if len(function.kinds) < first or None in function.names[first:] or _NAMED in kinds:
        return Arity(function, 0, -1)
    least = kinds.count(_POS)
    return Arity(function, least, sys.maxsize if _STAR in kinds else least + kinds.count(_OPT))


def callable_of(node: nodes.FuncDef) -> Callable:
    """What mypy knows of a function."""
    flavour = "static" if node.is_static else "class" if node.is_class else ""
    return Callable(
        tuple(node.arg_names),
        tuple(node.arg_kinds),
        flavour,
        node.is_coroutine,
        node.is_generator or node.is_async_generator,
    )


def is_bound_to_class(function: nodes.FuncDef) -> bool:
    """Its receiver is the class."""
    return function.is_class or function.name in OF_THE_CLASS


def is_same(override: Callable, base: Callable, name: str) -> bool:
    """Both take the same parameters in the same way."""
    return override == base and _is_told(override, name)


def is_like(override: Callable, base: Callable) -> bool:
    """Neither gives a coroutine, a generator, where the other does not."""
    return override.is_coroutine == base.is_coroutine and (
        not override.is_coroutine or override.is_generator == base.is_generator
    )


def serves(override: Callable, base: Callable, name: str) -> bool:
    """Every call of the base binds alike on the override: that has the base's parameters, and optional ones behind them."""
    if override == base:
        return _is_told(override, name)
    if not is_like(override, base) or (base.flavour and not override.flavour):
        return False
    if not _is_told(override, name) or not _is_told(base, name):
        return False
    names, kinds = base.names[base.receivers :], base.kinds[base.receivers :]
    mine_names, mine_kinds = override.names[override.receivers :], override.kinds[override.receivers :]
    if len(mine_kinds) < len(kinds):
        return False
    if (_STAR in kinds or _STAR2 in kinds) and (names != mine_names or kinds != mine_kinds):
        return False
    by_syntax = is_called_by_syntax(name)
    for index, theirs in enumerate(kinds):
        mine = mine_kinds[index]
        if mine is not theirs and _MAY_BECOME.get(theirs) is not mine:
            return False
        is_free = by_syntax and mine in (_POS, _OPT)
        if mine_names[index] != names[index] and not is_free:
            return False
    return _EXTRA.issuperset(mine_kinds[len(kinds) :])


def extends(override: Callable, base: Callable, name: str) -> bool:
    """No rule about overrides finds anything, as `core.assignability` sees at once: more than `serves`, where there are catch-alls.

    A call may still find an argument in a parameter that its author did not see.

    Args:
        override: a method, of which mypy keeps every name.
        base: another, of the same kind.
        name: of both.
    """
    if is_called_by_syntax(name) or not _is_told(override, name) or not _is_told(base, name):
        return False
    kinds, theirs = override.kinds[override.receivers :], base.kinds[base.receivers :]
    if kinds == (_STAR, _STAR2):
        return True
    if (_STAR in theirs and _STAR not in kinds) or (_STAR2 in theirs and _STAR2 not in kinds):
        return False
    slots, named = _named(override)
    their_slots, their_names = _named(base)
    if slots[: len(their_slots)] != their_slots or (_STAR in theirs and len(slots) > len(their_slots)):
        return False
    for parameter, kind in their_names.items():
        mine = named.pop(parameter, None)
        if mine is not kind and mine is not _MAY_BECOME.get(kind, kind):
            return False
    return _EXTRA.issuperset(named.values())


def _named(function: Callable) -> tuple[list[str | None], dict[str | None, nodes.ArgKind]]:
    """The parameters that have a slot, and the kinds of all that have a name."""
    entries = zip(function.names[function.receivers :], function.kinds[function.receivers :], strict=True)
    named = {name: kind for name, kind in entries if kind is not _STAR and kind is not _STAR2}
    return [name for name, kind in named.items() if kind in _PLAIN], named


def promises_nothing(base: nodes.FuncDef) -> bool:
    """The base takes exactly `*args, **kwargs`, of which nothing is said."""
    first = 0 if base.is_static else 1
    if base.arg_kinds[first:] != [_STAR, _STAR2]:
        return False
    if base.type is None:
        return True
    kind = get_proper_type(base.type)
    return isinstance(kind, CallableType) and all(
        isinstance(argument, AnyType)
        or (isinstance(argument, Instance) and argument.type.fullname == "builtins.object")
        for argument in map(get_proper_type, kind.arg_types[-2:])
    )


def unpacks_keywords(function: nodes.FuncDef) -> bool:
    """`**kwargs: Unpack[Keys]`: its names are not in the header."""
    return isinstance(function.type, CallableType) and function.type.unpack_kwargs


def function_of(node: nodes.SymbolNode | None) -> nodes.FuncDef | None:
    """The function of a method, though it be decorated."""
    if isinstance(node, nodes.Decorator):
        return node.func
    return node if isinstance(node, nodes.FuncDef) else None


def is_refused_by_mypy(override: Callable, base: Callable, top: Instance) -> bool:
    """To mypy, the one is no subtype of the other, whatever their types.

    Args:
        override: a method.
        base: one of the same flavour.
        top: `object`.
    """
    if None in override.names[override.receivers :] or None in base.names[base.receivers :]:
        return False
    if override.flavour != base.flavour:
        return False
    return not is_subtype(_type_of(override, top), _type_of(base, top), ignore_pos_arg_names=True)


def _type_of(function: Callable, top: Instance) -> CallableType:
    names, kinds = function.names[function.receivers :], function.kinds[function.receivers :]
    unknown = AnyType(TypeOfAny.special_form)
    return CallableType([unknown] * len(kinds), list(kinds), list(names), unknown, top)


def is_plain(node: nodes.SymbolNode | None) -> bool:
    """A function with the signature that is written, to mypy's knowledge; of one in its cache, the decorators are lost."""
    if not isinstance(node, nodes.Decorator):
        return isinstance(node, nodes.FuncDef)
    seen = node.var.type
    if seen is None:
        # mypy has not checked it yet; `dmypy` forgets even what the decorators alone tell.
        from sigcheck.readers.mypy_decorators import keep_parameters  # noqa: PLC0415 - few are asked for

        return node.func.type is not None if node.var.is_property else keep_parameters(node)
    return isinstance(seen, CallableType) and (
        list(zip(seen.arg_names, seen.arg_kinds, strict=True))
        == list(zip(node.func.arg_names, node.func.arg_kinds, strict=True))
    )


def is_as_written(node: nodes.SymbolNode | None) -> TypeGuard[nodes.FuncDef]:
    """A function that mypy knows by the header that is written, in a cold run as in a warm one: its cache knows no decorators."""
    return isinstance(node, nodes.FuncDef) and None not in node.arg_names


def is_checked(function: nodes.FuncDef, info: nodes.TypeInfo, options: Options) -> bool:
    """Mypy tells of every call on the receiver of a method that does not bind, where a function in it is not exempt.

    Args:
        function: the method.
        info: its class.
        options: mypy's, for its module.
    """
    if not is_looked_into(function, options):
        return False
    symbol = info.names.get(function.name)
    node = symbol.node if symbol is not None else None
    return (
        function_of(node) is function  # Of two definitions, mypy may pass over one.
        and not (isinstance(node, nodes.Decorator) and is_exempt(node))
        and not (function.arguments and function.arguments[0].type_annotation)
        and _CALL_CODES.isdisjoint(options.disabled_error_codes)
    )


def is_looked_into(function: nodes.FuncDef, options: Options) -> bool:
    """Mypy checks the body of a function, unless that is exempt."""
    return options.check_untyped_defs or function.type is not None


def is_exempt(node: nodes.Decorator) -> bool:
    """The function is decorated with `@no_type_check`."""
    names = (word.fullname for word in node.original_decorators if isinstance(word, nodes.RefExpr))
    return any(name.rpartition(".")[2] == "no_type_check" for name in names)


_CALL_CODES = frozenset({errorcodes.CALL_ARG, errorcodes.MISC})
"""What mypy tells of such calls under."""


def keeps_every_name(override: Callable, base: Callable) -> bool:
    """No parameter of the base can land in a catch-all of the override."""
    if _STAR not in override.kinds and _STAR2 not in override.kinds:
        return True
    mine, theirs = (
        [name for name, kind in zip(function.names, function.kinds, strict=True) if kind in (_POS, _OPT)]
        for function in (override, base)
    )
    named = [name for name, kind in zip(base.names, base.kinds, strict=True) if kind not in (_STAR, _STAR2)]
    return len(mine) >= len(theirs) and set(named[base.receivers :]) <= set(override.names)


def _is_told(function: Callable, name: str) -> bool:
    """Of positional-only parameters mypy keeps no names; and the receiver is there."""
    first = function.receivers
    if first and (not function.kinds or function.kinds[0] is not _POS):
        return False
    return None not in function.names[first:] or is_called_by_syntax(name)


def accepts(function: Callable, arguments: Arguments, receivers: int) -> bool:
    """The call is certain to bind.

    Args:
        function: what is called.
        arguments: how.
        receivers: how many parameters are filled before.
    """
    names, kinds = function.names[receivers:], function.kinds[receivers:]
    if len(function.names) < receivers or None in names:
        return False
    if not arguments.keywords and len(arguments.positional) == len(names) and _PLAIN.issuperset(kinds):
        return True
    slots = [name for name, kind in zip(names, kinds, strict=True) if kind is _POS or kind is _OPT]
    count = len(arguments.positional)
    if count > len(slots) and _STAR not in kinds:
        return False
    filled = set(slots[:count])
    if arguments.keywords:
        known = {name for name, kind in zip(names, kinds, strict=True) if kind not in (_STAR, _STAR2)}
        for keyword in arguments.keywords:
            if keyword in filled or (keyword not in known and _STAR2 not in kinds):
                return False
            filled.add(keyword)
    for name, kind in zip(names, kinds, strict=True):
        if name in filled:
            continue
        if kind is _POS and not arguments.has_star and not arguments.has_double_star:
            return False
        if kind is _NAMED and not arguments.has_double_star:
            return False
    return True


def is_misnamed(function: Callable, arguments: Arguments, receivers: int) -> bool:
    """An argument by position bears the name of a parameter in which it does not land."""
    names, given = function.names[receivers:], arguments.positional
    return any(
        text in names and (slot := names.index(text)) != index and given[slot : slot + 1] != (text,)
        for index, text in enumerate(given)
    )
