"""How every list is asked for."""

from typing import TypedDict

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000


class Paging(TypedDict, total=False):
    """How every list is paged: by `offset` for the first pages, by `cursor` for all."""

    limit: int
    offset: int
    cursor: str | None
    with_total: bool
