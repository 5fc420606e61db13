"""Followers, their consents and the sealed values of their last registration."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base


class ConsentPurpose(StrEnum):
    """The purposes that the system itself asks about; a programme may name further ones of its own.

    Each is asked, recorded and withdrawn on its own.
    """

    GENERAL = "general"
    SENSITIVE = "sensitive"
    THIRD_PARTY = "third_party"
    GUARDIAN = "guardian"
    PREFILL = "prefill"
    CAMPAIGNS = "campaigns"


class FollowKind(StrEnum):
    """The two events of the platform that begin and end following."""

    FOLLOWED = "followed"
    UNFOLLOWED = "unfollowed"


class Follower(Base):
    """One person who follows, or followed, the account."""

    __tablename__ = "followers"

    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    subscribed: Mapped[bool] = mapped_column(Boolean, default=True)
    first_scene: Mapped[str] = mapped_column(String(128), default="")
    latest_scene: Mapped[str] = mapped_column(String(128), default="")
    followed_at: Mapped[datetime | None]
    unfollowed_at: Mapped[datetime | None]
    erase_after: Mapped[datetime | None] = mapped_column(index=True)
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime] = mapped_column(index=True)
    county: Mapped[str | None] = mapped_column(String(32))
    category: Mapped[str | None] = mapped_column(String(32))
    unit: Mapped[str | None] = mapped_column(String(80), index=True)


class FollowEvent(Base):
    """One follow or unfollow, kept so that a delivery that comes twice counts once."""

    __tablename__ = "follow_events"

    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    openid: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    scene: Mapped[str] = mapped_column(String(128), default="")
    at: Mapped[datetime]


class Consent(Base):
    """One agreement, word for word traceable: which text, when, by which channel. Rows are never rewritten.

    ``withdrawn_at`` is set once and never cleared; agreeing again makes a new row. When a follower's data is erased,
    ``openid`` gives way to a keyed hash, because the proof itself has to be kept for years.
    """

    __tablename__ = "consents"
    __table_args__ = (
        UniqueConstraint("idempotency_key", "purpose", "programme_id"),
        Index("ix_consents_holder", "openid", "purpose"),
        Index(
            "ix_consents_in_force",
            "purpose",
            "openid",
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    openid: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(24))
    programme_id: Mapped[str] = mapped_column(String(64), default="")
    text_version: Mapped[str] = mapped_column(String(32))
    text_sha256: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(24))
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    idempotency_key: Mapped[str] = mapped_column(String(128))


class Profile(Base):
    """The sealed answers of the last registration, offered again next time; one row a follower."""

    __tablename__ = "profiles"

    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    values_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    consent_id: Mapped[int] = mapped_column(ForeignKey("consents.id"))
    saved_at: Mapped[datetime]


class Erasure(Base):
    """Proof that a follower's data was erased: who, how much of what, and never whose in plain."""

    __tablename__ = "erasures"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    holder_hash: Mapped[str] = mapped_column(String(64), index=True)
    requested_by: Mapped[str] = mapped_column(String(64))
    rows_by_subject: Mapped[dict[str, int]] = mapped_column(JSON)
    at: Mapped[datetime]


class RetentionRun(Base):
    """What was deleted or stripped on a day because it was kept long enough: how many rows by each rule."""

    __tablename__ = "retention_runs"

    day: Mapped[date] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    rows_by_rule: Mapped[dict[str, int]] = mapped_column(JSON)


@dataclass(frozen=True, slots=True)
class FollowerView:
    """What the rest of the system sees of a follower."""

    openid: str
    subscribed: bool
    first_scene: str
    latest_scene: str
    followed_at: datetime | None
    last_seen_at: datetime
    county: str | None
    category: str | None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class ConsentView:
    """One recorded consent; it is in force while ``withdrawn_at`` is None."""

    id: int
    purpose: str
    programme_id: str
    text_version: str
    text_sha256: str
    channel: str
    given_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Welcome:
    """The answer to a follow: ``returning`` is true for somebody who was here before."""

    returning: bool
    scene: str


@dataclass(frozen=True, slots=True)
class Prefill:
    """The answers of the last registration, opened for their owner only."""

    values: Mapping[str, str]
    saved_at: datetime
