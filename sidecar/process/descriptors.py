"""The limit on open files and connections: a low limit is raised, or the start is refused.

Without that, a process with too few descriptors fails anywhere, in the middle of an import or inside the event loop,
with any message. macOS gives a program that is started from the desktop 256.
"""

from sidecar import platform
from sidecar.errors import TooFewDescriptors

NEEDED = 96
"""Number of descriptors for the database, backups, logs, libraries, and a few connections."""

WANTED = 1024
"""Number of descriptors for all connections, and for as many more in a flood."""

OWN = 64
"""Number of needed descriptors that are not connections."""


def provide() -> int:
    """Raise the process's limit if that is needed and possible; return the limit.

    Raises `TooFewDescriptors` where it stays too low to work.
    """
    limit = platform.raise_descriptor_limit(WANTED)
    if limit < NEEDED:
        raise TooFewDescriptors(
            f"The process may open {limit} files at a time, and needs at least {NEEDED}; raise the limit (`ulimit -n`)."
        )
    return limit


def connections_within(limit: int) -> int:
    """Return how many connections that limit leaves room for, if there may be twice as many for a moment."""
    return (limit - OWN) // 2
