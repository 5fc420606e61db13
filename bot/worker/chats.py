"""Sends what staff answered in chats, and says in the chat how it went."""

from collections.abc import Sequence
from datetime import timedelta

from bot.inbox.models import MessageKind, OutboundMessage
from bot.inbox.outbound import OutboundQueue
from bot.turns.outbox import Parcel
from bot.values.clock import Clock
from bot.wechat.models import CustomerImage, CustomerMessage, CustomerText, Outgoing
from bot.wechat.planner import plan
from bot.worker.outbox import OutboxRelay, Outcome

HELD_RETRY = timedelta(minutes=2)


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
                await self._queue.postpone(message.id, self._clock.now() + HELD_RETRY)
            case Outcome.FAILED | Outcome.UNKNOWN:
                await self._queue.failed(message.id, outcome.value)

    def _content(self, message: OutboundMessage) -> CustomerMessage:
        if message.kind is MessageKind.SATISFACTION:
            return self._rating[0]
        if message.kind is MessageKind.IMAGE and message.media_ref is not None:
            return CustomerImage(message.media_ref)
        return CustomerText(message.text)
