"""The limit on the number of connections, and the order in which connections are closed for new ones.

A stranger is a connection that has not shown the token. Any program of the computer can make strangers by the hundred,
so they give way first, and they cannot take the places of those that have shown it. A new connection is a stranger,
too: room is made a moment after it was accepted, so that what it has sent meanwhile is read and answered first.
"""

import asyncio
from itertools import count
from typing import Protocol, cast

from uvicorn.server import ServerState

MAX_CONNECTIONS = 200
"""Largest number of connections: more than a host needs, and few enough to rank them at each close."""

RESERVED_FOR_STRANGERS = 32
"""Number of strangers that are kept even if all other places are taken: the next probe of the host is among them. With
a small limit it is a quarter of the limit.
"""

MOMENT_S = 0.01
"""Seconds between accepting an excess connection and closing others. Data that came with it is read in the meantime."""

STALLED_S = 5.0
"""Seconds without progress after which a peer that does not read its answer may be closed, even with the token."""


class Connection(Protocol):
    """One connection, as far as its place depends on it; see `connections.py`."""

    transport: asyncio.Transport
    last_active: int

    @property
    def is_known(self) -> bool:
        """Return whether the peer has shown the token."""

    @property
    def is_idle(self) -> bool:
        """Return whether no request is being answered."""

    def stalled_for(self) -> float:
        """Return for how many seconds its peer has not taken anything of what waits to be sent."""

    def leave(self) -> None:
        """Close the connection, without waiting for a peer that does not read."""


class Connections(ServerState):
    """All connections of a server, with the limit on their number."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.is_stopping = False
        self._capacity = capacity
        self._reserved = min(RESERVED_FOR_STRANGERS, capacity // 4)
        self._room: asyncio.Handle | None = None
        self._moments = count(1)

    def next_moment(self) -> int:
        """Return a larger number at each call: connections that came in one turn of the event loop have one time."""
        return next(self._moments)

    def came(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close connections if there are too many. Call it for each new connection."""
        number = len(self.connections)
        if number > 2 * self._capacity:
            self._make_room(2 * self._capacity)
        elif number > self._capacity and self._room is None:
            self._room = loop.call_later(MOMENT_S, self._make_room_after_a_moment)

    def _make_room_after_a_moment(self) -> None:
        self._room = None
        self._make_room(self._capacity)

    def _make_room(self, limit: int) -> None:
        """Close the excess: first closing connections, then strangers, then idle ones and those that do not read."""
        closing, strangers, known = self._by_rank()
        strangers.sort(key=lambda one: one.last_active)
        known.sort(key=lambda one: one.last_active)
        surplus = max(0, len(strangers) - self._reserved)
        leaving = [*closing, *strangers[:surplus], *known]
        if limit > self._capacity:  # a flood, and nothing may be spared
            leaving += strangers[surplus:]
        for connection in leaving[: max(0, len(self.connections) - limit)]:
            connection.leave()

    def _by_rank(self) -> tuple[list[Connection], list[Connection], list[Connection]]:
        """Return those that are closing, the strangers, and the known ones that are idle or stalled."""
        closing, strangers, known = [], [], []
        for connection in cast("set[Connection]", self.connections):
            if connection.transport.is_closing():
                closing.append(connection)
            elif not connection.is_known:
                strangers.append(connection)
            elif connection.is_idle or connection.stalled_for() > STALLED_S:
                known.append(connection)
        return closing, strangers, known
