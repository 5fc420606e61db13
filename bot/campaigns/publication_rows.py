"""A publication in SQL: its row, what others see of it, and how it ends, which changes its campaign as well.

Where both rows are locked the campaign's is first, as in every step that staff take.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import InstrumentedAttribute

from bot.campaigns.campaign_rows import campaign_row
from bot.campaigns.models import Campaign, CampaignState, SendChannel
from bot.campaigns.publication_models import Publication, PublicationState
from bot.campaigns.requeueing import drop_waiting
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.wechat.publishing import PublishResult, PublishStatus

SYSTEM = "system"
NOT_PUBLISHED = "not_published"
"""The reason where a person said that nothing was published, because nobody knew."""

_ENDS_IN = {
    PublicationState.PUBLISHED: (PublicationState.PUBLISHING, PublicationState.UNKNOWN),
    PublicationState.REFUSED: (PublicationState.WAITING, PublicationState.PUBLISHING, PublicationState.UNKNOWN),
    PublicationState.WITHDRAWN: (
        PublicationState.PUBLISHED,
        PublicationState.PUBLISHING,
        PublicationState.UNKNOWN,
    ),
}
_ENDED_BY_STATUS = {
    PublishStatus.PUBLISHED: (PublicationState.PUBLISHED, None),
    PublishStatus.NOT_ORIGINAL: (PublicationState.REFUSED, "not_original"),
    PublishStatus.FAILED: (PublicationState.REFUSED, "failed"),
    PublishStatus.NOT_ALLOWED: (PublicationState.REFUSED, "not_allowed"),
    PublishStatus.DELETED: (PublicationState.WITHDRAWN, "deleted"),
    PublishStatus.BANNED: (PublicationState.WITHDRAWN, "banned"),
}


@dataclass(frozen=True, slots=True)
class End:
    """How a publication ends. ``reason`` is a key of the texts, ``by`` an account or the system."""

    state: PublicationState
    reason: str | None = None
    code: int | None = None
    article_id: str | None = None
    urls: tuple[str, ...] = ()
    failed: tuple[int, ...] = ()
    by: str = SYSTEM
    source: str = ""


def end_of(result: PublishResult) -> End | None:
    """Return the end that the platform tells of; None while it works on it, or says what is not known."""
    if result.status is None or result.status not in _ENDED_BY_STATUS:
        return None
    state, reason = _ENDED_BY_STATUS[result.status]
    urls = tuple(one.url for one in sorted(result.article_urls, key=lambda one: one.index))
    return End(state, reason, article_id=result.article_id, urls=urls, failed=result.failed_indexes)


@dataclass(frozen=True, slots=True)
class PublicationView:
    """One publication as others see it; ``urls`` are the articles', in their order."""

    campaign_id: int
    state: PublicationState
    article_id: str | None
    urls: tuple[str, ...]
    submitted_at: datetime | None
    published_at: datetime | None
    reason: str | None
    code: int | None
    failed: tuple[int, ...]
    ended_at: datetime | None
    ended_by: str | None


def publication_view(row: Publication) -> PublicationView:
    """Return a row as others see it."""
    return PublicationView(
        campaign_id=row.campaign_id,
        state=PublicationState(row.state),
        article_id=row.article_id,
        urls=tuple(row.urls),
        submitted_at=row.submitted_at,
        published_at=row.published_at,
        reason=row.reason,
        code=row.code,
        failed=tuple(row.failed),
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )


async def publication_of(session: AsyncSession, campaign_id: int, *, lock: bool = False) -> Publication | None:
    """Return the publication of a campaign, locked until the transaction ends if ``lock``."""
    wanted = select(Publication).where(Publication.campaign_id == campaign_id)
    return (await session.scalars(wanted.with_for_update() if lock else wanted)).one_or_none()


def is_published(campaign_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Return the condition that a campaign's articles can be read."""
    return exists().where(
        Publication.campaign_id == campaign_id, Publication.state == PublicationState.PUBLISHED.value
    )


def is_only_thought() -> ColumnElement[bool]:
    """Return the condition that a person said that nothing was published."""
    return and_(Publication.state == PublicationState.REFUSED.value, Publication.reason == NOT_PUBLISHED)


async def conclude(
    session: AsyncSession, campaign_id: int, end: End, now: datetime, trail: AuditWriter, *, fence: int | None = None
) -> bool:
    """End a publication in the caller's transaction; say whether it was open to that end.

    With ``fence`` only whoever took it last ends it. The campaign of a refused one fails, that of one that is gone
    sends no more; one that only publishes is over when it is published.
    """
    campaign = await campaign_row(session, campaign_id, lock=True)
    row = await publication_of(session, campaign_id, lock=True)
    if row is None or (fence is not None and row.fence != fence) or not _may_end(row, end):
        return False
    row.state, row.lease_until, row.ask_at = end.state.value, None, None
    row.reason, row.code, row.failed, row.ended_by = end.reason, end.code, list(end.failed), end.by
    row.article_id = end.article_id or row.article_id
    row.urls = list(end.urls) or row.urls
    if end.state is PublicationState.PUBLISHED:
        row.published_at = now
    else:
        row.ended_at = now
    await _end_campaign(session, campaign, end, now)
    await trail.append(
        session,
        AuditRecord(
            end.by,
            f"campaigns:publication:{end.state.value}",
            "campaign",
            str(campaign_id),
            reason=end.reason or "",
            source=end.source,
        ),
    )
    return True


def _may_end(row: Publication, end: End) -> bool:
    # The platform knows better than a person who thought that nothing was published.
    may_be_corrected = row.reason == NOT_PUBLISHED and end.state is PublicationState.PUBLISHED
    return PublicationState(row.state) in _ENDS_IN[end.state] or may_be_corrected


async def _end_campaign(session: AsyncSession, campaign: Campaign, end: End, now: datetime) -> None:
    state = CampaignState(campaign.state)
    if state not in (CampaignState.SENDING, CampaignState.PAUSED):
        return
    if end.state is not PublicationState.PUBLISHED:
        target = CampaignState.FAILED if end.state is PublicationState.REFUSED else CampaignState.CANCELLED
        campaign.state, campaign.finished_at, campaign.pause_reason = target.value, now, None
        await drop_waiting(session, campaign.id)
    elif not SendChannel(campaign.channel).notifies and state is CampaignState.SENDING:
        campaign.state, campaign.finished_at = CampaignState.SENT.value, now
