"""The list of resources that are found by meaning."""

from sidecar.storage.vectors.contexts import Contexts
from sidecar.storage.vectors.documents import DocumentsByMeaning
from sidecar.storage.vectors.todos import TodoEmbeddings


class VectorResources(Contexts, TodoEmbeddings, DocumentsByMeaning, checks=False):
    """The methods of every resource that is found by meaning."""
