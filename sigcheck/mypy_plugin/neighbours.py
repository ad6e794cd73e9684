"""The other plugins of mypy. About the order of a class's bases, by which sigcheck is told of it, mypy asks the first that has a hook."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from mypy.options import Options
from mypy.plugin import ClassDefContext, Plugin

Hook: TypeAlias = Callable[[ClassDefContext], None]


def hook_behind(plugin: Plugin, chain: Any, fullname: str) -> Hook | None:
    """What mypy would call if it went on asking.

    Args:
        plugin: the one that has a hook for every class.
        chain: mypy's, of all its plugins.
        fullname: the class's.
    """
    plugins: list[Plugin] = chain._plugins  # noqa: SLF001 - mypy has no other way to ask for them
    behind = plugins[plugins.index(plugin) + 1 :]
    return next((hook for it in behind if (hook := it.get_customize_class_mro_hook(fullname)) is not None), None)


def misplaced(options: Options) -> str | None:
    """What is wrong with sigcheck's place among the plugins: one before it may keep classes from it. None where nothing is."""
    for entry in options.plugins:
        path, _, _ = entry.rpartition(":") if ":" in os.path.basename(entry) else (entry, "", "")
        name = os.path.basename(path).removesuffix(".py")
        if name == "sigcheck.mypy_plugin":
            break
        if any(it.__module__.partition(".")[0] == name.partition(".")[0] for it in _with_a_hook(Plugin)):
            return f"{options.config_file}: name sigcheck.mypy_plugin before {entry}, which keeps classes from plugins behind it"
    return None


def _with_a_hook(kind: type[Plugin]) -> Iterator[type[Plugin]]:
    """The loaded kinds of plugins that may have a hook for a class. Of those behind sigcheck's, mypy has loaded none yet."""
    for inner in kind.__subclasses__():
        if inner.get_customize_class_mro_hook is not Plugin.get_customize_class_mro_hook:
            yield inner
        yield from _with_a_hook(inner)
