"""A transport that hands the small writes of one turn of the event loop to the system at once.

uvicorn writes the head of an answer and its body one after the other, and each write is a call of the system: the
second was a tenth of what the event loop does for a request.
"""

from asyncio import AbstractEventLoop
from typing import Any

LARGEST_JOINED_WRITE = 16 * 1024
"""Bytes from which on a part is written at once, and not copied."""


class JoinedWrites:
    """The part of a transport that uvicorn's connections use; all but writing and closing is the transport's own."""

    def __init__(self, transport: Any, loop: AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._bytes = 0

    def write(self, data: bytes) -> None:
        # Much is not worth a copy; and who writes much without waiting has to find out when nobody takes it.
        if len(data) > LARGEST_JOINED_WRITE:
            self._flush()
            self._transport.write(data)
            return
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)
        self._bytes += len(data)
        if self._bytes > LARGEST_JOINED_WRITE:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def get_write_buffer_size(self) -> int:
        return self._bytes + int(self._transport.get_write_buffer_size())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        if self._parts:
            data = b"".join(self._parts)
            self._parts.clear()
            self._bytes = 0
            if not self._transport.is_closing():
                self._transport.write(data)
