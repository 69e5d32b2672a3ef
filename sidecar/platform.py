"""Everything in which the operating systems differ, for the whole package.

Each function takes the system, as `sys.platform` names it, so that a test can hand in another one. Imported before
`bound`, so whatever only some functions need is imported in them.
"""

import errno
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    import signal
    import socket
    from pathlib import Path

    import psutil

WINDOWS, LINUX = "win32", "linux"

MOUNTS = "/proc/self/mounts"
"""Linux's table of what is mounted."""

NO_ROOM = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""Errors of a disk that is full, or of a user whose share of it is. Windows has no number for the second."""

BINARY: int = getattr(os, "O_BINARY", 0)
"""Flag of `os.open` for a file whose line endings stay as they are; only Windows has it."""

_OWNER_ONLY = 0o700
_OTHERS = 0o077

_CREATE_NO_WINDOW = 0x08000000
_BELOW_NORMAL_PRIORITY_CLASS = 0x00004000
"""Constants of `subprocess` that exist on Windows only."""


# Files


def make_private(directory: "Path", system: str = sys.platform) -> None:
    """Allow only the owner into the directory. On Windows, a user's folders are so by inheritance."""
    if system != WINDOWS:
        directory.chmod(_OWNER_ONLY)


def is_open_to_others(directory: "Path", system: str = sys.platform) -> bool:
    """Return whether the permissions of the directory let other users in."""
    return system != WINDOWS and bool(directory.stat().st_mode & _OTHERS)


def syncs_directories(system: str = sys.platform) -> bool:
    """Return whether a directory's list of names has to be synced, and can be. Windows writes it with the file."""
    return system != WINDOWS


def program_name(name: str, system: str = sys.platform) -> str:
    """Return the file name of a program."""
    return f"{name}.exe" if system == WINDOWS else name


def strips_libraries(system: str = sys.platform) -> bool:
    """Return whether debugging symbols can be taken out of a library that was built: on Linux, by `strip`.

    On Windows they are in files of their own, and on macOS a library that was changed has lost its signature.
    """
    return system == LINUX


def mounted(table: "Path", system: str = sys.platform) -> Iterator[tuple[str, str]]:
    """Yield each mount point with the type of its file system. On Linux, they are read from `table` (`MOUNTS`)."""
    if system == LINUX:
        import re

        try:
            lines = table.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError:  # not mounted in some containers
            return
        for line in lines:
            _, point, kind, *_ = line.split(" ")
            yield re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point), kind
    else:
        import psutil

        for partition in psutil.disk_partitions(all=True):
            yield partition.mountpoint, partition.fstype


def command_line(words: Sequence[str], system: str = sys.platform) -> str:
    """Return the words as one line for the shell of the system."""
    if system == WINDOWS:
        from subprocess import list2cmdline

        return list2cmdline(words)
    import shlex

    return shlex.join(words)


def shell_word(word: str, system: str = sys.platform) -> str:
    """Return `word` quoted for the shell of the system."""
    import shlex

    return f'"{word}"' if system == WINDOWS else shlex.quote(word)


# This process


def raise_descriptor_limit(wanted: int, system: str = sys.platform) -> int:
    """Raise the limit on open files to `wanted` if it is lower and may be raised; return the limit.

    `wanted` stands for a system without such a limit.
    """
    if system == WINDOWS:
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if soft == resource.RLIM_INFINITY else soft
    if limit >= wanted:
        return limit
    possible = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(OSError, ValueError):  # a system may allow less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))
        return possible
    return limit


def open_files(process: "psutil.Process", system: str = sys.platform) -> int:
    """Return the number of open files and sockets of a process; on Windows, of handles."""
    if system == WINDOWS:
        return int(process.num_handles())  # type: ignore[attr-defined, unused-ignore]
    return process.num_fds()


def lower_priority(niceness: int, system: str = sys.platform) -> None:
    """Give the whole process a low priority. On Windows, the parent has done so at its start (`job_process`)."""
    if system != WINDOWS:
        os.nice(niceness)


def lower_thread_priority(niceness: int, system: str = sys.platform) -> None:
    """Give the calling thread, which must not be one that others share, a low priority; only Linux can."""
    if system == LINUX:
        import threading

        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


def stop_signals(system: str = sys.platform) -> "Iterator[signal.Signals]":
    """Yield the signals that stop the process: Ctrl-C, `SIGTERM`, and a closed terminal, unless it is ignored
    (`nohup`).
    """
    import signal

    yield from (signal.SIGINT, signal.SIGTERM)
    if system != WINDOWS and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        yield signal.SIGHUP


def on_signal(loop: "asyncio.AbstractEventLoop", number: "signal.Signals", react: Callable[[], None]) -> None:
    """Call `react` in the loop when the signal comes."""
    try:
        loop.add_signal_handler(number, react)
    except NotImplementedError:  # Windows, where the handler runs between two steps of the loop's thread
        import signal

        signal.signal(number, lambda *_: loop.call_soon_threadsafe(react))


def event_loop_factory() -> "Callable[[], asyncio.AbstractEventLoop] | None":
    """Return uvloop's factory where it exists, which is everywhere but on Windows; `None` for asyncio's own.

    uvloop answers a third more requests per second.
    """
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def share_port_after_use(listener: "socket.socket", system: str = sys.platform) -> None:
    """Let a port that was closed a moment ago be taken again. On Windows, the option would share a port in use."""
    if system == WINDOWS:
        return
    import socket

    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


# The processes of jobs


@contextmanager
def job_process(system: str = sys.platform) -> Iterator[tuple[int | None, dict[str, Any]]]:
    """Yield the end of a pipe for a job's process, which is closed with this process, and the options to start it.

    The job has a session of its own: a signal for the group of the sidecar, such as Ctrl-C, is not for the job, and the
    job can be ended together with what it starts. Windows has neither such pipes nor groups.
    """
    if system == WINDOWS:
        yield None, {"creationflags": _CREATE_NO_WINDOW | _BELOW_NORMAL_PRIORITY_CLASS}
        return
    reader, writer = os.pipe()
    try:
        yield reader, {"pass_fds": (reader,), "start_new_session": True}
    finally:
        os.close(reader)
        os.close(writer)


def live_as_long_as(lifeline: int | None) -> bool:
    """Have the system end the whole process group when the other end of this pipe is closed; return whether it is.

    `lifeline` is `None` where there are no such pipes.
    """
    if lifeline is None:
        return False
    import fcntl
    import select

    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
    # Without a handler, the signal that this brings (SIGIO) ends a process.
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    return bool(select.select([lifeline], [], [], 0)[0])


def kill_group(pid: int, system: str = sys.platform) -> bool:
    """Kill the process and its group at once; return `False` where there are no groups, for `kill_tree` to do it."""
    if system == WINDOWS:
        return False
    import signal

    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    return True


def kill_own_group(system: str = sys.platform) -> None:
    """Kill this process and its group, where there are groups."""
    if system != WINDOWS:
        with suppress(OSError):
            kill_group(os.getpgrp(), system)


def kill_tree(pid: int) -> None:
    """Kill the process and all that it has started, one by one. This takes a while: 20 ms for an import alone."""
    import psutil

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in [*process.children(recursive=True), process]:
            with suppress(psutil.Error):
                each.kill()
