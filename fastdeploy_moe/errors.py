"""What keeps a back end from being found or a Paddle from being used: one class per cause, one line each."""

from __future__ import annotations


class FastdeployMoeError(Exception):
    """The family could not do as asked; the message says what to do next."""


class PaddleUnavailableError(FastdeployMoeError, ImportError):
    """There is no Paddle to import, or one that cannot be imported."""


class UnknownBackEndError(FastdeployMoeError, ValueError):
    """A name that no back end has."""
