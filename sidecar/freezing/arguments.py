"""The options of `sidecar freeze`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sidecar.command_options import add_extensions, examples, wrapped

if TYPE_CHECKING:
    from sidecar.exit_codes import ExitCode

EXTRAS = ("vectors",)
"""The extras of `sidecar.freezing.extras`, which is loaded only for the command."""


def add_freeze(commands: Any) -> None:
    """Add the command."""
    freeze = commands.add_parser(
        "freeze",
        help="make a folder with an executable that needs no Python",
        description=wrapped(
            "Make a folder with an executable that needs no Python, for an app to ship: the sidecar, the extensions "
            "and the packages that they import, and the extras that are installed. The folder is tested before it "
            "replaces an earlier one. It may be moved. PyInstaller does the work, for the system that it runs on: "
            "pip install 'electron-sidecar[freeze]'."
        ),
        epilog=examples(
            "sidecar freeze",
            "sidecar freeze --python-path backend --extension my_app.backend",
            "sidecar freeze --python-path backend --extension my_app.backend --include pypdf --without vectors",
        ),
    )
    add_extensions(freeze)
    freeze.add_argument(
        "--out",
        type=Path,
        default=Path("frozen", "sidecar"),
        metavar="DIR",
        help=f"the folder to make, or to replace (default: {Path('frozen', 'sidecar')})",
    )
    freeze.add_argument(
        "--include",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="take a package as a whole, with its data files, if it is imported by a name that is made at run time; "
        "may be repeated",
    )
    freeze.add_argument(
        "--without", action="append", default=[], choices=EXTRAS, help="leave out an extra that is installed"
    )
    freeze.add_argument("--onefile", action="store_true", help=argparse.SUPPRESS)
    freeze.set_defaults(run=_freeze)


def _freeze(options: argparse.Namespace) -> "ExitCode":
    from sidecar.freezing.command import freeze
    from sidecar.freezing.recipe import Recipe

    recipe = Recipe(
        modules=tuple(dict.fromkeys(options.extension)),
        python_path=tuple(str(path.absolute()) for path in options.python_path),
        include=tuple(options.include),
        without=tuple(options.without),
    )
    return freeze(recipe, options.out.absolute(), one_file=options.onefile)
