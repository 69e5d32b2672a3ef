"""Databases of other systems that were adopted, and rows that were set aside."""

from typing import Literal

from pydantic import ConfigDict, Field, JsonValue

from sidecar.models.base import ApiModel, Identifier, Page, PageQuery, Record, ShortText
from sidecar.models.timestamps import Timestamp

RowOrigin = Literal["adoption", "recovery", "import", "repair"]


class ForeignObject(Record):
    """An index, a trigger or a view that another program had made in an adopted database."""

    kind: str = Field(description="`index`, `trigger` or `view`.")
    name: str
    table: str = Field(description="Table of the index or trigger; the view's own name.")
    sql: str = Field(description="SQL statement that created it.")
    is_kept: bool = Field(description="False if it does not work on the adopted tables; only its SQL is kept then.")
    reason: str | None = Field(default=None, description="Reason why it was not kept.")


class AdoptionReport(Record):
    """The result of an adoption for the rows, columns and objects of the database. Counts of zero are left out."""

    model_config = ConfigDict(extra="ignore")

    rows: dict[str, int] = Field(default={}, description="Number of rows carried over, by the table they are in now.")
    set_aside: dict[str, int] = Field(
        default={}, description="Number of rows that have no place and were set aside, by the table they came from."
    )
    replaced: dict[str, int] = Field(
        default={},
        description="Number of rows carried over with a replaced value, whose originals were set aside, by the table "
        "they came from. A row counts once for each original that was set aside.",
    )
    added_up: dict[str, int] = Field(
        default={}, description="Number of monitoring rows that were added to another row of the same hour, by table."
    )
    threads_made: int = Field(
        default=0, description="Number of threads that had no row of their own and were made from a state or exchanges."
    )
    repeated_times: int = Field(
        default=0, description="Number of local times in an hour that the clock showed twice; read as the first one."
    )
    skipped_times: int = Field(
        default=0, description="Number of local times in an hour that the clock skipped; moved forward by the gap."
    )
    columns: list[str] = Field(default=[], description="Unknown columns that were kept, as `table.column`.")
    objects: list[ForeignObject] = Field(
        default=[], description="Indexes, triggers and views of other programs on the adopted tables."
    )


class Adoption(Record):
    """A database of another system that was taken over, in place or by an import."""

    id: Identifier
    system: str = Field(description="System that made the database, such as `minecontext`.")
    source: str = Field(description="File that held the database.")
    time_zone: str = Field(description="Time zone in which its local times were read.")
    adopted_at: Timestamp
    report: AdoptionReport = Field(description="The result for the rows, columns and objects of the database.")


class AdoptionOverview(Record):
    """Every adoption, and how many rows were set aside."""

    adoptions: list[Adoption] = Field(description="Adoptions, the oldest first.")
    set_aside: dict[str, int] = Field(description="Number of rows that are set aside, by table.")
    not_acknowledged: dict[str, int] = Field(
        description="Number of rows set aside that are not acknowledged, by table."
    )


class RowSetAside(Record):
    """A row set aside from its table, with the reason."""

    id: Identifier
    table: str = Field(description="Original table of the row, by its name in the original database.")
    origin: RowOrigin = Field(description="The kind of work that set it aside.")
    reason: str
    is_carried: bool = Field(
        description="True for a row that is in its table, too, with other values in the columns that `reason` names."
    )
    created_at: Timestamp = Field(description="Time when the row was set aside.")
    acknowledged_at: Timestamp | None
    row: dict[str, JsonValue] = Field(
        description='The row as it was, by column. Bytes are `{"base64": "…"}`, an infinite number `{"real": "inf"}`.'
    )


class RowSetAsidePage(Page[RowSetAside]):
    """Rows set aside, the earliest first."""


class RowSetAsideQuery(PageQuery):
    table: ShortText | None = Field(default=None, description="Only rows of this table.")
    origin: RowOrigin | None = Field(default=None, description="Only rows with this origin.")
    is_carried: bool | None = Field(
        default=None,
        description="False: rows that are in no table; true: rows that are in their table with other values.",
    )


class RowRestore(ApiModel):
    values: dict[ShortText, JsonValue] = Field(
        default_factory=dict,
        description="Values that replace those of the row, by column, such as a `conversation_id` or a `start_time`.",
    )


class RowPlace(Record):
    """The table and the key of a row."""

    table: str
    id: int | str


class RowRestored(RowPlace):
    """The place of a restored row, and the rows that were restored with it."""

    needed: list[RowPlace] = Field(
        default_factory=list,
        description="Rows that were restored or created because this one belongs to them, the outermost first.",
    )
