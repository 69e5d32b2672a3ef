"""The listening socket, bound before anything else happens.

Another program can take a free port that is looked for and handed on. The kernel gives one that is ours from the first
moment. Connections made before the server runs wait in the backlog.
"""

import socket

from sidecar import platform
from sidecar.errors import BadConfiguration

HOST = "127.0.0.1"
BACKLOG = 1024

BUFFER_BYTES = 128 * 1024
"""Size of the system's buffers of a connection, for each direction. By default, some megabytes of answers can wait for
a peer that does not read, and a transfer on one computer is no faster for that.
"""


def listen(port: int) -> socket.socket:
    """Return a socket that listens on the loopback address; the kernel chooses the port if it is 0.

    Raises `BadConfiguration` when somebody else has the port.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    platform.share_port_after_use(listener)
    for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):  # what is accepted inherits them
        listener.setsockopt(socket.SOL_SOCKET, buffer, BUFFER_BYTES)
    try:
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else "a port is a number from 0 to 65535"
        raise BadConfiguration(f"The port {port} of {HOST} cannot be used: {reason}.") from error
    listener.setblocking(False)
    return listener
