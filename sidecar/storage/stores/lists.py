"""How every list is asked for."""

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
