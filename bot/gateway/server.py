"""The account's callback address: checks, decrypts, runs the turn and answers within the platform's five seconds."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from bot.gateway.errors import Broken, TooSlow
from bot.storage.redis import RedisRefused, RedisUnavailable
from bot.turns.service import Attempt, TurnNotDone, TurnService
from bot.wechat.codec import Codec, Delivery
from bot.wechat.errors import CallbackRefused, TooLarge
from bot.wechat.models import PassiveReply

log = structlog.get_logger(__name__)

BODY_MAX_BYTES = 64 * 1024
RETRY_AFTER_S = 1

Check = Callable[[], Awaitable[dict[str, bool]]]


class Metrics:
    """What is counted at this edge. No label ever holds personal data."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.deliveries = Counter(
            "wechat_deliveries_total",
            "Callbacks by message type and how they ended.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self.refused = Counter(
            "wechat_refused_total", "Callbacks refused, by reason.", ["reason"], registry=self.registry
        )
        self.seconds = Histogram(
            "wechat_answer_seconds",
            "Time to the answer of a callback.",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 4.5, 5),
            registry=self.registry,
        )


class Gateway:
    """The aiohttp application of one gateway process."""

    def __init__(
        self, codec: Codec, turns: TurnService, metrics: Metrics, ready: Check, *, deadline_s: float
    ) -> None:
        self._codec = codec
        self._turns = turns
        self._metrics = metrics
        self._ready = ready
        self._deadline_s = deadline_s
        self._late: set[asyncio.Task[PassiveReply | None]] = set()

    def application(self) -> web.Application:
        """Return the application with its routes; late turns are finished before it closes."""
        app = web.Application(client_max_size=BODY_MAX_BYTES)
        app.add_routes(
            [
                web.get("/wechat", self.verify),
                web.post("/wechat", self.receive),
                web.get("/healthz", self.healthy),
                web.get("/readyz", self.ready),
                web.get("/metrics", self.metrics),
            ]
        )
        app.on_shutdown.append(self._finish_late_turns)
        return app

    async def verify(self, request: web.Request) -> web.Response:
        """Answer the platform's check of the address with its ``echostr``."""
        try:
            return web.Response(text=self._codec.verify_url(request.query))
        except CallbackRefused as error:
            return self._refuse(error)

    async def receive(self, request: web.Request) -> web.Response:
        """Answer one delivery. 4xx for what is not genuine, 503 when it has no answer yet, so that it is repeated."""
        started = asyncio.get_running_loop().time()
        try:
            delivery = self._codec.decode(request.query, await _read_body(request, self._deadline_s))
        except CallbackRefused as error:
            return self._refuse(error)
        kind = type(delivery.message).__name__
        try:
            reply, outcome = await self._answer(delivery, request, started + self._deadline_s)
            body = self._codec.encode(delivery, reply)
        except Exception as error:  # noqa: BLE001 - Whatever it is, the platform repeats, and no trace goes out.
            # An error makes the platform deliver again, which a quiet success would not.
            outcome = _outcome_of(error)
            self._metrics.deliveries.labels(kind, outcome).inc()
            log.error("delivery not answered", kind=kind, outcome=outcome, error=type(error).__name__)
            return web.Response(status=503, headers={"Retry-After": str(RETRY_AFTER_S)})
        self._metrics.deliveries.labels(kind, outcome).inc()
        self._metrics.seconds.observe(asyncio.get_running_loop().time() - started)
        return web.Response(body=body, content_type="application/xml" if reply is not None else "text/plain")

    async def _answer(
        self, delivery: Delivery, request: web.Request, deadline: float
    ) -> tuple[PassiveReply | None, str]:
        """Return the reply and how the delivery ended; ``deadline`` is the loop's time."""
        attempt = Attempt(connected=lambda: request.transport is not None and not request.transport.is_closing())
        turn = asyncio.create_task(self._turns.handle(delivery.message, attempt), name="turn")
        self._late.add(turn)
        turn.add_done_callback(self._late.discard)
        # The turn is not cancelled when the time is over: what it answers then is sent through the outbox.
        done, _ = await asyncio.wait({turn}, timeout=max(0.0, deadline - asyncio.get_running_loop().time()))
        if done:
            return turn.result(), "answered"
        attempt.close()
        turn.add_done_callback(_report_late_failure)
        return None, "late"

    def _refuse(self, error: CallbackRefused) -> web.Response:
        self._metrics.refused.labels(error.label).inc()
        log.warning("callback refused", reason=error.code)
        return web.Response(status=error.status)

    async def healthy(self, _request: web.Request) -> web.Response:
        """Answer 200 while the process runs."""
        return web.json_response({"ok": True})

    async def ready(self, _request: web.Request) -> web.Response:
        """Answer 200 when every part behind the gateway answers, else 503 with the parts."""
        parts = await self._ready()
        return web.json_response(parts, status=200 if all(parts.values()) else 503)

    async def metrics(self, _request: web.Request) -> web.Response:
        """Answer the counters in Prometheus' text format."""
        return web.Response(body=generate_latest(self._metrics.registry), content_type="text/plain", charset="utf-8")

    async def _finish_late_turns(self, _app: web.Application) -> None:
        if self._late:
            await asyncio.wait(self._late, timeout=10)


async def _read_body(request: web.Request, at_most_s: float) -> bytes:
    try:
        async with asyncio.timeout(at_most_s):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge from error
    except TimeoutError as error:
        raise TooSlow from error
    except (RequestPayloadError, ConnectionError) as error:
        raise Broken from error


def _outcome_of(error: Exception) -> str:
    match error:
        case RedisUnavailable() | RedisRefused():
            return "store_down"
        case TurnNotDone():
            return "not_done"
        case _:
            return "failed"


def _report_late_failure(turn: asyncio.Task[PassiveReply | None]) -> None:
    if not turn.cancelled() and (error := turn.exception()) is not None:
        log.error("late turn failed; the message stays pending", error=type(error).__name__)
