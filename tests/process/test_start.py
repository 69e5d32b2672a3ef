"""From the start to `ready`: the socket first, then the status lines in their order."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sidecar import API_VERSION, __version__
from sidecar.storage.sqlite.schema.upgrade import latest_version

from .conftest import Hosts
from .host import Host
from .patches import LONG_MIGRATION, PRINTING_EVERYWHERE

TELLING_IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1"}
"""Has Python write a line to standard error for each module, when it has been imported."""


def imported(host: Host) -> list[str]:
    """The modules, in the order in which their imports ended."""
    lines = [line for line in host.stderr.splitlines() if line.startswith("import time:")]
    return [line.rpartition("|")[2].strip() for line in lines]


def test_bound_comes_first_and_ready_last(shared_host: Host) -> None:
    names = [status["event"] for status in shared_host.events]
    assert (names[0], names[-1]) == ("bound", "ready")
    assert set(names[1:-1]) == {"stage"}


def test_bound_needs_no_bootstrap_and_names_port_process_instance_and_versions(hosts: Hosts) -> None:
    host = hosts.spawn()
    bound = host.event("bound")
    assert bound.keys() == {"event", "port", "pid", "instance", "version", "api_version"}
    assert (bound["version"], bound["api_version"]) == (__version__, API_VERSION)
    assert bound["pid"] == host.process.pid
    assert 0 < bound["port"] < 65536
    assert bytes.fromhex(bound["instance"])


def test_bound_waits_for_no_import_that_can_come_later(hosts: Hosts) -> None:
    modules = imported(hosts.start(environment=TELLING_IMPORTS))
    before_bound = modules[: modules.index("sidecar.process.launch")]
    assert "socket" in before_bound
    later = {"argparse", "asyncio", "fastapi", "logging", "pathlib", "pydantic", "secrets"}
    assert later & set(before_bound) == set()


def test_ready_waits_for_no_import_that_may_never_be_needed(hosts: Hosts) -> None:
    modules = imported(hosts.start(environment=TELLING_IMPORTS))
    assert "uvicorn" in modules
    seldom = {"argparse", "httpx", "numpy", "sidecar.api.openapi", "sidecar.tools", "tomllib"}
    assert seldom & set(modules) == set()


def test_a_request_made_when_only_bound_is_answered_once_ready(hosts: Hosts) -> None:
    host = hosts.spawn()
    host.event("bound")
    with ThreadPoolExecutor() as pool:
        request = f"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1:{host.port}\r\n\r\n"
        answer = pool.submit(host.exchange, request.encode())
        host.bootstrap()
        assert answer.result().status == 200


def test_ready_names_port_process_instance_and_versions(shared_host: Host) -> None:
    bound, ready = shared_host.events[0], shared_host.events[-1]
    assert ready == {
        **bound,
        "event": "ready",
        "schema_version": latest_version(),
    }


def test_live_tells_the_instance_and_process_that_ready_told(shared_host: Host) -> None:
    live = shared_host.client.get("/health/live", headers={"Authorization": ""}).json()
    assert live == {
        "status": "live",
        "instance": shared_host.events[-1]["instance"],
        "pid": shared_host.pid,
        "version": __version__,
    }


def test_each_run_is_an_instance_and_gets_a_port_of_its_own(shared_host: Host, hosts: Hosts) -> None:
    other = hosts.start()
    assert shared_host.events[-1]["instance"] != other.events[-1]["instance"]
    assert shared_host.port != other.port


def test_every_component_is_healthy_from_the_start(shared_host: Host) -> None:
    health = shared_host.client.get("/health/ready").json()
    assert health["status"] == "ready"
    assert {name for name, component in health["components"].items() if not component["ok"]} == set()


def test_whatever_prints_only_status_lines_reach_standard_output(hosts: Hosts) -> None:
    host = hosts.start(patch=PRINTING_EVERYWHERE)
    hosts.stop(host)
    names = [status["event"] for status in host.remaining_events()]  # which reads every line as JSON
    assert [name for name in names if name != "stage"] == ["bound", "ready", "stopping"]
    for text in ("from print", "from the original standard output", "from the file descriptor", "from a child"):
        assert text in host.stderr


def test_a_first_start_tells_that_it_makes_the_database(shared_host: Host) -> None:
    (stage,) = [status for status in shared_host.events if status["event"] == "stage"]
    assert (stage["stage"], stage["detail"]) == ("migrating", "Making the database")


def test_a_second_start_has_nothing_to_tell_but_bound_and_ready(hosts: Hosts) -> None:
    hosts.stop(hosts.start())
    assert [status["event"] for status in hosts.start().events] == ["bound", "ready"]


def test_a_stage_that_goes_on_is_told_again(hosts: Hosts) -> None:
    host = hosts.start(patch=LONG_MIGRATION.format(seconds=0.5))
    assert host.stages.count("migrating") >= 3


def test_a_chosen_port_is_used(hosts: Hosts) -> None:
    first = hosts.start()
    hosts.stop(first)
    assert hosts.start(arguments=["--port", str(first.port)]).port == first.port


def test_a_port_in_use_is_refused_by_its_number(shared_host: Host, hosts: Hosts) -> None:
    port = str(shared_host.port)
    failed = hosts.begin(arguments=["--port", port]).refusal()
    assert (failed["exit_code"], failed["code"]) == (2, "bad_configuration")
    assert port in failed["message"]


@pytest.mark.parametrize("port", ["65536", "-1"])
def test_a_port_that_cannot_exist_is_refused_by_its_number(hosts: Hosts, port: str) -> None:
    failed = hosts.begin(arguments=["--port", port]).refusal()
    assert (failed["exit_code"], failed["code"]) == (2, "bad_configuration")
    assert port in failed["message"]


def test_a_start_in_a_synced_folder_warns_and_health_keeps_saying_so(hosts: Hosts, tmp_path: Path) -> None:
    host = hosts.start(tmp_path / "Dropbox" / "app")
    warning = host.event("warning")
    assert warning["code"] == "synced_folder"
    assert "is kept in sync by Dropbox" in warning["message"]
    answer = host.client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["components"]["data_directory"]["detail"] == warning["message"]
