"""What differs between the operating systems, each handed in; and that no other file of the package knows of it."""

import ast
import asyncio
import errno
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from sidecar import platform

PACKAGE = Path(platform.__file__).parent
SYSTEMS = ("linux", "darwin", "win32")
POSIX = ("linux", "darwin")
on_posix = pytest.mark.skipif(os.name == "nt", reason="what POSIX does cannot be done on Windows")

PARENT_OF_ONE = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print(child.pid, flush=True)
input()
"""


@on_posix
@pytest.mark.parametrize(("system", "mode"), [("linux", 0o700), ("darwin", 0o700), ("win32", 0o755)])
def test_a_directory_is_made_private_where_permissions_do_that(tmp_path: Path, system: str, mode: int) -> None:
    tmp_path.chmod(0o755)
    assert platform.is_open_to_others(tmp_path, system) is (system != "win32")
    platform.make_private(tmp_path, system)
    assert tmp_path.stat().st_mode & 0o777 == mode
    assert platform.is_open_to_others(tmp_path, system) is False


def test_directories_are_synced_on_posix_only() -> None:
    assert [platform.syncs_directories(system) for system in SYSTEMS] == [True, True, False]


def test_a_full_disk_and_a_used_up_quota_are_no_room() -> None:
    assert errno.ENOSPC in platform.NO_ROOM
    assert getattr(errno, "EDQUOT", errno.ENOSPC) in platform.NO_ROOM


def test_linux_reads_what_is_mounted_from_its_table(tmp_path: Path) -> None:
    table = tmp_path / "mounts"
    table.write_text("/dev/sda1 / ext4 rw 0 0\nserver:/x /mnt/my\\040disk nfs4 rw 0 0\n")
    assert list(platform.mounted(table, "linux")) == [("/", "ext4"), ("/mnt/my disk", "nfs4")]
    assert list(platform.mounted(tmp_path / "none", "linux")) == []


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_are_asked_what_is_mounted(tmp_path: Path, system: str) -> None:
    expected = [(each.mountpoint, each.fstype) for each in psutil.disk_partitions(all=True)]
    assert list(platform.mounted(tmp_path / "none", system)) == expected


@pytest.mark.parametrize(("system", "quoted"), [*((system, "'/a b'") for system in POSIX), ("win32", '"/a b"')])
def test_a_word_is_quoted_for_the_shell(system: str, quoted: str) -> None:
    assert platform.shell_word("/a b", system) == quoted


@pytest.mark.parametrize(("system", "line"), [*((system, "'/a b' c") for system in POSIX), ("win32", '"/a b" c')])
def test_words_are_joined_for_the_shell(system: str, line: str) -> None:
    assert platform.command_line(["/a b", "c"], system) == line


def test_a_program_has_an_extension_on_windows() -> None:
    assert [platform.program_name("sidecar", system) for system in SYSTEMS] == ["sidecar", "sidecar", "sidecar.exe"]


def test_only_linux_strips_libraries() -> None:
    assert [platform.strips_libraries(system) for system in SYSTEMS] == [True, False, False]


@pytest.mark.parametrize("system", POSIX)
def test_a_quoted_word_is_one_word(system: str) -> None:
    assert shlex.split(platform.shell_word("it's $HOME", system)) == ["it's $HOME"]


def test_windows_has_no_limit_on_descriptors() -> None:
    assert platform.raise_descriptor_limit(12_345, "win32") == 12_345


@on_posix
@pytest.mark.parametrize("system", POSIX)
def test_the_limit_on_descriptors_is_raised_as_far_as_it_may_be(system: str) -> None:
    script = f"""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 512))
from sidecar import platform
print(platform.raise_descriptor_limit(256, {system!r}), platform.raise_descriptor_limit(1024, {system!r}))
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    assert run(script) == "256 512\n512 512\n"


def test_open_files_are_counted_as_the_system_does() -> None:
    class Process:
        def num_fds(self) -> int:
            return 3

        def num_handles(self) -> int:
            return 4

    assert [platform.open_files(Process(), system) for system in SYSTEMS] == [3, 3, 4]  # type: ignore[arg-type]


@on_posix
@pytest.mark.parametrize(("system", "niceness"), [("linux", 5), ("darwin", 5), ("win32", 0)])
def test_a_process_lowers_its_priority_on_posix(system: str, niceness: int) -> None:
    script = f"from sidecar import platform; import os; platform.lower_priority(5, {system!r}); print(os.nice(0))"
    assert run(script) == f"{os.nice(0) + niceness}\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts it for each thread")
@pytest.mark.parametrize(("system", "niceness"), [("linux", 5), ("darwin", 0), ("win32", 0)])
def test_a_thread_lowers_its_priority_on_linux(system: str, niceness: int) -> None:
    script = f"""
import os, threading
from sidecar import platform
before = os.nice(0)
def lower():
    platform.lower_thread_priority(5, {system!r})
    print(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) - before)
thread = threading.Thread(target=lower)
thread.start()
thread.join()
"""
    assert run(script) == f"{niceness}\n"


