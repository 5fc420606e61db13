"""Answers on their way out: the worker takes them, sends them within the allowance and says how it went."""

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update

from bot.inbox.errors import NoSuchMessage
from bot.inbox.journal import tell_screens
from bot.inbox.models import Chat, ChatMessage, DeliveryStatus, Direction, MessageKind
from bot.inbox.rows import open_text
from bot.inbox.views import OutboundMessage
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

DEFAULT_LEASE = timedelta(seconds=60)
"""A worker that took a message and said nothing for this long is taken for dead, and another one may try."""

UNSENT = (DeliveryStatus.QUEUED.value, DeliveryStatus.SENDING.value)


class OutboundQueue:
    """Answers that wait to be sent. A message's ``send_key`` stays the same however often it is taken."""

    def __init__(
        self, database: Database, cipher: FieldCipher, clock: Clock, *, lease: timedelta = DEFAULT_LEASE
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._lease = lease

    async def take(self, *, limit: int = 20) -> list[OutboundMessage]:
        """Return messages to send now, at most one a chat so that they arrive in order; no two workers get one.

        A notification does not wait for the answers before it: that they wait is why it was asked for.
        """
        now = self._clock.now()
        first_of_chat = (
            select(func.min(ChatMessage.id))
            .where(
                ChatMessage.direction == Direction.OUTBOUND.value,
                ChatMessage.delivery_status.in_(UNSENT),
                ChatMessage.kind != MessageKind.REMINDER.value,
            )
            .group_by(ChatMessage.chat_id)
        )
        due = or_(
            (ChatMessage.delivery_status == DeliveryStatus.QUEUED.value)
            & (ChatMessage.not_before.is_(None) | (ChatMessage.not_before <= now)),
            (ChatMessage.delivery_status == DeliveryStatus.SENDING.value)
            & (ChatMessage.taken_at <= now - self._lease),
        )
        wanted = (
            select(ChatMessage)
            .where(or_(ChatMessage.id.in_(first_of_chat), ChatMessage.kind == MessageKind.REMINDER.value), due)
            .order_by(ChatMessage.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        async with self._database.transaction() as session:
            rows = list(await session.scalars(wanted))
            found = await session.scalars(select(Chat).where(Chat.id.in_({row.chat_id for row in rows})))
            chats = {chat.id: chat for chat in found}
            for row in rows:
                row.delivery_status, row.taken_at = DeliveryStatus.SENDING.value, now
            return [outbound_of(self._cipher, row, chats[row.chat_id]) for row in rows]

    async def sent(self, message_id: int) -> None:
        """Note that the platform accepted the message; raises NoSuchMessage."""
        await self._finish(message_id, DeliveryStatus.SENT)

    async def failed(self, message_id: int, reason: str) -> None:
        """Note that the message will not be sent, with the platform's reason as a code; raises NoSuchMessage."""
        await self._finish(message_id, DeliveryStatus.FAILED, failure=reason)

    async def postpone(self, message_id: int, until: datetime, reason: str = "") -> None:
        """Put a message back, for instance until the follower's allowance is renewed; raises NoSuchMessage.

        ``reason`` is a code that staff see meanwhile.
        """
        await self._finish(message_id, DeliveryStatus.QUEUED, failure=reason or None, not_before=until)

    async def uploaded(self, message_id: int, media_ref: str, until: datetime) -> None:
        """Note the platform's id of the message's picture, so that it need not be uploaded again until then."""
        async with self._database.transaction() as session:
            await session.execute(
                update(ChatMessage)
                .where(ChatMessage.id == message_id)
                .values(media_ref=media_ref, media_until=until)
                .execution_options(synchronize_session=False)
            )

    async def _finish(
        self,
        message_id: int,
        status: DeliveryStatus,
        *,
        failure: str | None = None,
        not_before: datetime | None = None,
    ) -> None:
        async with self._database.transaction() as session:
            row = await session.get(ChatMessage, message_id, with_for_update=True)
            if row is None:
                raise NoSuchMessage(message_id=message_id)
            if row.delivery_status not in UNSENT:
                return  # It has come to an end already; a late report changes nothing.
            row.delivery_status, row.failure, row.not_before = status.value, failure, not_before
            row.sent_at = self._clock.now() if status is DeliveryStatus.SENT else None
            tell_screens(session, await session.get_one(Chat, row.chat_id), self._clock)


def outbound_of(cipher: FieldCipher, row: ChatMessage, chat: Chat) -> OutboundMessage:
    """Return a message as the sender needs it; before the follower wrote in the chat, its opening counts."""
    return OutboundMessage(
        id=row.id,
        chat_id=row.chat_id,
        topic=chat.topic,
        openid=chat.openid,
        kind=MessageKind(row.kind),
        text=open_text(cipher, row.text_sealed),
        media_ref=row.media_ref,
        media_until=row.media_until,
        file_id=row.file_id,
        send_key=f"chat-message-{row.id}",
        heard_at=chat.heard_at or chat.opened_at,
    )
