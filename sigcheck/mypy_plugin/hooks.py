"""What mypy calls: once for each class, in each iteration of its analysis."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mypy import nodes
from mypy.errors import CompileError
from mypy.options import Options
from mypy.plugin import ClassDefContext, Plugin

from sigcheck.mypy_plugin.defects import apologise, describe
from sigcheck.mypy_plugin.fingerprint import look_beside, may_be_configured

if TYPE_CHECKING:
    from sigcheck.mypy_plugin.modules import AnalysedModule
    from sigcheck.mypy_plugin.settings import Settings

_COLLECT, _CHECK = 100, 200
"""When the two steps run, behind mypy's own patches: every module of an import cycle is collected before one is checked."""


class SigcheckPlugin(Plugin):
    """The plugin."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        look_beside(options)
        self._is_alone = len(options.plugins) == 1
        self._misplaced: str | None = None
        if not self._is_alone:
            from sigcheck.mypy_plugin.neighbours import misplaced  # noqa: PLC0415 - most are alone

            self._misplaced = misplaced(options)
        self._read_settings: Settings | None = None
        self._is_configured = True
        self._passed: set[str] = set()
        self._underway: dict[str, AnalysedModule | None] = {}
        self._patches: object = None
        self._defect: str | None = None
        self._is_told = False
        self._has_begun = False

    def set_modules(self, modules: dict[str, nodes.MypyFile]) -> None:
        """Mypy begins a run."""
        super().set_modules(modules)
        self._passed.clear()
        self._defect, self._is_told, self._has_begun = None, False, False
        problem = self._misplaced
        try:
            self._is_configured = may_be_configured()
            if self._is_configured:
                problem = problem or self._settings_of_run().problem
        except Exception as error:  # noqa: BLE001 - mypy must go on
            self._defect = describe(error, "the configuration")
        if problem is not None:
            raise CompileError([problem], use_stdout=False)

    def _settings_of_run(self) -> Settings:
        if self._read_settings is None:
            # Where there is nothing to do, they are not needed.
            from sigcheck.mypy_plugin.settings import read_settings  # noqa: PLC0415

            self._read_settings = read_settings(is_configured=self._is_configured)
        return self._read_settings

    def get_customize_class_mro_hook(self, fullname: str) -> Callable[[ClassDefContext], None] | None:
        """Every class comes by here, with its bases."""
        return None if fullname.rpartition(".")[0] in self._passed else self._note

    def _note(self, context: ClassDefContext) -> None:
        api: Any = context.api
        tree: nodes.MypyFile = api.cur_mod_node
        try:
            self._remember(api, tree, context.cls)
        except Exception as error:  # noqa: BLE001 - mypy must go on
            if self._defect is None:
                self._defect = describe(error, tree.fullname)
        if self._defect is not None and not self._is_told and tree.path not in api.errors.ignored_files:
            self._is_told = True
            apologise(api.errors, self._defect)
        if not self._is_alone:
            from sigcheck.mypy_plugin.neighbours import hook_behind  # noqa: PLC0415 - as above

            hook = hook_behind(self, api.plugin, context.cls.fullname)
            if hook is not None:
                hook(context)

    def _remember(self, api: Any, tree: nodes.MypyFile, definition: nodes.ClassDef) -> None:
        """Remember the class until mypy is through with its module."""
        if self._patches is not api.patches:
            self._patches, self._underway = api.patches, {}
        name = tree.fullname
        if name not in self._underway:
            self._underway[name] = self._begin(api, tree)
        module = self._underway[name]
        if module is not None:
            module.note(definition, api.scope.functions)
        elif not api.options.fine_grained_incremental or _is_bundled(tree, api.options):
            self._passed.add(definition.fullname.rpartition(".")[0])  # No second round is for them.

    def _begin(self, api: Any, tree: nodes.MypyFile) -> AnalysedModule | None:
        """Mypy has met the first class of a module; None where no other is of interest."""
        if _is_bundled(tree, api.options):
            return None  # Its classes have no bodies, and their symbols say the rest.
        # Where mypy has everything in its cache, no class comes by, and none of this is needed.
        from sigcheck.mypy_plugin.modules import AnalysedModule, keep_unread  # noqa: PLC0415

        if not self._has_begun:
            from sigcheck.mypy_plugin.texts import know_stand_ins  # noqa: PLC0415

            self._has_begun = True
            know_stand_ins(api.options.shadow_file or ())
        string = api.named_type("builtins.str") if api.options.fine_grained_incremental else None
        options: Options = api.options
        if tree.path in api.errors.ignored_files:
            api.schedule_patch(_COLLECT, lambda: self._try(tree.fullname, lambda: keep_unread(tree, options, string)))
            return None
        module = AnalysedModule(tree, options, api.errors, api.modules, string)
        asked = self._settings_of_run if self._is_configured else None
        api.schedule_patch(_COLLECT, lambda: self._run(module, lambda: module.collect(asked)))
        api.schedule_patch(_CHECK, lambda: self._run(module, lambda: module.check(self._settings_of_run)))
        return module

    def _run(self, module: AnalysedModule, step: Callable[[], None]) -> None:
        self._try(module.name, step)
        if self._defect is not None and not self._is_told:
            self._is_told = True
            module.apologise(self._defect)

    def _try(self, name: str, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - mypy must go on
            if self._defect is None:
                self._defect = describe(error, name)


def _is_bundled(tree: nodes.MypyFile, options: Options) -> bool:
    """Typeshed's; mypy takes long to say so."""
    return tree.path.endswith(".pyi") and tree.is_typeshed_file(options)


class Inert(Plugin):
    """Does nothing: mypy is of a version that the plugin does not know."""

    @staticmethod
    def complain(problem: str) -> None:
        """Say so, once, where it does not disturb who reads mypy's output."""
        sys.stderr.write(f"{problem}\n")
