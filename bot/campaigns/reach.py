"""Whom a campaign can reach by a channel, and why others are left out: the conditions that count and freeze alike."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, Subquery, and_, case, cast, func, null, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns import audience as audiences
from bot.campaigns.audience import Audience
from bot.campaigns.models import Campaign, OptOut, Outcome, Recipient, SendChannel
from bot.campaigns.rules import MASS_CALLS_PER_MINUTE, MASS_PER_MONTH, WINDOW, month_of
from bot.followers.models import Follower

OPTED_OUT, NO_CONSENT, QUOTA_USED, WINDOW_CLOSED = "opted_out", "no_consent", "quota_used", "window_closed"
COUNTS_FOR_MONTH = (
    Outcome.QUEUED.value,
    Outcome.SUBMITTING.value,
    Outcome.SUBMITTED.value,
    Outcome.DELIVERED.value,
    Outcome.UNKNOWN.value,
)
"""Outcomes that take one of the four a month, or may have."""
TAG_PREFIX = "wx:"
"""How a tag of the platform is called among ours: ``wx:`` and its number."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What decides whom a campaign reaches."""

    channel: SendChannel
    audience: Audience
    purpose: str = ""
    per_minute: int = MASS_CALLS_PER_MINUTE
    tag_id: int | None = None
    campaign_id: int = 0


def wanted_of(campaign: Campaign) -> Wanted:
    """Return what decides whom a stored campaign reaches."""
    return Wanted(
        channel=SendChannel(campaign.channel),
        audience=audiences.from_json(campaign.audience),
        purpose=campaign.purpose,
        per_minute=campaign.per_minute,
        tag_id=campaign.tag_id,
        campaign_id=campaign.id or 0,
    )


@dataclass(frozen=True, slots=True)
class Reach:
    """The audience of ``wanted`` at ``now``. With ``testers`` campaigns reach those OpenIDs alone.

    ``used`` says how many mass messages of this month each follower had; ``None`` while nobody had any.
    """

    wanted: Wanted
    now: datetime
    testers: frozenset[str]
    used: Subquery | None

    def base(self) -> ColumnElement[bool]:
        """Return the condition for everybody of the audience who follows."""
        return and_(Follower.subscribed.is_(True), audiences.condition(self.wanted.audience, self.now))

    def reason(self, channel: SendChannel | None = None) -> ColumnElement[str | None]:
        """Return why ``channel``, by default the campaign's, leaves a follower out; NULL for whom it reaches."""
        channel = channel or self.wanted.channel
        if channel in (SendChannel.MASS_ALL, SendChannel.MASS_TAG):
            # The platform sends to the tag or to all; nobody can be taken out of it.
            return cast(null(), String)
        whens: list[tuple[ColumnElement[bool], str]] = [(_has_opted_out(), OPTED_OUT)]
        if self.wanted.purpose:
            whens.append((~audiences.consented(self.wanted.purpose), NO_CONSENT))
        if channel is SendChannel.MASS_LIST and self.used is not None:
            whens.append((self.used.c.count >= MASS_PER_MONTH, QUOTA_USED))
        if channel is SendChannel.CUSTOMER:
            whens.append((Follower.last_seen_at < self.now - WINDOW, WINDOW_CLOSED))
        return case(*whens, else_=None)

    def joined(self, query: Any) -> Any:
        """Return a query over followers with what ``reason`` looks at beside them."""
        query = query.select_from(Follower)
        return query if self.used is None else query.outerjoin(self.used, self.used.c.openid == Follower.openid)

    async def tally(self, session: AsyncSession) -> dict[str | None, int]:
        """Count the audience by the reason to leave them out; under ``None`` are those who are reached."""
        chosen = self.joined(select(self.reason().label("reason"))).where(self.base()).subquery()
        rows = await session.execute(select(chosen.c.reason, func.count().label("people")).group_by(chosen.c.reason))
        return {row.reason: row.people for row in rows}

    async def outsiders(self, session: AsyncSession) -> int:
        """Return how many of the audience are no testers, where only those may get anything."""
        if not self.testers:
            return 0
        query = select(func.count()).select_from(Follower).where(self.base())
        return await session.scalar(query.where(Follower.openid.not_in(self.testers))) or 0

    async def opted_out(self, session: AsyncSession) -> int:
        """Return how many of the audience want no campaigns."""
        query = select(func.count()).select_from(Follower).where(self.base(), _has_opted_out())
        return await session.scalar(query) or 0


async def reach_of(session: AsyncSession, wanted: Wanted, now: datetime, testers: frozenset[str]) -> Reach:
    """Return whom ``wanted`` reaches; looks which campaigns of this month count against the four."""
    return Reach(wanted, now, testers, await _used_up(session, wanted, now))


async def _used_up(session: AsyncSession, wanted: Wanted, now: datetime) -> Subquery | None:
    if not wanted.channel.is_mass:
        return None
    this_month = select(Campaign.id).where(Campaign.quota_month == month_of(now), Campaign.id != wanted.campaign_id)
    ids = list(await session.scalars(this_month))
    if not ids:
        return None
    had = select(Recipient.openid, func.count().label("count")).where(
        Recipient.campaign_id.in_(ids), Recipient.outcome.in_(COUNTS_FOR_MONTH)
    )
    return had.group_by(Recipient.openid).subquery()


def _has_opted_out() -> ColumnElement[bool]:
    return Follower.openid.in_(select(OptOut.openid).where(OptOut.lifted_at.is_(None)))
