"""Chats, messages and alerts as staff see them, and messages as the sender needs them."""

from dataclasses import dataclass
from datetime import datetime

from bot.inbox.models import (
    AlertLevel,
    ChatStatus,
    DeliveryStatus,
    Direction,
    Lane,
    MediaState,
    MessageKind,
    Satisfaction,
    Step,
)

COMPLAINT_TOPIC, CRISIS_TOPIC = "complaint", "crisis"


def number_of(chat_id: int, topic: str) -> str:
    """Return the number by which people name a chat; complaints have letters of their own."""
    return f"{'TS' if topic == COMPLAINT_TOPIC else 'KF'}{chat_id:06d}"


@dataclass(frozen=True, slots=True)
class ChatView:
    """A chat as lists and the turn see it; nothing sealed is opened for it."""

    id: int
    openid: str
    topic: str
    county: str | None
    reason: str
    status: ChatStatus
    lane: Lane
    opened_at: datetime
    last_at: datetime
    heard_at: datetime | None
    unread: int
    unanswered_since: datetime | None
    claimed_by: str | None
    claimed_at: datetime | None
    first_answer_at: datetime | None
    first_answer_due_at: datetime | None
    resolution_due_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    close_reason: str | None
    reopened_count: int
    satisfaction: Satisfaction | None

    @property
    def number(self) -> str:
        return number_of(self.id, self.topic)

    @property
    def is_urgent(self) -> bool:
        return self.lane is Lane.URGENT

    @property
    def is_running(self) -> bool:
        return self.status is not ChatStatus.CLOSED


@dataclass(frozen=True, slots=True)
class MessageView:
    """One line of a chat, opened for the staff member who has it: a message, a note, or a step with its detail."""

    id: int
    direction: Direction
    kind: MessageKind
    text: str
    media_ref: str | None
    media_state: MediaState | None
    file_id: str | None
    step: Step | None
    detail: str
    author: str
    delivery_status: DeliveryStatus
    failure: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """A message that waits to be sent. ``send_key`` is the platform's idempotency key for it.

    ``heard_at`` is when the follower last wrote in this chat, from which the platform's window for answers counts.
    ``media_ref`` is the platform's id of the picture ``file_id``, good until ``media_until``.
    """

    id: int
    chat_id: int
    topic: str
    openid: str
    kind: MessageKind
    text: str
    media_ref: str | None
    media_until: datetime | None
    file_id: str | None
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
