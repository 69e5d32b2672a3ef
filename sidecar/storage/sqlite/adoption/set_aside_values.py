"""Conversion of a row that was set aside to the values that its table would store, and their checks.

A row that an adoption set aside has the form of the system that made it, and is converted as by the adoption. Any other
row has the form of our own tables. Every value then passes the checks that an import makes; times in any form that
SQLite knows become ours.
"""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from pydantic import ValidationError

from sidecar.errors import Conflict, InvalidInput
from sidecar.models import timestamps
from sidecar.sentences import finding
from sidecar.storage.resources.rows.columns import read_row, safe_value
from sidecar.storage.resources.rows.names import folded
from sidecar.storage.resources.rows.times import normalised_time
from sidecar.storage.resources.rows.validation import json_text
from sidecar.storage.resources.rows_set_aside import ORPHANS
from sidecar.storage.sqlite.adoption.conversions import Unfit
from sidecar.storage.sqlite.adoption.machine_zone import machine_zone
from sidecar.storage.sqlite.adoption.mapping import Carried
from sidecar.storage.sqlite.adoption.tables import carried_tables
from sidecar.storage.sqlite.adoption.times import Clock
from sidecar.storage.sqlite.schema import catalog
from sidecar.storage.sqlite.transfer.kinds import Kind, TransferKinds

_INTERNAL = frozenset({"adoptions", ORPHANS, "store_identity", "imported_rows", "idempotency_keys"})
"""Tables whose rows describe the store itself; none of them can be brought back."""


@dataclass
class Form:
    """One row of one table, as it would be stored."""

    table: str
    key: str | None
    """The column of the primary key; `None` where the key has several."""
    columns: dict[str, Any]
    kind: Kind | None
    """The kind of its rows; `None` for a table that nobody declares."""
    misfits: dict[str, str] = field(default_factory=dict)
    """For each column whose value does not fit, the reason."""
    stand_ins: dict[str, Any] = field(default_factory=dict)
    """The values stored in place of those that are absent or do not fit; NULL for columns that are not listed."""

    def require_fit(self) -> None:
        """Raises `InvalidInput`, naming each column whose value does not fit."""
        if self.misfits:
            raise InvalidInput.fields(self.misfits.items())


def forms_of(
    connection: sqlite3.Connection,
    table: str,
    row: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    is_seeds: bool,
    now: datetime,
    zone: tzinfo | None = None,
    kinds: TransferKinds,
) -> list[Form]:
    """Return the rows that are made of the row, parents first.

    `values`, by the folded names of columns, replace those of the row. With `is_seeds`, the row has the form of a
    seed's system, whose local times belong to `zone`. Raises `Conflict` for a table that this store does not have,
    `InvalidInput` for a value of a column that is not there.
    """
    row = {folded(name): value for name, value in row.items()}
    known = carried_tables(Clock(zone or machine_zone(now))) if is_seeds else ()
    carried = [each for each in known if _fits(each, table, row)]
    forms = [_converted(each, row, kinds) for each in carried] or [_unconverted(connection, table, row, kinds)]
    declared = {form.table: _declared_types(connection, form.table) for form in forms}
    stray = [name for name in values if not any(name in types for types in declared.values())]
    if stray:
        raise InvalidInput.fields((name, f"there is no such column in {table}") for name in stray)
    for form in forms:
        _complete(form, declared[form.table], row, values)
    return forms


def _fits(carried: Carried, table: str, row: Mapping[str, Any]) -> bool:
    return carried.source == table and (carried.needs is None or carried.needs in row)


def _converted(carried: Carried, row: Mapping[str, Any], kinds: TransferKinds) -> Form:
    """Return the row as the adoption converts it."""
    form = Form(carried.table, carried.key, {carried.key: row.get(carried.key)}, kinds.of_table.get(carried.table))
    for name, column in carried.columns.items():
        form.stand_ins[name] = column.default
        try:
            converted = column.convert(row.get(column.source_in(row, name)))
        except (Unfit, InvalidInput) as misfit:
            form.misfits[name] = str(misfit)
            if isinstance(misfit, Unfit) and misfit.instead is not None:
                form.stand_ins[name] = misfit.instead
        else:
            form.columns[name] = column.default if converted is None else converted
    return form


