"""The store's own upkeep, in pieces so small that no write waits for them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple


class Checkpoint(NamedTuple):
    """What a checkpoint found in the write-ahead log and did with it."""

    pages: int
    """How many pages of the log are in the database file now."""
    is_complete: bool
    """Whether that is all of them: a reader may need what came before the others."""
    freed_bytes: int
    """By how much the log's file became smaller."""


class IUpkeepStore(ABC):
    """Steps of upkeep. Each is one short piece of work; whoever calls them sees to the pauses between."""

    @abstractmethod
    def writer_is_idle(self) -> bool:
        """Whether no write is waited for at this moment."""

    @abstractmethod
    async def prune_idempotency_keys(self, before: str, limit: int) -> int:
        """Remove up to `limit` of the oldest keys made before then; returns how many, 0 when none are left."""

    @abstractmethod
    async def count_free_pages(self) -> int:
        """How many pages of the database file hold nothing and could be given back."""

    @abstractmethod
    async def give_back_pages(self, limit: int, keep: int) -> int:
        """Make the database file up to `limit` pages smaller, as long as more than `keep` are free.

        Returns how many were given back, 0 when that is all.
        """

    @abstractmethod
    async def find_outdated_statistics(self) -> Sequence[str]:
        """The tables that have changed so much that SQLite advises to look at them again."""

    @abstractmethod
    async def refresh_statistics(self, table: str) -> None:
        """Have the query planner know how the values of a table are spread. Gives way to writes: `StorageBusy`."""

    @abstractmethod
    async def checkpoint(self) -> Checkpoint:
        """Move the write-ahead log into the database file. Gives way to writes: `StorageBusy`."""
