"""Extensions in a real sidecar: named by the host, the command line or the settings."""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from .conftest import Hosts
from .host import Host

MODULE = """
from sidecar.extension import Extension, Work, Write

notes = Extension("notes")

@notes.migration(1)
def create_lines(connection):
    connection.execute("CREATE TABLE notes_lines (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")

@notes.router.post("/lines/{text}", status_code=201)
async def add(text: str, write: Write) -> dict[str, int]:
    '''Add a line.'''
    def insert(work: Work) -> dict[str, int]:
        sql = "INSERT INTO notes_lines (text) VALUES (?) RETURNING id"
        (line,) = work.connection.execute(sql, (text,)).fetchone()
        work.changed("notes.lines", line)
        return {"id": line}
    return await write(insert)
"""


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    """A directory with the package `own`, whose module `notes` is an extension."""
    package = tmp_path / "backend" / "own"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "notes.py").write_text(dedent(MODULE), encoding="utf-8")
    return package.parent


def begin(hosts: Hosts, *modules: str, **fields: object) -> Host:
    host = hosts.spawn()
    host.bootstrap(extensions=list(modules), **fields)
    return host


def test_the_host_names_modules_and_where_they_are(hosts: Hosts, backend: Path) -> None:
    host = begin(hosts, "own.notes", python_path=[str(backend)])
    host.event("ready")
    assert host.client.post("/x/notes/lines/one").json() == {"id": 1}
    assert host.stages[0] == "extensions"


def test_a_table_of_operations_that_is_out_of_date_is_reported(hosts: Hosts, backend: Path) -> None:
    host = begin(hosts, "own.notes", python_path=[str(backend)], operations={"notes.add": "0123456789ab"})
    warning = host.event("warning")
    assert warning["code"] == "operations_out_of_date"
    assert "notes.add have changed" in warning["message"]
    host.event("ready")


def test_a_row_that_was_answered_survives_a_kill(hosts: Hosts, backend: Path) -> None:
    host = begin(hosts, "own.notes", python_path=[str(backend)])
    host.event("ready")
    assert host.client.post("/x/notes/lines/one").status_code == 201
    host.process.kill()
    host.wait()
    again = begin(hosts, "own.notes", python_path=[str(backend)])
    again.event("ready")
    assert again.client.post("/x/notes/lines/two").json() == {"id": 2}


def test_a_module_that_does_not_load_ends_the_start_for_good(hosts: Hosts, backend: Path) -> None:
    (backend / "own" / "notes.py").write_text("import sidecar\n1 / 0\n", encoding="utf-8")
    failed = begin(hosts, "own.notes", python_path=[str(backend)]).refusal()
    assert (failed["code"], failed["exit_code"]) == ("extension_refused", 8)
    assert f"ZeroDivisionError: division by zero ({backend / 'own' / 'notes.py'}, line 2)" in failed["message"]


def test_a_module_that_does_not_load_leaves_its_traceback_in_the_log(hosts: Hosts, backend: Path) -> None:
    (backend / "own" / "notes.py").write_text("def begin():\n    1 / 0\n\nbegin()\n", encoding="utf-8")
    host = begin(hosts, "own.notes", python_path=[str(backend)])
    host.refusal()
    _, _, traceback = host.stderr.partition("The extension module own.notes cannot be imported.\n")
    places = [line.split("/")[-1] for line in traceback.splitlines() if line.strip().startswith("File ")]
    assert places == ['notes.py", line 4, in <module>', 'notes.py", line 2, in begin']
    assert traceback.rstrip().endswith("ZeroDivisionError: division by zero")


@pytest.mark.parametrize("is_packaged", [False, True])
def test_a_packaged_app_takes_no_code_from_the_settings_file(hosts: Hosts, backend: Path, is_packaged: bool) -> None:
    hosts.data_dir.mkdir()
    (hosts.data_dir / "sidecar.toml").write_text('[extensions]\nmodules = ["own.notes"]\n', encoding="utf-8")
    host = begin(hosts, python_path=[str(backend)], packaged=is_packaged)
    host.event("ready")
    assert host.client.post("/x/notes/lines/one").status_code == (404 if is_packaged else 201)


@pytest.mark.parametrize(
    "fields",
    [
        {"extensions": "own.notes"},
        {"extensions": [1]},
        {"python_path": ["relative"]},
        {"packaged": "yes"},
        {"debugpy": "5678"},
        {"debugpy": 5678, "packaged": True},
        {"operations": ["a"]},
    ],
    ids=str,
)
def test_a_bootstrap_with_wrong_fields_is_refused(hosts: Hosts, fields: dict[str, object]) -> None:
    host = hosts.spawn()
    host.bootstrap(**fields)
    assert host.refusal()["code"] == "bad_configuration"


def test_without_debugpy_no_debugger_can_attach(hosts: Hosts, backend: Path) -> None:
    failed = begin(hosts, "own.notes", python_path=[str(backend)], debugpy=5678).refusal()
    assert (failed["code"], failed["exit_code"]) == ("bad_configuration", 2)
    assert "pip install debugpy" in failed["message"]


def test_a_debugger_can_attach_before_the_modules_are_imported(hosts: Hosts, backend: Path, tmp_path: Path) -> None:
    """`debugpy` is played by a module that notes what is asked of it."""
    calls = tmp_path / "calls"
    module = f"import sys\ndef listen(address):\n    open({str(calls)!r}, 'w').write(f'{{address}} {{sys.argv[0]}}')\n"
    (backend / "debugpy.py").write_text(module, encoding="utf-8")
    (backend / "own" / "notes.py").write_text(f"assert open({str(calls)!r}).read()\n{dedent(MODULE)}", encoding="utf-8")
    host = hosts.spawn(environment={"PYTHONPATH": str(backend)})
    host.bootstrap(extensions=["own.notes"], debugpy=5678)
    host.event("ready")
    assert calls.read_text(encoding="utf-8").startswith("('127.0.0.1', 5678)")


def test_a_port_that_stays_taken_leaves_a_warning(hosts: Hosts, backend: Path) -> None:
    module = "def listen(address):\n    raise RuntimeError('the address is in use')\n"
    (backend / "debugpy.py").write_text(module, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        host = hosts.spawn(
            environment={"PYTHONPATH": str(backend)},
            patch="from sidecar.process import debugging; debugging.PORT_PATIENCE_S = 0.1",
        )
        host.bootstrap(debugpy=port)
        host.event("ready")
    assert f"no debugger can attach at 127.0.0.1:{port}: the address is in use" in host.stderr


def test_a_person_names_them_on_the_command_line(tmp_path: Path, backend: Path) -> None:
    arguments: list[str | Path] = [
        "serve",
        "--data-dir",
        tmp_path / "data",
        "--python-path",
        backend,
        "--extension",
        "own.notes",
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "sidecar", *arguments], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        said = [next(process.stdout) for _ in range(4)]
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
    assert said[0] == "Loading own.notes …\n"
    assert said[3].startswith("The sidecar is ready at ")
