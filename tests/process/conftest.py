"""Fixtures: hosts with sidecars, each over a data directory of its own unless told otherwise."""

import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from .host import Host


class Hosts:
    """Starts sidecars and sees to their end."""

    def __init__(self, workplace: Path, stack: ExitStack) -> None:
        self.workplace = workplace
        self.data_dir = workplace / "data"
        self._stack = stack

    def spawn(self, data_dir: Path | None = None, **options: Any) -> Host:
        """A host that has said nothing yet; `options` are those of `Host`."""
        return self._stack.enter_context(Host(data_dir or self.data_dir, self.workplace, **options))

    def begin(self, data_dir: Path | None = None, settings: Mapping[str, Any] | None = None, **options: Any) -> Host:
        """A host that has sent its bootstrap."""
        host = self.spawn(data_dir, **options)
        host.bootstrap(settings=settings or {})
        return host

    def start(self, data_dir: Path | None = None, settings: Mapping[str, Any] | None = None, **options: Any) -> Host:
        """A host whose sidecar is ready."""
        host = self.begin(data_dir, settings, **options)
        host.event("ready")
        return host

    def stop(self, host: Host) -> None:
        """Have the sidecar end cleanly."""
        host.shutdown()
        assert host.wait() == 0, host.stderr


@pytest.fixture(scope="session", autouse=True)
def hangup_as_usual() -> None:
    """Give every process that a test starts the usual SIGHUP, also when the suite itself runs under `nohup`.

    A signal that is ignored stays ignored in a child; one that has a handler does not.
    """
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    with ExitStack() as stack:
        yield Hosts(tmp_path, stack)


@pytest.fixture(scope="module")
def shared_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """One ready sidecar for all tests of a file that leave it as it is. It takes bodies of up to 4 KiB."""
    with ExitStack() as stack:
        hosts = Hosts(tmp_path_factory.mktemp("shared"), stack)
        yield hosts.start(settings={"server": {"max_body_bytes": 4096}})
