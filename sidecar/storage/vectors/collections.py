"""The properties that a collection's first vector fixes for all: the dimension, and the model if known."""

from collections.abc import Callable

from sidecar.errors import Conflict
from sidecar.storage.interfaces import Connection


def is_vector(name: str) -> str:
    """Return SQL that is true for a row whose column `vector` fits the collection `name`, an SQL expression.

    Other programs may have written anything there; one such row must not keep the others from being searched.
    """
    bytes_of_each = f"4 * (SELECT dimension FROM vector_collections WHERE name = {name})"
    return f"typeof(vector) = 'blob' AND length(vector) = {bytes_of_each}"


def require_fit(
    connection: Connection, name: str, dimension: int, model: str | None, is_empty: Callable[[], bool]
) -> None:
    """Fix the collection's dimension and model, or hold a vector against them. Raises `Conflict` where it differs.

    A collection that `is_empty` begins again.
    """
    known = connection.execute("SELECT dimension, model FROM vector_collections WHERE name = ?", (name,)).fetchone()
    if known is not None and tuple(known) == (dimension, model):
        return
    if known is None or is_empty():
        connection.execute("INSERT OR REPLACE INTO vector_collections VALUES (?, ?, ?)", (name, dimension, model))
    elif known["dimension"] != dimension:
        raise Conflict(f"Vectors of '{name}' have {known['dimension']} dimensions, and this one has {dimension}.")
    else:
        _require_model(name, known["model"], model)


def require_model(connection: Connection, names: list[str], model: str) -> None:
    """Raises `Conflict` when the vectors of one of these collections are known to be of another model."""
    for name in names:
        known = connection.execute("SELECT model FROM vector_collections WHERE name = ?", (name,)).fetchone()
        if known is not None:
            _require_model(name, known["model"], model)


def _require_model(name: str, known: str | None, model: str | None) -> None:
    if known is not None and model is not None and known != model:
        raise Conflict(f"Vectors of '{name}' are made by the model '{known}', and this one by '{model}'.")
