"""The exit codes of the process: a contract with its host."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The reason of the end of the process; a contract with its host. After 2 to 6 and 8, a restart does not help."""

    CLEAN = 0
    INTERNAL_ERROR = 1
    BAD_CONFIGURATION = 2
    DATA_DIRECTORY_LOCKED = 3
    DATA_DIRECTORY_NOT_WRITABLE = 4
    DATABASE_TOO_NEW = 5
    DATABASE_BEYOND_REPAIR = 6
    DISK_FAILED = 7
    EXTENSION_REFUSED = 8
