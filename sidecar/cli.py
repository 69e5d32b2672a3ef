"""The command line."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sidecar import __version__
from sidecar.errors import BadConfiguration, ExitCode

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

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
    _add_adopted(commands)
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
        description="Write vaults, todos, activities, tips, conversations with their messages, states of threads, and "
        "rows that were set aside into one .zip of JSON Lines. Contexts, vectors and monitoring are in backups only.",
    )
    _add_transfer_options(export, "the .zip")
    _add_force(export)
    export.add_argument("--markdown", action="store_true", help="also hold the vaults as a tree of Markdown files")
    export.set_defaults(run=_export)


def _add_import(commands: Any) -> None:
    importing = commands.add_parser(
        "import",
        help="add what an export, or another system's database, holds",
        description="Check an export as a whole, then add it as a whole. Rows that are there already stay as they are, "
        "so that a second import changes nothing. FILE may be a database of this program or of another system, too: "
        "a private copy of it is read, and the file stays as it is.",
    )
    importing.add_argument(
        "system",
        nargs="?",
        choices=("minecontext", "vmpilot"),
        help="require FILE to be a database of this system, e.g. app.db or vmpilot.db; a copy of it is adopted",
    )
    _add_transfer_options(importing, "the .zip, or a database")
    importing.add_argument("--dry-run", action="store_true", help="only say what would be added")
    importing.add_argument(
        "--time-zone",
        type=_zone,
        metavar="ZONE",
        help="the zone of the local times in another system's database, such as Europe/Berlin (default: the setting "
        "adoption.time_zone, or the zone of this computer)",
    )
    importing.set_defaults(run=_import)


def _add_backup(commands: Any) -> None:
    backup = commands.add_parser(
        "backup",
        help="make a verified copy of everything, while a sidecar runs or without one",
        description="Make a verified copy of all that is stored, in the directory 'backups' beside the database.",
    )
    _add_directory_options(backup)
    backup.add_argument("--to", type=Path, metavar="FILE", help="put another copy there, outside the data directory")
    _add_force(backup)
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


def _add_adopted(commands: Any) -> None:
    adopted = commands.add_parser(
        "adopted",
        help="show rows that were set aside, and bring them back",
        description="Show the rows that an adoption, a recovery, an import or a repair has set aside, with the "
        "reasons, and bring them back into their tables.",
    )
    _add_directory_options(adopted)
    what = adopted.add_mutually_exclusive_group()
    what.add_argument("--json", action="store_true", help="list them as JSON, one object a line")
    what.add_argument("--restore", type=int, metavar="ID", help="bring the row with this id back into its table")
    what.add_argument("--export", type=Path, metavar="FILE", help="write them to FILE as JSON, one object a line")
    what.add_argument("--acknowledge", action="store_true", help="mark all as seen: health and doctor stop naming them")
    adopted.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="with --restore: replace a value of the row, such as conversation_id=5; VALUE is JSON, or else text; may "
        "be repeated",
    )
    adopted.add_argument("--force", action="store_true", help="with --export: replace FILE if it is there already")
    adopted.set_defaults(run=_adopted)


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


def _add_force(command: argparse.ArgumentParser) -> None:
    command.add_argument("--force", action="store_true", help="replace FILE if it is there already")


def _add_transfer_options(command: argparse.ArgumentParser, help_of_file: str) -> None:
    _add_directory_options(command)
    command.add_argument("file", type=Path, metavar="FILE", help=help_of_file)


def _zone(name: str) -> "ZoneInfo":
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"there is no time zone {name!r}; try one like Europe/Berlin") from None


def _export(options: argparse.Namespace) -> ExitCode:
    from sidecar.process.tools import run_tool
    from sidecar.transfer.commands import export_archive

    return run_tool(
        options.data_dir,
        options.config,
        lambda store: export_archive(store, options.file, options.markdown, options.force),
        needs=options.data_dir,
    )


def _import(options: argparse.Namespace) -> ExitCode:
    from sidecar.config import load_settings
    from sidecar.process.tools import run_tool
    from sidecar.transfer.commands import Store
    from sidecar.transfer.imports import import_file

    def import_into(store: Store) -> None:
        named = load_settings(options.data_dir, settings_file=options.config).adoption.time_zone
        zone = options.time_zone or (None if named is None else _zone(named))
        import_file(store, options.file, options.system, options.dry_run, options.data_dir, zone)

    return run_tool(options.data_dir, options.config, import_into, needs=options.file)


def _backup(options: argparse.Namespace) -> ExitCode:
    from sidecar.process.tools import run_tool
    from sidecar.transfer.backups import make_backup
    from sidecar.transfer.commands import Store

    def make(store: Store) -> None:
        make_backup(store, options.to, options.force)

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


def _adopted(options: argparse.Namespace) -> ExitCode:
    from sidecar.process.tools import run_tool
    from sidecar.transfer import adopted
    from sidecar.transfer.commands import Store

    def use(store: Store) -> None:
        if options.set and options.restore is None:
            raise BadConfiguration("--set gives values to the row that --restore brings back; name that row.")
        if options.restore is not None:
            adopted.restore_row(store, options.restore, adopted.values_of(options.set))
        elif options.export is not None:
            adopted.export_rows(store, options.export, options.force)
        elif options.acknowledge:
            adopted.acknowledge(store)
        else:
            adopted.list_rows(store, as_json=options.json)

    return run_tool(options.data_dir, options.config, use, needs=options.data_dir)


def _doctor(options: argparse.Namespace) -> ExitCode:
    from sidecar.process.doctor import run_doctor

    return run_doctor(options.data_dir, options.config, as_json=options.json)


def _serve(options: argparse.Namespace) -> ExitCode:
    from sidecar.process.hosts import Host, PipeHost, Terminal
    from sidecar.process.launch import launch

    overrides = {"database": {"enabled": False}} if options.memory else {}
    host: Host = PipeHost() if options.host_pipe else Terminal(options.data_dir)
    return launch(host, port=options.port, settings_file=options.config, overrides=overrides)
