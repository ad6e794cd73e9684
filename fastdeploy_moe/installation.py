"""Which Paddle is installed, by the metadata of packages, and whether it can be imported: knows what breaks `import paddle`."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass

from fastdeploy_moe.errors import PaddleUnavailableError

DISTRIBUTIONS = ("paddlepaddle", "paddlepaddle-gpu")
"""The distributions that hold a package `paddle`; each writes over the files of the other."""

INSTALL = 'install one: pip install "sigcheck[moe-cpu]" or pip install "sigcheck[moe-gpu]"'


@dataclass(frozen=True, slots=True)
class PaddleInstallation:
    """The Paddle that `import paddle` finds: its distribution, or "paddle" for one without metadata, and its version."""

    distribution: str
    version: str


def read_version(distribution: str) -> str | None:
    """The installed version of a distribution; None where it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def find_paddle() -> PaddleInstallation:
    """The one Paddle that is installed, and that has what it needs to be imported.

    Raises:
        PaddleUnavailableError: there is none, there are two, or it lacks a package that it imports without declaring it.
    """
    found = [PaddleInstallation(name, version) for name in DISTRIBUTIONS if (version := read_version(name)) is not None]
    if len(found) > 1:
        both = " and ".join(f"{one.distribution} {one.version}" for one in found)
        names = " ".join(DISTRIBUTIONS)
        raise PaddleUnavailableError(
            f"{both} are both installed and overwrite one another: pip uninstall -y {names}, then {INSTALL}"
        )
    if not found:
        spec = importlib.util.find_spec("paddle")
        if spec is None:
            raise PaddleUnavailableError(f"Paddle is not installed; {INSTALL}")
        if spec.origin is None:
            rest = ", ".join(spec.submodule_search_locations or ())
            raise PaddleUnavailableError(f"Paddle is not installed, {rest} is no package; {INSTALL}")
    paddle = found[0] if found else PaddleInstallation("paddle", "of unknown version")
    if importlib.util.find_spec("setuptools") is None:
        raise PaddleUnavailableError(
            f"{paddle.distribution} imports setuptools without declaring it: pip install setuptools"
        )
    numpy = read_version("numpy")
    if paddle.version.startswith("2.") and numpy is not None and not numpy.startswith(("0.", "1.")):
        raise PaddleUnavailableError(
            f'{paddle.distribution} {paddle.version} does not work with numpy {numpy}: pip install "numpy<2"'
        )
    return paddle


def import_paddle() -> PaddleInstallation:
    """Import the one Paddle that is installed.

    Raises:
        PaddleUnavailableError: as `find_paddle`; or its import fails; or what is imported is not Paddle, or not all of it, as when
            the other distribution has been uninstalled.
    """
    installation = find_paddle()
    name = f"{installation.distribution} {installation.version}"
    try:
        paddle = importlib.import_module("paddle")
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PaddleUnavailableError(f"{name} cannot be imported: {reason}") from error
    if not hasattr(paddle, "nn"):
        if installation.distribution in DISTRIBUTIONS:
            again = f"pip install --force-reinstall {installation.distribution}=={installation.version}"
            raise PaddleUnavailableError(f"{name} has lost its files: {again}")
        raise PaddleUnavailableError(f"{paddle.__file__} is another package than Paddle; {INSTALL}")
    return installation
