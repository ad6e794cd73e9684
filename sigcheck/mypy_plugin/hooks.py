"""What mypy calls: once for each class, in each iteration of its analysis."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mypy import nodes
from mypy.errors import CompileError
from mypy.options import Options
from mypy.plugin import ClassDefContext, Plugin

from sigcheck.config import Configuration
from sigcheck.core.demands import Demands
from sigcheck.mypy_plugin.defects import apologise, describe
from sigcheck.mypy_plugin.settings import Settings, read_settings
from sigcheck.mypy_plugin.suspicion import Noted

if TYPE_CHECKING:
    from sigcheck.mypy_plugin.modules import AnalysedModule

_COLLECT, _CHECK = 100, 200
"""When the two steps run, behind mypy's own patches: every module of an import cycle is collected before one is checked."""


class SigcheckPlugin(Plugin):
    """The plugin."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._early: str | None = None
        try:
            self._settings = read_settings(options)
        except Exception as error:  # noqa: BLE001 - mypy must go on
            self._settings = Settings(Configuration(), Demands({}))
            self._early = describe(error, "the configuration")
        self._underway: dict[str, AnalysedModule] = {}
        self._patches: object = None
        self._defect = self._early
        self._is_told = False

    def set_modules(self, modules: dict[str, nodes.MypyFile]) -> None:
        """Mypy begins a run."""
        super().set_modules(modules)
        if self._settings.problem is not None:
            raise CompileError([self._settings.problem], use_stdout=False)
        self._defect, self._is_told = self._early, False

    def get_customize_class_mro_hook(self, fullname: str) -> Callable[[ClassDefContext], None] | None:  # noqa: ARG002
        """Every class comes by here, with its bases."""
        return self._note

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

    def _remember(self, api: Any, tree: nodes.MypyFile, definition: nodes.ClassDef) -> None:
        """Remember the class until mypy is through with its module."""
        if tree.is_typeshed_file(api.options):
            return  # Its classes have no bodies, and their symbols say the rest.
        if self._patches is not api.patches:
            self._patches, self._underway = api.patches, {}
        scope = api.scope.save()
        _, _, function = scope
        target = function.fullname if function is not None else tree.fullname
        module = self._underway.get(tree.fullname)
        if module is None:
            # Where mypy has everything in its cache, no class comes by, and none of this is needed.
            from sigcheck.mypy_plugin.modules import AnalysedModule  # noqa: PLC0415

            module = AnalysedModule(tree, api.options, api.errors, api.modules)
            if api.options.fine_grained_incremental:
                module.string = api.named_type("builtins.str")
            module.scopes[target] = (scope[0], None, function)
            self._underway[tree.fullname] = module
            settings = self._settings
            api.schedule_patch(_COLLECT, lambda: self._run(module, settings, AnalysedModule.collect))
            api.schedule_patch(_CHECK, lambda: self._run(module, settings, AnalysedModule.check))
        module.scopes.setdefault(target, (scope[0], None, function))
        module.classes[id(definition)] = Noted(definition, function is not None, target)
        for outer in api.scope.functions:
            if isinstance(outer, nodes.FuncDef):
                module.functions[id(outer)] = outer

    def _run(
        self, module: AnalysedModule, settings: Settings, step: Callable[[AnalysedModule, Settings], None]
    ) -> None:
        try:
            step(module, settings)
        except Exception as error:  # noqa: BLE001 - mypy must go on
            if self._defect is None:
                self._defect = describe(error, module.name)
        if self._defect is not None and not self._is_told and not module.is_silent:
            self._is_told = True
            from sigcheck.mypy_plugin.reporting import Desk  # noqa: PLC0415

            scope = next(iter(module.scopes.values()))
            Desk(module.errors, module.tree.path, module.name, module.options, scope).apologise(self._defect)


class Inert(Plugin):
    """Does nothing: mypy is of a version that the plugin does not know."""

    @staticmethod
    def complain(problem: str) -> None:
        """Say so, once, where it does not disturb who reads mypy's output."""
        sys.stderr.write(f"{problem}\n")