def _unconverted(connection: sqlite3.Connection, table: str, row: Mapping[str, Any], kinds: TransferKinds) -> Form:
    """Return an empty form for a row of our own tables, with the safe values that a repair or an import has stored."""
    columns = kinds.tables[table].columns if table in kinds.tables else {}
    values, unreadable = read_row(columns, {name: value for name, value in row.items() if name in columns})
    stand_ins = {name: columns[name].write(values[name]) for name in unreadable}
    return Form(table, _key_of(connection, table), {}, kinds.of_table.get(table), stand_ins=stand_ins)


def _complete(form: Form, types: Mapping[str, str], row: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Add the columns that the adoption does not know, replace those with given values, and check every value."""
    for name in types:
        if name in row and name not in form.columns and name not in form.misfits:
            form.columns[name] = row[name]
    for name in types.keys() & values.keys():
        form.misfits.pop(name, None)
        form.columns[name] = _given(types[name], values[name])
    for name, value in list(form.columns.items()):
        if name == form.key and name not in values and not isinstance(value, int | str):
            del form.columns[name]  # then the row gets a new one
            continue
        try:
            form.columns[name] = _fitting(form.kind, name, types[name], value)
        except Unfit as misfit:
            del form.columns[name]
            if name != form.key or name in values or types[name] == "TEXT":
                form.misfits[name] = str(misfit)


def _given(declared: str, value: Any) -> Any:
    """Return a value that a caller gives for a column of this type, in the stored form."""
    if value is not None and "JSON" in declared:
        return json_text("value", value)
    return value


def _fitting(kind: Kind | None, name: str, declared: str, value: Any) -> Any:
    """Return the value in the stored form. Raises `Unfit`."""
    if isinstance(value, bytes) and "BLOB" not in declared:
        value = _decoded(value)
    if isinstance(value, str) and declared == "DATETIME":
        value = _canonical(value)
    if kind is None or name not in kind.columns:
        return _of_type(declared, value)
    shown = _parsed(value) if name in kind.json_columns and value is not None else value
    if name in kind.ids_as_text:
        shown = safe_value(kind.stored[name], value)
    model = kind.line
    try:
        line = model.__pydantic_validator__.validate_assignment(model.model_construct(), name, shown)
    except ValidationError as error:
        raise Unfit(finding(error.errors(include_url=False)[0])) from None
    checked = getattr(line, name)
    if name not in kind.json_columns:
        return checked
    try:
        return None if value is None else json_text(name, checked)
    except InvalidInput as unfit:
        raise Unfit(unfit.errors[0].message) from None


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Unfit("holds bytes that are not text in UTF-8; give the text in `values`") from None


def _canonical(value: str) -> str:
    """Return a time in our form, if SQLite or ISO 8601 knows its form; otherwise the value as it is."""
    for known in (timestamps.canonical, normalised_time):
        with suppress(ValueError):
            return known(value)
    return value


def _parsed(value: Any) -> Any:
    """Return the parsed JSON of a column; a row of an archive has it parsed already. Raises `Unfit`."""
    if isinstance(value, dict | list):
        return value
    try:
        return json.loads(value)
    except (ValueError, TypeError, RecursionError):
        raise Unfit("is not JSON") from None


def _of_type(declared: str, value: Any) -> Any:
    """Return the value of a column of which only the declared type is known. Raises `Unfit`."""
    if value is None:
        return None
    if any(word in declared for word in ("INT", "BOOL")):
        if not isinstance(value, int):
            raise Unfit("must be a whole number")
    elif "REAL" in declared:
        if not isinstance(value, int | float):
            raise Unfit("must be a number")
    elif "JSON" in declared:
        _parsed(value)
    elif "TEXT" in declared or declared == "DATETIME":
        if not isinstance(value, str):
            raise Unfit("must be text")
        if declared == "DATETIME":
            try:
                return timestamps.canonical(value)
            except ValueError as misfit:
                raise Unfit(str(misfit)) from None
    return value


def _declared_types(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """Return the columns of a table that rows may be brought back to, by folded name, with their types.

    Raises `Conflict` for any other table.
    """
    ordinary = {known.name for known in catalog.tables(connection)}
    if table not in ordinary - _INTERNAL:
        raise Conflict(f"This store has no table {table[:100]!r} for such rows; export the row to keep it.")
    found = connection.execute("SELECT name, upper(type) FROM pragma_table_info(?)", (table,)).fetchall()
    return {folded(name): declared for name, declared in found}


def _key_of(connection: sqlite3.Connection, table: str) -> str | None:
    found = connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk", (table,)).fetchall()
    return folded(found[0][0]) if len(found) == 1 else None
