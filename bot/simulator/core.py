"""The platform's state and its delivery of what followers do; the named actions are in ``platform.py``."""

import asyncio
import itertools
import secrets
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from bot.simulator.allowances import Allowance
from bot.simulator.bubbles import Bubble, FaultBubble
from bot.simulator.callbacks import CallbackSender
from bot.simulator.clocks import ShiftedClock
from bot.simulator.errors import ApiFault, NotForProduction
from bot.simulator.faults import CallLog, FaultBoard
from bot.simulator.followers import FollowerBook
from bot.simulator.mass_jobs import MassJob
from bot.simulator.media import MediaStore
from bot.simulator.menus import Menu
from bot.simulator.models import (
    About,
    AccountChanged,
    Attempt,
    Channel,
    Delivery,
    Entry,
    Exchange,
    ExchangeEnded,
    Follower,
    HandedOver,
    Shown,
    SimulatorConfig,
    Violation,
    require_loopback,
)
from bot.simulator.publications import DraftArticle, PublicationBook
from bot.simulator.pushes import Push
from bot.simulator.replies import ReplyReader
from bot.simulator.tokens import TokenBook
from bot.simulator.transcript import Transcript
from bot.values.clock import Clock, SystemClock

NO_ANSWER = "该公众号暂时无法提供服务，请稍后再试"
BROKEN_ANSWER = "该公众号提供的服务出现故障，请稍后再试"
CONTACT_LIFE = timedelta(seconds=30)


