"""The tables of the inbox: chats, their messages, what changed, and alerts."""

from datetime import datetime
from enum import IntEnum, StrEnum

from sqlalchemy import Boolean, ForeignKey, Index, Integer, LargeBinary, String, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base


class ChatStatus(StrEnum):
    """A chat waits for a person, is open with one, or is over."""

    WAITING = "waiting"
    OPEN = "open"
    CLOSED = "closed"


class Direction(StrEnum):
    """Who a message of a chat came from. What is ``INTERNAL`` is for staff alone and is never sent."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


class MessageKind(StrEnum):
    """What a message consists of.

    ``SATISFACTION`` is the question after closing, ``HANDED_BACK`` the same where the bot goes on, ``REMINDER`` a
    template notification; the words of these three are not staff's. ``NOTE`` and ``STEP`` are internal.
    """

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    OTHER = "other"
    SATISFACTION = "satisfaction"
    HANDED_BACK = "handed_back"
    REMINDER = "reminder"
    NOTE = "note"
    STEP = "step"


class Step(StrEnum):
    """What happened to a chat, besides messages."""

    OPENED = "opened"
    CLAIMED = "claimed"
    ASSIGNED = "assigned"
    MOVED = "moved"
    ESCALATED = "escalated"
    CLOSED = "closed"
    HANDED_BACK = "handed_back"
    REOPENED = "reopened"
    CALLED = "called"
    LEFT = "left"
    RATED = "rated"


class MediaState(StrEnum):
    """How far a follower's picture has come from the platform, which keeps it for three days."""

    WANTED = "wanted"
    FETCHING = "fetching"
    KEPT = "kept"
    GONE = "gone"
    REFUSED = "refused"


class Lane(IntEnum):
    """Chats about a danger come before all others."""

    URGENT = 0
    NORMAL = 1


RUNNING = "status <> 'closed'"
HOLDS_WORDS = "(summary_sealed IS NOT NULL OR last_message_id IS NOT NULL)"
"""Both as literals, because only those let a database use an index over such chats alone."""


class DeliveryStatus(StrEnum):
    """How far an outbound message has come. Inbound messages are ``RECEIVED``."""

    RECEIVED = "received"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class Satisfaction(IntEnum):
    """The follower's answer after a chat: 1 满意, 2 一般, 3 不满意."""

    SATISFIED = 1
    FAIR = 2
    DISSATISFIED = 3


