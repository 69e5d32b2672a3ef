"""The command line."""

import argparse
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sidecar import __version__
from sidecar.errors import ExitCode

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

EXIT_CODES = """\
exit codes:
  0  stopped cleanly               4  data directory not writable
  1  internal error                5  database newer than this program
  2  bad configuration or usage    6  database beyond repair
  3  data directory locked         7  the disk failed
                                   8  extension refused
  After 2 to 6 and 8, starting again does not help."""


class CommandParser(argparse.ArgumentParser):
    """A parser that keeps line breaks in descriptions, and reports every usage error with its own command's usage."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, formatter_class=argparse.RawDescriptionHelpFormatter)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as the base class does, but refuse unknown arguments here, where the command is known."""
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized {'argument' if len(unknown) == 1 else 'arguments'}: {' '.join(unknown)}")
        return parsed, unknown


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = parser().parse_args(arguments)
    code: ExitCode = options.run(options)
    return int(code)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    command_line = CommandParser(
        prog="sidecar",
        description="The local backend of an Electron app: a storage API over SQLite, on a loopback port of its own.\n"
        "`sidecar COMMAND --help` describes a command and shows examples.",
        epilog=EXIT_CODES,
    )
    command_line.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = command_line.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_serve(commands)
    _add_export(commands)
    _add_import(commands)
    _add_backup(commands)
    _add_restore(commands)
    _add_adopted(commands)
    _add_doctor(commands)
    return command_line


def _add_serve(commands: Any) -> None:
    serve = commands.add_parser(
        "serve",
        help="serve a data directory over HTTP",
        description="Serve a data directory over HTTP until Ctrl-C, or until the host stops or exits.",
        epilog=_examples(
            "sidecar serve --data-dir ./data",
            "sidecar serve --data-dir ./data --port 8123",
            "sidecar serve --data-dir ./data --python-path ./backend --extension my_app.notes",
            "SIDECAR_LOG__LEVEL=debug sidecar serve --data-dir ./data",
        )
        + EXIT_CODES,
    )
    who = serve.add_mutually_exclusive_group(required=True)
    who.add_argument("--data-dir", type=Path, metavar="DIR", help="the data directory; created if it does not exist")
    who.add_argument(
        "--host-pipe",
        action="store_true",
        help="for a program that starts the sidecar: read the bootstrap as JSON from the first line of standard "
        "input, stop when standard input ends, and write status lines as JSON to standard output",
    )
    serve.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1 (default: any free port)")
    _add_config(serve)
    serve.add_argument(
        "--extension",
        action="append",
        default=[],
        metavar="MODULE",
        help="load the app's own Python from this module, such as my_app.backend; may be repeated",
    )
    serve.add_argument(
        "--python-path",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="a directory in which extension modules are looked for first; may be repeated",
    )
    serve.add_argument("--memory", action="store_true", help="keep everything in memory; nothing is stored on disk")
    serve.set_defaults(run=_serve, usage_error=serve.error)


def _add_export(commands: Any) -> None:
    export = commands.add_parser(
        "export",
        help="export the rows to a .zip file",
        description=_wrapped(
            "Export vaults, todos, activities, tips, conversations with their messages, conversation states, and rows "
            "set aside to a .zip file of JSON Lines. Contexts, vectors and monitoring are only in backups."
        ),
        epilog=_examples(
            "sidecar export --data-dir ./data everything.zip",
            "sidecar export --data-dir ./data --markdown --force everything.zip",
        ),
    )
    _add_transfer_options(export, "the .zip file to write, outside the data directory")
    _add_force(export)
    export.add_argument("--markdown", action="store_true", help="also write the vaults as a tree of Markdown files")
    export.set_defaults(run=_export)


def _add_import(commands: Any) -> None:
    importing = commands.add_parser(
        "import",
        help="import an export, or the database of another system",
        description=_wrapped(
            "Check the whole file, then add all of its rows, or none if one is wrong. Existing rows stay as they are, "
            "so a second import changes nothing. FILE may also be a database of this program, of minecontext or of "
            "vmpilot. A private copy of it is read, and FILE itself is not changed."
        ),
        epilog=_examples(
            "sidecar import --data-dir ./data --dry-run everything.zip",
            "sidecar import --data-dir ./data everything.zip",
            "sidecar import --data-dir ./data --time-zone Europe/Berlin minecontext app.db",
        ),
    )
    importing.add_argument(
        "system",
        nargs="?",
        choices=("minecontext", "vmpilot"),
        help="refuse FILE unless it is a database of this system, such as app.db or vmpilot.db",
    )
    _add_transfer_options(importing, "the .zip file or the database to import")
    importing.add_argument("--dry-run", action="store_true", help="report what would be added, and add nothing")
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
        help="make a verified backup",
        description=_wrapped(
            "Make a verified backup of the whole database in the directory 'backups' beside it. A running sidecar "
            "keeps serving."
        ),
        epilog=_examples(
            "sidecar backup --data-dir ./data",
            "sidecar backup --data-dir ./data --to /media/usb/today.db",
        ),
    )
    _add_directory_options(backup)
    backup.add_argument("--to", type=Path, metavar="FILE", help="also write a copy to FILE, outside the data directory")
    _add_force(backup)
    backup.set_defaults(run=_backup)


