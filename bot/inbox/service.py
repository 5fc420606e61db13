"""The follower's side of a chat with staff: handing over, what they write meanwhile, leaving and rating."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.inbox.calendar_table import read_calendar
from bot.inbox.models import (
    Chat,
    ChatMessage,
    ChatQueue,
    ChatStatus,
    ChatView,
    DeliveryStatus,
    Direction,
    MessageKind,
    Satisfaction,
)
from bot.inbox.rows import SUMMARY, seal_text, view_of
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

FOLLOWER = "follower"
RATING_WITHIN = timedelta(days=7)
"""How long after a chat its satisfaction question can still be answered."""


@dataclass(frozen=True, slots=True)
class Escalated:
    """The chat is with people now; the bot stays silent until they close it.

    ``position`` is the place in its queue from 1, or 0 when somebody has claimed it. ``expected_at`` is when an
    answer can usually be expected, None when the calendar knows no opening; ``hours_today`` are today's stretches
    as text, empty on a day off. ``is_new`` is False when the chat was running already.
    """

    chat_id: int
    position: int
    within_hours: bool
    expected_at: datetime | None
    usual_minutes: int
    hours_today: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """The message is in the chat, now or by an earlier delivery of it."""

    chat_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class NoOpenChat:
    """The follower has no chat that waits or is open: the bot answers."""


@dataclass(frozen=True, slots=True)
class Left:
    """The follower ended the chat; the bot answers again."""

    chat_id: int


@dataclass(frozen=True, slots=True)
class Rated:
    """The satisfaction is kept."""

    chat_id: int


@dataclass(frozen=True, slots=True)
class NothingToRate:
    """No chat of this follower was closed lately without a rating."""


class InboxService:
    """What a follower does in a chat. Every write carries an idempotency key and has no second effect."""

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def escalate(
        self,
        openid: str,
        topic: str,
        summary: str,
        key: str,
        *,
        reason: str = "",
        county: str | None = None,
        moves: bool = False,
    ) -> Escalated:
        """Hand the conversation to people. A follower who is in a chat already stays in that one.

        ``summary`` is what staff see first, such as the follower's last words; it is sealed. ``reason`` is a code:
        ``asked``, ``not_understood``, ``crisis`` … ``moves`` puts a chat that runs in another queue into this one,
        because it is more urgent now; whoever has claimed it keeps it.
        """
        fresh = Chat(
            openid=openid,
            topic=topic,
            county=county,
            reason=reason,
            summary_sealed=seal_text(self._cipher, summary, SUMMARY),
            status=ChatStatus.WAITING.value,
            idempotency_key=key,
            opened_at=self._clock.now(),
        )
        async with self._database.transaction() as session:
            earlier = await self._earlier(session, openid, key)
            if earlier is not None:
                if moves and earlier.status != ChatStatus.CLOSED:
                    earlier.topic, earlier.reason = topic, reason
                    earlier.summary_sealed = fresh.summary_sealed
                return await self._escalated(session, earlier, is_new=False)
            try:
                async with session.begin_nested():
                    session.add(fresh)
            except IntegrityError:
                # The unique index let a concurrent turn win: there is a chat now, and this one joins it.
                running = await self._earlier(session, openid, key)
                if running is None:
                    raise
                return await self._escalated(session, running, is_new=False)
            return await self._escalated(session, fresh, is_new=True)

    async def open_chat_of(self, openid: str) -> ChatView | None:
        """Return the chat that waits or is open, in which case the bot is silent."""
        async with self._database.reading() as session:
            row = await _running(session, openid)
        return None if row is None else view_of(row)

    async def record_inbound(
        self,
        openid: str,
        key: str,
        *,
        kind: MessageKind = MessageKind.TEXT,
        text: str = "",
        media_ref: str | None = None,
    ) -> Recorded | NoOpenChat:
        """Put what the follower wrote into their chat. ``media_ref`` is the platform's media id (three days)."""
        async with self._database.transaction() as session:
            repeated = await _message_by_key(session, key)
            if repeated is not None:
                return Recorded(repeated.chat_id, repeated.id)
            chat = await _running(session, openid)
            if chat is None:
                return NoOpenChat()
            message = ChatMessage(
                chat_id=chat.id,
                direction=Direction.INBOUND.value,
                kind=kind.value,
                text_sealed=seal_text(self._cipher, text),
                media_ref=media_ref,
                author=FOLLOWER,
                idempotency_key=key,
                delivery_status=DeliveryStatus.RECEIVED.value,
                created_at=self._clock.now(),
            )
            try:
                async with session.begin_nested():
                    session.add(message)
            except IntegrityError:
                repeated = await _message_by_key(session, key)
                if repeated is None:
                    raise
                return Recorded(repeated.chat_id, repeated.id)
            return Recorded(chat.id, message.id)

    async def leave(self, openid: str, key: str) -> Left | NoOpenChat:
        """End the follower's own chat. The satisfaction question is the caller's to ask: the follower is here."""
        async with self._database.transaction() as session:
            chat = await _running(session, openid, lock=True)
            if chat is None:
                closed = select(Chat.id).where(Chat.openid == openid, Chat.close_key == key)
                earlier = await session.scalar(closed)
                return NoOpenChat() if earlier is None else Left(earlier)
            chat.status = ChatStatus.CLOSED.value
            chat.closed_at, chat.closed_by, chat.close_reason = self._clock.now(), FOLLOWER, FOLLOWER
            chat.close_key = key
            return Left(chat.id)

    async def rate(self, openid: str, score: Satisfaction, key: str) -> Rated | NothingToRate:
        """Keep the follower's answer to the satisfaction question of their latest closed chat."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            rated = await session.scalar(select(Chat.id).where(Chat.openid == openid, Chat.rating_key == key))
            if rated is not None:
                return Rated(rated)
            latest = select(Chat).where(Chat.openid == openid).order_by(Chat.id.desc()).limit(1).with_for_update()
            chat = (await session.scalars(latest)).one_or_none()
            if chat is None or chat.closed_at is None or chat.satisfaction is not None:
                return NothingToRate()
            if now - chat.closed_at > RATING_WITHIN:
                return NothingToRate()
            chat.satisfaction, chat.rated_at, chat.rating_key = int(score), now, key
            return Rated(chat.id)

    async def _earlier(self, session: AsyncSession, openid: str, key: str) -> Chat | None:
        by_key = (await session.scalars(select(Chat).where(Chat.idempotency_key == key))).one_or_none()
        return by_key or await _running(session, openid)

    async def _escalated(self, session: AsyncSession, chat: Chat, *, is_new: bool) -> Escalated:
        now = self._clock.now()
        calendar = await read_calendar(session)
        queue = await session.get(ChatQueue, chat.topic)
        usual_minutes = queue.usual_answer_minutes if queue is not None else 0
        opening = calendar.next_opening(now)
        return Escalated(
            chat_id=chat.id,
            position=await _position(session, chat),
            within_hours=calendar.is_open(now),
            expected_at=None if opening is None else opening + timedelta(minutes=usual_minutes),
            usual_minutes=usual_minutes,
            hours_today=" ".join(map(str, calendar.stretches(now.date()))),
            is_new=is_new,
        )


async def _position(session: AsyncSession, chat: Chat) -> int:
    if chat.status != ChatStatus.WAITING:
        return 0
    counted = select(func.count()).where(
        Chat.status == ChatStatus.WAITING.value, Chat.topic == chat.topic, Chat.id <= chat.id
    )
    return await session.scalar(counted) or 0


async def _running(session: AsyncSession, openid: str, *, lock: bool = False) -> Chat | None:
    wanted = select(Chat).where(Chat.openid == openid, Chat.status != ChatStatus.CLOSED.value)
    return (await session.scalars(wanted.with_for_update() if lock else wanted)).one_or_none()


async def _message_by_key(session: AsyncSession, key: str) -> ChatMessage | None:
    return (await session.scalars(select(ChatMessage).where(ChatMessage.idempotency_key == key))).one_or_none()
