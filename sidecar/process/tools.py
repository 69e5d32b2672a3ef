"""The access of command-line tools to a data directory: through its running sidecar, or by locking it themselves."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sidecar.config import load_settings
from sidecar.errors import BadConfiguration, OutOfDescriptors, RequestRefused, SidecarError, StorageReadOnly
from sidecar.exit_codes import ExitCode
from sidecar.process.data_directory import OWN_NAMES, DataDirectory, RunningSidecar, holding_databases
from sidecar.process.descriptors import provide
from sidecar.process.hosts import Terminal
from sidecar.process.owners import running_owner
from sidecar.storage.unified import document_backend
from sidecar.terminal import complain
from sidecar.tools.commands import OwnStore, Store
from sidecar.tools.destination import StorePlace
from sidecar.tools.remote import RemoteStore


def run_tool(
    data_directory: Path, settings_file: Path | None, use: Callable[[Store], None], *, needs: Path
) -> ExitCode:
    """Call `use` with the store in the directory; report a failure as one sentence on standard error.

    If the path that it `needs` is missing, nothing is created or opened.
    """
    os.umask(0o077)
    try:
        provide()
        if not needs.exists():
            raise BadConfiguration(f"There is no file or directory {needs}.")
        with _store_in(data_directory.absolute(), settings_file) as store:
            use(store)
    except KeyboardInterrupt:
        return _failed("Interrupted. Each step was completed or undone as a whole.", ExitCode.INTERNAL_ERROR)
    except RequestRefused as error:
        return _failed(error.message, ExitCode.BAD_CONFIGURATION, error.code)
    except StorageReadOnly as error:
        return _failed(error.message, ExitCode.DATA_DIRECTORY_NOT_WRITABLE, error.code)
    except SidecarError as error:
        return _failed(error.message, error.exit_code, error.code)
    except OSError as error:
        if (exhausted := OutOfDescriptors.caused(error)) is not None:
            return _failed(exhausted.message, exhausted.exit_code, exhausted.code)
        return _failed(f"{error.filename or 'a file'}: {error.strerror or error}", ExitCode.BAD_CONFIGURATION)
    return ExitCode.CLEAN


@contextmanager
def _store_in(data_directory: Path, settings_file: Path | None) -> Iterator[Store]:
    running = running_owner(data_directory)
    if running is not None:
        yield remote_store(data_directory, running)
        return
    host = Terminal(data_directory)
    with DataDirectory(data_directory, host):
        settings = load_settings(data_directory, settings_file=settings_file)
        file = settings.database.file_in(data_directory)
        if file is None:
            raise BadConfiguration(
                "The settings keep everything in memory, and no sidecar is running; start one, or set database.enabled "
                "to true."
            )
        with holding_databases([file], data_directory, host):
            backend = document_backend(settings.database, data_directory, settings.adoption)
            yield OwnStore(backend, StorePlace(data_directory, OWN_NAMES, file))


def remote_store(data_directory: Path, running: RunningSidecar) -> RemoteStore:
    """Return the store of a sidecar that runs over the directory, reached over HTTP."""
    file = None if running.database is None else Path(running.database)
    return RemoteStore(running.url, running.token, StorePlace(data_directory, OWN_NAMES, file))


def _failed(sentence: str, exit_code: ExitCode, code: str | None = None) -> ExitCode:
    complain(sentence, code)
    return exit_code
