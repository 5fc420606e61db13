"""What the platform reports of publications, and asking it where a report never came or nobody knows the job."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns import content as contents
from bot.campaigns.content import Content, News
from bot.campaigns.models import Campaign
from bot.campaigns.publication_models import Publication, PublicationState, PublishReport
from bot.campaigns.publication_rows import End, conclude, end_of, is_only_thought
from bot.campaigns.publications import REPORT_EXPECTED_AFTER, UNKNOWN_ASKED_AFTER, Publications
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.wechat.errors import ApiCallFailed
from bot.wechat.inbound import ArticleUrl, PublishJobFinished
from bot.wechat.publishing import PublishApi, Published, PublishResult, PublishStatus

log = structlog.get_logger(__name__)

APPLIED_AT_ONCE: Final = 50
ASKED_AT_ONCE: Final = 10
ASKED_AT_LEAST_EVERY: Final = timedelta(hours=6)
"""The platform takes 100 questions a day."""
CLOCKS_DIFFER: Final = timedelta(minutes=5)
STRANGERS_KEPT_FOR: Final = timedelta(days=7)
"""How long a report waits for its publication; those of what others published never find one."""


async def note_report(database: Database, clock: Clock, event: PublishJobFinished) -> None:
    """Keep a report until the worker applies it; the same one twice is one row."""
    insert = sqlite_insert if database.is_sqlite else postgresql_insert
    values = {
        "publish_id": event.publish_id[:64],
        "status": event.status,
        "article_id": event.article_id,
        "urls": [one.url for one in sorted(event.article_urls, key=lambda one: one.index)],
        "failed": list(event.failed_indexes),
        "at": clock.now(),
    }
    statement = insert(PublishReport).values(values).on_conflict_do_nothing(index_elements=["publish_id", "status"])
    nobody_knows = or_(Publication.state == PublicationState.UNKNOWN.value, is_only_thought())
    async with database.transaction() as session:
        await session.execute(statement)
        if event.status == PublishStatus.PUBLISHED:
            # It may be the one whose answer was lost: the platform's list tells.
            await session.execute(update(Publication).where(nobody_knows).values(ask_at=clock.now()))


class PublishReports:
    """Applies reports to publications, and asks for what was not reported."""

    def __init__(self, database: Database, clock: Clock, publications: Publications, publishing: PublishApi) -> None:
        self._database = database
        self._clock = clock
        self._publications = publications
        self._publishing = publishing

    async def apply(self) -> int:
        """Apply reports whose publication is known by now; return how many."""
        known = exists().where(
            or_(
                Publication.publish_id == PublishReport.publish_id,
                and_(PublishReport.article_id.is_not(None), Publication.article_id == PublishReport.article_id),
            )
        )
        # A job's end comes before what happens to it later.
        wanted = select(PublishReport).where(PublishReport.applied_at.is_(None), known).order_by(PublishReport.status)
        async with self._database.reading() as session:
            reports = list(await session.scalars(wanted.limit(APPLIED_AT_ONCE)))
        return sum([await self._apply(report) for report in reports])

    async def ask(self) -> int:
        """Ask about jobs whose report did not come, and about those whose number is not known; return how many ended.

        Asked ever more seldom, because a job may wait for the platform's review for hours.
        """
        await self._publications.lost()
        await self._forget_strangers()
        due = await self._take_due()
        ended = sum([await self._ask(campaign_id, job) for campaign_id, job in due if job is not None])
        return ended + await self._look_for([campaign_id for campaign_id, job in due if job is None])

    async def _take_due(self) -> list[tuple[int, str | None]]:
        """Return what is to be asked about now, with the jobs' numbers, and note when the next time is.

        That is noted first, so that several workers do not ask the same.
        """
        now = self._clock.now()
        due = select(Publication).where(_is_unsettled(), Publication.ask_at <= now).order_by(Publication.ask_at)
        async with self._database.reading() as session:
            if (await session.scalars(due.limit(1))).first() is None:
                return []
        async with self._database.transaction() as session:
            rows = list(await session.scalars(due.limit(ASKED_AT_ONCE).with_for_update(skip_locked=True)))
            for row in rows:
                row.ask_at = _next_time(row, now)
            return [(row.campaign_id, row.publish_id) for row in rows]

    async def _apply(self, report: PublishReport) -> bool:
        now, urls = self._clock.now(), tuple(ArticleUrl(place, url) for place, url in enumerate(report.urls, start=1))
        is_known = report.status in set(PublishStatus)
        status = PublishStatus(report.status) if is_known else None
        end = end_of(PublishResult(status, report.article_id, urls, tuple(report.failed)))
        job = Publication.publish_id == report.publish_id
        article = and_(Publication.article_id == report.article_id, Publication.article_id.is_not(None))
        async with self._database.transaction() as session:
            row = await session.get(PublishReport, (report.publish_id, report.status), with_for_update=True)
            if row is None or row.applied_at is not None:
                return False
            row.applied_at = now
            # Numbers alone: a row that is read before it is locked would be looked at as it was.
            wanted = select(Publication.campaign_id).where(or_(job, article))
            for campaign_id in list(await session.scalars(wanted)):
                if end is not None:
                    await conclude(session, campaign_id, end, now, self._publications.trail)
                # Settled by the platform's list before its number was known: what comes later is known by the number.
                nameless = Publication.campaign_id == campaign_id, Publication.publish_id.is_(None)
                await session.execute(update(Publication).where(*nameless).values(publish_id=report.publish_id))
        return True

    async def _ask(self, campaign_id: int, publish_id: str) -> bool:
        try:
            end = end_of(await self._publishing.status(publish_id))
        except ApiCallFailed as error:
            log.warning("the state of a publication is not known", campaign=campaign_id, error=error.code)
            return False
        return end is not None and await self._end(campaign_id, end)

    async def _look_for(self, campaign_ids: Sequence[int]) -> int:
        """Look in the platform's list for those whose answer was lost; each must fit one alone."""
        if not campaign_ids:
            return 0
        try:
            listed = await self._publishing.newest()
        except ApiCallFailed as error:
            log.warning("what was published is not known", error=error.code)
            return 0
        async with self._database.reading() as session:
            unsettled = await _unsettled(session)
            ours = select(Publication.article_id).where(Publication.article_id.is_not(None))
            taken = set(await session.scalars(ours))
        fits = {
            campaign_id: [one for one in listed if one.article_id not in taken and is_it(content, submitted_at, one)]
            for campaign_id, (content, submitted_at) in unsettled.items()
        }
        wanted_by = Counter(one.article_id for found in fits.values() for one in found)
        done = 0
        for campaign_id in campaign_ids:
            match fits.get(campaign_id):
                case [one] if wanted_by[one.article_id] == 1:
                    done += await self._end(campaign_id, published(one))
        return done

    async def _end(self, campaign_id: int, end: End) -> bool:
        async with self._database.transaction() as session:
            return await conclude(session, campaign_id, end, self._clock.now(), self._publications.trail)

    async def _forget_strangers(self) -> None:
        old = PublishReport.at < self._clock.now() - STRANGERS_KEPT_FOR
        async with self._database.reading() as session:
            if (await session.scalars(select(PublishReport.at).where(old).limit(1))).first() is None:
                return
        async with self._database.transaction() as session:
            await session.execute(delete(PublishReport).where(old))


