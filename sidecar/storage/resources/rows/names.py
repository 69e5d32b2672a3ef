"""Names of tables and columns, in SQL and in comparisons."""

import string

_FOLDED = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def quoted(name: str) -> str:
    """Return the name as SQL, whatever characters it has and whatever keyword it is."""
    return '"' + name.replace('"', '""') + '"'


def folded(name: str) -> str:
    """Return the name in the one form in which SQLite compares names: without case, but only in ASCII."""
    return name.translate(_FOLDED)
