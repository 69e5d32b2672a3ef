"""Messages as JSON: joined from the pieces that the engine makes."""

from collections.abc import Sequence

from sidecar.storage.interfaces import MessageAsJson


def whole(message: MessageAsJson) -> bytes:
    """Return the `Message`."""
    return b"".join(_pieces(message))


def page(messages: Sequence[MessageAsJson], *, has_before: bool, has_after: bool) -> bytes:
    """Return the `MessagePage` of these messages.

    Its pieces are joined only once: each copy of a long one costs as much as sending it.
    """
    pieces: list[bytes | memoryview] = [b'{"items":[']
    for message in messages:
        pieces += _pieces(message)
        pieces.append(b",")
    if messages:
        pieces.pop()
    pieces.append(b'],"has_before":%b,"has_after":%b}' % (_boolean(has_before), _boolean(has_after)))
    return b"".join(pieces)


def _pieces(message: MessageAsJson) -> tuple[bytes | memoryview, ...]:
    return memoryview(message.json)[:-1], message.details, b',"thinking":[', message.steps or b"", b"]}"


def _boolean(value: bool) -> bytes:
    return b"true" if value else b"false"
