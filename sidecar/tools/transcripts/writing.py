"""Writing conversations to a file in one of the formats."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO

from sidecar.models.histories import ConversationHistory
from sidecar.models.transcripts import Transcript, TranscriptFormat
from sidecar.tools.markdown import sanitised
from sidecar.tools.transcripts import html, markdown


def transcript(histories: Sequence[ConversationHistory], transcript_format: TranscriptFormat) -> Transcript:
    """Return the conversations as one document."""
    media_type, suffix = TYPES[transcript_format]
    title = histories[0].title if len(histories) == 1 else None
    return Transcript(
        format=transcript_format,
        media_type=media_type,
        file_name=f"{sanitised(title or 'Conversations')}{suffix}",
        content="".join(_WRITERS[transcript_format](histories)),
    )


def write_transcript(
    file: IO[bytes], histories: Iterable[ConversationHistory], transcript_format: TranscriptFormat
) -> None:
    """Write the conversations, one after the other, to a file."""
    for piece in _WRITERS[transcript_format](histories):
        file.write(piece.encode())


def format_of(path: Path) -> TranscriptFormat:
    """Return the format that the name of a file asks for; Markdown for any other name."""
    suffixes = {".htm": TranscriptFormat.HTML} | {suffix: each for each, (_, suffix) in TYPES.items()}
    return suffixes.get(path.suffix.lower(), TranscriptFormat.MARKDOWN)


def _as_markdown(histories: Iterable[ConversationHistory]) -> Iterator[str]:
    return chain.from_iterable(map(markdown.document, histories))


def _as_html(histories: Iterable[ConversationHistory]) -> Iterator[str]:
    return html.document(histories)


def _as_json(histories: Iterable[ConversationHistory]) -> Iterator[str]:
    """Yield a request of `conversations.import_histories`."""
    separator = ""
    yield '{"conversations":['
    for history in histories:
        yield f"{separator}\n{history.model_dump_json(exclude_defaults=True)}"
        separator = ","
    yield "\n]}\n"


TYPES = {
    TranscriptFormat.MARKDOWN: ("text/markdown", ".md"),
    TranscriptFormat.HTML: ("text/html", ".html"),
    TranscriptFormat.JSON: ("application/json", ".json"),
}
"""Media type and suffix of each format."""

_WRITERS: dict[TranscriptFormat, Callable[[Iterable[ConversationHistory]], Iterator[str]]] = {
    TranscriptFormat.MARKDOWN: _as_markdown,
    TranscriptFormat.HTML: _as_html,
    TranscriptFormat.JSON: _as_json,
}
