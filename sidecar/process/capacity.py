"""How many connections there may be, and which of them give way to a new one.

A stranger is a connection that has not shown the token. Any program of the computer can make strangers by the hundred,
so they give way first, and they cannot take the places of those that have shown it. A new connection is a stranger,
too: room is made a moment after it was accepted, so that what it has sent meanwhile is read and answered first.
"""

import asyncio
from typing import TYPE_CHECKING, cast

from uvicorn.server import ServerState

if TYPE_CHECKING:
    from sidecar.process.connections import BoundedConnection

MAX_CONNECTIONS = 200
"""More than a host needs, and few enough to be looked through whenever room is made."""

RESERVED_FOR_STRANGERS = 32
"""Strangers that stay although all other places are taken: among them is the next probe of the host. Where there are
few places, a quarter of them."""

MOMENT_S = 0.01
"""Between accepting a connection too many and making room. Data that came with it is read in the meantime."""

STALLED_S = 5.0
"""A peer that has taken nothing of its answer for so long gives way, even if it has shown the token."""


class Connections(ServerState):
    """All connections of a server, with the limit on their number."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.is_stopping = False
        self._capacity = capacity
        self._reserved = min(RESERVED_FOR_STRANGERS, capacity // 4)
        self._room: asyncio.Handle | None = None

    def came(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have room made when there are too many; to be called for each new connection."""
        count = len(self.connections)
        if count > 2 * self._capacity:
            self._make_room(2 * self._capacity)
        elif count > self._capacity and self._room is None:
            self._room = loop.call_later(MOMENT_S, self._make_room_after_a_moment)

    def _make_room_after_a_moment(self) -> None:
        self._room = None
        self._make_room(self._capacity)

    def _make_room(self, limit: int) -> None:
        """Close the excess: first those that end anyway, then strangers, then whoever is idle or does not read."""
        closing, strangers, known = self._by_rank()
        strangers.sort(key=lambda one: one.active_at)
        known.sort(key=lambda one: one.active_at)
        surplus = max(0, len(strangers) - self._reserved)
        leaving = [*closing, *strangers[:surplus], *known]
        if limit > self._capacity:  # a flood, and nothing may be spared
            leaving += strangers[surplus:]
        for connection in leaving[: max(0, len(self.connections) - limit)]:
            connection.leave()

    def _by_rank(self) -> "tuple[list[BoundedConnection], list[BoundedConnection], list[BoundedConnection]]":
        """Return those that are closing, the strangers, and the known ones that are idle or stalled."""
        closing, strangers, known = [], [], []
        for connection in cast("set[BoundedConnection]", self.connections):
            if connection.transport.is_closing():
                closing.append(connection)
            elif not connection.is_known:
                strangers.append(connection)
            elif connection.is_idle or connection.stalled_for() > STALLED_S:
                known.append(connection)
        return closing, strangers, known
