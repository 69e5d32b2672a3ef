"""`sidecar doctor`: asks a running sidecar, or examines the data directory itself."""

import json
from pathlib import Path

from sidecar.clock import SYSTEM_CLOCK
from sidecar.config import load_settings
from sidecar.errors import BadConfiguration, SidecarError
from sidecar.exit_codes import ExitCode
from sidecar.models.doctor import DoctorReport, Finding, Level
from sidecar.process.data_directory import LOCK_FILE, find_running, is_held
from sidecar.process.owners import running_owner
from sidecar.process.tools import remote_store
from sidecar.terminal import complain, say

_SIGNS = {Level.OK: "ok", Level.WARNING: "WARNING", Level.PROBLEM: "PROBLEM"}


def run_doctor(data_directory: Path, settings_file: Path | None, *, as_json: bool) -> ExitCode:
    """Print the report; return a code other than 0 if there is something to do."""
    try:
        report = _report(data_directory.absolute(), settings_file)
    except SidecarError as error:
        complain(error.message, error.code)
        return error.exit_code
    except (OSError, ValueError) as error:
        complain(str(error))
        return ExitCode.INTERNAL_ERROR
    text = json.dumps(report.model_dump(mode="json"), indent=2) if as_json else _table(report)
    say(text)
    return ExitCode.CLEAN if report.is_well else ExitCode.INTERNAL_ERROR


def _report(data_directory: Path, settings_file: Path | None) -> DoctorReport:
    if not data_directory.is_dir():
        raise BadConfiguration(f"There is no directory {data_directory}; --data-dir names an existing one.")
    running = running_owner(data_directory)
    if running is not None:
        owner = f"A sidecar (process id {running.pid}) is running here and answers."
        return _with(
            Finding(level=Level.OK, subject="owner", message=owner),
            remote_store(data_directory, running).get_doctor_report(),
        )
    if is_held(data_directory):
        named = find_running(data_directory)
        pid = named.pid if named is not None else "unknown"
        stuck = f"A sidecar (process id {pid}) is running here but does not answer; stop it and try again."
        return DoctorReport(findings=[Finding(level=Level.PROBLEM, subject="owner", message=stuck)])
    has_run = (data_directory / LOCK_FILE).exists()
    owner = "No sidecar is running here." if has_run else "No sidecar has run here yet."
    return _at_rest(data_directory, settings_file, owner)


def _at_rest(data_directory: Path, settings_file: Path | None, owner: str) -> DoctorReport:
    from sidecar.maintenance.doctor import examine_at_rest

    database = load_settings(data_directory, settings_file=settings_file).database
    finding = Finding(level=Level.OK, subject="owner", message=owner)
    file = database.file_in(data_directory)
    return DoctorReport(findings=[finding]) if file is None else _with(finding, examine_at_rest(file, SYSTEM_CLOCK))


def _with(finding: Finding, report: DoctorReport) -> DoctorReport:
    return DoctorReport(findings=[finding, *report.findings])


def _table(report: DoctorReport) -> str:
    width = max(len(finding.subject) for finding in report.findings)
    return "\n".join(
        f"{_SIGNS[finding.level]:<8} {finding.subject:<{width}}  {finding.message}" for finding in report.findings
    )
