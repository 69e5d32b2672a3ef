"""Invalid rows: rows in their tables with values that cannot be read."""

from enum import StrEnum

from pydantic import Field, JsonValue

from sidecar.models.base import ApiModel, Record, ShortText

MOST_LISTED = 1_000


class InvalidRow(Record):
    """A row with the names of its unreadable values."""

    table: str = Field(description="The table in the database, such as `todo`.")
    id: int | str = Field(description="The row's key: its id, or the id of its thread.")
    invalid: tuple[str, ...] = Field(description="The columns whose stored values cannot be read.")
    row: dict[str, JsonValue] = Field(
        description='The row as it is stored, by column. Bytes are `{"base64": "…"}`, an infinite number '
        '`{"real": "inf"}`.'
    )


class InvalidRowPage(Record):
    """Invalid rows, by table and key."""

    items: list[InvalidRow]
    next_cursor: str | None = Field(
        description="The `cursor` of the next page; null once every row was checked. A page is returned after a second "
        "at most, so it may be empty although invalid rows follow."
    )


class InvalidRowsQuery(ApiModel):
    limit: int = Field(default=100, ge=1, le=MOST_LISTED, description="Largest number of rows to return.")
    cursor: str | None = Field(default=None, max_length=200, description="`next_cursor` of the previous page.")
    table: ShortText | None = Field(default=None, description="Only rows of this table.")


class RepairAction(StrEnum):
    """The treatment of an invalid row. Its original is kept among the rows set aside either way."""

    REPAIR = "repair"
    SET_ASIDE = "set_aside"


class InvalidRowsRepair(ApiModel):
    """A request to repair invalid rows: all of them, those of a table, or a single one."""

    action: RepairAction = Field(
        default=RepairAction.REPAIR,
        description="`repair` stores the safe values with which operations answer now; `set_aside` removes the row "
        "from its table.",
    )
    table: ShortText | None = Field(default=None, description="Only rows of this table.")
    id: int | ShortText | None = Field(default=None, description="Only the row with this key; it needs the table, too.")


class InvalidRowsRepaired(Record):
    """The numbers of rows that a repair changed."""

    repaired: int = Field(description="Number of rows that now hold safe values.")
    set_aside: int = Field(description="Number of rows that were removed from their tables.")
