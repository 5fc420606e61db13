"""What agents do with a chat: claim, answer, note, give away, end, take up again; each step asks one service."""

from collections.abc import Sequence
from typing import Any, Final, assert_never

from aiohttp import web
from aiohttp.web import FileField

from bot.console.forms import Form
from bot.console.inbox import CHAT, MESSAGE
from bot.console.inbox_screen import ANSWER, ASSIGN, READ, InboxParts, InboxScreen, Typed
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
from bot.inbox.desk import ChatIsOver, Claimed, Closed, NotReopened, Queued, Reopened, TakenBy
from bot.inbox.models import ChatStatus, MessageKind
from bot.inbox.placeholders import check_answer
from bot.inbox.transfers import AlreadyThere, ChatTransfers, Ended, Giver, NotYoursToGive, Transferred
from bot.inbox.views import ChatView
from bot.storage.files import FileRefused, PrivateFiles
from bot.storage.pictures import media_type_of
from bot.turns.typing import TypingSign
from bot.values.counties import County
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
        transfers: ChatTransfers,
        files: PrivateFiles,
        typing: TypingSign,
    ) -> None:
        self._parts = parts
        self._desk = parts.desk
        self._screen = screen
        self._asides = asides
        self._transfers = transfers
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
            Route("GET", f"{CHAT}/transfer", self.ask_transfer, ANSWER),
            Route("POST", f"{CHAT}/transfer", self.transfer, ANSWER),
            Route("GET", f"{CHAT}/close", self.ask_close, ANSWER),
            Route("POST", f"{CHAT}/close", self.close, ANSWER),
            Route("POST", f"{CHAT}/hand-back", self.hand_back, ANSWER),
            Route("POST", f"{CHAT}/reopen", self.reopen, ANSWER),
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
                return await self._refused(visit, chat, outcome)
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
            form.note("text", Problem("inbox.taken_by", {"agent": await self._name(outcome.agent)}))
        elif isinstance(outcome, ChatIsOver):
            form.note("text", Problem("inbox.over"))
        if form.problems:
            return await self._screen.chat_page(visit, await self._chat(visit), Typed(form))
        await self._typing.over(chat.openid)
        if chat.status is ChatStatus.WAITING:
            return visit.to(f"/inbox/{chat.id}?tab=mine")
        if visit.wants_fragment:
            return await self._screen.chat_page(visit, await self._chat(visit))
        return self._back(visit, chat)

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
        return self._back(visit, chat, "inbox.noted")

    async def resend(self, visit: Visit) -> web.StreamResponse:
        """Send what failed once more."""
        chat, form = await self._chat(visit), await visit.form()
        outcome = await self._asides.resend(
            chat.id, int(visit.path("message")), visit.viewer.username, form.key, source=visit.source
        )
        match outcome:
            case SentAgain():
                return self._back(visit, chat, "inbox.sent_again")
            case NotSentAgain():
                return self._back(visit, chat, "inbox.not_sent_again")
            case NotYours():
                return self._back(visit, chat, "inbox.not_yours")
            case _:
                assert_never(outcome)

    async def remind(self, visit: Visit) -> web.StreamResponse:
        """Notify a follower who cannot be answered any more."""
        chat = await self._chat(visit)
        outcome = await self._asides.remind(chat.id, visit.viewer.username, source=visit.source)
        match outcome:
            case Reminded():
                return self._back(visit, chat, "inbox.reminded")
            case RemindedBefore():
                return self._back(visit, chat, "inbox.reminded_before", at=f"{outcome.at:%m-%d %H:%M}")
            case NoReminder():
                return self._back(visit, chat, "inbox.no_reminder")
            case NotYours():
                return self._back(visit, chat, "inbox.not_yours")
            case _:
                assert_never(outcome)

    # Giving away

    async def ask_transfer(self, visit: Visit) -> web.StreamResponse:
        """Offer the agents, queues and counties that a chat can go to."""
        return await self._transfer_page(visit, await self._chat(visit))

    async def transfer(self, visit: Visit) -> web.StreamResponse:
        """Give a chat to an agent, or put it into another queue."""
        chat, form = await self._chat(visit), await visit.form()
        to_queue = form.raw("way") == "queue"
        note = form.text("to_note", "交接说明", max_chars=NOTE_MAX_CHARS, required=False)
        agents = {agent.username for agent in await self._parts.agents.for_county(chat.county)}
        agent = form.option("to_agent", "同事", agents, required=not to_queue)
        topics = {queue.topic for queue in await self._parts.office.queues()}
        topic = form.option("to_topic", "类别", topics, required=to_queue)
        county = form.option("to_county", "区县", [one.code for one in County], required=False) or None
        if form.problems:
            return await self._transfer_page(visit, chat, form)
        giver = Giver(
            username=visit.viewer.username,
            key=form.key,
            note=note,
            may_dispose=visit.may_touch(ASSIGN, county=chat.county, owner=chat.claimed_by),
            source=visit.source,
        )
        if to_queue:
            outcome = await self._transfers.to_queue(chat.id, topic, county, giver)
        else:
            outcome = await self._transfers.to_agent(chat.id, agent, giver)
        match outcome:
            case Transferred():
                to = outcome.chat.claimed_by
                # Where the chat went, this person may not look.
                here = f"/inbox/{chat.id}?tab=all" if self._still_visible(visit, outcome.chat) else "/inbox?tab=mine"
                if to is None:
                    return visit.to(here, "inbox.moved")
                return visit.to(here, "inbox.assigned", agent=await self._name(to))
            case NotYoursToGive():
                return self._back(visit, chat, "inbox.taken_by", agent=await self._name(outcome.agent))
            case AlreadyThere():
                return self._back(visit, chat, "inbox.already_there")
            case Ended():
                return self._back(visit, chat, "inbox.over")
            case _:
                assert_never(outcome)

    # Ending

    async def ask_close(self, visit: Visit) -> web.StreamResponse:
        """Say what ending a chat means, and ask why it ends."""
        return await self._close_page(visit, await self._chat(visit))

    async def close(self, visit: Visit) -> web.StreamResponse:
        """End a chat: the follower is asked how satisfied they are, and the bot answers again."""
        chat, form = await self._chat(visit), await visit.form()
        reason = form.option("reason", "原因", [one.code for one in await self._parts.office.reasons()])
        if form.problems:
            return await self._close_page(visit, chat, form)
        outcome = await self._desk.close(chat.id, visit.viewer.username, reason, source=visit.source)
        match outcome:
            case Closed():
                return visit.to("/inbox?tab=mine", "inbox.closed", number=chat.number)
            case TakenBy() | ChatIsOver():
                return await self._refused(visit, chat, outcome)
            case _:
                assert_never(outcome)

    async def hand_back(self, visit: Visit) -> web.StreamResponse:
        """Let the bot go on."""
        chat = await self._chat(visit)
        outcome = await self._desk.hand_back(chat.id, visit.viewer.username, source=visit.source)
        match outcome:
            case Closed():
                return visit.to("/inbox?tab=mine", "inbox.handed_back", number=chat.number)
            case TakenBy() | ChatIsOver():
                return await self._refused(visit, chat, outcome)
            case _:
                assert_never(outcome)

    async def reopen(self, visit: Visit) -> web.StreamResponse:
        """Take a closed chat up again."""
        chat = await self._chat(visit)
        outcome = await self._desk.reopen(chat.id, visit.viewer.username, source=visit.source)
        match outcome:
            case Reopened():
                return self._back(visit, chat, "inbox.reopened")
            case NotReopened(why="another_runs", other_id=int(other_id)):
                return visit.to(f"/inbox/{other_id}?tab=all", "inbox.another_runs")
            case NotReopened():
                return self._back(visit, chat, f"inbox.not_reopened_{outcome.why}")
            case _:
                assert_never(outcome)

    # Parts

    async def _chat(self, visit: Visit) -> ChatView:
        return await self._screen.visible(visit, ANSWER)

    def _still_visible(self, visit: Visit, chat: ChatView) -> bool:
        return visit.may_touch(READ, county=chat.county, owner=chat.claimed_by)

    async def _name(self, username: str) -> str:
        return (await self._parts.agents.names()).get(username, username)

    def _back(self, visit: Visit, chat: ChatView, notice: str | None = None, **fields: str) -> web.Response:
        query = visit.request.query_string
        return visit.to(f"/inbox/{chat.id}" + (f"?{query}" if query else "?tab=mine"), notice, **fields)

    async def _refused(self, visit: Visit, chat: ChatView, outcome: TakenBy | ChatIsOver) -> web.Response:
        if isinstance(outcome, TakenBy):
            return self._back(visit, chat, "inbox.taken_by", agent=await self._name(outcome.agent))
        return self._back(visit, chat, "inbox.over")

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

    async def _transfer_page(self, visit: Visit, chat: ChatView, form: Form | None = None) -> web.Response:
        agents = [one for one in await self._parts.agents.for_county(chat.county) if one.username != chat.claimed_by]
        values = {
            "chat": chat,
            "agents": agents,
            "queues": [(queue.topic, queue.label) for queue in await self._parts.office.queues()],
            "counties": [(one.code, one.short) for one in County],
        }
        return _asked(visit, "inbox/transfer.html", values, form)

    async def _close_page(self, visit: Visit, chat: ChatView, form: Form | None = None) -> web.Response:
        queue = next((one for one in await self._parts.office.queues() if one.topic == chat.topic), None)
        values = {
            "chat": chat,
            "reasons": [(one.code, one.label) for one in await self._parts.office.reasons()],
            "asks_rating": queue is None or queue.asks_rating,
        }
        return _asked(visit, "inbox/close.html", values, form)


def _asked(visit: Visit, template: str, values: dict[str, Any], form: Form | None) -> web.Response:
    if form is not None:
        return visit.page(template, status=422, problems=form.problems, typed=form.typed(), **values)
    return visit.part(template, "panel", **values) if visit.wants_fragment else visit.page(template, **values)