class PlatformCore:
    """Followers, media, tokens, allowances and conversations of one account, and callbacks over real HTTP.

    An async context manager. ``base_url`` is where the platform's own HTTP side is reached; ``server.start`` sets it.
    Callbacks carry the time of ``clock`` itself; allowances, tokens and media follow ``self.clock``, which the
    control API can put forward. Raises NotForProduction unless the caller says that this is no production system.
    """

    def __init__(
        self, config: SimulatorConfig, clock: Clock | None = None, *, acknowledged_not_production: bool
    ) -> None:
        if not acknowledged_not_production:
            raise NotForProduction
        self.config = config
        self.clock = ShiftedClock(clock or SystemClock())
        self.base_url = "http://127.0.0.1:8082"
        self._msg_ids = itertools.count(secrets.randbelow(10**15) + 23 * 10**15)
        self._serials = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self.transcript = Transcript()
        self._start_afresh()
        reader = ReplyReader(config, lambda media_id: self.media.has(media_id, self.clock.now()))
        self.callbacks = CallbackSender(config, reader, self.clock.base)

    def _start_afresh(self) -> None:
        self.followers = FollowerBook()
        self.media = MediaStore(self.config.media_life_s)
        self.tokens = TokenBook(self.config.token_life_s)
        self.faults = FaultBoard()
        self.calls = CallLog()
        self.menu: Menu | None = None
        self.scenes: dict[str, str] = {}
        self.tags: dict[int, str] = {}
        self.sent_ids: dict[str, tuple[int, datetime]] = {}
        self.mass_received: dict[tuple[str, str], int] = {}
        self.mass_jobs: dict[int, MassJob] = {}
        self.mass_times: deque[datetime] = deque()
        self.mass_verdicts: deque[str] = deque()
        self.drafts: dict[str, tuple[DraftArticle, ...]] = {}
        self.publications = PublicationBook()
        self.typing_until: dict[str, datetime] = {}
        self.violations: list[tuple[str, Violation]] = []
        self.exchanges: list[Exchange] = []
        self._allowances: dict[str, Allowance] = {}
        self._contacts: dict[str, datetime] = {}
        self._event_times: dict[tuple[str, str], int] = {}
        self._begun: set[int] = set()
        self._answered: set[int] = set()

    async def __aenter__(self) -> Self:
        await self.callbacks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.transcript.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.callbacks.__aexit__(kind, error, trace)

    def reset(self) -> None:
        """Forget followers, conversations, media, tokens, menu, faults, counts and the clock's offset."""
        self.clock.offset = timedelta()
        self.transcript.clear()
        self._start_afresh()
        self.changed()

    # What the follower does reaches the account.

    def prepare(self, openid: str, push: Push) -> Delivery:
        """Return a delivery with its MsgId and CreateTime; it can be delivered any number of times."""
        self.followers.get(openid)
        create_time = int(self.clock.base.now().timestamp())
        if not push.is_event:
            return Delivery(next(self._serials), openid, push, create_time, next(self._msg_ids))
        # Events have no id: two alike in one second would be one. Followers do not tap that fast, tests do.
        key = (openid, f"{push.fields.get('Event')} {push.fields.get('EventKey')}")
        if self.config.distinct_event_times:
            create_time = max(create_time, self._event_times.get(key, 0) + 1)
        self._event_times[key] = create_time
        return Delivery(next(self._serials), openid, push, create_time, None)

    async def do(self, openid: str, push: Push, callback_url: str = "") -> Exchange:
        """Deliver as the platform does: on no answer within the deadline drop the connection and deliver again."""
        delivery = self.prepare(openid, push)
        self._begin(delivery)
        attempts: list[Attempt] = []
        while len(attempts) < self.config.attempts:
            attempts.append(await self.callbacks.attempt(delivery, self._url(callback_url)))
            if attempts[-1].answered:
                break
        return self._conclude(delivery, attempts, give_up=True)

    async def deliver(
        self,
        delivery: Delivery,
        *,
        times: int = 1,
        at_once: bool = True,
        callback_urls: Sequence[str] = (),
    ) -> list[Attempt]:
        """Deliver the same message ``times`` times, to the URLs in turn, together or one after another.

        The first answer is shown once, however often the delivery is repeated here or in a later call; a missing
        one shows nothing.
        """
        self._begin(delivery)
        urls = [self._url(url) for url in callback_urls] or [self.config.callback_url]
        sends = [self.callbacks.attempt(delivery, urls[index % len(urls)]) for index in range(times)]
        attempts = list(await asyncio.gather(*sends)) if at_once else [await send for send in sends]
        self._conclude(delivery, attempts, give_up=False)
        return attempts

    def tell_later(self, openid: str, push: Push) -> None:
        """Deliver an event of the platform's own in the background, a moment from now."""

        async def tell() -> None:
            await asyncio.sleep(self.config.job_event_delay_s)
            await self.do(openid, push)

        self._spawn(tell())

    def in_background(self, work: Coroutine[None, None, None]) -> None:
        """Do something of the platform's own beside the calls; ``settle`` waits for it."""
        self._spawn(work)

    def mass_ledger(self) -> Counter[str]:
        """Return how many mass messages each OpenID received, of all jobs."""
        return Counter(openid for job in self.mass_jobs.values() for openid in job.received)

    async def settle(self) -> None:
        """Wait until no background delivery is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    # What the account does reaches the follower.

    def seen(self, openid: str, after: int = 0) -> list[Shown]:
        """Return what the follower saw from the account, in order."""
        return self.transcript.shown(openid, after)

    def conversation(self, openid: str, after: int = 0) -> list[Entry]:
        """Return both sides of the conversation, in order."""
        return self.transcript.entries(openid, after)

    async def wait_for(
        self, openid: str, predicate: Callable[[Shown], bool], timeout_s: float = 5.0, after: int = 0
    ) -> Shown:
        """Return the first message shown after ``after`` (a ``seq``) that fits; raises TimeoutError."""
        return await self.transcript.wait_for(openid, predicate, timeout_s, after)

    def allowance(self, openid: str) -> Allowance:
        """Return what customer-service messages the account may send to the follower."""
        return self._allowances.get(openid, Allowance(self.config.allowances_add_up))

    def allowance_left(self, openid: str) -> int:
        """Return how many customer-service messages may be sent now."""
        return self.allowance(openid).left(self.clock.now())

    def spend_allowance(self, openid: str) -> None:
        """Take one message from the allowance; raises ApiFault 40003, 45015 or 45047."""
        follower = self.followers.find(openid)
        if follower is None:
            raise ApiFault(40003)
        now, allowance = self.clock.now(), self.allowance(openid)
        if not follower.subscribed or not allowance.is_open(now):
            raise ApiFault(45015)
        if not allowance.left(now):
            raise ApiFault(45047)
        self._allowances[openid] = allowance.spent(now)

    def show(self, openid: str, channel: Channel, bubble: Bubble, about: About | None = None) -> Shown:
        """Add a message of the account to the follower's chat."""
        now = self._contacts[openid] = self.clock.now()
        self.typing_until.pop(openid, None)
        told = replace(about or About(), allowance_left=self.allowance_left(openid))
        return self.transcript.show(openid, now, channel, bubble, told)

    def in_contact(self, openid: str) -> bool:
        """Say whether a message went either way in the last 30 seconds."""
        at = self._contacts.get(openid)
        return at is not None and self.clock.now() - at <= CONTACT_LIFE

    def changed(self) -> None:
        """Tell the watchers that the account's state is different."""
        self.transcript.publish(AccountChanged())

    # Inside.

    def _url(self, callback_url: str) -> str:
        if not callback_url:
            return self.config.callback_url
        require_loopback(callback_url)
        return callback_url

    def _begin(self, delivery: Delivery) -> None:
        if delivery.serial in self._begun:
            return
        self._begun.add(delivery.serial)
        push, openid, now = delivery.push, delivery.openid, self.clock.now()
        if push.said:
            self.transcript.say(openid, now, push.said_kind, push.said, push.media_id)
        if push.grant is not None:
            self._allowances[openid] = self.allowance(openid).granted(push.grant, now)
        if push.grant is not None or not push.is_event:
            self._contacts[openid] = now

    def _conclude(self, delivery: Delivery, attempts: list[Attempt], *, give_up: bool) -> Exchange:
        answer = min((one for one in attempts if one.answered), key=lambda one: one.latency_s, default=None)
        violation = answer.result if answer is not None and isinstance(answer.result, Violation) else None
        if violation is not None:
            self.violations.append((delivery.openid, violation))
        shown: list[Shown] = []
        bubble = self._bubble(delivery, answer, give_up=give_up)
        if bubble is not None and delivery.serial not in self._answered:
            self._answered.add(delivery.serial)
            channel = Channel.NOTICE if isinstance(bubble, FaultBubble) else Channel.PASSIVE
            about = About(len(attempts), sum(attempt.latency_s for attempt in attempts))
            shown.append(self.show(delivery.openid, channel, bubble, about))
        left = self.allowance_left(delivery.openid)
        exchange = Exchange(delivery.openid, delivery, attempts, shown, self.clock.now(), left, violation)
        self.exchanges.append(exchange)
        self.transcript.publish(ExchangeEnded(exchange))
        return exchange

    def _bubble(self, delivery: Delivery, answer: Attempt | None, *, give_up: bool) -> Bubble | None:
        follower: Follower | None = self.followers.find(delivery.openid)
        if follower is None or not follower.subscribed:
            return None
        if answer is None:
            return FaultBubble(NO_ANSWER) if give_up and delivery.push.notice else None
        match answer.result:
            case Violation():
                return FaultBubble(BROKEN_ANSWER) if delivery.push.notice else None
            case HandedOver() | None:
                return None
            case bubble:
                return bubble

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
