"""Requests that are refused: the caller can correct them, and nothing was changed."""

from collections.abc import Iterable, Sequence

from sidecar.errors.base import FieldError, SidecarError


class RequestRefused(SidecarError):
    """The request cannot be fulfilled; nothing was changed.

    Cause: the request breaks a rule that has no code of its own.

    Cure: correct what the message names, and send the request again.
    """

    code = "request_refused"
    status = 400

    def locate(self, place: str) -> None:
        """Prefix the fields with the place of an item, such as `todos.3`: a wrong field becomes `todos.3.end_time`."""
        fields = tuple(FieldError(f"{place}.{field}", message) for field, message in self.errors)
        self.errors = fields or (FieldError(place, self.message),)
        self.message = "; ".join(f"{field}: {message}" for field, message in self.errors)
        self.args = (self.message,)


class MalformedRequest(RequestRefused):
    """The body is not what its content type says.

    Cause: the body is not JSON in UTF-8, it is cut off, or the request line or a header is malformed. The bridge never
    sends such a request.

    Cure: write the body with a JSON library, and let an HTTP library set the headers.
    """

    code = "malformed_request"


class Unauthorized(RequestRefused):
    """The request does not carry this instance's token.

    Cause: the header `Authorization: Bearer TOKEN` is missing, or has the token of an earlier run. Every start has a
    new token.

    Cure: call through the bridge, which knows the token. By hand, read it from `run.json` in the data directory, or use
    `curl -H @authorization.header`.
    """

    code = "unauthorized"
    status = 401


class Forbidden(RequestRefused):
    """The request has a foreign `Host` or `Origin`.

    Cause: a web page called the loopback port, or the address is not the one that the sidecar reported: it is
    `127.0.0.1` with the port, and not `localhost`.

    Cure: let pages call through the bridge. For a page that must call directly, add its origin to the setting
    `server.allowed_origins`.
    """

    code = "forbidden"
    status = 403


class NotFound(RequestRefused):
    """The named row, path or file does not exist.

    Cause: the id is wrong, the row was deleted, or the path belongs to no operation: it is misspelt, or its extension
    is not loaded.

    Cure: use an id that a list returned, and expect that a row may be gone. For a path, compare it with
    `GET /openapi.json`, and look in the settings and the bridge's options for the extension's name.
    """

    code = "not_found"
    status = 404

    @classmethod
    def row(cls, kind: str, row_id: int) -> "NotFound":
        """Return the error for a missing row, such as `NotFound.row("todo", 7)`."""
        return cls(f"There is no {kind} with the id {row_id}.")


class MethodNotAllowed(RequestRefused):
    """The path exists, but not with this method.

    Cause: a request by hand uses another method than the operation has.

    Cure: use one of the methods in the header `Allow` of the answer.
    """

    code = "method_not_allowed"
    status = 405

    def __init__(self, message: str, allowed: Sequence[str]) -> None:
        """`allowed` holds the methods that the path has."""
        super().__init__(message)
        self.allowed = allowed


class RequestTooSlow(RequestRefused):
    """Timed out while receiving the request.

    Cause: the client stopped in the middle of a request, for example because its machine slept.

    Cure: send the request again; nothing of it was done.
    """

    code = "request_too_slow"
    status = 408
    retryable = True


class Conflict(RequestRefused):
    """The request is well-formed, but does not fit the present state.

    Cause: the state is not what the request expects: a folder would contain itself, a message was finished, an
    idempotency key belongs to another request, a backup is damaged. The message names it.

    Cure: read the row again and decide by what it is now. Use a new idempotency key for each new request.
    """

    code = "conflict"
    status = 409


class AlreadyDone(Conflict):
    """The request was completed earlier, and its large answer is no longer kept; it is not run again.

    Cause: a request was sent again with its idempotency key, long after it was done.

    Cure: read what it changed, by the id that the message names. Use a new key to do it once more.
    """

    code = "already_done"

    @classmethod
    def under_its_key(cls, row_id: int | str | None) -> "AlreadyDone":
        """Return the error for a request whose answer was about this row, or about none."""
        place = "read what it changed" if row_id is None else f"read what it changed, by the id {row_id}"
        return cls(
            f"This request was already completed under its Idempotency-Key, and its answer is no longer kept; {place}."
        )


class BodyTooLarge(RequestRefused):
    """The body is larger than the configured maximum.

    Cause: the body has more bytes than the setting `server.max_body_bytes` allows, or an archive more than
    `server.max_import_bytes`.

    Cure: send the rows in several requests, or raise the setting.
    """

    code = "body_too_large"
    status = 413


class BodyTooComplex(RequestRefused):
    """The body has too many JSON values: parsing it would delay every other request.

    Cause: one request carries a very large batch.

    Cure: send the batch in several requests.
    """

    code = "body_too_complex"
    status = 413


class UnsupportedMediaType(RequestRefused):
    """The body is not `application/json`.

    Cause: the header `Content-Type` is missing or names another type.

    Cure: send `Content-Type: application/json`; an import takes `application/zip`.
    """

    code = "unsupported_media_type"
    status = 415


class HeadTooLarge(RequestRefused):
    """The request line and the headers are larger than any request needs.

    Cause: a very long query or header.

    Cure: send fewer values in the query, for example by several requests.
    """

    code = "head_too_large"
    status = 431


class TooManyStreams(RequestRefused):
    """The sidecar already serves its largest number of event streams.

    Cause: clients open a stream for each subscription, or do not close those that they left. The bridge has one stream
    for the whole app.

    Cure: subscribe to several topics over one stream, and close streams that are not read.
    """

    code = "too_many_streams"
    status = 429
    retryable = True


class ArchiveRefused(RequestRefused):
    """The archive is damaged, or not one of this program; nothing was changed.

    Cause: the file was cut off or changed, or another program made it.

    Cure: export it again, or name the program that made it: `sidecar import --help` lists the systems that are read.
    """

    code = "archive_refused"
    status = 422


class InvalidInput(RequestRefused):
    """One or more fields are wrong; `errors` names each.

    Cause: a field is missing, misspelt, of another type, or out of its range.

    Cure: correct the fields that `errors` lists. The types of the bridge find most of them when the page is compiled;
    for an extension, generate its types again.
    """

    code = "invalid_input"
    status = 422

    @classmethod
    def field(cls, field: str, message: str) -> "InvalidInput":
        """Return the error for a single field."""
        return cls.fields([(field, message)])

    @classmethod
    def fields(cls, found: Iterable[tuple[str, str]]) -> "InvalidInput":
        """Return the error for several fields, each with its reason."""
        errors = [FieldError(field, message) for field, message in found]
        return cls("; ".join(f"{field}: {message}" for field, message in errors), errors)