def published(one: Published) -> End:
    """Return the end of a publication that was found to be ``one``."""
    urls = tuple(article.url for article in one.articles)
    return End(PublicationState.PUBLISHED, article_id=one.article_id, urls=urls)


def is_it(content: Content, submitted_at: datetime | None, one: Published) -> bool:
    """Say whether ``one`` may be what came of ``content``, which was submitted then."""
    if not isinstance(content, News) or len(content.articles) != len(one.articles) or one.is_deleted:
        return False
    if not is_since(submitted_at, one):
        return False
    pairs = zip(content.articles, one.articles, strict=True)
    return all(
        (ours.title, ours.author, ours.source_url) == (theirs.title, theirs.author, theirs.source_url)
        # The platform fills in one that was left empty, and shows none where there are several articles.
        and (not ours.digest or not theirs.digest or ours.digest == theirs.digest)
        for ours, theirs in pairs
    )


def is_since(submitted_at: datetime | None, one: Published) -> bool:
    """Say whether ``one`` may have been published after a submission."""
    return submitted_at is not None and (one.at is None or one.at >= submitted_at - CLOCKS_DIFFER)


def _next_time(row: Publication, now: datetime) -> datetime | None:
    """Return when to ask again: ever later, and where a person has decided not before another report comes."""
    if row.state == PublicationState.REFUSED.value:
        return None
    least = UNKNOWN_ASKED_AFTER if row.publish_id is None else REPORT_EXPECTED_AFTER
    return now + min(max(now - (row.submitted_at or now), least), ASKED_AT_LEAST_EVERY)


def _is_unsettled() -> ColumnElement[bool]:
    may_be = Publication.state.in_((PublicationState.PUBLISHING.value, PublicationState.UNKNOWN.value))
    return or_(may_be, is_only_thought())


async def _unsettled(session: AsyncSession) -> dict[int, tuple[Content, datetime | None]]:
    """Return what may have been published without our knowing its number, by campaign."""
    wanted = (
        select(Campaign.id, Campaign.content, Publication.submitted_at)
        .join(Publication, Publication.campaign_id == Campaign.id)
        .where(_is_unsettled())
    )
    return {row.id: (contents.from_json(row.content), row.submitted_at) for row in await session.execute(wanted)}
