"""A transport that hands the small writes of one turn of the event loop to the system at once, and always closes.

uvicorn writes the head of an answer and its body one after the other, and each write is a call of the system: the
second was a tenth of what the event loop does for a request.
"""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Any

LARGEST_JOINED_WRITE = 16 * 1024
"""Bytes from which on a part is written at once, and not copied."""

LINGER_S = 5.0
"""After closing, for a peer to take something of what is still to be sent to it. Each time that it does, once more."""


class CoalescingTransport:
    """The part of a transport that uvicorn's connections use; all but writing and closing is the transport's own."""

    def __init__(self, transport: Any, loop: AbstractEventLoop, may_give_up: Callable[[], bool]) -> None:
        """`may_give_up` says whether a peer that takes nothing more of what is left is given up."""
        self._transport = transport
        self._loop = loop
        self._may_give_up = may_give_up
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
        """Close when everything is sent, or when the peer no longer takes anything of it and may be given up."""
        if self._transport.is_closing():
            return
        self._flush()
        self._transport.close()
        self._linger()

    def _linger(self) -> None:
        left = self._transport.get_write_buffer_size()
        if left > 0:
            self._loop.call_later(LINGER_S, self._abort_unless_taken, left)

    def _abort_unless_taken(self, left: int) -> None:
        if self._transport.get_write_buffer_size() < left or not self._may_give_up():
            self._linger()
        else:
            self._transport.abort()

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
