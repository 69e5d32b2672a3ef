"""Export and import through a sidecar that is running, over HTTP; only the standard library is needed for that."""

import http.client
import json
from contextlib import closing
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from sidecar.errors import RequestRefused, SidecarError, StorageClosed
from sidecar.models.transfer import ImportReport
from sidecar.transfer.archive import BLOCK, Progress

LONGEST_SILENCE_S = 3600.0
"""While the sidecar writes or checks an archive, it sends nothing."""

_opener = build_opener(ProxyHandler({}))


class RemoteStore:
    """The store of the sidecar at `url`."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._authorization = {"Authorization": f"Bearer {token}"}

    def export_to(self, file: IO[bytes], markdown: bool, progress: Progress) -> None:
        """Write an archive to `file`. Raises `SidecarError`."""
        received = 0
        progress("waiting for the sidecar's export", 0)
        with closing(self._open(f"/transfer/export?markdown={str(markdown).lower()}")) as answer:
            while block := answer.read(BLOCK):
                received += file.write(block)
                progress("receiving bytes", received)
            if received != int(answer.headers["Content-Length"]):
                raise StorageClosed("The sidecar ended in the middle of the export.")

    def import_from(self, file: IO[bytes], dry_run: bool, progress: Progress) -> ImportReport:
        """Import the archive in `file`. Raises `SidecarError`."""
        size = file.seek(0, 2)
        file.seek(0)
        headers = {"Content-Type": "application/zip", "Content-Length": str(size)}
        body = _Told(file, progress)
        with closing(self._open(f"/transfer/import?dry_run={str(dry_run).lower()}", body, headers)) as answer:
            return ImportReport.model_validate_json(answer.read())

    def _open(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        request = Request(self._url + path, body, {**self._authorization, **(headers or {})})
        try:
            return _opener.open(request, timeout=LONGEST_SILENCE_S)
        except HTTPError as error:
            with closing(error):
                raise _refusal(error) from None
        except (URLError, OSError, http.client.HTTPException) as error:
            raise StorageClosed(f"The sidecar at {self._url} went away: {error}.") from error


class _Told:
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
    """Whether that instance of a sidecar answers there."""
    try:
        with _opener.open(f"{url}/health/live", timeout=within_s) as answer:
            return bool(json.load(answer)["instance"] == instance)
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return False


def _refusal(error: HTTPError) -> SidecarError:
    try:
        detail = str(json.load(error)["detail"])
    except (OSError, ValueError, KeyError, TypeError):
        detail = f"The sidecar answered {error.code}."
    return RequestRefused(detail) if error.code < 500 else SidecarError(detail)
