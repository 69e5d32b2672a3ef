"""Conversations as documents."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from sidecar.models.base import ApiModel, Record

MAX_TRANSCRIPTS = 100
"""Conversations of one document that an operation makes: their ids fit into an address."""


MAX_TRANSCRIPT_BYTES = 64 * 1024 * 1024
"""Of the messages of one document that an operation makes, which is held in memory."""


class TranscriptFormat(StrEnum):
    """`json` can be imported with `conversations.import_histories`."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


class TranscriptQuery(ApiModel):
    ids: Annotated[
        str, StringConstraints(pattern=rf"^-?[0-9]{{1,19}}(,-?[0-9]{{1,19}}){{0,{MAX_TRANSCRIPTS - 1}}}$")
    ] = Field(
        description=f"Ids of conversations, separated by commas; at most {MAX_TRANSCRIPTS}.", examples=["1", "1,2,3"]
    )
    format: TranscriptFormat = Field(default=TranscriptFormat.MARKDOWN, description="Format of the document.")


class Transcript(Record):
    """Conversations as one document."""

    format: TranscriptFormat
    media_type: str = Field(description="Type of the document, for a file or a clipboard.", examples=["text/html"])
    file_name: str = Field(description="A name for the document that is valid on every system.")
    content: str = Field(description="The document.")
