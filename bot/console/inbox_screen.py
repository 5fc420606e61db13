"""What the inbox shows: the list, the chat with its composer, and what stands beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from actions.wording import day_with_weekday, time_text
from bot.console.errors import NotFound
from bot.console.forms import Form
from bot.console.visit import Visit
from bot.followers.models import FollowerView
from bot.followers.service import FollowerService
from bot.inbox.agents import AgentDirectory
from bot.inbox.alerts import AlertService
from bot.inbox.calendar_table import CalendarTable
from bot.inbox.canned import CannedReplies, Reply
from bot.inbox.desk import ChatDesk
from bot.inbox.errors import NoSuchChat
from bot.inbox.filters import ChatFilter, Cursor, Scope, Tab
from bot.inbox.lists import ChatLists
from bot.inbox.office import InboxOffice
from bot.inbox.placeholders import Filled, fill
from bot.inbox.rules import Mark, mark_of
from bot.inbox.views import ChatView, MessageView
from bot.legal.models import CaseSummary
from bot.legal.service import LegalService
from bot.registrations.service import RegistrationService
from bot.registrations.views import RegistrationView
from bot.storage.redis import RedisUnavailable
from bot.turns.allowances import AllowanceLedger
from bot.values.clock import LOCAL_ZONE, Clock
from bot.values.counties import County
from bot.values.texts import mask_personal
from bot.wechat.allowance import Allowance

READ, ANSWER, ASSIGN, UNMASK = "inbox:chat:read", "inbox:chat:answer", "inbox:chat:assign", "inbox:chat:unmask"
ALERTS: Final = "inbox:alert:read"
TEMPLATE: Final = "inbox/show.html"
FILTERS: Final = ("topic", "county", "agent", "since", "until", "like")
ALLOWANCE_LOW: Final = 1


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of the chat with its words masked; ``is_masked`` says that there is more to read, with a reason."""

    view: MessageView
    text: str
    is_masked: bool


@dataclass(frozen=True, slots=True)
class Marks:
    """How a chat stands to its targets, and how long the follower has waited for an answer, in minutes."""

    first_answer: Mark
    resolution: Mark
    waited_minutes: int | None


@dataclass(frozen=True, slots=True)
class Left:
    """What the follower may still be sent. ``count`` leaves out what is queued already."""

    count: int
    lasts: str
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Aside:
    """What stands beside a chat: who the follower is, masked, and what they have asked of the union."""

    follower: FollowerView | None
    name: str
    registrations: Sequence[RegistrationView]
    cases: Sequence[CaseSummary]
    others: Sequence[ChatView]
    notes: Sequence[tuple[ChatView, MessageView]]


@dataclass(frozen=True, slots=True)
class InboxParts:
    """The services behind the inbox's pages."""

    desk: ChatDesk
    lists: ChatLists
    office: InboxOffice
    replies: CannedReplies
    agents: AgentDirectory
    calendar: CalendarTable
    ledger: AllowanceLedger
    followers: FollowerService
    registrations: RegistrationService
    cases: LegalService
    alerts: AlertService
    clock: Clock
    has_template: bool


@dataclass(slots=True)
class Typed:
    """What somebody wrote that was not accepted, or that a canned reply puts into the composer."""

    form: Form | None = None
    values: dict[str, str] = field(default_factory=dict)


