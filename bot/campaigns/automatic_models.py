"""The tables of messages that go out by themselves: rules, occasions, and who asked to hear of an opening."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base


class OpeningWish(Base):
    """“开放提醒我”: somebody who wants to hear when a programme opens. One row a person and programme."""

    __tablename__ = "campaign_opening_wishes"

    programme_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    asked_at: Mapped[datetime]


class AutomaticRule(Base):
    """A message that goes out by itself. ``kind`` says on what occasion, ``days`` how long before or after it.

    ``choices`` are its buttons: label, and what comes back when one is tapped.
    """

    __tablename__ = "campaign_rules"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    programme_id: Mapped[str] = mapped_column(String(40), default="")
    days: Mapped[int] = mapped_column(default=0)
    at_minute: Mapped[int]
    body: Mapped[str] = mapped_column(String(600))
    choices: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    template_id: Mapped[str] = mapped_column(String(64), default="")
    is_on: Mapped[bool] = mapped_column(default=False)
    edited_by: Mapped[str] = mapped_column(String(64))
    edited_at: Mapped[datetime]


class OccasionState(StrEnum):
    """What became of an automatic message."""

    PLANNED = "planned"
    SENT = "sent"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Occasion(Base):
    """One automatic message to one follower; ``key`` makes it one however often it is planned."""

    __tablename__ = "campaign_occasions"
    __table_args__ = (
        Index("ix_campaign_occasions_state_due_at", "state", "due_at"),
        Index("ix_campaign_occasions_openid", "openid"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(String(128), unique=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("campaign_rules.id"))
    registration_id: Mapped[int | None]
    slot_id: Mapped[int | None]
    service_day: Mapped[date | None]
    programme_id: Mapped[str] = mapped_column(String(40))
    openid: Mapped[str] = mapped_column(String(64))
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12))
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[datetime | None]
    code: Mapped[str | None] = mapped_column(String(40))
    confirmed_at: Mapped[datetime | None]
