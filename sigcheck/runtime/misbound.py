"""The error of an argument that lands in the parameter of another. Imports typeguard, whose error it also is."""

from __future__ import annotations

from typeguard import TypeCheckError

from sigcheck.errors import SigcheckError


class MisboundArgumentError(TypeError, TypeCheckError, SigcheckError):
    """An argument was bound to a parameter that is for something else.

    typeguard puts in front which argument it was, where it is the one that found it.
    """

    def __init__(self, message: str) -> None:
        TypeCheckError.__init__(self, message)

    __str__ = TypeCheckError.__str__
