"""The extra `vectors` is loaded when it is first needed, and not at the start."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import asyncio, sys
from pathlib import Path
from sidecar.config import Settings
from sidecar.storage.unified import UnifiedStorage, configured_backends

def loaded():
    return sorted({"numpy", "simsimd", "httpx"} & sys.modules.keys())

async def main():
    settings = Settings.model_validate({"embedding": {"url": "http://127.0.0.1:1"}})
    storage = UnifiedStorage.create(configured_backends(settings, Path(sys.argv[1])))
    await storage.initialize()
    await storage.get_all_processed_contexts()
    await storage.health()
    print(loaded())
    await storage.search([1.0])
    print(loaded())
    await storage.close()

asyncio.run(main())
"""


def test_nothing_of_it_is_loaded_before_the_first_search(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.splitlines() == ["[]", "['numpy', 'simsimd']"]
