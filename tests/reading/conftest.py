"""Real processes for promises about processes: the fixtures are those of `tests/process`."""

from tests.process.conftest import hosts

__all__ = ["hosts"]
