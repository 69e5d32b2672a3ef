"""The app's own Python: a module with an `Extension` brings routes and tables, which the sidecar serves and keeps.

    from sidecar.extension import Extension, Storage, Work, Write

    notes = Extension("notes")

A module is named on the command line, in the settings or by the host; `loading.py` imports it. Its routes lie under
`/x/notes/`, behind the same token and the same limits as all others. Its tables are in the same database, so that
backups, restores and recoveries hold them.
"""

from sidecar.api.context import Events, Storage, WriteKey
from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.extension.declaration import Extension
from sidecar.extension.writing import Write
from sidecar.storage.interfaces import Connection, Work

__all__ = [
    "Conflict",
    "Connection",
    "Events",
    "Extension",
    "InvalidInput",
    "NotFound",
    "Storage",
    "Work",
    "Write",
    "WriteKey",
]
