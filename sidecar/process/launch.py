"""The start of a sidecar, in order: bind, report it, import, take the bootstrap and the data directory, run.

Kept free of heavy imports, and so is what it imports: `bound` is reported before pydantic, uvicorn and the operations,
which are most of the time to `ready`, and before whatever else can wait for the bootstrap, such as `logging`.
"""

import gc
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sidecar import API_VERSION, __version__, terminal
from sidecar.errors import OutOfDescriptors, SidecarError
from sidecar.exit_codes import ExitCode
from sidecar.process.descriptors import provide
from sidecar.process.hosts import Host
from sidecar.process.listening import listen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sidecar.extension import Extension

LAST_PATIENCE_S = 1.0
"""Seconds for threads of the run to end by themselves, once everything else has ended."""


def launch(
    host: Host, *, port: int = 0, settings_file: "Path | None" = None, overrides: Mapping[str, Any] | None = None
) -> ExitCode:
    """Run a sidecar to its end; return the reason. Failures are reported to the host, not raised.

    `overrides` are settings from the command line, which come before everything else.
    """
    os.umask(0o077)
    others = frozenset(threading.enumerate())
    code = ExitCode.INTERNAL_ERROR
    try:
        code = _reporting(host, port, settings_file, overrides or {})
        return code
    finally:
        _end_without(others, code)


def _reporting(host: Host, port: int, settings_file: "Path | None", overrides: Mapping[str, Any]) -> ExitCode:
    """Run a sidecar to its end, and report to the host what fails."""
    try:
        _launch(host, port, settings_file, overrides)
    except KeyboardInterrupt:  # before the run has its own way to stop, there is nothing to finish
        return ExitCode.CLEAN
    except SidecarError as error:
        host.report("failed", code=error.code, message=error.message, exit_code=error.exit_code)
        return error.exit_code
    except Exception as error:
        refused = OutOfDescriptors.caused(error) if isinstance(error, OSError) else None
        if refused is not None:
            host.report("failed", code=refused.code, message=refused.message, exit_code=refused.exit_code)
            return refused.exit_code
        import logging

        logging.getLogger(__name__).exception("the sidecar failed")
        message = f"The sidecar failed ({type(error).__name__}); its log says why."
        host.report("failed", code=SidecarError.code, message=message, exit_code=ExitCode.INTERNAL_ERROR)
        return ExitCode.INTERNAL_ERROR
    return ExitCode.CLEAN


def _launch(host: Host, port: int, settings_file: "Path | None", overrides: Mapping[str, Any]) -> None:
    instance = os.urandom(8).hex()
    descriptors = provide()
    with listen(port) as listener:
        bound_port = listener.getsockname()[1]
        host.report(
            "bound",
            port=bound_port,
            pid=os.getpid(),
            instance=instance,
            version=__version__,
            api_version=API_VERSION,
        )
        with _without_collecting_garbage():
            from sidecar.config import load_settings
            from sidecar.process.data_directory import DataDirectory
            from sidecar.process.logs import configure_logging
            from sidecar.process.run import Run
        bootstrap = host.bootstrap()
        with DataDirectory(bootstrap.data_directory, host) as directory:
            settings = load_settings(
                directory.path,
                bootstrap.overrides,
                overrides,
                settings_file=settings_file,
                is_packaged=bootstrap.is_packaged or hasattr(sys, "frozen"),
            )
            configure_logging(directory.path, settings.log, bootstrap.token, host.least_log_level)
            if bootstrap.debugger_port is not None:
                from sidecar.process.debugging import listen_for_debugger

                listen_for_debugger(bootstrap.debugger_port)
            modules = [*bootstrap.extensions, *settings.extensions.modules]
            extensions: Sequence[Extension] = ()
            if modules:
                from sidecar.process.extensions import load_extensions, report_outdated_table

                extensions = load_extensions(modules, bootstrap.python_path, host)
                if bootstrap.operations:
                    report_outdated_table(extensions, bootstrap.operations, host)
            Run(host, directory, settings, bootstrap.token, instance, listener, descriptors, extensions).to_its_end()


def _end_without(others: frozenset[threading.Thread], code: ExitCode) -> None:
    """End the process by force if a thread of the run, one that is not in `others`, does not end.

    The interpreter would wait for it without limit, and the host would get no exit code.
    """
    stuck = [thread for thread in threading.enumerate() if not thread.daemon and thread not in others]
    for thread in stuck:
        thread.join(LAST_PATIENCE_S / len(stuck))
    names = [thread.name for thread in stuck if thread.is_alive()]
    if names:
        import logging

        logging.getLogger(__name__).error("ended by force; these threads had not: %s", ", ".join(names))
        terminal.flush()
        os._exit(code)


_OBJECTS_BETWEEN_COLLECTIONS = 10_000


@contextmanager
def _without_collecting_garbage() -> Iterator[None]:
    """Pause garbage collection: imports create many objects and almost no garbage, and collecting took a tenth of the
    start.

    What was imported stays for good, so later collections need not look at it either. They are rarer than by default:
    requests leave hardly any garbage that only they find (see `problems.py`), and a batch makes its rows by the ten
    thousand, all of them alive. Looking at these took a fifth of its time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
        gc.enable()
