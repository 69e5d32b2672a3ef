"""Places in the code of extensions: which files are theirs, and where something failed or is held up."""

import os
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import NamedTuple

_INSTALLED = ("site-packages", "dist-packages")


class Place(NamedTuple):
    """A line that runs."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{Path(self.file).name}, line {self.line}, in {self.function}"


class OwnFiles:
    """The files of extensions: of their packages, or of the directories in which single modules lie."""

    def __init__(self, modules: Iterable[str]) -> None:
        self._whole: set[str] = set()
        self._roots: list[str] = []
        self._frozen_in = getattr(sys, "_MEIPASS", "")
        """Where the modules of a frozen sidecar would be, had they files; their code names relative ones."""
        for name in modules:
            file = getattr(sys.modules.get(name), "__file__", None)
            if file is None:
                continue
            is_in_package = "." in name or Path(file).name == "__init__.py"
            root = Path(file).parents[name.count(".") - (Path(file).name != "__init__.py")] if is_in_package else None
            if root is None and any(part in _INSTALLED for part in Path(file).parts):
                self._whole.add(file)
            else:
                self._roots.append(f"{root or Path(file).parent}{os.sep}")

    def has(self, file: str) -> bool:
        """Return whether the file belongs to an extension; a library that is installed inside one does not."""
        file = os.path.join(self._frozen_in, file)  # noqa: PTH118 - of each frame of a stack
        if file in self._whole:
            return True
        return any(
            file.startswith(root) and not any(part in _INSTALLED for part in Path(file[len(root) :]).parts)
            for root in self._roots
        )

    def innermost(self, frame: FrameType | None) -> Place | None:
        """Return the place of the innermost frame that belongs to an extension; `None` if there is none."""
        while frame is not None:
            if self.has(frame.f_code.co_filename):
                return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
            frame = frame.f_back
        return None

    def place_of(self, error: BaseException) -> str:
        """Return the file and line where an error was raised, or passed through an extension last."""
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if self.has(frame.filename)] or list(frames)
        return f"{own[-1].filename}, line {own[-1].lineno}" if own else "before its first line"
