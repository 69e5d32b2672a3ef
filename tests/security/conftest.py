"""Attacks are made on real sidecars: the fixtures are those of `tests/process`."""

from tests.process.conftest import hosts, shared_host

__all__ = ["hosts", "shared_host"]
