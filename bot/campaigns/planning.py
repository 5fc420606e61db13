"""Who is reached by which channel, who is left out and why: counted before sending, and frozen at the start."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    String,
    Subquery,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    null,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns import audience as audiences
from bot.campaigns.audience import Audience, Everyone, Tagged
from bot.campaigns.errors import NothingToDo, OnlyTestAccount
from bot.campaigns.models import BatchState, Campaign, CampaignBatch, OptOut, Outcome, Recipient, SendChannel
from bot.campaigns.rules import (
    MASS_CALLS_PER_DAY,
    MASS_CALLS_PER_MINUTE,
    MASS_LIST_MIN,
    MASS_PER_MONTH,
    WINDOW,
    AccountKind,
    batch_max,
    channels_of,
    chunk_size,
    month_of,
)
from bot.followers.models import Follower
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.problem import Problem

OPTED_OUT, NO_CONSENT, QUOTA_USED, WINDOW_CLOSED, TOO_FEW = (
    "opted_out",
    "no_consent",
    "quota_used",
    "window_closed",
    "too_few",
)
COUNTS_FOR_MONTH = (
    Outcome.QUEUED.value,
    Outcome.SUBMITTING.value,
    Outcome.SUBMITTED.value,
    Outcome.DELIVERED.value,
    Outcome.UNKNOWN.value,
)
"""Outcomes that take one of the four a month, or may have."""
SAMPLE_ROWS = 20
TAG_PREFIX = "wx:"
"""How a tag of the platform is called among ours: ``wx:`` and its number."""
_FREEZE_LOCK = 0x63616D70


@dataclass(frozen=True, slots=True)
class Plan:
    """What sending would mean. ``by_channel`` counts who could be reached by each channel the account has.

    ``quota_after`` says how many of those reached will have 3, 2, 1 or no mass messages left this month; it is empty
    for channels that do not count. ``problems`` keep it from being sent, ``notes`` do not.
    """

    channel: SendChannel
    matched: int
    reachable: int
    skipped: Mapping[str, int]
    by_channel: Mapping[SendChannel, int]
    quota_after: Mapping[int, int]
    calls: int
    takes: timedelta
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One follower of the audience, masked."""

    openid_masked: str
    county: str | None
    category: str | None
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the planner needs to know of a campaign."""

    channel: SendChannel
    audience: Audience
    purpose: str = ""
    per_minute: int = MASS_CALLS_PER_MINUTE
    tag_id: int | None = None
    campaign_id: int = 0


def wanted_of(campaign: Campaign) -> Wanted:
    """Return what the planner needs to know of a stored campaign."""
    return Wanted(
        channel=SendChannel(campaign.channel),
        audience=audiences.from_json(campaign.audience),
        purpose=campaign.purpose,
        per_minute=campaign.per_minute,
        tag_id=campaign.tag_id,
        campaign_id=campaign.id or 0,
    )


@dataclass(slots=True)
class Planner:
    """Counts and freezes. ``testers`` not empty: campaigns reach those OpenIDs alone, whatever is asked for."""

    database: Database
    clock: Clock
    account: AccountKind = "service"
    testers: frozenset[str] = field(default_factory=frozenset)

    async def plan(self, wanted: Wanted) -> Plan:
        """Return the plan at this moment."""
        async with self.database.reading() as session:
            used = await self._used_up(session, wanted)
            channels = sorted(channels_of(self.account))
            reason = self._reason(wanted, wanted.channel, used)
            tally = await self._tally(session, wanted, reason, used)
            by_channel = await self._by_channel(session, wanted, channels, used)
            quota_after = await self._quota_after(session, wanted, reason, used)
            outsiders = await self._outsiders(session, wanted)
            opted_out = await self._opted_out(session, wanted)
        reachable = tally.pop(None, 0)
        calls = -(-reachable // batch_max(wanted.channel, reachable)) if wanted.channel.is_mass else reachable
        problems = [*self._problems(wanted, reachable, calls)]
        if outsiders:
            problems.append(Problem("campaign.only_testers", {"others": outsiders}))
        notes = []
        if opted_out and wanted.channel in (SendChannel.MASS_ALL, SendChannel.MASS_TAG):
            notes.append(Problem("campaign.reaches_opted_out", {"count": opted_out}))
        return Plan(
            channel=wanted.channel,
            matched=reachable + sum(tally.values()),
            reachable=reachable,
            skipped={str(name): count for name, count in tally.items()},
            by_channel=by_channel,
            quota_after=quota_after,
            calls=calls,
            takes=timedelta(minutes=max(calls - 1, 0) / max(1, wanted.per_minute)),
            problems=tuple(problems),
            notes=tuple(notes),
        )

    async def sample(self, wanted: Wanted, limit: int = SAMPLE_ROWS) -> list[SampleRow]:
        """Return some of those who would be reached, masked."""
        async with self.database.reading() as session:
            used = await self._used_up(session, wanted)
            reason = self._reason(wanted, wanted.channel, used)
            query = select(Follower.openid, Follower.county, Follower.category, Follower.last_seen_at)
            query = self._joined(query, used).where(self._base(wanted), reason.is_(None))
            rows = (await session.execute(query.order_by(Follower.last_seen_at.desc()).limit(limit))).all()
        return [SampleRow(masked(openid), county, category, seen) for openid, county, category, seen in rows]

    async def freeze(self, session: AsyncSession, campaign: Campaign) -> None:
        """Write one row for each follower of the audience and one for each batch, in the caller's transaction.

        Sets what the campaign counts. Raises NothingToDo, OnlyTestAccount.
        """
        if not self.database.is_sqlite:
            # Two campaigns that start together would both take the last of somebody's four.
            await session.execute(text(f"SELECT pg_advisory_xact_lock({_FREEZE_LOCK})"))
        wanted = wanted_of(campaign)
        if outsiders := await self._outsiders(session, wanted):
            raise OnlyTestAccount(others=outsiders)
        used = await self._used_up(session, wanted)
        reason = self._reason(wanted, wanted.channel, used)
        tally = await self._tally(session, wanted, reason, used)
        total = tally.pop(None, 0)
        if not total or (wanted.channel is SendChannel.MASS_LIST and total < MASS_LIST_MIN):
            raise NothingToDo(reachable=total)
        await session.execute(self._insertion(campaign.id, wanted, reason, used, total))
        campaign.total, campaign.skipped = total, {str(name): count for name, count in tally.items()}
        campaign.quota_month = month_of(self.clock.now()) if wanted.channel.is_mass else None
        campaign.frozen_at = self.clock.now()
        await add_batches(session, campaign.id, after_chunk=0)

    def _insertion(
        self, campaign_id: int, wanted: Wanted, reason: ColumnElement[str | None], used: Subquery | None, total: int
    ) -> Any:
        size = chunk_size(total, batch_max(wanted.channel, total))
        query = select(Follower.openid.label("openid"), reason.label("reason"))
        chosen = self._joined(query, used).where(self._base(wanted)).subquery()
        is_kept = chosen.c.reason.is_(None)
        place = func.row_number().over(partition_by=case((is_kept, 0), else_=1), order_by=chosen.c.openid)
        numbered = select(chosen.c.openid, chosen.c.reason, place.label("place")).subquery()
        kept = numbered.c.reason.is_(None)
        rows = select(
            literal(campaign_id),
            numbered.c.openid,
            case((kept, (numbered.c.place - 1) // size + 1), else_=0),
            case((kept, Outcome.QUEUED.value), else_=Outcome.SKIPPED.value),
            numbered.c.reason,
        )
        return insert(Recipient).from_select(["campaign_id", "openid", "chunk", "outcome", "reason"], rows)

    def _base(self, wanted: Wanted) -> ColumnElement[bool]:
        return and_(Follower.subscribed.is_(True), audiences.condition(wanted.audience, self.clock.now()))

    def _reason(self, wanted: Wanted, channel: SendChannel, used: Subquery | None) -> ColumnElement[str | None]:
        """Return why a follower is left out, NULL for those who are not."""
        if channel in (SendChannel.MASS_ALL, SendChannel.MASS_TAG):
            # The platform sends to the tag or to all; nobody can be taken out of it.
            return cast(null(), String)
        whens: list[tuple[ColumnElement[bool], str]] = [(_has_opted_out(), OPTED_OUT)]
        if wanted.purpose:
            whens.append((~audiences.consented(wanted.purpose), NO_CONSENT))
        if channel is SendChannel.MASS_LIST and used is not None:
            whens.append((used.c.count >= MASS_PER_MONTH, QUOTA_USED))
        if channel is SendChannel.CUSTOMER:
            whens.append((Follower.last_seen_at < self.clock.now() - WINDOW, WINDOW_CLOSED))
        return case(*whens, else_=None)

    @staticmethod
    def _joined(query: Any, used: Subquery | None) -> Any:
        query = query.select_from(Follower)
        return query if used is None else query.outerjoin(used, used.c.openid == Follower.openid)

    async def _used_up(self, session: AsyncSession, wanted: Wanted) -> Subquery | None:
        """Return how many mass messages of this month each follower had; ``None`` while nobody had any."""
        if not wanted.channel.is_mass:
            return None
        this_month = select(Campaign.id).where(
            Campaign.quota_month == month_of(self.clock.now()), Campaign.id != wanted.campaign_id
        )
        ids = list(await session.scalars(this_month))
        if not ids:
            return None
        had = select(Recipient.openid, func.count().label("count")).where(
            Recipient.campaign_id.in_(ids), Recipient.outcome.in_(COUNTS_FOR_MONTH)
        )
        return had.group_by(Recipient.openid).subquery()

    async def _tally(
        self, session: AsyncSession, wanted: Wanted, reason: ColumnElement[str | None], used: Subquery | None
    ) -> dict[str | None, int]:
        chosen = self._joined(select(reason.label("reason")), used).where(self._base(wanted)).subquery()
        rows = await session.execute(select(chosen.c.reason, func.count().label("people")).group_by(chosen.c.reason))
        return {row.reason: row.people for row in rows}

    async def _by_channel(
        self, session: AsyncSession, wanted: Wanted, channels: list[SendChannel], used: Subquery | None
    ) -> dict[SendChannel, int]:
        sums = [
            func.coalesce(func.sum(case((self._reason(wanted, channel, used).is_(None), 1), else_=0)), 0)
            for channel in channels
        ]
        row = (await session.execute(self._joined(select(*sums), used).where(self._base(wanted)))).one()
        return {channel: int(count) for channel, count in zip(channels, row, strict=True)}

    async def _quota_after(
        self, session: AsyncSession, wanted: Wanted, reason: ColumnElement[str | None], used: Subquery | None
    ) -> dict[int, int]:
        if not wanted.channel.is_mass:
            return {}
        had = literal(0) if used is None else func.coalesce(used.c.count, 0)
        query = self._joined(select(had.label("had")), used).where(self._base(wanted), reason.is_(None)).subquery()
        rows = await session.execute(select(query.c.had, func.count()).group_by(query.c.had))
        after: dict[int, int] = {}
        for count, people in rows:
            left = max(0, MASS_PER_MONTH - 1 - count)
            after[left] = after.get(left, 0) + people
        return dict(sorted(after.items(), reverse=True))

    async def _outsiders(self, session: AsyncSession, wanted: Wanted) -> int:
        """Return how many of the audience are no testers, where only those may get anything."""
        if not self.testers:
            return 0
        query = select(func.count()).select_from(Follower).where(self._base(wanted))
        return await session.scalar(query.where(Follower.openid.not_in(self.testers))) or 0

    async def _opted_out(self, session: AsyncSession, wanted: Wanted) -> int:
        query = select(func.count()).select_from(Follower).where(self._base(wanted), _has_opted_out())
        return await session.scalar(query) or 0

    def _problems(self, wanted: Wanted, reachable: int, calls: int) -> list[Problem]:
        problems: list[Problem] = []
        if wanted.channel not in channels_of(self.account):
            problems.append(Problem("campaign.channel_not_for_account", {"channel": wanted.channel.value}))
        if wanted.channel is SendChannel.MASS_ALL and wanted.audience != Everyone():
            problems.append(Problem("campaign.all_means_everyone"))
        if wanted.channel is SendChannel.MASS_TAG and wanted.audience != Tagged(f"{TAG_PREFIX}{wanted.tag_id}"):
            problems.append(Problem("campaign.tag_means_its_members"))
        if wanted.channel is SendChannel.MASS_LIST and reachable == 1:
            problems.append(Problem("campaign.mass_needs_two"))
        if not reachable:
            problems.append(Problem("campaign.nothing_to_do", {"reachable": 0}))
        if wanted.channel.is_mass and calls > MASS_CALLS_PER_DAY:
            problems.append(Problem("campaign.too_many_calls", {"calls": calls, "max_calls": MASS_CALLS_PER_DAY}))
        return problems


def _has_opted_out() -> ColumnElement[bool]:
    return Follower.openid.in_(select(OptOut.openid).where(OptOut.lifted_at.is_(None)))


async def add_batches(session: AsyncSession, campaign_id: int, *, after_chunk: int) -> int:
    """Add a batch for each chunk behind ``after_chunk``, with its client id; return how many."""
    chunks = select(Recipient.chunk, func.count()).where(
        Recipient.campaign_id == campaign_id,
        Recipient.chunk > after_chunk,
        Recipient.outcome == Outcome.QUEUED.value,
    )
    rows = (await session.execute(chunks.group_by(Recipient.chunk).order_by(Recipient.chunk))).all()
    # The random part keeps two systems that share one account apart.
    await session.execute(
        insert(CampaignBatch),
        [
            {
                "campaign_id": campaign_id,
                "chunk": chunk,
                "client_id": f"c{campaign_id}-{chunk}-{secrets.token_hex(6)}",
                "size": count,
                "state": BatchState.WAITING.value,
                "queued": count,
            }
            for chunk, count in rows
        ],
    )
    return len(rows)


def masked(openid: str) -> str:
    """Return an OpenID as lists show it."""
    return f"{openid[:4]}…{openid[-2:]}"
