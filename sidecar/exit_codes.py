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

    @property
    def is_permanent(self) -> bool:
        """True if starting again cannot help, so that a host does not try."""
        return self not in (ExitCode.CLEAN, ExitCode.INTERNAL_ERROR, ExitCode.DISK_FAILED)


EXIT_CODES = """\
exit codes:
  0  stopped cleanly               4  data directory not writable
  1  internal error                5  database newer than this program
  2  bad configuration or usage    6  database beyond repair
  3  data directory locked         7  the disk failed
                                   8  extension refused
  After 2 to 6 and 8, starting again does not help."""
"""The part of the help that explains them."""
