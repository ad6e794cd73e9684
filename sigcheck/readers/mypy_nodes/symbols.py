"""Classes of which mypy has only the symbols: those of stubs, and of modules that come out of its cache. Imports mypy.

Names, kinds and defaults of parameters are there; names of positional-only parameters, bodies and places are not.
"""

from __future__ import annotations

from mypy import nodes
from mypy.types import AnyType, CallableType, FunctionLike, Instance, ProperType, get_proper_type

from sigcheck.core.annotation import may_be_awaitable
from sigcheck.core.dataclass import replace
from sigcheck.core.member import Flavour, Member
from sigcheck.core.module import Class
from sigcheck.core.place import Place
from sigcheck.core.signature import Signature
from sigcheck.readers.mypy_decorators import keep_parameters
from sigcheck.readers.mypy_nodes.references import References
from sigcheck.readers.mypy_signatures import signature_of


def read_symbols(info: nodes.TypeInfo, reference: str, references: References) -> Class:
    """A class as its symbol table has it."""
    members = [
        member
        for name, symbol in info.names.items()
        if not symbol.implicit and (member := read_symbol(name, symbol.node, info.module_name)) is not None
    ]
    if info.fullname == "ast.NodeVisitor":
        members = [_as_visited(member) for member in members]
    return Class(
        reference,
        reference.replace(":", "."),
        Place(info.module_name, 1, 1, 1, 1),
        1,
        tuple((references.of_info(base.type),) for base in info.bases),
        tuple(members),
    )


def _as_visited(member: Member) -> Member:
    """`ast.NodeVisitor` has no `visit_Name`, though its stub has: it calls by position what a class below defines of these."""
    if not member.name.startswith("visit_"):
        return member
    return replace(member, signature=member.signature.positional_only())


def read_symbol(name: str, node: nodes.SymbolNode | None, module: str) -> Member | None:
    """What a symbol is bound to; None for what is no member."""
    place = Place(module, 1, 1, 1, 1)
    match node:
        case nodes.FuncDef():
            return _function(name, node, node.type, place)
        case nodes.Decorator():
            if node.var.is_property:
                return _property(name, node, place)
            if node.var.type is None and not keep_parameters(node):
                return Member(name, Flavour.OPAQUE, place, 1)  # Nobody knows yet what the decorators make of it.
            return _function(name, node.func, node.var.type, place)
        case nodes.OverloadedFuncDef():
            first = node.items[0] if node.items else node.impl
            if isinstance(first, nodes.Decorator) and first.var.is_property:
                return _property(name, first, place, has_setter=len(node.items) > 1)
            function = first.func if isinstance(first, nodes.Decorator) else first
            if function is None:
                return None
            return _function(name, function, node.type, place, is_static=node.is_static, is_class=node.is_class)
        case nodes.Var():
            if node.is_property:
                return Member(name, Flavour.PROPERTY, place, 1, has_setter=node.is_settable_property)
            return Member(name, Flavour.OPAQUE, place, 1)
        case _:
            return None


def _property(name: str, node: nodes.Decorator, place: Place, *, has_setter: bool = False) -> Member:
    kind = get_proper_type(node.func.type) if node.func.type is not None else None
    returned = get_proper_type(kind.ret_type) if isinstance(kind, CallableType) else None
    returns_callable = False if isinstance(returned, Instance) and returned.type.fullname in _PLAIN_VALUES else None
    return Member(
        name,
        Flavour.PROPERTY,
        place,
        1,
        has_setter=has_setter,
        returns_callable=True if _is_any(returned) else returns_callable,
    )


def _function(
    name: str,
    node: nodes.FuncDef,
    written: object,
    place: Place,
    *,
    is_static: bool = False,
    is_class: bool = False,
) -> Member:
    kind = get_proper_type(written) if written is not None else None  # type: ignore[call-overload]
    signatures = tuple(map(_signature, kind.items)) if isinstance(kind, FunctionLike) else ()
    if is_static or node.is_static:
        flavour = Flavour.STATIC
    elif is_class or node.is_class or name in ("__init_subclass__", "__class_getitem__"):
        flavour = Flavour.CLASS
    else:
        flavour = Flavour.STATIC if name == "__new__" else Flavour.INSTANCE
    if not signatures:
        signatures = (_unanalysed(node),)
    return Member(
        name,
        flavour if isinstance(kind, FunctionLike) or kind is None else Flavour.OPAQUE,
        place,
        1,
        signatures[0],
        overloads=signatures if len(signatures) > 1 else (),
        is_coroutine=_is_coroutine(node, kind),
        is_stub=True,
        is_placeholder=node.abstract_status != nodes.NOT_ABSTRACT,
    )


def _is_coroutine(node: nodes.FuncDef, kind: ProperType | None) -> bool | None:
    if node.is_coroutine:
        return None if node.is_async_generator else True
    if not isinstance(kind, CallableType):
        return None
    returned = get_proper_type(kind.ret_type)
    if isinstance(returned, Instance):
        return None if may_be_awaitable(returned.type.name) else False
    return None


def _signature(kind: CallableType) -> Signature:
    return signature_of(kind.arg_names, kind.arg_kinds, [_catch_all(argument) for argument in kind.arg_types])


def _unanalysed(node: nodes.FuncDef) -> Signature:
    return signature_of(node.arg_names, node.arg_kinds, [None] * len(node.arg_names))


def _catch_all(kind: object) -> str | None:
    proper = get_proper_type(kind)  # type: ignore[call-overload]
    if isinstance(proper, AnyType):
        return "Any"
    if isinstance(proper, Instance):
        return "object" if proper.type.fullname == "builtins.object" else proper.type.name
    return "P.args" if type(proper).__name__ == "ParamSpecType" else "?"


def _is_any(kind: ProperType | None) -> bool:
    return isinstance(kind, (AnyType, CallableType))


_PLAIN_VALUES = frozenset(
    f"builtins.{name}" for name in ("int", "str", "bool", "float", "complex", "bytes", "list", "dict", "set", "tuple")
)
