"""The contexts of an app and of extensions over an open storage."""

from collections.abc import Sequence

from sidecar.api.context import Context
from sidecar.api.events import EventHub
from sidecar.config import UpkeepSettings
from sidecar.extension import Extension
from sidecar.extension.jobs import JobQueue
from sidecar.extension.parameters import Surroundings
from sidecar.jobs.runner import JobRunner
from sidecar.maintenance.scheduler import MaintenanceScheduler
from sidecar.storage.unified import UnifiedStorage


def surroundings_over(storage: UnifiedStorage, events: EventHub) -> Surroundings:
    """Return what functions of extensions may ask for; the jobs are not started."""
    return Surroundings(storage, events, JobQueue(JobRunner(storage, events.publish), storage.write))


def context_over(
    storage: UnifiedStorage, events: EventHub, instance: str = "test-instance", extensions: Sequence[Extension] = ()
) -> Context:
    """Return the context; its upkeep and jobs are not started."""
    kinds = [kind for extension in extensions for kind in extension.jobs]
    upkeep = MaintenanceScheduler(storage, UpkeepSettings(), events.publish)
    return Context(storage, events, instance, upkeep, JobRunner(storage, events.publish, kinds))
