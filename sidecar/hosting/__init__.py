"""A host in Python: it starts a sidecar as the bridge does, waits until it is ready, calls it and stops it.

Tests of apps use it through `sidecar.testing`, and a frozen sidecar is tested with it. Nothing of a sidecar imports it.
"""

from sidecar.hosting.client import Answer, Client
from sidecar.hosting.running import RunningSidecar, SidecarFailed

__all__ = ["Answer", "Client", "RunningSidecar", "SidecarFailed"]
