"""The version, and nothing else: `sigcheck --version` imports no more than this."""

__version__ = "0.1.0"
