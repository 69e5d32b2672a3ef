"""Listeners: functions that are called on the event loop, in the order in which they were added."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")


class Listeners(Generic[T]):
    """Those for one kind of news."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[T], object]] = []

    def add(self, listener: Callable[[T], object]) -> Callable[[], None]:
        """Have `listener` called from now on; return a function that ends this."""
        self._listeners.append(listener)
        return partial(self._listeners.remove, listener)

    def tell(self, news: T) -> None:
        """One that fails disturbs neither the caller nor the others."""
        for listener in tuple(self._listeners):
            try:
                listener(news)
            except Exception:
                log.exception("a listener failed on a notice")
