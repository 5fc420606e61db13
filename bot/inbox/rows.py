"""Between the inbox's rows and plain values: sealing on the way in, views on the way out."""

from bot.inbox.models import (
    Chat,
    ChatMessage,
    ChatStatus,
    ChatView,
    DeliveryStatus,
    Direction,
    MessageKind,
    MessageView,
    Satisfaction,
)
from bot.storage.encryption import FieldCipher

MESSAGE_TEXT = "chat_messages.text"
SUMMARY = "chats.summary"


def seal_text(cipher: FieldCipher, text: str, context: str = MESSAGE_TEXT) -> bytes | None:
    """Return ``text`` sealed, or None when there is nothing to seal."""
    return cipher.seal(text, context) if text else None


def open_text(cipher: FieldCipher, sealed: bytes | None, context: str = MESSAGE_TEXT) -> str:
    """Return the text inside, or ``""``."""
    return "" if sealed is None else cipher.open(sealed, context)


def view_of(row: Chat) -> ChatView:
    """Return what lists show of a chat; nothing sealed is opened."""
    return ChatView(
        id=row.id,
        openid=row.openid,
        topic=row.topic,
        county=row.county,
        reason=row.reason,
        status=ChatStatus(row.status),
        opened_at=row.opened_at,
        claimed_by=row.claimed_by,
        closed_at=row.closed_at,
        close_reason=row.close_reason,
        satisfaction=None if row.satisfaction is None else Satisfaction(row.satisfaction),
    )


def message_view(cipher: FieldCipher, row: ChatMessage) -> MessageView:
    """Return a message opened for staff, or for an export to its owner."""
    return MessageView(
        id=row.id,
        direction=Direction(row.direction),
        kind=MessageKind(row.kind),
        text=open_text(cipher, row.text_sealed),
        media_ref=row.media_ref,
        author=row.author,
        delivery_status=DeliveryStatus(row.delivery_status),
        failure=row.failure,
        created_at=row.created_at,
    )
