"""From objects of a running program to core values. Never touches a file, and never looks an attribute up on a class.

`members` reads what stands in a class's `__dict__`; what a callable accepts is known to `wrappers`, which follows those that hand
on exactly what they got, by their `instructions`; `classes` reads whole classes, and `statements` knows where they are made.
"""

from sigcheck.readers.live.classes import read_classes
from sigcheck.readers.live.members import is_synthesised, member_fields, read_member
from sigcheck.readers.live.namespaces import bases_of, dotted_name, members_of, order_of
from sigcheck.readers.live.signatures import read_signature
from sigcheck.readers.live.statements import Statement, read_statement
from sigcheck.readers.live.wrappers import StandIn, is_stand_in

__all__ = [
    "StandIn",
    "Statement",
    "bases_of",
    "dotted_name",
    "is_same_layout",
    "is_stand_in",
    "is_synthesised",
    "member_fields",
    "members_of",
    "order_of",
    "read_classes",
    "read_member",
    "read_signature",
    "read_statement",
]
