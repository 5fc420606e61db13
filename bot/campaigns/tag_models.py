"""The tables of tags: who has which, and which the platform knows."""

from datetime import datetime

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base


class FollowerTag(Base):
    """A follower's tag, as staff or the platform gave it."""

    __tablename__ = "campaign_tags"

    tag: Mapped[str] = mapped_column(String(40), primary_key=True)
    openid: Mapped[str] = mapped_column(String(64), primary_key=True)


class KnownTag(Base):
    """A tag of the account at the platform, as it was at ``seen_at``; ``followers`` is how many have it.

    ``pulled`` of them are kept as a ``FollowerTag``, since ``pulled_at``. ``reading`` is under which tag the newest
    reading that has not ended keeps its own.
    """

    __tablename__ = "campaign_platform_tags"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(30))
    followers: Mapped[int]
    seen_at: Mapped[datetime]
    pulled: Mapped[int] = mapped_column(default=0)
    pulled_at: Mapped[datetime | None]
    reading: Mapped[str | None] = mapped_column(String(40))
