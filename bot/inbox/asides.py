"""What staff do beside answering: notes, marking as read, sending again, notifying where no answer can go out."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.inbox.errors import NoSuchMessage
from bot.inbox.journal import StaffJournal, add_message, line_by_key, locked
from bot.inbox.models import Chat, ChatMessage, ChatStatus, DeliveryStatus, Direction, Lane, MessageKind
from bot.inbox.rows import message_view, seal_text
from bot.inbox.views import MessageView
from bot.staff.audit import AuditWriter
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

CONTENT = (MessageKind.TEXT.value, MessageKind.IMAGE.value)
"""What can be sent again; a question or a notification is not repeated by hand."""


@dataclass(frozen=True, slots=True)
class Noted:
    """The note is in the chat, for staff alone."""

    note: MessageView


@dataclass(frozen=True, slots=True)
class SentAgain:
    """The message waits to be sent once more, as a message of its own."""

    message_id: int


@dataclass(frozen=True, slots=True)
class NotSentAgain:
    """The message did not fail, or it is not one that can be sent again."""


@dataclass(frozen=True, slots=True)
class Reminded:
    """The notification waits to be sent: that there is an answer, nothing of what it says."""


@dataclass(frozen=True, slots=True)
class NoReminder:
    """A notification would show on a locked screen that this person is in danger."""


@dataclass(frozen=True, slots=True)
class RemindedBefore:
    """The follower has had a notification since they last wrote."""

    at: datetime


@dataclass(frozen=True, slots=True)
class NotYours:
    """Only the agent who has the running chat does this; ``agent`` is who has it, None when nobody has."""

    agent: str | None


ResendOutcome = SentAgain | NotSentAgain | NotYours
RemindOutcome = Reminded | NoReminder | RemindedBefore | NotYours


class ChatAsides:
    """Callers check beforehand who may see which queue and county; ``source`` is for the trail."""

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock, *, trail: AuditWriter) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._journal = StaffJournal(clock, trail)

    async def note(self, chat_id: int, by: str, text: str, key: str, *, source: str = "") -> Noted:
        """Keep a note for staff alone, also on a closed chat; the same ``key`` keeps it once. Raises NoSuchChat."""
        async with self._database.transaction() as session:
            chat = await locked(session, chat_id)
            row = await line_by_key(session, f"note:{chat_id}:{key}")
            if row is None:
                row = note_line(self._cipher, chat, by, text, key, self._clock)
                session.add(row)
                await session.flush()
                await self._journal.did(session, chat, "note", by, source)
            return Noted(message_view(self._cipher, row))

    async def seen(self, chat_id: int, agent: str) -> bool:
        """Mark a chat as read when it is ``agent``'s; say whether anything was unread. Nobody else marks it."""
        async with self._database.transaction() as session:
            marked = await session.execute(
                update(Chat)
                .where(Chat.id == chat_id, Chat.claimed_by == agent, Chat.unread > 0)
                .values(unread=0)
                .returning(Chat.id)
                .execution_options(synchronize_session=False)
            )
            return marked.first() is not None

    async def resend(self, chat_id: int, message_id: int, agent: str, key: str, *, source: str = "") -> ResendOutcome:
        """Queue the content of a failed message anew; the same ``key`` does so once.

        Raises NoSuchChat, NoSuchMessage.
        """
        async with self._database.transaction() as session:
            chat = await locked(session, chat_id)
            failed = await session.get(ChatMessage, message_id)
            if failed is None or failed.chat_id != chat_id:
                raise NoSuchMessage(message_id=message_id)
            if not _has(chat, agent):
                return NotYours(chat.claimed_by)
            repeated = await line_by_key(session, f"again:{chat_id}:{key}")
            if repeated is not None:
                return SentAgain(repeated.id)
            if failed.delivery_status != DeliveryStatus.FAILED.value or failed.kind not in CONTENT:
                return NotSentAgain()
            row = self._outbound(chat_id, failed.kind, agent, f"again:{chat_id}:{key}")
            row.text_sealed, row.file_id = failed.text_sealed, failed.file_id
            await add_message(session, chat, row)
            await self._journal.did(session, chat, "resend", agent, source, detail=str(message_id))
            return SentAgain(row.id)

    async def remind(self, chat_id: int, agent: str, *, source: str = "") -> RemindOutcome:
        """Queue a template notification, once for each time that the follower falls silent. Raises NoSuchChat."""
        async with self._database.transaction() as session:
            chat = await locked(session, chat_id)
            if not _has(chat, agent):
                return NotYours(chat.claimed_by)
            if chat.lane == Lane.URGENT:
                return NoReminder()
            earlier = await self._reminders(session, chat)
            if earlier and earlier[-1].delivery_status != DeliveryStatus.FAILED:
                sent_at = earlier[-1].sent_at
                return Reminded() if sent_at is None else RemindedBefore(sent_at)
            # One that failed, for instance because the account had no template then, may be tried again.
            key = f"remind:{chat_id}:{chat.heard_at or chat.opened_at:%Y%m%dT%H%M%S}:{len(earlier)}"
            session.add(self._outbound(chat_id, MessageKind.REMINDER.value, agent, key))
            await session.flush()
            await self._journal.did(session, chat, "remind", agent, source)
            return Reminded()

    async def _reminders(self, session: AsyncSession, chat: Chat) -> list[ChatMessage]:
        """Return the notifications since the follower last wrote, oldest first."""
        wanted = select(ChatMessage).where(
            ChatMessage.chat_id == chat.id,
            ChatMessage.kind == MessageKind.REMINDER.value,
            ChatMessage.created_at >= (chat.heard_at or chat.opened_at),
        )
        return list(await session.scalars(wanted.order_by(ChatMessage.id)))

    def _outbound(self, chat_id: int, kind: str, agent: str, key: str) -> ChatMessage:
        return ChatMessage(
            chat_id=chat_id,
            direction=Direction.OUTBOUND.value,
            kind=kind,
            author=agent,
            idempotency_key=key,
            delivery_status=DeliveryStatus.QUEUED.value,
            created_at=self._clock.now(),
        )


def note_line(cipher: FieldCipher, chat: Chat, by: str, text: str, key: str, clock: Clock) -> ChatMessage:
    """Return the line of a note."""
    return ChatMessage(
        chat_id=chat.id,
        direction=Direction.INTERNAL.value,
        kind=MessageKind.NOTE.value,
        text_sealed=seal_text(cipher, text),
        author=by,
        idempotency_key=f"note:{chat.id}:{key}",
        delivery_status=DeliveryStatus.RECEIVED.value,
        created_at=clock.now(),
    )


def _has(chat: Chat, agent: str) -> bool:
    return chat.status == ChatStatus.OPEN and chat.claimed_by == agent
