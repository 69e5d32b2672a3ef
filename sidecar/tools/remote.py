"""The store of a sidecar that is running, over HTTP: its exports, imports, backups and rows set aside."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPResponse
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import quote, urlencode

from sidecar.clock import SYSTEM_CLOCK
from sidecar.errors import BadConfiguration, StorageClosed
from sidecar.models import timestamps
from sidecar.models.adoption import AdoptionOverview, RowRestored, RowSetAsidePage
from sidecar.models.backups import Backup, BackupList, Restored
from sidecar.models.conversations import ConversationPage
from sidecar.models.doctor import DoctorReport
from sidecar.models.histories import ConversationHistory, HistoriesImported, HistoryBatch, HistoryImported
from sidecar.models.transcripts import Transcript
from sidecar.models.transfer import ImportReport
from sidecar.progress import Progress
from sidecar.storage.arguments import DEFAULT_LIMIT, MAX_LIMIT
from sidecar.storage.capabilities import StoreRows
from sidecar.storage.sqlite.backup.directory import BackupDirectory
from sidecar.tools.archive import BLOCK
from sidecar.tools.destination import StorePlace
from sidecar.tools.export import write_archive
from sidecar.tools.histories.batches import AddBatch
from sidecar.tools.remote_client import RemoteClient
from sidecar.tools.remote_jobs import long_work, result_of


class RemoteStore:
    """The store of the sidecar at `url`. Raises what the sidecar says, and `StorageClosed` when it is gone."""

    def __init__(self, url: str, token: str, place: StorePlace) -> None:
        self._client = RemoteClient(url, token)
        self.place = place

    def export_to(self, file: IO[bytes], markdown: bool, progress: Progress) -> None:
        """Write an archive to `file`."""
        path = f"/transfer/export?markdown={str(markdown).lower()}"
        with long_work(self._client, "GET", path, progress) as done:
            if isinstance(done, HTTPResponse):
                self._receive(done, file, progress)
                return
        with self._client.connection() as connection:
            answer = self._client.answer(connection, "GET", f"/transfer/exports/{done.id}")
            self._receive(answer, file, progress)

    def _receive(self, answer: HTTPResponse, file: IO[bytes], progress: Progress) -> None:
        received = 0
        size = int(answer.headers["Content-Length"])
        while block := self._client.read(answer, BLOCK):
            received += file.write(block)
            progress(received, size, "receiving the archive")
        if received != size:
            raise StorageClosed("The sidecar ended in the middle of the export.")

    def import_from(self, file: IO[bytes], dry_run: bool, progress: Progress) -> ImportReport:
        """Import the archive in `file`."""
        size = file.seek(0, 2)
        file.seek(0)
        headers = {"Content-Type": "application/zip", "Content-Length": str(size)}
        path = f"/transfer/import?dry_run={str(dry_run).lower()}"
        body = ProgressReader(file, size, progress)
        return ImportReport.model_validate_json(result_of(self._client, "POST", path, progress, body, headers))

    def import_rows(
        self, rows: StoreRows, store_id: str, dry_run: bool, progress: Progress, release: Callable[[], None]
    ) -> ImportReport:
        """Import the rows of another store, in an archive of them."""
        with TemporaryFile(dir=self.place.data_directory) as file:
            now = timestamps.now(SYSTEM_CLOCK)
            write_archive(file, rows, store_id, now, progress=progress, count=rows.count())
            release()
            return self.import_from(file, dry_run, progress)

    @contextmanager
    def adding_histories(self, *, dry_run: bool) -> Iterator[AddBatch]:
        """Return a function that adds batches of whole conversations; with `dry_run` each is only tried."""

        def add(batch: list[ConversationHistory]) -> list[HistoryImported]:
            content = HistoryBatch(conversations=batch, dry_run=dry_run).model_dump_json(exclude_defaults=True)
            return HistoriesImported.model_validate_json(
                self._client.ask("POST", "/conversations/import", content.encode())
            ).items

        yield add

    def conversation_histories(self, ids: Sequence[int] | None) -> Iterator[ConversationHistory]:
        """Yield these conversations, or all that are not deleted, in the form in which they can be imported."""
        for conversation_id in ids if ids is not None else self._every_conversation():
            answer = self._client.ask("GET", f"/conversations/export?ids={conversation_id}&format=json")
            document = Transcript.model_validate_json(answer)
            yield from HistoryBatch.model_validate_json(document.content).conversations

    def _every_conversation(self) -> list[int]:
        found: list[int] = []
        cursor: str | None = None
        while True:
            query = {"limit": str(MAX_LIMIT), **({} if cursor is None else {"cursor": cursor})}
            page = ConversationPage.model_validate_json(self._client.ask("GET", f"/conversations?{urlencode(query)}"))
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

    def create_backup(self, progress: Progress) -> Backup:
        """A new backup."""
        headers = {"Content-Type": "application/json"}
        return Backup.model_validate_json(result_of(self._client, "POST", "/backups", progress, b"{}", headers))

    def get_backups(self) -> list[Backup]:
        """Backups, the newest first."""
        return BackupList.model_validate_json(self._client.ask("GET", "/backups")).items

    def restore_backup(self, name: str, progress: Progress) -> Restored:
        """Replace the whole store by that backup."""
        path = f"/backups/{quote(name, safe='')}/restore"
        return Restored.model_validate_json(result_of(self._client, "POST", path, progress))

    def get_doctor_report(self) -> DoctorReport:
        """Return what the sidecar finds when it examines its store; that takes as long as reading all of it."""
        return DoctorReport.model_validate_json(self._client.ask("GET", "/doctor"))

    def get_adoptions(self) -> AdoptionOverview:
        """Every adoption, and how many rows are set aside."""
        return AdoptionOverview.model_validate_json(self._client.ask("GET", "/adoption"))

    def get_rows_set_aside(self, cursor: str | None) -> RowSetAsidePage:
        """A page of the rows that are set aside."""
        query = {"limit": str(DEFAULT_LIMIT), **({} if cursor is None else {"cursor": cursor})}
        return RowSetAsidePage.model_validate_json(self._client.ask("GET", f"/adoption/rows?{urlencode(query)}"))

    def restore_row_set_aside(self, row_id: int, values: Mapping[str, Any]) -> RowRestored:
        """Bring a row back into its table."""
        body = json.dumps({"values": values}).encode()
        return RowRestored.model_validate_json(self._client.ask("POST", f"/adoption/rows/{row_id}/restore", body))

    def acknowledge_rows_set_aside(self) -> AdoptionOverview:
        """Acknowledge all rows that are set aside."""
        return AdoptionOverview.model_validate_json(self._client.ask("POST", "/adoption/acknowledge"))


class ProgressReader:
    """A file whose reader is watched."""

    def __init__(self, file: IO[bytes], size: int, progress: Progress) -> None:
        self._file = file
        self._size = size
        self._progress = progress
        self._sent = 0

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._sent += len(block)
        if block:
            self._progress(self._sent, self._size, "sending the archive")
        return block
