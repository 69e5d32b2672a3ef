"""Changes that an import makes to what a file holds, counted by their reason, so that nothing is lost silently."""

from collections import Counter
from enum import Enum

from sidecar.sentences import counted


class Note(Enum):
    """A kind of change: the verb of its sentence, one and several of what is changed, and the reason."""

    EMPTY_MESSAGE = ("Left out", "empty message", "empty messages", "it holds neither text nor anything else")
    IMAGE_BYTES = ("Left out the bytes of", "image", "images", "a reference with their SHA-256 is kept")
    FILE = ("Left out", "attached file", "attached files", "name and size are kept in the metadata of the message")
    LONG_REFERENCE = ("Cut", "address of an image", "addresses of images", "it has more than 1,000 characters")
    LONG_NAME = ("Cut", "name", "names", "it has more than 1,000 characters")
    RAW_ANSWER = ("Left out", "raw answer of an API", "raw answers of an API", "its text is imported")
    UNKNOWN_CONTENT = (
        "Kept",
        "piece of an unknown type",
        "pieces of unknown types",
        "as text where it has any, and the original in the metadata of the message",
    )
    UNKNOWN_ROLE = (
        "Kept",
        "message of an unknown role",
        "messages of unknown roles",
        "as the assistant's, and the role in the metadata",
    )
    UNREADABLE_TIME = ("Left out", "time", "times", "it cannot be read; the time of the message before stands for it")
    MISSING_TIME = ("Dated", "message", "messages", "without a time; it has that of the message before")
    HALF_CHARACTER = ("Replaced", "half of a character", "halves of characters", "text holds whole characters only")
    NOT_JSON = ("Left out", "number", "numbers", "NaN and Infinity are not JSON")
    DEEP_VALUE = ("Left out", "value", "values", "it is nested too deep to be stored")
    LARGE_ORIGINAL = ("Left out", "original of a piece", "originals of pieces", "it is larger than 1 MB")
    MISSING_PARENT = (
        "Attached",
        "message whose predecessor is missing",
        "messages whose predecessors are missing",
        "it begins a branch",
    )
    CYCLE = ("Cut", "circle of messages", "circles of messages", "each was its own predecessor")
    REPEATED_ID = ("Renamed", "message", "messages", "another one of the conversation has its id")
    NOT_A_CONVERSATION = ("Left out", "entry", "entries", "it is not a conversation")
    LARGE_MESSAGE = (
        "Left out",
        "message",
        "messages",
        "larger than the running sidecar takes in a request; stop it and import again, or raise server.max_body_bytes",
    )
    OTHER_MEMBER = ("Left out", "other file of the .zip", "other files of the .zip", "it holds no conversations")

    @property
    def verb(self) -> str:
        return self.value[0]

    def sentence(self, count: int) -> str:
        """Return the line of the report."""
        verb, singular, plural, reason = self.value
        if count != 1:
            reason = _PLURAL.get(reason, reason)
        return f"{verb} {counted(count, singular, plural)}: {reason}."


_PLURAL = {
    "it holds neither text nor anything else": "they hold neither text nor anything else",
    "it has more than 1,000 characters": "they have more than 1,000 characters",
    "its text is imported": "their text is imported",
    "it cannot be read; the time of the message before stands for it": "they cannot be read; the time of the message "
    "before stands for each",
    "without a time; it has that of the message before": "without a time; each has that of the message before",
    "it is nested too deep to be stored": "they are nested too deep to be stored",
    "it is larger than 1 MB": "they are larger than 1 MB",
    "it begins a branch": "each begins a branch",
    "it is not a conversation": "they are not conversations",
    "it holds no conversations": "they hold no conversations",
}


class Notes:
    """The changes of one import so far, and the conversations that were left out with their reasons."""

    def __init__(self) -> None:
        self._counts: Counter[Note] = Counter()
        self.refused: list[tuple[str, str]] = []
        """Title or id, and the reason, of each conversation that was left out as a whole."""

    def add(self, note: Note, count: int = 1) -> None:
        """Count a change."""
        if count:
            self._counts[note] += count

    def __getitem__(self, note: Note) -> int:
        return self._counts[note]

    def lines(self) -> list[str]:
        """Return a sentence for each kind of change."""
        return [note.sentence(self._counts[note]) for note in Note if self._counts[note]]
