"""Preferences: JSON values by namespace and name. A name is any text, percent-encoded in the path."""

from fastapi import APIRouter

from sidecar.api.context import Storage, WriteKey
from sidecar.api.operation import OperationRoute
from sidecar.models.preferences import (
    Preference,
    PreferenceList,
    PreferenceName,
    PreferenceNamespace,
    PreferenceSet,
)

router = APIRouter(prefix="/preferences", tags=["preferences"], route_class=OperationRoute)


@router.get("/{namespace}", operation_id="preferences.list")
async def list_preferences(storage: Storage, namespace: PreferenceNamespace) -> PreferenceList:
    """List all preferences of a namespace by name: of the app itself, `app`, or of an extension.

    Where the extension declares a model, the list has every field, with its default if it was never set. A stored value
    that no longer fits the model stays stored; the default is returned, and `invalid` names the field `value`.
    """
    return await storage.get_preferences(namespace)


@router.get("/{namespace}/{name}", operation_id="preferences.get")
async def get(storage: Storage, namespace: PreferenceNamespace, name: PreferenceName) -> Preference:
    """Return a preference, or the default that the extension's model has for it."""
    return await storage.get_preference(namespace, name)


@router.put("/{namespace}/{name}", operation_id="preferences.set")
async def set_preference(
    storage: Storage, namespace: PreferenceNamespace, name: PreferenceName, body: PreferenceSet, key: WriteKey
) -> Preference:
    """Store a value in place of the one that a preference has.

    A namespace has at most 1,000 preferences. Where the extension declares a model, a name or value that does not fit
    it is refused.
    """
    return await storage.set_preference(namespace, name, body.value, key=key)


@router.delete("/{namespace}/{name}", operation_id="preferences.delete", status_code=204)
async def delete(storage: Storage, namespace: PreferenceNamespace, name: PreferenceName, key: WriteKey) -> None:
    """Delete a stored preference. Its default, if it has one, holds again."""
    await storage.delete_preference(namespace, name, key=key)
