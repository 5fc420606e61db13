"""Giving a chat to another agent, or to another queue or county."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.inbox.asides import note_line
from bot.inbox.errors import NoSuchQueue
from bot.inbox.journal import StaffJournal, line_by_key, locked
from bot.inbox.models import Chat, ChatStatus, Step
from bot.inbox.office_models import ChatQueue
from bot.inbox.opening import lane_of, read_office, set_due
from bot.inbox.rows import view_of
from bot.inbox.views import ChatView
from bot.staff.audit import AuditWriter
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.counties import County


@dataclass(frozen=True, slots=True)
class Transferred:
    """The chat is where it was sent, now or already."""

    chat: ChatView


@dataclass(frozen=True, slots=True)
class NotYoursToGive:
    """Somebody else has the chat, and this person may not dispose of it."""

    agent: str


@dataclass(frozen=True, slots=True)
class AlreadyThere:
    """The chat is with that agent, or in that queue and county, and was before."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The chat was closed meanwhile."""

    closed_at: datetime


TransferOutcome = Transferred | NotYoursToGive | AlreadyThere | Ended


@dataclass(frozen=True, slots=True)
class Giver:
    """Who gives a chat away, with which words to whoever gets it. ``may_dispose``: of other people's chats too."""

    username: str
    key: str
    note: str = ""
    may_dispose: bool = False
    source: str = ""


class ChatTransfers:
    """Callers check beforehand who may see which queue and county, and that an agent may answer where the chat is."""

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock, *, trail: AuditWriter) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._journal = StaffJournal(clock, trail)

    async def to_agent(self, chat_id: int, agent: str, giver: Giver) -> TransferOutcome:
        """Give a chat to ``agent``, with the note for them; the same key does so once. Raises NoSuchChat."""
        async with self._database.transaction() as session:
            chat = await locked(session, chat_id)
            refused = await self._refused(session, chat, giver, there=chat.claimed_by == agent)
            if refused is not None:
                return refused
            chat.status, chat.claimed_by, chat.claimed_at = ChatStatus.OPEN.value, agent, self._clock.now()
            # Whoever gets a chat has not read it.
            chat.unread = max(chat.unread, 1)
            await self._written(session, chat, Step.ASSIGNED, giver, detail=agent)
            return Transferred(view_of(chat))

    async def to_queue(self, chat_id: int, topic: str, county: str | None, giver: Giver) -> TransferOutcome:
        """Put a chat into a queue and county, where it waits for anybody; the same key does so once.

        Its targets count anew from now. Raises NoSuchChat, NoSuchQueue, ValueError for an unknown county.
        """
        county = None if county is None else County.by_code(county).code
        async with self._database.transaction() as session:
            if await session.get(ChatQueue, topic) is None:
                raise NoSuchQueue(topic=topic)
            chat = await locked(session, chat_id)
            is_there = (chat.topic, chat.county, chat.status) == (topic, county, ChatStatus.WAITING)
            refused = await self._refused(session, chat, giver, there=is_there)
            if refused is not None:
                return refused
            detail, left_county = f"{chat.topic}>{topic}", chat.county
            if chat.county != county:
                detail += f" {chat.county or '-'}>{county or '-'}"
            chat.topic, chat.county, chat.lane = topic, county, lane_of(topic)
            chat.status, chat.claimed_by, chat.claimed_at = ChatStatus.WAITING.value, None, None
            chat.unread = max(chat.unread, 1)
            set_due(chat, await read_office(session, topic), self._clock)
            await self._written(session, chat, Step.MOVED, giver, detail=detail, left_county=left_county)
            return Transferred(view_of(chat))

    async def _refused(
        self, session: AsyncSession, chat: Chat, giver: Giver, *, there: bool
    ) -> TransferOutcome | None:
        if await line_by_key(session, f"step:{chat.id}:{giver.key}") is not None:
            return Transferred(view_of(chat))
        if chat.closed_at is not None:
            return Ended(chat.closed_at)
        if chat.claimed_by not in (None, giver.username) and not giver.may_dispose:
            return NotYoursToGive(chat.claimed_by or "")
        return AlreadyThere() if there else None

    async def _written(
        self,
        session: AsyncSession,
        chat: Chat,
        step: Step,
        giver: Giver,
        *,
        detail: str,
        left_county: str | None = None,
    ) -> None:
        by, source = giver.username, giver.source
        if giver.note:
            session.add(note_line(self._cipher, chat, by, giver.note, giver.key, self._clock))
        await self._journal.step(
            session, chat, step, by, source, detail=detail, key=giver.key, left_county=left_county
        )
