"""What the health checks answer."""

from typing import Literal

from pydantic import Field

from sidecar.models.base import Record, Wire


class Live(Record):
    status: Literal["live"] = "live"
    instance: str
    pid: int
    version: str


class Component(Wire):
    """One part of the sidecar: whether it works, and the numbers behind that."""

    ok: bool
    detail: str | None = None
    measures: dict[str, float] = Field(default={})


class Ready(Record):
    status: Literal["ready", "degraded"]
    instance: str
    components: dict[str, Component]
