"""The one tree of everything that can go wrong, as callers, hosts and people see it.

    SidecarError
    ├── RequestRefused            the caller can correct it; nothing was changed
    │   ├── MalformedRequest      400   not JSON, not UTF-8
    │   ├── Unauthorized          401   no token, or another one
    │   ├── Forbidden             403   a foreign Host or Origin
    │   ├── NotFound              404
    │   ├── MethodNotAllowed      405
    │   ├── RequestTooSlow        408   timed out while arriving; retryable
    │   ├── Conflict              409   does not fit the present state: a cycle, a deleted row, a used key
    │   │   └── AlreadyDone       409   was completed under its key, and its answer is no longer kept
    │   ├── BodyTooLarge          413
    │   ├── BodyTooComplex        413   too many values to parse in one step
    │   ├── UnsupportedMediaType  415
    │   ├── TooManyStreams        429   of live events; retryable
    │   ├── HeadTooLarge          431   the request line and headers
    │   ├── ArchiveRefused        422   damaged, or not an archive of this program
    │   └── InvalidInput          422   names each field and what is wrong with it
    ├── StorageError              500   the database failed; the unit of work was rolled back
    │   ├── StorageClosed         503   stopping; retryable
    │   ├── StorageBusy           503   retryable
    │   ├── StorageReadOnly       503   the disk or directory refuses writes
    │   ├── StorageLost           503   the open file was deleted, moved or replaced; only a restart ends this
    │   ├── DiskFull              507
    │   ├── DiskFailed            503   the disk reports an error; retryable; ends a start with exit code 7
    │   ├── SearchIndexDamaged    503   the rows are not; it is rebuilt; retryable
    │   └── DatabaseDamaged       503   being recovered; retryable
    ├── OutOfDescriptors          503   the process, or the system, cannot open one more file; retryable
    ├── NotAvailable              501   needs an extra, a backend or an endpoint that this sidecar does not have
    ├── EmbeddingUnavailable      503   the embedding endpoint does not answer; retryable
    ├── EmbeddingRefused          502   the embedding endpoint refuses, or its answer is unusable
    └── StartRefused              ends the process, with an exit code that a host can act on
        ├── BadConfiguration          2
        │   └── TooFewDescriptors     2   the limit on open files leaves no room to work
        ├── DataDirectoryLocked       3
        ├── DataDirectoryNotWritable  4
        │   └── NoRoomToStart         4   the disk is full, and the start needs to write
        ├── DatabaseTooNew            5
        ├── DatabaseBeyondRepair      6
        └── ExtensionRefused          8

Every class carries a stable `code` (for programs), an HTTP `status`, whether a retry may succeed
(`retryable`), and an `exit_code`; its message is one sentence for a person.
"""

from collections.abc import Iterable, Sequence
from errno import EMFILE, ENFILE
from typing import ClassVar, NamedTuple

from sidecar.exit_codes import ExitCode


class FieldError(NamedTuple):
    """One wrong field of a request: its place (`body.title`, `query.limit`) and the reason."""

    field: str
    message: str


