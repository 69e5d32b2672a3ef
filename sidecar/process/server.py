"""The HTTP server: uvicorn on our own socket, without its signal handlers and its polling.

uvicorn's own loop wakes ten times a second for a date header that nobody reads here and to look for a signal, and its
stop sleeps in steps of 100 ms. This one waits for events.
"""

import asyncio
import socket
from collections.abc import Mapping
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from sidecar.process.capacity import MAX_CONNECTIONS, Connections
from sidecar.process.connections import BoundedConnection

GRACE_S = 3.0
"""Seconds for requests that are being answered when the server stops."""

UNREAD_S = 0.4
"""Seconds for peers to read what was sent to them."""

KEEP_ALIVE_S = 75
"""Seconds that an idle connection stays open: longer than any host's agent keeps it, so that no request meets a close.
"""


class Server:
    """A server of one app on one socket, from `start` to `stop`."""

    def __init__(self, app: ASGIApp, max_connections: int = MAX_CONNECTIONS) -> None:
        config = uvicorn.Config(
            app,
            access_log=False,
            date_header=False,
            http=BoundedConnection,
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            ws="none",
        )
        config.load()
        self._connections = Connections(max_connections)
        self._server = uvicorn.Server(config)
        self._server.server_state = self._connections
        self._server.lifespan = config.lifespan_class(config)

    async def start(self, listener: socket.socket, state: Mapping[str, Any] | None = None) -> None:
        """Accept connections, beginning with those in the backlog; each request has a copy of the `state`."""
        self._server.lifespan.state.update(state or {})
        await self._server.startup(sockets=[listener])

    async def stop(self) -> None:
        """Stop accepting connections, let running requests finish, and close every connection."""
        unread = asyncio.get_running_loop().call_later(UNREAD_S, self._drop_unread)
        state = self._connections
        # The loop may have accepted connections that it has not reported yet: they are closed when it does.
        state.is_stopping = True
        for server in self._server.servers:
            server.close()
        for connection in list(state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(GRACE_S):
                while state.connections or state.tasks:  # noqa: ASYNC110 - uvicorn signals the end of neither
                    await asyncio.sleep(0.002)
        except TimeoutError:
            for task in state.tasks:
                task.cancel()
        finally:
            unread.cancel()

    def _drop_unread(self) -> None:
        for connection in list(self._connections.connections):
            if connection.transport.get_write_buffer_size() > 0:
                connection.transport.abort()
