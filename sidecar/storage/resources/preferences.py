"""Preferences: the table `preferences`. The id of a row is its namespace and name, `app/theme`."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel

from sidecar.errors import Conflict, NotFound
from sidecar.models.idempotency import IdempotencyKey
from sidecar.models.preferences import (
    MAX_PREFERENCES,
    MAX_VALUE_BYTES,
    Preference,
    PreferenceList,
    PreferenceName,
    PreferenceNamespace,
)
from sidecar.storage.arguments import ANY_VALUE
from sidecar.storage.interfaces import Connection, Row, Work
from sidecar.storage.resources.preference_models import PreferenceModels
from sidecar.storage.resources.rows.columns import json_value, read_row, text, time
from sidecar.storage.resources.rows.declaration import Declaration, Exported
from sidecar.storage.resources.rows.table import Resource
from sidecar.storage.resources.rows.validation import json_text


class _PreferencesTable(Declaration):
    def note_change(self, work: Work, row: Mapping[str, Any] | Row) -> None:
        namespace, _, name = str(row["id"]).partition("/")
        work.changed(self.topic, row["id"], {"namespace": namespace, "name": name})


PREFERENCES = _PreferencesTable(
    "preferences",
    {"value": json_value(), "updated_at": time()},
    topic="preferences",
    has_text_key=True,
    exported=Exported("preferences"),
)

_COLUMNS = {**PREFERENCES.columns, "id": text()}


class Preferences(Resource, tables=(PREFERENCES,)):
    """JSON values by name, in the namespace `app` and in those of extensions.

    Where an extension declares a model, only what fits it is stored, and what was never stored has its default.
    """

    _preference_models = PreferenceModels()

    async def set_preference(
        self,
        namespace: PreferenceNamespace,
        name: PreferenceName,
        value: Annotated[Any, ANY_VALUE],
        *,
        key: IdempotencyKey | None = None,
    ) -> Preference:
        """Store a value in place of the one that is there.

        Raises `InvalidInput` for an unknown namespace, for a name or value that the extension's model refuses, and for
        a value of more than 64 KiB; `Conflict` if the namespace has 1,000 preferences.
        """
        models = self._preference_models
        models.require_namespace(namespace)
        json_text("value", value, MAX_VALUE_BYTES)

        def store(work: Work) -> Preference:
            stored = {found.name: found.value for found in _stored(work.connection, namespace)}
            if name not in stored and len(stored) >= MAX_PREFERENCES:
                raise Conflict(f"The namespace '{namespace}' has {MAX_PREFERENCES:,} preferences; delete some first.")
            as_text = json_text("value", models.accepted(namespace, name, value, stored), MAX_VALUE_BYTES)
            row = work.connection.execute(
                """
                INSERT INTO preferences (id, value, updated_at) VALUES (?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
                RETURNING id, value, updated_at
                """,
                (f"{namespace}/{name}", as_text, work.now),
            ).fetchone()
            PREFERENCES.note_change(work, row)
            return _preference(row)

        return await self._database.write(store, key, Preference)

    async def get_preference(self, namespace: PreferenceNamespace, name: PreferenceName) -> Preference:
        """Return a value, or the default that the extension's model has. Raises `NotFound` without either."""
        model = self._preference_models.model_of(namespace)
        if model is None:
            found = await self._database.read(lambda connection: _stored(connection, namespace, name))
        else:
            found = [one for one in (await self.get_preferences(namespace)).items if one.name == name]
        if not found:
            raise _not_found(namespace, name)
        return found[0]

    async def get_preferences(self, namespace: PreferenceNamespace) -> PreferenceList:
        """Return all values of a namespace by name, with the defaults that the extension's model has."""
        stored = await self._database.read(lambda connection: _stored(connection, namespace))
        model = self._preference_models.model_of(namespace)
        return PreferenceList(items=stored if model is None else self._with_defaults(namespace, model, stored))

    async def delete_preference(
        self, namespace: PreferenceNamespace, name: PreferenceName, *, key: IdempotencyKey | None = None
    ) -> None:
        """Remove a value, so that its default holds again. Raises `NotFound` if none is stored."""

        def delete(work: Work) -> None:
            sql = "DELETE FROM preferences WHERE id = ? RETURNING id"
            row = work.connection.execute(sql, (f"{namespace}/{name}",)).fetchone()
            if row is None:
                raise _not_found(namespace, name)
            PREFERENCES.note_change(work, row)

        await self._database.write(delete, key, type(None))

    def _with_defaults(self, namespace: str, model: type[BaseModel], stored: list[Preference]) -> list[Preference]:
        """Return one preference for each field of the model; names that it no longer has are left out."""
        fitting, misfits = self._preference_models.fitted(namespace, model, _readable(stored))
        values = fitting.model_dump(mode="json")
        found = {preference.name: preference for preference in stored}
        return [
            Preference(
                id=f"{namespace}/{name}",
                namespace=namespace,
                name=name,
                value=values[name],
                updated_at=found[name].updated_at if name in found else None,
                invalid=tuple(sorted({*(found[name].invalid if name in found else ()), *_misfit(name, misfits)})),
            )
            for name in sorted(model.model_fields)
        ]


def _stored(connection: Connection, namespace: str, name: str | None = None) -> list[Preference]:
    """Return the stored preferences of a namespace by name, or only the one of this name."""
    if name is not None:
        sql = "SELECT id, value, updated_at FROM preferences WHERE id = ?"
        return [_preference(row) for row in connection.execute(sql, (f"{namespace}/{name}",)).fetchall()]
    # "0" comes right after "/".
    sql = "SELECT id, value, updated_at FROM preferences WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
    rows = connection.execute(sql, (f"{namespace}/", f"{namespace}0", MAX_PREFERENCES)).fetchall()
    return [_preference(row) for row in rows]


def _preference(row: Row) -> Preference:
    values, invalid = read_row(_COLUMNS, dict(row))
    namespace, _, name = values["id"].partition("/")
    return Preference(**values, namespace=namespace, name=name, invalid=invalid)


def _readable(stored: list[Preference]) -> dict[str, Any]:
    return {preference.name: preference.value for preference in stored if "value" not in preference.invalid}


def _misfit(name: str, misfits: frozenset[str]) -> tuple[str, ...]:
    return ("value",) if name in misfits else ()


def _not_found(namespace: str, name: str) -> NotFound:
    return NotFound(f"There is no preference '{name}' in the namespace '{namespace}'.")
