"""The description of how one of our tables is filled from a table of one of the seeds' systems."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sidecar.storage.sqlite.adoption.conversions import Convert


class Column(NamedTuple):
    """One of our columns: how values are converted for it, and the default in place of an absent or unfit one.

    `sources` are the seeds' columns that may hold the value; without any, it is the column of the same name.
    """

    convert: Convert
    default: Any = None
    sources: tuple[str, ...] = ()

    def source_in(self, row: Mapping[str, Any], name: str) -> str:
        """Return the column of a seed's row that holds the value of our column `name`."""
        return next((source for source in self.sources if row.get(source) is not None), name)


class Parent(NamedTuple):
    """A reference to the row that a row belongs to.

    A row whose parent is not there is set aside, or with `lift` is kept without a parent.
    """

    column: str
    table: str
    lift: str | None = None
    """The reason that is given when a row loses a parent that is not there, or does not meet `must`."""
    must: str = "TRUE"
    """A condition in SQL on `parent` and `child`."""


class Carried(NamedTuple):
    """One of our tables, and the seeds' table that its rows come from."""

    table: str
    source: str
    key: str
    columns: Mapping[str, Column]
    parents: tuple[Parent, ...] = ()
    needs: str | None = None
    """A column without which the source has a shape that holds no such rows."""
    newest_by: tuple[str, Convert] | None = None
    """A column with a time, and its conversion: of several rows for one key, the one with the latest time is kept."""
    adds_up: str | None = None
    """An upsert clause that adds the row's counts to a row that has the same key."""
    thread: tuple[str, ...] = ()
    """For rows whose missing thread is made: the columns with the first and the last time of the thread."""

    @property
    def known_columns(self) -> set[str]:
        """Names of the source's columns that are read."""
        named = {source for name, column in self.columns.items() for source in column.sources or (name,)}
        return {self.key, *named}
