"""Which files changed, as git says. Runs `git` and nothing else; knows nothing of classes."""

from __future__ import annotations

import os
import subprocess

from sigcheck.core.dataclass import dataclass, field
from sigcheck.errors import RevisionError
from sigcheck.files import SUFFIXES, shown

_SUBMODULE = "160000"
_LOCAL = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")
"""What ties git to one repository; not for a submodule."""


@dataclass(slots=True)
class Changeset:
    """The source files that changed.

    Attributes:
        paths: absolute, of those that are there and were changed or added.
        deleted: absolute, of those that are gone, or have another name now.
        trees: absolute, of directories of which everything counts as changed: new submodules, repositories that are not tracked, and
            where a symbolic link leads that changed.
    """

    paths: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    trees: set[str] = field(default_factory=set)
    _shown: set[str] = field(default_factory=set)
    _known: dict[str, bool] = field(default_factory=dict)

    def add(self, path: str) -> None:
        """Note a file that changed, or a directory as git names one: with a slash behind it, or a symbolic link to it."""
        if path.endswith("/") or (os.path.islink(path) and os.path.isdir(path)):
            self.trees.add(os.path.realpath(path))
        elif path.endswith(SUFFIXES):
            if os.path.lexists(path):
                self.paths.update((path, os.path.realpath(path)))
                self._shown.update((shown(path), shown(os.path.relpath(path))))
            else:
                self.deleted.add(path)

    def is_changed(self, path: str) -> bool:
        """Whether the file that a report shows as `path` changed; a symbolic link counts as what it leads to, too."""
        known = self._known.get(path)
        if known is None:
            real = os.path.realpath(path)
            known = path in self._shown or real in self.paths or os.path.abspath(path) in self.paths
            known = known or any(real.startswith(tree + os.sep) for tree in self.trees)
            self._known[path] = known
        return known

    def is_gone(self, module: tuple[str, ...]) -> bool:
        """Whether a file was deleted that can have been this module, or one of the packages around it."""
        names = [module[:length] for length in range(1, len(module) + 1)]
        for path in self.deleted:
            parts = tuple(os.path.splitext(path)[0].split(os.sep))
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            if any(parts[-len(name) :] == name for name in names):
                return True
        return False


def changed_since(revision: str, paths: tuple[str, ...] = ()) -> Changeset:
    """What differs from the commit where this branch left `revision`: committed, staged, not staged, and not tracked.

    Where git knows no such commit (a shallow clone, unrelated histories), from `revision` itself.

    Args:
        revision: anything that names a commit.
        paths: what is checked; it must lie in the repository of the working directory.

    Raises:
        RevisionError: no git, no repository, no such commit, or a path outside.
    """
    top = _top(paths, "--changed-since")
    commit = _commit(top, revision)
    base = _git(top, "merge-base", commit, "HEAD", accepted=(0, 1, 128)).decode().strip() or commit
    changes = Changeset()
    _collect(top, base, changes, is_inner=False)
    return changes


def staged(paths: tuple[str, ...] = ()) -> Changeset | None:
    """What the next commit changes; under pre-commit, what the hook is asked about, and None where that is everything.

    pre-commit says with `PRE_COMMIT_FROM_REF` that a range is meant. It runs no hook where no file is meant: one that runs
    while nothing is staged was started with `--all-files` or `--files`.

    Raises:
        RevisionError: as `changed_since`.
    """
    is_hook = bool(os.environ.get("PRE_COMMIT"))
    start = os.environ.get("PRE_COMMIT_FROM_REF")
    if is_hook and start:
        return changed_since(start, paths)
    top = _top(paths, "--staged")
    listed = _git(top, *_DIFF, "--cached")
    if is_hook and not listed:
        return None
    changes = Changeset()
    for mode, _, name in _entries(listed):
        path = os.path.join(top, name)
        if mode == _SUBMODULE:
            changes.trees.add(os.path.realpath(path))
        else:
            changes.add(path)
    return changes


_DIFF = ("diff", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff", "--ignore-submodules=none")


def _collect(top: str, commit: str, changes: Changeset, *, is_inner: bool) -> None:
    """Note the differences between a commit and the working tree at `top`, submodules included."""
    for mode, old, name in _entries(_git(top, *_DIFF, commit, is_inner=is_inner)):
        path = os.path.join(top, name)
        if mode != _SUBMODULE:
            changes.add(path)
        elif os.path.lexists(os.path.join(path, ".git")):
            probe = f"{old}^{{commit}}"
            is_known = set(old) != {"0"} and _git(
                path, "rev-parse", "--verify", "--quiet", probe, is_inner=True, accepted=(0, 1, 128)
            )
            if is_known:
                _collect(path, old, changes, is_inner=True)
            else:
                changes.trees.add(os.path.realpath(path))
    others = _git(top, "ls-files", "--others", "--exclude-standard", "-z", is_inner=is_inner)
    for name in filter(None, os.fsdecode(others).split("\0")):
        changes.add(os.path.join(top, name))


def _entries(listed: bytes) -> list[tuple[str, str, str]]:
    """The mode (a submodule's where either side is one), the old object and the name of each entry of `diff --raw -z`."""
    words = os.fsdecode(listed).split("\0")
    entries: list[tuple[str, str, str]] = []
    for head, name in zip(words[::2], words[1::2], strict=False):
        before, after, old, *_ = head.removeprefix(":").split()
        entries.append((_SUBMODULE if _SUBMODULE in (before, after) else after, old, name))
    return entries


def _top(paths: tuple[str, ...], option: str) -> str:
    here = os.getcwd()
    done = _run(here, ("rev-parse", "--show-toplevel"), is_inner=False)
    top = os.path.realpath(os.fsdecode(done.stdout).rstrip("\n"))
    if done.returncode or not done.stdout.strip():
        raise RevisionError(f"{option} asks git what changed, and {here} is in no working tree of git: {_cause(done)}")
    for path in paths:
        if os.path.commonpath((os.path.realpath(path), top)) != top:
            raise RevisionError(
                f"{option}: {shown(path)} is not in the repository at {top}; run in the one that it is in"
            )
    return top


def _commit(top: str, revision: str) -> str:
    # A name that begins with a dash would be an option.
    found = b""
    if revision and not revision.startswith("-"):
        found = _git(top, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", accepted=(0, 1, 128))
    if not found.strip():
        raise RevisionError(f"--changed-since: git knows no commit {revision!r}; fetch it, or name another")
    return found.decode().strip()


def _git(top: str, *arguments: str, is_inner: bool = False, accepted: tuple[int, ...] = (0,)) -> bytes:
    done = _run(top, arguments, is_inner=is_inner)
    if done.returncode not in accepted:
        raise RevisionError(f"git {arguments[0]} failed in {top}: {_cause(done)}")
    return done.stdout if done.returncode == 0 else b""


def _run(top: str, arguments: tuple[str, ...], *, is_inner: bool) -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if not (is_inner and name in _LOCAL)}
    try:
        return subprocess.run(  # noqa: S603 - no shell, and no option in what a user gives
            ("git", *arguments),  # noqa: S607 - the git that the user has
            cwd=top,
            env={**environment, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise RevisionError("git is not installed, or not on the PATH; only it knows what changed") from None


def _cause(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = os.fsdecode(done.stderr).strip().splitlines()
    return lines[0] if lines else f"status {done.returncode}"
