"""Filters of a search, and the conditions on the index and on the rows that are made of them."""

import sqlite3
from collections.abc import Sequence

from pydantic import ValidationError

from sidecar.errors import InvalidInput
from sidecar.models.search import SearchConditions
from sidecar.models.validation import refused
from sidecar.storage.capabilities import Filters
from sidecar.storage.resources.rows.validation import require_known
from sidecar.storage.sqlite.search.kinds import SearchKind, SearchKinds

PLACE = "filters"
MAX_FOLDERS = 500

_FOLDERS_BELOW = f"""
WITH RECURSIVE below (id) AS (
    SELECT ?
    UNION
    SELECT vaults.id FROM below JOIN vaults ON vaults.parent_id = below.id AND vaults.is_folder AND NOT is_deleted
    LIMIT {MAX_FOLDERS}
)
SELECT id FROM below
"""


def conditions(filters: Filters | None) -> SearchConditions:
    """Return the conditions that the filters name. Raises `InvalidInput` for a name or a value that is not known."""
    if filters is None:
        return SearchConditions()
    try:
        named = dict(filters)
    except (TypeError, ValueError):
        raise InvalidInput.field(PLACE, "must be an object with a value for each filter") from None
    for name in named:
        require_known(f"{PLACE}.{name}", name, SearchConditions.model_fields)
    try:
        return SearchConditions(**named)
    except ValidationError as error:
        raise refused(error, PLACE) from None


def kinds(wanted: SearchConditions, known: SearchKinds) -> list[SearchKind]:
    """Return the kinds to search, each once. Raises `InvalidInput` for one that is not known."""
    for name in (*(wanted.kinds or ()), wanted.data_type):
        if name is not None:
            require_known(f"{PLACE}.kinds", str(name), known.by_name)
    names = known.by_name if wanted.kinds is None else dict.fromkeys(map(str, wanted.kinds))
    return [known.by_name[name] for name in names if wanted.data_type in (None, name)]


def facets(connection: sqlite3.Connection, wanted: SearchConditions) -> list[str]:
    """Return FTS5 expressions for the words that stand for the filters in the index; the views make the same words."""
    document_types = [name for name in (wanted.document_type, wanted.content_type) if name is not None]
    alternatives: list[Sequence[str]] = [[f"d{name.encode().hex()}"] for name in document_types]
    if wanted.tag is not None:
        alternatives.append([_tag(wanted.tag)])
    if wanted.tags:
        tags = [wanted.tags] if isinstance(wanted.tags, str) else wanted.tags
        alternatives.append([_tag(tag) for tag in tags])
    if wanted.conversation_id is not None:
        alternatives.append([f"c{wanted.conversation_id}"])
    if wanted.role is not None:
        alternatives.append([f"r{wanted.role.encode().hex()}"])
    if wanted.folder is not None:
        alternatives.append([f"f{row_id}" for (row_id,) in connection.execute(_FOLDERS_BELOW, (wanted.folder,))])
    return ['{facets} : ("' + '" OR "'.join(words) + '")' for words in alternatives]


def _tag(name: str) -> str:
    return f"t{name.encode().strip(b' ').lower().hex()}"
