"""The fixture of failing statements."""

from ..chaos.conftest import statements

__all__ = ["statements"]
