"""Options and help that several commands of the command line share."""

import argparse
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from sidecar.nearest import suggestion

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


MAX_NAME = 1_000
"""Characters of a name, as `sidecar.models.base` has it, which is loaded only by commands that need it."""


class CommandParser(argparse.ArgumentParser):
    """A parser that keeps line breaks in descriptions, and reports every usage error with its own command's usage."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, formatter_class=argparse.RawDescriptionHelpFormatter)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as the base class does, but refuse unknown arguments here, where the command is known."""
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            near = suggestion(unknown[0], self._option_string_actions)
            self.error(f"unrecognized {'argument' if len(unknown) == 1 else 'arguments'}: {' '.join(unknown)}{near}")
        return parsed, unknown

    def error(self, message: str) -> NoReturn:
        """End with the usage of the command; a name that is none of the choices gets the one that it resembles."""
        wrong = re.search(r"invalid choice: '(.+?)' \(choose from (.+)\)$", message)
        near = "" if wrong is None else suggestion(wrong[1], re.findall(r"[\w-]+", wrong[2]))
        super().error(message + near)


def examples(*lines: str) -> str:
    """Return the examples of a command's help."""
    return "examples:\n" + "".join(f"  {line}\n" for line in lines) + "\n"


def wrapped(text: str) -> str:
    """Return a paragraph of a command's help."""
    return textwrap.fill(text, 78)


def add_directory_options(command: argparse.ArgumentParser) -> None:
    """Add the options of every command that uses a data directory."""
    command.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        required=True,
        help="the data directory; a sidecar may be running in it or not",
    )
    add_config(command)


def add_config(command: argparse.ArgumentParser) -> None:
    """Add the option that names a settings file."""
    command.add_argument(
        "--config", type=Path, metavar="FILE", help="the settings file (default: sidecar.toml in the data directory)"
    )


def add_force(command: argparse.ArgumentParser) -> None:
    """Add the option that replaces an existing file."""
    command.add_argument("--force", action="store_true", help="replace FILE if it exists")


def ids(given: str) -> list[int] | None:
    """Return the ids in a list of them; `None` for all."""
    if given == "all":
        return None
    try:
        return list(dict.fromkeys(map(int, given.split(","))))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{given!r} is not a list of ids; write 12 or 12,15 or all") from None


def short_text(given: str) -> str:
    """Return a name, which has from 1 to 1,000 characters."""
    if not 1 <= len(given) <= MAX_NAME:
        raise argparse.ArgumentTypeError(f"it must have from 1 to {MAX_NAME:,} characters")
    return given


def zone(name: str) -> "ZoneInfo":
    """Return the time zone of that name."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"there is no time zone {name!r}; try one like Europe/Berlin") from None


def add_extensions(command: argparse.ArgumentParser) -> None:
    """Add the options that name the app's own Python."""
    command.add_argument(
        "--extension",
        action="append",
        default=[],
        metavar="MODULE",
        help="an extension module of the app's own Python, such as my_app.backend; may be repeated",
    )
    command.add_argument(
        "--python-path",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="a directory in which extension modules are looked for first; may be repeated",
    )
