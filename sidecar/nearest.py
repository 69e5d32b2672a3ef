"""Suggestions for misspelt names."""

from collections.abc import Iterable


def suggestion(wrong: str, names: Iterable[str]) -> str:
    """Return the end of a sentence about a name that does not exist: `; did you mean 'todos'?`, or nothing."""
    from difflib import get_close_matches  # only for a mistake

    found = get_close_matches(wrong[:100].lower(), sorted(names), n=1, cutoff=0.7)
    return f"; did you mean '{found[0]}'?" if found else ""
