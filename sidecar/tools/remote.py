"""Export and import through a sidecar that is running, over HTTP; only the standard library is needed for that.

Without proxies, whatever the environment says: the sidecar is on this computer.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import quote, urlencode, urlsplit

from sidecar.clock import SYSTEM_CLOCK
from sidecar.errors import BadConfiguration, BodyTooLarge, RequestRefused, SidecarError, StorageClosed
from sidecar.models import timestamps
from sidecar.models.adoption import AdoptionOverview, RowRestored, RowSetAsidePage
from sidecar.models.backups import Backup, BackupList, Restored
from sidecar.models.conversations import ConversationPage
from sidecar.models.doctor import DoctorReport
from sidecar.models.histories import ConversationHistory, HistoriesImported, HistoryBatch, HistoryImported
from sidecar.models.transcripts import Transcript
from sidecar.models.transfer import ImportReport
from sidecar.storage.arguments import DEFAULT_LIMIT, MAX_LIMIT
from sidecar.storage.capabilities import RowsOf
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.tools.archive import BLOCK, Progress
from sidecar.tools.destination import StorePlace
from sidecar.tools.export import write_archive
from sidecar.tools.histories.batches import AddBatch

LONGEST_SILENCE_S = 3600.0
"""While the sidecar writes or checks an archive, it sends nothing."""


class RemoteStore:
    """The store of the sidecar at `url`. Raises what the sidecar says, and `StorageClosed` when it is gone."""

    def __init__(self, url: str, token: str, place: StorePlace) -> None:
        self._url = url
        self.place = place
        self._authorization = {"Authorization": f"Bearer {token}"}

    def export_to(self, file: IO[bytes], markdown: bool, progress: Progress) -> None:
        """Write an archive to `file`."""
        received = 0
        progress("waiting for the sidecar's export", 0)
        with self._connection() as connection:
            answer = self._answer(connection, "GET", f"/transfer/export?markdown={str(markdown).lower()}")
            while block := self._read(answer, BLOCK):
                received += file.write(block)
                progress("receiving bytes", received)
        if received != int(answer.headers["Content-Length"]):
            raise StorageClosed("The sidecar ended in the middle of the export.")

    def import_from(self, file: IO[bytes], dry_run: bool, progress: Progress) -> ImportReport:
        """Import the archive in `file`."""
        size = file.seek(0, 2)
        file.seek(0)
        headers = {"Content-Type": "application/zip", "Content-Length": str(size)}
        path = f"/transfer/import?dry_run={str(dry_run).lower()}"
        with self._connection() as connection:
            answer = self._answer(connection, "POST", path, ProgressReader(file, progress), headers)
            return ImportReport.model_validate_json(self._read(answer))

    def import_rows(
        self, rows: RowsOf, store_id: str, dry_run: bool, progress: Progress, release: Callable[[], None]
    ) -> ImportReport:
        """Import the rows of another store, in an archive of them."""
        with TemporaryFile(dir=self.place.data_directory) as file:
            write_archive(file, rows, store_id, timestamps.now(SYSTEM_CLOCK), progress=progress)
            release()
            return self.import_from(file, dry_run, progress)

    @contextmanager
    def adding_histories(self, *, dry_run: bool) -> Iterator[AddBatch]:
        """Return a function that adds batches of whole conversations; with `dry_run` each is only tried."""

        def add(batch: list[ConversationHistory]) -> list[HistoryImported]:
            content = HistoryBatch(conversations=batch, dry_run=dry_run).model_dump_json(exclude_defaults=True)
            return HistoriesImported.model_validate_json(
                self._ask("POST", "/conversations/import", content.encode())
            ).items

        yield add

    def conversation_histories(self, ids: Sequence[int] | None) -> Iterator[ConversationHistory]:
        """Yield these conversations, or all that are not deleted, in the form in which they can be imported."""
        for conversation_id in ids if ids is not None else self._every_conversation():
            answer = self._ask("GET", f"/conversations/export?ids={conversation_id}&format=json")
            document = Transcript.model_validate_json(answer)
            yield from HistoryBatch.model_validate_json(document.content).conversations

    def _every_conversation(self) -> list[int]:
        found: list[int] = []
        cursor: str | None = None
        while True:
            query = {"limit": str(MAX_LIMIT), **({} if cursor is None else {"cursor": cursor})}
            page = ConversationPage.model_validate_json(self._ask("GET", f"/conversations?{urlencode(query)}"))
            found += (conversation.id for conversation in page.items)
            cursor = page.next_cursor
            if cursor is None:
                return sorted(set(found))

    @property
    def backup_directory(self) -> BackupDirectory:
        """Where its backups lie. Raises `BadConfiguration` when it has none."""
        if self.place.database is None:
            raise BadConfiguration("The sidecar that runs keeps everything in memory, so there are no backups.")
        return BackupDirectory.beside(self.place.database, SYSTEM_CLOCK)

    def create_backup(self) -> Backup:
        """A new backup."""
        return Backup.model_validate_json(self._ask("POST", "/backups", b"{}"))

    def get_backups(self) -> list[Backup]:
        """Backups, the newest first."""
        return BackupList.model_validate_json(self._ask("GET", "/backups")).items

    def restore_backup(self, name: str) -> Restored:
        """Replace the whole store by that backup."""
        return Restored.model_validate_json(self._ask("POST", f"/backups/{quote(name, safe='')}/restore"))

    def get_doctor_report(self) -> DoctorReport:
        """Return what the sidecar finds when it examines its store; that takes as long as reading all of it."""
        return DoctorReport.model_validate_json(self._ask("GET", "/doctor"))

    def get_adoptions(self) -> AdoptionOverview:
        """Every adoption, and how many rows are set aside."""
        return AdoptionOverview.model_validate_json(self._ask("GET", "/adoption"))

    def get_rows_set_aside(self, cursor: str | None) -> RowSetAsidePage:
        """A page of the rows that are set aside."""
        query = {"limit": str(DEFAULT_LIMIT), **({} if cursor is None else {"cursor": cursor})}
        return RowSetAsidePage.model_validate_json(self._ask("GET", f"/adoption/rows?{urlencode(query)}"))

    def restore_row_set_aside(self, row_id: int, values: Mapping[str, Any]) -> RowRestored:
        """Bring a row back into its table."""
        body = json.dumps({"values": values}).encode()
        return RowRestored.model_validate_json(self._ask("POST", f"/adoption/rows/{row_id}/restore", body))

    def acknowledge_rows_set_aside(self) -> AdoptionOverview:
        """Acknowledge all rows that are set aside."""
        return AdoptionOverview.model_validate_json(self._ask("POST", "/adoption/acknowledge"))

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        headers = None if body is None else {"Content-Type": "application/json"}
        with self._connection() as connection:
            return self._read(self._answer(connection, method, path, body, headers))

    def _connection(self) -> "closing[HTTPConnection]":
        return closing(HTTPConnection(urlsplit(self._url).netloc, timeout=LONGEST_SILENCE_S))

    def _answer(
        self,
        connection: HTTPConnection,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> HTTPResponse:
        """The answer to a request. Raises what it says when it is a refusal."""
        with self._translating():
            # A request that is refused is answered before all of it was taken; then the answer is there to be read.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body, {**self._authorization, **(headers or {})})
            answer = connection.getresponse()
        if answer.status >= 400:
            raise _refusal(answer.status, self._read(answer))
        return answer

    def _read(self, answer: HTTPResponse, size: int | None = None) -> bytes:
        with self._translating():
            return answer.read(size)

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except (OSError, HTTPException) as error:
            raise StorageClosed(f"The sidecar at {self._url} went away: {error}.") from error


class ProgressReader:
    """A file whose reader is watched."""

    def __init__(self, file: IO[bytes], progress: Progress) -> None:
        self._file = file
        self._progress = progress
        self._sent = 0

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._sent += len(block)
        if block:
            self._progress("sending bytes", self._sent)
        else:
            self._progress("waiting for the sidecar's import", 0)
        return block


def is_live(url: str, instance: str, within_s: float) -> bool:
    """Return whether that instance of a sidecar answers at the URL."""
    try:
        with closing(HTTPConnection(urlsplit(url).netloc, timeout=within_s)) as connection:
            connection.request("GET", "/health/live")
            return bool(json.load(connection.getresponse())["instance"] == instance)
    except (OSError, ValueError, KeyError, TypeError, HTTPException):
        return False


def _refusal(status: int, body: bytes) -> SidecarError:
    try:
        detail = str(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"The sidecar answered {status}."
    if status == BodyTooLarge.status:
        return BodyTooLarge(detail)
    return RequestRefused(detail) if status < 500 else SidecarError(detail)
