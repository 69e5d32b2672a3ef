"""A data directory that holds another system's database under its own name, or one that other tools have marked."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.config import AdoptionSettings, DatabaseSettings, load_settings
from sidecar.errors import BadConfiguration
from sidecar.storage.sqlite.adoption import arrivals
from sidecar.storage.sqlite.files import foreign as others_files
from sidecar.storage.sqlite.schema import identity, upgrade
from sidecar.storage.unified import UnifiedStorage, configured_backends, document_backend
from tests.storage.vintages import make

VAULT = "INSERT INTO vaults (id, title) VALUES (1, 'mine')"
CHAT = "INSERT INTO chats (chat_id, messages, cache_info) VALUES ('t-1', '[1]', '{}')"

Stages = list[tuple[str, str]]


async def titles_after_a_start(directory: Path, stages: Stages | None = None) -> list[str]:
    def announce(stage: str, detail: str) -> None:
        if stages is not None:
            stages.append((stage, detail))

    storage = UnifiedStorage.create([document_backend(DatabaseSettings(), directory)], announce)
    await storage.initialize()
    try:
        return [vault.title for vault in (await storage.get_vaults()).items]
    finally:
        await storage.close()


def source_of(directory: Path) -> list[str]:
    with closing(sqlite3.connect(directory / "sidecar.db")) as connection:
        return [source for (source,) in connection.execute("SELECT source FROM adoptions")]


async def test_the_database_of_minecontext_is_adopted_and_stays_as_it_is(tmp_path: Path) -> None:
    path = make("minecontext-5", tmp_path / "app.db", VAULT)
    before, stages = path.read_bytes(), Stages()
    assert await titles_after_a_start(tmp_path, stages) == ["mine"]
    assert path.read_bytes() == before
    assert source_of(tmp_path) == [str(path)]
    assert ("adopting", f"copying {path}, which stays as it is") in stages
    assert [file.name for file in tmp_path.glob("app.db*")] == ["app.db"]


async def test_the_database_of_vmpilot_is_adopted(tmp_path: Path) -> None:
    make("vmpilot-4", tmp_path / "vmpilot.db", CHAT)
    storage = UnifiedStorage.create([document_backend(DatabaseSettings(), tmp_path)])
    await storage.initialize()
    assert (await storage.get_conversation_state("t-1")).messages == [1]
    await storage.close()


async def test_it_is_adopted_once(tmp_path: Path) -> None:
    path = make("minecontext-5", tmp_path / "app.db", VAULT)
    await titles_after_a_start(tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO vaults (title) VALUES ('since')")
    assert await titles_after_a_start(tmp_path) == ["mine"]
    assert len(source_of(tmp_path)) == 1


async def test_where_a_database_is_already_it_is_left_alone(tmp_path: Path) -> None:
    await titles_after_a_start(tmp_path)
    make("minecontext-5", tmp_path / "app.db", VAULT)
    assert "mine" not in await titles_after_a_start(tmp_path)


@pytest.mark.parametrize("trace", ["closed", "damaged-20250601", "recovered-20250601"])
async def test_where_a_database_was_it_is_left_alone(trace: str, tmp_path: Path) -> None:
    make("minecontext-5", tmp_path / "app.db", VAULT)
    (tmp_path / f"sidecar.db.{trace}").touch()
    assert arrivals.candidates(tmp_path / "sidecar.db", tmp_path) == []


async def test_the_lock_of_a_database_is_no_trace_of_one(tmp_path: Path) -> None:
    make("minecontext-5", tmp_path / "app.db", VAULT)
    (tmp_path / "sidecar.db.lock").touch()
    assert await titles_after_a_start(tmp_path) == ["mine"]


async def test_of_two_the_first_is_adopted_and_the_other_one_named(tmp_path: Path) -> None:
    app = make("minecontext-5", tmp_path / "app.db", VAULT)
    other = make("vmpilot-4", tmp_path / "vmpilot.db", CHAT)
    before, stages = other.read_bytes(), Stages()
    assert await titles_after_a_start(tmp_path, stages) == ["mine"]
    assert source_of(tmp_path) == [str(app)]
    command = f"sidecar import vmpilot {other} --data-dir {tmp_path}"
    assert [detail for _, detail in stages if command in detail]
    assert other.read_bytes() == before


@pytest.mark.parametrize("is_in_use", [True, False])
async def test_a_database_with_a_write_ahead_log_is_adopted_with_what_the_log_holds(
    is_in_use: bool, tmp_path: Path
) -> None:
    path = make("minecontext-5", tmp_path / "app.db", "PRAGMA user_version = 0")
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("PRAGMA journal_mode = WAL")
        with theirs:
            theirs.execute(VAULT)
        if is_in_use:
            assert await titles_after_a_start(tmp_path) == ["mine"]
            assert theirs.execute("SELECT title FROM vaults").fetchall() == [("mine",)]
            return
    files = {file.name: file.read_bytes() for file in tmp_path.glob("app.db*")}
    assert await titles_after_a_start(tmp_path) == ["mine"]
    assert {file.name: file.read_bytes() for file in tmp_path.glob("app.db*")} == files


async def test_a_copy_that_was_cut_off_is_made_again(tmp_path: Path) -> None:
    make("minecontext-5", tmp_path / "app.db", VAULT)
    (tmp_path / "sidecar.db.partial").write_bytes(b"half of a copy")
    assert await titles_after_a_start(tmp_path) == ["mine"]
    assert not (tmp_path / "sidecar.db.partial").exists()


@pytest.mark.parametrize("content", [b"no database at all " * 100, b""])
async def test_a_file_that_is_no_database_of_theirs_is_left_alone(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "app.db").write_bytes(content)
    assert await titles_after_a_start(tmp_path) != []
    assert (tmp_path / "app.db").read_bytes() == content


async def test_a_damaged_database_does_not_keep_the_sidecar_from_starting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = make(
        "minecontext-5", tmp_path / "app.db", *[f"INSERT INTO vaults (title) VALUES ('{n}')" for n in range(999)]
    )
    content = bytearray(path.read_bytes())
    content[-4096:] = b"\xff" * 4096
    path.write_bytes(content)
    await titles_after_a_start(tmp_path)
    assert path.read_bytes() == content
    assert "sidecar import minecontext" in caplog.text


@pytest.mark.parametrize("version", [3, 99])
@pytest.mark.parametrize("application", [0, 0x1234])
async def test_marks_of_other_tools_do_not_keep_a_database_from_being_adopted(
    version: int, application: int, tmp_path: Path
) -> None:
    path = make(
        "minecontext-5",
        tmp_path / "sidecar.db",
        VAULT,
        f"PRAGMA user_version = {version}",
        f"PRAGMA application_id = {application}",
    )
    assert await titles_after_a_start(tmp_path) == ["mine"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (upgrade.latest_version(),)
        assert connection.execute("PRAGMA application_id").fetchone() == (identity.APPLICATION_ID,)


async def test_a_table_of_that_name_in_an_orm_does_not_make_a_database_ours(tmp_path: Path) -> None:
    make("minecontext-5", tmp_path / "sidecar.db", VAULT, "CREATE TABLE schema_migrations (version TEXT)")
    assert await titles_after_a_start(tmp_path) == ["mine"]


async def test_local_times_belong_to_the_zone_of_the_settings(tmp_path: Path) -> None:
    make(
        "minecontext-5",
        tmp_path / "sidecar.db",
        "INSERT INTO activity (id, start_time, end_time) VALUES (1, '2025-07-01 12:00:00', '2025-07-01 13:00:00')",
    )
    (tmp_path / "sidecar.toml").write_text('[adoption]\ntime_zone = "America/New_York"\n', encoding="utf-8")
    settings = load_settings(tmp_path, environment={})
    storage = UnifiedStorage.create(configured_backends(settings, tmp_path))
    await storage.initialize()
    assert (await storage.get_activity(1)).start_time == "2025-07-01T16:00:00.000Z"
    await storage.close()


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../../etc/passwd", "/etc/localtime"])
def test_an_unknown_zone_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "sidecar.toml").write_text(f'[adoption]\ntime_zone = "{name}"\n', encoding="utf-8")
    with pytest.raises(BadConfiguration, match="time_zone"):
        load_settings(tmp_path, environment={})


def test_the_environment_names_the_zone(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, environment={"SIDECAR_ADOPTION__TIME_ZONE": "Asia/Kolkata"})
    assert settings.adoption == AdoptionSettings(time_zone="Asia/Kolkata")


async def test_an_empty_file_in_the_place_of_the_database_is_none(tmp_path: Path) -> None:
    make("minecontext-5", tmp_path / "app.db", VAULT)
    (tmp_path / "sidecar.db").touch()
    assert await titles_after_a_start(tmp_path) == ["mine"]


async def test_one_that_may_not_be_read_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, _: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    make("minecontext-5", tmp_path / "app.db", VAULT)
    monkeypatch.setattr(others_files, "reading", refuse)
    assert "mine" not in await titles_after_a_start(tmp_path)
