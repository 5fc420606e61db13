"""The tables of campaigns: the campaign, one row a recipient, one row a call, what was reported, who opted out."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base


class CampaignState(StrEnum):
    """How far a campaign has come."""

    DRAFT = "draft"
    CHECKED = "checked"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        return self in (CampaignState.SENT, CampaignState.CANCELLED, CampaignState.FAILED)

    @property
    def is_editable(self) -> bool:
        return self in (CampaignState.DRAFT, CampaignState.CHECKED, CampaignState.APPROVED)


class SendChannel(StrEnum):
    """By which of the platform's ways a campaign goes out."""

    MASS_LIST = "mass_list"
    MASS_TAG = "mass_tag"
    MASS_ALL = "mass_all"
    TEMPLATE = "template"
    SUBSCRIBE = "subscribe"
    CUSTOMER = "customer"
    PUBLISH = "publish"
    PUBLISH_SEND = "publish_send"

    @property
    def is_mass(self) -> bool:
        """Whether one call reaches many, and the call counts against the four a month."""
        return self in (SendChannel.MASS_LIST, SendChannel.MASS_TAG, SendChannel.MASS_ALL)

    @property
    def publishes(self) -> bool:
        """Whether the articles are published on the account's page, where everybody can read them."""
        return self in (SendChannel.PUBLISH, SendChannel.PUBLISH_SEND)

    @property
    def notifies(self) -> bool:
        """Whether anybody gets a message."""
        return self is not SendChannel.PUBLISH

    @property
    def chooses(self) -> bool:
        """Whether we choose who is reached; else the platform does, or anybody can read it."""
        return self not in (SendChannel.MASS_TAG, SendChannel.MASS_ALL, SendChannel.PUBLISH)

    @property
    def needs_window(self) -> bool:
        """Whether only those are reached who wrote in the last 48 hours."""
        return self in (SendChannel.CUSTOMER, SendChannel.PUBLISH_SEND)


class Outcome(StrEnum):
    """What became of one recipient. ``SUBMITTING`` is written before a call that the platform would repeat."""

    QUEUED = "queued"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class BatchState(StrEnum):
    """How far a batch has come. ``SENDING`` with an old lease is one whose worker died."""

    WAITING = "waiting"
    SENDING = "sending"
    SUBMITTED = "submitted"
    FINISHED = "finished"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


OPEN_BATCHES = (BatchState.WAITING.value, BatchState.SENDING.value)


class Campaign(Base):
    """One campaign. ``version`` grows with each edit, so that an approval belongs to what was read.

    ``checked_total`` is how many the check found reachable; it is what people type to confirm. Frozen at start:
    ``total`` recipients with a batch, ``skipped`` counts the others by reason.
    """

    __tablename__ = "campaigns"
    __table_args__ = (
        Index("ix_campaigns_state_starts_at", "state", "starts_at"),
        Index("ix_campaigns_quota_month", "quota_month"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(String(128), unique=True)
    title: Mapped[str] = mapped_column(String(80))
    author: Mapped[str] = mapped_column(String(64))
    edited_by: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(12))
    channel: Mapped[str] = mapped_column(String(12))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    audience: Mapped[dict[str, Any]] = mapped_column(JSON)
    purpose: Mapped[str] = mapped_column(String(24), default="")
    programme_id: Mapped[str | None] = mapped_column(String(40))
    tag_id: Mapped[int | None]
    tag_name: Mapped[str] = mapped_column(String(30), default="")
    starts_at: Mapped[datetime | None]
    per_minute: Mapped[int]
    open_minute: Mapped[int]
    close_minute: Mapped[int]
    weekdays: Mapped[str] = mapped_column(String(7))
    max_failed_percent: Mapped[int]
    attribution_days: Mapped[int]
    checked_total: Mapped[int | None]
    checked_at: Mapped[datetime | None]
    approved_by: Mapped[str | None] = mapped_column(String(64))
    approved_at: Mapped[datetime | None]
    rejected_by: Mapped[str | None] = mapped_column(String(64))
    rejected_reason: Mapped[str | None] = mapped_column(String(200))
    pause_reason: Mapped[str | None] = mapped_column(String(40))
    quota_month: Mapped[str | None] = mapped_column(String(7))
    total: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    round: Mapped[int] = mapped_column(default=0)
    frozen_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Recipient(Base):
    """One follower of one campaign. ``chunk`` names the batch, 0 for who is skipped.

    There is no foreign key: 620,000 rows are written in one statement. ``at`` is when the outcome was last written;
    ``msg_id`` is the platform's number of a message of one's own (templates).
    """

    __tablename__ = "campaign_recipients"
    __table_args__ = (
        Index("ix_campaign_recipients_campaign_id_chunk", "campaign_id", "chunk"),
        Index(
            "ix_campaign_recipients_msg_id",
            "msg_id",
            sqlite_where=text("msg_id IS NOT NULL"),
            postgresql_where=text("msg_id IS NOT NULL"),
        ),
        {"sqlite_with_rowid": False},
    )

    campaign_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    chunk: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(24))
    code: Mapped[int | None]
    msg_id: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime | None]


