"""The processes that the bench measures, and how it speaks to them: sidecars, yardsticks, `wrk`.

What is measured of them is not here.
"""

import json
import re
import secrets
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import toolbox
from toolbox import Command, Failure

QUIET: Mapping[str, object] = {"upkeep": {"enabled": False}, "backups": {"enabled": False}}
"""Settings for measurements that upkeep would disturb."""

BARE = """
import socket, sys, uvicorn
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})
"""
EMPTY_ROUTE = """
import socket, sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.post("/todos")
async def create(): return {}
"""
SERVE = """
config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")
uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""


@dataclass
class Running:
    """A sidecar that is ready, and when it said what, in milliseconds since it was started."""

    url: str
    token: str
    process: subprocess.Popen[str]
    bound_ms: float
    ready_ms: float

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> float:
        """Asks it to stop; returns after how many milliseconds it was gone."""
        assert self.process.stdin is not None
        began = perf_counter()
        self.process.stdin.write('{"command":"shutdown"}\n')
        self.process.stdin.flush()
        self.process.wait()
        return (perf_counter() - began) * 1000


@contextmanager
def sidecar(
    directory: Path,
    settings: Mapping[str, object] | None = None,
    more: Mapping[str, object] | None = None,
    *,
    command: Command | None = None,
) -> Iterator[Running]:
    """A sidecar that is ready; stopped at the end. `more` are further fields of its bootstrap, `command` starts it."""
    token = secrets.token_hex(32)
    bootstrap = {"protocol": 1, "token": token, "data_dir": str(directory), "settings": settings or {}, **(more or {})}
    program: Command = command or [toolbox.venv_program("python"), "-m", "sidecar"]
    began = perf_counter()
    with subprocess.Popen(
        [*program, "serve", "--host-pipe"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(bootstrap) + "\n")
        process.stdin.flush()
        reached = {}
        for line in process.stdout:
            event = json.loads(line)
            reached[event["event"]] = (perf_counter() - began) * 1000
            if event["event"] == "ready":
                break
        else:
            raise Failure("the sidecar did not start; `sidecar serve --data-dir DIR` says why.")
        running = Running(f"http://127.0.0.1:{event['port']}", token, process, reached["bound"], reached["ready"])
        try:
            yield running
        finally:
            if process.poll() is None:
                running.stop()


@contextmanager
def server(app: str) -> Iterator[str]:
    """The URL of a yardstick on uvicorn: `BARE` or `EMPTY_ROUTE`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command: list[str | Path] = [toolbox.venv_program("python"), "-c", app + SERVE, str(listener.fileno())]
        with subprocess.Popen(command, pass_fds=[listener.fileno()]) as process:
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()


def python_ms(code: str) -> float:
    """How long the sidecar's Python takes to run this."""
    began = perf_counter()
    subprocess.run([toolbox.venv_program("python"), "-c", code], check=True)
    return (perf_counter() - began) * 1000


def resident_mb(pid: int, field: str = "VmRSS") -> float:
    """The memory that a process has, or with `VmHWM` the most that it ever had, in megabytes."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        raise Failure("memory is read from /proc, which only Linux has.") from None
    (kibibytes,) = re.findall(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(kibibytes) * 1024 / 1e6


class Client:
    """One connection. What a call takes is timed without making its JSON, and without reading the answer's."""

    def __init__(self, running: Running) -> None:
        self._host = running.url.removeprefix("http://")
        self._token = running.token
        address, _, port = self._host.partition(":")
        self._socket = socket.create_connection((address, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        self._socket.close()

    def call(self, method: str, path: str, body: object = None) -> Any:
        """What the operation answers. Raises Failure when it refuses."""
        head, answer = self._exchange(self._request(method, path, body))
        self._require_success(method, path, head, answer)
        return json.loads(answer) if answer else None

    def timed(self, method: str, path: str, body: object = None) -> float:
        """How many milliseconds the call took. Raises Failure when it is refused."""
        request = self._request(method, path, body)
        began = perf_counter()
        head, answer = self._exchange(request)
        took = (perf_counter() - began) * 1000
        self._require_success(method, path, head, answer)
        return took

    def stream(self, path: str) -> Iterator[bytes]:
        """First nothing, once the stream has begun, of which not a byte is taken then; after that what comes."""
        self._socket.sendall(self._request("GET", path, None))
        if not self._socket.recv(12, socket.MSG_PEEK).endswith(b" 200"):
            raise Failure(f"{path} was refused.")
        yield b""
        while part := self._socket.recv(1 << 18):
            yield part

    def _request(self, method: str, path: str, body: object) -> bytes:
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}", f"Authorization: Bearer {self._token}"]
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        return "\r\n".join([*lines, "", ""]).encode() + content

    def _exchange(self, request: bytes) -> tuple[bytes, bytearray]:
        self._socket.sendall(request)
        received = bytearray()
        while b"\r\n\r\n" not in received:
            received += self._received()
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        while length is not None and len(body) < int(length[1]):
            body += self._received()
        return bytes(head), body

    def _received(self) -> bytes:
        part = self._socket.recv(1 << 18)
        if not part:
            raise Failure("the sidecar closed the connection.")
        return part

    def _require_success(self, method: str, path: str, head: bytes, answer: bytearray) -> None:
        if not head.startswith(b"HTTP/1.1 2"):
            raise Failure(f"{method} {path} was refused: {head.splitlines()[0].decode()} {answer[:300].decode()}")


@contextmanager
def client(running: Running) -> Iterator[Client]:
    with closing(Client(running)) as connected:
        yield connected


@dataclass
class Load:
    """What `wrk` saw: requests a second, their number, and their median latency in milliseconds."""

    rate: float
    requests: int
    median_ms: float


def load(url: str, clients: int, seconds: int, *, token: str = "", script: str = "") -> Load:
    """Requests from so many clients for so long; `script` is Lua for `wrk`. Raises Failure when any is refused."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        # In the script and not in the command line, where everybody could read it.
        file.write(f'wrk.headers["Authorization"] = "Bearer {token}"\n{script}')
        file.flush()
        options = [f"-c{clients}", f"-d{seconds}", "--latency", "--timeout", "30s"]
        output = toolbox.answer(["wrk", "-t1", *options, "--script", file.name, url])
    if "Non-2xx" in output or "Socket errors" in output:
        raise Failure(f"{url} did not serve what the bench sent:\n{output}")
    (rate,) = re.findall(r"Requests/sec: +([\d.]+)", output)
    (requests,) = re.findall(r"(\d+) requests in", output)
    ((value, unit),) = re.findall(r"50% +([\d.]+)(us|ms|s)", output)
    return Load(float(rate), int(requests), float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit])


def posting(body: object) -> str:
    """Lua that has `wrk` post this."""
    return f"""
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    wrk.body = [==[{json.dumps(body)}]==]
    """
