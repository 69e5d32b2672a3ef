"""A really frozen sidecar: its size and start, what it runs, where it may lie, and how it ends."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from sidecar import __version__
from sidecar.exit_codes import ExitCode
from sidecar.freezing.sizes import MEGABYTE, modules_in, size_of
from sidecar.freezing.timing import measure_start
from sidecar.hosting import RunningSidecar, SidecarFailed
from tests.process.host import wait_until

from .conftest import BACKEND, EXTENSION, Frozen

pytestmark = pytest.mark.slow

BUSY = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from sidecar.extension import Extension, Job, Jobs, Running

busy = Extension("busy")

@busy.job(run_in="process")
def stay(job: Running, file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    time.sleep(600)

@busy.router.post("/stay", status_code=202)
async def start(jobs: Jobs, file: str) -> Job:
    return await jobs.start(stay, file=file)

@busy.job()
def add_up(job: Running, numbers: list[int]) -> int:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(sum, numbers).result()

@busy.router.post("/sum", status_code=202)
async def start_sum(jobs: Jobs, numbers: list[int]) -> Job:
    return await jobs.start(add_up, numbers=numbers)
"""


@pytest.fixture
def busy(frozen: Frozen, tmp_path: Path) -> RunningSidecar:
    """The frozen sidecar with an extension that lies outside of it."""
    (tmp_path / "busy.py").write_text(dedent(BUSY))
    return RunningSidecar(tmp_path / "data", ["busy"], [tmp_path], command=[frozen.program])


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*")}


def test_the_folder_is_small_and_the_command_says_so(frozen: Frozen) -> None:
    size = size_of(frozen.folder)
    assert size <= 45 * MEGABYTE
    assert f"{frozen.folder}: {size / MEGABYTE:.1f} MB" in frozen.output
    assert "extra vectors: left out" in frozen.output
    assert re.search(r"^start: bound after \d+ ms, \d\.\d\d times", frozen.output, re.MULTILINE)


def test_nothing_of_the_tests_and_of_freezing_is_in_it(frozen: Frozen) -> None:
    names = {path.name.partition(".")[0] for path in (frozen.folder / "_internal").iterdir()}
    assert not names & {"numpy", "httpx", "simsimd", "PIL", "mypy", "hypothesis", "pytest", "setuptools", "tcl", "tk"}
    done = subprocess.run([frozen.program, "--help"], capture_output=True, text=True, check=True)
    assert "doctor" in done.stdout
    assert "freeze" not in done.stdout


def test_vectors_weigh_what_the_command_says(frozen: Frozen, frozen_with_vectors: Frozen) -> None:
    size = size_of(frozen_with_vectors.folder)
    assert size <= 95 * MEGABYTE
    (weight,) = re.findall(
        r"^extra vectors: ([\d.]+) MB; leave it out with --without", frozen_with_vectors.output, re.M
    )
    difference = (size - size_of(frozen.folder)) / MEGABYTE
    assert float(weight) == pytest.approx(difference, rel=0.1)


def test_it_starts_nearly_as_fast_as_python_does(frozen: Frozen) -> None:
    # What else the machine does makes a ratio worse or better by a tenth, so one measurement says little.
    starts = [measure_start(frozen.program, [EXTENSION], [str(BACKEND)], rounds=3) for _ in range(3)]
    assert min(start.bound_ratio for start in starts) <= 2.0
    assert min(start.ready_ratio for start in starts) <= 1.15


def test_it_runs_from_a_moved_folder_with_any_name_that_nobody_can_write_to(frozen: Frozen, tmp_path: Path) -> None:
    moved = tmp_path / "Müllers Äpp, 日本" / "side car"
    shutil.copytree(frozen.folder, moved, symlinks=True)
    for path in [moved, *moved.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o555)
    before = listing(moved)
    with RunningSidecar(tmp_path / "däta dir", [EXTENSION], command=[moved / frozen.program.name]) as sidecar:
        sidecar.client.post("/x/study/decks", {"name": "sea"}).expect(201)
        assert [deck["name"] for deck in sidecar.client.get("/x/study/decks").expect(200).json()] == ["sea"]
    assert listing(moved) == before


def test_an_extension_has_its_data_files_and_all_of_its_modules_but_no_tests(frozen: Frozen, tmp_path: Path) -> None:
    with RunningSidecar(tmp_path, ["own_words"], command=[frozen.program]) as sidecar:
        assert sidecar.client.get("/x/words/all").expect(200).json() == ["sea", "mer", "late"]
    assert not [name for name in modules_in(frozen.program) if name.startswith("own_words.tests")]


@pytest.mark.skipif("sys.platform == 'win32'", reason="SIGKILL")
def test_a_killed_sidecar_leaves_no_process_of_a_job(busy: RunningSidecar, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    with busy:
        busy.client.request("POST", "/x/busy/stay", query={"file": str(file)}).expect(202)
        wait_until(lambda: file.exists() and file.read_text() != "", "the job to start")
        job = psutil.Process(int(file.read_text()))
        assert job.is_running()
        busy.kill()
        wait_until(lambda: not job.is_running() or job.status() == psutil.STATUS_ZOMBIE, "the job to end")


def test_an_extension_may_use_multiprocessing(busy: RunningSidecar) -> None:
    with busy, busy.client.events("jobs") as events:
        job = busy.client.post("/x/busy/sum", [2, 3, 4]).expect(202).json()
        while job["status"] in ("queued", "running"):
            next(events)
            job = busy.client.get(f"/jobs/{job['id']}").expect(200).json()
    assert (job["status"], job["result"], job["error"]) == ("done", 9, None)


def test_a_module_that_was_not_frozen_is_refused_with_what_to_do(frozen: Frozen, tmp_path: Path) -> None:
    sidecar = RunningSidecar(tmp_path, ["other.module"], command=[frozen.program])
    with pytest.raises(SidecarFailed, match=r"freeze the sidecar again, with `--extension other\.module`"):
        sidecar.start()


@pytest.mark.parametrize(
    "arguments", [["export", "everything.zip"], ["backup"], ["restore", "--list"], ["adopted"], ["doctor"]], ids=str
)
def test_its_commands_work(frozen: Frozen, tmp_path: Path, arguments: list[str]) -> None:
    with RunningSidecar(tmp_path / "data", command=[frozen.program]) as sidecar:
        sidecar.client.post("/todos", {"content": "water the plants"}).expect(201)
    command: list[str | Path] = [frozen.program, arguments[0], "--data-dir", "data", *arguments[1:]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    findings = arguments[0] == "doctor" and done.returncode == ExitCode.INTERNAL_ERROR
    assert done.returncode == ExitCode.CLEAN or findings, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_plain_run_of_pyinstaller_makes_a_whole_sidecar(tmp_path: Path) -> None:
    (tmp_path / "my_entry.py").write_text("from sidecar.__main__ import main\n\nraise SystemExit(main())\n")
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", "my_entry.py"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    program = tmp_path / "dist" / "my_entry" / "my_entry"
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    assert version == f"sidecar {__version__}\n"
    with RunningSidecar(tmp_path / "data", command=[program]) as sidecar:
        sidecar.client.post("/todos", {"content": "water the plants"}).expect(201)
        assert sidecar.client.get("/search", q="plants").expect(200).json()["total"] == 1
