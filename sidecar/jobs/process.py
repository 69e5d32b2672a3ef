"""The execution of a job in a process of its own, as the sidecar sees it; `child.py` is at the other end."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from asyncio.subprocess import Process
from typing import Any

from sidecar import platform
from sidecar.jobs.execution import Execution
from sidecar.jobs.failure import ProcessFailed
from sidecar.jobs.running import JobCancelled
from sidecar.models.jobs import MAX_JOB_JSON_BYTES

log = logging.getLogger(__name__)

JOB_PROCESS = "--job-process"
"""The only argument of a process that executes a job."""

LONGEST_LINE = 2 * MAX_JOB_JSON_BYTES


def child_command() -> list[str]:
    """Return the command of a process that executes a job: this program itself, also where it is one frozen file."""
    if hasattr(sys, "frozen"):
        return [sys.executable, JOB_PROCESS]
    return [sys.executable, "-P", "-m", "sidecar", JOB_PROCESS]


async def run_in_process(execution: Execution) -> Any:
    """Return the result of the function, as a JSON value.

    Raises `ProcessFailed` for what the function raised, and for a process that ended without an outcome; `JobCancelled`
    for a function that ended because it was cancelled.
    """
    with platform.job_process() as (reader, options):
        process = await asyncio.create_subprocess_exec(
            *child_command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=LONGEST_LINE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            **options,
        )
        try:
            return await _converse(execution, process, reader)
        finally:
            await _end(process)


async def _converse(execution: Execution, process: Process, lifeline: int | None) -> Any:
    assert process.stdin is not None
    process.stdin.write(_request(execution, lifeline))
    answering = asyncio.ensure_future(_answer(execution, process))
    try:
        return await asyncio.shield(answering)
    except asyncio.CancelledError:
        execution.running.cancel()
        process.stdin.write(b"cancel\n")
        try:
            await asyncio.wait([answering], timeout=execution.grace_s)
        finally:
            answering.cancel()
        if answering.done() and not answering.cancelled():
            return answering.result()
        raise


def _request(execution: Execution, lifeline: int | None) -> bytes:
    function, running = execution.kind.function, execution.running
    request = {
        "module": function.__module__,
        "function": function.__qualname__,
        "name": running.name,
        "id": running.id,
        "attempt": running.attempt,
        "arguments": execution.arguments,
        "path": sys.path,
        "python_path": os.environ.get("PYTHONPATH"),
        "lifeline": lifeline,
    }
    return json.dumps(request).encode() + b"\n"


async def _answer(execution: Execution, process: Process) -> Any:
    """Pass on the progress until there is an outcome."""
    assert process.stdout is not None
    name = execution.running.name
    while line := await process.stdout.readline():
        message = json.loads(line)
        if "progress" in message:
            execution.running.progress(*message["progress"])
        elif "result" in message:
            return message["result"]
        elif "cancelled" in message:
            raise JobCancelled
        else:
            log.warning("the job %s failed in its process:\n%s", name, message["traceback"])
            raise ProcessFailed(message["error"], message["code"])
    code = await process.wait()
    raise ProcessFailed(f"The process of the job {name} ended unexpectedly, with the exit code {code}.")


async def _end(process: Process) -> None:
    """End the process and all that it has started. It has reported its outcome, or is not going to."""
    if not platform.kill_group(process.pid):
        await asyncio.to_thread(platform.kill_tree, process.pid)
    await process.wait()
