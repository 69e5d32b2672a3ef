"""The event hub: what happened lately, and who waits for more of it.

The ring of the latest events is the only memory. A subscriber is a position in it and nothing else: one that reads
slowly, or not at all, costs what its connection's buffers hold, and when the ring has moved past it, it gets a `reset`.
Publishing appends and returns. How often waiting subscribers are woken depends on what that costs: all of them
together get a small share of the event loop's time, however many they are.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic_core import to_json

from sidecar.clock import Clock
from sidecar.errors import TooManyStreams
from sidecar.models.events import Hello, Reset, ResetReason, Start
from sidecar.storage.interfaces import STORE_REPLACED, Change

MAX_EVENTS = 4_096
MAX_BYTES = 4 * 1024 * 1024
"""Largest size of the ring of events, in bytes of encoded events."""

HEARTBEAT_S = 15.0
"""Seconds between comments in a silent stream. A client that receives nothing for two of these has lost its connection.
"""

LARGEST_SEND = 32 * 1024
"""Bytes after which the rest of what is pending waits for another send, so that a flood is never one piece."""

MAX_STREAMS = 128
"""Streams at a time. Each keeps a connection for itself, and other requests need some, too."""

SHARE = 0.02
"""Of the event loop's time, for handing subscribers what is new. What the system then does to send it costs as much
again, and cannot be measured from here."""

LONGEST_PAUSE_S = 2.0
"""Between two rounds. A machine that stands still in the midst of one makes it look as dear as it was long. With 0.25,
a hundred subscribers that never read took a tenth of the creates; with 2, a twentieth (the bench's row `deaf`)."""


class _Event(NamedTuple):
    topic: str
    encoded: bytes


class EventHub:
    """The events of one instance, numbered from 1. Lives on one event loop."""

    def __init__(
        self,
        instance: str,
        clock: Clock,
        *,
        max_events: int = MAX_EVENTS,
        max_bytes: int = MAX_BYTES,
        max_streams: int = MAX_STREAMS,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._instance = instance
        self._clock = clock
        self._max_streams = max_streams
        self._heartbeat_s = heartbeat_s
        self._places = 0
        self._ring: list[_Event | None] = [None] * max_events
        self._max_bytes = max_bytes
        self._bytes = 0
        self._oldest = 1
        self._next = 1
        self._replaced_at = 0
        self._waiting: set[asyncio.Future[None]] = set()
        self._streams = 0
        self._round: asyncio.TimerHandle | None = None
        self._in_round = False
        self._next_round_at = 0.0
        self._heartbeat: asyncio.TimerHandle | None = None
        self._beats = 0
        self._closed = False

    @property
    def position(self) -> int:
        """The number of the latest event; 0 before the first."""
        return self._next - 1

    @property
    def held_bytes(self) -> int:
        """The size of the events that are remembered."""
        return self._bytes

    @property
    def subscribers(self) -> int:
        """How many streams there are."""
        return self._streams

    def on_changes(self, changes: Sequence[Change]) -> None:
        """Publish what a commit changed; to be subscribed to a storage. More than the ring can hold resets everyone."""
        if len(changes) > len(self._ring):
            self._forget_all()
            changes = ()
        for change in changes:
            if change is STORE_REPLACED:
                self._forget_all()
                self._replaced_at = self.position
                continue
            self._append(change.topic, {"topic": change.topic, "id": change.id, **(change.data or {})})
        self._wake()

    def publish(self, topic: str, data: Mapping[str, Any]) -> None:
        """Send `data`, which must be JSON values, to every subscriber of `topic`. Never waits."""
        self._append(topic, {**data, "topic": topic})
        self._wake()

    def close(self) -> None:
        """End every stream, those too that begin later."""
        self._closed = True
        for timer in (self._round, self._heartbeat):
            if timer is not None:
                timer.cancel()
        self._wake_all()

    def take_place(self) -> None:
        """Take one of the places for streams, until `give_place_back`. Raises `TooManyStreams`."""
        if self._places >= self._max_streams:
            raise TooManyStreams(
                f"{self._max_streams} streams of events are open, as many as this sidecar serves; close one of them."
            )
        self._places += 1

    def give_place_back(self) -> None:
        """Give back what `take_place` took."""
        self._places -= 1

    async def stream(
        self, last_event_id: str | None = None, topics: Collection[str] | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The stream of one subscriber, in pieces to send: all that is pending at a time, or a heartbeat.

        `last_event_id` is the last id that the subscriber saw. Ends when the hub is closed.
        """
        self._streams += 1
        self._start_heartbeat()
        try:
            position, opening = self._open(last_event_id)
            yield opening
            beats = self._beats
            while not self._closed:
                pending, position = self._pending(position, topics)
                if pending:
                    yield pending
                elif beats != self._beats:
                    beats = self._beats
                    yield b": still here\nid: %s\n\n" % self._id(position)
                else:
                    await self._more()
        finally:
            self._streams -= 1

    def _append(self, topic: str, data: Mapping[str, Any]) -> None:
        encoded = _encode(topic, to_json(data), self._id(self._next))
        if self._next - self._oldest == len(self._ring):
            self._forget_oldest()
        self._ring[self._next % len(self._ring)] = _Event(topic, encoded)
        self._bytes += len(encoded)
        self._next += 1
        while self._bytes > self._max_bytes:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        slot = self._oldest % len(self._ring)
        event = self._ring[slot]
        assert event is not None
        self._bytes -= len(event.encoded)
        self._ring[slot] = None
        self._oldest += 1

    def _forget_all(self) -> None:
        """Have every subscriber reset."""
        while self._oldest < self._next:
            self._forget_oldest()
        # One number is left out, so that even a subscriber that has heard everything is behind.
        self._next += 1
        self._oldest = self._next

    def _missed(self, position: int) -> ResetReason:
        return ResetReason.REPLACED if position < self._replaced_at else ResetReason.MOVED_ON

    def _open(self, last_event_id: str | None) -> tuple[int, bytes]:
        """Where a stream begins, and its first piece."""
        if last_event_id is None:
            return self.position, self._hello("new", self.position)
        found = self._find(last_event_id)
        if isinstance(found, ResetReason):
            return self.position, self._hello("reset", self.position) + self._reset(found)
        return found, self._hello("resumed", found)

    def _find(self, last_event_id: str) -> int | ResetReason:
        """The position that an id names, or why a stream cannot begin there."""
        instance, _, number = last_event_id.rpartition("-")
        if not instance or not number.isascii() or not number.isdigit() or len(number) > 18:
            return ResetReason.MALFORMED
        if instance != self._instance:
            return ResetReason.ANOTHER_INSTANCE
        if int(number) > self.position:
            return ResetReason.MALFORMED
        return int(number) if int(number) >= self._oldest - 1 else self._missed(int(number))

    def _pending(self, position: int, topics: Collection[str] | None) -> tuple[bytes, int]:
        """The next piece for a subscriber at this position, and its position after that."""
        if position < self._oldest - 1:
            return self._reset(self._missed(position)), self.position
        pieces: list[bytes] = []
        size = 0
        while position < self.position and size < LARGEST_SEND:
            position += 1
            event = self._ring[position % len(self._ring)]
            assert event is not None
            if topics is None or event.topic in topics or f"{event.topic.partition('.')[0]}.*" in topics:
                pieces.append(event.encoded)
                size += len(event.encoded)
        return b"".join(pieces), position

    def _hello(self, start: Start, position: int) -> bytes:
        return _encode(
            "hello", Hello(instance=self._instance, start=start).model_dump_json().encode(), self._id(position)
        )

    def _reset(self, reason: ResetReason) -> bytes:
        return _encode("reset", Reset(reason=reason).model_dump_json().encode(), self._id(self.position))

    def _id(self, number: int) -> bytes:
        return f"{self._instance}-{number}".encode()

    async def _more(self) -> None:
        """Wait for an event, a heartbeat or the end."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)

    def _wake(self) -> None:
        """Have a round now, or when the pause after the last one is over."""
        if not self._waiting or self._round is not None or self._in_round or self._closed:
            return
        pause = self._next_round_at - self._clock.monotonic()
        if pause <= 0:
            self._begin_round()
        else:
            self._round = asyncio.get_running_loop().call_later(pause, self._begin_round)

    def _begin_round(self) -> None:
        """Wake everyone who waits, and measure what they do until they wait again.

        The loop runs callbacks in the order of their scheduling, so nothing but that lies between the two measurements.
        """
        loop = asyncio.get_running_loop()
        self._round = None
        self._in_round = True
        sent, began = self.position, [0.0]
        loop.call_soon(lambda: began.append(self._clock.monotonic()))
        self._wake_all()
        loop.call_soon(lambda: self._end_round(sent, self._clock.monotonic() - began[-1]))

    def _end_round(self, sent: int, took: float) -> None:
        self._in_round = False
        self._next_round_at = self._clock.monotonic() + min(took * (1 - SHARE) / SHARE, LONGEST_PAUSE_S)
        if sent < self.position:
            self._wake()

    def _wake_all(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    def _start_heartbeat(self) -> None:
        if self._heartbeat is None and not self._closed:
            self._heartbeat = asyncio.get_running_loop().call_later(self._heartbeat_s, self._beat)

    def _beat(self) -> None:
        self._heartbeat = None
        self._beats += 1
        if self._streams:
            self._wake_all()
            self._start_heartbeat()


def _encode(event: str, data: bytes, event_id: bytes) -> bytes:
    return b"event: %s\nid: %s\ndata: %s\n\n" % (event.encode(), event_id, data)
