"""Posting to the callback URL: one attempt with its deadline, and what came back."""

import asyncio
from types import TracebackType
from typing import Self

import aiohttp

from bot.simulator.envelope import Envelope, Opened, Sealed
from bot.simulator.models import Attempt, BodyKind, Delivery, SimulatorConfig, Violation
from bot.simulator.replies import ReplyReader, Result
from bot.values.clock import Clock

ACKNOWLEDGED = b"success"
ECHO = "5837204916352748190"


class CallbackSender:
    """The platform's HTTP client; used as an async context manager."""

    def __init__(self, config: SimulatorConfig, reader: ReplyReader, clock: Clock) -> None:
        self._config = config
        self._reader = reader
        self._clock = clock
        self.envelope = Envelope(config)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # The platform does not follow redirects or send cookies, and opens a connection for each delivery.
        connector = aiohttp.TCPConnector(limit=0, force_close=not self._config.keep_alive)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "Mozilla/4.0", "Accept": "*/*", "Pragma": "no-cache"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def attempt(self, delivery: Delivery, url: str) -> Attempt:
        """Deliver once and read the answer; failures are part of the result, not raised."""
        sealed = self.envelope.seal(
            delivery.fields(self._config.account_id), int(self._clock.now().timestamp()), delivery.openid
        )
        return self._judged(await self.post(sealed, url), delivery)

    async def post(self, sealed: Sealed, url: str) -> Attempt:
        """Post any query and body once; the answer is not judged."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        status, body, kind = None, b"", BodyKind.REPLY
        try:
            async with self._opened().post(
                url,
                params=sealed.query,
                data=sealed.body,
                headers={"Content-Type": "text/xml"},
                timeout=aiohttp.ClientTimeout(total=self._config.deadline_s),
                allow_redirects=False,
            ) as response:
                status, body = response.status, await response.read()
        except TimeoutError:
            kind = BodyKind.TIMEOUT
        except (aiohttp.ClientError, OSError):
            kind = BodyKind.DISCONNECTED
        else:
            kind = _kind(status, body)
        return Attempt(url, status, loop.time() - started, kind, body)

    async def verify(self, url: str) -> bool:
        """Send the GET check of the console's settings page; true when the echo comes back unchanged."""
        query = {**self.envelope.query(int(self._clock.now().timestamp())), "echostr": ECHO}
        timeout = aiohttp.ClientTimeout(total=self._config.deadline_s)
        try:
            async with self._opened().get(url, params=query, timeout=timeout, allow_redirects=False) as response:
                return response.status == 200 and await response.read() == ECHO.encode()
        except (TimeoutError, aiohttp.ClientError, OSError):
            return False

    def _judged(self, attempt: Attempt, delivery: Delivery) -> Attempt:
        if attempt.body_kind is not BodyKind.REPLY:
            return attempt
        opened = self.envelope.open_reply(attempt.body)
        result: Result
        if isinstance(opened, Opened):
            reply_xml, result = opened.xml, self._reader.read(opened.fields, delivery)
        else:
            reply_xml, result = "", opened
        kind = BodyKind.VIOLATION if isinstance(result, Violation) else BodyKind.REPLY
        return Attempt(attempt.url, attempt.status, attempt.latency_s, kind, attempt.body, reply_xml, result)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("use the platform as an async context manager")
        return self._session


def _kind(status: int | None, body: bytes) -> BodyKind:
    if status != 200:
        return BodyKind.HTTP_ERROR
    if not body.strip():
        return BodyKind.EMPTY
    return BodyKind.SUCCESS if body.strip() == ACKNOWLEDGED else BodyKind.REPLY