def _add_restore(commands: Any) -> None:
    restore = commands.add_parser(
        "restore",
        help="replace the database with a backup",
        description=_wrapped(
            "Replace the whole database with a backup. The backup is verified first. The replaced database becomes a "
            "backup itself, so another restore undoes this one. A running sidecar continues with the restored rows."
        ),
        epilog=_examples(
            "sidecar restore --data-dir ./data --list",
            "sidecar restore --data-dir ./data /media/usb/today.db",
        ),
    )
    _add_directory_options(restore)
    which = restore.add_mutually_exclusive_group(required=True)
    which.add_argument("--list", action="store_true", help="list the backups, and restore nothing")
    which.add_argument("backup", nargs="?", metavar="NAME_OR_FILE", help="a name from that list, or a backup file")
    restore.set_defaults(run=_restore)


def _add_adopted(commands: Any) -> None:
    adopted = commands.add_parser(
        "adopted",
        help="list rows set aside, and restore them",
        description=_wrapped(
            "List the rows that an adoption, a recovery, an import or a repair has set aside, with the reasons, and "
            "restore them to their tables."
        ),
        epilog=_examples(
            "sidecar adopted --data-dir ./data",
            "sidecar adopted --data-dir ./data --restore 4 --set conversation_id=5",
            "sidecar adopted --data-dir ./data --export rows.jsonl",
        ),
    )
    _add_directory_options(adopted)
    what = adopted.add_mutually_exclusive_group()
    what.add_argument("--json", action="store_true", help="list the rows as JSON, one object per line")
    what.add_argument("--restore", type=int, metavar="ID", help="restore the row with this id to its table")
    what.add_argument("--export", type=Path, metavar="FILE", help="write the rows to FILE as JSON, one object per line")
    what.add_argument(
        "--acknowledge", action="store_true", help="mark all as seen, so that health and doctor stop reporting them"
    )
    adopted.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="with --restore: replace a value of the row, such as conversation_id=5; VALUE is read as JSON, or as text "
        "if it is not JSON; may be repeated",
    )
    adopted.add_argument("--force", action="store_true", help="with --export: replace FILE if it exists")
    adopted.set_defaults(run=_adopted, usage_error=adopted.error)


def _add_doctor(commands: Any) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="look for problems with a data directory",
        description=_wrapped(
            "Look for damage, missing disk space or permissions, network and synced folders, old backups and leftover "
            "files, and say what to do. Nothing is changed. The exit code is 0 if there is nothing to do, and 1 "
            "otherwise."
        ),
        epilog=_examples(
            "sidecar doctor --data-dir ./data",
            "sidecar doctor --data-dir ./data --json",
        ),
    )
    _add_directory_options(doctor)
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")
    doctor.set_defaults(run=_doctor)


def _examples(*lines: str) -> str:
    return "examples:\n" + "".join(f"  {line}\n" for line in lines) + "\n"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 78)


def _add_directory_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        required=True,
        help="the data directory; a sidecar may be running in it or not",
    )
    _add_config(command)


def _add_config(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--config", type=Path, metavar="FILE", help="the settings file (default: sidecar.toml in the data directory)"
    )


def _add_force(command: argparse.ArgumentParser) -> None:
    command.add_argument("--force", action="store_true", help="replace FILE if it exists")


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
    from sidecar.tools.commands import export_archive

    return run_tool(
        options.data_dir,
        options.config,
        lambda store: export_archive(store, options.file, options.markdown, options.force),
        needs=options.data_dir,
    )


def _import(options: argparse.Namespace) -> ExitCode:
    from sidecar.config import load_settings
    from sidecar.process.tools import run_tool
    from sidecar.tools.commands import Store
    from sidecar.tools.imports import import_file

    def import_into(store: Store) -> None:
        named = load_settings(options.data_dir, settings_file=options.config).adoption.time_zone
        zone = options.time_zone or (None if named is None else _zone(named))
        import_file(store, options.file, options.system, options.dry_run, options.data_dir, zone)

    return run_tool(options.data_dir, options.config, import_into, needs=options.file)


def _backup(options: argparse.Namespace) -> ExitCode:
    from sidecar.process.tools import run_tool
    from sidecar.tools.backups import make_backup
    from sidecar.tools.commands import Store

    def make(store: Store) -> None:
        make_backup(store, options.to, options.force)

    return run_tool(options.data_dir, options.config, make, needs=options.data_dir)


def _restore(options: argparse.Namespace) -> ExitCode:
    from sidecar.process.tools import run_tool
    from sidecar.tools.backups import list_backups, restore_backup
    from sidecar.tools.commands import Store

    def restore(store: Store) -> None:
        if options.list:
            list_backups(store)
        else:
            restore_backup(store, options.backup)

    return run_tool(options.data_dir, options.config, restore, needs=options.data_dir)


def _adopted(options: argparse.Namespace) -> ExitCode:
    from sidecar.process.tools import run_tool
    from sidecar.tools import adopted
    from sidecar.tools.commands import Store

    if options.set and options.restore is None:
        options.usage_error("--set changes a row that is restored; name that row with --restore ID")

    def use(store: Store) -> None:
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
    if options.host_pipe and (options.extension or options.python_path):
        options.usage_error("with --host-pipe, the bootstrap names the extensions")
    host: Host = PipeHost() if options.host_pipe else Terminal(options.data_dir, options.extension, options.python_path)
    return launch(host, port=options.port, settings_file=options.config, overrides=overrides)
