"""The command line."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sidecar import __version__
from sidecar.command_options import (
    CommandParser,
    add_config,
    add_directory_options,
    add_extensions,
    add_force,
    examples,
    ids,
    short_text,
    wrapped,
    zone,
)
from sidecar.exit_codes import EXIT_CODES, ExitCode

IMPORTED_SYSTEMS = (
    "minecontext",
    "vmpilot",
    "chatgpt",
    "claude",
    "openwebui",
    "librechat",
    "llm",
    "conversations",
)
"""The systems of `sidecar.tools.imports`, whose modules are loaded only for an import."""


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
    if not hasattr(sys, "frozen"):
        from sidecar.freezing.arguments import add_freeze  # a frozen sidecar does not have it

        add_freeze(commands)
    return command_line


def _add_serve(commands: Any) -> None:
    serve = commands.add_parser(
        "serve",
        help="serve a data directory over HTTP",
        description="Serve a data directory over HTTP until Ctrl-C, or until the host stops or exits.",
        epilog=examples(
            "sidecar serve --data-dir ./data",
            "sidecar serve --data-dir ./data --port 8123",
            "sidecar serve --data-dir ./data --python-path ./src --extension my_app.notes",
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
    add_config(serve)
    add_extensions(serve)
    serve.add_argument("--memory", action="store_true", help="keep everything in memory; nothing is stored on disk")
    serve.set_defaults(run=_serve, usage_error=serve.error)


def _add_export(commands: Any) -> None:
    export = commands.add_parser(
        "export",
        help="export the rows to a .zip file",
        description=wrapped(
            "Export vaults, todos, activities, tips, conversations with their messages, conversation states, rows set "
            "aside, and the tables of extensions to a .zip file of JSON Lines. Contexts, vectors and monitoring are "
            "only in backups. With --conversations, write only conversations, as one document to read or to import "
            "elsewhere."
        ),
        epilog=examples(
            "sidecar export --data-dir ./data everything.zip",
            "sidecar export --data-dir ./data --markdown --force everything.zip",
            "sidecar export --data-dir ./data --conversations 12,15 talk.html",
            "sidecar export --data-dir ./data --conversations all talks.json",
        ),
    )
    _add_transfer_options(export, "the file to write, outside the data directory")
    add_force(export)
    what = export.add_mutually_exclusive_group()
    what.add_argument("--markdown", action="store_true", help="also write the vaults as a tree of Markdown files")
    what.add_argument(
        "--conversations",
        type=ids,
        default=argparse.SUPPRESS,
        metavar="IDS",
        help="write the conversations with these ids, such as 12,15, or all that are not deleted, with thinking and "
        "branches",
    )
    export.add_argument(
        "--format",
        choices=("markdown", "html", "json"),
        help="with --conversations: the format of FILE (default: by its name, such as talk.html; otherwise Markdown); "
        "`sidecar import` reads json",
    )
    export.set_defaults(run=_export, usage_error=export.error)


def _add_import(commands: Any) -> None:
    importing = commands.add_parser(
        "import",
        help="import an export, the database of another system, or a chat history",
        description=wrapped(
            "Check the whole file, then add all of its rows, or none if one is wrong. Existing rows stay as they are, "
            "so a second import changes nothing. FILE may also be a database of this program, of minecontext or of "
            "vmpilot. A private copy of it is read, and FILE itself is not changed."
        )
        + "\n\n"
        + wrapped(
            "FILE may also be the chat history of another program: the data export of ChatGPT or Claude (the .zip, or "
            "conversations.json in it), the chat export of Open WebUI (.json, or webui.db), a conversation of "
            "LibreChat (.json), or logs.db of llm. Conversations come with their branches, thinking and times. A later "
            "import of the same history adds what is new. The report says what was left out, and why."
        ),
        epilog=examples(
            "sidecar import --data-dir ./data --dry-run everything.zip",
            "sidecar import --data-dir ./data everything.zip",
            "sidecar import --data-dir ./data --time-zone Europe/Berlin minecontext app.db",
            "sidecar import --data-dir ./data --dry-run chatgpt chatgpt-export.zip",
            "sidecar import --data-dir ./data claude conversations.json",
            "sidecar import --data-dir ./data openwebui chat-export.json",
            "sidecar import --data-dir ./data --page-name chat librechat cats.json",
            'sidecar import --data-dir ./data llm "$(llm logs path)"',
        ),
    )
    importing.add_argument(
        "system",
        nargs="?",
        choices=IMPORTED_SYSTEMS,
        help="refuse FILE unless it comes from this system: minecontext or vmpilot, whose databases are app.db and "
        "vmpilot.db; chatgpt, claude, openwebui, librechat or llm for a chat history; conversations for the JSON of "
        "`sidecar export --conversations` (default: recognise the file)",
        metavar="SYSTEM",
    )
    _add_transfer_options(importing, "the file to import")
    importing.add_argument("--dry-run", action="store_true", help="report what would be added, and add nothing")
    importing.add_argument(
        "--time-zone",
        type=zone,
        metavar="ZONE",
        help="the zone of the local times in another system's database, such as Europe/Berlin (default: the setting "
        "adoption.time_zone, or the zone of this computer)",
    )
    importing.add_argument(
        "--page-name",
        type=short_text,
        metavar="NAME",
        help="the page of the app on which the conversations of a chat history appear (default: the name of the "
        "system, such as chatgpt)",
    )
    importing.add_argument(
        "--user-id", type=short_text, metavar="ID", help="the user of the app to whom they belong (default: none)"
    )
    importing.set_defaults(run=_import)


def _add_backup(commands: Any) -> None:
    backup = commands.add_parser(
        "backup",
        help="make a verified backup",
        description=wrapped(
            "Make a verified backup of the whole database in the directory 'backups' beside it. A running sidecar "
            "keeps serving."
        ),
        epilog=examples(
            "sidecar backup --data-dir ./data",
            "sidecar backup --data-dir ./data --to /media/usb/today.db",
        ),
    )
    add_directory_options(backup)
    backup.add_argument("--to", type=Path, metavar="FILE", help="also write a copy to FILE, outside the data directory")
    add_force(backup)
    backup.set_defaults(run=_backup)


def _add_restore(commands: Any) -> None:
    restore = commands.add_parser(
        "restore",
        help="replace the database with a backup",
        description=wrapped(
            "Replace the whole database with a backup. The backup is verified first. The replaced database becomes a "
            "backup itself, so another restore undoes this one. A running sidecar continues with the restored rows. "
            "A data directory that does not exist yet is made for a backup FILE: the way back from a newer version, "
            "whose store stays as it is."
        ),
        epilog=examples(
            "sidecar restore --data-dir ./data --list",
            "sidecar restore --data-dir ./data /media/usb/today.db",
            "sidecar restore --data-dir ./data-restored ./data/backups/NAME.db",
        ),
    )
    add_directory_options(restore)
    which = restore.add_mutually_exclusive_group(required=True)
    which.add_argument("--list", action="store_true", help="list the backups, and restore nothing")
    which.add_argument("backup", nargs="?", metavar="NAME_OR_FILE", help="a name from that list, or a backup file")
    restore.set_defaults(run=_restore)


def _add_adopted(commands: Any) -> None:
    adopted = commands.add_parser(
        "adopted",
        help="list rows set aside, and restore them",
        description=wrapped(
            "List the rows that an adoption, a recovery, an import or a repair has set aside, with the reasons, and "
            "restore them to their tables."
        ),
        epilog=examples(
            "sidecar adopted --data-dir ./data",
            "sidecar adopted --data-dir ./data --restore 4 --set conversation_id=5",
            "sidecar adopted --data-dir ./data --export rows.jsonl",
        ),
    )
    add_directory_options(adopted)
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
        description=wrapped(
            "Look for damage, missing disk space or permissions, network and synced folders, old backups and leftover "
            "files, and say what to do. Nothing is changed. The exit code is 0 if there is nothing to do, and 1 "
            "otherwise."
        ),
        epilog=examples(
            "sidecar doctor --data-dir ./data",
            "sidecar doctor --data-dir ./data --json",
        ),
    )
    add_directory_options(doctor)
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")
    doctor.set_defaults(run=_doctor)


def _add_transfer_options(command: argparse.ArgumentParser, help_of_file: str) -> None:
    add_directory_options(command)
    command.add_argument("file", type=Path, metavar="FILE", help=help_of_file)


def _export(options: argparse.Namespace) -> ExitCode:
    from sidecar.process.tools import run_tool
    from sidecar.tools.commands import Store, export_archive
    from sidecar.tools.conversations import export_conversations

    if options.format is not None and "conversations" not in options:
        options.usage_error("--format is for --conversations; name those with --conversations 12,15 or all")

    def export(store: Store) -> None:
        if "conversations" in options:
            export_conversations(store, options.file, options.conversations, options.format, options.force)
        else:
            export_archive(store, options.file, options.markdown, options.force)

    return run_tool(options.data_dir, options.config, export, needs=options.data_dir)


def _import(options: argparse.Namespace) -> ExitCode:
    from sidecar.config import load_settings
    from sidecar.process.tools import run_tool
    from sidecar.tools.commands import Store
    from sidecar.tools.histories.importing import Owner
    from sidecar.tools.imports import import_file

    def import_into(store: Store) -> None:
        named = load_settings(options.data_dir, settings_file=options.config).adoption.time_zone
        local = options.time_zone or (None if named is None else zone(named))
        owner = Owner(options.page_name, options.user_id)
        import_file(store, options.file, options.system, options.dry_run, options.data_dir, local, owner)

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

    has_file = options.backup is not None and Path(options.backup).is_file()
    needs = Path(options.backup) if has_file else options.data_dir
    return run_tool(options.data_dir, options.config, restore, needs=needs)


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
