"""The one tree of everything that can go wrong, as callers, hosts and people see it.

    SidecarError
    ├── RequestRefused            the caller can mend it; nothing was changed
    │   ├── MalformedRequest      400   not JSON, not UTF-8
    │   ├── Unauthorized          401   no token, or another one
    │   ├── Forbidden             403   a foreign Host or Origin
    │   ├── NotFound              404
    │   ├── MethodNotAllowed      405
    │   ├── RequestTooSlow        408   did not arrive in time; retryable
    │   ├── Conflict              409   does not fit what is there now: a cycle, a deleted row, a used key
    │   │   └── AlreadyDone       409   was done under its key, and the answer is no longer kept
    │   ├── BodyTooLarge          413
    │   ├── BodyTooComplex        413   too many values to parse in one step
    │   ├── UnsupportedMediaType  415
    │   ├── TooManyStreams        429   of live events; retryable
    │   ├── HeadTooLarge          431   the request line and headers
    │   ├── ArchiveRefused        422   damaged, or not an archive of this program
    │   └── InvalidInput          422   names each field and what is wrong with it
    ├── StorageError              500   the database could not do it; the unit of work was rolled back
    │   ├── StorageClosed         503   stopping; retryable
    │   ├── StorageBusy           503   retryable
    │   ├── StorageReadOnly       503   the disk or directory refuses writes
    │   ├── StorageLost           503   the open file was deleted, moved or replaced; only a restart ends this
    │   ├── DiskFull              507
    │   ├── DiskFailed            503   the disk reports an error; retryable; ends a start with exit code 7
    │   ├── SearchIndexDamaged    503   the rows are not; it is rebuilt; retryable
    │   └── DatabaseDamaged       503   being mended; retryable
    ├── OutOfDescriptors          503   the process, or the system, cannot open one more file; retryable
    ├── NotAvailable              501   needs an extra, a backend or an endpoint that this sidecar does not have
    ├── EmbeddingUnavailable      503   the embedding endpoint does not answer; retryable
    ├── EmbeddingRefused          502   the embedding endpoint does not do what it is asked
    └── StartRefused              ends the process, with an exit code that a host can act on
        ├── BadConfiguration          2
        │   └── TooFewDescriptors     2   the limit on open files leaves no room to work
        ├── DataDirectoryLocked       3
        ├── DataDirectoryNotWritable  4
        │   └── NoRoomToStart         4   the disk is full, and nothing can be served before there is room
        ├── DatabaseTooNew            5
        └── DatabaseBeyondRepair      6

Every class carries a stable `code` (for programs), an HTTP `status`, whether the same call may be sent again
(`retryable`), and an `exit_code`; its message is one sentence for a person.
"""

import os
from collections.abc import Iterable, Sequence
from enum import IntEnum
from errno import EMFILE, ENFILE
from typing import ClassVar, NamedTuple


class ExitCode(IntEnum):
    """Why the process ended; a contract with whoever starts it. Codes from 2 to 6 do not get better by restarting."""

    CLEAN = 0
    INTERNAL_ERROR = 1
    BAD_CONFIGURATION = 2
    DATA_DIRECTORY_LOCKED = 3
    DATA_DIRECTORY_NOT_WRITABLE = 4
    DATABASE_TOO_NEW = 5
    DATABASE_BEYOND_REPAIR = 6
    DISK_FAILED = 7


class FieldError(NamedTuple):
    """One thing that is wrong with a request: where (`body.title`, `query.limit`) and what."""

    field: str
    message: str


