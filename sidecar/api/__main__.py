"""Prints the OpenAPI document of all operations: `python -m sidecar.api`; with `--client`, what a client needs."""

import json
import sys

from sidecar.api.app import openapi_document
from sidecar.api.client_table import client_table

if __name__ == "__main__":
    document = openapi_document()
    printed = client_table(document) if "--client" in sys.argv else document
    sys.stdout.write(f"{json.dumps(printed, indent=2)}\n")
