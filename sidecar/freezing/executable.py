"""The program of a frozen sidecar: PyInstaller makes it the main module of the executable.

PyInstaller's runtime hooks patch `inspect`, `pkgutil` and `multiprocessing`, and run at every start, before the
program. They import these modules for that, which took as long as everything else up to `bound`. Here a hook runs when
its module is first imported.
"""

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

PATCHES = {"inspect": "pyi_rth_inspect", "pkgutil": "pyi_rth_pkgutil", "multiprocessing": "pyi_rth_multiprocessing"}
"""The modules, and the runtime hooks that patch them."""


class Patching:
    """Finds the modules of `PATCHES` where the other finders do, and has them patched once they have been loaded."""

    def __init__(self, patches: Mapping[str, str] = PATCHES) -> None:
        self._pending = dict(patches)

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the spec of such a module, the first time; `None` for other modules."""
        patch = self._pending.pop(name, None)
        if patch is None:
            return None
        finders = (finder for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in finders)), None)
        if spec is not None:
            spec.loader = _PatchingLoader(spec.loader, patch)  # type: ignore[assignment]  # it forwards all the rest
        return spec


class _PatchingLoader:
    def __init__(self, loader: Any, patch: str) -> None:
        self._loader = loader
        self._patch = patch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: ModuleType) -> None:
        """Load the module as its own loader does, then patch it."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        import_module(self._patch)


if __name__ == "__main__":
    sys.meta_path.insert(0, Patching())
    from sidecar.__main__ import main

    sys.exit(main())
