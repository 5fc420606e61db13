"""The audit trail: append-only, each row chained to the one before it by a keyed hash."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.models import AuditEvent, AuditHead, AuditRecord, AuditView
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

CHAIN_CONTEXT = "audit.chain"
HEAD_ID = 1
FIRST_PREVIOUS = "0" * 64
VERIFY_BATCH = 1_000

Progress = Callable[[int, int], Awaitable[None]]


class AuditWriter(Protocol):
    """What other subjects need of the trail."""

    async def append(self, session: AsyncSession, record: AuditRecord) -> None:
        """Add a row inside the caller's transaction, so that what was done and its row stand or fall together."""
        ...

    async def record(self, record: AuditRecord) -> None:
        """Add a row in a transaction of its own."""
        ...


@dataclass(frozen=True, slots=True)
class ChainIntact:
    """Every row is as it was written, none is missing. ``rows`` counts them."""

    rows: int


@dataclass(frozen=True, slots=True)
class ChainBroken:
    """Something was changed. ``position`` is the first row that does not fit, or the first one that is missing."""

    position: int


class AuditTrail:
    """Writes and reads the trail. Implements ``AuditWriter``.

    The hashes are keyed, and the key is not in the database: whoever can write to the tables alone cannot mend the
    chain. The head row shows when the newest rows were cut off.
    """

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def append(self, session: AsyncSession, record: AuditRecord) -> None:
        """Add a row inside the caller's transaction; writers queue at the head row until it ends."""
        head = await self._locked_head(session)
        position, now = head.position + 1, self._clock.now()
        chain_hash = self._hash(position, now, record, head.chain_hash)
        session.add(
            AuditEvent(
                position=position,
                at=now,
                actor=record.actor,
                action=record.action,
                object_kind=record.object_kind,
                object_id=record.object_id,
                reason=record.reason,
                source=record.source,
                previous_hash=head.chain_hash,
                chain_hash=chain_hash,
            )
        )
        head.position, head.chain_hash = position, chain_hash
        await session.flush()

    async def record(self, record: AuditRecord) -> None:
        """Add a row in a transaction of its own."""
        async with self._database.transaction() as session:
            await self.append(session, record)

    async def events(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        object_kind: str | None = None,
        object_id: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[AuditView]:
        """Return rows, newest first, narrowed by whatever is given; ``before`` continues from a position."""
        wanted: Select[AuditEvent] = select(AuditEvent).order_by(AuditEvent.position.desc()).limit(limit)
        columns = (
            (AuditEvent.actor, actor),
            (AuditEvent.action, action),
            (AuditEvent.object_kind, object_kind),
            (AuditEvent.object_id, object_id),
        )
        for column, value in columns:
            if value is not None:
                wanted = wanted.where(column == value)
        if before is not None:
            wanted = wanted.where(AuditEvent.position < before)
        async with self._database.reading() as session:
            return [view_of(row) for row in await session.scalars(wanted)]

    async def verify(self, progress: Progress | None = None) -> ChainIntact | ChainBroken:
        """Follow the whole chain from its beginning to the head; rows added meanwhile are left for the next time.

        ``progress`` is told after each batch how many rows of how many were followed.
        """
        async with self._database.reading() as session:
            # The newest row before the head: a row and its head are stored together, so the head is never behind.
            newest = await session.scalar(select(func.max(AuditEvent.position))) or 0
            head = await session.get(AuditHead, HEAD_ID)
            last, last_hash = (head.position, head.chain_hash) if head is not None else (0, FIRST_PREVIOUS)
            if newest > last:
                return ChainBroken(last + 1)
            position, previous = 0, FIRST_PREVIOUS
            while rows := await _batch(session, after=position, until=last):
                for row in rows:
                    position += 1
                    if not self._fits(row, position, previous):
                        return ChainBroken(position)
                    previous = row.chain_hash
                session.expunge_all()
                if progress is not None:
                    await progress(position, last)
            return ChainIntact(position) if (position, previous) == (last, last_hash) else ChainBroken(position + 1)

    def _fits(self, row: AuditEvent, position: int, previous: str) -> bool:
        expected = self._hash(position, row.at, _record(row), previous)
        return (row.position, row.previous_hash, row.chain_hash) == (position, previous, expected)

    def _hash(self, position: int, at: datetime, record: AuditRecord, previous: str) -> str:
        fields = (record.actor, record.action, record.object_kind, record.object_id, record.reason, record.source)
        text = json.dumps([position, at.astimezone(UTC).isoformat(), *fields, previous], ensure_ascii=False)
        return self._cipher.lookup_hash(text, CHAIN_CONTEXT)

    async def _locked_head(self, session: AsyncSession) -> AuditHead:
        wanted = select(AuditHead).where(AuditHead.id == HEAD_ID).with_for_update()
        wanted = wanted.execution_options(populate_existing=True)
        head = (await session.scalars(wanted)).one_or_none()
        if head is not None:
            return head
        try:
            async with session.begin_nested():
                session.add(AuditHead(id=HEAD_ID, position=0, chain_hash=FIRST_PREVIOUS))
        except IntegrityError:
            pass  # Another first writer made it; the locked read below waits for that one.
        return (await session.scalars(wanted)).one()


async def _batch(session: AsyncSession, *, after: int, until: int) -> list[AuditEvent]:
    wanted = select(AuditEvent).where(AuditEvent.position > after, AuditEvent.position <= until)
    return list(await session.scalars(wanted.order_by(AuditEvent.position).limit(VERIFY_BATCH)))


def view_of(row: AuditEvent) -> AuditView:
    """Return a row as others see it."""
    return AuditView(row.position, row.at, _record(row))


def _record(row: AuditEvent) -> AuditRecord:
    return AuditRecord(row.actor, row.action, row.object_kind, row.object_id, row.reason, row.source)