class InboxScreen:
    """Collects what the templates show. Every read is within what the viewer may see."""

    def __init__(self, parts: InboxParts) -> None:
        self._parts = parts

    async def visible(self, visit: Visit, permission: str = READ) -> ChatView:
        """Return the chat of the address if ``permission`` covers it; raises NotFound."""
        try:
            return await self._parts.lists.get(int(visit.path("chat")), scope_of(visit, permission))
        except NoSuchChat as error:
            raise NotFound from error

    async def list_page(self, visit: Visit) -> web.Response:
        """Answer the list without a chat, or the list alone for a script."""
        values = await self._list(visit)
        if visit.wants_fragment:
            return visit.part(TEMPLATE, "list", chat=None, **values)
        return visit.page(TEMPLATE, chat=None, **values)

    async def chat_page(self, visit: Visit, chat: ChatView, typed: Typed | None = None) -> web.Response:
        """Answer a chat beside the list, or the chat alone for a script; what was refused is shown as it was typed."""
        typed = typed or Typed()
        form = typed.form
        problems = form.problems if form is not None else {}
        values = await self._chat(visit, chat)
        values |= {"problems": problems, "typed": typed.values | (form.typed() if form is not None else {})}
        status = 422 if problems else 200
        if visit.wants_fragment:
            return visit.part(TEMPLATE, "conversation", status=status, query=_query(visit), **values)
        beside = {"aside": await self._aside(visit, chat), **await self._list(visit)}
        return visit.page(TEMPLATE, status=status, **{**beside, **values})

    async def list_values(self, visit: Visit) -> dict[str, Any]:
        """Return what the list shows."""
        return await self._list(visit)

    async def filled(self, visit: Visit, chat: ChatView, reply: Reply) -> Filled:
        """Return a canned reply with the values of this chat."""
        return fill(reply.text, await self._values(visit, chat))

    # The list

    async def _list(self, visit: Visit) -> dict[str, Any]:
        wanted, after = _wanted(visit), Cursor.read(visit.filters().raw("after"))
        scope, viewer = scope_of(visit, READ), visit.viewer.username
        if wanted.like is not None:
            # Whose chats are asked for must be somebody whose chat the viewer may see.
            try:
                await self._parts.lists.get(wanted.like, scope)
            except NoSuchChat as error:
                raise NotFound from error
        page = await self._parts.lists.page(scope, wanted, viewer, after=after)
        query = _query(visit)
        now = self._parts.clock.now()
        return {
            "lines": [(line, self._marks(line.chat, now)) for line in page.lines],
            "counts": await self._parts.lists.counts(scope, viewer),
            "open_alerts": len(await self._parts.alerts.open_alerts()) if visit.can(ALERTS) else 0,
            "queues": {queue.topic: queue.label for queue in await self._parts.office.queues()},
            "names": await self._parts.agents.names(),
            "counties": [(one.code, one.short) for one in County] if scope.county is None else [],
            "tab": wanted.tab.value,
            "chosen": _chosen(visit),
            "query": query,
            "next": f"/inbox?{query}&after={page.after}" if page.after is not None else None,
            "first": f"/inbox?{query}" if after is not None else None,
        }

    # The chat

    async def _chat(self, visit: Visit, chat: ChatView) -> dict[str, Any]:
        parts, now = self._parts, self._parts.clock.now()
        mine = chat.claimed_by == visit.viewer.username
        before = visit.filters().number("before", "位置", least=1, most=10**12, required=False)
        lines = await parts.lists.lines(chat.id, before=before)
        may_answer = visit.may_touch(ANSWER, county=chat.county, owner=chat.claimed_by)
        can_answer = may_answer and chat.is_running and (mine or chat.claimed_by is None)
        summary = await parts.desk.summary(chat.id)
        reasons = await parts.office.reasons(offered=False)
        return {
            "chat": chat,
            "chat_lines": [_shown(line) for line in lines.lines],
            "before": lines.before,
            "summary": mask_personal(summary),
            "summary_is_masked": mask_personal(summary) != summary,
            "marks": self._marks(chat, now),
            "left": await self._left(chat, lines.lines) if chat.is_running else None,
            "mine": mine,
            "may_answer": may_answer,
            "can_answer": can_answer,
            "may_assign": chat.is_running and (can_answer or self._may_assign(visit, chat)),
            "may_unmask": visit.may_touch(UNMASK, county=chat.county, owner=chat.claimed_by),
            "has_template": parts.has_template and not chat.is_urgent,
            "canned": await self._canned(visit, chat) if can_answer else [],
            "queues": {queue.topic: queue.label for queue in await parts.office.queues()},
            "names": await parts.agents.names(),
            "reason_labels": {reason.code: reason.label for reason in reasons},
        }

    def _may_assign(self, visit: Visit, chat: ChatView) -> bool:
        return visit.may_touch(ASSIGN, county=chat.county, owner=chat.claimed_by)

    def _marks(self, chat: ChatView, now: datetime) -> Marks:
        waited = None
        if chat.is_running and chat.unanswered_since is not None:
            waited = int((now - chat.unanswered_since).total_seconds() // 60)
        return Marks(
            mark_of(chat.opened_at, chat.first_answer_due_at, chat.first_answer_at or chat.closed_at, now),
            mark_of(chat.opened_at, chat.resolution_due_at, chat.closed_at, now),
            waited,
        )

    async def _left(self, chat: ChatView, lines: Sequence[MessageView]) -> Left:
        queued = sum(line.delivery_status.value in ("queued", "sending") for line in lines)
        try:
            allowance = await self._parts.ledger.of(chat.openid)
        except RedisUnavailable:
            return Left(0, "", is_known=False)
        if allowance is None:
            return Left(0, "")
        return Left(max(0, allowance.remaining - queued), self._lasts(allowance))

    def _lasts(self, allowance: Allowance) -> str:
        seconds = allowance.expires_at_ms / 1000 - self._parts.clock.now().timestamp()
        if seconds < timedelta(minutes=1).total_seconds():
            return "不到 1 分钟"
        minutes = int(seconds // 60)
        return f"{minutes} 分钟" if minutes < timedelta(hours=1).seconds // 60 else f"{minutes // 60} 小时"

    # Canned replies

    async def _canned(self, visit: Visit, chat: ChatView) -> list[tuple[Reply, Filled]]:
        offered = await self._parts.replies.offered(chat.topic)
        values = await self._values(visit, chat) if offered else {}
        return [(reply, fill(reply.text, values)) for reply in offered]

    async def _values(self, visit: Visit, chat: ChatView) -> Mapping[str, str]:
        """Return the values of the placeholders; the follower's name is no more than a surname."""
        registrations = await self._parts.registrations.find_for(chat.openid, limit=1)
        cases = await self._parts.cases.cases_of(chat.openid)
        calendar, now = await self._parts.calendar.calendar(), self._parts.clock.now()
        own = registrations[0] if registrations and registrations[0].relation == "self" else None
        surname = own.name_masked.split("*")[0] if own is not None else ""
        receipts = [(one.created_at, one.receipt) for one in registrations]
        receipts += [(one.created_at, one.receipt) for one in cases]
        opens_at = calendar.next_start(now)
        return {
            "name": f"{surname}同志",
            "receipt": max(receipts)[1] if receipts else "",
            "number": chat.number,
            "agent": visit.viewer.account.display_name,
            "open_at": "" if opens_at is None else _when(opens_at, now),
            "hours": " ".join(map(str, calendar.stretches(now.date()))),
        }

    # Beside it

    async def _aside(self, visit: Visit, chat: ChatView) -> Aside:
        parts, scope = self._parts, scope_of(visit, READ)
        registrations = await parts.registrations.find_for(chat.openid, limit=5)
        cases = await parts.cases.cases_of(chat.openid)
        if scope.county is not None:
            registrations = tuple(one for one in registrations if one.county == scope.county)
            cases = [one for one in cases if one.county == scope.county]
        own = next((one.name_masked for one in registrations if one.relation == "self"), "")
        return Aside(
            await parts.followers.find(chat.openid),
            own,
            registrations,
            cases,
            await parts.lists.others(chat, scope),
            await parts.lists.notes(chat, scope),
        )


def scope_of(visit: Visit, permission: str) -> Scope:
    """Return how far a permission reaches for the viewer; raises NotPermitted."""
    return Scope(visit.county_for(permission), visit.owner_for(permission))


def _shown(line: MessageView) -> ShownLine:
    masked = mask_personal(line.text)
    return ShownLine(line, masked, masked != line.text)


def _wanted(visit: Visit) -> ChatFilter:
    form = visit.filters()
    chosen = _chosen(visit)
    tab = form.raw("tab")
    since, until = form.day("since", "开始日期", required=False), form.day("until", "结束日期", required=False)
    return ChatFilter(
        tab=Tab(tab) if tab in set(Tab) and (tab != Tab.PERSON or chosen["like"]) else Tab.WAITING,
        topic=chosen["topic"],
        county=chosen["county"],
        agent=chosen["agent"],
        since=None if since is None else datetime.combine(since, time.min, LOCAL_ZONE),
        until=None if until is None else datetime.combine(until + timedelta(days=1), time.min, LOCAL_ZONE),
        like=form.number("like", "会话", least=1, most=10**9, required=False),
    )


def _chosen(visit: Visit) -> dict[str, str]:
    form = visit.filters()
    return {name: form.raw(name).strip()[:64] for name in FILTERS}


def _query(visit: Visit) -> str:
    """Return the list's part of an address, so that a chat keeps the list from which it was opened."""
    tab = visit.filters().raw("tab")
    chosen = {name: value for name, value in _chosen(visit).items() if value}
    return urlencode({"tab": tab if tab in set(Tab) else Tab.WAITING.value, **chosen})


def _when(moment: datetime, now: datetime) -> str:
    if moment.date() == now.date():
        return f"今天{time_text(moment.time())}"
    if moment.date() == now.date() + timedelta(days=1):
        return f"明天{time_text(moment.time())}"
    return f"{day_with_weekday(moment.date())}{time_text(moment.time())}"
