"""One turn: claim, understand, run the flow, plan the delivery, commit. At most one effect for one message."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import structlog

from bot.turns.conversation import Conversation
from bot.turns.models import Claim, Commit, Incoming, Replay, Run, Wait
from bot.turns.outbox import pack_all
from bot.turns.reading import dump
from bot.turns.replies import as_customer_message, dump_reply, load_reply
from bot.turns.store import HEARTBEAT_S, Arrivals, TurnStore
from bot.values.clock import Clock
from bot.wechat.allowance import grant, refresh
from bot.wechat.models import Inbound, PassiveReply
from bot.wechat.planner import plan

log = structlog.get_logger(__name__)

PATIENCE_S = 60.0
"""How long a turn may wait for its follower's lock; after that the worker takes the message up again."""
FAILURES_MAX = 2
"""How often a message may fail before the follower is told so and handed to a person."""


class TurnGivenUp(Exception):
    """The follower's lock was not to be had in time. The message is pending and will be worked on."""


@dataclass(slots=True)
class Attempt:
    """One delivery of a message, and whether its answer can still be sent on its own connection."""

    connected: Callable[[], bool] = field(default=lambda: True)
    _closed: bool = False

    @property
    def open(self) -> bool:
        return not self._closed and self.connected()

    def close(self) -> None:
        """The delivery was answered without a reply; what comes now goes through the outbox."""
        self._closed = True


def closed_attempt() -> Attempt:
    """Return the attempt of a message that is worked on without a connection."""
    attempt = Attempt()
    attempt.close()
    return attempt


class TurnService:
    """Works on followers' messages; any number of processes may share one store."""

    def __init__(
        self, store: TurnStore, arrivals: Arrivals, conversation: Conversation, clock: Clock, *, link_choices: bool
    ) -> None:
        self._store = store
        self._arrivals = arrivals
        self._conversation = conversation
        self._clock = clock
        self._link_choices = link_choices

    async def handle(self, message: Inbound, attempt: Attempt) -> PassiveReply | None:
        """Work on one delivery and return the passive reply to answer it with, or ``None``.

        A repeated delivery gets the stored reply. Raises RedisUnavailable when the store cannot be reached, and
        TurnGivenUp when the follower stays busy; in both cases the message is not lost.
        """
        incoming = Incoming(message.delivery_key, message.openid, dump(message))
        claim = await self._claim(incoming)
        if isinstance(claim, Replay):
            return load_reply(claim.reply)
        async with self._kept_alive(incoming, claim.fence):
            try:
                return await self._work(message, incoming, claim, attempt)
            except BaseException:
                await self._store.release(incoming, claim.fence)
                raise

    async def _claim(self, incoming: Incoming) -> Replay | Run:
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        async with self._arrivals.expect(incoming.openid) as released:
            while True:
                released.clear()
                claim: Claim = await self._store.claim(incoming)
                if not isinstance(claim, Wait):
                    return claim
                if asyncio.get_running_loop().time() >= deadline:
                    raise TurnGivenUp
                with suppress(TimeoutError):
                    await asyncio.wait_for(released.wait(), claim.at_most_s)

    async def _work(self, message: Inbound, incoming: Incoming, run: Run, attempt: Attempt) -> PassiveReply | None:
        started = asyncio.get_running_loop().time()
        outcome = await self._conversation.respond(message, run.state)
        passive_open = attempt.open
        delivery = plan(outcome.outgoing, passive_open=passive_open, link_choices=self._link_choices)
        opened = grant(message)
        now_ms = int(self._clock.now().timestamp() * 1000)
        took_ms = round((asyncio.get_running_loop().time() - started) * 1000)
        commit = Commit(
            fence=run.fence,
            reply=dump_reply(delivery.passive),
            state=outcome.state,
            outbox=pack_all(incoming.key, delivery.later),
            log_entry=outcome.record(took_ms=took_ms, late=not passive_open).to_json(),
            allowance=refresh(run.allowance, opened, now_ms) if opened else None,
            release_held=opened is not None,
        )
        if not await self._store.commit(incoming, commit):
            log.warning("a turn lost its lock and wrote nothing", kind=type(message).__name__)
            return await self._after_lost_lock(incoming)
        if delivery.passive is not None and not attempt.open:
            await self._send_later(incoming, delivery.passive)
            return None
        return delivery.passive

    async def _after_lost_lock(self, incoming: Incoming) -> PassiveReply | None:
        claim = await self._claim(incoming)
        if isinstance(claim, Replay):
            return load_reply(claim.reply)
        await self._store.release(incoming, claim.fence)
        raise TurnGivenUp

    async def _send_later(self, incoming: Incoming, reply: PassiveReply) -> None:
        """The connection closed while the turn was being committed: what was meant for it goes to the outbox."""
        message = as_customer_message(reply)
        if message is not None:
            await self._store.redirect(incoming, pack_all(f"{incoming.key}:late", (message,)))

    @asynccontextmanager
    async def _kept_alive(self, incoming: Incoming, fence: int) -> AsyncIterator[None]:
        async def beat() -> None:
            while True:
                await asyncio.sleep(HEARTBEAT_S)
                await self._store.extend(incoming, fence)

        heartbeat = asyncio.create_task(beat(), name="turn heartbeat")
        try:
            yield
        finally:
            heartbeat.cancel()
            with suppress(asyncio.CancelledError):
                await heartbeat
