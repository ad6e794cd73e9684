"""From a source file to a `core.module.Module`, with libcst. The code that is read is never imported or run.

The way of a file: `text` decodes it, `outline` finds what need not be seen, `definitions` reads the rest with libcst.
"""

from sigcheck.readers.source.definitions import Decorators, read_module, skim_module

__all__ = ["Decorators", "read_module", "skim_module"]
