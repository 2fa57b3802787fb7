"""Imports one candidate. Dropped-in files live under a private parent module, so nothing is put on ``sys.path``."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import sys
import threading
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from jumpseat.hooks.discovery import Candidate
from jumpseat.hooks.values import WrongAnswer

_numbers = itertools.count(1)


class Importer:
    """Imports candidates for one host."""

    def __init__(self) -> None:
        self.parent = f"_jumpseat_dropped_in_{next(_numbers)}"
        """Import name of the private parent; another one for each host of the process."""

    def load(self, candidate: Candidate) -> Any:
        """The plugin itself: a module, or what an entry point names in it.

        Raises:
            WrongAnswer: it changed how Python finds modules.
            BaseException: whatever the plugin raises.
        """
        if candidate.given is not None:
            return candidate.given
        before = list(sys.path)
        try:
            return self._import(candidate)
        finally:
            _check_path(before)

    def forget(self, candidate: Candidate) -> None:
        """Take a dropped-in plugin that could not be loaded out of ``sys.modules``."""
        if candidate.dropped_in:
            _forget(f"{self.parent}.{_stem(candidate)}")

    def close(self) -> None:
        """Take all dropped-in plugins out of ``sys.modules``."""
        _forget(self.parent)

    def _import(self, candidate: Candidate) -> Any:
        if candidate.module is None:
            return self._import_file(candidate)
        found: Any = importlib.import_module(candidate.module)
        for name in filter(None, candidate.attribute.split(".")):
            found = getattr(found, name)
        return found

    def _import_file(self, candidate: Candidate) -> ModuleType:
        if candidate.file is None:
            raise WrongAnswer(f"has no file that could be imported ({candidate.name})")
        if self.parent not in sys.modules:
            parent = ModuleType(self.parent, "The plugins dropped into one workspace.")
            parent.__path__ = []
            sys.modules[self.parent] = parent
        module = importlib.util.module_from_spec(_spec(f"{self.parent}.{_stem(candidate)}", candidate.file))
        sys.modules[module.__name__] = module
        if module.__spec__ and module.__spec__.loader:
            module.__spec__.loader.exec_module(module)
        return module


class _FreshLoader(SourceFileLoader):
    """Compiles the file each time: no ``__pycache__`` is read or written beside an administrator's files."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002  # the loader serves one file
        return self.source_to_code(self.get_data(self.path), self.path)


def _spec(name: str, file: Path) -> ModuleSpec:
    inside = [str(file.parent)] if file.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(name, file, loader=_FreshLoader(name, str(file)), submodule_search_locations=inside)
    if spec is None:
        raise WrongAnswer(f"cannot be imported from {file}")
    return spec


def _stem(candidate: Candidate) -> str:
    file = candidate.file or Path(candidate.name)
    return file.parent.name if file.name == "__init__.py" else file.stem


def _forget(name: str) -> None:
    for module in [known for known in sys.modules if known == name or known.startswith(f"{name}.")]:
        del sys.modules[module]


def _check_path(before: list[str]) -> None:
    """Refuse a change of ``sys.path`` that can hide modules of others; what stands behind all others can hide nothing."""
    if sys.path[: len(before)] != before:
        sys.path[:] = before
        raise WrongAnswer("changed the front of sys.path (undone)")


def foreign_threads() -> int:
    """Threads of the process that are not the host's own; a plugin that starts some while it is imported is noted."""
    return sum(not thread.name.startswith("jumpseat") for thread in threading.enumerate())
