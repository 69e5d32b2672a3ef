"""`python -m sidecar`, and the `sidecar` command.

What every bridge says is not parsed: `argparse` and what it imports would be a sixth of the time to `bound`.
"""

import sys

AS_A_CHILD = ["serve", "--host-pipe"]


def main() -> int:
    """Run the command; returns its exit code."""
    if sys.argv[1:] == AS_A_CHILD:
        from sidecar.process.hosts import PipeHost
        from sidecar.process.launch import launch

        return int(launch(PipeHost()))
    from sidecar import cli, terminal

    try:
        return cli.main()
    finally:
        terminal.flush()


if __name__ == "__main__":
    sys.exit(main())
