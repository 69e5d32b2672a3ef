"""Failures that end a start, each with an exit code that a host can act on."""

from sidecar.errors.base import SidecarError
from sidecar.exit_codes import ExitCode


class StartRefused(SidecarError):
    """The process cannot start. Starting it again does not help."""


class BadConfiguration(StartRefused):
    """A setting, the command line or the host's bootstrap is wrong.

    Cause: a setting in `sidecar.toml`, in a variable `SIDECAR_…` or in the bridge's option `settings` is misspelt or
    has a wrong value; a path leads nowhere; or the bridge and the sidecar are of different versions.

    Cure: correct what the message names. `sidecar/config.py` describes every setting.
    """

    code = "bad_configuration"
    exit_code = ExitCode.BAD_CONFIGURATION


class TooFewDescriptors(BadConfiguration):
    """The process may open too few files at a time.

    Cause: the limit on open files is lower than a sidecar needs to work.

    Cure: raise the limit (`ulimit -n`) of the app, and start it again.
    """

    code = "too_few_descriptors"


class PythonTooOld(BadConfiguration):
    """The Python that runs the sidecar is older than the package needs.

    Cause: the environment was made with an older Python.

    Cure: install a newer Python, and make the environment with it again; `npx electron-sidecar init` does that.
    """

    code = "python_too_old"


class DataDirectoryLocked(StartRefused):
    """Another sidecar owns the data directory, or the database in it.

    Cause: the app runs twice, or a sidecar that was started by hand uses the same directory.

    Cure: let the app run once (`app.requestSingleInstanceLock()`), stop the other sidecar, or give each its own
    directory. The message has the process id of the owner.
    """

    code = "data_directory_locked"
    exit_code = ExitCode.DATA_DIRECTORY_LOCKED


class DataDirectoryNotWritable(StartRefused):
    """The data directory cannot be created or written to.

    Cause: the directory, one around it or a file in it belongs to another user or is read-only, or the path is not
    meant for data, such as the folder of an installed app.

    Cure: use a folder in `app.getPath("userData")`, and give the user write permission for it and all that it holds.
    """

    code = "data_directory_not_writable"
    exit_code = ExitCode.DATA_DIRECTORY_NOT_WRITABLE


class NoRoomToStart(DataDirectoryNotWritable):
    """The disk is full, and the start needs to write.

    Cause: an upgrade of the database, or the first start, needs space that the disk does not have.

    Cure: free some space, and start the app again.
    """

    code = "disk_full"


class DatabaseTooNew(StartRefused):
    """The database was written by a newer version of this program; it was left untouched.

    Cause: the app, or a module of it with tables, was replaced by an older version.

    Cure: update the app again. To stay with the older version, run the command at the end of the message: it restores
    the newest backup that this version can open into a new data directory, with which the app can be started. The newer
    database stays as it is; what was stored since the backup is only there.
    """

    code = "database_too_new"
    exit_code = ExitCode.DATABASE_TOO_NEW


class DatabaseBeyondRepair(StartRefused):
    """The database cannot be opened, and no backup can replace it.

    Cause: the file is damaged so badly that no row can be read, and there is no sound backup.

    Cure: copy the data directory to a safe place first. Restore a backup of your own with `sidecar restore`, or move
    the database away to begin with an empty one.
    """

    code = "database_beyond_repair"
    exit_code = ExitCode.DATABASE_BEYOND_REPAIR


class ExtensionRefused(StartRefused):
    """A module of the app's own cannot be loaded, or its tables cannot be brought up to date; no row was changed.

    Cause: the module or a package that it imports is missing, it raises an exception while it is imported, or one of
    its migrations fails.

    Cure: correct the line that the message names. Install missing packages into the Python that runs the sidecar; a
    frozen sidecar must be frozen again.
    """

    code = "extension_refused"
    exit_code = ExitCode.EXTENSION_REFUSED
