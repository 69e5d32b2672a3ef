"""From text to vectors: an embedding endpoint that speaks as OpenAI's does."""

import asyncio
from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sidecar.config import EmbeddingSettings
from sidecar.errors import EmbeddingRefused, EmbeddingUnavailable, NotAvailable

if TYPE_CHECKING:
    import httpx

LARGEST_REQUEST = 256
"""Texts that are sent at once."""

OVERLOADED = frozenset({408, 425, 429, 500, 502, 503, 504})


class EmbeddingClient:
    """Asks one endpoint; the connection is made when it is first asked, and kept until `close`."""

    def __init__(self, settings: EmbeddingSettings, url: str) -> None:
        self._settings = settings
        self._url = f"{url.rstrip('/')}/embeddings"
        self._client: httpx.AsyncClient | None = None

    @property
    def model(self) -> str:
        return self._settings.model

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """The vector of each text. Raises `EmbeddingUnavailable` if trying again may help, else `EmbeddingRefused`."""
        vectors: list[list[float]] = []
        for start in range(0, len(texts), LARGEST_REQUEST):
            vectors += await self._embed(texts[start : start + LARGEST_REQUEST])
        return vectors

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _embed(self, texts: Sequence[str]) -> list[list[float]]:
        client, unreachable = await self._open()
        body: dict[str, Any] = {"model": self._settings.model, "input": list(texts)}
        if self._settings.dimensions is not None:
            body["dimensions"] = self._settings.dimensions
        try:
            response = await client.post(self._url, json=body)
        except unreachable as error:
            raise EmbeddingUnavailable(
                f"The embedding endpoint does not answer ({type(error).__name__}); try again later."
            ) from None
        if response.status_code in OVERLOADED:
            raise EmbeddingUnavailable(f"The embedding endpoint answers {response.status_code}; try again later.")
        if response.status_code != 200:
            raise EmbeddingRefused(
                f"The embedding endpoint refuses: it answers {response.status_code}; check the settings [embedding]."
            )
        return _vectors(response, len(texts))

    async def _open(self) -> "tuple[httpx.AsyncClient, type[Exception]]":
        httpx = await asyncio.to_thread(_httpx)
        if self._client is None:
            key = self._settings.api_key.get_secret_value()
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            self._client = httpx.AsyncClient(headers=headers, timeout=self._settings.timeout_s)
        return self._client, httpx.HTTPError


@cache
def _httpx() -> ModuleType:
    """The first call takes a tenth of a second."""
    try:
        import httpx
    except ImportError:
        raise NotAvailable(
            "Making vectors of text needs the extra 'vectors': pip install 'electron-sidecar[vectors]'."
        ) from None
    return httpx


def _vectors(response: "httpx.Response", count: int) -> list[list[float]]:
    try:
        data = sorted(response.json()["data"], key=lambda item: item["index"])
        vectors = [[float(number) for number in item["embedding"]] for item in data]
    except (ValueError, TypeError, KeyError):
        raise EmbeddingRefused("The embedding endpoint's answer is not what OpenAI's would be.") from None
    if len(vectors) != count:
        raise EmbeddingRefused(f"The embedding endpoint was asked for {count} vectors and gave {len(vectors)}.")
    return vectors
