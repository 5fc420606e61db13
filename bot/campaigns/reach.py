"""Whom a campaign can reach by a channel, and why others are left out: the conditions that count and freeze alike."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, String, Subquery, and_, case, cast, func, literal, null, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns import audience as audiences
from bot.campaigns.audience import Audience
from bot.campaigns.conditions import agreed, condition, has_opted_out
from bot.campaigns.models import Campaign, Outcome, Recipient, SendChannel
from bot.campaigns.rules import MASS_CALLS_PER_MINUTE, MASS_PER_MONTH, WINDOW, month_of
from bot.followers.models import Follower

OPTED_OUT, NO_CONSENT, QUOTA_USED, WINDOW_CLOSED = "opted_out", "no_consent", "quota_used", "window_closed"
NOT_NOTIFIED = "not_notified"
"""The reason for everybody where articles are only published."""
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
UNCHOSEN = (SendChannel.MASS_ALL, SendChannel.MASS_TAG)
"""The platform sends to the tag or to all; nobody can be taken out of it."""


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
class Facts:
    """What is alike for some followers of an audience; ``had`` is how many mass messages they got this month."""

    opted_out: bool
    agreed: bool
    had: int
    window_open: bool

    def reason(self, channel: SendChannel) -> str | None:
        """Return why ``channel`` leaves them out; ``None`` for whom it reaches. The same as ``Reach.reason``."""
        if channel in UNCHOSEN:
            return None
        if not channel.notifies:
            return NOT_NOTIFIED
        if self.opted_out:
            return OPTED_OUT
        if not self.agreed:
            return NO_CONSENT
        if channel is SendChannel.MASS_LIST and self.had >= MASS_PER_MONTH:
            return QUOTA_USED
        return WINDOW_CLOSED if channel.needs_window and not self.window_open else None


@dataclass(frozen=True)
class Reach:
    """The audience of ``wanted`` at ``now``. With ``testers`` campaigns reach those OpenIDs alone.

    ``earlier`` are the campaigns of this month whose messages count against the four.
    """

    wanted: Wanted
    now: datetime
    testers: frozenset[str]
    earlier: tuple[int, ...] = ()

    @cached_property
    def used(self) -> Subquery | None:
        """How many of them each follower had; ``None`` while nobody had any."""
        if not self.earlier:
            return None
        had = select(Recipient.openid, func.count().label("count")).where(*self._counted())
        return had.group_by(Recipient.openid).subquery()

    def base(self, *, by_key: bool = False) -> ColumnElement[bool]:
        """Return the condition for everybody of the audience who follows; ``by_key`` as for ``condition``."""
        return and_(Follower.subscribed.is_(True), condition(self.wanted.audience, self.now, by_key=by_key))

    def reason(self, *, by_key: bool = False) -> ColumnElement[str | None]:
        """Return why the campaign's channel leaves a follower out; NULL for whom it reaches.

        Without ``by_key`` it belongs into a query that is ``joined``.
        """
        channel = self.wanted.channel
        if channel in UNCHOSEN:
            return cast(null(), String)
        if not channel.notifies:
            return literal(NOT_NOTIFIED)
        whens: list[tuple[ColumnElement[bool], str]] = [(has_opted_out(), OPTED_OUT)]
        if self.wanted.purpose:
            whens.append((~agreed(self.wanted.purpose), NO_CONSENT))
        if channel is SendChannel.MASS_LIST and self.used is not None:
            had = self._had_by_key() if by_key else self.used.c.count
            whens.append((had >= MASS_PER_MONTH, QUOTA_USED))
        if channel.needs_window:
            whens.append((Follower.last_seen_at < self.now - WINDOW, WINDOW_CLOSED))
        return case(*whens, else_=None)

    def joined(self, query: Any) -> Any:
        """Return a query over followers with what ``reason`` looks at beside them."""
        query = query.select_from(Follower)
        return query if self.used is None else query.outerjoin(self.used, self.used.c.openid == Follower.openid)

    async def tally(
        self, session: AsyncSession, *, among: ColumnElement[bool] | None = None, by_key: bool = False
    ) -> dict[str | None, int]:
        """Count the audience by the reason to leave them out; under ``None`` are those who are reached.

        ``among`` are those to count; ``by_key`` asks by their keys, which is quicker where they are a few of many.
        """
        each = select(self.reason(by_key=by_key).label("reason"))
        chosen = (each.select_from(Follower) if by_key else self.joined(each)).where(self.base(by_key=by_key))
        if among is not None:
            chosen = chosen.where(among)
        chosen = chosen.subquery()
        rows = await session.execute(select(chosen.c.reason, func.count().label("people")).group_by(chosen.c.reason))
        return {row.reason: row.people for row in rows}

    async def facts(self, session: AsyncSession) -> dict[Facts, int]:
        """Count the audience by all that decides about channels, in one statement."""
        columns = (
            has_opted_out().label("opted_out"),
            (agreed(self.wanted.purpose) if self.wanted.purpose else true()).label("agreed"),
            (literal(0) if self.used is None else func.coalesce(self.used.c.count, 0)).label("had"),
            (Follower.last_seen_at >= self.now - WINDOW).label("window_open"),
        )
        each = self.joined(select(*columns)).where(self.base()).subquery()
        query = select(*each.c, func.count().label("people")).group_by(*each.c)
        return {
            Facts(bool(row.opted_out), bool(row.agreed), int(row.had), bool(row.window_open)): row.people
            for row in await session.execute(query)
        }

    async def outsiders(self, session: AsyncSession) -> int:
        """Return how many of the audience are no testers, where only those may get anything."""
        if not self.testers:
            return 0
        query = select(func.count()).select_from(Follower).where(self.base())
        return await session.scalar(query.where(Follower.openid.not_in(self.testers))) or 0

    def _counted(self) -> tuple[ColumnElement[bool], ...]:
        return Recipient.campaign_id.in_(self.earlier), Recipient.outcome.in_(COUNTS_FOR_MONTH)

    def _had_by_key(self) -> Any:
        had = select(func.count()).where(*self._counted(), Recipient.openid == Follower.openid)
        return had.correlate(Follower).scalar_subquery()


async def reach_of(
    session: AsyncSession, wanted: Wanted, now: datetime, testers: frozenset[str], *, only_limits: bool = False
) -> Reach:
    """Return whom ``wanted`` reaches; looks which campaigns of this month count against the four.

    With ``only_limits`` they are left out while there are so few that nobody can have had all four.
    """
    least = MASS_PER_MONTH if only_limits else 1
    return Reach(wanted, now, testers, await _earlier(session, wanted, now, least))


async def _earlier(session: AsyncSession, wanted: Wanted, now: datetime, least: int) -> tuple[int, ...]:
    if not wanted.channel.is_mass:
        return ()
    this_month = select(Campaign.id).where(Campaign.quota_month == month_of(now), Campaign.id != wanted.campaign_id)
    ids = tuple(await session.scalars(this_month))
    return ids if len(ids) >= least else ()
