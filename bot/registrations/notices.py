"""The notices that were planned with the changes: the worker leases what is due, sends it and says how it went."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import ProgrammeRow
from bot.programmes.snapshots import JsonValue
from bot.registrations.models import Notice, Registration
from bot.storage.sql import Database
from bot.values.clock import Clock


@dataclass(frozen=True, slots=True)
class PlannedNotice:
    """A notice to send.

    ``kind`` names its text (``approved``, ``returned``, ``rejected``, ``waitlisted``, ``cancelled``, ``completed``,
    ``no_show``, ``pending``, ``offered``, ``offer_lapsed``, ``post_assigned``, ``changes_confirmed``, ``slot_moved``,
    ``slot_cancelled``, and ``corrected_`` with the status that is right), ``fields`` fill it; none of it is personal.
    ``key`` is the same however often it is leased, for whoever must not send twice.
    """

    id: int
    key: str
    kind: str
    receipt: str
    openid: str
    programme_id: str
    programme_title: str
    fields: Mapping[str, JsonValue]
    attempts: int


class NoticeBook:
    """Hands out notices, each to one worker at a time."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def lease_due(self, *, limit: int = 50, lease_s: int = 120) -> tuple[PlannedNotice, ...]:
        """Return due notices that nobody else has; unless reported, they are due again after the lease."""
        now = self._clock.now()
        query = (
            select(Notice)
            .where(Notice.sent_at.is_(None), Notice.given_up.is_(None), Notice.due_at <= now)
            .where(or_(Notice.leased_until.is_(None), Notice.leased_until <= now))
            .order_by(Notice.due_at, Notice.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        async with self._database.transaction() as session:
            rows = (await session.scalars(query)).all()
            for row in rows:
                row.leased_until = now + timedelta(seconds=lease_s)
                row.attempts += 1
            return tuple([await _planned(session, row) for row in rows])

    async def mark_sent(self, notice_id: int, channel: str) -> None:
        """Record that a notice went out by ``channel``."""
        async with self._database.transaction() as session:
            row = await session.get_one(Notice, notice_id)
            row.sent_at, row.channel = self._clock.now(), channel

    async def mark_failed(self, notice_id: int, *, again_at: datetime | None, code: str) -> None:
        """Record a failure: try again at ``again_at``, or never (``None``), because of ``code``."""
        async with self._database.transaction() as session:
            row = await session.get_one(Notice, notice_id)
            row.leased_until = None
            if again_at is None:
                row.given_up = code
            else:
                row.due_at = again_at


async def _planned(session: AsyncSession, row: Notice) -> PlannedNotice:
    registration = await session.get_one(Registration, row.registration_id)
    programme = (await session.get_one(ProgrammeRow, registration.programme_id)).document
    return PlannedNotice(
        id=row.id,
        key=f"notice-{row.registration_id}-{row.kind}-{row.version}",
        kind=row.kind,
        receipt=registration.receipt,
        openid=row.openid,
        programme_id=programme.id,
        programme_title=programme.title,
        fields=row.fields,
        attempts=row.attempts,
    )
