"""The command line."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sidecar import __version__
from sidecar.errors import ExitCode

EXIT_CODES = """\
exit codes:
  0  stopped cleanly               4  data directory not writable
  1  internal error                5  database newer than this program
  2  bad configuration or usage    6  database beyond repair
  3  data directory locked         (from 2 on, starting again does not help)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = _parser().parse_args(arguments)
    code: ExitCode = options.run(options)
    return int(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sidecar",
        description="The local backend of an Electron app: a storage API over SQLite, on a loopback port of its own.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_serve(commands)
    _add_export(commands)
    _add_import(commands)
    _add_backup(commands)
    _add_restore(commands)
    _add_doctor(commands)
    return parser


def _add_serve(commands: Any) -> None:
    serve = commands.add_parser(
        "serve",
        help="serve a data directory over HTTP until told to stop",
        description="Serve a data directory over HTTP until Ctrl-C, or until the host asks for the end or is gone.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    who = serve.add_mutually_exclusive_group(required=True)
    who.add_argument("--data-dir", type=Path, metavar="DIR", help="the data directory; made if it is not there")
    who.add_argument(
        "--host-pipe",
        action="store_true",
        help="started by a program: the first line of standard input is the bootstrap, its end is the host's end, and "
        "standard output carries status lines as JSON",
    )
    serve.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1 (default: one that is free)")
    serve.add_argument("--config", type=Path, metavar="FILE", help="settings (default: sidecar.toml in the directory)")
    serve.add_argument("--memory", action="store_true", help="keep everything in memory; nothing outlives the process")
    serve.set_defaults(run=_serve)


def _add_export(commands: Any) -> None:
    export = commands.add_parser(
        "export",
        help="write what people made into one .zip",
        description="Write vaults, todos, activities, tips, conversations with their messages, and states of threads "
        "into one .zip of JSON Lines. Contexts, vectors and monitoring are in backups only.",
    )
    _add_transfer_options(export)
    export.add_argument("--markdown", action="store_true", help="also hold the vaults as a tree of Markdown files")
    export.set_defaults(run=_export)


def _add_import(commands: Any) -> None:
    importing = commands.add_parser(
        "import",
        help="add what an export, or another system's database, holds",
        description="Check an export as a whole, then add it as a whole. Rows that are there already stay as they are, "
        "so that a second import changes nothing.",
    )
    importing.add_argument(
        "system",
        nargs="?",
        choices=("minecontext", "vmpilot"),
        help="the system whose database FILE then is, e.g. app.db or vmpilot.db; a copy of it is adopted",
    )
    _add_transfer_options(importing)
    importing.add_argument("--dry-run", action="store_true", help="only say what would be added")
    importing.set_defaults(run=_import)


def _add_backup(commands: Any) -> None:
    backup = commands.add_parser(
        "backup",
        help="make a verified copy of everything, while a sidecar runs or without one",
        description="Make a verified copy of all that is stored, in the directory 'backups' beside the database.",
    )
    _add_directory_options(backup)
    backup.add_argument("--to", type=Path, metavar="FILE", help="put another copy there; an older file is replaced")
    backup.set_defaults(run=_backup)


def _add_restore(commands: Any) -> None:
    restore = commands.add_parser(
        "restore",
        help="replace everything that is stored by a backup",
        description="Replace everything that is stored by a backup. It is verified first, and what it replaces becomes "
        "a backup itself, so that a restore can be undone by another one. A sidecar that runs goes on with what was "
        "restored.",
    )
    _add_directory_options(restore)
    which = restore.add_mutually_exclusive_group(required=True)
    which.add_argument("--list", action="store_true", help="only say which backups there are")
    which.add_argument("backup", nargs="?", metavar="NAME_OR_FILE", help="one of that list, or the file of another one")
    restore.set_defaults(run=_restore)


def _add_doctor(commands: Any) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="look for what is wrong with a data directory, and say what to do",
        description="Look, without changing anything, for damage, missing space or permissions, network and synced "
        "folders, old backups and leftovers. Ends with 0 when nothing has to be done, with 1 otherwise.",
    )
    doctor.add_argument("--data-dir", type=Path, metavar="DIR", required=True, help="with or without a running sidecar")
    doctor.add_argument("--config", type=Path, metavar="FILE", help="settings (default: sidecar.toml in the directory)")
    doctor.add_argument("--json", action="store_true", help="the findings as JSON")
    doctor.set_defaults(run=_doctor)


def _add_directory_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data-dir", type=Path, metavar="DIR", required=True, help="with or without a running sidecar"
    )
    command.add_argument(
        "--config", type=Path, metavar="FILE", help="settings (default: sidecar.toml in the directory)"
    )


def _add_transfer_options(command: argparse.ArgumentParser) -> None:
    _add_directory_options(command)
    command.add_argument("file", type=Path, metavar="FILE", help="the .zip")


def _export(options: argparse.Namespace) -> ExitCode:
    from sidecar.process.tools import run_tool
    from sidecar.transfer.commands import export_archive

    return run_tool(
        options.data_dir,
        options.config,
        lambda store: export_archive(store, options.file, options.markdown),
        needs=options.data_dir,
    )


def _import(options: argparse.Namespace) -> ExitCode:
    from sidecar.process.tools import run_tool
    from sidecar.transfer.commands import Store, import_archive
    from sidecar.transfer.seeds import import_seed

    def import_into(store: Store) -> None:
        if options.system is None:
            import_archive(store, options.file, options.dry_run)
        else:
            import_seed(store, options.system, options.file, options.dry_run, options.data_dir)

    return run_tool(options.data_dir, options.config, import_into, needs=options.file)


def _backup(options: argparse.Namespace) -> ExitCode:
    from sidecar.process.tools import run_tool
    from sidecar.transfer.backups import make_backup
    from sidecar.transfer.commands import Store

    def make(store: Store) -> None:
        make_backup(store, options.to)

    return run_tool(options.data_dir, options.config, make, needs=options.data_dir)


def _restore(options: argparse.Namespace) -> ExitCode:
    from sidecar.process.tools import run_tool
    from sidecar.transfer.backups import list_backups, restore_backup
    from sidecar.transfer.commands import Store

    def restore(store: Store) -> None:
        if options.list:
            list_backups(store)
        else:
            restore_backup(store, options.backup)

    return run_tool(options.data_dir, options.config, restore, needs=options.data_dir)


def _doctor(options: argparse.Namespace) -> ExitCode:
    from sidecar.process.doctor import run_doctor

    return run_doctor(options.data_dir, options.config, as_json=options.json)


def _serve(options: argparse.Namespace) -> ExitCode:
    from sidecar.process.hosts import Host, PipeHost, Terminal
    from sidecar.process.launch import launch

    overrides = {"database": {"enabled": False}} if options.memory else {}
    host: Host = PipeHost() if options.host_pipe else Terminal(options.data_dir)
    return launch(host, port=options.port, settings_file=options.config, overrides=overrides)
