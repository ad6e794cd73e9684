"""`python -m sigcheck`."""

from sigcheck.cli import program

program()
