"""What came of a campaign: delivered, failed and why, replies, registrations within a few days, opt-outs."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns.errors import NoSuchCampaign
from bot.campaigns.models import Campaign, OptOut, Outcome, Recipient
from bot.campaigns.planning import masked
from bot.campaigns.progress import CampaignLists
from bot.campaigns.views import CampaignView, Progress, view_of
from bot.registrations.models import Registration
from bot.storage.sql import Database
from bot.storage.sql_time import local_day

GOT_IT = (Outcome.SUBMITTED.value, Outcome.DELIVERED.value)
ROWS_AT_ONCE = 2_000
"""How many recipients of a workbook stand in memory at once, in a worker that does other work beside it."""


class WhoWrote(Protocol):
    """Knows who wrote to the account."""

    async def people_between(self, openids: Select[Any], start: datetime, end: datetime) -> int:
        """Return how many of ``openids`` sent a message from ``start`` to ``end``."""
        ...


@dataclass(frozen=True, slots=True)
class DayResult:
    """What a day brought, among those the campaign reached."""

    day: date
    registrations: int
    opt_outs: int


@dataclass(frozen=True, slots=True)
class Results:
    """The figures of one campaign.

    ``failed`` counts by the platform's code (0: no code), ``skipped`` by reason. ``replied``, ``registered`` and
    ``opted_out`` are people among those reached, from the start until ``counted_until``; ``registered`` counts the
    linked programme alone when there is one. Where the platform does not say who got it, ``sent_by_platform`` and
    ``errors_by_platform`` of the progress are all that is known.
    """

    campaign: CampaignView
    progress: Progress
    failed: Mapping[int, int]
    skipped: Mapping[str, int]
    replied: int
    registered: int
    opted_out: int
    days: tuple[DayResult, ...]
    counted_until: datetime | None


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """One recipient for a list, masked."""

    openid_masked: str
    outcome: Outcome
    reason: str | None
    code: int | None
    at: datetime | None


class CampaignResults:
    """Reads what came of campaigns."""

    def __init__(self, database: Database, lists: CampaignLists, who_wrote: WhoWrote) -> None:
        self._database = database
        self._lists = lists
        self._who_wrote = who_wrote

    async def of(self, campaign_id: int) -> Results:
        """Return the figures; raises NoSuchCampaign."""
        progress = await self._lists.progress(campaign_id)
        async with self._database.reading() as session:
            row = await session.get(Campaign, campaign_id)
            if row is None:
                raise NoSuchCampaign(campaign_id=campaign_id)
            failed = await self._failed(session, row)
            skipped = await self._skipped(session, row)
            if row.frozen_at is None:
                return Results(view_of(row), progress, failed, skipped, 0, 0, 0, (), None)
            start, end = row.frozen_at, (row.finished_at or row.frozen_at) + timedelta(days=row.attribution_days)
            registered = await self._by_day(session, _registrations(row, start, end))
            opted_out = await self._by_day(session, _opt_outs(row, start, end))
        reached = select(Recipient.openid).where(Recipient.campaign_id == campaign_id, Recipient.outcome.in_(GOT_IT))
        replied = await self._who_wrote.people_between(reached, start, end)
        days = sorted(registered.keys() | opted_out.keys())
        return Results(
            campaign=view_of(row),
            progress=progress,
            failed=failed,
            skipped=skipped,
            replied=replied,
            registered=sum(registered.values()),
            opted_out=sum(opted_out.values()),
            days=tuple(DayResult(day, registered.get(day, 0), opted_out.get(day, 0)) for day in days),
            counted_until=end,
        )

    async def recipients(
        self, campaign_id: int, *, outcome: Outcome | None = None, after: str = "", limit: int = 50
    ) -> tuple[list[RecipientRow], str | None]:
        """Return a page of recipients and what ``after`` goes on with; ``None`` at the end.

        What ``after`` holds is an OpenID: keep it out of addresses.
        """
        columns = Recipient.openid, Recipient.outcome, Recipient.reason, Recipient.code, Recipient.at
        wanted = select(*columns).where(Recipient.campaign_id == campaign_id, Recipient.openid > after)
        if outcome is not None:
            wanted = wanted.where(Recipient.outcome == outcome.value)
        async with self._database.reading() as session:
            rows = (await session.execute(wanted.order_by(Recipient.openid).limit(limit))).all()
        following = rows[-1].openid if len(rows) == limit else None
        shown = [RecipientRow(masked(row.openid), Outcome(row.outcome), row.reason, row.code, row.at) for row in rows]
        return shown, following

    async def stream(self, campaign_id: int) -> AsyncIterator[Sequence[RecipientRow]]:
        """Give every recipient in pieces, for a workbook."""
        after: str | None = ""
        while after is not None:
            rows, after = await self.recipients(campaign_id, after=after, limit=ROWS_AT_ONCE)
            yield rows

    async def _failed(self, session: AsyncSession, row: Campaign) -> dict[int, int]:
        code = func.coalesce(Recipient.code, 0)
        query = select(code, func.count()).where(
            Recipient.campaign_id == row.id, Recipient.outcome == Outcome.FAILED.value
        )
        return {found[0]: found[1] for found in await session.execute(query.group_by(code))}

    async def _skipped(self, session: AsyncSession, row: Campaign) -> dict[str, int]:
        query = select(Recipient.reason, func.count()).where(
            Recipient.campaign_id == row.id, Recipient.outcome == Outcome.SKIPPED.value
        )
        rows = await session.execute(query.group_by(Recipient.reason))
        return {found[0] or "": found[1] for found in rows}

    async def _by_day(self, session: AsyncSession, query: Select[date, int]) -> dict[date, int]:
        return {found[0]: found[1] for found in await session.execute(query)}


def _reached(row: Campaign, openid: Any) -> Any:
    return and_(Recipient.campaign_id == row.id, Recipient.openid == openid, Recipient.outcome.in_(GOT_IT))


def _registrations(row: Campaign, start: datetime, end: datetime) -> Select[date, int]:
    """People by the day of their first registration after the message."""
    first = (
        select(func.min(Registration.created_at).label("at"))
        .join(Recipient, _reached(row, Registration.openid))
        .where(
            Registration.created_at >= start,
            Registration.created_at < end,
        )
        .group_by(Registration.openid)
    )
    if row.programme_id:
        first = first.where(Registration.programme_id == row.programme_id)
    people = first.subquery()
    day = local_day(people.c.at)
    return select(day, func.count()).group_by(day)


def _opt_outs(row: Campaign, start: datetime, end: datetime) -> Select[date, int]:
    day = local_day(OptOut.at)
    query = select(day, func.count()).join(Recipient, _reached(row, OptOut.openid))
    return query.where(OptOut.at >= start, OptOut.at < end).group_by(day)
