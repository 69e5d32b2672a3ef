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
    ├── FreezeFailed              500   of `sidecar freeze`: the build, or the self-test of what it made
    └── StartRefused              ends the process, with an exit code that a host can act on
        ├── BadConfiguration          2
        │   ├── TooFewDescriptors     2   the limit on open files leaves no room to work
        │   └── PythonTooOld          2
        ├── DataDirectoryLocked       3
        ├── DataDirectoryNotWritable  4
        │   └── NoRoomToStart         4   the disk is full, and the start needs to write
        ├── DatabaseTooNew            5
        ├── DatabaseBeyondRepair      6
        └── ExtensionRefused          8

Every class carries a stable `code` (for programs), an HTTP `status`, whether a retry may succeed
(`retryable`), and an `exit_code`; its message is one sentence for a person. Its docstring is its entry in ERRORS.md: a
summary, then a paragraph `Cause:` and one `Cure:` (`reference.py` reads them).
"""

from sidecar.errors.base import FieldError as FieldError
from sidecar.errors.base import SidecarError as SidecarError
from sidecar.errors.environment import EmbeddingRefused as EmbeddingRefused
from sidecar.errors.environment import EmbeddingUnavailable as EmbeddingUnavailable
from sidecar.errors.environment import FreezeFailed as FreezeFailed
from sidecar.errors.environment import NotAvailable as NotAvailable
from sidecar.errors.environment import OutOfDescriptors as OutOfDescriptors
from sidecar.errors.requests import AlreadyDone as AlreadyDone
from sidecar.errors.requests import ArchiveRefused as ArchiveRefused
from sidecar.errors.requests import BodyTooComplex as BodyTooComplex
from sidecar.errors.requests import BodyTooLarge as BodyTooLarge
from sidecar.errors.requests import Conflict as Conflict
from sidecar.errors.requests import Forbidden as Forbidden
from sidecar.errors.requests import HeadTooLarge as HeadTooLarge
from sidecar.errors.requests import InvalidInput as InvalidInput
from sidecar.errors.requests import MalformedRequest as MalformedRequest
from sidecar.errors.requests import MethodNotAllowed as MethodNotAllowed
from sidecar.errors.requests import NotFound as NotFound
from sidecar.errors.requests import RequestRefused as RequestRefused
from sidecar.errors.requests import RequestTooSlow as RequestTooSlow
from sidecar.errors.requests import TooManyStreams as TooManyStreams
from sidecar.errors.requests import Unauthorized as Unauthorized
from sidecar.errors.requests import UnsupportedMediaType as UnsupportedMediaType
from sidecar.errors.starts import BadConfiguration as BadConfiguration
from sidecar.errors.starts import DatabaseBeyondRepair as DatabaseBeyondRepair
from sidecar.errors.starts import DatabaseTooNew as DatabaseTooNew
from sidecar.errors.starts import DataDirectoryLocked as DataDirectoryLocked
from sidecar.errors.starts import DataDirectoryNotWritable as DataDirectoryNotWritable
from sidecar.errors.starts import ExtensionRefused as ExtensionRefused
from sidecar.errors.starts import NoRoomToStart as NoRoomToStart
from sidecar.errors.starts import PythonTooOld as PythonTooOld
from sidecar.errors.starts import StartRefused as StartRefused
from sidecar.errors.starts import TooFewDescriptors as TooFewDescriptors
from sidecar.errors.storage import DatabaseDamaged as DatabaseDamaged
from sidecar.errors.storage import DiskFailed as DiskFailed
from sidecar.errors.storage import DiskFull as DiskFull
from sidecar.errors.storage import SearchIndexDamaged as SearchIndexDamaged
from sidecar.errors.storage import StorageBusy as StorageBusy
from sidecar.errors.storage import StorageClosed as StorageClosed
from sidecar.errors.storage import StorageError as StorageError
from sidecar.errors.storage import StorageLost as StorageLost
from sidecar.errors.storage import StorageReadOnly as StorageReadOnly
