"""From objects of a running program to core values, with `inspect`. Never touches a file."""

from __future__ import annotations

import inspect

from sigcheck.core.signature import Kind, Parameter, Signature


def read_signature(signature: inspect.Signature) -> Signature:
    """An `inspect.Signature` as a value.

    Annotations and defaults become their `repr`, or the source text of a string annotation.
    """
    return Signature.of(_parameter(parameter) for parameter in signature.parameters.values())


def _parameter(parameter: inspect.Parameter) -> Parameter:
    kind = Kind(int(parameter.kind))
    empty = inspect.Parameter.empty
    variadic = kind in (Kind.VAR_POSITIONAL, Kind.VAR_KEYWORD)
    return Parameter(
        parameter.name,
        kind,
        required=parameter.default is empty and not variadic,
        annotation=None if parameter.annotation is empty else inspect.formatannotation(parameter.annotation),
        default=None if parameter.default is empty else repr(parameter.default),
    )
