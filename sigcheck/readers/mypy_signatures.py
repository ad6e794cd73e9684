"""Signatures by the names and kinds that mypy keeps of parameters. Needs mypy, and no tree of a body."""

from __future__ import annotations

from collections.abc import Sequence

from mypy import nodes

from sigcheck.core.signature import Kind, Parameter, Signature

KINDS = {
    nodes.ARG_POS: Kind.POSITIONAL_OR_KEYWORD,
    nodes.ARG_OPT: Kind.POSITIONAL_OR_KEYWORD,
    nodes.ARG_STAR: Kind.VAR_POSITIONAL,
    nodes.ARG_NAMED: Kind.KEYWORD_ONLY,
    nodes.ARG_NAMED_OPT: Kind.KEYWORD_ONLY,
    nodes.ARG_STAR2: Kind.VAR_KEYWORD,
}
"""What mypy's kinds are to `inspect`; of a positional-only parameter mypy says it otherwise."""

_CATCH_ALLS = {Kind.VAR_POSITIONAL: "args", Kind.VAR_KEYWORD: "kwargs"}


def signature_of(
    names: Sequence[str | None], kinds: Sequence[nodes.ArgKind], annotations: Sequence[str | None]
) -> Signature:
    """A signature.

    Args:
        names: of the parameters; None for a positional-only one, or a catch-all of which mypy does not keep it.
        kinds: of the same.
        annotations: of the same; those of catch-alls count.
    """
    found = []
    for index, (name, kind, annotation) in enumerate(zip(names, kinds, annotations, strict=True)):
        mine = KINDS[kind]
        if mine is Kind.POSITIONAL_OR_KEYWORD and name is None:
            mine = Kind.POSITIONAL_ONLY
        found.append(
            Parameter(
                name or _CATCH_ALLS.get(mine, f"__{index}"),
                mine,
                kind.is_required(),
                annotation if kind.is_star() else None,
                "..." if kind.is_optional() else None,
            )
        )
    return Signature(tuple(found))
