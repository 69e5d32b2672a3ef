"""Texts that are not UTF-8: SQLite stores whatever bytes it is given, and Python refuses to read them as text.

Statements run with Python's own decoding, which is fast. Only a statement that met such a text runs again inside
`any_text`.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


class Undecodable(bytes):
    """The bytes of a text that is not UTF-8."""


def decode_or_keep(encoded: bytes) -> str | Undecodable:
    """Return the text, or its bytes where it is not UTF-8: a connection's `text_factory`."""
    try:
        return encoded.decode()
    except UnicodeDecodeError:
        return Undecodable(encoded)


@contextmanager
def any_text(connection: sqlite3.Connection) -> Iterator[None]:
    """Read texts that are not UTF-8 as `Undecodable` for a while."""
    usual = connection.text_factory
    connection.text_factory = decode_or_keep
    try:
        yield
    finally:
        connection.text_factory = usual


def met_undecodable_text(error: BaseException | None) -> bool:
    """Return whether a statement failed because a text is not UTF-8.

    It is the only `OperationalError` that is Python's own and not SQLite's, so it has no result code.
    """
    return type(error) is sqlite3.OperationalError and getattr(error, "sqlite_errorcode", None) is None
