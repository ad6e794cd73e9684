"""The library's two functions: `check` over files, `incompatibilities` over two signatures."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sigcheck.checking import run_check
from sigcheck.config import Configuration, configuration_for, configuration_of, read_configuration
from sigcheck.core import assignability
from sigcheck.core.incompatibility import BindingReason
from sigcheck.core.signature import Signature
from sigcheck.outcome import Report
from sigcheck.readers.live import read_signature


def check(
    paths: Iterable[str | os.PathLike[str]] | str | os.PathLike[str] = (),
    config: Configuration | Mapping[str, Any] | str | os.PathLike[str] | None = None,
) -> Report:
    """Check every override below some paths, as `sigcheck check` does.

    Args:
        paths: files and directories, or one, relative to the working directory; empty for those of the configuration.
        config: a configuration; or the content of `[tool.sigcheck]` as a mapping; or the path of a configuration file; None
            to look for one from the paths upwards, then from the working directory.

    Returns:
        The diagnostics, and what was looked at.

    Raises:
        SigcheckError: the check could not run as asked; the message says why, in one line.
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    chosen = [os.fspath(path) for path in given]
    return run_check(_configuration(config, chosen), chosen)


def _configuration(
    config: Configuration | Mapping[str, Any] | str | os.PathLike[str] | None, paths: list[str]
) -> Configuration:
    match config:
        case Configuration():
            return config
        case None:
            found = configuration_for(paths)
            return read_configuration(found) if found is not None else Configuration()
        case Mapping():
            return configuration_of(config, root=Path.cwd())
        case _:
            return read_configuration(Path(config))


def incompatibilities(
    override: Signature | inspect.Signature, base: Signature | inspect.Signature
) -> tuple[BindingReason, ...]:
    """Why a callable with the signature `override` cannot stand in for one with the signature `base`.

    Args:
        override: a bound signature, without `self` or `cls`: what `inspect.signature(instance.method)` gives.
        base: another.

    Returns:
        A reason for each root cause, with a call that shows it; empty where every call that `base` accepts, `override`
        accepts, with each argument in the parameter of the same name.
    """
    return assignability.incompatibilities(_signature(override), _signature(base))


def _signature(signature: Signature | inspect.Signature) -> Signature:
    return read_signature(signature) if isinstance(signature, inspect.Signature) else signature