class SidecarError(Exception):
    """Base of every error that this package raises on purpose."""

    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL_ERROR

    def __init__(self, message: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.errors = tuple(errors)


class RequestRefused(SidecarError):
    """The caller asked for something that cannot be done; nothing was changed."""

    code = "request_refused"
    title = "Request refused"
    status = 400

    def locate(self, place: str) -> None:
        """Say which of many items it is about, e.g. `todos.3`; a wrong field is then `todos.3.end_time`."""
        fields = tuple(FieldError(f"{place}.{field}", message) for field, message in self.errors)
        self.errors = fields or (FieldError(place, self.message),)
        self.message = "; ".join(f"{field}: {message}" for field, message in self.errors)
        self.args = (self.message,)


class MalformedRequest(RequestRefused):
    """The body is not what its content type says."""

    code = "malformed_request"
    title = "Malformed request"


class Unauthorized(RequestRefused):
    """The request does not carry this instance's token."""

    code = "unauthorized"
    title = "Unauthorized"
    status = 401


class Forbidden(RequestRefused):
    """The request comes from somewhere that may not speak to this sidecar."""

    code = "forbidden"
    title = "Forbidden"
    status = 403


class NotFound(RequestRefused):
    """What the request names is not there."""

    code = "not_found"
    title = "Not found"
    status = 404

    @classmethod
    def row(cls, kind: str, row_id: int) -> "NotFound":
        """The error for a row that is not there, e.g. `NotFound.row("todo", 7)`."""
        return cls(f"There is no {kind} with the id {row_id}.")


class MethodNotAllowed(RequestRefused):
    """The path exists, but not with this method; `allowed` names those that it has."""

    code = "method_not_allowed"
    title = "Method not allowed"
    status = 405

    def __init__(self, message: str, allowed: Sequence[str]) -> None:
        super().__init__(message)
        self.allowed = allowed


class RequestTooSlow(RequestRefused):
    """The request did not arrive in the time that it has."""

    code = "request_too_slow"
    title = "Request too slow"
    status = 408
    retryable = True


class Conflict(RequestRefused):
    """The request is well-formed, but does not fit the present state."""

    code = "conflict"
    title = "Conflict"
    status = 409


class AlreadyDone(Conflict):
    """A repeated request was done the first time, and its large answer is no longer kept; it is not done again."""

    code = "already_done"
    title = "Already done"

    @classmethod
    def under_its_key(cls, row_id: int | str | None) -> "AlreadyDone":
        """Return the error for a request whose answer was about this row, or about none."""
        place = "read what it changed" if row_id is None else f"read what it changed, by the id {row_id}"
        return cls(
            f"This request was already done under its Idempotency-Key, and its answer is no longer kept; {place}."
        )


class BodyTooLarge(RequestRefused):
    """The body is larger than the configured maximum."""

    code = "body_too_large"
    title = "Body too large"
    status = 413


class BodyTooComplex(RequestRefused):
    """The body is JSON of too many values: parsing it would hold up every other request."""

    code = "body_too_complex"
    title = "Body too complex"
    status = 413


class UnsupportedMediaType(RequestRefused):
    """The body is not `application/json`."""

    code = "unsupported_media_type"
    title = "Unsupported media type"
    status = 415


class HeadTooLarge(RequestRefused):
    """The request line and the headers are larger than any request needs."""

    code = "head_too_large"
    title = "Head too large"
    status = 431


class TooManyStreams(RequestRefused):
    """As many streams of live events are open as this sidecar serves at a time."""

    code = "too_many_streams"
    title = "Too many streams"
    status = 429
    retryable = True


class ArchiveRefused(RequestRefused):
    """What should be imported is damaged, or not an archive of this program; nothing was changed."""

    code = "archive_refused"
    title = "Archive refused"
    status = 422


class InvalidInput(RequestRefused):
    """One or more fields are wrong; `errors` names each."""

    code = "invalid_input"
    title = "Invalid input"
    status = 422

    @classmethod
    def field(cls, field: str, message: str) -> "InvalidInput":
        """The error for a single field."""
        return cls.fields([(field, message)])

    @classmethod
    def fields(cls, found: Iterable[tuple[str, str]]) -> "InvalidInput":
        """The error for several fields, each with what is wrong with it."""
        errors = [FieldError(field, message) for field, message in found]
        return cls("; ".join(f"{field}: {message}" for field, message in errors), errors)


class StorageError(SidecarError):
    """The database could not do what was asked; the unit of work was rolled back."""

    code = "storage_error"
    title = "Storage error"


class StorageClosed(StorageError):
    """The storage is closing or closed."""

    code = "storage_closed"
    title = "Storage closed"
    status = 503
    retryable = True


class StorageBusy(StorageError):
    """Another program holds the database's lock."""

    code = "storage_busy"
    title = "Storage busy"
    status = 503
    retryable = True


class StorageReadOnly(StorageError):
    """The database's file or directory refuses writes."""

    code = "storage_read_only"
    title = "Storage read-only"
    status = 503


class StorageLost(StorageError):
    """The open database file was deleted, moved or replaced: what would be written could never be read again."""

    code = "storage_lost"
    title = "Storage lost"
    status = 503


class DiskFull(StorageError):
    """No space is left for the database."""

    code = "disk_full"
    title = "Disk full"
    status = 507


class DiskFailed(StorageError):
    """The disk reports an error while it is read or written; that is no damage of the database."""

    code = "disk_failed"
    title = "Disk failed"
    status = 503
    retryable = True
    exit_code = ExitCode.DISK_FAILED


class SearchIndexDamaged(StorageError):
    """The full-text index is damaged, and only that; it is rebuilt from the rows."""

    code = "search_index_damaged"
    title = "Search index damaged"
    status = 503
    retryable = True


class DatabaseDamaged(StorageError):
    """SQLite reports that the database's file is damaged; a recovery begins."""

    code = "database_damaged"
    title = "Database damaged"
    status = 503
    retryable = True


class OutOfDescriptors(SidecarError):
    """The process, or the whole system, has as many files and connections open as its limit allows."""

    code = "out_of_descriptors"
    title = "Out of descriptors"
    status = 503
    retryable = True

    @classmethod
    def caused(cls, error: OSError) -> "OutOfDescriptors | None":
        """Return what the system's error means if it is this one, and otherwise `None`."""
        if error.errno == EMFILE:
            return cls("The process cannot open more files; raise its limit (`ulimit -n`), or close what it has open.")
        if error.errno == ENFILE:
            return cls("The system cannot open more files; close other programs and try again.")
        return None

    @classmethod
    def now(cls) -> "OutOfDescriptors | None":
        """Return the error if no file can be opened at this moment: some libraries do not say why they could not."""
        try:
            os.close(os.open(os.devnull, os.O_RDONLY))
        except OSError as error:
            return cls.caused(error)
        return None


class NotAvailable(SidecarError):
    """What is asked for needs an extra that is not installed, or something that is not configured."""

    code = "not_available"
    title = "Not available"
    status = 501


class EmbeddingUnavailable(SidecarError):
    """The embedding endpoint does not answer, or has too much to do; nothing was changed."""

    code = "embedding_unavailable"
    title = "Embedding unavailable"
    status = 503
    retryable = True


class EmbeddingRefused(SidecarError):
    """The embedding endpoint refuses, or answers what cannot be used; nothing was changed."""

    code = "embedding_refused"
    title = "Embedding refused"
    status = 502


class StartRefused(SidecarError):
    """The process cannot start and will not by being started again."""


class BadConfiguration(StartRefused):
    """A setting, the command line or the host's bootstrap is wrong."""

    code = "bad_configuration"
    exit_code = ExitCode.BAD_CONFIGURATION


class TooFewDescriptors(BadConfiguration):
    """The process may open too few files at a time."""

    code = "too_few_descriptors"


class DataDirectoryLocked(StartRefused):
    """Another sidecar owns the data directory, or the database in it."""

    code = "data_directory_locked"
    exit_code = ExitCode.DATA_DIRECTORY_LOCKED


class DataDirectoryNotWritable(StartRefused):
    """The data directory cannot be made or written to."""

    code = "data_directory_not_writable"
    exit_code = ExitCode.DATA_DIRECTORY_NOT_WRITABLE


class NoRoomToStart(DataDirectoryNotWritable):
    """The disk is full, and something must be written before anything can be served."""

    code = "disk_full"


class DatabaseTooNew(StartRefused):
    """The database was written by a newer version of this program; it was left untouched."""

    code = "database_too_new"
    exit_code = ExitCode.DATABASE_TOO_NEW


class DatabaseBeyondRepair(StartRefused):
    """The database cannot be opened and nothing that could replace it was found."""

    code = "database_beyond_repair"
    exit_code = ExitCode.DATABASE_BEYOND_REPAIR
