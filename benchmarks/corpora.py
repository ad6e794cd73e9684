"""Real code to check: fetch the wheels of fsspec, sglang and transformers, and unpack their sources.

    python benchmarks/corpora.py [NAME ...] [--into .corpora]

The sources lie in `.corpora/<name>/` afterwards (git-ignored; nothing of theirs is committed). A second run does nothing.
The versions are pinned, so that the numbers in `docs/real-world.md` can be made again. Their dependencies are not installed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEFAULT_DIRECTORY = HERE.parent / ".corpora"
_STAMP = ".version"


@dataclass(frozen=True)
class Corpus:
    """A package to check.

    Attributes:
        name: of the distribution, and of its directory.
        version: pinned.
        paths: what to check, relative to the directory.
    """

    name: str
    version: str
    paths: tuple[str, ...]


CORPORA = (
    Corpus("fsspec", "2026.9.0", ("fsspec",)),
    Corpus("sglang", "0.5.23", ("sglang",)),
    Corpus("transformers", "5.23.0", ("transformers",)),
)

# sglang has a wheel for each platform and interpreter; the sources in it are the same. Any new enough platform tag will do.
_ANY_MACHINE = (
    "--only-binary=:all:",
    "--python-version=3.11",
    "--implementation=cp",
    *(f"--abi={abi}" for abi in ("cp311", "abi3", "none")),
    *(f"--platform=manylinux_2_{glibc}_x86_64" for glibc in (34, 31, 28, 17)),
    "--platform=any",
)


class CorpusError(Exception):
    """A corpus could not be made; the message is one line."""


def prepare(corpus: Corpus, into: Path) -> Path:
    """Fetch and unpack one corpus, unless it is there already.

    Returns:
        The directory its sources lie in.

    Raises:
        CorpusError: the wheel could not be fetched or unpacked.
    """
    target = into / corpus.name
    stamp = target / _STAMP
    try:
        if stamp.is_file() and stamp.read_text(encoding="utf-8").strip() == corpus.version:
            return target
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=into) as scratch:
            wheel = _download(corpus, Path(scratch))
            unpacked = Path(scratch) / "unpacked"
            _unpack(wheel, unpacked)
            (unpacked / _STAMP).write_text(f"{corpus.version}\n", encoding="utf-8")
            if target.exists():
                shutil.rmtree(target)
            unpacked.rename(target)
    except (OSError, zipfile.BadZipFile) as error:
        raise CorpusError(f"{corpus.name} {corpus.version}: {error}") from error
    return target


def _download(corpus: Corpus, scratch: Path) -> Path:
    command = (sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check")
    wanted = f"{corpus.name}=={corpus.version}"
    done = subprocess.run(
        (*command, *_ANY_MACHINE, "--dest", str(scratch), wanted), capture_output=True, text=True, check=False
    )
    wheels = sorted(scratch.glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")] or lines
        raise CorpusError(f"pip download {wanted} failed: {errors[-1] if errors else 'it left no wheel'}")
    return wheels[0]


def _unpack(wheel: Path, target: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            parts = Path(entry.filename).parts
            if (
                entry.filename.endswith((".py", ".pyi"))
                and ".." not in parts
                and not Path(entry.filename).is_absolute()
            ):
                archive.extract(entry, target)


def chosen(names: Sequence[str]) -> list[Corpus]:
    """The corpora of these names, all of them where none is given."""
    return [corpus for corpus in CORPORA if not names or corpus.name in names]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="fsspec, sglang, transformers; default: all")
    parser.add_argument("--into", type=Path, default=DEFAULT_DIRECTORY, help="default: .corpora in the repository")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - {corpus.name for corpus in CORPORA})
    if unknown:
        parser.error(f"no corpus is called {unknown[0]}; there are {', '.join(c.name for c in CORPORA)}")
    try:
        for corpus in chosen(options.names):
            print(f"{corpus.name} {corpus.version}: {prepare(corpus, options.into)}")
    except CorpusError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