class SidecarError(Exception):
    """Base of every error that this package raises on purpose."""

    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    """The code in words, unless a class says otherwise."""
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL_ERROR

    def __init_subclass__(cls) -> None:
        if "title" not in vars(cls):
            cls.title = cls.code.replace("_", " ").capitalize()

    def __init__(self, message: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.errors = tuple(errors)


class RequestRefused(SidecarError):
    """The request cannot be fulfilled; nothing was changed."""

    code = "request_refused"
    status = 400

    def locate(self, place: str) -> None:
        """Prefix the fields with the place of an item, such as `todos.3`: a wrong field becomes `todos.3.end_time`."""
        fields = tuple(FieldError(f"{place}.{field}", message) for field, message in self.errors)
        self.errors = fields or (FieldError(place, self.message),)
        self.message = "; ".join(f"{field}: {message}" for field, message in self.errors)
        self.args = (self.message,)


class MalformedRequest(RequestRefused):
    """The body is not what its content type says."""

    code = "malformed_request"


class Unauthorized(RequestRefused):
    """The request does not carry this instance's token."""

    code = "unauthorized"
    status = 401


class Forbidden(RequestRefused):
    """The request has a foreign `Host` or `Origin`."""

    code = "forbidden"
    status = 403


class NotFound(RequestRefused):
    """The named row, path or file does not exist."""

    code = "not_found"
    status = 404

    @classmethod
    def row(cls, kind: str, row_id: int) -> "NotFound":
        """Return the error for a missing row, such as `NotFound.row("todo", 7)`."""
        return cls(f"There is no {kind} with the id {row_id}.")


class MethodNotAllowed(RequestRefused):
    """The path exists, but not with this method; `allowed` names those that it has."""

    code = "method_not_allowed"
    status = 405

    def __init__(self, message: str, allowed: Sequence[str]) -> None:
        super().__init__(message)
        self.allowed = allowed


class RequestTooSlow(RequestRefused):
    """Timed out while receiving the request."""

    code = "request_too_slow"
    status = 408
    retryable = True


class Conflict(RequestRefused):
    """The request is well-formed, but does not fit the present state."""

    code = "conflict"
    status = 409


class AlreadyDone(Conflict):
    """The request was completed earlier, and its large answer is no longer kept; it is not run again."""

    code = "already_done"

    @classmethod
    def under_its_key(cls, row_id: int | str | None) -> "AlreadyDone":
        """Return the error for a request whose answer was about this row, or about none."""
        place = "read what it changed" if row_id is None else f"read what it changed, by the id {row_id}"
        return cls(
            f"This request was already completed under its Idempotency-Key, and its answer is no longer kept; {place}."
        )


class BodyTooLarge(RequestRefused):
    """The body is larger than the configured maximum."""

    code = "body_too_large"
    status = 413


class BodyTooComplex(RequestRefused):
    """The body has too many JSON values: parsing it would delay every other request."""

    code = "body_too_complex"
    status = 413


class UnsupportedMediaType(RequestRefused):
    """The body is not `application/json`."""

    code = "unsupported_media_type"
    status = 415


class HeadTooLarge(RequestRefused):
    """The request line and the headers are larger than any request needs."""

    code = "head_too_large"
    status = 431


class TooManyStreams(RequestRefused):
    """The sidecar already serves its largest number of event streams."""

    code = "too_many_streams"
    status = 429
    retryable = True


class ArchiveRefused(RequestRefused):
    """The archive is damaged, or not one of this program; nothing was changed."""

    code = "archive_refused"
    status = 422


class InvalidInput(RequestRefused):
    """One or more fields are wrong; `errors` names each."""

    code = "invalid_input"
    status = 422

    @classmethod
    def field(cls, field: str, message: str) -> "InvalidInput":
        """Return the error for a single field."""
        return cls.fields([(field, message)])

    @classmethod
    def fields(cls, found: Iterable[tuple[str, str]]) -> "InvalidInput":
        """Return the error for several fields, each with its reason."""
        errors = [FieldError(field, message) for field, message in found]
        return cls("; ".join(f"{field}: {message}" for field, message in errors), errors)


class StorageError(SidecarError):
    """The database failed; the unit of work was rolled back."""

    code = "storage_error"


class StorageClosed(StorageError):
    """The storage is closing or closed."""

    code = "storage_closed"
    status = 503
    retryable = True


class StorageBusy(StorageError):
    """Another program holds the database's lock."""

    code = "storage_busy"
    status = 503
    retryable = True


class StorageReadOnly(StorageError):
    """The database's file or directory refuses writes."""

    code = "storage_read_only"
    title = "Storage read-only"
    status = 503


class StorageLost(StorageError):
    """The open database file was deleted, moved or replaced: nothing written to it could be read again."""

    code = "storage_lost"
    status = 503


class DiskFull(StorageError):
    """No space is left for the database."""

    code = "disk_full"
    status = 507


class DiskFailed(StorageError):
    """The disk reports an error on a read or write. The database is not damaged by that."""

    code = "disk_failed"
    status = 503
    retryable = True
    exit_code = ExitCode.DISK_FAILED


class SearchIndexDamaged(StorageError):
    """Only the full-text index is damaged; it is rebuilt from the rows."""

    code = "search_index_damaged"
    status = 503
    retryable = True


class DatabaseDamaged(StorageError):
    """SQLite reports that the database's file is damaged; a recovery begins."""

    code = "database_damaged"
    status = 503
    retryable = True


class OutOfDescriptors(SidecarError):
    """The process, or the whole system, has as many files and connections open as its limit allows."""

    code = "out_of_descriptors"
    status = 503
    retryable = True

    @classmethod
    def caused(cls, error: OSError) -> "OutOfDescriptors | None":
        """Return the error for `EMFILE` and `ENFILE`, and `None` for other errors of the system."""
        if error.errno == EMFILE:
            return cls("The process cannot open more files; raise its limit (`ulimit -n`), or close what it has open.")
        if error.errno == ENFILE:
            return cls("The system cannot open more files; close other programs and try again.")
        return None


class NotAvailable(SidecarError):
    """The operation needs an extra that is not installed, or a setting that is missing."""

    code = "not_available"
    status = 501


class EmbeddingUnavailable(SidecarError):
    """The embedding endpoint does not answer or is overloaded; nothing was changed."""

    code = "embedding_unavailable"
    status = 503
    retryable = True


class EmbeddingRefused(SidecarError):
    """The embedding endpoint refuses, or its answer is unusable; nothing was changed."""

    code = "embedding_refused"
    status = 502


class StartRefused(SidecarError):
    """The process cannot start. Starting it again does not help."""


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
    """The data directory cannot be created or written to."""

    code = "data_directory_not_writable"
    exit_code = ExitCode.DATA_DIRECTORY_NOT_WRITABLE


class NoRoomToStart(DataDirectoryNotWritable):
    """The disk is full, and the start needs to write."""

    code = "disk_full"


class DatabaseTooNew(StartRefused):
    """The database was written by a newer version of this program; it was left untouched."""

    code = "database_too_new"
    exit_code = ExitCode.DATABASE_TOO_NEW


class DatabaseBeyondRepair(StartRefused):
    """The database cannot be opened, and no backup can replace it."""

    code = "database_beyond_repair"
    exit_code = ExitCode.DATABASE_BEYOND_REPAIR


class ExtensionRefused(StartRefused):
    """A module of the app's own cannot be loaded, or its tables cannot be brought up to date; no row was changed."""

    code = "extension_refused"
    exit_code = ExitCode.EXTENSION_REFUSED
