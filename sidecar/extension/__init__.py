"""The app's own Python: a module with an `Extension` brings routes and tables, which the sidecar serves and keeps.

    from sidecar.extension import Extension, Storage, Work, Write

    notes = Extension("notes")

A module is named on the command line, in the settings or by the host; `loading.py` imports it. Its routes lie under
`/x/notes/`, behind the same token and the same limits as all others. Its tables are in the same database, so that
backups, restores and recoveries hold them.
"""

from sidecar.api.context import Events, Storage, WriteKey
from sidecar.errors import Conflict, InvalidInput, NotFound
from sidecar.extension.changes import Changes
from sidecar.extension.declaration import Extension
from sidecar.extension.jobs import Jobs
from sidecar.extension.tables import Exported, Searched
from sidecar.extension.writing import Write
from sidecar.jobs import JobCancelled, Running
from sidecar.models.base import Page, StoredRecord
from sidecar.models.jobs import Job
from sidecar.storage.interfaces import Connection, Work
from sidecar.storage.resources.rows import columns
from sidecar.storage.resources.rows.declaration import Reference
from sidecar.storage.resources.rows.pagination import Order, PageRequest, Where

__all__ = [
    "Changes",
    "Conflict",
    "Connection",
    "Events",
    "Exported",
    "Extension",
    "InvalidInput",
    "Job",
    "JobCancelled",
    "Jobs",
    "NotFound",
    "Order",
    "Page",
    "PageRequest",
    "Reference",
    "Running",
    "Searched",
    "Storage",
    "StoredRecord",
    "Where",
    "Work",
    "Write",
    "WriteKey",
    "columns",
]