def test_a_closed_terminal_stops_the_process_on_posix() -> None:
    both = [signal.SIGINT, signal.SIGTERM]
    assert list(platform.stop_signals("win32")) == both
    if os.name != "nt":
        assert [list(platform.stop_signals(system)) for system in POSIX] == [[*both, signal.SIGHUP]] * 2


@on_posix
def test_a_closed_terminal_is_ignored_where_nohup_says_so() -> None:
    script = """
import signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
from sidecar import platform
print([number.name for number in platform.stop_signals("linux")])
"""
    assert run(script) == "['SIGINT', 'SIGTERM']\n"


@on_posix
@pytest.mark.parametrize("has_handlers", [True, False], ids=["posix", "windows"])
async def test_a_signal_reaches_the_loop(has_handlers: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGUSR1)

    def refuse(*_: object) -> None:
        raise NotImplementedError

    if not has_handlers:
        monkeypatch.setattr(loop, "add_signal_handler", refuse, raising=True)
    came = asyncio.Event()
    platform.on_signal(loop, signal.SIGUSR1, came.set)
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.wait_for(came.wait(), 10)
    finally:
        if has_handlers:
            loop.remove_signal_handler(signal.SIGUSR1)
        signal.signal(signal.SIGUSR1, before)


def test_the_event_loop_is_asyncios_where_uvloop_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert platform.event_loop_factory() is None


@pytest.mark.parametrize(("system", "is_shared"), [("linux", True), ("darwin", True), ("win32", False)])
def test_a_port_may_be_taken_again_where_that_shares_none(system: str, is_shared: bool) -> None:
    with socket.socket() as listener:
        platform.share_port_after_use(listener, system)
        assert bool(listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)) is is_shared


# The processes of jobs


@on_posix
@pytest.mark.parametrize("system", POSIX)
def test_the_process_of_a_job_gets_a_lifeline_and_a_session_on_posix(system: str) -> None:
    with platform.job_process(system) as (lifeline, options):
        assert lifeline is not None
        assert options == {"pass_fds": (lifeline,), "start_new_session": True}
        assert platform.live_as_long_as(None) is False
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(lifeline)


def test_the_process_of_a_job_gets_its_priority_from_its_parent_on_windows() -> None:
    with platform.job_process("win32") as (lifeline, options):
        assert (lifeline, options) == (None, {"creationflags": 0x0800_4000})


@pytest.fixture
def tree() -> Iterator[tuple[psutil.Process, psutil.Process]]:
    """A process in a session of its own, and another one that it has started."""
    command = [sys.executable, "-c", PARENT_OF_ONE]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, start_new_session=True, **pipes) as parent:  # type: ignore[call-overload]
        try:
            yield psutil.Process(parent.pid), psutil.Process(int(parent.stdout.readline()))
        finally:
            parent.kill()


@on_posix
@pytest.mark.parametrize("kill", [platform.kill_group, platform.kill_tree])
def test_a_tree_is_killed_whole(kill: Callable[[int], object], tree: tuple[psutil.Process, psutil.Process]) -> None:
    kill(tree[0].pid)
    gone, alive = psutil.wait_procs(tree, timeout=10)
    assert (len(gone), alive) == (2, [])
    kill(tree[0].pid)  # once more is no error


def test_a_group_is_not_killed_where_there_is_none(tree: tuple[psutil.Process, psutil.Process]) -> None:
    assert platform.kill_group(tree[0].pid, "win32") is False
    platform.kill_own_group("win32")
    assert all(process.is_running() for process in tree)


# The other files

_ATTRIBUTES = {
    "sys": {"platform", "getwindowsversion"},
    "os": {"name", "uname", "nice", "killpg", "getpgrp", "setpriority", "O_ASYNC", "O_BINARY", "fork", "getuid"},
    "signal": {"SIGHUP", "SIGKILL", "SIGIO", "SIGALRM", "CTRL_BREAK_EVENT"},
    "socket": {"SO_REUSEADDR", "SO_EXCLUSIVEADDRUSE", "AF_UNIX"},
    "subprocess": {"CREATE_NO_WINDOW", "CREATE_NEW_PROCESS_GROUP", "STARTUPINFO"},
    "errno": {"EDQUOT"},
}
_MODULES = {"platform", "fcntl", "resource", "pwd", "grp", "termios", "msvcrt", "winreg", "_winapi", "uvloop"}


def of_one_system(tree: ast.AST) -> Iterator[str]:
    """Yield what a file uses that one system has and another one has not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in _ATTRIBUTES.get(node.value.id, ()):
                yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in _MODULES)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            names = _ATTRIBUTES.get(node.module, set())
            yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name in names)
            if node.module in _MODULES:
                yield node.module
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "getattr" and len(node.args) > 1:
            owner, name = getattr(node.args[0], "id", ""), getattr(node.args[1], "value", "")
            if name in _ATTRIBUTES.get(owner, ()):
                yield f"{owner}.{name}"


def test_only_one_file_knows_that_systems_differ() -> None:
    found = {
        str(path.relative_to(PACKAGE)): sorted(of_one_system(ast.parse(path.read_text(encoding="utf-8"))))
        for path in PACKAGE.rglob("*.py")
    }
    assert [name for name, used in found.items() if used] == ["platform.py"], found


def run(script: str) -> str:
    """What a script prints."""
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
