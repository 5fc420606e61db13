"""Lists of chats for the console: within a scope, page by page, with what a line shows; and the lines of one chat."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from bot.inbox.errors import NoSuchChat
from bot.inbox.filters import ChatFilter, Cursor, Scope, Tab, microseconds, moment_of, within
from bot.inbox.models import RUNNING, Chat, ChatMessage, ChatStatus, Direction, Lane, MessageKind
from bot.inbox.rows import SUMMARY, message_view, open_text, view_of
from bot.inbox.views import ChatView, MessageView
from bot.inbox.waiting import WAITING_ORDER
from bot.registrations.models import Registration
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.texts import mask_personal

PREVIEW_CHARS = 40
ONESELF = "self"
"""The relation of a registration that is the follower's own; the name on any other is somebody else's."""


@dataclass(frozen=True, slots=True)
class ChatLine:
    """A chat in a list. ``name`` is masked, ``""`` when none is known; ``preview`` is masked and cut short.

    ``is_to_bot`` says that the preview is what the follower told the bot before, because nothing was said to people
    yet. The preview of a chat about a danger is empty: its words are for whoever opens it.
    """

    chat: ChatView
    name: str
    preview: str
    preview_kind: MessageKind
    is_own: bool
    is_to_bot: bool = False


@dataclass(frozen=True, slots=True)
class ChatPage:
    """One page; ``after`` goes on behind it, None at the end."""

    lines: tuple[ChatLine, ...]
    after: Cursor | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many chats run within a scope. ``mine`` are the viewer's; ``overdue`` have missed a target."""

    waiting: int
    mine: int
    mine_unread: int
    running: int
    overdue: int
    urgent_waiting: int


@dataclass(frozen=True, slots=True)
class Lines:
    """The newest lines of a chat, oldest first; ``before`` gives the ones before them, None when there are none."""

    lines: tuple[MessageView, ...]
    before: int | None


class ChatLists:
    """Reads for the console. A chat outside the scope is NoSuchChat: nobody learns that it exists."""

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def page(
        self, scope: Scope, wanted: ChatFilter, viewer: str, *, after: Cursor | None = None, limit: int = 30
    ) -> ChatPage:
        """Return one page: the longest waiting first, what was said last first elsewhere, dangers before all."""
        async with self._database.reading() as session:
            query = select(Chat).where(*within(scope), *self._narrowed(wanted))
            rows = await _rows(session, query, wanted, viewer, after, limit + 1)
            shown = rows[:limit]
            lines = await self._lines(session, shown)
        if len(rows) <= limit:
            return ChatPage(lines, None)
        last = shown[-1]
        at = last.closed_at if wanted.tab is Tab.CLOSED else last.last_at
        return ChatPage(lines, Cursor(last.lane, microseconds(at or last.last_at), last.id))

    async def counts(self, scope: Scope, viewer: str) -> Counts:
        """Return the numbers beside the lists, in one query over the running chats."""
        now = self._clock.now()
        waits, mine = Chat.status == ChatStatus.WAITING.value, Chat.claimed_by == viewer
        late = or_((Chat.first_answer_at.is_(None)) & (Chat.first_answer_due_at < now), Chat.resolution_due_at < now)
        parts = (waits, mine, mine & (Chat.unread > 0), Chat.id.is_not(None), late, waits & (Chat.lane == 0))
        query = select(*(func.count().filter(part) for part in parts)).where(sql(RUNNING), *within(scope))
        async with self._database.reading() as session:
            return Counts(*(int(number) for number in (await session.execute(query)).one()))

    async def get(self, chat_id: int, scope: Scope) -> ChatView:
        """Return one chat; raises NoSuchChat."""
        async with self._database.reading() as session:
            row = await session.scalar(select(Chat).where(Chat.id == chat_id, *within(scope)))
        if row is None:
            raise NoSuchChat(chat_id=chat_id)
        return view_of(row)

    async def lines(self, chat_id: int, *, before: int | None = None, limit: int = 60) -> Lines:
        """Return messages, notes and steps of a chat that ``get`` has given."""
        query = select(ChatMessage).where(ChatMessage.chat_id == chat_id)
        if before is not None:
            query = query.where(ChatMessage.id < before)
        async with self._database.reading() as session:
            rows = (await session.scalars(query.order_by(ChatMessage.id.desc()).limit(limit + 1))).all()
        shown = tuple(message_view(self._cipher, row) for row in reversed(rows[:limit]))
        return Lines(shown, shown[0].id if len(rows) > limit else None)

    async def line(self, chat_id: int, message_id: int) -> MessageView | None:
        """Return one line of a chat that ``get`` has given."""
        async with self._database.reading() as session:
            row = await session.get(ChatMessage, message_id)
        return None if row is None or row.chat_id != chat_id else message_view(self._cipher, row)

    def opener(self, chat_id: int, message_id: int | None) -> Callable[[AsyncSession], Awaitable[str | None]]:
        """Return what opens a line's words, or with None what the chat was handed over with, inside a transaction."""

        async def read(session: AsyncSession) -> str | None:
            if message_id is None:
                chat = await session.get(Chat, chat_id)
                return None if chat is None else open_text(self._cipher, chat.summary_sealed, SUMMARY) or None
            row = await session.get(ChatMessage, message_id)
            return None if row is None or row.chat_id != chat_id else open_text(self._cipher, row.text_sealed) or None

        return read

    async def notes(self, chat: ChatView, scope: Scope, *, limit: int = 5) -> list[tuple[ChatView, MessageView]]:
        """Return the latest notes on this follower, newest first, each with its chat."""
        query = (
            select(Chat, ChatMessage)
            .join(ChatMessage, ChatMessage.chat_id == Chat.id)
            .where(Chat.openid == chat.openid, ChatMessage.kind == MessageKind.NOTE.value, *within(scope))
            .order_by(ChatMessage.id.desc())
            .limit(limit)
        )
        async with self._database.reading() as session:
            return [(view_of(row), message_view(self._cipher, note)) for row, note in await session.execute(query)]

    async def others(self, chat: ChatView, scope: Scope, *, limit: int = 5) -> list[ChatView]:
        """Return the follower's other chats, newest first."""
        query = select(Chat).where(Chat.openid == chat.openid, Chat.id != chat.id, *within(scope))
        async with self._database.reading() as session:
            return [view_of(row) for row in await session.scalars(query.order_by(Chat.id.desc()).limit(limit))]

    def _narrowed(self, wanted: ChatFilter) -> list[ColumnElement[bool]]:
        pairs = ((Chat.topic, wanted.topic), (Chat.county, wanted.county), (Chat.claimed_by, wanted.agent))
        fits: list[ColumnElement[bool]] = [column == value for column, value in pairs if value]
        moment = Chat.closed_at if wanted.tab is Tab.CLOSED else Chat.opened_at
        if wanted.since is not None:
            fits.append(moment >= wanted.since)
        if wanted.until is not None:
            fits.append(moment < wanted.until)
        return fits

    async def _lines(self, session: AsyncSession, rows: Sequence[Chat]) -> tuple[ChatLine, ...]:
        names = await _names(session, {row.openid for row in rows})
        latest = await _latest(session, [row.last_message_id for row in rows if row.last_message_id is not None])
        return tuple(self._line(row, names.get(row.openid, ""), latest.get(row.id)) for row in rows)

    def _line(self, row: Chat, name: str, latest: ChatMessage | None) -> ChatLine:
        if row.lane == Lane.URGENT:
            return ChatLine(view_of(row), name, "", MessageKind.TEXT, is_own=False)
        if latest is None:
            words = _preview(open_text(self._cipher, row.summary_sealed, SUMMARY))
            return ChatLine(view_of(row), name, words, MessageKind.TEXT, is_own=False, is_to_bot=bool(words))
        message = message_view(self._cipher, latest)
        is_own = message.direction is Direction.OUTBOUND
        return ChatLine(view_of(row), name, _preview(message.text), message.kind, is_own=is_own)


