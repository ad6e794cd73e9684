"""What the guard says of a call. Sentences about classes are in `words`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from sigcheck.core.misbinding import Definition, Displaced, Exchanged, Misbinding, Strayed, WrongRole
from sigcheck.core.place import Place

if TYPE_CHECKING:
    from typing_extensions import assert_never
else:

    def assert_never(value: object) -> NoReturn:
        """The union is closed: mypy proves that this is never reached."""
        raise AssertionError(value)


def misbound(found: Misbinding, call: Place | None) -> str:
    """The whole message: which argument lands where, what shows that it is wrong, which call passed it, and the mend.

    Args:
        found: the misbinding.
        call: the line of the call; None where no Python code makes it.
    """
    return "\n".join([_first_line(found), *(f"  {label + ':':<9}{text}" for label, text in _details(found, call))])


def _first_line(found: Misbinding) -> str:
    if isinstance(found.cause, WrongRole):
        what = f"what is for {found.cause.carried}"
    else:
        what = found.parameter or _argument(found)
    place = found.callee.place
    return f"{what} lands in `{found.lands_in}` of {_named(found.callee)} ({place.path}:{place.line})"


def _details(found: Misbinding, call: Place | None) -> list[tuple[str, str]]:
    lines = [("takes", _slots(found.callee))]
    match found.cause:
        case Strayed(seen=seen, meant=meant):
            lines.append(("seen", f"{_slots(seen)}   {seen.place.path}:{seen.place.line}, where it is {meant}"))
        case Exchanged(names=names):
            lines.append(("because", f"{_listed(names)} changed places"))
        case Displaced():
            lines.append(
                ("because", f"{_named(found.callee)} has a parameter {found.parameter}, and got something else for it")
            )
        case WrongRole(carried=carried, demanded=demanded):
            lines.append(
                ("because", f"it is for {carried}, and `{found.lands_in}` takes what is for {_listed(demanded, 'or')}")
            )
        case _:
            assert_never(found.cause)
    lines.append(("called", _call(found, call)))
    lines.append(("mend", _mend(found)))
    return lines


def _call(found: Misbinding, call: Place | None) -> str:
    where = f"{call.path}:{call.line}" if call is not None else "outside of Python code"
    caller = f" in {_named(found.caller)}" if found.caller is not None else ""
    return f"{where}{caller} passes it as {_argument(found)}"


def _argument(found: Misbinding) -> str:
    if isinstance(found.argument, str):
        return f"`{found.argument}=`"
    return f"argument {found.argument + 1}"


def _mend(found: Misbinding) -> str:
    match found.cause:
        case WrongRole(carried=carried):
            return f"pass it where {carried} belongs"
        case Strayed(meant=meant) if found.callee.signature.get(meant) is not None:
            how = f"pass `{meant}=`, or restore the order in {_named(found.callee)}"
        case Strayed(meant=meant):
            how = f"call the parameter {meant} in {_named(found.callee)}, if it is that"
        case Exchanged() | Displaced():
            how = f"pass {found.parameter} as `{found.parameter}`"
        case _:
            assert_never(found.cause)
    return f"{how}; if it is meant, {_alias(found)}"


def _alias(found: Misbinding) -> str:
    name = found.parameter or ""
    pairs = [(found.lands_in, name)]
    if isinstance(found.cause, Exchanged) and len(found.cause.names) == 2:
        pairs.append((name, found.lands_in))
    words = [f'{target}="{name}"' for target, name in pairs]
    return f"alias({', '.join(words)})"


def _slots(definition: Definition) -> str:
    return f"{_named(definition)}{definition.signature.names_only()}"


def _named(definition: Definition) -> str:
    return f"{definition.owner}.{definition.name}"


def _listed(names: tuple[str, ...], word: str = "and") -> str:
    *rest, last = names
    return f"{', '.join(rest)} {word} {last}" if rest else last
