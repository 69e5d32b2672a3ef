"""How much a step does: as much as takes no longer than it should, going by how long the last one took. Pure."""

AIM_MS = 10.0
"""A write that arrives during a step waits for its end."""

GROWTH = 1.5


class AdaptiveBatchSize:
    """The size of the next step, from `least` to `most`."""

    def __init__(self, *, first: int, least: int, most: int) -> None:
        self.size = first
        self._least = least
        self._most = most

    def took(self, ms: float) -> None:
        """The last step, of this size, took so long."""
        if ms > AIM_MS:
            self.size = max(self._least, int(self.size * AIM_MS / ms / GROWTH))
        elif ms < AIM_MS / 2:
            self.size = min(self._most, int(self.size * GROWTH) + 1)
