"""Settings: defaults < `sidecar.toml` < environment < the host's overrides or the command line.

pydantic-settings is left out on purpose: its import alone is a quarter of the time to `ready` (measured: 157 ms against
pydantic's 80), and the layering is the twenty lines below.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from sidecar.errors import BadConfiguration
from sidecar.nearest import suggestion
from sidecar.sentences import first_finding

SETTINGS_FILE = "sidecar.toml"
ENVIRONMENT_PREFIX = "SIDECAR_"
MEBIBYTE = 1024 * 1024


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _usable(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("cannot hold a NUL character")
    if not path.name:
        raise ValueError("must name a file")
    return path


def _web_address(address: str | None) -> str | None:
    if address is not None and re.match(r"https?://[^\s/]", address) is None:
        raise ValueError("must begin with http:// or https:// and name a computer")
    return address


class DatabaseSettings(_Section):
    enabled: bool = Field(
        default=True, description="Keep the rows in a database file. With false, keep everything in memory."
    )
    path: Annotated[Path, AfterValidator(_usable)] = Field(
        default=Path("sidecar.db"), description="Path of the database file. A relative path lies in the data directory."
    )
    readers: int = Field(default=2, ge=1, le=16, description="Number of connections that serve reads.")

    def file_in(self, data_directory: Path) -> Path | None:
        """Return the database's file, or `None` in memory. Raises `BadConfiguration`."""
        return real_file((data_directory / self.path).absolute()) if self.enabled else None


def real_file(path: Path) -> Path:
    """Return the file that `path` names, with a symbolic link followed: other files lie beside a database's own file.

    Raises `BadConfiguration` for a link that leads to itself.
    """
    if not path.is_symlink():
        return path
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        raise BadConfiguration(f"The link {path} leads nowhere; remove it or choose another path.") from None


class ServerSettings(_Section):
    allowed_origins: tuple[str, ...] = Field(
        default=(), description="Origins of the pages that may call the sidecar directly. The bridge needs none."
    )
    max_body_bytes: int = Field(
        default=16 * MEBIBYTE,
        ge=1024,
        le=128 * MEBIBYTE,
        description="Largest request body, in bytes.",
    )
    max_import_bytes: int = Field(
        default=4096 * MEBIBYTE, ge=1024, description="Largest archive that can be imported, in bytes."
    )
    fast_lane: bool = Field(
        default=True,
        description="False lets FastAPI answer every request by itself. The answers are the same, but slower.",
    )


class BackendSettings(_Section):
    """One storage backend. Its options override the other sections."""

    name: str = Field(min_length=1, max_length=100, description="Name of the backend, for example in error messages.")
    storage_type: Literal["document_db", "vector_db"] = Field(
        description="Kind of data that the backend stores: rows, or contexts with their vectors."
    )
    backend: str = Field(description="Engine of the backend. `sqlite` is the only one, for both types.")
    options: dict[str, Any] = Field(
        default={}, description="Options of the backend, such as the `path` of its database file."
    )
    default: bool = Field(
        default=True, description="Let the backend serve its type. The first default backend of a type is used."
    )


class StorageSettings(_Section):
    backends: tuple[BackendSettings, ...] = (
        BackendSettings(name="documents", storage_type="document_db", backend="sqlite"),
        BackendSettings(name="contexts", storage_type="vector_db", backend="sqlite"),
    )


class EmbeddingSettings(_Section):
    """An endpoint that embeds text as OpenAI's does: `POST {url}/embeddings`."""

    url: Annotated[str | None, AfterValidator(_web_address)] = Field(
        default=None, description="Base URL of the endpoint. Without it, callers must send vectors."
    )
    model: str = Field(default="text-embedding-3-small", description="Name of the embedding model.")
    api_key: SecretStr = Field(default=SecretStr(""), description="Key that is sent to the endpoint as a bearer token.")
    dimensions: int | None = Field(
        default=None,
        ge=1,
        le=8_192,
        description="Number of dimensions to request, for a model that lets callers choose.",
    )
    timeout_s: float = Field(default=30.0, gt=0, le=600, description="Seconds to wait for an answer of the endpoint.")


class LogSettings(_Section):
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe level of the events that are logged."
    )
    max_bytes: int = Field(
        default=2 * MEBIBYTE, ge=1024, description="Size at which the log file is rotated, in bytes."
    )
    files: int = Field(default=3, ge=1, description="Number of rotated log files to keep.")


class UpkeepSettings(_Section):
    enabled: bool = Field(
        default=True, description="Run maintenance on a schedule. With false, tasks run only by hand."
    )
    idempotency_key_days: int = Field(
        default=7,
        ge=1,
        le=3650,
        description="Number of days for which an idempotency key is kept. A later retry runs again.",
    )
    monitoring_days: int = Field(
        default=7, ge=1, le=3650, description="Number of days for which measurements are kept."
    )
    job_days: int = Field(default=7, ge=1, le=3650, description="Number of days for which a finished job is kept.")
    first_after_s: float = Field(default=60, ge=0, description="Seconds after the start before the first task runs.")
    checkpoint_after_s: float = Field(
        default=30, ge=0, description="Seconds after a change before the write-ahead log is checkpointed."
    )


