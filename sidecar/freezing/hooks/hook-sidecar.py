"""PyInstaller's hook for `sidecar`: the modules that it finds by looking into folders, and the extras to leave out."""

import os

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

from sidecar.freezing.extras import EXTRAS, LEFT_OUT, is_installed

NOT_SHIPPED = ("sidecar.freezing", "sidecar.hosting", "sidecar.testing")

_left_out = {name for name in EXTRAS if not is_installed(name)} | {*os.environ.get(LEFT_OUT, "").split()}

# Migrations and operations are found by `iter_modules`, commands import their modules late.
hiddenimports = collect_submodules("sidecar", filter=lambda name: not name.startswith(NOT_SHIPPED))

# The schema of a new database is a file beside the modules.
datas = collect_data_files("sidecar", includes=["**/*.sql"])

# From this package only: an extension that imports one of these brings it.
excludedimports = [*NOT_SHIPPED, "debugpy", *(module for name in _left_out for module in EXTRAS[name])]

# The schema of a new database is a file.
datas = collect_data_files("sidecar", includes=["**/*.sql"])
