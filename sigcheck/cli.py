"""The command line: options in, a report and an exit status out. Everything heavy is imported when a command needs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

EXIT_CLEAN, EXIT_DIAGNOSTICS, EXIT_USAGE, EXIT_DEFECT = 0, 1, 2, 3
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: arguments, without the program's name; None for the process's own.

    Returns:
        0 clean, 1 diagnostics, 2 the check could not run as asked, 3 a defect of sigcheck; 130 after Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        _open_streams()
        status = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        _complain("interrupted")
        if argv is None:
            sys.stderr.flush()
            os._exit(_INTERRUPTED)  # What joins threads at the end may wait for a process that is no more.
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has seen enough.
        _abandon_output()
        return EXIT_DIAGNOSTICS
    except OSError as error:
        _abandon_output()
        _complain(f"{os.fsdecode(error.filename) if error.filename else 'output'}: {error.strerror or error}")
        return EXIT_USAGE
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        return _report_defect(error)
    return status


def program() -> NoReturn:
    """`main` as a process of its own. Giving back object by object what a check holds would take as long as reading a known answer."""
    status = main()
    if _is_whole_process(sys._getframe(1)):  # noqa: SLF001 - there is no other way to see who calls
        import atexit

        atexit._run_exitfuncs()  # noqa: SLF001 - as multiprocessing ends its processes
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):
            pass  # Nobody is there to be told.
        os._exit(status)
    sys.exit(status)


def _is_whole_process(frame: FrameType | None) -> bool:
    """Nothing is left to do behind the program: the interpreter started it, no thread is left, and nobody traces it."""
    callers = []
    while frame is not None:
        callers.append((frame.f_globals.get("__name__"), frame.f_code.co_name))
        frame = frame.f_back
    if callers not in (_STARTED[:1], _STARTED):
        return False  # A profiler or a debugger goes on where this ends.
    monitoring = getattr(sys, "monitoring", None)
    if sys.gettrace() or sys.getprofile() or (monitoring and any(map(monitoring.get_tool, range(6)))):
        return False
    threading = sys.modules.get("threading")
    return not sys.flags.inspect and (threading is None or threading.active_count() == 1)


_STARTED = [("__main__", "<module>"), ("runpy", "_run_code"), ("runpy", "_run_module_as_main")]
"""Who calls the program, from the inside: a script; or a module behind `-m`."""


def _run(arguments: list[str]) -> int:
    if arguments in (["--version"], ["-V"]):
        from sigcheck.version import __version__

        print(f"sigcheck {__version__}")
        return EXIT_CLEAN
    from sigcheck.errors import SigcheckError

    try:
        from sigcheck.commands import run_command

        return run_command(arguments)
    except SigcheckError as error:
        sys.stdout.flush()
        _complain(str(error))
        return EXIT_USAGE


def _open_streams() -> None:
    """A stream that is closed (`>&-`) swallows; one that has no letter for a name writes its code."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - stays open as long as the process lives
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as above
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _abandon_output() -> None:
    """What is still buffered has nowhere to go: without this, the interpreter tries again when it ends, and complains."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _complain(message: str) -> None:
    """One line on standard error, whatever a name or a value in it holds. Where nobody can be told, the exit status still tells."""
    line = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in message)
    with suppress(OSError):
        print(f"sigcheck: {line}", file=sys.stderr)


def _report_defect(error: Exception) -> int:
    import traceback

    if os.environ.get("SIGCHECK_DEBUG"):
        traceback.print_exc()
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(frame.filename)}:{frame.lineno}"
    _complain(
        f"a defect of sigcheck, {type(error).__name__} at {where}: {error}; "
        "please report it, with what SIGCHECK_DEBUG=1 prints"
    )
    return EXIT_DEFECT
