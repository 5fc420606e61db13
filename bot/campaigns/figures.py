"""The campaigns of a period beside each other: whom they reached, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select, and_, func, literal, select, union_all

from bot.campaigns.models import OptOut, Outcome, Recipient
from bot.campaigns.progress import CampaignLists
from bot.campaigns.results import GOT_IT
from bot.campaigns.views import CampaignView, Progress
from bot.registrations.models import Registration
from bot.storage.sql import Database
from bot.values.clock import LOCAL_ZONE


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """One campaign. ``registered`` and ``opted_out`` are people among those reached, until its counting ends."""

    campaign: CampaignView
    progress: Progress
    registered: int
    opted_out: int

    @property
    def reached(self) -> int:
        return sum(self.progress.counts.get(one, 0) for one in (Outcome.SUBMITTED, Outcome.DELIVERED))

    @property
    def failed(self) -> int:
        return self.progress.counts.get(Outcome.FAILED, 0)


@dataclass(frozen=True, slots=True)
class FiguresPage:
    """Campaigns, the newest first; ``before`` goes on from here and is ``None`` at the end."""

    rows: tuple[CampaignFigures, ...]
    before: int | None


class CampaignComparison:
    """Reads the figures of a page of campaigns in a constant number of statements."""

    def __init__(self, database: Database, lists: CampaignLists) -> None:
        self._database = database
        self._lists = lists

    async def page(self, first: date, last: date, *, before: int | None = None) -> FiguresPage:
        """Return the campaigns that began on the days from ``first`` to ``last``."""
        days = (_midnight(first), _midnight(last + timedelta(days=1)))
        page = await self._lists.page(before=before, began=days)
        counts = await self._counts(page.campaigns)
        rows = tuple(
            CampaignFigures(
                one,
                page.progress[one.id],
                counts.get(("registered", one.id), 0),
                counts.get(("opted_out", one.id), 0),
            )
            for one in page.campaigns
        )
        return FiguresPage(rows, page.before)

    async def all(self, first: date, last: date) -> list[CampaignFigures]:
        """Return the campaigns that began on those days, page by page."""
        page = await self.page(first, last)
        found = list(page.rows)
        while page.before is not None:
            page = await self.page(first, last, before=page.before)
            found += page.rows
        return found

    async def _counts(self, campaigns: Sequence[CampaignView]) -> dict[tuple[str, int], int]:
        # Each has a window of its own: a part of one statement for each lets the store use its indexes.
        parts = [part for one in campaigns if one.frozen_at is not None for part in _parts(one, one.frozen_at)]
        if not parts:
            return {}
        async with self._database.reading() as session:
            return {(what, number): count for what, number, count in await session.execute(union_all(*parts))}


def _parts(campaign: CampaignView, start: datetime) -> tuple[Select[str, int, int], Select[str, int, int]]:
    end = (campaign.finished_at or start) + timedelta(days=campaign.attribution_days)
    reached = and_(Recipient.campaign_id == campaign.id, Recipient.outcome.in_(GOT_IT))
    people = func.count(Registration.openid.distinct())
    registered = (
        select(literal("registered"), literal(campaign.id), people)
        .join(Recipient, and_(reached, Recipient.openid == Registration.openid))
        .where(Registration.created_at >= start, Registration.created_at < end)
    )
    if campaign.programme_id:
        registered = registered.where(Registration.programme_id == campaign.programme_id)
    opted_out = (
        select(literal("opted_out"), literal(campaign.id), func.count(OptOut.openid.distinct()))
        .join(Recipient, and_(reached, Recipient.openid == OptOut.openid))
        .where(OptOut.at >= start, OptOut.at < end)
    )
    return registered, opted_out


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=LOCAL_ZONE)
