"""Prints what ERRORS.md says of the sidecar, as JSON: `python -m sidecar.errors`."""

import json
import sys

from sidecar.errors.reference import entries, warnings
from sidecar.exit_codes import ExitCode

if __name__ == "__main__":
    printed = {
        "errors": [entry._asdict() for entry in entries()],
        "warnings": [entry._asdict() for entry in warnings()],
        "exit_codes": [
            {"number": code, "name": code.name.replace("_", " ").lower(), "is_permanent": code.is_permanent}
            for code in ExitCode
        ],
    }
    sys.stdout.write(f"{json.dumps(printed, indent=2)}\n")
