"""Being an HTTP server: the app, its security, its errors, and one file of routes a resource.

Reaches storage through `UnifiedStorage` only, and knows nothing of processes.
"""

from pydantic import BaseModel

# FastAPI's import builds the validators of forty models of the OpenAPI document, which a sidecar seldom writes. Putting
# that off until they are used takes a tenth off the import.
_config, BaseModel.model_config = BaseModel.model_config, {"defer_build": True}
import fastapi  # noqa: E402, F401

BaseModel.model_config = _config
