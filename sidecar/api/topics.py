"""The topics on which the answer of a reading operation depends, so that a client knows when to read it again.

The OpenAPI document has them as `x-topics`. An operation that declares none depends on the topic that its router is
named after. `<namespace>.*` stands for every topic of an extension.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sidecar.errors import InvalidInput
from sidecar.models.events import IMPORTS_TOPIC, imported_topics, known_topics
from sidecar.nearest import suggestion

FIELD = "x-topics"

_TOPIC = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?")


def depends_on(*topics: str) -> dict[str, list[str]]:
    """Return `openapi_extra` for an operation whose answer depends on these topics, or on none.

    Where an import may add such rows, its topic is added. Raises `ValueError` for a topic that does
    not exist.
    """
    for topic in topics:
        if _TOPIC.fullmatch(topic) is None or ("." not in topic and topic not in known_topics()):
            near = suggestion(topic, known_topics()) or f"; the sidecar's are {', '.join(sorted(known_topics()))}"
            raise ValueError(f"there is no topic {topic!r}{near}")
    return {FIELD: [*topics, *_imports(topics)]}


def require_topics(topics: Iterable[str]) -> None:
    """Raise `InvalidInput` for a topic that nobody can publish: no topic of the sidecar, and in no other namespace."""
    known = known_topics()
    own = {topic.partition(".")[0] for topic in known}
    for topic in topics:
        namespace, dot, _ = topic.partition(".")
        if topic not in known and (not dot or namespace in own) and not topic.endswith(".*"):
            near = suggestion(topic, known) or f"; the topics are {', '.join(sorted(known))}"
            raise InvalidInput.field("topics", f"has no '{topic[:100]}'{near}")


def default_topics(method: str, tags: Sequence[str]) -> list[str]:
    """Return the topics of an operation that declares none: that of its router, if it reads."""
    topics = [tag for tag in tags[:1] if method == "get" and tag in known_topics()]
    return [*topics, *_imports(topics)]


def describe_topics(method: str, operation: dict[str, Any]) -> None:
    """Complete the topics of an operation in the document; one that depends on none has no such field."""
    topics = operation.pop(FIELD, None)
    if topics is None:
        topics = default_topics(method, operation.get("tags", ()))
    if topics:
        operation[FIELD] = topics


def _imports(topics: Sequence[str]) -> list[str]:
    """One event stands for all rows of an import, whatever their tables."""
    has_rows = any(topic in imported_topics or topic.endswith(".*") for topic in topics)
    return [IMPORTS_TOPIC] if has_rows and IMPORTS_TOPIC not in topics else []
