"""Batches of single messages: marked before they are called, a few at a time, and what each came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns.batch_rows import Hold, held, hours_of, in_batch, locked, recount
from bot.campaigns.models import BatchState, Campaign, CampaignState, Outcome, Recipient
from bot.followers.models import Follower
from bot.storage.sql import Database
from bot.values.clock import Clock


@dataclass(frozen=True, slots=True)
class Addressee:
    """One recipient of a single message, with what fills the placeholders."""

    openid: str
    county: str | None
    category: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """What one single message came to."""

    openid: str
    outcome: Outcome
    code: int | None = None
    msg_id: int | None = None


class SingleMessages:
    """The messages of batches that are in a worker's hand; ``lease`` is for how long each wave keeps it there."""

    def __init__(self, database: Database, clock: Clock, *, lease: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._lease = lease

    async def interrupted(self, hold: Hold, since: datetime | None) -> list[Addressee]:
        """Return those whose message was under way when a worker died, and may be sent again under the same id.

        That are the ones begun after ``since``; of all others (all, without ``since``) it stays unknown.
        """
        async with self._database.transaction() as session:
            row = await held(session, hold)
            if row is None:
                return []
            begun = in_batch(row), Recipient.outcome == Outcome.SUBMITTING.value
            lost = begun if since is None else (*begun, Recipient.at < since)
            await session.execute(
                update(Recipient).where(*lost).values(outcome=Outcome.UNKNOWN.value, at=self._clock.now())
            )
            await recount(session, row)
            return await _addressees(session, begun, limit=row.size)

    async def next_wave(self, hold: Hold, limit: int) -> list[Addressee] | None:
        """Mark the next recipients as being sent to and return them; ``None`` when sending has to stop here."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            row = await held(session, hold)
            if row is None:
                return None
            campaign = await session.get_one(Campaign, row.campaign_id)
            if campaign.state != CampaignState.SENDING.value or not hours_of(campaign).is_open(now):
                return None
            row.lease_until = now + self._lease
            found = await _addressees(
                session, (in_batch(row), Recipient.outcome == Outcome.QUEUED.value), limit=limit
            )
            names = [one.openid for one in found]
            begun = update(Recipient).where(Recipient.campaign_id == hold.campaign_id, Recipient.openid.in_(names))
            await session.execute(begun.values(outcome=Outcome.SUBMITTING.value, at=now))
            return found

    async def results(self, hold: Hold, results: Sequence[Result]) -> None:
        """Write what single messages came to. Knowledge is kept whoever has the batch now."""
        if not results:
            return
        open_outcomes = (Outcome.SUBMITTING.value, Outcome.UNKNOWN.value)
        mine = Recipient.campaign_id == hold.campaign_id, Recipient.outcome.in_(open_outcomes)
        now = self._clock.now()
        async with self._database.transaction() as session:
            for one in results:
                values = {"outcome": one.outcome.value, "code": one.code, "msg_id": one.msg_id, "at": now}
                await session.execute(update(Recipient).where(*mine, Recipient.openid == one.openid).values(values))
            await recount(session, await locked(session, hold.batch_id))

    async def finished(self, hold: Hold) -> None:
        """Write that every message of a batch was tried."""
        async with self._database.transaction() as session:
            row = await held(session, hold)
            if row is not None:
                await recount(session, row)
                row.state, row.submitted_at = BatchState.FINISHED.value, self._clock.now()
                row.lease_until = None


async def _addressees(session: AsyncSession, wanted: Any, *, limit: int) -> list[Addressee]:
    query = select(Recipient.openid, Follower.county, Follower.category).outerjoin(
        Follower, Follower.openid == Recipient.openid
    )
    rows = await session.execute(query.where(*wanted).order_by(Recipient.openid).limit(limit))
    return [Addressee(*row) for row in rows]