class AlertLevel(StrEnum):
    """How urgent an alert is: P0 is danger to life, P1 within a quarter of an hour, P2 today."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"


def _opened_at(context: DefaultExecutionContext) -> datetime:
    """What was said last in a chat in which nothing was said yet is its opening."""
    moment: datetime = context.get_current_parameters()["opened_at"]  # type: ignore[no-untyped-call]
    return moment


class Chat(Base):
    """One conversation between a follower and staff. A follower has at most one that is not closed.

    ``unread`` counts what the follower wrote since whoever has the chat looked at it; ``unanswered_since`` is when
    the first of the messages came that nobody has answered. ``heard_at`` is when the follower last wrote, from which
    the platform's window counts; ``away_told_at`` when they were last told that nobody is there.
    """

    __tablename__ = "chats"
    __table_args__ = (
        Index(
            "uq_chats_one_running",
            "openid",
            unique=True,
            sqlite_where=text("status <> 'closed'"),
            postgresql_where=text("status <> 'closed'"),
        ),
        Index(
            "ix_chats_running",
            "lane",
            "last_at",
            "id",
            sqlite_where=text(RUNNING),
            postgresql_where=text(RUNNING),
        ),
        Index("ix_chats_words", "closed_at", sqlite_where=text(HOLDS_WORDS), postgresql_where=text(HOLDS_WORDS)),
        Index("ix_chats_status", "status", "lane", "id"),
        Index("ix_chats_opened", "opened_at"),
        Index("ix_chats_agent", "claimed_by", "status", "closed_at", "id"),
        Index("ix_chats_closed", "status", "closed_at", "id"),
        Index("ix_chats_closed_topic", "topic", "status", "closed_at", "id"),
        Index("ix_chats_closed_county", "county", "topic", "status", "closed_at", "id"),
        Index("ix_chats_county", "county", "status", "closed_at", "id"),
        # Reports count what happened on a day; ix_chats_opened and ix_chats_closed serve the others.
        Index(None, "first_answer_at"),
        Index(None, "rated_at"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    openid: Mapped[str] = mapped_column(String(64), index=True)
    lane: Mapped[int] = mapped_column(Integer, default=Lane.NORMAL, server_default="1")
    topic: Mapped[str] = mapped_column(String(32))
    county: Mapped[str | None] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(64), default="")
    summary_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    status: Mapped[str] = mapped_column(String(16), default=ChatStatus.WAITING.value)
    idempotency_key: Mapped[str] = mapped_column(String(128), unique=True)
    opened_at: Mapped[datetime]
    last_at: Mapped[datetime] = mapped_column(default=_opened_at)
    last_message_id: Mapped[int | None] = mapped_column(Integer)
    heard_at: Mapped[datetime | None]
    unread: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    unanswered_since: Mapped[datetime | None]
    first_answer_due_at: Mapped[datetime | None]
    resolution_due_at: Mapped[datetime | None]
    away_told_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    claimed_at: Mapped[datetime | None]
    first_answer_at: Mapped[datetime | None]
    reopened_count: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    rating_asked: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(String(64))
    close_reason: Mapped[str | None] = mapped_column(String(64))
    close_key: Mapped[str | None] = mapped_column(String(128))
    satisfaction: Mapped[int | None] = mapped_column(Integer)
    rated_at: Mapped[datetime | None]
    rating_key: Mapped[str | None] = mapped_column(String(128))


class ChatMessage(Base):
    """One line of a chat: a message in either direction, a note, or a step.

    ``idempotency_key`` makes a repeated delivery one row. ``media_ref`` is the platform's id of a picture, good until
    ``media_until``; ``file_id`` the picture as we keep it. ``failure`` says why a message was not sent, or why it
    still waits.
    """

    __tablename__ = "chat_messages"
    __table_args__ = (
        Index("ix_chat_messages_delivery", "delivery_status", "not_before"),
        Index("ix_chat_messages_media", "media_state", "not_before"),
        Index("ix_chat_messages_chat", "chat_id", "id"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey("chats.id"))
    direction: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    text_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    media_ref: Mapped[str | None] = mapped_column(String(256))
    media_until: Mapped[datetime | None]
    media_state: Mapped[str | None] = mapped_column(String(16))
    file_id: Mapped[str | None] = mapped_column(String(32))
    step: Mapped[str | None] = mapped_column(String(16))
    detail: Mapped[str] = mapped_column(String(128), default="", server_default="")
    author: Mapped[str] = mapped_column(String(64))
    idempotency_key: Mapped[str] = mapped_column(String(160), unique=True)
    delivery_status: Mapped[str] = mapped_column(String(16))
    not_before: Mapped[datetime | None]
    taken_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]


class InboxChange(Base):
    """Notes that something about a chat changed, for whoever has it on the screen. Rows live for a day.

    ``county`` decides who is told; a chat that moves from one county to another makes a row for each.
    """

    __tablename__ = "inbox_changes"
    # Numbers must not be given again when the table was emptied.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    chat_id: Mapped[int] = mapped_column(Integer)
    county: Mapped[str | None] = mapped_column(String(32))
    agent: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(index=True)


class Alert(Base):
    """Something a person on duty has to see now. The OpenID stays here; notices never carry it."""

    __tablename__ = "alerts"
    __table_args__ = (Index("ix_alerts_open", "acknowledged_at", "level", "created_at"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    level: Mapped[str] = mapped_column(String(4))
    kind: Mapped[str] = mapped_column(String(32))
    openid: Mapped[str] = mapped_column(String(64), index=True)
    detail_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    idempotency_key: Mapped[str] = mapped_column(String(128), unique=True)
    created_at: Mapped[datetime]
    notified_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None] = mapped_column(String(64))
