"""The staff's side of the inbox: lists, claiming, answering and closing."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.inbox.errors import NoSuchChat
from bot.inbox.models import (
    Chat,
    ChatMessage,
    ChatStatus,
    ChatView,
    DeliveryStatus,
    Direction,
    MessageKind,
    MessageView,
    OutboundMessage,
)
from bot.inbox.outbound import outbound_of
from bot.inbox.rows import SUMMARY, message_view, open_text, seal_text, view_of
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock


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


ClaimOutcome = Claimed | TakenBy | ChatIsOver
AnswerOutcome = Queued | TakenBy | ChatIsOver
CloseOutcome = Closed | TakenBy | ChatIsOver


class ChatDesk:
    """Lists and steps for agents. Callers check beforehand who may see which queue and county."""

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

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
        """Return a chat's messages, opened, oldest first; ``after_id`` returns only newer ones."""
        wanted = (
            select(ChatMessage)
            .where(ChatMessage.chat_id == chat_id, ChatMessage.id > after_id)
            .order_by(ChatMessage.id)
            .limit(limit)
        )
        async with self._database.reading() as session:
            return [message_view(self._cipher, row) for row in await session.scalars(wanted)]

    async def claim(self, chat_id: int, agent: str) -> ClaimOutcome:
        """Take a waiting chat. Of two agents at once one gets it; raises NoSuchChat."""
        async with self._database.transaction() as session:
            return await self._claim(session, chat_id, agent)

    async def answer(
        self,
        chat_id: int,
        agent: str,
        text: str,
        key: str,
        *,
        kind: MessageKind = MessageKind.TEXT,
        media_ref: str | None = None,
    ) -> AnswerOutcome:
        """Queue an answer, claiming a chat that still waits; the same ``key`` queues it once. Raises NoSuchChat."""
        async with self._database.transaction() as session:
            claimed = await self._claim(session, chat_id, agent)
            if not isinstance(claimed, Claimed):
                return claimed
            chat = await _locked(session, chat_id)
            same_key = select(ChatMessage).where(ChatMessage.idempotency_key == f"answer:{chat_id}:{key}")
            row = (await session.scalars(same_key)).one_or_none()
            if row is None:
                row = self._outbound(chat_id, kind, agent, f"answer:{chat_id}:{key}", text, media_ref)
                session.add(row)
                await session.flush()
                chat.first_answer_at = chat.first_answer_at or row.created_at
            return Queued(outbound_of(self._cipher, row, chat))

    async def close(self, chat_id: int, agent: str, reason: str) -> CloseOutcome:
        """End a chat that is the agent's or that nobody has; closing it again changes nothing. Raises NoSuchChat.

        The follower is sent the satisfaction question, and the bot answers again.
        """
        async with self._database.transaction() as session:
            chat = await _locked(session, chat_id)
            if chat.status == ChatStatus.CLOSED:
                if chat.closed_by == agent:
                    return Closed(view_of(chat))
                return ChatIsOver(chat.closed_at or self._clock.now())
            if chat.claimed_by not in (None, agent):
                return TakenBy(chat.claimed_by or "")
            chat.status = ChatStatus.CLOSED.value
            chat.closed_at, chat.closed_by, chat.close_reason = self._clock.now(), agent, reason
            session.add(self._outbound(chat_id, MessageKind.SATISFACTION, agent, f"close:{chat_id}", "", None))
            return Closed(view_of(chat))

    async def _claim(self, session: AsyncSession, chat_id: int, agent: str) -> ClaimOutcome:
        # One conditional UPDATE decides: whoever comes second finds no waiting row to change.
        await session.execute(
            update(Chat)
            .where(Chat.id == chat_id, Chat.status == ChatStatus.WAITING.value)
            .values(status=ChatStatus.OPEN.value, claimed_by=agent, claimed_at=self._clock.now())
            .execution_options(synchronize_session=False)
        )
        chat = await _locked(session, chat_id)
        if chat.status == ChatStatus.CLOSED:
            return ChatIsOver(chat.closed_at or self._clock.now())
        return Claimed(view_of(chat)) if chat.claimed_by == agent else TakenBy(chat.claimed_by or "")

    def _outbound(
        self, chat_id: int, kind: MessageKind, agent: str, key: str, text: str, media_ref: str | None
    ) -> ChatMessage:
        return ChatMessage(
            chat_id=chat_id,
            direction=Direction.OUTBOUND.value,
            kind=kind.value,
            text_sealed=seal_text(self._cipher, text),
            media_ref=media_ref,
            author=agent,
            idempotency_key=key,
            delivery_status=DeliveryStatus.QUEUED.value,
            created_at=self._clock.now(),
        )


async def _locked(session: AsyncSession, chat_id: int) -> Chat:
    wanted = select(Chat).where(Chat.id == chat_id).with_for_update().execution_options(populate_existing=True)
    chat = (await session.scalars(wanted)).one_or_none()
    if chat is None:
        raise NoSuchChat(chat_id=chat_id)
    return chat
