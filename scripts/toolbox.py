"""What the scripts beside this file share: paths, running commands, stamps, Debian packages, a place for windows.

Only the standard library, so that it runs before anything is set up. No script's own job lives here.
"""

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

if sys.version_info < (3, 11):  # noqa: UP036 (an older Python must be able to report this)
    sys.exit(f"error: Python 3.11 or newer is needed, this one is {platform.python_version()}.")

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "scripts"
BRIDGE = ROOT / "electron-bridge"
VENV = ROOT / ".venv"
WINDOWS = sys.platform == "win32"
LINUX = sys.platform == "linux"

Command = Sequence[str | Path]

# Users keep their bytecode. Without it, a sidecar compiles itself at each start: 0.1 s of its 0.4.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


class Failure(Exception):
    """A sentence for a person: what went wrong and what to do. It ends the script with status 1."""


def run_script(main: Callable[[], int]) -> NoReturn:
    """Ends the process with main's status; a Failure becomes its sentence, Ctrl-C status 130."""
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"error: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)


def say(text: str) -> None:
    """Progress, on standard error: standard output belongs to what a script answers."""
    print(text, file=sys.stderr, flush=True)


def run(command: Command, *, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> None:
    """Runs a command, with its output on standard error. Raises Failure when it does not end with 0."""
    _require_success(command, subprocess.run(command, cwd=cwd, env=env, stdout=sys.stderr, check=False).returncode)


def run_quietly(command: Command, *, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> None:
    """Runs a command whose output is shown only when it fails. Raises Failure when it does not end with 0."""
    done = subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        say(done.stdout.decode(errors="replace"))
    _require_success(command, done.returncode)


def answer(command: Command, *, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> str:
    """What a command writes to standard output, without the last newline. Raises Failure when it fails."""
    done = subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.PIPE, text=True, check=False)
    _require_success(command, done.returncode)
    return done.stdout.rstrip("\n")


def script(name: str, *arguments: str) -> Command:
    """The command that runs another script of this folder, with this very Python."""
    return [sys.executable, SCRIPTS / name, *arguments]


def tool(name: str) -> Path:
    """Return a program on the path. Raises Failure if it is missing."""
    found = shutil.which(name)
    if found is None:
        raise Failure(f"`{name}` is not on the path; install it and run this again.")
    return Path(found)


def venv_program(name: str, venv: Path = VENV) -> Path:
    """Where the virtual environment keeps a program, there or not."""
    return venv / "Scripts" / f"{name}.exe" if WINDOWS else venv / "bin" / name


def ensure_venv() -> None:
    """Makes .venv from this Python unless a sound one is there; fetches Debian's venv package if it lacks."""
    if _venv_is_sound():
        return
    if importlib.util.find_spec("ensurepip") is None:
        install_packages([f"python{sys.version_info.major}.{sys.version_info.minor}-venv"])
    say(f"Making {VENV.name} with Python {platform.python_version()} ...")
    run([sys.executable, "-m", "venv", "--clear", VENV])


def _venv_is_sound() -> bool:
    # Made for this place (a moved one still installs into its old place), with this Python's version, and to the end.
    try:
        lines = (VENV / "pyvenv.cfg").read_text().splitlines()
    except FileNotFoundError:
        return False
    entries = dict(line.split(" = ", 1) for line in lines if " = " in line)
    here = entries.get("command", "").endswith(str(VENV))
    same = entries.get("version") == platform.python_version()
    return here and same and venv_program("python").exists() and venv_program("pip").exists()


def once(stamp: Path, inputs: Iterable[str | Path], work: Callable[[], None]) -> bool:
    """Does the work unless the stamp says that it was done with the same inputs; returns whether it did.

    Inputs are texts, and files and folders, of which the contents count. A stamp lies inside what the work makes.
    """
    fingerprint = _fingerprint(inputs)
    if stamp.is_file() and stamp.read_text() == fingerprint:
        return False
    stamp.unlink(missing_ok=True)
    work()
    stamp.write_text(fingerprint)
    return True


def packaging_tools() -> Path:
    """Install the npm packages that only the packaging tests need, unless they are there; return their folder."""
    folder = BRIDGE / "test" / "packaging"
    manifests = [folder / "package.json", folder / "package-lock.json"]

    def npm_ci() -> None:
        say("Installing the tools for packaging ...")
        run_quietly([tool("npm"), "ci"], cwd=folder)

    modules = folder / "node_modules"
    once(modules / ".setup.stamp", manifests, npm_ci)
    return modules


def link_folder(link: Path, folder: Path) -> None:
    """Links to a folder: by a relative path, or on Windows by a junction, which needs no privilege."""
    if WINDOWS:
        run_quietly(["cmd", "/c", "mklink", "/J", link, folder])
    else:
        link.symlink_to(os.path.relpath(folder, link.parent))


def _fingerprint(inputs: Iterable[str | Path]) -> str:
    digest = hashlib.sha256()
    for given in inputs:
        if isinstance(given, str):
            digest.update(f"{given}\n".encode())
            continue
        for file in _files(given):
            digest.update(f"{file.relative_to(ROOT).as_posix()}\n".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.is_file())
    elif path.exists():
        yield path


def install_packages(packages: Sequence[str]) -> None:
    """Installs Debian packages. Raises Failure, naming them, where that takes another person or another system."""
    wanted = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise Failure(f"Something is missing that Debian keeps in these packages; install it: {wanted}")
    if os.geteuid() != 0:
        raise Failure(f"Packages are missing; run: sudo apt-get install {wanted}")
    say(f"Installing Debian packages: {wanted} ...")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run_quietly(["apt-get", "update", "-q"], env=env)
    run_quietly(["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages], env=env)


def has_display() -> bool:
    """Whether a window of Electron's can be seen here (on Linux, Electron draws through X)."""
    return not LINUX or bool(os.environ.get("DISPLAY"))


def electron_stage(command: Command, electron_dist: Path) -> tuple[Command, dict[str, str]]:
    """The command and environment that run `command` where it can start Electron: with a display, sandbox allowed.

    Without a display, under xvfb-run. As root, in a user namespace where root is an ordinary user: Chromium refuses
    to sandbox pages when its user id is 0, and `--no-sandbox` would switch off what the pages are promised. The
    namespace keeps the owner of every file, so a data directory of root's stays usable. Where the system allows no
    user namespaces (a container with Docker's default profile), Electron runs with `--no-sandbox`, which is said aloud.
    """
    env = {**os.environ, "ELECTRON_OVERRIDE_DIST_PATH": str(electron_dist)}
    if not LINUX:
        return command, env
    person: Command = []
    if os.geteuid() == 0:
        person = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]
    if not _chromium_can_sandbox(person):
        say("NOTE: this system allows no user namespaces here: Electron runs with --no-sandbox, its pages without the")
        say("      kernel's sandbox.")
        person = []
        env["ELECTRON_NO_SANDBOX"] = "1"
    screen: Command = []
    if not has_display():
        screen = ["xvfb-run", "--auto-servernum", "--server-args=-screen 0 1440x960x24"]
        env["ELECTRON_DISABLE_GPU"] = "1"
    return [*screen, *person, *command], env


def _chromium_can_sandbox(person: Command) -> bool:
    # What Chromium's zygote does, done before it; and whether that person may still write into this folder.
    trial = f'test -w "{ROOT}" && exec unshare --user --pid --net true'
    return subprocess.run([*person, "sh", "-c", trial], capture_output=True, check=False).returncode == 0


class Clock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start


def _require_success(command: Command, status: int) -> None:
    if status != 0:
        words = " ".join(str(word).replace(f"{ROOT}{os.sep}", "") for word in command)
        raise Failure(f"`{words}` ended with status {status}.")