def _preview(words: str) -> str:
    return mask_personal(" ".join(words.split()))[:PREVIEW_CHARS]


async def _rows(
    session: AsyncSession, query: Select[Chat], wanted: ChatFilter, viewer: str, after: Cursor | None, limit: int
) -> list[Chat]:
    match wanted.tab:
        case Tab.WAITING:
            query = query.where(Chat.status == ChatStatus.WAITING.value).order_by(*WAITING_ORDER)
            if after is not None:
                query = query.where(tuple_(*WAITING_ORDER) > tuple_(after.lane, after.id))
        case Tab.MINE:
            query = query.where(Chat.status == ChatStatus.OPEN.value, Chat.claimed_by == viewer)
            return await _by_lanes(session, query, after, limit)
        case Tab.ALL:
            return await _by_lanes(session, query.where(sql(RUNNING)), after, limit)
        case Tab.CLOSED:
            query = query.where(Chat.status == ChatStatus.CLOSED.value)
            query = query.order_by(Chat.closed_at.desc(), Chat.id.desc())
            if after is not None:
                at = moment_of(after.at_us)
                query = query.where(Chat.closed_at <= at, or_(Chat.closed_at < at, Chat.id < after.id))
        case Tab.PERSON:
            openid = select(Chat.openid).where(Chat.id == wanted.like).scalar_subquery()
            query = query.where(Chat.openid == openid).order_by(Chat.id.desc())
            if after is not None:
                query = query.where(Chat.id < after.id)
    return list(await session.scalars(query.limit(limit)))


async def _by_lanes(session: AsyncSession, query: Select[Chat], after: Cursor | None, limit: int) -> list[Chat]:
    """Return the urgent lane and then the other, each with what was said last first: each a walk along an index."""
    found: list[Chat] = []
    for lane in Lane:
        if after is not None and lane < after.lane:
            continue
        part = query.where(Chat.lane == lane.value).order_by(Chat.last_at.desc(), Chat.id.desc())
        if after is not None and lane == after.lane:
            at = moment_of(after.at_us)
            part = part.where(Chat.last_at <= at, or_(Chat.last_at < at, Chat.id < after.id))
        found += await session.scalars(part.limit(limit - len(found)))
        if len(found) >= limit:
            break
    return found


async def _names(session: AsyncSession, openids: Collection[str]) -> Mapping[str, str]:
    """Return the masked name that each follower gave for themselves in their latest registration."""
    latest = (
        select(func.max(Registration.id))
        .where(Registration.openid.in_(openids), Registration.relation == ONESELF)
        .group_by(Registration.openid)
    )
    found = await session.execute(
        select(Registration.openid, Registration.name_masked).where(Registration.id.in_(latest))
    )
    return dict(found.all())


async def _latest(session: AsyncSession, ids: Collection[int]) -> Mapping[int, ChatMessage]:
    rows = await session.scalars(select(ChatMessage).where(ChatMessage.id.in_(ids)))
    return {row.chat_id: row for row in rows}
