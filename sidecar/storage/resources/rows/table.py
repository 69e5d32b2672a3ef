"""One table as records: the statements that every domain needs, written once.

What changes a row notes it for the subscribers. Table and column names come from this project's own code; values are
always bound.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar

from sidecar.errors import NotFound, RequestRefused
from sidecar.models import timestamps
from sidecar.models.base import Page, StoredRecord
from sidecar.storage.arguments import ChecksArguments
from sidecar.storage.interfaces import Connection, Database, Row, Work
from sidecar.storage.resources.rows.columns import Columns, read_row, usual_json
from sidecar.storage.resources.rows.counting import count
from sidecar.storage.resources.rows.declaration import Declaration, Exported, Searched
from sidecar.storage.resources.rows.pagination import Order, PageRequest, Where, read_page

R = TypeVar("R", bound=StoredRecord)
P = TypeVar("P", bound=Page[Any])


class Resource(ChecksArguments, checks=False):
    """The base of every resource: methods on some tables of a database."""

    def __init_subclass__(cls, *, tables: Sequence[Declaration] = (), checks: bool = True) -> None:
        super().__init_subclass__(checks=checks)
        cls._tables = tuple(tables)

    _tables: ClassVar[tuple[Declaration, ...]] = ()

    def __init__(self, database: Database) -> None:
        self.__database = database

    @property
    def _database(self) -> Database:
        return self.__database

    def _now(self) -> str:
        """Return the present time in stored form."""
        return timestamps.now(self._database.clock)


def tables_of(resource: type) -> tuple[Declaration, ...]:
    """Return the tables that a resource declares."""
    tables: tuple[Declaration, ...] = vars(resource)["_tables"]
    return tables


class Table(Declaration, Generic[R]):
    """Rows of the table `name` as records of one type, whose fields, but for the `computed`, are the columns read.

    Rows are read as this project writes them. Only where that fails are they read column by column, as
    `columns.py` says. Statements are made of its column names only.
    """

    def __init__(
        self,
        name: str,
        record: type[R],
        columns: Columns,
        *,
        kind: str,
        topic: str,
        computed: Collection[str] = (),
        counted: Collection[tuple[str, ...]] = (),
        searched: Searched | None = None,
        exported: Exported | None = None,
        belonging: tuple[str, str] | None = None,
    ) -> None:
        """`kind` is the name of a row in errors, `counted` the columns with an index for totals; see `counting.py`. The
        others are those of `Declaration`."""
        super().__init__(name, columns, topic=topic, searched=searched, exported=exported, belonging=belonging)
        self.kind = kind
        self.counted = frozenset(counted)
        self._record = record
        fields = [field for field in record.model_fields if field not in {*computed, "invalid"}]
        self._stored = {name: column for name, column in columns.items() if name in fields}
        self._json_columns = {name: column.null for name, column in self._stored.items() if column.null is not None}
        self._fields = tuple(fields)
        self.selected = ", ".join(fields)
        """The columns of a record, in SQL."""
        self._writable = frozenset([*fields, *columns])

    def get(self, connection: Connection, row_id: int) -> R:
        """The record with this id. Raises `NotFound`."""
        sql = f"SELECT {self.selected} FROM {self.name} WHERE id = ?"
        return self._found(connection.execute(sql, (row_id,)).fetchone(), row_id)

    def insert(self, work: Work, columns: Mapping[str, Any]) -> R:
        """The new row, with its id and defaults."""
        row = work.connection.execute(self._insert_sql(tuple(columns)), tuple(columns.values())).fetchone()
        work.changed(self.topic, row["id"])
        return self.record(row)

    def insert_many(self, work: Work, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """The ids of new rows, in order; all give the same columns. An error of a row names its place."""
        made = list(located(self.topic, rows))
        self._require_columns(tuple(made[0]))
        ids = work.insert_many(self.name, made)
        for row_id in ids:
            work.changed(self.topic, row_id)
        return ids

    def update(self, work: Work, row_id: int, columns: Mapping[str, Any]) -> R:
        """The row as it is after `columns` were set; without any, as it was. Raises `NotFound`."""
        if not columns:
            return self.get(work.connection, row_id)
        row = work.connection.execute(self._update_sql(tuple(columns)), (*columns.values(), row_id)).fetchone()
        record = self._found(row, row_id)
        work.changed(self.topic, row_id)
        return record

    def delete(self, work: Work, row_id: int) -> None:
        """Remove the row. Raises `NotFound`."""
        sql = f"DELETE FROM {self.name} WHERE id = ? RETURNING {self.selected}"
        self._found(work.connection.execute(sql, (row_id,)).fetchone(), row_id)
        work.changed(self.topic, row_id)

    def page(self, connection: Connection, kind: type[P], where: Where, order: Order, part: PageRequest) -> P:
        """One part of the list of rows that match. Raises `InvalidInput` for a part that makes no sense."""
        rows = read_page(connection, self.name, self.selected, where, order, part, self.counted)
        rest = {"next_cursor": rows.next_cursor, "total": rows.total}
        try:
            # One validation of all is a third less work than one of each.
            return kind.model_validate({"items": [self.fields(row) for row in rows.rows], **rest})
        except (TypeError, ValueError):
            return kind.model_validate({"items": [self.record(row) for row in rows.rows], **rest})

    def count(self, connection: Connection, where: Where) -> int:
        """Return the number of rows that match."""
        return count(connection, self.name, where.clauses, where.values, where.conditions, self.counted)

    def record(self, row: Row) -> R:
        """The record that a row is."""
        try:
            return self._record(**self.fields(row))
        except (TypeError, ValueError):  # of JSON, and of pydantic
            return self._record(**self.readable_fields(row))

    def fields(self, row: Row) -> dict[str, Any]:
        """The fields of a row that this project wrote. Raises `TypeError` or `ValueError` for JSON that is none."""
        fields = dict(zip(self._fields, row, strict=True))  # takes half the time of asking the row for its names
        for column, null in self._json_columns.items():
            text = fields[column]
            fields[column] = {} if text == "{}" else usual_json(text or null)  # as most metadata
        return fields

    def readable_fields(self, row: Row) -> dict[str, Any]:
        """The fields of any row, with safe values for those that are named in `invalid`."""
        values, invalid = read_row(self._stored, dict(row))
        return {**values, "invalid": invalid}

    @cache  # noqa: B019 - tables live as long as the process
    def _insert_sql(self, columns: tuple[str, ...]) -> str:
        self._require_columns(columns)
        values = ", ".join("?" for _ in columns)
        return f"INSERT INTO {self.name} ({', '.join(columns)}) VALUES ({values}) RETURNING {self.selected}"

    @cache  # noqa: B019 - tables live as long as the process
    def _update_sql(self, columns: tuple[str, ...]) -> str:
        self._require_columns(columns)
        assignments = ", ".join(f"{column} = ?" for column in columns)
        return f"UPDATE {self.name} SET {assignments} WHERE id = ? RETURNING {self.selected}"

    def _require_columns(self, columns: tuple[str, ...]) -> None:
        """Called once for each statement that is made: its text is kept by its columns."""
        unknown = sorted(set(columns) - self._writable)
        if unknown:
            raise ValueError(f"the table {self.name} has no column {', '.join(unknown)}")

    def _found(self, row: Row | None, row_id: int) -> R:
        if row is None:
            raise NotFound.row(self.kind, row_id)
        return self.record(row)


def located(topic: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a batch; an error of a row names its place."""
    count = 0
    try:
        for row in rows:
            yield row
            count += 1
    except RequestRefused as error:
        error.locate(f"{topic}.{count}")
        raise
