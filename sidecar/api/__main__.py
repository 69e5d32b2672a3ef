"""Prints the OpenAPI document of all operations: `python -m sidecar.api`."""

import json
import sys

from sidecar.api.app import openapi_document

if __name__ == "__main__":
    sys.stdout.write(f"{json.dumps(openapi_document(), indent=2)}\n")
