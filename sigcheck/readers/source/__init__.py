"""From a source file to a `core.module.Module`, with libcst. The code that is read is never imported or run.

The way of a file: `text` decodes it, `outline` finds what need not be seen, `definitions` reads the rest with libcst.
The bodies that a contract asks about are read whole, one by one, by `flow`.
"""

from sigcheck.readers.source.conventions import Decorators
from sigcheck.readers.source.definitions import read_module, skim_module
from sigcheck.readers.source.flow import read_flow
from sigcheck.readers.source.text import read_text

__all__ = ["Decorators", "read_flow", "read_module", "read_text", "skim_module"]
