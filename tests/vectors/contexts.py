"""Contexts to test with, and a stand-in for an embedding endpoint."""

import hashlib
import json
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sidecar.models.contexts import ProcessedContextInput

DIMENSION = 8


def context(
    context_id: str | None = None, *vector: float, kind: str = "knowledge", **more: Any
) -> ProcessedContextInput:
    """A context of this type with this vector; without one, its text has to become one."""
    extracted = {"context_type": kind, **more.pop("extracted_data", {})}
    given = {"id": context_id, "extracted_data": extracted, "vector": list(vector) or None, **more}
    return ProcessedContextInput.model_validate(given)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """By the definition."""
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / (math.hypot(*one) * math.hypot(*other))


def embedding_of(text: str) -> list[float]:
    """What the stand-in makes of a text: the same for the same text."""
    return [byte - 127.5 for byte in hashlib.sha256(text.encode()).digest()[:DIMENSION]]


class EmbeddingServer:
    """What was asked of the stand-in, and how it is to answer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[dict[str, Any]] = []
        self.authorizations: list[str | None] = []
        self.status = 200
        self.body: bytes | None = None


@contextmanager
def embedding_server() -> Iterator[EmbeddingServer]:
    """A real server on the loopback that answers as OpenAI's does, the vectors in no particular order."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.requests.append({"path": self.path, **asked})
            state.authorizations.append(self.headers["Authorization"])
            vectors = [{"index": index, "embedding": embedding_of(text)} for index, text in enumerate(asked["input"])]
            body = state.body if state.body is not None else json.dumps({"data": vectors[::-1]}).encode()
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = EmbeddingServer(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
