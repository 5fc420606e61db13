"""How a chat begins, and how one that runs becomes more urgent."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.followers.models import Follower
from bot.inbox.calendar_table import read_calendar, targets_of
from bot.inbox.journal import step_line, tell_screens
from bot.inbox.models import Chat, ChatStatus, Lane, Step
from bot.inbox.office_models import ChatQueue
from bot.inbox.rows import SUMMARY, seal_text
from bot.inbox.rules import WorkingCalendar, due_moments
from bot.inbox.views import CRISIS_TOPIC
from bot.storage.encryption import FieldCipher
from bot.values.clock import Clock

FOLLOWER = "follower"


@dataclass(frozen=True, slots=True)
class Handover:
    """Who is handed over to which queue, with what staff see first. Without ``county`` the follower's own counts."""

    openid: str
    topic: str
    summary: str
    key: str
    reason: str
    county: str | None


@dataclass(frozen=True, slots=True)
class Office:
    """The queue of a topic, None when staff have removed it, and the hours."""

    topic: str
    queue: ChatQueue | None
    calendar: WorkingCalendar


async def read_office(session: AsyncSession, topic: str) -> Office:
    """Return the queue and the hours as they are now."""
    return Office(topic, await session.get(ChatQueue, topic), await read_calendar(session))


def lane_of(topic: str) -> Lane:
    """Return which chats of a queue come before others."""
    return Lane.URGENT if topic == CRISIS_TOPIC else Lane.NORMAL


def set_due(chat: Chat, office: Office, clock: Clock) -> None:
    """Count the targets of the chat's queue from now; a first answer that was given stays given."""
    due = due_moments(clock.now(), targets_of(office.queue), office.calendar)
    chat.resolution_due_at = due.resolution_at
    if chat.first_answer_at is None:
        chat.first_answer_due_at = due.first_answer_at


async def fresh_chat(
    session: AsyncSession, cipher: FieldCipher, clock: Clock, office: Office, handover: Handover
) -> Chat | None:
    """Store a new chat; None when the follower is in one since a moment ago."""
    now, openid = clock.now(), handover.openid
    chat = Chat(
        openid=openid,
        topic=handover.topic,
        lane=lane_of(handover.topic),
        county=handover.county or await session.scalar(select(Follower.county).where(Follower.openid == openid)),
        reason=handover.reason,
        summary_sealed=seal_text(cipher, handover.summary, SUMMARY),
        status=ChatStatus.WAITING.value,
        idempotency_key=handover.key,
        opened_at=now,
        last_at=now,
        unread=0,
        unanswered_since=now,
        # Whoever is handed over now is told when people are there.
        away_told_at=now,
    )
    set_due(chat, office, clock)
    try:
        async with session.begin_nested():
            session.add(chat)
    except IntegrityError:
        return None
    session.add(step_line(chat, Step.OPENED, FOLLOWER, clock, detail=handover.reason, key="opened"))
    tell_screens(session, chat, clock)
    return chat


def move_up(
    session: AsyncSession, chat: Chat, cipher: FieldCipher, clock: Clock, office: Office, handover: Handover
) -> None:
    """Put a chat that runs into a more urgent queue; whoever has it keeps it."""
    chat.summary_sealed, chat.reason = seal_text(cipher, handover.summary, SUMMARY), handover.reason
    if chat.topic != handover.topic:
        detail = f"{chat.topic}>{handover.topic}"
        session.add(step_line(chat, Step.ESCALATED, FOLLOWER, clock, detail=detail))
        chat.topic, chat.lane = handover.topic, lane_of(handover.topic)
        set_due(chat, office, clock)
    tell_screens(session, chat, clock)
