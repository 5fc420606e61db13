"""Between the inbox's rows and plain values: sealing on the way in, views on the way out."""

from bot.inbox.models import (
    Chat,
    ChatMessage,
    ChatStatus,
    DeliveryStatus,
    Direction,
    Lane,
    MediaState,
    MessageKind,
    Satisfaction,
    Step,
)
from bot.inbox.views import ChatView, MessageView
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
        lane=Lane(row.lane),
        opened_at=row.opened_at,
        last_at=row.last_at,
        heard_at=row.heard_at,
        unread=row.unread,
        unanswered_since=row.unanswered_since,
        claimed_by=row.claimed_by,
        claimed_at=row.claimed_at,
        first_answer_at=row.first_answer_at,
        first_answer_due_at=row.first_answer_due_at,
        resolution_due_at=row.resolution_due_at,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        close_reason=row.close_reason,
        reopened_count=row.reopened_count,
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
        media_state=None if row.media_state is None else MediaState(row.media_state),
        file_id=row.file_id,
        step=None if row.step is None else Step(row.step),
        detail=row.detail,
        author=row.author,
        delivery_status=DeliveryStatus(row.delivery_status),
        failure=row.failure,
        created_at=row.created_at,
    )
