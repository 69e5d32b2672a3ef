"""Python that makes a sidecar slow, talkative or broken in one place; see `Host(patch=...)`."""

LONG_UNIT_OF_WORK = """
import sys, time
from sidecar.storage.resources.rows.table import Table
insert = Table.insert
def insert_slowly(self, work, columns):
    row = insert(self, work, columns)
    if columns.get("content") == "slow":
        print("the unit of work has begun", file=sys.stderr, flush=True)
        time.sleep(60)
    return row
Table.insert = insert_slowly
"""
"""A tip with the content `slow` keeps the writer for a minute."""

BLOCKED_EVENT_LOOP = """
import sys
from sidecar.api.routes import health
def never_return(*_):
    print("the event loop is blocked", file=sys.stderr, flush=True)
    while True:
        pass
health._process = never_return
"""
"""`GET /health/ready` takes the event loop and does not give it back."""

LONG_MIGRATION = """
import sys, time
from sidecar.process import run
from sidecar.storage.sqlite.schema import upgrade
run.STAGE_REPEAT_S = 0.05
note = upgrade._note
def note_slowly(*arguments):
    note(*arguments)
    time.sleep({seconds})
upgrade._note = note_slowly
"""
"""A migration takes so many seconds; its stage is repeated 20 times a second."""

SLOW_COPY = """
import time
from sidecar.storage.sqlite.backup import snapshot
copy = snapshot.copy
def copy_slowly(source, partial, between_steps=snapshot._at_once, progress=None):
    def wait_between_steps():
        time.sleep(0.2)
        between_steps()
    return copy(source, partial, wait_between_steps, progress)
snapshot.copy = copy_slowly
"""
"""A backup takes 0.2 s longer for each step of its copy."""

PRINTING_EVERYWHERE = """
import os, subprocess, sys
from sidecar.process import run
create_app = run.create_app
def print_and_create(*arguments):
    print("from print", flush=True)
    sys.__stdout__.write("from the original standard output\\n")
    os.write(1, b"from the file descriptor\\n")
    subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
    return create_app(*arguments)
run.create_app = print_and_create
"""

SHORT_BOOTSTRAP_DEADLINE = """
from sidecar.process import control
control.BOOTSTRAP_DEADLINE_S = 0.2
"""

FAILING_QUERY = """
import logging
from sidecar.storage.resources.tips import Tips
async def fail(self, **_):
    text = "one\\n2026-01-01T00:00:00.000Z ERROR forged: two\\r\\u2028three\\x1b[31m"
    logging.getLogger("app").warning(text)
    raise RuntimeError(text)
Tips.get_tips = fail
"""
"""`GET /tips` logs, and fails with, a text that pretends to be several lines of log."""

TOKEN_IN_A_TRACEBACK = """
from sidecar.api import security
from sidecar.storage.resources.tips import Tips
initialize = security.SecurityGate.__init__
def remember(self, app, *, token, **options):
    Tips.token = token
    initialize(self, app, token=token, **options)
security.SecurityGate.__init__ = remember
async def fail(self, **_):
    raise RuntimeError(f"somebody put {self.token} into a message")
Tips.get_tips = fail
"""
"""`GET /tips` fails with a message that has the token in it."""

CLOCK_OF_A_FILE = """
from datetime import timedelta
from pathlib import Path
from sidecar.clock import SystemClock
from sidecar.process import run
class Clock(SystemClock):
    def now(self):
        return super().now() + timedelta(days=int(Path("days").read_text()))
run.SYSTEM_CLOCK = Clock()
"""
"""The wall clock is off by as many days as the file `days` in the workplace says, at any moment."""

_FAILING = """
import importlib
from sidecar import errors
where = importlib.import_module("{module}")
*owners, name = "{function}".split(".")
for owner in owners:
    where = getattr(where, owner)
{definition} fail(*_, **__):
    raise {error}("injected")
setattr(where, name, fail)
"""


def failing(module: str, function: str, error: str = "RuntimeError") -> str:
    """The function, or the method `Class.name`, of that module raises; `error` is the name of one of ours."""
    return _failing(module, function, error, "def")


def failing_coroutine(module: str, function: str, error: str = "RuntimeError") -> str:
    """The same for one that is awaited."""
    return _failing(module, function, error, "async def")


def _failing(module: str, function: str, error: str, definition: str) -> str:
    name = error if error == "RuntimeError" else f"errors.{error}"
    return _FAILING.format(module=module, function=function, error=name, definition=definition)
