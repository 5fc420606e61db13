"""One turn: claim, understand, run the flow, plan the delivery, commit. At most one effect for one message."""

import asyncio
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Protocol

import structlog

from bot.storage.redis import RedisRefused, RedisUnavailable
from bot.turns.answers import Answer
from bot.turns.kept_answers import Answers, NothingKept
from bot.turns.models import Claim, Commit, Incoming, Replay, Run, Wait
from bot.turns.outbox import pack_all
from bot.turns.reading import dump
from bot.turns.replies import as_customer_message, dump_reply, load_reply
from bot.turns.store import Arrivals, TurnStore
from bot.values.clock import Clock
from bot.values.errors import BotError
from bot.wechat.allowance import grant, refresh
from bot.wechat.models import Inbound, PassiveReply
from bot.wechat.planner import DeliveryPlan, plan

log = structlog.get_logger(__name__)

PATIENCE_S = 60.0
"""How long a turn may wait for its follower's lock; after that the worker takes the message up again."""
LOOK_AGAIN_S = 1.0
"""How soon a waiting turn looks again by itself: a notification can get lost while its connection is renewed."""
WORK_MAX_S = 30.0
"""How long one answer may take; a turn that hangs must not keep its follower busy for good."""
FAILURES_MAX = 3
"""How often a message may fail, as often as the platform delivers; the last time its follower is told so."""


class TurnNotDone(Exception):
    """The message has no answer yet. It is pending: the next delivery or the worker takes it up again."""


class TurnGivenUp(TurnNotDone):
    """The follower's lock was not to be had in time."""


class TurnFailed(TurnNotDone):
    """Answering the message raised an error, which is the cause of this one."""


class Responder(Protocol):
    """What answers a message. It may run more than once for one message: its writes carry the delivery's key."""

    async def respond(self, message: Inbound, stored: bytes) -> Answer:
        """Return the answer to ``message`` for a follower whose stored dialogue is ``stored`` (``b""``: none)."""
        ...

    def apologise(self, message: Inbound, stored: bytes) -> Answer:
        """Return the answer to a message that cannot be worked on; it must not fail itself."""
        ...


@dataclass(slots=True)
class Attempt:
    """One delivery of a message, and whether its answer can still be sent on its own connection."""

    connected: Callable[[], bool] = field(default=lambda: True)
    patience_s: float = PATIENCE_S
    _closed: bool = False

    @property
    def open(self) -> bool:
        return not self._closed and self.connected()

    def close(self) -> None:
        """The delivery was answered without a reply; what comes now goes through the outbox."""
        self._closed = True


def closed_attempt() -> Attempt:
    """Return the attempt of a message that is worked on without a connection, unless its follower is busy."""
    attempt = Attempt(patience_s=0)
    attempt.close()
    return attempt


