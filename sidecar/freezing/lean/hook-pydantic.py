"""Without the plugins for mypy and Hypothesis, which bring these, rich for debugging, and pydantic 1."""

from PyInstaller.utils.hooks import collect_submodules

_NOT_USED = ("pydantic.mypy", "pydantic.v1", "pydantic._hypothesis_plugin")

hiddenimports = collect_submodules("pydantic", filter=lambda name: not name.startswith(_NOT_USED))
excludedimports = ["hypothesis", "mypy", "pydantic.v1", "rich"]
