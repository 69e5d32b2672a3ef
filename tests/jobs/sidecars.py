"""Real sidecars with the extension of `backend.py`."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from ..process.conftest import Hosts
from ..process.host import Host, is_running, wait_until

BACKEND = "tests.jobs.backend"
ROOT = Path(__file__).resolve().parents[2]


def start(hosts: Hosts, **settings: Any) -> Host:
    """A sidecar that is ready and executes jobs."""
    host = hosts.spawn()
    host.bootstrap(extensions=[BACKEND], python_path=[str(ROOT)], settings=settings)
    host.event("ready")
    return host


def jobs_of(host: Host, **query: Any) -> list[dict[str, Any]]:
    """All jobs, the newest first."""
    found: list[dict[str, Any]] = []
    query = {"limit": 1000, **query}
    while True:
        page = host.client.get("/jobs", params=query).raise_for_status().json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


def wait_for_all(host: Host, within: float = 60.0) -> list[dict[str, Any]]:
    """All jobs once none is queued or running."""

    def are_finished() -> bool:
        return not jobs_of(host, status="queued") and not jobs_of(host, status="running")

    wait_until(are_finished, "the end of all jobs", within)
    return jobs_of(host)


def wait_for(host: Host, job_id: int, *statuses: str) -> dict[str, Any]:
    """The job once it has one of these statuses."""
    wait_until(lambda: job_of(host, job_id)["status"] in statuses, f"job {job_id} is one of {statuses}")
    return job_of(host, job_id)


def job_of(host: Host, job_id: int) -> dict[str, Any]:
    found: dict[str, Any] = host.client.get(f"/jobs/{job_id}").raise_for_status().json()
    return found


def children_of(host: Host) -> list[int]:
    """The ids of all processes that the sidecar has started, and that these have started."""
    return [child.pid for child in psutil.Process(host.pid).children(recursive=True)]


def processes_of_jobs(workplace: Path) -> list[int]:
    """The ids of all processes that execute a job for a sidecar which was started in this directory."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if "--job-process" in process.cmdline() and Path(process.cwd()) == workplace and is_running(process.pid):
                found.append(process.pid)
    return found


def wait_for_the_end_of(pids: list[int]) -> None:
    wait_until(lambda: not any(map(is_running, pids)), f"the end of {pids}")
