"""What every step of a chat leaves behind: its line in the chat, a note for the screens, and the audit row."""

import secrets

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.inbox.errors import NoSuchChat
from bot.inbox.models import Chat, ChatMessage, DeliveryStatus, Direction, InboxChange, MessageKind, Step
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.values.clock import Clock


def tell_screens(session: AsyncSession, chat: Chat, clock: Clock, *, left_county: str | None = None) -> None:
    """Note that the chat looks different now; ``left_county`` is where it was until this moment."""
    counties = {chat.county} if left_county is None else {chat.county, left_county}
    for county in counties:
        session.add(InboxChange(chat_id=chat.id, county=county, agent=chat.claimed_by, at=clock.now()))


def step_line(chat: Chat, step: Step, by: str, clock: Clock, *, detail: str = "", key: str = "") -> ChatMessage:
    """Return the line of a step; the same ``key`` makes it one line. ``detail`` holds codes, nothing personal."""
    return ChatMessage(
        chat_id=chat.id,
        direction=Direction.INTERNAL.value,
        kind=MessageKind.STEP.value,
        step=step.value,
        detail=detail[:128],
        author=by,
        idempotency_key=f"step:{chat.id}:{key or secrets.token_hex(12)}",
        delivery_status=DeliveryStatus.RECEIVED.value,
        created_at=clock.now(),
    )


async def add_message(session: AsyncSession, chat: Chat, row: ChatMessage) -> None:
    """Store a message that goes from one side to the other, and let the chat move up in the lists.

    A step among them moves it too, but the lists go on showing what was said before.
    """
    session.add(row)
    await session.flush()
    chat.last_at = row.created_at
    if row.kind != MessageKind.STEP:
        chat.last_message_id = row.id


async def line_by_key(session: AsyncSession, key: str) -> ChatMessage | None:
    """Return the line that was stored with this key."""
    return (await session.scalars(select(ChatMessage).where(ChatMessage.idempotency_key == key))).one_or_none()


async def locked(session: AsyncSession, chat_id: int) -> Chat:
    """Return the chat's row, locked until the transaction ends; raises NoSuchChat."""
    wanted = select(Chat).where(Chat.id == chat_id).with_for_update().execution_options(populate_existing=True)
    chat = (await session.scalars(wanted)).one_or_none()
    if chat is None:
        raise NoSuchChat(chat_id=chat_id)
    return chat


class StaffJournal:
    """Writes down what staff do with a chat, in the transaction in which it is done."""

    def __init__(self, clock: Clock, trail: AuditWriter) -> None:
        self._clock = clock
        self._trail = trail

    async def step(
        self,
        session: AsyncSession,
        chat: Chat,
        step: Step,
        by: str,
        source: str,
        *,
        detail: str = "",
        key: str = "",
        left_county: str | None = None,
    ) -> None:
        """Add the line of a step, tell the screens, and write the trail."""
        session.add(step_line(chat, step, by, self._clock, detail=detail, key=key))
        await self.did(session, chat, step.value, by, source, detail=detail, left_county=left_county)

    async def did(
        self,
        session: AsyncSession,
        chat: Chat,
        what: str,
        by: str,
        source: str,
        *,
        detail: str = "",
        left_county: str | None = None,
    ) -> None:
        """Tell the screens and write the trail, for what has a line of its own in the chat."""
        tell_screens(session, chat, self._clock, left_county=left_county)
        record = AuditRecord(by, f"inbox:chat:{what}", "chat", str(chat.id), detail[:255], source)
        await self._trail.append(session, record)
