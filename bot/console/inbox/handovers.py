"""Where a chat goes: to a colleague, to another queue, to its end, back to the bot, and open again."""

from collections.abc import Sequence
from typing import Any, assert_never

from aiohttp import web

from bot.console.forms import Form
from bot.console.inbox.pages import CHAT
from bot.console.inbox.parts import ANSWER, ASSIGN, READ, InboxParts
from bot.console.inbox.screen import InboxScreen
from bot.console.inbox.steps import NOTE_MAX_CHARS
from bot.console.inbox.ways import back_to, refused
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.inbox.desk import ChatIsOver, Closed, NotReopened, Reopened, TakenBy
from bot.inbox.transfers import AlreadyThere, ChatTransfers, Ended, Giver, NotYoursToGive, Transferred
from bot.inbox.views import ChatView
from bot.values.counties import County


class InboxHandovers:
    """Every step is for a chat within the reach of ``inbox:chat:answer``."""

    def __init__(self, parts: InboxParts, screen: InboxScreen, transfers: ChatTransfers) -> None:
        self._parts = parts
        self._desk = parts.desk
        self._screen = screen
        self._transfers = transfers

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return nothing: the steps are on the inbox's own page."""
        return []

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", f"{CHAT}/transfer", self.ask_transfer, ANSWER),
            Route("POST", f"{CHAT}/transfer", self.transfer, ANSWER),
            Route("GET", f"{CHAT}/close", self.ask_close, ANSWER),
            Route("POST", f"{CHAT}/close", self.close, ANSWER),
            Route("POST", f"{CHAT}/hand-back", self.hand_back, ANSWER),
            Route("POST", f"{CHAT}/reopen", self.reopen, ANSWER),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - Every area has this method.
        """Return nothing: ``InboxPages`` counts."""
        return []

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
                here = f"/inbox/{chat.id}?tab=all" if _still_visible(visit, outcome.chat) else "/inbox?tab=mine"
                if to is None:
                    return visit.to(here, "inbox.moved")
                return visit.to(here, "inbox.assigned", agent=(await visit.names()).of(to))
            case NotYoursToGive():
                return back_to(visit, chat, "inbox.taken_by", agent=(await visit.names()).of(outcome.agent))
            case AlreadyThere():
                return back_to(visit, chat, "inbox.already_there")
            case Ended():
                return back_to(visit, chat, "inbox.over")
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
                return await refused(visit, chat, outcome)
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
                return await refused(visit, chat, outcome)
            case _:
                assert_never(outcome)

    async def reopen(self, visit: Visit) -> web.StreamResponse:
        """Take a closed chat up again."""
        chat = await self._chat(visit)
        outcome = await self._desk.reopen(chat.id, visit.viewer.username, source=visit.source)
        match outcome:
            case Reopened():
                return back_to(visit, chat, "inbox.reopened")
            case NotReopened(why="another_runs", other_id=int(other_id)):
                return visit.to(f"/inbox/{other_id}?tab=all", "inbox.another_runs")
            case NotReopened():
                return back_to(visit, chat, f"inbox.not_reopened_{outcome.why}")
            case _:
                assert_never(outcome)

    # Parts

    async def _chat(self, visit: Visit) -> ChatView:
        return await self._screen.visible(visit, ANSWER)

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


def _still_visible(visit: Visit, chat: ChatView) -> bool:
    return visit.may_touch(READ, county=chat.county, owner=chat.claimed_by)


def _asked(visit: Visit, template: str, values: dict[str, Any], form: Form | None) -> web.Response:
    if form is not None:
        return visit.page(template, status=422, problems=form.problems, typed=form.typed(), **values)
    return visit.part(template, "panel", **values) if visit.wants_fragment else visit.page(template, **values)
