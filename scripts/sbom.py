"""CycloneDX software bills of materials: the packages that an installation of ours brings, with their licences.

Two runs over the same commit give equal bytes: a bill carries the time of the commit, and no serial number.
"""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import toolbox
import versions
from toolbox import ROOT, SCRIPTS, Command, once

PINS = SCRIPTS / "constraints.txt"
RUNTIME = ROOT / ".cache" / "runtime-venv"
"""An environment with what `pip install electron-sidecar` brings at the pinned versions, and nothing else."""


def write_python_bill(python: Path, file: Path, env: dict[str, str]) -> None:
    """Write the bill of the Python package without extras. `python` has cyclonedx-bom and pip."""
    project = ROOT / "pyproject.toml"
    requirements = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    once(RUNTIME / "requirements.stamp", [*requirements, PINS], lambda: _install(python, requirements))
    runtime = toolbox.venv_program("python", RUNTIME)
    cyclonedx: Command = [python, "-m", "cyclonedx_py", "environment", "--output-reproducible"]
    bill = json.loads(toolbox.answer([*cyclonedx, "--mc-type", "library", "--pyproject", project, runtime], env=env))
    version = versions.for_pypi(versions.current())
    component = bill["metadata"]["component"]
    component |= {"version": version, "purl": f"pkg:pypi/{component['name']}@{version}"}
    _write(file, bill)


def _install(python: Path, requirements: list[str]) -> None:
    toolbox.run([python, "-m", "venv", "--clear", "--without-pip", RUNTIME])
    pip: Command = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    toolbox.run([*pip, "--python", toolbox.venv_program("python", RUNTIME), "install", "-c", PINS, *requirements])


def write_npm_bill(package: Path, file: Path, env: dict[str, str]) -> None:
    """Write the bill of a staged npm package, whose folder has the package's name."""
    npm: Command = [toolbox.tool("npm"), "sbom", "--sbom-format", "cyclonedx", "--sbom-type", "library"]
    bill = json.loads(toolbox.answer([*npm, "--omit", "dev", "--omit", "peer"], cwd=package))
    del bill["serialNumber"]
    committed = datetime.fromtimestamp(int(env["SOURCE_DATE_EPOCH"]), UTC)
    bill["metadata"]["timestamp"] = committed.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    # The npm of this machine must not change the bytes.
    bill["metadata"]["tools"] = [{"vendor": "npm", "name": "cli"}]
    _write(file, bill)


def _write(file: Path, bill: dict[str, Any]) -> None:
    file.write_text(json.dumps(bill, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
