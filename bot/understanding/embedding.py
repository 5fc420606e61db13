"""Texts as vectors of their meaning, from the NLU server's sentence encoder, with a cache and a time budget."""

import asyncio
import base64
import binascii
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import aiohttp
import numpy as np
import numpy.typing as npt
import structlog

from bot.understanding.client import MAX_CHARS, Breaker
from bot.understanding.errors import NluUnavailable
from bot.understanding.folding import squeeze
from bot.values.clock import Clock

log = structlog.get_logger(__name__)

Floats = npt.NDArray[np.float32]
TEXTS_AT_ONCE = 256
"""How many texts go into one request: more would keep the server from answering people for too long."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """Unit vectors, one row a text. Only vectors of the same ``encoder`` can be compared."""

    encoder: str
    vectors: Floats


class Embedding(Protocol):
    """Whatever turns texts into vectors."""

    async def vectors(self, texts: Sequence[str], budget_s: float) -> Embedded | None:
        """Return the vectors of ``texts`` within ``budget_s`` seconds, None when they are not to be had.

        Never raises because a service is away.
        """
        ...


class NoEmbedding:
    """Has no vectors: whoever asks does without."""

    async def vectors(self, texts: Sequence[str], budget_s: float) -> Embedded | None:  # noqa: ARG002
        """Return None."""
        return None


class VectorCache:
    """Vectors by text, the least recently used go first. Keys are digests, no text is kept.

    The vectors are those of one encoder: the first vector of another one empties the cache.
    """

    def __init__(self, *, entries: int = 10_000) -> None:
        self._entries = entries
        self._vectors: OrderedDict[bytes, Floats] = OrderedDict()
        self.encoder = ""

    def get(self, text: str) -> Floats | None:
        """Return the vector of ``text`` by the present encoder, or None."""
        key = _digest(text)
        found = self._vectors.get(key)
        if found is not None:
            self._vectors.move_to_end(key)
        return found

    def put(self, encoder: str, text: str, vector: Floats) -> None:
        """Keep ``vector`` for ``text``."""
        if encoder != self.encoder:
            self._vectors.clear()
            self.encoder = encoder
        self._vectors[_digest(text)] = vector
        while len(self._vectors) > self._entries:
            self._vectors.popitem(last=False)


class HttpEmbedding:
    """The ``Embedding`` over HTTP. ``http`` is closed by whoever opened it.

    ``request_s`` is the longest that one request may take. No text is logged, and none is in an exception.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        clock: Clock,
        *,
        request_s: float = 20.0,
        breaker: Breaker | None = None,
        cache: VectorCache | None = None,
    ) -> None:
        self._http = http
        self._url = url.rstrip("/") + "/model/embed"
        self._request_s = request_s
        self._breaker = breaker or Breaker(clock)
        self._cache = cache or VectorCache()

    async def vectors(self, texts: Sequence[str], budget_s: float) -> Embedded | None:
        """Return the vectors of ``texts``; None when the server does not give them within ``budget_s``."""
        wanted = list(dict.fromkeys(asked := [squeeze(text)[:MAX_CHARS] for text in texts]))
        found = {text: vector for text in wanted if (vector := self._cache.get(text)) is not None}
        encoder = self._cache.encoder
        if len(found) < len(wanted):
            fetched = await self._ask([text for text in wanted if text not in found], budget_s)
            if fetched is not None and found and fetched.encoder != encoder:
                # What was remembered is another encoder's.
                found.clear()
                fetched = await self._ask(wanted, budget_s)
            if fetched is None:
                return None
            encoder = fetched.encoder
            fresh = [text for text in wanted if text not in found]
            found.update(zip(fresh, fetched.vectors, strict=True))
        return Embedded(encoder, np.stack([found[text] for text in asked])) if asked else None

    async def _ask(self, texts: Sequence[str], budget_s: float) -> Embedded | None:
        if not self._breaker.allows():
            return None
        try:
            async with asyncio.timeout(budget_s):
                embedded = await self._fetch_all(texts)
        except (NluUnavailable, TimeoutError) as failure:
            self._breaker.failed()
            reason = failure.fields["reason"] if isinstance(failure, NluUnavailable) else "timeout"
            log.warning("embedding_unavailable", reason=reason, breaker=self._breaker.state)
            return None
        except asyncio.CancelledError:
            self._breaker.gave_up()
            raise
        self._breaker.succeeded()
        for text, vector in zip(texts, embedded.vectors, strict=True):
            self._cache.put(embedded.encoder, text, vector)
        return embedded

    async def _fetch_all(self, texts: Sequence[str]) -> Embedded:
        parts = [
            await self._fetch(texts[start : start + TEXTS_AT_ONCE]) for start in range(0, len(texts), TEXTS_AT_ONCE)
        ]
        if len({part.encoder for part in parts}) != 1:
            raise NluUnavailable(reason="answer")  # The server changed its encoder in between.
        return Embedded(parts[0].encoder, np.concatenate([part.vectors for part in parts]))

    async def _fetch(self, texts: Sequence[str]) -> Embedded:
        try:
            timeout = aiohttp.ClientTimeout(total=self._request_s)
            async with self._http.post(self._url, json={"texts": list(texts)}, timeout=timeout) as response:
                if response.status != 200:
                    raise NluUnavailable(reason="status", status=response.status)
                return _embedded(await response.json(), len(texts))
        except (aiohttp.ClientError, OSError) as error:
            raise NluUnavailable(reason="timeout" if isinstance(error, TimeoutError) else "connection") from None
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise NluUnavailable(reason="answer") from None


def _embedded(answer: object, texts: int) -> Embedded:
    if not isinstance(answer, dict):
        raise TypeError("the answer is not an object")
    rows = [np.frombuffer(base64.b64decode(row, validate=True), dtype="<f4") for row in answer["vectors"]]
    vectors = np.stack(rows).astype(np.float32)
    if vectors.shape != (texts, int(answer["dimensions"])) or not np.isfinite(vectors).all():
        raise ValueError("the vectors are not those that were asked for")
    return Embedded(str(answer["encoder"]), vectors)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
