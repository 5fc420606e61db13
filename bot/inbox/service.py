"""The follower's side of a chat with staff: handing over, what they write meanwhile, leaving and rating."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.inbox.calendar_table import read_calendar
from bot.inbox.journal import add_message, line_by_key, step_line, tell_screens
from bot.inbox.models import (
    Chat,
    ChatMessage,
    ChatStatus,
    DeliveryStatus,
    Direction,
    MediaState,
    MessageKind,
    Satisfaction,
    Step,
)
from bot.inbox.office_models import ChatQueue
from bot.inbox.opening import FOLLOWER, Handover, Office, fresh_chat, move_up, read_office
from bot.inbox.rows import seal_text, view_of
from bot.inbox.rules import must_be_told
from bot.inbox.views import ChatView
from bot.inbox.waiting import place_in_line
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

RATING_WITHIN = timedelta(days=7)
"""How long after a chat its satisfaction question can still be answered."""
MEDIA_LIFE = timedelta(days=3)
"""How long the platform keeps a picture that a follower sent."""


@dataclass(frozen=True, slots=True)
class Escalated:
    """The chat is with people now; the bot stays silent until they close it.

    ``position`` is the place among all that wait, from 1, or 0 when somebody has claimed it. ``opens_at`` is when
    people are there, now or next, ``expected_at`` when an answer can usually be expected: both None when the calendar
    knows no opening; ``hours_today`` are today's stretches as text, empty on a day off. ``is_new`` is False when the
    chat was running already.
    """

    chat_id: int
    topic: str
    position: int
    within_hours: bool
    opens_at: datetime | None
    expected_at: datetime | None
    usual_minutes: int
    hours_today: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """The message is in the chat, now or by an earlier delivery of it.

    ``opens_at`` is set when the follower has to be told that nobody is there before that moment.
    """

    chat_id: int
    message_id: int
    opens_at: datetime | None = None


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

        ``summary`` is what staff see first, such as the follower's last words, or nothing; it is sealed. ``reason``
        is a code: ``asked``, ``not_understood``, ``crisis`` … ``moves`` puts a chat that runs in another queue into
        this one, because it is more urgent now; whoever has claimed it keeps it.
        """
        handover = Handover(openid, topic, summary, key, reason, county)
        async with self._database.transaction() as session:
            office = await read_office(session, topic)
            earlier = await self._earlier(session, openid, key)
            if earlier is None:
                fresh = await fresh_chat(session, self._cipher, self._clock, office, handover)
                if fresh is not None:
                    return await self._escalated(session, fresh, office, is_new=True)
                # The unique index let a concurrent turn win: there is a chat now, and this one joins it.
                earlier = await self._earlier(session, openid, key)
                assert earlier is not None, "the index that refused a second chat knows of a first one"
            if moves and earlier.status != ChatStatus.CLOSED:
                move_up(session, earlier, self._cipher, self._clock, office, handover)
            return await self._escalated(session, earlier, office, is_new=False)

    async def open_chat_of(self, openid: str) -> ChatView | None:
        """Return the chat that waits or is open, in which case the bot is silent."""
        async with self._database.reading() as session:
            row = await _running(session, openid)
        return None if row is None else view_of(row)

    async def place_of(self, openid: str) -> Escalated | None:
        """Return how a chat stands that nobody has claimed yet; None when there is none."""
        async with self._database.reading() as session:
            chat = await _running(session, openid)
            if chat is None or chat.status != ChatStatus.WAITING:
                return None
            return await self._escalated(session, chat, await read_office(session, chat.topic), is_new=False)

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

        def message(chat: Chat, now: datetime) -> ChatMessage:
            return ChatMessage(
                chat_id=chat.id,
                direction=Direction.INBOUND.value,
                kind=kind.value,
                text_sealed=seal_text(self._cipher, text),
                media_ref=media_ref,
                media_until=now + MEDIA_LIFE if media_ref else None,
                media_state=MediaState.WANTED.value if media_ref and kind is MessageKind.IMAGE else None,
                author=FOLLOWER,
                idempotency_key=key,
                delivery_status=DeliveryStatus.RECEIVED.value,
                created_at=now,
            )

        return await self._record(openid, key, message)

    async def record_call(self, openid: str, key: str) -> Recorded | NoOpenChat:
        """Note that the follower asks for a person again. It is a step: what they said last stays in sight."""

        def step(chat: Chat, _now: datetime) -> ChatMessage:
            line = step_line(chat, Step.CALLED, FOLLOWER, self._clock)
            line.idempotency_key = key
            return line

        return await self._record(openid, key, step)

    async def _record(
        self, openid: str, key: str, line_of: Callable[[Chat, datetime], ChatMessage]
    ) -> Recorded | NoOpenChat:
        async with self._database.transaction() as session:
            repeated = await line_by_key(session, key)
            if repeated is not None:
                return await self._again(session, repeated)
            chat = await _running(session, openid, lock=True)
            if chat is None:
                return NoOpenChat()
            now = self._clock.now()
            line = line_of(chat, now)
            try:
                async with session.begin_nested():
                    await add_message(session, chat, line)
            except IntegrityError:
                repeated = await line_by_key(session, key)
                if repeated is None:
                    raise
                return await self._again(session, repeated)
            await _heard(session, chat, now)
            tell_screens(session, chat, self._clock)
            return Recorded(chat.id, line.id, await self._opens_at(session, chat, now))

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
            chat.close_key, chat.unread, chat.unanswered_since = key, 0, None
            session.add(step_line(chat, Step.LEFT, FOLLOWER, self._clock, key=key))
            tell_screens(session, chat, self._clock)
            return Left(chat.id)

    async def rate(self, openid: str, score: Satisfaction, key: str) -> Rated | NothingToRate:
        """Keep the follower's answer to the satisfaction question of their latest closed chat."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            rated = await session.scalar(select(Chat.id).where(Chat.openid == openid, Chat.rating_key == key))
            if rated is not None:
                return Rated(rated)
            ended = select(Chat).where(Chat.openid == openid, Chat.closed_at.is_not(None))
            latest = ended.order_by(Chat.closed_at.desc(), Chat.id.desc()).limit(1).with_for_update()
            chat = (await session.scalars(latest)).one_or_none()
            if chat is None or chat.closed_at is None or chat.satisfaction is not None or not chat.rating_asked:
                return NothingToRate()
            if now - chat.closed_at > RATING_WITHIN:
                return NothingToRate()
            chat.satisfaction, chat.rated_at, chat.rating_key = int(score), now, key
            session.add(step_line(chat, Step.RATED, FOLLOWER, self._clock, detail=str(int(score)), key=key))
            tell_screens(session, chat, self._clock)
            return Rated(chat.id)

    async def _earlier(self, session: AsyncSession, openid: str, key: str) -> Chat | None:
        by_key = (await session.scalars(select(Chat).where(Chat.idempotency_key == key))).one_or_none()
        return by_key or await _running(session, openid)

    async def _again(self, session: AsyncSession, repeated: ChatMessage) -> Recorded:
        """Return the same as the first time, also where the follower had to be told that nobody is there."""
        chat = await session.get_one(Chat, repeated.chat_id)
        told = chat.away_told_at == repeated.created_at != chat.opened_at
        opens_at = (await read_calendar(session)).next_opening(repeated.created_at) if told else None
        return Recorded(repeated.chat_id, repeated.id, opens_at)

    async def _opens_at(self, session: AsyncSession, chat: Chat, now: datetime) -> datetime | None:
        office = await read_office(session, chat.topic)
        if office.queue is not None and office.queue.around_the_clock:
            return None
        opens_at = must_be_told(office.calendar, chat.away_told_at, now)
        if opens_at is not None:
            chat.away_told_at = now
        return opens_at

    async def _escalated(self, session: AsyncSession, chat: Chat, office: Office, *, is_new: bool) -> Escalated:
        now, calendar = self._clock.now(), office.calendar
        queue = office.queue if chat.topic == office.topic else await session.get(ChatQueue, chat.topic)
        usual_minutes = queue.usual_answer_minutes if queue is not None else 0
        opening = calendar.next_opening(now)
        return Escalated(
            chat_id=chat.id,
            topic=chat.topic,
            position=await place_in_line(session, chat),
            within_hours=calendar.is_open(now),
            opens_at=opening,
            expected_at=None if opening is None else opening + timedelta(minutes=usual_minutes),
            usual_minutes=usual_minutes,
            hours_today=" ".join(map(str, calendar.stretches(now.date()))),
            is_new=is_new,
        )


async def _heard(session: AsyncSession, chat: Chat, now: datetime) -> None:
    """The follower wrote: what waited for that goes out at once, and somebody has to answer."""
    chat.heard_at, chat.unread = now, chat.unread + 1
    chat.unanswered_since = chat.unanswered_since or now
    await session.execute(
        update(ChatMessage)
        .where(ChatMessage.chat_id == chat.id, ChatMessage.delivery_status == DeliveryStatus.QUEUED.value)
        .values(not_before=None, failure=None)
        .execution_options(synchronize_session=False)
    )


async def _running(session: AsyncSession, openid: str, *, lock: bool = False) -> Chat | None:
    wanted = select(Chat).where(Chat.openid == openid, Chat.status != ChatStatus.CLOSED.value)
    return (await session.scalars(wanted.with_for_update() if lock else wanted)).one_or_none()
