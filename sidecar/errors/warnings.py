"""Warnings to the host: the sidecar runs, but something needs attention. Each has a stable code."""

from typing import ClassVar


class HostWarning:
    """Base of the warnings, of which only the classes are used."""

    code: ClassVar[str]


class OperationsOutOfDate(HostWarning):
    """The app's table of its own operations is not that of the loaded extensions.

    Cause: an extension was changed, and its types were not generated again.

    Cure: run `electron-sidecar generate` with the options of the last time.
    """

    code = "operations_out_of_date"


class OnNetworkFileSystem(HostWarning):
    """The database is on a network file system.

    Cause: the data directory is on a network drive, whose locks SQLite cannot rely on.

    Cure: move it to a local disk.
    """

    code = "file_system"


class InSyncedFolder(HostWarning):
    """The database is in a folder that another program keeps in sync.

    Cause: the data directory is inside the folder of a synchronisation service, which copies a database in the middle
    of changes and can put an old one back.

    Cure: move it out of that folder, and sync exports or backups.
    """

    code = "synced_folder"
