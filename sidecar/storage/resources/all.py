"""The list of resources."""

from sidecar.models.events import imported_topics, row_topics
from sidecar.models.search import DataType
from sidecar.storage.resources import processed_contexts
from sidecar.storage.resources.activities import Activities
from sidecar.storage.resources.conversation_organizing import ConversationOrganizing
from sidecar.storage.resources.conversation_states import ConversationStates
from sidecar.storage.resources.conversations import Conversations
from sidecar.storage.resources.daily_counts import DailyCounting
from sidecar.storage.resources.histories import Histories
from sidecar.storage.resources.jobs import Jobs
from sidecar.storage.resources.messages import Messages
from sidecar.storage.resources.monitoring import Monitoring
from sidecar.storage.resources.monitoring_runs import MonitoringRuns
from sidecar.storage.resources.monitoring_session import MonitoringSession
from sidecar.storage.resources.preferences import Preferences
from sidecar.storage.resources.rows.declaration import Declaration
from sidecar.storage.resources.rows.table import tables_of
from sidecar.storage.resources.task_runs import TaskRuns
from sidecar.storage.resources.thinking import Thinking
from sidecar.storage.resources.tips import Tips
from sidecar.storage.resources.todos import Todos
from sidecar.storage.resources.usage import MessageUsage
from sidecar.storage.resources.vaults import Vaults


class Resources(
    Vaults,
    Todos,
    Activities,
    Tips,
    Conversations,
    ConversationOrganizing,
    Messages,
    Thinking,
    Histories,
    MessageUsage,
    ConversationStates,
    DailyCounting,
    Monitoring,
    MonitoringRuns,
    MonitoringSession,
    Jobs,
    Preferences,
    TaskRuns,
    checks=False,
):
    """The methods of every resource, over one database."""


TABLES: dict[str, Declaration] = {
    table.name: table
    for table in (
        *(table for resource in Resources.__bases__ for table in tables_of(resource)),
        processed_contexts.CONTEXTS,
        processed_contexts.TODO_EMBEDDINGS,
    )
}
"""Every table that holds people's rows, by name: those that others belong to come before these."""

for _searched in sorted((table.searched for table in TABLES.values() if table.searched), key=lambda each: each.number):
    DataType.declare(_searched.data_type)

row_topics.update(table.topic for table in TABLES.values())
imported_topics.update(table.topic for table in TABLES.values() if table.exported)

SEARCHED_TOPICS = sorted({table.topic for table in TABLES.values() if table.searched})
"""The topics of the tables whose rows are found by word."""