class TurnService:
    """Works on followers' messages; any number of processes may share one store."""

    def __init__(
        self,
        store: TurnStore,
        arrivals: Arrivals,
        responder: Responder,
        clock: Clock,
        *,
        link_choices: bool,
        work_max_s: float = WORK_MAX_S,
        answers: Answers | None = None,
    ) -> None:
        self._store = store
        self._arrivals = arrivals
        self.responder = responder
        self._clock = clock
        self._link_choices = link_choices
        self._work_max_s = work_max_s
        self._answers = answers or NothingKept()

    async def handle(self, message: Inbound, attempt: Attempt) -> PassiveReply | None:
        """Work on one delivery and return the passive reply to answer it with, or ``None``.

        A repeated delivery gets the stored reply. A message that failed ``FAILURES_MAX`` times is answered with an
        apology. Raises RedisUnavailable or RedisRefused when the store does not do its part, TurnGivenUp when the
        follower stays busy, TurnFailed when answering failed; in all of these cases the message is not lost.
        """
        incoming = Incoming(message.delivery_key, message.openid, dump(message))
        claim = await self._claim(incoming, attempt)
        if isinstance(claim, Replay):
            return await self._hand_over(incoming, load_reply(claim.reply), attempt)
        try:
            with _Heartbeat(self._store, incoming, claim.fence):
                return await self._work(message, incoming, claim, attempt)
        except BaseException as error:
            await self._release(incoming, claim, error)
            raise

    async def _claim(self, incoming: Incoming, attempt: Attempt) -> Replay | Run:
        deadline = asyncio.get_running_loop().time() + attempt.patience_s
        async with self._arrivals.expect(incoming.openid) as released:
            while True:
                released.clear()
                claim: Claim = await self._store.claim(incoming)
                if not isinstance(claim, Wait):
                    return claim
                if asyncio.get_running_loop().time() >= deadline:
                    raise TurnGivenUp
                await _either(released, min(claim.at_most_s, LOOK_AGAIN_S))

    async def _work(self, message: Inbound, incoming: Incoming, run: Run, attempt: Attempt) -> PassiveReply | None:
        started = asyncio.get_running_loop().time()
        answer, delivery, passive_open = await self._answer(message, run, attempt)
        took_ms = round((asyncio.get_running_loop().time() - started) * 1000)
        opened = grant(message)
        now_ms = int(self._clock.now().timestamp() * 1000)
        commit = Commit(
            fence=run.fence,
            reply=dump_reply(delivery.passive),
            state=answer.state,
            outbox=pack_all(incoming.key, delivery.later),
            log_entry=answer.record(took_ms=took_ms, late=not passive_open).to_json(),
            allowance=refresh(run.allowance, opened, now_ms) if opened else None,
            release_held=opened is not None,
        )
        if not await self._store.commit(incoming, commit):
            log.warning("a turn lost its lock and wrote nothing", kind=type(message).__name__)
            return await self._after_lost_lock(incoming, attempt)
        return await self._hand_over(incoming, delivery.passive, attempt)

    async def _answer(self, message: Inbound, run: Run, attempt: Attempt) -> tuple[Answer, DeliveryPlan, bool]:
        """Return the answer, how it is delivered, and whether its own connection was still open then."""
        if run.tries <= FAILURES_MAX:
            try:
                async with asyncio.timeout(self._work_max_s):
                    answer = await self._answers.once(
                        message, run.state, partial(self._respond, message, run), repeated=run.tries > 1
                    )
                return answer, *self._planned(answer, attempt)
            except Exception as error:
                log.error("a turn failed", kind=type(message).__name__, tries=run.tries, **_about(error))
                if run.tries < FAILURES_MAX:
                    raise TurnFailed from error
        log.error("a message failed for good; its follower gets an apology", kind=type(message).__name__)
        answer = self.responder.apologise(message, run.state)
        return answer, *self._planned(answer, attempt)

    async def _respond(self, message: Inbound, run: Run) -> Answer:
        return await self.responder.respond(message, run.state)

    def _planned(self, answer: Answer, attempt: Attempt) -> tuple[DeliveryPlan, bool]:
        passive_open = attempt.open
        return plan(answer.outgoing, passive_open=passive_open, link_choices=self._link_choices), passive_open

    async def _after_lost_lock(self, incoming: Incoming, attempt: Attempt) -> PassiveReply | None:
        claim = await self._claim(incoming, attempt)
        if isinstance(claim, Replay):
            return await self._hand_over(incoming, load_reply(claim.reply), attempt)
        # Nobody has finished it meanwhile; it begins again with the next delivery, which knows its own deadline.
        await self._store.release(incoming, claim.fence, blameless=True)
        raise TurnGivenUp

    async def _hand_over(
        self, incoming: Incoming, reply: PassiveReply | None, attempt: Attempt
    ) -> PassiveReply | None:
        """Return the reply for the connection, or send it later when the connection closed in the meantime."""
        if reply is None or attempt.open:
            return reply
        message = as_customer_message(reply)
        if message is not None:
            await self._store.redirect(incoming, pack_all(f"{incoming.key}:late", (message,)))
        return None

    async def _release(self, incoming: Incoming, run: Run, error: BaseException) -> None:
        """Give the lock back. Only an error that comes from the message itself counts against it."""
        blameless = isinstance(error, RedisUnavailable) or not isinstance(error, Exception)
        try:
            await self._store.release(incoming, run.fence, blameless=blameless)
        except (RedisUnavailable, RedisRefused) as failure:
            log.warning("a lock was not given back and runs out by itself", error=type(failure).__name__)


class _Heartbeat:
    """Extends the follower's lock while the turn works. Most turns end before the first beat and cost a timer."""

    def __init__(self, store: TurnStore, incoming: Incoming, fence: int) -> None:
        self._store = store
        self._incoming = incoming
        self._fence = fence
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._beating: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        self._timer = self._loop.call_later(self._store.heartbeat_s, self._begin)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._beating is not None:
            self._beating.cancel()

    def _begin(self) -> None:
        self._beating = self._loop.create_task(self._beat(), name="turn heartbeat")

    async def _beat(self) -> None:
        while True:
            try:
                if not await self._store.extend(self._incoming, self._fence):
                    return
            except (RedisUnavailable, RedisRefused) as error:
                log.warning("a lock was not extended", error=type(error).__name__)
            await asyncio.sleep(self._store.heartbeat_s)


async def _either(event: asyncio.Event, at_most_s: float) -> None:
    """Return when ``event`` is set or the time is over."""
    try:
        await asyncio.wait_for(event.wait(), at_most_s)
    except TimeoutError:
        return


def _about(error: BaseException) -> dict[str, object]:
    """Return what may be logged of an error: its kind, its code and place. Its text may hold what somebody wrote."""
    place = traceback.extract_tb(error.__traceback__)[-1:]
    return {
        "error": type(error).__name__,
        "code": error.code if isinstance(error, BotError) else None,
        "at": f"{place[0].filename}:{place[0].lineno}" if place else None,
    }
