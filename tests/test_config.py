"""Settings: defaults < file < environment < overrides."""

from pathlib import Path

import pytest

from sidecar.config import load_settings
from sidecar.errors import BadConfiguration


def write(directory: Path, text: str) -> None:
    (directory / "sidecar.toml").write_text(text)


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, environment={})
    assert settings.database.enabled
    assert settings.database.path == Path("sidecar.db")


def test_the_file_overrides_the_defaults(tmp_path: Path) -> None:
    write(tmp_path, '[database]\nenabled = false\npath = "other.db"')
    settings = load_settings(tmp_path, environment={})
    assert (settings.database.enabled, settings.database.path) == (False, Path("other.db"))


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    write(tmp_path, '[database]\nenabled = false\npath = "file.db"')
    settings = load_settings(tmp_path, environment={"SIDECAR_DATABASE__PATH": "environment.db", "OTHER__X": "1"})
    assert (settings.database.enabled, settings.database.path) == (False, Path("environment.db"))


def test_overrides_come_before_everything_the_last_first(tmp_path: Path) -> None:
    write(tmp_path, '[database]\npath = "file.db"')
    environment = {"SIDECAR_DATABASE__PATH": "environment.db"}
    host, command_line = {"database": {"path": "host.db", "readers": 3}}, {"database": {"path": "line.db"}}
    settings = load_settings(tmp_path, host, command_line, environment=environment)
    assert (settings.database.path, settings.database.readers) == (Path("line.db"), 3)


def test_lists_in_the_environment_are_separated_by_commas(tmp_path: Path) -> None:
    environment = {"SIDECAR_SERVER__ALLOWED_ORIGINS": "app://one,app://two"}
    assert load_settings(tmp_path, environment=environment).server.allowed_origins == ("app://one", "app://two")


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("[database]\nenable = true", "database.enable"),
        ("[database]\nreaders = 0", "database.readers"),
        ("[databse]", "databse"),
        ('[log]\nlevel = "loud"', "log.level"),
        ("[database", "sidecar.toml"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, culprit: str) -> None:
    write(tmp_path, text)
    with pytest.raises(BadConfiguration, match=culprit):
        load_settings(tmp_path, environment={})


def test_a_settings_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"none\.toml"):
        load_settings(tmp_path, settings_file=tmp_path / "none.toml", environment={})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[databse]\npath = 'x.db'", "The setting 'databse' is not known; did you mean 'database'?"),
        ("[database]\nreadrs = 1", "The setting 'database.readrs' is not known; did you mean 'database.readers'?"),
        ("[database]\ncolour = 1", "The setting 'database.colour' is not known."),
        ("[database]\nreaders = 0", "The setting 'database.readers' must be at least 1."),
    ],
)
def test_a_misspelt_setting_gets_the_nearest_name(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, text)
    with pytest.raises(BadConfiguration) as refused:
        load_settings(tmp_path, environment={})
    assert refused.value.message == said
