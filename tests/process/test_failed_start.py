"""A start that fails at any step ends the process with its exit code, and the host hears of it first."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.storage.vintages import make

from ..sampling import sampled
from .conftest import Hosts
from .patches import failing, failing_coroutine

PATIENCE_S = 10.0
"""The longest that a failed start may take to end: a start without a failure takes about a second here."""

STEPS = {
    "the lock": failing("sidecar.process.data_directory", "DataDirectory.__enter__"),
    "the settings": failing("sidecar.config", "load_settings"),
    "the log": failing("sidecar.process.logs", "configure_logging"),
    "an interrupted recovery": failing("sidecar.storage.sqlite.recovery.ladder", "Recovery.finish_interrupted"),
    "the version": failing("sidecar.storage.sqlite.schema.upgrade", "check_version"),
    "a connection's settings": failing("sidecar.storage.sqlite.engine.pragmas", "prepare_writer"),
    "the check of the file": failing("sidecar.storage.sqlite.files.integrity", "OpenCheck.run"),
    "the migrations": failing("sidecar.storage.sqlite.schema.upgrade", "bring_up_to_date"),
    "a reader's settings": failing("sidecar.storage.sqlite.engine.pragmas", "prepare_reader"),
    "the reports of recoveries": failing("sidecar.storage.sqlite.recovery.report_files", "ReportFiles.all"),
    "the search index": failing_coroutine("sidecar.storage.sqlite.search.store", "SearchDocuments.open_search_index"),
    "open messages": failing("sidecar.storage.resources.message_finish", "fail_cut_off"),
    "the first document": failing("sidecar.storage.resources.vaults", "insert_quick_start"),
    "the vectors": failing_coroutine("sidecar.storage.vectors.backend", "VectorBackend.initialize"),
    "the app": failing("sidecar.process.run", "create_app"),
    "the server": failing_coroutine("sidecar.process.server", "Server.start"),
    "the run file": failing("sidecar.process.data_directory", "DataDirectory.publish"),
    "upkeep": failing("sidecar.maintenance.scheduler", "MaintenanceScheduler.start"),
}


@pytest.mark.parametrize("step", sampled(STEPS, every=3))
def test_an_unexpected_error_at_any_step_of_the_start_ends_the_process(hosts: Hosts, step: str) -> None:
    host = hosts.begin(patch=STEPS[step])
    began = time.monotonic()
    failed = host.refusal()
    assert (failed["code"], failed["exit_code"]) == ("internal_error", 1)
    assert time.monotonic() - began < PATIENCE_S


@pytest.mark.parametrize(
    ("kind", "code"), [("StorageReadOnly", 4), ("DatabaseTooNew", 5), ("DatabaseBeyondRepair", 6), ("StorageBusy", 1)]
)
def test_an_error_after_the_database_was_opened_ends_it_with_the_code_of_that_error(
    hosts: Hosts, kind: str, code: int
) -> None:
    patch = failing("sidecar.storage.resources.vaults", "insert_quick_start", kind)
    assert hosts.begin(patch=patch).refusal()["exit_code"] == code


def test_a_start_that_failed_leaves_the_directory_to_the_next(hosts: Hosts) -> None:
    hosts.begin(patch=STEPS["open messages"]).refusal()
    assert hosts.start().add_tip("a row") > 0


THREAD_WITHOUT_END = """
import threading
from sidecar.process import run
create_app = run.create_app
def begin_a_thread(*arguments):
    threading.Thread(target=threading.Event().wait, name="without-end").start()
    {then}
    return create_app(*arguments)
run.create_app = begin_a_thread
"""


def test_a_thread_that_does_not_end_does_not_keep_a_failed_start_from_ending(hosts: Hosts) -> None:
    host = hosts.begin(patch=THREAD_WITHOUT_END.format(then="raise RuntimeError"))
    assert host.refusal()["exit_code"] == 1
    assert "without-end" in host.stderr


def test_a_thread_that_does_not_end_does_not_keep_a_stop_from_ending(hosts: Hosts) -> None:
    hosts.stop(hosts.start(patch=THREAD_WITHOUT_END.format(then="pass")))


def a_file_for_a_directory(data: Path) -> None:
    make("minecontext-5", data / "sidecar.db", "INSERT INTO vaults (title) VALUES ('mine')")
    (data / "backups").touch()


def a_link_to_a_device(data: Path) -> None:
    (data / "sidecar.db").symlink_to(os.devnull)


def a_database_with_the_name_of_a_lock(data: Path) -> None:
    (data / "sidecar.toml").write_text("[database]\npath = 'sidecar.lock'\n")


def a_database_without_a_name(data: Path) -> None:
    (data / "sidecar.toml").write_text("[database]\npath = '/'\n")


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (a_file_for_a_directory, 4),
        (a_link_to_a_device, 2),
        (a_database_with_the_name_of_a_lock, 2),
        (a_database_without_a_name, 2),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_what_only_a_person_can_change_ends_it_for_good(hosts: Hosts, made: Callable[[Path], None], code: int) -> None:
    hosts.data_dir.mkdir(exist_ok=True)
    made(hosts.data_dir)
    assert hosts.begin().refusal()["exit_code"] == code
