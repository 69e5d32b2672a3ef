"""A debugger of the app's developer, by way of debugpy, which is a package of the app's own environment."""

import importlib
import logging
import os
import socket
import time

from sidecar.errors import BadConfiguration

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"

PORT_PATIENCE_S = 3.0
"""Seconds to wait for a port that is taken: longer than a debugger takes to notice that its program has ended."""

PORT_POLL_S = 0.05


def listen_for_debugger(port: int) -> None:
    """Let a debugger attach at `port` of this machine, from now on.

    Called before the modules of extensions are imported, so that a debugger that waits for the port can stop in them.
    Where the port stays taken, the log says so, and the sidecar starts without.

    Raises `BadConfiguration` if debugpy is missing.
    """
    # It would print a warning about modules that are compiled into Python, which nobody wants to step through.
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    try:
        debugpy = importlib.import_module("debugpy")
    except ImportError as error:
        raise BadConfiguration(
            "A debugger cannot attach, because this Python has no debugpy; install it (pip install debugpy), or leave "
            "out `dev.debugpy`."
        ) from error
    _wait_until_free(port)
    try:
        debugpy.listen((LOOPBACK, port))
    except (RuntimeError, OSError) as error:
        log.warning("no debugger can attach at %s:%d: %s", LOOPBACK, port, error)
    else:
        log.info("a debugger can attach at %s:%d", LOOPBACK, port)


def _wait_until_free(port: int) -> None:
    """Wait for the debugger's connection to the previous sidecar to end: until then, debugpy keeps the port."""
    deadline = time.monotonic() + PORT_PATIENCE_S
    while time.monotonic() < deadline:
        try:
            with socket.create_server((LOOPBACK, port)):
                return
        except OSError:
            time.sleep(PORT_POLL_S)
