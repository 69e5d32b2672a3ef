"""How a sidecar ends when it is asked to: soon, cleanly, with everything that it acknowledged on disk."""

import json
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from .conftest import Hosts
from .host import PATIENCE_S, Host, wait_until
from .patches import LONG_MIGRATION, LONG_UNIT_OF_WORK

AT_ONCE_S = 1.0
"""It takes 50 ms; the rest is for a machine with other work."""


def assert_ended(host: Host, reason: str, within: float = AT_ONCE_S) -> None:
    assert host.wait(within) == 0, host.stderr
    assert host.remaining_events()[-1] == {"event": "stopping", "reason": reason}


def test_the_shutdown_command_ends_it(hosts: Hosts) -> None:
    host = hosts.start()
    host.shutdown()
    assert_ended(host, "shutdown")


def test_the_end_of_the_pipe_ends_it(hosts: Hosts) -> None:
    host = hosts.start()
    host.close_pipe()
    assert_ended(host, "host_gone")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals that a process can be sent")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(hosts: Hosts, number: signal.Signals) -> None:
    host = hosts.start()
    host.process.send_signal(number)
    assert_ended(host, "signal")


def test_the_first_reason_is_the_one_that_is_told(hosts: Hosts) -> None:
    host = hosts.start()
    host.shutdown()
    host.shutdown()
    host.close_pipe()
    assert_ended(host, "shutdown")


def test_a_clean_stop_leaves_no_trace_but_the_rows(hosts: Hosts) -> None:
    host = hosts.start()
    host.add_tip("kept")
    hosts.stop(host)
    assert {path.name for path in hosts.data_dir.iterdir()} == {
        "sidecar.db",
        "sidecar.db.closed",
        "sidecar.db.lock",
        "sidecar.lock",
        "logs",
    }
    assert "WARNING" not in host.stderr
    assert "ERROR" not in host.stderr


def test_rows_are_there_after_a_restart(hosts: Hosts) -> None:
    host = hosts.start()
    row = host.add_tip("kept")
    hosts.stop(host)
    again = hosts.start()
    assert again.client.get("/tips").json()["items"][0]["id"] == row


def test_idle_connections_do_not_delay_the_end(hosts: Hosts) -> None:
    host = hosts.start()
    clients = [host.new_client() for _ in range(20)]
    for client in clients:
        assert client.get("/todos").status_code == 200
    with (
        socket.create_connection(("127.0.0.1", host.port)) as silent,
        socket.create_connection(("127.0.0.1", host.port)) as halfway,
    ):
        halfway.sendall(b"GET /todos HTTP/1.1\r\nHost:")
        host.client.get("/health/live").raise_for_status()
        host.shutdown()
        assert_ended(host, "shutdown")
        assert silent.recv(1) == b""
    for client in clients:
        client.close()


def stop_while_connections_are_made(hosts: Hosts) -> float:
    """Return how many seconds the end took."""
    host = hosts.start()
    request = (
        f"GET /todos HTTP/1.1\r\nHost: 127.0.0.1:{host.port}\r\nAuthorization: Bearer {host.token}\r\n\r\n".encode()
    )
    with ExitStack() as stack:
        began = time.monotonic()
        host.shutdown()
        with suppress(OSError):
            while host.process.poll() is None:
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", host.port), 1))
                connection.sendall(request)
        assert_ended(host, "shutdown", within=4.5)
        return time.monotonic() - began


def test_connections_that_are_made_during_the_stop_do_not_delay_it(hosts: Hosts) -> None:
    assert max(stop_while_connections_are_made(hosts) for _ in range(2)) < AT_ONCE_S


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_stop_of_a_hundred_is_delayed_by_connections_that_are_made_then(hosts: Hosts) -> None:
    assert max(stop_while_connections_are_made(hosts) for _ in range(100)) < 0.3


def test_a_request_that_never_arrives_whole_delays_the_end_only_for_a_while(hosts: Hosts) -> None:
    host = hosts.start()
    head = f"POST /tips HTTP/1.1\r\nHost: 127.0.0.1:{host.port}\r\nAuthorization: Bearer {host.token}\r\n"
    with socket.create_connection(("127.0.0.1", host.port)) as connection:
        connection.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n".encode() + b'{"con')
        host.client.get("/health/live").raise_for_status()
        host.shutdown()
        assert_ended(host, "shutdown", within=4.5)


def test_commands_that_make_no_sense_are_ignored(hosts: Hosts) -> None:
    host = hosts.start()
    lines = [b"", b"shutdown", b"null", b'"shutdown"', b'{"command":["shutdown"]}', b"\xff", b"[" * 100_000]
    for line in lines:
        host.send(line)
    wait_until(lambda: host.stderr.count("unknown command") == len(lines), "the log tells of each")
    assert host.client.get("/health/live").status_code == 200
    host.shutdown()
    assert_ended(host, "shutdown")


def test_a_shutdown_sent_with_the_bootstrap_is_obeyed(hosts: Hosts) -> None:
    host = hosts.begin()
    host.shutdown()
    assert host.wait() == 0
    assert host.remaining_events()[-1] == {"event": "stopping", "reason": "shutdown"}


def test_a_shutdown_during_a_migration_is_obeyed_when_that_is_done(hosts: Hosts) -> None:
    host = hosts.begin(patch=LONG_MIGRATION.format(seconds=0.5))
    host.event("stage")
    host.shutdown()
    assert host.wait() == 0, host.stderr
    assert host.remaining_events()[-1] == {"event": "stopping", "reason": "shutdown"}
    assert hosts.start().stages == []


def test_a_write_in_flight_at_the_shutdown_is_answered(hosts: Hosts) -> None:
    host = hosts.start(patch=LONG_UNIT_OF_WORK.replace("time.sleep(60)", "time.sleep(0.5)"))
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(host.client.post, "/tips", json={"content": "slow"})
        wait_until(lambda: "has begun" in host.stderr, "the unit of work begins")
        host.shutdown()
        assert answer.result().status_code == 201
    assert host.wait() == 0
    assert hosts.start().tips() == ["slow"]


def test_a_host_that_no_longer_reads_status_lines_is_served_to_its_end(hosts: Hosts) -> None:
    command = [sys.executable, "-m", "sidecar", "serve", "--host-pipe"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, cwd=hosts.workplace) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.close()
        line = json.dumps({"protocol": 1, "token": "0" * 64, "data_dir": str(hosts.data_dir)})
        process.stdin.write(line.encode() + b"\n")
        process.stdin.flush()
        wait_until((hosts.data_dir / "run.json").exists, "the sidecar runs")
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0
