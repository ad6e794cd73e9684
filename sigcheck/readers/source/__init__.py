"""From a source file to a `core.module.Module`. The code that is read is never imported or run.

The way of a file: `text` decodes it, and `scan` reads it with `ast`. What is told of it, and what the scan is not certain of, is
read with libcst: `outline` finds what need not be seen, and `definitions` reads the rest. The bodies that a contract asks about
are read whole, one by one, by `flow`. What imports libcst, which takes twenty times as long as to start Python, is loaded when
it is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sigcheck.core.decorators import Decorators
from sigcheck.readers.source.narrowing import Extents, extent_at, narrowed
from sigcheck.readers.source.scan import Scan, scan_module
from sigcheck.readers.source.text import read_text

if TYPE_CHECKING:
    from sigcheck.readers.source.certainty import reads_all
    from sigcheck.readers.source.definitions import read_definition, read_module, read_source, skim_module
    from sigcheck.readers.source.flow import read_flow

__all__ = [
    "Decorators",
    "Extents",
    "Scan",
    "extent_at",
    "load_libcst",
    "narrowed",
    "read_definition",
    "read_flow",
    "read_module",
    "read_source",
    "read_text",
    "reads_all",
    "scan_module",
    "skim_module",
]

_ON_DEMAND = {
    "reads_all": "certainty",
    "read_flow": "flow",
    "read_definition": "definitions",
    "read_module": "definitions",
    "read_source": "definitions",
    "skim_module": "definitions",
}


def __getattr__(name: str) -> Any:
    """Load what needs libcst, or is asked only about what a contract says."""
    if name not in _ON_DEMAND:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"{__name__}.{_ON_DEMAND[name]}"), name)


def load_libcst() -> None:
    """Load it now, to have it when it is needed."""
    importlib.import_module(f"{__name__}.definitions")
