"""The tables of what staff do around campaigns: calls of a button, pictures, drafts at the platform, testers."""

from datetime import datetime

from sqlalchemy import JSON, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base


class StaffCall(Base):
    """A button that called the platform at once, under the key of its form: pressed twice it calls once.

    ``ended_at`` is empty while the calls are under way, and for ever when the process died among them.
    """

    __tablename__ = "campaign_calls"

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(Integer)
    step: Mapped[str] = mapped_column(String(12))
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    done: Mapped[int] = mapped_column(default=0)
    refused: Mapped[list[str]] = mapped_column(JSON, default=list)


class CampaignPicture(Base):
    """A picture that staff chose. The platform gets it when it is first sent or previewed, and keeps it for good.

    ``used_at`` is when it was last seen in a campaign, or chosen; ``leaving_at`` is set when it is to be deleted,
    and no campaign can take it any more.
    """

    __tablename__ = "campaign_pictures"
    __table_args__ = (
        Index("ix_campaign_pictures_used_at", "used_at"),
        Index(
            "ix_campaign_pictures_leaving",
            "file_id",
            sqlite_where=text("leaving_at IS NOT NULL"),
            postgresql_where=text("leaving_at IS NOT NULL"),
        ),
    )

    file_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    added_by: Mapped[str] = mapped_column(String(64))
    added_at: Mapped[datetime]
    media_id: Mapped[str | None] = mapped_column(String(128))
    uploaded_at: Mapped[datetime | None]
    used_at: Mapped[datetime]
    leaving_at: Mapped[datetime | None]


class PlatformDraft(Base):
    """A draft of articles that was put into the platform's draft box, until it is known to be gone from there."""

    __tablename__ = "campaign_platform_drafts"

    media_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(Integer)
    made_at: Mapped[datetime] = mapped_column(index=True)


class Tester(Base):
    """A follower who gets previews, by the name that staff gave them."""

    __tablename__ = "campaign_testers"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    openid: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(40))
    added_by: Mapped[str] = mapped_column(String(64))
    added_at: Mapped[datetime]
