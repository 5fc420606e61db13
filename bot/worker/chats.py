"""Sends what staff answered in chats, and says in the chat how it went."""

from collections.abc import Sequence
from datetime import timedelta

from bot.inbox.models import MessageKind, OutboundMessage
from bot.inbox.outbound import OutboundQueue
from bot.turns.outbox import Parcel
from bot.values.clock import Clock
from bot.wechat.allowance import AFTER_MESSAGE
from bot.wechat.models import CustomerImage, CustomerMessage, CustomerText, Outgoing
from bot.wechat.planner import plan
from bot.worker.outbox import OutboxRelay, Outcome

HELD_RETRY = timedelta(minutes=2)
WINDOW = timedelta(seconds=AFTER_MESSAGE.lasts_s)
"""How long after a follower's message the platform lets them be answered."""
WINDOW_CLOSED = "window_closed"
"""Why an answer failed that nobody can be sent any more: staff has to find another way."""


class ChatAnswers:
    """Relays answers one chat at a time, so that they arrive in order."""

    def __init__(self, queue: OutboundQueue, relay: OutboxRelay, clock: Clock, *, rating: Sequence[Outgoing]) -> None:
        self._queue = queue
        self._relay = relay
        self._clock = clock
        self._rating = plan(rating, passive_open=False, link_choices=False).later

    async def send(self) -> int:
        """Send one batch; return how many answers were taken."""
        messages = await self._queue.take()
        for message in messages:
            outcome = await self._relay.send_now(message.openid, message.send_key, Parcel(self._content(message)))
            await self._note(message, outcome)
        return len(messages)

    async def _note(self, message: OutboundMessage, outcome: Outcome) -> None:
        match outcome:
            case Outcome.SENT | Outcome.REPEATED | Outcome.TEMPLATE:
                await self._queue.sent(message.id)
            case Outcome.HELD | Outcome.LATER:
                await self._wait(message)
            case Outcome.FAILED | Outcome.UNKNOWN:
                await self._queue.failed(message.id, outcome.value)

    async def _wait(self, message: OutboundMessage) -> None:
        """Try again while the follower can still be answered, or be heard again; then give up."""
        now, ends = self._clock.now(), message.heard_at + WINDOW
        if now >= ends:
            await self._queue.failed(message.id, WINDOW_CLOSED)
        else:
            await self._queue.postpone(message.id, min(now + HELD_RETRY, ends))

    def _content(self, message: OutboundMessage) -> CustomerMessage:
        if message.kind is MessageKind.SATISFACTION:
            return self._rating[0]
        if message.kind is MessageKind.IMAGE and message.media_ref is not None:
            return CustomerImage(message.media_ref)
        return CustomerText(message.text)
