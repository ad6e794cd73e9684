"""What annotations say of decorators, before mypy has checked what they decorate. Needs mypy, nothing of `core`."""

from __future__ import annotations

from mypy import nodes
from mypy.types import CallableType, Overloaded, ProperType, TypeVarType, get_proper_type


def keep_parameters(node: nodes.Decorator) -> bool:
    """The decorators of a function say that it can be called as it is written: each is a `(F) -> F`, or keeps a `ParamSpec`.

    What mypy finds out by checking the function, it has after a cold run later than `dmypy` has it after an edit.
    """
    return all(_keeps_parameters(decorator) for decorator in node.decorators)


def _keeps_parameters(decorator: nodes.Expression) -> bool:
    is_made = isinstance(decorator, nodes.CallExpr)
    word = decorator.callee if isinstance(decorator, nodes.CallExpr) else decorator
    node = word.node if isinstance(word, nodes.RefExpr) else None
    kind = get_proper_type(node.type) if isinstance(node, (nodes.FuncDef, nodes.OverloadedFuncDef)) else None
    if isinstance(kind, Overloaded):
        # Often one takes a function, and another makes what takes one: whichever is meant here.
        return all(
            _gives_what_it_gets(item) or _gives_what_it_gets(get_proper_type(item.ret_type)) for item in kind.items
        )
    return _gives_what_it_gets(get_proper_type(kind.ret_type) if is_made and isinstance(kind, CallableType) else kind)


def _gives_what_it_gets(kind: ProperType | None) -> bool:
    """A function goes in, and one of the same parameters comes out."""
    if (
        not isinstance(kind, CallableType)
        or kind.arg_kinds[:1] != [nodes.ARG_POS]
        or nodes.ARG_POS in kind.arg_kinds[1:]
    ):
        return False
    given, made = get_proper_type(kind.arg_types[0]), get_proper_type(kind.ret_type)
    if isinstance(given, TypeVarType) or isinstance(made, TypeVarType):
        return given == made
    if not isinstance(given, CallableType) or not isinstance(made, CallableType):
        return False
    passed = given.param_spec()
    return passed is not None and passed == made.param_spec() and given.arg_kinds == made.arg_kinds
