"""The access token: one for all processes, fetched once, renewed before it ends, never forced.

``stable_token`` in its normal mode returns the same token while it is valid and rotates it about five minutes before
the end; both then work for those five minutes. So a token is safe to share and to fetch again, and a lock is needed
only against a stampede: the holder of a Redis lock asks the platform, the others look every 50 ms for the new token
in Redis or the free lock. Inside a process all callers wait for one and the same renewal.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import aiohttp
import structlog
from redis.asyncio import Redis
from redis.exceptions import LockError, RedisError

from bot.values.clock import Clock
from bot.wechat.errors import ApiCallFailed, OutcomeUnknown
from bot.wechat.wire import Call, Wire, expect_json

log = structlog.get_logger(__name__)

ENDPOINT = "/cgi-bin/stable_token"
FETCH_TIMEOUT_S = 5.0

RENEW_EARLY_MS = 240_000
"""Inside the platform's last five minutes, so that a new token is what comes back."""

JITTER_MS = 50_000
"""Processes renew at different moments; whoever is first spares the others the call."""

PAUSE_MS = 5_000
"""No second fetch within this time, whatever the first one brought."""

LOCK_TTL_S = 15.0
LOCK_POLL_S = 0.05
LOCK_WAIT_S = 10.0


class TokenSource(Protocol):
    """Where calls get their access token from."""

    async def get(self) -> str:
        """Return a token that should be good. Raises ApiCallFailed."""
        ...

    async def replace(self, refused: str) -> str:
        """Return another token than ``refused`` if there is one; the platform did not take that. Raises
        ApiCallFailed."""
        ...


class SharedLock(Protocol):
    """Lets one process at a time fetch a token."""

    def attempt(self) -> AbstractAsyncContextManager[bool]:
        """Return a context in which the lock is held if it was free; it says whether it is. Does not wait."""
        ...


class RedisLock:
    """A lock with an owner's token and an end, so that a crashed holder blocks nobody for long."""

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self._name = name

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[bool]:
        lock = self._redis.lock(self._name, timeout=LOCK_TTL_S, thread_local=False)
        is_held = bool(await lock.acquire(blocking=False))
        try:
            yield is_held
        finally:
            if is_held:
                try:
                    await lock.release()
                except LockError:
                    log.info("the token's lock ended before the fetch did")


@dataclass(frozen=True, slots=True)
class Held:
    """A token, when it ends and when it was fetched (Unix milliseconds)."""

    token: str
    expires_at_ms: int
    fetched_at_ms: int

    def renew_at_ms(self, jitter_ms: int) -> int:
        """Return when to ask for the next one: early, but not again at once when the answer was the same token."""
        early = self.expires_at_ms - RENEW_EARLY_MS - jitter_ms
        return min(self.expires_at_ms, max(early, self.fetched_at_ms + PAUSE_MS))

    def as_json(self) -> str:
        return json.dumps([self.token, self.expires_at_ms, self.fetched_at_ms])

    @classmethod
    def from_json(cls, text: bytes | str) -> "Held | None":
        """Return what ``as_json`` wrote, None for anything else."""
        try:
            token, expires_at_ms, fetched_at_ms = json.loads(text)
            return cls(str(token), int(expires_at_ms), int(fetched_at_ms))
        except (TypeError, ValueError):
            return None


