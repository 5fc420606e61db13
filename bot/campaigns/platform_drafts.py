"""Drafts of articles in the platform's draft box: a preview's goes at once, what else is left goes daily.

Each is noted when it is made. A mass send takes its draft out of the box, as does a publication; that of a preview
stays there, as does that of what was refused or cancelled.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, Protocol

import structlog
from sqlalchemy import delete, exists, or_, select

from bot.campaigns.models import OPEN_BATCHES, CampaignBatch
from bot.campaigns.office_models import PlatformDraft
from bot.campaigns.publication_models import Publication, PublicationState
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.wechat.errors import ApiCallFailed, InvalidMedia
from bot.wechat.mass import DraftArticle

log = structlog.get_logger(__name__)

LEFT_AFTER: Final = timedelta(hours=1)
"""A preview to ten testers, and a batch between its draft and its note, take seconds."""
REMOVED_AT_ONCE: Final = 500
"""The platform takes 1,000 deletions a day."""


class DraftBox(Protocol):
    """The platform's draft box."""

    async def add_draft(self, articles: Sequence[DraftArticle]) -> str:
        """Return the draft's number; raises ApiCallFailed."""
        ...

    async def delete_draft(self, media_id: str) -> None:
        """Delete a draft; raises ApiCallFailed, InvalidMedia for one that is not there."""
        ...


def draft_note(media_id: str, campaign_id: int, clock: Clock) -> PlatformDraft:
    """Return the row that says a draft was made; it belongs into the transaction that first writes its number."""
    return PlatformDraft(media_id=media_id, campaign_id=campaign_id, made_at=clock.now())


class PlatformDrafts:
    """Makes drafts that are taken away again, and clears what was left."""

    def __init__(self, database: Database, clock: Clock, *, box: DraftBox) -> None:
        self._database = database
        self._clock = clock
        self._box = box
        self._making: set[asyncio.Future[str]] = set()

    @asynccontextmanager
    async def lent(self, campaign_id: int, articles: Sequence[DraftArticle]) -> AsyncIterator[str]:
        """Make a draft for as long as the block lasts; give its number. Raises ApiCallFailed when none can be made.

        One that cannot be deleted afterwards stays noted, and the daily job goes on with it.
        """
        # Whoever breaks off while the platform answers would leave a draft that nobody knows of.
        making = asyncio.ensure_future(self._make(campaign_id, articles))
        self._making.add(making)
        making.add_done_callback(self._making.discard)
        media_id = await asyncio.shield(making)
        try:
            yield media_id
        finally:
            try:
                await self._discard(media_id)
            except ApiCallFailed as error:
                log.warning("the draft of a preview stays at the platform for now", error=error.code)

    async def remove_left(self) -> int:
        """Delete the drafts that nothing will send any more; return how many are gone.

        Those that the platform does not let go of are tried again by the next run.
        """
        await self._forget_sent()
        left = await self._left()
        for done, media_id in enumerate(left):
            try:
                await self._discard(media_id)
            except ApiCallFailed as error:
                log.warning("drafts stay at the platform", left=len(left) - done, error=error.code)
                return done
        return len(left)

    async def _make(self, campaign_id: int, articles: Sequence[DraftArticle]) -> str:
        media_id = await self._box.add_draft(articles)
        async with self._database.transaction() as session:
            session.add(draft_note(media_id, campaign_id, self._clock))
        return media_id

    async def _left(self) -> list[str]:
        is_wanted = exists().where(
            CampaignBatch.campaign_id == PlatformDraft.campaign_id,
            CampaignBatch.media_id == PlatformDraft.media_id,
            CampaignBatch.state.in_(OPEN_BATCHES),
        )
        is_published_from = exists().where(
            Publication.campaign_id == PlatformDraft.campaign_id,
            Publication.media_id == PlatformDraft.media_id,
            Publication.state.in_([state.value for state in PublicationState if state.is_open]),
        )
        old = PlatformDraft.made_at <= self._clock.now() - LEFT_AFTER
        wanted = (
            select(PlatformDraft.media_id).where(old, ~is_wanted, ~is_published_from).order_by(PlatformDraft.made_at)
        )
        async with self._database.reading() as session:
            return list(await session.scalars(wanted.limit(REMOVED_AT_ONCE)))

    async def _forget_sent(self) -> None:
        """Forget the drafts whose batches the platform took, or that it published: they left the box then."""
        sent = exists().where(
            CampaignBatch.campaign_id == PlatformDraft.campaign_id,
            CampaignBatch.media_id == PlatformDraft.media_id,
            CampaignBatch.msg_id.is_not(None),
        )
        published = exists().where(
            Publication.campaign_id == PlatformDraft.campaign_id,
            Publication.media_id == PlatformDraft.media_id,
            Publication.article_id.is_not(None),
        )
        async with self._database.transaction() as session:
            await session.execute(
                delete(PlatformDraft).where(or_(sent, published)).execution_options(synchronize_session=False)
            )

    async def _discard(self, media_id: str) -> None:
        try:
            await self._box.delete_draft(media_id)
        except InvalidMedia:
            log.info("a draft was gone from the platform already")
        async with self._database.transaction() as session:
            await session.execute(delete(PlatformDraft).where(PlatformDraft.media_id == media_id))
