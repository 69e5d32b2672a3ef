"""Limits on what an archive holds: an export keeps to them, so that an import does not refuse what it wrote."""

from dataclasses import dataclass

from sidecar.models.base import MAX_TEXT_BYTES

MEBIBYTE = 1024 * 1024

LONGEST_LINE = 1024 * MEBIBYTE
"""Bytes. A row may hold several texts of the largest size, and a character may be escaped by up to six."""


@dataclass(frozen=True)
class ArchiveLimits:
    """Limits of one archive, in bytes. What is larger has to be explained by the archive's own size."""

    member_list: int = 16 * MEBIBYTE
    """Largest list of members, which is held in memory: room for a hundred thousand Markdown files."""

    unsuspicious_line: int = 2 * MAX_TEXT_BYTES + 16 * MEBIBYTE
    """Length of a line, which is held in memory, however small the archive is: a text of the largest size, every
    character escaped by two."""

    unsuspicious: int = 1024 * MEBIBYTE
    """Size that an archive may unpack to however small it is."""

    most_compressed: int = 100
    """How many times its size an archive may unpack to beyond that; more is a bomb."""

    def longest_line(self, archive_bytes: int) -> int:
        """Return how long a line may be in an archive of this size."""
        return min(LONGEST_LINE, max(self.unsuspicious_line, self.most_compressed * archive_bytes))

    def most_unpacked(self, archive_bytes: int) -> int:
        """Return how many bytes an archive of this size may unpack to."""
        return max(self.unsuspicious, self.most_compressed * archive_bytes)


LIMITS = ArchiveLimits()
