"""A format: how its conversations are recognised and read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sidecar.models.histories import ConversationHistory
from sidecar.tools.histories.notes import Notes

Item = dict[str, Any]
"""A conversation as another program writes it."""


@dataclass(frozen=True)
class Format:
    """The export format of a chat program."""

    name: str
    """Its name on the command line, and the source of its conversations."""

    program: str
    file: str
    """The file that a person gives, for messages."""

    is_conversation: Callable[[Item], bool]
    read: Callable[[Item, Notes], ConversationHistory]
