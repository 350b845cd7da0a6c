"""Mapping modules that lie in the config folder, and are imported: one that was edited is imported anew at a reload.

One that cannot be imported any more goes on as it was, as a flow does whose file has errors. Modules elsewhere belong
to the installation: for those it takes a restart.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from types import ModuleType

from sensord.config.body import forget_imports
from sensord.config.files import Stamp, stamp_of
from sensord.errors import Problem


class Modules:
    """Of one config folder; from the first `note` on."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stamps: dict[str, Stamp | None] = {}

    def note(self, allowed: Sequence[str]) -> None:
        """Remember how the files of the modules look that have been imported."""
        for name, module in self._imported(allowed).items():
            self._stamps.setdefault(name, _stamp(module))

    def renew(self, allowed: Sequence[str]) -> tuple[bool, list[Problem]]:
        """Import anew, all together, if a file of one has changed: whether that was done, and why not."""
        imported = self._imported(allowed)
        changed = {name for name, module in imported.items() if name in self._stamps}
        changed = {name for name in changed if self._stamps[name] != _stamp(imported[name])}
        if not changed:
            return False, []
        for name, module in imported.items():
            del sys.modules[name]
            _forget_compiled(module)
        importlib.invalidate_caches()
        for name in imported:
            try:
                importlib.import_module(name)
            except (Exception, SystemExit) as error:  # noqa: BLE001 -- a module of theirs may raise anything
                sys.modules.update(imported)
                return False, [self._explain(name, imported[name], error)]
        self._stamps.clear()
        forget_imports()
        return True, []

    def _imported(self, allowed: Sequence[str]) -> dict[str, ModuleType]:
        root = os.path.realpath(self._directory) + "/"
        return {
            name: module
            for name, module in sys.modules.items()
            if any(name == entry or name.startswith(f"{entry}.") for entry in allowed)
            and os.path.realpath(getattr(module, "__file__", None) or "/").startswith(root)
        }

    def _explain(self, name: str, module: ModuleType, error: BaseException) -> Problem:
        file, line = os.path.realpath(module.__file__ or ""), None
        if isinstance(error, SyntaxError):
            file, line = os.path.realpath(error.filename or file), error.lineno
        words = error.msg if isinstance(error, SyntaxError) else f"{type(error).__name__}: {error}"
        message = f"expected {name} to import, got {words}"
        shown = os.path.relpath(file, os.path.realpath(self._directory))
        return Problem(message, "the flows that use it go on with the last good one", shown, line)


def _forget_compiled(module: ModuleType) -> None:
    """Python tells whether what it has compiled is up to date by the second of the edit and the size alone."""
    if module.__file__:
        with suppress(OSError):  # a folder that is not ours to write in: nor is what is compiled there
            Path(cache_from_source(module.__file__)).unlink(missing_ok=True)


def _stamp(module: ModuleType) -> Stamp | None:
    try:
        return stamp_of(os.stat(module.__file__ or ""))  # noqa: PTH116 -- as for flows
    except OSError:
        return None
