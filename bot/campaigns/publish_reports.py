"""What the platform reports of publications, and asking it where a report never came or nobody knows the job."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import and_, delete, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns import content as contents
from bot.campaigns.content import Content, News
from bot.campaigns.models import Campaign
from bot.campaigns.publication_models import Publication, PublicationState, PublishReport
from bot.campaigns.publication_rows import End, conclude, end_of
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
    nobody_knows = Publication.state == PublicationState.UNKNOWN.value
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
        wanted = (
            select(Publication)
            .where(
                Publication.state.in_((PublicationState.PUBLISHING.value, PublicationState.UNKNOWN.value)),
                Publication.ask_at <= self._clock.now(),
            )
            .order_by(Publication.ask_at)
            .limit(ASKED_AT_ONCE)
        )
        async with self._database.reading() as session:
            rows = list(await session.scalars(wanted))
        ended = sum([await self._ask(row) for row in rows if row.publish_id is not None])
        return ended + await self._look_for([row for row in rows if row.publish_id is None])

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
            for publication in list(await session.scalars(select(Publication).where(or_(job, article)))):
                # Settled by the platform's list before its number was known: what comes later is known by the number.
                publication.publish_id = publication.publish_id or report.publish_id
                if end is not None:
                    await conclude(session, publication.campaign_id, end, now, self._publications.trail)
        return True

    async def _ask(self, row: Publication) -> bool:
        assert row.publish_id is not None, "only jobs with a number are asked about"
        try:
            end = end_of(await self._publishing.status(row.publish_id))
        except ApiCallFailed as error:
            log.warning("the state of a publication is not known", campaign=row.campaign_id, error=error.code)
            end = None
        if end is not None:
            return await self._end(row.campaign_id, end)
        await self._ask_again([row], least=REPORT_EXPECTED_AFTER)
        return False

    async def _look_for(self, rows: Sequence[Publication]) -> int:
        """Look in the platform's list for those whose answer was lost; each must fit one alone."""
        if not rows:
            return 0
        try:
            listed = await self._publishing.newest()
        except ApiCallFailed as error:
            log.warning("what was published is not known", error=error.code)
            listed = []
        async with self._database.reading() as session:
            unsettled = await _unsettled(session)
            taken = set(
                await session.scalars(select(Publication.article_id).where(Publication.article_id.is_not(None)))
            )
        fits = {
            campaign_id: [one for one in listed if one.article_id not in taken and is_it(content, submitted_at, one)]
            for campaign_id, (content, submitted_at) in unsettled.items()
        }
        wanted_by = [one.article_id for found in fits.values() for one in found]
        done = 0
        for row in rows:
            found = fits.get(row.campaign_id, [])
            if len(found) == 1 and wanted_by.count(found[0].article_id) == 1:
                done += await self._end(row.campaign_id, published(found[0]))
            else:
                await self._ask_again([row], least=UNKNOWN_ASKED_AFTER)
        return done

    async def _end(self, campaign_id: int, end: End) -> bool:
        async with self._database.transaction() as session:
            return await conclude(session, campaign_id, end, self._clock.now(), self._publications.trail)

    async def _ask_again(self, rows: Sequence[Publication], *, least: timedelta) -> None:
        now = self._clock.now()
        async with self._database.transaction() as session:
            for row in rows:
                since = now - (row.submitted_at or now)
                ask_at = now + min(max(since, least), ASKED_AT_LEAST_EVERY)
                still = Publication.campaign_id == row.campaign_id, Publication.ask_at.is_not(None)
                await session.execute(update(Publication).where(*still).values(ask_at=ask_at))

    async def _forget_strangers(self) -> None:
        old = PublishReport.at < self._clock.now() - STRANGERS_KEPT_FOR
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


async def _unsettled(session: AsyncSession) -> dict[int, tuple[Content, datetime | None]]:
    """Return what may have been published without our knowing its number, by campaign."""
    wanted = (
        select(Campaign.id, Campaign.content, Publication.submitted_at)
        .join(Publication, Publication.campaign_id == Campaign.id)
        .where(
            Publication.state.in_((PublicationState.PUBLISHING.value, PublicationState.UNKNOWN.value)),
        )
    )
    return {row.id: (contents.from_json(row.content), row.submitted_at) for row in await session.execute(wanted)}
