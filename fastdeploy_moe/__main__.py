"""`python -m fastdeploy_moe`: what is installed, which back ends there are, and whether Cutlass computes what it should.

Exit status: 0 all is well, 1 the self-check failed, 2 there is no Paddle that can be imported.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
import warnings
from collections.abc import Iterable, Iterator

from fastdeploy_moe.errors import PaddleUnavailableError
from fastdeploy_moe.installation import PaddleInstallation, import_paddle, read_version
from fastdeploy_moe.registry import Support, list_moe_methods


def main() -> int:
    """Print the report; returns the exit status."""
    try:
        status = _report()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; without this, the interpreter complains when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _report() -> int:
    try:
        with warnings.catch_warnings():  # Paddle's own, about itself
            warnings.simplefilter("ignore")
            installation = import_paddle()
    except PaddleUnavailableError as error:
        print(f"fastdeploy_moe: {error}", file=sys.stderr)
        return 2
    for line in render_versions(installation):
        print(line)
    print()
    for line in render_support(list_moe_methods()):
        print(line)
    print("\nCutlass against NumPy in float64, the largest error over the largest |reference|:")
    return _check()


def _check() -> int:
    """Run the self-check, and print a line for each case; returns the exit status."""
    from fastdeploy_moe import selfcheck  # noqa: PLC0415  # needs Paddle

    failed = 0
    for outcome in selfcheck.checks():
        failed += not outcome.passed
        verdict = "ok" if outcome.passed else "FAILED"
        found = outcome.raised or f"{outcome.error:.1e} of at most {outcome.tolerance:.0e}"
        print(f"  {outcome.case!s:<54} {found}  {verdict}")
    if failed:
        print(f"{failed} of {len(selfcheck.CASES)} cases failed", file=sys.stderr)
        return 1
    return 0


def render_versions(installation: PaddleInstallation) -> Iterator[str]:
    """What is installed, a line each."""
    import paddle  # noqa: PLC0415  # the caller has made sure that it can be imported

    from fastdeploy_moe.ops.selection import VARIABLE  # noqa: PLC0415  # needs Paddle

    others = [f"{name} {version}" for name in ("numpy", "sigcheck") if (version := read_version(name)) is not None]
    yield ", ".join([f"Python {platform.python_version()}", *others])
    yield f"{installation.distribution} {installation.version}, on {paddle.device.get_device()}"
    fastdeploy = "installed" if importlib.util.find_spec("fastdeploy") else "not installed"
    yield f"operators: {VARIABLE}={os.environ.get(VARIABLE, 'auto')}, FastDeploy is {fastdeploy}"


def render_support(supports: Iterable[Support]) -> Iterator[str]:
    """A table of the back ends; the last column says what keeps one from computing here."""
    yield f"{'name':<10} {'class':<28} {'latent':<7} {'dtypes':<26} {'devices':<13} here"
    for support in supports:
        latent = "yes" if support.supports_latent else "no"
        here = support.missing or ("yes" if support.here else "no such device")
        dtypes, devices = ", ".join(support.dtypes), ", ".join(support.devices)
        yield f"{support.name:<10} {support.class_name:<28} {latent:<7} {dtypes:<26} {devices:<13} {here}"


if __name__ == "__main__":
    sys.exit(main())
