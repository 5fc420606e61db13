"""Publications in a worker's hand: taken by one at a time, and written down before each call to the platform.

Between ``begin`` and ``submitted`` lies the one call that must not be made twice. Whose answer is lost, or whose
worker dies between the two, stays unknown: it is never begun again, and settled by what the platform reports or
lists, or by a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns import content as contents
from bot.campaigns.batch_rows import hours_of
from bot.campaigns.content import Content
from bot.campaigns.errors import NoSuchCampaign
from bot.campaigns.models import Campaign, CampaignState
from bot.campaigns.platform_drafts import draft_note
from bot.campaigns.publication_models import Publication, PublicationState
from bot.campaigns.publication_rows import End, PublicationView, conclude, publication_of, publication_view
from bot.staff.audit import AuditWriter
from bot.storage.sql import Database
from bot.values.clock import Clock

LEASE: Final = timedelta(seconds=60)
TAKEN_AT_ONCE: Final = 4
REPORT_EXPECTED_AFTER: Final = timedelta(minutes=10)
UNKNOWN_ASKED_AFTER: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """A publication in a worker's hand; ``media_id`` is the draft that was made for it."""

    campaign_id: int
    fence: int
    content: Content
    media_id: str | None


class Publications:
    """Takes publications and writes what became of them. A write under an old fence changes nothing."""

    def __init__(self, database: Database, clock: Clock, *, trail: AuditWriter, lease: timedelta = LEASE) -> None:
        self.trail = trail
        self._database = database
        self._clock = clock
        self._lease = lease

    async def view(self, campaign_id: int) -> PublicationView | None:
        """Return the publication of a campaign; None where there is none, or not yet. Raises NoSuchCampaign."""
        async with self._database.reading() as session:
            if await session.get(Campaign, campaign_id) is None:
                raise NoSuchCampaign(campaign_id=campaign_id)
            row = await publication_of(session, campaign_id)
            return None if row is None else publication_view(row)

    async def states(self, campaign_ids: Sequence[int]) -> dict[int, PublicationState]:
        """Return how far the publications of these campaigns are; those that have none are not among them."""
        if not campaign_ids:
            return {}
        wanted = select(Publication.campaign_id, Publication.state).where(Publication.campaign_id.in_(campaign_ids))
        async with self._database.reading() as session:
            return {row.campaign_id: PublicationState(row.state) for row in await session.execute(wanted)}

    async def unknown_ids(self) -> list[int]:
        """Return the campaigns of which nobody knows whether their articles are published."""
        unknown = select(Publication.campaign_id).where(Publication.state == PublicationState.UNKNOWN.value)
        async with self._database.reading() as session:
            return list(await session.scalars(unknown.order_by(Publication.campaign_id)))

    async def due(self, limit: int = TAKEN_AT_ONCE) -> list[int]:
        """Return the campaigns whose publication waits and may begin now."""
        now = self._clock.now()
        wanted = (
            select(Campaign)
            .join(Publication, Publication.campaign_id == Campaign.id)
            .where(Campaign.state == CampaignState.SENDING.value, _is_free(now))
            .order_by(Campaign.id)
        )
        async with self._database.reading() as session:
            return [row.id for row in await session.scalars(wanted) if hours_of(row).is_open(now)][:limit]

    async def claim(self, campaign_id: int) -> Turn | None:
        """Take a publication that waits; ``None`` when it is not to begin now, or somebody has it."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            wanted = select(Publication).where(Publication.campaign_id == campaign_id, _is_free(now))
            row = (await session.scalars(wanted.with_for_update(skip_locked=True))).one_or_none()
            if row is None:
                return None
            campaign = await session.get_one(Campaign, campaign_id)
            if campaign.state != CampaignState.SENDING.value or not hours_of(campaign).is_open(now):
                return None
            row.fence, row.lease_until, row.not_before = row.fence + 1, now + self._lease, None
            return Turn(campaign_id, row.fence, contents.from_json(campaign.content), row.media_id)

    async def keep_draft(self, turn: Turn, media_id: str) -> bool:
        """Note the draft that was made; ``False`` when the publication is somebody else's by now."""
        async with self._database.transaction() as session:
            # Also when nobody publishes it: what is noted is cleared away.
            session.add(draft_note(media_id, turn.campaign_id, self._clock))
            row = await self._held(session, turn, PublicationState.WAITING)
            if row is not None:
                row.media_id = media_id
            return row is not None

    async def begin(self, turn: Turn) -> bool:
        """Write that the call is made now; ``False`` when it must not be: stopped meanwhile, or somebody else's."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            row = await self._held(session, turn, PublicationState.WAITING)
            if row is None:
                return False
            campaign = await session.get_one(Campaign, turn.campaign_id)
            if campaign.state != CampaignState.SENDING.value or not hours_of(campaign).is_open(now):
                row.lease_until = None
                return False
            row.state, row.submitted_at = PublicationState.PUBLISHING.value, now
            row.lease_until = now + self._lease
            return True

    async def submitted(self, turn: Turn, publish_id: str) -> None:
        """Write the number of the job that began. Right whoever has the publication now: there is only one job."""
        async with self._database.transaction() as session:
            row = await publication_of(session, turn.campaign_id, lock=True)
            if row is None:
                return
            row.publish_id, row.lease_until = publish_id, None
            if row.state == PublicationState.UNKNOWN.value:
                row.state = PublicationState.PUBLISHING.value
            if row.state == PublicationState.PUBLISHING.value:
                row.ask_at = self._clock.now() + REPORT_EXPECTED_AFTER

    async def later(self, turn: Turn, delay: timedelta) -> None:
        """Put a publication back until ``delay`` is over: nothing has begun."""
        async with self._database.transaction() as session:
            row = await self._held(session, turn, PublicationState.WAITING, PublicationState.PUBLISHING)
            if row is not None:
                row.state, row.submitted_at = PublicationState.WAITING.value, None
                row.lease_until, row.not_before = None, self._clock.now() + delay

    async def refused(self, turn: Turn, reason: str, code: int | None = None) -> None:
        """Write that the platform publishes nothing of it; the campaign fails with that."""
        end = End(PublicationState.REFUSED, reason, code)
        async with self._database.transaction() as session:
            await conclude(session, turn.campaign_id, end, self._clock.now(), self.trail, fence=turn.fence)

    async def unknown(self, turn: Turn) -> None:
        """Write that nobody can say whether a job began."""
        async with self._database.transaction() as session:
            row = await self._held(session, turn, PublicationState.PUBLISHING)
            if row is not None and row.publish_id is None:
                self._forget_answer(row)

    async def lost(self) -> int:
        """Call unknown what a worker left between the call and its answer; return how many."""
        stale = select(Publication).where(
            Publication.state == PublicationState.PUBLISHING.value,
            Publication.publish_id.is_(None),
            Publication.lease_until <= self._clock.now(),
        )
        async with self._database.reading() as session:
            if (await session.scalars(stale.limit(1))).first() is None:
                return 0
        async with self._database.transaction() as session:
            rows = list(await session.scalars(stale.with_for_update(skip_locked=True)))
            for row in rows:
                self._forget_answer(row)
        return len(rows)

    def _forget_answer(self, row: Publication) -> None:
        row.state, row.lease_until = PublicationState.UNKNOWN.value, None
        row.ask_at = self._clock.now() + UNKNOWN_ASKED_AFTER

    async def _held(self, session: AsyncSession, turn: Turn, *states: PublicationState) -> Publication | None:
        """Return the locked row; ``None`` when it is somebody else's by now, or no longer in one of ``states``."""
        wanted = select(Publication).where(
            Publication.campaign_id == turn.campaign_id,
            Publication.fence == turn.fence,
            Publication.state.in_([state.value for state in states]),
        )
        return (await session.scalars(wanted.with_for_update())).one_or_none()


def _is_free(now: datetime) -> ColumnElement[bool]:
    return and_(
        Publication.state == PublicationState.WAITING.value,
        or_(Publication.lease_until.is_(None), Publication.lease_until <= now),
        or_(Publication.not_before.is_(None), Publication.not_before <= now),
    )
