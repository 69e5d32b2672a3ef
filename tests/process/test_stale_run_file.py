"""The command-line tools beside a `run.json` that nobody stands behind: its port may be anybody's by now."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from sidecar.cli import main

from .conftest import Hosts
from .host import Host


class Listener:
    """Somebody else's program, which listens on a port and keeps what it is sent. It answers as a sidecar might."""

    def __init__(self, port: int, instance: str) -> None:
        self.connections = 0
        self.received = b""
        body = json.dumps({"status": "live", "instance": instance, "pid": 1, "version": "1"}).encode()
        self._answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self._socket.listen()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.sendall(b"end")
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                piece = connection.recv(65_536)
                if piece == b"end":
                    return
                self.connections += 1
                self.received += piece
                connection.sendall(self._answer)


@contextmanager
def listening(port: int = 0, instance: str = "0" * 16) -> Iterator[Listener]:
    listener = Listener(port, instance)
    try:
        yield listener
    finally:
        listener.close()


def killed(hosts: Hosts) -> tuple[Host, bytes]:
    """A sidecar that was killed, and the `run.json` that it left."""
    host = hosts.start()
    host.add_tip("kept")
    host.client.close()
    run_file = (hosts.data_dir / "run.json").read_bytes()
    host.process.kill()
    host.wait()
    return host, run_file


def test_whoever_listens_there_is_sent_nothing(hosts: Hosts, tmp_path: Path) -> None:
    host, run_file = killed(hosts)
    instance = json.loads(run_file)["instance"]
    archive = tmp_path / "export.zip"
    place = ("--data-dir", hosts.data_dir)
    with listening(host.port, instance) as listener:
        for arguments in (
            ("export", *place, archive),
            ("import", *place, archive),
            ("backup", *place),
            ("restore", *place, "--list"),
            ("adopted", *place),
            ("doctor", *place),
        ):
            (hosts.data_dir / "run.json").write_bytes(run_file)
            assert main([str(argument) for argument in arguments]) == 0, arguments
        assert (listener.connections, listener.received) == (0, b"")
    assert hosts.start().tips() == ["kept"]


@pytest.mark.parametrize(("command", "code"), [("backup", 3), ("doctor", 1)])
def test_while_another_process_has_the_directory_no_token_is_sent(hosts: Hosts, command: str, code: int) -> None:
    host, run_file = killed(hosts)
    with FileLock(hosts.data_dir / "sidecar.lock"), listening() as listener:
        running = {**json.loads(run_file), "url": f"http://127.0.0.1:{listener.port}"}
        (hosts.data_dir / "run.json").write_text(json.dumps(running))
        assert main([command, "--data-dir", str(hosts.data_dir)]) == code
        assert listener.connections == 1
        assert listener.received.startswith(b"GET /health/live ")
        assert host.token.encode() not in listener.received
