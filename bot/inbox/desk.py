"""The staff's side of a chat: reading, claiming, answering, ending it and taking it up again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.followers.privacy import ERASED_PREFIX
from bot.inbox.errors import NoSuchChat, NoSuchReason
from bot.inbox.journal import StaffJournal, add_message, line_by_key, locked
from bot.inbox.models import (
    Chat,
    ChatMessage,
    ChatStatus,
    DeliveryStatus,
    Direction,
    MessageKind,
    Step,
)
from bot.inbox.office_models import CloseReason
from bot.inbox.opening import read_office, set_due
from bot.inbox.outbound import outbound_of
from bot.inbox.rows import SUMMARY, message_view, open_text, seal_text, view_of
from bot.inbox.rules import REOPEN_WITHIN
from bot.inbox.views import ChatView, MessageView, OutboundMessage
from bot.staff.audit import AuditWriter
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

HANDED_BACK = "handed_back"
"""The reason of a chat that the bot goes on with; no row is called so."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The chat is this agent's, now or already."""

    chat: ChatView


@dataclass(frozen=True, slots=True)
class TakenBy:
    """Another agent has the chat."""

    agent: str


@dataclass(frozen=True, slots=True)
class ChatIsOver:
    """The chat was closed."""

    closed_at: datetime


@dataclass(frozen=True, slots=True)
class Queued:
    """The answer waits to be sent within the follower's allowance."""

    message: OutboundMessage


@dataclass(frozen=True, slots=True)
class Closed:
    """The chat is over and the satisfaction question is on its way."""

    chat: ChatView


@dataclass(frozen=True, slots=True)
class Reopened:
    """The chat is this agent's and the bot is silent again."""

    chat: ChatView


@dataclass(frozen=True, slots=True)
class NotReopened:
    """The chat stays as it is. ``other_id`` is the chat that the follower is in now."""

    why: Literal["runs", "another_runs", "too_old", "erased"]
    other_id: int | None = None


ClaimOutcome = Claimed | TakenBy | ChatIsOver
AnswerOutcome = Queued | TakenBy | ChatIsOver
CloseOutcome = Closed | TakenBy | ChatIsOver
ReopenOutcome = Reopened | NotReopened


