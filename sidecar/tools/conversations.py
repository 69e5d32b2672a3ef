"""`sidecar export --conversations`: conversations as one document."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from sidecar.models.histories import ConversationHistory
from sidecar.models.transcripts import TranscriptFormat
from sidecar.progress import Progress
from sidecar.sentences import counted
from sidecar.terminal import say
from sidecar.tools.commands import Store
from sidecar.tools.destination import writing
from sidecar.tools.progress import ProgressLine
from sidecar.tools.transcripts.writing import format_of, write_transcript


def export_conversations(
    store: Store, path: Path, ids: Sequence[int] | None, transcript_format: str | None, force: bool
) -> None:
    """Write these conversations, or all that are not deleted, to the file at `path`; `force` replaces an existing one.

    The format follows from the name of the file, unless it is given. Raises `NotFound`, `InvalidInput`.
    """
    wanted = format_of(path) if transcript_format is None else TranscriptFormat(transcript_format)
    count = 0

    def counting(progress: Progress) -> Iterator[ConversationHistory]:
        nonlocal count
        for count, history in enumerate(store.conversation_histories(ids), 1):
            progress(count, None, "exporting conversations")
            yield history

    with ProgressLine() as progress, writing(path, store.place, force=force) as file:
        write_transcript(file, counting(progress), wanted)
    say(f"Exported {counted(count, 'conversation')} to {path}.")
