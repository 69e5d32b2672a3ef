"""Preferences: JSON values that an app and its extensions store by name."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from sidecar.models.base import ApiModel, Record, StoredRecord
from sidecar.models.timestamps import Timestamp

APP = "app"
"""The namespace of the app itself; extensions have their own."""

MAX_PREFERENCES = 1_000
"""Preferences of one namespace, which a list returns all at once."""

MAX_VALUE_BYTES = 64 * 1024
"""Of one value, as JSON. Larger things are rows of a table."""

PreferenceNamespace = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$", strict=True)]
"""`app`, or the namespace of an extension."""

PreferenceName = Annotated[str, StringConstraints(min_length=1, max_length=200, strict=True)]
"""Any text, percent-encoded in a path."""


class Preference(StoredRecord):
    """A stored value, or the default of a field of an extension's model."""

    id: str = Field(description="Namespace and name, such as `app/theme`.")
    namespace: str
    name: str
    value: JsonValue
    updated_at: Timestamp | None = Field(description="Time when it was set. Null for a default.")


class PreferenceList(Record):
    """All preferences of a namespace, by name."""

    items: list[Preference]


class PreferenceSet(ApiModel):
    value: JsonValue = Field(description="Any JSON value of at most 64 KiB.")


class PreferenceChanged(Record):
    """A preference was set or deleted."""

    topic: Literal["preferences"]
    id: str = Field(description="Namespace and name, such as `app/theme`.")
    namespace: str
    name: str