class ChatDesk:
    """Steps of agents. Callers check beforehand who may see which queue and county; ``source`` is for the trail."""

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock, *, trail: AuditWriter) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._journal = StaffJournal(clock, trail)

    async def waiting(
        self, *, topic: str | None = None, county: str | None = None, limit: int = 50
    ) -> list[ChatView]:
        """Return chats that nobody has claimed, the longest waiting first."""
        return await self.chats(status=ChatStatus.WAITING, topic=topic, county=county, limit=limit)

    async def chats(
        self,
        *,
        status: ChatStatus | None = None,
        agent: str | None = None,
        topic: str | None = None,
        county: str | None = None,
        after_id: int = 0,
        limit: int = 50,
    ) -> list[ChatView]:
        """Return chats, oldest first, narrowed by whatever is given; ``after_id`` continues a list."""
        wanted = select(Chat).where(Chat.id > after_id).order_by(Chat.id).limit(limit)
        if status is not None:
            wanted = wanted.where(Chat.status == status.value)
        for column, value in ((Chat.claimed_by, agent), (Chat.topic, topic), (Chat.county, county)):
            if value is not None:
                wanted = wanted.where(column == value)
        async with self._database.reading() as session:
            return [view_of(row) for row in await session.scalars(wanted)]

    async def summary(self, chat_id: int) -> str:
        """Return what was handed over with the chat, opened; raises NoSuchChat."""
        async with self._database.reading() as session:
            row = await session.get(Chat, chat_id)
        if row is None:
            raise NoSuchChat(chat_id=chat_id)
        return open_text(self._cipher, row.summary_sealed, SUMMARY)

    async def conversation(self, chat_id: int, *, after_id: int = 0, limit: int = 200) -> list[MessageView]:
        """Return a chat's messages in both directions, opened, oldest first; ``after_id`` returns only newer ones."""
        wanted = (
            select(ChatMessage)
            .where(
                ChatMessage.chat_id == chat_id,
                ChatMessage.id > after_id,
                ChatMessage.direction != Direction.INTERNAL.value,
            )
            .order_by(ChatMessage.id)
            .limit(limit)
        )
        async with self._database.reading() as session:
            return [message_view(self._cipher, row) for row in await session.scalars(wanted)]

    async def claim(self, chat_id: int, agent: str, *, source: str = "") -> ClaimOutcome:
        """Take a waiting chat. Of two agents at once one gets it; raises NoSuchChat."""
        async with self._database.transaction() as session:
            return await self._claim(session, chat_id, agent, source)

    async def answer(
        self,
        chat_id: int,
        agent: str,
        text: str,
        key: str,
        *,
        kind: MessageKind = MessageKind.TEXT,
        file_id: str | None = None,
        source: str = "",
    ) -> AnswerOutcome:
        """Queue an answer, claiming a chat that still waits; the same ``key`` queues it once. Raises NoSuchChat.

        A picture is one of the private files, ``file_id``; it goes without words.
        """
        async with self._database.transaction() as session:
            claimed = await self._claim(session, chat_id, agent, source)
            if not isinstance(claimed, Claimed):
                return claimed
            chat = await locked(session, chat_id)
            row = await line_by_key(session, f"answer:{chat_id}:{key}")
            if row is None:
                row = self._outbound(chat_id, kind, agent, f"answer:{chat_id}:{key}", text, file_id)
                await add_message(session, chat, row)
                chat.first_answer_at = chat.first_answer_at or row.created_at
                chat.unanswered_since, chat.unread = None, 0
                await self._journal.did(session, chat, "answer", agent, source)
            return Queued(outbound_of(self._cipher, row, chat))

    async def close(self, chat_id: int, agent: str, reason: str, *, source: str = "") -> CloseOutcome:
        """End a chat that is the agent's or that nobody has; closing it again changes nothing.

        The follower is sent the satisfaction question, unless queue or reason forbid it, and the bot answers again.
        Raises NoSuchChat, NoSuchReason.
        """
        async with self._database.transaction() as session:
            row = await session.get(CloseReason, reason)
            if row is None:
                raise NoSuchReason(reason=reason)
            asks = row.asks_rating
            return await self._end(session, chat_id, agent, source, Step.CLOSED, reason, asks_rating=asks)

    async def hand_back(self, chat_id: int, agent: str, *, source: str = "") -> CloseOutcome:
        """End a chat because the bot can go on with it; the follower is told so. Raises NoSuchChat."""
        async with self._database.transaction() as session:
            return await self._end(session, chat_id, agent, source, Step.HANDED_BACK, HANDED_BACK, asks_rating=True)

    async def reopen(self, chat_id: int, agent: str, *, source: str = "") -> ReopenOutcome:
        """Take up a chat again that was closed, for this agent; repeating it changes nothing. Raises NoSuchChat."""
        async with self._database.transaction() as session:
            chat, now = await locked(session, chat_id), self._clock.now()
            if chat.closed_at is None:
                return Reopened(view_of(chat)) if chat.claimed_by == agent else NotReopened("runs", chat_id)
            if chat.openid.startswith(ERASED_PREFIX):
                return NotReopened("erased")
            if now - chat.closed_at > REOPEN_WITHIN:
                return NotReopened("too_old")
            openid = chat.openid
            other_id = await _running_id(session, openid)
            if other_id is None:
                try:
                    async with session.begin_nested():
                        chat.status, chat.closed_at = ChatStatus.OPEN.value, None
                except IntegrityError:
                    # The unique index let a concurrent step win: the follower is in another chat since a moment ago.
                    other_id = await _running_id(session, openid)
            if other_id is not None:
                return NotReopened("another_runs", other_id)
            chat.claimed_by, chat.claimed_at = agent, now
            chat.closed_by = chat.close_reason = chat.close_key = None
            # What the follower said of the first part stays in the chat's own lines; the next end is rated anew.
            chat.satisfaction, chat.rated_at, chat.rating_key, chat.rating_asked = None, None, None, False
            chat.reopened_count, chat.last_at = chat.reopened_count + 1, now
            set_due(chat, await read_office(session, chat.topic), self._clock)
            await self._journal.step(session, chat, Step.REOPENED, agent, source)
            return Reopened(view_of(chat))

    async def _end(
        self,
        session: AsyncSession,
        chat_id: int,
        agent: str,
        source: str,
        step: Step,
        reason: str,
        *,
        asks_rating: bool,
    ) -> CloseOutcome:
        chat = await locked(session, chat_id)
        if chat.status == ChatStatus.CLOSED:
            if chat.closed_by == agent:
                return Closed(view_of(chat))
            return ChatIsOver(chat.closed_at or self._clock.now())
        if chat.claimed_by not in (None, agent):
            return TakenBy(chat.claimed_by or "")
        office = await read_office(session, chat.topic)
        chat.status = ChatStatus.CLOSED.value
        chat.closed_at, chat.closed_by, chat.close_reason = self._clock.now(), agent, reason
        chat.unread, chat.unanswered_since = 0, None
        chat.rating_asked = asks_rating and (office.queue is None or office.queue.asks_rating)
        if chat.rating_asked:
            kind = MessageKind.HANDED_BACK if step is Step.HANDED_BACK else MessageKind.SATISFACTION
            key = f"close:{chat_id}" + (f":{chat.reopened_count}" if chat.reopened_count else "")
            session.add(self._outbound(chat_id, kind, agent, key, "", None))
        await self._journal.step(session, chat, step, agent, source, detail=reason)
        return Closed(view_of(chat))

    async def _claim(self, session: AsyncSession, chat_id: int, agent: str, source: str) -> ClaimOutcome:
        # One conditional UPDATE decides: whoever comes second finds no waiting row to change.
        taken = await session.execute(
            update(Chat)
            .where(Chat.id == chat_id, Chat.status == ChatStatus.WAITING.value)
            .values(status=ChatStatus.OPEN.value, claimed_by=agent, claimed_at=self._clock.now())
            .returning(Chat.id)
            .execution_options(synchronize_session=False)
        )
        is_new = taken.first() is not None
        chat = await locked(session, chat_id)
        if chat.status == ChatStatus.CLOSED:
            return ChatIsOver(chat.closed_at or self._clock.now())
        if chat.claimed_by != agent:
            return TakenBy(chat.claimed_by or "")
        if is_new:
            await self._journal.step(session, chat, Step.CLAIMED, agent, source)
        return Claimed(view_of(chat))

    def _outbound(
        self, chat_id: int, kind: MessageKind, agent: str, key: str, text: str, file_id: str | None
    ) -> ChatMessage:
        return ChatMessage(
            chat_id=chat_id,
            direction=Direction.OUTBOUND.value,
            kind=kind.value,
            text_sealed=seal_text(self._cipher, text),
            file_id=file_id,
            author=agent,
            idempotency_key=key,
            delivery_status=DeliveryStatus.QUEUED.value,
            created_at=self._clock.now(),
        )


async def _running_id(session: AsyncSession, openid: str) -> int | None:
    running = select(Chat.id).where(Chat.openid == openid, Chat.status != ChatStatus.CLOSED.value)
    return await session.scalar(running)
