"""Intents from the Rasa server over HTTP, with a cache, a time budget and keywords for when it is away."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import aiohttp
import structlog

from bot.understanding.errors import NluUnavailable
from bot.understanding.folding import squeeze
from bot.understanding.keywords import rank_by_keywords
from bot.understanding.models import Guess, Ranking
from bot.values.clock import Clock

log = structlog.get_logger(__name__)

MAX_CHARS = 600
"""A longer text is cut: the intent stands in its beginning, and the time of a parse grows with its length."""


class Breaker:
    """Keeps a dead server from costing every turn its time budget.

    After ``failures_to_open`` failures in a row it opens: for ``open_s`` seconds nobody asks. Then one request may
    try; its success closes the breaker, its failure opens it again for twice as long, up to ``longest_s``.
    """

    def __init__(
        self, clock: Clock, *, failures_to_open: int = 3, open_s: float = 2.0, longest_s: float = 30.0
    ) -> None:
        self._clock = clock
        self._failures_to_open = failures_to_open
        self._open_s = open_s
        self._longest_s = longest_s
        self._failures = 0
        self._until: datetime | None = None
        self._trying = False

    @property
    def state(self) -> Literal["closed", "open", "trying"]:
        """``closed``: all may ask; ``open``: nobody; ``trying``: one request is finding out."""
        if self._until is None:
            return "closed"
        return "trying" if self._trying else "open"

    def allows(self) -> bool:
        """Return whether a request may be made now; a True while open reserves the one trial."""
        if self._until is None:
            return True
        if self._trying or self._clock.now() < self._until:
            return False
        self._trying = True
        return True

    def succeeded(self) -> None:
        """Close the breaker."""
        self._failures, self._until, self._trying = 0, None, False

    def failed(self) -> None:
        """Count a failure, and open the breaker when there are enough."""
        self._failures += 1
        self._trying = False
        beyond = self._failures - self._failures_to_open
        if beyond >= 0:
            pause_s = min(self._open_s * 2**beyond, self._longest_s)
            self._until = self._clock.now() + timedelta(seconds=pause_s)

    def gave_up(self) -> None:
        """Return the reserved trial without a verdict: the request was cancelled from outside."""
        self._trying = False


class RankingCache:
    """Rankings by text for ``ttl_s`` seconds, the least recently used go first. Keys are digests, no text is kept.

    The rankings are those of one model: the first ranking of another one empties the cache.
    """

    def __init__(self, clock: Clock, *, entries: int = 20_000, ttl_s: float = 3600.0) -> None:
        self._clock = clock
        self._entries = entries
        self._ttl = timedelta(seconds=ttl_s)
        self._model_id = ""
        self._rankings: OrderedDict[bytes, tuple[datetime, Ranking]] = OrderedDict()

    def get(self, text: str) -> Ranking | None:
        """Return the ranking of ``text`` by the present model, or None."""
        key = _digest(text)
        found = self._rankings.get(key)
        if found is None:
            return None
        stored_at, ranking = found
        if self._clock.now() - stored_at > self._ttl:
            del self._rankings[key]
            return None
        self._rankings.move_to_end(key)
        return ranking

    def put(self, text: str, ranking: Ranking) -> None:
        """Keep ``ranking`` as the answer to ``text``."""
        if ranking.model_id != self._model_id:
            self._rankings.clear()
            self._model_id = ranking.model_id
        self._rankings[_digest(text)] = (self._clock.now(), ranking)
        while len(self._rankings) > self._entries:
            self._rankings.popitem(last=False)


class NluClient:
    """The ``Understanding`` over HTTP. ``http`` is closed by whoever opened it.

    No text is logged, and none is in an exception.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        clock: Clock,
        *,
        timeout_s: float = 1.5,
        breaker: Breaker | None = None,
        cache: RankingCache | None = None,
        fallback: Callable[[str], Ranking] = rank_by_keywords,
    ) -> None:
        self._http = http
        self._parse_url = url.rstrip("/") + "/model/parse"
        self._timeout_s = timeout_s
        self._breaker = breaker or Breaker(clock)
        self._cache = cache or RankingCache(clock)
        self._fallback = fallback

    @property
    def is_degraded(self) -> bool:
        """Whether keywords stand in for the model at present."""
        return self._breaker.state != "closed"

    async def rank(self, text: str, budget_s: float) -> Ranking:
        """Return the model's ranking, or that of the keywords when the model is not there within ``budget_s``."""
        asked = squeeze(text)[:MAX_CHARS]
        if not asked:
            return Ranking((), "keywords")
        known = self._cache.get(asked)
        if known is not None:
            return known
        if not self._breaker.allows():
            return self._fallback(asked)
        return await self._ask(asked, min(budget_s, self._timeout_s))

    async def _ask(self, asked: str, budget_s: float) -> Ranking:
        try:
            ranking = await self._parse(asked, budget_s)
        except NluUnavailable as failure:
            self._breaker.failed()
            log.warning("nlu_unavailable", reason=failure.fields["reason"], breaker=self._breaker.state)
            return self._fallback(asked)
        except asyncio.CancelledError:
            self._breaker.gave_up()
            raise
        self._breaker.succeeded()
        self._cache.put(asked, ranking)
        return ranking

    async def _parse(self, asked: str, budget_s: float) -> Ranking:
        try:
            timeout = aiohttp.ClientTimeout(total=budget_s)
            async with self._http.post(self._parse_url, json={"text": asked}, timeout=timeout) as response:
                if response.status != 200:
                    raise NluUnavailable(reason="status", status=response.status)
                return _ranking(await response.json())
        except TimeoutError:
            raise NluUnavailable(reason="timeout") from None
        except (aiohttp.ClientError, OSError):
            raise NluUnavailable(reason="connection") from None
        except (ValueError, KeyError, TypeError):
            raise NluUnavailable(reason="answer") from None


def _ranking(answer: object) -> Ranking:
    if not isinstance(answer, dict):
        raise TypeError("the answer is not an object")
    guesses = [Guess(str(row["name"]), float(row["confidence"])) for row in answer["intent_ranking"]]
    guesses.sort(key=lambda guess: -guess.confidence)
    return Ranking(tuple(guesses), "model", str(answer.get("model_id", "")))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
