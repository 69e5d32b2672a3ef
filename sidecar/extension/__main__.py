"""Prints what a client needs to know of extensions' operations, as JSON: `python -m sidecar.extension --help`."""

import argparse
import json
import sys
from pathlib import Path

from sidecar.api.client_table import client_table
from sidecar.api.openapi import describe
from sidecar.errors import ExtensionRefused
from sidecar.extension.fingerprints import fingerprints
from sidecar.extension.loading import load


def main() -> int:
    """Print the table; return the exit code."""
    command = argparse.ArgumentParser(prog="python -m sidecar.extension", description=__doc__)
    command.add_argument("--extension", action="append", required=True, metavar="MODULE")
    command.add_argument("--python-path", action="append", default=[], type=Path, metavar="DIR")
    options = command.parse_args()
    try:
        extensions = load(options.extension, [path.absolute() for path in options.python_path])
    except ExtensionRefused as error:
        sys.stderr.write(f"error: {error.message}\n")
        return int(error.exit_code)
    routes = [route for extension in extensions for route in extension.router.routes]
    table = client_table(describe(routes, is_extension=True))
    known = fingerprints(routes)
    operations = {name: {**row, "fingerprint": known[name]} for name, row in table["operations"].items()}
    sys.stdout.write(f"{json.dumps({'document': table['document'], 'operations': operations})}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
