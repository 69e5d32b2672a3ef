"""The limit on open files and connections: a low limit is raised, or the start is refused.

Without that, a process with too few descriptors fails anywhere, in the middle of an import or inside the event loop,
with any message. macOS gives a program that is started from the desktop 256.
"""

import sys

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
    if sys.platform == "win32":  # has no such limit
        return WANTED
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _number(soft, resource.RLIM_INFINITY)
    if limit < WANTED:
        wanted = min(WANTED, _number(hard, resource.RLIM_INFINITY))
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            limit = wanted
        except (OSError, ValueError):  # a system may allow less than it says
            pass
    if limit < NEEDED:
        raise TooFewDescriptors(
            f"The process may open {limit} files at a time, and needs at least {NEEDED}; raise the limit (`ulimit -n`)."
        )
    return limit


def connections_within(limit: int) -> int:
    """Return how many connections that limit leaves room for, if there may be twice as many for a moment."""
    return (limit - OWN) // 2


def _number(limit: int, infinity: int) -> int:
    return WANTED if limit == infinity else limit
