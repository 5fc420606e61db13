"""The tables of publications: what became of a campaign's articles on the account's page, and what was reported."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base


class PublicationState(StrEnum):
    """How far a publication has come. ``PUBLISHING`` is written before the call that must not be repeated."""

    WAITING = "waiting"
    PUBLISHING = "publishing"
    UNKNOWN = "unknown"
    PUBLISHED = "published"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether it is still to be seen if the articles are published."""
        return self in (PublicationState.WAITING, PublicationState.PUBLISHING, PublicationState.UNKNOWN)


class Publication(Base):
    """The publication of one campaign.

    A worker holds it until ``lease_until``; ``fence`` grows with each that takes it. ``publish_id`` is the platform's
    number of the job, which is missing where its answer was lost. The platform is asked at ``ask_at``. ``urls`` are
    where the articles can be read; ``failed`` are the places, from 1, of those that were refused. ``reason`` and
    ``code`` say why it was refused or is gone, ``ended_by`` who withdrew it or said what became of it.
    """

    __tablename__ = "campaign_publications"
    __table_args__ = (
        Index(
            "ix_campaign_publications_open",
            "state",
            sqlite_where=text("state IN ('waiting', 'publishing', 'unknown')"),
            postgresql_where=text("state IN ('waiting', 'publishing', 'unknown')"),
        ),
    )

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(12))
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    media_id: Mapped[str | None] = mapped_column(String(128))
    submitted_at: Mapped[datetime | None]
    publish_id: Mapped[str | None] = mapped_column(String(64), index=True)
    ask_at: Mapped[datetime | None]
    article_id: Mapped[str | None] = mapped_column(String(128), index=True)
    urls: Mapped[list[str]] = mapped_column(JSON, default=list)
    published_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(24))
    code: Mapped[int | None]
    failed: Mapped[list[int]] = mapped_column(JSON, default=list)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(64))


class PublishReport(Base):
    """What the platform reported of a job, kept until the publication it belongs to is known and changed.

    One job ends, and may be deleted or banned later: each is a row.
    """

    __tablename__ = "campaign_publish_reports"
    __table_args__ = (
        Index(
            "ix_campaign_publish_reports_open",
            "at",
            sqlite_where=text("applied_at IS NULL"),
            postgresql_where=text("applied_at IS NULL"),
        ),
    )

    publish_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    status: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    article_id: Mapped[str | None] = mapped_column(String(128))
    urls: Mapped[list[str]] = mapped_column(JSON, default=list)
    failed: Mapped[list[int]] = mapped_column(JSON, default=list)
    at: Mapped[datetime]
    applied_at: Mapped[datetime | None]
