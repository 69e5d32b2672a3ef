"""Where a setting comes from: `sidecar.toml`, the environment, the host, the command line; the last one wins."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import Hosts

FROM_FILE = '[database]\npath = "from-file.db"\n'
FROM_ENVIRONMENT = {"SIDECAR_DATABASE__PATH": "from-environment.db"}
FROM_HOST = {"database": {"path": "from-host.db"}}


def databases(hosts: Hosts) -> list[str]:
    return sorted(path.name for path in hosts.data_dir.rglob("*.db"))


@pytest.mark.parametrize(
    ("options", "database"),
    [
        ({}, "from-file.db"),
        ({"environment": FROM_ENVIRONMENT}, "from-environment.db"),
        ({"environment": FROM_ENVIRONMENT, "settings": FROM_HOST}, "from-host.db"),
    ],
    ids=["file", "environment", "host"],
)
def test_a_later_layer_wins(hosts: Hosts, options: dict[str, Any], database: str) -> None:
    hosts.data_dir.mkdir()
    (hosts.data_dir / "sidecar.toml").write_text(FROM_FILE)
    hosts.start(**options)
    assert databases(hosts) == [database]


def test_the_command_line_wins_over_everything(hosts: Hosts) -> None:
    environment = {"SIDECAR_DATABASE__ENABLED": "true"}
    host = hosts.start(arguments=["--memory"], environment=environment, settings={"database": {"enabled": True}})
    host.add_tip("gone with the process")
    assert databases(hosts) == []


def test_layers_are_merged_setting_by_setting(hosts: Hosts) -> None:
    hosts.data_dir.mkdir()
    (hosts.data_dir / "sidecar.toml").write_text(FROM_FILE + "[server]\nmax_body_bytes = 2048\n")
    host = hosts.start(
        environment={"SIDECAR_LOG__LEVEL": "error"}, settings={"server": {"allowed_origins": ["app://a"]}}
    )
    assert databases(hosts) == ["from-file.db"]
    assert host.client.post("/tips", json={"content": "x" * 2048}).status_code == 413
    assert host.client.get("/tips", headers={"Origin": "app://a"}).status_code == 200
    assert host.stderr == ""


def test_nothing_outlives_memory_mode(hosts: Hosts) -> None:
    host = hosts.start(arguments=["--memory"])
    assert host.add_tip("gone with the process") > 0
    assert host.tips() == ["gone with the process"]
    hosts.stop(host)
    assert databases(hosts) == []
    assert hosts.start(arguments=["--memory"]).tips() == []


def test_a_settings_file_elsewhere_takes_the_place_of_the_directorys(hosts: Hosts) -> None:
    hosts.data_dir.mkdir()
    (hosts.data_dir / "sidecar.toml").write_text(FROM_FILE)
    elsewhere = hosts.workplace / "settings.toml"
    elsewhere.write_text('[database]\npath = "from-elsewhere.db"\n')
    hosts.start(arguments=["--config", elsewhere])
    assert databases(hosts) == ["from-elsewhere.db"]


def test_a_database_may_lie_outside_the_data_directory(hosts: Hosts) -> None:
    path: Path = hosts.workplace / "elsewhere" / "rows.db"
    hosts.start(settings={"database": {"path": str(path)}}).add_tip("a row")
    assert path.exists()
    assert databases(hosts) == []


def test_variables_of_other_programs_are_no_concern(hosts: Hosts) -> None:
    hosts.start(environment={"SIDECAR": "x", "SIDECAR_HOME": "/", "DATABASE__PATH": "x.db"})
    assert databases(hosts) == ["sidecar.db"]


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("[database", "sidecar.toml"),
        ("\xff", "sidecar.toml"),
        ("[databse]\nenabled = true", "'databse'"),
    ],
)
def test_a_settings_file_that_is_wrong_is_refused_by_name(hosts: Hosts, text: str, culprit: str) -> None:
    hosts.data_dir.mkdir()
    (hosts.data_dir / "sidecar.toml").write_bytes(text.encode("latin-1"))
    failed = hosts.begin().refusal()
    assert (failed["exit_code"], failed["code"]) == (2, "bad_configuration")
    assert culprit in failed["message"]


def test_a_settings_file_that_is_not_there_is_refused_by_name(hosts: Hosts) -> None:
    failed = hosts.begin(arguments=["--config", "/no/such/file.toml"]).refusal()
    assert failed["exit_code"] == 2
    assert "/no/such/file.toml" in failed["message"]


def test_a_variable_that_is_wrong_is_refused_by_name(hosts: Hosts) -> None:
    failed = hosts.begin(environment={"SIDECAR_DATABASE__READERS": "many"}).refusal()
    assert failed["exit_code"] == 2
    assert "'database.readers'" in failed["message"]
