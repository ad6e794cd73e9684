"""Whether mypy itself reports an override, or a call: then the plugin need not say it on the same line again.

mypy checks types after the plugin has spoken, and in `dmypy` at other times. So its answer is not awaited, but worked out: by its own
relation, of the same names and kinds, where it is certain to ask it.
"""

from __future__ import annotations

from mypy import errorcodes, nodes
from mypy.options import Options
from mypy.subtypes import is_subtype
from mypy.types import AnyType, CallableType, Instance, TypeOfAny

from sigcheck.core.callsite import Route
from sigcheck.core.diagnostic import BrokenOverride
from sigcheck.core.forwarding import BrokenCall, RejectedArgument
from sigcheck.core.incompatibility import AsyncMismatch, DefaultChanged, ReceiverMismatch
from sigcheck.core.member import Flavour
from sigcheck.core.names import is_interface
from sigcheck.core.signature import Kind, Signature
from sigcheck.mypy_plugin.binding import (
    accepts,
    callable_of,
    is_as_written,
    is_bound_to_class,
    is_checked,
    is_exempt,
    is_looked_into,
    is_plain,
)
from sigcheck.mypy_plugin.written_calls import Arguments
from sigcheck.readers.mypy_nodes.expressions import children


def is_override_told_by_mypy(
    finding: BrokenOverride, override: nodes.FuncDef, base: nodes.SymbolNode | None, options: Options
) -> bool:
    """Mypy says `Signature of "run" incompatible with supertype "Base"` at the same line.

    Args:
        finding: what the plugin would say.
        override: the node of the override.
        base: what the base class binds the name to.
        options: mypy's, for the module of the override.
    """
    if errorcodes.OVERRIDE in options.disabled_error_codes or not is_interface(override.name):
        return False
    if not is_looked_into(override, options):
        return False  # mypy looks only at overrides with an annotation.
    if finding.is_shadowing or isinstance(finding.reason, (AsyncMismatch, DefaultChanged)):
        return False
    if finding.override.overloads or finding.base.overloads or not is_plain(base):
        return False
    if isinstance(finding.reason, ReceiverMismatch):
        return finding.base.flavour in (Flavour.CLASS, Flavour.STATIC) and finding.override.flavour is Flavour.INSTANCE
    mine, theirs = (member.bound_signatures()[0] for member in (finding.override, finding.base))
    if mine is None or theirs is None:
        return False
    top = Instance(override.info.mro[-1], [])
    return not is_subtype(_callable(mine, top), _callable(theirs, top), ignore_pos_arg_names=True)


def is_call_told_by_mypy(finding: BrokenCall, caller: nodes.FuncDef, owner: nodes.TypeInfo, options: Options) -> bool:
    """Mypy says `Too many arguments for "run" of "Base"`, or something like it, at the same line; or it is one that cannot be reached.

    Args:
        finding: what the plugin would say.
        caller: the node of the method in which the call stands.
        owner: its class.
        options: mypy's, for its module.
    """
    call = finding.call
    if call.named or call.route not in _FROM or not isinstance(finding.reason, RejectedArgument):
        return False
    is_local = "@" in owner.fullname  # Then what stands around it would have to be looked into as well.
    if is_local or not is_checked(caller, owner, options) or not _looks_into(caller, call.place.line, options):
        return False
    found = next(
        (entry.names[call.method] for entry in owner.mro[_FROM[call.route] :] if call.method in entry.names), None
    )
    callee = _function(found.node if found is not None else None, owner.module_name)
    if not is_as_written(callee):
        return False
    function, keywords = callable_of(callee), tuple(name for name, _ in call.keywords)
    arguments = Arguments(call.positional, keywords, call.has_star, call.has_double_star)
    # On a class, a method of instances is a function: its receiver is written out.
    is_on_class = call.route is Route.TYPE or is_bound_to_class(caller)
    return not accepts(function, arguments, 0 if is_on_class and not function.flavour else function.receivers)


_FROM = {Route.INSTANCE: 0, Route.TYPE: 0, Route.SUPER: 1}


def _function(node: nodes.SymbolNode | None, module: str) -> nodes.SymbolNode | None:
    """What a call runs, to mypy: the function of a method that is static, of the class or abstract, and has no other decorator.

    Args:
        node: the method.
        module: in which the call stands. What decorates those of another is not known wherever mypy has it in its cache.
    """
    if (
        isinstance(node, nodes.Decorator)
        and not node.decorators
        and not node.var.is_property
        and node.func.info.module_name == module
    ):
        return node.func
    return node


def _looks_into(caller: nodes.FuncDef, line: int, options: Options) -> bool:
    """Every function within the caller that stands around the line is looked into."""
    pending: list[nodes.Node] = [caller.body]
    while pending:
        node = pending.pop()
        is_blind = (
            isinstance(node, nodes.OverloadedFuncDef)  # Of two definitions, mypy may pass over one.
            or (isinstance(node, nodes.Decorator) and is_exempt(node))
            or (isinstance(node, nodes.FuncDef) and not is_looked_into(node, options))
        )
        if is_blind and node.line <= line <= (node.end_line or line):
            return False
        pending += children(node)
    return True


def _callable(signature: Signature, top: Instance) -> CallableType:
    """The signature as mypy has it, of arguments of which nothing is known."""
    unknown = AnyType(TypeOfAny.special_form)
    kinds, names = [], []
    for parameter in signature.parameters:
        required, optional = _KINDS[parameter.kind]
        kinds.append(required if parameter.required else optional)
        names.append(None if parameter.kind is Kind.POSITIONAL_ONLY else parameter.name)
    return CallableType([unknown] * len(kinds), kinds, names, unknown, top)


_KINDS = {
    Kind.POSITIONAL_ONLY: (nodes.ARG_POS, nodes.ARG_OPT),
    Kind.POSITIONAL_OR_KEYWORD: (nodes.ARG_POS, nodes.ARG_OPT),
    Kind.VAR_POSITIONAL: (nodes.ARG_STAR, nodes.ARG_STAR),
    Kind.KEYWORD_ONLY: (nodes.ARG_NAMED, nodes.ARG_NAMED_OPT),
    Kind.VAR_KEYWORD: (nodes.ARG_STAR2, nodes.ARG_STAR2),
}
