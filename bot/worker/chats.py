"""Sends what staff answered in chats, and says in the chat how it went."""

from collections.abc import Sequence
from datetime import timedelta
from typing import assert_never

from bot.inbox.models import MessageKind
from bot.inbox.outbound import OutboundQueue
from bot.inbox.views import OutboundMessage, number_of
from bot.turns.outbox import Fallback, Parcel
from bot.values.clock import Clock
from bot.wechat.allowance import AFTER_MESSAGE
from bot.wechat.models import CustomerImage, CustomerMessage, CustomerText, Outgoing
from bot.wechat.planner import plan
from bot.worker.chat_pictures import ChatPictures
from bot.worker.outbox import Delivery, OutboxRelay, Outcome

HELD_RETRY = timedelta(minutes=2)
WINDOW = timedelta(seconds=AFTER_MESSAGE.lasts_s)
"""How long after a follower's message the platform lets them be answered."""
WINDOW_CLOSED = "window_closed"
"""Why an answer failed that nobody can be sent any more: staff has to find another way."""
NO_TEMPLATE = "no_template"
"""Why a notification failed: the account has none for this."""
NOTIFICATION = "工会工作人员有新回复"
"""What a notification says; it may be read on a locked screen by anybody."""


class ChatAnswers:
    """Relays answers one chat at a time, so that they arrive in order.

    ``rating`` asks how the service was, ``handed_back`` the same where the bot goes on.
    """

    def __init__(
        self,
        queue: OutboundQueue,
        relay: OutboxRelay,
        pictures: ChatPictures,
        clock: Clock,
        *,
        rating: Sequence[Outgoing],
        handed_back: Sequence[Outgoing],
        template_id: str,
    ) -> None:
        self._queue = queue
        self._relay = relay
        self._pictures = pictures
        self._clock = clock
        self._rating = plan(rating, passive_open=False, link_choices=False).later[0]
        self._handed_back = plan(handed_back, passive_open=False, link_choices=False).later[0]
        self._template_id = template_id

    async def send(self) -> int:
        """Send one batch; return how many answers were taken."""
        messages = await self._queue.take()
        for message in messages:
            await self._note(message, await self._deliver(message))
        return len(messages)

    async def _deliver(self, message: OutboundMessage) -> Delivery:
        if message.kind is MessageKind.REMINDER:
            if not self._template_id:
                return Delivery(Outcome.FAILED, NO_TEMPLATE)
            data = {"thing1": NOTIFICATION, "character_string2": number_of(message.chat_id, message.topic)}
            return await self._relay.notify(message.openid, message.send_key, Fallback(self._template_id, data))
        content = await self._content(message)
        if isinstance(content, Delivery):
            return content
        return await self._relay.send_now(message.openid, message.send_key, Parcel(content))

    async def _content(self, message: OutboundMessage) -> CustomerMessage | Delivery:
        match message.kind:
            case MessageKind.SATISFACTION:
                return self._rating
            case MessageKind.HANDED_BACK:
                return self._handed_back
            case MessageKind.IMAGE:
                media_id = await self._pictures.media_id(message)
                return media_id if isinstance(media_id, Delivery) else CustomerImage(media_id)
            case _:
                return CustomerText(message.text)

    async def _note(self, message: OutboundMessage, delivery: Delivery) -> None:
        match delivery.outcome:
            case Outcome.SENT | Outcome.REPEATED | Outcome.TEMPLATE:
                await self._queue.sent(message.id)
            case Outcome.HELD | Outcome.LATER:
                await self._wait(message, delivery)
            case Outcome.FAILED | Outcome.UNKNOWN:
                await self._queue.failed(message.id, delivery.reason or delivery.outcome.value)
            case _:
                assert_never(delivery.outcome)

    async def _wait(self, message: OutboundMessage, delivery: Delivery) -> None:
        """Try again while the follower can still be answered, or be heard again; then give up."""
        now, ends = self._clock.now(), message.heard_at + WINDOW
        if now >= ends:
            await self._queue.failed(message.id, WINDOW_CLOSED)
        else:
            reason = delivery.reason or delivery.outcome.value
            await self._queue.postpone(message.id, min(now + HELD_RETRY, ends), reason)
