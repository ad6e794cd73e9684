"""What can keep a check from running as asked: one class per cause, each message one line that says what to do."""

from __future__ import annotations


class SigcheckError(Exception):
    """The check could not run as asked. The command line prints the message and ends with status 2."""


class ConfigurationError(SigcheckError):
    """An option, a key or a value that sigcheck does not know."""


class MissingPathError(SigcheckError):
    """A path to check, to search or to read that does not exist."""


class UnmatchedContractError(SigcheckError):
    """A contract that matches no class, or no override: it would guard nothing."""


class UnmatchedFamilyError(SigcheckError):
    """A family whose `like` leads nowhere, or whose members are none: it would guard nothing."""


class UnresolvedBasesError(SigcheckError):
    """Bases without source, under `strict-resolve`."""


class RevisionError(SigcheckError):
    """A question that git cannot answer: no git, no repository, no such commit."""


class UnknownTargetError(SigcheckError):
    """A name that means no method, or more than one."""
