"""The HTTP server: uvicorn on our own socket, without its signal handlers and its polling.

uvicorn's own loop wakes ten times a second for a date header that nobody reads here and to look for a signal, and its
stop sleeps in steps of 100 ms. This one waits for what it is told.
"""

import asyncio
import socket

import uvicorn
from starlette.types import ASGIApp

from sidecar.process.capacity import MAX_CONNECTIONS, Connections
from sidecar.process.connections import BoundedConnection

GRACE_S = 3.0
"""For requests that are being answered when the server stops."""

UNREAD_S = 0.4
"""For peers to take what was sent to them; one that does not read is not waited for."""

KEEP_ALIVE_S = 75
"""Longer than any host's agent keeps an idle connection, so that it is never closed under a request on its way."""


class Server:
    """Serves one app on one socket, from `start` to `stop`."""

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

    async def start(self, listener: socket.socket) -> None:
        """Accept connections, those first that were made since the socket began to listen."""
        await self._server.startup(sockets=[listener])

    async def stop(self) -> None:
        """Accept no more, let the requests that are being answered finish, close every connection."""
        unread = asyncio.get_running_loop().call_later(UNREAD_S, self._drop_unread)
        state = self._connections
        # The loop may have accepted connections of which it has not yet told: they are closed when it does.
        state.is_stopping = True
        for server in self._server.servers:
            server.close()
        for connection in list(state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(GRACE_S):
                while state.connections or state.tasks:  # noqa: ASYNC110 - uvicorn tells of neither's end
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
