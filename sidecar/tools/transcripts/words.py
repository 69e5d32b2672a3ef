"""The words of a transcript, whatever its format."""

from sidecar.models.histories import ConversationHistory, HistoryMessage, HistoryThinking


def about(history: ConversationHistory) -> list[tuple[str, str]]:
    """Return what is said about a conversation, with its names."""
    said = [
        ("Created", history.created_at),
        ("Updated", history.updated_at),
        ("Source", history.source),
        ("Messages", f"{len(history.messages):,}"),
    ]
    return [(name, str(value)) for name, value in said if value]


def heading(message: HistoryMessage) -> str:
    """Return who wrote a message, and with which model."""
    hidden = ", hidden" if message.metadata.get("is_hidden") is True else ""
    model = f", {message.model}" if message.model else ""
    return f"{message.role.value.capitalize()}{model}{hidden}"


def stage_of(step: HistoryThinking) -> str:
    """Return the heading of a step of thinking."""
    return f"Thinking: {step.stage}" if step.stage else "Thinking"
