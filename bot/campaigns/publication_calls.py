"""What staff do with a publication: take it back, and say what became of it where nobody knows."""

import secrets
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select

from bot.campaigns.errors import ArticleOfAnother, NotPublished, OutcomeKnown
from bot.campaigns.models import Campaign
from bot.campaigns.office_models import StaffCall
from bot.campaigns.publication_models import Publication, PublicationState, PublishReport
from bot.campaigns.publication_rows import NOT_PUBLISHED, End, PublicationView, conclude
from bot.campaigns.publications import Publications
from bot.campaigns.publish_reports import is_it, is_since, published
from bot.campaigns.staff_calls import CallBook
from bot.campaigns.views import view_of
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.wechat.errors import NoSuchArticle
from bot.wechat.publishing import PublishApi, Published, PublishStatus

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something on the account's page that may be ours; ``fits`` where titles, authors and time are the same."""

    article_id: str
    titles: tuple[str, ...]
    url: str
    at: datetime | None
    fits: bool


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is known about a publication of which nobody knows what became of it.

    ``refusals`` are the reports, since it was submitted, of jobs that nobody of us is known to have begun.
    """

    candidates: tuple[Candidate, ...]
    refusals: tuple[tuple[datetime, PublishStatus], ...]


class PublicationCalls:
    """Steps of publications at the platform; each is in the trail. ``key`` is that of the form, as for previews."""

    def __init__(
        self, database: Database, clock: Clock, *, publications: Publications, publishing: PublishApi
    ) -> None:
        self._database = database
        self._clock = clock
        self._publications = publications
        self._publishing = publishing
        self._book = CallBook(database, clock, publications.trail)

    async def withdraw(self, campaign_id: int, *, by: str, key: str = "", source: str = "") -> int:
        """Delete the published articles for good and return how many they were; who has none of it yet gets none.

        Raises NotPublished, StillUnderWay, and what the platform answers. Articles that are gone from there already
        are withdrawn as well.
        """
        call = StaffCall(key=key or secrets.token_hex(16), campaign_id=campaign_id, step="withdraw", by=by)
        if (earlier := await self._book.begun(call)) is not None:
            return earlier.done
        try:
            count = await self._withdraw(campaign_id, End(PublicationState.WITHDRAWN, by=by, source=source))
        except BaseException:
            await self._book.forget(call)
            raise
        await self._book.ended(call, count)
        return count

    async def doubt(self, campaign_id: int) -> Doubt:
        """Return what a person decides by. Raises OutcomeKnown, and what the platform answers."""
        view = await self._unknown(campaign_id)
        listed = await self._publishing.newest()
        async with self._database.reading() as session:
            content = view_of(await session.get_one(Campaign, campaign_id)).content
            ours = select(Publication.article_id).where(Publication.article_id.is_not(None))
            taken = set(await session.scalars(ours))
            known = select(Publication.publish_id).where(Publication.publish_id.is_not(None))
            reports = select(PublishReport.at, PublishReport.status).where(
                PublishReport.at >= view.submitted_at,
                PublishReport.status.in_(
                    (PublishStatus.NOT_ORIGINAL, PublishStatus.FAILED, PublishStatus.NOT_ALLOWED)
                ),
                PublishReport.publish_id.not_in(known),
            )
            refusals = [(row.at, PublishStatus(row.status)) for row in await session.execute(reports)]
        found = [
            Candidate(
                one.article_id,
                tuple(article.title for article in one.articles),
                one.articles[0].url if one.articles else "",
                one.at,
                is_it(content, view.submitted_at, one),
            )
            for one in listed
            if one.article_id not in taken and not one.is_deleted and is_since(view.submitted_at, one)
        ]
        return Doubt(tuple(sorted(found, key=lambda one: not one.fits)), tuple(refusals))

    async def settle(self, campaign_id: int, article_id: str | None, *, by: str, source: str = "") -> None:
        """Write what a person found out: published as ``article_id``, or with None not at all.

        Raises OutcomeKnown, ArticleOfAnother for one that another campaign published, NoSuchArticle for one that the
        platform does not know, and what it answers else.
        """
        await self._unknown(campaign_id)
        if article_id is None:
            end = End(PublicationState.REFUSED, NOT_PUBLISHED)
        else:
            end = published(await self._found(article_id))
        decided = End(end.state, end.reason, article_id=end.article_id, urls=end.urls, by=by, source=source)
        async with self._database.transaction() as session:
            if not await conclude(session, campaign_id, decided, self._clock.now(), self._publications.trail):
                raise OutcomeKnown(campaign_id=campaign_id)

    async def _withdraw(self, campaign_id: int, end: End) -> int:
        view = await self._publications.view(campaign_id)
        if view is None or view.state is not PublicationState.PUBLISHED or view.article_id is None:
            raise NotPublished(campaign_id=campaign_id)
        try:
            await self._publishing.delete(view.article_id)
        except NoSuchArticle:
            log.info("a publication was gone from the platform already", campaign=campaign_id)
        async with self._database.transaction() as session:
            await conclude(session, campaign_id, end, self._clock.now(), self._publications.trail)
        return len(view.urls)

    async def _found(self, article_id: str) -> Published:
        async with self._database.reading() as session:
            ours = select(Publication.campaign_id).where(Publication.article_id == article_id)
            other = await session.scalar(ours)
        if other is not None:
            raise ArticleOfAnother(campaign_id=other)
        found = await self._publishing.article(article_id)
        if found.is_deleted:
            raise NotPublished
        return found

    async def _unknown(self, campaign_id: int) -> PublicationView:
        view = await self._publications.view(campaign_id)
        if view is None or view.state is not PublicationState.UNKNOWN:
            raise OutcomeKnown(campaign_id=campaign_id)
        return view
