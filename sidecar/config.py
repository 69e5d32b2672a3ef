"""Settings: defaults < `sidecar.toml` < environment < command line or the host's overrides.

pydantic-settings is left out on purpose: its import alone is a quarter of the time to `ready` (measured: 157 ms against
pydantic's 80), and the layering is the twenty lines below.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from sidecar.errors import BadConfiguration

SETTINGS_FILE = "sidecar.toml"
ENVIRONMENT_PREFIX = "SIDECAR_"
MEBIBYTE = 1024 * 1024


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _usable(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("a path cannot hold a NUL character")
    if not path.name:
        raise ValueError("the path must name a file")
    return path


class DatabaseSettings(_Section):
    enabled: bool = Field(default=True, description="False keeps everything in memory.")
    path: Annotated[Path, AfterValidator(_usable)] = Field(
        default=Path("sidecar.db"), description="Relative paths lie in the data directory."
    )
    readers: int = Field(default=2, ge=1, le=16, description="So many connections at most serve reads.")

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
    allowed_origins: tuple[str, ...] = Field(default=(), description="Origins of pages that may call directly.")
    max_body_bytes: int = Field(
        default=16 * MEBIBYTE,
        ge=1024,
        le=128 * MEBIBYTE,
        description="Bytes of the largest request body.",
    )
    max_import_bytes: int = Field(default=4096 * MEBIBYTE, ge=1024, description="Of an archive that is imported.")


class BackendSettings(_Section):
    """One storage backend; its options go before what other sections say."""

    name: str = Field(min_length=1, max_length=100)
    storage_type: Literal["document_db", "vector_db"]
    backend: str = Field(description="`sqlite` for both.")
    options: dict[str, Any] = Field(default={}, description="What the backend is to know, e.g. the `path` of a file.")
    default: bool = Field(default=True, description="The first default of a type serves it.")


class StorageSettings(_Section):
    backends: tuple[BackendSettings, ...] = (
        BackendSettings(name="documents", storage_type="document_db", backend="sqlite"),
        BackendSettings(name="contexts", storage_type="vector_db", backend="sqlite"),
    )


class EmbeddingSettings(_Section):
    """An endpoint that makes vectors of text as OpenAI's does: `POST {url}/embeddings`."""

    url: str | None = Field(default=None, pattern=r"^https?://[^\s/]", description="Without it, callers give vectors.")
    model: str = "text-embedding-3-small"
    api_key: SecretStr = SecretStr("")
    dimensions: int | None = Field(default=None, ge=1, le=8_192, description="Asked for, where the model can choose.")
    timeout_s: float = Field(default=30.0, gt=0, le=600)


class LogSettings(_Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    max_bytes: int = Field(default=2 * MEBIBYTE, ge=1024, description="The log file is rotated at this size.")
    files: int = Field(default=3, ge=1, description="Rotated files that are kept.")


class UpkeepSettings(_Section):
    enabled: bool = Field(default=True, description="False does nothing by itself; tasks can still be run by hand.")
    idempotency_key_days: int = Field(
        default=7, ge=1, le=3650, description="A change that is sent again later than this is done again."
    )
    monitoring_days: int = Field(default=7, ge=1, le=3650, description="Older measurements are removed.")
    first_after_s: float = Field(default=60, ge=0, description="How long after the start the first task runs.")
    checkpoint_after_s: float = Field(
        default=30, ge=0, description="How long after a change the write-ahead log is moved into the database file."
    )


def _zone(name: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # seldom set

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone '{name}'; use an IANA name such as Europe/Berlin") from None
    return name


class AdoptionSettings(_Section):
    """The adoption of a database of MineContext or VMPilot."""

    time_zone: Annotated[str, AfterValidator(_zone)] | None = Field(
        default=None,
        description="The IANA name of the zone in which the other system wrote its local times, such as "
        "`Europe/Berlin`. Without it, the zone of this machine is assumed.",
    )


class BackupSettings(_Section):
    enabled: bool = Field(default=True, description="False makes none by itself; those that are made are thinned.")
    every_hours: int = Field(default=24, ge=1, le=24 * 365, description="If something was changed since the last one.")
    keep_latest: int = Field(default=3, ge=1, le=1000, description="So many of the newest are kept,")
    keep_daily: int = Field(default=7, ge=0, le=1000, description="the last one of so many days,")
    keep_weekly: int = Field(default=4, ge=0, le=1000, description="and the last one of so many weeks.")


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


def load_settings(
    data_directory: Path,
    *overrides: Mapping[str, Any],
    settings_file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """The settings for `data_directory`; of the `overrides`, later ones win.

    Raises `BadConfiguration`, which names the setting that is wrong.
    """
    file = settings_file or data_directory / SETTINGS_FILE
    layers = [
        _read_file(file, required=settings_file is not None),
        _from_environment(environment),
        *overrides,
    ]
    try:
        return Settings.model_validate(_merge(layers))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise BadConfiguration(f"The setting '{name}' is wrong: {first['msg']}.") from None


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


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """`SIDECAR_DATABASE__ENABLED=false` as `{"database": {"enabled": "false"}}`; lists are separated by commas."""
    settings: dict[str, Any] = {}
    for variable, text in environment.items():
        section, separator, name = variable.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        if variable.startswith(ENVIRONMENT_PREFIX) and separator:
            value = text.split(",") if name == "allowed_origins" else text
            settings.setdefault(section, {})[name] = value
    return settings


def _merge(layers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            both_are_sections = isinstance(merged.get(name), dict) and isinstance(value, Mapping)
            merged[name] = _merge([merged[name], value]) if both_are_sections else value
    return merged
