"""The key under which a unit of work is done at most once."""

from typing import NamedTuple


class IdempotencyKey(NamedTuple):
    """Names one intended change; sent again with a repeated request, it brings back the first one's result.

    `fingerprint` stands for the content of the request, so that a key used for something else is noticed.
    """

    value: str
    fingerprint: bytes = b""