class CampaignBatch(Base):
    """One call of a mass send, or a few hundred single messages. ``client_id`` is there before the first call.

    A worker holds a batch until ``lease_until``; ``fence`` grows with each that takes it. The last seven columns
    count its recipients by outcome; ``sent_count`` and ``error_count`` are what the platform says.
    """

    __tablename__ = "campaign_batches"
    __table_args__ = (
        UniqueConstraint("campaign_id", "chunk"),
        Index("ix_campaign_batches_campaign_id_state", "campaign_id", "state"),
        Index("ix_campaign_batches_state_submitted_at", "state", "submitted_at"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    chunk: Mapped[int]
    client_id: Mapped[str] = mapped_column(String(32), unique=True)
    size: Mapped[int]
    state: Mapped[str] = mapped_column(String(12))
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    first_tried_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    media_id: Mapped[str | None] = mapped_column(String(128))
    msg_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    code: Mapped[int | None]
    status: Mapped[str | None] = mapped_column(String(40))
    sent_count: Mapped[int | None]
    error_count: Mapped[int | None]
    queued: Mapped[int] = mapped_column(default=0)
    submitted: Mapped[int] = mapped_column(default=0)
    delivered: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    unknown: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)


class JobReport(Base):
    """What the platform reported of a message, kept until the message it belongs to is known and changed.

    Sending a subscribe notification gives no number; its report tells whose it was and by which template instead.
    ``openid`` goes when the report is applied.
    """

    __tablename__ = "campaign_reports"
    __table_args__ = (
        Index(
            "ix_campaign_reports_open",
            "msg_id",
            sqlite_where=text("applied_at IS NULL"),
            postgresql_where=text("applied_at IS NULL"),
        ),
        Index(
            "ix_campaign_reports_openid",
            "openid",
            sqlite_where=text("openid IS NOT NULL"),
            postgresql_where=text("openid IS NOT NULL"),
        ),
    )

    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    msg_id: Mapped[int] = mapped_column(BigInteger)
    is_mass: Mapped[bool]
    status: Mapped[str] = mapped_column(String(40))
    sent_count: Mapped[int | None]
    error_count: Mapped[int | None]
    openid: Mapped[str | None] = mapped_column(String(64))
    template_id: Mapped[str | None] = mapped_column(String(64))
    code: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(index=True)
    applied_at: Mapped[datetime | None]


class OptOut(Base):
    """Somebody who wants no campaigns, from ``at`` until ``lifted_at``."""

    __tablename__ = "campaign_opt_outs"
    __table_args__ = (
        Index(
            "uq_campaign_opt_outs_open",
            "openid",
            unique=True,
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
        Index("ix_campaign_opt_outs_openid_at", "openid", "at"),
        Index(
            "ix_campaign_opt_outs_listed",
            "id",
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    openid: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
