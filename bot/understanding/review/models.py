"""Turns as the review list sees them, its rows as people see them, and its table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base
from bot.understanding.models import Guess


class Reason(StrEnum):
    """Why a message is on the list."""

    ASKED_BACK = "asked_back"
    LOST = "lost"
    CORRECTED = "corrected"
    """What the follower did next says that it was understood wrongly."""
    ALARM_BY_MODEL = "alarm_by_model"
    """The model alone took it for a danger; no crisis words were in it."""


class Outcome(StrEnum):
    """What the follower did next."""

    CHOSE = "chose"
    CONTRADICTED = "contradicted"
    CANCELLED = "cancelled"
    HANDED_OVER = "handed_over"


class Status(StrEnum):
    """What people made of it."""

    OPEN = "open"
    RELABELLED = "relabelled"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a follower as far as it tells how well it was understood.

    ``guesses`` and ``model_id`` are empty when the NLU was not asked; ``trace`` holds the engine's decisions.
    """

    key: str
    openid: str
    at: datetime
    said: str
    guesses: tuple[Guess, ...]
    model_id: str
    trace: tuple[tuple[str, str], ...]

    def noted(self, what: str) -> str | None:
        """Return the detail of the first decision called ``what``, or None."""
        return next((detail for name, detail in self.trace if name == what), None)


@dataclass(frozen=True, slots=True)
class Finding:
    """A turn says of an earlier one (``about``) how it should have been understood, as far as that is known."""

    about: Turn
    outcome: Outcome
    suggested: str | None


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A row of the list. ``said`` has its numbers masked; ``line`` is what would be trained on, without names.

    ``suggested`` is what the follower made of it, ``label`` what people did; both may be None.
    """

    id: int
    at: datetime
    said: str
    line: str
    guesses: tuple[Guess, ...]
    model_id: str
    reason: Reason
    outcome: Outcome | None
    suggested: str | None
    status: Status
    label: str | None
    decided_by: str | None
    decided_at: datetime | None
    is_exported: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows to list; None means all. ``guessed`` is the likeliest guess."""

    status: Status | None = None
    reason: Reason | None = None
    guessed: str | None = None
    label: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, newest first, and how many there are in all."""

    items: Sequence[ReviewItem]
    total: int


@dataclass(frozen=True, slots=True)
class Decided:
    """The row is as was asked for, by this call or an earlier one."""

    item: ReviewItem


@dataclass(frozen=True, slots=True)
class DecidedBefore:
    """Somebody decided otherwise already; undo that first."""

    item: ReviewItem


class ReviewRow(Base):
    """One message. What was said, how it was reworded and what was exported are sealed."""

    __tablename__ = "review_items"
    __table_args__ = (Index("ix_review_items_status_at", "status", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    """The delivery that brought the message; a repeated batch adds nothing."""
    openid: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    said: Mapped[bytes] = mapped_column(LargeBinary)
    guesses: Mapped[list[Any]] = mapped_column(JSON)
    guessed: Mapped[str | None] = mapped_column(String(40))
    model_id: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(20))
    outcome: Mapped[str | None] = mapped_column(String(20))
    suggested: Mapped[str | None] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(20))
    label: Mapped[str | None] = mapped_column(String(40))
    reworded: Mapped[bytes | None] = mapped_column(LargeBinary)
    decided_by: Mapped[str | None] = mapped_column(String(60))
    decided_at: Mapped[datetime | None]
    exported: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The line as it stands in the exported file, so that it can be taken out again."""
