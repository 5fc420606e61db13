"""What agents do with a chat: claim, answer, note, send again, notify; each step asks one service."""

from collections.abc import Sequence
from typing import Final, assert_never

from aiohttp import web
from aiohttp.web import FileField

from bot.console.forms import Form
from bot.console.inbox.pages import CHAT, MESSAGE
from bot.console.inbox.parts import ANSWER, InboxParts
from bot.console.inbox.screen import InboxScreen, Typed
from bot.console.inbox.ways import back_to, refused
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.inbox.asides import (
    ChatAsides,
    NoReminder,
    Noted,
    NotSentAgain,
    NotYours,
    Reminded,
    RemindedBefore,
    SentAgain,
)
from bot.inbox.desk import ChatIsOver, Claimed, Queued, TakenBy
from bot.inbox.models import ChatStatus, MessageKind
from bot.inbox.placeholders import check_answer
from bot.inbox.views import ChatView
from bot.storage.files import FileRefused, PrivateFiles
from bot.storage.pictures import media_type_of
from bot.turns.typing import TypingSign
from bot.values.problem import Problem

NOTE_MAX_CHARS: Final = 1000
PURPOSE: Final = "chat"


class InboxSteps:
    """Every step is for a chat within the reach of ``inbox:chat:answer``."""

    def __init__(
        self,
        parts: InboxParts,
        screen: InboxScreen,
        asides: ChatAsides,
        files: PrivateFiles,
        typing: TypingSign,
    ) -> None:
        self._parts = parts
        self._desk = parts.desk
        self._screen = screen
        self._asides = asides
        self._files = files
        self._typing = typing

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return nothing: the steps are on the inbox's own page."""
        return []

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("POST", f"{CHAT}/claim", self.claim, ANSWER),
            Route("POST", f"{CHAT}/answer", self.answer, ANSWER),
            Route("POST", f"{CHAT}/typing", self.typing, ANSWER),
            Route("POST", f"{CHAT}/note", self.note, ANSWER),
            Route("POST", f"{CHAT}/remind", self.remind, ANSWER),
            Route("POST", f"{MESSAGE}/resend", self.resend, ANSWER),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - Every area has this method.
        """Return nothing: ``InboxPages`` counts."""
        return []

    # Answering

    async def claim(self, visit: Visit) -> web.StreamResponse:
        """Take a waiting chat."""
        chat = await self._chat(visit)
        outcome = await self._desk.claim(chat.id, visit.viewer.username, source=visit.source)
        match outcome:
            case Claimed():
                return visit.to(f"/inbox/{chat.id}?tab=mine", "inbox.claimed")
            case TakenBy() | ChatIsOver():
                return await refused(visit, chat, outcome)
            case _:
                assert_never(outcome)

    async def answer(self, visit: Visit) -> web.StreamResponse:
        """Queue an answer, a picture or both; whoever answers a waiting chat has it."""
        chat, form = await self._chat(visit), await visit.form()
        picture = form.upload("picture", "图片", required=False)
        text = form.raw("text").strip()
        if text or picture is None:
            form.note("text", check_answer(text))
        if form.problems:
            return await self._screen.chat_page(visit, chat, Typed(form))
        outcome: Queued | TakenBy | ChatIsOver | None = None
        if picture is not None:
            outcome = await self._send_picture(visit, chat, form, picture)
        if text and (outcome is None or isinstance(outcome, Queued)) and not form.problems:
            outcome = await self._desk.answer(chat.id, visit.viewer.username, text, form.key, source=visit.source)
        if isinstance(outcome, TakenBy):
            form.note("text", Problem("inbox.taken_by", {"agent": (await visit.names()).of(outcome.agent)}))
        elif isinstance(outcome, ChatIsOver):
            form.note("text", Problem("inbox.over"))
        if form.problems:
            return await self._screen.chat_page(visit, await self._chat(visit), Typed(form))
        await self._typing.over(chat.openid)
        if chat.status is ChatStatus.WAITING:
            return visit.to(f"/inbox/{chat.id}?tab=mine")
        if visit.wants_fragment:
            return await self._screen.chat_page(visit, await self._chat(visit))
        return back_to(visit, chat)

    async def typing(self, visit: Visit) -> web.StreamResponse:
        """Let the follower see that somebody writes, as far as the platform shows it."""
        chat = await self._chat(visit)
        if chat.status is ChatStatus.OPEN and chat.claimed_by == visit.viewer.username:
            await self._typing.show(chat.openid, chat.last_at)
        return web.Response(status=204)

    async def note(self, visit: Visit) -> web.StreamResponse:
        """Keep a note for staff."""
        chat, form = await self._chat(visit), await visit.form()
        text = form.text("note", "备注", max_chars=NOTE_MAX_CHARS)
        if form.problems:
            return await self._screen.chat_page(visit, chat, Typed(form))
        outcome = await self._asides.note(chat.id, visit.viewer.username, text, form.key, source=visit.source)
        assert isinstance(outcome, Noted)
        return back_to(visit, chat, "inbox.noted")

    async def resend(self, visit: Visit) -> web.StreamResponse:
        """Send what failed once more."""
        chat, form = await self._chat(visit), await visit.form()
        outcome = await self._asides.resend(
            chat.id, int(visit.path("message")), visit.viewer.username, form.key, source=visit.source
        )
        match outcome:
            case SentAgain():
                return back_to(visit, chat, "inbox.sent_again")
            case NotSentAgain():
                return back_to(visit, chat, "inbox.not_sent_again")
            case NotYours():
                return back_to(visit, chat, "inbox.not_yours")
            case _:
                assert_never(outcome)

    async def remind(self, visit: Visit) -> web.StreamResponse:
        """Notify a follower who cannot be answered any more."""
        chat = await self._chat(visit)
        outcome = await self._asides.remind(chat.id, visit.viewer.username, source=visit.source)
        match outcome:
            case Reminded():
                return back_to(visit, chat, "inbox.reminded")
            case RemindedBefore():
                return back_to(visit, chat, "inbox.reminded_before", at=f"{outcome.at:%m-%d %H:%M}")
            case NoReminder():
                return back_to(visit, chat, "inbox.no_reminder")
            case NotYours():
                return back_to(visit, chat, "inbox.not_yours")
            case _:
                assert_never(outcome)

    # Parts

    async def _chat(self, visit: Visit) -> ChatView:
        return await self._screen.visible(visit, ANSWER)

    async def _send_picture(
        self, visit: Visit, chat: ChatView, form: Form, picture: FileField
    ) -> Queued | TakenBy | ChatIsOver | None:
        data = picture.file.read()
        try:
            is_picture = media_type_of(data) != "application/pdf"
            stored = await self._files.save(data, owner=chat.openid, purpose=PURPOSE) if is_picture else None
        except FileRefused as error:
            form.note("picture", Problem(f"inbox.picture_{error.fields['reason']}"))
            return None
        if stored is None:
            form.note("picture", Problem("inbox.picture_type"))
            return None
        outcome = await self._desk.answer(
            chat.id,
            visit.viewer.username,
            "",
            f"{form.key}:picture",
            kind=MessageKind.IMAGE,
            file_id=stored.id,
            source=visit.source,
        )
        if not isinstance(outcome, Queued) or outcome.message.file_id != stored.id:
            # Refused, or the same press came twice and the first one's picture is on its way.
            await self._files.delete(stored.id)
        return outcome