class StableToken:
    """The TokenSource over ``stable_token``.

    ``lock`` guards the fetch across processes, by default with Redis. Without Redis the platform is asked directly:
    messages still go out, only the call is not shared.
    """

    def __init__(
        self,
        redis: Redis,
        http: aiohttp.ClientSession,
        api_base: str,
        app_id: str,
        secret: str,
        clock: Clock,
        *,
        lock: SharedLock | None = None,
    ) -> None:
        self._redis = redis
        self._wire = Wire(http, api_base, FETCH_TIMEOUT_S)
        self._app_id = app_id
        self._secret = secret
        self._clock = clock
        self._key = f"wechat:{{{app_id}}}:access_token"
        self._lock = lock or RedisLock(redis, f"{self._key}:lock")
        self._jitter_ms = random.randrange(JITTER_MS)  # noqa: S311 - Spreads load; nobody gains by guessing it.
        self._held: Held | None = None
        self._retry_at_ms = 0
        self._replace_at_ms = 0
        self._renewal: asyncio.Task[Held] | None = None

    async def get(self) -> str:
        """Return the token, renewing it when its end is near; while an old one is good, a failed renewal is no
        failure."""
        held, now_ms = self._held, self._now_ms()
        if held is not None and now_ms < max(held.renew_at_ms(self._jitter_ms), self._retry_at_ms):
            return held.token
        try:
            return (await self._renewed(None)).token
        except ApiCallFailed as error:
            if held is None or held.expires_at_ms <= now_ms:
                raise
            self._retry_at_ms = min(held.expires_at_ms, now_ms + PAUSE_MS)
            log.warning("access token not renewed, the old one is still good", error=error.code)
            return held.token

    async def replace(self, refused: str) -> str:
        """Return the token that took the place of ``refused``, or ask the platform once, in normal mode.

        When the platform goes on refusing its own token, it is not asked with every message again.
        """
        held, now_ms = self._held, self._now_ms()
        if held is not None and (held.token != refused or now_ms < self._replace_at_ms):
            return held.token
        renewed = await self._renewed(refused)
        if renewed.token == refused:
            self._replace_at_ms = now_ms + PAUSE_MS
        return renewed.token

    async def _renewed(self, refused: str | None) -> Held:
        """Join the renewal that is under way, or start one. It goes on when the caller gives up."""
        if self._renewal is None or not self._is_renewing():
            self._renewal = asyncio.create_task(self._renew(refused), name="wechat access token")
            self._renewal.add_done_callback(_look_at)
        return await asyncio.shield(self._renewal)

    def _is_renewing(self) -> bool:
        return self._renewal is not None and not self._renewal.done()

    async def _renew(self, refused: str | None) -> Held:
        try:
            held = await self._agreed(refused)
        except RedisError as error:
            log.warning("access token not shared", error=type(error).__name__)
            held = await self._fetch()
        self._held = held
        return held

    async def _agreed(self, refused: str | None) -> Held:
        """Return what another process fetched, or fetch when none other is about to."""
        give_up_at_s = asyncio.get_running_loop().time() + LOCK_WAIT_S
        while True:
            held = await self._shared(refused)
            if held is not None:
                return held
            async with self._lock.attempt() as is_ours:
                if is_ours or asyncio.get_running_loop().time() > give_up_at_s:
                    return await self._shared(refused) or await self._fetch_and_share()
            await asyncio.sleep(LOCK_POLL_S)

    async def _shared(self, refused: str | None) -> Held | None:
        """Return what another process left in Redis if it is any better than what we have."""
        found = await self._redis.get(self._key)
        if found is None:
            return None
        held = Held.from_json(found)
        if held is None or held.token == refused or self._now_ms() >= held.renew_at_ms(self._jitter_ms):
            return None
        return held

    async def _fetch_and_share(self) -> Held:
        held = await self._fetch()
        await self._redis.set(self._key, held.as_json(), px=max(1, held.expires_at_ms - self._now_ms()))
        return held

    async def _fetch(self) -> Held:
        body = {
            "grant_type": "client_credential",
            "appid": self._app_id,
            "secret": self._secret,
            "force_refresh": False,
        }
        answer = expect_json(await self._wire.ask(Call("POST", ENDPOINT, body=body)), ENDPOINT)
        token, life_s = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(life_s, int) or life_s <= 0:
            raise OutcomeUnknown(endpoint=ENDPOINT, kind="no token in the answer")
        now_ms = self._now_ms()
        return Held(token, now_ms + life_s * 1000, now_ms)

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _look_at(renewal: asyncio.Task[Held]) -> None:
    # Every caller may have given up; the error is then nobody's, and asyncio would complain about it.
    if not renewal.cancelled():
        renewal.exception()
