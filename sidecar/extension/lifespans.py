"""Lifespans: code of extensions that runs around the serving, such as opening a model and closing it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI

from sidecar.errors import ExtensionRefused
from sidecar.extension.declaration import Extension
from sidecar.extension.parameters import Surroundings, arguments_for
from sidecar.extension.places import OwnFiles

log = logging.getLogger(__name__)

START_S = 120.0
"""Seconds for the beginning of a lifespan. A host gives a start 180 s in all."""

END_S = 1.0
"""Seconds for the ends of all lifespans, of the 5 s that a host gives a stop."""


class Lifespans:
    """The lifespans of extensions. `begin` and `end` are called in one task of the event loop."""

    def __init__(
        self, extensions: Sequence[Extension], files: OwnFiles, *, start_s: float = START_S, end_s: float = END_S
    ) -> None:
        self._extensions = extensions
        self._files = files
        self._start_s = start_s
        self._end_s = end_s
        self._stack = AsyncExitStack()

    async def begin(self, app: FastAPI, surroundings: Surroundings) -> dict[str, Any]:
        """Begin each in the order of the extensions; return the state that they give to requests.

        Raises `ExtensionRefused` for one that fails, takes longer than 120 s, or gives a name that another gives.
        """
        state: dict[str, Any] = {}
        for extension in self._extensions:
            for lifespan in _of(extension, app, surroundings):
                given = await self._begin_one(extension.namespace, lifespan)
                taken = sorted(state.keys() & given.keys())
                if taken:
                    raise ExtensionRefused(
                        f"The lifespan of the extension '{extension.namespace}' gives the state '{taken[0]}', which "
                        "another one gives already; rename it."
                    )
                state |= given
        return state

    async def _begin_one(
        self, namespace: str, lifespan: AbstractAsyncContextManager[Mapping[str, Any] | None]
    ) -> Mapping[str, Any]:
        within = asyncio.timeout(self._start_s)
        try:
            async with within:
                state = await self._stack.enter_async_context(lifespan)
        except (Exception, SystemExit) as error:
            if within.expired():
                reason = f"did not begin within {self._start_s:g} s"
                raise ExtensionRefused(f"The lifespan of the extension '{namespace}' {reason}.") from error
            log.exception("the lifespan of the extension %s failed", namespace)
            raise ExtensionRefused(
                f"The lifespan of the extension '{namespace}' failed: {type(error).__name__}: {error} "
                f"({self._files.place_of(error)})."
            ) from error
        return {} if state is None else dict(state)

    async def end(self) -> None:
        """End all, in the reverse order, within 1 s. An error is logged."""
        within = asyncio.timeout(self._end_s)
        try:
            async with within:
                await self._stack.aclose()
        except (Exception, SystemExit):
            if within.expired():
                log.warning("the lifespans of extensions did not end within %g s", self._end_s)
            else:
                log.exception("a lifespan of an extension failed at its end")


def _of(
    extension: Extension, app: FastAPI, surroundings: Surroundings
) -> list[AbstractAsyncContextManager[Mapping[str, Any] | None]]:
    """Return the lifespans of the extension's own declaration, and of the routers that it includes."""
    own = extension.declared_lifespan
    declared = [] if own is None else [asynccontextmanager(own)(**arguments_for(own, surroundings))]
    return [*declared, extension.router.lifespan_context(app)]


Lifespan = Callable[..., AsyncIterator[Mapping[str, Any] | None]]
"""An `async` generator function that yields once: the state for requests, or nothing."""
