"""The texts of several columns as one text, in SQL."""

from collections.abc import Sequence

from sidecar.storage.resources.rows.columns import Columns


def joined(columns: Columns, names: Sequence[str]) -> str:
    """Return SQL for the texts of the columns with these names, one below the other; NULL is no text."""
    if not names:
        return "''"
    optional = [name for name in names if columns[name].optional]
    required = [name for name in names if name not in optional]
    if not required:
        (only,) = optional
        return f"coalesce({only}, '')"
    place = names.index(required[0])
    before = [f"coalesce({name} || char(10), '') || " for name in names[:place]]
    after = [
        f" || coalesce(char(10) || {name}, '')" if name in optional else f" || char(10) || {name}"
        for name in names[place + 1 :]
    ]
    text = f"{''.join(before)}{required[0]}{''.join(after)}"
    return f"({text})" if len(names) > 1 else text
