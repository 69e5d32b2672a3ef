"""`python -m sidecar`, and the `sidecar` command.

What every bridge says is not parsed: `argparse` and what it imports would be a sixth of the time to `bound`.
"""

import os
import sys

from sidecar.python_version import refuse_old_python

AS_A_CHILD = ["serve", "--host-pipe"]
AS_A_JOB = ["--job-process"]
"""The arguments of a process that a sidecar starts for one job."""


def main() -> int:
    """Run the command; return its exit code. A run that a bridge started ends the process itself."""
    refuse_old_python(sys.argv[1:] == AS_A_CHILD)
    from sidecar import terminal

    if sys.argv[1:] == AS_A_CHILD:
        from sidecar.process.hosts import PipeHost
        from sidecar.process.launch import launch

        code = launch(PipeHost())
        terminal.flush()
        # The run has closed what it opened. Freeing every object first takes the interpreter half of a stop.
        os._exit(code)
    if sys.argv[1:] == AS_A_JOB:
        from sidecar.jobs import child

        child.main()
        terminal.flush()
        os._exit(0)  # a thread that the job has left behind does not keep the process
    if hasattr(sys, "frozen"):
        _become_what_multiprocessing_started()
    from sidecar import cli

    try:
        return cli.main()
    finally:
        terminal.flush()


def _become_what_multiprocessing_started() -> None:
    """Run a child of the library `multiprocessing`, which starts this very program where it is frozen; return if it is
    none.
    """
    if sys.argv[1:2] == ["--multiprocessing-fork"] or "-c" in sys.argv:
        import multiprocessing

        multiprocessing.freeze_support()


if __name__ == "__main__":
    sys.exit(main())
