"""Failures of the database, its file and its disk. The unit of work was rolled back."""

from sidecar.errors.base import SidecarError
from sidecar.exit_codes import ExitCode


class StorageError(SidecarError):
    """The database failed; the unit of work was rolled back.

    Cause: SQLite reports an error that has no code of its own, for example of a statement in an extension.

    Cure: look for SQLite's own message in the sidecar's log, and correct the statement that it names. `sidecar doctor`
    looks for causes in the data directory.
    """

    code = "storage_error"


class StorageClosed(StorageError):
    """The storage is closing or closed.

    Cause: the request came while the sidecar was stopping.

    Cure: call again once it is ready. The bridge makes calls wait for that by itself.
    """

    code = "storage_closed"
    status = 503
    retryable = True


class StorageBusy(StorageError):
    """The database cannot be used at this moment.

    Cause: another program holds the database's lock, or a restore or another exclusive work is under way.

    Cure: call again in a moment. If it stays busy, close other programs that have the database open, such as a viewer
    of SQLite files.
    """

    code = "storage_busy"
    status = 503
    retryable = True


class StorageReadOnly(StorageError):
    """The database's file or directory refuses writes.

    Cause: the permissions of the file or its directory have changed, or the disk was mounted for reading only.

    Cure: give the user write permission for the data directory and everything in it, then start the sidecar again.
    """

    code = "storage_read_only"
    title = "Storage read-only"
    status = 503


class StorageLost(StorageError):
    """The open database file was deleted, moved or replaced: nothing written to it could be read again.

    Cause: another program, a synchronisation service or a person moved files in the data directory while the sidecar
    ran.

    Cure: put the file back if it was moved, and start the sidecar again. Keep the data directory out of synchronised
    folders. `sidecar restore --list` lists the backups.
    """

    code = "storage_lost"
    status = 503


class DiskFull(StorageError):
    """No space is left for the database.

    Cause: the disk of the data directory, or the user's quota, is full.

    Cure: free some space. Rows can be read meanwhile, and writes work again without a restart.
    """

    code = "disk_full"
    status = 507


class DiskFailed(StorageError):
    """The disk reports an error on a read or write. The database is not damaged by that.

    Cause: the drive fails, was unplugged, or a network drive is unreachable.

    Cure: reconnect the drive and try again. If the error returns, copy the data directory to another drive, and check
    this one.
    """

    code = "disk_failed"
    status = 503
    retryable = True
    exit_code = ExitCode.DISK_FAILED


class SearchIndexDamaged(StorageError):
    """Only the full-text index is damaged; it is rebuilt from the rows.

    Cause: the index does not match the rows, for example after another program wrote to the database.

    Cure: search again in a moment. Nothing is lost.
    """

    code = "search_index_damaged"
    status = 503
    retryable = True


class DatabaseDamaged(StorageError):
    """SQLite reports that the database's file is damaged; a recovery begins.

    Cause: a drive or another program wrote wrong bytes to the file.

    Cure: call again when the recovery has ended; it restores the newest sound backup, adds the rows that the file still
    holds, and reports every lost row (`recovery.list`). Check the drive.
    """

    code = "database_damaged"
    status = 503
    retryable = True