def _zone(name: str | None) -> str | None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # rarely set

    try:
        if name is not None:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"must be an IANA name such as Europe/Berlin; there is no time zone '{name}'") from None
    return name


class AdoptionSettings(_Section):
    """The adoption of a database of MineContext or VMPilot."""

    time_zone: Annotated[str | None, AfterValidator(_zone)] = Field(
        default=None,
        description="IANA name of the time zone in which the other system wrote its local times, such as "
        "`Europe/Berlin`. Without it, the zone of this machine is assumed.",
    )


class BackupSettings(_Section):
    enabled: bool = Field(
        default=True, description="Make backups on a schedule. With false, backups are made only by hand."
    )
    every_hours: int = Field(
        default=24, ge=1, le=24 * 365, description="Hours between backups. None is made if nothing has changed since."
    )
    keep_latest: int = Field(default=3, ge=1, le=1000, description="Number of most recent backups to keep.")
    keep_daily: int = Field(
        default=7, ge=0, le=1000, description="Number of days for which to keep the last backup of the day."
    )
    keep_weekly: int = Field(
        default=4, ge=0, le=1000, description="Number of weeks for which to keep the last backup of the week."
    )


class JobSettings(_Section):
    """Durable long work."""

    at_once: int = Field(
        default=4, ge=1, le=64, description="Number of queued jobs that run at once. Built-in work is not counted."
    )


class ExtensionSettings(_Section):
    """The app's own Python."""

    modules: tuple[str, ...] = Field(
        default=(), description="Names of the extension modules to load, such as `my_app.backend`."
    )


class Settings(_Section):
    """Everything that can be configured. Environment variables are `SIDECAR_SECTION__NAME`."""

    database: DatabaseSettings = DatabaseSettings()
    server: ServerSettings = ServerSettings()
    log: LogSettings = LogSettings()
    upkeep: UpkeepSettings = UpkeepSettings()
    backups: BackupSettings = BackupSettings()
    storage: StorageSettings = StorageSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    adoption: AdoptionSettings = AdoptionSettings()
    jobs: JobSettings = JobSettings()
    extensions: ExtensionSettings = ExtensionSettings()


def load_settings(
    data_directory: Path,
    *overrides: Mapping[str, Any],
    settings_file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    is_packaged: bool = False,
) -> Settings:
    """Return the settings for `data_directory`; later `overrides` take precedence.

    In a packaged app, neither the file nor the environment names code: `[extensions]` is ignored in both.

    Raises `BadConfiguration`, which names the setting that is wrong.
    """
    file = settings_file or data_directory / SETTINGS_FILE
    own: list[dict[str, Any]] = [
        _read_file(file, required=settings_file is not None),
        _from_environment(environment),
    ]
    if is_packaged:
        for layer in own:
            layer.pop("extensions", None)
    try:
        return Settings.model_validate(_merge([*own, *overrides]))
    except ValidationError as error:
        name, _, reason = first_finding(error).partition(" ")
        raise BadConfiguration(f"The setting '{name}' {reason}{_suggested(error) or '.'}") from None


def _suggested(error: ValidationError) -> str:
    """Return the end of the sentence about a setting that is misspelt: the setting that it was meant to be."""
    first = error.errors(include_url=False, include_input=False)[0]
    *place, wrong = first["loc"]
    model: Any = Settings
    for part in place:
        model = model.model_fields[part].annotation if part in getattr(model, "model_fields", ()) else None
    if first["type"] != "extra_forbidden" or model is None:
        return ""
    return suggestion(
        ".".join(map(str, [*place, wrong])), [".".join(map(str, [*place, name])) for name in model.model_fields]
    )


def _read_file(file: Path, *, required: bool) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        import tomllib  # most apps have no such file

        return tomllib.loads(text)
    except FileNotFoundError:
        if required:
            raise BadConfiguration(f"There is no settings file {file}.") from None
        return {}
    except OSError as error:
        raise BadConfiguration(f"The settings file {file} cannot be read: {error.strerror or error}.") from None
    except ValueError as error:
        raise BadConfiguration(f"The settings file {file} cannot be read: {error}.") from None


_LISTS = ("allowed_origins", "modules")


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """`SIDECAR_DATABASE__ENABLED=false` as `{"database": {"enabled": "false"}}`; lists are separated by commas."""
    settings: dict[str, Any] = {}
    for variable, text in environment.items():
        section, separator, name = variable.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        if variable.startswith(ENVIRONMENT_PREFIX) and separator:
            value = text.split(",") if name in _LISTS else text
            settings.setdefault(section, {})[name] = value
    return settings


def _merge(layers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            both_are_sections = isinstance(merged.get(name), dict) and isinstance(value, Mapping)
            merged[name] = _merge([merged[name], value]) if both_are_sections else value
    return merged
