"""The inbox: chats that wait for people, answered here; pages follow what happens without being reloaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, assert_never
from urllib.parse import urlencode

from aiohttp import web

from bot.console.errors import NotFound
from bot.console.forms import Form
from bot.console.live import LiveChats
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.inbox.desk import ChatDesk, ChatIsOver, Claimed, Closed, Queued, TakenBy
from bot.inbox.feed import Glance
from bot.inbox.models import ChatStatus, ChatView
from bot.legal.models import CaseSummary
from bot.legal.service import LegalService
from bot.registrations.service import RegistrationService
from bot.registrations.views import RegistrationView
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.values.problem import Problem

READ: Final = "inbox:chat:read"
ANSWER: Final = "inbox:chat:answer"
CHAT: Final = "/inbox/{chat:[0-9]{1,9}}"
VIEWS: Final = ("waiting", "mine", "all", "closed")
LISTED: Final = 60
ANSWER_MAX_CHARS: Final = 600
"""The platform takes 2,048 bytes of text, which are 682 Chinese characters."""


@dataclass(frozen=True, slots=True)
class Aside:
    """What stands beside a chat: the follower's registrations, masked, and legal cases."""

    registrations: Sequence[RegistrationView]
    cases: Sequence[CaseSummary]


class InboxPages:
    """Lists, one chat, and the stream of what changes."""

    def __init__(
        self,
        desk: ChatDesk,
        live: LiveChats,
        registrations: RegistrationService,
        cases: LegalService,
        trail: AuditWriter,
    ) -> None:
        self._desk = desk
        self._live = live
        self._registrations = registrations
        self._cases = cases
        self._trail = trail

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of the menu."""
        return [NavItem("会话", "/inbox", READ, "办理")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/inbox", self.show, READ),
            Route("GET", "/inbox/events", self.events, READ),
            Route("GET", CHAT, self.chat, READ),
            Route("POST", f"{CHAT}/claim", self.claim, ANSWER),
            Route("POST", f"{CHAT}/answer", self.answer, ANSWER),
            Route("GET", f"{CHAT}/close", self.ask_close, ANSWER),
            Route("POST", f"{CHAT}/close", self.close, ANSWER),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:
        """Return how many chats wait where the viewer may look."""
        if not visit.can(READ):
            return []
        waiting = await self._desk.waiting(county=visit.county_for(READ), limit=LISTED)
        return [Tile("会话在等人", len(waiting), "/inbox?view=waiting", urgent=True)]

    # Looking

    async def show(self, visit: Visit) -> web.StreamResponse:
        """List the chats of a view."""
        values = await self._list(visit)
        if visit.wants_fragment:
            return visit.part("inbox/show.html", "list", **values)
        return visit.page("inbox/show.html", chat=None, **values)

    async def chat(self, visit: Visit) -> web.StreamResponse:
        """Show one chat beside the list."""
        return await self._chat_page(visit, await self._visible(visit))

    async def events(self, visit: Visit) -> web.StreamResponse:
        """Tell the page which chats changed, as far as the viewer may see them."""
        county = visit.county

        def wanted(glance: Glance) -> bool:
            return county is None or glance.county == county

        return await self._live.stream(visit.request, wanted)

    # Answering

    async def claim(self, visit: Visit) -> web.StreamResponse:
        """Take a waiting chat."""
        chat = await self._visible(visit)
        outcome = await self._desk.claim(chat.id, visit.viewer.username)
        match outcome:
            case Claimed():
                await self._note(visit, chat, "claim")
                return visit.to(f"/inbox/{chat.id}", "inbox.claimed")
            case TakenBy():
                return visit.to(f"/inbox/{chat.id}", "inbox.taken_by", agent=outcome.agent)
            case ChatIsOver():
                return visit.to(f"/inbox/{chat.id}", "inbox.over")
            case _:
                assert_never(outcome)

    async def answer(self, visit: Visit) -> web.StreamResponse:
        """Queue an answer; whoever answers a waiting chat has it."""
        chat, form = await self._visible(visit), await visit.form()
        text = form.text("text", "回复", max_chars=ANSWER_MAX_CHARS)
        if form.problems:
            return await self._chat_page(visit, chat, form)
        outcome = await self._desk.answer(chat.id, visit.viewer.username, text, form.key)
        match outcome:
            case Queued():
                await self._note(visit, chat, "answer")
                if visit.wants_fragment:
                    return await self._chat_page(visit, await self._visible(visit))
                return visit.to(f"/inbox/{chat.id}")
            case TakenBy():
                form.note("text", Problem("inbox.taken_by", {"agent": outcome.agent}))
            case ChatIsOver():
                form.note("text", Problem("inbox.over"))
            case _:
                assert_never(outcome)
        return await self._chat_page(visit, await self._visible(visit), form)

    async def ask_close(self, visit: Visit) -> web.StreamResponse:
        """Say what ending a chat means, and ask why it ends."""
        chat = await self._visible(visit)
        if visit.wants_fragment:
            return visit.part("inbox/close.html", "panel", chat=chat)
        return visit.page("inbox/close.html", chat=chat)

    async def close(self, visit: Visit) -> web.StreamResponse:
        """End a chat: the follower is asked how satisfied they are, and the bot answers again."""
        chat, form = await self._visible(visit), await visit.form()
        reason = form.option("reason", "原因", [code for code, _ in visit.labels("close_reason")])
        if form.problems:
            return visit.page("inbox/close.html", status=422, chat=chat, problems=form.problems, typed=form.typed())
        outcome = await self._desk.close(chat.id, visit.viewer.username, reason)
        match outcome:
            case Closed():
                await self._note(visit, chat, "close", reason)
                return visit.to("/inbox?view=mine", "inbox.closed")
            case TakenBy():
                return visit.to(f"/inbox/{chat.id}", "inbox.taken_by", agent=outcome.agent)
            case ChatIsOver():
                return visit.to(f"/inbox/{chat.id}", "inbox.over")
            case _:
                assert_never(outcome)

    # Parts

    async def _visible(self, visit: Visit) -> ChatView:
        """Return the chat of the address when it is the viewer's to see; raises NotFound."""
        wanted = int(visit.path("chat"))
        found = await self._desk.chats(after_id=wanted - 1, limit=1)
        if not found or found[0].id != wanted:
            raise NotFound
        chat = found[0]
        if not visit.may_touch(READ, county=chat.county, owner=chat.claimed_by):
            raise NotFound
        return chat

    async def _list(self, visit: Visit) -> dict[str, Any]:
        form = visit.filters()
        view = form.raw("view") if form.raw("view") in VIEWS else "waiting"
        topic, county = form.raw("topic"), visit.county_for(READ)
        narrowed: Mapping[str, Any] = {"topic": topic or None, "county": county, "limit": LISTED}
        match view:
            case "waiting":
                chats = await self._desk.chats(status=ChatStatus.WAITING, **narrowed)
            case "mine":
                chats = await self._desk.chats(status=ChatStatus.OPEN, agent=visit.viewer.username, **narrowed)
            case "closed":
                chats = await self._desk.chats(status=ChatStatus.CLOSED, **narrowed)
            case _:
                running = await self._desk.chats(**narrowed)
                chats = [chat for chat in running if chat.status is not ChatStatus.CLOSED]
        chats.sort(key=lambda chat: chat.topic != "crisis")
        return {"chats": chats, "view": view, "topic": topic, "query": urlencode({"view": view, "topic": topic})}

    async def _chat_page(self, visit: Visit, chat: ChatView, form: Form | None = None) -> web.Response:
        listed = await self._list(visit)
        values = {
            **listed,
            "chat": chat,
            "messages": await self._desk.conversation(chat.id),
            "summary": await self._desk.summary(chat.id),
            "aside": Aside(
                await self._registrations.find_for(chat.openid, limit=5), await self._cases.cases_of(chat.openid)
            ),
            "mine": chat.claimed_by == visit.viewer.username,
            "may_answer": visit.may_touch(ANSWER, county=chat.county, owner=chat.claimed_by),
            "problems": form.problems if form is not None else {},
            "typed": form.typed() if form is not None else {},
        }
        status = 200 if form is None else 422
        if visit.wants_fragment:
            return visit.part("inbox/show.html", "conversation", status=status, **values)
        return visit.page("inbox/show.html", status=status, **values)

    async def _note(self, visit: Visit, chat: ChatView, step: str, reason: str = "") -> None:
        record = AuditRecord(visit.viewer.username, f"inbox:chat:{step}", "chat", str(chat.id), reason, visit.source)
        await self._trail.record(record)
