"""The lines of an archive that are rows of extensions: values as a database stores them, whatever the module says."""

import re
from typing import Any

from pydantic_core import from_json

from sidecar.errors import InvalidInput
from sidecar.models.base import MAX_INTEGER, MIN_INTEGER
from sidecar.models.transfer import Row
from sidecar.storage.resources.rows_set_aside import stored_values

_KIND = re.compile(r"[a-z][a-z0-9_]*\.[A-Za-z0-9_.~%-]{1,300}")


def is_own(kind: str) -> bool:
    """Return whether it is the name of a kind of an extension, `<namespace>.<table>`."""
    return _KIND.fullmatch(kind) is not None


def own_row(text: bytes | bytearray) -> Row:
    """Return the row that a line says. Raises `InvalidInput`."""
    try:
        row = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidInput(f"{error}.") from None
    if not isinstance(row, dict):
        raise InvalidInput("It is not a JSON object.")
    for name, value in stored_values(row).items():
        if not _is_storable(value):
            raise InvalidInput.field(name[:100], "has a value that no column of a database holds")
    return row


def _is_storable(value: Any) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool) and MIN_INTEGER <= value <= MAX_INTEGER
    return value is None or isinstance(value, str | float | bytes)
