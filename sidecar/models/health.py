"""The answers of the health checks."""

from typing import Literal

from pydantic import Field

from sidecar.models.base import ApiModel, Record


class Live(Record):
    status: Literal["live"] = "live"
    instance: str
    pid: int
    version: str


class Component(ApiModel):
    """One component of the sidecar with its state and numbers."""

    ok: bool
    detail: str | None = None
    measures: dict[str, float] = Field(default={})


class Ready(Record):
    status: Literal["ready", "degraded"]
    instance: str
    components: dict[str, Component]
