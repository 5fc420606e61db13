"""Canned replies: written by staff, offered in a chat with the values put in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.inbox.errors import NoSuchReply, ReplyChanged
from bot.inbox.office_models import CannedReply
from bot.inbox.placeholders import check_reply
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.problem import Problem

REPLIES_MAX = 300
"""What a list shows; staff who keep more cannot find any of them."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One canned reply; ``topic`` is None where every queue has it."""

    id: int
    title: str
    text: str
    topic: str | None
    is_offered: bool
    version: int
    updated_by: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ReplyDraft:
    """What somebody wrote."""

    title: str
    text: str
    topic: str | None


SaveOutcome = Reply | dict[str, Problem]


class CannedReplies:
    """The table of canned replies. Every change is written to the trail with it."""

    def __init__(self, database: Database, clock: Clock, *, trail: AuditWriter) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail

    async def offered(self, topic: str) -> list[Reply]:
        """Return what can be used in a chat of that queue: the queue's own first, by title."""
        wanted = (
            select(CannedReply)
            .where(CannedReply.is_offered.is_(True), or_(CannedReply.topic.is_(None), CannedReply.topic == topic))
            .order_by(CannedReply.topic.is_(None), CannedReply.title, CannedReply.id)
            .limit(REPLIES_MAX)
        )
        async with self._database.reading() as session:
            return [_reply(row) for row in await session.scalars(wanted)]

    async def all(self) -> list[Reply]:
        """Return every reply, those that are offered first."""
        wanted = select(CannedReply).order_by(CannedReply.is_offered.desc(), CannedReply.title, CannedReply.id)
        async with self._database.reading() as session:
            return [_reply(row) for row in await session.scalars(wanted.limit(REPLIES_MAX))]

    async def get(self, reply_id: int) -> Reply:
        """Return one; raises NoSuchReply."""
        async with self._database.reading() as session:
            return _reply(await _row(session, reply_id))

    async def create(self, draft: ReplyDraft, *, by: str, source: str = "") -> SaveOutcome:
        """Store a new reply, or return what is wrong with it by field; the very same one is stored once."""
        problems = check_reply(draft.title, draft.text)
        if problems:
            return problems
        row = CannedReply(
            title=draft.title,
            text=draft.text,
            topic=draft.topic,
            is_offered=True,
            version=1,
            updated_by=by,
            updated_at=self._clock.now(),
        )
        same = select(CannedReply).where(
            CannedReply.title == draft.title, CannedReply.text == draft.text, CannedReply.is_offered.is_(True)
        )
        async with self._database.transaction() as session:
            for earlier in await session.scalars(same):
                if earlier.topic == draft.topic:
                    return _reply(earlier)
            session.add(row)
            await session.flush()
            await self._note(session, "create", row, by, source)
            return _reply(row)

    async def save(self, reply_id: int, draft: ReplyDraft, *, version: int, by: str, source: str = "") -> SaveOutcome:
        """Store a change to ``version``; raises NoSuchReply, ReplyChanged when somebody was quicker."""
        problems = check_reply(draft.title, draft.text)
        if problems:
            return problems
        async with self._database.transaction() as session:
            row = await _row(session, reply_id, lock=True)
            if row.version != version:
                raise ReplyChanged(by=row.updated_by)
            row.title, row.text, row.topic = draft.title, draft.text, draft.topic
            await self._changed(session, "save", row, by, source)
            return _reply(row)

    async def offer(self, reply_id: int, *, offered: bool, by: str, source: str = "") -> Reply:
        """Offer a reply, or no longer; raises NoSuchReply."""
        async with self._database.transaction() as session:
            row = await _row(session, reply_id, lock=True)
            if row.is_offered != offered:
                row.is_offered = offered
                await self._changed(session, "offer" if offered else "withdraw", row, by, source)
            return _reply(row)

    async def _changed(self, session: AsyncSession, what: str, row: CannedReply, by: str, source: str) -> None:
        row.version, row.updated_by, row.updated_at = row.version + 1, by, self._clock.now()
        await self._note(session, what, row, by, source)

    async def _note(self, session: AsyncSession, what: str, row: CannedReply, by: str, source: str) -> None:
        record = AuditRecord(by, f"inbox:reply:{what}", "canned_reply", str(row.id), row.title, source)
        await self._trail.append(session, record)


async def _row(session: AsyncSession, reply_id: int, *, lock: bool = False) -> CannedReply:
    row = await session.get(CannedReply, reply_id, with_for_update=lock)
    if row is None:
        raise NoSuchReply(reply_id=reply_id)
    return row


def _reply(row: CannedReply) -> Reply:
    return Reply(row.id, row.title, row.text, row.topic, row.is_offered, row.version, row.updated_by, row.updated_at)
