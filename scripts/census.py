"""Prints the processes that belong to one run, one a line: `pid name`. A run is known by a text of its own that stands
in the environment of everything it started, or in a command line (a sandboxed page's environment cannot be read).

usage: census.py TEXT [--within SECONDS]      waits until none is left, at most so long
"""

import argparse
import os
import time

import psutil


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text")
    parser.add_argument("--within", type=float, default=0.0, metavar="SECONDS")
    options = parser.parse_args()
    deadline = time.monotonic() + options.within
    while (found := belonging_to(options.text)) and time.monotonic() < deadline:
        time.sleep(0.02)
    for line in found:
        print(line)


def belonging_to(text: str) -> list[str]:
    return [
        f"{process.pid} {process.info['name']}"
        for process in psutil.process_iter(["name", "status"])
        if process.pid not in (os.getpid(), os.getppid())
        and process.info["status"] != psutil.STATUS_ZOMBIE
        and mentions(process, text)
    ]


def mentions(process: psutil.Process, text: str) -> bool:
    try:
        if any(text in word for word in process.cmdline()):
            return True
        return any(text in value for value in process.environ().values())
    except (psutil.Error, OSError):
        return False


if __name__ == "__main__":
    main()
