"""The inbox: lists of chats, one chat beside them, pictures, and the stream of what changes."""

from collections.abc import Sequence
from typing import Final, assert_never

from aiohttp import web

from bot.console.errors import NotFound
from bot.console.forms import Form
from bot.console.inbox.composer import Composer
from bot.console.inbox.parts import ANSWER, READ, UNMASK, InboxParts, scope_of
from bot.console.inbox.screen import SUMMARY, TEMPLATE, InboxScreen, Typed
from bot.console.live import LiveChats
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.inbox.asides import ChatAsides
from bot.inbox.search import ChatSearch, FoundChat, FoundNothing, FoundPerson
from bot.inbox.views import ChatView
from bot.staff.unmasking import LimitReached, NothingStored, Unmasked, Unmasking, UnmaskingService
from bot.storage.files import PrivateFiles
from bot.values.problem import Problem

CHAT: Final = "/inbox/{chat:[0-9]{1,9}}"
MESSAGE: Final = CHAT + "/messages/{message:[0-9]{1,12}}"
SEARCH_MAX_CHARS: Final = 40


class InboxPages:
    """What is looked at; steps are ``InboxSteps``."""

    def __init__(
        self,
        parts: InboxParts,
        screen: InboxScreen,
        live: LiveChats,
        search: ChatSearch,
        asides: ChatAsides,
        files: PrivateFiles,
        unmasking: UnmaskingService,
    ) -> None:
        self._parts = parts
        self._screen = screen
        self._live = live
        self._search = search
        self._asides = asides
        self._files = files
        self._unmasking = unmasking

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of the menu."""
        return [NavItem("会话", "/inbox", READ, "办理")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/inbox", self.show, READ),
            Route("GET", "/inbox/events", self.events, READ, quiet=True),
            Route("POST", "/inbox/search", self.find, READ),
            Route("GET", CHAT, self.chat, READ),
            Route("GET", f"{MESSAGE}/picture", self.picture, READ),
            Route("POST", f"{CHAT}/reveal", self.reveal, UNMASK),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:
        """Return how many chats wait, and how many of the viewer's own want an answer."""
        if not visit.can(READ):
            return []
        counts = await self._parts.lists.counts(scope_of(visit, READ), visit.viewer.username)
        tiles = [Tile("会话在等人", counts.waiting, "/inbox?tab=waiting", urgent=counts.urgent_waiting > 0)]
        if visit.can(ANSWER):
            tiles.append(Tile("我的会话有新消息", counts.mine_unread, "/inbox?tab=mine"))
        if counts.overdue:
            tiles.append(Tile("会话已超时", counts.overdue, "/inbox?tab=all", urgent=True))
        return tiles

    async def show(self, visit: Visit) -> web.StreamResponse:
        """List the chats of a tab."""
        return await self._screen.list_page(visit)

    async def chat(self, visit: Visit) -> web.StreamResponse:
        """Show one chat beside the list; whoever has it has read it then."""
        chat = await self._screen.visible(visit)
        if chat.unread and await self._asides.seen(chat.id, visit.viewer.username):
            chat = await self._screen.visible(visit)
        typed = Typed()
        reply = visit.filters().number("canned", "常用语", least=1, most=10**9, required=False)
        if reply is not None:
            filled = await Composer(self._parts).filled(visit, chat, await self._parts.replies.get(reply))
            typed.values["text"] = filled.text
        return await self._screen.chat_page(visit, chat, typed)

    def end_streams(self) -> None:
        """Let the streams of open pages end."""
        self._live.close()

    async def events(self, visit: Visit) -> web.StreamResponse:
        """Tell the page which chats changed, as far as the viewer may see them."""
        username, answers = visit.viewer.username, visit.can(ANSWER)

        async def beat() -> None:
            if answers:
                await self._parts.agents.here(username)

        return await self._live.stream(visit.request, scope_of(visit, READ), beat)

    async def find(self, visit: Visit) -> web.StreamResponse:
        """Find a chat by its number, or somebody's chats by phone, identity number or receipt.

        By POST, because what is typed must not stand in an address.
        """
        form = await visit.form()
        words = form.text("words", "要找的号码", max_chars=SEARCH_MAX_CHARS)
        if form.problems:
            return await self._not_found(visit, "inbox.search_empty")
        outcome = await self._search.find(words, scope_of(visit, READ))
        match outcome:
            case FoundChat():
                return visit.to(f"/inbox/{outcome.chat_id}?tab=all")
            case FoundPerson():
                return visit.to(f"/inbox/{outcome.chat_id}?tab=person&like={outcome.chat_id}")
            case FoundNothing():
                code = "inbox.search_nothing" if outcome.understood else "inbox.search_unclear"
                return await self._not_found(visit, code)
            case _:
                assert_never(outcome)

    async def picture(self, visit: Visit) -> web.StreamResponse:
        """Answer a picture of a chat; it is never kept by browsers or proxies."""
        chat = await self._screen.visible(visit)
        line = await self._parts.lists.line(chat.id, int(visit.path("message")))
        if line is None or line.file_id is None:
            raise NotFound
        kept = await self._files.read(line.file_id)
        headers = {"Content-Disposition": "inline", "Content-Security-Policy": "default-src 'none'; sandbox"}
        return web.Response(body=kept.data, content_type=kept.file.media_type, headers=headers)

    async def reveal(self, visit: Visit) -> web.StreamResponse:
        """Show the words of one line in plain, for a reason that the trail keeps."""
        chat, form = await self._screen.visible(visit, UNMASK), await visit.form()
        line = form.number("line", "消息", least=SUMMARY, most=10**12)
        if line is None:
            return await self._screen.chat_page(visit, chat, Typed(form))
        return await self._screen.chat_page(visit, chat, await self._opened(visit, chat, line, form))

    async def _opened(self, visit: Visit, chat: ChatView, line: int, form: Form) -> Typed:
        wanted = Unmasking(
            permission=UNMASK,
            object_kind="chat",
            object_id=str(chat.id),
            field="summary" if line == SUMMARY else f"message {line}",
            reason=form.raw("reason").strip(),
            source=visit.source,
            county=chat.county,
            owner=chat.claimed_by,
        )
        opener = self._parts.lists.opener(chat.id, None if line == SUMMARY else line)
        outcome = await self._unmasking.unmask(visit.viewer.username, wanted, opener)
        match outcome:
            case Unmasked():
                return Typed(revealed={line: outcome.value})
            case NothingStored():
                return Typed()
            case LimitReached():
                again = f"{outcome.again_at:%H:%M}"
                form.note(f"line-{line}", Problem("unmask.limit", {"per_hour": outcome.per_hour, "again": again}))
            case Problem():
                form.note(f"line-{line}", outcome)
            case _:
                assert_never(outcome)
        return Typed(form)

    async def _not_found(self, visit: Visit, code: str) -> web.Response:
        """Show the list with a word about the search; what was typed is not repeated."""
        values = await self._screen.list_values(visit)
        return visit.page(TEMPLATE, status=422, chat=None, search_problem=visit.sentence(code, {}), **values)
