"""The inbox's part of an export or erasure."""

from collections.abc import Awaitable, Callable

from sqlalchemy import delete, select

from bot.followers.privacy import JsonValue, erased_holder
from bot.inbox.duty import DETAIL
from bot.inbox.journal import tell_screens
from bot.inbox.models import Alert, Chat, ChatMessage, ChatStatus, Direction
from bot.inbox.rows import SUMMARY, message_view, open_text
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

RemoveFile = Callable[[str], Awaitable[None]]


class InboxData:
    """Implements ``PersonalData`` for chats and alerts.

    Messages, notes and pictures are deleted; the chat and the alert themselves stay as numbers, without the OpenID,
    for the statistics and for the record that somebody was told. Notes are staff's own words to each other and are
    not part of an export.
    """

    subject = "inbox"

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock, *, remove_file: RemoveFile) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._remove_file = remove_file

    async def export(self, openid: str) -> JsonValue:
        """Return the follower's chats with their messages, and the alerts raised about them."""
        async with self._database.reading() as session:
            chats = list(await session.scalars(select(Chat).where(Chat.openid == openid).order_by(Chat.id)))
            alerts = list(await session.scalars(select(Alert).where(Alert.openid == openid).order_by(Alert.id)))
            messages: dict[int, list[JsonValue]] = {chat.id: [] for chat in chats}
            owned = select(ChatMessage).where(
                ChatMessage.chat_id.in_(messages), ChatMessage.direction != Direction.INTERNAL.value
            )
            for row in await session.scalars(owned.order_by(ChatMessage.id)):
                messages[row.chat_id].append(self._message(row))
        return {
            "chats": [self._chat(chat, messages[chat.id]) for chat in chats],
            "alerts": [
                {
                    "level": alert.level,
                    "kind": alert.kind,
                    "detail": open_text(self._cipher, alert.detail_sealed, DETAIL),
                    "created_at": alert.created_at.isoformat(),
                }
                for alert in alerts
            ],
        }

    async def erase(self, openid: str) -> int:
        """Delete the messages and strip chats and alerts; a chat that is still running ends."""
        holder = erased_holder(self._cipher, openid)
        async with self._database.transaction() as session:
            chats = list(await session.scalars(select(Chat).where(Chat.openid == openid).with_for_update()))
            alerts = list(await session.scalars(select(Alert).where(Alert.openid == openid).with_for_update()))
            gone = await session.execute(
                delete(ChatMessage)
                .where(ChatMessage.chat_id.in_([chat.id for chat in chats]))
                .returning(ChatMessage.file_id)
            )
            deleted = list(gone.scalars())
            for chat in chats:
                chat.openid, chat.summary_sealed, chat.last_message_id = holder, None, None
                tell_screens(session, chat, self._clock)
                if chat.status != ChatStatus.CLOSED:
                    chat.status, chat.closed_at = ChatStatus.CLOSED.value, self._clock.now()
                    chat.closed_by, chat.close_reason = "privacy", "erased"
            for alert in alerts:
                alert.openid, alert.detail_sealed = holder, None
            # Inside the transaction: when a file cannot be removed, the rows that point to it come back as well.
            for file_id in filter(None, deleted):
                await self._remove_file(file_id)
            return len(chats) + len(alerts) + len(deleted)

    def _chat(self, chat: Chat, messages: list[JsonValue]) -> JsonValue:
        return {
            "topic": chat.topic,
            "status": chat.status,
            "summary": open_text(self._cipher, chat.summary_sealed, SUMMARY),
            "opened_at": chat.opened_at.isoformat(),
            "closed_at": chat.closed_at.isoformat() if chat.closed_at else None,
            "satisfaction": chat.satisfaction,
            "messages": messages,
        }

    def _message(self, row: ChatMessage) -> JsonValue:
        message = message_view(self._cipher, row)
        return {
            "direction": message.direction.value,
            "kind": message.kind.value,
            "text": message.text,
            "file": message.file_id,
            "at": message.created_at.isoformat(),
        }
