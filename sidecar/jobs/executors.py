"""The execution of a job's function: in the event loop, in a thread, or in a process.

Each is a coroutine that ends when the function does. Cancelling it asks the function to end.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sidecar.jobs.declaration import RunIn
from sidecar.jobs.execution import Execution


async def execute(execution: Execution) -> Any:
    """Return the result of the function, as a JSON value. Raises what the function raises."""
    kind, running = execution.kind, execution.running
    if kind.run_in is RunIn.PROCESS:
        from sidecar.jobs.process import run_in_process  # seldom needed

        return await run_in_process(execution)
    arguments = kind.from_stored(execution.arguments)
    if kind.run_in is RunIn.LOOP:
        result = await kind(running, **arguments)
    else:
        result = await _run_in_thread(execution, lambda: kind(running, **arguments))
    return kind.result_as_json(result)


async def _run_in_thread(execution: Execution, function: Callable[[], Any]) -> Any:
    """Run the function in a thread that does not keep the process from ending, as the loop's own threads would."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - raised in the loop, below
            errors.append(error)
        with suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(_settle, ended)

    threading.Thread(target=run, name=f"job {execution.running.name}", daemon=True).start()
    while not ended.done():
        try:
            await asyncio.shield(ended)
        except asyncio.CancelledError:
            execution.running.cancel()
            if execution.is_abandoned:
                raise
    if errors:
        raise errors[0]
    return results[0]


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
