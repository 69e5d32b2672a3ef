"""Jobs of a real sidecar: its stop, its death, a person's view, and what the others notice."""

import time
from pathlib import Path

import pytest

from ..process.conftest import Hosts, hosts  # noqa: F401 - a fixture
from ..process.host import wait_until
from .sidecars import children_of, job_of, processes_of_jobs, start, wait_for, wait_for_all, wait_for_the_end_of

LONGEST_STOP_S = 2.0
"""A stop takes 0.3 s on an idle machine; the suite's machine is busy."""


def pids_in(file: Path) -> list[int]:
    wait_until(file.exists, f"{file.name} is there")
    return [int(pid) for pid in file.read_text().split()]


def test_a_route_queues_jobs_in_its_own_unit_once_for_its_key(hosts: Hosts) -> None:  # noqa: F811
    host = start(hosts)
    answers = [host.client.post("/x/chores/calls/7", headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json() == [1, 2, 3, 4]
    found = wait_for_all(host)
    assert {job["name"]: job["result"] for job in found} == {
        "chores.in_loop": "loop 7",
        "chores.in_thread": "thread 7",
        "chores.in_process": "process 7",
        "chores.once": "once 7",
    }
    assert host.client.get("/x/chores/done").json() == {
        "call 7": 1,
        "loop 7 step 0": 1,
        "loop 7 step 1": 1,
        "loop 7 step 2": 1,
        "once 7": 1,
        "process 7": 1,
        "thread 7": 1,
    }


@pytest.mark.parametrize("end", ["kill", "pipe", "stop"])
def test_processes_of_jobs_end_with_the_sidecar_and_the_job_goes_on_with_the_next(
    hosts: Hosts,  # noqa: F811
    tmp_path: Path,
    end: str,
) -> None:
    host = start(hosts)
    job = host.client.post("/x/chores/compute", params={"seconds": 1, "pids": str(tmp_path / "pids")}).json()
    pids = pids_in(tmp_path / "pids")
    assert set(pids) <= set(children_of(host))
    assert processes_of_jobs(hosts.workplace) == pids[:1]
    if end == "kill":
        host.process.kill()
    elif end == "pipe":
        host.close_pipe()
    else:
        host.shutdown()
    host.wait()
    wait_for_the_end_of(pids)
    again = start(hosts)
    done = wait_for(again, job["id"], "done")
    assert (done["attempts"], done["error"]) == (2, None)


def test_a_cancelled_job_ends_its_process_and_a_finished_one_is_refused(hosts: Hosts, tmp_path: Path) -> None:  # noqa: F811
    host = start(hosts)
    job = host.client.post("/x/chores/compute", params={"seconds": 60, "pids": str(tmp_path / "pids")}).json()
    pids = pids_in(tmp_path / "pids")
    cancelling = host.client.post(f"/jobs/{job['id']}/cancel").json()
    assert (cancelling["status"], cancelling["is_cancelling"]) == ("running", True)
    wait_for(host, job["id"], "cancelled")
    wait_for_the_end_of(pids)
    refused = host.client.post(f"/jobs/{job['id']}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert refused.json()["detail"] == f"The job {job['id']} cannot be cancelled: it is cancelled already."
    unknown = host.client.post("/jobs/999/cancel")
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "There is no job with the id 999.")


def test_a_job_that_never_ends_does_not_hold_up_a_stop(hosts: Hosts) -> None:  # noqa: F811
    host = start(hosts)
    job = host.client.post("/x/chores/deaf").json()
    wait_for(host, job["id"], "running")
    began = time.monotonic()
    hosts.stop(host)
    assert time.monotonic() - began < LONGEST_STOP_S
    again = start(hosts)
    found = job_of(again, job["id"])
    assert (found["status"], found["error"]) == ("interrupted", "The sidecar was stopped while the job ran.")


def test_a_job_without_its_module_waits_for_it(hosts: Hosts) -> None:  # noqa: F811
    host = start(hosts, jobs={"at_once": 1})
    running = host.client.post("/x/chores/deaf").json()
    wait_for(host, running["id"], "running")
    waiting = host.client.post("/x/chores/tick", params={"count": 1, "pause_s": 0}).json()
    hosts.stop(host)
    without = hosts.start()
    assert job_of(without, waiting["id"])["status"] == "queued"
    components = without.client.get("/health/ready").json()["components"]
    assert components["jobs"]["detail"] == "queued until their module is loaded: chores.tick (1)"
    hosts.stop(without)
    assert wait_for(start(hosts), waiting["id"], "done")["attempts"] == 1
