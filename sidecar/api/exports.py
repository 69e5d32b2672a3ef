"""Archives that export jobs have made, kept for a while so that they can be fetched.

They are nameless files beside the data, or in the system's directory of such files, so that none is left when the
process ends in whatever way.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import IO

from sidecar.errors import NotFound

KEPT_S = 3_600.0
MOST_KEPT = 3
"""Each takes as much room on the disk as an export does."""

BLOCK = 256 * 1024


class KeptFile:
    """A nameless file that is read from its beginning, by several readers at a time."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._turn = asyncio.Lock()
        self._holders = 1
        self.size = file.seek(0, 2)

    def hold(self) -> None:
        """Keep the file open until `release`."""
        self._holders += 1

    def release(self) -> None:
        """Close the file, unless others hold it."""
        self._holders -= 1
        if self._holders == 0:
            self._file.close()

    async def blocks(self) -> AsyncIterator[bytes]:
        """Yield the content, then release the file."""
        try:
            position = 0
            while position < self.size:
                async with self._turn:
                    block = await asyncio.to_thread(self._read, position)
                position += len(block)
                yield block
        finally:
            self.release()

    def _read(self, position: int) -> bytes:
        self._file.seek(position)
        return self._file.read(BLOCK)


class Exports:
    """The finished archives of one sidecar, by the ids of their jobs. Lives on one event loop."""

    def __init__(self, *, kept_s: float = KEPT_S, most_kept: int = MOST_KEPT) -> None:
        self._kept_s = kept_s
        self._most_kept = most_kept
        self._files: dict[int, tuple[KeptFile, asyncio.TimerHandle]] = {}

    def keep(self, job_id: int, file: KeptFile) -> None:
        """Keep the file, until it expires or newer ones need its place."""
        while len(self._files) >= self._most_kept:
            self._drop(next(iter(self._files)))
        timer = asyncio.get_running_loop().call_later(self._kept_s, self._drop, job_id)
        self._files[job_id] = (file, timer)

    def take(self, job_id: int) -> KeptFile:
        """Return the archive of a job, held for a reader. Raises `NotFound`."""
        found = self._files.get(job_id)
        if found is None:
            raise NotFound(f"The job {job_id} has no archive, or it is no longer kept; export again.")
        found[0].hold()
        return found[0]

    def close(self) -> None:
        """Drop every archive."""
        for job_id in list(self._files):
            self._drop(job_id)

    def _drop(self, job_id: int) -> None:
        file, timer = self._files.pop(job_id)
        timer.cancel()
        file.release()
