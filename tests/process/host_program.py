"""A host as a program of its own, to be killed: starts the command it is given, and holds the pipe to it."""

import subprocess
import sys

with subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE) as sidecar:
    assert sidecar.stdin is not None
    for line in sys.stdin.buffer:
        sidecar.stdin.write(line)
        sidecar.stdin.flush()
