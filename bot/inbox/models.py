"""Escalated chats, their messages, the hours staff keep, and alerts."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base


class ChatStatus(StrEnum):
    """A chat waits for a person, is open with one, or is over."""

    WAITING = "waiting"
    OPEN = "open"
    CLOSED = "closed"


class Direction(StrEnum):
    """Who a message of a chat came from."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class MessageKind(StrEnum):
    """What a message consists of. ``SATISFACTION`` is the question after closing; its words are a response text."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    OTHER = "other"
    SATISFACTION = "satisfaction"


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


class ChatQueue(Base):
    """One queue of chats, by topic. Staff edit its label and how long an answer usually takes."""

    __tablename__ = "chat_queues"

    topic: Mapped[str] = mapped_column(String(32), primary_key=True)
    label: Mapped[str] = mapped_column(String(64))
    usual_answer_minutes: Mapped[int] = mapped_column(Integer)


class WorkingHours(Base):
    """A stretch of a weekday in which staff answer; a weekday may have several. Times are ``HH:MM``, local."""

    __tablename__ = "working_hours"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    weekday: Mapped[int] = mapped_column(Integer)
    opens: Mapped[str] = mapped_column(String(5))
    closes: Mapped[str] = mapped_column(String(5))


class CalendarDay(Base):
    """A day that does not follow its weekday: a holiday, or a weekend day that is worked like ``works_as``."""

    __tablename__ = "calendar_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    works_as: Mapped[int | None] = mapped_column(Integer)
    label: Mapped[str] = mapped_column(String(32), default="")


class Chat(Base):
    """One conversation between a follower and staff. A follower has at most one that is not closed."""

    __tablename__ = "chats"
    __table_args__ = (
        Index(
            "uq_chats_one_running",
            "openid",
            unique=True,
            sqlite_where=text("status <> 'closed'"),
            postgresql_where=text("status <> 'closed'"),
        ),
        Index("ix_chats_status_topic", "status", "topic", "opened_at"),
        # Reports count what happened on a day.
        Index(None, "opened_at"),
        Index(None, "first_answer_at"),
        Index(None, "closed_at"),
        Index(None, "rated_at"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    openid: Mapped[str] = mapped_column(String(64), index=True)
    topic: Mapped[str] = mapped_column(String(32))
    county: Mapped[str | None] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(64), default="")
    summary_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    status: Mapped[str] = mapped_column(String(16), default=ChatStatus.WAITING.value)
    idempotency_key: Mapped[str] = mapped_column(String(128), unique=True)
    opened_at: Mapped[datetime]
    claimed_by: Mapped[str | None] = mapped_column(String(64), index=True)
    claimed_at: Mapped[datetime | None]
    first_answer_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(String(64))
    close_reason: Mapped[str | None] = mapped_column(String(64))
    close_key: Mapped[str | None] = mapped_column(String(128))
    satisfaction: Mapped[int | None] = mapped_column(Integer)
    rated_at: Mapped[datetime | None]
    rating_key: Mapped[str | None] = mapped_column(String(128))


class ChatMessage(Base):
    """One message of a chat, in either direction. ``idempotency_key`` makes a repeated delivery one row."""

    __tablename__ = "chat_messages"
    __table_args__ = (Index("ix_chat_messages_delivery", "delivery_status", "not_before"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey("chats.id"), index=True)
    direction: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    text_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    media_ref: Mapped[str | None] = mapped_column(String(256))
    author: Mapped[str] = mapped_column(String(64))
    idempotency_key: Mapped[str] = mapped_column(String(160), unique=True)
    delivery_status: Mapped[str] = mapped_column(String(16))
    not_before: Mapped[datetime | None]
    taken_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]


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


@dataclass(frozen=True, slots=True)
class ChatView:
    """A chat as lists and the turn see it; nothing sealed is opened for it."""

    id: int
    openid: str
    topic: str
    county: str | None
    reason: str
    status: ChatStatus
    opened_at: datetime
    claimed_by: str | None
    closed_at: datetime | None
    close_reason: str | None
    satisfaction: Satisfaction | None


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message, opened for the staff member who has the chat."""

    id: int
    direction: Direction
    kind: MessageKind
    text: str
    media_ref: str | None
    author: str
    delivery_status: DeliveryStatus
    failure: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """A message that waits to be sent. ``send_key`` is the platform's idempotency key for it.

    ``heard_at`` is when the follower last wrote in this chat, from which the platform's window for answers counts.
    """

    id: int
    chat_id: int
    openid: str
    kind: MessageKind
    text: str
    media_ref: str | None
    send_key: str
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert as staff on duty see it."""

    id: int
    level: AlertLevel
    kind: str
    openid: str
    detail: str
    created_at: datetime
    notified_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
